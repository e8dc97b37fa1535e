//! What a call with `OVER` computes, as it is written.

use super::refused::ROWS_MAX;
use super::{refused, taken};
use crate::expr::functions;
use crate::plan::names::calls;
use crate::plan::{PlanContext, PlanError};
use crate::sql::ast::{Expr, ExprKind, Literal, Over, RowBound};

/// What a call computes.
pub(super) enum Function {
    /// The value of a row before.
    Lag { value: Expr, rows: usize, default: Option<Expr> },
    /// The value of a row after.
    Lead { value: Expr, rows: usize, default: Option<Expr> },
    /// An aggregate over the row and so many before it, or all.
    Aggregate { args: Vec<Expr>, rows: Option<usize> },
}

impl Function {
    /// The function of a call.
    pub(super) fn of(over: &Over, count: &Expr, ctx: &PlanContext<'_>) -> Result<Self, PlanError> {
        check_args(over, ctx)?;
        match over.name.text.to_ascii_uppercase().as_str() {
            "LAG" => Self::offset(over, false),
            "LEAD" => Self::offset(over, true),
            name if ctx.aggregates().find(name).is_some() => {
                let counts_rows = name == "COUNT" && over.args.is_empty();
                let args = if counts_rows { vec![count.clone()] } else { over.args.clone() };
                Ok(Self::Aggregate { args, rows: frame(over)? })
            }
            _ => Err(refused::function(over)),
        }
    }

    fn offset(over: &Over, is_after: bool) -> Result<Self, PlanError> {
        let (value, count, default) = match &*over.args {
            [value] => (value, None, None),
            [value, count] => (value, Some(count), None),
            [value, count, default] => (value, Some(count), Some(default)),
            _ => return Err(refused::arguments(over)),
        };
        if let Some(rows) = &over.rows {
            return Err(refused::rows_of_offset(over, rows));
        }
        let rows = count.map_or(Ok(1), |count| number(over, count))?;
        let (value, default) = (value.clone(), default.cloned());
        Ok(if is_after && rows > 0 {
            Self::Lead { value, rows, default }
        } else {
            Self::Lag { value, rows, default }
        })
    }

    /// How many rows have to come after a row before its result is known.
    pub(super) fn lead(&self) -> usize {
        match self {
            Self::Lead { rows, .. } => *rows,
            _ => 0,
        }
    }
}

/// Arguments are computed of one row alone.
fn check_args(over: &Over, ctx: &PlanContext<'_>) -> Result<(), PlanError> {
    let is_of_rows = |name: &str| {
        let is_table = || functions::describe(name).is_some_and(|function| function.is_table);
        ctx.aggregates().find(name).is_some() || is_table()
    };
    for expr in over.args.iter().chain(&over.partition_by) {
        if let Some(inner) = taken::find(expr) {
            return Err(refused::nested(over, &inner.name));
        }
        if let Some(call) = calls(expr, &is_of_rows).first()
            && let ExprKind::Call { name, .. } = &call.kind
        {
            return Err(refused::nested(over, name));
        }
    }
    Ok(())
}

/// A number of rows that is written as one.
fn number(over: &Over, expr: &Expr) -> Result<usize, PlanError> {
    let ExprKind::Literal(Literal::Integer(number)) = &expr.kind else {
        let is_large =
            matches!(expr.kind, ExprKind::Literal(Literal::Bigint(number)) if number > 0);
        return Err(if is_large {
            refused::too_many_rows(over, expr.span)
        } else {
            refused::no_number(over, expr)
        });
    };
    match usize::try_from(*number) {
        Ok(rows) if rows <= ROWS_MAX => Ok(rows),
        Ok(_) => Err(refused::too_many_rows(over, expr.span)),
        Err(_) => Err(refused::no_number(over, expr)),
    }
}

/// How many rows before the row an aggregate takes; `None` for all.
fn frame(over: &Over) -> Result<Option<usize>, PlanError> {
    let Some(rows) = &over.rows else { return Err(refused::no_rows(over)) };
    if rows.end != RowBound::CurrentRow {
        return Err(refused::end_of_rows(over, rows));
    }
    match rows.start {
        RowBound::UnboundedPreceding => Ok(None),
        RowBound::CurrentRow => Ok(Some(0)),
        RowBound::Preceding(count) => match usize::try_from(count) {
            Ok(count) if count < ROWS_MAX => Ok(Some(count)),
            _ => Err(refused::too_many_rows(over, rows.span)),
        },
        RowBound::Following(_) | RowBound::UnboundedFollowing => {
            Err(refused::end_of_rows(over, rows))
        }
    }
}
