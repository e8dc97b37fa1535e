//! What was read of topics, by whatever query: each record counts once, however many read it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::kafka::TopicPartition;
use crate::types::Partition;

/// What was read of a partition of a topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicPartitionFigures {
    /// The topic.
    pub topic: Arc<str>,
    /// The partition.
    pub partition: Partition,
    /// How many of its records were read, at offsets that no query of this process had come to before.
    pub records: u64,
    /// How many bytes the batches took that were fetched, decompressed, counted in the same way.
    pub bytes: u64,
    /// The offset behind the last record that was read.
    pub position: i64,
    /// Where it ends, as far as that is known.
    pub end: i64,
}

/// The partitions that queries of this process read.
///
/// They are registered when they are read from anew, and counted a batch at a time by who holds them. What nobody holds any
/// more is forgotten when somebody next looks.
#[derive(Debug, Default)]
pub(super) struct TopicFigures(Mutex<ByPartition>);

type ByPartition = BTreeMap<(Arc<str>, Partition), Arc<PartitionFigures>>;

/// What is counted of a partition.
#[derive(Debug, Default)]
pub(super) struct PartitionFigures {
    records: AtomicU64,
    bytes: AtomicU64,
    /// The offset behind the last record that was counted, and behind the last byte.
    position: AtomicI64,
    fetched: AtomicI64,
    end: AtomicI64,
}

impl TopicFigures {
    /// The figures of a partition.
    pub(super) fn partition(
        &self,
        topic: &Arc<str>,
        partition: Partition,
    ) -> Arc<PartitionFigures> {
        let mut all = self.lock();
        Arc::clone(all.entry((Arc::clone(topic), partition)).or_default())
    }

    fn lock(&self) -> MutexGuard<'_, ByPartition> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes where those of these partitions end that are read.
    pub(super) fn note_ends(&self, ends: &BTreeMap<TopicPartition, i64>) {
        let all = self.lock();
        for ((topic, partition), figures) in &*all {
            if let Some(end) = ends.get(&TopicPartition::new(Arc::clone(topic), partition.0)) {
                figures.note_end(*end);
            }
        }
    }

    /// Those of all partitions that somebody holds.
    pub(super) fn all(&self) -> Vec<TopicPartitionFigures> {
        let mut all = self.lock();
        all.retain(|_, figures| Arc::strong_count(figures) > 1);
        let figures =
            |((topic, partition), figures): (&(Arc<str>, Partition), &Arc<PartitionFigures>)| {
                TopicPartitionFigures {
                    topic: Arc::clone(topic),
                    partition: *partition,
                    records: figures.records.load(Relaxed),
                    bytes: figures.bytes.load(Relaxed),
                    position: figures.position.load(Relaxed),
                    end: figures.end(),
                }
            };
        all.iter().map(figures).collect()
    }
}

impl PartitionFigures {
    /// Counts records with these offsets, which ascend, that end before `next`.
    pub(super) fn note_read(&self, offsets: &[i64], next: i64) {
        let before = self.position.fetch_max(next, Relaxed);
        let seen = offsets.partition_point(|offset| *offset < before);
        self.records.fetch_add((offsets.len() - seen) as u64, Relaxed);
    }

    /// Counts bytes that were fetched from `position` to `next`.
    pub(super) fn note_fetched(&self, position: i64, next: i64, bytes: usize) {
        if self.fetched.fetch_max(next, Relaxed) <= position {
            self.bytes.fetch_add(bytes as u64, Relaxed);
        }
    }

    /// Notes that the topic was deleted and made again, where it now ends, and from where on it is read: what was counted
    /// stays, and counting goes on. Of several queries that say so the first counts: by then the end is the new one.
    pub(super) fn begin_again(&self, position: i64, end: i64) {
        if self.end.fetch_min(end, Relaxed) > end {
            self.position.store(position, Relaxed);
            self.fetched.store(position, Relaxed);
        }
    }

    /// Notes where the partition ends.
    pub(super) fn note_end(&self, end: i64) {
        self.end.fetch_max(end, Relaxed);
    }

    /// Where the partition ends, as far as that is known.
    pub(super) fn end(&self) -> i64 {
        self.end.load(Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_counts_once_however_many_read_it() {
        let (topics, topic) = (TopicFigures::default(), Arc::from("t"));
        let held = topics.partition(&topic, Partition(1));
        let counted = |offsets: std::ops::Range<i64>| {
            let next = offsets.end;
            topics.partition(&topic, Partition(1)).note_read(&offsets.collect::<Vec<_>>(), next);
            topics.all()[0].records
        };
        assert_eq!(counted(0..10), 10);
        // Another query, which began later and comes to where the first is.
        assert_eq!(counted(0..4), 10);
        assert_eq!(counted(4..12), 12);
        held.note_fetched(0, 12, 100);
        held.note_fetched(0, 12, 100);
        held.note_fetched(12, 15, 20);
        assert_eq!(topics.all()[0].bytes, 120);
        drop(held);
        assert_eq!(topics.all(), []);
    }

    #[test]
    fn a_topic_that_was_made_again_is_counted_on() {
        let figures = PartitionFigures::default();
        let records = || figures.records.load(Relaxed);
        figures.note_end(4);
        figures.note_read(&[0, 1, 2, 3], 4);
        figures.begin_again(0, 1);
        figures.note_read(&[0], 1);
        assert_eq!((records(), figures.end()), (5, 1));
        // Another query finds the same, after the first has read on.
        figures.note_end(2);
        figures.note_read(&[1], 2);
        figures.begin_again(0, 2);
        figures.note_read(&[0, 1], 2);
        assert_eq!((records(), figures.end()), (6, 2));
    }
}
