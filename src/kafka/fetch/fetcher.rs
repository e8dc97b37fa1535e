//! The fetcher, as its callers see it.
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;

use super::fetched::{Fetched, FetchedPartition, Progress};
use super::router;
use super::shared::Shared;
use crate::kafka::cluster::Cluster;
use crate::kafka::config::Isolation;
use crate::kafka::error::KafkaError;
use crate::kafka::partition::TopicPartition;

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
        let router = tokio::spawn(router::route(shared.clone()));
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

    /// Moves a partition; also the way to go on after a problem of it. Whether it is paused stays as it is.
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

    /// Waits until [`Self::fetch`] has something to give at once, be it a problem.
    pub async fn arrived(&self) {
        let mut arrivals = self.shared.arrivals();
        while !self.shared.has_arrivals() {
            if arrivals.changed().await.is_err() {
                return;
            }
        }
    }

    /// Everything that has arrived, or what comes first within `wait_max`; nothing if nothing comes.
    ///
    /// What is wrong with a partition stands beside the records of the others. Of that partition itself, all records
    /// before the problem have been given out before, or are given with it.
    pub async fn fetch(&self, wait_max: Duration) -> Fetched {
        let take = || Some(self.shared.take_all()).filter(|fetched| !fetched.is_empty());
        self.first(wait_max, take).await.unwrap_or_default()
    }

    /// Like [`Self::fetch`], for callers that stop at the first problem: it is an error, given out once all records that
    /// arrived before it are.
    pub async fn poll(&self, wait_max: Duration) -> Result<Vec<FetchedPartition>, KafkaError> {
        let take = || match self.shared.take_until_problem() {
            Ok(fetched) if fetched.is_empty() => None,
            taken => Some(taken),
        };
        self.first(wait_max, take).await.unwrap_or(Ok(Vec::new()))
    }

    /// What `take` gives first within `wait_max`.
    async fn first<T>(&self, wait_max: Duration, take: impl Fn() -> Option<T>) -> Option<T> {
        let mut arrivals = self.shared.arrivals();
        let arrived = async {
            loop {
                arrivals.borrow_and_update();
                if let Some(taken) = take() {
                    return Some(taken);
                }
                arrivals.changed().await.ok()?;
            }
        };
        tokio::time::timeout(wait_max, arrived).await.ok().flatten()
    }
}

impl Drop for Fetcher {
    fn drop(&mut self) {
        self.router.abort();
    }
}
