//! Offsets of partitions: the first, the last, those of a time or of a leader epoch.
use kafka_protocol::error::ResponseError;
use kafka_protocol::messages::list_offsets_request::ListOffsetsPartition;
use kafka_protocol::messages::list_offsets_response::{
    ListOffsetsPartitionResponse, ListOffsetsTopicResponse,
};
use kafka_protocol::messages::offset_for_leader_epoch_response::{
    EpochEndOffset, OffsetForLeaderTopicResult,
};
use kafka_protocol::messages::{
    ListOffsetsRequest, ListOffsetsResponse, OffsetForLeaderEpochRequest,
    OffsetForLeaderEpochResponse,
};

use super::call::Call;
use super::core::Core;
use super::fetch::check_epoch;
use super::log::{Entry, Log};
use super::shared::Broker;
use super::walk;

const LATEST: i64 = -1;
const EARLIEST: i64 = -2;
const MAX_TIMESTAMP: i64 = -3;

/// Looks up offsets: the earliest, the latest, that of the highest timestamp, or the first from a timestamp on.
pub(super) fn list(
    broker: &Broker,
    call: &Call,
    request: ListOffsetsRequest,
) -> ListOffsetsResponse {
    let mut core = broker.core();
    let committed = request.isolation_level == 1;
    let topics = request.topics.into_iter().map(|topic| {
        let partitions = topic.partitions.iter().map(|wanted| {
            let response = ListOffsetsPartitionResponse::default()
                .with_partition_index(wanted.partition_index);
            match find(&mut core, &topic.name, wanted, committed) {
                Ok(found) => {
                    let (offset, timestamp) = found.unwrap_or((-1, -1));
                    let response = response.with_offset(offset).with_timestamp(timestamp);
                    if call.version >= 4 && offset >= 0 {
                        response.with_leader_epoch(0)
                    } else {
                        response
                    }
                }
                Err(error) => {
                    response.with_error_code(error.code()).with_offset(-1).with_timestamp(-1)
                }
            }
        });
        let partitions = partitions.collect();
        ListOffsetsTopicResponse::default().with_name(topic.name).with_partitions(partitions)
    });
    ListOffsetsResponse::default().with_topics(topics.collect())
}

/// The offset that is asked for and its timestamp, if there is one.
fn find(
    core: &mut Core,
    topic: &str,
    wanted: &ListOffsetsPartition,
    committed: bool,
) -> Result<Option<(i64, i64)>, ResponseError> {
    let log = core.topics.log(topic, wanted.partition_index)?;
    check_epoch(wanted.current_leader_epoch)?;
    let end = if committed { log.last_stable() } else { log.end() };
    match wanted.timestamp {
        LATEST => Ok(Some((end, -1))),
        EARLIEST => Ok(Some((log.start(), -1))),
        MAX_TIMESTAMP => {
            let latest = log.entries().iter().rev().max_by_key(|entry| entry.max_timestamp);
            latest.map_or(Ok(None), |entry| at_time(log, entry, entry.max_timestamp))
        }
        timestamp if timestamp >= 0 => {
            let entry = log.entries().iter().find(|entry| entry.max_timestamp >= timestamp);
            let found = entry.map_or(Ok(None), |entry| at_time(log, entry, timestamp))?;
            Ok(found.filter(|(offset, _)| *offset < end))
        }
        _ => Err(ResponseError::UnsupportedVersion),
    }
}

/// The first record of a batch that is not older than `timestamp`.
fn at_time(log: &Log, entry: &Entry, timestamp: i64) -> Result<Option<(i64, i64)>, ResponseError> {
    let batch = entry.place.bytes().map_err(|_| ResponseError::KafkaStorageError)?;
    Ok(walk::first_since(&batch, timestamp, log.start()))
}

/// Tells where a leader epoch ends. There is but epoch 0, which ends with the log.
pub(super) fn of_epoch(
    broker: &Broker,
    request: OffsetForLeaderEpochRequest,
) -> OffsetForLeaderEpochResponse {
    let mut core = broker.core();
    let topics = request.topics.into_iter().map(|topic| {
        let partitions = topic.partitions.iter().map(|wanted| {
            let response = EpochEndOffset::default().with_partition(wanted.partition);
            let log = core.topics.log(&topic.topic, wanted.partition);
            match log.and_then(|log| check_epoch(wanted.current_leader_epoch).map(|()| log.end())) {
                Err(error) => response.with_error_code(error.code()),
                Ok(end) if wanted.leader_epoch == 0 => {
                    response.with_leader_epoch(0).with_end_offset(end)
                }
                Ok(_) => response,
            }
        });
        let partitions = partitions.collect();
        OffsetForLeaderTopicResult::default().with_topic(topic.topic).with_partitions(partitions)
    });
    OffsetForLeaderEpochResponse::default().with_topics(topics.collect())
}
