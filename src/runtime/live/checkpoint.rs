//! The local checkpoint of a query while it runs: logs that follow its changelogs.
//!
//! What is sent to a changelog is added to its log as well, and is whole there once a mark is
//! written behind it. That is done last, after the group has taken the offsets of a commit: it
//! refuses those of a member that it has gone on without, so what such a member has written in
//! vain is never marked, and is cut off when the log is opened again. The mark's offset comes from
//! the acknowledgements of the changelog, and its time from before the commit began. So everything
//! that a log lacks lies behind its mark, and was written after the mark's time.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use tokio::sync::{Mutex, OwnedMutexGuard};
use tokio::task::JoinHandle;

use super::changelog::Changelog;
use super::error::LiveError;
use super::query_topics::Topic;
use crate::kafka::TopicPartition;
use crate::kafka::admin::{Admin, OffsetSpec};
use crate::kafka::config::Isolation;
use crate::kafka::produce::{NewRecord, Producer};
use crate::operators::{QueryError, StoredRecord};
use crate::plan::{StoreId, StoreKind};
use crate::runtime::panics::guard;
use crate::runtime::{ShardClocks, Tasks};
use crate::state::checkpoint::{
    Change, ChangeLog, CheckpointError, Claim, Compacted, Forgetting, Found, Mark, Mirrored,
    QueryDirectory, StateDirectory,
};
use crate::types::Partition;

/// How many bytes of changes wait in memory for the next mark; more are written before it.
const PENDING_BYTES_MAX: usize = 4 << 20;

/// How old a mark gets before it is written again although nothing has changed.
const REFRESH_MS: i64 = 10 * 60 * 1_000;

/// Where a query's checkpoint is. Clones are of one query: only one of them opens it at a time.
#[derive(Clone, Debug)]
pub(super) struct CheckpointDirectory {
    directory: QueryDirectory,
    turn: Arc<Mutex<()>>,
    /// Keeps other processes out.
    _lock: Arc<StateDirectory>,
}

/// The open logs of a query.
pub(super) struct Checkpoint {
    directory: QueryDirectory,
    stores: Vec<Vec<ChangeLog>>,
    changelogs: Arc<[Changelog]>,
    /// Up to when closed windows were given, by store and partition, with `EMIT FINAL`.
    given_to: BTreeMap<(usize, usize), i64>,
    pending_bytes: usize,
    compacting: Option<Compacting>,
    /// Until it is dropped, here and by a compaction, nobody opens the logs again.
    turn: Arc<OwnedMutexGuard<()>>,
}

/// A log that is being compacted.
struct Compacting {
    at: (usize, usize),
    compacted: JoinHandle<Result<Compacted, CheckpointError>>,
}

/// The marks of a commit: offsets by store and partition.
pub(super) struct CommitMarks {
    at_ms: i64,
    offsets: Vec<((usize, usize), i64)>,
}

impl CheckpointDirectory {
    pub(super) fn new(lock: Arc<StateDirectory>, query: &str, fingerprint: &str) -> Self {
        Self { directory: lock.query(query, fingerprint), turn: Arc::default(), _lock: lock }
    }

    /// The same for a query that has taken the place of another one of its id, if it has.
    pub(super) fn replacing(self, is_replacement: bool) -> Self {
        Self { directory: self.directory.replacing(is_replacement), ..self }
    }

    /// Deletes them, once nobody has them open.
    pub(super) async fn delete(&self) -> Result<(), LiveError> {
        let turn = Arc::clone(&self.turn).lock_owned().await;
        let directory = self.directory.clone();
        let deleted = blocking(move || {
            let _turn = turn;
            directory.delete()
        });
        Ok(deleted.await??)
    }

    /// Opens the logs of all changelogs; those that do not belong to them begin anew.
    pub(super) async fn open(
        &self,
        changelogs: &Arc<[Changelog]>,
        now_ms: i64,
    ) -> Result<Checkpoint, LiveError> {
        let turn = Arc::new(Arc::clone(&self.turn).lock_owned().await);
        let (directory, changelogs) = (self.directory.clone(), Arc::clone(changelogs));
        blocking(move || {
            if directory.claim()? == Claim::Unknown {
                tracing::warn!(
                    "local state {}: nobody can say whose it was; the changelogs are read in full",
                    directory.path().display()
                );
            }
            let mut stores = Vec::with_capacity(changelogs.len());
            for changelog in &*changelogs {
                stores.push(open_logs(&directory, changelog, now_ms)?);
            }
            Ok(Checkpoint {
                directory,
                stores,
                changelogs,
                given_to: BTreeMap::new(),
                pending_bytes: 0,
                compacting: None,
                turn,
            })
        })
        .await?
    }
}

/// What the log of a changelog may forget, where closed windows were given up to `given_to`: what its store has forgotten.
fn forgetting(changelog: &Changelog, given_to: Option<i64>) -> Option<Forgetting> {
    let keep_ms = changelog.retention_ms?;
    // A window is no longer than it is kept, so one that was not given starts after this.
    let not_given = || given_to.map_or(i64::MIN, |given_to| given_to.saturating_sub(keep_ms));
    let before_ms = if changelog.is_final { not_given() } else { i64::MAX };
    Some(Forgetting { time_of: time_of(changelog.kind), keep_ms, before_ms })
}

/// The time by which a store of a kind forgets: the start of a window, the end of a session, or that of the row. It stands
/// in the key, where no row that is out of order changes it.
fn time_of(kind: StoreKind) -> fn(&Change<'_>) -> i64 {
    fn at(change: &Change<'_>, from_end: usize) -> i64 {
        let time =
            change.key.len().checked_sub(from_end).and_then(|at| change.key[at..].first_chunk());
        time.map_or(change.timestamp_ms, |time| i64::from_be_bytes(*time))
    }
    match kind {
        StoreKind::WindowAggregate => |change| at(change, 12),
        StoreKind::SessionAggregate => |change| at(change, 16),
        _ => |change| change.timestamp_ms,
    }
}

fn open_logs(
    directory: &QueryDirectory,
    changelog: &Changelog,
    now_ms: i64,
) -> Result<Vec<ChangeLog>, CheckpointError> {
    let mut logs = Vec::with_capacity(changelog.extents.len());
    for (partition, extent) in &changelog.extents {
        let path = directory.log(&changelog.store, *partition);
        let (topic, store) = (changelog.id, changelog.store.clone());
        let mirrored = Mirrored { topic, store, partition: *partition };
        let (mut log, found) = ChangeLog::open(path.clone(), mirrored)?;
        let misfit = match found {
            Found::Nothing => None,
            Found::Useless(cause) => Some(cause.to_owned()),
            Found::Whole(mark) => misfit(mark, *extent, now_ms, changelog.tombstones_ms),
        };
        if let Some(cause) = misfit {
            let (path, topic) = (path.display(), &changelog.topic);
            tracing::warn!(
                "local state {path}: {cause}; partition {partition} of {topic} is read in full"
            );
            log.reset()?;
        }
        logs.push(log);
    }
    Ok(logs)
}

/// Why a log that ends with `mark` does not belong to a changelog of this extent.
fn misfit(mark: Mark, (start, end): (i64, i64), now_ms: i64, tombstones_ms: i64) -> Option<String> {
    let Mark { offset, at_ms } = mark;
    if offset > end {
        return Some(format!("it goes to offset {offset}, but its changelog ends at {end}"));
    }
    if offset < start {
        return Some(format!("it goes to offset {offset}, but its changelog begins at {start}"));
    }
    // A tombstone that was written and forgotten while nobody looked would leave its row here.
    let is_old = now_ms.abs_diff(at_ms) >= tombstones_ms.unsigned_abs();
    is_old.then(|| format!("it is older than its changelog keeps tombstones ({tombstones_ms} ms)"))
}

impl Checkpoint {
    /// From which offsets on changelogs are to be read, by store and partition; all of those that are
    /// not among them.
    pub(super) fn positions(&self) -> impl Iterator<Item = ((usize, i32), i64)> {
        let stores = self.stores.iter().enumerate();
        stores.flat_map(|(store, logs)| {
            let marks = logs.iter().map(ChangeLog::mark).enumerate();
            marks.filter_map(move |(partition, mark)| {
                Some(((store, partition as i32), mark?.offset))
            })
        })
    }

    /// Its directory.
    pub(super) fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Gives all changes to a query's tasks.
    pub(super) fn replay(&self, tasks: &mut Tasks) -> Result<u64, LiveError> {
        let mut restored = 0;
        for (store, logs) in self.stores.iter().enumerate() {
            for (partition, log) in logs.iter().enumerate() {
                restored += log.read(|change| {
                    let Change { key, value, timestamp_ms } = *change;
                    let record = StoredRecord { key, value, timestamp_ms };
                    tasks
                        .restore(StoreId(store), Partition(partition as i32), &record)
                        .map_err(LiveError::from)
                })?;
            }
        }
        Ok(restored)
    }

    /// Adds a change that came from a changelog, or goes there.
    pub(super) fn append(
        &mut self,
        (store, partition): (usize, i32),
        change: &Change<'_>,
    ) -> Result<(), CheckpointError> {
        let log = self.stores.get_mut(store).and_then(|logs| logs.get_mut(partition as usize));
        let Some(log) = log else { return Ok(()) };
        let before = log.pending_bytes();
        log.append(change);
        self.pending_bytes += log.pending_bytes() - before;
        if self.pending_bytes > PENDING_BYTES_MAX {
            self.pending_bytes = 0;
            self.stores.iter_mut().flatten().try_for_each(ChangeLog::write_out)?;
        }
        Ok(())
    }

    /// Adds changes that were sent to a changelog, each with its partition.
    pub(super) fn append_all(
        &mut self,
        store: usize,
        records: &[(i32, NewRecord<'_>)],
    ) -> Result<(), CheckpointError> {
        for (partition, record) in records {
            let (key, value) = (record.key.unwrap_or_default(), record.value);
            let change = Change { key, value, timestamp_ms: record.timestamp };
            self.append((store, *partition), &change)?;
        }
        Ok(())
    }

    /// Marks what was restored: everything before `offset`.
    pub(super) fn restored(
        &mut self,
        (store, partition): (usize, i32),
        mark: Mark,
    ) -> Result<(), CheckpointError> {
        let log = self.stores.get_mut(store).and_then(|logs| logs.get_mut(partition as usize));
        log.map_or(Ok(()), |log| log.write_mark(mark))
    }

    /// Writes the marks of a commit, with where the clocks of stores stand, then looks whether a log has to be
    /// compacted.
    pub(super) async fn commit(
        &mut self,
        marks: CommitMarks,
        clocks: &[ShardClocks],
    ) -> Result<(), LiveError> {
        for ShardClocks { store, partition, clocks } in clocks {
            let at = (store.0, usize::try_from(partition.0).unwrap_or_default());
            self.given_to.extend(clocks.emitted_to.map(|given_to| (at, given_to)));
        }
        let CommitMarks { at_ms, offsets } = marks;
        for ((store, partition), offset) in offsets {
            self.stores[store][partition].write_mark(Mark { offset, at_ms })?;
        }
        self.pending_bytes = self.stores.iter().flatten().map(ChangeLog::pending_bytes).sum();
        self.compact().await
    }

    /// Ends a compaction that is done, or else begins one that is due; one at a time.
    async fn compact(&mut self) -> Result<(), LiveError> {
        if let Some(compacting) = &mut self.compacting {
            if !compacting.compacted.is_finished() {
                return Ok(());
            }
            let (store, partition) = compacting.at;
            let compacted = (&mut compacting.compacted).await.map_err(|error| gone(&error))??;
            self.compacting = None;
            // A log whose last changes have no mark is compacted another time.
            self.stores[store][partition].adopt(&compacted)?;
        }
        for (store, logs) in self.stores.iter().enumerate() {
            for (partition, log) in logs.iter().enumerate() {
                let given_to = self.given_to.get(&(store, partition)).copied();
                let forgetting = forgetting(&self.changelogs[store], given_to);
                let Some(compaction) = log.compaction(forgetting) else { continue };
                let turn = Arc::clone(&self.turn);
                let compacted = tokio::task::spawn_blocking(move || {
                    let compacted = compaction.run();
                    drop(turn);
                    compacted
                });
                self.compacting = Some(Compacting { at: (store, partition), compacted });
                return Ok(());
            }
        }
        Ok(())
    }

    /// The marks that a commit can write which began at `at_ms`, once all changes are written to the
    /// changelogs in `topics`.
    ///
    /// Where a broker has not told where the last changes are, the changelog's end will do: until
    /// the group has taken the commit, nobody else was to write there.
    pub(super) async fn next_marks(
        &self,
        at_ms: i64,
        topics: &[Topic],
        producer: &Producer,
    ) -> CommitMarks {
        let mut marks = CommitMarks { at_ms, offsets: Vec::new() };
        let mut unknown = Vec::new();
        for (store, (logs, topic)) in self.stores.iter().zip(topics).enumerate() {
            let topic = topic.name.as_str();
            for (partition, log) in logs.iter().enumerate() {
                let at = (store, partition);
                if log.has_changes() {
                    match producer.end_offset(topic, partition as i32) {
                        Some(offset) => marks.offsets.push((at, offset)),
                        None => unknown.push((TopicPartition::new(topic, partition as i32), at)),
                    }
                } else if let Some(mark) = log.mark()
                    && at_ms - mark.at_ms >= REFRESH_MS
                {
                    marks.offsets.push((at, mark.offset));
                }
            }
        }
        if !unknown.is_empty() {
            let asked: Vec<_> =
                unknown.iter().map(|(at, _)| (at.clone(), OffsetSpec::Latest)).collect();
            let admin = Admin::new(producer.cluster());
            let ends = admin.list_offsets(&asked, Isolation::ReadCommitted).await;
            let ends = ends.unwrap_or_else(|error| {
                tracing::debug!("marked at the next commit: {error}");
                BTreeMap::new()
            });
            let end = |at: &TopicPartition| ends.get(at).and_then(|end| end.offset);
            marks.offsets.extend(unknown.iter().filter_map(|(at, log)| Some((*log, end(at)?))));
        }
        marks
    }
}

/// Runs what waits for the disk where it keeps nobody waiting.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, LiveError> {
    let done = tokio::task::spawn_blocking(|| guard(work)).await;
    Ok(done.map_err(|error| gone(&error))??)
}

fn gone(error: &tokio::task::JoinError) -> LiveError {
    LiveError::Query(QueryError::new(format!("work on local state ended: {error}")))
}

#[cfg(test)]
mod tests;
