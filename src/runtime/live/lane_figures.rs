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
    all: Mutex<BTreeMap<LaneId, CountedLane>>,
}

/// What is counted of a partition, however often it is begun with.
#[derive(Debug)]
struct CountedLane {
    topic: Arc<str>,
    records: Arc<AtomicU64>,
    /// Lest it is forgotten what was read while nobody reads.
    _held: Arc<PartitionFigures>,
}

/// The partitions that a query reads as long as a session lasts.
pub(super) type SessionLanes = BTreeMap<LaneId, Arc<LaneFigures>>;

/// What is counted of a partition that a query reads, and where it is. Written by the worker that owns the partition.
#[derive(Debug)]
pub(super) struct LaneFigures {
    shared: Arc<PartitionFigures>,
    records: Arc<AtomicU64>,
    position: AtomicI64,
}

impl Lanes {
    pub(super) fn new(topics: Arc<TopicFigures>) -> Self {
        Self { topics, all: Mutex::default() }
    }

    /// Begins to read partitions from their positions on.
    pub(super) fn begin(&self, starts: &[LaneStart]) -> SessionLanes {
        let mut all = self.lock();
        let begin = |start: &LaneStart| {
            let partition = start.lane.upstream;
            let shared = self.topics.partition(&start.topic, start.topic_id, partition);
            shared.note_end(start.end);
            let records = all.get(&start.lane).map(|lane| Arc::clone(&lane.records));
            let records = records.unwrap_or_default();
            let counted = CountedLane {
                topic: Arc::clone(&start.topic),
                records: Arc::clone(&records),
                _held: Arc::clone(&shared),
            };
            all.insert(start.lane, counted);
            let position = AtomicI64::new(start.position);
            (start.lane, Arc::new(LaneFigures { shared, records, position }))
        };
        starts.iter().map(begin).collect()
    }

    /// How far it is with each partition, by topic and partition, those that it reads now among them.
    pub(super) fn partitions(&self, reads: &SessionLanes) -> Vec<ReadPartition> {
        let mut all: BTreeMap<(Arc<str>, Partition), ReadPartition> = BTreeMap::new();
        for (id, lane) in &*self.lock() {
            let (topic, partition) = (Arc::clone(&lane.topic), id.upstream);
            let records = lane.records.load(Relaxed);
            let lag = reads.get(id).map(|lane| lane.lag());
            all.entry((Arc::clone(&topic), partition))
                .and_modify(|read| {
                    read.records += records;
                    read.lag = read.lag.max(lag);
                })
                .or_insert(ReadPartition { topic, partition, records, lag });
        }
        all.into_values().collect()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<LaneId, CountedLane>> {
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

    /// How many records it is behind.
    pub(super) fn lag(&self) -> i64 {
        self.shared.end().saturating_sub(self.position.load(Relaxed)).max(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kafka::TopicId;
    use crate::kafka::admin::OffsetSpec;
    use crate::plan::{Input, NodeId};

    fn start(id: u8, position: i64, end: i64) -> LaneStart {
        LaneStart {
            lane: LaneId { input: Input::Source(NodeId(0)), upstream: Partition(0) },
            topic: "t".into(),
            topic_id: TopicId([id; 16]),
            position,
            end,
            reset: OffsetSpec::Earliest,
            stop: None,
        }
    }

    #[test]
    fn what_a_session_still_says_when_it_is_over_is_not_heard() {
        let lanes = Lanes::default();
        let shown = |reads: &SessionLanes| {
            let all = lanes.partitions(reads);
            (all[0].records, all[0].lag)
        };
        let first = lanes.begin(&[start(1, 0, 10)]);
        let lane = Arc::clone(first.values().next().unwrap());
        lane.note_records(4);
        lane.note_place(4, 10);
        assert_eq!(shown(&first), (4, Some(6)));
        drop(first);
        // A worker that has not heard of its end goes on for a moment.
        lane.note_records(1);
        lane.note_place(5, 10);
        assert_eq!(shown(&SessionLanes::new()), (5, None));
        // The topic is made again, and holds fewer records.
        let second = lanes.begin(&[start(2, 0, 3)]);
        assert_eq!(shown(&second), (5, Some(3)));
        lane.note_place(5, 10);
        assert_eq!(shown(&second), (5, Some(3)));
    }
}
