//! The sessions of an aggregation that wait in its record cache.

use std::collections::HashMap;

use super::groups::{Arrival, Groups};
use crate::types::{OwnedHeaders, OwnedValue, Window, owned_headers};

/// Sessions that wait in the cache, in the order of their last update.
#[derive(Default)]
pub(super) struct Pending {
    clock: u64,
    changes: HashMap<Vec<u8>, PendingChange>,
}

/// A session that was changed, or goes.
pub(super) struct PendingChange {
    updated: u64,
    pub(super) window: Window,
    pub(super) key: Box<[OwnedValue]>,
    pub(super) record_ms: i64,
    pub(super) headers: OwnedHeaders,
    /// Whether the session had left the cache before: one that had not goes without a trace.
    pub(super) was_stored: bool,
    /// What it was then, where that is asked for.
    pub(super) old: Option<Vec<OwnedValue>>,
}

impl Pending {
    /// Lets a session wait that a row has changed; what it was before is what it is when it waits first.
    pub(super) fn touch(
        &mut self,
        groups: &mut Groups,
        slot: u32,
        arrival: &Arrival<'_, '_>,
        with_old: bool,
    ) {
        self.clock += 1;
        let is_stored = groups.head(slot).is_stored;
        let Some(window) = groups.window(slot) else { return };
        let meta = &arrival.rows.meta;
        let change =
            self.changes.entry(groups.store_key(slot).to_vec()).or_insert_with(|| PendingChange {
                updated: 0,
                window,
                key: groups.key(slot),
                record_ms: 0,
                headers: Vec::new(),
                was_stored: is_stored,
                old: (with_old && is_stored).then(|| groups.snapshot(slot)),
            });
        change.updated = self.clock;
        change.record_ms = meta.timestamps[arrival.row];
        change.headers = owned_headers(meta.headers(arrival.row));
    }

    /// How many wait.
    pub(super) fn len(&self) -> usize {
        self.changes.len()
    }

    /// Takes out all of them, with the keys of the store, in the order of their last update.
    pub(super) fn take(&mut self) -> Vec<(Vec<u8>, PendingChange)> {
        let mut changes: Vec<_> = self.changes.drain().collect();
        changes.sort_unstable_by_key(|(_, change)| change.updated);
        changes
    }
}
