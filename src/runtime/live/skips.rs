//! What a query has skipped: counted by its workers, told by its own task.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::runtime::{ByCause, SkipCause, SkipCounts, SkipExample, Skipped};

/// The records that a query has skipped since it began, over all its tries.
///
/// Workers note a batch at a time. They take the lock only for an example where none waits to be told.
#[derive(Debug, Default)]
pub(super) struct Skips {
    counts: ByCause<AtomicU64>,
    has_example: ByCause<AtomicBool>,
    examples: Mutex<ByCause<Option<SkipExample>>>,
    arrived: Notify,
}

impl Skips {
    /// Counts what was skipped of a batch.
    pub(super) fn note(&self, skipped: Skipped) {
        let Skipped { counts, mut examples } = skipped;
        for (cause, count) in counts.iter().filter(|(_, count)| **count > 0) {
            self.counts.get(cause).fetch_add(*count, Relaxed);
            if let Some(example) = examples.get_mut(cause).take()
                && !self.has_example.get(cause).swap(true, Relaxed)
            {
                *self.examples().get_mut(cause) = Some(example);
                self.arrived.notify_one();
            }
        }
    }

    /// How many there are.
    pub(super) fn counts(&self) -> SkipCounts {
        self.counts.map(|count| count.load(Relaxed))
    }

    /// The example of a cause that waits to be told, if there is one.
    pub(super) fn take_example(&self, cause: SkipCause) -> Option<SkipExample> {
        let example = self.examples().get_mut(cause).take()?;
        self.has_example.get(cause).store(false, Relaxed);
        Some(example)
    }

    /// Whether an example of a cause waits to be told.
    pub(super) fn has_example(&self, cause: SkipCause) -> bool {
        self.examples().get(cause).is_some()
    }

    /// Waits until there is an example of a cause that had none.
    pub(super) async fn arrived(&self) {
        self.arrived.notified().await;
    }

    fn examples(&self) -> MutexGuard<'_, ByCause<Option<SkipExample>>> {
        self.examples.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
