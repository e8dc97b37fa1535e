//! One query on the records of its source: decode, process, encode. No waiting, no network.

use std::sync::Arc;

use super::codecs::PlanCodecs;
use super::output::{Output, Placing, Target};
use super::processing_log::{LogEvent, LoggedRecord, ProcessingLogEntry};
use super::source::{RawRecords, ReadRows, Rejection, SourceReader};
use super::timestamp::TimestampFormat;
use crate::expr::aggregates::Sequence;
use crate::expr::{EvalContext, EvalError, RandomSource};
use crate::formats::{
    ColumnsRow, EncodeError, Encoded, Encoder, FormatError, Role, row_text, windowed,
};
use crate::operators::{
    Collector, Context, Dropped, Entry, LogEntry, LoggedRow, QueryError, StoreChange, StoreInfo,
    StoredRecord, Topology, TopologyOptions,
};
use crate::plan::{QueryPlan, Step, StepKind};
use crate::types::{Arena, Column, Partition, Rows, Schema, Timestamp, WindowKind};

/// What a task counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TaskCounts {
    /// Records that could not be read, or have no time.
    pub rejected: u64,
    /// Records whose windows were closed.
    pub late: u64,
    /// Records without a key where one was needed.
    pub null_keys: u64,
    /// Rows that an expression failed on.
    pub failed_rows: u64,
}

/// A query, and everything that it holds in memory.
pub struct Task {
    plan: Arc<QueryPlan>,
    query_id: String,
    topology: Topology,
    sequence: Sequence,
    sink: SinkEncoder,
    repartition: Option<RepartitionEncoder>,
    /// What was produced since the last time it was taken.
    pub output: Output,
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

/// Writes rows for the sink.
struct SinkEncoder {
    key: Encoder,
    value: Encoder,
    topic: String,
    window: Option<WindowKind>,
    /// The column that gives records their time.
    timestamp: Option<SinkTimestamp>,
}

struct SinkTimestamp {
    column: TimestampPlace,
    format: TimestampFormat,
}

enum TimestampPlace {
    Key(usize),
    Value(usize),
}

/// Writes rows for a repartition topic.
struct RepartitionEncoder {
    topic: String,
    key: Encoder,
    value: Encoder,
}

impl Task {
    /// Prepares a query.
    pub fn new(
        plan: Arc<QueryPlan>,
        query_id: &str,
        options: TopologyOptions,
    ) -> Result<Self, QueryError> {
        let refuse = |error: FormatError| QueryError::new(error.to_string());
        let topology = Topology::build(&plan, options, &PlanCodecs { plan: &plan })?;
        let sink = SinkEncoder::new(&plan)?;
        let repartition = plan.steps.iter().find_map(|step| match &step.kind {
            StepKind::Repartition { topic, key_format, value_format } => {
                let key = Encoder::new(key_format, &step.schema.key, Role::Key, topic);
                let value = Encoder::new(value_format, &step.schema.value, Role::Value, topic);
                let topic = topic.clone();
                Some(key.and_then(|key| Ok(RepartitionEncoder { topic, key, value: value? })))
            }
            _ => None,
        });
        Ok(Self {
            plan,
            query_id: query_id.to_owned(),
            topology,
            sequence: Sequence::default(),
            sink,
            repartition: repartition.transpose().map_err(refuse)?,
            output: Output::default(),
            log: Vec::new(),
            counts: TaskCounts::default(),
        })
    }

    /// The plan.
    pub fn plan(&self) -> &Arc<QueryPlan> {
        &self.plan
    }

    /// The stores, in the order of their changelogs' numbers.
    pub fn stores(&self) -> Vec<StoreInfo> {
        self.topology.stores().cloned().collect()
    }

    /// How many rows all stores hold.
    pub fn stored_rows(&mut self) -> usize {
        let stores = self.topology.stores().count();
        (0..stores).filter_map(|store| self.topology.store(store).map(|store| store.rows())).sum()
    }

    /// Forgets all state: the query starts again from its changelogs.
    pub fn clear(&mut self) {
        for store in 0..self.topology.stores().count() {
            if let Some(store) = self.topology.store(store) {
                store.clear();
            }
        }
        self.output.clear();
    }

    /// Takes back a record of a changelog.
    pub fn restore(
        &mut self,
        store: usize,
        partition: i32,
        record: (&[u8], Option<&[u8]>),
        timestamp_ms: i64,
    ) -> Result<(), QueryError> {
        let Some(found) = self.topology.store(store) else { return Ok(()) };
        let (key, value) = record;
        let record = StoredRecord { partition, key, value, timestamp_ms };
        found.restore(&record, &mut self.sequence)
    }

    /// Logs the records of a batch that left no row.
    pub fn log_rejected(&mut self, records: &RawRecords<'_>, read: &ReadRows<'_>) {
        for (row, rejection) in &read.rejected {
            self.counts.rejected += 1;
            let event = match rejection {
                Rejection::Undecodable { role, error } => {
                    let bytes = match role {
                        Role::Key => records.keys[*row],
                        Role::Value => records.values[*row],
                    };
                    LogEvent::Deserialization {
                        role: *role,
                        error: error.clone(),
                        record: bytes.map(<[u8]>::to_vec),
                        topic: self.plan.source.topic.clone(),
                    }
                }
                Rejection::NoTimestamp { record, causes } => LogEvent::Processing {
                    message: "Failed to extract timestamp from row".to_owned(),
                    record: Some(LoggedRecord::Text(record.clone())),
                    causes: causes.clone(),
                },
                Rejection::NegativeTimestamp => continue,
            };
            let step = match &event {
                LogEvent::Deserialization { .. } => "KsqlTopic.Source.deserializer",
                _ => "KsqlTopic.Source",
            };
            let logger = format!("processing.{}.{step}", self.query_id);
            self.log.push(ProcessingLogEntry { logger, event });
        }
    }

    /// Processes rows of the source. `reader` and `records` serve the processing log.
    pub fn process<'a>(
        &mut self,
        rows: &Rows<'a>,
        (reader, records): (&SourceReader, &RawRecords<'a>),
        surroundings: Surroundings<'a>,
        arena: &'a Arena,
    ) -> Result<(), QueryError> {
        self.run(Some((reader, records)), surroundings, arena, |topology, ctx| {
            topology.process(Entry::Source, rows, ctx)
        })
    }

    /// Processes rows that come back from the repartition topic.
    pub fn process_repartitioned<'a>(
        &mut self,
        rows: &Rows<'a>,
        surroundings: Surroundings<'a>,
        arena: &'a Arena,
    ) -> Result<(), QueryError> {
        self.run(None, surroundings, arena, |topology, ctx| {
            topology.process(Entry::Repartition, rows, ctx)
        })
    }

    /// Gives away what waits in caches.
    pub fn flush<'a>(
        &mut self,
        surroundings: Surroundings<'a>,
        arena: &'a Arena,
    ) -> Result<(), QueryError> {
        while self.flush_some(surroundings, arena)? {}
        Ok(())
    }

    /// Gives away some of what waits in caches, so that its output may be sent before the rest.
    /// Whether more waits.
    pub fn flush_some<'a>(
        &mut self,
        surroundings: Surroundings<'a>,
        arena: &'a Arena,
    ) -> Result<bool, QueryError> {
        self.run(None, surroundings, arena, |topology, ctx| topology.flush(ctx))
    }

    fn run<'a, T>(
        &mut self,
        source: Option<(&SourceReader, &RawRecords<'a>)>,
        surroundings: Surroundings<'a>,
        arena: &'a Arena,
        step: impl FnOnce(&mut Topology, &mut Context<'_, 'a>) -> Result<T, QueryError>,
    ) -> Result<T, QueryError> {
        let Surroundings { now, random, nested_error_set_null } = surroundings;
        let mut out = TaskCollector {
            query_id: &self.query_id,
            steps: &self.plan.steps,
            sink: &self.sink,
            repartition: self.repartition.as_ref(),
            output: &mut self.output,
            log: &mut self.log,
            counts: &mut self.counts,
            source,
        };
        let mut ctx = Context {
            eval: EvalContext { arena, now, random, nested_error_set_null },
            out: &mut out,
            sequence: &mut self.sequence,
        };
        step(&mut self.topology, &mut ctx)
    }
}

impl SinkEncoder {
    fn new(plan: &QueryPlan) -> Result<Self, QueryError> {
        let sink = &plan.sink;
        let refuse = |error: FormatError| QueryError::new(error.to_string());
        let key = Encoder::new(&sink.key_format, &sink.schema.key, Role::Key, &sink.topic);
        let value = Encoder::new(&sink.value_format, &sink.schema.value, Role::Value, &sink.topic);
        let timestamp = sink.timestamp.as_ref().map(|timestamp| {
            let place = |columns: &[crate::types::ColumnDef]| {
                columns.iter().position(|column| *column.name == *timestamp.column)
            };
            let column = place(&sink.schema.value).map(TimestampPlace::Value);
            let column = column.or_else(|| place(&sink.schema.key).map(TimestampPlace::Key));
            let format = TimestampFormat::new(timestamp.format.as_deref())?;
            Ok::<_, QueryError>(column.map(|column| SinkTimestamp { column, format }))
        });
        Ok(Self {
            key: key.map_err(refuse)?,
            value: value.map_err(refuse)?,
            topic: sink.topic.clone(),
            window: sink.window.map(|window| window.kind),
            timestamp: timestamp.transpose()?.flatten(),
        })
    }

    /// Where records go: windows of one key stay together.
    fn placing(&self) -> Placing {
        match self.window {
            None => Placing::ByKey,
            Some(WindowKind::Tumbling | WindowKind::Hopping) => Placing::ByKeyBeforeWindow(8),
            Some(WindowKind::Session) => Placing::ByKeyBeforeWindow(16),
        }
    }

    /// The time of a row's record: that of the row, or of the `TIMESTAMP` column, where a NULL
    /// leaves that of the row. A text that does not parse, or a time before the epoch, is an error.
    fn time(&self, rows: &Rows<'_>, row: usize) -> Result<i64, EvalError> {
        let own = rows.meta.timestamps[row];
        let Some(timestamp) = &self.timestamp else { return Ok(own) };
        if !rows.value_valid.is_valid(row) {
            return Ok(own);
        }
        let value = match timestamp.column {
            TimestampPlace::Key(at) => rows.key.columns[at].value(rows.key.position(row)),
            TimestampPlace::Value(at) => rows.value[at].value(row),
        };
        let Some(time) = timestamp.format.read(value)? else { return Ok(own) };
        if time < 0 {
            return Err(EvalError::new(format!("Invalid negative timestamp {time}")));
        }
        Ok(time)
    }
}

/// Takes what leaves a topology, and turns rows into bytes.
struct TaskCollector<'t, 'a> {
    query_id: &'t str,
    steps: &'t [Step],
    sink: &'t SinkEncoder,
    repartition: Option<&'t RepartitionEncoder>,
    output: &'t mut Output,
    log: &'t mut Vec<ProcessingLogEntry>,
    counts: &'t mut TaskCounts,
    source: Option<(&'t SourceReader, &'t RawRecords<'a>)>,
}

impl TaskCollector<'_, '_> {
    /// Logs a row that is not written, as its record would have no time.
    fn log_untimed(&mut self, rows: &Rows<'_>, row: usize, error: &EvalError) {
        let causes: Vec<String> = error.chain().map(str::to_owned).collect();
        let cause = causes.first().cloned().unwrap_or_default();
        let message = format!("Error writing row with extracted timestamp: {cause}");
        let Some(last) = self.steps.last() else { return };
        let record = LoggedRecord::Json(columns_text(&rows.value, row, &last.schema));
        self.log_record(LogEntry { step: last.name.clone(), message, causes }, Some(record));
    }

    fn log_record(&mut self, entry: LogEntry, record: Option<LoggedRecord>) {
        self.counts.failed_rows += 1;
        let LogEntry { step, message, causes } = entry;
        let logger = format!("processing.{}.{step}", self.query_id);
        let event = LogEvent::Processing { message, record, causes };
        self.log.push(ProcessingLogEntry { logger, event });
    }

    /// What goes into a step: what the step before it gives.
    fn input_of(&self, step: &str) -> Option<&Schema> {
        let at = self.steps.iter().position(|other| other.name == step)?;
        self.steps.get(at.checked_sub(1)?).map(|step| &step.schema)
    }

    /// The text of a row that a step read, for the log.
    fn row_text(&self, step: &str, row: &LoggedRow<'_, '_>) -> Option<LoggedRecord> {
        match *row {
            LoggedRow::None => None,
            LoggedRow::Columns(columns, row) => {
                let schema = self.input_of(step)?;
                Some(LoggedRecord::Json(columns_text(columns, row, schema)))
            }
            LoggedRow::Text(text) => Some(LoggedRecord::Text(text.to_owned())),
            LoggedRow::Source(offset) => {
                let (reader, records) = self.source?;
                let row = records.offsets.iter().position(|other| *other == offset)?;
                let arena = Arena::new();
                let columns: Vec<Column<'_>> = reader.full_row(records, row, &arena);
                let types: Vec<_> = reader.frame().iter().map(|column| column.ty.clone()).collect();
                let row = ColumnsRow { columns: &columns, row: 0 };
                Some(LoggedRecord::Json(row_text(&row, &types)))
            }
        }
    }
}

/// The JSON text of the columns of a row.
fn columns_text(columns: &[Column<'_>], row: usize, schema: &Schema) -> String {
    let types: Vec<_> = schema.value.iter().zip(columns).map(|(def, _)| def.ty.clone()).collect();
    row_text(&ColumnsRow { columns, row }, &types)
}

/// A row that cannot be written stops the query, as Kafka Streams' `RecordCollectorImpl` says it.
fn not_sent(error: EncodeError, topic: &str, partition: Partition) -> QueryError {
    let EncodeError { class, message, mut causes } = error;
    let text = format!(
        "Error encountered sending record to topic {topic} for task 0_{} due to:\n{class}: {message}",
        partition.0
    );
    causes.insert(0, message);
    QueryError { message: text, causes }
}

impl Collector for TaskCollector<'_, '_> {
    fn sink(&mut self, rows: &Rows<'_>) -> Result<(), QueryError> {
        let sink = self.sink;
        let failed = |error: EncodeError| not_sent(error, &sink.topic, rows.meta.partition);
        for row in 0..rows.len {
            let timestamp_ms = match sink.time(rows, row) {
                Ok(timestamp_ms) => timestamp_ms,
                Err(error) => {
                    self.log_untimed(rows, row, &error);
                    continue;
                }
            };
            let mut record = self.output.begin(Target::Sink, sink.placing(), timestamp_ms);
            let position = rows.key.position(row);
            record
                .key(|out| {
                    if !rows.key.is_valid(row) {
                        return Ok(false);
                    }
                    let encoded = sink.key.encode(&rows.key.columns, position, out)?;
                    if let (Encoded::Bytes, Some(kind), Some(window)) =
                        (encoded, sink.window, rows.meta.window(row))
                    {
                        windowed::encode(kind, window, out);
                    }
                    Ok(encoded == Encoded::Bytes)
                })
                .map_err(failed)?;
            record
                .value(|out| {
                    if !rows.value_valid.is_valid(row) {
                        return Ok(false);
                    }
                    Ok(sink.value.encode(&rows.value, row, out)? == Encoded::Bytes)
                })
                .map_err(failed)?;
            if rows.meta.headers.is_some() {
                record.headers(rows.meta.headers(row));
            }
            record.finish();
        }
        Ok(())
    }

    fn repartition(&mut self, topic: usize, rows: &Rows<'_>) -> Result<(), QueryError> {
        let Some(encoder) = self.repartition else { return Ok(()) };
        let partition = rows.meta.partition;
        let failed = |error: EncodeError| not_sent(error, &encoder.topic, partition);
        for row in 0..rows.len {
            let timestamp_ms = rows.meta.timestamps[row];
            let mut record =
                self.output.begin(Target::Repartition(topic), Placing::ByKey, timestamp_ms);
            let position = rows.key.position(row);
            let key = |out: &mut Vec<u8>| {
                Ok(encoder.key.encode(&rows.key.columns, position, out)? == Encoded::Bytes)
            };
            record.key(key).map_err(failed)?;
            let is_new = rows.value_valid.is_valid(row);
            let value = |out: &mut Vec<u8>| {
                let old = rows.old.as_ref().filter(|old| old.valid.is_valid(row));
                let columns = match old {
                    Some(old) if !is_new => &old.value,
                    _ => &rows.value,
                };
                let exists = encoder.value.encode(columns, row, out)? == Encoded::Bytes;
                if rows.old.is_some() {
                    // As Kafka Streams' `ChangedSerializer`: 1 after a new row, 0 after an old one.
                    out.push(u8::from(is_new));
                }
                Ok(exists)
            };
            record.value(value).map_err(failed)?;
            if rows.meta.headers.is_some() {
                record.headers(rows.meta.headers(row));
            }
            record.finish();
        }
        Ok(())
    }

    fn changed(&mut self, change: StoreChange<'_>) {
        let placing = Placing::Partition(change.partition);
        let target = Target::Changelog(change.store);
        let mut record = self.output.begin(target, placing, change.timestamp_ms);
        record.copy(change.key, change.value);
        record.finish();
    }

    fn log(&mut self, entry: LogEntry, row: LoggedRow<'_, '_>) {
        let record = self.row_text(&entry.step, &row);
        self.log_record(entry, record);
    }

    fn dropped(&mut self, reason: Dropped, count: u64) {
        match reason {
            Dropped::Late => self.counts.late += count,
            Dropped::NullKey => self.counts.null_keys += count,
        }
    }
}
