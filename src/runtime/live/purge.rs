//! Deletes from repartition topics what has been processed, so that they do not grow for ever.

use std::time::Instant;

use tokio::task::JoinHandle;

use super::query::LiveQuery;
use crate::kafka::admin::Admin;
use crate::kafka::{KafkaError, TopicPartition};
use crate::runtime::clock;

/// When a query's repartition topic is to be purged, as `repartition.purge.interval.ms` says.
pub(super) struct Purge {
    due_at: Instant,
    running: Option<JoinHandle<Result<(), KafkaError>>>,
}

impl Purge {
    pub(super) fn new(due_at: Instant) -> Self {
        Self { due_at, running: None }
    }
}

impl LiveQuery {
    /// After a commit: has the records before the committed offsets deleted, where that is due.
    ///
    /// As Kafka Streams' `TaskManager.maybePurgeCommittedRecords`: one request at a time, and what fails is tried again.
    pub(super) async fn purge_repartition(&mut self) {
        let now = clock::instant();
        let Some(topic) = &self.topics.repartition else { return };
        if now < self.purge.due_at {
            return;
        }
        if let Some(running) = &mut self.purge.running {
            if !running.is_finished() {
                return;
            }
            if let Ok(Err(error)) = running.await {
                tracing::info!("{topic} is not purged yet: {error}");
            }
        }
        let of_topic = self.committed.iter().filter(|(at, _)| *at.topic == **topic);
        let before: Vec<(TopicPartition, i64)> =
            of_topic.map(|(at, offset)| (at.clone(), *offset)).collect();
        let cluster = self.cluster.clone();
        let request = async move { Admin::new(&cluster).delete_records(&before).await };
        self.purge.running = Some(tokio::spawn(request));
        self.purge.due_at = now + self.spec.settings.purge_interval;
    }
}
