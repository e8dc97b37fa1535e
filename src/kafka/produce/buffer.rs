//! How much memory waits or is in flight, and which batches are not settled yet.
use std::collections::BTreeMap;

use super::batch::Batch;
use super::queue::Queue;
use super::record::{Acknowledge, NewRecord};
use crate::kafka::records::BatchBuilder;

/// What waits or is in flight.
#[derive(Debug, Default)]
pub(super) struct Buffer {
    pub(super) bytes: usize,
    last: u64,
    /// The batches that are not settled, each with the number of parts that it has come to.
    unsettled: BTreeMap<u64, usize>,
}

impl Buffer {
    /// Whether there is no room for `bytes` of a partition.
    ///
    /// A partition may hold as much as is left for all others. So one that takes nothing never keeps them out: half of
    /// the memory stays, or a third if two of them are stuck.
    pub(super) fn is_full(&self, queue: &Queue, bytes: usize, bytes_max: usize) -> bool {
        let left = bytes_max.saturating_sub(self.bytes);
        let is_over = if queue.bytes == 0 { bytes > left } else { queue.bytes + bytes > left };
        self.bytes > 0 && is_over
    }

    /// The number of the batch that was begun last.
    pub(super) fn last(&self) -> u64 {
        self.last
    }

    /// Whether all batches up to `last` are settled.
    pub(super) fn is_settled(&self, last: u64) -> bool {
        self.unsettled.first_key_value().is_none_or(|(first, _)| *first > last)
    }

    /// Adds a record to the open batch of its partition. Whether that is new, or full now.
    pub(super) fn append(
        &mut self,
        queue: &mut Queue,
        batch_bytes: usize,
        record: NewRecord<'_>,
        acknowledge: Option<Acknowledge>,
    ) -> bool {
        let bytes = record.bytes_max();
        let fits = |batch: &&mut Batch| !batch.is_closed && batch.bytes + bytes <= batch_bytes;
        if let Some(batch) = queue.waiting.back_mut().filter(fits) {
            let grown = batch.append(record, acknowledge);
            batch.is_closed |= batch.bytes >= batch_bytes;
            let is_closed = batch.is_closed;
            queue.handed_over += 1;
            queue.bytes += grown;
            self.bytes += grown;
            return is_closed;
        }
        let mut batch = Batch::new(self.begin(1), queue.handed_over, BatchBuilder::new());
        batch.append(record, acknowledge);
        batch.is_closed = batch.bytes >= batch_bytes;
        queue.handed_over += 1;
        self.push(queue, batch);
        true
    }

    /// Adds batches behind what their partition has, as parts of one that was handed over whole.
    pub(super) fn push_parts(&mut self, queue: &mut Queue, parts: Vec<Batch>) {
        if parts.is_empty() {
            return;
        }
        let number = self.begin(parts.len());
        for mut part in parts {
            part.number = number;
            part.is_closed = true;
            self.push(queue, part);
        }
    }

    fn push(&mut self, queue: &mut Queue, batch: Batch) {
        if let Some(last) = queue.waiting.back_mut() {
            last.is_closed = true;
        }
        queue.bytes += batch.bytes;
        self.bytes += batch.bytes;
        queue.waiting.push_back(batch);
    }

    fn begin(&mut self, parts: usize) -> u64 {
        self.last += 1;
        self.unsettled.insert(self.last, parts);
        self.last
    }

    /// Forgets a batch that has ended.
    pub(super) fn end(&mut self, queue: &mut Queue, batch: &Batch) {
        self.replace(queue, batch, &[]);
    }

    /// Puts parts in the place of a batch.
    pub(super) fn replace(&mut self, queue: &mut Queue, batch: &Batch, parts: &[Batch]) {
        let bytes: usize = parts.iter().map(|part| part.bytes).sum();
        queue.bytes = (queue.bytes + bytes).saturating_sub(batch.bytes);
        self.bytes = (self.bytes + bytes).saturating_sub(batch.bytes);
        if let Some(count) = self.unsettled.get_mut(&batch.number) {
            *count = (*count + parts.len()).saturating_sub(1);
            if *count == 0 {
                self.unsettled.remove(&batch.number);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kafka::partition::TopicPartition;

    #[test]
    fn one_that_is_stuck_leaves_room_for_the_others() {
        let mut buffer = Buffer::default();
        let queue = |partition| Queue::new(TopicPartition::new("t", partition));
        let mut fill = |queue: &mut Queue| {
            let record = NewRecord::new(0, None, Some(&[0; 100]));
            let mut records = 0;
            while !buffer.is_full(queue, record.bytes_max(), 100_000) {
                buffer.append(queue, 1_000, record, None);
                records += 1;
            }
            (records, buffer.bytes)
        };
        let (mut stuck, mut other, mut third) = (queue(0), queue(1), queue(2));
        assert!((49_000..51_000).contains(&fill(&mut stuck).1));
        assert!((74_000..76_000).contains(&fill(&mut other).1));
        assert!(fill(&mut third).0 > 50);
    }

    #[test]
    fn a_record_larger_than_all_memory_passes_alone() {
        let mut buffer = Buffer::default();
        let mut queue = Queue::new(TopicPartition::new("t", 0));
        assert!(!buffer.is_full(&queue, 500, 100));
        buffer.append(&mut queue, 1_000, NewRecord::new(0, None, Some(&[0; 400])), None);
        assert!(buffer.is_full(&queue, 1, 100));
        let batch = queue.take().unwrap();
        buffer.end(&mut queue, &batch);
        assert_eq!((buffer.bytes, queue.bytes, buffer.is_settled(u64::MAX)), (0, 0, true));
    }
}
