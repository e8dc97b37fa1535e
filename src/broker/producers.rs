//! What a partition knows of its producers: sequences, open transactions, aborted ranges.
//!
//! The rules are those of Kafka's `ProducerStateManager`: a batch continues the sequence of its producer, repeats one
//! of the last five, or is refused.
use std::collections::{BTreeSet, HashMap, VecDeque};

use kafka_protocol::error::ResponseError;

use super::batch::last_sequence;
use crate::kafka::records::BatchHeader;

/// How many batches of a producer are remembered, to recognise repetitions.
const BATCHES_REMEMBERED: usize = 5;
/// How many producers a partition remembers; beyond, those idle for longest are forgotten.
const PRODUCERS_MAX: usize = 10_000;

/// The producers of one partition.
#[derive(Default)]
pub(super) struct Producers {
    by_id: HashMap<i64, Producer>,
    /// The first offsets of open transactions.
    open: BTreeSet<i64>,
    aborted: Vec<Aborted>,
}

/// What is remembered of one producer.
#[derive(Default)]
pub(super) struct Producer {
    pub(super) epoch: i16,
    batches: VecDeque<Sequence>,
    pub(super) open_since: Option<i64>,
    pub(super) last_timestamp: i64,
}

struct Sequence {
    first: i32,
    last: i32,
    offset: i64,
}

/// A range of offsets in which the records of a producer do not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Aborted {
    pub(super) producer_id: i64,
    pub(super) first: i64,
    /// The offset of the marker that ends the range.
    pub(super) last: i64,
}

/// What to do with a batch.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Append,
    /// It is in the log already, from this offset.
    Repeated(i64),
}

impl Producers {
    /// Judges a producer's batch before it is appended.
    pub(super) fn judge(&self, batch: &BatchHeader) -> Result<Verdict, ResponseError> {
        let Some(producer) = self.by_id.get(&batch.producer_id).filter(|_| batch.producer_id >= 0)
        else {
            return Ok(Verdict::Append);
        };
        if batch.producer_epoch < producer.epoch {
            return Err(ResponseError::InvalidProducerEpoch);
        }
        let (first, last) = (batch.base_sequence, last_sequence(batch));
        if batch.producer_epoch > producer.epoch {
            return if first == 0 {
                Ok(Verdict::Append)
            } else {
                Err(ResponseError::OutOfOrderSequenceNumber)
            };
        }
        if let Some(known) =
            producer.batches.iter().find(|known| known.first == first && known.last == last)
        {
            return Ok(Verdict::Repeated(known.offset));
        }
        let follows = producer.batches.back().is_none_or(|before| {
            // After a restart or a marker nothing is known, and any sequence may start.
            first == before.last.checked_add(1).unwrap_or(0)
        });
        if follows { Ok(Verdict::Append) } else { Err(ResponseError::OutOfOrderSequenceNumber) }
    }

    /// Notes a batch of data that is now in the log.
    pub(super) fn appended(&mut self, batch: &BatchHeader) {
        if batch.producer_id < 0 {
            return;
        }
        if self.by_id.len() >= PRODUCERS_MAX && !self.by_id.contains_key(&batch.producer_id) {
            self.forget_idle();
        }
        let producer = self.by_id.entry(batch.producer_id).or_default();
        if producer.epoch != batch.producer_epoch {
            producer.epoch = batch.producer_epoch;
            producer.batches.clear();
        }
        let (first, last) = (batch.base_sequence, last_sequence(batch));
        producer.batches.push_back(Sequence { first, last, offset: batch.base_offset });
        if producer.batches.len() > BATCHES_REMEMBERED {
            producer.batches.pop_front();
        }
        producer.last_timestamp = batch.max_timestamp;
        if batch.is_transactional() && producer.open_since.is_none() {
            producer.open_since = Some(batch.base_offset);
            self.open.insert(batch.base_offset);
        }
    }

    /// Notes a marker that is now in the log.
    pub(super) fn ended(&mut self, marker: &BatchHeader, committed: bool) {
        let producer = self.by_id.entry(marker.producer_id).or_default();
        if producer.epoch != marker.producer_epoch {
            producer.epoch = marker.producer_epoch;
            producer.batches.clear();
        }
        producer.last_timestamp = marker.max_timestamp;
        if let Some(first) = producer.open_since.take() {
            self.open.remove(&first);
            if !committed {
                let (producer_id, last) = (marker.producer_id, marker.base_offset);
                self.aborted.push(Aborted { producer_id, first, last });
            }
        }
    }

    /// Where the earliest open transaction starts.
    pub(super) fn first_open(&self) -> Option<i64> {
        self.open.first().copied()
    }

    /// Whether `producer_id` has a transaction open here.
    pub(super) fn is_open(&self, producer_id: i64) -> bool {
        self.by_id.get(&producer_id).is_some_and(|producer| producer.open_since.is_some())
    }

    /// The aborted ranges that touch the offsets `[from, to)`.
    pub(super) fn aborted(&self, from: i64, to: i64) -> impl Iterator<Item = &Aborted> {
        // Markers are appended in order, so that the ranges are sorted by their last offset.
        let at = self.aborted.partition_point(|range| range.last < from);
        self.aborted[at..].iter().filter(move |range| range.first < to)
    }

    /// Forgets aborted ranges that lie before the start of the log.
    pub(super) fn forget_before(&mut self, start: i64) {
        let gone = self.aborted.partition_point(|range| range.last < start);
        self.aborted.drain(..gone);
    }

    /// All producers, for `DescribeProducers`.
    pub(super) fn iter(&self) -> impl Iterator<Item = (i64, &Producer)> {
        self.by_id.iter().map(|(id, producer)| (*id, producer))
    }

    fn forget_idle(&mut self) {
        let idle = self.by_id.iter().filter(|(_, producer)| producer.open_since.is_none());
        let oldest = idle.min_by_key(|(_, producer)| producer.last_timestamp).map(|(id, _)| *id);
        if let Some(id) = oldest {
            self.by_id.remove(&id);
        }
    }
}

impl Producer {
    /// The last sequence number seen, or -1.
    pub(super) fn last_sequence(&self) -> i32 {
        self.batches.back().map_or(-1, |batch| batch.last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::broker::batch::Batch;

    fn data(epoch: i16, sequence: i32, offset: i64) -> BatchHeader {
        let mut header = Batch::marker(7, epoch, true, 0).header;
        header.attributes = 1 << 4;
        header.base_sequence = sequence;
        header.base_offset = offset;
        header
    }

    #[test]
    fn sequences_continue_repeat_or_are_refused() {
        let mut producers = Producers::default();
        for at in 0..7 {
            assert_eq!(producers.judge(&data(0, at, 0)), Ok(Verdict::Append));
            producers.appended(&data(0, at, i64::from(at)));
        }
        assert_eq!(producers.judge(&data(0, 6, 0)), Ok(Verdict::Repeated(6)));
        assert_eq!(producers.judge(&data(0, 2, 0)), Ok(Verdict::Repeated(2)));
        assert_eq!(producers.judge(&data(0, 1, 0)), Err(ResponseError::OutOfOrderSequenceNumber));
        assert_eq!(producers.judge(&data(0, 8, 0)), Err(ResponseError::OutOfOrderSequenceNumber));
        assert_eq!(producers.judge(&data(1, 3, 0)), Err(ResponseError::OutOfOrderSequenceNumber));
        assert_eq!(producers.judge(&data(1, 0, 0)), Ok(Verdict::Append));
        producers.appended(&data(1, 0, 7));
        assert_eq!(producers.judge(&data(0, 7, 0)), Err(ResponseError::InvalidProducerEpoch));
    }

    #[test]
    fn an_aborted_range_ends_at_its_marker() {
        let mut producers = Producers::default();
        producers.appended(&data(0, 0, 10));
        assert_eq!(producers.first_open(), Some(10));
        let mut marker = Batch::marker(7, 0, false, 0).header;
        marker.base_offset = 15;
        producers.ended(&marker, false);
        assert_eq!(producers.first_open(), None);
        let range = Aborted { producer_id: 7, first: 10, last: 15 };
        assert_eq!(producers.aborted(12, 13).collect::<Vec<_>>(), [&range]);
        assert_eq!(producers.aborted(16, 20).count(), 0);
        assert_eq!(producers.aborted(0, 10).count(), 0);
    }
}
