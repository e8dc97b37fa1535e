//! Evaluates an expression over the rows of an operator, and logs the rows that fail.

use super::{Context, LogEntry, LoggedRow};
use crate::expr::{EvalError, Expr, Frame, Selection};
use crate::types::{Column, Meta, Validity, Value};

/// The rows that expressions are evaluated over.
pub(super) struct Evaluator<'r, 'a> {
    /// The step, for the processing log.
    pub(super) step: &'r str,
    /// The columns that expressions read.
    pub(super) columns: &'r [Column<'a>],
    /// Which rows have a value at all; the others are not evaluated.
    pub(super) valid: &'r Validity,
    /// Where the rows come from.
    pub(super) meta: &'r Meta<'a>,
}

/// What a predicate says of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    True,
    False,
    /// NULL, without an error.
    Null,
}

impl<'a> Evaluator<'_, 'a> {
    /// The values of `expr`; NULL, and an entry that begins with `message`, where it fails.
    pub(super) fn column(
        &self,
        expr: &Expr,
        len: usize,
        ctx: &mut Context<'_, 'a>,
        message: impl Fn() -> String,
    ) -> Column<'a> {
        self.evaluate(expr, len, ctx, message).0
    }

    /// What the predicate `expr` says of each row. Rows without a value are false.
    pub(super) fn predicate(
        &self,
        expr: &Expr,
        len: usize,
        ctx: &mut Context<'_, 'a>,
        message: impl Fn() -> String,
    ) -> Vec<Verdict> {
        let (column, failed) = self.evaluate(expr, len, ctx, message);
        let verdict = |row: usize| match column.value(row) {
            Value::Boolean(true) => Verdict::True,
            Value::Boolean(false) => Verdict::False,
            _ => Verdict::Null,
        };
        let mut verdicts: Vec<_> = match &column {
            Column::Booleans(values, valid) if valid.is_all_valid() => {
                let verdict = |value: &bool| if *value { Verdict::True } else { Verdict::False };
                values.iter().map(verdict).collect()
            }
            _ => (0..len).map(verdict).collect(),
        };
        for row in failed {
            verdicts[row as usize] = Verdict::False;
        }
        if !self.valid.is_all_valid() {
            let rows = verdicts.iter_mut().enumerate();
            rows.filter(|(row, _)| !self.valid.is_valid(*row))
                .for_each(|(_, v)| *v = Verdict::False);
        }
        verdicts
    }

    /// The values of `expr` and the rows that failed.
    pub(super) fn evaluate(
        &self,
        expr: &Expr,
        len: usize,
        ctx: &mut Context<'_, 'a>,
        message: impl Fn() -> String,
    ) -> (Column<'a>, Vec<u32>) {
        let frame = Frame::new(self.columns, len);
        let (errors, column) = if self.valid.is_all_valid() {
            let evaluated = expr.evaluate(&frame, Selection::All, &ctx.eval);
            (evaluated.errors, evaluated.column.into_owned())
        } else {
            let rows: Vec<u32> =
                (0..len).filter(|row| self.valid.is_valid(*row)).map(|row| row as u32).collect();
            let evaluated = expr.evaluate(&frame, Selection::Rows(&rows), &ctx.eval);
            (evaluated.errors, spread(&evaluated.column, &rows, len))
        };
        let mut failed = Vec::new();
        for error in &errors {
            let text =
                error.caught.as_ref().map_or_else(&message, std::string::ToString::to_string);
            self.log(error.row, &error.error, ctx, text);
            if error.caught.is_none() {
                failed.push(error.row);
            }
        }
        (column, failed)
    }

    /// The values of `expr`; nothing if any row fails, and then nothing is logged.
    pub(super) fn quietly(
        &self,
        expr: &Expr,
        len: usize,
        ctx: &Context<'_, 'a>,
    ) -> Option<Column<'a>> {
        let evaluated = expr.evaluate(&Frame::new(self.columns, len), Selection::All, &ctx.eval);
        evaluated.errors.is_empty().then(|| evaluated.column.into_owned())
    }

    /// Logs that `row` failed.
    pub(super) fn log(
        &self,
        row: u32,
        error: &EvalError,
        ctx: &mut Context<'_, 'a>,
        message: String,
    ) {
        let causes = error.chain().map(str::to_owned).collect();
        self.log_entry(row, message, causes, ctx);
    }

    /// Logs a message about `row`.
    pub(super) fn log_entry(
        &self,
        row: u32,
        message: String,
        causes: Vec<String>,
        ctx: &mut Context<'_, 'a>,
    ) {
        let offset = self.meta.offset(row as usize);
        let entry = LogEntry { step: self.step.to_owned(), message, causes, offset };
        ctx.out.log(entry, self.logged_row(row));
    }

    fn logged_row(&self, row: u32) -> LoggedRow<'_, 'a> {
        let row = row as usize;
        if !self.valid.is_valid(row) {
            LoggedRow::None
        } else if self.meta.is_source {
            LoggedRow::Source(self.meta.offset(row).0)
        } else {
            LoggedRow::Columns(self.columns, row)
        }
    }
}

/// Spreads the values of some rows over all rows; the others are NULL.
fn spread<'a>(column: &Column<'a>, rows: &[u32], len: usize) -> Column<'a> {
    let mut values = vec![Value::Null; len];
    for (at, row) in rows.iter().enumerate() {
        values[*row as usize] = column.value(at);
    }
    Column::Values(values.into())
}
