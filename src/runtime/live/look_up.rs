//! What a pull query asks of workers, and what they answer.

use std::sync::Arc;

use tokio::sync::mpsc::UnboundedSender;

use super::error::LiveError;
use crate::plan::PullPlan;
use crate::runtime::{Found, Rest};

/// A pull query over a table, as an instance takes it.
#[derive(Clone, Debug)]
pub struct PullSpec {
    /// What it does.
    pub plan: Arc<PullPlan>,
    /// How many rows are asked for at most.
    pub limit: Option<u64>,
}

impl PullSpec {
    pub(super) fn limit(&self) -> u64 {
        self.limit.unwrap_or(u64::MAX)
    }
}

/// What a worker is asked.
pub(super) struct LookUp {
    pub(super) spec: PullSpec,
    /// How many rows are asked for at most.
    pub(super) limit: u64,
    /// Where to go on; `None` for a first portion of each task.
    pub(super) rest: Option<Rest>,
    pub(super) answers: UnboundedSender<Answer>,
}

/// What a worker answers; nothing where it runs no task of the query.
pub(super) struct Answer {
    pub(super) worker: usize,
    /// The number of the session whose tasks these are.
    pub(super) session: u64,
    pub(super) found: Result<Vec<Found>, LiveError>,
    /// How many tasks keep rows, on all workers.
    pub(super) keepers: usize,
}
