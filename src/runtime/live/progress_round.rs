//! How far the writers of repartition topics have come, which their readers go by.
//!
//! ```text
//! TellProgress ─▶ workers: hand on what was given, then say how far each sub-topology is
//!                    ▼
//!                 all of that is acknowledged: a topic is written up to here, and what comes later is
//!                    ▼                         not earlier than that
//! WrittenUpTo ──▶ workers: once a partition is read so far, its lane has come to that time
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use super::error::LiveError;
use super::query_topics::QueryTopics;
use crate::kafka::produce::Producer;
use crate::plan::{Input, RepartitionId, SubTopologyId};
use crate::runtime::{LaneId, Layout, Progress, clock};
use crate::types::Partition;

/// How often is looked, while something moves.
pub(super) const LOOK_EVERY: Duration = Duration::from_millis(20);

/// How far a partition of a repartition topic is written: what comes behind `end` is not earlier than
/// `time`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct WrittenUpTo {
    pub(super) lane: LaneId,
    pub(super) end: i64,
    pub(super) time: i64,
}

/// How far the sub-topologies of a query are, as far as workers have said.
#[derive(Debug)]
struct ProgressRound {
    waits: usize,
    parts: BTreeMap<SubTopologyId, Progress>,
}

impl ProgressRound {
    /// So many workers are asked.
    fn new(workers: usize) -> Self {
        Self { waits: workers, parts: BTreeMap::new() }
    }

    /// Takes the answer of a worker; whether all have answered.
    fn take(&mut self, parts: impl IntoIterator<Item = (SubTopologyId, Progress)>) -> bool {
        for (part, progress) in parts {
            let all = self.parts.entry(part).or_insert(progress);
            *all = all.with(progress);
        }
        self.waits = self.waits.saturating_sub(1);
        self.waits == 0
    }

    /// The time that the rows of a sub-topology do not fall below: what has no more to come has come
    /// as far as any other.
    fn time_of(&self, part: SubTopologyId) -> i64 {
        match self.parts.get(&part) {
            Some(progress) if !progress.is_at_end => progress.time,
            _ => self.parts.values().map(|progress| progress.time).max().unwrap_or(i64::MIN),
        }
    }

    /// How far each of these partitions is written, whose ends were asked for once all was acknowledged that workers had
    /// given before they answered.
    fn written(&self, layout: &Layout, ends: &BTreeMap<LaneId, i64>) -> Vec<WrittenUpTo> {
        let mut written = Vec::new();
        for (topic, writer, _) in layout.plan().repartitions() {
            let time = self.time_of(layout.part_of(writer));
            let lanes = ends.iter().filter(|(lane, _)| lane.input == Input::Repartition(topic));
            written.extend(lanes.map(|(lane, end)| WrittenUpTo { lane: *lane, end: *end, time }));
        }
        written
    }
}

/// What a session knows of the repartition topics whose readers go by how far they are written.
pub(super) struct Following {
    followed: BTreeSet<RepartitionId>,
    layout: Arc<Layout>,
    topics: Arc<QueryTopics>,
    producer: Arc<Producer>,
    /// Workers are asked how far they are.
    round: Option<ProgressRound>,
    /// What they had given is being acknowledged.
    pub(super) writing: JoinSet<Result<Arc<[WrittenUpTo]>, LiveError>>,
    /// When workers are asked next.
    pub(super) look_at: Instant,
}

impl Following {
    pub(super) fn new(
        followed: BTreeSet<RepartitionId>,
        layout: &Arc<Layout>,
        topics: &Arc<QueryTopics>,
        producer: Arc<Producer>,
    ) -> Self {
        Self {
            followed,
            layout: Arc::clone(layout),
            topics: Arc::clone(topics),
            producer,
            round: None,
            writing: JoinSet::new(),
            look_at: clock::instant(),
        }
    }

    /// Whether workers can be asked, as nothing is under way.
    pub(super) fn can_look(&self) -> bool {
        !self.followed.is_empty() && self.round.is_none() && self.writing.is_empty()
    }

    /// Asks so many workers.
    pub(super) fn begin(&mut self, workers: usize) {
        self.round = Some(ProgressRound::new(workers));
    }

    /// Takes how far a worker is. Once all have said so, what they had given is to be acknowledged.
    pub(super) fn take(&mut self, parts: BTreeMap<SubTopologyId, Progress>) {
        let Some(round) = self.round.take_if(|round| round.take(parts)) else { return };
        let (layout, topics) = (Arc::clone(&self.layout), Arc::clone(&self.topics));
        let (producer, followed) = (Arc::clone(&self.producer), self.followed.clone());
        self.writing.spawn(async move {
            producer.flush().await?;
            let ends = written_ends(&producer, &topics, &followed);
            Ok(round.written(&layout, &ends).into())
        });
    }

    fn reader_of(&self, topic: RepartitionId) -> Option<SubTopologyId> {
        self.layout.reader_of(Input::Repartition(topic))
    }

    /// The sub-topologies that read such topics.
    pub(super) fn readers(&self) -> BTreeSet<SubTopologyId> {
        self.followed.iter().filter_map(|topic| self.reader_of(*topic)).collect()
    }

    /// Where the topics end that one of them reads, once all that was given for it is acknowledged.
    pub(super) fn ends(&self, reader: SubTopologyId) -> Arc<BTreeMap<LaneId, i64>> {
        let is_read = |topic: &&RepartitionId| self.reader_of(**topic) == Some(reader);
        let topics = self.followed.iter().filter(is_read).copied().collect();
        Arc::new(written_ends(&self.producer, &self.topics, &topics))
    }
}

/// Where each partition of repartition topics ends, as far as this producer has written to it.
fn written_ends(
    producer: &Producer,
    topics: &QueryTopics,
    of: &BTreeSet<RepartitionId>,
) -> BTreeMap<LaneId, i64> {
    let mut ends = BTreeMap::new();
    for input in of.iter().map(|topic| Input::Repartition(*topic)) {
        let Some(topic) = topics.input(input) else { continue };
        for partition in 0..topic.partitions {
            // Nothing is there yet that it has written.
            let end = producer.end_offset(&topic.name, partition).unwrap_or(0);
            ends.insert(LaneId { input, upstream: Partition(partition) }, end);
        }
    }
    ends
}

#[cfg(test)]
mod tests {
    use super::*;

    fn progress(time: i64, is_at_end: bool) -> Progress {
        Progress { time, is_at_end }
    }

    #[test]
    fn a_topic_is_written_up_to_where_the_last_of_its_writers_is() {
        let (left, right) = (SubTopologyId(0), SubTopologyId(1));
        let mut round = ProgressRound::new(2);
        assert!(!round.take([(left, progress(7, false)), (right, progress(4, true))]));
        assert!(round.take([(left, progress(5, false)), (right, progress(6, true))]));
        // What has come to its end is waited for no longer than all others.
        assert_eq!([left, right].map(|part| round.time_of(part)), [5, 6]);
        let mut round = ProgressRound::new(2);
        round.take([(left, progress(9, true)), (right, progress(4, true))]);
        round.take([(left, progress(5, false)), (right, progress(6, true))]);
        assert_eq!([left, right].map(|part| round.time_of(part)), [5, 6]);
    }
}
