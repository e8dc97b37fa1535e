//! How commits come about, part by part: noted with each commit, and kept only while somebody takes them.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::kafka::random::random_u128;
use crate::runtime::clock;

/// How many commits wait to be taken. Of more, the oldest are left out.
const KEPT_MAX: usize = 1_000;

/// How a commit came about: the way of its records from being fetched to being committed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommitTrace {
    /// A number that no other has, above 0.
    pub id: u128,
    /// The query.
    pub query: Arc<str>,
    /// How many records were processed for it.
    pub records: u64,
    /// When the first of them could be fetched: as the commit before it began. In microseconds since 1970.
    pub began_us: i64,
    /// What was done one after the other, and when each of it was done.
    pub parts: Vec<(&'static str, i64)>,
    /// Why it is no commit, if it failed.
    pub error: Option<String>,
}

impl CommitTrace {
    /// Begins with the records of a commit of a query.
    pub(super) fn begin(query: &Arc<str>) -> Self {
        Self {
            id: random_u128() | 1,
            query: Arc::clone(query),
            records: 0,
            began_us: clock::micros(),
            parts: Vec::new(),
            error: None,
        }
    }

    /// Notes that a part of it is done.
    pub(super) fn done(&mut self, part: &'static str) {
        self.parts.push((part, clock::micros()));
    }

    /// When its last part was done, in microseconds since 1970.
    pub fn ended_us(&self) -> i64 {
        self.parts.last().map_or(self.began_us, |(_, at)| *at)
    }
}

/// The commit of a query that is to come.
pub(super) struct NextCommit {
    trace: CommitTrace,
    /// How many records were processed before it.
    before: u64,
}

impl NextCommit {
    /// Begins with the records of the first commit of a query, which has processed so many until now.
    pub(super) fn begin(query: &str, records: &AtomicU64) -> Self {
        Self { trace: CommitTrace::begin(&query.into()), before: records.load(Relaxed) }
    }

    /// Notes that a part of it is done.
    pub(super) fn done(&mut self, part: &'static str) {
        self.trace.done(part);
    }

    /// How it came about, as its barrier is over; the one after it begins.
    pub(super) fn next(&mut self, records: &AtomicU64) -> CommitTrace {
        let records = records.load(Relaxed);
        self.trace.records = records.saturating_sub(std::mem::replace(&mut self.before, records));
        self.trace.done("drain");
        let next = CommitTrace::begin(&self.trace.query);
        std::mem::replace(&mut self.trace, next)
    }
}

/// The commits that wait to be taken.
#[derive(Debug, Default)]
pub(super) struct CommitTraces {
    is_wanted: AtomicBool,
    kept: Mutex<VecDeque<CommitTrace>>,
}

impl CommitTraces {
    /// Keeps commits from now on.
    pub(super) fn keep(&self) {
        self.is_wanted.store(true, Relaxed);
    }

    /// Adds a commit, if they are kept and it has any records.
    pub(super) fn add(&self, trace: CommitTrace) {
        if trace.records == 0 || !self.is_wanted.load(Relaxed) {
            return;
        }
        let mut kept = self.kept();
        if kept.len() >= KEPT_MAX {
            kept.pop_front();
        }
        kept.push_back(trace);
    }

    /// Takes all that wait, oldest first.
    pub(super) fn take(&self) -> Vec<CommitTrace> {
        std::mem::take(&mut *self.kept()).into()
    }

    fn kept(&self) -> MutexGuard<'_, VecDeque<CommitTrace>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commits_are_kept_for_those_who_take_them_and_not_without_end() {
        let traces = CommitTraces::default();
        let add = |records| {
            let mut trace = CommitTrace::begin(&"q".into());
            trace.records = records;
            trace.done("process");
            traces.add(trace);
        };
        add(1);
        assert_eq!(traces.take(), []);
        traces.keep();
        add(0);
        (2..=1_002).for_each(add);
        let taken = traces.take();
        assert_eq!((taken.len(), taken[0].records), (1_000, 3));
        assert!(taken.iter().all(|trace| trace.ended_us() >= trace.began_us));
        assert_eq!(traces.take(), []);
    }
}
