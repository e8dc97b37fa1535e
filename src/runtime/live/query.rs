//! One query on Kafka: its task, its producer, its place in its group.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::JoinHandle;

use super::checkpoint::{Checkpoint, Home, Marks};
use super::member::Joined;
use super::purge::Purge;
use super::restore::Activated;
use super::settings::QuerySettings;
use crate::kafka::group::{CommittedOffset, Membership};
use crate::kafka::partitioner::{StickyPartitioner, partition_for_key};
use crate::kafka::produce::{NewRecord, Producer};
use crate::kafka::records::Headers;
use crate::kafka::{Cluster, KafkaError, TopicPartition};
use crate::operators::QueryError;
use crate::plan::{QueryPlan, StoreId};
use crate::runtime::{
    OutputRecord, Placing, ProcessingLogEntry, SeededRandom, Surroundings, Target, TaskCounts,
    Tasks, clock,
};
use crate::state::checkpoint::CheckpointError;

/// A query that is to run.
#[derive(Clone, Debug)]
pub struct QuerySpec {
    /// Its id.
    pub id: String,
    /// What it does.
    pub plan: Arc<QueryPlan>,
    /// How it runs.
    pub settings: QuerySettings,
}

/// Why a query, or the instance, cannot go on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LiveError {
    /// Kafka said no.
    #[error(transparent)]
    Kafka(#[from] KafkaError),
    /// A row, or the query itself.
    #[error(transparent)]
    Query(#[from] QueryError),
    /// A topic is not there, or not as it should be.
    #[error("topic {topic}: {cause}")]
    Topic {
        /// The topic.
        topic: String,
        /// What is wrong with it.
        cause: String,
    },
    /// A local checkpoint cannot be used or written.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// State and offsets do not belong together.
    #[error("query {query}: {cause}")]
    State {
        /// The query.
        query: String,
        /// What is wrong.
        cause: String,
    },
}

/// Where a query stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QueryState {
    /// It joins its group, or restores its state.
    Starting,
    /// Another instance runs it.
    Standby,
    /// It runs.
    Running,
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
    /// How many records of its source it has processed.
    pub records: u64,
    /// How many records it has written to its sink.
    pub written: u64,
    /// What it has counted.
    pub counts: TaskCounts,
    /// How many rows its stores hold.
    pub stored_rows: usize,
    /// How many records it is behind the end of its source, as far as that is known.
    pub lag: Option<i64>,
}

/// The topics of a query and their partitions.
#[derive(Clone, Debug)]
pub(super) struct QueryTopics {
    pub(super) source: String,
    pub(super) source_partitions: i32,
    pub(super) sink: String,
    pub(super) sink_partitions: i32,
    /// The repartition topic, where rows are re-keyed through one.
    pub(super) repartition: Option<String>,
    /// How many partitions re-keyed rows and stores have.
    pub(super) state_partitions: i32,
    pub(super) changelogs: Vec<String>,
    /// Why the state that belongs to the group's offsets is not there, if it is not.
    pub(super) lost_state: Option<String>,
}

impl QueryTopics {
    /// The topic of a target, and how many partitions it has.
    fn of(&self, target: Target) -> (&str, i32) {
        match target {
            Target::Sink => (&self.sink, self.sink_partitions),
            Target::Repartition(_) => {
                (self.repartition.as_deref().unwrap_or_default(), self.state_partitions)
            }
            Target::Changelog(StoreId(store)) => (&self.changelogs[store], self.state_partitions),
        }
    }

    /// All topics, with the partitions that they have to have.
    pub(super) fn names(&self) -> Vec<(&str, i32)> {
        let mut names = vec![
            (self.source.as_str(), self.source_partitions),
            (self.sink.as_str(), self.sink_partitions),
        ];
        let internal = self.repartition.iter().chain(&self.changelogs);
        names.extend(internal.map(|name| (name.as_str(), self.state_partitions)));
        names
    }
}

/// What a query does in its group.
pub(super) enum Role {
    /// Nothing, until it is time to join.
    Out { join_at: Instant },
    /// It joins.
    Joining(JoinHandle<Joined>),
    /// It restores its state.
    Activating(Membership, JoinHandle<Result<Activated, LiveError>>),
    /// It waits for its turn.
    Standby(Membership),
    /// It runs.
    Active(Membership),
    /// It has failed for good.
    Ended,
}

/// A query, as its reader holds it.
pub(super) struct LiveQuery {
    pub(super) spec: QuerySpec,
    pub(super) application_id: String,
    pub(super) topics: QueryTopics,
    pub(super) cluster: Cluster,
    pub(super) role: Role,
    pub(super) tasks: Option<Tasks>,
    pub(super) producer: Option<Producer>,
    /// Where checkpoints are kept, if they are.
    pub(super) home: Option<Home>,
    pub(super) checkpoint: Option<Checkpoint>,
    /// What the checkpoint is to have once the offsets are committed.
    pub(super) marks: Option<Marks>,
    /// The next offset to process of each partition of the source.
    pub(super) positions: BTreeMap<i32, i64>,
    /// The same of the repartition topic.
    pub(super) repartition_positions: BTreeMap<i32, i64>,
    pub(super) committed: BTreeMap<TopicPartition, i64>,
    pub(super) commit_at: Instant,
    pub(super) backoff: Duration,
    pub(super) cause: Option<String>,
    /// Why processing stopped, until the query is failed for it.
    pub(super) failure: Option<LiveError>,
    pub(super) records: u64,
    pub(super) written: u64,
    pub(super) purge: Purge,
    sticky: HashMap<Target, StickyPartitioner>,
}

impl LiveQuery {
    pub(super) fn new(
        spec: QuerySpec,
        topics: QueryTopics,
        cluster: Cluster,
        home: Option<Home>,
    ) -> Self {
        let application_id = spec.settings.application_id(&spec.id);
        let now = clock::instant();
        Self {
            application_id,
            topics,
            cluster,
            role: Role::Out { join_at: now },
            tasks: None,
            producer: None,
            home,
            checkpoint: None,
            marks: None,
            positions: BTreeMap::new(),
            repartition_positions: BTreeMap::new(),
            committed: BTreeMap::new(),
            commit_at: now,
            backoff: spec.settings.retry_backoff,
            cause: None,
            failure: None,
            records: 0,
            written: 0,
            purge: Purge::new(now + spec.settings.purge_interval),
            sticky: HashMap::new(),
            spec,
        }
    }

    pub(super) fn is_active(&self) -> bool {
        matches!(self.role, Role::Active(_))
    }

    /// The partitions that a member of the query's group is assigned.
    pub(super) fn partitions(&self) -> Vec<TopicPartition> {
        let of = |topic: &str, count: i32| {
            let topic = topic.to_owned();
            (0..count).map(move |partition| TopicPartition::new(topic.as_str(), partition))
        };
        let source = of(&self.topics.source, self.topics.source_partitions);
        let repartition = self
            .topics
            .repartition
            .iter()
            .flat_map(|topic| of(topic, self.topics.state_partitions));
        source.chain(repartition).collect()
    }

    /// Lets the task give away some of what waits in caches. Whether more waits.
    pub(super) fn flush_some(&mut self, random: &SeededRandom) -> Result<bool, QueryError> {
        let Some(tasks) = &mut self.tasks else { return Ok(false) };
        let surroundings = Surroundings {
            now: clock::now(),
            random,
            nested_error_set_null: self.spec.settings.nested_error_set_null,
        };
        tasks.flush_some(surroundings)
    }

    /// Hands what the task has produced and logged to the producer.
    pub(super) async fn send_output(&mut self) -> Result<(), LiveError> {
        let (Some(tasks), Some(producer)) = (&mut self.tasks, &self.producer) else {
            return Ok(());
        };
        for output in tasks.outputs().filter(|output| !output.is_empty()) {
            let headers: Vec<Headers> = output.records().map(|r| headers(r.headers)).collect();
            let mut records = output.records().zip(&headers).peekable();
            let mut run = Vec::new();
            while let Some((OutputRecord { target, .. }, _)) = records.peek().copied() {
                let (topic, partitions) = self.topics.of(target);
                while run.len() < RUN_RECORDS
                    && let Some((record, headers)) = records.next_if(|(r, _)| r.target == target)
                {
                    let partition = partition(&record, partitions, &mut self.sticky);
                    let new = NewRecord::new(record.timestamp_ms, record.key, record.value);
                    run.push((partition, NewRecord { headers: headers.as_ref(), ..new }));
                }
                if target == Target::Sink {
                    self.written += run.len() as u64;
                }
                producer.send_all(topic, &run).await?;
                if let (Target::Changelog(StoreId(store)), Some(checkpoint)) =
                    (target, &mut self.checkpoint)
                {
                    checkpoint.append_all(store, &run)?;
                }
                run.clear();
            }
            drop(records);
            output.clear();
        }
        let log = tasks.take_log();
        if !log.is_empty() {
            send_log(&self.spec.settings, producer, &log).await?;
        }
        Ok(())
    }

    /// The offsets that are processed but not committed.
    pub(super) fn uncommitted(&self) -> Vec<(TopicPartition, CommittedOffset)> {
        let of = |topic: &str, positions: &BTreeMap<i32, i64>| {
            let partition = |(partition, position): (&i32, &i64)| {
                (TopicPartition::new(topic, *partition), *position)
            };
            positions.iter().map(partition).collect::<Vec<_>>()
        };
        let mut all = of(&self.topics.source, &self.positions);
        if let Some(topic) = &self.topics.repartition {
            all.extend(of(topic, &self.repartition_positions));
        }
        let changed =
            all.into_iter().filter(|(at, position)| self.committed.get(at) != Some(position));
        changed.map(|(at, position)| (at, CommittedOffset::new(position))).collect()
    }

    /// Forgets everything in memory, so that the query starts from its changelogs and offsets.
    pub(super) fn forget(&mut self) {
        self.tasks = None;
        self.producer = None;
        self.checkpoint = None;
        self.marks = None;
        self.positions.clear();
        self.repartition_positions.clear();
        self.committed.clear();
        self.sticky.clear();
        self.failure = None;
    }

    pub(super) fn status(&mut self, lag: Option<i64>) -> QueryStatus {
        let state = match &self.role {
            Role::Out { .. } if self.cause.is_some() => QueryState::Retrying,
            Role::Out { .. } | Role::Joining(_) | Role::Activating(..) => QueryState::Starting,
            Role::Standby(_) => QueryState::Standby,
            Role::Active(_) => QueryState::Running,
            Role::Ended => QueryState::Failed,
        };
        QueryStatus {
            id: self.spec.id.clone(),
            state,
            cause: self.cause.clone(),
            records: self.records,
            written: self.written,
            counts: self.tasks.as_ref().map(Tasks::counts).unwrap_or_default(),
            stored_rows: self.tasks.as_mut().map_or(0, Tasks::stored_rows),
            lag,
        }
    }
}

/// The headers of a record, as they are written.
fn headers(headers: &[(String, Option<Vec<u8>>)]) -> Headers {
    let mut encoded = Headers::new();
    for (name, value) in headers {
        encoded.push(name.as_bytes(), value.as_deref());
    }
    encoded
}

/// The partition of a record, out of so many.
fn partition(
    record: &OutputRecord<'_>,
    partitions: i32,
    sticky: &mut HashMap<Target, StickyPartitioner>,
) -> i32 {
    match (record.placing, record.key) {
        (Placing::Partition(partition), _) => partition,
        (Placing::ByKey, Some(key)) => partition_for_key(key, partitions),
        (Placing::ByKeyBeforeWindow(window_bytes), Some(key)) => {
            let key = &key[..key.len().saturating_sub(window_bytes)];
            partition_for_key(key, partitions)
        }
        (Placing::ByKey | Placing::ByKeyBeforeWindow(_), None) => {
            let bytes = record.value.map_or(0, <[u8]>::len);
            let new = || StickyPartitioner::new(STICKY_BATCH_BYTES);
            sticky.entry(record.target).or_insert_with(new).partition(bytes, partitions)
        }
    }
}

/// How many records for one topic are handed over at once.
const RUN_RECORDS: usize = 1_000;

/// After how many bytes records without a key go to another partition, as Java's producer does.
const STICKY_BATCH_BYTES: usize = 16_384;

/// Writes entries to the processing log's topic, if there is one; they are traced in any case.
pub(super) async fn send_log(
    settings: &QuerySettings,
    producer: &Producer,
    entries: &[ProcessingLogEntry],
) -> Result<(), LiveError> {
    let now = clock::now().0;
    for entry in entries {
        let json = entry.to_json(now, settings.logs_rows);
        tracing::debug!(target: "processing_log", "{json}");
        if settings.has_processing_log {
            let record = NewRecord::new(now, None, Some(json.as_bytes()));
            producer.send(&settings.processing_log_topic, 0, record).await?;
        }
    }
    Ok(())
}
