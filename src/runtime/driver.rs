//! A query without a broker: records in, records out, one after the other.
//!
//! As Kafka Streams' `TopologyTestDriver`: each record is followed to its end before the next one,
//! the clock stands still unless it is moved, and there is one partition.

use std::sync::Arc;

use super::inputs::MaxIdle;
use super::intake::SourceBatch;
use super::layout::{Layout, LayoutOptions, Placement};
use super::output::{Output, Target};
use super::processing_log::ProcessingLogEntry;
use super::random::SeededRandom;
use super::raw_records::RawRecords;
use super::schemas::SchemaAccess;
use super::source::{SourceReader, SourceRecords};
use super::store_clocks::ShardClocks;
use super::task::{FaultRules, Surrounded, Surroundings};
use super::tasks::Tasks;
use crate::formats::Schemas;
use crate::operators::{EMIT_INTERVAL_MS, QueryError, StoredRecord, TopologyOptions};
use crate::plan::{NodeId, QueryPlan, Source, StoreId};
use crate::types::{Arena, Headers, OwnedHeaders, Partition, Timestamp};

/// A record outside Kafka.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DriverRecord {
    /// The key.
    pub key: Option<Vec<u8>>,
    /// The value.
    pub value: Option<Vec<u8>>,
    /// The timestamp.
    pub timestamp_ms: i64,
    /// The headers.
    pub headers: OwnedHeaders,
}

/// How a [`Driver`] runs its query.
#[derive(Clone, Copy, Debug)]
pub struct DriverOptions {
    /// How many groups the record cache holds.
    pub cached_groups: usize,
    /// The wall-clock time between two emissions of `EMIT FINAL`.
    pub emit_interval_ms: i64,
    /// What is done about faults.
    pub fault_rules: FaultRules,
    /// The wall clock.
    pub now: Timestamp,
}

impl Default for DriverOptions {
    fn default() -> Self {
        Self {
            cached_groups: 0,
            emit_interval_ms: EMIT_INTERVAL_MS,
            fault_rules: FaultRules::default(),
            now: Timestamp(0),
        }
    }
}

/// Runs one query, record by record.
pub struct Driver {
    tasks: Tasks,
    sources: Vec<DriverSource>,
    random: SeededRandom,
    options: DriverOptions,
    /// Where schemas come from, if there is a registry.
    access: Option<SchemaAccess>,
}

/// A source of a query.
struct DriverSource {
    node: NodeId,
    topic: String,
    reader: SourceReader,
    next_offset: i64,
}

impl Driver {
    /// A driver for a query.
    pub fn new(
        plan: Arc<QueryPlan>,
        query_id: &str,
        options: DriverOptions,
    ) -> Result<Self, QueryError> {
        Self::start(plan, query_id, options, None)
    }

    /// A driver for a query whose schemas are in a registry.
    pub fn with_registry(
        plan: Arc<QueryPlan>,
        query_id: &str,
        options: DriverOptions,
        access: SchemaAccess,
    ) -> Result<Self, QueryError> {
        Self::start(plan, query_id, options, Some(access))
    }

    fn start(
        plan: Arc<QueryPlan>,
        query_id: &str,
        options: DriverOptions,
        access: Option<SchemaAccess>,
    ) -> Result<Self, QueryError> {
        let layout_options = LayoutOptions {
            topology: TopologyOptions {
                cached_groups: options.cached_groups,
                emit_interval_ms: options.emit_interval_ms,
            },
            is_in_memory: true,
            partitioner: |_, _| 0,
            // Each record is followed to its end before the next one.
            max_idle: MaxIdle::Never,
            placement: Placement::alone(),
        };
        let counts = plan.partition_counts(|_, _| 1);
        let counts = counts.map_err(|unequal| QueryError::new(unequal.to_string()))?;
        let source = |(node, source): (NodeId, &Arc<Source>)| {
            let (topic, reader) = (source.topic.clone(), SourceReader::new(Arc::clone(source))?);
            Ok(DriverSource { node, topic, reader, next_offset: 0 })
        };
        let sources = plan.sources().map(source).collect::<Result<_, QueryError>>()?;
        let schemas = match &access {
            Some(access) => access.register(&plan)?,
            None => Schemas::default(),
        };
        let layout = Layout::new(plan, query_id, counts, layout_options).with_schemas(schemas);
        let tasks = Tasks::new(Arc::new(layout), 0)?;
        Ok(Self { tasks, sources, random: SeededRandom::new(0), options, access })
    }

    /// The topics that the query reads.
    pub fn source_topics(&self) -> impl Iterator<Item = &str> {
        self.sources.iter().map(|source| source.topic.as_str())
    }

    /// Processes one record of a topic to its end.
    pub fn pipe(&mut self, topic: &str, record: &DriverRecord) -> Result<(), QueryError> {
        self.pipe_batch(topic, std::slice::from_ref(record))
    }

    /// Processes records of a topic in one batch.
    pub fn pipe_batch(&mut self, topic: &str, batch: &[DriverRecord]) -> Result<(), QueryError> {
        for source in self.sources.iter_mut().filter(|source| source.topic == topic) {
            let arena = Arena::new();
            let records = raw_records(batch, source.next_offset, &arena);
            source.next_offset += batch.len() as i64;
            if let Some(access) = &self.access {
                source.reader.learn_schemas(&records, &*access.registry);
            }
            let used = vec![true; source.reader.frame().len()];
            let read = source.reader.read(&records, &used, &arena);
            let records = SourceRecords { reader: &source.reader, records: &records };
            let surroundings = surroundings(&self.options, &self.random);
            let batch = SourceBatch { source: source.node, read: &read, records, is_at_end: true };
            self.tasks.process(batch, Surrounded { surroundings, arena: &arena })?;
        }
        Ok(())
    }

    /// Gives away what waits in record caches, as a commit does.
    pub fn flush(&mut self) -> Result<(), QueryError> {
        self.tasks.flush_all(surroundings(&self.options, &self.random))
    }

    /// Starts again, as a new process does: with the records of its changelogs and where its clocks
    /// stood.
    ///
    /// What waits in record caches is to be given away before.
    pub fn restart(
        &mut self,
        stored: impl IntoIterator<Item = (StoreId, DriverRecord)>,
    ) -> Result<(), QueryError> {
        let clocks = self.tasks.clocks();
        self.restart_at(clocks, stored)
    }

    /// The same, where clocks stand as they did at some commit before, which changelogs may be ahead of.
    pub fn restart_at(
        &mut self,
        clocks: Vec<ShardClocks>,
        stored: impl IntoIterator<Item = (StoreId, DriverRecord)>,
    ) -> Result<(), QueryError> {
        let mut tasks = Tasks::new(Arc::clone(self.tasks.layout()), 0)?;
        for shard in clocks {
            tasks.restore_clocks(shard);
        }
        for (store, record) in stored {
            let DriverRecord { key, value, timestamp_ms, .. } = &record;
            let Some(key) = key.as_deref() else { continue };
            let record = StoredRecord { key, value: value.as_deref(), timestamp_ms: *timestamp_ms };
            tasks.restore(store, Partition(0), &record)?;
        }
        self.tasks = tasks;
        Ok(())
    }

    /// How many rows its stores hold.
    pub fn stored_rows(&mut self) -> usize {
        self.tasks.stored().into_iter().map(|(_, rows)| rows).sum()
    }

    /// Where the clocks of its stores stand.
    pub fn clocks(&mut self) -> Vec<ShardClocks> {
        self.tasks.clocks()
    }

    /// Moves the wall clock.
    pub fn set_now(&mut self, now: Timestamp) {
        self.options.now = now;
    }

    /// What was produced since the last call, topic by topic in the order of production.
    pub fn take_output(&mut self) -> Vec<(Target, DriverRecord)> {
        let given = std::mem::take(&mut self.tasks.given);
        let changelog = given.changelog.written();
        let changelog = changelog.unwrap_or_else(|error| {
            unreachable!("rows that are written later are such as can be: {error}")
        });
        self.tasks.given.log = given.log;
        [given.output, changelog].iter().flat_map(records).collect()
    }

    /// What was logged since the last call.
    pub fn take_log(&mut self) -> Vec<ProcessingLogEntry> {
        std::mem::take(&mut self.tasks.given.log)
    }
}

/// Records as they would have been fetched, from `offset` on.
fn raw_records<'a>(batch: &'a [DriverRecord], offset: i64, arena: &'a Arena) -> RawRecords<'a> {
    let headers = |record: &'a DriverRecord| -> Headers<'a> {
        let headers = record.headers.iter();
        let headers: Vec<_> =
            headers.map(|(name, value)| (name.as_str(), value.as_deref())).collect();
        arena.headers(&headers)
    };
    let has_headers = batch.iter().any(|record| !record.headers.is_empty());
    RawRecords {
        partition: 0,
        offsets: (offset..).take(batch.len()).collect(),
        timestamps: batch.iter().map(|record| record.timestamp_ms).collect(),
        keys: batch.iter().map(|record| record.key.as_deref()).collect(),
        values: batch.iter().map(|record| record.value.as_deref()).collect(),
        headers: has_headers.then(|| batch.iter().map(headers).collect()),
    }
}

fn surroundings<'a>(options: &DriverOptions, random: &'a SeededRandom) -> Surroundings<'a> {
    Surroundings { now: options.now, random, fault_rules: options.fault_rules }
}

fn records(output: &Output) -> Vec<(Target, DriverRecord)> {
    let copies = output.records().map(|record| {
        let copy = DriverRecord {
            key: record.key.map(<[u8]>::to_vec),
            value: record.value.map(<[u8]>::to_vec),
            timestamp_ms: record.timestamp_ms,
            headers: record.headers.to_vec(),
        };
        (record.target, copy)
    });
    copies.collect()
}
