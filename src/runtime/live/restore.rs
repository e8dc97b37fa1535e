//! Brings a query to where it stopped: its offsets, and the state that belongs to them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use super::changelog::Changelog;
use super::changelog_retention::retention_ms;
use super::error::LiveError;
use super::figures::Figures;
use super::ids::QueryId;
use super::lane_start::LaneStart;
use super::local_state::LocalState;
use super::offsets::{committed_clocks, partition_times, without_time};
use super::plans::PlanNote;
use super::positions::{Positions, ReadInput, offset_in};
use super::probe::Probe;
use super::restoring::Restoring;
use super::topics::TopicConfigs;
use super::writer;
use crate::kafka::admin::{Admin, OffsetSpec};
use crate::kafka::config::Isolation;
use crate::kafka::fetch::Fetcher;
use crate::kafka::group::{CommittedOffset, Membership};
use crate::kafka::produce::Producer;
use crate::kafka::{Cluster, KafkaError, TopicPartition};
use crate::operators::StoredRecord;
use crate::plan::StoreId;
use crate::runtime::{OffsetMetadata, ShardClocks, Tasks, clock, encode_metadata};
use crate::state::checkpoint::{Change, Mark};
use crate::types::Partition;

/// A query that is ready to go on.
pub(super) struct Restored {
    /// All its tasks.
    pub(super) tasks: Tasks,
    pub(super) local: LocalState,
    /// What it writes with. Its transaction, if it has any, has begun.
    pub(super) producer: Producer,
    pub(super) lanes: Vec<LaneStart>,
    pub(super) committed: BTreeMap<TopicPartition, CommittedOffset>,
    /// The fingerprint of its plan.
    pub(super) fingerprint: String,
}

/// How long a restore waits for the next records of a changelog.
const POLL: Duration = Duration::from_millis(500);

/// After how many polls without a record a restore looks whether its topic is still there.
const QUIET_POLLS: u32 = 10;

/// How long Kafka keeps tombstones, unless a topic says otherwise.
const TOMBSTONES_MS: i64 = 24 * 60 * 60 * 1_000;

/// How many bytes a restore fetches ahead.
const RESTORE_BUFFER_BYTES: usize = 16 << 20;

impl Restoring {
    /// Finds the query's offsets and restores its state.
    ///
    /// A query that starts for the first time commits where it starts before it processes anything,
    /// so that state without an offset, or an offset without its state, is never a matter of luck.
    pub(super) async fn activate(mut self, member: &Membership) -> Result<Restored, LiveError> {
        self.refuse_what_is_followed()?;
        let admin = Admin::new(&self.cluster);
        // Offsets and changelogs count once nobody else writes to them any more.
        let producer = self.producer(member.lease()).await?;
        let mut committed = member.offsets().committed(None).await?;
        let note = PlanNote::look(&admin, &self).await?;
        if let Some(cause) = note.refusal(&committed).filter(|_| !self.is_replacement) {
            return Err(self.state_error(cause));
        }
        self.made_again.extend(note.made_again());
        self.say_what_was_made_again();
        self.say_what_is_spread();
        // Offsets of a topic that is gone say nothing of the one that has its name now, but still where the
        // clocks of the state stand.
        let before = committed.clone();
        committed.retain(|at, _| !self.made_again.contains(&*at.topic));
        let mut restored = self.restore(&admin, &self.clocks(&before)).await?;
        self.say_what_may_be_short(&mut restored, &before);
        let is_first = committed.is_empty() && !self.is_source_made_again();
        if is_first && restored.records > 0 {
            return Err(self.state_error(format!(
                "its changelog holds {} records, but its group has no offsets; millstream reset \
                 FILE {} deletes them, so that it starts anew",
                restored.records,
                self.layout.query_id()
            )));
        }
        let lanes = self.lanes(&admin, &committed).await?;
        let mut known = BTreeMap::new();
        for start in &lanes {
            let at = TopicPartition::new(&*start.topic, start.lane.upstream.0);
            let new = || {
                let metadata = OffsetMetadata::default().with_fingerprint(note.fingerprint());
                encode_metadata(&metadata)
            };
            let metadata = match (committed.get(&at), before.get(&at)) {
                (Some(committed), _) => committed.metadata.clone(),
                (None, Some(gone)) => without_time(gone),
                (None, None) => new(),
            };
            known.insert(at, CommittedOffset { offset: start.position, metadata });
        }
        let fingerprint = note.fingerprint().to_owned();
        let new: Vec<_> = known
            .iter()
            .filter(|(at, begins)| committed.get(at).map(|at| at.offset) != Some(begins.offset))
            .map(|(at, begins)| (at.clone(), begins.clone()))
            .collect();
        // The note says what the offsets are of, so it comes first. Where it is to say that topics were made
        // again it comes last, lest the offsets of those that are gone are taken for theirs.
        if self.made_again.is_empty() {
            note.write(&self.cluster, &self).await?;
            writer::commit(&producer, member, &new).await?;
        } else {
            writer::commit(&producer, member, &new).await?;
            note.write(&self.cluster, &self).await?;
        }
        let Restore { tasks, local, .. } = restored;
        Ok(Restored { tasks, local, producer, lanes, committed: known, fingerprint })
    }

    /// Where each partition is read from.
    async fn lanes(
        &self,
        admin: &Admin,
        committed: &BTreeMap<TopicPartition, CommittedOffset>,
    ) -> Result<Vec<LaneStart>, LiveError> {
        let positions = Positions {
            query: QueryId::from(self.layout.query_id()),
            admin,
            committed,
            stops_at_lost: self.settings.stops_at_lost_records,
        };
        let mut lanes = Vec::new();
        for (input, topic) in &self.topics.inputs {
            let (input, reset) = (*input, self.reset_of(*input));
            let is_made_again = self.made_again.contains(&topic.name);
            let read = ReadInput { input, topic, reset, is_made_again };
            lanes.extend(positions.of(read).await?);
        }
        Ok(lanes)
    }

    /// Warns of windows that may have lost readings, as the broker has deleted records of their changelogs.
    fn say_what_may_be_short(
        &self,
        restored: &mut Restore,
        committed: &BTreeMap<TopicPartition, CommittedOffset>,
    ) {
        let now_ms = clock::now().0;
        let oldest = partition_times(committed).into_values().min();
        let clocks = restored.tasks.clocks();
        for (store, partition) in &restored.cut {
            let is_it = |at: &&ShardClocks| at.store.0 == *store && at.partition.0 == *partition;
            let of_shard = clocks.iter().find(is_it).map(|shard| shard.clocks);
            // With EMIT FINAL windows are needed that were not given, however far time has come.
            let of_shard =
                of_shard.and_then(|at| at.emitted_to.into_iter().chain(at.stream_time).min());
            let (Some(changelog), Some(time)) =
                (restored.changelogs.get(*store), of_shard.or(oldest))
            else {
                continue;
            };
            if changelog.may_lack_state(time, now_ms) {
                let Changelog { topic, kept_ms, .. } = changelog;
                tracing::warn!(
                    "query {}: the broker has deleted records of its changelog {topic}, partition {partition} (retention.ms \
                     is {kept_ms}), that its state may still need: windows that were open may come out short",
                    self.layout.query_id()
                );
            }
        }
    }
}

impl Restoring {
    /// Looks at all changelogs.
    async fn changelogs(&self, admin: &Admin) -> Result<Arc<[Changelog]>, LiveError> {
        let mut changelogs = Vec::with_capacity(self.topics.changelogs.len());
        for ((_, node, store), topic) in self.layout.plan().stores().zip(&self.topics.changelogs) {
            let name = topic.name.as_str();
            let partitions: Vec<_> = topic.all_partitions().collect();
            let all = |spec| partitions.iter().map(|at| (at.clone(), spec)).collect::<Vec<_>>();
            let isolation = Isolation::ReadCommitted;
            let starts = admin.list_offsets(&all(OffsetSpec::Earliest), isolation).await?;
            let ends = admin.list_offsets(&all(OffsetSpec::Latest), isolation).await?;
            let extent = |at: &TopicPartition| (offset_in(&starts, at), offset_in(&ends, at));
            let configs = TopicConfigs::of(admin, name).await;
            changelogs.push(Changelog {
                topic: topic.name.clone(),
                store: store.name.clone(),
                kind: store.kind,
                retention_ms: store.retention_ms,
                is_final: self.layout.plan().node(node).kind.is_final(),
                id: admin.describe_topic(name).await?.map(|topic| topic.id.0).unwrap_or_default(),
                kept_ms: retention_ms(&configs),
                tombstones_ms: configs.get("delete.retention.ms").unwrap_or(TOMBSTONES_MS),
                extents: partitions.iter().map(|at| (at.partition, extent(at))).collect(),
            });
        }
        Ok(changelogs.into())
    }

    /// Where the clocks of the state stand that belongs to these offsets.
    fn clocks(&self, committed: &BTreeMap<TopicPartition, CommittedOffset>) -> Vec<ShardClocks> {
        let topic = self.topics.first_source();
        let clocks = topic.map(|topic| committed_clocks(self.layout.plan(), topic, committed));
        clocks.unwrap_or_default()
    }

    /// Brings all state back: from the local checkpoint, if there is one, then from the changelogs.
    ///
    /// Clocks come first: they say which rows of the past are still to be given, and must not be
    /// forgotten for those that come after them.
    async fn restore(&self, admin: &Admin, clocks: &[ShardClocks]) -> Result<Restore, LiveError> {
        let at_ms = clock::now().0;
        let query = QueryId::from(self.layout.query_id());
        let changelogs = self.changelogs(admin).await?;
        let directory = self.directory.as_ref();
        let mut local = LocalState::open(query, directory, &changelogs, at_ms).await?;
        let new_tasks = || {
            let mut tasks = Tasks::new(Arc::new(self.layout.alone()), 0)?;
            for shard in clocks {
                tasks.restore_clocks(*shard);
            }
            Ok(tasks)
        };
        let (tasks, records) = local.replay(new_tasks).await?;
        let (admin, probe) = (admin.clone(), Arc::clone(&self.probe));
        let (of_all, cut) = (Arc::clone(&changelogs), BTreeSet::new());
        let figures = Arc::clone(&self.figures);
        figures.restored.fetch_add(records, Relaxed);
        figures.restoring.store(0, Relaxed);
        let mut restored =
            Restore { admin, probe, figures, tasks, local, records, changelogs: of_all, cut };
        for (store, changelog) in changelogs.iter().enumerate() {
            restored.read(&self.cluster, (store, changelog), at_ms).await?;
        }
        Ok(restored)
    }
}

/// State on its way back.
struct Restore {
    admin: Admin,
    probe: Arc<dyn Probe>,
    figures: Arc<Figures>,
    tasks: Tasks,
    local: LocalState,
    /// How many records it comes from.
    records: u64,
    /// The changelogs, by their stores, and the partitions of each that are read from where the broker has deleted records
    /// before.
    changelogs: Arc<[Changelog]>,
    cut: BTreeSet<(usize, i32)>,
}

impl Restore {
    /// Reads what a changelog holds beyond the local checkpoint, which then has everything before
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
            let position = self.local.position(store, *partition);
            if position.is_none() && *start > 0 {
                self.cut.insert((store, *partition));
            }
            let start = position.unwrap_or(*start);
            if start < *end {
                let at = TopicPartition::new(topic, *partition);
                left.insert(at.clone(), start);
                ends.insert(at, *end);
                records += end - start;
            } else {
                self.local.restored((store, *partition), Mark { offset: start, at_ms })?;
            }
        }
        if left.is_empty() {
            return Ok(());
        }
        tracing::info!("restoring up to {records} records from {topic}");
        self.figures.restoring.store(u64::try_from(records).unwrap_or(0), Relaxed);
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
                    fetcher.seek(&at, offset_in(&start, &at));
                    continue;
                }
                fetched => fetched?,
            };
            quiet = if fetched.is_empty() { quiet + 1 } else { 0 };
            if quiet == QUIET_POLLS {
                quiet = 0;
                let exists = self.admin.describe_topic(topic).await?.is_some();
                exists.then_some(()).ok_or_else(|| LiveError::deleted(topic))?;
            }
            for fetched in fetched {
                let partition = fetched.partition.partition;
                self.probe.restore(topic);
                let before = self.records;
                for record in fetched.records() {
                    let record = record.map_err(|error| failed(error.to_string()))?;
                    let Some(key) = record.key else { continue };
                    let (value, timestamp_ms) = (record.value, record.timestamp);
                    self.take((store, partition), &Change { key, value, timestamp_ms })?;
                }
                self.note_restored(fetched.next_offset - fetched.position, self.records - before);
                if ends.get(&fetched.partition).is_some_and(|end| fetched.next_offset >= *end) {
                    ends.remove(&fetched.partition);
                    fetcher.unassign([&fetched.partition]);
                    let offset = fetched.next_offset;
                    self.local.restored((store, partition), Mark { offset, at_ms })?;
                }
            }
        }
        Ok(())
    }

    /// Notes that so many offsets are restored, at which so many records were.
    fn note_restored(&self, offsets: i64, records: u64) {
        let offsets = u64::try_from(offsets).unwrap_or(0);
        let left = self.figures.restoring.load(Relaxed).saturating_sub(offsets);
        self.figures.restoring.store(left, Relaxed);
        self.figures.restored.fetch_add(records, Relaxed);
    }

    fn take(&mut self, at: (usize, i32), change: &Change<'_>) -> Result<(), LiveError> {
        let Change { key, value, timestamp_ms } = *change;
        let record = StoredRecord { key, value, timestamp_ms };
        self.tasks.restore(StoreId(at.0), Partition(at.1), &record)?;
        self.records += 1;
        self.local.append(at, change)
    }
}
