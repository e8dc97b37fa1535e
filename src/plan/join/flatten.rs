//! Queries over several sources: each column with its source, then by its name in a joined row.

use std::collections::HashSet;

use crate::plan::error::Stage;
use crate::plan::expression::{Clause, Scope};
use crate::plan::names::{joined_name, rewrite, visit};
use crate::plan::relation::{Aliased, written_names};
use crate::plan::sanitise::{Named, qualify_query};
use crate::plan::select::column;

use crate::plan::{PlanContext, PlanError};
use crate::sql::Text;
use crate::sql::ast::{Expr, ExprKind, Name, Query, SelectItem};
use crate::sql::span::Span;
use crate::sql::suggest::{self, NameKind};
use crate::types::SqlType;

/// The query with the source of each column, and a name for each item.
///
/// Columns that several sources have, and sources that are none, are refused.
pub(in crate::plan) fn qualified_query(
    query: &Query,
    sources: &[Aliased],
    text: &Text,
) -> Result<Query, PlanError> {
    let named: Vec<Named<'_>> =
        sources.iter().map(|aliased| Named::new(aliased.alias.clone(), &aliased.source)).collect();
    let mut failure = None;
    for_each_column(query, &mut |source, name, span| {
        if failure.is_some() {
            return;
        }
        failure = match source {
            Some(source) => unknown_source(source, sources),
            None => ambiguous(name, span, &named, text),
        };
    });
    if let Some(error) = failure {
        return Err(error);
    }
    let mut query = query.clone();
    qualify_query(&mut query, &named);
    Ok(query)
}

/// Visits the columns of all clauses, in the order of the text.
fn for_each_column(query: &Query, visitor: &mut impl FnMut(Option<&Name>, &Name, Span)) {
    let mut each = |expr: &Expr| {
        visit(expr, &mut |expr| {
            if let ExprKind::Column { source, name } = &expr.kind {
                visitor(source.as_ref(), name, expr.span);
            }
        });
    };
    query.from.joins.iter().for_each(|join| each(&join.on));
    for item in &query.select {
        match item {
            SelectItem::Expr { expr, .. } | SelectItem::StructAll { base: expr, .. } => each(expr),
            SelectItem::All { .. } => {}
        }
    }
    query.filter.iter().for_each(&mut each);
    query.group_by.iter().chain(&query.partition_by).flatten().for_each(&mut each);
    query.having.iter().for_each(&mut each);
}

fn unknown_source(source: &Name, sources: &[Aliased]) -> Option<PlanError> {
    if sources.iter().any(|aliased| aliased.alias.text == source.text) {
        return None;
    }
    let message = format!("'{}' is not a valid stream/table name or alias.", source.text);
    let names: Vec<&str> = sources.iter().map(|aliased| aliased.alias.text.as_str()).collect();
    let error = PlanError::prepare(message).at(source.span);
    Some(error.maybe_help(suggest::help(NameKind::Source, &source.text, &names)))
}

fn ambiguous(name: &Name, span: Span, named: &[Named<'_>], text: &Text) -> Option<PlanError> {
    let owners = named.iter().filter(|named| named.has(&name.text));
    let owners: Vec<String> =
        owners.map(|owner| format!("{}.{}", owner.alias.text, name.text)).collect();
    if owners.len() < 2 {
        return None;
    }
    let (last, first) = owners.split_last()?;
    let at = span.position(text);
    let message = format!(
        "Line: {}, Col: {}: Column '{}' is ambiguous. Could be {} or {last}.",
        at.line,
        at.column,
        name.text,
        first.join(", ")
    );
    let error = PlanError::new(Stage::Resolve, message).at(span);
    Some(error.help(format!("write {} or {last}", first.join(", "))))
}

/// The query over the columns of the joined row: `A.X` becomes `A_X` where source `A` has an `X`.
///
/// `COUNT(*)` counts the times of the first source, and a column that no source has is refused.
pub(in crate::plan) fn flatten(
    query: &Query,
    sources: &[Aliased],
    columns: &[(String, SqlType)],
    ctx: &PlanContext<'_>,
) -> Result<Query, PlanError> {
    let time = joined_name(&query.from.first.alias.text, "ROWTIME");
    let written = written_names(sources);
    let mut query = query.clone();
    let names: HashSet<&str> = columns.iter().map(|(name, _)| name.as_str()).collect();
    let flatten = |expr: &mut Expr, clause| {
        flatten_names(expr, &|name| names.contains(name));
        count_times(expr, &time);
        let written = if written.len() == columns.len() { &*written } else { &[] };
        let scope = Scope { written, ..ctx.scope(columns, &[], clause) };
        let loose =
            crate::plan::names::columns(expr).into_iter().any(|(source, _)| source.is_some());
        if loose { scope.resolve_columns(expr) } else { Ok(()) }
    };
    for item in &mut query.select {
        match item {
            SelectItem::Expr { expr, .. } | SelectItem::StructAll { base: expr, .. } => {
                flatten(expr, Clause::Select)?;
            }
            SelectItem::All { .. } => {}
        }
    }
    query.filter.iter_mut().try_for_each(|expr| flatten(expr, Clause::Where))?;
    query.group_by.iter_mut().flatten().try_for_each(|expr| flatten(expr, Clause::GroupBy))?;
    query
        .partition_by
        .iter_mut()
        .flatten()
        .try_for_each(|expr| flatten(expr, Clause::PartitionBy))?;
    query.having.iter_mut().try_for_each(|expr| flatten(expr, Clause::Having))?;
    Ok(query)
}

/// Lets `COUNT(*)` count the column `time`.
fn count_times(expr: &mut Expr, time: &str) {
    rewrite(expr, &mut |expr| match &expr.kind {
        ExprKind::Call { name, args } if args.is_empty() && name.text == "COUNT" => {
            Some(ExprKind::Call { name: name.clone(), args: vec![column(time)] })
        }
        _ => None,
    });
}

/// The expression over the columns of the joined row.
pub(in crate::plan) fn flatten_expr(expr: &mut Expr, columns: &[(String, SqlType)]) {
    flatten_names(expr, &|name| columns.iter().any(|(column, _)| column == name));
}

/// The expression over the columns of the joined row that are there.
fn flatten_names(expr: &mut Expr, is_there: &impl Fn(&str) -> bool) {
    rewrite(expr, &mut |expr| {
        let ExprKind::Column { source: Some(source), name } = &expr.kind else { return None };
        let joined = joined_name(&source.text, &name.text);
        is_there(&joined)
            .then(|| ExprKind::Column { source: None, name: Name { text: joined, ..name.clone() } })
    });
}
