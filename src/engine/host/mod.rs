//! What runs statements for a server: an engine, its running queries, and the log of commands that all servers of a
//! service id share.
//!
//! ```text
//! batch ─ parse ─ tried on a copy ─┬─ asks: answered from what exists now
//!                                  └─ changes: topics made ─▶ command log ─▶ follower ─▶ engine, queries
//!                                                                              │
//!                  answer ◀──────────── what became of the command ◀───────────┘
//! ```
//! The follower alone changes the engine, in the order of the log: so every server of a service id comes to the same.
//! A command that cannot be applied is told and skipped.

mod answer;
mod apply;
mod assert;
mod batch;
mod cluster;
mod command;
mod connectors;
mod error;
mod explain;
mod figures;
mod functions;
mod heartbeats;
mod history;
mod inserts;
mod inspect;
mod json_row;
mod ksql_plan;
mod ksql_steps;
mod language;
mod log;
mod looks;
mod messages;
mod offsets;
mod planned_reads;
mod print;
mod processing_log;
mod property_list;
mod pull_limits;
mod read;
mod read_only;
mod reads;
mod refusal;
mod request;
mod rewrite;
mod rows;
mod runners;
mod scope;
mod skipped;
mod sources;
mod state;
mod statement_class;
mod tail;
mod terminate;
mod topic_list;
mod topics;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;

pub use answer::{
    AnswerBody, ArgumentText, CommandState, CommandStatus, ConnectorDetail, ConnectorText, Counted,
    Entity, FieldText, FunctionDetail, FunctionText, OverloadText, PartitionOffsets, PluginText,
    PropertyText, QueryDetail, QueryErrorText, QueryText, SourceFigures, SourceText, TaskText,
    TopicOffsets, TopicText,
};
pub use cluster::{ServedQuery, ServerText};
pub use error::{HostError, HostFault};
pub use figures::HostFigures;
pub use history::{PartitionGrowth, Step, Subject, TopicGrowth, Window};
pub use inserts::{BegunRow, Inserting};
pub use language::{FunctionReference, Language, OverloadReference};
pub use messages::RowMessages;
pub use print::{NoTopic, Printed, Printing};
pub use read::{Asked, Reading, Rows};
pub use request::Request;
pub use state::Phase;
pub use tail::{TailFrom, TailedRecord, Tailing};

use super::connect::Connect;
use super::{Engine, Properties, Services, ServicesError};
use crate::kafka::admin::Admin;
use crate::kafka::produce::Producer;
use crate::kafka::random::random_u128;
use crate::plan::PersistentQuery;
pub use crate::runtime::live::{
    CommitTrace, DurationCounts, NodeFigures, QueryFigures, QueryState, ReadPartition,
    SkippedRecord, StoredFigures, TopicPartitionFigures, WantedSkips,
};
use crate::runtime::live::{Instance, InstanceOptions, InstanceStatus};
pub use crate::runtime::{NodeCount, SkipCause, SkipExample, SkippedRow};
use heartbeats::Heartbeats;
use history::History;
use log::CommandLog;
use pull_limits::PullLimits;
use reads::Reads;
use runners::{Runners, first_listener, own_url};
use state::State;

/// How long the commands before one that is to be written may take to be applied.
const APPLIED_WITHIN: Duration = Duration::from_secs(30);

/// How long Kafka may take to answer whether it is healthy, as in ksqlDB.
const HEALTHY_WITHIN: Duration = Duration::from_secs(30);

/// How many bytes the last records may take that queries have skipped.
const SKIPPED_BYTES_MAX: &str = "ksql.millstream.skipped.max.bytes";

/// How a host is set up.
#[derive(Clone, Debug)]
pub struct HostOptions {
    /// The properties of the server.
    pub properties: Properties,
    /// A number that no other instance has.
    pub instance: u64,
    /// How many threads process records.
    pub workers: usize,
    /// How long a stop may take before what is left is given up.
    pub stop_within: Duration,
}

/// What runs statements for a server.
pub struct Host {
    shared: Arc<Shared>,
    /// What applies commands, where there are any.
    follower: Option<JoinHandle<()>>,
}

/// What a host's tasks share.
struct Shared {
    properties: Properties,
    service_id: String,
    services: Services,
    instance: Instance,
    state: Mutex<State>,
    /// How far the log is applied: the offset behind the last command.
    applied: watch::Sender<i64>,
    /// The log of commands; none where what exists is what files say.
    log: Option<CommandLog>,
    /// Whether the service still is.
    phase: watch::Sender<Phase>,
    /// Who writes a command holds this, from its plan to its effect.
    writing: tokio::sync::Mutex<()>,
    producer: Producer,
    connect: Connect,
    cluster_id: String,
    /// Where other servers and clients find this one, as host and port.
    address: String,
    /// Who runs queries that this one stands by for.
    runners: Runners,
    heartbeats: Heartbeats,
    /// The queries that run for clients.
    reads: Arc<Reads>,
    pull_limits: PullLimits,
    history: History,
}

impl Host {
    /// Starts a host: makes the command topic, replays it, and starts the queries that are left.
    pub async fn start(services: Services, options: HostOptions) -> Result<Self, HostError> {
        options.properties.check().map_err(|error| HostError::server(error.to_string()))?;
        let instance = Instance::new(&services.cluster, options.of_instance(&services)?)?;
        let properties = options.properties;
        let log = CommandLog::open(&services.cluster, &service_id(&properties)).await?;
        let engine = Engine::new(properties.clone()).with_clients();
        let engine = if services.registry.is_some() { engine.with_registry() } else { engine };
        let shared = Shared::new(services, properties, (instance, engine), Some(log)).await?;
        let shared = Arc::new(shared);
        let tail = shared.replay().await?;
        let follower = Some(tokio::spawn(Arc::clone(&shared).follow(tail)));
        let host = Self { shared, follower };
        if let Err(error) = host.make_processing_log().await {
            tracing::warn!("there is no stream over the processing log: {error}");
        }
        Ok(host)
    }

    /// The id of the Kafka cluster.
    pub fn cluster_id(&self) -> &str {
        &self.shared.cluster_id
    }

    /// `ksql.service.id`.
    pub fn service_id(&self) -> &str {
        &self.shared.service_id
    }

    /// The properties of the server.
    pub fn properties(&self) -> &Properties {
        &self.shared.properties
    }

    /// Whether clients may set a property.
    pub fn check_overridable(&self, name: &str) -> Result<(), HostError> {
        request::check_overridable(name, &self.shared.properties)
    }

    /// Whether Kafka answers.
    pub async fn is_kafka_healthy(&self) -> bool {
        let cluster = &self.shared.services.cluster;
        let patience = cluster.config().api_timeout.min(HEALTHY_WITHIN);
        let admin = Admin::new(&cluster.with_patience(patience));
        match &self.shared.log {
            Some(log) => admin.describe_topic(log.topic()).await.is_ok(),
            None => admin.cluster_id().await.is_ok(),
        }
    }

    /// Whether the commands of the log are still applied.
    pub fn is_following(&self) -> bool {
        self.follower.as_ref().is_none_or(|follower| !follower.is_finished())
    }

    /// What became of a command, such as ``stream/`S`/create``.
    pub fn command_status(&self, id: &str) -> Option<CommandStatus> {
        self.shared.state().statuses.get(id).cloned()
    }

    /// What became of all commands.
    pub fn command_statuses(&self) -> Vec<(String, CommandState)> {
        let state = self.shared.state();
        state.statuses.iter().map(|(id, status)| (id.clone(), status.state)).collect()
    }

    /// The persistent queries, in the order in which they were made.
    pub fn queries(&self) -> Vec<Arc<PersistentQuery>> {
        self.shared.state().engine().queries().to_vec()
    }

    /// How the queries fare.
    pub fn status(&self) -> InstanceStatus {
        self.shared.instance.status()
    }

    /// Stops: queries are drained and committed, and go on at the next start. Gives how they fared at the end, unless
    /// requests are under way that hold the host a little longer; what is left then is given up.
    pub async fn stop(self) -> Option<InstanceStatus> {
        if let Some(follower) = self.follower {
            follower.abort();
            let _ = follower.await;
        }
        self.shared.history.end().await;
        let shared = Arc::into_inner(self.shared)?;
        Some(shared.instance.stop().await)
    }
}

impl HostOptions {
    fn of_instance(&self, services: &Services) -> Result<InstanceOptions, HostError> {
        let default = i64::try_from(InstanceOptions::SKIPPED_BYTES_MAX).unwrap_or(i64::MAX);
        let skipped_bytes = self.properties.number(SKIPPED_BYTES_MAX, default)?;
        Ok(InstanceOptions {
            stop_within: self.stop_within,
            id: self.instance,
            workers: self.workers,
            registry: services.registry.clone(),
            skipped_bytes_max: usize::try_from(skipped_bytes).unwrap_or(0),
            url: own_url(&self.properties),
        })
    }
}

impl Shared {
    async fn new(
        services: Services,
        properties: Properties,
        (instance, engine): (Instance, Engine),
        log: Option<CommandLog>,
    ) -> Result<Self, HostError> {
        let cluster_id = Admin::new(&services.cluster).cluster_id().await?.unwrap_or_default();
        let connect = Connect::new(&properties);
        let heartbeats = Heartbeats::new(&properties);
        let history = History::new(&properties);
        let pull_limits = PullLimits::new(&properties);
        let pull_limits = pull_limits.map_err(|error| HostError::server(error.to_string()))?;
        let options = crate::kafka::produce::ProducerOptions::default();
        Ok(Self {
            history: history.map_err(|error| HostError::server(error.to_string()))?,
            producer: Producer::with_options(&services.cluster, options),
            address: address(&properties),
            runners: Runners::default(),
            heartbeats: heartbeats.map_err(|error| HostError::server(error.to_string()))?,
            connect: connect.map_err(|error| HostError::server(error.to_string()))?,
            service_id: service_id(&properties),
            properties,
            services,
            instance,
            state: Mutex::new(State::new(engine)),
            applied: watch::channel(0).0,
            phase: watch::channel(Phase::Running).0,
            log,
            writing: tokio::sync::Mutex::new(()),
            cluster_id,
            reads: Arc::default(),
            pull_limits,
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until the log is applied up to an offset; false if that takes too long.
    async fn wait_applied(&self, offset: i64, within: Duration) -> bool {
        let mut applied = self.applied.subscribe();
        let reached = applied.wait_for(|applied| *applied >= offset);
        matches!(tokio::time::timeout(within, reached).await, Ok(Ok(_)))
    }
}

fn service_id(properties: &Properties) -> String {
    properties.get("ksql.service.id").unwrap_or("default_").to_owned()
}

/// Where a server with these properties is found, as host and port.
fn address(properties: &Properties) -> String {
    let first = first_listener(properties);
    let address = first.split_once("://").map_or(first, |(_, address)| address);
    if address.is_empty() { "localhost:8088".to_owned() } else { address.to_owned() }
}

/// An id that no other query has: that of a push query over `source`.
fn transient_id(source: &str) -> String {
    random_id("transient", source)
}

/// An id that no other query has.
fn random_id(prefix: &str, source: &str) -> String {
    format!("{prefix}_{source}_{}", (random_u128() as u64) >> 1)
}

impl From<ServicesError> for HostError {
    fn from(error: ServicesError) -> Self {
        Self::server(error.to_string())
    }
}
