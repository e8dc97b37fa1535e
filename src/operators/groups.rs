//! The groups of an aggregation: their states, and how they become rows.

use std::sync::Arc;

use super::result::{ResultBuilder, copied};
use super::{CodecPair, Context, QueryError, StoreChange, StoredRecord};
use crate::expr::aggregates::{Sequence, State};
use crate::plan::{AggregateWindow, Aggregation, StoreId};
use crate::state::KeyIndex;
use crate::types::{
    Arena, Column, Headers, KeyColumns, Meta, OwnedValue, Rows, SqlType, Timestamp, Value, Window,
};

/// What follows the key and the window in a window store's changelog: a number that only joins use.
pub(super) const WINDOW_SEQUENCE: [u8; 4] = [0; 4];

/// The groups of one aggregation.
///
/// A group is found by the bytes of its key, followed by its window. What it holds lies in one
/// place: the states of its aggregates, then the columns it keeps of its last row.
pub(super) struct Groups {
    pub(super) plan: Arc<Aggregation>,
    pub(super) store: StoreId,
    codecs: CodecPair,
    index: KeyIndex,
    slots: Vec<Group>,
    result_types: Vec<SqlType>,
    scratch: Scratch,
}

/// Memory for one row that is written, used again for the next.
#[derive(Default)]
struct Scratch {
    arena: Arena,
    key: Vec<u8>,
    value: Vec<u8>,
}

/// One group.
#[derive(Default)]
pub(super) struct Group {
    pub(super) states: Box<[State]>,
    pub(super) kept: Box<[OwnedValue]>,
    pub(super) key: Box<[OwnedValue]>,
    pub(super) timestamp_ms: i64,
    pub(super) window: Option<Window>,
    /// Whether a row was ever added: an empty group has no row before.
    pub(super) exists: bool,
    /// Whether its row has left the cache: it was logged and given away, or restored.
    pub(super) is_stored: bool,
}

impl Group {
    /// The bounds of its window, as columns of its result.
    fn bounds<'v>(&self) -> impl Iterator<Item = Value<'v>> + use<'v> {
        let bounds = |window: Window| [window.start.0, window.end.0].map(Value::Bigint);
        self.window.into_iter().flat_map(bounds)
    }
}

/// A row on its way into its group.
pub(super) struct Arrival<'k, 'a> {
    /// The bytes of its key.
    pub(super) key: &'k [u8],
    pub(super) rows: &'k Rows<'a>,
    pub(super) row: usize,
}

/// A change of a group, to be logged and given away.
#[derive(Clone, Copy)]
pub(super) struct Emission<'a> {
    pub(super) slot: u32,
    /// Whether the group still has a row.
    pub(super) is_live: bool,
    pub(super) timestamp_ms: i64,
    pub(super) headers: Headers<'a>,
}

impl Groups {
    pub(super) fn new(plan: Arc<Aggregation>, store: StoreId, codecs: CodecPair) -> Self {
        let kept =
            plan.store.stored.value.iter().take(plan.kept_columns).map(|column| column.ty.clone());
        let results = plan.calls.iter().map(|call| call.function.result_type());
        let bounds = plan.window.iter().flat_map(|_| [SqlType::Bigint, SqlType::Bigint]);
        let result_types = kept.chain(results).chain(bounds).collect();
        Self {
            plan,
            store,
            codecs,
            index: KeyIndex::default(),
            slots: Vec::new(),
            result_types,
            scratch: Scratch::default(),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.index.len()
    }

    pub(super) fn clear(&mut self) {
        self.index = KeyIndex::default();
        self.slots.clear();
    }

    /// Writes the bytes of the key at `position`. False if the key is null.
    pub(super) fn encode_key(
        &self,
        key: &KeyColumns<'_>,
        position: usize,
        out: &mut Vec<u8>,
    ) -> Result<bool, QueryError> {
        self.codecs.encode_key(key, position, out)
    }

    /// The slot of a store key, and whether it is new. A new group still has to be set up.
    pub(super) fn insert(&mut self, store_key: &[u8]) -> (u32, bool) {
        let (slot, is_new) = self.index.insert(store_key);
        if self.slots.len() <= slot as usize {
            self.slots.resize_with(slot as usize + 1, Group::default);
        }
        (slot, is_new)
    }

    pub(super) fn find(&self, store_key: &[u8]) -> Option<u32> {
        self.index.find(store_key)
    }

    pub(super) fn store_key(&self, slot: u32) -> &[u8] {
        self.index.key(slot)
    }

    pub(super) fn group(&self, slot: u32) -> &Group {
        &self.slots[slot as usize]
    }

    pub(super) fn group_mut(&mut self, slot: u32) -> &mut Group {
        &mut self.slots[slot as usize]
    }

    pub(super) fn remove(&mut self, slot: u32) {
        self.index.remove(slot);
        self.slots[slot as usize] = Group::default();
    }

    /// Sets up the group in `slot` for the key at `position`.
    pub(super) fn set_up(
        &mut self,
        slot: u32,
        (key, position): (&KeyColumns<'_>, usize),
        sequence: &mut Sequence,
    ) {
        let states = self.initial_states(sequence);
        let group = &mut self.slots[slot as usize];
        group.states = states;
        group.key = key.columns.iter().map(|column| column.value(position).to_owned()).collect();
        group.kept = vec![OwnedValue::Null; self.plan.kept_columns].into();
    }

    pub(super) fn initial_states(&self, sequence: &mut Sequence) -> Box<[State]> {
        self.plan.calls.iter().map(|call| call.function.init(sequence)).collect()
    }

    /// Adds `row` to every aggregate of the group, and keeps its columns.
    pub(super) fn add(
        &mut self,
        slot: u32,
        rows: &Rows<'_>,
        row: usize,
        sequence: &mut Sequence,
    ) -> Result<(), QueryError> {
        let plan = Arc::clone(&self.plan);
        let group = &mut self.slots[slot as usize];
        let mut args: Vec<Value<'_>> = Vec::new();
        for (call, state) in plan.calls.iter().zip(&mut group.states) {
            if let [arg] = &*call.args {
                call.function.add(state, &[rows.value[*arg].value(row)], sequence)?;
                continue;
            }
            args.clear();
            args.extend(call.args.iter().map(|arg| rows.value[*arg].value(row)));
            call.function.add(state, &args, sequence)?;
        }
        self.keep(slot, &rows.value, row);
        Ok(())
    }

    /// Takes `row` of `columns` back from every aggregate of the group, and keeps its columns.
    pub(super) fn undo(
        &mut self,
        slot: u32,
        columns: &[Column<'_>],
        row: usize,
    ) -> Result<(), QueryError> {
        let plan = Arc::clone(&self.plan);
        let group = &mut self.slots[slot as usize];
        for (call, state) in plan.calls.iter().zip(&mut group.states) {
            let args: Vec<_> = call.args.iter().map(|arg| columns[*arg].value(row)).collect();
            call.function.undo(state, &args)?;
        }
        self.keep(slot, columns, row);
        Ok(())
    }

    /// Keeps the leading columns of `row`, reusing the memory of texts.
    pub(super) fn keep(&mut self, slot: u32, columns: &[Column<'_>], row: usize) {
        let group = &mut self.slots[slot as usize];
        for (kept, column) in group.kept.iter_mut().zip(columns) {
            let value = column.value(row);
            match (&*kept, value) {
                (OwnedValue::String(text), Value::String(new)) if **text == *new => {}
                _ => *kept = value.to_owned(),
            }
        }
    }

    /// The columns of a group's result: what it keeps, its aggregates, the bounds of its window.
    fn result<'s>(&'s self, slot: u32, arena: &'s Arena) -> impl Iterator<Item = Value<'s>> + 's {
        let group = &self.slots[slot as usize];
        let kept = group.kept.iter().map(|value| value.as_value(arena));
        let calls = self.plan.calls.iter().zip(&group.states);
        let results = calls.map(|(call, state)| call.function.result(state, arena));
        kept.chain(results).chain(group.bounds())
    }

    /// A copy of a group's result that outlives its next change.
    pub(super) fn snapshot(&self, slot: u32) -> Vec<OwnedValue> {
        let arena = Arena::new();
        self.result(slot, &arena).map(|value| value.to_owned()).collect()
    }

    /// Brings a copy of what a group's result was up to date where ksqlDB changes it in place.
    pub(super) fn refresh(&self, slot: u32, old: &mut [OwnedValue]) {
        let arena = Arena::new();
        let results = old.iter_mut().skip(self.plan.kept_columns);
        let calls = self.plan.calls.iter().zip(&self.group(slot).states);
        for (old, (call, state)) in results.zip(calls) {
            if call.function.updates_in_place() {
                *old = call.function.result(state, &arena).to_owned();
            }
        }
    }

    /// Starts a result; with `old`, it also says what rows were before.
    pub(super) fn builder<'a>(&self, rows: &Meta<'_>, with_old: bool) -> ResultBuilder<'a> {
        let keys: Vec<_> =
            self.plan.store.stored.key.iter().map(|column| column.ty.clone()).collect();
        ResultBuilder::new((&keys, &self.result_types), rows.partition, with_old)
    }

    /// Adds a group's change to a result.
    pub(super) fn emit<'a>(
        &self,
        emission: &Emission<'a>,
        old: Option<&[OwnedValue]>,
        builder: &mut ResultBuilder<'a>,
        arena: &'a Arena,
    ) {
        let group = self.group(emission.slot);
        builder.push_key(&group.key, arena);
        if emission.is_live {
            let scratch = Arena::new();
            let kept = group.kept.iter().map(|value| copied(value, arena));
            let calls = self.plan.calls.iter().zip(&group.states);
            let results =
                calls.map(|(call, state)| arena.copy(call.function.result(state, &scratch)));
            builder.push_value(kept.chain(results).chain(group.bounds()));
        } else {
            builder.push_no_value();
        }
        builder.push_old(old, arena);
        builder.push_meta(emission.timestamp_ms, emission.headers, group.window);
    }

    /// Writes a group to the changelog.
    pub(super) fn log_change(
        &mut self,
        emission: &Emission<'_>,
        ctx: &mut Context<'_, '_>,
    ) -> Result<(), QueryError> {
        let mut scratch = std::mem::take(&mut self.scratch);
        let result = self.write_change(emission, &mut scratch, ctx);
        self.scratch = scratch;
        result
    }

    fn write_change(
        &self,
        emission: &Emission<'_>,
        Scratch { arena, key, value }: &mut Scratch,
        ctx: &mut Context<'_, '_>,
    ) -> Result<(), QueryError> {
        arena.reset();
        value.clear();
        let group = self.group(emission.slot);
        let mut store_key = self.store_key(emission.slot);
        if matches!(self.plan.window, Some(AggregateWindow::Time { .. })) {
            key.clear();
            key.extend_from_slice(store_key);
            key.extend_from_slice(&WINDOW_SEQUENCE);
            store_key = key;
        }
        let mut has_value = false;
        if emission.is_live {
            let kept = group.kept.iter().map(|value| value.as_value(arena));
            let calls = self.plan.calls.iter().zip(&group.states);
            let states = calls.map(|(call, state)| call.function.to_value(state, arena));
            has_value =
                self.codecs.value.encode_values(arena.collect(kept.chain(states)), value)?;
        }
        ctx.out.changed(StoreChange {
            store: self.store,
            key: store_key,
            value: has_value.then_some(value),
            timestamp_ms: emission.timestamp_ms,
        });
        Ok(())
    }

    /// Takes back a stored row: the group of `store_key`, whose key is in `key`.
    pub(super) fn restore(
        &mut self,
        record: &StoredRecord<'_>,
        (store_key, key): (&[u8], &[u8]),
        value: &[u8],
        sequence: &mut Sequence,
    ) -> Result<u32, QueryError> {
        let arena = Arena::new();
        let key_columns = self.codecs.key.decode(key, &arena)?;
        let columns = self.codecs.value.decode(value, &arena)?;
        let (slot, _) = self.insert(store_key);
        let plan = Arc::clone(&self.plan);
        let kept = plan.kept_columns;
        let states = plan.calls.iter().zip(columns.iter().skip(kept)).map(|(call, column)| {
            let state = call.function.restore(column.value(0));
            call.function.observe(&state, sequence);
            state
        });
        let group = &mut self.slots[slot as usize];
        group.states = states.collect();
        group.kept = columns.iter().take(kept).map(|column| column.value(0).to_owned()).collect();
        group.key = key_columns.iter().map(|column| column.value(0).to_owned()).collect();
        group.timestamp_ms = record.timestamp_ms;
        group.exists = true;
        Ok(slot)
    }

    /// The states of `slots`, taken out to be updated together; give them back with [`Self::put_states`].
    pub(super) fn take_states(&mut self, slots: &[u32]) -> Vec<Box<[State]>> {
        slots.iter().map(|slot| std::mem::take(&mut self.slots[*slot as usize].states)).collect()
    }

    pub(super) fn put_states(&mut self, slots: &[u32], states: Vec<Box<[State]>>) {
        for (slot, states) in slots.iter().zip(states) {
            self.slots[*slot as usize].states = states;
        }
    }
}

/// The later of a group's time and a row's; the row's if the group is new.
pub(super) fn later(group: &Group, at: Timestamp) -> i64 {
    if group.exists { group.timestamp_ms.max(at.0) } else { at.0 }
}
