//! Writes entries of a query's processing log, with a producer of its own: what becomes of the query's
//! records is nothing to them, and they keep none of these waiting for long.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use tokio::sync::OnceCell;

use super::settings::QuerySettings;
use super::topics::TopicConfigs;
use crate::kafka::admin::Admin;
use crate::kafka::produce::{NewRecord, Producer};
use crate::kafka::{Cluster, KafkaError};
use crate::runtime::{ProcessingLogEntry, clock};

/// How large an entry may be without anybody asking how large it may be.
const SMALL_BYTES: usize = 256 << 10;

/// Kafka's default of `max.message.bytes`, where nobody tells what a topic has.
const TOPIC_BYTES_MAX: usize = 1_048_588;

/// Writes entries to the processing log's topic, if there is one; they are traced in any case.
pub(super) struct LogWriter {
    query: String,
    topic: Option<String>,
    logs_rows: bool,
    cluster: Cluster,
    /// Made with the first entry.
    producer: OnceLock<Producer>,
    /// How large the topic takes records; asked with the first entry that may be too large.
    topic_bytes_max: OnceCell<usize>,
    is_flushed: AtomicBool,
}

impl LogWriter {
    pub(super) fn new(query: &str, settings: &QuerySettings, cluster: &Cluster) -> Self {
        let topic = settings.has_processing_log.then(|| settings.processing_log_topic.clone());
        Self {
            query: query.to_owned(),
            topic,
            logs_rows: settings.logs_rows,
            cluster: cluster.clone(),
            producer: OnceLock::new(),
            topic_bytes_max: OnceCell::new(),
            is_flushed: AtomicBool::new(true),
        }
    }

    /// Writes entries; waits while too many wait to be sent.
    pub(super) async fn write(&self, entries: &[ProcessingLogEntry]) {
        let now = clock::now().0;
        for entry in entries {
            let mut json = entry.to_json(now, self.logs_rows);
            tracing::debug!(target: "processing_log", "{json}");
            let Some(topic) = &self.topic else { continue };
            if json.len() > SMALL_BYTES {
                let bytes_max = self.bytes_max(topic).await;
                json = entry.to_json_within(now, self.logs_rows, bytes_max);
            }
            let producer = self.producer.get_or_init(|| Producer::new(&self.cluster));
            self.is_flushed.store(false, Relaxed);
            let record = NewRecord::new(now, None, Some(json.as_bytes()));
            if let Err(error) = producer.send(topic, 0, record).await {
                self.failed(&error);
            }
        }
    }

    /// How many bytes an entry may have, so that a request holds it and the topic takes it.
    async fn bytes_max(&self, topic: &str) -> usize {
        let ask = async || {
            let configs = TopicConfigs::of(&Admin::new(&self.cluster), topic).await;
            configs.get("max.message.bytes").unwrap_or(TOPIC_BYTES_MAX)
        };
        let topic_bytes_max = *self.topic_bytes_max.get_or_init(ask).await;
        let bytes_max = self.cluster.config().request_bytes_max.min(topic_bytes_max);
        bytes_max.saturating_sub(NewRecord::OVERHEAD_BYTES)
    }

    /// Waits until all entries are written, or cannot be.
    pub(super) async fn flush(&self) {
        let Some(producer) = self.producer.get() else { return };
        if self.is_flushed.swap(true, Relaxed) {
            return;
        }
        if let Err(error) = producer.flush().await {
            self.failed(&error);
        }
    }

    fn failed(&self, error: &KafkaError) {
        tracing::warn!("query {}: no entry in the processing log: {error}", self.query);
    }
}
