//! How far a query is with the partitions that it reads.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::lane_start::LaneStart;
use super::topic_figures::{PartitionFigures, TopicFigures};
use crate::runtime::LaneId;
use crate::types::Partition;

/// How far a query is with a partition that it reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadPartition {
    /// The topic: a source of the query, or one of its repartition topics.
    pub topic: Arc<str>,
    /// The partition.
    pub partition: Partition,
    /// How many records it has processed; twice if the query reads the topic twice.
    pub records: u64,
    /// How many records it is behind the end, while it runs here.
    pub lag: Option<i64>,
}

/// The partitions that a query reads, or has read in one of its tries.
#[derive(Debug, Default)]
pub(super) struct Lanes {
    topics: Arc<TopicFigures>,
    all: Mutex<BTreeMap<LaneId, Arc<LaneFigures>>>,
}

/// What is counted of a partition that a query reads. Written by the worker that owns the partition.
#[derive(Debug)]
pub(super) struct LaneFigures {
    topic: Arc<str>,
    shared: Arc<PartitionFigures>,
    records: AtomicU64,
    /// Below 0 while it does not run here.
    position: AtomicI64,
}

impl Lanes {
    pub(super) fn new(topics: Arc<TopicFigures>) -> Self {
        Self { topics, all: Mutex::default() }
    }

    /// What is counted of a lane, which reads a topic from a position on.
    pub(super) fn start(&self, lane: LaneId, topic: &Arc<str>) -> Arc<LaneFigures> {
        let new = || {
            let shared = self.topics.partition(topic, lane.upstream);
            let (records, position) = (AtomicU64::default(), AtomicI64::new(-1));
            Arc::new(LaneFigures { topic: Arc::clone(topic), shared, records, position })
        };
        Arc::clone(self.lock().entry(lane).or_insert_with(new))
    }

    /// Notes that a topic was deleted and made again, by a partition of it that is to be read from a position on.
    pub(super) fn begin_again(&self, start: &LaneStart) {
        let partition = self.topics.partition(&start.topic, start.lane.upstream);
        partition.begin_again(start.position, start.end);
    }

    /// Notes that nothing is read any more.
    pub(super) fn end(&self) {
        self.lock().values().for_each(|lane| lane.position.store(-1, Relaxed));
    }

    /// How far it is with each partition, by topic and partition.
    pub(super) fn partitions(&self) -> Vec<ReadPartition> {
        let mut all: BTreeMap<(Arc<str>, Partition), ReadPartition> = BTreeMap::new();
        for (id, lane) in &*self.lock() {
            let (topic, partition) = (Arc::clone(&lane.topic), id.upstream);
            let (records, lag) = (lane.records.load(Relaxed), lane.lag());
            all.entry((Arc::clone(&topic), partition))
                .and_modify(|read| {
                    read.records += records;
                    read.lag = read.lag.max(lag);
                })
                .or_insert(ReadPartition { topic, partition, records, lag });
        }
        all.into_values().collect()
    }

    /// How many records it is behind, as far as that is known.
    pub(super) fn lag(&self) -> Option<i64> {
        self.lock().values().filter_map(|lane| lane.lag()).reduce(i64::saturating_add)
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<LaneId, Arc<LaneFigures>>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl LaneFigures {
    /// Counts records.
    pub(super) fn note_records(&self, count: usize) {
        self.records.fetch_add(count as u64, Relaxed);
    }

    /// Notes how far it is, and where the partition ends.
    pub(super) fn note_place(&self, position: i64, end: i64) {
        self.position.store(position, Relaxed);
        self.shared.note_end(end);
    }

    fn lag(&self) -> Option<i64> {
        let position = self.position.load(Relaxed);
        (position >= 0).then(|| self.shared.end().saturating_sub(position).max(0))
    }
}
