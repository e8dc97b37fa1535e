//! How many partitions the parts of a plan have, and with them repartition topics and stores.
//!
//! All inputs of a sub-topology have the same partitions, and its stores have as many. Where it
//! reads a source, that decides; else the largest of what its repartition topics come from, as in
//! Kafka Streams (`RepartitionTopics`, `CopartitionedTopicsEnforcer`):
//!
//! ```text
//! clicks (3) ─ group by ─▶ repartition (3) ─ aggregate            a topic of its own: as its source
//! orders (2) ─ rekey ────▶ repartition (6) ┐
//! users (6) ───────────────────────────────┴ join                 joined to a source: as that source
//! ```
//!
//! State that is there already keeps its partitions when sources get more of them.

use std::collections::BTreeMap;

use super::ids::{RepartitionId, StoreId};
use super::query_plan::QueryPlan;
use super::sub_topology::{Input, SubTopology, SubTopologyId, part_of, reader_of};
use super::{NodeId, Source};

/// How many partitions the parts of a plan have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartitionCounts {
    sources: BTreeMap<NodeId, i32>,
    parts: Vec<i32>,
    repartitions: Vec<i32>,
    stores: Vec<i32>,
}

/// Sources that are joined but have different numbers of partitions.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{} has {} partitions and {} has {}, but they are joined", .0.name, .0.partitions, .1.name, .1.partitions
)]
pub struct UnequalPartitions(pub SourcePartitions, pub SourcePartitions);

/// A source, and how many partitions its topic has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourcePartitions {
    /// The source.
    pub name: String,
    /// The partitions of its topic.
    pub partitions: i32,
}

/// How many partitions the state and the repartition topics of a query have that are there already.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeptPartitions {
    /// Those of changelogs.
    pub stores: BTreeMap<StoreId, i32>,
    /// Those of repartition topics.
    pub repartitions: BTreeMap<RepartitionId, i32>,
}

impl PartitionCounts {
    /// Those of the topic of a source.
    pub fn of_source(&self, node: NodeId) -> Option<i32> {
        self.sources.get(&node).copied()
    }

    /// Those of a sub-topology.
    pub fn of_part(&self, part: SubTopologyId) -> i32 {
        self.parts.get(part.0).copied().unwrap_or(1)
    }

    /// Those of a repartition topic.
    pub fn of_repartition(&self, topic: RepartitionId) -> i32 {
        self.repartitions.get(topic.0).copied().unwrap_or(1)
    }

    /// Those of a store, and so of its changelog.
    pub fn of_store(&self, store: StoreId) -> i32 {
        self.stores.get(store.0).copied().unwrap_or(1)
    }
}

impl QueryPlan {
    /// How many partitions everything has, given those of the topics of sources.
    pub fn partition_counts(
        &self,
        of_source: impl Fn(NodeId, &Source) -> i32,
    ) -> Result<PartitionCounts, UnequalPartitions> {
        self.partition_counts_with(of_source, &KeptPartitions::default())
    }

    /// The same where some of it is there already: a part keeps the partitions of its state, and of what
    /// it reads, however many its sources have got since.
    pub fn partition_counts_with(
        &self,
        of_source: impl Fn(NodeId, &Source) -> i32,
        kept: &KeptPartitions,
    ) -> Result<PartitionCounts, UnequalPartitions> {
        let parts = self.sub_topologies();
        let mut counts = Vec::with_capacity(parts.len());
        for part in &parts {
            counts.push(match self.kept_count(part, &of_source, kept) {
                Some(count) => Some(count),
                None => self.source_count(part, &of_source)?,
            });
        }
        // What reads repartition topics only comes after what writes them; a circle of parts has a
        // source in it.
        for _ in 0..parts.len() {
            for (index, part) in parts.iter().enumerate() {
                if counts[index].is_none() {
                    counts[index] = self.upstream_count(part, &parts, &counts);
                }
            }
        }
        let counts: Vec<i32> = counts.into_iter().map(|count| count.unwrap_or(1)).collect();
        let of_part = |part: Option<SubTopologyId>| part.map_or(1, |part| counts[part.0]);
        let sources = self.sources().map(|(node, source)| (node, of_source(node, source)));
        Ok(PartitionCounts {
            sources: sources.collect(),
            repartitions: self
                .repartitions()
                .map(|(topic, ..)| of_part(reader_of(&parts, Input::Repartition(topic))))
                .collect(),
            stores: self.stores().map(|(_, node, _)| of_part(part_of(&parts, node))).collect(),
            parts: counts,
        })
    }

    /// The partitions that a part keeps, if it has begun with no more than its sources have now.
    fn kept_count(
        &self,
        part: &SubTopology,
        of_source: &impl Fn(NodeId, &Source) -> i32,
        kept: &KeptPartitions,
    ) -> Option<i32> {
        let stores = self.stores().filter(|(_, node, _)| part.nodes.contains(node));
        let stores = stores.filter_map(|(store, ..)| kept.stores.get(&store));
        let read = part.inputs.iter().filter_map(|input| match input {
            Input::Repartition(topic) => kept.repartitions.get(topic),
            Input::Source(_) => None,
        });
        let count = *stores.chain(read).next()?;
        let mut sources = self.sources().filter(|(node, _)| part.nodes.contains(node));
        sources.all(|(node, source)| of_source(node, source) >= count).then_some(count)
    }

    /// The partitions of the sources that a part reads, if it reads any.
    fn source_count(
        &self,
        part: &SubTopology,
        of_source: &impl Fn(NodeId, &Source) -> i32,
    ) -> Result<Option<i32>, UnequalPartitions> {
        let sources = self.sources().filter(|(node, _)| part.nodes.contains(node));
        let mut sources = sources.map(|(node, source)| SourcePartitions {
            name: source.name.clone(),
            partitions: of_source(node, source),
        });
        let Some(first) = sources.next() else { return Ok(None) };
        match sources.find(|other| other.partitions != first.partitions) {
            Some(other) => Err(UnequalPartitions(first, other)),
            None => Ok(Some(first.partitions)),
        }
    }

    /// The largest count of the parts that write the repartition topics that a part reads.
    fn upstream_count(
        &self,
        part: &SubTopology,
        parts: &[SubTopology],
        counts: &[Option<i32>],
    ) -> Option<i32> {
        let mut largest = None;
        for (topic, writer, _) in self.repartitions() {
            if part.inputs.contains(&Input::Repartition(topic)) {
                let from = part_of(parts, writer)?;
                largest = largest.max(Some(counts[from.0]?));
            }
        }
        largest
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::formats::{Format, FormatSpec};
    use crate::plan::{
        Gives, Node, NodeKind, RepartitionKind, RepartitionTopic, Sink, SourceWindow, StoreKind,
        StoreSpec,
    };
    use crate::sql::ast::SourceKind;
    use crate::types::Schema;

    fn source(name: &str) -> Arc<Source> {
        Arc::new(Source {
            name: name.to_owned(),
            kind: SourceKind::Stream,
            topic: name.to_owned(),
            schema: Schema::default(),
            headers: Vec::new(),
            order: Vec::new(),
            key_format: FormatSpec::new(Format::Kafka),
            value_format: FormatSpec::new(Format::Json),
            window: None::<SourceWindow>,
            timestamp: None,
            is_read_only: false,
            is_created_by_query: false,
            sql: String::new(),
        })
    }

    /// A plan on its way: nodes by their kind and their inputs.
    #[derive(Default)]
    struct Graph(Vec<Node>);

    impl Graph {
        fn add(&mut self, kind: NodeKind, inputs: &[usize]) -> usize {
            let inputs = inputs.iter().copied().map(NodeId).collect();
            let (name, schema) = (self.0.len().to_string(), Schema::default());
            self.0.push(Node { kind, name, inputs, schema, gives: Gives::Rows });
            self.0.len() - 1
        }

        fn stream(&mut self, name: &str) -> usize {
            self.add(NodeKind::StreamSource { source: source(name) }, &[])
        }

        fn table(&mut self, name: &str) -> usize {
            let store = StoreSpec {
                name: name.to_owned(),
                kind: StoreKind::Table,
                stored: Schema::default(),
                key_format: FormatSpec::new(Format::Kafka),
                value_format: FormatSpec::new(Format::Json),
                retention_ms: None,
            };
            self.add(NodeKind::TableSource { source: source(name), store }, &[])
        }

        fn rekey(&mut self, from: usize) -> usize {
            let topic = RepartitionTopic {
                name: String::new(),
                key_format: FormatSpec::new(Format::Kafka),
                value_format: FormatSpec::new(Format::Json),
                drops_null_keys: false,
                kind: RepartitionKind::Rows,
            };
            self.add(NodeKind::Repartition(topic), &[from])
        }

        /// Stands for whatever has so many inputs.
        fn join(&mut self, inputs: &[usize]) -> usize {
            self.add(NodeKind::Select { columns: Vec::new() }, inputs)
        }

        /// The parts, repartition topics and stores have these counts.
        #[track_caller]
        fn counts(self, sources: &[(&str, i32)], expected: (&[i32], &[i32], &[i32])) {
            let found = self.plan().partition_counts(counts_of(sources)).unwrap();
            assert_eq!((&*found.parts, &*found.repartitions, &*found.stores), expected);
        }

        fn plan(self) -> QueryPlan {
            let sink = Sink {
                name: String::new(),
                kind: SourceKind::Stream,
                topic: String::new(),
                schema: Schema::default(),
                key_format: FormatSpec::new(Format::Kafka),
                value_format: FormatSpec::new(Format::Json),
                window: None,
                timestamp: None,
                client: None,
            };
            QueryPlan { nodes: self.0, sink, sql: String::new() }
        }
    }

    fn counts_of(sources: &[(&str, i32)]) -> impl Fn(NodeId, &Source) -> i32 {
        |_, source| sources.iter().find(|(name, _)| *name == source.name).unwrap().1
    }

    #[test]
    fn a_repartition_topic_of_its_own_has_the_partitions_of_its_source() {
        let mut graph = Graph::default();
        let clicks = graph.stream("clicks");
        let rekeyed = graph.rekey(clicks);
        graph.join(&[rekeyed]);
        graph.counts(&[("clicks", 3)], (&[3, 3], &[3], &[]));
    }

    #[test]
    fn state_keeps_its_partitions_when_sources_get_more_but_is_not_for_fewer() {
        let mut graph = Graph::default();
        let orders = graph.stream("orders");
        let rekeyed = graph.rekey(orders);
        let users = graph.table("users");
        graph.join(&[rekeyed, users]);
        let plan = graph.plan();
        let stores = BTreeMap::from([(StoreId(0), 6)]);
        let kept = KeptPartitions { stores, ..KeptPartitions::default() };
        let counts = |users: i32| {
            let sources = [("orders", 2), ("users", users)];
            let found = plan.partition_counts_with(counts_of(&sources), &kept).unwrap();
            (found.parts, found.repartitions, found.stores)
        };
        assert_eq!(counts(6), (vec![2, 6], vec![6], vec![6]));
        assert_eq!(counts(9), (vec![2, 6], vec![6], vec![6]));
        assert_eq!(counts(5), (vec![2, 5], vec![5], vec![5]));
    }

    #[test]
    fn what_is_joined_to_a_source_has_the_partitions_of_that_source() {
        let mut graph = Graph::default();
        let orders = graph.stream("orders");
        let rekeyed = graph.rekey(orders);
        let users = graph.table("users");
        let joined = graph.join(&[rekeyed, users]);
        let again = graph.rekey(joined);
        graph.join(&[again]);
        graph.counts(&[("orders", 2), ("users", 6)], (&[2, 6, 6], &[6, 6], &[6]));
    }

    #[test]
    fn two_rekeyed_sides_have_the_larger_of_both_counts() {
        let mut graph = Graph::default();
        let (left, right) = (graph.stream("left"), graph.stream("right"));
        let (left, right) = (graph.rekey(left), graph.rekey(right));
        graph.join(&[left, right]);
        graph.counts(&[("left", 2), ("right", 5)], (&[2, 5, 5], &[5, 5], &[]));
    }

    #[test]
    fn joined_sources_have_to_have_equal_counts() {
        let mut graph = Graph::default();
        let (left, right) = (graph.stream("left"), graph.table("right"));
        graph.join(&[left, right]);
        let error = graph.plan().partition_counts(counts_of(&[("left", 2), ("right", 5)]));
        let text = "left has 2 partitions and right has 5, but they are joined";
        assert_eq!(error.unwrap_err().to_string(), text);
    }
}
