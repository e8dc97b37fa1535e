//! Writes rounds of records to a topic, and says what was acknowledged: by all in-sync replicas, retried, each once and in
//! the order in which it came.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::DeviceError;
use super::produced::ProduceSummary;
use super::topic::partitions_of;
use crate::kafka::admin::NewTopic;
use crate::kafka::produce::{NewRecord, Producer};
use crate::kafka::{ClientConfig, Cluster, KafkaError};

/// Partitions of a topic that the producer makes.
const PARTITIONS: i32 = 3;

/// A record on its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Outgoing {
    /// Where it goes.
    pub(super) partition: i32,
    /// Its time, in ms since 1970.
    pub(super) at_ms: i64,
    /// Its value; it has no key.
    pub(super) value: Vec<u8>,
}

/// A topic that is written to.
pub(super) struct TopicWriter {
    producer: Producer,
    partitions: i32,
    summary: ProduceSummary,
}

impl TopicWriter {
    /// Connects, and makes the topic unless it exists; brokers are waited for as long as `retry_for`.
    pub(super) async fn open(
        kafka: &ClientConfig,
        topic: &str,
        retry_for: Duration,
    ) -> Result<Self, DeviceError> {
        let no_broker = |error: KafkaError| DeviceError::NoBroker {
            brokers: kafka.bootstrap_servers.join(", "),
            cause: error.to_string(),
        };
        let cluster = Cluster::new(ClientConfig {
            api_timeout: retry_for,
            delivery_timeout: retry_for,
            request_timeout: kafka.request_timeout.min(retry_for),
            connect_timeout: kafka.connect_timeout.min(retry_for),
            ..kafka.clone()
        })
        .map_err(no_broker)?;
        // Who does not answer this is no broker; what comes after it is about the topic.
        cluster.metadata().await.map_err(no_broker)?;
        let partitions = partitions_of(&cluster, &NewTopic::new(topic, PARTITIONS)).await;
        let partitions = partitions.map_err(|error| DeviceError::NoTopic {
            topic: topic.to_owned(),
            cause: error.to_string(),
        })?;
        let summary = ProduceSummary { topic: topic.to_owned(), ..ProduceSummary::default() };
        Ok(Self { producer: Producer::new(&cluster), partitions, summary })
    }

    /// How many partitions the topic has.
    pub(super) fn partitions(&self) -> i32 {
        self.partitions
    }

    /// How many bytes a value may have, so that it fits into a request.
    pub(super) fn value_bytes_max(&self) -> usize {
        let request_bytes = self.producer.cluster().config().request_bytes_max;
        request_bytes.saturating_sub(NewRecord::OVERHEAD_BYTES)
    }

    /// What was acknowledged so far.
    pub(super) fn into_summary(self) -> ProduceSummary {
        self.summary
    }

    /// Writes a round, and waits until all of it is acknowledged.
    pub(super) async fn write(&mut self, round: &[Outgoing]) -> Result<(), DeviceError> {
        let topic = self.summary.topic.clone();
        let acknowledged = self.summary.readings();
        let failed = |error: KafkaError| DeviceError::NotWritten {
            topic: topic.clone(),
            acknowledged,
            cause: error.to_string(),
        };
        let mut counts: BTreeMap<i32, u64> = BTreeMap::new();
        let mut firsts = Vec::new();
        let mut rest = Vec::with_capacity(round.len());
        let new: BTreeSet<i32> = self.new_partitions(round);
        for record in round {
            let Outgoing { partition, at_ms, value } = record;
            let count = counts.entry(*partition).or_default();
            let sent = NewRecord::new(*at_ms, None, Some(value));
            if *count == 0 && new.contains(partition) {
                // The offset of the first is asked for, as others may write to the partition, too.
                let first = self.producer.send_acknowledged(&topic, *partition, sent).await;
                firsts.push((*partition, first.map_err(failed)?));
            } else {
                rest.push((*partition, sent));
            }
            *count += 1;
        }
        self.producer.send_all(&topic, &rest).await.map_err(failed)?;
        self.producer.flush().await.map_err(failed)?;
        for (partition, first) in firsts {
            let delivery = first.await.ok().and_then(Result::ok);
            let offset = delivery.and_then(|delivery| delivery.offset).unwrap_or_default();
            self.summary.begin(partition, offset);
        }
        for (partition, count) in counts {
            let end = self.producer.end_offset(&topic, partition).unwrap_or_default();
            self.summary.add(partition, count, end - 1);
        }
        Ok(())
    }

    /// The partitions of a round that nothing was written to yet.
    fn new_partitions(&self, round: &[Outgoing]) -> BTreeSet<i32> {
        let partitions = round.iter().map(|record| record.partition);
        partitions.filter(|partition| !self.summary.partitions.contains_key(partition)).collect()
    }
}
