//! Keeps the rows for which an expression is true.

use std::sync::Arc;

use super::evaluate::{Evaluator, Verdict};
use super::{Context, Minds, Operator, Outcome, QueryError};
use crate::expr::Expr;
use crate::types::{Column, OldRows, Rows, Validity};

/// Keeps the rows of a stream for which a predicate is true.
///
/// A row without a value is dropped. An error counts as false, with an entry in the processing log;
/// a NULL without an error stops the query, as in ksqlDB, which unboxes it.
pub(super) struct StreamFilter {
    pub(super) predicate: Predicate,
}

/// Keeps the rows of a table for which a predicate is true; one that no longer passes is deleted.
///
/// Nothing is said of a row that passes neither before nor after.
pub(super) struct TableFilter {
    pub(super) predicate: Predicate,
}

/// A condition, and how messages call it.
pub(super) struct Predicate {
    pub(super) step: String,
    pub(super) expr: Arc<Expr>,
    pub(super) text: String,
}

impl Predicate {
    /// The verdict on each row, and why evaluation stopped, if it did.
    fn test<'a>(
        &self,
        value: &[Column<'a>],
        valid: &Validity,
        rows: &Rows<'a>,
        ctx: &mut Context<'_, 'a>,
    ) -> (Vec<bool>, Option<QueryError>) {
        let evaluator = Evaluator { step: &self.step, columns: value, valid, meta: &rows.meta };
        let message = || format!("Error evaluating predicate {}", self.text);
        let verdicts = evaluator.predicate(&self.expr, rows.len, ctx, message);
        let mut passed = Vec::with_capacity(rows.len);
        for verdict in verdicts {
            match verdict {
                Verdict::True => passed.push(true),
                Verdict::False => passed.push(false),
                Verdict::Null => {
                    let message = "Cannot invoke \"java.lang.Boolean.booleanValue()\" because the \
                        return value of \"io.confluent.ksql.execution.transform.ExpressionEvaluator.\
                        evaluate(io.confluent.ksql.GenericRow, Object, \
                        io.confluent.ksql.logging.processing.ProcessingLogger, \
                        java.util.function.Supplier)\" is null";
                    let row = passed.len();
                    return (passed, Some(QueryError::new(message).at(&rows.meta, row)));
                }
            }
        }
        (passed, None)
    }
}

impl Operator for StreamFilter {
    fn minds(&self) -> Minds {
        Minds::Nothing
    }

    fn process<'a>(&mut self, rows: &Rows<'a>, ctx: &mut Context<'_, 'a>) -> Outcome<'a> {
        let (passed, failure) = self.predicate.test(&rows.value, &rows.value_valid, rows, ctx);
        let kept = passed
            .iter()
            .enumerate()
            .filter(|(row, passed)| **passed && rows.value_valid.is_valid(*row));
        let kept: Vec<u32> = kept.map(|(row, _)| row as u32).collect();
        Outcome { rows: rows.take(&kept), failure }
    }
}

impl Operator for TableFilter {
    fn minds(&self) -> Minds {
        Minds::Nothing
    }

    fn process<'a>(&mut self, rows: &Rows<'a>, ctx: &mut Context<'_, 'a>) -> Outcome<'a> {
        let (new, failure) = self.predicate.test(&rows.value, &rows.value_valid, rows, ctx);
        let new_valid = |row: usize| new[row] && rows.value_valid.is_valid(row);
        let Some(old) = &rows.old else {
            let valid = Validity::from_flags((0..new.len()).map(new_valid).collect());
            let rows = Rows { value_valid: valid, ..rows.truncated(new.len()) };
            return Outcome { rows, failure };
        };
        let (before, old_failure) = self.predicate.test(&old.value, &old.valid, rows, ctx);
        let len = new.len().min(before.len());
        let old_valid = |row: usize| before[row] && old.valid.is_valid(row);
        let kept: Vec<u32> = (0..len)
            .filter(|row| new_valid(*row) || old_valid(*row))
            .map(|row| row as u32)
            .collect();
        let mut result = rows.take(&kept);
        let flags = |valid: &dyn Fn(usize) -> bool| {
            Validity::from_flags(kept.iter().map(|row| valid(*row as usize)).collect())
        };
        result.value_valid = flags(&new_valid);
        let old_value = result.old.take().map(|old| old.value).unwrap_or_default();
        result.old = Some(OldRows { value: old_value, valid: flags(&old_valid) });
        Outcome { rows: result, failure: failure.or(old_failure) }
    }
}
