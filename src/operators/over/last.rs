//! The last rows of each key, and how they are kept.

use std::sync::Arc;

use super::arriving::{Arriving, headers_of, headers_value, source_of};
use crate::expr::aggregates::{Sequence, State};
use crate::operators::cache::{Cache, FLUSH_ROWS};
use crate::operators::log_packed::log_packed;
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
    /// Where changes wait to be logged, if they do.
    unlogged: Option<UnloggedRows>,
    key: Vec<u8>,
    value: Vec<u8>,
}

/// The keys whose last rows are not all logged.
#[derive(Default)]
struct UnloggedRows {
    order: Cache,
    /// By the slots of keys, the number of the first row that is not.
    from: Vec<Option<i64>>,
}

impl UnloggedRows {
    /// Notes that a row of a key is not logged.
    fn add(&mut self, slot: u32, number: i64) {
        if self.from.len() <= slot as usize {
            self.from.resize(slot as usize + 1, None);
        }
        self.from[slot as usize].get_or_insert(number);
        self.order.touch(slot);
    }

    /// Lets a key wait no more.
    fn remove(&mut self, slot: u32) {
        self.order.forget(slot);
        if let Some(from) = self.from.get_mut(slot as usize) {
            *from = None;
        }
    }

    /// Takes out the key that has waited longest, with the number of its first row that is not logged.
    fn take(&mut self) -> Option<(u32, i64)> {
        let slot = self.order.take_oldest(1).pop()?;
        Some((slot, self.from[slot as usize].take()?))
    }
}

impl LastRows {
    /// With a cache, changes wait to be logged until the next commit.
    pub(super) fn new(
        plan: Arc<plan::Over>,
        (store, codecs): (StoreId, CodecPair),
        has_cache: bool,
    ) -> Self {
        let rows = LastRowsStore::new(plan.depth);
        let rows = if plan.retention_ms.is_some() { rows.by_time() } else { rows };
        let (states, key, value) = (Vec::new(), Vec::new(), Vec::new());
        let unlogged = has_cache.then(UnloggedRows::default);
        Self { plan, store, codecs, rows, states, unlogged, key, value }
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

    /// Leaves a key that was entered for a row which is not kept.
    pub(super) fn leave(&mut self, slot: u32) {
        if self.newest_ms(slot).is_none() {
            self.rows.forget(slot);
        }
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
        self.value.clear();
        let kept = self.plan.kept.iter().map(|column| row.values[*column]);
        kept.for_each(|value| pack(value, &mut self.value));
        if self.plan.lead > 0 {
            for result in results {
                pack(*result, &mut self.value);
            }
            pack(headers_value(row.headers, ctx.eval.arena), &mut self.value);
        }
        self.rows.push(slot, row.time_ms, &self.value);
        match &mut self.unlogged {
            Some(unlogged) => {
                unlogged.add(slot, number);
                Ok(())
            }
            None => self.log_from(slot, number, ctx).map(|_| ()),
        }
    }

    /// Logs the rows of keys that wait for it, until these are enough for once.
    pub(super) fn log_some(&mut self, ctx: &mut Context<'_, '_>) -> Result<(), QueryError> {
        let mut logged = 0;
        while logged < FLUSH_ROWS
            && let Some((slot, from)) = self.unlogged.as_mut().and_then(UnloggedRows::take)
        {
            logged += self.log_from(slot, from, ctx)?;
        }
        Ok(())
    }

    /// Whether there are changes that are not logged.
    pub(super) fn is_waiting(&self) -> bool {
        self.unlogged.as_ref().is_some_and(|unlogged| unlogged.order.len() > 0)
    }

    /// Logs the rows of a key from a number on, as far as they are still kept; how many there are. The states of aggregates
    /// over all rows are those after the last one.
    fn log_from(
        &mut self,
        slot: u32,
        number: i64,
        ctx: &mut Context<'_, '_>,
    ) -> Result<usize, QueryError> {
        let scratch = Arena::new();
        let calls = self.plan.running().zip(&self.states[slot as usize]);
        let mut states = Vec::new();
        calls.for_each(|(call, state)| pack(call.function.to_value(state, &scratch), &mut states));
        let columns = self.plan.last_rows.stored.value.len();
        let (codec, store) = (&self.codecs.value, self.store);
        let mut logged = 0;
        for row in self.rows.from(slot, number) {
            self.rows.write_key(slot, row.number, &mut self.key);
            self.value.clear();
            pack(Value::Bigint(row.number), &mut self.value);
            self.value.extend_from_slice(&row.bytes);
            self.value.extend_from_slice(&states);
            let (key, values, timestamp_ms) = (&*self.key, &*self.value, row.time_ms);
            let change = PackedChange { store, key, values, columns, codec, timestamp_ms };
            log_packed(change, ctx.out)?;
            logged += 1;
        }
        Ok(logged)
    }

    /// Forgets a key and its rows, by a row that came later.
    pub(super) fn forget(&mut self, slot: u32, by: &Arriving<'_>, ctx: &mut Context<'_, '_>) {
        let (store, timestamp_ms) = (self.store, by.time_ms);
        for row in self.rows.from(slot, i64::MIN) {
            self.rows.write_key(slot, row.number, &mut self.key);
            ctx.out.changed(StoreChange { store, key: &self.key, value: None, timestamp_ms });
        }
        if let Some(unlogged) = &mut self.unlogged {
            unlogged.remove(slot);
        }
        self.states[slot as usize].clear();
        self.rows.forget(slot);
    }

    /// Forgets which changes are not logged.
    pub(super) fn forget_unlogged(&mut self) {
        self.unlogged = self.unlogged.take().map(|_| UnloggedRows::default());
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
        Some(self.given(slot, row, last, arena))
    }

    /// A row that is kept, with all of its results, as far as there are rows after it.
    pub(super) fn given<'a>(
        &self,
        slot: u32,
        row: &LastRow,
        by: &Arriving<'a>,
        arena: &'a Arena,
    ) -> (Arriving<'a>, Vec<Value<'a>>) {
        let mut packed = PackedValues::new(&row.bytes);
        let values = arena.collect(self.plan.kept.iter().map(|_| packed.next(arena)));
        let mut results: Vec<_> = self.plan.calls.iter().map(|_| packed.next(arena)).collect();
        let headers = headers_of(packed.next(arena), arena);
        for (call, result) in self.plan.calls.iter().zip(&mut results) {
            if let OverFunction::Lead { value, rows, default } = call.function {
                *result = match self.rows.row(slot, row.number + rows as i64) {
                    Some(after) => self.value(after, value, arena),
                    None => default.map_or(Value::Null, |column| values[column]),
                };
            }
        }
        let key = arena.bytes(self.rows.key(slot));
        (Arriving { key, values, time_ms: row.time_ms, headers, ..*by }, results)
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
        self.forget_unlogged();
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
