//! The tasks of one query that one thread runs, and how rows pass between them in memory.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use super::collector::SourceRecords;
use super::encode::RekeyedRows;
use super::output::Output;
use super::pieces::Pieces;
use super::processing_log::ProcessingLogEntry;
use super::source::ReadRows;
use super::task::{Surrounded, Surroundings, Task, TaskCounts, TaskId, TaskOptions};
use crate::operators::{QueryError, StoredRecord};
use crate::plan::{Input, NodeId, QueryPlan, RepartitionId, StoreId, SubTopology, SubTopologyId};
use crate::types::{Arena, Partition, Rows};

/// The tasks of a query, made when they are first needed.
pub struct Tasks {
    plan: Arc<QueryPlan>,
    query_id: String,
    options: TaskOptions,
    parts: Vec<SubTopology>,
    pieces: Pieces,
    by_id: BTreeMap<TaskId, Task>,
}

/// A batch of a source, decoded, with the records that it comes from.
#[derive(Clone, Copy)]
pub struct SourceBatch<'t, 'a> {
    /// The node that reads it.
    pub source: NodeId,
    /// Its rows, and the records that left none.
    pub read: &'t ReadRows<'a>,
    /// The records.
    pub records: SourceRecords<'t, 'a>,
}

impl Tasks {
    /// No task yet. What cannot be run is refused here.
    pub fn new(
        plan: Arc<QueryPlan>,
        query_id: &str,
        options: TaskOptions,
    ) -> Result<Self, QueryError> {
        let (parts, pieces) = (plan.sub_topologies(), Pieces::new(&plan)?);
        let query_id = query_id.to_owned();
        let mut tasks = Self { plan, query_id, options, parts, pieces, by_id: BTreeMap::new() };
        for part in 0..tasks.parts.len() {
            tasks.task(TaskId { part: SubTopologyId(part), partition: Partition(0) })?;
        }
        tasks.by_id.clear();
        Ok(tasks)
    }

    /// The plan.
    pub fn plan(&self) -> &Arc<QueryPlan> {
        &self.plan
    }

    fn task(&mut self, id: TaskId) -> Result<&mut Task, QueryError> {
        if !self.by_id.contains_key(&id) {
            let task = Task::new(Arc::clone(&self.plan), &self.query_id, id, &self.options)?;
            self.by_id.insert(id, task);
        }
        self.by_id.get_mut(&id).ok_or_else(|| QueryError::new("the task is gone"))
    }

    /// The sub-topology that a node belongs to.
    fn part_of(&self, node: NodeId) -> SubTopologyId {
        let part = self.parts.iter().position(|part| part.nodes.contains(&node));
        SubTopologyId(part.unwrap_or_default())
    }

    /// Processes a batch of a source, and follows rows with new keys from task to task.
    pub fn process<'a>(
        &mut self,
        batch: SourceBatch<'_, 'a>,
        surrounded: Surrounded<'a>,
    ) -> Result<(), QueryError> {
        let SourceBatch { source, read, records } = batch;
        let partition = Partition(records.records.partition);
        let id = TaskId { part: self.part_of(source), partition };
        self.task(id)?.log_rejected(source, records, read);
        if read.rows.len > 0 {
            for piece in self.pieces.cut(Input::Source(source), &read.rows) {
                self.task(id)?.process(source, &piece, records, surrounded)?;
                self.settle(surrounded.surroundings)?;
            }
        }
        Ok(())
    }

    /// Processes rows that come from other tasks, through a topic or in memory.
    pub fn process_repartitioned<'a>(
        &mut self,
        topic: RepartitionId,
        rows: &Rows<'a>,
        surrounded: Surrounded<'a>,
    ) -> Result<(), QueryError> {
        self.hand_over(topic, rows, surrounded)?;
        self.settle(surrounded.surroundings)
    }

    fn hand_over<'a>(
        &mut self,
        topic: RepartitionId,
        rows: &Rows<'a>,
        surrounded: Surrounded<'a>,
    ) -> Result<(), QueryError> {
        let is_reader = |part: &SubTopology| part.inputs.contains(&Input::Repartition(topic));
        let Some(part) = self.parts.iter().position(is_reader) else { return Ok(()) };
        let id = TaskId { part: SubTopologyId(part), partition: rows.meta.partition };
        for (index, piece) in self.pieces.cut(Input::Repartition(topic), rows).iter().enumerate() {
            if index > 0 {
                self.settle(surrounded.surroundings)?;
            }
            self.task(id)?.process_repartitioned(topic, piece, surrounded)?;
        }
        Ok(())
    }

    /// Follows rows with new keys from task to task until none is left.
    fn settle(&mut self, surroundings: Surroundings<'_>) -> Result<(), QueryError> {
        let mut waiting = VecDeque::new();
        loop {
            for task in self.by_id.values_mut() {
                waiting.extend(task.rekeyed.drain(..));
            }
            let Some(RekeyedRows { topic, partition, rows }) = waiting.pop_front() else {
                return Ok(());
            };
            let arena = Arena::new();
            let surrounded = Surrounded { surroundings, arena: &arena };
            self.hand_over(topic, &rows.view(partition, &arena), surrounded)?;
        }
    }

    /// Gives away some of what waits in caches, sub-topology by sub-topology. Whether more waits.
    pub fn flush_some(&mut self, surroundings: Surroundings<'_>) -> Result<bool, QueryError> {
        let ids: Vec<TaskId> = self.by_id.keys().copied().collect();
        for id in ids {
            let arena = Arena::new();
            let more = self.task(id)?.flush_some(Surrounded { surroundings, arena: &arena })?;
            self.settle(surroundings)?;
            if more {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Takes back a record of a changelog's partition.
    pub fn restore(
        &mut self,
        store: StoreId,
        partition: Partition,
        record: &StoredRecord<'_>,
    ) -> Result<(), QueryError> {
        let Some(node) = self.plan.stores().find(|(id, ..)| *id == store).map(|(_, node, _)| node)
        else {
            return Ok(());
        };
        self.task(TaskId { part: self.part_of(node), partition })?.restore(store, record)
    }

    /// How many rows all stores hold.
    pub fn stored_rows(&mut self) -> usize {
        self.by_id.values_mut().map(Task::stored_rows).sum()
    }

    /// What was counted since the start.
    pub fn counts(&self) -> TaskCounts {
        let counts = self.by_id.values().map(|task| task.counts);
        counts.fold(TaskCounts::default(), |sum, counts| TaskCounts {
            rejected: sum.rejected + counts.rejected,
            late: sum.late + counts.late,
            null_keys: sum.null_keys + counts.null_keys,
            failed_rows: sum.failed_rows + counts.failed_rows,
        })
    }

    /// What the tasks have produced, each its own.
    pub fn outputs(&mut self) -> impl Iterator<Item = &mut Output> {
        self.by_id.values_mut().map(|task| &mut task.output)
    }

    /// What was logged since the last call.
    pub fn take_log(&mut self) -> Vec<ProcessingLogEntry> {
        self.by_id.values_mut().flat_map(|task| std::mem::take(&mut task.log)).collect()
    }
}
