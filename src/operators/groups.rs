//! The groups of an aggregation: their states, and how they become rows.

use std::sync::Arc;

use super::result::ResultBuilder;
use super::{CodecPair, Context, PackedChange, QueryError, StoreChange};
use crate::expr::aggregates::{Sequence, State};
use crate::plan::{AggregateWindow, Aggregation, StoreId};
use crate::state::{GroupHead, GroupStore, GroupValues, pack};
use crate::types::{
    Arena, Column, Headers, KeyColumns, Meta, OwnedValue, Rows, SqlType, Timestamp, Value, Window,
};

/// What follows the key and the window in a window store's changelog: a number that only joins use.
pub(super) const WINDOW_SEQUENCE: [u8; 4] = [0; 4];

/// The groups of one aggregation.
///
/// A group is found by the bytes of its key, followed by its window. At rest it is bytes too; to be added to, its states
/// are taken out: for a whole chunk those of all groups that it touches, else those of one group, which stay out until
/// another one is asked for.
pub(super) struct Groups {
    pub(super) plan: Arc<Aggregation>,
    pub(super) store: StoreId,
    codecs: CodecPair,
    /// Whether every row can be written, so that changes need not be before they are sent.
    is_written_later: bool,
    held: GroupStore,
    open: Open,
    result_types: Vec<SqlType>,
    scratch: Scratch,
}

/// The group whose states are out.
#[derive(Default)]
struct Open {
    slot: Option<u32>,
    states: Vec<State>,
    /// Whether they are to be put back: they have changed, or some were moved out.
    is_to_close: bool,
}

/// Memory for one row that is written, used again for the next.
#[derive(Default)]
struct Scratch {
    arena: Arena,
    key: Vec<u8>,
    value: Vec<u8>,
    /// Values to be kept.
    kept: Vec<u8>,
}

/// A group that may be new: its key, and its window if it has one.
#[derive(Clone, Copy)]
pub(super) struct GroupKey<'k, 'a> {
    /// What it is found by.
    pub(super) store_key: &'k [u8],
    pub(super) key: &'k KeyColumns<'a>,
    /// Where its key is among them.
    pub(super) position: usize,
    pub(super) window: Option<Window>,
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

/// A group as its changelog has it.
#[derive(Clone, Copy)]
pub(super) struct RestoredGroup<'r> {
    /// What it is found by.
    pub(super) store_key: &'r [u8],
    /// Its key alone.
    pub(super) key: &'r [u8],
    pub(super) window: Option<Window>,
    pub(super) value: &'r [u8],
    pub(super) timestamp_ms: i64,
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
            is_written_later: codecs.value.bytes_max(0).is_some(),
            codecs,
            held: GroupStore::default(),
            open: Open::default(),
            result_types,
            scratch: Scratch::default(),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.held.len()
    }

    pub(super) fn clear(&mut self) {
        self.held.clear();
        self.open = Open::default();
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

    /// Appends the bytes of the key at `position`. False, and nothing, if the key is null.
    pub(super) fn append_key(
        &self,
        key: &KeyColumns<'_>,
        position: usize,
        out: &mut Vec<u8>,
    ) -> Result<bool, QueryError> {
        self.codecs.append_key(key, position, out)
    }

    pub(super) fn find(&self, store_key: &[u8]) -> Option<u32> {
        self.held.find(store_key)
    }

    /// The slots of many store keys.
    pub(super) fn find_all<'k>(
        &self,
        store_keys: impl Iterator<Item = &'k [u8]> + Clone,
    ) -> Vec<Option<u32>> {
        self.held.find_all(store_keys)
    }

    /// Has groups at hand that are needed soon.
    pub(super) fn touch(&self, slots: &[u32]) {
        self.held.touch(slots);
    }

    /// The slot of a group, which is set up if there is none; whether it was.
    pub(super) fn enter(&mut self, key: GroupKey<'_, '_>, sequence: &mut Sequence) -> (u32, bool) {
        match self.find(key.store_key) {
            Some(slot) => (slot, false),
            None => (self.set_up(key, sequence), true),
        }
    }

    /// Sets up a group that is new.
    fn set_up(&mut self, new: GroupKey<'_, '_>, sequence: &mut Sequence) -> u32 {
        let GroupKey { store_key, key, position, window } = new;
        let mut states = self.initial_states(sequence);
        let Scratch { key: values, kept, .. } = &mut self.scratch;
        values.clear();
        key.columns.iter().for_each(|column| pack(column.value(position), values));
        kept.clear();
        (0..self.plan.kept_columns).for_each(|_| pack(Value::Null, kept));
        self.held.insert(store_key, GroupValues { key: values, window, kept }, &mut states)
    }

    pub(super) fn store_key(&self, slot: u32) -> &[u8] {
        self.held.key(slot)
    }

    /// The columns of a group's key.
    pub(super) fn key(&self, slot: u32) -> Box<[OwnedValue]> {
        let (arena, mut values) = (Arena::new(), self.held.key_values(slot));
        let columns = self.plan.store.stored.key.iter();
        columns.map(|_| values.next(&arena).to_owned()).collect()
    }

    pub(super) fn head(&self, slot: u32) -> GroupHead {
        self.held.head(slot)
    }

    pub(super) fn set_head(&mut self, slot: u32, head: GroupHead) {
        self.held.set_head(slot, head);
    }

    pub(super) fn window(&self, slot: u32) -> Option<Window> {
        self.held.window(slot)
    }

    pub(super) fn remove(&mut self, slot: u32) {
        if self.open.slot == Some(slot) {
            self.open = Open::default();
        }
        self.held.remove(slot);
    }

    pub(super) fn initial_states(&self, sequence: &mut Sequence) -> Vec<State> {
        self.plan.calls.iter().map(|call| call.function.init(sequence)).collect()
    }

    /// The states of a group, which stay out until those of another one are asked for.
    pub(super) fn states(&mut self, slot: u32) -> &[State] {
        if self.open.slot != Some(slot) {
            self.close();
            self.open.is_to_close = self.held.take_states(slot, &mut self.open.states);
            self.open.slot = Some(slot);
        }
        &self.open.states
    }

    /// The states of a group, to be changed.
    fn states_mut(&mut self, slot: u32) -> &mut [State] {
        self.states(slot);
        self.open.is_to_close = true;
        &mut self.open.states
    }

    /// Puts back the states that are out.
    fn close(&mut self) {
        let is_to_close = std::mem::take(&mut self.open.is_to_close);
        if let Some(slot) = self.open.slot.take().filter(|_| is_to_close) {
            self.held.put_states(slot, &mut self.open.states);
        }
        self.open.states.clear();
    }

    /// Sets the states of a group.
    pub(super) fn set_states(&mut self, slot: u32, states: Vec<State>) {
        if self.open.slot != Some(slot) {
            self.close();
        }
        self.open = Open { slot: Some(slot), states, is_to_close: true };
    }

    /// What a group keeps of its last row.
    pub(super) fn kept(&self, slot: u32) -> Vec<OwnedValue> {
        let (arena, mut kept) = (Arena::new(), self.held.kept(slot));
        (0..self.plan.kept_columns).map(|_| kept.next(&arena).to_owned()).collect()
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
        let mut args: Vec<Value<'_>> = Vec::new();
        for (call, state) in plan.calls.iter().zip(self.states_mut(slot)) {
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
        for (call, state) in plan.calls.iter().zip(self.states_mut(slot)) {
            let args: Vec<_> = call.args.iter().map(|arg| columns[*arg].value(row)).collect();
            call.function.undo(state, &args)?;
        }
        self.keep(slot, columns, row);
        Ok(())
    }

    /// Keeps the leading columns of `row`.
    pub(super) fn keep(&mut self, slot: u32, columns: &[Column<'_>], row: usize) {
        let kept = columns.iter().take(self.plan.kept_columns).map(|column| column.value(row));
        set_kept(&mut self.held, &mut self.scratch.kept, slot, kept);
    }

    /// Keeps these values.
    pub(super) fn set_kept(&mut self, slot: u32, kept: &[OwnedValue]) {
        let arena = Arena::new();
        let kept = kept.iter().map(|value| value.as_value(&arena));
        set_kept(&mut self.held, &mut self.scratch.kept, slot, kept);
    }

    /// The columns of a group's result: what it keeps, its aggregates, the bounds of its window.
    fn result<'s>(
        &'s mut self,
        slot: u32,
        arena: &'s Arena,
    ) -> impl Iterator<Item = Value<'s>> + 's {
        self.states(slot);
        let this = &*self;
        let mut kept = this.held.kept(slot);
        let kept = (0..this.plan.kept_columns).map(move |_| kept.lent(arena));
        let calls = this.plan.calls.iter().zip(&this.open.states);
        let results = calls.map(|(call, state)| call.function.result(state, arena));
        kept.chain(results).chain(bounds(this.held.window(slot)))
    }

    /// A copy of a group's result that outlives its next change.
    pub(super) fn snapshot(&mut self, slot: u32) -> Vec<OwnedValue> {
        let arena = Arena::new();
        self.result(slot, &arena).map(|value| value.to_owned()).collect()
    }

    /// Brings a copy of what a group's result was up to date where ksqlDB changes it in place.
    pub(super) fn refresh(&mut self, slot: u32, old: &mut [OwnedValue]) {
        let arena = Arena::new();
        let plan = Arc::clone(&self.plan);
        let results = old.iter_mut().skip(plan.kept_columns);
        for (old, (call, state)) in results.zip(plan.calls.iter().zip(self.states(slot))) {
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
        &mut self,
        emission: &Emission<'a>,
        old: Option<&[OwnedValue]>,
        builder: &mut ResultBuilder<'a>,
        arena: &'a Arena,
    ) {
        let slot = emission.slot;
        let mut key = self.held.key_values(slot);
        builder.push_key(std::iter::repeat_with(|| key.next(arena)));
        let window = self.window(slot);
        if emission.is_live {
            self.states(slot);
            let scratch = Arena::new();
            let mut kept = self.held.kept(slot);
            let kept = (0..self.plan.kept_columns).map(|_| kept.next(arena));
            let calls = self.plan.calls.iter().zip(&self.open.states);
            let results =
                calls.map(|(call, state)| arena.copy(call.function.result(state, &scratch)));
            builder.push_value(kept.chain(results).chain(bounds(window)));
        } else {
            builder.push_no_value();
        }
        builder.push_old(old, arena);
        builder.push_meta(emission.timestamp_ms, emission.headers, window);
    }

    /// How many slots there are, those among them that are free.
    pub(super) fn slots_end(&self) -> usize {
        self.held.slots_end()
    }

    /// How keys are written, to look for them.
    pub(super) fn codecs(&self) -> &CodecPair {
        &self.codecs
    }

    /// Writes a group to the changelog.
    pub(super) fn log_change(
        &mut self,
        emission: &Emission<'_>,
        ctx: &mut Context<'_, '_>,
    ) -> Result<(), QueryError> {
        if emission.is_live {
            self.states(emission.slot);
        }
        let mut scratch = std::mem::take(&mut self.scratch);
        let result = self.write_change(emission, &mut scratch, ctx);
        self.scratch = scratch;
        result
    }

    fn write_change(
        &self,
        emission: &Emission<'_>,
        Scratch { arena, key, value, .. }: &mut Scratch,
        ctx: &mut Context<'_, '_>,
    ) -> Result<(), QueryError> {
        arena.reset();
        value.clear();
        let mut store_key = self.store_key(emission.slot);
        if matches!(self.plan.window, Some(AggregateWindow::Time { .. })) {
            key.clear();
            key.extend_from_slice(store_key);
            key.extend_from_slice(&WINDOW_SEQUENCE);
            store_key = key;
        }
        let (store, timestamp_ms) = (self.store, emission.timestamp_ms);
        let mut has_value = false;
        if emission.is_live {
            let mut kept = self.held.kept(emission.slot);
            let kept = (0..self.plan.kept_columns).map(|_| kept.lent(arena));
            let calls = self.plan.calls.iter().zip(&self.open.states);
            let states = calls.map(|(call, state)| call.function.to_value(state, arena));
            let values = kept.chain(states);
            let codec = &self.codecs.value;
            if self.is_written_later {
                let columns = self.plan.kept_columns + self.plan.calls.len();
                values.for_each(|each| pack(each, value));
                let (key, values) = (store_key, &**value);
                let change = PackedChange { store, key, values, columns, codec, timestamp_ms };
                ctx.out.changed_packed(change);
                return Ok(());
            }
            has_value = codec.encode_values(arena.collect(values), value)?;
        }
        let value = has_value.then_some(&**value);
        ctx.out.changed(StoreChange { store, key: store_key, value, timestamp_ms });
        Ok(())
    }

    /// Takes back a stored row: the group of `store_key`, whose key is in `key`.
    pub(super) fn restore(
        &mut self,
        restored: &RestoredGroup<'_>,
        sequence: &mut Sequence,
    ) -> Result<u32, QueryError> {
        let RestoredGroup { store_key, key, window, value, timestamp_ms } = *restored;
        let arena = Arena::new();
        let key_columns = self.codecs.key.decode(key, &arena)?;
        let columns = self.codecs.value.decode(value, &arena)?;
        let plan = Arc::clone(&self.plan);
        let (kept, states) = columns.split_at(plan.kept_columns.min(columns.len()));
        let states = plan.calls.iter().zip(states).map(|(call, column)| {
            let state = call.function.restore(column.value(0));
            call.function.observe(&state, sequence);
            state
        });
        let mut states: Vec<State> = states.collect();
        let packed = |columns: &[Column<'_>]| {
            let mut packed = Vec::new();
            for column in columns {
                pack(column.value(0), &mut packed);
            }
            packed
        };
        let kept = packed(kept);
        let slot = if let Some(slot) = self.find(store_key) {
            self.set_states(slot, states);
            self.held.set_kept(slot, &kept);
            slot
        } else {
            let values = GroupValues { key: &packed(&key_columns), window, kept: &kept };
            self.held.insert(store_key, values, &mut states)
        };
        let head = self.head(slot);
        self.set_head(slot, GroupHead { timestamp_ms, exists: true, ..head });
        Ok(slot)
    }

    /// The states of all groups in `slots`, taken out to be updated together: those of a group one after the other.
    /// They are to be given back with [`Self::put_states`].
    pub(super) fn take_states(&mut self, slots: &[u32], states: &mut Vec<State>) {
        self.close();
        states.clear();
        for slot in slots {
            self.held.take_states(*slot, states);
        }
    }

    /// Gives back states that were taken out.
    pub(super) fn put_states(&mut self, slots: &[u32], states: &mut [State]) {
        let calls = self.plan.calls.len();
        for (nth, slot) in slots.iter().enumerate() {
            self.held.put_states(*slot, &mut states[nth * calls..(nth + 1) * calls]);
        }
    }
}

/// Keeps values of a group's last row; most are what they were.
fn set_kept<'v>(
    groups: &mut GroupStore,
    packed: &mut Vec<u8>,
    slot: u32,
    kept: impl Iterator<Item = Value<'v>>,
) {
    packed.clear();
    kept.for_each(|value| pack(value, packed));
    groups.set_kept(slot, packed);
}

/// The bounds of a window, as columns of its result.
fn bounds<'v>(window: Option<Window>) -> impl Iterator<Item = Value<'v>> {
    let bounds = |window: Window| [window.start.0, window.end.0].map(Value::Bigint);
    window.into_iter().flat_map(bounds)
}

/// The later of a group's time and a row's; the row's if the group is new.
pub(super) fn later(head: GroupHead, at: Timestamp) -> i64 {
    if head.exists { head.timestamp_ms.max(at.0) } else { at.0 }
}
