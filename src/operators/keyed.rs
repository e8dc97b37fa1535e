//! What an aggregation without windows keeps: a group for each key.

use super::groups::Groups;
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
}

impl Store for Keyed {
    fn restore(
        &mut self,
        record: &StoredRecord<'_>,
        sequence: &mut Sequence,
    ) -> Result<(), QueryError> {
        let StoredRecord { key, value, .. } = *record;
        let Some(value) = value else {
            if let Some(slot) = self.groups.find(key) {
                self.groups.remove(slot);
                self.waiting.forget(slot);
            }
            return Ok(());
        };
        let slot = self.groups.restore(record, (key, key), value, sequence)?;
        self.waiting.restored(slot, &self.groups);
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
