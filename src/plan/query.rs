//! From a `SELECT` to the nodes of a persistent query.

use std::collections::HashSet;
use std::sync::Arc;

use super::aggregate::plan_aggregate;
use super::builder::{
    Analysed, Builder, SinkNames, check_predicate, repeated_column, source_node, untyped,
};
use super::expression::Clause;
use super::from::find_sources;
use super::join::{JoinPlan, check_selected, flatten, plan_join, qualified_query};
use super::keys::{KeyKind, find_keys, key_name, key_places, partition_keys, selected_keys};
use super::name_help::function_help;
use super::names::{calls, qualified, unqualified};
use super::over::{check_places, take_calls};
use super::relation::{Aliased, Relation};
use super::select::{Item, column, items, list_span, selected};
use super::survey::{Survey, with_others};
use super::{NodeKind, PlanContext, PlanError, Source, Stage, TableCall};
use crate::expr::TypeError;
use crate::expr::functions::{self, ArgType};
use crate::formats::FormatSpec;
use crate::sql::ast::{Emit, Expr, ExprKind, Query, SourceKind};
use crate::sql::print;
use crate::sql::span::Span;
use crate::types::ColumnDef;

/// Analyses the query of a `CREATE … AS SELECT` or `INSERT INTO … SELECT`.
pub(super) fn analyse(
    query: &Query,
    sink: SinkNames<'_>,
    key_format: Option<&FormatSpec>,
    ctx: &PlanContext<'_>,
) -> Result<Analysed, PlanError> {
    let sources = find_sources(query, ctx)?;
    analyse_from(query, &sources, sink, key_format, ctx)
        .map_err(|error| with_others(error, query, &sources, ctx))
}

fn analyse_from(
    query: &Query,
    sources: &[Aliased],
    sink: SinkNames<'_>,
    key_format: Option<&FormatSpec>,
    ctx: &PlanContext<'_>,
) -> Result<Analysed, PlanError> {
    check_places(query, ctx.config.is_strict)?;
    sources.iter().try_for_each(|aliased| check_lambdas(query, &aliased.source))?;
    let joined;
    let mut refused = None;
    let (query, relation, nodes, keys) = if sources.len() > 1 {
        let qualified = qualified_query(query, sources, ctx.text)?;
        let JoinPlan { relation, nodes, keys, refused: late } =
            plan_join(&qualified, sources, ctx)?;
        refused = late;
        joined = flatten(&qualified, sources, &relation.columns, ctx)?;
        (&joined, relation, nodes, Some((qualified, keys)))
    } else {
        let relation = Relation::of_sources(sources);
        (query, relation, Vec::new(), None)
    };
    let windowed_table = |aliased: &Aliased| {
        aliased.source.kind == SourceKind::Table && aliased.source.is_windowed()
    };
    if let (Some(_), Some(windowed)) =
        (sink.name, sources.iter().find(|aliased| windowed_table(aliased)))
    {
        let error =
            PlanError::analyse("KSQL does not support persistent queries on windowed tables.");
        return Err(error.at(windowed.alias.span).because("this table is windowed"));
    }
    let key_format = key_format.unwrap_or(&relation.key_format).clone();
    let columns = relation.columns.clone().into();
    let is_joined = keys.is_some();
    let (over, is_key_lost) = (Vec::new(), false);
    let mut builder =
        Builder { ctx, query, relation, columns, nodes, sink, key_format, over, is_key_lost };
    if !is_joined {
        builder.add_source();
    }
    let mut items = items(query, &builder.relation, &builder.columns, sink.name.is_some())?;
    let over_calls = take_calls(&mut items);
    builder.check_over(&over_calls)?;
    let is_aggregate = |name: &str| ctx.aggregates().find(name).is_some();
    let calls_aggregate = |expr: &Expr| !calls(expr, &is_aggregate).is_empty();
    let aggregates = items.iter().any(|item| calls_aggregate(&item.expr))
        || query.having.as_ref().is_some_and(&calls_aggregate);
    check_clauses(query, &items, aggregates, ctx)?;
    builder.add_filter()?;
    builder.add_over(over_calls, &items)?;
    let items = builder.add_table_functions(items)?;
    let analysed = if query.group_by.is_some() {
        plan_aggregate(builder, items)?
    } else {
        if let Some((qualified, keys)) = &keys
            && query.partition_by.is_none()
        {
            sink.check_timestamp(&items)?;
            if let Some(sink) = sink.name {
                check_selected(qualified, keys, sink).map_err(|error| {
                    error.at(list_span(query)).because("the key of the joined rows is not selected")
                })?;
            }
        }
        builder.project(&items)?
    };
    refused.map_or(Ok(analysed), Err)
}

/// The faults of a query's expressions, where another fault keeps it from being analysed.
pub(super) fn faults_of(query: &Query, ctx: &PlanContext<'_>) -> Vec<PlanError> {
    match find_sources(query, ctx) {
        Ok(sources) => {
            Survey::new(query, &sources, ctx).map_or_else(Vec::new, |survey| survey.faults())
        }
        Err(error) => vec![error],
    }
}

/// "Lambda function argument can't be a column name".
fn check_lambdas(query: &Query, source: &Source) -> Result<(), PlanError> {
    let mut clash = None;
    let mut check = |expr: &Expr| {
        super::names::visit(expr, &mut |expr| {
            let ExprKind::Lambda { params, .. } = &expr.kind else { return };
            for param in params {
                if source.column_type(&param.text).is_some() {
                    clash.get_or_insert_with(|| param.clone());
                }
            }
        });
    };
    for item in &query.select {
        if let crate::sql::ast::SelectItem::Expr { expr, .. } = item {
            check(expr);
        }
    }
    query.filter.iter().chain(&query.having).for_each(&mut check);
    query.group_by.iter().chain(&query.partition_by).flatten().for_each(check);
    match clash {
        Some(param) => {
            let message =
                format!("Lambda function argument can't be a column name: {}", param.text);
            Err(PlanError::new(Stage::Resolve, message).at(param.span))
        }
        None => Ok(()),
    }
}

fn check_clauses(
    query: &Query,
    items: &[Item],
    aggregates: bool,
    ctx: &PlanContext<'_>,
) -> Result<(), PlanError> {
    if let (Some(window), None) = (&query.window, &query.group_by) {
        let at = window.span.position(ctx.text);
        return Err(PlanError::analyse(format!(
            "Line: {}, Col: {}: WINDOW clause requires a GROUP BY clause.",
            at.line, at.column
        ))
        .at(window.span)
        .help("add GROUP BY with what is to be counted apart in each window"));
    }
    if query.emit == Some(Emit::Final) && query.window.is_none() {
        return Err(PlanError::analyse("EMIT FINAL is only supported for windowed aggregations.")
            .at(query.tail)
            .because("without a WINDOW, a result is never final")
            .help("write EMIT CHANGES, or add a WINDOW"));
    }
    if let (Some(_), Some(partition_by)) = (&query.group_by, &query.partition_by) {
        let error =
            PlanError::analyse("Only one of PARTITION BY or GROUP BY may be used in a query.");
        return Err(error
            .at(span_of(partition_by, query))
            .because("GROUP BY makes the key already"));
    }
    if query.group_by.is_none() && query.having.is_some() {
        let at = query.having.as_ref().map_or(query.span, |having| having.span);
        let position = at.position(ctx.text);
        return Err(PlanError::analyse(format!(
            "Line: {}, Col: {}: HAVING clause requires a GROUP BY clause.",
            position.line, position.column
        ))
        .at(at)
        .help("write WHERE for a condition on each row, or add GROUP BY"));
    }
    check_functions(query, items, ctx)?;
    if let (Some(group_by), false) = (&query.group_by, aggregates) {
        let error = PlanError::analyse(
            "GROUP BY requires aggregate functions in either the SELECT or HAVING clause.",
        );
        return Err(error
            .at(span_of(group_by, query))
            .because("nothing is counted or summed")
            .help("select an aggregate such as COUNT(*), or write PARTITION BY to give rows another key"));
    }
    if query.group_by.is_none() && aggregates {
        return Err(aggregate_without_group(items, ctx));
    }
    Ok(())
}

/// A function that nobody knows is told before what an aggregate of that name would lack.
fn check_functions(query: &Query, items: &[Item], ctx: &PlanContext<'_>) -> Result<(), PlanError> {
    let is_unknown =
        |name: &str| ctx.aggregates().find(name).is_none() && functions::describe(name).is_none();
    let exprs = items.iter().map(|item| &item.expr).chain(&query.having);
    for call in exprs.flat_map(|expr| calls(expr, &is_unknown)) {
        if let ExprKind::Call { name, .. } = &call.kind
            && let Err(error) = functions::resolve(&name.text, &[])
        {
            let refused = PlanError::analyse(error.to_string()).at(name.span);
            let is_of_rows = matches!(name.text.as_str(), "LAG" | "LEAD");
            return Err(if is_of_rows && !ctx.config.is_strict {
                refused.help(format!("{} OVER (PARTITION BY key ORDER BY ROWTIME)", name.text))
            } else {
                refused.maybe_help(function_help(&name.text))
            });
        }
    }
    Ok(())
}

/// From the first of several expressions to the last.
pub(super) fn span_of(exprs: &[Expr], query: &Query) -> Span {
    exprs.iter().map(|expr| expr.span).reduce(Span::to).unwrap_or(query.span)
}

/// What is said of an aggregate without a `GROUP BY`.
fn aggregate_without_group(items: &[Item], ctx: &PlanContext<'_>) -> PlanError {
    let is_aggregate = |name: &str| ctx.aggregates().find(name).is_some();
    let plain = items.iter().filter(|item| {
        calls(&item.expr, &is_aggregate).is_empty() && !super::names::columns(&item.expr).is_empty()
    });
    let plain: Vec<&Item> = plain.collect();
    if !plain.is_empty() {
        let list: Vec<_> = plain.iter().map(|item| print::expression(&item.expr)).collect();
        let list = list.join(", ");
        let places = plain
            .iter()
            .map(|item| (item.span, "there is no GROUP BY, and this is no aggregate".to_owned()));
        let error = super::grouping::not_grouped(&list).at_each(places);
        return error.help(format!("add GROUP BY {list}"));
    }
    let calls: Vec<_> = items.iter().flat_map(|item| calls(&item.expr, &is_aggregate)).collect();
    let places = calls.iter().map(|call| (call.span, "an aggregate of which rows?".to_owned()));
    let aggregates: Vec<_> = calls.iter().map(|call| super::aggregate::shown_call(call)).collect();
    let error = PlanError::analyse(format!(
        "CREATE TABLE AS SELECT statement does not support aggregate function [{}] without a GROUP BY \
         clause.",
        aggregates.join(", ")
    ));
    error
        .at_each(places)
        .help("add GROUP BY; GROUP BY 1 with a selected 1 makes one group of all rows")
}

impl Builder<'_> {
    fn add_source(&mut self) {
        let Some(first) = self.relation.sources.first() else { return };
        let kind = source_node(&first.source, "KsqlTopic-Reduce");
        self.add("KsqlTopic.Source", kind);
    }

    pub(super) fn add_filter(&mut self) -> Result<(), PlanError> {
        let Some(filter) = &self.query.filter else { return Ok(()) };
        let plain = unqualified(filter);
        self.scope(Clause::Where).resolve_columns(filter)?;
        let predicate = self.scope(Clause::Where).resolve(&plain)?;
        check_predicate(&predicate, &plain, Clause::Where)?;
        let text = print::expression(&plain);
        self.add("WhereFilter", NodeKind::Filter { predicate: Arc::new(predicate), text });
        Ok(())
    }

    /// Takes table functions out of the projection: each fills a column of its own.
    fn add_table_functions(&mut self, mut items: Vec<Item>) -> Result<Vec<Item>, PlanError> {
        let is_table = is_table_function;
        if items.iter().all(|item| calls(&item.expr, &is_table).is_empty()) {
            return Ok(items);
        }
        let is_aggregate = |name: &str| self.ctx.aggregates().find(name).is_some();
        let call = items.iter().flat_map(|item| calls(&item.expr, &is_table)).next();
        let at = call.map_or(self.query.span, |call| call.span);
        if items.iter().any(|item| !calls(&item.expr, &is_aggregate).is_empty()) {
            let error = PlanError::analyse("Table functions cannot be used with aggregations.");
            return Err(error
                .at(at)
                .because("this makes several rows of one")
                .help("make the rows in a stream of their own first, and aggregate that"));
        }
        if self.relation.kind == SourceKind::Table {
            let error = PlanError::analyse("Table source is not supported with table functions");
            return Err(error.at(at).because("this makes several rows of one"));
        }
        let mut table_calls = Vec::new();
        for item in &mut items {
            check_table_functions(&item.expr, &self.query.from.first.alias)?;
            let mut failure = None;
            super::names::rewrite(&mut item.expr, &mut |expr| {
                let ExprKind::Call { name, args } = &expr.kind else { return None };
                if !is_table(&name.text) {
                    return None;
                }
                let column_name = format!("KSQL_SYNTH_{}", table_calls.len());
                match self.table_call(&column_name, expr, &name.text, args) {
                    Ok(call) => table_calls.push(call),
                    Err(error) => failure = Some(error),
                }
                Some(column(&column_name).kind)
            });
            if let Some(error) = failure {
                return Err(error);
            }
        }
        let added =
            table_calls.iter().map(|call| (call.name.clone(), call.function.return_type.clone()));
        self.columns.extend(added.collect::<Vec<_>>());
        self.add("FlatMap", NodeKind::FlatMap { functions: table_calls });
        Ok(items)
    }

    fn table_call(
        &self,
        column: &str,
        expr: &Expr,
        name: &str,
        args: &[Expr],
    ) -> Result<TableCall, PlanError> {
        let scope = self.scope(Clause::Select);
        let mut typed = args.iter().map(|arg| scope.resolve(arg)).collect::<Result<Vec<_>, _>>()?;
        let mut arg_types: Vec<ArgType> = typed
            .iter()
            .map(|arg| arg.ty().cloned().map_or(ArgType::Null, ArgType::Value))
            .collect();
        let function = functions::resolve_table(name, &arg_types)
            .map_err(|error| scope.refuse(TypeError::of_call(name, &arg_types, error), expr))?;
        for ((arg, ty), to) in typed.iter_mut().zip(&mut arg_types).zip(&function.coercions) {
            if let (Some(to), Some(_)) = (to, arg.ty()) {
                let cast = crate::expr::Expr::cast(arg.clone(), to.clone());
                *arg = cast.map_err(|error| PlanError::analyse(error.message))?;
                *ty = ArgType::Value(to.clone());
            }
        }
        Ok(TableCall {
            name: column.to_owned(),
            function,
            arg_types,
            args: typed.into_iter().map(Arc::new).collect(),
            text: print::expression(expr),
        })
    }

    /// The nodes of a query without aggregation.
    pub(super) fn project(mut self, items: &[Item]) -> Result<Analysed, PlanError> {
        let kind = self.relation.kind;
        let partition_by = self.query.partition_by.clone();
        let source_keys: Vec<Expr> =
            self.relation.key.iter().map(|key| column(&key.name)).collect();
        let (keys, drops_key) = match &partition_by {
            None => (source_keys.clone(), false),
            Some(exprs) if kind == SourceKind::Table => {
                let error = PlanError::analyse(
                    "PARTITION BY is not supported for tables, only for streams.",
                );
                return Err(error.at(span_of(exprs, self.query)));
            }
            Some(exprs) => partition_keys(exprs)?,
        };
        let (keys, drops_key) = match &partition_by {
            None if self.ctx.config.has_new_planner && kind == SourceKind::Stream => {
                selected_keys(&keys, items)
            }
            _ => (keys, drops_key),
        };
        let key_kind = if partition_by.is_some() { KeyKind::Partitioning } else { KeyKind::Source };
        if partition_by.is_some() {
            // Columns are looked up before keys are looked for in the projection.
            for key in &keys {
                self.scope(Clause::PartitionBy).resolve(key)?;
            }
        }
        // Columns that only an `OVER` names have been looked up by now, and are gone.
        for expr in selected(self.query).filter(|_| self.over.is_empty()) {
            self.scope(Clause::Select).resolve_columns(expr)?;
        }
        for item in items {
            self.scope(Clause::Select).resolve(&item.expr)?;
        }
        self.check_names(items)?;
        let alias = self.query.from.first.alias.clone();
        let shown = |key: &Expr| match key_kind {
            KeyKind::Partitioning => print::expression(&qualified(key, &alias)),
            _ => print::expression(key),
        };
        self.sink.check_timestamp(items)?;
        let key_items = match self.sink.name {
            None => Vec::new(),
            Some(sink) => find_keys(&keys, items, key_kind, sink, shown)
                .map_err(|error| error.at(list_span(self.query)))?,
        };
        let key_schema = self.key_schema(&keys, &key_items, items)?;
        let is_rekeyed = keys != source_keys;
        if is_rekeyed || self.is_key_lost {
            let exprs = keys.iter().zip(&key_schema);
            let exprs = exprs
                .map(|(key, column)| self.named(&column.name, key, Clause::PartitionBy))
                .collect::<Result<Vec<_>, _>>()?;
            self.add("PartitionBy", NodeKind::PartitionBy { keys: exprs });
            if let Some(node) = self.nodes.last_mut() {
                node.schema.key.clone_from(&key_schema);
            }
        }
        let values = items.iter().enumerate().filter(|(index, _)| !key_items.contains(index));
        let values: Vec<&Item> = values.map(|(_, item)| item).collect();
        let schema = self.add_projection("Project", &values, key_schema, Clause::Select)?;
        Ok(Analysed {
            places: key_places(items, &keys),
            window: self.relation.window.filter(|_| !is_rekeyed),
            relation: self.relation,
            nodes: self.nodes,
            schema,
            kind,
            drops_key,
            grouping: Vec::new(),
        })
    }

    /// The columns of a key, called as the items that are it, if it is selected.
    fn key_schema(
        &self,
        keys: &[Expr],
        key_items: &[usize],
        items: &[Item],
    ) -> Result<Vec<ColumnDef>, PlanError> {
        let column = |(at, key): (usize, &Expr)| {
            let item = key_items.get(at).map(|item| &items[*item]);
            let typed = self.scope(Clause::Select).resolve(key)?;
            let untyped = || untyped().at(item.map_or(list_span(self.query), |item| item.span));
            let ty = typed.ty().cloned().ok_or_else(untyped)?;
            let name = item.map_or_else(|| key_name(key, at), |item| item.name.clone());
            Ok(ColumnDef::new(name, ty))
        };
        keys.iter().enumerate().map(column).collect()
    }

    /// Refuses two columns of the same name.
    fn check_names(&self, items: &[Item]) -> Result<(), PlanError> {
        let mut names = HashSet::with_capacity(items.len());
        for item in items {
            if !names.insert(item.name.as_str()) {
                let typed = self.scope(Clause::Select).resolve(&item.expr)?;
                let ty = typed.ty().ok_or_else(|| untyped().at(item.span))?;
                return Err(repeated_column(item, ty));
            }
        }
        Ok(())
    }
}

/// Table functions may not be nested, nor stand in a CASE.
fn check_table_functions(expr: &Expr, alias: &crate::sql::ast::Name) -> Result<(), PlanError> {
    let is_table = is_table_function;
    let mut failure = None;
    super::names::visit(expr, &mut |expr| match &expr.kind {
        ExprKind::SearchedCase { .. } | ExprKind::SimpleCase { .. }
            if !calls(expr, &is_table).is_empty() =>
        {
            let text = print::expression(&qualified(expr, alias));
            let message = format!("Table functions cannot be used in CASE: {text}");
            failure.get_or_insert_with(|| PlanError::analyse(message).at(expr.span));
        }
        ExprKind::Call { name, args }
            if is_table(&name.text) && args.iter().any(|arg| !calls(arg, &is_table).is_empty()) =>
        {
            let text = print::expression(&qualified(expr, alias));
            let message = format!("Table functions can't be nested: {text}");
            failure.get_or_insert_with(|| PlanError::analyse(message).at(expr.span));
        }
        _ => {}
    });
    failure.map_or(Ok(()), Err)
}

/// Whether `name` is that of a table function.
fn is_table_function(name: &str) -> bool {
    functions::describe(name).is_some_and(|function| function.is_table)
}
