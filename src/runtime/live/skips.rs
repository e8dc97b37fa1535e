//! What a query has skipped: counted by its workers, told by its own task.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use super::skip_log::SkipLog;
use crate::runtime::{ByCause, SkipCause, SkipCounts, SkipExample, Skipped};

/// The records that a query has skipped since it began, over all its tries.
///
/// Workers note a batch at a time. They take locks only for examples: of a batch there are few, and none of one in which
/// nothing was skipped.
#[derive(Debug, Default)]
pub(super) struct Skips {
    log: Option<OwnSkips>,
    counts: ByCause<AtomicU64>,
    has_example: ByCause<AtomicBool>,
    examples: Mutex<ByCause<Option<SkipExample>>>,
    arrived: Notify,
}

/// Where a query's part of the last records is kept that were skipped.
#[derive(Clone, Debug)]
pub(super) struct OwnSkips {
    pub(super) query: Arc<str>,
    pub(super) log: Arc<SkipLog>,
    /// Whether people may see rows: `ksql.logging.processing.rows.include`.
    pub(super) shows_rows: bool,
}

impl OwnSkips {
    fn add(&self, mut examples: ByCause<Vec<SkipExample>>) {
        if !self.shows_rows {
            let without_texts = |example: SkipExample| {
                let row = example.row.clone().without_texts();
                example.with_row(row)
            };
            examples =
                examples.map(|examples| examples.iter().cloned().map(without_texts).collect());
        }
        self.log.add(&self.query, examples);
    }
}

impl Skips {
    /// None yet; they are kept in a log as well, if there is one.
    pub(super) fn new(log: Option<OwnSkips>) -> Self {
        Self { log, ..Self::default() }
    }

    /// Counts what was skipped of a batch.
    pub(super) fn note(&self, skipped: Skipped) {
        let Skipped { counts, examples } = skipped;
        for (cause, count) in counts.iter().filter(|(_, count)| **count > 0) {
            self.counts.get(cause).fetch_add(*count, Relaxed);
            if let Some(example) = examples.get(cause).first()
                && !self.has_example.get(cause).swap(true, Relaxed)
            {
                *self.examples().get_mut(cause) = Some(example.clone());
                self.arrived.notify_one();
            }
        }
        if let Some(log) = &self.log {
            log.add(examples);
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
