//! A query without a broker: records in, records out, one after the other.
//!
//! As Kafka Streams' `TopologyTestDriver`: each record is followed to its end before the next one,
//! the clock stands still unless it is moved, and there is one partition.

use std::sync::Arc;

use super::output::{Output, Target};
use super::processing_log::ProcessingLogEntry;
use super::random::SeededRandom;
use super::source::{RawRecords, SourceReader};
use super::task::{Surroundings, Task};
use crate::operators::{EMIT_INTERVAL_MS, QueryError, TopologyOptions};
use crate::plan::QueryPlan;
use crate::types::{Arena, Headers, OwnedHeaders, Timestamp};

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
    /// `ksql.nested.error.set.null`.
    pub nested_error_set_null: bool,
    /// The wall clock.
    pub now: Timestamp,
}

impl Default for DriverOptions {
    fn default() -> Self {
        Self {
            cached_groups: 0,
            emit_interval_ms: EMIT_INTERVAL_MS,
            nested_error_set_null: true,
            now: Timestamp(0),
        }
    }
}

/// Runs one query, record by record.
pub struct Driver {
    task: Task,
    reader: SourceReader,
    random: SeededRandom,
    options: DriverOptions,
    next_offset: i64,
}

impl Driver {
    /// A driver for a query.
    pub fn new(
        plan: Arc<QueryPlan>,
        query_id: &str,
        options: DriverOptions,
    ) -> Result<Self, QueryError> {
        let reader = SourceReader::new(Arc::clone(&plan.source))?;
        let topology = TopologyOptions {
            partitions: 1,
            partitioner: |_, _| 0,
            rekeys_in_memory: true,
            cached_groups: options.cached_groups,
            emit_interval_ms: options.emit_interval_ms,
        };
        let task = Task::new(plan, query_id, topology)?;
        Ok(Self { task, reader, random: SeededRandom::new(0), options, next_offset: 0 })
    }

    /// The topic that the query reads.
    pub fn source_topic(&self) -> &str {
        &self.task.plan().source.topic
    }

    /// Processes one record to its end.
    pub fn pipe(&mut self, record: &DriverRecord) -> Result<(), QueryError> {
        let headers: Vec<(&str, Option<&[u8]>)> =
            record.headers.iter().map(|(name, value)| (name.as_str(), value.as_deref())).collect();
        let headers: Vec<Headers<'_>> = vec![&headers];
        let records = RawRecords {
            partition: 0,
            offsets: vec![self.next_offset],
            timestamps: vec![record.timestamp_ms],
            keys: vec![record.key.as_deref()],
            values: vec![record.value.as_deref()],
            headers: (!record.headers.is_empty()).then_some(headers),
        };
        self.next_offset += 1;
        let arena = Arena::new();
        let used = vec![true; self.reader.frame().len()];
        let read = self.reader.read(&records, &used, &arena);
        self.task.log_rejected(&records, &read);
        if read.rows.len == 0 {
            return Ok(());
        }
        let surroundings = surroundings(&self.options, &self.random);
        self.task.process(&read.rows, (&self.reader, &records), surroundings, &arena)
    }

    /// Gives away what waits in record caches, as a commit does.
    pub fn flush(&mut self) -> Result<(), QueryError> {
        self.task.flush(surroundings(&self.options, &self.random), &Arena::new())
    }

    /// Moves the wall clock.
    pub fn set_now(&mut self, now: Timestamp) {
        self.options.now = now;
    }

    /// What was produced since the last call, topic by topic in the order of production.
    pub fn take_output(&mut self) -> Vec<(Target, DriverRecord)> {
        let output = std::mem::take(&mut self.task.output);
        records(&output)
    }

    /// What was logged since the last call.
    pub fn take_log(&mut self) -> Vec<ProcessingLogEntry> {
        std::mem::take(&mut self.task.log)
    }
}

fn surroundings<'a>(options: &DriverOptions, random: &'a SeededRandom) -> Surroundings<'a> {
    Surroundings { now: options.now, random, nested_error_set_null: options.nested_error_set_null }
}

fn records(output: &Output) -> Vec<(Target, DriverRecord)> {
    let records = output.records().map(|record| {
        let copy = DriverRecord {
            key: record.key.map(<[u8]>::to_vec),
            value: record.value.map(<[u8]>::to_vec),
            timestamp_ms: record.timestamp_ms,
            headers: record.headers.to_vec(),
        };
        (record.target, copy)
    });
    records.collect()
}
