//! What is counted of a query, and where it stands: read by anybody, at any time.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::commit_trace::CommitTraces;
use super::durations::{DurationCounts, Durations};
use super::lane_figures::{Lanes, ReadPartition};
use super::lane_start::LaneStart;
use super::node_figures::{NodeFigures, Nodes};
use super::session_figures::SessionFigures;
use super::skips::{OwnSkips, Skips};
use super::topic_figures::TopicFigures;
use crate::plan::StoreId;
use crate::runtime::{SkipCounts, clock};
use crate::types::{Partition, Timestamp};

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

impl QueryState {
    /// Its name in metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Standby => "standby",
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Retrying => "retrying",
            Self::Failed => "failed",
        }
    }
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

/// All that is counted of a query since it began, over all its tries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueryFigures {
    /// Where it stands.
    pub status: QueryStatus,
    /// The partitions that it reads, or has read.
    pub partitions: Vec<ReadPartition>,
    /// Its steps.
    pub nodes: Vec<NodeFigures>,
    /// Its stores, by partition, as of its last commit.
    pub stores: Vec<StoredFigures>,
    /// How many bytes of records it has given for its sink and its repartition topics.
    pub output_bytes: u64,
    /// How long its commits took, from the end of their barrier on.
    pub commits: DurationCounts,
    /// How old the newest record of each batch was, by its timestamp, when it was processed.
    pub ages: DurationCounts,
    /// How often it failed.
    pub failures: u64,
    /// How many of its transactions were aborted, and their work done once more.
    pub aborts: u64,
    /// How many records its state was restored from.
    pub restored: u64,
    /// How many records of changelogs are still to be restored from, at most.
    pub restoring: u64,
}

/// What a store of a query holds for a partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredFigures {
    /// The name of the store.
    pub store: String,
    /// The partition.
    pub partition: Partition,
    /// How many rows it holds.
    pub rows: usize,
}

/// The figures of a query. They begin with the query, and outlive each of its tries.
#[derive(Debug)]
pub(super) struct Figures {
    pub(super) records: AtomicU64,
    pub(super) written: AtomicU64,
    pub(super) skips: Skips,
    /// Minutes of which more than one in a hundred records were too late.
    pub(super) late_minutes: AtomicU64,
    pub(super) output_bytes: AtomicU64,
    pub(super) commits: Durations,
    pub(super) ages: Durations,
    pub(super) failures: AtomicU64,
    pub(super) aborts: AtomicU64,
    pub(super) restored: AtomicU64,
    pub(super) restoring: AtomicU64,
    pub(super) lanes: Lanes,
    pub(super) nodes: Nodes,
    pub(super) traces: Arc<CommitTraces>,
    /// Empty while nothing of it runs.
    session: Mutex<Arc<SessionFigures>>,
    standing: Mutex<Standing>,
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
    /// Those of a query that begins, which has a part in the log of what is skipped if there is one.
    pub(super) fn new(nodes: Nodes, topics: Arc<TopicFigures>, skips: Option<OwnSkips>) -> Self {
        Self {
            records: AtomicU64::new(0),
            written: AtomicU64::new(0),
            skips: Skips::new(skips),
            late_minutes: AtomicU64::new(0),
            output_bytes: AtomicU64::new(0),
            commits: Durations::default(),
            ages: Durations::default(),
            failures: AtomicU64::new(0),
            aborts: AtomicU64::new(0),
            restored: AtomicU64::new(0),
            restoring: AtomicU64::new(0),
            lanes: Lanes::new(topics),
            nodes,
            traces: Arc::default(),
            session: Mutex::default(),
            standing: Mutex::new(Standing {
                state: QueryState::Starting,
                cause: None,
                since: None,
            }),
        }
    }

    /// The same, where commits are kept as somebody wants to have them.
    pub(super) fn tracing(self, traces: &Arc<CommitTraces>) -> Self {
        Self { traces: Arc::clone(traces), ..self }
    }

    /// Begins a session, in which partitions are read from their positions on.
    pub(super) fn begin_session(&self, lanes: &[LaneStart]) -> Arc<SessionFigures> {
        let session = Arc::new(SessionFigures::new(self.lanes.begin(lanes)));
        *self.session() = Arc::clone(&session);
        session
    }

    /// Notes that nothing of the query is to run any more: what workers still say is not heard.
    pub(super) fn end_session(&self) {
        *self.session() = Arc::default();
    }

    fn stored(&self, session: &SessionFigures) -> Vec<StoredFigures> {
        let stored = |((store, partition), rows): ((StoreId, Partition), usize)| {
            let store = self.nodes.stores.get(store.0)?.clone();
            Some(StoredFigures { store, partition, rows })
        };
        session.stored().into_iter().filter_map(stored).collect()
    }

    fn session(&self) -> MutexGuard<'_, Arc<SessionFigures>> {
        self.session.lock().unwrap_or_else(PoisonError::into_inner)
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
        let session = Arc::clone(&self.session());
        QueryStatus {
            id: id.to_owned(),
            state,
            cause,
            failed_at: since,
            records: self.records.load(Relaxed),
            written: self.written.load(Relaxed),
            skipped: self.skips.counts(),
            stored_rows: session.stored().values().sum(),
            lag: session.lag(),
        }
    }

    /// All that is counted.
    pub(super) fn all(&self, id: &str) -> QueryFigures {
        let session = Arc::clone(&self.session());
        QueryFigures {
            status: self.status(id),
            partitions: self.lanes.partitions(&session.lanes),
            nodes: self.nodes.figures(),
            stores: self.stored(&session),
            output_bytes: self.output_bytes.load(Relaxed),
            commits: self.commits.counts(),
            ages: self.ages.counts(),
            failures: self.failures.load(Relaxed),
            aborts: self.aborts.load(Relaxed),
            restored: self.restored.load(Relaxed),
            restoring: self.restoring.load(Relaxed),
        }
    }
}
