//! The tasks behind a fetcher: a router that knows who leads what, and a worker for each broker.
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use kafka_protocol::error::ResponseError;
use kafka_protocol::messages::fetch_request::{FetchPartition, FetchTopic};
use kafka_protocol::messages::fetch_response::PartitionData;
use kafka_protocol::messages::{BrokerId, FetchRequest, FetchResponse};
use tokio::task::JoinSet;

use super::state::{Shared, Wanted, Work};
use crate::kafka::admin::by_topic;
use crate::kafka::api::Api;
use crate::kafka::clock;
use crate::kafka::cluster::topic_name;
use crate::kafka::connection::Connection;
use crate::kafka::error::KafkaError;
use crate::kafka::partition::TopicPartition;

/// Finds the leaders of partitions and keeps a worker for each, until it is dropped.
pub(super) async fn route(shared: Arc<Shared>) {
    let mut workers = JoinSet::new();
    let mut work = shared.work();
    let mut pause = Pause::new(&shared);
    loop {
        work.borrow_and_update();
        let leaderless = shared.leaderless();
        if leaderless.is_empty() {
            pause.reset();
            // Whoever could wake us is gone with the fetcher.
            if work.changed().await.is_err() {
                return;
            }
            while workers.try_join_next().is_some() {}
            continue;
        }
        let leaders = find_leaders(&shared, &leaderless).await;
        for broker in shared.set_leaders(&leaders) {
            workers.spawn(fetch_from(shared.clone(), broker));
        }
        if leaders.len() < leaderless.len() {
            pause.wait().await;
        }
    }
}

/// The leaders of partitions, as far as they have one; an error that does not pass goes to the caller.
async fn find_leaders(
    shared: &Shared,
    partitions: &[TopicPartition],
) -> Vec<(TopicPartition, i32)> {
    let cluster = &shared.cluster;
    let unknown = partitions.iter().filter(|partition| cluster.cached_leader(partition).is_none());
    let topics: BTreeSet<&str> = unknown.map(|partition| &*partition.topic).collect();
    let topics: Vec<&str> = topics.into_iter().collect();
    if !topics.is_empty() {
        let fail = |error: &KafkaError, topics: &[&str]| {
            if error.is_retriable() {
                tracing::warn!(%error, "kafka: no metadata for what is read");
                return;
            }
            let failed = partitions.iter().filter(|partition| topics.contains(&&*partition.topic));
            failed.for_each(|partition| shared.fail_anywhere(partition, error.clone()));
        };
        match cluster.refresh(Some(&topics)).await {
            Err(error) => fail(&error, &topics),
            Ok(found) => {
                for (topic, found) in topics.iter().zip(found) {
                    let _ = found.inspect_err(|error| fail(error, &[topic]));
                }
            }
        }
    }
    let leader =
        |partition: &TopicPartition| Some((partition.clone(), cluster.cached_leader(partition)?.0));
    partitions.iter().filter_map(leader).collect()
}

/// Fetches what a broker leads, one long poll after the other.
async fn fetch_from(shared: Arc<Shared>, broker: i32) {
    let mut work = shared.work();
    let mut connection = None;
    let mut pause = Pause::new(&shared);
    loop {
        work.borrow_and_update();
        match shared.next(broker) {
            Work::End => return,
            Work::Wait => {
                if work.changed().await.is_err() {
                    return;
                }
            }
            Work::Fetch(wanted, bytes_max) => {
                match fetch(&shared, broker, &mut connection, (&wanted, bytes_max)).await {
                    Ok(response) => {
                        take(&shared, broker, &wanted, &response);
                        pause.reset();
                    }
                    Err(error) => {
                        lose(&shared, broker, &wanted, &error);
                        connection = None;
                        pause.wait().await;
                    }
                }
            }
        }
    }
}

/// Makes the router look again for what a broker led, or gives up on it where that cannot help.
fn lose(shared: &Shared, broker: i32, wanted: &[Wanted], error: &KafkaError) {
    tracing::warn!(%error, broker, "kafka: a fetch failed");
    for wanted in wanted {
        if error.is_retriable() {
            shared.lose_leader(&wanted.partition, broker);
        } else {
            shared.fail(wanted, error.clone());
        }
    }
}

async fn fetch(
    shared: &Shared,
    broker: i32,
    connection: &mut Option<Arc<Connection>>,
    (wanted, bytes_max): (&[Wanted], usize),
) -> Result<FetchResponse, KafkaError> {
    let connection = match connection {
        Some(connection) if !connection.is_closed() => connection,
        connection => connection.insert(shared.cluster.open(broker).await?),
    };
    let config = shared.cluster.config();
    let asked: Vec<_> =
        wanted.iter().map(|wanted| (wanted.partition.clone(), wanted.position)).collect();
    let topics = by_topic(&asked, |partition, position| {
        FetchPartition::default()
            .with_partition(partition)
            .with_fetch_offset(*position)
            .with_partition_max_bytes(config.partition_fetch_bytes_max)
    });
    let topic = |(name, partitions): (&str, _)| {
        FetchTopic::default().with_topic(topic_name(name)).with_partitions(partitions)
    };
    let bytes_max = i32::try_from(bytes_max).unwrap_or(i32::MAX).min(config.fetch_max_bytes);
    let request = FetchRequest::default()
        .with_replica_id(BrokerId(-1))
        .with_max_wait_ms(i32::try_from(config.fetch_max_wait.as_millis()).unwrap_or(i32::MAX))
        .with_min_bytes(config.fetch_min_bytes)
        .with_max_bytes(bytes_max)
        .with_isolation_level(shared.decoder.isolation as i8)
        .with_session_epoch(-1)
        .with_topics(topics.into_iter().map(topic).collect());
    let response = connection.request_long(&request, config.fetch_max_wait).await?;
    KafkaError::check(FetchRequest::NAME, connection.broker(), response.error_code)?;
    Ok(response)
}

/// Hands the partitions of a response over. One that has moved waits for the router, the others go on.
fn take(shared: &Shared, broker: i32, wanted: &[Wanted], response: &FetchResponse) {
    for topic in &response.responses {
        for data in &topic.partitions {
            let is_it = |wanted: &&Wanted| {
                wanted.partition.partition == data.partition_index
                    && *wanted.partition.topic == *topic.topic.0
            };
            let Some(wanted) = wanted.iter().find(is_it) else { continue };
            match take_partition(shared, wanted, data) {
                Ok(()) => {}
                Err(error) if error.is_retriable() => {
                    tracing::info!(%error, broker, "kafka: a partition has moved");
                    shared.lose_leader(&wanted.partition, broker);
                }
                Err(error) => shared.fail(wanted, error),
            }
        }
    }
}

fn take_partition(
    shared: &Shared,
    wanted: &Wanted,
    data: &PartitionData,
) -> Result<(), KafkaError> {
    if data.error_code == ResponseError::OffsetOutOfRange.code() {
        let TopicPartition { topic, partition } = &wanted.partition;
        let (topic, partition, offset) = (topic.to_string(), *partition, wanted.position);
        return Err(KafkaError::OffsetOutOfRange { topic, partition, offset });
    }
    KafkaError::check(FetchRequest::NAME, &wanted.partition, data.error_code)?;
    let fetched = shared.decoder.decode(&wanted.partition, wanted.position, data)?;
    shared.arrive(wanted, fetched, data.log_start_offset);
    Ok(())
}

/// A growing pause between attempts that never ends by itself.
struct Pause {
    first: Duration,
    max: Duration,
    next: Duration,
}

impl Pause {
    fn new(shared: &Shared) -> Self {
        let config = shared.cluster.config();
        Self {
            first: config.retry_backoff,
            max: config.retry_backoff_max,
            next: config.retry_backoff,
        }
    }

    fn reset(&mut self) {
        self.next = self.first;
    }

    async fn wait(&mut self) {
        tokio::time::sleep(clock::jitter(self.next)).await;
        self.next = (self.next * 2).min(self.max);
    }
}
