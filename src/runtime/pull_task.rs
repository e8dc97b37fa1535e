//! Pull queries over tables as a worker has prepared them.

use std::collections::VecDeque;
use std::sync::Arc;

use super::blocks::BLOCK_RECORDS;
use super::given::Given;
use super::ids::TaskId;
use super::origin::Origin;
use super::task::{Surrounded, Task, TaskBatch, TaskOptions};
use crate::formats::Schemas;
use crate::operators::{QueryError, TopologyOptions};
use crate::plan::{Input, NodeId, PullPlan, QueryPlan, SubTopology, SubTopologyId};
use crate::types::{Partition, Rows};

/// How many rows are taken at a time.
const BLOCK_ROWS: usize = BLOCK_RECORDS as usize;

/// How many pull queries are kept as they were prepared.
const PREPARED_MAX: usize = 16;

/// The pull queries that were asked last, as they were prepared: the same is asked again and again.
#[derive(Default)]
pub(super) struct PreparedPulls(VecDeque<(Arc<QueryPlan>, PullTask)>);

impl PreparedPulls {
    /// A pull query, prepared.
    pub(super) fn take(&mut self, pull: &PullPlan) -> Result<PullTask, QueryError> {
        let place = self.0.iter().position(|(plan, _)| Arc::ptr_eq(plan, &pull.plan));
        match place.and_then(|place| self.0.remove(place)) {
            Some((_, task)) => Ok(task),
            None => PullTask::new(pull),
        }
    }

    /// Keeps one that nothing has gone wrong with.
    pub(super) fn put(&mut self, pull: &PullPlan, mut task: PullTask) {
        task.given.clear();
        self.0.push_front((Arc::clone(&pull.plan), task));
        self.0.truncate(PREPARED_MAX);
    }
}

/// What a pull query does with the rows that are found.
pub(super) struct PullTask {
    task: Task,
    pub(super) given: Given,
}

impl PullTask {
    fn new(pull: &PullPlan) -> Result<Self, QueryError> {
        let part = SubTopology {
            nodes: pull.plan.nodes().map(|(id, _)| id).collect(),
            inputs: vec![Input::Source(NodeId(0))],
        };
        let id = TaskId { part: SubTopologyId(0), partition: Partition(0) };
        let options = TaskOptions {
            topology: TopologyOptions { cached_groups: 0, emit_interval_ms: 0 },
            spreads: std::collections::BTreeMap::new(),
            schemas: Schemas::default(),
        };
        let task = Task::new(Arc::clone(&pull.plan), &pull.query, id, &part, &options)?;
        Ok(Self { task, given: Given::default() })
    }

    /// Takes rows, until there are as many as are asked for.
    pub(super) fn take<'a>(
        &mut self,
        rows: &Rows<'a>,
        limit: u64,
        surrounded: Surrounded<'a>,
    ) -> Result<(), QueryError> {
        if rows.len <= BLOCK_ROWS {
            return self.process(rows, surrounded);
        }
        let all: Vec<u32> = (0..rows.len as u32).collect();
        for chunk in all.chunks(BLOCK_ROWS) {
            if self.given.output.len() as u64 >= limit {
                break;
            }
            self.process(&rows.take(chunk), surrounded)?;
        }
        Ok(())
    }

    fn process<'a>(
        &mut self,
        rows: &Rows<'a>,
        surrounded: Surrounded<'a>,
    ) -> Result<(), QueryError> {
        if rows.len == 0 {
            return Ok(());
        }
        let batch = TaskBatch {
            input: Input::Source(NodeId(0)),
            rows,
            selected: None,
            times: &vec![0; rows.len],
            records: None,
            origin: Origin::Unknown,
        };
        self.task.process(batch, &mut self.given, surrounded)
    }
}
