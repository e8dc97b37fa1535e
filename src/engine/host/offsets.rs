//! How far queries have come in what they read, as Kafka has it.

use std::collections::{BTreeMap, BTreeSet};

use super::answer::{PartitionOffsets, TaskText, TopicOffsets};
use super::{HostError, Shared};
use crate::kafka::TopicPartition;
use crate::kafka::admin::{Admin, OffsetSpec};
use crate::kafka::config::Isolation;
use crate::kafka::group::{CommittedOffset, GroupOffsets};
use crate::plan::{Input, PersistentQuery, QueryPlan};
use crate::runtime::live::group_prefix;

type Committed = BTreeMap<TopicPartition, CommittedOffset>;

impl Shared {
    /// The consumer group of a query.
    pub(super) fn group_of(&self, id: &str) -> String {
        format!("{}{id}", group_prefix(&self.service_id))
    }

    /// How far a query has come in each topic that it reads, of those that there are.
    pub(super) async fn topic_offsets(
        &self,
        query: &PersistentQuery,
    ) -> Result<Vec<TopicOffsets>, HostError> {
        let group = self.group_of(&query.id);
        let committed = GroupOffsets::new(&self.services.cluster, &group).committed(None).await?;
        let mut found = Vec::new();
        for topic in topics(&query.plan, &group) {
            let offsets = self.partition_offsets(&topic, &committed).await?;
            found.extend(offsets.map(|offsets| TopicOffsets { topic, offsets }));
        }
        Ok(found)
    }

    /// The partitions of a topic; `None` if there is no such topic, as rows were given a new key in memory.
    async fn partition_offsets(
        &self,
        topic: &str,
        committed: &Committed,
    ) -> Result<Option<Vec<PartitionOffsets>>, HostError> {
        let admin = Admin::new(&self.services.cluster);
        if admin.describe_topic(topic).await?.is_none() {
            return Ok(None);
        }
        let offsets = |spec| admin.topic_offsets(topic, spec, Isolation::ReadUncommitted);
        let starts = offsets(OffsetSpec::Earliest).await?;
        let ends = offsets(OffsetSpec::Latest).await?;
        let partition = |(partition, (start, end)): (i32, (i64, i64))| {
            let at = committed.get(&TopicPartition::new(topic, partition));
            // A query that has committed nothing yet is where the partition begins.
            let position = at.map_or(start, |committed| committed.offset);
            PartitionOffsets { partition, start, end, position }
        };
        Ok(Some((0..).zip(starts.into_iter().zip(ends)).map(partition).collect()))
    }
}

/// The tasks of a query, with what each reads.
pub(super) fn tasks(
    query: &PersistentQuery,
    group: &str,
    topics: &[TopicOffsets],
) -> Vec<TaskText> {
    let mut tasks = Vec::new();
    for (number, part) in query.plan.sub_topologies().iter().enumerate() {
        let names: BTreeSet<String> =
            part.inputs.iter().map(|input| topic(&query.plan, *input, group)).collect();
        let read = topics.iter().filter(|topic| names.contains(&topic.topic));
        let mut by_partition: BTreeMap<i32, Vec<(String, PartitionOffsets)>> = BTreeMap::new();
        for TopicOffsets { topic, offsets } in read {
            for offsets in offsets {
                let task = by_partition.entry(offsets.partition).or_default();
                task.push((topic.clone(), *offsets));
            }
        }
        tasks.extend(
            by_partition.into_iter().map(|(partition, inputs)| TaskText {
                id: format!("{number}_{partition}"),
                inputs,
            }),
        );
    }
    tasks
}

/// The topics that a query reads, each once.
fn topics(plan: &QueryPlan, group: &str) -> BTreeSet<String> {
    let parts = plan.sub_topologies();
    let inputs = parts.iter().flat_map(|part| &part.inputs);
    inputs.map(|input| topic(plan, *input, group)).collect()
}

fn topic(plan: &QueryPlan, input: Input, group: &str) -> String {
    match input {
        Input::Source(node) => {
            let source = plan.node(node).kind.source();
            source.map(|source| source.topic.clone()).unwrap_or_default()
        }
        Input::Repartition(id) => {
            let topic = plan.repartitions().find(|(other, ..)| *other == id);
            topic.map(|(_, _, topic)| format!("{group}-{}", topic.name)).unwrap_or_default()
        }
    }
}
