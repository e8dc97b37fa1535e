//! Aggregates a table by another key: what a row no longer says is undone.

use super::groups::{Arrival, Emission, GroupKey, Groups, later};
use super::held::{Held, Look};
use super::keyed::Keyed;
use super::result::ResultBuilder;
use super::waiting::Emitting;
use super::{Context, Dropped, Minds, Operator, Outcome, QueryError, Store};
use crate::state::GroupHead;
use crate::types::Rows;

/// One row for each group of a table's rows.
///
/// As Kafka Streams' `KTableAggregate`: first the old row is taken out of its group, then the new
/// one is added to its own; each of the two gives a change, also where the group is the same.
pub(super) struct TableAggregate {
    keyed: Keyed,
    with_old: bool,
}

impl TableAggregate {
    pub(super) fn new(groups: Groups, emitting: Emitting) -> Self {
        Self { keyed: Keyed::new(groups, emitting), with_old: emitting.with_old }
    }

    fn update<'a>(
        &mut self,
        arrival: &Arrival<'_, 'a>,
        builder: &mut ResultBuilder<'a>,
        ctx: &mut Context<'_, 'a>,
    ) -> Result<(), QueryError> {
        let Arrival { key, rows, row } = *arrival;
        let old_row = rows.old.as_ref().filter(|old| old.valid.is_valid(row));
        let has_new = rows.value_valid.is_valid(row);
        if old_row.is_none() && !has_new {
            return Ok(());
        }
        let position = rows.key.position(row);
        let key = GroupKey { store_key: key, key: &rows.key, position, window: None };
        let (slot, _) = self.keyed.groups.enter(key, ctx.sequence);
        let head = self.keyed.groups.head(slot);
        let timestamp_ms = later(head, rows.meta.timestamp(row));
        let mut old = (self.with_old && head.exists).then(|| self.keyed.groups.snapshot(slot));
        if let (Some(old), true) = (old_row, head.exists) {
            self.keyed.groups.undo(slot, &old.value, row)?;
        }
        if has_new {
            self.keyed.groups.add(slot, rows, row, ctx.sequence)?;
        }
        if let Some(old) = &mut old {
            self.keyed.groups.refresh(slot, old);
        }
        // What is undone in a group that never was leaves no group.
        let is_live = head.exists || has_new;
        self.keyed.groups.set_head(slot, GroupHead { timestamp_ms, exists: is_live, ..head });
        if self.keyed.waiting.is_used() {
            self.keyed.waiting.hold(slot, &rows.meta, row);
            return Ok(());
        }
        let headers = rows.meta.headers(row);
        let emission = Emission { slot, is_live, timestamp_ms, headers };
        self.keyed.groups.log_change(&emission, ctx)?;
        self.keyed.groups.emit(&emission, old.as_deref(), builder, ctx.eval.arena);
        Ok(())
    }
}

impl Operator for TableAggregate {
    fn minds(&self) -> Minds {
        Minds::Nothing
    }

    fn process<'a>(&mut self, rows: &Rows<'a>, ctx: &mut Context<'_, 'a>) -> Outcome<'a> {
        let mut builder = self.keyed.groups.builder(&rows.meta, self.with_old);
        let mut key = Vec::new();
        for row in 0..rows.len {
            let result =
                match self.keyed.groups.encode_key(&rows.key, rows.key.position(row), &mut key) {
                    Ok(true) => {
                        let arrival = Arrival { key: &key, rows, row };
                        self.update(&arrival, &mut builder, ctx)
                    }
                    Ok(false) => {
                        ctx.out.dropped(Dropped::NullKey, rows.meta.offset(row), 1);
                        Ok(())
                    }
                    Err(error) => Err(error),
                };
            if let Err(error) = result {
                let failure = Some(error.at(&rows.meta, row));
                return Outcome { rows: builder.finish(), failure };
            }
        }
        if self.keyed.waiting.is_used() {
            return self.keyed.waiting.release_excess(&mut self.keyed.groups, ctx);
        }
        builder.finish().into()
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
