//! Rows that tasks keep, looked up for a pull query.

use std::sync::Arc;

use super::output::Output;
use super::task::{Surrounded, Surroundings};
use super::tasks::Tasks;
use crate::operators::{Held, QueryError};
use crate::plan::PullPlan;
use crate::types::{Arena, Partition};

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
        pull: &Arc<PullPlan>,
        rest: Option<Rest>,
        limit: u64,
        surroundings: Surroundings<'_>,
    ) -> Result<Vec<Found>, QueryError> {
        let Some(part) = self.layout.keeper_of(pull.store) else { return Ok(Vec::new()) };
        let mut reader = self.pulls.take(pull)?;
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
        self.pulls.put(pull, reader);
        Ok(found)
    }

    /// How many tasks of the query keep rows of the store, on all workers.
    pub fn keepers(&self, pull: &PullPlan) -> usize {
        let part = self.layout.keeper_of(pull.store);
        part.map_or(0, |part| usize::try_from(self.layout.counts().of_part(part)).unwrap_or(0))
    }
}
