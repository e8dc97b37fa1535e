//! Commits: what is written first, and when an offset counts.

use std::time::Duration;

use super::query::{LiveError, LiveQuery, Role};
use super::reader::Reader;
use crate::kafka::KafkaError;
use crate::runtime::clock;

/// How long a stop waits for a group that is about to answer.
const JOIN_WAIT: Duration = Duration::from_secs(1);

impl Reader {
    /// Commits the queries whose commit is due, or all that run.
    pub(super) async fn commit_due(&mut self, all: bool) {
        let now = clock::instant();
        for index in 0..self.queries.len() {
            let query = &self.queries[index];
            if !query.is_active() || (!all && now < query.commit_at) {
                continue;
            }
            // An output that was not written is not repaired by the next flush: the query starts
            // again from its last commit.
            if let Err(error) = self.write_out(index).await {
                self.fail(index, error).await;
                continue;
            }
            match self.commit_offsets(index).await {
                Ok(()) => {}
                Err(LiveError::Kafka(error)) => self.offsets_refused(index, error).await,
                Err(error) => self.fail(index, error).await,
            }
        }
    }

    /// The barrier of a query: what waits in caches goes out, and everything is written.
    pub(super) async fn write_out(&mut self, index: usize) -> Result<(), LiveError> {
        let at_ms = clock::now().0;
        let query = &mut self.queries[index];
        query.commit_at = clock::instant() + query.spec.settings.commit_interval;
        while query.flush_some(&self.random)? {
            query.send_output().await?;
        }
        query.send_output().await?;
        if let Some(producer) = &query.producer {
            producer.flush().await?;
        }
        query.marks = query.next_marks(at_ms).await;
        Ok(())
    }

    /// Commits how far a query has come; everything before must be written. Then its checkpoint is
    /// whole up to there.
    pub(super) async fn commit_offsets(&mut self, index: usize) -> Result<(), LiveError> {
        let query = &mut self.queries[index];
        let marks = query.marks.take();
        let offsets = query.uncommitted();
        let Role::Active(membership) = &query.role else { return Ok(()) };
        if offsets.is_empty() {
            return Ok(());
        }
        membership.commit(&offsets).await?;
        query.committed.extend(offsets.into_iter().map(|(at, committed)| (at, committed.offset)));
        query.backoff = query.spec.settings.retry_backoff;
        query.purge_repartition().await;
        match (&mut query.checkpoint, marks) {
            (Some(checkpoint), Some(marks)) => checkpoint.commit(marks).await,
            _ => Ok(()),
        }
    }

    async fn offsets_refused(&mut self, index: usize, error: KafkaError) {
        let id = self.queries[index].spec.id.clone();
        if is_stale(&error) {
            tracing::warn!("query {id}: {error}; it joins its group again");
            self.detach(index);
            let query = &mut self.queries[index];
            query.forget();
            let role = std::mem::replace(&mut query.role, Role::Ended);
            self.queries[index].role = match role {
                Role::Active(membership) => self.rejoin(index, membership),
                other => other,
            };
        } else if error.is_retriable() {
            tracing::warn!("query {id}: offsets are not committed yet: {error}");
        } else {
            self.fail(index, error.into()).await;
        }
    }

    /// Drains, commits and leaves.
    pub(super) async fn shut_down(&mut self) {
        self.process_burst().await;
        self.commit_due(true).await;
        for query in &mut self.queries {
            query.leave_group().await;
        }
    }
}

impl LiveQuery {
    async fn leave_group(&mut self) {
        let membership = match std::mem::replace(&mut self.role, Role::Ended) {
            Role::Active(membership) | Role::Standby(membership) => membership,
            Role::Activating(membership, activating) => {
                activating.abort();
                membership
            }
            Role::Joining(mut joining) => {
                match tokio::time::timeout(JOIN_WAIT, &mut joining).await {
                    Ok(Ok((membership, _))) => membership,
                    _ => return joining.abort(),
                }
            }
            Role::Out { .. } | Role::Ended => return,
        };
        if let Err(error) = membership.leave().await {
            tracing::warn!("query {}: left without a word: {error}", self.spec.id);
        }
    }
}

/// Whether the group has gone on without the member that commits.
fn is_stale(error: &KafkaError) -> bool {
    let name = error.code().map(crate::kafka::error::code_name);
    matches!(
        name.as_deref(),
        Some(
            "ILLEGAL_GENERATION"
                | "UNKNOWN_MEMBER_ID"
                | "REBALANCE_IN_PROGRESS"
                | "FENCED_INSTANCE_ID"
        )
    )
}
