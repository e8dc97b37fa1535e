//! The rows of a table that have changed and were not given away yet.

use foldhash::fast::FixedState;
use hashbrown::HashMap;
use hashbrown::hash_map::Entry;

use super::cache::Cache;
use crate::types::OwnedHeaders;

/// The rows of a table that wait in a record cache, by their slots.
pub(super) struct WaitingRows {
    /// How many may wait.
    rows_max: usize,
    order: Cache,
    changes: HashMap<u32, WaitingChange, FixedState>,
}

/// What a row that waits will say beside what it is then.
#[derive(Default)]
pub(super) struct WaitingChange {
    /// The columns of its key, packed.
    pub(super) key: Vec<u8>,
    /// The time of the last record.
    pub(super) timestamp_ms: i64,
    /// Its headers.
    pub(super) headers: OwnedHeaders,
}

impl WaitingRows {
    pub(super) fn new(rows_max: usize) -> Self {
        Self { rows_max, order: Cache::default(), changes: HashMap::default() }
    }

    /// Lets a row wait that was changed: its change, and whether it has not waited yet.
    #[inline]
    pub(super) fn hold(&mut self, slot: u32) -> (&mut WaitingChange, bool) {
        self.order.touch(slot);
        match self.changes.entry(slot) {
            Entry::Occupied(change) => (change.into_mut(), false),
            Entry::Vacant(none) => (none.insert(WaitingChange::default()), true),
        }
    }

    /// Takes out the rows that the cache cannot hold: those that waited longest.
    pub(super) fn take_excess(&mut self) -> Vec<u32> {
        self.take_oldest(self.order.len().saturating_sub(self.rows_max))
    }

    /// Takes out the next rows, in the order of their last change.
    pub(super) fn take_oldest(&mut self, count: usize) -> Vec<u32> {
        self.order.take_oldest(count)
    }

    /// The change of a row that was taken out.
    pub(super) fn take_change(&mut self, slot: u32) -> Option<WaitingChange> {
        self.changes.remove(&slot)
    }

    /// Whether a row waits.
    pub(super) fn is_any(&self) -> bool {
        self.order.len() > 0
    }

    /// Forgets all of them.
    pub(super) fn clear(&mut self) {
        *self = Self::new(self.rows_max);
    }
}
