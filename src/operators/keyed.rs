//! What an aggregation keeps: a group for each key, and for each window if it has some.

use super::groups::{Groups, RestoredGroup};
use super::waiting::{Emitting, Waiting};
use super::{QueryError, Store, StoredRecord};
use crate::expr::aggregates::Sequence;

/// The groups, and those of them that wait.
pub(super) struct Keyed {
    pub(super) groups: Groups,
    pub(super) waiting: Waiting,
}

impl Keyed {
    pub(super) fn new(groups: Groups, emitting: Emitting) -> Self {
        Self { groups, waiting: Waiting::new(emitting) }
    }

    /// Forgets the group of a store's key.
    pub(super) fn remove(&mut self, store_key: &[u8]) {
        if let Some(slot) = self.groups.find(store_key) {
            self.groups.remove(slot);
            self.waiting.forget(slot);
        }
    }
}

impl Store for Keyed {
    fn restore(
        &mut self,
        record: &StoredRecord<'_>,
        sequence: &mut Sequence,
    ) -> Result<(), QueryError> {
        let StoredRecord { key, value, timestamp_ms } = *record;
        let Some(value) = value else {
            self.remove(key);
            return Ok(());
        };
        let group = RestoredGroup { store_key: key, key, window: None, value, timestamp_ms };
        let slot = self.groups.restore(&group, sequence)?;
        self.waiting.restored(slot, &mut self.groups);
        Ok(())
    }

    fn rows(&self) -> usize {
        self.groups.len()
    }

    fn clear(&mut self) {
        self.groups.clear();
        self.waiting.clear();
    }
}
