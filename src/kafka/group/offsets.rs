//! Committed offsets of a group.
use std::collections::BTreeMap;

use kafka_protocol::error::ResponseError;
use kafka_protocol::messages::offset_commit_request::{
    OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use kafka_protocol::messages::offset_delete_request::{
    OffsetDeleteRequestPartition, OffsetDeleteRequestTopic,
};
use kafka_protocol::messages::offset_fetch_request::OffsetFetchRequestTopic;
use kafka_protocol::messages::{
    GroupId, OffsetCommitRequest, OffsetCommitResponse, OffsetDeleteRequest, OffsetDeleteResponse,
    OffsetFetchRequest, OffsetFetchResponse,
};

use super::metadata::GroupMetadata;
use crate::kafka::admin::by_topic;
use crate::kafka::api::Api;
use crate::kafka::cluster::{Cluster, text, topic_name};
use crate::kafka::coordinator::{Coordinator, CoordinatorKind};
use crate::kafka::error::KafkaError;
use crate::kafka::lease::Lease;
use crate::kafka::partition::TopicPartition;

/// An offset that a group has committed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CommittedOffset {
    /// The offset of the next record to process.
    pub offset: i64,
    /// What the group noted beside it.
    pub metadata: String,
}

impl CommittedOffset {
    /// An offset without a note.
    pub fn new(offset: i64) -> Self {
        Self { offset, metadata: String::new() }
    }
}

/// Reads and writes the offsets of a group.
#[derive(Debug)]
pub struct GroupOffsets {
    group: String,
    pub(in crate::kafka) coordinator: Coordinator,
}

impl GroupOffsets {
    /// The offsets of `group`; its coordinator is looked up with the first call.
    pub fn new(cluster: &Cluster, group: &str) -> Self {
        let coordinator = Coordinator::new(cluster, CoordinatorKind::Group, group);
        Self { group: group.to_owned(), coordinator }
    }

    /// The id of the group.
    pub fn group(&self) -> &str {
        &self.group
    }

    /// Commits offsets for a group without members.
    pub async fn commit(
        &self,
        offsets: &[(TopicPartition, CommittedOffset)],
    ) -> Result<(), KafkaError> {
        self.commit_as(&GroupMetadata::outside(&self.group), offsets).await
    }

    /// Commits offsets as a member; one whose generation has passed is refused.
    pub async fn commit_as(
        &self,
        member: &GroupMetadata,
        offsets: &[(TopicPartition, CommittedOffset)],
    ) -> Result<(), KafkaError> {
        self.commit_leased(member, None, offsets).await
    }

    /// The same, if the member's lease is open when they are written.
    pub(super) async fn commit_leased(
        &self,
        member: &GroupMetadata,
        lease: Option<&Lease>,
        offsets: &[(TopicPartition, CommittedOffset)],
    ) -> Result<(), KafkaError> {
        if offsets.is_empty() {
            return Ok(());
        }
        let topics = by_topic(offsets, |partition, committed| {
            OffsetCommitRequestPartition::default()
                .with_partition_index(partition)
                .with_committed_offset(committed.offset)
                .with_committed_metadata(Some(text(&committed.metadata)))
        });
        let topic = |(name, partitions): (&str, _)| {
            OffsetCommitRequestTopic::default()
                .with_name(topic_name(name))
                .with_partitions(partitions)
        };
        let request = OffsetCommitRequest::default()
            .with_group_id(GroupId(text(&self.group)))
            .with_generation_id_or_member_epoch(member.generation)
            .with_member_id(text(&member.member_id))
            .with_group_instance_id(member.instance_id.as_deref().map(text))
            .with_topics(topics.into_iter().map(topic).collect());
        let check = |response: &OffsetCommitResponse| {
            let mut partitions = response.topics.iter().flat_map(|topic| {
                topic.partitions.iter().map(|partition| (&topic.name.0, partition))
            });
            partitions.try_for_each(|(topic, partition)| {
                let target =
                    format!("{topic}-{} of group {}", partition.partition_index, self.group);
                KafkaError::check(OffsetCommitRequest::NAME, target, partition.error_code)
            })
        };
        let committed = self.coordinator.call_leased(&request, lease, check).await.map(drop);
        committed.map_err(|error| self.fenced(member.instance_id.as_deref(), error))
    }

    /// An error of a member, with its instance id where that is why it was refused.
    pub(in crate::kafka) fn fenced(
        &self,
        instance_id: Option<&str>,
        error: KafkaError,
    ) -> KafkaError {
        match instance_id {
            Some(instance_id) if error.is_code(ResponseError::FencedInstanceId) => {
                let (group, instance_id) = (self.group.clone(), instance_id.to_owned());
                KafkaError::InstanceFenced { group, instance_id }
            }
            _ => error,
        }
    }

    /// The committed offsets of some partitions, or of all with `None`; a partition without one is left out.
    ///
    /// Waits for transactions that are about to commit offsets.
    pub async fn committed(
        &self,
        partitions: Option<&[TopicPartition]>,
    ) -> Result<BTreeMap<TopicPartition, CommittedOffset>, KafkaError> {
        let topic = |(name, partitions): (&str, Vec<i32>)| {
            OffsetFetchRequestTopic::default()
                .with_name(topic_name(name))
                .with_partition_indexes(partitions)
        };
        let asked: Option<Vec<_>> = partitions
            .map(|partitions| partitions.iter().map(|partition| (partition.clone(), ())).collect());
        let topics = asked.as_ref().map(|asked| by_topic(asked, |partition, ()| partition));
        let request = OffsetFetchRequest::default()
            .with_group_id(GroupId(text(&self.group)))
            .with_topics(topics.map(|topics| topics.into_iter().map(topic).collect()))
            .with_require_stable(true);
        let check = |response: &OffsetFetchResponse| {
            let mut codes = response.topics.iter().flat_map(|topic| &topic.partitions);
            KafkaError::check(OffsetFetchRequest::NAME, &self.group, response.error_code)?;
            codes.try_for_each(|found| {
                KafkaError::check(OffsetFetchRequest::NAME, &self.group, found.error_code)
            })
        };
        let response = self.coordinator.call(&request, check).await?;
        let mut committed = BTreeMap::new();
        for topic in &response.topics {
            for found in topic.partitions.iter().filter(|found| found.committed_offset >= 0) {
                let metadata = found.metadata.as_deref().unwrap_or_default().to_owned();
                let offset = CommittedOffset { offset: found.committed_offset, metadata };
                committed.insert(
                    TopicPartition::new(topic.name.0.as_str(), found.partition_index),
                    offset,
                );
            }
        }
        Ok(committed)
    }

    /// Deletes the committed offsets of some partitions.
    pub async fn delete(&self, partitions: &[TopicPartition]) -> Result<(), KafkaError> {
        let asked: Vec<_> = partitions.iter().map(|partition| (partition.clone(), ())).collect();
        let topics = by_topic(&asked, |partition, ()| {
            OffsetDeleteRequestPartition::default().with_partition_index(partition)
        });
        let topic = |(name, partitions): (&str, _)| {
            OffsetDeleteRequestTopic::default()
                .with_name(topic_name(name))
                .with_partitions(partitions)
        };
        let request = OffsetDeleteRequest::default()
            .with_group_id(GroupId(text(&self.group)))
            .with_topics(topics.into_iter().map(topic).collect());
        let check = |response: &OffsetDeleteResponse| {
            KafkaError::check(OffsetDeleteRequest::NAME, &self.group, response.error_code)?;
            let mut codes = response.topics.iter().flat_map(|topic| &topic.partitions);
            codes.try_for_each(|found| {
                KafkaError::check(OffsetDeleteRequest::NAME, &self.group, found.error_code)
            })
        };
        self.coordinator.call(&request, check).await.map(drop)
    }
}
