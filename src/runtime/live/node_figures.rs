//! What the steps of a query have taken and given since it began: counted by its workers, a batch at a time.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::plan::{NodeId, QueryPlan};
use crate::runtime::{NodeCount, NodeCounts};

/// What is counted of a step of a query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeFigures {
    /// Its name, as the processing log has it.
    pub name: String,
    /// The places among the steps of a query of those that it takes rows of.
    pub inputs: Vec<usize>,
    /// The topic that it reads, if it is a source.
    pub topic: Option<String>,
    /// The topic, without the name of its query, through which what it gives goes to another sub-topology: in memory, unless
    /// it is told to go through the topic itself.
    pub repartition: Option<String>,
    /// The stores that it keeps.
    pub stores: Vec<String>,
    /// The number of the sub-topology that it is in.
    pub part: usize,
    /// How many rows it has taken and given.
    pub count: NodeCount,
}

/// The steps of a query.
#[derive(Debug, Default)]
pub(super) struct Nodes {
    all: Vec<Node>,
    /// The names of the stores that they keep, by number.
    pub(super) stores: Vec<String>,
}

#[derive(Debug)]
struct Node {
    /// With nothing counted.
    figures: NodeFigures,
    taken: AtomicU64,
    given: AtomicU64,
    late: AtomicU64,
    failed: AtomicU64,
}

impl Nodes {
    /// The steps of a plan.
    pub(super) fn of(plan: &QueryPlan) -> Self {
        let parts = plan.sub_topologies();
        let part_of = |id: NodeId| parts.iter().position(|part| part.nodes.contains(&id));
        let node = |(id, node): (NodeId, &crate::plan::Node)| Node {
            figures: NodeFigures {
                name: node.name.clone(),
                inputs: node.inputs.iter().map(|input| input.0).collect(),
                topic: node.kind.source().map(|source| source.topic.clone()),
                repartition: node.kind.repartition().map(|topic| topic.name.clone()),
                stores: node.kind.stores().iter().map(|store| store.name.clone()).collect(),
                part: part_of(id).unwrap_or(0),
                count: NodeCount::default(),
            },
            taken: AtomicU64::default(),
            given: AtomicU64::default(),
            late: AtomicU64::default(),
            failed: AtomicU64::default(),
        };
        Self {
            all: plan.nodes().map(node).collect(),
            stores: plan.stores().map(|(_, _, store)| store.name.clone()).collect(),
        }
    }

    /// Adds what was counted of a batch.
    pub(super) fn add(&self, counts: &NodeCounts) {
        for (id, count) in counts.iter() {
            let Some(node) = self.all.get(id.0) else { continue };
            node.taken.fetch_add(count.taken, Relaxed);
            node.given.fetch_add(count.given, Relaxed);
            node.late.fetch_add(count.late, Relaxed);
            node.failed.fetch_add(count.failed, Relaxed);
        }
    }

    /// All that is counted of them.
    pub(super) fn figures(&self) -> Vec<NodeFigures> {
        let figures = |node: &Node| {
            let count = NodeCount {
                taken: node.taken.load(Relaxed),
                given: node.given.load(Relaxed),
                late: node.late.load(Relaxed),
                failed: node.failed.load(Relaxed),
            };
            NodeFigures { count, ..node.figures.clone() }
        };
        self.all.iter().map(figures).collect()
    }
}
