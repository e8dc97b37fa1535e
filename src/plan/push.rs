//! `SELECT … EMIT CHANGES` and `EMIT FINAL`: a query whose rows go to whoever asks for them.
//!
//! It may do what a persistent query can, and more: its rows need no key, so that any columns can be selected in any order,
//! pseudo-columns and bounds of windows among them; tables with windows can be read; and all rows can be aggregated as one
//! group.

use std::sync::Arc;

use super::builder::SinkNames;
use super::query::analyse;
use super::select::selected;
use super::{PersistentQuery, PlanContext, PlanError, QueryPlan, Sink};
use crate::sql::ast::{Emit, Expr, ExprKind, Literal, Query, SelectItem};
use crate::sql::print;

/// Plans a push query.
pub fn plan_push(query: &Query, ctx: &PlanContext<'_>) -> Result<QueryPlan, PlanError> {
    let query = in_one_group(query, ctx);
    let analysed = analyse(&query, SinkNames::CLIENT, None, ctx)?;
    let sink = Sink::client(analysed.kind, analysed.schema.clone(), analysed.places);
    Ok(QueryPlan { nodes: analysed.nodes, sink, sql: print::query(&query) })
}

/// The one persistent query at whose rows a push query looks as that makes them, if it does nothing else, as ksqlDB's scalable
/// push queries (`ksql.query.push.v2.enabled`).
pub fn tapped<'c>(query: &Query, ctx: &PlanContext<'c>) -> Option<&'c Arc<PersistentQuery>> {
    let source = &query.from.first.name.text;
    let is_of_rows = query.window.is_none()
        && query.group_by.is_none()
        && query.partition_by.is_none()
        && query.having.is_none();
    let mut named = selected(query).chain(&query.filter).flat_map(super::names::columns);
    let is_tap = query.emit == Some(Emit::Changes)
        && query.from.joins.is_empty()
        && is_of_rows
        && !named.any(|(_, name)| matches!(name.text.as_str(), "ROWPARTITION" | "ROWOFFSET"));
    let mut writers = ctx.catalog.writers(source);
    match (writers.next(), writers.next()) {
        (Some(only), None) if is_tap => Some(only),
        _ => None,
    }
}

/// Makes one group of all rows where a query aggregates them without a `GROUP BY`.
fn in_one_group(query: &Query, ctx: &PlanContext<'_>) -> Query {
    let is_aggregate = |name: &str| ctx.aggregates().find(name).is_some();
    let aggregates = |item: &SelectItem| match item {
        SelectItem::Expr { expr, .. } => !super::names::calls(expr, &is_aggregate).is_empty(),
        SelectItem::All { .. } | SelectItem::StructAll { .. } => false,
    };
    let mut query = query.clone();
    if query.group_by.is_none() && query.having.is_none() && query.select.iter().any(aggregates) {
        let kind = ExprKind::Literal(Literal::Integer(1));
        query.group_by = Some(vec![Expr { kind, span: query.span }]);
    }
    query
}
