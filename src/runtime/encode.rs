//! Rows on their way out of a task: as bytes for a sink or a topic, or as they are for other tasks.

use std::rc::Rc;

use super::client_rows::ClientPacker;
use super::origin::{Lending, LentRows};
use super::output::{Output, Placing, Target};
use super::timestamp::TimestampFormat;
use crate::expr::EvalError;
use crate::formats::{EncodeError, Encoded, Encoder, Normaliser, Role, Schemas, windowed};
use crate::operators::QueryError;
use crate::plan::{
    Node, QueryPlan, RESPONSE_COLUMNS, RepartitionId, RepartitionKind, RepartitionTopic, Sink,
};
use crate::state::write_response_head;
use crate::types::{OldRows, Partition, Rows, Value, WindowKind};

/// Writes rows for the sink, or for whoever asks for them.
pub(super) enum SinkWriter {
    Topic(Box<SinkEncoder>),
    Client(ClientPacker),
}

impl SinkWriter {
    /// That of a plan; none if its rows go nowhere.
    pub(super) fn new(plan: &QueryPlan, schemas: &Schemas) -> Result<Option<Self>, QueryError> {
        if let Some(packer) = ClientPacker::new(plan) {
            return Ok(Some(Self::Client(packer)));
        }
        if !plan.sink.has_topic() {
            return Ok(None);
        }
        SinkEncoder::new(plan, schemas).map(|encoder| Some(Self::Topic(Box::new(encoder))))
    }
}

/// Writes rows for the sink.
pub(super) struct SinkEncoder {
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

impl SinkEncoder {
    pub(super) fn new(plan: &QueryPlan, schemas: &Schemas) -> Result<Self, QueryError> {
        let Sink { topic, schema, key_format, value_format, .. } = &plan.sink;
        let sink = &plan.sink;
        let key = Encoder::new(key_format, &schema.key, Role::Key, topic, schemas);
        let value = Encoder::new(value_format, &schema.value, Role::Value, topic, schemas);
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
            key: key?,
            value: value?,
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
    pub(super) fn time(&self, rows: &Rows<'_>, row: usize) -> Result<i64, EvalError> {
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

    /// Writes the record of a row.
    pub(super) fn write(
        &self,
        rows: &Rows<'_>,
        row: usize,
        timestamp_ms: i64,
        output: &mut Output,
    ) -> Result<(), QueryError> {
        let failed = |error: EncodeError| not_sent(error, &self.topic, rows.meta.partition);
        let mut record = output.begin(Target::Sink, self.placing(), timestamp_ms);
        let position = rows.key.position(row);
        let key = |out: &mut Vec<u8>| {
            if !rows.key.is_valid(row) {
                return Ok(false);
            }
            let encoded = self.key.encode(&rows.key.columns, position, out)?;
            if let (Encoded::Bytes, Some(kind), Some(window)) =
                (encoded, self.window, rows.meta.window(row))
            {
                windowed::encode(kind, window, out);
            }
            Ok(encoded == Encoded::Bytes)
        };
        record.key(key).map_err(failed)?;
        let value = |out: &mut Vec<u8>| {
            if !rows.value_valid.is_valid(row) {
                return Ok(false);
            }
            Ok(self.value.encode(&rows.value, row, out)? == Encoded::Bytes)
        };
        record.value(value).map_err(failed)?;
        if rows.meta.headers.is_some() {
            record.headers(rows.meta.headers(row));
        }
        record.finish();
        Ok(())
    }
}

/// A row that cannot be written stops the query, as Kafka Streams' `RecordCollectorImpl` says it.
fn not_sent(error: EncodeError, topic: &str, partition: Partition) -> QueryError {
    let EncodeError { class, message, mut causes } = error;
    let text = format!(
        "Error encountered sending record to topic {topic} for task 0_{} due to:\n{class}: {message}",
        partition.0
    );
    causes.insert(0, message);
    QueryError { causes, ..QueryError::new(text) }
}

/// Gives rows with a new key to the tasks that own it.
pub(super) struct RepartitionEncoder {
    id: RepartitionId,
    name: String,
    key: Encoder,
    value: Encoder,
    key_marks: Normaliser,
    value_marks: Normaliser,
    kind: RepartitionKind,
}

/// How many partitions rows are spread over, and by what.
#[derive(Clone, Copy, Debug)]
pub struct Spread {
    /// How many there are.
    pub partitions: i32,
    /// Java's default partitioner.
    pub partitioner: fn(&[u8], i32) -> i32,
}

impl RepartitionEncoder {
    pub(super) fn new(
        id: RepartitionId,
        topic: &RepartitionTopic,
        node: &Node,
        schemas: &Schemas,
    ) -> Result<Self, QueryError> {
        let (key, mut value) = (&node.schema.key, &*node.schema.value);
        let name = topic.name.clone();
        let (key_format, value_format) =
            (topic.key_format.internal(), topic.value_format.internal());
        if topic.kind == RepartitionKind::Responses {
            value = &value[..value.len().saturating_sub(RESPONSE_COLUMNS)];
        }
        Ok(Self {
            id,
            key: Encoder::new(&key_format, key, Role::Key, &name, schemas)?,
            value: Encoder::new(&value_format, value, Role::Value, &name, schemas)?,
            key_marks: Normaliser::new(&topic.key_format, key),
            value_marks: Normaliser::new(&topic.value_format, value),
            kind: topic.kind,
            name,
        })
    }

    /// Writes rows as records of the topic.
    pub(super) fn write(&self, rows: &Rows<'_>, output: &mut Output) -> Result<(), QueryError> {
        let failed = |error: EncodeError| not_sent(error, &self.name, rows.meta.partition);
        for row in 0..rows.len {
            let timestamp_ms = rows.meta.timestamps[row];
            let target = Target::Repartition(self.id);
            let mut record = output.begin(target, self.placing(rows, row), timestamp_ms);
            let position = rows.key.position(row);
            let key = |out: &mut Vec<u8>| {
                Ok(self.key.encode(&rows.key.columns, position, out)? == Encoded::Bytes)
            };
            record.key(key).map_err(failed)?;
            let is_new = rows.value_valid.is_valid(row);
            let value = |out: &mut Vec<u8>| {
                if self.kind == RepartitionKind::Responses {
                    return self.write_response(rows, row, out);
                }
                let old = rows.old.as_ref().filter(|old| old.valid.is_valid(row));
                let columns = match old {
                    Some(old) if !is_new => &old.value,
                    _ => &rows.value,
                };
                let exists = self.value.encode(columns, row, out)? == Encoded::Bytes;
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

    /// Writes a response: the hash, then the row, if there is one.
    fn write_response(
        &self,
        rows: &Rows<'_>,
        row: usize,
        out: &mut Vec<u8>,
    ) -> Result<bool, EncodeError> {
        let (columns, hash) = match &*rows.value {
            [columns @ .., hash, _] => (columns, hash.value(row)),
            _ => (&[][..], Value::Null),
        };
        let hash = if let Value::Bytes(hash) = hash { hash.try_into().ok() } else { None };
        write_response_head(hash, out);
        if rows.value_valid.is_valid(row) {
            self.value.encode(columns, row, out)?;
        }
        Ok(true)
    }

    /// Where the record of a row goes: responses to where their left rows are.
    fn placing(&self, rows: &Rows<'_>, row: usize) -> Placing {
        match (self.kind, rows.value.last().map(|column| column.value(row))) {
            (RepartitionKind::Responses, Some(Value::Int(to))) => Placing::Partition(to),
            _ => Placing::ByKey,
        }
    }

    /// Copies rows for the tasks that own their keys.
    ///
    /// Formats leave marks on what passes through a topic, and so they do here.
    pub(super) fn hand_over<'a>(
        &self,
        rows: &Rows<'a>,
        times: Vec<i64>,
        spread: Spread,
        Lending { arena, origin, lent }: Lending<'_, 'a>,
    ) -> Result<(), QueryError> {
        let mut rows = rows.clone();
        let len = rows.len;
        rows.key.columns = self.key_marks.normalise(rows.key.columns, rows.key.len, arena);
        rows.value = self.value_marks.normalise(rows.value, len, arena);
        rows.old = rows.old.map(|old| OldRows {
            value: self.value_marks.normalise(old.value, len, arena),
            valid: old.valid,
        });
        let topic = self.id;
        if spread.partitions == 1 {
            let (partition, rows) = (Partition(0), Rc::new(rows));
            lent.push(LentRows { topic, partition, times, origin, rows, taken: None });
            return Ok(());
        }
        let owners = self.owners(&rows, spread)?;
        // Answers come as if each registration had been answered before the next was sent.
        let shares = match self.kind {
            RepartitionKind::Subscriptions => in_order(&owners.of_rows),
            _ => by_owner(&owners).collect(),
        };
        let rows = Rc::new(rows);
        lent.extend(shares.into_iter().map(|Share { partition, taken }| LentRows {
            topic,
            partition: Partition(partition as i32),
            times: taken.iter().map(|row| times[*row as usize]).collect(),
            origin,
            rows: Rc::clone(&rows),
            taken: Some(taken),
        }));
        Ok(())
    }

    /// The partition of each row. Rows without a key stay in the partition of their task.
    fn owners(&self, rows: &Rows<'_>, spread: Spread) -> Result<Owners, QueryError> {
        let partitions = usize::try_from(spread.partitions).unwrap_or(1).max(1);
        let failed = |error: EncodeError| not_sent(error, &self.name, rows.meta.partition);
        let within = |owner: i32| usize::try_from(owner).unwrap_or(0) % partitions;
        let mut bytes = Vec::new();
        let mut by_key = Vec::with_capacity(rows.key.len);
        for position in 0..rows.key.len {
            bytes.clear();
            let encoded = self.key.encode(&rows.key.columns, position, &mut bytes);
            let has_key = encoded.map_err(failed)? == Encoded::Bytes;
            by_key.push(within(if has_key && rows.key.valid.is_valid(position) {
                (spread.partitioner)(&bytes, spread.partitions)
            } else {
                rows.meta.partition.0
            }));
        }
        let of_rows = match self.kind {
            RepartitionKind::Responses => {
                let owner = |row: usize| match self.placing(rows, row) {
                    Placing::Partition(to) => within(to),
                    _ => by_key[rows.key.position(row)],
                };
                (0..rows.len).map(owner).collect()
            }
            _ => match &rows.key.index {
                Some(index) => index.iter().map(|key| by_key[*key as usize]).collect(),
                None => by_key,
            },
        };
        Ok(Owners { of_rows, partitions })
    }
}

/// The partition that each row of a batch belongs to.
struct Owners {
    of_rows: Vec<usize>,
    partitions: usize,
}

/// Rows that one partition gets.
struct Share {
    partition: usize,
    taken: Vec<u32>,
}

/// All rows of each partition together.
fn by_owner(owners: &Owners) -> impl Iterator<Item = Share> + use<> {
    let mut counts = vec![0; owners.partitions];
    owners.of_rows.iter().for_each(|owner| counts[*owner] += 1);
    let mut shares: Vec<Vec<u32>> = counts.into_iter().map(Vec::with_capacity).collect();
    for (row, owner) in owners.of_rows.iter().enumerate() {
        shares[*owner].push(row as u32);
    }
    let shares = shares.into_iter().enumerate().filter(|(_, taken)| !taken.is_empty());
    shares.map(|(partition, taken)| Share { partition, taken })
}

/// The rows in their order, in as few shares as that takes.
fn in_order(owners: &[usize]) -> Vec<Share> {
    let mut shares: Vec<Share> = Vec::new();
    for (row, owner) in owners.iter().enumerate() {
        match shares.last_mut().filter(|last| last.partition == *owner) {
            Some(last) => last.taken.push(row as u32),
            None => shares.push(Share { partition: *owner, taken: vec![row as u32] }),
        }
    }
    shares
}
