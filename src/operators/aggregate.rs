//! Aggregates a stream by key, without windows.

use super::groups::{Emission, Groups, later};
use super::keyed::Keyed;
use super::waiting::Emitting;
use super::{Context, Dropped, Operator, Outcome, QueryError, Store};
use crate::expr::aggregates::{self, NO_GROUP, Sequence, State};
use crate::types::Rows;

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

    /// The slot of each distinct key of a batch; `NO_GROUP` for null keys.
    fn slots(&mut self, rows: &Rows<'_>, sequence: &mut Sequence) -> Result<Vec<u32>, QueryError> {
        let mut key = std::mem::take(&mut self.key);
        let mut slots = Vec::with_capacity(rows.key.len);
        for position in 0..rows.key.len {
            if !self.keyed.groups.encode_key(&rows.key, position, &mut key)? {
                slots.push(NO_GROUP);
                continue;
            }
            let (slot, is_new) = self.keyed.groups.insert(&key);
            if is_new {
                self.keyed.groups.set_up(slot, (&rows.key, position), sequence);
            }
            slots.push(slot);
        }
        self.key = key;
        Ok(slots)
    }

    /// Adds a whole chunk, aggregate by aggregate.
    fn add_chunk(
        &mut self,
        rows: &Rows<'_>,
        slots: &[u32],
        sequence: &mut Sequence,
    ) -> Result<(), QueryError> {
        let mut touched: Vec<u32> = Vec::new();
        let mut last_row: Vec<u32> = Vec::new();
        let mut group_of = Vec::with_capacity(rows.len);
        for row in 0..rows.len {
            let slot = slots[rows.key.position(row)];
            if slot == NO_GROUP || !rows.value_valid.is_valid(row) {
                group_of.push(NO_GROUP);
                continue;
            }
            if self.local.len() <= slot as usize {
                self.local.resize(slot as usize + 1, NO_GROUP);
            }
            let local = &mut self.local[slot as usize];
            if *local == NO_GROUP {
                *local = touched.len() as u32;
                touched.push(slot);
                last_row.push(0);
            }
            last_row[*local as usize] = row as u32;
            group_of.push(*local);
            let group = self.keyed.groups.group_mut(slot);
            let at = rows.meta.timestamps[row];
            group.timestamp_ms = if group.exists { group.timestamp_ms.max(at) } else { at };
            group.exists = true;
        }
        for slot in &touched {
            self.local[*slot as usize] = NO_GROUP;
        }
        self.update(rows, &touched, &group_of, sequence)?;
        self.note_changes(rows, &touched, &last_row);
        Ok(())
    }

    fn update(
        &mut self,
        rows: &Rows<'_>,
        touched: &[u32],
        group_of: &[u32],
        sequence: &mut Sequence,
    ) -> Result<(), QueryError> {
        let plan = std::sync::Arc::clone(&self.keyed.groups.plan);
        let mut states = self.keyed.groups.take_states(touched);
        let mut result = Ok(());
        {
            let mut views: Vec<&mut [State]> =
                states.iter_mut().map(|states| &mut **states).collect();
            for (slot, call) in plan.calls.iter().enumerate() {
                let args: Vec<_> = call.args.iter().map(|arg| &rows.value[*arg]).collect();
                let rows = aggregates::Rows { slot, group_of, args: &args };
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
        slots: &[u32],
        ctx: &mut Context<'_, 'a>,
    ) -> Outcome<'a> {
        let mut builder = self.keyed.groups.builder(&rows.meta, self.with_old);
        let mut failure = None;
        for row in 0..rows.len {
            let slot = slots[rows.key.position(row)];
            if slot == NO_GROUP || !rows.value_valid.is_valid(row) {
                continue;
            }
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

impl Operator for StreamAggregate {
    fn process<'a>(&mut self, rows: &Rows<'a>, ctx: &mut Context<'_, 'a>) -> Outcome<'a> {
        let slots = match self.slots(rows, ctx.sequence) {
            Ok(slots) => slots,
            Err(error) => return Err(error).into(),
        };
        let has_key = |row: &usize| slots[rows.key.position(*row)] != NO_GROUP;
        let without_key = (0..rows.len).filter(|row| !has_key(row));
        ctx.drop_rows(Dropped::NullKey, &rows.meta, without_key);
        if !rows.value_valid.is_all_valid() {
            let without_value = (0..rows.len).filter(|row| !rows.value_valid.is_valid(*row));
            ctx.drop_rows(Dropped::NullValue, &rows.meta, without_value.filter(has_key));
        }
        if !self.keyed.waiting.is_used() {
            return self.add_each(rows, &slots, ctx);
        }
        if let Err(error) = self.add_chunk(rows, &slots, ctx.sequence) {
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
