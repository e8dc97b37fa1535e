//! Deletes from repartition topics what has been processed, so that they do not grow for ever.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use tokio::task::JoinHandle;

use super::query_topics::Topic;
use crate::kafka::admin::Admin;
use crate::kafka::group::CommittedOffset;
use crate::kafka::{Cluster, KafkaError, TopicPartition};
use crate::runtime::clock;

/// When a query's repartition topics are to be purged, as `repartition.purge.interval.ms` says.
pub(super) struct Purge {
    interval: Duration,
    due_at: Instant,
    running: Option<JoinHandle<Result<(), KafkaError>>>,
}

impl Purge {
    pub(super) fn every(interval: Duration) -> Self {
        Self { interval, due_at: clock::instant() + interval, running: None }
    }

    /// Has the records before the committed offsets deleted, where that is due.
    ///
    /// As Kafka Streams' `TaskManager.maybePurgeCommittedRecords`: one request at a time, and what
    /// fails is tried again.
    pub(super) async fn after_commit(
        &mut self,
        cluster: &Cluster,
        topics: impl Iterator<Item = &Topic>,
        committed: &BTreeMap<TopicPartition, CommittedOffset>,
    ) {
        let now = clock::instant();
        let names: Vec<&str> = topics.map(|topic| topic.name.as_str()).collect();
        if names.is_empty() || now < self.due_at {
            return;
        }
        if let Some(running) = &mut self.running {
            if !running.is_finished() {
                return;
            }
            if let Ok(Err(error)) = running.await {
                tracing::info!("{} is not purged yet: {error}", names.join(", "));
            }
        }
        let processed = committed.iter().filter(|(at, _)| names.contains(&&*at.topic));
        let before: Vec<(TopicPartition, i64)> =
            processed.map(|(at, committed)| (at.clone(), committed.offset)).collect();
        let cluster = cluster.clone();
        let request = async move { Admin::new(&cluster).delete_records(&before).await };
        self.running = Some(tokio::spawn(request));
        self.due_at = now + self.interval;
    }
}
