//! Aggregates a table by another key: what a row no longer says is undone.

use super::groups::{Arrival, Emission, Groups, later};
use super::result::ResultBuilder;
use super::waiting::{Emitting, Waiting};
use super::{Context, Dropped, Operator, Outcome, QueryError, Store, StoredRecord};
use crate::expr::aggregates::Sequence;
use crate::types::Rows;

/// One row for each group of a table's rows.
///
/// As Kafka Streams' `KTableAggregate`: first the old row is taken out of its group, then the new
/// one is added to its own; each of the two gives a change, also where the group is the same.
pub(super) struct TableAggregate {
    groups: Groups,
    with_old: bool,
    waiting: Waiting,
}

impl TableAggregate {
    pub(super) fn new(groups: Groups, emitting: Emitting) -> Self {
        Self { groups, with_old: emitting.with_old, waiting: Waiting::new(emitting) }
    }

    fn update<'a>(
        &mut self,
        arrival: &Arrival<'_, 'a>,
        builder: &mut ResultBuilder<'a>,
        ctx: &mut Context<'_, 'a>,
    ) -> Result<(), QueryError> {
        let Arrival { key, partition, rows, row } = *arrival;
        let old_row = rows.old.as_ref().filter(|old| old.valid.is_valid(row));
        let has_new = rows.value_valid.is_valid(row);
        if old_row.is_none() && !has_new {
            return Ok(());
        }
        let (slot, is_new) = self.groups.insert(key);
        if is_new {
            let key = (&rows.key, rows.key.position(row));
            self.groups.set_up(slot, key, partition, ctx.sequence);
        }
        let group = self.groups.group(slot);
        let timestamp_ms = later(group, rows.meta.timestamp(row));
        let mut old = (self.with_old && group.exists).then(|| self.groups.snapshot(slot));
        if let (Some(old), true) = (old_row, group.exists) {
            self.groups.undo(slot, &old.value, row)?;
        }
        if has_new {
            self.groups.add(slot, rows, row, ctx.sequence)?;
        }
        if let Some(old) = &mut old {
            self.groups.refresh(slot, old);
        }
        let group = self.groups.group_mut(slot);
        // What is undone in a group that never was leaves no group.
        let is_live = group.exists || has_new;
        (group.exists, group.timestamp_ms) = (is_live, timestamp_ms);
        if self.waiting.is_used() {
            self.waiting.hold(slot, &rows.meta, row);
            return Ok(());
        }
        let headers = rows.meta.headers(row);
        let emission = Emission { slot, is_live, timestamp_ms, headers };
        self.groups.log_change(&emission, ctx)?;
        self.groups.emit(&emission, old.as_deref(), builder, ctx.eval.arena);
        Ok(())
    }
}

impl Operator for TableAggregate {
    fn process<'a>(&mut self, rows: &Rows<'a>, ctx: &mut Context<'_, 'a>) -> Outcome<'a> {
        let mut builder = self.groups.builder(&rows.meta, self.with_old);
        let mut key = Vec::new();
        for row in 0..rows.len {
            let result = match self.groups.encode_key(&rows.key, rows.key.position(row), &mut key) {
                Ok(true) => {
                    let partition = self.groups.partition_of(&key, rows.meta.partition);
                    let arrival = Arrival { key: &key, partition, rows, row };
                    self.update(&arrival, &mut builder, ctx)
                }
                Ok(false) => {
                    ctx.out.dropped(Dropped::NullKey, 1);
                    Ok(())
                }
                Err(error) => Err(error),
            };
            if let Err(error) = result {
                return Outcome { rows: builder.finish(), failure: Some(error) };
            }
        }
        if self.waiting.is_used() {
            return self.waiting.release_excess(&mut self.groups, ctx);
        }
        builder.finish().into()
    }

    fn flush<'a>(&mut self, ctx: &mut Context<'_, 'a>) -> Outcome<'a> {
        self.waiting.release_some(&mut self.groups, ctx)
    }

    fn is_waiting(&self) -> bool {
        self.waiting.is_any()
    }

    fn store(&mut self) -> Option<&mut dyn Store> {
        Some(self)
    }
}

impl Store for TableAggregate {
    fn restore(
        &mut self,
        record: &StoredRecord<'_>,
        sequence: &mut Sequence,
    ) -> Result<(), QueryError> {
        let StoredRecord { key, value, .. } = *record;
        let Some(value) = value else {
            if let Some(slot) = self.groups.find(key) {
                self.groups.remove(slot);
                self.waiting.forget(slot);
            }
            return Ok(());
        };
        let slot = self.groups.restore(record, (key, key), value, sequence)?;
        self.waiting.restored(slot, &self.groups);
        Ok(())
    }

    fn rows(&self) -> usize {
        self.groups.len()
    }

    fn clear(&mut self) {
        self.groups.clear();
        self.waiting.clear();
    }
}
