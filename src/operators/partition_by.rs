//! Computes a new key: `PARTITION BY`.

use super::evaluate::Evaluator;
use super::{Context, Operator, Outcome};
use crate::plan::NamedExpr;
use crate::types::{Column, KeyColumns, Rows, Validity};

/// Gives each row a new key; `PARTITION BY NULL` takes the key away.
///
/// An expression that fails makes its key column NULL, with an entry in the processing log. A key
/// of which every column is NULL is a null key.
pub(super) struct PartitionBy {
    step: String,
    keys: Vec<NamedExpr>,
}

impl PartitionBy {
    pub(super) fn new(step: String, keys: Vec<NamedExpr>) -> Self {
        Self { step, keys }
    }

    /// A key computed from a row without a value fails, as `GenericRow.get` does in Java.
    fn log_null_values(
        &self,
        evaluator: &Evaluator<'_, '_>,
        rows: &Rows<'_>,
        ctx: &mut Context<'_, '_>,
    ) {
        for _ in (0..rows.len).filter(|row| !rows.value_valid.is_valid(*row)) {
            for key in &self.keys {
                let cause = "Cannot invoke \"io.confluent.ksql.GenericRow.get(int)\" because \
                    \"<parameter1>\" is null";
                let message = format!("Error computing new key from expression {}", key.text);
                let entry = super::LogEntry {
                    step: evaluator.step.to_owned(),
                    message,
                    causes: vec![cause.to_owned()],
                };
                ctx.out.log(entry, super::LoggedRow::None);
            }
        }
    }
}

impl Operator for PartitionBy {
    fn process<'a>(&mut self, rows: &Rows<'a>, ctx: &mut Context<'_, 'a>) -> Outcome<'a> {
        let evaluator = Evaluator {
            step: &self.step,
            columns: &rows.value,
            valid: &rows.value_valid,
            meta: &rows.meta,
        };
        let columns: Vec<Column<'a>> = self
            .keys
            .iter()
            .map(|key| {
                let message = || format!("Error computing new key from expression {}", key.text);
                evaluator.column(&key.expr, rows.len, ctx, message)
            })
            .collect();
        if !rows.value_valid.is_all_valid() {
            self.log_null_values(&evaluator, rows, ctx);
        }
        let is_valid = |row: usize| {
            rows.value_valid.is_valid(row) && columns.iter().any(|column| !column.is_null(row))
        };
        let valid = Validity::from_flags((0..rows.len).map(is_valid).collect());
        let key = KeyColumns { columns, valid, index: None, len: rows.len };
        Rows { key, ..rows.clone() }.into()
    }
}
