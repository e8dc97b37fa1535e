//! Computes columns of the rows around each row of its key: `OVER`.
//!
//! ```text
//! row ──▶ [rows that wait for their turn] ──▶ [last rows of each key] ──▶ row with its results
//!          only with a grace period            ▲ LAG and aggregates look back on them
//!                                              └ with LEAD a row stays there until those after it have come
//! ```
//! Rows are taken in the order of their time. One that is older than the last of its key has NULL for all that is computed,
//! with an entry in the processing log, and is no row that others look at.

mod arriving;
mod forgotten;
mod given;
mod held;
mod keys;
mod last;
mod results;

use std::sync::Arc;

use self::arriving::Arriving;
use self::given::Given;
use self::held::Held;
use self::keys::{BatchKey, batch_keys};
use self::last::LastRows;
use super::group_by::null_key;
use super::{
    CodecPair, Context, Dropped, LogEntry, LoggedRow, Minds, Operator, Outcome, QueryError, Store,
};
use crate::plan::{self, GroupPurpose, Node, StoreId};
use crate::types::{Column, Offset, Rows, SqlType, Value};

/// Computes calls over rows.
pub(super) struct Over {
    step: String,
    plan: Arc<plan::Over>,
    last: LastRows,
    held: Option<Held>,
    /// The types of the columns of its keys.
    key_types: Vec<SqlType>,
    /// The types of the columns that it gives.
    types: Vec<SqlType>,
}

/// The stores of an operator, and how their rows are written.
pub(super) struct OverStores {
    /// The last rows of each key.
    pub(super) last: (StoreId, CodecPair),
    /// The rows that wait for their turn, with a grace period.
    pub(super) held: Option<(StoreId, CodecPair)>,
    /// Whether their changes wait to be logged until the next commit, as with any cache.
    pub(super) has_cache: bool,
}

impl Over {
    pub(super) fn new(node: &Node, plan: &plan::Over, stores: OverStores) -> Self {
        let plan = Arc::new(plan.clone());
        let types = |columns: &[crate::types::ColumnDef]| {
            columns.iter().map(|column| column.ty.clone()).collect()
        };
        let held = plan.held.as_ref().zip(stores.held);
        Self {
            step: node.name.clone(),
            last: LastRows::new(Arc::clone(&plan), stores.last, stores.has_cache),
            held: held.map(|(held, store)| Held::new(held, plan.origin, store, stores.has_cache)),
            key_types: types(&node.schema.key),
            types: types(&node.schema.value),
            plan,
        }
    }

    /// Takes the rows of a batch, one after the other.
    fn take_all<'a>(&mut self, rows: Rows<'a>, ctx: &mut Context<'_, 'a>) -> Outcome<'a> {
        let keys = batch_keys(self.last.codecs(), &rows, ctx.eval.arena);
        let results = self.plan.calls.iter().map(|call| &call.ty);
        let mut given = if self.plan.lead == 0 && self.held.is_none() {
            Given::passed(results)
        } else {
            Given::built((&self.key_types, &self.types), &rows.meta)
        };
        let mut without_value = Vec::new();
        let mut failure = None;
        for at in 0..rows.len {
            if !rows.value_valid.is_valid(at) {
                without_value.push(at);
                continue;
            }
            let taken = match &keys[rows.key.position(at)] {
                Ok(BatchKey::Bytes(key)) => {
                    self.arrive(Arriving::of(&rows, at, key, ctx.eval.arena), &mut given, ctx)
                }
                Ok(BatchKey::Null(column)) => {
                    self.log_null(&rows, at, *column, ctx);
                    Ok(())
                }
                Err(error) => Err(error.clone()),
            };
            if let Err(error) = taken {
                failure = Some(error.at(&rows.meta, at));
                break;
            }
        }
        ctx.drop_rows(Dropped::NullValue, &rows.meta, without_value.into_iter());
        Outcome { rows: given.finish(rows), failure }
    }

    /// Lets a row wait for its turn, and takes those whose turn has come; or takes it at once.
    fn arrive<'a>(
        &mut self,
        row: Arriving<'a>,
        given: &mut Given<'a>,
        ctx: &mut Context<'_, 'a>,
    ) -> Result<(), QueryError> {
        let Some(held) = &mut self.held else { return self.take(&row, given, ctx) };
        if held.is_due(row.time_ms) {
            return self.take(&row, given, ctx);
        }
        held.hold(&row, ctx)?;
        while let Some(next) = self.held.as_mut().and_then(|held| held.release(&row, ctx)) {
            self.take(&next, given, ctx)?;
        }
        Ok(())
    }

    /// Computes the calls for a row, and keeps it.
    fn take<'a>(
        &mut self,
        row: &Arriving<'a>,
        given: &mut Given<'a>,
        ctx: &mut Context<'_, 'a>,
    ) -> Result<(), QueryError> {
        self.forget_keys(row, given, ctx)?;
        let slot = self.last.enter(row.key);
        if self.last.has_taken(slot, row) {
            ctx.out.dropped(Dropped::Repeated, Offset(row.offset), 1);
            return Ok(());
        }
        if let Some(why) = self.lateness(slot, row) {
            self.log_late(row, &why, ctx);
            self.last.leave(slot);
            let nulls = vec![Value::Null; self.plan.calls.len()];
            return given.push(row, &nulls, self.last.codecs(), ctx.eval.arena);
        }
        let results = self.last.results(slot, row, ctx)?;
        self.last.keep(slot, row, &results, ctx)?;
        if self.plan.lead == 0 {
            return given.push(row, &results, self.last.codecs(), ctx.eval.arena);
        }
        match self.last.waited(slot, row, ctx.eval.arena) {
            Some((row, results)) => given.push(&row, &results, self.last.codecs(), ctx.eval.arena),
            None => Ok(()),
        }
    }

    /// Why a row is too late, if it is: a younger one of its key has come, or it may follow rows that are forgotten.
    fn lateness(&self, slot: u32, row: &Arriving<'_>) -> Option<String> {
        let is_younger = |time_ms: &i64| row.time_ms < *time_ms;
        if let Some(newest_ms) = self.last.newest_ms(slot).filter(is_younger) {
            return Some(format!("that of the last row with its PARTITION BY is {newest_ms}"));
        }
        let oldest_ms = self.oldest_ms(row).filter(is_younger)?;
        Some(format!("rows from before {oldest_ms} are forgotten"))
    }

    /// Logs a row that comes too late.
    fn log_late(&self, row: &Arriving<'_>, why: &str, ctx: &mut Context<'_, '_>) {
        let message = format!(
            "The row comes too late: its time is {}, and {why}. What is computed of it OVER rows is NULL.",
            row.time_ms
        );
        let columns: Vec<_> = row.values.iter().map(|value| Column::Constant(*value)).collect();
        self.log(message, row.offset, LoggedRow::Columns(&columns, 0), ctx);
    }

    /// Logs a row that has no key.
    fn log_null(&self, rows: &Rows<'_>, at: usize, column: usize, ctx: &mut Context<'_, '_>) {
        let message = null_key(GroupPurpose::Over, column);
        self.log(message, rows.meta.offset(at).0, LoggedRow::Columns(&rows.value, at), ctx);
    }

    fn log(&self, message: String, offset: i64, row: LoggedRow<'_, '_>, ctx: &mut Context<'_, '_>) {
        let offset = Offset(offset);
        ctx.out.log(LogEntry { step: self.step.clone(), message, causes: Vec::new(), offset }, row);
    }
}

impl Operator for Over {
    fn minds(&self) -> Minds {
        Minds::Nothing
    }

    fn process<'a>(&mut self, rows: &Rows<'a>, ctx: &mut Context<'_, 'a>) -> Outcome<'a> {
        self.take_all(rows.clone(), ctx)
    }

    fn process_owned<'a>(&mut self, rows: Rows<'a>, ctx: &mut Context<'_, 'a>) -> Outcome<'a> {
        self.take_all(rows, ctx)
    }

    fn flush<'a>(&mut self, ctx: &mut Context<'_, 'a>) -> Outcome<'a> {
        let held = self.held.as_mut().map_or(Ok(()), |held| held.log_some(ctx));
        held.and_then(|()| self.last.log_some(ctx)).map(|()| Rows::default()).into()
    }

    fn is_waiting(&self) -> bool {
        self.last.is_waiting() || self.held.as_ref().is_some_and(Held::is_waiting)
    }

    fn forget(&mut self) {
        self.last.forget_unlogged();
        self.held.iter_mut().for_each(Held::forget_unlogged);
    }

    fn store(&mut self, nth: usize) -> Option<&mut dyn Store> {
        match nth {
            0 => Some(&mut self.last),
            _ => self.held.as_mut().map(|held| held as &mut dyn Store),
        }
    }
}
