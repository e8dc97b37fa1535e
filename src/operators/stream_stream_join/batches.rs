//! The batches of both sides that a join takes together, in turns.

use super::keys::BatchKeys;
use crate::state::JoinSide;
use crate::types::{Column, Offset, Rows};

/// A batch of one side, and how far it has come.
pub(super) struct SideBatch<'a> {
    pub(super) side: JoinSide,
    pub(super) rows: Rows<'a>,
    pub(super) keys: BatchKeys,
    /// The columns as reading them back from their store would give them.
    pub(super) stored: Vec<Column<'a>>,
    /// Where it begins, of all batches one behind the other.
    pub(super) first: usize,
    /// Its next row.
    pub(super) next: usize,
}

impl<'a> SideBatch<'a> {
    /// A batch of a side, which stands behind `first` other rows.
    pub(super) fn new(
        side: JoinSide,
        rows: Rows<'a>,
        first: usize,
        keys: BatchKeys,
        stored: Vec<Column<'a>>,
    ) -> Self {
        Self { side, rows, keys, stored, first, next: 0 }
    }

    fn has_more(&self) -> bool {
        self.next < self.rows.len
    }

    fn head(&self) -> Offset {
        self.rows.meta.offset(self.next)
    }

    /// The rows that are left, if there are any.
    pub(super) fn rest(&self) -> Option<Rows<'a>> {
        let left: Vec<u32> = (self.next as u32..self.rows.len as u32).collect();
        self.has_more().then(|| self.rows.take(&left))
    }
}

/// Which of some batches has the next row, by the places of their rows, which are their offsets.
pub(super) fn next_turn(batches: &[SideBatch<'_>]) -> Option<usize> {
    if let [only] = batches {
        return only.has_more().then_some(0);
    }
    let heads = batches.iter().enumerate().filter(|(_, batch)| batch.has_more());
    heads.min_by_key(|(at, batch)| (batch.head(), *at)).map(|(at, _)| at)
}

/// The keys, offsets and headers of batches, one behind the other.
pub(super) fn one_behind_the_other<'a>(batches: Vec<SideBatch<'a>>) -> Rows<'a> {
    let bare = |batch: SideBatch<'a>| Rows { value: Vec::new(), ..batch.rows };
    Rows::concat(batches.into_iter().map(bare).collect())
}
