//! The parts of a plan that run on their own, a task for each partition.
//!
//! Nodes belong together that hand rows to each other in memory. A repartition ends the part that
//! writes it, and is an input of the part that reads it:
//!
//! ```text
//! source ─ filter ─ select ─ group by ─ repartition ║ repartition ─ aggregate ─ select ─▶ sink
//! └────────────── sub-topology 0 ──────────────────┘ └──────────── sub-topology 1 ───────────┘
//! ```

use super::ids::{NodeId, RepartitionId};
use super::query_plan::QueryPlan;

/// A sub-topology of a plan, by its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SubTopologyId(pub usize);

/// What a sub-topology reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Input {
    /// The topic of the source that this node reads.
    Source(NodeId),
    /// A repartition topic.
    Repartition(RepartitionId),
}

/// A part of a plan whose tasks run on their own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubTopology {
    /// Its nodes, in the order of the plan. A repartition stands in the part that writes it.
    pub nodes: Vec<NodeId>,
    /// What it reads; all inputs have the same partitions.
    pub inputs: Vec<Input>,
}

impl QueryPlan {
    /// The sub-topologies, in the order of their first nodes.
    pub fn sub_topologies(&self) -> Vec<SubTopology> {
        let mut parts: Vec<usize> = (0..self.nodes.len()).collect();
        for (id, node) in self.nodes() {
            let handed =
                node.inputs.iter().filter(|input| self.node(**input).kind.repartition().is_none());
            for input in handed.chain(node.kind.looks_up()) {
                let (from, to) = (parts[id.0].max(parts[input.0]), parts[id.0].min(parts[input.0]));
                parts.iter_mut().filter(|part| **part == from).for_each(|part| *part = to);
            }
        }
        let mut firsts = parts.clone();
        firsts.sort_unstable();
        firsts.dedup();
        firsts.into_iter().map(|first| self.sub_topology(&parts, first)).collect()
    }

    fn sub_topology(&self, parts: &[usize], part: usize) -> SubTopology {
        let nodes: Vec<NodeId> =
            self.nodes().map(|(id, _)| id).filter(|id| parts[id.0] == part).collect();
        let mut inputs = Vec::new();
        for id in &nodes {
            let node = self.node(*id);
            if node.kind.source().is_some() {
                inputs.push(Input::Source(*id));
            }
            let repartitions = self.repartitions();
            let read = repartitions.filter(|(_, writer, _)| node.inputs.contains(writer));
            inputs.extend(read.map(|(id, _, _)| Input::Repartition(id)));
        }
        SubTopology { nodes, inputs }
    }
}

/// Which of a plan's `parts` a node belongs to.
pub fn part_of(parts: &[SubTopology], node: NodeId) -> Option<SubTopologyId> {
    parts.iter().position(|part| part.nodes.contains(&node)).map(SubTopologyId)
}

/// Which of a plan's `parts` reads `input`.
pub fn reader_of(parts: &[SubTopology], input: Input) -> Option<SubTopologyId> {
    parts.iter().position(|part| part.inputs.contains(&input)).map(SubTopologyId)
}
