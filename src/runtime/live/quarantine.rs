//! The records that a query leaves out, as a panic comes of them, and up to where it looks for more.
//!
//! [`get_past`](super::get_past) says when.

use std::collections::{BTreeMap, BTreeSet};

use super::lane_start::LaneStart;
use super::manner::Manner;
use crate::kafka::TopicPartition;
use crate::kafka::group::CommittedOffset;
use crate::plan::Input;
use crate::runtime::RecordPlace;

/// How many records a query leaves out at most between two commits; one more fails it.
const SKIPPED_MAX: usize = 100;

/// Positions of partitions.
pub(super) type PartitionPositions = BTreeMap<TopicPartition, i64>;

/// What a query leaves out, and up to where it looks for more of that.
#[derive(Clone, Debug, Default)]
pub(super) struct Quarantine {
    skipped: BTreeSet<RecordPlace>,
    /// Up to these positions it goes one row at a time.
    pub(super) looks_to: Option<PartitionPositions>,
}

impl Quarantine {
    /// Whether a record that failed is to be looked for; everything before `positions` was taken by then.
    pub(super) fn look(&mut self, positions: PartitionPositions) -> bool {
        let is_new = self.looks_to.is_none();
        self.looks_to.get_or_insert(positions);
        is_new
    }

    /// Whether a record that a panic comes of can be left out.
    pub(super) fn leave_out(&mut self, record: &RecordPlace) -> bool {
        self.skipped.len() < SKIPPED_MAX && self.skipped.insert(record.clone())
    }

    /// How tasks take records of these partitions.
    pub(super) fn manner(&self, lanes: &[LaneStart]) -> Manner {
        let of_lane = |record: &&RecordPlace, start: &LaneStart| {
            *record.topic == *start.topic && record.partition == start.lane.upstream
        };
        let skipped = lanes.iter().flat_map(|start| {
            let records = self.skipped.iter().filter(move |record| of_lane(record, start));
            records.map(|record| start.lane.record(record.offset))
        });
        let is_row_by_row = self.looks_to.is_some();
        let is_careful = is_row_by_row || !self.skipped.is_empty();
        let is_between = |start: &LaneStart| matches!(start.lane.input, Input::Repartition(_));
        let holds_repartitions = is_careful && lanes.iter().any(is_between);
        Manner { skipped: skipped.collect(), is_row_by_row, holds_repartitions }
    }

    /// Forgets records before what is committed, which are not read again.
    pub(super) fn forget_before(&mut self, committed: &BTreeMap<TopicPartition, CommittedOffset>) {
        self.skipped.retain(|record| {
            let at = TopicPartition::new(record.topic.as_str(), record.partition.0);
            committed.get(&at).is_none_or(|committed| record.offset.0 >= committed.offset)
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::{Offset, Partition};

    fn at(offset: i64) -> RecordPlace {
        RecordPlace { topic: "t".to_owned(), partition: Partition(0), offset: Offset(offset) }
    }

    fn positions(offset: i64) -> PartitionPositions {
        [(TopicPartition::new("t", 0), offset)].into()
    }

    fn committed(offset: i64) -> BTreeMap<TopicPartition, CommittedOffset> {
        [(TopicPartition::new("t", 0), CommittedOffset::new(offset))].into()
    }

    #[test]
    fn a_record_is_left_out_until_a_position_behind_it_is_committed() {
        let mut quarantine = Quarantine::default();
        assert!(quarantine.leave_out(&at(5)));
        quarantine.forget_before(&committed(5));
        assert_eq!(quarantine.skipped.len(), 1);
        quarantine.forget_before(&committed(6));
        assert!(quarantine.skipped.is_empty());
    }

    #[test]
    fn what_no_record_or_too_many_explain_is_not_got_past() {
        let mut quarantine = Quarantine::default();
        assert!(quarantine.look(positions(9)));
        assert!(!quarantine.look(positions(12)));
        assert_eq!(quarantine.looks_to, Some(positions(9)));
        // One that is left out cannot panic; if it did, going on would not end.
        assert!(quarantine.leave_out(&at(1)) && !quarantine.leave_out(&at(1)));
        for offset in 0..SKIPPED_MAX as i64 {
            quarantine.leave_out(&at(offset));
        }
        assert!(!quarantine.leave_out(&at(1_000)));
    }
}
