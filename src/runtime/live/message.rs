//! What workers are told, and what they tell the queries that they work for.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::mpsc::UnboundedSender;

use super::error::LiveError;
use super::figures::Figures;
use super::ids::{QueryId, ReadingId, SessionId};
use super::lane_start::LaneStart;
use super::look_up::LookUp;
use super::manner::Manner;
use super::pressure::Pressure;
use super::progress_round::WrittenUpTo;
use super::session_figures::SessionFigures;
use super::trail::Trail;
use crate::kafka::fetch::{FetchedPartition, PartitionProblem};
use crate::plan::SubTopologyId;
use crate::registry::{RegistryError, ResolvedSchema, SchemaId};
use crate::runtime::{
    Changes, FaultRules, Handover, LaneId, Output, Panic, ProcessingLogEntry, Progress, RecordId,
    ShardClocks, Tasks,
};

/// What the registry says of an id.
pub(super) enum FoundSchema {
    /// Its schema.
    Schema(Arc<ResolvedSchema>),
    /// There is none, in the registry's words: its records cannot be read.
    Missing(String),
    /// It does not tell.
    Refused(RegistryError),
}

/// What comes to a worker.
pub(super) enum Message {
    /// What was fetched for a reading.
    Fetched { reading: ReadingId, fetched: Vec<FetchedPartition> },
    /// Why a partition of a reading is not fetched.
    FetchFailed { reading: ReadingId, problem: PartitionProblem },
    /// With what panic a reading has ended.
    ReadingFailed { reading: ReadingId, panic: Panic },
    /// What the registry says of the schema with an id.
    Schema { id: SchemaId, found: FoundSchema },
    /// Rows from a task of another worker.
    Handover { session: SessionId, handover: Handover },
    /// What pull queries want to know of what queries keep.
    LookUps(Vec<(QueryId, LookUp)>),
    /// What a query wants of its tasks.
    Command { session: SessionId, command: Command },
    /// The end.
    Stop,
}

/// What a query wants of its tasks on a worker.
pub(super) enum Command {
    /// Run them.
    Start(Box<Start>),
    /// Forget them.
    Close,
    /// The barrier begins: take no more, and say how far they are.
    Cut,
    /// Read on up to this time, or to where each partition ends now.
    ReadTo(i64),
    /// Process all rows that wait in a sub-topology, and give away what waits in its caches.
    Drain(SubTopologyId),
    /// The barrier ends: say where they are, and go on, or wait until they are to go on.
    Release { and_go_on: bool },
    /// Go on.
    GoOn,
    /// Take as many rows at once as there are.
    TakeBatches,
    /// Read repartition topics, now that sources are committed.
    ReadRepartitions,
    /// Hand on what was given, and say how far each sub-topology is.
    TellProgress,
    /// So far are repartition topics written.
    WrittenUpTo(Arc<[WrittenUpTo]>),
    /// Part of the barrier: read repartition topics to these ends, as those who write them are drained.
    ReadToEnds(Arc<BTreeMap<LaneId, i64>>),
}

/// The tasks of a query that a worker is to run.
pub(super) struct Start {
    pub(super) tasks: Tasks,
    pub(super) lanes: Vec<LaneStart>,
    /// What is done about faults.
    pub(super) fault_rules: FaultRules,
    /// `ksql.millstream.on.lost.records=stop`.
    pub(super) stops_at_lost_records: bool,
    pub(super) events: UnboundedSender<Event>,
    pub(super) pressure: Arc<Pressure>,
    pub(super) trail: Arc<Trail>,
    pub(super) manner: Manner,
    pub(super) figures: Arc<Figures>,
    pub(super) session: Arc<SessionFigures>,
}

/// What a worker tells a query.
#[derive(Debug)]
pub(super) enum Event {
    /// Tasks have given something.
    Given(Box<Portion>),
    /// They cannot go on; with the record that was at hand, if it is known.
    Failed { error: LiveError, record: Option<RecordId> },
    /// They take no more; the highest time that was taken.
    Cut(i64),
    /// They have read as far as they were told.
    Level,
    /// A sub-topology is drained.
    Drained,
    /// How far everything is processed.
    Released(Reached),
    /// How far each sub-topology is; what its tasks have given before was handed on.
    Progress(BTreeMap<SubTopologyId, Progress>),
}

/// How far the tasks of a query have come with everything that they read.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Reached {
    pub(super) positions: Vec<LanePosition>,
    pub(super) clocks: Vec<ShardClocks>,
}

/// Where the reading of a partition is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct LanePosition {
    pub(super) lane: LaneId,
    pub(super) position: i64,
    /// The highest time of its rows so far.
    pub(super) time: i64,
}

/// What the tasks of a worker have given since the last time.
#[derive(Debug, Default)]
pub(super) struct Portion {
    /// Which commit it belongs to, counted from the start.
    pub(super) interval: u64,
    /// For sinks and repartition topics.
    pub(super) output: Output,
    /// For changelogs.
    pub(super) changelog: Changes,
    pub(super) log: Vec<ProcessingLogEntry>,
}
