//! The topics of a query: found, or made, each with the partitions that it has to have.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::error::LiveError;
use super::settings::QuerySettings;
use super::topics::{changelog_configs, ensure_topic, repartition_configs, take_any_time};
use crate::kafka::admin::Admin;
use crate::kafka::group::GroupOffsets;
use crate::kafka::{ResponseError, TopicId, TopicPartition};
use crate::plan::{
    Input, KeptPartitions, NodeId, PartitionCounts, QueryPlan, RepartitionId, StoreId,
};
use crate::runtime::Target;

/// A topic, and how many partitions it has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Topic {
    pub(super) name: String,
    pub(super) partitions: i32,
    /// What tells it from another one of its name.
    pub(super) id: TopicId,
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
    /// None if its rows go nowhere.
    pub(super) sink: Option<Topic>,
    /// By their ids; none where rows are re-keyed in memory.
    pub(super) repartitions: Vec<Topic>,
    /// The changelogs of stores, by their ids.
    pub(super) changelogs: Vec<Topic>,
    /// How many partitions everything has.
    pub(super) counts: PartitionCounts,
}

impl QueryTopics {
    /// The topic that records for `target` go to.
    pub(super) fn of(&self, target: Target) -> Option<&Topic> {
        match target {
            Target::Sink => self.sink.as_ref(),
            Target::Repartition(topic) => self.repartitions.get(topic.0),
            Target::Changelog(StoreId(store)) => self.changelogs.get(store),
        }
    }

    /// All topics.
    pub(super) fn all(&self) -> impl Iterator<Item = &Topic> {
        let inputs = self.inputs.iter().map(|(_, topic)| topic);
        inputs.chain(&self.sink).chain(&self.changelogs)
    }

    /// Whether a topic is one of the query's own.
    pub(super) fn is_internal(&self, topic: &Topic) -> bool {
        let mut own = self.changelogs.iter().chain(&self.repartitions);
        own.any(|own| own.name == topic.name)
    }

    /// The topic of an input.
    pub(super) fn input(&self, input: Input) -> Option<&Topic> {
        self.inputs.iter().find(|(other, _)| *other == input).map(|(_, topic)| topic)
    }

    /// The topic of the first source of its plan.
    pub(super) fn first_source(&self) -> Option<&Topic> {
        self.inputs.first().map(|(_, topic)| topic)
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
    let sources = source_topics(admin, plan).await?;
    let sink =
        if plan.sink.has_topic() { Some(existing(admin, &plan.sink.topic).await?) } else { None };
    let stores = plan.stores().map(|(_, _, store)| store.changelog());
    let names: Vec<String> = stores.map(|name| format!("{application_id}-{name}")).collect();
    let repartition_names = plan.repartitions().filter(|_| settings.repartitions_by_topic);
    let repartition_names: Vec<String> =
        repartition_names.map(|(_, _, topic)| format!("{application_id}-{}", topic.name)).collect();
    let state = find_state(admin, application_id, &names).await?;
    let between = partitions(admin, &repartition_names).await?;
    let kept = KeptPartitions {
        stores: kept(&names, &state).map(|(at, count)| (StoreId(at), count)).collect(),
        repartitions: kept(&repartition_names, &between)
            .map(|(at, count)| (RepartitionId(at), count))
            .collect(),
    };
    let counts = counts(plan, &sources, &kept)?;
    let mut inputs = inputs(sources);
    let mut repartitions = Vec::new();
    for ((id, ..), name) in plan.repartitions().zip(repartition_names) {
        let partitions = counts.of_repartition(id);
        let topic = ensure(admin, name, partitions, settings, &repartition_configs()).await?;
        inputs.push((Input::Repartition(id), topic.clone()));
        repartitions.push(topic);
    }
    let mut changelogs = Vec::with_capacity(names.len());
    for ((id, _, store), name) in plan.stores().zip(names) {
        let (partitions, configs) = (counts.of_store(id), changelog_configs(store));
        changelogs.push(ensure(admin, name, partitions, settings, &configs).await?);
    }
    Ok(QueryTopics { inputs, sink, repartitions, changelogs, counts })
}

/// The topics that a query reads whose rows go to whoever asked for them, and how many partitions everything has.
pub(super) async fn read_topics(
    admin: &Admin,
    plan: &QueryPlan,
) -> Result<(Vec<(Input, Topic)>, PartitionCounts), LiveError> {
    let sources = source_topics(admin, plan).await?;
    let counts = counts(plan, &sources, &KeptPartitions::default())?;
    Ok((inputs(sources), counts))
}

/// The topics of a query's sources.
async fn source_topics(admin: &Admin, plan: &QueryPlan) -> Result<Vec<(NodeId, Topic)>, LiveError> {
    let mut sources: Vec<(NodeId, Topic)> = Vec::new();
    for (node, source) in plan.sources() {
        sources.push((node, existing(admin, &source.topic).await?));
    }
    Ok(sources)
}

fn inputs(sources: Vec<(NodeId, Topic)>) -> Vec<(Input, Topic)> {
    sources.into_iter().map(|(node, topic)| (Input::Source(node), topic)).collect()
}

/// How many partitions everything has, where some of it is there already.
fn counts(
    plan: &QueryPlan,
    sources: &[(NodeId, Topic)],
    kept: &KeptPartitions,
) -> Result<PartitionCounts, LiveError> {
    let of_source = |node: NodeId| sources.iter().find(|(other, _)| *other == node);
    let of_source = |node, _: &_| of_source(node).map_or(1, |(_, topic)| topic.partitions);
    plan.partition_counts_with(of_source, kept).map_err(|unequal| LiveError::Topic {
        topic: unequal.0.name.clone(),
        cause: unequal.to_string(),
    })
}

/// A topic that has to be there.
async fn existing(admin: &Admin, name: &str) -> Result<Topic, LiveError> {
    let found = admin.describe_topic(name).await?.ok_or_else(|| LiveError::deleted(name))?;
    Ok(Topic { name: name.to_owned(), partitions: found.partitions.len() as i32, id: found.id })
}

/// Makes an internal topic, or sees that it has the partitions that it has to have.
async fn ensure(
    admin: &Admin,
    name: String,
    partitions: i32,
    settings: &QuerySettings,
    configs: &BTreeMap<String, String>,
) -> Result<Topic, LiveError> {
    ensure_topic(admin, &name, partitions, settings.internal_replicas, configs).await?;
    take_any_time(admin, &name).await;
    let topic = existing(admin, &name).await?;
    if topic.partitions == partitions {
        return Ok(topic);
    }
    let found = topic.partitions;
    let cause = format!("has {found} partitions, expected {partitions}, as its source has");
    Err(LiveError::Topic { topic: name, cause })
}

/// How many partitions topics have, of those that there are.
type Found = BTreeMap<String, i32>;

/// The topics that there are, by their places.
fn kept<'f>(names: &'f [String], found: &'f Found) -> impl Iterator<Item = (usize, i32)> + 'f {
    let all = names.iter().enumerate();
    all.filter_map(|(at, name)| Some((at, *found.get(name)?)))
}

async fn partitions(admin: &Admin, names: &[String]) -> Result<Found, LiveError> {
    if names.is_empty() {
        return Ok(Found::new());
    }
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut found = Found::new();
    for (name, topic) in admin.describe_topics(&names).await? {
        match topic {
            Ok(topic) => drop(found.insert(name, topic.partitions.len() as i32)),
            Err(error) if error.is_code(ResponseError::UnknownTopicOrPartition) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(found)
}

/// Sees that the state is there that belongs to a group's offsets: its changelogs.
///
/// A group without offsets has not begun, so that missing changelogs are as they should be.
async fn find_state(admin: &Admin, group: &str, changelogs: &[String]) -> Result<Found, LiveError> {
    let found = partitions(admin, changelogs).await?;
    let Some(missing) = changelogs.iter().find(|name| !found.contains_key(*name)) else {
        return Ok(found);
    };
    let committed = GroupOffsets::new(admin.cluster(), group).committed(None).await?;
    if committed.is_empty() {
        return Ok(found);
    }
    let cause = format!(
        "is missing, which is a changelog, and its group {group} has offsets; the query goes on once \
         it is made again, or starts anew after millstream reset"
    );
    Err(LiveError::TopicMissing { topic: missing.clone(), cause })
}
