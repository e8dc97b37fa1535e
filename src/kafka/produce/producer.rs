//! The producer, as its callers see it.
use std::sync::Arc;

use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::options::{LeftOut, ProducerOptions};
use super::record::{Acknowledgement, Full, NewRecord};
use super::router;
use super::state::Shared;
use crate::kafka::cluster::Cluster;
use crate::kafka::config::Acks;
use crate::kafka::error::KafkaError;
use crate::kafka::records::BatchBuilder;

/// Writes records to partitions.
///
/// Its methods may be called from many tasks; the records of one caller to one partition stay in order.
#[derive(Debug)]
pub struct Producer {
    pub(super) shared: Arc<Shared>,
    router: JoinHandle<()>,
}

impl Producer {
    /// A producer with the cluster's configuration, transactional if that has a `transactional.id`.
    pub fn new(cluster: &Cluster) -> Self {
        let transactional_id = cluster.config().transactional_id.clone();
        Self::with_options(cluster, ProducerOptions { transactional_id, ..Default::default() })
    }

    /// A transactional producer with this id; [`Self::init_transactions`] comes first.
    pub fn transactional(cluster: &Cluster, transactional_id: &str) -> Self {
        let transactional_id = Some(transactional_id.to_owned());
        Self::with_options(cluster, ProducerOptions { transactional_id, ..Default::default() })
    }

    /// A producer that is set up by its caller.
    pub fn with_options(cluster: &Cluster, options: ProducerOptions) -> Self {
        let shared = Arc::new(Shared::new(cluster, options));
        let router = tokio::spawn(router::route(shared.clone()));
        Self { shared, router }
    }

    /// Whether it writes in transactions alone.
    pub fn is_transactional(&self) -> bool {
        self.shared.is_transactional()
    }

    /// The cluster that is written to, for the partitions of a topic.
    pub fn cluster(&self) -> &Cluster {
        &self.shared.cluster
    }

    /// Puts a record into its partition's batch; waits only while there is no room in `buffer.memory`.
    pub async fn send(
        &self,
        topic: &str,
        partition: i32,
        record: NewRecord<'_>,
    ) -> Result<(), KafkaError> {
        let mut progress = self.shared.progress();
        while let Err(Full) = self.try_send(topic, partition, record)? {
            self.shared.wait(&mut progress).await?;
        }
        Ok(())
    }

    /// Puts records into the batches of their partitions, in order; waits only while there is no room in `buffer.memory`.
    ///
    /// Each comes with its partition. For many records this is faster than to send each of them.
    pub async fn send_all(
        &self,
        topic: &str,
        records: &[(i32, NewRecord<'_>)],
    ) -> Result<(), KafkaError> {
        let mut progress = self.shared.progress();
        let mut sent = 0;
        while sent < records.len() {
            let taken = self.shared.push_all(topic, &records[sent..])?;
            sent += taken;
            if taken == 0 {
                self.shared.wait(&mut progress).await?;
            }
        }
        Ok(())
    }

    /// Puts a record into its partition's batch, unless there is no room in `buffer.memory`.
    ///
    /// A partition may take as much of it as is left for all others, so that one that is stuck does not take it all.
    pub fn try_send(
        &self,
        topic: &str,
        partition: i32,
        record: NewRecord<'_>,
    ) -> Result<Result<(), Full>, KafkaError> {
        self.shared.push(topic, partition, record, None)
    }

    /// Puts a record into its partition's batch, and gives something to wait for until it is written.
    pub async fn send_acknowledged(
        &self,
        topic: &str,
        partition: i32,
        record: NewRecord<'_>,
    ) -> Result<Acknowledgement, KafkaError> {
        let mut progress = self.shared.progress();
        loop {
            let (sender, receiver) = oneshot::channel();
            if self.shared.push(topic, partition, record, Some(sender))?.is_ok() {
                return Ok(receiver);
            }
            self.shared.wait(&mut progress).await?;
        }
    }

    /// Whether a request can hold a record.
    pub fn check_size(&self, topic: &str, record: NewRecord<'_>) -> Result<(), KafkaError> {
        self.shared.check_size(topic, record)
    }

    /// Writes a batch that the caller has filled, as it is and in order behind what was sent before.
    ///
    /// This is the way to write thousands of records at once. A batch larger than `max.request.size`, or than what the
    /// topic takes, is written in parts.
    pub async fn send_batch(
        &self,
        topic: &str,
        partition: i32,
        batch: BatchBuilder,
    ) -> Result<(), KafkaError> {
        let mut progress = self.shared.progress();
        let mut batch = batch;
        while let Err(back) = self.try_send_batch(topic, partition, batch)? {
            batch = back;
            self.shared.wait(&mut progress).await?;
        }
        Ok(())
    }

    /// Writes a batch that the caller has filled, or gives it back if there is no room in `buffer.memory`.
    pub fn try_send_batch(
        &self,
        topic: &str,
        partition: i32,
        batch: BatchBuilder,
    ) -> Result<Result<(), BatchBuilder>, KafkaError> {
        if batch.is_empty() {
            return Ok(Ok(()));
        }
        self.shared.push_batch(topic, partition, batch)
    }

    /// Sends everything at once and waits until it is written; gives the failures since the last flush, if there are any.
    pub async fn flush(&self) -> Result<(), KafkaError> {
        self.shared.flush().await
    }

    /// The records that were left out since this was last asked, as
    /// [`ProducerOptions::refused`](super::ProducerOptions::refused) says. After a flush, all of those before it are among
    /// them.
    pub fn take_left_out(&self) -> LeftOut {
        self.shared.lock().take_left_out()
    }

    /// How many records their topics have refused so far.
    pub fn refused_count(&self) -> u64 {
        self.shared.lock().refused_count()
    }

    /// How many records were handed over for a partition, which is the ordinal of the next one.
    pub fn handed_over(&self, topic: &str, partition: i32) -> u64 {
        self.shared.of_queue(topic, partition, |queue| queue.handed_over).unwrap_or(0)
    }

    /// The offset after the last record that this producer has written to a partition, if there is
    /// one and the broker has told it.
    pub fn end_offset(&self, topic: &str, partition: i32) -> Option<i64> {
        self.shared.of_queue(topic, partition, |queue| queue.end_offset).flatten()
    }

    /// How many bytes wait or are in flight.
    pub fn buffered_bytes(&self) -> usize {
        self.shared.buffered_bytes()
    }

    fn is_answered(&self) -> bool {
        self.shared.cluster.config().acks != Acks::None
    }
}

impl Drop for Producer {
    fn drop(&mut self) {
        if self.shared.buffered_bytes() > 0 && self.is_answered() {
            tracing::warn!("kafka: a producer was dropped with records that were not flushed");
        }
        self.router.abort();
    }
}
