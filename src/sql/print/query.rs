//! Queries.

use super::expression;
use super::text::{identifier, join, put};
use crate::sql::ast::{
    Duration, Emit, Expr, Join, JoinKind, Query, SelectItem, Source, Window, WindowKind, Within,
};

/// Writes a query, without a line end after it.
pub(super) fn write(out: &mut String, query: &Query) {
    out.push_str("SELECT");
    let separator = if query.select.len() > 1 { "\n  " } else { " " };
    for (i, item) in query.select.iter().enumerate() {
        out.push_str(if i > 0 { "," } else { "" });
        out.push_str(separator);
        select_item(out, item);
    }
    out.push_str("\nFROM ");
    source(out, &query.from.first);
    for one in &query.from.joins {
        join_clause(out, one);
    }
    if let Some(one) = &query.window {
        window(out, one);
    }
    clause(out, "WHERE", query.filter.as_ref());
    list(out, "GROUP BY", query.group_by.as_deref());
    list(out, "PARTITION BY", query.partition_by.as_deref());
    clause(out, "HAVING", query.having.as_ref());
    out.push_str(match query.emit {
        None => "",
        Some(Emit::Changes) => "\nEMIT CHANGES",
        Some(Emit::Final) => "\nEMIT FINAL",
    });
    if let Some(limit) = query.limit {
        put(out, format_args!("\nLIMIT {limit}"));
    }
}

fn select_item(out: &mut String, item: &SelectItem) {
    match item {
        SelectItem::Expr { expr, alias, .. } => {
            expression::write(out, expr);
            if let Some(alias) = alias {
                put(out, format_args!(" {}", identifier(&alias.text)));
            }
        }
        SelectItem::All { source: None, .. } => out.push('*'),
        SelectItem::All { source: Some(source), .. } => {
            put(out, format_args!("{}.*", identifier(&source.text)));
        }
        SelectItem::StructAll { base, .. } => {
            expression::write(out, base);
            out.push_str("->*");
        }
    }
}

fn source(out: &mut String, source: &Source) {
    put(out, format_args!("{} {}", identifier(&source.name.text), identifier(&source.alias.text)));
}

fn join_clause(out: &mut String, join: &Join) {
    out.push_str(match join.kind {
        JoinKind::Inner => "\nINNER JOIN ",
        JoinKind::Left => "\nLEFT OUTER JOIN ",
        JoinKind::Right => "\nRIGHT OUTER JOIN ",
        JoinKind::Full => "\nFULL OUTER JOIN ",
    });
    source(out, &join.source);
    if let Some(one) = &join.within {
        within(out, one);
    }
    out.push_str(" ON (");
    expression::write(out, &join.on);
    out.push(')');
}

fn within(out: &mut String, within: &Within) {
    out.push_str(" WITHIN ");
    if within.before == within.after {
        duration(out, within.before);
    } else {
        out.push('(');
        duration(out, within.before);
        out.push_str(", ");
        duration(out, within.after);
        out.push(')');
    }
    if let Some(grace) = within.grace {
        out.push_str(" GRACE PERIOD ");
        duration(out, grace);
    }
}

/// The blanks are ksqlDB's, the one before the end of the line included.
fn window(out: &mut String, window: &Window) {
    out.push_str("\nWINDOW ");
    match window.kind {
        WindowKind::Tumbling { size } => {
            out.push_str("TUMBLING ( SIZE ");
            duration(out, size);
        }
        WindowKind::Hopping { size, advance } => {
            out.push_str("HOPPING ( SIZE ");
            duration(out, size);
            out.push_str(" , ADVANCE BY ");
            duration(out, advance);
        }
        WindowKind::Session { gap } => {
            out.push_str("SESSION ( ");
            duration(out, gap);
        }
    }
    for (word, limit) in [("RETENTION", window.retention), ("GRACE PERIOD", window.grace)] {
        if let Some(limit) = limit {
            put(out, format_args!(" , {word} "));
            duration(out, limit);
        }
    }
    out.push_str(" ) ");
}

/// Writes `10 SECONDS`.
pub(super) fn duration(out: &mut String, duration: Duration) {
    put(out, format_args!("{} {}", duration.count, duration.unit.as_str()));
}

fn clause(out: &mut String, word: &str, condition: Option<&Expr>) {
    if let Some(condition) = condition {
        put(out, format_args!("\n{word} "));
        expression::write(out, condition);
    }
}

fn list(out: &mut String, word: &str, values: Option<&[Expr]>) {
    let Some(values) = values else { return };
    put(out, format_args!("\n{word} "));
    if values.is_empty() {
        out.push_str("()");
    }
    join(out, values, ", ", expression::write);
}
