//! Records of a topic as rows of a source: decoded, with their times and pseudo-columns.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::raw_records::RawRecords;
use super::rejection::Rejection;
use super::timestamp::TimestampFormat;
use crate::formats::{Decoder, Role, Schemas, windowed};
use crate::operators::QueryError;
use crate::plan::{FrameColumn, Source, SourceColumn, frame_columns};
use crate::registry::Registry;
use crate::registry::schema::{ResolvedSchema, SchemaId};
use crate::types::{
    Arena, Column, KeyColumns, Meta, Partition, Rows, Timestamp, Validity, Value, Window,
};

/// The rows of a batch, and the records that left none.
#[derive(Debug)]
pub struct ReadRows<'a> {
    /// The rows.
    pub rows: Rows<'a>,
    /// The records that left no row, by position in the batch.
    pub rejected: Vec<(usize, Rejection)>,
}

/// Reads the records of one source definition.
pub struct SourceReader {
    source: Arc<Source>,
    frame: Vec<FrameColumn>,
    key: Decoder,
    value: Decoder,
    /// The column of the frame that holds the time, and the pattern of its text.
    timestamp: Option<(usize, TimestampFormat)>,
}

/// The records of a batch that leave no row, each for the first reason that was found.
struct Rejected {
    rows: Vec<(usize, Rejection)>,
    /// One flag for each record, from the first that is rejected on.
    flags: Vec<bool>,
    len: usize,
}

impl Rejected {
    fn new(len: usize) -> Self {
        Self { rows: Vec::new(), flags: Vec::new(), len }
    }

    fn contains(&self, row: usize) -> bool {
        self.flags.get(row).copied().unwrap_or(false)
    }

    fn add(&mut self, row: usize, rejection: Rejection) {
        self.flags.resize(self.len, false);
        if !std::mem::replace(&mut self.flags[row], true) {
            self.rows.push((row, rejection));
        }
    }

    fn in_order(mut self) -> Vec<(usize, Rejection)> {
        self.rows.sort_by_key(|(row, _)| *row);
        self.rows
    }
}

impl SourceReader {
    /// A reader of `source`.
    pub fn new(source: Arc<Source>) -> Result<Self, QueryError> {
        let (topic, schema) = (&source.topic, &source.schema);
        // It is told of schemas when their ids are met.
        let none = Schemas::default();
        let key = Decoder::new(&source.key_format, &schema.key, Role::Key, topic, &none)?;
        let value = Decoder::new(&source.value_format, &schema.value, Role::Value, topic, &none)?;
        let frame = frame_columns(&source);
        let timestamp = match &source.timestamp {
            None => None,
            Some(timestamp) => {
                let column = frame.iter().position(|column| column.name == timestamp.column);
                let format = TimestampFormat::new(timestamp.format.as_deref())?;
                column.map(|column| (column, format))
            }
        };
        Ok(Self { source, frame, key, value, timestamp })
    }

    /// The ids before some records whose schemas it does not know. It has to be told of them before it
    /// reads these.
    pub fn unknown_schemas(&self, records: &RawRecords<'_>) -> BTreeSet<SchemaId> {
        if !self.key.has_schemas() && !self.value.has_schemas() {
            return BTreeSet::new();
        }
        let keys = self.key.unknown_schemas(&self.split_windows(records).0);
        let values = self.value.unknown_schemas(&records.values);
        keys.into_iter().chain(values).collect()
    }

    /// Takes in the schema with an id, or what the registry says where there is none.
    pub fn learn_schema(&mut self, id: SchemaId, found: Result<&ResolvedSchema, &str>) {
        self.key.learn_schema(id, found);
        self.value.learn_schema(id, found);
    }

    /// Asks a registry for the schemas of some records before these are read.
    pub fn learn_schemas(&mut self, records: &RawRecords<'_>, registry: &dyn Registry) {
        for id in self.unknown_schemas(records) {
            match registry.schema(id) {
                Ok(schema) => self.learn_schema(id, Ok(&schema)),
                Err(refusal) => self.learn_schema(id, Err(&refusal.message)),
            }
        }
    }

    /// Forgets of which ids there is no schema, so that these are unknown again.
    pub fn forget_missing_schemas(&mut self) {
        self.key.forget_missing_schemas();
        self.value.forget_missing_schemas();
    }

    /// The columns of the rows.
    pub fn frame(&self) -> &[FrameColumn] {
        &self.frame
    }

    /// Which columns must be read so that `used` columns of the frame are there.
    fn wanted(&self, used: &[bool], role: Role) -> Vec<bool> {
        let count = match role {
            Role::Key => self.source.schema.key.len(),
            Role::Value => self.source.schema.value.len(),
        };
        let mut wanted = vec![false; count];
        for (index, column) in self.frame.iter().enumerate() {
            let is_time = self.timestamp.as_ref().is_some_and(|(at, _)| *at == index);
            if !used.get(index).copied().unwrap_or(true) && !is_time {
                continue;
            }
            match (column.from, role) {
                (SourceColumn::Key(at), Role::Key) | (SourceColumn::Value(at), Role::Value) => {
                    wanted[at] = true;
                }
                _ => {}
            }
        }
        wanted
    }

    /// Reads a batch. `used` says which columns of the frame are needed; all are checked.
    pub fn read<'a>(
        &self,
        records: &RawRecords<'a>,
        used: &[bool],
        arena: &'a Arena,
    ) -> ReadRows<'a> {
        let (keys, windows) = self.split_windows(records);
        // Keys always have to be at hand: they go into sinks even where no expression reads them.
        let key = self.key.decode(&keys, &vec![true; self.source.schema.key.len()], arena);
        let value = self.value.decode(&records.values, &self.wanted(used, Role::Value), arena);
        let len = records.len();
        let mut rejected = Rejected::new(len);
        for (row, error) in key.failures {
            rejected.add(row as usize, Rejection::Undecodable { role: Role::Key, error });
        }
        for (row, error) in value.failures {
            rejected.add(row as usize, Rejection::Undecodable { role: Role::Value, error });
        }
        let mut rows = Rows {
            len,
            key: KeyColumns {
                columns: key.columns,
                valid: validity(len, &key.nulls),
                index: None,
                len,
            },
            value_valid: validity(len, &value.nulls),
            meta: Meta {
                timestamps: records.timestamps.clone().into(),
                headers: records.headers.clone(),
                windows,
                offsets: records.offsets.clone().into(),
                partition: Partition(records.partition),
                is_source: true,
            },
            ..Rows::default()
        };
        if self.source.schema.key.is_empty() {
            rows.key.valid = Validity::from_flags(vec![false; len]);
        }
        let mut value_columns = value.columns;
        let times = self.timestamp.as_ref().map(|(index, _)| match self.frame[*index].from {
            SourceColumn::Value(at) => value_columns[at].clone(),
            SourceColumn::Key(at) => rows.key.columns[at].clone(),
            _ => Column::Absent,
        });
        rows.value = self.frame_values(&mut value_columns, &rows, used, arena);
        if let Some(times) = times {
            self.apply_timestamps(&mut rows, &times, records, &mut rejected);
        }
        drop_negative(&rows, &mut rejected);
        if !rejected.rows.is_empty() {
            let kept = (0..len).filter(|row| !rejected.contains(*row));
            let kept: Vec<u32> = kept.map(|row| row as u32).collect();
            rows = rows.take(&kept);
        }
        ReadRows { rows, rejected: rejected.in_order() }
    }

    /// Cuts the window off each key.
    fn split_windows<'a>(
        &self,
        records: &RawRecords<'a>,
    ) -> (Vec<Option<&'a [u8]>>, Option<Vec<Window>>) {
        let Some(window) = self.source.window else { return (records.keys.clone(), None) };
        let none = Window { start: Timestamp(0), end: Timestamp(0) };
        let mut windows = Vec::with_capacity(records.len());
        let mut keys = Vec::with_capacity(records.len());
        for key in &records.keys {
            let split = key.and_then(|key| {
                windowed::decode(window.kind, window.size_ms.unwrap_or(i64::MAX), key)
            });
            let (key, window) = split.map_or((None, none), |(key, window)| (Some(key), window));
            keys.push(key);
            windows.push(window);
        }
        (keys, Some(windows))
    }

    /// All columns of the frame that are used; each column of the value is in it once at most.
    fn frame_values<'a>(
        &self,
        value: &mut [Column<'a>],
        rows: &Rows<'a>,
        used: &[bool],
        arena: &'a Arena,
    ) -> Vec<Column<'a>> {
        let mut column = |(index, column): (usize, &FrameColumn)| {
            if !used.get(index).copied().unwrap_or(true) {
                return Column::Absent;
            }
            let bound = |bound: fn(Window) -> i64| {
                let windows = rows.meta.windows.as_deref().unwrap_or_default();
                let bounds = windows.iter().map(|window| bound(*window)).collect();
                Column::Bigints(bounds, Validity::all())
            };
            match column.from {
                SourceColumn::Value(at) => std::mem::replace(&mut value[at], Column::Absent),
                SourceColumn::Key(at) => rows.key.columns[at].clone(),
                SourceColumn::Header(at) => self.header_column(at, rows, arena),
                SourceColumn::RowTime => {
                    Column::Bigints(rows.meta.timestamps.clone(), Validity::all())
                }
                SourceColumn::RowPartition => Column::Constant(Value::Int(rows.meta.partition.0)),
                SourceColumn::RowOffset => {
                    Column::Bigints(rows.meta.offsets.clone(), Validity::all())
                }
                SourceColumn::WindowStart => bound(|window| window.start.0),
                SourceColumn::WindowEnd => bound(|window| window.end.0),
            }
        };
        self.frame.iter().enumerate().map(&mut column).collect()
    }

    fn header_column<'a>(&self, at: usize, rows: &Rows<'a>, arena: &'a Arena) -> Column<'a> {
        let key = self.source.headers[at].key.as_deref();
        let value = |row: usize| {
            let headers = rows.meta.headers(row);
            let bytes = |value: Option<&'a [u8]>| value.map_or(Value::Null, Value::Bytes);
            if let Some(key) = key {
                let last = headers.iter().rev().find(|(name, _)| *name == key);
                return last.map_or(Value::Null, |(_, value)| bytes(*value));
            }
            let all: Vec<_> = headers
                .iter()
                .map(|(name, value)| {
                    Value::Struct(arena.values(&[Value::String(name), bytes(*value)]))
                })
                .collect();
            Value::Array(arena.values(&all))
        };
        Column::Values((0..rows.len).map(value).collect())
    }

    /// Takes the time of each row from its `TIMESTAMP` column.
    fn apply_timestamps<'a>(
        &self,
        rows: &mut Rows<'a>,
        column: &Column<'a>,
        records: &RawRecords<'a>,
        rejected: &mut Rejected,
    ) {
        let Some((_, format)) = &self.timestamp else { return };
        for (row, timestamp) in rows.meta.timestamps.make_mut().iter_mut().enumerate() {
            if rejected.contains(row) {
                continue;
            }
            let time = if rows.value_valid.is_valid(row) {
                time_of(column.value(row), format)
            } else {
                Err(vec![
                    "Cannot invoke \"io.confluent.ksql.GenericRow.get(int)\" because \"<parameter2>\" \
                     is null"
                        .to_owned(),
                ])
            };
            match time {
                Ok(time) => *timestamp = time,
                Err(causes) => {
                    let (key, value) = self.java_texts(records, row);
                    rejected.add(row, Rejection::NoTimestamp { key, value, causes });
                }
            }
        }
        let times = rows.meta.timestamps.clone();
        for (column, frame) in rows.value.iter_mut().zip(&self.frame) {
            if frame.from == SourceColumn::RowTime && !matches!(column, Column::Absent) {
                *column = Column::Bigints(times.clone(), Validity::all());
            }
        }
    }

    /// All columns of the frame of the record at `row`, for the processing log.
    pub fn full_row<'a>(
        &self,
        records: &RawRecords<'a>,
        row: usize,
        arena: &'a Arena,
    ) -> Vec<Column<'a>> {
        let one = records.taken(&[row]);
        self.read(&one, &vec![true; self.frame.len()], arena).rows.value
    }

    /// The key and the value of a record as Java prints them: `null` and `[ 1 | 'a' ]`.
    fn java_texts(&self, records: &RawRecords<'_>, row: usize) -> (String, String) {
        let arena = Arena::new();
        let one = records.taken(&[row]);
        let (keys, _) = self.split_windows(&one);
        let all = |count: usize| vec![true; count];
        let key = self.key.decode(&keys, &all(self.source.schema.key.len()), &arena);
        let value = self.value.decode(&one.values, &all(self.source.schema.value.len()), &arena);
        let text = |columns: &[Column<'_>], is_null: bool| {
            if is_null || columns.is_empty() {
                return "null".to_owned();
            }
            super::java_row::text(columns.iter().map(|column| column.value(0)))
        };
        let key = text(&key.columns, !key.nulls.is_empty());
        (key, text(&value.columns, !value.nulls.is_empty()))
    }
}

/// Which of `len` rows are there, all but `nulls`.
pub(super) fn validity(len: usize, nulls: &[u32]) -> Validity {
    let mut valid = Validity::all();
    for row in nulls {
        valid.set_null(*row as usize, len);
    }
    valid
}

/// A record from before the epoch is dropped, as Kafka Streams does by default.
fn drop_negative(rows: &Rows<'_>, rejected: &mut Rejected) {
    let negative = rows.meta.timestamps.iter().enumerate().filter(|(_, time)| **time < 0);
    for (row, _) in negative {
        rejected.add(row, Rejection::NegativeTimestamp);
    }
}

/// The time that a column holds, or why it holds none.
fn time_of(value: Value<'_>, format: &TimestampFormat) -> Result<i64, Vec<String>> {
    const NULL: &str = "Cannot invoke \"java.lang.Long.longValue()\" because the return value of \
        \"io.confluent.ksql.execution.streams.timestamp.ColumnExtractor.extract(Object, \
        io.confluent.ksql.GenericRow)\" is null";
    match format.read(value) {
        Ok(Some(time)) => Ok(time),
        Ok(None) => Err(vec![NULL.to_owned()]),
        Err(error) => Err(error.chain().map(str::to_owned).collect()),
    }
}

/// The records that rows of a source come from, which are read again for the log.
#[derive(Clone, Copy)]
pub struct SourceRecords<'t, 'a> {
    /// Reads them.
    pub reader: &'t SourceReader,
    /// The records.
    pub records: &'t RawRecords<'a>,
}
