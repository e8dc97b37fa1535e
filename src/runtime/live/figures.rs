//! What is counted of a query, and where it stands: read by anybody, at any time.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::skips::Skips;
use crate::runtime::{SkipCounts, clock};
use crate::types::Timestamp;

/// Where a query stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QueryState {
    /// It joins its group, or restores its state.
    Starting,
    /// Another instance runs it.
    Standby,
    /// It runs.
    Running,
    /// It takes nothing until it is resumed; what it keeps can be looked at.
    Paused,
    /// It failed, and will be tried again.
    Retrying,
    /// It failed for good.
    Failed,
}

/// What is known of a query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueryStatus {
    /// Its id.
    pub id: String,
    /// Where it stands.
    pub state: QueryState,
    /// Why it failed last, if it did.
    pub cause: Option<String>,
    /// When it did.
    pub failed_at: Option<Timestamp>,
    /// How many records of its sources it has processed.
    pub records: u64,
    /// How many records it has written to its sink.
    pub written: u64,
    /// How many records it has skipped.
    pub skipped: SkipCounts,
    /// How many rows its stores hold.
    pub stored_rows: usize,
    /// How many records it is behind the ends of what it reads, as far as that is known.
    pub lag: Option<i64>,
}

/// The figures of a query. They begin with the query, and outlive each of its tries.
#[derive(Debug)]
pub(super) struct Figures {
    pub(super) records: AtomicU64,
    pub(super) written: AtomicU64,
    pub(super) skips: Skips,
    /// Minutes of which more than one in a hundred records were too late.
    pub(super) late_minutes: AtomicU64,
    /// By worker.
    gauges: Vec<Gauges>,
    standing: Mutex<Standing>,
}

/// What a worker has of a query.
#[derive(Debug)]
struct Gauges {
    stored_rows: AtomicU64,
    /// Below 0 while it is not known.
    lag: AtomicI64,
}

/// Where a query stands, and why.
#[derive(Clone, Debug)]
struct Standing {
    state: QueryState,
    cause: Option<String>,
    /// When there first was this cause.
    since: Option<Timestamp>,
}

impl Figures {
    pub(super) fn new(workers: usize) -> Self {
        let gauges = || Gauges { stored_rows: AtomicU64::new(0), lag: AtomicI64::new(-1) };
        let mut all = Vec::new();
        all.resize_with(workers, gauges);
        Self {
            records: AtomicU64::new(0),
            written: AtomicU64::new(0),
            skips: Skips::default(),
            late_minutes: AtomicU64::new(0),
            gauges: all,
            standing: Mutex::new(Standing {
                state: QueryState::Starting,
                cause: None,
                since: None,
            }),
        }
    }

    /// Notes what a worker has; a lag that is not known is `None`.
    pub(super) fn set_gauges(&self, worker: usize, stored_rows: usize, lag: Option<i64>) {
        if let Some(gauges) = self.gauges.get(worker) {
            gauges.stored_rows.store(stored_rows as u64, Relaxed);
            gauges.lag.store(lag.unwrap_or(-1), Relaxed);
        }
    }

    /// Notes that no worker has anything of the query.
    pub(super) fn clear_gauges(&self) {
        (0..self.gauges.len()).for_each(|worker| self.set_gauges(worker, 0, None));
    }

    fn standing(&self) -> MutexGuard<'_, Standing> {
        self.standing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes where the query stands; what it failed for stays until it runs or stands by.
    pub(super) fn set_state(&self, state: QueryState) {
        let mut standing = self.standing();
        standing.state = state;
        if matches!(state, QueryState::Running | QueryState::Paused | QueryState::Standby) {
            (standing.cause, standing.since) = (None, None);
        }
    }

    /// Notes why it does not run. Whether that is news.
    pub(super) fn set_cause(&self, state: QueryState, cause: &str) -> bool {
        let mut standing = self.standing();
        let is_new = standing.cause.as_deref() != Some(cause);
        let since = if is_new { Some(clock::now()) } else { standing.since };
        *standing = Standing { state, cause: Some(cause.to_owned()), since };
        is_new
    }

    pub(super) fn status(&self, id: &str) -> QueryStatus {
        let Standing { state, cause, since } = self.standing().clone();
        let lags = self.gauges.iter().map(|gauges| gauges.lag.load(Relaxed));
        let known: Vec<i64> = lags.filter(|lag| *lag >= 0).collect();
        let rows = self.gauges.iter().map(|gauges| gauges.stored_rows.load(Relaxed)).sum::<u64>();
        QueryStatus {
            id: id.to_owned(),
            state,
            cause,
            failed_at: since,
            records: self.records.load(Relaxed),
            written: self.written.load(Relaxed),
            skipped: self.skips.counts(),
            stored_rows: usize::try_from(rows).unwrap_or(usize::MAX),
            lag: (!known.is_empty()).then(|| known.iter().sum()),
        }
    }
}
