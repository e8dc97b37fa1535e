//! Which record a row comes from, however often rows were given new keys since; and rows that one task
//! lends to another, whose records those are.
//!
//! Within a batch a row names its record by an offset. What that means says the batch's [`Origin`]: an
//! offset of the partition that the batch is from, or a place among rows that were handed over or lent.
//! It is looked up only for what is told to somebody, and for rows that are copied once more.

use std::rc::Rc;

use super::ids::{LaneId, RecordId};
use super::inputs::{Chunk, Run, RunOrigin};
use crate::plan::RepartitionId;
use crate::types::{Arena, Offset, OwnedRows, Partition, Rows};

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
            Self::Partition(lane) if offset.0 >= 0 => Some(lane.record(offset)),
            Self::Chunk(chunk) => chunk.record(place()?),
            Self::Run(run) => run.record(place()?),
            Self::Lent(lent) => lent.record(place()?),
            Self::Record(record) => Some(*record),
            Self::Partition(_) | Self::Unknown => None,
        }
    }
}

/// Rows for the task of another sub-topology, in memory.
#[derive(Debug)]
pub struct RekeyedRows {
    /// The topic that they would have gone through.
    pub topic: RepartitionId,
    /// The partition of that topic.
    pub partition: Partition,
    /// The rows, with their times on the lane from this task.
    pub run: Run,
}

/// The same as long as the batch is there that they come from.
#[derive(Debug)]
pub struct LentRows<'a> {
    pub(super) topic: RepartitionId,
    pub(super) partition: Partition,
    pub(super) times: Vec<i64>,
    /// What the offsets of the rows mean.
    pub(super) origin: Origin<'a>,
    /// Those of all partitions.
    pub(super) rows: Rc<Rows<'a>>,
    /// Which of them these are; `None` if that are all.
    pub(super) taken: Option<Vec<u32>>,
}

/// Where lent rows come from and go, and memory that lasts as long as they do.
pub(super) struct Lending<'l, 'a> {
    pub(super) arena: &'a Arena,
    pub(super) origin: Origin<'a>,
    pub(super) lent: &'l mut Vec<LentRows<'a>>,
}

impl<'a> LentRows<'a> {
    /// The rows of all partitions, as those of the task that these are for. What comes of a row
    /// names it by its place among them.
    pub(super) fn rows(&self) -> Rows<'a> {
        let mut rows = Rows::clone(&self.rows);
        (rows.meta.partition, rows.meta.is_source) = (self.partition, false);
        rows.meta.offsets = (0..rows.len as i64).collect();
        rows
    }

    /// Which of the rows of all partitions these are; `None` if that are all.
    pub(super) fn selected(&self) -> Option<&[u32]> {
        self.taken.as_deref()
    }

    /// The record that the row at a place among those of all partitions comes from.
    pub(super) fn record(&self, place: usize) -> Option<RecordId> {
        self.origin.record(self.rows.meta.offset(place))
    }

    /// Where the rows of the copy come from, which keep their offsets.
    fn run_origin(&self) -> RunOrigin {
        match self.origin {
            Origin::Unknown => RunOrigin::Unknown,
            Origin::Record(record) => RunOrigin::Each(vec![Some(record); self.times.len()]),
            _ if self.rows.meta.offsets.is_empty() => RunOrigin::Unknown,
            Origin::Partition(lane) => RunOrigin::Partition(lane),
            Origin::Chunk(_) | Origin::Run(_) | Origin::Lent(_) => {
                let record = |nth: usize| match &self.taken {
                    Some(taken) => self.record(*taken.get(nth)? as usize),
                    None => self.record(nth),
                };
                RunOrigin::Each((0..self.times.len()).map(record).collect())
            }
        }
    }

    /// A copy that outlives the batch.
    pub(super) fn into_owned(self) -> RekeyedRows {
        let origin = self.run_origin();
        let Self { topic, partition, times, rows, taken, .. } = self;
        let rows = match taken {
            Some(taken) => OwnedRows::taken(&rows, &taken),
            None => OwnedRows::of(&rows),
        };
        RekeyedRows { topic, partition, run: Run { rows, times, origin } }
    }
}
