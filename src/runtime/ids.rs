//! Names of tasks, of the lanes that lead to them, and of the records that come on these.

use crate::plan::{Input, SubTopologyId};
use crate::types::{Offset, Partition};

/// Which task of a query: a sub-topology, and a partition of its inputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TaskId {
    /// The sub-topology.
    pub part: SubTopologyId,
    /// The partition.
    pub partition: Partition,
}

/// One of the ways by which rows come to a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LaneId {
    /// The input.
    pub input: Input,
    /// The partition of the topic, or of the task that hands rows over.
    pub upstream: Partition,
}

impl LaneId {
    /// The record at an offset of a partition of a topic.
    pub(super) fn record(self, offset: Offset) -> RecordId {
        RecordId { input: self.input, partition: self.upstream, offset }
    }
}

/// A record of a topic that a query reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RecordId {
    /// What is read there.
    pub input: Input,
    /// The partition.
    pub partition: Partition,
    /// The offset.
    pub offset: Offset,
}

/// A lane, and the task that it leads to. A lane leads to one task, but for tasks that go round in a
/// circle: their lanes meet, and each leads to several of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Way {
    /// The lane.
    pub lane: LaneId,
    /// The task.
    pub to: TaskId,
}
