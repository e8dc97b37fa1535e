//! The rows of a table that have changed and were not given away yet.

use foldhash::fast::FixedState;
use hashbrown::HashMap;
use hashbrown::hash_map::Entry;

use super::RecordId;
use super::cache::Cache;
use crate::types::OwnedHeaders;

/// The rows of a table that wait in a record cache, by their slots.
pub(super) struct WaitingRows {
    /// How many may wait; 0 for no cache.
    rows_max: usize,
    cache: Cache,
    /// Rows that were given away before the flush, and are logged with it: changes of a store count once they are
    /// committed, and only the last of each row.
    unlogged: Cache,
    changes: HashMap<u32, WaitingChange, FixedState>,
}

/// What a row that waits will say beside what it is then.
#[derive(Default)]
pub(super) struct WaitingChange {
    /// The values that were given away before, packed; `None` if there was no row.
    pub(super) before: Option<Box<[u8]>>,
    /// What the last record says that is not kept, packed: the columns of its headers, then those of its key.
    pub(super) passing: Vec<u8>,
    /// The time of the last record.
    pub(super) timestamp_ms: i64,
    /// Its headers.
    pub(super) headers: OwnedHeaders,
    /// Which it is, where that is known.
    pub(super) record: Option<RecordId>,
}

impl WaitingRows {
    pub(super) fn new(rows_max: usize) -> Self {
        let (cache, unlogged) = (Cache::default(), Cache::default());
        Self { rows_max, cache, unlogged, changes: HashMap::default() }
    }

    /// Whether there is a cache at all.
    pub(super) fn is_used(&self) -> bool {
        self.rows_max > 0
    }

    /// Lets a row wait that was changed: its change, and whether it has not waited yet.
    #[inline]
    pub(super) fn hold(&mut self, slot: u32) -> (&mut WaitingChange, bool) {
        self.cache.touch(slot);
        match self.changes.entry(slot) {
            Entry::Occupied(change) => (change.into_mut(), false),
            Entry::Vacant(none) => (none.insert(WaitingChange::default()), true),
        }
    }

    /// Takes out the rows that the cache cannot hold: those that waited longest.
    pub(super) fn take_excess(&mut self) -> Vec<u32> {
        let excess = self.cache.len().saturating_sub(self.rows_max);
        self.cache.take_oldest(excess)
    }

    /// Takes out the next rows, in the order of their last change.
    pub(super) fn take_oldest(&mut self, count: usize) -> Vec<u32> {
        self.cache.take_oldest(count)
    }

    /// Takes out the change of a row that was taken out.
    pub(super) fn take_change(&mut self, slot: u32) -> Option<WaitingChange> {
        self.changes.remove(&slot)
    }

    /// Has a row logged with the flush.
    pub(super) fn log_later(&mut self, slot: u32) {
        self.unlogged.touch(slot);
    }

    /// A row is logged as it is.
    pub(super) fn logged(&mut self, slot: u32) {
        self.unlogged.forget(slot);
    }

    /// Takes out rows that were given away and are to be logged.
    pub(super) fn take_unlogged(&mut self, count: usize) -> Vec<u32> {
        self.unlogged.take_oldest(count)
    }

    /// Whether a row waits to be given away or logged.
    pub(super) fn is_any(&self) -> bool {
        self.cache.len() > 0 || self.unlogged.len() > 0
    }

    /// Forgets all of them.
    pub(super) fn clear(&mut self) {
        *self = Self::new(self.rows_max);
    }
}
