//! Brings a query to where it stopped: its offsets, and the state that belongs to them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::query::{LiveError, QuerySpec, QueryTopics};
use crate::kafka::admin::{Admin, OffsetSpec};
use crate::kafka::config::Isolation;
use crate::kafka::fetch::Fetcher;
use crate::kafka::group::{CommittedOffset, GroupMetadata, GroupOffsets};
use crate::kafka::partitioner::partition_for_key;
use crate::kafka::{Cluster, KafkaError, TopicPartition};
use crate::operators::TopologyOptions;
use crate::plan::StepKind;
use crate::runtime::Task;

/// A query that is ready to go on.
pub(super) struct Activated {
    pub(super) task: Task,
    pub(super) positions: BTreeMap<i32, i64>,
    pub(super) repartition_positions: BTreeMap<i32, i64>,
    pub(super) committed: BTreeMap<TopicPartition, i64>,
}

/// How long a restore waits for the next records of a changelog.
const POLL: Duration = Duration::from_millis(500);

/// After how many polls without a record a restore looks whether its topic is still there.
const QUIET_POLLS: u32 = 10;

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
) -> Result<Activated, LiveError> {
    let admin = Admin::new(&cluster);
    let state_error = |cause| LiveError::State { query: spec.id.clone(), cause };
    if let Some(cause) = &topics.lost_state {
        return Err(state_error(cause.clone()));
    }
    let offsets = GroupOffsets::new(&cluster, &member.group);
    let committed = offsets.committed(None).await?;
    let mut task = Task::new(Arc::clone(&spec.plan), &spec.id, topology_options(&spec, &topics))?;
    let is_first = committed.is_empty();
    let restored = restore(&cluster, &admin, &mut task, &topics).await?;
    if is_first && restored > 0 {
        return Err(state_error(format!(
            "its changelog holds {restored} records, but its group has no offsets; delete the \
             changelog topics to start anew"
        )));
    }
    let is_table = matches!(
        spec.plan.steps.first().map(|step| &step.kind),
        Some(StepKind::TableSource { .. })
    );
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
    Ok(Activated { task, positions, repartition_positions, committed: known })
}

fn topology_options(spec: &QuerySpec, topics: &QueryTopics) -> TopologyOptions {
    TopologyOptions {
        partitions: topics.state_partitions,
        partitioner: partition_for_key,
        rekeys_in_memory: topics.repartition.is_none(),
        cached_groups: spec.settings.cached_groups(),
        emit_interval_ms: spec.settings.emit_interval_ms,
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

/// Reads all changelogs into the task; gives the number of records.
async fn restore(
    cluster: &Cluster,
    admin: &Admin,
    task: &mut Task,
    topics: &QueryTopics,
) -> Result<u64, LiveError> {
    let mut restored = 0;
    for (store, topic) in topics.changelogs.iter().enumerate() {
        let partitions: Vec<_> =
            (0..topics.state_partitions).map(|p| TopicPartition::new(topic.as_str(), p)).collect();
        let all = |spec| partitions.iter().map(|at| (at.clone(), spec)).collect::<Vec<_>>();
        let isolation = Isolation::ReadCommitted;
        let starts = admin.list_offsets(&all(OffsetSpec::Earliest), isolation).await?;
        let ends = admin.list_offsets(&all(OffsetSpec::Latest), isolation).await?;
        let end = |at: &TopicPartition| ends.get(at).and_then(|end| end.offset).unwrap_or(0);
        let open = starts
            .iter()
            .map(|(at, start)| (at.clone(), start.offset.unwrap_or(0)))
            .filter(|(at, start)| *start < end(at));
        let left: BTreeMap<TopicPartition, i64> = open.collect();
        if left.is_empty() {
            continue;
        }
        let records: i64 = left.iter().map(|(at, start)| end(at) - start).sum();
        tracing::info!("restoring up to {records} records from {topic}");
        let ends: BTreeMap<_, _> = left.keys().map(|at| (at.clone(), end(at))).collect();
        let fetcher = Fetcher::with_options(cluster, isolation, RESTORE_BUFFER_BYTES);
        fetcher.assign(left);
        restored += restore_store(&fetcher, admin, task, (store, topic), ends).await?;
    }
    Ok(restored)
}

/// Reads a changelog into its store, up to `ends`; gives the number of records.
async fn restore_store(
    fetcher: &Fetcher,
    admin: &Admin,
    task: &mut Task,
    (store, topic): (usize, &str),
    mut ends: BTreeMap<TopicPartition, i64>,
) -> Result<u64, LiveError> {
    let failed = |cause: String| LiveError::Topic { topic: topic.to_owned(), cause };
    let mut restored = 0;
    let mut quiet = 0;
    while !ends.is_empty() {
        let fetched = match fetcher.poll(POLL).await {
            // What was retained when the restore began is so no longer: the rest is.
            Err(KafkaError::OffsetOutOfRange { partition, .. }) => {
                let at = TopicPartition::new(topic, partition);
                let start = [(at.clone(), OffsetSpec::Earliest)];
                let start = admin.list_offsets(&start, Isolation::ReadCommitted).await?;
                fetcher.seek(&at, start.get(&at).and_then(|start| start.offset).unwrap_or(0));
                continue;
            }
            fetched => fetched?,
        };
        quiet = if fetched.is_empty() { quiet + 1 } else { 0 };
        if quiet == QUIET_POLLS {
            quiet = 0;
            let exists = admin.describe_topic(topic).await?.is_some();
            exists.then_some(()).ok_or_else(|| failed("was deleted".to_owned()))?;
        }
        for fetched in fetched {
            for record in fetched.records() {
                let record = record.map_err(|error| failed(error.to_string()))?;
                let Some(key) = record.key else { continue };
                let partition = fetched.partition.partition;
                task.restore(store, partition, (key, record.value), record.timestamp)?;
                restored += 1;
            }
            if ends.get(&fetched.partition).is_some_and(|end| fetched.next_offset >= *end) {
                ends.remove(&fetched.partition);
                fetcher.unassign([&fetched.partition]);
            }
        }
    }
    Ok(restored)
}
