//! How the tasks of a query take records: what they leave out, and whether one at a time.

use crate::runtime::{LaneId, RawRecords, RecordId};
use crate::types::Offset;
use std::collections::BTreeSet;

/// How the tasks of a query on a worker take records.
#[derive(Clone, Debug, Default)]
pub(super) struct Manner {
    /// What they leave out.
    pub(super) skipped: BTreeSet<RecordId>,
    pub(super) is_row_by_row: bool,
    /// Whether repartition topics are not read yet: what is written there once more, as the sources are
    /// read again, would bring the same fault once more before they are committed.
    pub(super) holds_repartitions: bool,
}

impl Manner {
    /// Whether records of a lane are to be taken one at a time.
    pub(super) fn is_singly(&self, lane: LaneId, records: &RawRecords<'_>) -> bool {
        let (Some(first), Some(last)) = (records.offsets.first(), records.offsets.last()) else {
            return false;
        };
        let at = |offset| lane.record(Offset(offset));
        let mut skipped = self.skipped.range(at(*first)..=at(*last));
        self.is_row_by_row || skipped.next().is_some()
    }
}
