//! The commit of a query: the one place that says in which order effects count.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::changelog_retention::ChangelogRetention;
use super::commit_trace::CommitTrace;
use super::error::LiveError;
use super::figures::Figures;
use super::local_state::LocalState;
use super::log_writer::LogWriter;
use super::outbox::Sender;
use super::pressure::Pressure;
use super::purge::Purge;
use super::query_topics::QueryTopics;
use super::refused::Refusals;
use super::writer;
use crate::kafka::admin::Admin;
use crate::kafka::group::{CommittedOffset, Membership};
use crate::kafka::produce::{NewRecord, Producer};
use crate::kafka::{Cluster, TopicPartition};
use crate::plan::StoreId;
use crate::runtime::{Changes, ShardClocks, Target, clock};

/// How long offsets that a broker could not take wait before they are sent again.
const RETRY_WAIT: Duration = Duration::from_millis(200);

/// What was processed between two barriers.
pub(super) struct Interval {
    /// When its barrier began.
    pub(super) at_ms: i64,
    /// The records for changelogs.
    pub(super) changelogs: Vec<Changes>,
    /// How far everything is processed.
    pub(super) positions: BTreeMap<TopicPartition, CommittedOffset>,
    /// Where the clocks of stores stand, which goes with the positions.
    pub(super) clocks: Vec<ShardClocks>,
    /// What was done of it, and when.
    pub(super) trace: CommitTrace,
}

/// Commits what a query has done.
pub(super) struct Committer {
    pub(super) query: String,
    pub(super) cluster: Cluster,
    pub(super) topics: Arc<QueryTopics>,
    pub(super) producer: Arc<Producer>,
    pub(super) sender: Sender,
    pub(super) pressure: Arc<Pressure>,
    pub(super) log: Arc<LogWriter>,
    pub(super) local: LocalState,
    pub(super) committed: BTreeMap<TopicPartition, CommittedOffset>,
    pub(super) purge: Purge,
    pub(super) figures: Arc<Figures>,
    pub(super) retention: ChangelogRetention,
}

impl Committer {
    /// Commits an interval. At least once:
    ///
    /// 1. its records in sinks and repartition topics are acknowledged, or left out where they are refused;
    /// 2. then its changelogs are written, which are none of the next interval;
    /// 3. then its offsets, which the group refuses from a member that it has gone on without;
    /// 4. then the marks of the local checkpoint.
    ///
    /// A crash before the third is done processes the interval again. State in changelogs is ahead of
    /// offsets only if it comes between the second and the third.
    ///
    /// Exactly once, the first three are one transaction, of which all counts with its end or nothing does. So nothing of
    /// the next interval is written before that, and nothing but its end is waited for in between.
    pub(super) async fn commit(
        &mut self,
        mut interval: Interval,
        membership: &Membership,
    ) -> Result<(), LiveError> {
        let began = clock::instant();
        let done = self.commit_all(&mut interval, membership).await;
        let mut trace = interval.trace;
        match &done {
            Ok(()) => self.figures.commits.note(began.elapsed()),
            Err(error) => {
                trace.done("failed");
                trace.error = Some(error.to_string());
            }
        }
        self.figures.traces.add(trace);
        done
    }

    async fn commit_all(
        &mut self,
        Interval { at_ms, changelogs, positions, clocks, trace }: &mut Interval,
        membership: &Membership,
    ) -> Result<(), LiveError> {
        let (changelogs, positions) = (std::mem::take(changelogs), std::mem::take(positions));
        let is_one_transaction = self.sender.is_transactional();
        if !is_one_transaction {
            // No changelog before all that its rows gave is acknowledged: state ahead of its output would lose that.
            self.settle_outputs().await?;
            trace.done("produce");
        }
        self.check_changelogs(&changelogs)?;
        let admin = Admin::new(&self.cluster);
        self.retention.make_room(&admin, &changelogs, clocks, clock::now().0).await;
        self.write_changelogs(changelogs).await?;
        if is_one_transaction {
            self.settle_outputs().await?;
            trace.done("produce and write changelogs");
        } else {
            self.sender.flush().await?;
            trace.done("write changelogs");
        }
        let offsets = self.uncommitted(positions);
        // Marks are taken before the offsets are committed, as they say how far the changelogs went that belong to these;
        // they are written after, as a local log must not be ahead of what the group knows.
        let changelogs = &self.topics.changelogs;
        let marks = if offsets.is_empty() {
            None
        } else {
            self.local.next_marks(*at_ms, changelogs, &self.producer).await
        };
        if is_one_transaction {
            writer::commit(&self.producer, membership, &offsets).await?;
            trace.done("commit transaction");
        } else {
            self.commit_offsets(&offsets, membership).await?;
            trace.done("commit offsets");
        }
        self.committed.extend(offsets);
        let topics = self.topics.read_repartitions();
        self.purge.after_commit(&self.cluster, topics, &self.committed).await;
        if let Some(marks) = marks {
            self.local.commit(marks, clocks).await?;
        }
        trace.done("checkpoint");
        Ok(())
    }

    /// Waits until everything is written, and tells what was left out.
    async fn settle_outputs(&self) -> Result<(), LiveError> {
        self.sender.flush().await?;
        self.tell_refused().await;
        self.log.flush().await;
        Ok(())
    }

    /// Tells what was left out, as its topics do not take it.
    async fn tell_refused(&self) {
        let Self { query, topics, figures, log, .. } = self;
        let sink = topics.sink.as_ref().map_or("", |sink| &sink.name);
        let refusals = Refusals { query, sink, figures, log };
        refusals.tell(self.producer.take_left_out()).await;
    }

    /// Sees that requests hold all records for changelogs, before the first of them is written.
    fn check_changelogs(&self, changelogs: &[Changes]) -> Result<(), LiveError> {
        let limit = self.cluster.config().request_bytes_max;
        let may_be_large = |changes: &&Changes| {
            changes.largest().saturating_add(NewRecord::OVERHEAD_BYTES) > limit
        };
        for changes in changelogs.iter().filter(may_be_large) {
            for record in changes.written()?.records() {
                let Some(topic) = self.topics.of(record.target) else { continue };
                let new = NewRecord::new(record.timestamp_ms, record.key, record.value);
                self.producer.check_size(&topic.name, new)?;
            }
        }
        Ok(())
    }

    /// Sends records to changelogs, and adds them to the local checkpoint.
    async fn write_changelogs(&mut self, changelogs: Vec<Changes>) -> Result<(), LiveError> {
        for changes in changelogs {
            let output = changes.written()?;
            let bytes = changes.bytes();
            drop(changes);
            let local = &mut self.local;
            let sent = self.sender.send(&output, |target, run| match target {
                Target::Changelog(StoreId(store)) => local.append_all(store, run),
                _ => Ok(()),
            });
            let sent = sent.await;
            self.pressure.committed(bytes);
            sent?;
        }
        Ok(())
    }

    /// The offsets that are processed but not committed, or not with what goes with them now.
    fn uncommitted(
        &self,
        positions: BTreeMap<TopicPartition, CommittedOffset>,
    ) -> Vec<(TopicPartition, CommittedOffset)> {
        let is_new = |(at, offset): &(TopicPartition, CommittedOffset)| {
            self.committed.get(at) != Some(offset)
        };
        positions.into_iter().filter(is_new).collect()
    }

    /// Commits offsets, however long a broker takes, as no later changelog may be written before.
    async fn commit_offsets(
        &self,
        offsets: &[(TopicPartition, CommittedOffset)],
        membership: &Membership,
    ) -> Result<(), LiveError> {
        if offsets.is_empty() {
            return Ok(());
        }
        loop {
            match membership.commit(offsets).await.map_err(LiveError::from) {
                Ok(()) => return Ok(()),
                Err(LiveError::Kafka(error))
                    if error.is_retriable() && !LiveError::from(error.clone()).is_stale() =>
                {
                    let query = &self.query;
                    tracing::warn!("query {query}: offsets are not committed yet: {error}");
                    tokio::time::sleep(RETRY_WAIT).await;
                }
                Err(error) => return Err(error),
            }
        }
    }
}
