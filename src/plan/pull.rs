//! A pull query over a table: rows that a persistent query keeps are looked up, and go through what that query does with
//! them before they reach its table.
//!
//! ```text
//! the table's query:  … ─ aggregate ═ store ─ HAVING ─ project ─▶ table
//! the pull query:               rows of the store ─ HAVING ─ project ─ frame ─ WHERE ─ project ─▶ whoever asks
//! ```

use std::sync::Arc;

use super::builder::{Builder, SinkNames};
use super::from::find_sources;
use super::ids::{NodeId, StoreId};
use super::push::plan_push;
use super::query_plan::{Gives, Node};
use super::relation::{Aliased, Relation};
use super::select::{items, selected};
use super::wanted::{Wanted, wanted};
use super::{
    NodeKind, PersistentQuery, PlanContext, PlanError, QueryKind, QueryPlan, Sink, Source,
    frame_columns,
};
use crate::sql::ast::{Query, SelectItem, SourceKind};
use crate::sql::print;
use crate::sql::span::Span;
use crate::types::{ColumnDef, Schema};

/// A pull query over a table.
#[derive(Clone, Debug)]
pub struct PullPlan {
    /// The id of the query that keeps the rows.
    pub query: String,
    /// Where it keeps them.
    pub store: StoreId,
    /// Which of them may be asked for.
    pub wanted: Wanted,
    /// What is done with them. Its first node gives them.
    pub plan: Arc<QueryPlan>,
}

/// Plans a pull query over a table.
pub fn plan_pull(query: &Query, ctx: &PlanContext<'_>) -> Result<PullPlan, PlanError> {
    check_pull(query, ctx)?;
    let sources = find_sources(query, ctx)?;
    let [Aliased { source, alias }, ..] = &*sources else {
        return Err(PlanError::execute("A query reads a source.").at(query.span));
    };
    let keeper = keeper(source, ctx).ok_or_else(|| not_kept(source, alias.span))?;
    let kept = kept(&keeper.plan).ok_or_else(|| not_kept(source, alias.span))?;
    let relation = Relation::of_sources(&sources);
    let builder = Builder {
        ctx,
        query,
        columns: relation.columns.clone().into(),
        relation,
        nodes: nodes(&keeper.plan, kept.node, source),
        sink: SinkNames::CLIENT,
        key_format: source.key_format.clone(),
        over: Vec::new(),
        is_key_lost: false,
    };
    let analysed = analyse(builder)?;
    let wanted =
        query.filter.as_ref().map_or_else(Wanted::default, |filter| wanted(filter, source));
    let sink = Sink::client(SourceKind::Table, analysed.schema.clone(), analysed.places);
    let plan = QueryPlan { nodes: analysed.nodes, sink, sql: print::query(query) };
    let query = keeper.id.clone();
    Ok(PullPlan { query, store: kept.store, wanted, plan: Arc::new(plan) })
}

/// Plans a pull query over a stream: what a push query gives, as far as the stream goes now.
pub fn plan_stream_pull(query: &Query, ctx: &PlanContext<'_>) -> Result<QueryPlan, PlanError> {
    check_pull(query, ctx)?;
    plan_push(query, ctx)
}

fn analyse(mut builder: Builder<'_>) -> Result<super::builder::Analysed, PlanError> {
    let items = items(builder.query, &builder.relation, &builder.columns, false)?;
    for item in &items {
        for (_, name) in super::names::columns(&item.expr) {
            if matches!(name.text.as_str(), "ROWPARTITION" | "ROWOFFSET") {
                return Err(PlanError::analyse(format!(
                    "Pull queries don't support the following columns in SELECT clauses: `{}`",
                    name.text
                ))
                .at(name.span));
            }
        }
    }
    builder.add_filter()?;
    builder.project(&items)
}

/// Refuses what only push queries can do.
fn check_pull(query: &Query, ctx: &PlanContext<'_>) -> Result<(), PlanError> {
    let refuse = |clause: &str, at: Span| {
        let error = PlanError::execute(format!(
            "Pull queries don't support {clause} clauses. See https://cnfl.io/queries for more \
             info.\nAdd EMIT CHANGES if you intended to issue a push query."
        ));
        Err(error.at(at))
    };
    if let Some(join) = query.from.joins.first() {
        return refuse("JOIN", join.source.alias.span);
    }
    if let Some(window) = &query.window {
        return refuse("WINDOW", window.span);
    }
    if let Some(exprs) = &query.group_by {
        return refuse("GROUP BY", super::query::span_of(exprs, query));
    }
    let is_aggregate = |name: &str| ctx.aggregates().find(name).is_some();
    let mut calls = selected(query).flat_map(|expr| super::names::calls(expr, &is_aggregate));
    if let Some(call) = calls.next() {
        return refuse("GROUP BY", call.span);
    }
    if let Some(exprs) = &query.partition_by {
        return refuse("PARTITION BY", super::query::span_of(exprs, query));
    }
    if let Some(having) = &query.having {
        return refuse("HAVING", having.span);
    }
    if query.limit.is_some_and(|limit| limit < 0) {
        return Err(PlanError::execute(
            "Pull queries don't support negative integers in the LIMIT clause. See \
             https://cnfl.io/queries for more info.\nAdd EMIT CHANGES if you intended to issue a \
             push query.",
        )
        .at(query.tail));
    }
    let is_star = |item: &&SelectItem| matches!(item, SelectItem::All { .. });
    if query.select.len() > 1
        && let Some(SelectItem::All { span, .. }) = query.select.iter().find(is_star)
    {
        let message = "Pull queries only support wildcards in the projects if they are the only \
                       expression";
        return Err(PlanError::execute(message).at(*span));
    }
    Ok(())
}

/// The query that keeps the rows of a table.
fn keeper<'c>(source: &Source, ctx: &PlanContext<'c>) -> Option<&'c Arc<PersistentQuery>> {
    let mut writers = ctx.catalog.writers(&source.name);
    writers.find(|query| query.kind == QueryKind::CreateAs)
}

fn not_kept(source: &Source, at: Span) -> PlanError {
    let name = &source.name;
    PlanError::execute(format!(
        "The `{name}` table isn't queryable. To derive a queryable table, you can do 'CREATE TABLE \
         QUERYABLE_{name} AS SELECT * FROM {name}'. See https://cnfl.io/queries for more info.\nAdd \
         EMIT CHANGES if you intended to issue a push query."
    ))
    .at(at)
}

/// A node that keeps the rows of a table, and where.
struct Kept {
    node: NodeId,
    store: StoreId,
}

/// The last node of a plan that keeps the rows of its table; what comes after it only computes.
fn kept(plan: &QueryPlan) -> Option<Kept> {
    let mut node = NodeId(plan.nodes.len().checked_sub(1)?);
    loop {
        let found = plan.stores().find(|(_, keeper, _)| *keeper == node).map(|(store, ..)| store);
        match &plan.node(node).kind {
            NodeKind::Aggregate(_)
            | NodeKind::TableSource { .. }
            | NodeKind::Materialize { .. } => {
                return found.map(|store| Kept { node, store });
            }
            NodeKind::Filter { .. } | NodeKind::Select { .. } => {
                node = *plan.node(node).inputs.first()?;
            }
            _ => return None,
        }
    }
}

/// The nodes from the rows of a store to those of the table.
fn nodes(plan: &QueryPlan, kept: NodeId, source: &Arc<Source>) -> Vec<Node> {
    let first = plan.node(kept);
    let mut nodes = vec![Node {
        kind: NodeKind::Held,
        name: "KsqlTopic.Held".to_owned(),
        inputs: Vec::new(),
        schema: first.schema.clone(),
        gives: Gives::Rows,
    }];
    let mut add = |kind: NodeKind, name: &str, schema: Schema| {
        let inputs = vec![NodeId(nodes.len() - 1)];
        let name = name.to_owned();
        nodes.push(Node { kind, name, inputs, schema, gives: Gives::Rows });
    };
    for node in &plan.nodes[kept.0 + 1..] {
        add(node.kind.clone(), &node.name, node.schema.clone());
    }
    let columns = frame_columns(source).into_iter();
    let value = columns.map(|column| ColumnDef::new(column.name, column.ty)).collect();
    let schema = Schema { key: source.schema.key.clone(), value };
    add(NodeKind::Frame { source: Arc::clone(source) }, "KsqlTopic.Frame", schema);
    nodes
}
