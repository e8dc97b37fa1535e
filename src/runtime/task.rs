//! One sub-topology of a query on one partition: process, encode. No waiting, no network.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::codecs::PlanCodecs;
use super::collector::{Rekeying, SourceRecords, TaskCollector};
use super::encode::{RekeyedRows, RepartitionEncoder, SinkEncoder, Spread};
use super::output::Output;
use super::processing_log::{LogEvent, LoggedRecord, ProcessingLogEntry};
use super::source::{ReadRows, Rejection};
use crate::expr::{EvalContext, RandomSource};
use crate::formats::Role;
use crate::operators::{Outside, QueryError, StoredRecord, Topology, TopologyOptions};
use crate::plan::{Input, NodeId, QueryPlan, RepartitionId, StoreId, SubTopologyId};
use crate::types::{Arena, Partition, Rows, Timestamp};

/// What a task counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TaskCounts {
    /// Records that could not be read, or have no time.
    pub rejected: u64,
    /// Records whose windows were closed.
    pub late: u64,
    /// Records without a key, or without a value, where one was needed.
    pub null_keys: u64,
    /// Rows that an expression failed on.
    pub failed_rows: u64,
}

/// Which task of a query: a sub-topology, and a partition of its inputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TaskId {
    /// The sub-topology.
    pub part: SubTopologyId,
    /// The partition.
    pub partition: Partition,
}

/// How the tasks of a query run.
#[derive(Clone, Debug)]
pub struct TaskOptions {
    /// How its operators run.
    pub topology: TopologyOptions,
    /// How rows are spread in memory over the tasks that own their keys, by repartition topic;
    /// those that are missing go through their topic.
    pub spreads: BTreeMap<RepartitionId, Spread>,
}

/// One sub-topology on one partition, and everything that it holds in memory.
pub struct Task {
    id: TaskId,
    plan: Arc<QueryPlan>,
    query_id: String,
    topology: Topology,
    sink: Option<SinkEncoder>,
    repartitions: BTreeMap<RepartitionId, Rekeying>,
    /// What was produced since the last time it was taken.
    pub output: Output,
    /// The rows for other tasks, in memory, since the last time they were taken.
    pub rekeyed: Vec<RekeyedRows>,
    /// What was logged since the last time it was taken.
    pub log: Vec<ProcessingLogEntry>,
    /// What was counted since the start.
    pub counts: TaskCounts,
}

/// The world outside, as of one batch.
#[derive(Clone, Copy)]
pub struct Surroundings<'a> {
    /// The wall clock.
    pub now: Timestamp,
    /// Random bits.
    pub random: &'a dyn RandomSource,
    /// `ksql.nested.error.set.null`.
    pub nested_error_set_null: bool,
}

impl Task {
    /// Prepares a task of a query.
    pub fn new(
        plan: Arc<QueryPlan>,
        query_id: &str,
        id: TaskId,
        options: &TaskOptions,
    ) -> Result<Self, QueryError> {
        let mut parts = plan.sub_topologies();
        if id.part.0 >= parts.len() {
            return Err(QueryError::new("a query has no such sub-topology"));
        }
        let part = parts.swap_remove(id.part.0);
        let topology =
            Topology::build(&plan, &part, options.topology, &PlanCodecs { plan: &plan })?;
        let is_last = part.nodes.last().is_some_and(|last| last.0 + 1 == plan.nodes.len());
        let sink = is_last.then(|| SinkEncoder::new(&plan)).transpose()?;
        let mut repartitions = BTreeMap::new();
        for (topic_id, node, topic) in plan.repartitions() {
            if part.nodes.contains(&node) {
                let encoder = RepartitionEncoder::new(topic_id, topic, plan.node(node))?;
                let spread = options.spreads.get(&topic_id).copied();
                repartitions.insert(topic_id, Rekeying { encoder, spread });
            }
        }
        Ok(Self {
            id,
            plan,
            query_id: query_id.to_owned(),
            topology,
            sink,
            repartitions,
            output: Output::default(),
            rekeyed: Vec::new(),
            log: Vec::new(),
            counts: TaskCounts::default(),
        })
    }

    /// Which task it is.
    pub fn id(&self) -> TaskId {
        self.id
    }

    /// The plan.
    pub fn plan(&self) -> &Arc<QueryPlan> {
        &self.plan
    }

    /// The stores that it keeps.
    pub fn stores(&self) -> Vec<StoreId> {
        self.topology.stores().collect()
    }

    /// How many rows all stores hold.
    pub fn stored_rows(&mut self) -> usize {
        self.stores().into_iter().map(|store| self.topology.rows(store)).sum()
    }

    /// Forgets all state: the query starts again from its changelogs.
    pub fn clear(&mut self) {
        self.topology.clear();
        self.output.clear();
        self.rekeyed.clear();
    }

    /// Takes back a record of a changelog.
    pub fn restore(&mut self, store: StoreId, record: &StoredRecord<'_>) -> Result<(), QueryError> {
        self.topology.restore(store, record)
    }

    /// Logs the records of a batch of a source that left no row.
    pub fn log_rejected(
        &mut self,
        source: NodeId,
        records: SourceRecords<'_, '_>,
        read: &ReadRows<'_>,
    ) {
        let node = self.plan.node(source);
        let topic = node.kind.source().map(|source| source.topic.clone()).unwrap_or_default();
        for (row, rejection) in &read.rejected {
            self.counts.rejected += 1;
            let event = match rejection {
                Rejection::Undecodable { role, error } => {
                    let bytes = match role {
                        Role::Key => records.records.keys[*row],
                        Role::Value => records.records.values[*row],
                    };
                    LogEvent::Deserialization {
                        role: *role,
                        error: error.clone(),
                        record: bytes.map(<[u8]>::to_vec),
                        topic: topic.clone(),
                    }
                }
                Rejection::NoTimestamp { record, causes } => LogEvent::Processing {
                    message: "Failed to extract timestamp from row".to_owned(),
                    record: Some(LoggedRecord::Text(record.clone())),
                    causes: causes.clone(),
                },
                Rejection::NegativeTimestamp => continue,
            };
            let suffix = match &event {
                LogEvent::Deserialization { .. } => ".deserializer",
                _ => "",
            };
            let logger = format!("processing.{}.{}{suffix}", self.query_id, node.name);
            self.log.push(ProcessingLogEntry { logger, event });
        }
    }

    /// Processes rows of a source; `records` serve the processing log.
    pub fn process<'a>(
        &mut self,
        source: NodeId,
        rows: &Rows<'a>,
        records: SourceRecords<'_, 'a>,
        batch: Surrounded<'a>,
    ) -> Result<(), QueryError> {
        self.run(Some(records), batch, |topology, outside| {
            topology.process(Input::Source(source), rows, outside)
        })
    }

    /// Processes rows that come from other tasks, in memory or through a repartition topic.
    pub fn process_repartitioned<'a>(
        &mut self,
        topic: RepartitionId,
        rows: &Rows<'a>,
        batch: Surrounded<'a>,
    ) -> Result<(), QueryError> {
        self.run(None, batch, |topology, outside| {
            topology.process(Input::Repartition(topic), rows, outside)
        })
    }

    /// Gives away some of what waits in caches, so that its output may be sent before the rest.
    /// Whether more waits.
    pub fn flush_some(&mut self, batch: Surrounded<'_>) -> Result<bool, QueryError> {
        self.run(None, batch, |topology, outside| topology.flush(outside))
    }

    fn run<'a, T>(
        &mut self,
        source: Option<SourceRecords<'_, 'a>>,
        Surrounded { surroundings, arena }: Surrounded<'a>,
        step: impl FnOnce(&mut Topology, &mut Outside<'_, 'a>) -> Result<T, QueryError>,
    ) -> Result<T, QueryError> {
        let Surroundings { now, random, nested_error_set_null } = surroundings;
        let mut out = TaskCollector {
            query_id: &self.query_id,
            plan: &self.plan,
            partition: self.id.partition,
            sink: self.sink.as_ref(),
            repartitions: &self.repartitions,
            output: &mut self.output,
            rekeyed: &mut self.rekeyed,
            log: &mut self.log,
            counts: &mut self.counts,
            source,
        };
        let eval = EvalContext { arena, now, random, nested_error_set_null };
        step(&mut self.topology, &mut Outside { eval, out: &mut out })
    }
}

/// What a task is given besides rows: the world outside, and memory for one batch.
#[derive(Clone, Copy)]
pub struct Surrounded<'a> {
    /// The world outside.
    pub surroundings: Surroundings<'a>,
    /// Memory that lasts as long as the batch.
    pub arena: &'a Arena,
}
