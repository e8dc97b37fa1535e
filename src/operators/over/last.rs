//! The last rows of each key, and how they are kept.

use std::sync::Arc;

use super::arriving::{Arriving, headers_of, headers_value, source_of};
use crate::expr::aggregates::{Sequence, State};
use crate::operators::{
    CodecPair, Context, PackedChange, QueryError, Store, StoreChange, StoredRecord,
};
use crate::plan::{self, OverFunction, StoreId};
use crate::state::{LastRow, LastRowsStore, PackedValues, pack};
use crate::types::{Arena, Column, Value};

/// The last rows of each key, and the states of aggregates over all of its rows.
pub(super) struct LastRows {
    pub(super) plan: Arc<plan::Over>,
    store: StoreId,
    codecs: CodecPair,
    pub(super) rows: LastRowsStore,
    /// By the slots of their keys.
    pub(super) states: Vec<Vec<State>>,
    key: Vec<u8>,
    value: Vec<u8>,
}

impl LastRows {
    pub(super) fn new(plan: Arc<plan::Over>, (store, codecs): (StoreId, CodecPair)) -> Self {
        let rows = LastRowsStore::new(plan.depth);
        let (states, key, value) = (Vec::new(), Vec::new(), Vec::new());
        Self { plan, store, codecs, rows, states, key, value }
    }

    /// How keys and rows are written.
    pub(super) fn codecs(&self) -> &CodecPair {
        &self.codecs
    }

    /// The slot of a key.
    pub(super) fn enter(&mut self, key: &[u8]) -> u32 {
        let (slot, is_new) = self.rows.enter(key);
        if self.states.len() <= slot as usize {
            self.states.resize_with(slot as usize + 1, Vec::new);
        }
        if is_new {
            self.states[slot as usize].clear();
        }
        slot
    }

    /// The time of the last row of a key.
    pub(super) fn newest_ms(&self, slot: u32) -> Option<i64> {
        self.rows.newest_ms(slot)
    }

    /// Whether a row has been taken before: it is kept, or one that comes after it in its partition. Records come again where a
    /// process ended before it had committed how far it was; what came of them was written before they were kept.
    pub(super) fn has_taken(&self, slot: u32, row: &Arriving<'_>) -> bool {
        if self.newest_ms(slot).is_none_or(|newest_ms| row.time_ms > newest_ms) {
            return false;
        }
        let origin = self.plan.origin;
        let (partition, offset) = row.source(origin);
        let scratch = Arena::new();
        let mut kept = self.rows.from(slot, i64::MIN).map(|kept| {
            source_of([origin.partition, origin.offset].map(|at| self.value(kept, at, &scratch)))
        });
        kept.any(|kept| {
            let is_as_far = kept.1 == offset || origin.ascends && kept.1 > offset;
            kept.0 == partition && is_as_far
        })
    }

    /// The value that a row before had in a column of the input.
    pub(super) fn value<'a>(&self, row: &LastRow, column: usize, arena: &'a Arena) -> Value<'a> {
        let Some(place) = self.plan.kept.iter().position(|kept| *kept == column) else {
            return Value::Null;
        };
        let (mut packed, skipped) = (PackedValues::new(&row.bytes), Arena::new());
        for _ in 0..place {
            packed.lent(&skipped);
        }
        packed.next(arena)
    }

    /// Keeps a row with its results as the last of its key.
    pub(super) fn keep<'a>(
        &mut self,
        slot: u32,
        row: &Arriving<'a>,
        results: &[Value<'a>],
        ctx: &mut Context<'_, 'a>,
    ) -> Result<(), QueryError> {
        let number = self.rows.next_number(slot);
        let scratch = Arena::new();
        let mut values = vec![Value::Bigint(number)];
        values.extend(self.plan.kept.iter().map(|column| row.values[*column]));
        if self.plan.lead > 0 {
            values.extend_from_slice(results);
            values.push(headers_value(row.headers, ctx.eval.arena));
        }
        self.value.clear();
        pack(values[0], &mut self.value);
        let start = self.value.len();
        values[1..].iter().for_each(|value| pack(*value, &mut self.value));
        self.rows.push(slot, row.time_ms, &self.value[start..]);
        for (call, state) in self.plan.running().zip(&self.states[slot as usize]) {
            let value = call.function.to_value(state, &scratch);
            pack(value, &mut self.value);
            values.push(value);
        }
        self.key.clear();
        self.key.extend_from_slice(row.key);
        self.key.extend_from_slice(&self.rows.place(number).to_be_bytes());
        let (store, key, timestamp_ms) = (self.store, &*self.key, row.time_ms);
        let codec = &self.codecs.value;
        if codec.bytes_max(0).is_some() {
            let (columns, values) = (values.len(), &*self.value);
            let change = PackedChange { store, key, values, columns, codec, timestamp_ms };
            ctx.out.changed_packed(change);
            return Ok(());
        }
        let mut written = Vec::new();
        let has_value = codec.encode_values(&values, &mut written)?;
        let value = has_value.then_some(&*written);
        ctx.out.changed(StoreChange { store, key, value, timestamp_ms });
        Ok(())
    }

    /// The row that has waited for the last one of its key, if there is one, with all of its results.
    pub(super) fn waited<'a>(
        &self,
        slot: u32,
        last: &Arriving<'a>,
        arena: &'a Arena,
    ) -> Option<(Arriving<'a>, Vec<Value<'a>>)> {
        let number = self.rows.next_number(slot) - 1 - self.plan.lead as i64;
        let row = self.rows.row(slot, number)?;
        let mut packed = PackedValues::new(&row.bytes);
        let values = arena.collect(self.plan.kept.iter().map(|_| packed.next(arena)));
        let mut results: Vec<_> = self.plan.calls.iter().map(|_| packed.next(arena)).collect();
        let headers = headers_of(packed.next(arena), arena);
        for (call, result) in self.plan.calls.iter().zip(&mut results) {
            if let OverFunction::Lead { value, rows } = call.function {
                let after = self.rows.row(slot, number + rows as i64);
                *result = after.map_or(Value::Null, |after| self.value(after, value, arena));
            }
        }
        Some((Arriving { values, time_ms: row.time_ms, headers, ..*last }, results))
    }
}

impl Store for LastRows {
    fn restore(
        &mut self,
        record: &StoredRecord<'_>,
        sequence: &mut Sequence,
    ) -> Result<(), QueryError> {
        let refuse = || QueryError::new("a record of the changelog of last rows is too short");
        let (key, place) = record.key.split_last_chunk::<4>().ok_or_else(refuse)?;
        let Some(value) = record.value else {
            self.rows.remove(key, u32::from_be_bytes(*place));
            return Ok(());
        };
        let arena = Arena::new();
        let columns = self.codecs.value.decode(value, &arena)?;
        let (number, columns) = columns.split_first().ok_or_else(refuse)?;
        let Value::Bigint(number) = number.value(0) else { return Err(refuse()) };
        let running = self.plan.running().count();
        let (row, states) = columns.split_at(columns.len().saturating_sub(running));
        self.value.clear();
        for column in row {
            pack(column.value(0), &mut self.value);
        }
        let slot = self.enter(key);
        if number >= self.rows.next_number(slot) {
            self.restore_states(slot, states, sequence);
        }
        let bytes = self.value.as_slice().into();
        self.rows.put(slot, LastRow { number, time_ms: record.timestamp_ms, bytes });
        Ok(())
    }

    fn rows(&self) -> usize {
        self.rows.len()
    }

    fn clear(&mut self) {
        self.rows.clear();
        self.states.clear();
    }
}

impl LastRows {
    fn restore_states(&mut self, slot: u32, stored: &[Column<'_>], sequence: &mut Sequence) {
        let calls = self.plan.running().zip(stored);
        let states = calls.map(|(call, column)| {
            let state = call.function.restore(column.value(0));
            call.function.observe(&state, sequence);
            state
        });
        self.states[slot as usize] = states.collect();
    }
}
