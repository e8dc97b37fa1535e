//! A pull query over a table: rows that a persistent query keeps are looked up, and go through what that query does with
//! them before they reach its table.
//!
//! ```text
//! the table's query:  … ─ aggregate ═ store ─ HAVING ─ project ─▶ table
//! the pull query:               rows of the store ─ HAVING ─ project ─ frame ─ WHERE ─ project ─▶ whoever asks
//! ```

use std::sync::Arc;

use super::builder::{Builder, SinkNames};
use super::expression::Clause;
use super::frame::defs;
use super::from::find_sources;
use super::ids::{NodeId, StoreId};
use super::lookups::{PULL_HELP, check_lookups};
use super::names::unqualified;
use super::push::plan_push;
use super::query_plan::{Gives, Node};
use super::read_features::ReadFeature;
use super::relation::{Aliased, Relation};
use super::select::{items, selected};
use super::wanted::{Wanted, says_only_keys, wanted};
use super::{
    NodeKind, PersistentQuery, PlanContext, PlanError, QueryKind, QueryPlan, Sink, Source,
    frame_columns,
};
use crate::sql::ast::{Comparison, Expr, ExprKind, Name, Query, SelectItem, SourceKind};
use crate::sql::print;
use crate::sql::span::Span;
use crate::types::{ColumnDef, OwnedValue, Schema, SqlType};

/// A pull query over a table.
#[derive(Clone, Debug)]
pub struct PullPlan {
    /// The id of the query that keeps the rows.
    pub query: String,
    /// Where it keeps them.
    pub store: StoreId,
    /// Which of them may be asked for.
    pub wanted: Wanted,
    /// Whether that is all that WHERE says: what is done with them is the same whatever their keys are.
    pub is_by_key: bool,
    /// What is done with them. Its first node gives them.
    pub plan: Arc<QueryPlan>,
}

impl PullPlan {
    /// The text by which its rows are looked up, if that is all that WHERE says.
    pub fn text_key(&self) -> Option<&str> {
        match self.wanted.keys.as_deref()? {
            [key] if self.is_by_key => match &**key {
                [OwnedValue::String(text)] => Some(text),
                _ => None,
            },
            _ => None,
        }
    }

    /// The same for another text, where there is one by which its rows are looked up. The text of the query stays that of
    /// the first one.
    #[must_use]
    pub fn with_text_key(&self, key: &str) -> Self {
        let keys = Some(vec![vec![OwnedValue::String(key.into())]]);
        Self { wanted: Wanted { keys, ..self.wanted.clone() }, ..self.clone() }
    }
}

/// Plans a pull query over a table.
pub fn plan_pull(query: &Query, ctx: &PlanContext<'_>) -> Result<PullPlan, PlanError> {
    check_pull(query, ctx)?;
    let sources = find_sources(query, ctx)?;
    let [Aliased { source, alias }, ..] = &*sources else {
        return Err(PlanError::execute("A query reads a source.").at(query.span));
    };
    let keeper = keeper(source, ctx);
    let kept = keeper.and_then(|keeper| Some((keeper, kept(&keeper.plan)?)));
    let relation = Relation::of_sources(&sources);
    let nodes = match &kept {
        // What it keeps are the rows of the table.
        Some((keeper, kept)) if keeper.kind == QueryKind::SourceTable => {
            vec![held(keeper.plan.node(kept.node).schema.clone())]
        }
        Some((keeper, kept)) => nodes(&keeper.plan, kept.node, source),
        // It is still to be seen what else is wrong.
        None => framed(Vec::new(), source.schema.clone(), source),
    };
    let builder = Builder {
        ctx,
        query,
        columns: relation.columns.clone().into(),
        relation,
        nodes,
        sink: SinkNames::CLIENT,
        key_format: source.key_format.clone(),
        over: Vec::new(),
        is_key_lost: false,
    };
    let wanted =
        query.filter.as_ref().map_or_else(Wanted::default, |filter| wanted(filter, source));
    let is_by_key = wanted.keys.is_some()
        && query.filter.as_ref().is_some_and(|filter| says_only_keys(filter, source));
    let analysed = analyse(builder, is_by_key)?;
    let (keeper, kept) = kept.ok_or_else(|| not_kept(source, alias.span))?;
    check_lookups(query.filter.as_ref(), source, ctx.config, query.span)?;
    let sink = Sink::client(SourceKind::Table, analysed.schema.clone(), analysed.places);
    let plan = QueryPlan { nodes: analysed.nodes, sink, sql: print::query(query) };
    let query = keeper.id.clone();
    Ok(PullPlan { query, store: kept.store, wanted, is_by_key, plan: Arc::new(plan) })
}

/// Plans a pull query over a stream: what a push query gives, as far as the stream goes now.
pub fn plan_stream_pull(query: &Query, ctx: &PlanContext<'_>) -> Result<QueryPlan, PlanError> {
    check_pull(query, ctx)?;
    if ctx.config.switched_off.contains(&ReadFeature::PullStream) {
        return Err(PlanError::execute(format!(
            "Pull queries on streams are disabled. To create a push query on the stream, add EMIT \
             CHANGES to the end. To enable pull queries on streams, set the {} config to 'true'.",
            ReadFeature::PullStream.property()
        ))
        .at(query.span));
    }
    plan_push(query, ctx)
}

/// What is done with rows, and whether that is right. Those that are looked up by all that WHERE says need not be asked
/// again.
fn analyse(
    mut builder: Builder<'_>,
    is_by_key: bool,
) -> Result<super::builder::Analysed, PlanError> {
    let items = items(builder.query, &builder.relation, &builder.columns, false)?;
    if let Some(filter) = &builder.query.filter {
        check_bounds(filter, &builder)?;
        check_interpreted(&unqualified(filter), &builder)?;
    }
    let before = builder.nodes.len();
    builder.add_filter()?;
    if is_by_key {
        builder.nodes.truncate(before);
    }
    builder.project(&items)
}

/// Refuses bounds of windows where there are none.
fn check_bounds(filter: &Expr, builder: &Builder<'_>) -> Result<(), PlanError> {
    for (source, name) in super::names::columns(filter) {
        if !matches!(name.text.as_str(), "WINDOWSTART" | "WINDOWEND")
            || builder.columns.place(&name.text).is_some()
        {
            continue;
        }
        let position = source.unwrap_or(name).span.position(builder.ctx.text);
        return Err(PlanError::execute(format!(
            "Line: {}, Col: {}: WHERE column '{}' cannot be resolved.",
            position.line, position.column, name.text
        ))
        .at(name.span)
        .because("the table has no windows"));
    }
    Ok(())
}

/// Refuses LIKE and BETWEEN of other types as ksqlDB's interpreter does, which runs these queries and says it in words of its
/// own.
fn check_interpreted(filter: &Expr, builder: &Builder<'_>) -> Result<(), PlanError> {
    let scope = builder.scope(Clause::Select);
    let mut found: Option<(String, Span)> = None;
    super::names::visit(filter, &mut |expr| match &expr.kind {
        _ if found.is_some() => {}
        ExprKind::Like { value, pattern, .. } => {
            for side in [value, pattern] {
                let ty = scope.resolve(side).ok().and_then(|side| side.ty().cloned());
                if let Some(ty) = ty.filter(|ty| *ty != SqlType::String) {
                    let message = format!(
                        "The column type for Like condition must be VARCHAR. The column type is {ty}"
                    );
                    found.get_or_insert((message, side.span));
                }
            }
        }
        ExprKind::Between { value, low, high } => {
            let bounds = [(Comparison::GreaterOrEqual, low), (Comparison::LessOrEqual, high)];
            for (op, bound) in bounds {
                let (left, right) = (value.clone(), bound.clone());
                let kind = ExprKind::Comparison { op, left, right };
                if let Err(error) = scope.resolve(&Expr { kind, span: bound.span }) {
                    let message = error.unlogged.unwrap_or(error.message);
                    let message = message.split("\nStatement: ").next().unwrap_or_default();
                    let message = message.trim_end_matches('.').to_owned();
                    found.get_or_insert((message, bound.span));
                }
            }
        }
        _ => {}
    });
    let Some((message, at)) = found else { return Ok(()) };
    let schema = Schema { key: builder.relation.key.clone(), value: defs(&builder.columns) };
    let text = print::expression(filter);
    let message = format!("Invalid expression: {message}. expression:{text}, schema:{schema}");
    Err(PlanError::execute(message).at(at))
}

/// Refuses where a row came from, which is not kept of each row.
fn check_columns(query: &Query) -> Result<(), PlanError> {
    let selected: Vec<&Expr> = selected(query).collect();
    let filter: Vec<&Expr> = query.filter.iter().collect();
    for (clause, exprs) in [("SELECT", selected), ("WHERE", filter)] {
        let names = exprs.into_iter().flat_map(super::names::columns).map(|(_, name)| name);
        let mut found: Vec<&Name> = Vec::new();
        for name in names.filter(|name| matches!(name.text.as_str(), "ROWPARTITION" | "ROWOFFSET"))
        {
            if found.iter().all(|other| other.text != name.text) {
                found.push(name);
            }
        }
        if let Some(first) = found.first() {
            let list: Vec<String> = found.iter().map(|name| format!("`{}`", name.text)).collect();
            return Err(PlanError::execute(format!(
                "Pull queries don't support the following columns in {clause} clauses: {}",
                list.join(", ")
            ))
            .at(first.span));
        }
    }
    Ok(())
}

/// Refuses what only push queries can do.
fn check_pull(query: &Query, ctx: &PlanContext<'_>) -> Result<(), PlanError> {
    let refuse = |clause: &str, at: Span| {
        let message = format!("Pull queries don't support {clause} clauses.{PULL_HELP}");
        Err(PlanError::execute(message).at(at))
    };
    let is_off = |feature: ReadFeature| ctx.config.switched_off.contains(&feature);
    if is_off(ReadFeature::Pull) {
        return Err(PlanError::execute(format!(
            "Pull queries are disabled.{PULL_HELP}\nPlease set {}=true to enable this feature.\n",
            ReadFeature::Pull.property()
        ))
        .at(query.span));
    }
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
    if query.limit.is_some() && is_off(ReadFeature::Limit) {
        return Err(PlanError::execute(format!(
            "LIMIT clause in pull queries is currently disabled. You can enable them by setting \
             {}=true.{PULL_HELP}",
            ReadFeature::Limit.property()
        ))
        .at(query.tail));
    }
    if query.limit.is_some_and(|limit| limit < 0) {
        return Err(PlanError::execute(format!(
            "Pull queries don't support negative integers in the LIMIT clause.{PULL_HELP}"
        ))
        .at(query.tail));
    }
    check_columns(query)?;
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
    ctx.catalog.queries().iter().find(|query| query.belongs_to(&source.name))
}

fn not_kept(source: &Source, at: Span) -> PlanError {
    let name = &source.name;
    PlanError::execute(format!(
        "The `{name}` table isn't queryable. To derive a queryable table, you can do 'CREATE TABLE \
         QUERYABLE_{name} AS SELECT * FROM {name}'.{PULL_HELP}"
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
    framed(plan.nodes[kept.0 + 1..].to_vec(), plan.node(kept).schema.clone(), source)
}

/// Rows as they are kept.
fn held(schema: Schema) -> Node {
    let name = "KsqlTopic.Held".to_owned();
    Node { kind: NodeKind::Held, name, inputs: Vec::new(), schema, gives: Gives::Rows }
}

/// Rows as they are kept, what is done with them, and the rows of the table.
fn framed(between: Vec<Node>, kept: Schema, source: &Arc<Source>) -> Vec<Node> {
    let mut nodes = vec![held(kept)];
    let mut add = |kind: NodeKind, name: &str, schema: Schema| {
        let inputs = vec![NodeId(nodes.len() - 1)];
        let name = name.to_owned();
        nodes.push(Node { kind, name, inputs, schema, gives: Gives::Rows });
    };
    for node in between {
        add(node.kind, &node.name, node.schema);
    }
    let columns = frame_columns(source).into_iter();
    let value = columns.map(|column| ColumnDef::new(column.name, column.ty)).collect();
    let schema = Schema { key: source.schema.key.clone(), value };
    add(NodeKind::Frame { source: Arc::clone(source) }, "KsqlTopic.Frame", schema);
    nodes
}
