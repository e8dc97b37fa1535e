//! Aggregates a stream by key, without windows.

use super::groups::{Emission, Groups, later};
use super::keyed::Keyed;
use super::waiting::Emitting;
use super::{Context, Dropped, Minds, Operator, Outcome, QueryError, SomeRows, Store};
use crate::expr::aggregates::{self, Member, Sequence, State};
use crate::types::{KeyColumns, Rows};

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
    key: Vec<u8>,
}

impl StreamAggregate {
    pub(super) fn new(groups: Groups, emitting: Emitting) -> Self {
        Self {
            keyed: Keyed::new(groups, emitting),
            with_old: emitting.with_old,
            local: Vec::new(),
            key: Vec::new(),
        }
    }

    /// The group of each row that counts: its place, and the slot of its key. The others are dropped.
    fn counted(
        &mut self,
        rows: &Rows<'_>,
        selected: impl ExactSizeIterator<Item = usize>,
        ctx: &mut Context<'_, '_>,
    ) -> Result<Vec<Counted>, QueryError> {
        let mut slots = vec![SlotOfKey::Unknown; rows.key.len];
        let mut counted = Vec::with_capacity(selected.len());
        let (mut without_key, mut without_value) = (Vec::new(), Vec::new());
        for row in selected {
            let position = rows.key.position(row);
            if matches!(slots[position], SlotOfKey::Unknown) {
                slots[position] = self.slot_of_key(&rows.key, position, ctx.sequence)?;
            }
            match slots[position] {
                SlotOfKey::Known(slot) if rows.value_valid.is_valid(row) => {
                    counted.push(Counted { row: row as u32, slot });
                }
                SlotOfKey::Known(_) => without_value.push(row),
                SlotOfKey::None | SlotOfKey::Unknown => without_key.push(row),
            }
        }
        ctx.drop_rows(Dropped::NullKey, &rows.meta, without_key.into_iter());
        ctx.drop_rows(Dropped::NullValue, &rows.meta, without_value.into_iter());
        Ok(counted)
    }

    fn slot_of_key(
        &mut self,
        key: &KeyColumns<'_>,
        position: usize,
        sequence: &mut Sequence,
    ) -> Result<SlotOfKey, QueryError> {
        if !self.keyed.groups.encode_key(key, position, &mut self.key)? {
            return Ok(SlotOfKey::None);
        }
        let (slot, is_new) = self.keyed.groups.insert(&self.key);
        if is_new {
            self.keyed.groups.set_up(slot, (key, position), sequence);
        }
        Ok(SlotOfKey::Known(slot))
    }

    /// Adds a whole chunk, aggregate by aggregate.
    fn add_chunk(
        &mut self,
        rows: &Rows<'_>,
        counted: &[Counted],
        sequence: &mut Sequence,
    ) -> Result<(), QueryError> {
        let mut touched: Vec<u32> = Vec::new();
        let mut last_row: Vec<u32> = Vec::new();
        let mut members = Vec::with_capacity(counted.len());
        for Counted { row, slot } in counted.iter().copied() {
            if self.local.len() <= slot as usize {
                self.local.resize(slot as usize + 1, UNTOUCHED);
            }
            let local = &mut self.local[slot as usize];
            if *local == UNTOUCHED {
                *local = touched.len() as u32;
                touched.push(slot);
                last_row.push(0);
            }
            last_row[*local as usize] = row;
            members.push(Member { row, group: *local });
            let group = self.keyed.groups.group_mut(slot);
            let at = rows.meta.timestamps[row as usize];
            group.timestamp_ms = if group.exists { group.timestamp_ms.max(at) } else { at };
            group.exists = true;
        }
        for slot in &touched {
            self.local[*slot as usize] = UNTOUCHED;
        }
        self.update(rows, &touched, &members, sequence)?;
        self.note_changes(rows, &touched, &last_row);
        Ok(())
    }

    fn update(
        &mut self,
        rows: &Rows<'_>,
        touched: &[u32],
        members: &[Member],
        sequence: &mut Sequence,
    ) -> Result<(), QueryError> {
        let plan = std::sync::Arc::clone(&self.keyed.groups.plan);
        let mut states = self.keyed.groups.take_states(touched);
        let mut result = Ok(());
        {
            let mut views: Vec<&mut [State]> =
                states.iter_mut().map(|states| &mut **states).collect();
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
        self.keyed.groups.put_states(touched, states);
        result.map_err(|failed| QueryError::from(failed.error))
    }

    /// Keeps the columns of each group's last row, and lets the groups wait in that order.
    fn note_changes(&mut self, rows: &Rows<'_>, touched: &[u32], last_row: &[u32]) {
        let mut order: Vec<usize> = (0..touched.len()).collect();
        order.sort_unstable_by_key(|local| last_row[*local]);
        for local in order {
            let (slot, row) = (touched[local], last_row[local] as usize);
            self.keyed.groups.keep(slot, &rows.value, row);
            self.keyed.waiting.hold(slot, &rows.meta, row);
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
            let group = self.keyed.groups.group(slot);
            // As in `KStreamAggregate`, a new group's row before is that of its initial states.
            let mut old = self.with_old.then(|| self.keyed.groups.snapshot(slot));
            let timestamp_ms = later(group, rows.meta.timestamp(row));
            if let Err(error) = self.keyed.groups.add(slot, rows, row, ctx.sequence) {
                failure = Some(error.at(&rows.meta, row));
                break;
            }
            if let Some(old) = &mut old {
                self.keyed.groups.refresh(slot, old);
            }
            let group = self.keyed.groups.group_mut(slot);
            (group.exists, group.timestamp_ms) = (true, timestamp_ms);
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

/// What is known of a key of a batch.
#[derive(Clone, Copy)]
enum SlotOfKey {
    /// No row has had it yet.
    Unknown,
    /// It is null.
    None,
    Known(u32),
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

    fn store(&mut self, _nth: usize) -> Option<&mut dyn Store> {
        Some(&mut self.keyed)
    }
}
