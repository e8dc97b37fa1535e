//! Makes a row of each element that table functions give.

use super::evaluate::Evaluator;
use super::{Context, Minds, Operator, Outcome};
use crate::expr::EvalError;
use crate::expr::functions::Call;
use crate::plan::TableCall;
use crate::types::{Column, ColumnBuilder, Meta, Rows, Value};

/// Appends a column for each table function, and a row for each of their elements.
///
/// Several functions run side by side; the shorter ones are padded with NULL. One that fails, or
/// gives NULL, gives no element.
pub(super) struct FlatMap {
    step: String,
    functions: Vec<TableCall>,
}

impl FlatMap {
    pub(super) fn new(step: String, functions: Vec<TableCall>) -> Self {
        Self { step, functions }
    }

    /// The elements that one function gives for each row.
    fn elements<'a>(
        &self,
        function: &TableCall,
        rows: &Rows<'a>,
        ctx: &mut Context<'_, 'a>,
    ) -> Vec<Vec<Value<'a>>> {
        let evaluator = Evaluator {
            step: &self.step,
            columns: &rows.value,
            valid: &rows.value_valid,
            meta: &rows.meta,
        };
        let message = || format!("Table function {} threw an exception", function.text);
        let columns: Vec<Column<'a>> =
            function.args.iter().map(|arg| evaluator.column(arg, rows.len, ctx, message)).collect();
        let mut elements = Vec::with_capacity(rows.len);
        for row in 0..rows.len {
            if !rows.value_valid.is_valid(row) {
                elements.push(Vec::new());
                continue;
            }
            let args: Vec<_> = columns.iter().map(|column| column.value(row)).collect();
            let call = Call {
                args: &args,
                arg_types: &function.arg_types,
                return_type: &function.function.return_type,
                context: &ctx.eval,
            };
            let result: Result<Vec<Value<'a>>, EvalError> = (function.function.row.eval)(&call);
            elements.push(result.unwrap_or_else(|error| {
                evaluator.log(row as u32, &error, ctx, message());
                Vec::new()
            }));
        }
        elements
    }
}

impl Operator for FlatMap {
    fn minds(&self) -> Minds {
        Minds::Nothing
    }

    fn process<'a>(&mut self, rows: &Rows<'a>, ctx: &mut Context<'_, 'a>) -> Outcome<'a> {
        let elements: Vec<_> =
            self.functions.iter().map(|function| self.elements(function, rows, ctx)).collect();
        let mut order = Vec::new();
        let mut builders: Vec<_> = self
            .functions
            .iter()
            .map(|function| ColumnBuilder::new(&function.function.return_type, rows.len))
            .collect();
        for row in 0..rows.len {
            let count = elements.iter().map(|elements| elements[row].len()).max().unwrap_or(0);
            for at in 0..count {
                order.push(row as u32);
                for (builder, elements) in builders.iter_mut().zip(&elements) {
                    builder.push(elements[row].get(at).copied().unwrap_or_default());
                }
            }
        }
        let mut result = rows.take(&order);
        result.value.extend(builders.into_iter().map(ColumnBuilder::finish));
        result.meta = Meta { is_source: false, ..result.meta };
        result.into()
    }
}
