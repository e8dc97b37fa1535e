//! The topics of a query: found, or made, each with the partitions that it has to have.

use std::sync::Arc;

use super::error::LiveError;
use super::settings::QuerySettings;
use super::topics::{EnsuredTopic, changelog_configs, ensure_topic, repartition_configs};
use crate::kafka::admin::Admin;
use crate::kafka::group::GroupOffsets;
use crate::kafka::{KafkaError, ResponseError, TopicPartition};
use crate::plan::{Input, NodeId, PartitionCounts, QueryPlan, StoreId};
use crate::runtime::Target;

/// A topic, and how many partitions it has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Topic {
    pub(super) name: String,
    pub(super) partitions: i32,
}

impl Topic {
    /// All its partitions.
    pub(super) fn all_partitions(&self) -> impl Iterator<Item = TopicPartition> + use<> {
        let name: Arc<str> = self.name.as_str().into();
        (0..self.partitions).map(move |at| TopicPartition::new(Arc::clone(&name), at))
    }
}

/// The topics of a query.
#[derive(Clone, Debug)]
pub(super) struct QueryTopics {
    /// What it reads: sources, and repartition topics where rows go through them.
    pub(super) inputs: Vec<(Input, Topic)>,
    pub(super) sink: Topic,
    /// By their ids; none where rows are re-keyed in memory.
    pub(super) repartitions: Vec<Topic>,
    /// The changelogs of stores, by their ids.
    pub(super) changelogs: Vec<Topic>,
    /// How many partitions everything has.
    pub(super) counts: PartitionCounts,
    /// Why the state that belongs to the group's offsets is not there, if it is not.
    pub(super) lost_state: Option<String>,
}

impl QueryTopics {
    /// The topic that records for `target` go to.
    pub(super) fn of(&self, target: Target) -> Option<&Topic> {
        match target {
            Target::Sink => Some(&self.sink),
            Target::Repartition(topic) => self.repartitions.get(topic.0),
            Target::Changelog(StoreId(store)) => self.changelogs.get(store),
        }
    }

    /// All topics.
    pub(super) fn all(&self) -> impl Iterator<Item = &Topic> {
        let inputs = self.inputs.iter().map(|(_, topic)| topic);
        inputs.chain([&self.sink]).chain(&self.changelogs)
    }

    /// The topic of an input.
    pub(super) fn input(&self, input: Input) -> Option<&Topic> {
        self.inputs.iter().find(|(other, _)| *other == input).map(|(_, topic)| topic)
    }

    /// The partitions that a member of the query's group is assigned.
    pub(super) fn partitions(&self) -> Vec<TopicPartition> {
        let inputs = self.inputs.iter();
        let mut partitions: Vec<_> = inputs.flat_map(|(_, topic)| topic.all_partitions()).collect();
        partitions.sort();
        partitions.dedup();
        partitions
    }

    /// The repartition topics that rows go through.
    pub(super) fn read_repartitions(&self) -> impl Iterator<Item = &Topic> {
        let inputs = self.inputs.iter();
        let inputs = inputs.filter(|(input, _)| matches!(input, Input::Repartition(_)));
        inputs.map(|(_, topic)| topic)
    }
}

/// Finds the topics of a query, and makes its internal ones.
pub(super) async fn query_topics(
    admin: &Admin,
    plan: &QueryPlan,
    settings: &QuerySettings,
    application_id: &str,
) -> Result<QueryTopics, LiveError> {
    let mut sources: Vec<(NodeId, Topic)> = Vec::new();
    for (node, source) in plan.sources() {
        sources.push((node, existing(admin, &source.topic).await?));
    }
    let sink = existing(admin, &plan.sink.topic).await?;
    let of_source = |node: NodeId| sources.iter().find(|(other, _)| *other == node);
    let counts = plan
        .partition_counts(|node, _| of_source(node).map_or(1, |(_, topic)| topic.partitions))
        .map_err(|unequal| LiveError::Topic {
            topic: unequal.0.name.clone(),
            cause: unequal.to_string(),
        })?;
    let mut inputs: Vec<(Input, Topic)> =
        sources.into_iter().map(|(node, topic)| (Input::Source(node), topic)).collect();
    let mut repartitions = Vec::new();
    if settings.repartitions_by_topic {
        for (id, _, repartition) in plan.repartitions() {
            let name = format!("{application_id}-{}", repartition.name);
            let topic = Topic { name, partitions: counts.of_repartition(id) };
            ensure(admin, &topic, settings, &repartition_configs()).await?;
            inputs.push((Input::Repartition(id), topic.clone()));
            repartitions.push(topic);
        }
    }
    let changelogs: Vec<Topic> = plan
        .stores()
        .map(|(id, _, store)| {
            let name = format!("{application_id}-{}", store.changelog());
            Topic { name, partitions: counts.of_store(id) }
        })
        .collect();
    let lost_state = lost_state(admin, application_id, &changelogs).await?;
    if lost_state.is_none() {
        for ((.., store), topic) in plan.stores().zip(&changelogs) {
            ensure(admin, topic, settings, &changelog_configs(store)).await?;
        }
    }
    Ok(QueryTopics { inputs, sink, repartitions, changelogs, counts, lost_state })
}

/// A topic that has to be there.
async fn existing(admin: &Admin, name: &str) -> Result<Topic, LiveError> {
    let missing =
        || LiveError::Topic { topic: name.to_owned(), cause: "does not exist".to_owned() };
    let found = admin.describe_topic(name).await?.ok_or_else(missing)?;
    Ok(Topic { name: name.to_owned(), partitions: found.partitions.len() as i32 })
}

/// Makes an internal topic, or sees that it has the partitions that it has to have.
async fn ensure(
    admin: &Admin,
    topic: &Topic,
    settings: &QuerySettings,
    configs: &std::collections::BTreeMap<String, String>,
) -> Result<(), LiveError> {
    let Topic { name, partitions } = topic;
    match ensure_topic(admin, name, *partitions, settings.internal_replicas, configs).await? {
        EnsuredTopic::Existing(found) if found != *partitions => Err(LiveError::Topic {
            topic: name.clone(),
            cause: format!("has {found} partitions, expected {partitions}, as its source has"),
        }),
        _ => Ok(()),
    }
}

/// Says why a group's offsets have no state: a changelog is missing.
///
/// A group without offsets has not begun, so that missing changelogs are as they should be.
async fn lost_state(
    admin: &Admin,
    group: &str,
    changelogs: &[Topic],
) -> Result<Option<String>, LiveError> {
    let names: Vec<&str> = changelogs.iter().map(|topic| topic.name.as_str()).collect();
    if names.is_empty() {
        return Ok(None);
    }
    let found = admin.describe_topics(&names).await?;
    let is_missing = |topic: &Result<_, KafkaError>| matches!(topic, Err(error) if error.is_code(ResponseError::UnknownTopicOrPartition));
    let Some((missing, _)) = found.iter().find(|(_, topic)| is_missing(topic)) else {
        return Ok(None);
    };
    let committed = GroupOffsets::new(admin.cluster(), group).committed(None).await?;
    Ok((!committed.is_empty()).then(|| {
        format!(
            "its group {group} has offsets, but the changelog topic {missing} is missing; delete \
             the consumer group to start anew"
        )
    }))
}
