//! The local checkpoint of a query for as long as the disk takes it.
//!
//! It is only a copy. Where it cannot be read or written, the query says so once and goes on without:
//! what is on disk stays whole up to its last marks, and the next start reads the rest from the changelogs.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::changelog::Changelog;
use super::checkpoint::{Checkpoint, CheckpointDirectory, CommitMarks, blocking};
use super::error::LiveError;
use super::ids::QueryId;
use super::query_topics::Topic;
use crate::kafka::produce::{NewRecord, Producer};
use crate::operators::QueryError;
use crate::runtime::{ShardClocks, Tasks};
use crate::state::checkpoint::{Change, CheckpointError, Mark};

/// The checkpoint of a query, or nothing.
pub(super) struct LocalState {
    query: QueryId,
    checkpoint: Option<Checkpoint>,
    /// Up to where changelogs are in the tasks that it was given to.
    replayed: BTreeMap<(usize, i32), i64>,
}

impl LocalState {
    /// No checkpoint.
    pub(super) fn none(query: QueryId) -> Self {
        Self { query, checkpoint: None, replayed: BTreeMap::new() }
    }

    /// Opens the checkpoint of a query, if it has a place for one.
    pub(super) async fn open(
        query: QueryId,
        directory: Option<&CheckpointDirectory>,
        changelogs: &Arc<[Changelog]>,
        now_ms: i64,
    ) -> Result<Self, LiveError> {
        let mut state = Self::none(query);
        if let Some(directory) = directory.filter(|_| !changelogs.is_empty()) {
            let opened = directory.open(changelogs, now_ms).await;
            state.checkpoint = state.unless_unusable(opened)?;
        }
        Ok(state)
    }

    /// What was done with the checkpoint, unless the disk did not let it.
    fn unless_unusable<T>(
        &mut self,
        done: Result<T, impl Into<LiveError>>,
    ) -> Result<Option<T>, LiveError> {
        match done.map_err(Into::into) {
            Ok(done) => Ok(Some(done)),
            Err(LiveError::Checkpoint(error @ CheckpointError::Io { .. })) => {
                let query = &self.query;
                tracing::warn!("query {query}: {error}; it goes on without a local checkpoint");
                self.checkpoint = None;
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Does something with the checkpoint, if there is one.
    fn with<E: Into<LiveError>>(
        &mut self,
        work: impl FnOnce(&mut Checkpoint) -> Result<(), E>,
    ) -> Result<(), LiveError> {
        let Some(checkpoint) = &mut self.checkpoint else { return Ok(()) };
        let done = work(checkpoint);
        self.unless_unusable(done).map(drop)
    }

    /// Gives all changes to new tasks of the query; how many there are.
    pub(super) async fn replay(
        &mut self,
        tasks: impl Fn() -> Result<Tasks, QueryError>,
    ) -> Result<(Tasks, u64), LiveError> {
        let Some(checkpoint) = self.checkpoint.take() else { return Ok((tasks()?, 0)) };
        tracing::info!("restoring query {} from {}", self.query, checkpoint.path().display());
        let mut filled = tasks()?;
        let replayed = blocking(move || {
            let records = checkpoint.replay(&mut filled)?;
            Ok::<_, LiveError>((filled, checkpoint, records))
        });
        match self.unless_unusable(replayed.await?)? {
            Some((tasks, checkpoint, records)) => {
                self.replayed = checkpoint.positions().collect();
                self.checkpoint = Some(checkpoint);
                Ok((tasks, records))
            }
            // Those that were filled by half are of no use.
            None => Ok((tasks()?, 0)),
        }
    }

    /// From which offset on a partition's changelog is to be read; `None` for all of it.
    pub(super) fn position(&self, store: usize, partition: i32) -> Option<i64> {
        self.replayed.get(&(store, partition)).copied()
    }

    /// Adds a change that came from a changelog.
    pub(super) fn append(
        &mut self,
        at: (usize, i32),
        change: &Change<'_>,
    ) -> Result<(), LiveError> {
        self.with(|checkpoint| checkpoint.append(at, change))
    }

    /// Adds changes that were sent to a changelog, each with its partition.
    pub(super) fn append_all(
        &mut self,
        store: usize,
        records: &[(i32, NewRecord<'_>)],
    ) -> Result<(), LiveError> {
        self.with(|checkpoint| checkpoint.append_all(store, records))
    }

    /// Marks what was restored: everything before the mark's offset.
    pub(super) fn restored(&mut self, at: (usize, i32), mark: Mark) -> Result<(), LiveError> {
        self.with(|checkpoint| checkpoint.restored(at, mark))
    }

    /// The marks that a commit can write which began at `at_ms`, once all changes are written to the
    /// changelogs in `topics`.
    pub(super) async fn next_marks(
        &self,
        at_ms: i64,
        topics: &[Topic],
        producer: &Producer,
    ) -> Option<CommitMarks> {
        let checkpoint = self.checkpoint.as_ref()?;
        Some(checkpoint.next_marks(at_ms, topics, producer).await)
    }

    /// Writes the marks of a commit, with where the clocks of stores stand.
    pub(super) async fn commit(
        &mut self,
        marks: CommitMarks,
        clocks: &[ShardClocks],
    ) -> Result<(), LiveError> {
        let Some(checkpoint) = &mut self.checkpoint else { return Ok(()) };
        let done = checkpoint.commit(marks, clocks).await;
        self.unless_unusable(done).map(drop)
    }
}
