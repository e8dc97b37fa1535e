//! The nodes of a query with a `GROUP BY`: grouping keys, aggregates and `HAVING`.

use std::collections::HashMap;
use std::sync::Arc;

use super::aggregate_call::Arguments;
use super::builder::{Analysed, Builder, check_predicate, untyped};
use super::expression::{Clause, RESULT_PREFIX, Scope};
use super::frame::defs;
use super::grouping::{check_calls, check_grouped, check_value_formats, grouping, misplaced_bound};
use super::internal_formats::{internal_key_format, internal_value_format};
use super::keys::{KeyKind, find_keys, key_name, key_places};
use super::names::{calls, rewrite, unqualified, visit};
use super::select::{Item, column, list_span, selected};
use super::store::{StoreKind, StoreSpec};
use super::window::{STORE, window};
use super::{
    AggregateCall, AggregateWindow, Aggregation, GroupPurpose, NamedExpr, NodeKind, PlanError,
    RepartitionKind, RepartitionTopic, SourceWindow,
};
use crate::formats::Role;
use crate::sql::ast::{Emit, Expr, ExprKind, SourceKind};
use crate::sql::print;
use crate::sql::span::Span;
use crate::types::{ColumnDef, Schema, SqlType, WindowKind};

/// The columns of an aggregation's input: those that the query names, then computed arguments.
struct Input {
    /// Name and expression of each column.
    columns: Vec<(String, Expr)>,
    /// How many of them are columns of the source.
    required: usize,
    /// The places of columns by the text of their expressions.
    places: HashMap<String, Vec<usize>>,
}

impl Input {
    /// Collects the source's columns first, in the order in which the query names them.
    fn collect(exprs: &[&Expr], calls: &[Expr]) -> Self {
        let mut input = Self { columns: Vec::new(), required: 0, places: HashMap::new() };
        for expr in exprs {
            let mut named = Vec::new();
            visit(expr, &mut |expr| match &expr.kind {
                ExprKind::Column { name, .. } => named.push(name.text.clone()),
                ExprKind::Call { name, args } if args.is_empty() && name.text == "COUNT" => {
                    named.push("ROWTIME".to_owned());
                }
                _ => {}
            });
            for name in named {
                if !matches!(name.as_str(), "WINDOWSTART" | "WINDOWEND") {
                    input.add(&column(&name));
                }
            }
        }
        input.required = input.columns.len();
        for call in calls {
            for arg in call_args(call) {
                input.add(&arg);
            }
        }
        input
    }

    /// The position of the column that holds `expr`.
    fn add(&mut self, expr: &Expr) -> usize {
        // Equal expressions have equal texts.
        let same = self.places.entry(print::expression(expr)).or_default();
        if let Some(index) = same.iter().find(|index| self.columns[**index].1 == *expr) {
            return *index;
        }
        same.push(self.columns.len());
        let name = match &expr.kind {
            ExprKind::Column { name, .. } => name.text.clone(),
            _ => format!("KSQL_INTERNAL_COL_{}", self.columns.len()),
        };
        self.columns.push((name, expr.clone()));
        self.columns.len() - 1
    }
}

/// The columns of the preparing node, while calls of aggregates add to them.
struct Prepared {
    exprs: Vec<NamedExpr>,
    columns: Vec<(String, SqlType)>,
    /// Aggregates that cannot be applied to the source, and where they are.
    refused: Vec<(&'static str, Span)>,
}

/// What is selected of an aggregation.
struct Projection {
    items: Vec<Item>,
    /// Which of the items are the key.
    key_items: Vec<usize>,
    having: Option<Expr>,
    /// The calls of aggregates, in the order of their results.
    calls: Vec<Expr>,
    /// What rows are grouped by.
    grouping: Vec<Expr>,
}

/// The arguments of an aggregate; `COUNT(*)` and `COUNT()` count ROWTIMEs.
fn call_args(call: &Expr) -> Vec<Expr> {
    match &call.kind {
        ExprKind::Call { args, .. } if args.is_empty() => vec![column("ROWTIME")],
        ExprKind::Call { args, .. } => args.clone(),
        _ => Vec::new(),
    }
}

/// A call over the columns that it reads; the other arguments are constants.
fn call_text<'c>(name: &str, args: &[Expr], columns: impl Iterator<Item = &'c str>) -> String {
    let columns: Vec<String> = columns.map(print::identifier).collect();
    let constants = args.iter().skip(columns.len()).map(print::expression);
    let args: Vec<String> = columns.iter().cloned().chain(constants).collect();
    format!("{name}({})", args.join(", "))
}

/// A call of an aggregate with the ROWTIME that `*` stands for.
pub(super) fn shown_call(call: &Expr) -> String {
    let mut call = call.clone();
    if let ExprKind::Call { args, .. } = &mut call.kind
        && args.is_empty()
    {
        args.push(column("ROWTIME"));
    }
    print::expression(&call)
}

/// The nodes of a query with a `GROUP BY`.
pub(super) fn plan_aggregate(
    mut builder: Builder<'_>,
    items: Vec<Item>,
) -> Result<Analysed, PlanError> {
    let ctx = builder.ctx;
    let is_aggregate = |name: &str| ctx.aggregates().find(name).is_some();
    let grouping = grouping(&builder, &is_aggregate)?;
    let having = builder.query.having.as_ref().map(unqualified);
    check_value_formats(&builder.relation.sources, "GROUP BY")?;
    for expr in selected(builder.query) {
        builder.check_columns(expr, Clause::Select)?;
    }
    check_grouped(&items, having.as_ref(), &grouping, &is_aggregate, ctx.text)?;
    let aggregates: Vec<Expr> = items
        .iter()
        .map(|item| &item.expr)
        .chain(&having)
        .flat_map(|expr| calls(expr, &is_aggregate))
        .cloned()
        .collect();
    check_calls(&aggregates, &is_aggregate)?;
    // ksqlDB's `AggregateAnalyzer` keeps the columns of WHERE of a group's last row as well.
    let filter = builder.query.filter.as_ref().map(unqualified);
    let selected = items.iter().map(|item| &item.expr);
    let exprs: Vec<&Expr> = selected.chain(&filter).chain(&grouping).chain(&having).collect();
    let mut input = Input::collect(&exprs, &aggregates);
    let calls = builder.prepare(&mut input, &aggregates)?;
    builder.sink.check_timestamp(&items)?;
    let key_items = match builder.sink.name {
        None => Vec::new(),
        Some(sink) => find_keys(&grouping, &items, KeyKind::Grouping, sink, print::expression)
            .map_err(|error| error.at(list_span(builder.query)))?,
    };
    let key = builder.group(&grouping, &key_items, &items)?;
    if let (Some(window), SourceKind::Table) = (&builder.query.window, builder.relation.kind) {
        let error = PlanError::analyse("Windowing not supported for table aggregations.");
        return Err(error.at(window.span).because("a table has one row for each key, at any time"));
    }
    let window = window(&builder)?;
    builder.aggregate(&input, calls, window, key.clone())?;
    let projection = Projection { items, key_items, having, calls: aggregates, grouping };
    builder.finish(projection, window, &key)
}

impl Builder<'_> {
    /// Refuses columns that do not exist, before any type is asked for.
    pub(super) fn check_columns(&self, expr: &Expr, clause: Clause) -> Result<(), PlanError> {
        let is_windowed = self.query.window.is_some();
        let mut result = Ok(());
        visit(expr, &mut |expr| {
            let ExprKind::Column { name, .. } = &expr.kind else { return };
            let is_bound = matches!(name.text.as_str(), "WINDOWSTART" | "WINDOWEND");
            // ksqlDB looks for the bounds of a joined row among the columns of its sources.
            let is_own = is_bound && is_windowed && !self.relation.is_joined();
            if result.is_err() || (is_own && clause == Clause::Select) {
                return;
            }
            result = self.scope(clause).resolve(expr).map(|_| ());
            if result.is_err() && is_own {
                result = Err(misplaced_bound(name));
            }
        });
        result
    }

    /// Adds the node that computes the columns that the aggregation reads.
    fn prepare(
        &mut self,
        input: &mut Input,
        aggregates: &[Expr],
    ) -> Result<Vec<AggregateCall>, PlanError> {
        let mut prepared = Prepared { exprs: Vec::new(), columns: Vec::new(), refused: Vec::new() };
        for (name, expr) in &input.columns {
            let named = self.named(name, expr, Clause::Select)?;
            let ty = named.expr.ty().cloned().unwrap_or(SqlType::String);
            prepared.columns.push((name.clone(), ty));
            prepared.exprs.push(named);
        }
        let mut calls = Vec::with_capacity(aggregates.len());
        for call in aggregates {
            calls.push(self.call(call, input, &mut prepared)?);
        }
        if !prepared.refused.is_empty() {
            let (names, places): (Vec<_>, Vec<_>) = prepared.refused.into_iter().unzip();
            let places = places.into_iter().map(|at| {
                (at, "rows of a table change, which this aggregate cannot take back".to_owned())
            });
            return Err(not_for_tables(&names).at_each(places));
        }
        self.columns = prepared.columns.into();
        self.add("Aggregate.Prepare", NodeKind::Select { columns: prepared.exprs });
        self.keep_joined("Aggregate.Prepare");
        Ok(calls)
    }

    /// Resolves one call of an aggregate.
    fn call(
        &self,
        call: &Expr,
        input: &mut Input,
        prepared: &mut Prepared,
    ) -> Result<AggregateCall, PlanError> {
        let ExprKind::Call { name, .. } = &call.kind else {
            return Err(PlanError::analyse("an aggregate is called like a function"));
        };
        let args = call_args(call);
        let mut indices: Vec<usize> = args.iter().map(|arg| input.add(arg)).collect();
        let exprs: Vec<_> = indices.iter().map(|index| &*prepared.exprs[*index].expr).collect();
        let shown: Vec<_> = args.iter().map(print::expression).collect();
        let arguments = Arguments { exprs: &exprs, shown: &shown, written: &args };
        let aggregate = self.bind_aggregate((name, call.span), arguments)?;
        if self.relation.kind == SourceKind::Table && !aggregate.row.undoable {
            prepared.refused.push((aggregate.row.shown_as(), call.span));
        }
        let text = call_text(
            &name.text,
            &args,
            indices.iter().take(aggregate.columns).map(|index| &*input.columns[*index].0),
        );
        indices.truncate(aggregate.columns);
        let (function, name) = (aggregate.function, name.text.clone());
        Ok(AggregateCall { function, args: indices, name, text })
    }

    /// Adds the grouping node, and a repartition where the key is not that of the source.
    fn group(
        &mut self,
        grouping: &[Expr],
        key_items: &[usize],
        items: &[Item],
    ) -> Result<Vec<ColumnDef>, PlanError> {
        let source_keys: Vec<Expr> =
            self.relation.key.iter().map(|key| column(&key.name)).collect();
        let mut key = Vec::with_capacity(grouping.len());
        let mut exprs = Vec::with_capacity(grouping.len());
        for (at, expr) in grouping.iter().enumerate() {
            let item = key_items.get(at).map(|item| &items[*item].name);
            let name = item.map_or_else(|| key_name(expr, at), String::clone);
            let named = self.named(&name, expr, Clause::GroupBy)?;
            let ty = named.expr.ty().cloned().ok_or_else(|| untyped().at(expr.span))?;
            key.push(ColumnDef::new(named.name.as_str(), ty));
            exprs.push(named);
        }
        // Rows of a table are sent on even where their key stays, as `KTable.groupBy` always repartitions.
        // So are rows of a stream whose key has several columns.
        let is_key = grouping == source_keys && grouping.len() == 1;
        if is_key && self.relation.kind == SourceKind::Stream {
            self.key_format = internal_key_format(&self.relation.key_format, &key, self.ctx);
            return Ok(key);
        }
        self.key_format = internal_key_format(&self.relation.key_format, &key, self.ctx);
        let purpose = GroupPurpose::Aggregation;
        self.add("Aggregate.GroupBy", NodeKind::GroupBy { keys: exprs, purpose });
        let repartition = RepartitionTopic {
            name: "Aggregate-GroupBy-repartition".to_owned(),
            key_format: self.key_format.clone(),
            value_format: internal_value_format(&self.relation.value_format),
            drops_null_keys: false,
            kind: RepartitionKind::Rows,
        };
        self.add("Aggregate.GroupBy", NodeKind::Repartition(repartition));
        let grouped = self.nodes.len() - 2;
        for node in &mut self.nodes[grouped..] {
            node.schema.key.clone_from(&key);
        }
        Ok(key)
    }

    /// Adds the aggregation; what it gives are the kept columns, its results and window bounds.
    fn aggregate(
        &mut self,
        input: &Input,
        calls: Vec<AggregateCall>,
        window: Option<AggregateWindow>,
        key: Vec<ColumnDef>,
    ) -> Result<(), PlanError> {
        // The columns that the query names come first, and are kept of each group's last row; arguments follow.
        let kept = self.columns[..input.required].to_vec();
        let states = calls.iter().enumerate().map(|(index, call)| {
            let name = format!("{RESULT_PREFIX}{index}");
            ColumnDef::new(name, call.function.state_type())
        });
        let stored =
            Schema { key: key.clone(), value: defs(&kept).into_iter().chain(states).collect() };
        let value_format = internal_value_format(&self.relation.value_format);
        if value_format.validate(&stored.value, Role::Value).is_err() {
            return Err(PlanError::execute(
                "One of the functions used in the statement has an intermediate type that the value \
                 format can not handle. Please remove the function or change the format.\nConsider \
                 up-voting https://github.com/confluentinc/ksql/issues/3950, which will resolve this \
                 limitation",
            ));
        }
        let results = calls
            .iter()
            .enumerate()
            .map(|(index, call)| (format!("{RESULT_PREFIX}{index}"), call.function.result_type()));
        let mut columns: Vec<_> = kept.into_iter().chain(results.collect::<Vec<_>>()).collect();
        if window.is_some() {
            columns.push(("WINDOWSTART".to_owned(), SqlType::Bigint));
            columns.push(("WINDOWEND".to_owned(), SqlType::Bigint));
        }
        self.columns = columns.into();
        let (kind, retention_ms) = match window {
            None => (StoreKind::Aggregate, None),
            Some(AggregateWindow::Time { retention_ms, .. }) => {
                (StoreKind::WindowAggregate, Some(retention_ms))
            }
            Some(AggregateWindow::Session { retention_ms, .. }) => {
                (StoreKind::SessionAggregate, Some(retention_ms))
            }
        };
        let aggregation = Aggregation {
            kept_columns: input.required,
            calls,
            window,
            is_final: self.query.emit == Some(Emit::Final),
            store: StoreSpec {
                name: STORE.to_owned(),
                kind,
                stored,
                key_format: self.key_format.clone(),
                value_format,
                retention_ms,
            },
        };
        self.add("Aggregate.Aggregate", NodeKind::Aggregate(aggregation));
        if let Some(node) = self.nodes.last_mut() {
            node.schema.key = key;
        }
        Ok(())
    }

    /// Adds `HAVING` and the projection of the result.
    fn finish(
        mut self,
        projection: Projection,
        window: Option<AggregateWindow>,
        key: &[ColumnDef],
    ) -> Result<Analysed, PlanError> {
        let Projection { mut items, key_items, having, calls, grouping } = projection;
        let places = key_places(&items, &grouping);
        let ctx = self.ctx;
        let is_aggregate = |name: &str| ctx.aggregates().find(name).is_some();
        let mut next = 0;
        let mut substitute = |expr: &mut Expr| {
            rewrite(expr, &mut |expr| match &expr.kind {
                ExprKind::Call { name, .. } if is_aggregate(&name.text) => {
                    let name = format!("{RESULT_PREFIX}{next}");
                    next += 1;
                    Some(column(&name).kind)
                }
                _ => None,
            });
        };
        for item in &mut items {
            substitute(&mut item.expr);
        }
        if let Some(written) = having {
            let mut having = written.clone();
            substitute(&mut having);
            let scope = Scope { calls: &calls, ..self.scope(Clause::Having) };
            let predicate = scope.resolve(&having)?;
            check_predicate(&predicate, &written, Clause::Having)?;
            let text = print::expression(&having);
            self.add(
                "Aggregate.HavingFilter",
                NodeKind::Filter { predicate: Arc::new(predicate), text },
            );
        }
        let values = items.iter().enumerate().filter(|(index, _)| !key_items.contains(index));
        let values: Vec<&Item> = values.map(|(_, item)| item).collect();
        let schema =
            self.add_projection("Aggregate.Project", &values, key.to_vec(), Clause::Select)?;
        let window = window.map(|window| match window {
            AggregateWindow::Session { .. } => {
                SourceWindow { kind: WindowKind::Session, size_ms: None }
            }
            AggregateWindow::Time { windows, is_hopping, .. } => SourceWindow {
                kind: if is_hopping { WindowKind::Hopping } else { WindowKind::Tumbling },
                size_ms: Some(windows.size_ms),
            },
        });
        Ok(Analysed {
            relation: self.relation,
            nodes: self.nodes,
            schema,
            kind: SourceKind::Table,
            window,
            places,
            drops_key: false,
            grouping: named_as_written(key, &grouping),
        })
    }
}

/// The columns of a key, called as the columns that rows are grouped by.
fn named_as_written(key: &[ColumnDef], grouping: &[Expr]) -> Vec<ColumnDef> {
    let name = |(column, expr): (&ColumnDef, &Expr)| match &expr.kind {
        ExprKind::Column { name, .. } => ColumnDef::new(name.text.as_str(), column.ty.clone()),
        _ => column.clone(),
    };
    key.iter().zip(grouping).map(name).collect()
}

/// "The aggregation functions A, B and C cannot be applied to a table source".
fn not_for_tables(names: &[&str]) -> PlanError {
    let (plural, list) = match names {
        [only] => ("", (*only).to_owned()),
        [first @ .., last] => ("s", format!("{} and {last}", first.join(", "))),
        [] => ("", String::new()),
    };
    PlanError::analyse(format!(
        "The aggregation function{plural} {list} cannot be applied to a table source, only to a stream \
         source."
    ))
}
