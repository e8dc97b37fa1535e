//! What was read of topics, by whatever query: each record counts once, however many read it.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::seen_offsets::{Fresh, SeenOffsets};
use crate::kafka::{TopicId, TopicPartition};
use crate::types::Partition;

/// What was read of a partition of a topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicPartitionFigures {
    /// The topic.
    pub topic: Arc<str>,
    /// The partition.
    pub partition: Partition,
    /// How many of its records were read, each counted once. Those of topics that had its name before are among them.
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

type ByPartition = BTreeMap<(Arc<str>, Partition), Named>;

/// The partitions that have had a name and a number: one, unless the topic was deleted and made again.
#[derive(Debug, Default)]
struct Named {
    counted: Arc<Counted>,
    /// By their topics' ids, the latest last.
    partitions: Vec<(TopicId, Arc<PartitionFigures>)>,
}

/// What was counted under a name.
#[derive(Debug, Default)]
struct Counted {
    records: AtomicU64,
    bytes: AtomicU64,
}

/// What is counted of a partition of one topic.
#[derive(Debug, Default)]
pub(super) struct PartitionFigures {
    counted: Arc<Counted>,
    read: SeenOffsets,
    fetched: SeenOffsets,
    end: AtomicI64,
}

impl TopicFigures {
    /// The figures of a partition of the topic that has this id.
    pub(super) fn partition(
        &self,
        topic: &Arc<str>,
        id: TopicId,
        partition: Partition,
    ) -> Arc<PartitionFigures> {
        let mut all = self.lock();
        all.entry((Arc::clone(topic), partition)).or_default().partition(id)
    }

    fn lock(&self) -> MutexGuard<'_, ByPartition> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes where those of these partitions end that are read, of topics with these ids.
    pub(super) fn note_ends(
        &self,
        ends: &BTreeMap<TopicPartition, i64>,
        ids: &BTreeMap<Arc<str>, TopicId>,
    ) {
        let all = self.lock();
        for ((topic, partition), named) in &*all {
            let Some((id, figures)) = named.partitions.last() else { continue };
            if ids.get(topic).is_some_and(|other| other.differs(*id)) {
                continue;
            }
            if let Some(end) = ends.get(&TopicPartition::new(Arc::clone(topic), partition.0)) {
                figures.note_end(*end);
            }
        }
    }

    /// Those of all partitions that somebody holds.
    pub(super) fn all(&self) -> Vec<TopicPartitionFigures> {
        let mut all = self.lock();
        all.retain(|_, named| named.is_held());
        let figures = |((topic, partition), named): (&(Arc<str>, Partition), &Named)| {
            let (_, latest) = named.partitions.last()?;
            Some(TopicPartitionFigures {
                topic: Arc::clone(topic),
                partition: *partition,
                records: named.counted.records.load(Relaxed),
                bytes: named.counted.bytes.load(Relaxed),
                position: latest.read.end(),
                end: latest.end(),
            })
        };
        all.iter().filter_map(figures).collect()
    }
}

impl Named {
    fn partition(&mut self, id: TopicId) -> Arc<PartitionFigures> {
        // Where an id is not known, it is that of the topic that is there.
        let known = self.partitions.iter_mut().rev().find(|(other, _)| !other.differs(id));
        if let Some((known, figures)) = known {
            if id.is_known() {
                *known = id;
            }
            return Arc::clone(figures);
        }
        let counted = Arc::clone(&self.counted);
        let figures = Arc::new(PartitionFigures { counted, ..PartitionFigures::default() });
        self.partitions.push((id, Arc::clone(&figures)));
        figures
    }

    /// Whether somebody holds one of them; the others are forgotten.
    fn is_held(&mut self) -> bool {
        self.partitions.retain(|(_, figures)| Arc::strong_count(figures) > 1);
        !self.partitions.is_empty()
    }
}

impl PartitionFigures {
    /// Counts records with these offsets, which ascend: all that there are in a range.
    pub(super) fn note_read(&self, offsets: &[i64], range: Range<i64>) {
        let below = |bound: i64| offsets.partition_point(|offset| *offset < bound);
        let count = match self.read.add(range) {
            Fresh::All => offsets.len(),
            Fresh::Parts(parts) => {
                parts.into_iter().map(|part| below(part.end) - below(part.start)).sum()
            }
        };
        self.counted.records.fetch_add(count as u64, Relaxed);
    }

    /// Counts bytes that were fetched of a range. Where only a part of it had not been fetched before, that part's share of
    /// the offsets is taken for its share of the bytes.
    pub(super) fn note_fetched(&self, range: Range<i64>, bytes: usize) {
        let len = range.end.saturating_sub(range.start).max(1);
        let fresh = match self.fetched.add(range) {
            Fresh::All => len,
            Fresh::Parts(parts) => parts.into_iter().map(|part| part.end - part.start).sum(),
        };
        let share =
            bytes as u128 * u128::try_from(fresh).unwrap_or(0) / u128::from(len.unsigned_abs());
        self.counted.bytes.fetch_add(u64::try_from(share).unwrap_or(0), Relaxed);
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

    const FIRST: TopicId = TopicId([1; 16]);
    const SECOND: TopicId = TopicId([2; 16]);

    struct Story {
        topics: TopicFigures,
        topic: Arc<str>,
    }

    impl Story {
        fn new() -> Self {
            Self { topics: TopicFigures::default(), topic: Arc::from("t") }
        }

        fn partition(&self, id: TopicId) -> Arc<PartitionFigures> {
            self.topics.partition(&self.topic, id, Partition(1))
        }

        /// How many records there are, and where they end.
        fn counted(&self) -> (u64, i64) {
            let all = self.topics.all();
            (all[0].records, all[0].end)
        }
    }

    fn read(figures: &PartitionFigures, range: Range<i64>) {
        figures.note_read(&range.clone().collect::<Vec<_>>(), range);
    }

    #[test]
    fn a_record_counts_once_however_many_read_it() {
        let story = Story::new();
        let held = story.partition(FIRST);
        let counted = |range| {
            read(&held, range);
            story.counted().0
        };
        assert_eq!(counted(1_000..1_010), 10);
        // Another query, which begins earlier and comes to where the first one began.
        assert_eq!(counted(0..4), 14);
        assert_eq!(counted(4..1_012), 1_012);
        assert_eq!(counted(2..1_010), 1_012);
        // Offsets without records: of transactions that were given up, say.
        held.note_read(&[1_013], 1_012..1_020);
        assert_eq!(story.counted().0, 1_013);
        held.note_fetched(0..12, 100);
        held.note_fetched(0..12, 100);
        held.note_fetched(9..15, 20);
        assert_eq!(story.topics.all()[0].bytes, 110);
        drop(held);
        assert_eq!(story.topics.all(), []);
    }

    #[test]
    fn a_topic_that_was_made_again_is_counted_on() {
        let story = Story::new();
        let old = story.partition(FIRST);
        old.note_end(4);
        read(&old, 0..4);
        // With more records than there were before.
        let new = story.partition(SECOND);
        new.note_end(9);
        read(&new, 0..9);
        assert_eq!(story.counted(), (13, 9));
        // Another query finds the same after that, which still reads of the one that is gone.
        read(&story.partition(FIRST), 0..5);
        read(&story.partition(SECOND), 0..9);
        assert_eq!(story.counted(), (14, 9));
        // What is heard of the old one's end is not the end of the new one.
        let ends = BTreeMap::from([(TopicPartition::new("t", 1), 100)]);
        let ids = |id| BTreeMap::from([(Arc::clone(&story.topic), id)]);
        story.topics.note_ends(&ends, &ids(FIRST));
        assert_eq!(story.counted().1, 9);
        story.topics.note_ends(&ends, &ids(SECOND));
        assert_eq!(story.counted().1, 100);
    }
}
