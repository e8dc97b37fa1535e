//! Fetches what one broker leads.
use std::sync::Arc;

use bytes::Bytes;
use kafka_protocol::error::ResponseError;
use kafka_protocol::messages::fetch_request::{FetchPartition, FetchTopic};
use kafka_protocol::messages::fetch_response::{FetchableTopicResponse, PartitionData};
use kafka_protocol::messages::{BrokerId, FetchRequest, FetchResponse};

use super::shared::{Shared, Work};
use super::state::Wanted;
use crate::kafka::admin::by_topic;
use crate::kafka::api::Api;
use crate::kafka::cluster::topic_name;
use crate::kafka::connection::Connection;
use crate::kafka::error::KafkaError;
use crate::kafka::retry::Retry;

/// The version from which on a fetch names topics by their ids, so that another topic of the same name is not taken for
/// the one that was read.
const BY_ID: i16 = 13;

/// Fetches what a broker leads, one long poll after the other.
pub(super) async fn fetch_from(shared: Arc<Shared>, broker: i32) {
    let mut work = shared.work();
    let mut connection = None;
    let mut retry = Retry::default();
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
                match fetch(&shared, broker, &mut connection, Asked { wanted: &wanted, bytes_max })
                    .await
                {
                    Ok(response) => {
                        take(&shared, broker, &wanted, response);
                        retry.reset();
                    }
                    Err(error) => {
                        lose(&shared, broker, &wanted, &error);
                        connection = None;
                        retry.fail(shared.cluster.config());
                        retry.wait().await;
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

/// What one fetch is to bring.
struct Asked<'a> {
    wanted: &'a [Wanted],
    bytes_max: usize,
}

async fn fetch(
    shared: &Shared,
    broker: i32,
    connection: &mut Option<Arc<Connection>>,
    asked: Asked<'_>,
) -> Result<FetchResponse, KafkaError> {
    let connection = match connection {
        Some(connection) if !connection.is_closed() => connection,
        connection => connection.insert(shared.cluster.open(broker).await?),
    };
    let config = shared.cluster.config();
    let version = connection.version::<FetchRequest>()?;
    let is_by_id = version >= BY_ID && asked.wanted.iter().all(|wanted| wanted.topic_id.is_known());
    let version = if is_by_id { version } else { version.min(BY_ID - 1) };
    let bytes_max = i32::try_from(asked.bytes_max).unwrap_or(i32::MAX);
    let request = FetchRequest::default()
        .with_replica_id(BrokerId(-1))
        .with_max_wait_ms(i32::try_from(config.fetch_max_wait.as_millis()).unwrap_or(i32::MAX))
        .with_min_bytes(config.fetch_min_bytes)
        .with_max_bytes(bytes_max.min(config.fetch_max_bytes))
        .with_isolation_level(shared.decoder.isolation as i8)
        .with_session_epoch(-1)
        .with_topics(topics(asked.wanted, is_by_id, config.partition_fetch_bytes_max));
    let response = connection.request_as(&request, version, config.fetch_max_wait).await?;
    KafkaError::check(FetchRequest::NAME, connection.broker(), response.error_code)?;
    Ok(response)
}

fn topics(wanted: &[Wanted], is_by_id: bool, bytes_max: i32) -> Vec<FetchTopic> {
    let asked: Vec<_> = wanted.iter().map(|wanted| (wanted.partition.clone(), wanted)).collect();
    let topics = by_topic(&asked, |partition, wanted| {
        let fetched = FetchPartition::default()
            .with_partition(partition)
            .with_fetch_offset(wanted.position)
            .with_partition_max_bytes(bytes_max);
        (wanted.topic_id, fetched)
    });
    let topic = |(name, partitions): (&str, Vec<(crate::kafka::TopicId, FetchPartition)>)| {
        let id = partitions.first().map(|(id, _)| *id).unwrap_or_default();
        let partitions = partitions.into_iter().map(|(_, partition)| partition).collect();
        let topic = FetchTopic::default().with_partitions(partitions);
        if is_by_id {
            topic.with_topic_id(uuid::Uuid::from_bytes(id.0))
        } else {
            topic.with_topic(topic_name(name))
        }
    };
    topics.into_iter().map(topic).collect()
}

/// Hands the partitions of a response over. One that has moved waits for the router, the others go on.
fn take(shared: &Shared, broker: i32, wanted: &[Wanted], mut response: FetchResponse) {
    own_small_parts(&mut response);
    for topic in &response.responses {
        for data in &topic.partitions {
            let Some(wanted) = wanted.iter().find(|wanted| wanted.is(topic, data)) else {
                continue;
            };
            match take_partition(shared, wanted, data) {
                Ok(()) => {}
                Err(error) if error.is_code(ResponseError::OffsetOutOfRange) => {
                    shared.is_out_of_range(wanted);
                }
                Err(error) if error.is_retriable() => {
                    tracing::info!(%error, broker, "kafka: a partition has moved");
                    shared.lose_leader(&wanted.partition, broker);
                }
                Err(error) => shared.fail(wanted, error),
            }
        }
    }
}

impl Wanted {
    /// Whether this is what a part of a response is about.
    fn is(&self, topic: &FetchableTopicResponse, data: &PartitionData) -> bool {
        let is_topic = if topic.topic_id.is_nil() {
            *self.partition.topic == *topic.topic.0
        } else {
            self.topic_id.0 == topic.topic_id.into_bytes()
        };
        is_topic && self.partition.partition == data.partition_index
    }
}

/// Copies the records of partitions that take less than a quarter of a response. They lie in its memory, and a few that
/// wait long would hold all of it.
fn own_small_parts(response: &mut FetchResponse) {
    let partitions = response.responses.iter().flat_map(|topic| &topic.partitions);
    let parts = partitions.filter_map(|data| data.records.as_ref());
    let all: usize = parts.map(Bytes::len).sum();
    let partitions = response.responses.iter_mut().flat_map(|topic| &mut topic.partitions);
    for records in partitions.filter_map(|data| data.records.as_mut()) {
        if records.len() * 4 < all {
            *records = Bytes::copy_from_slice(records);
        }
    }
}

fn take_partition(
    shared: &Shared,
    wanted: &Wanted,
    data: &PartitionData,
) -> Result<(), KafkaError> {
    KafkaError::check(FetchRequest::NAME, &wanted.partition, data.error_code)?;
    let fetched = shared.decoder.decode(&wanted.partition, wanted.position, data)?;
    shared.arrive(wanted, fetched, data.log_start_offset);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_part_does_not_hold_the_whole_response() {
        let frame = Bytes::from(vec![7; 1_000]);
        let part = |range| PartitionData::default().with_records(Some(frame.slice(range)));
        let topic = |parts| FetchableTopicResponse::default().with_partitions(parts);
        let parts = [vec![part(0..600), part(600..700)], vec![part(700..1_000)]];
        let mut response = FetchResponse::default().with_responses(parts.map(topic).into());
        own_small_parts(&mut response);
        let partitions = response.responses.iter().flat_map(|topic| &topic.partitions);
        let records: Vec<&Bytes> = partitions.filter_map(|data| data.records.as_ref()).collect();
        let is_in_frame = |bytes: &Bytes| frame.as_ptr_range().contains(&bytes.as_ptr());
        assert_eq!(records.iter().map(|bytes| bytes.len()).collect::<Vec<_>>(), [600, 100, 300]);
        assert_eq!(records.into_iter().map(is_in_frame).collect::<Vec<_>>(), [true, false, true]);
    }
}
