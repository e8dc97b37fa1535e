//! Offsets of partitions: where they begin and end, and where they are cut off.
use std::collections::{BTreeMap, HashMap};

use kafka_protocol::messages::delete_records_request::{
    DeleteRecordsPartition, DeleteRecordsTopic,
};
use kafka_protocol::messages::list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic};
use kafka_protocol::messages::{BrokerId, DeleteRecordsRequest, ListOffsetsRequest};

use super::Admin;
use crate::kafka::api::Api;
use crate::kafka::cluster::{Route, topic_name};
use crate::kafka::config::Isolation;
use crate::kafka::error::KafkaError;
use crate::kafka::partition::TopicPartition;

/// Which offset of a partition is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OffsetSpec {
    /// That of the first record.
    Earliest,
    /// The one after the last record, or after the last committed one under `read_committed`.
    Latest,
    /// That of the first record with this timestamp or a later one.
    At(i64),
}

/// An offset that was looked up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListedOffset {
    /// The offset, or `None` if no record is as late as was asked for.
    pub offset: Option<i64>,
    /// The timestamp of the record, if one was asked for by its timestamp.
    pub timestamp: Option<i64>,
}

/// The partitions of a request to one broker, with what is asked about each.
type ByLeader<T> = BTreeMap<i32, Vec<(TopicPartition, T)>>;

impl Admin {
    /// Looks up offsets, each at the partition's leader.
    pub async fn list_offsets(
        &self,
        wanted: &[(TopicPartition, OffsetSpec)],
        isolation: Isolation,
    ) -> Result<BTreeMap<TopicPartition, ListedOffset>, KafkaError> {
        let mut found = BTreeMap::new();
        let mut left = wanted.to_vec();
        let mut backoff = self.cluster.backoff();
        while !left.is_empty() {
            let mut last = None;
            for (leader, asked) in self.by_leader(std::mem::take(&mut left)).await? {
                let results = match self.list_at(leader, &asked, isolation).await {
                    Ok(results) => results,
                    Err(error) => asked
                        .iter()
                        .map(|(partition, _)| (partition.clone(), Err(error.clone())))
                        .collect(),
                };
                for (partition, result) in results {
                    match result {
                        Ok(offset) => drop(found.insert(partition, offset)),
                        Err(error) => last = Some(error),
                    }
                }
                left.extend(
                    asked.into_iter().filter(|(partition, _)| !found.contains_key(partition)),
                );
            }
            for (partition, _) in &left {
                self.cluster.forget(&partition.topic);
            }
            if let Some(error) = last {
                backoff.pause(error).await?;
            }
        }
        Ok(found)
    }

    /// The first or the end offset of every partition of a topic, in order.
    pub async fn topic_offsets(
        &self,
        topic: &str,
        spec: OffsetSpec,
        isolation: Isolation,
    ) -> Result<Vec<i64>, KafkaError> {
        let metadata = self.cluster.topic(topic).await?;
        let partitions = metadata.partitions.iter();
        let partition = |partition: i32| TopicPartition::new(metadata.name.clone(), partition);
        let wanted: Vec<_> = partitions.map(|found| (partition(found.partition), spec)).collect();
        let found = self.list_offsets(&wanted, isolation).await?;
        Ok(found.into_values().map(|listed| listed.offset.unwrap_or(-1)).collect())
    }

    async fn list_at(
        &self,
        leader: i32,
        asked: &[(TopicPartition, OffsetSpec)],
        isolation: Isolation,
    ) -> Result<Vec<(TopicPartition, Result<ListedOffset, KafkaError>)>, KafkaError> {
        let topics = by_topic(asked, |partition, spec| {
            ListOffsetsPartition::default().with_partition_index(partition).with_timestamp(
                match spec {
                    OffsetSpec::Earliest => -2,
                    OffsetSpec::Latest => -1,
                    OffsetSpec::At(timestamp) => *timestamp,
                },
            )
        });
        let topic = |(name, partitions): (&str, _)| {
            ListOffsetsTopic::default().with_name(topic_name(name)).with_partitions(partitions)
        };
        let request = ListOffsetsRequest::default()
            .with_replica_id(BrokerId(-1))
            .with_isolation_level(isolation as i8)
            .with_topics(topics.into_iter().map(topic).collect());
        let response = self.cluster.with_patience(std::time::Duration::ZERO);
        let response = response.call(Route::Broker(leader), &request, |_| Ok(())).await?;
        let known = |value: i64| Some(value).filter(|value| *value >= 0);
        let results = response.topics.iter().flat_map(|topic| {
            topic.partitions.iter().map(|found| {
                let partition = TopicPartition::new(topic.name.0.as_str(), found.partition_index);
                let checked =
                    KafkaError::check(ListOffsetsRequest::NAME, &partition, found.error_code);
                let listed =
                    ListedOffset { offset: known(found.offset), timestamp: known(found.timestamp) };
                (partition, checked.map(|()| listed))
            })
        });
        Ok(results.collect())
    }

    /// Deletes the records before an offset of each partition, as for a repartition topic whose records were used.
    pub async fn delete_records(&self, before: &[(TopicPartition, i64)]) -> Result<(), KafkaError> {
        for (leader, asked) in self.by_leader(before.to_vec()).await? {
            let topics = by_topic(&asked, |partition, offset| {
                DeleteRecordsPartition::default()
                    .with_partition_index(partition)
                    .with_offset(*offset)
            });
            let topic = |(name, partitions): (&str, _)| {
                DeleteRecordsTopic::default()
                    .with_name(topic_name(name))
                    .with_partitions(partitions)
            };
            let request = DeleteRecordsRequest::default()
                .with_topics(topics.into_iter().map(topic).collect())
                .with_timeout_ms(self.timeout_ms());
            let check = |response: &kafka_protocol::messages::DeleteRecordsResponse| {
                response.topics.iter().try_for_each(|topic| {
                    topic.partitions.iter().try_for_each(|found| {
                        let partition =
                            TopicPartition::new(topic.name.0.as_str(), found.partition_index);
                        KafkaError::check(DeleteRecordsRequest::NAME, partition, found.error_code)
                    })
                })
            };
            self.cluster.call(Route::Broker(leader), &request, check).await?;
        }
        Ok(())
    }

    async fn by_leader<T>(
        &self,
        wanted: Vec<(TopicPartition, T)>,
    ) -> Result<ByLeader<T>, KafkaError> {
        let mut grouped: ByLeader<T> = BTreeMap::new();
        for (partition, asked) in wanted {
            let (leader, _) = self.cluster.leader(&partition).await?;
            grouped.entry(leader).or_default().push((partition, asked));
        }
        Ok(grouped)
    }
}

/// Groups what is asked about partitions by their topics, as requests do; topics and partitions stay in order.
pub(in crate::kafka) fn by_topic<'a, T, U>(
    asked: impl IntoIterator<Item = &'a (TopicPartition, T)>,
    mut build: impl FnMut(i32, &'a T) -> U,
) -> Vec<(&'a str, Vec<U>)>
where
    T: 'a,
{
    let mut places: HashMap<&str, usize> = HashMap::new();
    let mut topics: Vec<(&str, Vec<U>)> = Vec::new();
    for (partition, asked) in asked {
        let place = *places.entry(&partition.topic).or_insert(topics.len());
        if place == topics.len() {
            topics.push((&partition.topic, Vec::new()));
        }
        topics[place].1.push(build(partition.partition, asked));
    }
    topics
}
