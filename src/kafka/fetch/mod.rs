//! Reads many partitions at once, ahead of the caller.
//!
//! ```text
//! router: who leads what? ─→ one worker a broker: long poll ─→ decode ─→ queue ─[Fetcher::poll]→ caller
//! ```
//!
//! A worker has its own connection, for a long poll blocks it. While a caller processes what it has, the next fetch is
//! under way, until as many bytes wait as the fetcher may hold. What was fetched for a position that is no longer wanted
//! (after a seek) is thrown away when it arrives. An offset that is not in the log is reported and never reset.
mod decode;
mod state;
mod worker;

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;

use super::cluster::Cluster;
use super::config::Isolation;
use super::error::KafkaError;
use super::partition::TopicPartition;
use super::records::{Batch, RecordError, RecordRef};
use state::Shared;

/// What one fetch brought of one partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchedPartition {
    /// The partition.
    pub partition: TopicPartition,
    /// The position before these records.
    pub position: i64,
    /// The position after them, also past what nobody sees: markers, aborted records and compacted ones.
    pub next_offset: i64,
    /// The offset up to which all in-sync replicas have the records.
    pub high_watermark: i64,
    /// The offset up to which all transactions are decided.
    pub last_stable_offset: i64,
    /// The batches, decompressed; the first may begin before `position`, so walk them by [`Self::records`].
    pub batches: Vec<Batch>,
    /// How much memory the batches take.
    pub bytes: usize,
}

impl FetchedPartition {
    /// Walks the records from `position` on.
    pub fn records(&self) -> impl Iterator<Item = Result<RecordRef<'_>, RecordError>> {
        let is_wanted = |record: &Result<RecordRef<'_>, RecordError>| {
            record.as_ref().map_or(true, |record| record.offset >= self.position)
        };
        self.batches.iter().flat_map(Batch::records).filter(is_wanted)
    }
}

/// How far the reading of a partition has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// The offset of the next record that the caller gets.
    pub position: i64,
    /// The high watermark, as of the last fetch.
    pub high_watermark: i64,
    /// The last stable offset, as of the last fetch.
    pub last_stable_offset: i64,
    /// The first offset that is still in the log, as of the last fetch.
    pub log_start_offset: i64,
}

impl Progress {
    /// The offset where a reader of this isolation level is at the end.
    pub fn end_offset(&self, isolation: Isolation) -> i64 {
        match isolation {
            Isolation::ReadUncommitted => self.high_watermark,
            Isolation::ReadCommitted => self.last_stable_offset,
        }
    }
}

/// Reads partitions from given positions on.
#[derive(Debug)]
pub struct Fetcher {
    shared: Arc<Shared>,
    router: JoinHandle<()>,
}

impl Fetcher {
    /// A fetcher without partitions, which holds up to `fetch.max.bytes` ahead of its caller.
    pub fn new(cluster: &Cluster) -> Self {
        let config = cluster.config();
        Self::with_options(cluster, config.isolation, config.fetch_max_bytes as usize)
    }

    /// A fetcher with its own isolation level and limit of bytes that it holds ahead of its caller.
    ///
    /// A single batch larger than the limit still arrives, alone.
    pub fn with_options(cluster: &Cluster, isolation: Isolation, buffer_bytes_max: usize) -> Self {
        let shared = Arc::new(Shared::new(cluster, isolation, buffer_bytes_max));
        let router = tokio::spawn(worker::route(shared.clone()));
        Self { shared, router }
    }

    /// Adds partitions, each to be read from its position on; one that is there already moves to it.
    pub fn assign(&self, positions: impl IntoIterator<Item = (TopicPartition, i64)>) {
        self.shared.assign(positions);
    }

    /// Removes partitions, with what was fetched of them.
    pub fn unassign<'a>(&self, partitions: impl IntoIterator<Item = &'a TopicPartition>) {
        self.shared.unassign(partitions);
    }

    /// Moves a partition; also the way to go on after an error of it. Whether it is paused stays as it is.
    pub fn seek(&self, partition: &TopicPartition, position: i64) {
        self.shared.seek(partition, position);
    }

    /// Holds partitions back; what was fetched of them already is kept until they are resumed.
    pub fn pause<'a>(&self, partitions: impl IntoIterator<Item = &'a TopicPartition>) {
        self.shared.set_paused(partitions, true);
    }

    /// Lets paused partitions go on.
    pub fn resume<'a>(&self, partitions: impl IntoIterator<Item = &'a TopicPartition>) {
        self.shared.set_paused(partitions, false);
    }

    /// The partitions that are read.
    pub fn assignment(&self) -> Vec<TopicPartition> {
        self.shared.assignment()
    }

    /// How far the reading of a partition has come; before its first fetch, only its position is known and the rest is -1.
    pub fn progress(&self, partition: &TopicPartition) -> Option<Progress> {
        self.shared.progress(partition)
    }

    /// Waits until [`Self::poll`] has something to give at once, be it an error.
    pub async fn arrived(&self) {
        let mut arrivals = self.shared.arrivals();
        while !self.shared.has_arrivals() {
            if arrivals.changed().await.is_err() {
                return;
            }
        }
    }

    /// Everything that was fetched, or what comes first within `wait_max`; nothing if nothing comes.
    ///
    /// An error is about one partition, which stands still until it is moved or removed; what was fetched before the error
    /// has been given out before.
    pub async fn poll(&self, wait_max: Duration) -> Result<Vec<FetchedPartition>, KafkaError> {
        let mut arrivals = self.shared.arrivals();
        let arrived = async {
            loop {
                arrivals.borrow_and_update();
                let fetched = self.shared.take()?;
                if !fetched.is_empty() {
                    return Ok(fetched);
                }
                if arrivals.changed().await.is_err() {
                    return Err(KafkaError::Closed("fetcher"));
                }
            }
        };
        tokio::time::timeout(wait_max, arrived).await.unwrap_or(Ok(Vec::new()))
    }
}

impl Drop for Fetcher {
    fn drop(&mut self) {
        self.router.abort();
    }
}
