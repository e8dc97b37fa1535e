//! What clients ask first: the broker, its topics, and who coordinates.
use std::collections::BTreeMap;

use kafka_protocol::error::ResponseError;
use kafka_protocol::messages::describe_cluster_response::DescribeClusterBroker;
use kafka_protocol::messages::describe_log_dirs_response::{
    DescribeLogDirsPartition, DescribeLogDirsResult, DescribeLogDirsTopic,
};
use kafka_protocol::messages::find_coordinator_response::Coordinator;
use kafka_protocol::messages::metadata_request::MetadataRequestTopic;
use kafka_protocol::messages::metadata_response::{
    MetadataResponseBroker, MetadataResponsePartition, MetadataResponseTopic,
};
use kafka_protocol::messages::{
    BrokerId, DescribeClusterRequest, DescribeClusterResponse, DescribeLogDirsRequest,
    DescribeLogDirsResponse, FindCoordinatorRequest, FindCoordinatorResponse, MetadataRequest,
    MetadataResponse, TopicName,
};
use kafka_protocol::protocol::StrBytes;

use super::call::Call;
use super::core::Core;
use super::shared::Broker;
use super::topics::Topic;

/// The number of this broker, which is the only one.
pub(super) const NODE: BrokerId = BrokerId(1);

/// Tells of the broker and of topics, and creates those that are asked for, if that is wished.
pub(super) fn metadata(broker: &Broker, call: &Call, request: MetadataRequest) -> MetadataResponse {
    let node = MetadataResponseBroker::default()
        .with_node_id(NODE)
        .with_host(StrBytes::from_string(broker.host()))
        .with_port(i32::from(broker.address.port()));
    let create =
        broker.config.auto_create_topics && (call.version < 4 || request.allow_auto_topic_creation);
    let mut core = broker.core();
    let core = &mut *core;
    // Version 0 asks for all topics by an empty list.
    let wanted = request.topics.filter(|topics| call.version > 0 || !topics.is_empty());
    let topics = match wanted {
        None => core.topics.iter().map(|(name, topic)| describe_topic(call, name, topic)).collect(),
        Some(wanted) => {
            wanted.into_iter().map(|topic| find_topic(broker, core, call, topic, create)).collect()
        }
    };
    let mut response = MetadataResponse::default().with_brokers(vec![node]).with_topics(topics);
    if call.version >= 1 {
        response.controller_id = NODE;
    }
    if call.version >= 2 {
        response.cluster_id = Some(StrBytes::from_string(core.cluster_id.clone()));
    }
    response
}

fn find_topic(
    broker: &Broker,
    core: &mut Core,
    call: &Call,
    wanted: MetadataRequestTopic,
    create: bool,
) -> MetadataResponseTopic {
    let failed = |error: ResponseError, name| {
        let topic = MetadataResponseTopic::default().with_error_code(error.code()).with_name(name);
        if call.version >= 8 { topic.with_topic_authorized_operations(i32::MIN) } else { topic }
    };
    let Some(name) = wanted.name else {
        return match core
            .topics
            .name_of(wanted.topic_id)
            .and_then(|name| Some((name, core.topics.get(name)?)))
        {
            Some((name, topic)) => describe_topic(call, name, topic),
            None if call.version < 12 => {
                failed(ResponseError::UnknownTopicId, Some(TopicName::default()))
            }
            None => failed(ResponseError::UnknownTopicId, None).with_topic_id(wanted.topic_id),
        };
    };
    if core.topics.get(&name).is_none() {
        let refused = core.topics.check(&name, broker.config.default_partitions, &BTreeMap::new());
        let invalid = refused.err().map(|refused| refused.error);
        if let Some(error) = invalid.or((!create).then_some(ResponseError::UnknownTopicOrPartition))
        {
            return failed(error, Some(name));
        }
        if let Err(error) =
            core.create_topic(&name, broker.config.default_partitions, BTreeMap::new())
        {
            return failed(error, Some(name));
        }
    }
    match core.topics.get(&name) {
        Some(topic) => describe_topic(call, &name, topic),
        None => failed(ResponseError::UnknownTopicOrPartition, Some(name)),
    }
}

fn describe_topic(call: &Call, name: &str, topic: &Topic) -> MetadataResponseTopic {
    let partition = |index| {
        let partition = MetadataResponsePartition::default()
            .with_partition_index(index)
            .with_leader_id(NODE)
            .with_replica_nodes(vec![NODE])
            .with_isr_nodes(vec![NODE]);
        if call.version >= 7 { partition.with_leader_epoch(0) } else { partition }
    };
    let partitions = (0..topic.partitions.len() as i32).map(partition).collect();
    let mut described = MetadataResponseTopic::default()
        .with_name(Some(TopicName(StrBytes::from_string(name.to_owned()))))
        .with_partitions(partitions);
    if call.version >= 8 {
        described.topic_authorized_operations = i32::MIN;
    }
    if call.version >= 10 {
        described.topic_id = topic.id;
    }
    described
}

/// Tells of the cluster, which is this broker.
pub(super) fn describe(
    broker: &Broker,
    call: &Call,
    request: &DescribeClusterRequest,
) -> DescribeClusterResponse {
    let node = DescribeClusterBroker::default()
        .with_broker_id(NODE)
        .with_host(StrBytes::from_string(broker.host()))
        .with_port(i32::from(broker.address.port()));
    let response = DescribeClusterResponse::default()
        .with_cluster_id(StrBytes::from_string(broker.core().cluster_id.clone()))
        .with_controller_id(NODE)
        .with_cluster_authorized_operations(i32::MIN)
        .with_brokers(vec![node]);
    if call.version >= 1 { response.with_endpoint_type(request.endpoint_type) } else { response }
}

/// Names the coordinator of groups or transactions, which is this broker.
pub(super) fn find_coordinator(
    broker: &Broker,
    call: &Call,
    request: FindCoordinatorRequest,
) -> FindCoordinatorResponse {
    let (host, port) = (StrBytes::from_string(broker.host()), i32::from(broker.address.port()));
    if call.version < 4 {
        return FindCoordinatorResponse::default()
            .with_node_id(NODE)
            .with_host(host)
            .with_port(port);
    }
    let coordinator = |key| {
        Coordinator::default()
            .with_key(key)
            .with_node_id(NODE)
            .with_host(host.clone())
            .with_port(port)
    };
    FindCoordinatorResponse::default()
        .with_coordinators(request.coordinator_keys.into_iter().map(coordinator).collect())
}

/// Tells how many bytes each partition has.
pub(super) fn log_dirs(
    broker: &Broker,
    call: &Call,
    request: &DescribeLogDirsRequest,
) -> DescribeLogDirsResponse {
    let core = broker.core();
    let wanted = |name: &str, partition: i32| match &request.topics {
        None => true,
        Some(topics) => topics
            .iter()
            .any(|topic| *topic.topic == *name && topic.partitions.contains(&partition)),
    };
    let partitions = |name: &str, topic: &Topic| -> Vec<_> {
        let logs = (0..).zip(&topic.partitions).filter(|(partition, _)| wanted(name, *partition));
        logs.map(|(partition, log)| {
            let size = log.bytes() as i64;
            DescribeLogDirsPartition::default()
                .with_partition_index(partition)
                .with_partition_size(size)
        })
        .collect()
    };
    let topics = core.topics.iter().map(|(name, topic)| {
        let partitions = partitions(name, topic);
        DescribeLogDirsTopic::default()
            .with_name(TopicName(StrBytes::from_string(name.to_owned())))
            .with_partitions(partitions)
    });
    let folder = broker
        .config
        .data_dir
        .as_ref()
        .map_or_else(|| "memory".to_owned(), |path| path.display().to_string());
    let mut result = DescribeLogDirsResult::default()
        .with_log_dir(StrBytes::from_string(folder))
        .with_topics(topics.filter(|topic| !topic.partitions.is_empty()).collect());
    if call.version < 4 {
        (result.total_bytes, result.usable_bytes) = (-1, -1);
    }
    DescribeLogDirsResponse::default().with_results(vec![result])
}
