//! Rows that tasks keep, looked up for a pull query.

use std::sync::Arc;

use super::given::Given;
use super::ids::TaskId;
use super::origin::Origin;
use super::output::Output;
use super::task::{Surrounded, Surroundings, Task, TaskBatch, TaskOptions};
use super::tasks::{CHUNK_ROWS, Tasks};
use crate::formats::Schemas;
use crate::operators::{Held, QueryError, TopologyOptions};
use crate::plan::{Input, NodeId, PullPlan, SubTopology, SubTopologyId};
use crate::types::{Arena, Partition, Rows};

/// What was found with one task.
#[derive(Debug)]
pub struct Found {
    /// Its partition.
    pub partition: Partition,
    /// The rows, for [`client_rows`](super::client_rows()).
    pub output: Output,
    /// Where to go on with this task, if that is not all.
    pub rest: Option<Rest>,
}

/// Where a look at the rows of a task goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rest {
    /// The partition of the task.
    pub partition: Partition,
    /// The slot of its store.
    pub from: u32,
}

impl Tasks {
    /// What a pull query gives of a first portion of the rows that each of these tasks keeps, or of the next one of a task:
    /// `limit` rows at most.
    pub fn look_up(
        &mut self,
        pull: &PullPlan,
        rest: Option<Rest>,
        limit: u64,
        surroundings: Surroundings<'_>,
    ) -> Result<Vec<Found>, QueryError> {
        let Some(part) = self.layout.keeper_of(pull.store) else { return Ok(Vec::new()) };
        let mut reader = PullTask::new(pull)?;
        let mut found = Vec::new();
        for (id, seat) in self.seats.iter_mut().filter(|(id, _)| id.part == part) {
            let partition = id.partition;
            if rest.is_some_and(|rest| rest.partition != partition) {
                continue;
            }
            let arena = Arena::new();
            let from = rest.map_or(0, |rest| rest.from);
            let Held { rows, next } = seat.task.held(pull.store, (&pull.wanted, from), &arena)?;
            reader.take(&rows, limit, Surrounded { surroundings, arena: &arena })?;
            found.push(Found {
                partition,
                output: std::mem::take(&mut reader.given.output),
                rest: next.map(|from| Rest { partition, from }),
            });
        }
        Ok(found)
    }

    /// How many tasks of the query keep rows of the store, on all workers.
    pub fn keepers(&self, pull: &PullPlan) -> usize {
        let part = self.layout.keeper_of(pull.store);
        part.map_or(0, |part| usize::try_from(self.layout.counts().of_part(part)).unwrap_or(0))
    }
}

/// What a pull query does with the rows that are found.
struct PullTask {
    task: Task,
    given: Given,
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
    fn take<'a>(
        &mut self,
        rows: &Rows<'a>,
        limit: u64,
        surrounded: Surrounded<'a>,
    ) -> Result<(), QueryError> {
        let all: Vec<u32> = (0..rows.len as u32).collect();
        for chunk in all.chunks(CHUNK_ROWS) {
            if self.given.output.len() as u64 >= limit {
                break;
            }
            let rows = rows.take(chunk);
            let times = vec![0; rows.len];
            let batch = TaskBatch {
                input: Input::Source(NodeId(0)),
                rows: &rows,
                selected: None,
                times: &times,
                records: None,
                origin: Origin::Unknown,
            };
            self.task.process(batch, &mut self.given, surrounded)?;
        }
        Ok(())
    }
}
