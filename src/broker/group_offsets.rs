//! The offsets of groups: commit, fetch, delete.
use bytes::Bytes;
use kafka_protocol::error::ResponseError;
use kafka_protocol::messages::offset_commit_request::OffsetCommitRequestPartition;
use kafka_protocol::messages::offset_commit_response::{
    OffsetCommitResponsePartition, OffsetCommitResponseTopic,
};
use kafka_protocol::messages::offset_delete_response::{
    OffsetDeleteResponsePartition, OffsetDeleteResponseTopic,
};
use kafka_protocol::messages::offset_fetch_response::{
    OffsetFetchResponseGroup, OffsetFetchResponsePartition, OffsetFetchResponsePartitions,
    OffsetFetchResponseTopic, OffsetFetchResponseTopics,
};
use kafka_protocol::messages::{
    ConsumerProtocolSubscription, OffsetCommitRequest, OffsetCommitResponse, OffsetDeleteRequest,
    OffsetDeleteResponse, OffsetFetchRequest, OffsetFetchResponse, TopicName,
};
use kafka_protocol::protocol::{Decodable, StrBytes};

use super::call::Call;
use super::core::Core;
use super::event::{Committed, Event};
use super::groups::Group;
use super::shared::Broker;

/// The longest metadata beside an offset, as in Kafka.
const METADATA_LENGTH_MAX: usize = 4_096;

/// Commits offsets of a group.
pub(super) fn commit(broker: &Broker, request: OffsetCommitRequest) -> OffsetCommitResponse {
    let now = broker.now();
    let mut core = broker.core();
    let core = &mut *core;
    let (generation, instance) =
        (request.generation_id_or_member_epoch, request.group_instance_id.as_ref());
    let known = core.groups.get(&request.group_id).is_some();
    let checked = if known || generation < 0 {
        let group = core.groups.admit(&request.group_id);
        group.and_then(|group| group.check_commit(generation, &request.member_id, instance, now))
    } else {
        Err(ResponseError::IllegalGeneration)
    };
    let mut offsets = Vec::new();
    let topics = request.topics.into_iter().map(|topic| {
        let partitions = topic.partitions.into_iter().map(|partition| {
            let response = OffsetCommitResponsePartition::default()
                .with_partition_index(partition.partition_index);
            match checked.and_then(|()| to_committed(core, &topic.name, &partition)) {
                Ok(committed) => {
                    offsets.push((topic.name.to_string(), partition.partition_index, committed));
                    response
                }
                Err(error) => response.with_error_code(error.code()),
            }
        });
        let partitions = partitions.collect();
        OffsetCommitResponseTopic::default().with_name(topic.name).with_partitions(partitions)
    });
    let topics = topics.collect();
    if !offsets.is_empty() {
        core.commit_offsets(&request.group_id, offsets);
    }
    OffsetCommitResponse::default().with_topics(topics)
}

fn to_committed(
    core: &Core,
    topic: &str,
    partition: &OffsetCommitRequestPartition,
) -> Result<Committed, ResponseError> {
    let metadata =
        partition.committed_metadata.as_ref().map(ToString::to_string).unwrap_or_default();
    let committed = Committed {
        offset: partition.committed_offset,
        leader_epoch: partition.committed_leader_epoch,
        metadata,
    };
    check(core, topic, partition.partition_index, &committed).map(|()| committed)
}

/// Checks an offset that is to be committed.
pub(super) fn check(
    core: &Core,
    topic: &str,
    partition: i32,
    committed: &Committed,
) -> Result<(), ResponseError> {
    if !core.topics.has(topic, partition) {
        return Err(ResponseError::UnknownTopicOrPartition);
    }
    if committed.metadata.len() > METADATA_LENGTH_MAX {
        return Err(ResponseError::OffsetMetadataTooLarge);
    }
    Ok(())
}

/// A partition whose offset is asked for, with what there is.
struct Found {
    partition: i32,
    committed: Option<Committed>,
    error: i16,
}

impl Found {
    fn offset(&self) -> i64 {
        self.committed.as_ref().map_or(-1, |committed| committed.offset)
    }

    fn leader_epoch(&self) -> i32 {
        self.committed.as_ref().map_or(-1, |committed| committed.leader_epoch)
    }

    fn metadata(&self) -> StrBytes {
        let metadata = self.committed.as_ref().map(|committed| committed.metadata.clone());
        StrBytes::from_string(metadata.unwrap_or_default())
    }
}

/// Tells the offsets that groups have committed.
pub(super) fn fetch(
    broker: &Broker,
    call: &Call,
    request: OffsetFetchRequest,
) -> OffsetFetchResponse {
    let core = broker.core();
    let stable = request.require_stable;
    if call.version >= 8 {
        let groups = request.groups.into_iter().map(|wanted| {
            let topics = wanted.topics.map(|topics| {
                topics.into_iter().map(|topic| (topic.name, topic.partition_indexes))
            });
            let found = find(&core, &wanted.group_id, topics.map(Iterator::collect), stable);
            let topics = found.into_iter().map(|(name, found)| {
                let partitions = found.iter().map(|found| {
                    OffsetFetchResponsePartitions::default()
                        .with_partition_index(found.partition)
                        .with_committed_offset(found.offset())
                        .with_committed_leader_epoch(found.leader_epoch())
                        .with_metadata(Some(found.metadata()))
                        .with_error_code(found.error)
                });
                OffsetFetchResponseTopics::default()
                    .with_name(name)
                    .with_partitions(partitions.collect())
            });
            OffsetFetchResponseGroup::default()
                .with_topics(topics.collect())
                .with_group_id(wanted.group_id)
        });
        return OffsetFetchResponse::default().with_groups(groups.collect());
    }
    let topics = request
        .topics
        .map(|topics| topics.into_iter().map(|topic| (topic.name, topic.partition_indexes)));
    let found = find(&core, &request.group_id, topics.map(Iterator::collect), stable);
    let topics = found.into_iter().map(|(name, found)| {
        let partitions = found.iter().map(|found| {
            let partition = OffsetFetchResponsePartition::default()
                .with_partition_index(found.partition)
                .with_committed_offset(found.offset())
                .with_metadata(Some(found.metadata()))
                .with_error_code(found.error);
            if call.version >= 5 {
                partition.with_committed_leader_epoch(found.leader_epoch())
            } else {
                partition
            }
        });
        OffsetFetchResponseTopic::default().with_name(name).with_partitions(partitions.collect())
    });
    OffsetFetchResponse::default().with_topics(topics.collect())
}

/// The offsets of the partitions that are asked for, or of all that the group has.
fn find(
    core: &Core,
    group: &str,
    wanted: Option<Vec<(TopicName, Vec<i32>)>>,
    stable: bool,
) -> Vec<(TopicName, Vec<Found>)> {
    let known = core.groups.get(group);
    let all = || {
        let mut topics: Vec<(TopicName, Vec<i32>)> = Vec::new();
        for (topic, partition) in known.iter().flat_map(|group| group.offsets.keys()) {
            match topics.last_mut() {
                Some((name, partitions)) if **name == **topic => partitions.push(*partition),
                _ => {
                    topics
                        .push((TopicName(StrBytes::from_string(topic.clone())), vec![*partition]));
                }
            }
        }
        topics
    };
    let find = |topic: &TopicName, partition: i32| {
        if stable && core.transactions.has_pending(group, topic, partition) {
            return Found {
                partition,
                committed: None,
                error: ResponseError::UnstableOffsetCommit.code(),
            };
        }
        let committed =
            known.and_then(|group| group.offsets.get(&(topic.to_string(), partition)).cloned());
        Found { partition, committed, error: 0 }
    };
    let topics = wanted.unwrap_or_else(all).into_iter();
    topics
        .map(|(topic, partitions)| {
            let found = partitions.into_iter().map(|partition| find(&topic, partition)).collect();
            (topic, found)
        })
        .collect()
}

/// Forgets offsets of a group, except for topics that its members read.
pub(super) fn delete(broker: &Broker, request: OffsetDeleteRequest) -> OffsetDeleteResponse {
    let mut core = broker.core();
    let core = &mut *core;
    let Some(group) = core.groups.get_mut(&request.group_id) else {
        return OffsetDeleteResponse::default()
            .with_error_code(ResponseError::GroupIdNotFound.code());
    };
    if !group.members.is_empty() && *group.protocol_type != *"consumer" {
        return OffsetDeleteResponse::default()
            .with_error_code(ResponseError::NonEmptyGroup.code());
    }
    let topics = request.topics.into_iter().map(|topic| {
        let subscribed = reads(group, &topic.name);
        let partitions = topic.partitions.into_iter().map(|wanted| {
            let partition = wanted.partition_index;
            let response = OffsetDeleteResponsePartition::default().with_partition_index(partition);
            if subscribed {
                return response.with_error_code(ResponseError::GroupSubscribedToTopic.code());
            }
            if group.offsets.remove(&(topic.name.to_string(), partition)).is_some() {
                let group = request.group_id.to_string();
                core.journal.note(&Event::OffsetGone {
                    group,
                    topic: topic.name.to_string(),
                    partition,
                });
            }
            response
        });
        let partitions = partitions.collect();
        OffsetDeleteResponseTopic::default().with_name(topic.name).with_partitions(partitions)
    });
    OffsetDeleteResponse::default().with_topics(topics.collect())
}

/// Whether a member subscribes to the topic, as far as its metadata can be read.
fn reads(group: &Group, topic: &str) -> bool {
    group.members.iter().any(|member| {
        let metadata = member.metadata(&group.protocol);
        topics_of(metadata).is_none_or(|topics| topics.iter().any(|name| **name == *topic))
    })
}

fn topics_of(mut metadata: Bytes) -> Option<Vec<StrBytes>> {
    let version = bytes::Buf::try_get_i16(&mut metadata).ok()?.clamp(0, 1);
    // A claim about the number of topics is held against the bytes that are there.
    if !super::shape::fits("[s]", 0, false, &metadata) {
        return None;
    }
    ConsumerProtocolSubscription::decode(&mut metadata, version.min(0))
        .ok()
        .map(|subscription| subscription.topics)
}
