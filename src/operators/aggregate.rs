//! Aggregates a stream by key, without windows.

use std::sync::Arc;

use super::groups::{Emission, GroupKey, Groups, later};
use super::held::{Held, Look};
use super::keyed::Keyed;
use super::waiting::Emitting;
use super::{Context, Dropped, Minds, Operator, Outcome, QueryError, SomeRows, Store};
use crate::expr::aggregates::{self, Member, Sequence, State};
use crate::state::GroupHead;
use crate::types::{Rows, Timestamp};

/// The place of a group that the current chunk has not touched.
const UNTOUCHED: u32 = u32::MAX;

/// One row for each key, updated by each record of the key.
///
/// With a cache the whole chunk is added aggregate by aggregate, and a flush gives away the last
/// state of each group. Without one every record gives a change, so rows are the outer loop.
pub(super) struct StreamAggregate {
    keyed: Keyed,
    with_old: bool,
    /// For each slot, its position among the groups of the current chunk.
    local: Vec<u32>,
    keys: ChunkKeys,
    /// Those of the groups of the current chunk.
    states: Vec<State>,
}

impl StreamAggregate {
    pub(super) fn new(groups: Groups, emitting: Emitting) -> Self {
        Self {
            keyed: Keyed::new(groups, emitting),
            with_old: emitting.with_old,
            local: Vec::new(),
            keys: ChunkKeys::default(),
            states: Vec::new(),
        }
    }

    /// The group of each row that counts: its place, and the slot of its key. The others are dropped.
    fn counted(
        &mut self,
        rows: &Rows<'_>,
        selected: impl ExactSizeIterator<Item = usize> + Clone,
        ctx: &mut Context<'_, '_>,
    ) -> Result<Vec<Counted>, QueryError> {
        let slots = self.slots(rows, selected.clone(), ctx.sequence)?;
        let mut counted = Vec::with_capacity(selected.len());
        let (mut without_key, mut without_value) = (Vec::new(), Vec::new());
        for row in selected {
            match slots[rows.key.position(row)] {
                None => without_key.push(row),
                Some(slot) if rows.value_valid.is_valid(row) => {
                    counted.push(Counted { row: row as u32, slot });
                }
                Some(_) => without_value.push(row),
            }
        }
        ctx.drop_rows(Dropped::NullKey, &rows.meta, without_key.into_iter());
        ctx.drop_rows(Dropped::NullValue, &rows.meta, without_value.into_iter());
        Ok(counted)
    }

    /// The slot of each key that rows have, by its position; none for those that are null.
    fn slots(
        &mut self,
        rows: &Rows<'_>,
        selected: impl Iterator<Item = usize>,
        sequence: &mut Sequence,
    ) -> Result<Vec<Option<u32>>, QueryError> {
        let groups = &mut self.keyed.groups;
        self.keys.clear();
        let mut is_known = vec![false; rows.key.len];
        for position in selected.map(|row| rows.key.position(row)) {
            if !std::mem::replace(&mut is_known[position], true) {
                let key = |out: &mut Vec<u8>| groups.append_key(&rows.key, position, out);
                self.keys.push(position, key)?;
            }
        }
        let found = groups.find_all(self.keys.iter().map(|(_, key)| key));
        let mut slots = vec![None; rows.key.len];
        for ((position, store_key), slot) in self.keys.iter().zip(found) {
            let key = GroupKey { store_key, key: &rows.key, position, window: None };
            let slot = slot.unwrap_or_else(|| groups.enter(key, sequence).0);
            slots[position] = Some(slot);
        }
        Ok(slots)
    }

    /// Adds a whole chunk, aggregate by aggregate.
    fn add_chunk(
        &mut self,
        rows: &Rows<'_>,
        counted: &[Counted],
        sequence: &mut Sequence,
    ) -> Result<(), QueryError> {
        let mut touched = Touched::default();
        let mut members = Vec::with_capacity(counted.len());
        for Counted { row, slot } in counted.iter().copied() {
            if self.local.len() <= slot as usize {
                self.local.resize(slot as usize + 1, UNTOUCHED);
            }
            let local = &mut self.local[slot as usize];
            if *local == UNTOUCHED {
                *local = touched.slots.len() as u32;
                touched.slots.push(slot);
                touched.rows.push(LastRow { row, timestamp_ms: i64::MIN });
            }
            let last = &mut touched.rows[*local as usize];
            let at = rows.meta.timestamps[row as usize];
            *last = LastRow { row, timestamp_ms: last.timestamp_ms.max(at) };
            members.push(Member { row, group: *local });
        }
        for slot in &touched.slots {
            self.local[*slot as usize] = UNTOUCHED;
        }
        self.update(rows, &touched.slots, &members, sequence)?;
        self.note_changes(rows, &touched);
        Ok(())
    }

    fn update(
        &mut self,
        rows: &Rows<'_>,
        touched: &[u32],
        members: &[Member],
        sequence: &mut Sequence,
    ) -> Result<(), QueryError> {
        let groups = &mut self.keyed.groups;
        let plan = Arc::clone(&groups.plan);
        groups.take_states(touched, &mut self.states);
        let mut result = Ok(());
        {
            let of_group = self.states.chunks_exact_mut(plan.calls.len().max(1));
            let mut views: Vec<&mut [State]> = of_group.collect();
            let mut args = Vec::new();
            for (slot, call) in plan.calls.iter().enumerate() {
                args.clear();
                args.extend(call.args.iter().map(|arg| &rows.value[*arg]));
                let rows = aggregates::Rows { slot, members, args: &args };
                result = call.function.add_rows(&mut views, &rows, sequence);
                if result.is_err() {
                    break;
                }
            }
        }
        groups.put_states(touched, &mut self.states);
        result.map_err(|failed| QueryError::from(failed.error))
    }

    /// Keeps time and columns of each group's last row, and lets the groups wait in that order.
    fn note_changes(&mut self, rows: &Rows<'_>, touched: &Touched) {
        let mut order: Vec<usize> = (0..touched.slots.len()).collect();
        order.sort_unstable_by_key(|local| touched.rows[*local].row);
        for local in order {
            let (slot, LastRow { row, timestamp_ms }) = (touched.slots[local], touched.rows[local]);
            let groups = &mut self.keyed.groups;
            let head = groups.head(slot);
            let timestamp_ms = later(head, Timestamp(timestamp_ms));
            groups.set_head(slot, GroupHead { timestamp_ms, exists: true, ..head });
            groups.keep(slot, &rows.value, row as usize);
            self.keyed.waiting.hold(slot, &rows.meta, row as usize);
        }
    }

    /// Adds row by row, and gives away each change.
    fn add_each<'a>(
        &mut self,
        rows: &Rows<'a>,
        counted: &[Counted],
        ctx: &mut Context<'_, 'a>,
    ) -> Outcome<'a> {
        let mut builder = self.keyed.groups.builder(&rows.meta, self.with_old);
        let mut failure = None;
        for Counted { row, slot } in counted.iter().copied() {
            let row = row as usize;
            let head = self.keyed.groups.head(slot);
            // As in `KStreamAggregate`, a new group's row before is that of its initial states.
            let mut old = self.with_old.then(|| self.keyed.groups.snapshot(slot));
            let timestamp_ms = later(head, rows.meta.timestamp(row));
            if let Err(error) = self.keyed.groups.add(slot, rows, row, ctx.sequence) {
                failure = Some(error.at(&rows.meta, row));
                break;
            }
            if let Some(old) = &mut old {
                self.keyed.groups.refresh(slot, old);
            }
            self.keyed.groups.set_head(slot, GroupHead { timestamp_ms, exists: true, ..head });
            let headers = rows.meta.headers(row);
            let emission = Emission { slot, is_live: true, timestamp_ms, headers };
            if let Err(error) = self.keyed.groups.log_change(&emission, ctx) {
                failure = Some(error.at(&rows.meta, row));
                break;
            }
            self.keyed.groups.emit(&emission, old.as_deref(), &mut builder, ctx.eval.arena);
        }
        Outcome { rows: builder.finish(), failure }
    }
}

/// A row that counts.
#[derive(Clone, Copy)]
struct Counted {
    row: u32,
    /// That of its key.
    slot: u32,
}

/// The groups that a chunk touches.
#[derive(Default)]
struct Touched {
    slots: Vec<u32>,
    /// For each of them.
    rows: Vec<LastRow>,
}

/// The last row of a group in a chunk, and the highest time of its rows there.
#[derive(Clone, Copy)]
struct LastRow {
    row: u32,
    timestamp_ms: i64,
}

/// The keys of a chunk that are not null, one behind the other.
#[derive(Default)]
struct ChunkKeys {
    bytes: Vec<u8>,
    /// The position of each among the keys of the rows, and where its bytes end.
    ends: Vec<(usize, usize)>,
}

impl ChunkKeys {
    fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
    }

    /// Adds the key that `write` appends, unless it says that there is none.
    fn push(
        &mut self,
        position: usize,
        write: impl FnOnce(&mut Vec<u8>) -> Result<bool, QueryError>,
    ) -> Result<(), QueryError> {
        if write(&mut self.bytes)? {
            self.ends.push((position, self.bytes.len()));
        }
        Ok(())
    }

    /// The keys with their positions.
    fn iter(&self) -> impl Iterator<Item = (usize, &[u8])> + Clone {
        let starts = std::iter::once(0).chain(self.ends.iter().map(|(_, end)| *end));
        let ends = self.ends.iter();
        ends.zip(starts).map(|((position, end), start)| (*position, &self.bytes[start..*end]))
    }
}

impl Operator for StreamAggregate {
    fn minds(&self) -> Minds {
        Minds::Nothing
    }

    fn process<'a>(&mut self, rows: &Rows<'a>, ctx: &mut Context<'_, 'a>) -> Outcome<'a> {
        self.process_some(SomeRows { rows, selected: None }, ctx)
    }

    fn process_some<'a>(
        &mut self,
        SomeRows { rows, selected }: SomeRows<'_, 'a>,
        ctx: &mut Context<'_, 'a>,
    ) -> Outcome<'a> {
        let counted = match selected {
            Some(selected) => self.counted(rows, selected.iter().map(|row| *row as usize), ctx),
            None => self.counted(rows, 0..rows.len, ctx),
        };
        let counted = match counted {
            Ok(counted) => counted,
            Err(error) => return Err(error).into(),
        };
        if !self.keyed.waiting.is_used() {
            return self.add_each(rows, &counted, ctx);
        }
        if let Err(error) = self.add_chunk(rows, &counted, ctx.sequence) {
            return Err(error).into();
        }
        self.keyed.waiting.release_excess(&mut self.keyed.groups, ctx)
    }

    fn flush<'a>(&mut self, ctx: &mut Context<'_, 'a>) -> Outcome<'a> {
        self.keyed.waiting.release_some(&mut self.keyed.groups, ctx)
    }

    fn is_waiting(&self) -> bool {
        self.keyed.waiting.is_any()
    }

    fn held<'a>(&mut self, look: &Look<'_, 'a>) -> Option<Result<Held<'a>, QueryError>> {
        self.keyed.groups.look_up(look, |groups, key| groups.find(key).into_iter().collect())
    }

    fn store(&mut self, _nth: usize) -> Option<&mut dyn Store> {
        Some(&mut self.keyed)
    }
}
