//! All queries of one process.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::checkpoint::{CheckpointDirectory, blocking};
use super::commit_trace::{CommitTrace, CommitTraces};
use super::directories::Directories;
use super::error::LiveError;
use super::figures::{Figures, QueryFigures, QueryState, QueryStatus};
use super::ids::QueryId;
use super::life::{LEAVE_WAIT, Life};
use super::log_writer::LogWriter;
use super::look_up::PullSpec;
use super::member::Standing;
use super::node_figures::Nodes;
use super::placements::Placements;
use super::probe::{NoProbe, Probe};
use super::pull::PullRows;
use super::push::{PushParts, PushRows, PushSpec};
use super::quarantine::Quarantine;
use super::seen_topics::SeenTopics;
use super::settings::{QuerySettings, QuerySpec};
use super::skip_log::{SkipLog, SkippedRecord, WantedSkips};
use super::skip_warnings;
use super::skips::OwnSkips;
use super::topic_figures::TopicPartitionFigures;
use super::workers::Workers;
use super::writer::ABORT_WAIT;
use crate::kafka::random::random_u128;
use crate::kafka::{Cluster, TopicId, TopicPartition};
use crate::plan::fingerprint;
use crate::registry::RegistryClient;
use crate::runtime::clock;
use crate::runtime::panics::guarded;
use crate::state::checkpoint::{CheckpointError, StateDirectory};

/// How long a query that starts is waited for by those who ask for its rows.
const STARTED_WITHIN: Duration = Duration::from_secs(5);

/// How often it is looked whether it has.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// What an instance is told besides its queries.
#[derive(Clone, Debug)]
pub struct InstanceOptions {
    /// How long a stop may take before what is left is given up.
    pub stop_within: Duration,
    /// A number that no other instance has.
    pub id: u64,
    /// `ksql.streams.num.stream.threads`: how many workers there are.
    pub workers: usize,
    /// The schema registry, if there is one.
    pub registry: Option<RegistryClient>,
    /// `ksql.millstream.skipped.max.bytes`: how many bytes the last records take that were skipped.
    pub skipped_bytes_max: usize,
    /// The URL at which others ask it for what its queries keep, if they do.
    pub url: Option<String>,
}

impl InstanceOptions {
    /// How many bytes the last records take that were skipped, unless something else is said.
    pub const SKIPPED_BYTES_MAX: usize = 4 << 20;

    /// As many workers as there are cores, at most four, as ksqlDB has by default.
    pub fn default_workers() -> usize {
        const WORKERS_MAX: usize = 4;
        std::thread::available_parallelism().map_or(1, |cores| cores.get().min(WORKERS_MAX))
    }
}

/// Where an instance stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstanceStatus {
    /// Its queries, by id.
    pub queries: Vec<QueryStatus>,
}

/// All that an instance counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstanceFigures {
    /// Its queries, by id.
    pub queries: Vec<QueryFigures>,
    /// The partitions that they and push queries read, by topic and partition.
    pub topics: Vec<TopicPartitionFigures>,
    /// How long each worker has worked, in microseconds.
    pub busy_us: Vec<u64>,
}

impl InstanceStatus {
    /// Whether every query has failed for good.
    pub fn has_failed(&self) -> bool {
        !self.queries.is_empty()
            && self.queries.iter().all(|query| query.state == QueryState::Failed)
    }
}

/// Running queries: workers for their records, and a life for each of them.
pub struct Instance {
    cluster: Cluster,
    options: InstanceOptions,
    standing: Standing,
    lives: Mutex<BTreeMap<QueryId, Living>>,
    directories: Mutex<Directories>,
    placements: Arc<Placements>,
    workers: Arc<Workers>,
    skips: Arc<SkipLog>,
    traces: Arc<CommitTraces>,
    probe: Arc<dyn Probe>,
}

/// A query, as the instance holds it.
struct Living {
    stop: watch::Sender<bool>,
    paused: watch::Sender<bool>,
    /// Away while it is told to stop.
    life: Option<JoinHandle<()>>,
    figures: Arc<Figures>,
    directory: Option<CheckpointDirectory>,
}

impl Instance {
    /// Starts an instance with some queries.
    pub async fn start(
        cluster: &Cluster,
        specs: Vec<QuerySpec>,
        options: InstanceOptions,
    ) -> Result<Self, LiveError> {
        let instance = Self::new(cluster, options)?;
        for spec in specs {
            if let Err(error) = instance.start_query(spec) {
                instance.stop().await;
                return Err(error);
            }
        }
        Ok(instance)
    }

    /// Starts an instance without queries. It lives in the runtime that it is started in.
    pub fn new(cluster: &Cluster, options: InstanceOptions) -> Result<Self, LiveError> {
        Self::with_probe(cluster, options, Arc::new(NoProbe))
    }

    /// The same, for a test that makes parts of it fail.
    #[doc(hidden)]
    pub fn with_probe(
        cluster: &Cluster,
        options: InstanceOptions,
        probe: Arc<dyn Probe>,
    ) -> Result<Self, LiveError> {
        let workers = Workers::start(cluster, options.workers, options.registry.as_ref(), &probe)?;
        Ok(Self {
            traces: Arc::default(),
            skips: Arc::new(SkipLog::new(options.skipped_bytes_max)),
            cluster: cluster.clone(),
            standing: Standing {
                since_ms: clock::now().0,
                instance: options.id,
                static_id: None,
                url: options.url.as_deref().map(Arc::from),
            },
            options,
            lives: Mutex::default(),
            directories: Mutex::default(),
            placements: Arc::new(Placements::new(workers.count())),
            workers: Arc::new(workers),
            probe,
        })
    }

    /// Starts a query. That its topics and its group keep it waiting shows in its status.
    ///
    /// A query whose id runs already, and a state directory that another process uses, are errors.
    pub fn start_query(&self, spec: QuerySpec) -> Result<(), LiveError> {
        let id = QueryId::from(spec.id.as_str());
        let mut lives = self.lives();
        if lives.contains_key(&id) {
            let cause = "a query of this id runs already".to_owned();
            return Err(LiveError::State { query: spec.id, cause });
        }
        let directory = self.directories().open(&spec.settings)?;
        let static_id = static_id(&spec, directory.as_deref());
        let directory = directory.map(|directory| {
            let directory = CheckpointDirectory::new(directory, &spec.id, &fingerprint(&spec.plan));
            directory.replacing(spec.is_replacement)
        });
        self.placements.place(&id, &spec.plan);
        let topics = Arc::clone(self.workers.topics());
        let skips = OwnSkips {
            query: spec.id.as_str().into(),
            log: Arc::clone(&self.skips),
            shows_rows: spec.settings.logs_rows,
        };
        let figures = Figures::new(Nodes::of(&spec.plan), topics, Some(skips));
        let figures = Arc::new(figures.tracing(&self.traces));
        let (stop, stopped) = watch::channel(false);
        let (paused, is_paused) = watch::channel(spec.is_paused);
        let life = Life {
            id: id.clone(),
            cluster: self.cluster.clone(),
            registry: self.options.registry.clone(),
            schemas: None,
            workers: Arc::clone(&self.workers),
            placements: Arc::clone(&self.placements),
            directory: directory.clone(),
            figures: Arc::clone(&figures),
            log: Arc::new(LogWriter::new(&spec.id, &spec.settings, &self.cluster)),
            standing: Standing { static_id, ..self.standing.clone() },
            probe: Arc::clone(&self.probe),
            stop: stopped,
            paused: is_paused,
            stop_within: self.options.stop_within,
            backoff: spec.settings.retry_backoff,
            seen: SeenTopics::default(),
            has_told_sink: false,
            quarantine: Quarantine::default(),
            spec,
        };
        let life = watched(life.live(), Arc::clone(&figures));
        let life = skip_warnings::beside(life, id.clone(), Arc::clone(&figures));
        let life = tokio::spawn(life);
        lives.insert(id, Living { stop, paused, life: Some(life), figures, directory });
        Ok(())
    }

    /// Starts a query whose rows go to whoever asked for them. It ends when they are dropped.
    pub fn push(&self, spec: PushSpec) -> PushRows {
        let parts = PushParts {
            cluster: self.cluster.clone(),
            workers: Arc::clone(&self.workers),
            placements: Arc::clone(&self.placements),
        };
        parts.start(spec)
    }

    /// The rows that a query keeps, as a pull query asks for them.
    ///
    /// A query that does not run here is an error; one that starts is waited for, for a while.
    pub async fn pull(&self, spec: PullSpec) -> Result<PullRows, LiveError> {
        let until = clock::instant() + STARTED_WITHIN;
        loop {
            match PullRows::begin(&self.workers, spec.clone()).await {
                Err(LiveError::NotRunning { .. })
                    if self.is_about_to_run(&spec.plan.query) && clock::instant() < until =>
                {
                    tokio::time::sleep(LOOK_EVERY).await;
                }
                Err(LiveError::NotRunning { query, cause }) => {
                    let cause = self.why_not_running(&query).unwrap_or(cause);
                    return Err(LiveError::NotRunning { query, cause });
                }
                pulled => return pulled,
            }
        }
    }

    /// Why a query does not run here, as far as that is known.
    fn why_not_running(&self, id: &str) -> Option<String> {
        let QueryStatus { state, cause, .. } = self.status_of(id)?;
        let cause = cause.unwrap_or_default();
        match state {
            QueryState::Starting => Some("is still starting".to_owned()),
            QueryState::Standby => Some("is run by another server".to_owned()),
            QueryState::Retrying => Some(format!("has failed and will be tried again ({cause})")),
            QueryState::Failed => Some(format!("has failed ({cause})")),
            QueryState::Running | QueryState::Paused => None,
        }
    }

    /// Whether another instance runs a query, and this one waits for its turn.
    pub fn stands_by(&self, id: &str) -> bool {
        self.state_of(id) == Some(QueryState::Standby)
    }

    /// Waits for a query that starts, for a while.
    pub async fn started(&self, id: &str) {
        let until = clock::instant() + STARTED_WITHIN;
        while self.state_of(id) == Some(QueryState::Starting) && clock::instant() < until {
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    fn state_of(&self, id: &str) -> Option<QueryState> {
        self.status_of(id).map(|status| status.state)
    }

    fn status_of(&self, id: &str) -> Option<QueryStatus> {
        let lives = self.lives();
        lives.get(&QueryId::from(id)).map(|living| living.figures.status(id))
    }

    /// Whether a query starts, or runs.
    fn is_about_to_run(&self, id: &str) -> bool {
        matches!(self.state_of(id), Some(QueryState::Starting | QueryState::Running))
    }

    /// Has a query take nothing more until it is resumed. What it has taken is committed when this returns, unless that takes
    /// longer than a stop may; what it keeps stays, and can be looked at. Nothing if it does not run.
    pub async fn pause_query(&self, id: &str) {
        if let Some(living) = self.lives().get(&QueryId::from(id)) {
            living.paused.send_replace(true);
        }
        let until = clock::instant() + self.patience();
        while self.state_of(id) == Some(QueryState::Running) && clock::instant() < until {
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Lets a paused query go on.
    pub fn resume_query(&self, id: &str) {
        if let Some(living) = self.lives().get(&QueryId::from(id)) {
            living.paused.send_replace(false);
        }
    }

    /// Drains a query, commits it and leaves its group; where it stood then. Nothing if it does not
    /// run.
    pub async fn stop_query(&self, id: &str) -> Option<QueryStatus> {
        let query = QueryId::from(id);
        // Until it has ended, no other query can have its id.
        let mut life = {
            let mut lives = self.lives();
            let living = lives.get_mut(&query)?;
            living.stop.send_replace(true);
            living.life.take()?
        };
        if tokio::time::timeout(self.patience(), &mut life).await.is_err() {
            life.abort();
            let _ = life.await;
        }
        self.lives().remove(&query).map(|living| living.figures.status(id))
    }

    /// Stops a query for good: what it kept here goes with it.
    pub async fn end_query(&self, id: &str) -> Option<QueryStatus> {
        let directory = self.lives().get(&QueryId::from(id))?.directory.clone();
        let status = self.stop_query(id).await;
        if let Some(directory) = directory
            && let Err(error) = directory.delete().await
        {
            tracing::warn!("query {id} has ended, but not all that it kept: {error}");
        }
        status
    }

    /// Deletes what queries have kept here that are none of `kept`, where those of these settings keep it. A directory that
    /// another process uses is an error.
    pub async fn forget_all_but(
        &self,
        kept: BTreeSet<String>,
        settings: &QuerySettings,
    ) -> Result<(), LiveError> {
        let Some(directory) = self.directories().open(settings)? else { return Ok(()) };
        let forgotten = blocking(move || {
            for query in directory.queries()?.iter().filter(|query| !kept.contains(*query)) {
                tracing::info!("there is no query {query} any more: what it kept is deleted");
                directory.remove(query)?;
            }
            Ok::<_, CheckpointError>(())
        });
        Ok(forgotten.await??)
    }

    /// Where all queries stand.
    pub fn status(&self) -> InstanceStatus {
        status_of(&self.lives())
    }

    /// All that is counted.
    pub fn figures(&self) -> InstanceFigures {
        let lives = self.lives();
        let queries = lives.iter().map(|(id, living)| living.figures.all(id.as_str())).collect();
        drop(lives);
        let (topics, busy_us) = (self.workers.topics().all(), self.workers.busy_us());
        InstanceFigures { queries, topics, busy_us }
    }

    /// The number of the record that a query has skipped last, and such records as far as they are wanted, oldest first.
    pub fn skipped(&self, wanted: &WantedSkips) -> (u64, Vec<SkippedRecord>) {
        self.skips.records(wanted)
    }

    /// Keeps from now on how commits come about, for who takes that.
    pub fn keep_commit_traces(&self) {
        self.traces.keep();
    }

    /// How the last commits have come about, oldest first; each is given once.
    pub fn take_commit_traces(&self) -> Vec<CommitTrace> {
        self.traces.take()
    }

    /// Notes where partitions end of topics with these ids, which is known of those that are not fetched by this alone.
    pub fn note_ends(
        &self,
        ends: &BTreeMap<TopicPartition, i64>,
        ids: &BTreeMap<Arc<str>, TopicId>,
    ) {
        self.workers.topics().note_ends(ends, ids);
    }

    /// Drains, commits and leaves; what has not ended in time is given up.
    pub async fn stop(self) -> InstanceStatus {
        let mut lives = std::mem::take(&mut *self.lives());
        for living in lives.values() {
            living.stop.send_replace(true);
        }
        let give_up = tokio::time::sleep(self.patience());
        tokio::pin!(give_up);
        for life in lives.values_mut().filter_map(|living| living.life.as_mut()) {
            tokio::select! {
                _ = &mut *life => {}
                () = &mut give_up => life.abort(),
            }
        }
        status_of(&lives)
    }

    /// How long a life may take to end, which gives up by itself before.
    fn patience(&self) -> Duration {
        self.options.stop_within + ABORT_WAIT + 2 * LEAVE_WAIT
    }

    fn lives(&self) -> MutexGuard<'_, BTreeMap<QueryId, Living>> {
        self.lives.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn directories(&self) -> MutexGuard<'_, Directories> {
        self.directories.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        let lives = self.lives();
        lives.values().flat_map(|living| &living.life).for_each(JoinHandle::abort);
    }
}

/// Lets a query live; one whose life ends with a panic has failed.
async fn watched(life: impl Future<Output = ()>, figures: Arc<Figures>) {
    if let Err(panic) = guarded(life).await {
        figures.set_cause(QueryState::Failed, &panic.to_string());
    }
}

/// Where queries stand.
fn status_of(lives: &BTreeMap<QueryId, Living>) -> InstanceStatus {
    let status = |(id, living): (&QueryId, &Living)| living.figures.status(id.as_str());
    InstanceStatus { queries: lives.iter().map(status).collect() }
}

/// By what an instance finds its own place in the group of a query again: what its properties say,
/// else what its state directory remembers. One that has neither is a member like any other.
fn static_id(spec: &QuerySpec, directory: Option<&StateDirectory>) -> Option<String> {
    if let Some(id) = &spec.settings.instance_id {
        return Some(id.clone());
    }
    match directory?.instance_id(random_u128) {
        Ok(id) => Some(id),
        Err(error) => {
            tracing::warn!("query {}: after a kill it waits for its session: {error}", spec.id);
            None
        }
    }
}
