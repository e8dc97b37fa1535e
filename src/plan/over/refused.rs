//! What is said of calls with `OVER` that cannot be: the place, the reason, and what helps.

use crate::expr::functions;
use crate::plan::{PlanError, Source};
use crate::sql::ast::{Expr, ExprKind, Name, Over, RowsBetween};
use crate::sql::print;
use crate::sql::span::Span;
use crate::types::SqlType;

/// How many rows may be looked back or forth: so many are kept of each key.
pub(super) const ROWS_MAX: usize = 10_000;

/// An error at a place, with what helps.
fn refuse(message: impl Into<String>, at: Span, help: impl Into<String>) -> PlanError {
    PlanError::execute(message).at(at).help(help)
}

/// In strict mode.
pub(super) fn strict(over: &Over) -> PlanError {
    refuse(
        "ksqlDB has no OVER, and ksql.millstream.strict is true",
        over.span,
        "SET 'ksql.millstream.strict'='false' allows what ksqlDB does not have",
    )
}

/// In another clause than the `SELECT`.
pub(super) fn place(clause: &str, over: &Over) -> PlanError {
    refuse(
        format!("OVER cannot stand in {clause}, only in SELECT"),
        over.span,
        format!(
            "select it in a statement of its own, CREATE STREAM … AS SELECT, and name its column in the {clause} of \
             a second one"
        ),
    )
}

/// Over a table.
pub(super) fn table(over: &Over, source: &str) -> PlanError {
    refuse(
        format!("OVER looks at the rows of a stream, and {source} is a table"),
        over.span,
        "CREATE STREAM … WITH (KAFKA_TOPIC=…) over the topic of the table makes a row of each of its changes",
    )
}

/// Over a join.
pub(super) fn join(over: &Over) -> PlanError {
    refuse(
        "OVER looks at the rows of one stream, and this is a join",
        over.span,
        "join in a statement of its own, CREATE STREAM … AS SELECT, and use OVER in a second one over its result",
    )
}

/// Over a stream whose keys have windows.
pub(super) fn windowed(over: &Over, source: &str) -> PlanError {
    refuse(
        format!(
            "OVER looks at the rows of a stream without windows, and the keys of {source} have some"
        ),
        over.span,
        "CREATE STREAM … AS SELECT … PARTITION BY … makes a stream of it whose keys have none",
    )
}

/// Beside a `GROUP BY`.
pub(super) fn grouped(over: &Over) -> PlanError {
    refuse(
        "OVER cannot stand beside GROUP BY",
        over.span,
        "use OVER in a statement of its own, CREATE STREAM … AS SELECT, and GROUP BY in a second one over its result",
    )
}

/// Without `PARTITION BY`.
pub(super) fn no_partition(over: &Over) -> PlanError {
    refuse(
        format!("{} OVER needs a PARTITION BY, which says whose rows it looks at", over.name.text),
        over.span,
        "OVER (PARTITION BY key ORDER BY ROWTIME)",
    )
}

/// Without `ORDER BY`.
pub(super) fn no_order(over: &Over) -> PlanError {
    refuse(
        format!("{} OVER needs an ORDER BY, which says which rows come before", over.name.text),
        over.span,
        "ORDER BY ROWTIME",
    )
}

/// Ordered by something that is not the time of rows.
pub(super) fn order(expr: &Expr, source: &Source) -> PlanError {
    let shown = print::expression(expr);
    let message = format!("rows come in the order of their time, and {shown} is not what gives it");
    let name = match &expr.kind {
        ExprKind::Column { name, .. } => name.text.as_str(),
        _ => "",
    };
    let name_of = print::identifier(name);
    refuse(
        message,
        expr.span,
        match source.column_type(name) {
            Some(SqlType::Bigint | SqlType::Timestamp) => format!(
                "ORDER BY ROWTIME, or CREATE STREAM {} … WITH (TIMESTAMP='{name_of}'), so that {name_of} gives rows \
                 their time",
                source.name
            ),
            Some(SqlType::String) => format!(
                "ORDER BY ROWTIME, or CREATE STREAM {} … WITH (TIMESTAMP='{name_of}', TIMESTAMP_FORMAT='…'), so that \
                 {name_of} gives rows their time",
                source.name
            ),
            _ => "ORDER BY ROWTIME".to_owned(),
        },
    )
}

/// `DESC`.
pub(super) fn descending(expr: &Expr) -> PlanError {
    refuse(
        "rows come in the order of their time, so that OVER cannot begin with the last",
        expr.span,
        "leave out DESC: LAG looks at the rows before, and LEAD at those after",
    )
}

/// A further expression of `ORDER BY`.
pub(super) fn second_order(expr: &Expr) -> PlanError {
    refuse(
        "rows come in the order of their time and then as they are in their topic",
        expr.span,
        "ORDER BY ROWTIME alone",
    )
}

/// A value that is only NULL.
pub(super) fn untyped(function: &str, at: Span) -> PlanError {
    refuse(
        format!("the value of {function} is only NULL, which has no type"),
        at,
        "CAST(NULL AS type)",
    )
}

/// A call within a call.
pub(super) fn nested(over: &Over, inner: &Name) -> PlanError {
    refuse(
        format!(
            "{} OVER takes what is computed of one row, and {} is not",
            over.name.text, inner.text
        ),
        inner.span,
        format!("compute {} in a statement of its own first", inner.text),
    )
}

/// A function that is neither of rows nor an aggregate.
pub(super) fn function(over: &Over) -> PlanError {
    let name = &over.name.text;
    let help = "OVER takes LAG, LEAD and aggregates";
    if functions::describe(name).is_some() {
        let message = format!("{name} is computed of one row, so that it takes no OVER");
        return refuse(message, over.name.span, help);
    }
    let message = format!("Can't find any functions with the name '{name}'");
    refuse(message, over.name.span, help)
}

/// A wrong number of arguments.
pub(super) fn arguments(over: &Over) -> PlanError {
    let name = &over.name.text;
    let count = match over.args.len() {
        1 => "1 argument".to_owned(),
        count => format!("{count} arguments"),
    };
    let message = format!("{name} takes a value, a number of rows and a default, not {count}");
    refuse(message, over.name.span, format!("{name}(value[, rows[, default]])"))
}

/// `ROWS` where it means nothing.
pub(super) fn rows_of_offset(over: &Over, rows: &RowsBetween) -> PlanError {
    let name = &over.name.text;
    refuse(
        format!("{name} looks at one row, so that it takes no ROWS"),
        rows.span,
        format!("{name}(value, rows) says which one"),
    )
}

/// No whole number of rows.
pub(super) fn no_number(over: &Over, expr: &Expr) -> PlanError {
    let (name, found) = (&over.name.text, print::expression(expr));
    refuse(
        format!("{name} takes a whole number of rows, not {found}"),
        expr.span,
        format!("{name}(value, 1)"),
    )
}

/// More rows than are kept.
pub(super) fn too_many_rows(over: &Over, at: Span) -> PlanError {
    let name = &over.name.text;
    refuse(
        format!("{name} OVER looks at {ROWS_MAX} rows at most"),
        at,
        "so many are kept of each key; an aggregate may take all: ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW",
    )
}

/// An aggregate without `ROWS`.
pub(super) fn no_rows(over: &Over) -> PlanError {
    let name = &over.name.text;
    refuse(
        format!("{name} OVER needs to be told which rows it takes"),
        over.span,
        "ROWS BETWEEN 9 PRECEDING AND CURRENT ROW takes the last ten, UNBOUNDED PRECEDING all",
    )
}

/// Rows that have not come.
pub(super) fn end_of_rows(over: &Over, rows: &RowsBetween) -> PlanError {
    let name = &over.name.text;
    refuse(
        format!("the rows of {name} OVER end with the current one"),
        rows.span,
        "ROWS BETWEEN … PRECEDING AND CURRENT ROW",
    )
}

/// Two different partitions whose rows wait.
pub(super) fn second_lead(over: &Over) -> PlanError {
    refuse(
        "LEAD with two different PARTITION BYs cannot stand in one SELECT: rows that have waited for one are no longer in \
         the order of their time for the other",
        over.span,
        "one statement for each, the second with ksql.millstream.over.grace.ms",
    )
}

/// A default of another type than the value.
pub(super) fn default_type(
    function: &str,
    default: &Expr,
    (found, wanted): (&SqlType, &SqlType),
) -> PlanError {
    let shown = print::expression(default);
    refuse(
        format!("the value of {function} has the type {wanted}, and its default {found}"),
        default.span,
        format!("CAST({shown} AS {wanted})"),
    )
}
