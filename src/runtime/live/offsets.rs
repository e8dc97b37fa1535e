//! The offsets of a commit, each with what goes with it.

use std::collections::BTreeMap;

use super::query_topics::Topic;
use crate::kafka::TopicPartition;
use crate::kafka::group::CommittedOffset;
use crate::plan::QueryPlan;
use crate::runtime::{OffsetMetadata, ShardClocks, decode_metadata, encode_metadata, read_clocks};
use crate::types::Partition;

/// The offsets of a commit.
pub(super) struct Offsets<'f> {
    /// The fingerprint of the query's plan.
    fingerprint: &'f str,
    /// The highest time of each partition's rows before.
    times: &'f BTreeMap<TopicPartition, i64>,
    positions: BTreeMap<TopicPartition, (i64, OffsetMetadata)>,
}

impl<'f> Offsets<'f> {
    /// No offsets of a plan yet; `times` are those of [`partition_times`].
    pub(super) fn new(fingerprint: &'f str, times: &'f BTreeMap<TopicPartition, i64>) -> Self {
        Self { fingerprint, times, positions: BTreeMap::new() }
    }

    /// Adds how far a partition is processed, and the highest time of its rows so far; the lowest
    /// position counts of those who read it.
    pub(super) fn add(&mut self, at: TopicPartition, position: i64, time: i64) {
        let before = self.times.get(&at).copied();
        let new = || {
            let metadata = OffsetMetadata { partition_time: before, ..OffsetMetadata::default() };
            (position, metadata.with_fingerprint(self.fingerprint))
        };
        let (lowest, metadata) = self.positions.entry(at).or_insert_with(new);
        *lowest = position.min(*lowest);
        metadata.partition_time = metadata.partition_time.max((time >= 0).then_some(time));
    }

    /// Adds where the clocks of shards stand, beside the offsets of `topic`, the plan's first source.
    pub(super) fn add_clocks(&mut self, plan: &QueryPlan, topic: &Topic, clocks: &[ShardClocks]) {
        let stores = store_names(plan);
        for shard in clocks {
            let at = TopicPartition::new(topic.name.as_str(), shard.place(topic.partitions).0);
            if let Some((_, beside)) = self.positions.get_mut(&at) {
                shard.write(&stores, topic.partitions, beside);
            }
        }
    }

    /// The offsets as they are committed.
    pub(super) fn encode(self) -> BTreeMap<TopicPartition, CommittedOffset> {
        let encode = |(at, (offset, metadata)): (_, (i64, OffsetMetadata))| {
            (at, CommittedOffset { offset, metadata: encode_metadata(&metadata) })
        };
        self.positions.into_iter().map(encode).collect()
    }
}

fn store_names(plan: &QueryPlan) -> Vec<&str> {
    plan.stores().map(|(.., store)| store.name.as_str()).collect()
}

/// The highest time of each partition's rows, as far as their offsets say.
pub(super) fn partition_times(
    committed: &BTreeMap<TopicPartition, CommittedOffset>,
) -> BTreeMap<TopicPartition, i64> {
    let time = |(at, committed): (&TopicPartition, &CommittedOffset)| {
        Some((at.clone(), decode_metadata(&committed.metadata).partition_time?))
    };
    committed.iter().filter_map(time).collect()
}

/// The clocks that stand beside the offsets of `topic`, the plan's first source.
pub(super) fn committed_clocks(
    plan: &QueryPlan,
    topic: &Topic,
    committed: &BTreeMap<TopicPartition, CommittedOffset>,
) -> Vec<ShardClocks> {
    let stores = store_names(plan);
    let of_topic = committed.iter().filter(|(at, _)| *at.topic == *topic.name);
    let clocks = of_topic.flat_map(|(at, committed)| {
        read_clocks(&stores, Partition(at.partition), &decode_metadata(&committed.metadata))
    });
    clocks.collect()
}

/// What the offset of a partition carries whose topic was made again: what it carried, but for the time of
/// rows that are gone.
pub(super) fn without_time(committed: &CommittedOffset) -> String {
    let metadata = decode_metadata(&committed.metadata);
    encode_metadata(&OffsetMetadata { partition_time: None, ..metadata })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::decode_metadata;

    #[test]
    fn the_lowest_position_and_the_highest_time_count() {
        let digits = "0".repeat(32);
        let at = TopicPartition::new("in", 1);
        let times = BTreeMap::from([(at.clone(), 950)]);
        let mut offsets = Offsets::new(&digits, &times);
        offsets.add(at.clone(), 7, i64::MIN);
        offsets.add(at.clone(), 5, 1_000);
        offsets.add(at.clone(), 6, 900);
        let committed = &offsets.encode()[&at];
        assert_eq!(committed.offset, 5);
        let metadata = decode_metadata(&committed.metadata);
        assert_eq!(
            (metadata.fingerprint(), metadata.partition_time),
            (Some(&*digits), Some(1_000))
        );
    }
}
