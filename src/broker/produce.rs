//! Produce: one checked batch for each partition, appended under the rules of sequences and transactions.
use kafka_protocol::error::ResponseError;
use kafka_protocol::messages::produce_request::PartitionProduceData;
use kafka_protocol::messages::produce_response::{
    PartitionProduceResponse, ProduceResponse, TopicProduceResponse,
};
use kafka_protocol::messages::{ProduceRequest, TopicName};

use super::Broker;
use super::batch::Batch;
use super::log::Appended;
use super::{background, walk};

/// Appends the batches of a request; no answer if the producer wants none.
pub(super) fn produce(broker: &Broker, request: ProduceRequest) -> Option<ProduceResponse> {
    let acks = request.acks;
    let responses = request.topic_data.into_iter().map(|topic| {
        let partitions =
            topic.partition_data.into_iter().map(|data| partition(broker, &topic.name, data, acks));
        let partitions = partitions.collect();
        TopicProduceResponse::default().with_name(topic.name).with_partition_responses(partitions)
    });
    let response = ProduceResponse::default().with_responses(responses.collect());
    (acks != 0).then_some(response)
}

fn partition(
    broker: &Broker,
    topic: &TopicName,
    data: PartitionProduceData,
    acks: i16,
) -> PartitionProduceResponse {
    let index = data.index;
    let response = PartitionProduceResponse::default().with_index(index);
    match append(broker, topic, data, acks) {
        Ok(appended) => response
            .with_base_offset(appended.base_offset)
            .with_log_append_time_ms(appended.append_time)
            .with_log_start_offset(appended.start),
        Err(error) => {
            tracing::debug!(topic = %topic.0, partition = index, %error, "a batch is refused");
            response
                .with_error_code(error.code())
                .with_base_offset(-1)
                .with_log_append_time_ms(-1)
                .with_log_start_offset(-1)
        }
    }
}

fn append(
    broker: &Broker,
    name: &TopicName,
    data: PartitionProduceData,
    acks: i16,
) -> Result<Appended, ResponseError> {
    if !(-1..=1).contains(&acks) {
        return Err(ResponseError::InvalidRequiredAcks);
    }
    let records = data.records.ok_or(ResponseError::InvalidRecord)?;
    // Checked and copied before the lock is taken.
    let batch = Batch::from_producer(&records)?;
    let now = broker.now();
    let mut core = broker.core();
    let core = &mut *core;
    let topic = core
        .topics
        .get(name)
        .filter(|topic| (0..topic.partitions.len() as i32).contains(&data.index));
    let topic = topic.ok_or(ResponseError::UnknownTopicOrPartition)?;
    if records.len() as i64 > topic.number("max.message.bytes") {
        return Err(ResponseError::MessageTooLarge);
    }
    if topic.is_compacted() && walk::has_null_key(&records) {
        return Err(ResponseError::InvalidRecord);
    }
    let stamp = (topic.config("message.timestamp.type") == "LogAppendTime").then_some(now);
    if batch.header.is_transactional() {
        core.transactions.check_write(&batch.header, name, data.index)?;
    }
    if broker.config.data_dir.is_none() {
        background::make_room(core, broker.config.memory_bytes_max, records.len() as u64)?;
    }
    core.topics.log(name, data.index)?.append(batch, stamp)
}
