//! Brings a query to where it stopped: its offsets, and the state that belongs to them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::checkpoint::{Checkpoint, Home, blocking};
use super::query::{LiveError, QuerySpec, QueryTopics};
use crate::kafka::admin::{Admin, ConfigResource, OffsetSpec};
use crate::kafka::config::Isolation;
use crate::kafka::fetch::Fetcher;
use crate::kafka::group::{CommittedOffset, GroupMetadata, GroupOffsets};
use crate::kafka::partitioner::partition_for_key;
use crate::kafka::{Cluster, KafkaError, TopicPartition};
use crate::operators::{StoredRecord, TopologyOptions};
use crate::plan::{Gives, QueryPlan, StoreId};
use crate::runtime::{Spread, TaskOptions, Tasks, clock};
use crate::state::checkpoint::{Change, CheckpointError, Mark, TopicId};
use crate::types::Partition;

/// A query that is ready to go on.
pub(super) struct Activated {
    pub(super) tasks: Tasks,
    pub(super) checkpoint: Option<Checkpoint>,
    pub(super) positions: BTreeMap<i32, i64>,
    pub(super) repartition_positions: BTreeMap<i32, i64>,
    pub(super) committed: BTreeMap<TopicPartition, i64>,
}

/// How long a restore waits for the next records of a changelog.
const POLL: Duration = Duration::from_millis(500);

/// After how many polls without a record a restore looks whether its topic is still there.
const QUIET_POLLS: u32 = 10;

/// How long Kafka keeps tombstones, unless a topic says otherwise.
const TOMBSTONES_MS: i64 = 24 * 60 * 60 * 1_000;

/// How many bytes a restore fetches ahead.
const RESTORE_BUFFER_BYTES: usize = 16 << 20;

/// Finds the query's offsets and restores its state.
///
/// A query that starts for the first time commits where it starts before it processes anything, so
/// that state without an offset, or an offset without its state, is never a matter of luck.
pub(super) async fn activate(
    cluster: Cluster,
    spec: QuerySpec,
    topics: QueryTopics,
    member: GroupMetadata,
    home: Option<Home>,
) -> Result<Activated, LiveError> {
    let admin = Admin::new(&cluster);
    let state_error = |cause| LiveError::State { query: spec.id.clone(), cause };
    if let Some(cause) = &topics.lost_state {
        return Err(state_error(cause.clone()));
    }
    let offsets = GroupOffsets::new(&cluster, &member.group);
    let committed = offsets.committed(None).await?;
    let tasks = Tasks::new(Arc::clone(&spec.plan), &spec.id, task_options(&spec, &topics))?;
    let is_first = committed.is_empty();
    let (tasks, checkpoint, restored) = restore(&cluster, (&spec, &topics), tasks, home).await?;
    if is_first && restored > 0 {
        return Err(state_error(format!(
            "its changelog holds {restored} records, but its group has no offsets; delete the \
             changelog topics to start anew"
        )));
    }
    let is_table = spec.plan.nodes.first().is_some_and(|node| node.gives == Gives::Changes);
    // A partition that is new to a query which has begun holds nothing that it has seen.
    let start = if spec.settings.from_earliest || is_table || !is_first {
        OffsetSpec::Earliest
    } else {
        OffsetSpec::Latest
    };
    let source = (topics.source.as_str(), topics.source_partitions);
    let positions = positions(&admin, source, &committed, start).await?;
    let repartition_positions = match &topics.repartition {
        None => BTreeMap::new(),
        Some(topic) => {
            let repartition = (topic.as_str(), topics.state_partitions);
            self::positions(&admin, repartition, &committed, OffsetSpec::Earliest).await?
        }
    };
    let mut known = BTreeMap::new();
    for (topic, positions) in
        [(Some(&topics.source), &positions), (topics.repartition.as_ref(), &repartition_positions)]
    {
        let Some(topic) = topic else { continue };
        for (partition, position) in positions {
            known.insert(TopicPartition::new(topic.as_str(), *partition), *position);
        }
    }
    let new: Vec<_> = known
        .iter()
        .filter(|(partition, _)| !committed.contains_key(partition))
        .map(|(partition, position)| (partition.clone(), CommittedOffset::new(*position)))
        .collect();
    offsets.commit_as(&member, &new).await?;
    Ok(Activated { tasks, checkpoint, positions, repartition_positions, committed: known })
}

fn task_options(spec: &QuerySpec, topics: &QueryTopics) -> TaskOptions {
    let partitions = topics.state_partitions;
    let spread = Spread { partitions, partitioner: partition_for_key };
    let is_in_memory = topics.repartition.is_none();
    // Each task has its share of the cache, and a cache that is there at all holds something.
    let cached_groups = spec.settings.cached_groups();
    let share = cached_groups.div_ceil(usize::try_from(partitions).unwrap_or(1).max(1));
    TaskOptions {
        topology: TopologyOptions {
            cached_groups: share,
            emit_interval_ms: spec.settings.emit_interval_ms,
        },
        spreads: spec
            .plan
            .repartitions()
            .filter(|_| is_in_memory)
            .map(|(id, ..)| (id, spread))
            .collect(),
    }
}

/// Where each partition is to be read from: after what is committed, else where a start is.
async fn positions(
    admin: &Admin,
    (topic, partitions): (&str, i32),
    committed: &BTreeMap<TopicPartition, CommittedOffset>,
    start: OffsetSpec,
) -> Result<BTreeMap<i32, i64>, LiveError> {
    let mut positions = BTreeMap::new();
    let mut unknown = Vec::new();
    for partition in 0..partitions {
        let at = TopicPartition::new(topic, partition);
        match committed.get(&at) {
            Some(committed) => drop(positions.insert(partition, committed.offset)),
            None => unknown.push((at, start)),
        }
    }
    if unknown.is_empty() {
        return Ok(positions);
    }
    let listed = admin.list_offsets(&unknown, Isolation::ReadCommitted).await?;
    for (at, offset) in listed {
        positions.insert(at.partition, offset.offset.unwrap_or(0));
    }
    Ok(positions)
}

/// A changelog topic, as a restore finds it.
pub(super) struct Changelog {
    pub(super) topic: String,
    /// The name of its store.
    pub(super) store: String,
    /// How long windows are kept, for a store that has them.
    pub(super) retention_ms: Option<i64>,
    pub(super) id: TopicId,
    /// How long the topic keeps tombstones.
    pub(super) tombstones_ms: i64,
    /// The first offset and the one after the last, by partition.
    pub(super) extents: BTreeMap<i32, (i64, i64)>,
}

/// Looks at all changelogs.
async fn changelogs(
    admin: &Admin,
    plan: &QueryPlan,
    topics: &QueryTopics,
) -> Result<Vec<Changelog>, LiveError> {
    let mut changelogs = Vec::with_capacity(topics.changelogs.len());
    for ((_, _, store), topic) in plan.stores().zip(&topics.changelogs) {
        let partitions: Vec<_> =
            (0..topics.state_partitions).map(|p| TopicPartition::new(topic.as_str(), p)).collect();
        let all = |spec| partitions.iter().map(|at| (at.clone(), spec)).collect::<Vec<_>>();
        let isolation = Isolation::ReadCommitted;
        let starts = admin.list_offsets(&all(OffsetSpec::Earliest), isolation).await?;
        let ends = admin.list_offsets(&all(OffsetSpec::Latest), isolation).await?;
        let extent = |at: &TopicPartition| {
            let start = starts.get(at).and_then(|start| start.offset).unwrap_or(0);
            (start, ends.get(at).and_then(|end| end.offset).unwrap_or(0))
        };
        changelogs.push(Changelog {
            topic: topic.clone(),
            store: store.name.clone(),
            retention_ms: store.retention_ms,
            id: admin.describe_topic(topic).await?.map(|topic| topic.id.0).unwrap_or_default(),
            tombstones_ms: tombstones_ms(admin, topic).await,
            extents: partitions.iter().map(|at| (at.partition, extent(at))).collect(),
        });
    }
    Ok(changelogs)
}

/// How long a topic keeps tombstones; Kafka's default if it does not say.
async fn tombstones_ms(admin: &Admin, topic: &str) -> i64 {
    let configs = admin.describe_configs(&ConfigResource::Topic(topic.to_owned())).await;
    let configs = configs.unwrap_or_else(|error| {
        tracing::debug!("the configuration of {topic} is not known: {error}");
        Vec::new()
    });
    let found = configs.into_iter().find(|entry| entry.name == "delete.retention.ms");
    found.and_then(|entry| entry.value?.parse().ok()).unwrap_or(TOMBSTONES_MS)
}

/// Brings all state back: from the local checkpoint, if there is one, then from the changelogs.
/// Gives the number of records.
async fn restore(
    cluster: &Cluster,
    (spec, topics): (&QuerySpec, &QueryTopics),
    tasks: Tasks,
    home: Option<Home>,
) -> Result<(Tasks, Option<Checkpoint>, u64), LiveError> {
    let at_ms = clock::now().0;
    let admin = Admin::new(cluster);
    let mut restoring = Restoring { admin: &admin, tasks, checkpoint: None, restored: 0 };
    let changelogs: Arc<[Changelog]> = changelogs(&admin, &spec.plan, topics).await?.into();
    if let Some(home) = home.filter(|_| !changelogs.is_empty()) {
        let checkpoint = home.open(&changelogs, at_ms).await?;
        tracing::info!("restoring query {} from {}", spec.id, home.path().display());
        let mut tasks = restoring.tasks;
        let replayed = blocking(move || {
            let restored = checkpoint.replay(&mut tasks)?;
            Ok::<_, LiveError>((tasks, checkpoint, restored))
        });
        let (tasks, checkpoint, restored) = replayed.await??;
        restoring = Restoring { admin: &admin, tasks, checkpoint: Some(checkpoint), restored };
    }
    for (store, changelog) in changelogs.iter().enumerate() {
        restoring.read(cluster, (store, changelog), at_ms).await?;
    }
    Ok((restoring.tasks, restoring.checkpoint, restoring.restored))
}

/// State on its way back.
struct Restoring<'a> {
    admin: &'a Admin,
    tasks: Tasks,
    checkpoint: Option<Checkpoint>,
    restored: u64,
}

impl Restoring<'_> {
    /// Reads what a changelog holds beyond the checkpoint, which then has everything before
    /// `at_ms`.
    async fn read(
        &mut self,
        cluster: &Cluster,
        (store, changelog): (usize, &Changelog),
        at_ms: i64,
    ) -> Result<(), LiveError> {
        let topic = changelog.topic.as_str();
        let mut left = BTreeMap::new();
        let mut ends = BTreeMap::new();
        let mut records = 0;
        for (partition, (start, end)) in &changelog.extents {
            let checkpoint = self.checkpoint.as_ref();
            let marked = checkpoint.and_then(|checkpoint| checkpoint.position(store, *partition));
            let start = marked.unwrap_or(*start);
            if start < *end {
                let at = TopicPartition::new(topic, *partition);
                left.insert(at.clone(), start);
                ends.insert(at, *end);
                records += end - start;
            } else {
                self.mark((store, *partition), Mark { offset: start, at_ms })?;
            }
        }
        if left.is_empty() {
            return Ok(());
        }
        tracing::info!("restoring up to {records} records from {topic}");
        let fetcher =
            Fetcher::with_options(cluster, Isolation::ReadCommitted, RESTORE_BUFFER_BYTES);
        fetcher.assign(left);
        self.read_to(&fetcher, (store, topic), ends, at_ms).await
    }

    /// Reads a changelog into its store, up to `ends`.
    async fn read_to(
        &mut self,
        fetcher: &Fetcher,
        (store, topic): (usize, &str),
        mut ends: BTreeMap<TopicPartition, i64>,
        at_ms: i64,
    ) -> Result<(), LiveError> {
        let failed = |cause: String| LiveError::Topic { topic: topic.to_owned(), cause };
        let mut quiet = 0;
        while !ends.is_empty() {
            let fetched = match fetcher.poll(POLL).await {
                // What was retained when the restore began is so no longer: the rest is.
                Err(KafkaError::OffsetOutOfRange { partition, .. }) => {
                    let at = TopicPartition::new(topic, partition);
                    let start = [(at.clone(), OffsetSpec::Earliest)];
                    let start = self.admin.list_offsets(&start, Isolation::ReadCommitted).await?;
                    fetcher.seek(&at, start.get(&at).and_then(|start| start.offset).unwrap_or(0));
                    continue;
                }
                fetched => fetched?,
            };
            quiet = if fetched.is_empty() { quiet + 1 } else { 0 };
            if quiet == QUIET_POLLS {
                quiet = 0;
                let exists = self.admin.describe_topic(topic).await?.is_some();
                exists.then_some(()).ok_or_else(|| failed("was deleted".to_owned()))?;
            }
            for fetched in fetched {
                let partition = fetched.partition.partition;
                for record in fetched.records() {
                    let record = record.map_err(|error| failed(error.to_string()))?;
                    let Some(key) = record.key else { continue };
                    let (value, timestamp_ms) = (record.value, record.timestamp);
                    self.take((store, partition), &Change { key, value, timestamp_ms })?;
                }
                if ends.get(&fetched.partition).is_some_and(|end| fetched.next_offset >= *end) {
                    ends.remove(&fetched.partition);
                    fetcher.unassign([&fetched.partition]);
                    let offset = fetched.next_offset;
                    self.mark((store, partition), Mark { offset, at_ms })?;
                }
            }
        }
        Ok(())
    }

    fn take(&mut self, at: (usize, i32), change: &Change<'_>) -> Result<(), LiveError> {
        let Change { key, value, timestamp_ms } = *change;
        let record = StoredRecord { key, value, timestamp_ms };
        self.tasks.restore(StoreId(at.0), Partition(at.1), &record)?;
        self.restored += 1;
        if let Some(checkpoint) = &mut self.checkpoint {
            checkpoint.append(at, change)?;
        }
        Ok(())
    }

    fn mark(&mut self, at: (usize, i32), mark: Mark) -> Result<(), CheckpointError> {
        self.checkpoint.as_mut().map_or(Ok(()), |checkpoint| checkpoint.restored(at, mark))
    }
}
