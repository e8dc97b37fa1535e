//! How many rows the steps of a query have taken and given.

use crate::plan::NodeId;

/// How many rows a step has taken and given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NodeCount {
    /// Rows that it took: of a source all of its records.
    pub taken: u64,
    /// Rows that it gave to the step after it.
    pub given: u64,
    /// Rows that it left out, as their windows are closed.
    pub late: u64,
    /// Rows of which something could not be read or computed, or which lack what is needed.
    pub failed: u64,
}

/// The same of all steps of a query, since it was taken last.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NodeCounts(Vec<NodeCount>);

impl NodeCounts {
    /// That of a step, to be changed.
    pub(super) fn at(&mut self, node: NodeId) -> &mut NodeCount {
        if self.0.len() <= node.0 {
            self.0.resize(node.0 + 1, NodeCount::default());
        }
        &mut self.0[node.0]
    }

    /// Those steps of which anything was counted.
    pub(super) fn iter(&self) -> impl Iterator<Item = (NodeId, &NodeCount)> {
        let all = self.0.iter().enumerate().map(|(at, count)| (NodeId(at), count));
        all.filter(|(_, count)| **count != NodeCount::default())
    }

    /// Forgets what was counted, and keeps the memory.
    pub(super) fn clear(&mut self) {
        self.0.fill(NodeCount::default());
    }
}
