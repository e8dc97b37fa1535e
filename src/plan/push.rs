//! `SELECT … EMIT CHANGES` and `EMIT FINAL`: a query whose rows go to whoever asks for them.
//!
//! It may do what a persistent query can, and more: its rows need no key, so that any columns can be selected in any order,
//! pseudo-columns and bounds of windows among them; tables with windows can be read; and all rows can be aggregated as one
//! group.

use super::builder::SinkNames;
use super::query::analyse;
use super::{PlanContext, PlanError, QueryPlan, Sink};
use crate::sql::ast::{Expr, ExprKind, Literal, Query, SelectItem};
use crate::sql::print;

/// Plans a push query.
pub fn plan_push(query: &Query, ctx: &PlanContext<'_>) -> Result<QueryPlan, PlanError> {
    let query = in_one_group(query, ctx);
    let analysed = analyse(&query, SinkNames::CLIENT, None, ctx)?;
    let sink = Sink::client(analysed.kind, analysed.schema.clone(), analysed.places);
    Ok(QueryPlan { nodes: analysed.nodes, sink, sql: print::query(&query) })
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
