//! How tasks are given rows, so that a fault costs no more than it must.
//!
//! What a task that keeps nothing gave for a batch is dropped if that ends with a panic, and the batch is
//! run again row by row, without the rows that a panic comes of. Any other task has changed by half then,
//! so that its query has to begin again from what was committed; it then goes one row at a time, and says
//! which record is at hand ([`Tasks::at`]). In the same way the record is found that a query stops at.

use super::collector::place_of;
use super::ids::{RecordId, TaskId};
use super::origin::{LentRows, Origin};
use super::panicked::PanickedRecord;
use super::panics::{Panic, guard};
use super::task::{Flush, MixedBatch, Surrounded, TaskBatch};
use super::tasks::{CHUNK_ROWS, Tasks};
use crate::operators::QueryError;

impl Tasks {
    /// The record that was being processed when the tasks failed, if it is known.
    pub fn at(&self) -> Option<RecordId> {
        self.care.at
    }

    /// Has tasks be given one row at a time, with nothing left in their caches, so that [`Self::at`] is
    /// known; or as many as there are.
    pub fn set_row_by_row(&mut self, is_row_by_row: bool) {
        self.care.is_row_by_row = is_row_by_row;
    }

    /// How many rows tasks are given at once.
    pub(super) fn rows_max(&self) -> usize {
        if self.care.is_row_by_row { 1 } else { CHUNK_ROWS }
    }

    /// Gives a task rows.
    pub(super) fn run<'a>(
        &mut self,
        to: TaskId,
        batch: TaskBatch<'_, 'a>,
        surrounded: Surrounded<'a>,
    ) -> Result<(), QueryError> {
        let mut lent = Vec::new();
        let done = self.run_lending(to, batch, &mut lent, surrounded);
        self.given.keep(lent);
        done
    }

    /// The same, but rows for other tasks are only lent.
    pub(super) fn run_lending<'a>(
        &mut self,
        to: TaskId,
        batch: TaskBatch<'_, 'a>,
        lent: &mut Vec<LentRows<'a>>,
        surrounded: Surrounded<'a>,
    ) -> Result<(), QueryError> {
        let Some(seat) = self.seats.get_mut(&to) else { return Ok(()) };
        if seat.is_stateful {
            return self.run_stateful(to, batch, lent, surrounded);
        }
        let (mark, lent_before) = (self.given.mark(), lent.len());
        let done = guard(|| seat.task.process_lending(batch, &mut self.given, lent, surrounded));
        if matches!(done, Ok(Ok(()))) {
            return Ok(());
        }
        self.given.rewind(&mark);
        lent.truncate(lent_before);
        self.run_row_by_row(to, batch, lent, surrounded)
    }

    /// Gives a task rows of several inputs.
    pub(super) fn run_mixed<'a>(
        &mut self,
        to: TaskId,
        batch: MixedBatch<'_, 'a>,
        surrounded: Surrounded<'a>,
    ) -> Result<(), QueryError> {
        let Some(seat) = self.seats.get_mut(&to) else { return Ok(()) };
        let mut lent = Vec::new();
        let done = seat.task.process_mixed(batch, &mut self.given, &mut lent, surrounded);
        if done.is_err() {
            self.care.at = seat.task.failed_at();
        }
        self.given.keep(lent);
        done
    }

    /// Gives rows to a task that keeps something. One at a time, nothing is left in its caches, as what
    /// they give away is due to that row too.
    fn run_stateful<'a>(
        &mut self,
        to: TaskId,
        mut batch: TaskBatch<'_, 'a>,
        lent: &mut Vec<LentRows<'a>>,
        surrounded: Surrounded<'a>,
    ) -> Result<(), QueryError> {
        let time = self.junction(to).map_or(i64::MIN, |junction| junction.progress.time);
        let Some(seat) = self.seats.get_mut(&to) else { return Ok(()) };
        if !self.care.is_row_by_row {
            let done = seat.task.process_lending(batch, &mut self.given, lent, surrounded);
            if done.is_err() {
                self.care.at = seat.task.failed_at();
            }
            return done;
        }
        let record = batch.record();
        self.care.at = record;
        if let Some(record) = record {
            batch.origin = Origin::Record(record);
        }
        let flush = Flush { time, origin: batch.origin };
        seat.task.process_lending(batch, &mut self.given, lent, surrounded)?;
        while seat.task.flush_lending(flush, &mut self.given, lent, surrounded)? {}
        self.care.at = None;
        Ok(())
    }

    /// Gives a task that keeps nothing, and has failed over a batch, its rows one by one.
    fn run_row_by_row<'a>(
        &mut self,
        to: TaskId,
        batch: TaskBatch<'_, 'a>,
        lent: &mut Vec<LentRows<'a>>,
        surrounded: Surrounded<'a>,
    ) -> Result<(), QueryError> {
        self.renew(to)?;
        for (at, row) in batch.selected_rows().enumerate() {
            let rows = batch.rows.take(&[row as u32]);
            let times = &batch.times[at..=at];
            let one = TaskBatch { rows: &rows, selected: None, times, ..batch };
            let (mark, lent_before) = (self.given.mark(), lent.len());
            let Some(seat) = self.seats.get_mut(&to) else { break };
            let done = guard(|| seat.task.process_lending(one, &mut self.given, lent, surrounded));
            match done {
                Ok(Ok(())) => {}
                Ok(Err(error)) => {
                    self.care.at = one.record();
                    return Err(error);
                }
                Err(panic) => {
                    self.given.rewind(&mark);
                    lent.truncate(lent_before);
                    self.renew(to)?;
                    self.skip(one.record(), &panic);
                }
            }
        }
        Ok(())
    }

    /// Puts a new task in the place of one that keeps nothing, and may have been left half way.
    fn renew(&mut self, id: TaskId) -> Result<(), QueryError> {
        let task = self.layout.task(id)?;
        if let Some(seat) = self.seats.get_mut(&id) {
            seat.task = task;
        }
        Ok(())
    }

    /// Skips a record that a panic came of.
    pub fn skip(&mut self, record: Option<RecordId>, panic: &Panic) {
        let place = record.map(|record| place_of(self.layout.plan(), record));
        let panicked = PanickedRecord { place, panic };
        self.given.log.push(panicked.entry(self.layout.query_id()));
        panicked.note(&mut self.given.skipped);
    }
}

impl<'t> TaskBatch<'t, '_> {
    /// The rows that are meant.
    fn selected_rows(&self) -> impl Iterator<Item = usize> + use<'t> {
        let Self { rows, selected, .. } = *self;
        let len = selected.map_or(rows.len, <[u32]>::len);
        (0..len).map(move |at| selected.map_or(at, |selected| selected[at] as usize))
    }

    /// The record that all rows come from, where there is such a one.
    fn record(&self) -> Option<RecordId> {
        let mut records =
            self.selected_rows().map(|row| self.origin.record(self.rows.meta.offset(row)));
        let first = records.next()??;
        records.all(|record| record == Some(first)).then_some(first)
    }
}
