//! The tasks behind a producer: a router that makes partitions ready to be written, and a worker for each broker.
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use kafka_protocol::error::ResponseError;
use kafka_protocol::messages::produce_request::{PartitionProduceData, TopicProduceData};
use kafka_protocol::messages::{
    InitProducerIdRequest, ProduceRequest, ProducerId, TransactionalId,
};
use tokio::task::JoinSet;

use super::accumulator::{Shared, Work};
use super::batch::{Batch, Identity};
use super::settle::Sent;
use crate::kafka::api::Api;
use crate::kafka::clock;
use crate::kafka::cluster::{Route, text, topic_name};
use crate::kafka::config::Acks;
use crate::kafka::connection::{Connection, Response};
use crate::kafka::error::KafkaError;
use crate::kafka::partition::TopicPartition;

/// The pause while a coordinator finishes the last transaction.
const BRIEFLY: Duration = Duration::from_millis(20);

/// What partitions lack before they can be written.
#[derive(Debug, Default)]
struct Lacking {
    identity: bool,
    leaders: Vec<TopicPartition>,
    transaction: Vec<TopicPartition>,
}

impl Lacking {
    fn is_nothing(&self) -> bool {
        !self.identity && self.leaders.is_empty() && self.transaction.is_empty()
    }
}

/// Makes partitions ready to be written, until it is dropped.
pub(super) async fn route(shared: Arc<Shared>) {
    let mut workers = JoinSet::new();
    let mut work = shared.work.subscribe();
    let config = shared.cluster.config();
    let mut pause = config.retry_backoff;
    loop {
        work.borrow_and_update();
        let lacking = shared.lacking();
        if lacking.is_nothing() {
            // Whoever could wake us is gone with the producer.
            if work.changed().await.is_err() {
                return;
            }
            while workers.try_join_next().is_some() {}
            continue;
        }
        match supply(&shared, &lacking).await {
            Ok(new) => {
                pause = config.retry_backoff;
                for broker in new {
                    workers.spawn(send_to(shared.clone(), broker));
                }
            }
            Err(error) => {
                if error.is_retriable() {
                    tracing::debug!(%error, "kafka: the producer waits");
                    shared.expire(&error);
                }
                // The coordinator is about to finish the last transaction, which takes milliseconds.
                let is_brief = error.is_code(ResponseError::ConcurrentTransactions);
                tokio::time::sleep(clock::jitter(if is_brief { BRIEFLY } else { pause })).await;
                pause = (pause * 2).min(config.retry_backoff_max);
            }
        }
    }
}

/// Fetches what is lacking, once, and gives the brokers that need a worker.
async fn supply(shared: &Shared, lacking: &Lacking) -> Result<Vec<i32>, KafkaError> {
    if lacking.identity {
        let none = Identity::NONE;
        let identity = match init_producer(shared, none).await {
            Err(error) if !error.is_retriable() => {
                shared.drop_waiting(&error, |_| true);
                return Err(error);
            }
            identity => identity?,
        };
        shared.set_identity(identity);
    }
    let workers = find_leaders(shared, &lacking.leaders).await?;
    if !lacking.transaction.is_empty() {
        shared.add_to_transaction(&lacking.transaction).await?;
    }
    Ok(workers)
}

/// Asks for a producer id, or for the next epoch of the one that `present` names.
pub(super) async fn init_producer(
    shared: &Shared,
    present: Identity,
) -> Result<Identity, KafkaError> {
    let timeout = shared.cluster.config().transaction_timeout.as_millis();
    let mut request = InitProducerIdRequest::default()
        .with_transactional_id(
            shared.transactional_id.as_deref().map(|id| TransactionalId(text(id))),
        )
        .with_transaction_timeout_ms(i32::try_from(timeout).unwrap_or(i32::MAX));
    if present != Identity::NONE {
        request = request
            .with_producer_id(ProducerId(present.producer_id))
            .with_producer_epoch(present.epoch);
    }
    let target = shared.transactional_id.as_deref().unwrap_or("the producer");
    let check = |response: &kafka_protocol::messages::InitProducerIdResponse| {
        KafkaError::check(InitProducerIdRequest::NAME, target, response.error_code)
    };
    let response = match &shared.coordinator {
        Some(coordinator) => coordinator.call(&request, check).await?,
        None => {
            shared.cluster.with_patience(Duration::ZERO).call(Route::Any, &request, check).await?
        }
    };
    Ok(Identity { producer_id: response.producer_id.0, epoch: response.producer_epoch })
}

async fn find_leaders(
    shared: &Shared,
    partitions: &[TopicPartition],
) -> Result<Vec<i32>, KafkaError> {
    let cluster = &shared.cluster;
    let unknown = partitions.iter().filter(|partition| cluster.cached_leader(partition).is_none());
    let topics: BTreeSet<&str> = unknown.map(|partition| &*partition.topic).collect();
    let topics: Vec<&str> = topics.into_iter().collect();
    let mut last = None;
    if !topics.is_empty() {
        for (topic, found) in topics.iter().zip(cluster.refresh(Some(&topics)).await?) {
            let Err(error) = found else { continue };
            if !error.is_retriable() {
                shared.drop_waiting(&error, |partition| *partition.topic == **topic);
            }
            last = Some(error);
        }
    }
    let leader =
        |partition: &TopicPartition| Some((partition.clone(), cluster.cached_leader(partition)?.0));
    let leaders: Vec<_> = partitions.iter().filter_map(leader).collect();
    let is_all = leaders.len() == partitions.len();
    let workers = shared.set_leaders(&leaders);
    match partitions.iter().find(|partition| cluster.cached_leader(partition).is_none()) {
        Some(_) if !workers.is_empty() || is_all => Ok(workers),
        Some(partition) => {
            cluster.forget(&partition.topic);
            let code = ResponseError::LeaderNotAvailable.code();
            let leaderless = || KafkaError::from_code("Metadata", partition, code);
            last.or_else(leaderless).map_or(Ok(workers), Err)
        }
        None => Ok(workers),
    }
}

impl Shared {
    fn lacking(&self) -> Lacking {
        let is_transactional = self.transactional_id.is_some();
        let mut state = self.lock();
        let has_identity = state.identity.is_some();
        let is_open = state.phase.is_open();
        let is_idle = state.in_flight() == 0;
        let mut lacking = Lacking::default();
        let mut has_work = false;
        for queue in state.all_queues().filter(|queue| !queue.waiting.is_empty()) {
            has_work = true;
            if queue.leader.is_none() {
                lacking.leaders.push(queue.partition.clone());
            }
            if is_transactional && is_open && !queue.is_in_transaction {
                lacking.transaction.push(queue.partition.clone());
            }
        }
        // A transactional producer gets its identity when its caller asks for it, a new one when nothing is in flight.
        lacking.identity = has_work && !has_identity && !is_transactional && is_idle;
        lacking
    }

    pub(super) fn set_identity(&self, identity: Identity) {
        let mut state = self.lock();
        state.identity = Some(identity);
        state.all_queues().for_each(super::accumulator::Queue::renumber);
        drop(state);
        self.wake();
    }

    fn set_leaders(&self, leaders: &[(TopicPartition, i32)]) -> Vec<i32> {
        let mut state = self.lock();
        let mut new = BTreeSet::new();
        for (partition, leader) in leaders {
            state.queue(&partition.topic, partition.partition).leader = Some(*leader);
            new.insert(*leader);
        }
        new.retain(|leader| state.workers.insert(*leader));
        drop(state);
        self.work.send_replace(());
        new.into_iter().collect()
    }
}

/// Sends to one broker, as long as it leads something.
///
/// What was in flight on a broken connection is settled before another one is opened: a later batch must not get to the
/// broker before an earlier one that was lost.
async fn send_to(shared: Arc<Shared>, broker: i32) {
    let mut work = shared.work.subscribe();
    let mut connection: Option<Arc<Connection>> = None;
    let mut in_flight = JoinSet::new();
    let in_flight_max = shared.cluster.config().in_flight_max.max(1);
    loop {
        work.borrow_and_update();
        while in_flight.try_join_next().is_some() {}
        if connection.as_ref().is_none_or(|connection| connection.is_closed()) {
            while in_flight.join_next().await.is_some() {}
            connection = None;
        }
        let next =
            if in_flight.len() < in_flight_max { shared.next(broker) } else { Work::Wait(None) };
        let (mut batches, identity) = match next {
            Work::End => break,
            Work::Send(batches, identity) => (batches, identity),
            Work::Wait(until) => {
                tokio::select! {
                    changed = work.changed() => if changed.is_err() { return },
                    () = sleep_until(until) => {}
                    Some(_) = in_flight.join_next() => {}
                }
                continue;
            }
        };
        match send(&shared, broker, &mut connection, (&mut batches, identity)).await {
            Ok(Some(response)) => {
                let (shared, within) =
                    (shared.clone(), shared.cluster.config().request_timeout * 2);
                in_flight.spawn(async move {
                    shared.answer(broker, batches, &response.wait(within).await);
                });
            }
            Ok(None) => shared.assume_written(batches),
            Err(error) => {
                connection = None;
                shared.answer(broker, batches, &Err(error));
            }
        }
    }
    // What is still in flight is settled before the worker goes.
    while in_flight.join_next().await.is_some() {}
}

async fn sleep_until(until: Option<clock::Instant>) {
    match until {
        Some(until) => tokio::time::sleep_until(until).await,
        None => std::future::pending().await,
    }
}

/// Writes one request; the answer comes later, or never with `acks=0`.
async fn send(
    shared: &Shared,
    broker: i32,
    connection: &mut Option<Arc<Connection>>,
    (batches, identity): (&mut Sent, Identity),
) -> Result<Option<Response<ProduceRequest>>, KafkaError> {
    let connection = match connection {
        Some(connection) => connection,
        None => connection.insert(shared.cluster.open(broker).await?),
    };
    let config = shared.cluster.config();
    let acks = match config.acks {
        Acks::None => 0,
        Acks::Leader => 1,
        Acks::All => -1,
    };
    let mut topics: BTreeMap<Arc<str>, Vec<PartitionProduceData>> = BTreeMap::new();
    for (partition, batch) in batches {
        let data = encode(shared, identity, partition, batch)?;
        topics.entry(partition.topic.clone()).or_default().push(data);
    }
    let topic = |(name, data): (Arc<str>, _)| {
        TopicProduceData::default().with_name(topic_name(&name)).with_partition_data(data)
    };
    let request = ProduceRequest::default()
        .with_transactional_id(
            shared.transactional_id.as_deref().map(|id| TransactionalId(text(id))),
        )
        .with_acks(acks)
        .with_timeout_ms(i32::try_from(config.request_timeout.as_millis()).unwrap_or(i32::MAX))
        .with_topic_data(topics.into_iter().map(topic).collect());
    if config.acks == Acks::None {
        connection.send_unanswered(&request).await?;
        return Ok(None);
    }
    connection.send(&request).await.map(Some)
}

fn encode(
    shared: &Shared,
    identity: Identity,
    partition: &TopicPartition,
    batch: &mut Batch,
) -> Result<PartitionProduceData, KafkaError> {
    let is_transactional = shared.transactional_id.is_some();
    let encoded = batch.encode(shared.cluster.config().compression, identity, is_transactional);
    let bytes = encoded.map_err(|source| {
        let (topic, partition) = (partition.topic.to_string(), partition.partition);
        KafkaError::Record { topic, partition, source }
    })?;
    batch.is_sent = true;
    Ok(PartitionProduceData::default().with_index(partition.partition).with_records(Some(bytes)))
}
