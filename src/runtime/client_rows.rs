//! Rows for whoever asks for them: packed by the task that has them, and unpacked where they are wanted.
//!
//! A row is a record of an [`Output`] without a key: whether it is gone, then its columns, as packed values.

use super::output::{Output, OutputRecord, Placing, Target};
use crate::plan::{ClientSink, Gives, KeyPlace, QueryPlan};
use crate::state::{PackedValues, pack};
use crate::types::{Arena, OwnedValue, Rows, Value};

/// A row for whoever asked for it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClientRow {
    /// Its columns, in the order in which they were selected.
    pub values: Vec<OwnedValue>,
    /// Whether it says that a row is gone: then only those columns are not NULL that are parts of its key.
    pub is_tombstone: bool,
}

/// Packs rows for whoever asks for them.
pub(super) struct ClientPacker {
    sink: ClientSink,
    /// Whether rows may be gone: those of tables.
    has_tombstones: bool,
}

impl ClientPacker {
    /// That of a plan whose rows go to no topic.
    pub(super) fn new(plan: &QueryPlan) -> Option<Self> {
        let has_tombstones = plan.nodes.last().is_some_and(|last| last.gives == Gives::Changes);
        plan.sink.client.clone().map(|sink| Self { sink, has_tombstones })
    }

    /// Packs a row, if it is one to be given: of a stream, a record without a value is none.
    pub(super) fn write(&self, rows: &Rows<'_>, row: usize, output: &mut Output) {
        let timestamp_ms = rows.meta.timestamps[row];
        let mut packed = Vec::new();
        let is_there = rows.value_valid.is_valid(row);
        let is_left_out = self.sink.skips_keyless && !rows.key.is_valid(row);
        if is_left_out || (!is_there && !self.has_tombstones) {
            return;
        }
        pack(Value::Boolean(!is_there), &mut packed);
        if is_there {
            rows.value.iter().for_each(|column| pack(column.value(row), &mut packed));
        } else {
            self.sink
                .places
                .iter()
                .for_each(|place| pack(key_part(*place, rows, row), &mut packed));
        }
        let mut record = output.begin(Target::Sink, Placing::Partition(0), timestamp_ms);
        record.copy(&[], Some(&packed));
        record.finish();
    }
}

/// A part of the key of a row.
fn key_part<'a>(place: Option<KeyPlace>, rows: &Rows<'a>, row: usize) -> Value<'a> {
    let window = rows.meta.window(row);
    match place {
        Some(KeyPlace::Column(at)) => {
            let column = rows.key.columns.get(at).filter(|_| rows.key.is_valid(row));
            column.map_or(Value::Null, |column| column.value(rows.key.position(row)))
        }
        Some(KeyPlace::WindowStart) => window.map_or(Value::Null, |at| Value::Bigint(at.start.0)),
        Some(KeyPlace::WindowEnd) => window.map_or(Value::Null, |at| Value::Bigint(at.end.0)),
        None => Value::Null,
    }
}

/// Unpacks the rows of so many columns.
pub fn client_rows(output: &Output, columns: usize) -> impl Iterator<Item = ClientRow> {
    output.records().map(move |record: OutputRecord<'_>| {
        let arena = Arena::new();
        let mut packed = PackedValues::new(record.value.unwrap_or_default());
        let is_tombstone = packed.next(&arena) == Value::Boolean(true);
        let values = (0..columns).map(|_| packed.lent(&arena).to_owned()).collect();
        ClientRow { values, is_tombstone }
    })
}
