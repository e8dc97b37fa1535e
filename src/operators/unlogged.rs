//! The rows of a table whose last change is not logged yet.

use foldhash::fast::FixedState;
use hashbrown::HashMap;

use super::cache::Cache;

/// Rows by their slots, in the order of their last change. Changes of a store count once they are committed, so that only
/// the last one of each row in a commit needs to be logged.
#[derive(Default)]
pub(super) struct Unlogged {
    order: Cache,
    /// When those were deleted that are gone, in milliseconds.
    deleted: HashMap<u32, i64, FixedState>,
}

impl Unlogged {
    /// Notes that a row has changed, and when it was deleted if it was.
    #[inline]
    pub(super) fn touch(&mut self, slot: u32, deleted_ms: Option<i64>) {
        self.order.touch(slot);
        match deleted_ms {
            Some(at) => {
                self.deleted.insert(slot, at);
            }
            None if self.deleted.is_empty() => {}
            None => {
                self.deleted.remove(&slot);
            }
        }
    }

    /// Takes out the rows that have waited longest, so many of them.
    pub(super) fn take_oldest(&mut self, count: usize) -> Vec<u32> {
        self.order.take_oldest(count)
    }

    /// When a row that was taken out was deleted, in milliseconds.
    pub(super) fn take_deleted_ms(&mut self, slot: u32) -> i64 {
        self.deleted.remove(&slot).unwrap_or_default()
    }

    /// Whether there is any.
    pub(super) fn is_any(&self) -> bool {
        self.order.len() > 0
    }
}
