//! A plan as text: its sources, its nodes with what each gives, and its sink.
//!
//! ```text
//! source  CLICKS: STREAM on clicks, KAFKA keys, JSON values
//!         `ID` STRING KEY, `N` INTEGER
//! step 1  StreamSource KsqlTopic
//!         `ID` STRING KEY, `N` INTEGER, …
//! sink    HITS: TABLE on HITS, KAFKA keys, JSON values
//! ```

use std::fmt::{self, Write as _};

use super::{
    AggregateWindow, Aggregation, HeldRows, JoinKind, Joined, NamedExpr, Node, NodeId, NodeKind,
    Over, OverCall, OverFunction, QueryPlan, Sink, Source, SourceWindow, StreamStreamJoin,
    TableCall,
};
use crate::formats::FormatSpec;
use crate::sql::ast::SourceKind;
use crate::types::ColumnDef;

/// Prints a plan, a line for each thing that is done and one for the columns that it gives.
pub fn explain(plan: &QueryPlan) -> String {
    let mut out = String::new();
    // Writing to a text cannot fail.
    let _ = write_plan(plan, &mut out);
    out
}

fn write_plan(plan: &QueryPlan, out: &mut String) -> fmt::Result {
    for (_, source) in plan.sources() {
        write_source(source, out)?;
    }
    for (NodeId(index), node) in plan.nodes() {
        write!(out, "{:<8}{} ", format!("step {}", index + 1), node.name)?;
        write_inputs(NodeId(index), node, out)?;
        let input = node.inputs.first();
        let columns = input.map_or(&[][..], |input| &plan.node(*input).schema.value);
        write_kind(node, columns, out)?;
        writeln!(out, "\n        {}", node.schema)?;
    }
    write_sink(&plan.sink, out)
}

/// Which nodes it reads, where that is not just the one before it.
fn write_inputs(NodeId(index): NodeId, node: &Node, out: &mut String) -> fmt::Result {
    let before = index.checked_sub(1).map(NodeId);
    if node.inputs.is_empty() || node.inputs.first() == before.as_ref() && node.inputs.len() == 1 {
        return Ok(());
    }
    let steps = node.inputs.iter().map(|NodeId(input)| format!("step {}", input + 1));
    write!(out, "of {}: ", steps.collect::<Vec<_>>().join(" and "))
}

fn write_source(source: &Source, out: &mut String) -> fmt::Result {
    write!(out, "source  {}: {} on {}", source.name, kind(source.kind), source.topic)?;
    write_formats(&source.key_format, &source.value_format, out)?;
    write_window(source.window, out)?;
    writeln!(out, "\n        {}", source.schema)
}

fn write_sink(sink: &Sink, out: &mut String) -> fmt::Result {
    if !sink.has_topic() && sink.client.is_none() {
        return writeln!(out, "sink    none: rows are kept");
    }
    write!(out, "sink    {}: {} on {}", sink.name, kind(sink.kind), sink.topic)?;
    write_formats(&sink.key_format, &sink.value_format, out)?;
    write_window(sink.window, out)?;
    if let Some(timestamp) = &sink.timestamp {
        write!(out, ", time of `{}`", timestamp.column)?;
    }
    writeln!(out, "\n        {}", sink.schema)
}

fn write_formats(key: &FormatSpec, value: &FormatSpec, out: &mut String) -> fmt::Result {
    write!(out, ", {} keys, {} values", key.format, value.format)
}

fn write_window(window: Option<SourceWindow>, out: &mut String) -> fmt::Result {
    let Some(window) = window else { return Ok(()) };
    write!(out, ", {} windows", window.kind.as_str())?;
    window.size_ms.map_or(Ok(()), |size_ms| write!(out, " of {size_ms} ms"))
}

fn kind(kind: SourceKind) -> &'static str {
    match kind {
        SourceKind::Stream => "STREAM",
        SourceKind::Table => "TABLE",
    }
}

/// What a node does; `columns` are those of the value that it reads.
fn write_kind(node: &Node, columns: &[ColumnDef], out: &mut String) -> fmt::Result {
    match &node.kind {
        NodeKind::StreamSource { .. } => out.write_str("reads a stream"),
        NodeKind::TableSource { store, .. } => write!(out, "reads a table into {}", store.name),
        NodeKind::Held => out.write_str("gives rows that another query keeps"),
        NodeKind::Frame { source } => write!(out, "gives them the columns of {}", source.name),
        NodeKind::Filter { text, .. } => write!(out, "keeps rows for which {text}"),
        NodeKind::Select { columns } => {
            out.write_str("selects ")?;
            write_exprs(columns, out)
        }
        NodeKind::PartitionBy { keys } => {
            out.write_str("partitions by ")?;
            write_exprs(keys, out)
        }
        NodeKind::FlatMap { functions } => {
            out.write_str("makes rows of ")?;
            write_list(functions, out, |TableCall { name, text, .. }| format!("{text} AS {name}"))
        }
        NodeKind::GroupBy { keys, .. } => {
            out.write_str("groups by ")?;
            write_exprs(keys, out)
        }
        NodeKind::Repartition(topic) => {
            write!(out, "goes through {}", topic.name)?;
            write_formats(&topic.key_format, &topic.value_format, out)
        }
        NodeKind::Aggregate(aggregation) => write_aggregation(aggregation, columns, out),
        NodeKind::Over(over) => write_over(over, columns, out),
        NodeKind::SelectKey { key, appends_key } => {
            out.write_str("has the key ")?;
            write_exprs(std::slice::from_ref(key), out)?;
            out.write_str(if *appends_key { ", in the value as well" } else { "" })
        }
        NodeKind::Materialize { store } => write!(out, "is kept in {}", store.name),
        NodeKind::StreamStreamJoin(join) => write_stream_join(join, out),
        NodeKind::StreamTableJoin(Joined { kind, .. }) => {
            write!(out, "{} stream with table", join_name(*kind))
        }
        NodeKind::TableTableJoin(Joined { kind, .. }) => {
            write!(out, "{} table with table", join_name(*kind))
        }
        NodeKind::ForeignKeySubscribe(subscribe) => {
            write!(out, "asks for the row at {}", subscribe.foreign_key.text)
        }
        NodeKind::ForeignKeyAnswer(answer) => {
            write!(out, "answers who asked, kept in {}", answer.store.name)
        }
        NodeKind::ForeignKeyResolve(resolve) => {
            let kind = if resolve.is_left { JoinKind::Left } else { JoinKind::Inner };
            let left = resolve.left.0 + 1;
            write!(out, "{} answers with the rows of step {left}", join_name(kind))
        }
    }
}

fn join_name(kind: JoinKind) -> &'static str {
    match kind {
        JoinKind::Inner => "joins",
        JoinKind::Left => "left joins",
        JoinKind::Right => "right joins",
        JoinKind::Full => "full joins",
    }
}

fn write_stream_join(join: &StreamStreamJoin, out: &mut String) -> fmt::Result {
    let StreamStreamJoin { kind, before_ms, after_ms, .. } = join;
    write!(out, "{} stream with stream", join_name(*kind))?;
    write!(out, ", {before_ms} ms before to {after_ms} ms after")?;
    if let Some(grace_ms) = join.grace_ms {
        write!(out, " with {grace_ms} ms of grace")?;
    }
    write!(out, ", kept {} ms in ", join.retention_ms())?;
    write_list(&join.stores().collect::<Vec<_>>(), out, |store| store.name.clone())
}

fn write_aggregation(
    aggregation: &Aggregation,
    columns: &[ColumnDef],
    out: &mut String,
) -> fmt::Result {
    let column = |index: usize| column_name(columns, index);
    out.write_str("aggregates ")?;
    write_list(&aggregation.calls, out, |call| {
        let args: Vec<String> = call.args.iter().map(|arg| column(*arg)).collect();
        format!("{}({})", call.name, args.join(", "))
    })?;
    let store = &aggregation.store;
    write!(out, " into {}", store.name)?;
    write_formats(&store.key_format, &store.value_format, out)?;
    match aggregation.window {
        None => {}
        Some(AggregateWindow::Time { windows, retention_ms, .. }) => write!(
            out,
            ", windows of {} ms every {} ms with {} ms of grace, kept {retention_ms} ms",
            windows.size_ms, windows.advance_ms, windows.grace_ms
        )?,
        Some(AggregateWindow::Session { gap_ms, grace_ms, retention_ms }) => write!(
            out,
            ", sessions with gaps of {gap_ms} ms and {grace_ms} ms of grace, kept {retention_ms} ms"
        )?,
    }
    out.write_str(if aggregation.is_final { ", final results only" } else { "" })
}

fn write_over(over: &Over, columns: &[ColumnDef], out: &mut String) -> fmt::Result {
    let column = |index: usize| column_name(columns, index);
    out.write_str("computes ")?;
    write_list(&over.calls, out, |OverCall { name, function, .. }| match function {
        OverFunction::Lag { value, rows, default }
        | OverFunction::Lead { value, rows, default } => {
            let default = default.map(|index| format!(", {}", column(index))).unwrap_or_default();
            format!("{name}({}, {rows}{default})", column(*value))
        }
        OverFunction::Aggregate { call, rows } => {
            let args: Vec<String> = call.args.iter().map(|arg| column(*arg)).collect();
            let rows = rows.map_or_else(|| "all".to_owned(), |rows| rows.to_string());
            format!("{name}({}) of the row and {rows} before", args.join(", "))
        }
    })?;
    let store = &over.last_rows;
    let rows = if over.depth == 1 { "row".to_owned() } else { format!("{} rows", over.depth) };
    write!(out, ", keeps the last {rows} of each key in {}", store.name)?;
    write_formats(&store.key_format, &store.value_format, out)?;
    if let Some(retention_ms) = over.retention_ms {
        write!(out, ", forgotten after {retention_ms} ms")?;
    }
    if let Some(HeldRows { grace_ms, store }) = &over.held {
        write!(out, ", in the order of time after {grace_ms} ms in {}", store.name)?;
    }
    Ok(())
}

/// The name of a column.
fn column_name(columns: &[ColumnDef], index: usize) -> String {
    columns.get(index).map_or_else(|| format!("#{index}"), |column| column.name.to_string())
}

fn write_exprs(exprs: &[NamedExpr], out: &mut String) -> fmt::Result {
    write_list(
        exprs,
        out,
        |NamedExpr { name, text, .. }| {
            if name == text { name.clone() } else { format!("{text} AS {name}") }
        },
    )
}

fn write_list<T>(items: &[T], out: &mut String, text: impl Fn(&T) -> String) -> fmt::Result {
    let items: Vec<String> = items.iter().map(text).collect();
    out.write_str(if items.is_empty() { "nothing" } else { "" })?;
    out.write_str(&items.join(", "))
}
