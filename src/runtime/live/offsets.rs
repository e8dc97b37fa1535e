//! The offsets of a commit, each with what goes with it.

use std::collections::BTreeMap;

use crate::kafka::TopicPartition;
use crate::kafka::group::CommittedOffset;
use crate::runtime::{OffsetMetadata, encode_metadata};

/// The offsets of a commit.
pub(super) struct Offsets<'f> {
    /// The fingerprint of the query's plan.
    fingerprint: &'f str,
    positions: BTreeMap<TopicPartition, (i64, OffsetMetadata)>,
}

impl<'f> Offsets<'f> {
    /// No offsets of a plan.
    pub(super) fn new(fingerprint: &'f str) -> Self {
        Self { fingerprint, positions: BTreeMap::new() }
    }

    /// Adds how far a partition is processed, and the highest time of its rows so far; the lowest
    /// position counts of those who read it.
    pub(super) fn add(&mut self, at: TopicPartition, position: i64, time: i64) {
        let new = || (position, OffsetMetadata::default().with_fingerprint(self.fingerprint));
        let (lowest, metadata) = self.positions.entry(at).or_insert_with(new);
        *lowest = position.min(*lowest);
        metadata.partition_time = metadata.partition_time.max((time >= 0).then_some(time));
    }

    /// The offsets as they are committed.
    pub(super) fn encode(self) -> BTreeMap<TopicPartition, CommittedOffset> {
        let encode = |(at, (offset, metadata)): (_, (i64, OffsetMetadata))| {
            (at, CommittedOffset { offset, metadata: encode_metadata(&metadata) })
        };
        self.positions.into_iter().map(encode).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::decode_metadata;

    #[test]
    fn the_lowest_position_and_the_highest_time_count() {
        let digits = "0".repeat(32);
        let mut offsets = Offsets::new(&digits);
        let at = TopicPartition::new("in", 1);
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
