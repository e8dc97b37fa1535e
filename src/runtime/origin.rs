//! Which record a row comes from, however often rows were given new keys since.
//!
//! Within a batch a row names its record by an offset. What that means says the batch's [`Origin`]: an
//! offset of the partition that the batch is from, or a place among rows that were handed over or lent.
//! It is looked up only for what is told to somebody, and for rows that are copied once more.

use super::encode::LentRows;
use super::inputs::{Chunk, LaneId, Run};
pub use crate::operators::RecordId;
use crate::types::Offset;

/// Where the rows of a run come from.
#[derive(Clone, Debug, Default)]
pub enum RunOrigin {
    /// From one partition of a topic, and their offsets are those of its records.
    Partition(LaneId),
    /// Each from a record of its own, where that is known.
    Each(Vec<Option<RecordId>>),
    /// From nowhere that is known.
    #[default]
    Unknown,
}

impl RunOrigin {
    /// The record of a row, which has this offset in its run.
    pub(super) fn record(&self, row: usize, offset: Option<i64>) -> Option<RecordId> {
        match self {
            Self::Partition(lane) => Some(of_partition(*lane, Offset(offset?))),
            Self::Each(records) => records.get(row).copied().flatten(),
            Self::Unknown => None,
        }
    }
}

/// What the offsets of a batch's rows mean.
#[derive(Clone, Copy, Debug)]
pub enum Origin<'a> {
    /// They are those of a partition of a topic.
    Partition(LaneId),
    /// They are places in a chunk.
    Chunk(&'a Chunk),
    /// They are places in a run.
    Run(&'a Run),
    /// They are places among rows that another task has lent.
    Lent(&'a LentRows<'a>),
    /// They are places among these records.
    Each(&'a [Option<RecordId>]),
    /// Nothing: all rows come from this record, whatever they say.
    Record(RecordId),
    /// Nothing: the rows come out of a cache.
    Unknown,
}

impl Origin<'_> {
    /// The record that a row with this offset comes from, where that is known.
    pub(super) fn record(&self, offset: Offset) -> Option<RecordId> {
        let place = || usize::try_from(offset.0).ok();
        match self {
            Self::Partition(lane) if offset.0 >= 0 => Some(of_partition(*lane, offset)),
            Self::Chunk(chunk) => chunk.record(place()?),
            Self::Run(run) => run.record(place()?),
            Self::Lent(lent) => lent.record(place()?),
            Self::Each(records) => records.get(place()?).copied().flatten(),
            Self::Record(record) => Some(*record),
            Self::Partition(_) | Self::Unknown => None,
        }
    }
}

fn of_partition(LaneId { input, upstream }: LaneId, offset: Offset) -> RecordId {
    RecordId { input, partition: upstream, offset }
}
