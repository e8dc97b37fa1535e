//! Creating, growing and deleting topics, and deleting records.
use std::collections::BTreeMap;

use kafka_protocol::error::ResponseError;
use kafka_protocol::messages::create_partitions_request::CreatePartitionsTopic;
use kafka_protocol::messages::create_partitions_response::CreatePartitionsTopicResult;
use kafka_protocol::messages::create_topics_request::CreatableTopic;
use kafka_protocol::messages::create_topics_response::{
    CreatableTopicConfigs, CreatableTopicResult,
};
use kafka_protocol::messages::delete_records_response::{
    DeleteRecordsPartitionResult, DeleteRecordsTopicResult,
};
use kafka_protocol::messages::delete_topics_response::DeletableTopicResult;
use kafka_protocol::messages::{
    CreatePartitionsRequest, CreatePartitionsResponse, CreateTopicsRequest, CreateTopicsResponse,
    DeleteRecordsRequest, DeleteRecordsResponse, DeleteTopicsRequest, DeleteTopicsResponse,
    TopicName,
};
use kafka_protocol::protocol::StrBytes;
use uuid::Uuid;

use super::call::Call;
use super::config_api::{SET, source};
use super::configs::{Defaults, TOPIC_CONFIGS};
use super::core::Core;
use super::event::Event;
use super::refused::Refused;
use super::shared::Broker;

/// Creates topics, or checks whether they could be created.
pub(super) fn create_topics(
    broker: &Broker,
    call: &Call,
    request: CreateTopicsRequest,
) -> CreateTopicsResponse {
    let mut core = broker.core();
    let topics = request.topics.into_iter().map(|topic| {
        let result = CreatableTopicResult::default().with_name(topic.name.clone());
        match create_topic(broker, &mut core, &topic, request.validate_only) {
            Ok(created) => describe_created(call, result, &created, &core.topics.defaults),
            Err(refused) => {
                let result = result
                    .with_error_code(refused.error.code())
                    .with_error_message(Some(StrBytes::from_string(refused.message)));
                if call.version >= 5 { result.with_configs(None) } else { result }
            }
        }
    });
    CreateTopicsResponse::default().with_topics(topics.collect())
}

struct Created {
    id: Uuid,
    partitions: i32,
    configs: BTreeMap<String, String>,
}

fn create_topic(
    broker: &Broker,
    core: &mut Core,
    topic: &CreatableTopic,
    check_only: bool,
) -> Result<Created, Refused> {
    let partitions = match (topic.assignments.len(), topic.num_partitions) {
        (0, -1) => broker.config.default_partitions,
        (0, count) => count,
        (assigned, _) => assigned as i32,
    };
    if topic.replication_factor > 1
        || topic.assignments.iter().any(|partition| partition.broker_ids.len() > 1)
    {
        let message = format!(
            "Unable to replicate the partition {} time(s): The target replication factor of {} cannot be reached \
             because only 1 broker(s) are registered.",
            topic.replication_factor, topic.replication_factor
        );
        return Err(Refused::new(ResponseError::InvalidReplicationFactor, message));
    }
    let set = topic.configs.iter().filter_map(|config| {
        config.value.as_ref().map(|value| (config.name.to_string(), value.to_string()))
    });
    let configs: BTreeMap<_, _> = set.collect();
    core.topics.check(&topic.name, partitions, &configs)?;
    if check_only {
        return Ok(Created { id: Uuid::nil(), partitions, configs });
    }
    let id = core.create_topic(&topic.name, partitions, configs.clone());
    let id = id.map_err(|error| Refused::new(error, "The topic's files could not be created."))?;
    Ok(Created { id, partitions, configs })
}

fn describe_created(
    call: &Call,
    result: CreatableTopicResult,
    created: &Created,
    defaults: &Defaults,
) -> CreatableTopicResult {
    if call.version < 5 {
        return result;
    }
    let configs = TOPIC_CONFIGS.iter().map(|config| {
        let set = created.configs.get(config.name);
        let value = set.map_or_else(|| defaults.of(config.name), String::as_str);
        let source = if set.is_some() { SET } else { source(defaults, config.name) };
        CreatableTopicConfigs::default()
            .with_name(config.name.into())
            .with_value(Some(StrBytes::from_string(value.to_owned())))
            .with_config_source(source)
    });
    let result = result
        .with_num_partitions(created.partitions)
        .with_replication_factor(1)
        .with_configs(Some(configs.collect()));
    if call.version >= 7 { result.with_topic_id(created.id) } else { result }
}

/// Deletes topics, by name or by id.
pub(super) fn delete_topics(
    broker: &Broker,
    call: &Call,
    request: DeleteTopicsRequest,
) -> DeleteTopicsResponse {
    let mut core = broker.core();
    let names = request.topic_names.into_iter().map(|name| (Some(name), Uuid::nil()));
    let topics = request.topics.into_iter().map(|topic| (topic.name, topic.topic_id));
    let responses = names.chain(topics).map(|(name, id)| {
        let by_id = name.is_none();
        let known = || {
            core.topics.name_of(id).map(|name| TopicName(StrBytes::from_string(name.to_owned())))
        };
        let name = name.or_else(known);
        let deleted = name.as_ref().and_then(|name| core.delete_topic(name));
        let unknown = if by_id {
            ResponseError::UnknownTopicId
        } else {
            ResponseError::UnknownTopicOrPartition
        };
        let result = DeletableTopicResult::default()
            .with_name(name)
            .with_error_code(if deleted.is_some() { 0 } else { unknown.code() });
        if call.version >= 6 { result.with_topic_id(deleted.unwrap_or(id)) } else { result }
    });
    DeleteTopicsResponse::default().with_responses(responses.collect())
}

/// Adds partitions to topics.
pub(super) fn create_partitions(
    broker: &Broker,
    request: CreatePartitionsRequest,
) -> CreatePartitionsResponse {
    let mut core = broker.core();
    let results = request.topics.into_iter().map(|topic| {
        let grown = grow(&mut core, &topic, request.validate_only);
        let result = CreatePartitionsTopicResult::default().with_name(topic.name);
        match grown {
            Ok(()) => result,
            Err(refused) => result
                .with_error_code(refused.error.code())
                .with_error_message(Some(StrBytes::from_string(refused.message))),
        }
    });
    CreatePartitionsResponse::default().with_results(results.collect())
}

fn grow(core: &mut Core, topic: &CreatePartitionsTopic, check_only: bool) -> Result<(), Refused> {
    let unknown = || {
        Refused::new(
            ResponseError::UnknownTopicOrPartition,
            "This server does not host this topic-partition.",
        )
    };
    let existing = core.topics.get(&topic.name).ok_or_else(unknown)?.partitions.len() as i32;
    if topic.count <= existing {
        let message = format!(
            "The topic {} currently has {existing} partition(s); {} would not be an increase.",
            topic.name.as_str(),
            topic.count
        );
        return Err(Refused::new(ResponseError::InvalidPartitions, message));
    }
    core.topics.check_count(topic.count - existing)?;
    if check_only {
        return Ok(());
    }
    core.journal.note(&Event::Partitions { topic: topic.name.to_string(), count: topic.count });
    core.topics.grow(&topic.name, topic.count).map_err(|error| {
        Refused::new(
            ResponseError::KafkaStorageError,
            format!("The partitions' files could not be created: {error}"),
        )
    })
}

/// Deletes the records before given offsets; -1 stands for the end.
pub(super) fn delete_records(
    broker: &Broker,
    request: DeleteRecordsRequest,
) -> DeleteRecordsResponse {
    let mut core = broker.core();
    let topics = request.topics.into_iter().map(|topic| {
        let partitions = topic.partitions.iter().map(|wanted| {
            let result = DeleteRecordsPartitionResult::default()
                .with_partition_index(wanted.partition_index);
            match delete_before(&mut core, &topic.name, wanted.partition_index, wanted.offset) {
                Ok(start) => result.with_low_watermark(start),
                Err(error) => result.with_error_code(error.code()).with_low_watermark(-1),
            }
        });
        let partitions = partitions.collect();
        DeleteRecordsTopicResult::default().with_name(topic.name).with_partitions(partitions)
    });
    DeleteRecordsResponse::default().with_topics(topics.collect())
}

fn delete_before(
    core: &mut Core,
    topic: &str,
    partition: i32,
    offset: i64,
) -> Result<i64, ResponseError> {
    let end = core.topics.log(topic, partition)?.end();
    let known = core.topics.get(topic).ok_or(ResponseError::UnknownTopicOrPartition)?;
    if !known.is_deleted() {
        return Err(ResponseError::PolicyViolation);
    }
    let offset = if offset == -1 { end } else { offset };
    if !(0..=end).contains(&offset) {
        return Err(ResponseError::OffsetOutOfRange);
    }
    core.cut_log(topic, partition, offset)
}
