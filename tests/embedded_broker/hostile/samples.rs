//! One request or more of each kind, filled in, in every version.
use bytes::Bytes;
use kafka_protocol::messages::*;
use kafka_protocol::protocol::Request;
use millstream::kafka::records::BatchOptions;
use uuid::Uuid;

use crate::wire::{batch, encode, text};

/// The frames of requests of a kind, as a client of this version sends them.
pub(crate) fn each_request(key: i16, version: i16) -> Vec<Bytes> {
    let api = ApiKey::try_from(key).unwrap();
    match api {
        ApiKey::Produce if version < 3 => vec![],
        ApiKey::Produce => frame(version, produce()),
        ApiKey::Fetch => frame(version, fetch(version)),
        ApiKey::ListOffsets => frame(version, list_offsets()),
        ApiKey::Metadata => frame(version, metadata(version)),
        ApiKey::OffsetCommit => frame(version, offset_commit(version)),
        ApiKey::OffsetFetch => frame(version, offset_fetch(version)),
        ApiKey::FindCoordinator => frame(version, find_coordinator(version)),
        ApiKey::JoinGroup => frame(version, join_group(version)),
        ApiKey::SyncGroup => frame(version, sync_group()),
        ApiKey::Heartbeat => frame(version, HeartbeatRequest::default().with_group_id(group())),
        ApiKey::LeaveGroup => frame(version, leave_group(version)),
        ApiKey::DescribeGroups => frame(
            version,
            DescribeGroupsRequest::default().with_groups(vec![group(), GroupId(text("x"))]),
        ),
        ApiKey::ListGroups => frame(version, ListGroupsRequest::default()),
        ApiKey::SaslHandshake => {
            frame(version, SaslHandshakeRequest::default().with_mechanism(text("PLAIN")))
        }
        ApiKey::ApiVersions => frame(version, ApiVersionsRequest::default()),
        ApiKey::SaslAuthenticate => frame(version, SaslAuthenticateRequest::default()),
        ApiKey::OffsetForLeaderEpoch => frame(version, leader_epoch()),
        _ => other_requests(api, version),
    }
}

fn other_requests(api: ApiKey, version: i16) -> Vec<Bytes> {
    match api {
        ApiKey::CreateTopics => frame(version, create_topics()),
        ApiKey::DeleteTopics => frame(version, delete_topics(version)),
        ApiKey::DeleteRecords => frame(version, delete_records()),
        ApiKey::CreatePartitions => frame(version, create_partitions()),
        ApiKey::DescribeConfigs => frame(version, describe_configs()),
        ApiKey::AlterConfigs => frame(version, alter_configs()),
        ApiKey::IncrementalAlterConfigs => frame(version, incremental_alter_configs()),
        ApiKey::DescribeLogDirs => {
            frame(version, DescribeLogDirsRequest::default().with_topics(None))
        }
        ApiKey::DescribeCluster => frame(version, DescribeClusterRequest::default()),
        ApiKey::DeleteGroups => {
            frame(version, DeleteGroupsRequest::default().with_groups_names(vec![group()]))
        }
        ApiKey::OffsetDelete => frame(version, offset_delete()),
        ApiKey::InitProducerId => frame(version, init_producer_id()),
        ApiKey::AddPartitionsToTxn => frame(version, add_partitions()),
        ApiKey::AddOffsetsToTxn => frame(version, add_offsets()),
        ApiKey::TxnOffsetCommit => frame(version, txn_offset_commit()),
        ApiKey::EndTxn => frame(version, end_txn()),
        ApiKey::DescribeProducers => frame(version, describe_producers()),
        ApiKey::DescribeTransactions => frame(
            version,
            DescribeTransactionsRequest::default().with_transactional_ids(vec![transaction()]),
        ),
        ApiKey::ListTransactions => frame(version, ListTransactionsRequest::default()),
        other => panic!("{other:?} is advertised and has no sample"),
    }
}

#[expect(clippy::needless_pass_by_value, reason = "each sample is made for one frame")]
fn frame<Q: Request>(version: i16, request: Q) -> Vec<Bytes> {
    vec![encode(version, 1, &request).freeze()]
}

fn topic() -> TopicName {
    TopicName(text("a"))
}

fn group() -> GroupId {
    GroupId(text("g"))
}

fn transaction() -> TransactionalId {
    TransactionalId(text("tx"))
}

fn produce() -> ProduceRequest {
    use produce_request::{PartitionProduceData, TopicProduceData};
    let records = batch(&[("k", Some("v"))], &BatchOptions::default());
    let data = PartitionProduceData::default().with_records(Some(records));
    let topic = TopicProduceData::default().with_name(topic()).with_partition_data(vec![data]);
    ProduceRequest::default().with_acks(-1).with_topic_data(vec![topic])
}

fn fetch(version: i16) -> FetchRequest {
    use fetch_request::{FetchPartition, FetchTopic, ForgottenTopic};
    let partition =
        |index| FetchPartition::default().with_partition(index).with_partition_max_bytes(1000);
    let partitions = vec![partition(0), partition(1)];
    let (named, forgotten) = (FetchTopic::default(), ForgottenTopic::default());
    let (named, forgotten) = if version < 13 {
        (named.with_topic(topic()), forgotten.with_topic(topic()))
    } else {
        let id = Uuid::from_u128(7);
        (named.with_topic_id(id), forgotten.with_topic_id(id))
    };
    let topics = named.with_partitions(partitions);
    let request = FetchRequest::default()
        .with_max_bytes(1000)
        .with_isolation_level(1)
        .with_topics(vec![topics]);
    if version < 7 {
        return request;
    }
    request.with_forgotten_topics_data(vec![forgotten.with_partitions(vec![0])])
}

fn list_offsets() -> ListOffsetsRequest {
    use list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic};
    let partitions = vec![
        ListOffsetsPartition::default().with_timestamp(-1),
        ListOffsetsPartition::default().with_timestamp(5),
        ListOffsetsPartition::default().with_partition_index(9),
    ];
    let topic = ListOffsetsTopic::default().with_name(topic()).with_partitions(partitions);
    ListOffsetsRequest::default().with_topics(vec![topic])
}

fn metadata(version: i16) -> MetadataRequest {
    use metadata_request::MetadataRequestTopic;
    let named = |name| MetadataRequestTopic::default().with_name(Some(TopicName(text(name))));
    let mut topics = vec![named("a"), named("new"), named("no spaces")];
    if version >= 10 {
        topics.push(
            MetadataRequestTopic::default()
                .with_topic_id(Uuid::from_u128(1))
                .with_name((version < 12).then(topic)),
        );
    }
    MetadataRequest::default().with_topics(Some(topics))
}

fn offset_commit(version: i16) -> OffsetCommitRequest {
    use offset_commit_request::{OffsetCommitRequestPartition, OffsetCommitRequestTopic};
    let partition = OffsetCommitRequestPartition::default()
        .with_committed_offset(1)
        .with_committed_metadata(Some(text("m")));
    let topic =
        OffsetCommitRequestTopic::default().with_name(topic()).with_partitions(vec![partition]);
    let request = OffsetCommitRequest::default().with_group_id(group()).with_topics(vec![topic]);
    if version >= 7 { request.with_group_instance_id(Some(text("i"))) } else { request }
}

fn offset_fetch(version: i16) -> OffsetFetchRequest {
    use offset_fetch_request::{
        OffsetFetchRequestGroup, OffsetFetchRequestTopic, OffsetFetchRequestTopics,
    };
    if version >= 8 {
        let topic = OffsetFetchRequestTopics::default()
            .with_name(topic())
            .with_partition_indexes(vec![0, 1]);
        let group = OffsetFetchRequestGroup::default()
            .with_group_id(group())
            .with_topics(Some(vec![topic]));
        return OffsetFetchRequest::default()
            .with_groups(vec![group.clone(), group.with_topics(None)]);
    }
    let topic =
        OffsetFetchRequestTopic::default().with_name(topic()).with_partition_indexes(vec![0, 1]);
    OffsetFetchRequest::default().with_group_id(group()).with_topics(Some(vec![topic]))
}

fn find_coordinator(version: i16) -> FindCoordinatorRequest {
    let request = FindCoordinatorRequest::default();
    if version >= 4 {
        request.with_coordinator_keys(vec![text("g"), text("h")])
    } else {
        request.with_key(text("g"))
    }
}

fn join_group(version: i16) -> JoinGroupRequest {
    use join_group_request::JoinGroupRequestProtocol;
    let protocol = JoinGroupRequestProtocol::default()
        .with_name(text("range"))
        .with_metadata(Bytes::from_static(b"m"));
    let request = JoinGroupRequest::default()
        .with_group_id(GroupId(text(&format!("joined-{version}"))))
        .with_session_timeout_ms(6_000)
        .with_protocol_type(text("consumer"))
        .with_protocols(vec![protocol]);
    let request = if version >= 1 { request.with_rebalance_timeout_ms(100) } else { request };
    if version >= 5 { request.with_group_instance_id(Some(text("i"))) } else { request }
}

fn sync_group() -> SyncGroupRequest {
    use sync_group_request::SyncGroupRequestAssignment;
    let assignment = SyncGroupRequestAssignment::default().with_member_id(text("m"));
    SyncGroupRequest::default()
        .with_group_id(group())
        .with_member_id(text("m"))
        .with_assignments(vec![assignment])
}

fn leave_group(version: i16) -> LeaveGroupRequest {
    use leave_group_request::MemberIdentity;
    let request = LeaveGroupRequest::default().with_group_id(group());
    if version < 3 {
        return request.with_member_id(text("m"));
    }
    request.with_members(vec![
        MemberIdentity::default().with_member_id(text("m")).with_group_instance_id(Some(text("i"))),
    ])
}

fn leader_epoch() -> OffsetForLeaderEpochRequest {
    use offset_for_leader_epoch_request::{OffsetForLeaderPartition, OffsetForLeaderTopic};
    let partition = OffsetForLeaderPartition::default().with_current_leader_epoch(-1);
    let topic =
        OffsetForLeaderTopic::default().with_topic(topic()).with_partitions(vec![partition]);
    OffsetForLeaderEpochRequest::default().with_topics(vec![topic])
}

fn create_topics() -> CreateTopicsRequest {
    use create_topics_request::{CreatableReplicaAssignment, CreatableTopic, CreatableTopicConfig};
    let assignment = CreatableReplicaAssignment::default().with_broker_ids(vec![BrokerId(1)]);
    let config =
        CreatableTopicConfig::default().with_name(text("retention.ms")).with_value(Some(text("1")));
    let one = CreatableTopic::default()
        .with_name(TopicName(text("b")))
        .with_num_partitions(2)
        .with_configs(vec![config]);
    let two = CreatableTopic::default()
        .with_name(TopicName(text("c")))
        .with_num_partitions(-1)
        .with_replication_factor(-1)
        .with_assignments(vec![assignment]);
    CreateTopicsRequest::default().with_topics(vec![one, two]).with_validate_only(true)
}

fn delete_topics(version: i16) -> DeleteTopicsRequest {
    use delete_topics_request::DeleteTopicState;
    if version < 6 {
        return DeleteTopicsRequest::default().with_topic_names(vec![TopicName(text("b"))]);
    }
    let named = DeleteTopicState::default().with_name(Some(TopicName(text("b"))));
    let by_id = DeleteTopicState::default().with_topic_id(Uuid::from_u128(1));
    DeleteTopicsRequest::default().with_topics(vec![named, by_id])
}

fn delete_records() -> DeleteRecordsRequest {
    use delete_records_request::{DeleteRecordsPartition, DeleteRecordsTopic};
    let partition = DeleteRecordsPartition::default().with_offset(0);
    let topic = DeleteRecordsTopic::default().with_name(topic()).with_partitions(vec![partition]);
    DeleteRecordsRequest::default().with_topics(vec![topic])
}

fn create_partitions() -> CreatePartitionsRequest {
    use create_partitions_request::{CreatePartitionsAssignment, CreatePartitionsTopic};
    let assignment = CreatePartitionsAssignment::default().with_broker_ids(vec![BrokerId(1)]);
    let topic = CreatePartitionsTopic::default()
        .with_name(topic())
        .with_count(3)
        .with_assignments(Some(vec![assignment]));
    CreatePartitionsRequest::default().with_topics(vec![topic]).with_validate_only(true)
}

fn describe_configs() -> DescribeConfigsRequest {
    use describe_configs_request::DescribeConfigsResource;
    let of = |kind, name| {
        DescribeConfigsResource::default().with_resource_type(kind).with_resource_name(text(name))
    };
    let some = of(2, "a").with_configuration_keys(Some(vec![text("retention.ms")]));
    let resources = vec![
        some,
        of(2, "a").with_configuration_keys(None),
        of(4, "1").with_configuration_keys(None),
        of(2, "x"),
    ];
    DescribeConfigsRequest::default().with_resources(resources).with_include_synonyms(true)
}

fn alter_configs() -> AlterConfigsRequest {
    use alter_configs_request::{AlterConfigsResource, AlterableConfig};
    let config =
        AlterableConfig::default().with_name(text("retention.ms")).with_value(Some(text("-1")));
    let resource = AlterConfigsResource::default()
        .with_resource_type(2)
        .with_resource_name(text("a"))
        .with_configs(vec![config]);
    AlterConfigsRequest::default().with_resources(vec![resource])
}

fn incremental_alter_configs() -> IncrementalAlterConfigsRequest {
    use incremental_alter_configs_request::{AlterConfigsResource, AlterableConfig};
    let config = |operation| {
        AlterableConfig::default()
            .with_name(text("cleanup.policy"))
            .with_config_operation(operation)
            .with_value(Some(text("delete")))
    };
    let configs = vec![config(0), config(1), config(2)];
    let resource = AlterConfigsResource::default()
        .with_resource_type(2)
        .with_resource_name(text("a"))
        .with_configs(configs);
    IncrementalAlterConfigsRequest::default().with_resources(vec![resource])
}

fn offset_delete() -> OffsetDeleteRequest {
    use offset_delete_request::{OffsetDeleteRequestPartition, OffsetDeleteRequestTopic};
    let partitions = vec![OffsetDeleteRequestPartition::default()];
    let topic = OffsetDeleteRequestTopic::default().with_name(topic()).with_partitions(partitions);
    OffsetDeleteRequest::default().with_group_id(group()).with_topics(vec![topic])
}

fn init_producer_id() -> InitProducerIdRequest {
    InitProducerIdRequest::default()
        .with_transactional_id(Some(transaction()))
        .with_transaction_timeout_ms(1000)
}

fn add_partitions() -> AddPartitionsToTxnRequest {
    use add_partitions_to_txn_request::AddPartitionsToTxnTopic;
    let topic = AddPartitionsToTxnTopic::default().with_name(topic()).with_partitions(vec![0, 1]);
    AddPartitionsToTxnRequest::default()
        .with_v3_and_below_transactional_id(transaction())
        .with_v3_and_below_topics(vec![topic])
}

fn add_offsets() -> AddOffsetsToTxnRequest {
    AddOffsetsToTxnRequest::default().with_transactional_id(transaction()).with_group_id(group())
}

fn txn_offset_commit() -> TxnOffsetCommitRequest {
    use txn_offset_commit_request::{TxnOffsetCommitRequestPartition, TxnOffsetCommitRequestTopic};
    let partition = TxnOffsetCommitRequestPartition::default().with_committed_offset(1);
    let topic =
        TxnOffsetCommitRequestTopic::default().with_name(topic()).with_partitions(vec![partition]);
    TxnOffsetCommitRequest::default()
        .with_transactional_id(transaction())
        .with_group_id(group())
        .with_topics(vec![topic])
}

fn end_txn() -> EndTxnRequest {
    EndTxnRequest::default().with_transactional_id(transaction()).with_committed(true)
}

fn describe_producers() -> DescribeProducersRequest {
    use describe_producers_request::TopicRequest;
    let topic = TopicRequest::default().with_name(topic()).with_partition_indexes(vec![0, 9]);
    DescribeProducersRequest::default().with_topics(vec![topic])
}
