//! Rows on their way from task to task.

use super::ids::{LaneId, TaskId};
use super::inputs::{Progress, Run};
use super::origin::RekeyedRows;
use crate::types::Partition;

/// Rows that go to the tasks of another worker, and how far those have come that they come from.
#[derive(Debug)]
pub struct Handover {
    /// The lane that they come on: that of the task that gave them, through the topic that they would have
    /// gone through, or a partition of a source whose rows go to tasks by their keys.
    pub lane: LaneId,
    /// The rows, by the partition that they are for.
    pub runs: Vec<(Partition, Run)>,
    /// How far it has come.
    pub progress: Progress,
}

/// Rows that a task has given to tasks of other junctions.
pub(super) struct Leaving {
    pub(super) from: TaskId,
    pub(super) rekeyed: RekeyedRows,
}
