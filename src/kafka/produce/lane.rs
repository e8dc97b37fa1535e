//! Sends to one broker what is in one lane, on a connection of its own.
//!
//! A broker answers the requests of a connection one after the other, and does not look at the next before it has
//! answered the last. So what may be slow by itself, a topic, has a connection of its own.
use std::sync::Arc;
use std::time::Duration;

use kafka_protocol::messages::produce_request::{PartitionProduceData, TopicProduceData};
use kafka_protocol::messages::{ProduceRequest, TransactionalId};
use tokio::task::JoinSet;

use super::next::Work;
use super::outcome::Sent;
use super::queue::Lane;
use super::settle::{Attempt, TOGETHER_MAX};
use super::state::Shared;
use crate::kafka::api::transaction_version_2;
use crate::kafka::clock;
use crate::kafka::cluster::{text, topic_name};
use crate::kafka::config::Acks;
use crate::kafka::connection::{Connection, Response, Terms};
use crate::kafka::error::KafkaError;
use crate::kafka::retry::sleep_until;

/// Sends what is in `lane`, as long as something is.
///
/// What was in flight on a broken connection is settled before another one is opened: a later batch must not get to the
/// broker before an earlier one that was lost.
pub(super) async fn send_in(shared: Arc<Shared>, lane: Lane) {
    let mut work = shared.work.subscribe();
    let mut connection: Option<Arc<Connection>> = None;
    let mut in_flight = JoinSet::new();
    let in_flight_max = shared.cluster.config().in_flight_max.max(1);
    let mut turn = -1;
    loop {
        work.borrow_and_update();
        while in_flight.try_join_next().is_some() {}
        if connection.as_ref().is_none_or(|connection| connection.is_closed()) {
            while in_flight.join_next().await.is_some() {}
            connection = None;
        }
        let has_room = in_flight.len() < in_flight_max;
        let next = if has_room { shared.next(&lane, &mut turn) } else { Work::Wait(None) };
        let (mut batches, may_part) = match next {
            Work::End => break,
            Work::Send { batches, may_part } => (batches, may_part),
            Work::Wait(until) => {
                tokio::select! {
                    changed = work.changed() => if changed.is_err() { return },
                    () = sleep_until(until) => {}
                    Some(_) = in_flight.join_next() => {}
                }
                continue;
            }
        };
        let attempt = Attempt { broker: lane.broker, at: clock::now(), may_part };
        let request = request(&shared, &lane, &mut batches, timeout(&shared, may_part));
        let sent = match request {
            Ok(request) => send(&shared, &lane, &mut connection, &request).await,
            Err(error) => Err(error),
        };
        match sent {
            Ok(Some(response)) => {
                let shared = shared.clone();
                let within = shared.cluster.config().request_timeout * 2;
                in_flight.spawn(async move {
                    shared.answer(attempt, batches, &response.wait(within).await);
                });
            }
            Ok(None) => shared.assume_written(batches),
            Err(error) => {
                connection = None;
                shared.answer(attempt, batches, &Err(error));
            }
        }
    }
    // What is still in flight is settled before the lane ends.
    while in_flight.join_next().await.is_some() {}
}

/// How long the broker may take.
fn timeout(shared: &Shared, may_part: bool) -> Duration {
    let most = shared.cluster.config().request_timeout;
    if may_part { most.min(TOGETHER_MAX) } else { most }
}

/// Writes one request; the answer comes later, or never with `acks=0`.
async fn send(
    shared: &Shared,
    lane: &Lane,
    connection: &mut Option<Arc<Connection>>,
    request: &ProduceRequest,
) -> Result<Option<Response<ProduceRequest>>, KafkaError> {
    let connection = match connection {
        Some(connection) => connection,
        None => connection.insert(shared.cluster.open(lane.broker).await?),
    };
    let lease = shared.options.lease.as_ref();
    if shared.cluster.config().acks == Acks::None {
        connection.send_unanswered(request, lease).await?;
        return Ok(None);
    }
    let version = shared.lock().is_version_2.then_some(transaction_version_2::PRODUCE);
    connection.send_on(request, Terms { lease, version, ..Terms::default() }).await.map(Some)
}

fn request(
    shared: &Shared,
    lane: &Lane,
    batches: &mut [Sent],
    timeout: Duration,
) -> Result<ProduceRequest, KafkaError> {
    let acks = match shared.cluster.config().acks {
        Acks::None => 0,
        Acks::Leader => 1,
        Acks::All => -1,
    };
    let data: Result<Vec<_>, _> = batches.iter_mut().map(|sent| encode(shared, sent)).collect();
    let topic =
        TopicProduceData::default().with_name(topic_name(&lane.topic)).with_partition_data(data?);
    let transactional_id = shared.options.transactional_id.as_deref();
    Ok(ProduceRequest::default()
        .with_transactional_id(transactional_id.map(|id| TransactionalId(text(id))))
        .with_acks(acks)
        .with_timeout_ms(i32::try_from(timeout.as_millis()).unwrap_or(i32::MAX))
        .with_topic_data(vec![topic]))
}

fn encode(shared: &Shared, sent: &mut Sent) -> Result<PartitionProduceData, KafkaError> {
    let compression = shared.cluster.config().compression;
    let encoded = sent.batch.encode(compression, shared.is_transactional());
    let bytes = encoded.map_err(|source| KafkaError::record(&sent.partition, source))?;
    let index = sent.partition.partition;
    Ok(PartitionProduceData::default().with_index(index).with_records(Some(bytes)))
}
