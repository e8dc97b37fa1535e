//! Computes the columns of the value.

use super::evaluate::Evaluator;
use super::{Context, Minds, Operator, Outcome};
use crate::plan::NamedExpr;
use crate::types::{Column, Meta, OldRows, Rows, Validity};

/// Computes each column; one that fails is NULL, with an entry in the processing log.
///
/// A row whose value is null stays null.
pub(super) struct Select {
    step: String,
    columns: Vec<NamedExpr>,
}

impl Select {
    pub(super) fn new(step: String, columns: Vec<NamedExpr>) -> Self {
        Self { step, columns }
    }

    fn project<'a>(
        &self,
        value: &[Column<'a>],
        valid: &Validity,
        rows: &Rows<'a>,
        ctx: &mut Context<'_, 'a>,
    ) -> Vec<Column<'a>> {
        let evaluator = Evaluator { step: &self.step, columns: value, valid, meta: &rows.meta };
        let columns = self.columns.iter().enumerate();
        columns
            .map(|(index, column)| {
                let (text, name) = (&column.text, &column.name);
                evaluator.column(&column.expr, rows.len, ctx, || {
                    format!(
                        "Error computing expression {text} for column {name} with index {index}"
                    )
                })
            })
            .collect()
    }

    fn project_all<'a>(
        &self,
        rows: &Rows<'a>,
        ctx: &mut Context<'_, 'a>,
    ) -> (Vec<Column<'a>>, Option<OldRows<'a>>) {
        let value = self.project(&rows.value, &rows.value_valid, rows, ctx);
        let old = rows.old.as_ref().map(|old| OldRows {
            value: self.project(&old.value, &old.valid, rows, ctx),
            valid: old.valid.clone(),
        });
        (value, old)
    }
}

impl Operator for Select {
    fn minds(&self) -> Minds {
        Minds::Nothing
    }

    fn process<'a>(&mut self, rows: &Rows<'a>, ctx: &mut Context<'_, 'a>) -> Outcome<'a> {
        let (value, old) = self.project_all(rows, ctx);
        Rows {
            len: rows.len,
            key: rows.key.clone(),
            value,
            value_valid: rows.value_valid.clone(),
            old,
            meta: Meta { is_source: false, ..rows.meta.clone() },
        }
        .into()
    }

    fn process_owned<'a>(&mut self, rows: Rows<'a>, ctx: &mut Context<'_, 'a>) -> Outcome<'a> {
        let (value, old) = self.project_all(&rows, ctx);
        let meta = Meta { is_source: false, ..rows.meta };
        Rows { value, old, meta, ..rows }.into()
    }
}
