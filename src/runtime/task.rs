//! One sub-topology of a query on one partition: process, encode. No waiting, no network.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::codecs::PlanCodecs;
use super::collector::{BatchSource, Rekeying, RowTimes, TaskCollector, TimeMoved};
use super::encode::{RepartitionEncoder, SinkWriter, Spread};
use super::given::Given;
use super::ids::{RecordId, TaskId};
use super::origin::{LentRows, Origin};
use super::processing_log::{LogEvent, ProcessingLogEntry};
use super::skipped::RecordPlace;
use super::skipped_row::SkippedRow;
use super::source::{ReadRows, SourceRecords};
use crate::expr::{EvalContext, RandomSource};
use crate::formats::Schemas;
use crate::operators::{
    Clocks, Held, Outside, QueryError, SomeRows, StoredRecord, Topology, TopologyOptions,
};
use crate::plan::{Input, NodeId, QueryPlan, RepartitionId, StoreId, SubTopology, Wanted};
use crate::types::{Arena, Offset, Partition, Rows, Timestamp};

/// How a task runs.
#[derive(Clone, Debug)]
pub struct TaskOptions {
    /// How its operators run.
    pub topology: TopologyOptions,
    /// How rows are spread in memory over the tasks that own their keys, by repartition topic;
    /// those that are missing go through their topic.
    pub spreads: BTreeMap<RepartitionId, Spread>,
    /// The schemas of the registry that it reads and writes with.
    pub schemas: Schemas,
}

/// One sub-topology on one partition, and everything that it holds in memory.
pub struct Task {
    id: TaskId,
    plan: Arc<QueryPlan>,
    query_id: String,
    topology: Topology,
    sink: Option<SinkWriter>,
    repartitions: BTreeMap<RepartitionId, Rekeying>,
    /// What has moved stream time last.
    moved: Option<TimeMoved>,
    /// The record that it has failed at, if that is known.
    failed_at: Option<RecordId>,
}

/// What a query does about faults that ksqlDB leaves to its configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FaultRules {
    /// Whether an argument that fails is NULL: `ksql.nested.error.set.null`.
    pub nested_error_set_null: bool,
    /// Whether a record without a time stops the query: `ksql.timestamp.throw.on.invalid`.
    pub invalid_timestamp_stops: bool,
}

impl Default for FaultRules {
    fn default() -> Self {
        Self { nested_error_set_null: true, invalid_timestamp_stops: false }
    }
}

/// The world outside, as of one batch.
#[derive(Clone, Copy)]
pub struct Surroundings<'a> {
    /// The wall clock.
    pub now: Timestamp,
    /// Random bits.
    pub random: &'a dyn RandomSource,
    /// What is done about faults.
    pub fault_rules: FaultRules,
}

/// What a task is given besides rows: the world outside, and memory for one batch.
#[derive(Clone, Copy)]
pub struct Surrounded<'a> {
    /// The world outside.
    pub surroundings: Surroundings<'a>,
    /// Memory that lasts as long as the batch.
    pub arena: &'a Arena,
}

/// Rows of several inputs of a task.
pub(super) struct MixedBatch<'t, 'a> {
    /// The rows of each input, whose offsets are their places.
    pub(super) inputs: Vec<(Input, Rows<'a>)>,
    /// The time of the row at each place on its lane.
    pub(super) times: &'t [i64],
    /// What the places mean.
    pub(super) origin: Origin<'a>,
}

/// Rows of one input of a task.
#[derive(Clone, Copy)]
pub struct TaskBatch<'t, 'a> {
    /// The input.
    pub input: Input,
    /// The rows; their offsets ascend.
    pub rows: &'t Rows<'a>,
    /// Which of them are meant, in order; `None` if that are all.
    pub selected: Option<&'t [u32]>,
    /// The time of each that is meant on its lane.
    pub times: &'t [i64],
    /// The records that rows of a source come from, for the processing log.
    pub records: Option<SourceRecords<'t, 'a>>,
    /// What the offsets of the rows mean.
    pub origin: Origin<'a>,
}

/// Where goes what a task gives.
struct Giving<'g, 'a> {
    given: &'g mut Given,
    /// Rows for other tasks, as long as the batch is there.
    lent: &'g mut Vec<LentRows<'a>>,
}

/// That caches give away some of what waits in them.
#[derive(Clone, Copy)]
pub(super) struct Flush<'a> {
    /// The time of the task.
    pub(super) time: i64,
    /// Where all rows come from, where that is known.
    pub(super) origin: Origin<'a>,
}

impl Task {
    /// Prepares a task of a query.
    pub fn new(
        plan: Arc<QueryPlan>,
        query_id: &str,
        id: TaskId,
        part: &SubTopology,
        options: &TaskOptions,
    ) -> Result<Self, QueryError> {
        let schemas = &options.schemas;
        let codecs = PlanCodecs { plan: &plan, schemas };
        let topology = Topology::build(&plan, part, options.topology, &codecs)?;
        let is_last = part.nodes.last().is_some_and(|last| last.0 + 1 == plan.nodes.len());
        let sink = if is_last { SinkWriter::new(&plan, schemas)? } else { None };
        let mut repartitions = BTreeMap::new();
        for (topic_id, node, topic) in plan.repartitions() {
            if part.nodes.contains(&node) {
                let encoder = RepartitionEncoder::new(topic_id, topic, plan.node(node), schemas)?;
                let spread = options.spreads.get(&topic_id).copied();
                repartitions.insert(topic_id, Rekeying { encoder, spread });
            }
        }
        let query_id = query_id.to_owned();
        Ok(Self { id, plan, query_id, topology, sink, repartitions, moved: None, failed_at: None })
    }

    /// Which task it is.
    pub fn id(&self) -> TaskId {
        self.id
    }

    /// The record that it has failed at, if that is known.
    pub(super) fn failed_at(&self) -> Option<RecordId> {
        self.failed_at
    }

    /// The stores that it keeps.
    pub fn stores(&self) -> Vec<StoreId> {
        self.topology.stores().collect()
    }

    /// How many rows each store holds.
    pub(super) fn stored(&mut self) -> impl Iterator<Item = (StoreId, usize)> {
        let stores = self.stores().into_iter();
        stores.map(|store| (store, self.topology.rows(store)))
    }

    /// Takes back a record of a changelog.
    pub fn restore(&mut self, store: StoreId, record: &StoredRecord<'_>) -> Result<(), QueryError> {
        self.topology.restore(store, record)
    }

    /// The stores that have clocks, and where these stand.
    pub(super) fn clocks(&mut self) -> Vec<(StoreId, Clocks)> {
        let mut clocks: Vec<_> =
            self.stores().into_iter().map(|store| (store, self.topology.clocks(store))).collect();
        clocks.retain(|(_, clocks)| *clocks != Clocks::default());
        clocks
    }

    /// Takes back where the clocks of a store stood.
    pub(super) fn restore_clocks(&mut self, store: StoreId, clocks: Clocks) {
        self.topology.restore_clocks(store, clocks);
    }

    /// The topic that a source of its query reads.
    pub(super) fn topic(&self, source: NodeId) -> Option<&str> {
        self.plan.node(source).kind.source().map(|source| source.topic.as_str())
    }

    /// Logs the records of a batch of a source that left no row.
    pub fn log_rejected(
        &mut self,
        source: NodeId,
        records: SourceRecords<'_, '_>,
        read: &ReadRows<'_>,
        given: &mut Given,
    ) {
        if read.rejected.is_empty() {
            return;
        }
        let Some(node) = self.plan.node(source).kind.source() else { return };
        let step = &self.plan.node(source).name;
        for (row, rejection) in &read.rejected {
            let record = RecordPlace {
                topic: node.topic.clone(),
                partition: Partition(records.records.partition),
                offset: Offset(records.records.offsets[*row]),
            };
            let row_of = || SkippedRow::of_record(records.records, *row);
            let example = || rejection.example(record, node).with_row(row_of());
            given.skipped.add(rejection.cause(), 1, example);
            let Some(event) = rejection.event(records.records, *row, &node.topic) else { continue };
            let suffix = match &event {
                LogEvent::Deserialization { .. } => ".deserializer",
                _ => "",
            };
            let logger = format!("processing.{}.{step}{suffix}", self.query_id);
            given.log.push(ProcessingLogEntry { logger, event });
        }
    }

    /// The rows that are wanted of those that a store holds now, or a portion of them from a slot on.
    pub(super) fn held<'a>(
        &mut self,
        store: StoreId,
        wanted: (&Wanted, u32),
        arena: &'a Arena,
    ) -> Result<Held<'a>, QueryError> {
        self.topology.held(store, wanted, self.id.partition, arena)
    }

    /// Processes rows of one input.
    pub fn process<'a>(
        &mut self,
        batch: TaskBatch<'_, 'a>,
        given: &mut Given,
        surrounded: Surrounded<'a>,
    ) -> Result<(), QueryError> {
        let mut lent = Vec::new();
        let done = self.process_lending(batch, given, &mut lent, surrounded);
        given.keep(lent);
        done
    }

    /// The same, but rows for other tasks are only lent.
    pub(super) fn process_lending<'a>(
        &mut self,
        batch: TaskBatch<'_, 'a>,
        given: &mut Given,
        lent: &mut Vec<LentRows<'a>>,
        surrounded: Surrounded<'a>,
    ) -> Result<(), QueryError> {
        let TaskBatch { input, rows, selected, .. } = batch;
        let source = BatchSource {
            records: batch.records,
            times: RowTimes { offsets: &rows.meta.offsets, selected, times: batch.times },
            timestamps: &rows.meta.timestamps,
            origin: batch.origin,
        };
        self.run(source, Giving { given, lent }, surrounded, |topology, outside| {
            topology.process(input, SomeRows { rows, selected }, outside)
        })
    }

    /// Processes rows of several inputs, but rows for other tasks are only lent.
    pub(super) fn process_mixed<'a>(
        &mut self,
        MixedBatch { inputs, times, origin }: MixedBatch<'_, 'a>,
        given: &mut Given,
        lent: &mut Vec<LentRows<'a>>,
        surrounded: Surrounded<'a>,
    ) -> Result<(), QueryError> {
        let offsets: Vec<i64> = (0..times.len() as i64).collect();
        let mut timestamps = vec![0; times.len()];
        for (_, rows) in &inputs {
            for (offset, timestamp) in rows.meta.offsets.iter().zip(rows.meta.timestamps.iter()) {
                timestamps[*offset as usize] = *timestamp;
            }
        }
        let source = BatchSource {
            records: None,
            times: RowTimes { offsets: &offsets, selected: None, times },
            timestamps: &timestamps,
            origin,
        };
        self.run(source, Giving { given, lent }, surrounded, |topology, outside| {
            topology.process_mixed(inputs, outside)
        })
    }

    /// Gives away some of what waits in caches at `time` of the task, so that its output may be sent
    /// before the rest. Whether more waits.
    pub fn flush_some(
        &mut self,
        time: i64,
        given: &mut Given,
        surrounded: Surrounded<'_>,
    ) -> Result<bool, QueryError> {
        let mut lent = Vec::new();
        let more = self.flush_lending(
            Flush { time, origin: Origin::Unknown },
            given,
            &mut lent,
            surrounded,
        );
        given.keep(lent);
        more
    }

    /// The same, but rows for other tasks are only lent, and it may be known where all of them come from.
    pub(super) fn flush_lending<'a>(
        &mut self,
        Flush { time, origin }: Flush<'a>,
        given: &mut Given,
        lent: &mut Vec<LentRows<'a>>,
        surrounded: Surrounded<'a>,
    ) -> Result<bool, QueryError> {
        let times = RowTimes { offsets: &[], selected: None, times: &[time] };
        let source = BatchSource { records: None, times, timestamps: &[], origin };
        self.run(source, Giving { given, lent }, surrounded, |topology, outside| {
            topology.flush(outside)
        })
    }

    fn run<'t, 'a, T>(
        &mut self,
        batch: BatchSource<'t, 'a>,
        Giving { given, lent }: Giving<'_, 'a>,
        Surrounded { surroundings, arena }: Surrounded<'a>,
        step: impl FnOnce(&mut Topology, &mut Outside<'_, 'a>) -> Result<T, QueryError>,
    ) -> Result<T, QueryError> {
        let Surroundings { now, random, fault_rules } = surroundings;
        let nested_error_set_null = fault_rules.nested_error_set_null;
        let mut out = TaskCollector {
            query_id: &self.query_id,
            plan: &self.plan,
            partition: self.id.partition,
            sink: self.sink.as_ref(),
            repartitions: &self.repartitions,
            given,
            lent,
            arena,
            batch,
            at: NodeId(0),
            late: None,
            moved_before: self.moved,
            moved: None,
        };
        let eval = EvalContext { arena, now, random, nested_error_set_null };
        let done = step(&mut self.topology, &mut Outside { eval, out: &mut out });
        self.moved = out.finish();
        if let Err(error) = &done {
            self.failed_at = error.record.and_then(|record| batch.origin.record(record));
        }
        done
    }
}
