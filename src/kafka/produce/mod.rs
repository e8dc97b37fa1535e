//! Writes records: in batches, in order, each once.
//!
//! ```text
//! send ─→ queue of batches a partition ─→ one worker a broker ─→ up to five requests in flight ─→ settled
//!                 ↑ returned, in order of their sequence numbers, if trying again may help ──────────┘
//! ```
//!
//! An idempotent producer (the default) numbers its batches. A batch that fails while others are in flight holds its
//! partition until those are settled, and what was refused is sent again in order, so that the broker can tell what it
//! has already. A producer with a `transactional.id` writes in transactions only.
//!
//! Delivery failures never go unseen: [`Producer::flush`] and [`Producer::commit_transaction`] give all of them.
mod accumulator;
mod batch;
mod sender;
mod settle;
mod transaction;

use std::sync::Arc;

use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::cluster::Cluster;
use super::config::Acks;
use super::error::KafkaError;
use super::records::{BatchBuilder, HeadersRef};
use accumulator::Shared;

/// A record to be written; it borrows, as its bytes go straight into a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NewRecord<'a> {
    /// Milliseconds since the epoch.
    pub timestamp: i64,
    /// The key.
    pub key: Option<&'a [u8]>,
    /// The value; `None` is a tombstone.
    pub value: Option<&'a [u8]>,
    /// The headers.
    pub headers: HeadersRef<'a>,
}

impl<'a> NewRecord<'a> {
    /// A record without headers.
    pub fn new(timestamp: i64, key: Option<&'a [u8]>, value: Option<&'a [u8]>) -> Self {
        Self { timestamp, key, value, headers: HeadersRef::EMPTY }
    }

    /// How many bytes it takes in a batch, at most.
    fn bytes_max(&self) -> usize {
        BatchBuilder::record_bytes_max(self.key, self.value, self.headers)
    }
}

/// Where a record was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delivery {
    /// Its offset, or `None` if the broker did not say.
    pub offset: Option<i64>,
}

/// What becomes of one record, for those who ask.
pub type Acknowledgement = oneshot::Receiver<Result<Delivery, KafkaError>>;

/// Writes records to partitions.
///
/// Its methods may be called from many tasks; the records of one caller to one partition stay in order.
#[derive(Debug)]
pub struct Producer {
    shared: Arc<Shared>,
    router: JoinHandle<()>,
}

/// What [`Producer::try_send`] is told when `buffer.memory` is full.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Full;

impl Producer {
    /// A producer with the cluster's configuration, transactional if that has a `transactional.id`.
    pub fn new(cluster: &Cluster) -> Self {
        let transactional_id = cluster.config().transactional_id.clone();
        Self::with_transactional_id(cluster, transactional_id)
    }

    /// A transactional producer with this id; [`Self::init_transactions`] comes first.
    pub fn transactional(cluster: &Cluster, transactional_id: &str) -> Self {
        Self::with_transactional_id(cluster, Some(transactional_id.to_owned()))
    }

    fn with_transactional_id(cluster: &Cluster, transactional_id: Option<String>) -> Self {
        let shared = Arc::new(Shared::new(cluster, transactional_id));
        let router = tokio::spawn(sender::route(shared.clone()));
        Self { shared, router }
    }

    /// The cluster that is written to, for the partitions of a topic.
    pub fn cluster(&self) -> &Cluster {
        &self.shared.cluster
    }

    /// Puts a record into its partition's batch; waits only while `buffer.memory` is full.
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

    /// Puts records into the batches of their partitions, in order; waits only while `buffer.memory` is full.
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

    /// Puts a record into its partition's batch, unless `buffer.memory` is full.
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

    /// Writes a batch that the caller has filled, as it is and in order behind what was sent before.
    ///
    /// This is the way to write thousands of records at once. The batch must fit `max.request.size`, and the topic's
    /// `max.message.bytes` once compressed.
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

    /// Writes a batch that the caller has filled, or gives it back if `buffer.memory` is full.
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

    /// The offset after the last record that this producer has written to a partition, if there is
    /// one and the broker has told it.
    pub fn end_offset(&self, topic: &str, partition: i32) -> Option<i64> {
        self.shared.end_offset(topic, partition)
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
