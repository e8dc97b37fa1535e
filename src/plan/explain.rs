//! A plan as text: its source, its steps with what each gives, and its sink.
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
    AggregateWindow, Aggregation, NamedExpr, QueryPlan, Sink, Source, SourceWindow, Step, StepKind,
    TableCall,
};
use crate::formats::FormatSpec;
use crate::sql::ast::SourceKind;
use crate::types::{ColumnDef, WindowKind};

/// Prints a plan, a line for each thing that is done and one for the columns that it gives.
pub fn explain(plan: &QueryPlan) -> String {
    let mut out = String::new();
    // Writing to a text cannot fail.
    let _ = write_plan(plan, &mut out);
    out
}

fn write_plan(plan: &QueryPlan, out: &mut String) -> fmt::Result {
    write_source(&plan.source, out)?;
    let mut columns: &[ColumnDef] = &[];
    for (index, step) in plan.steps.iter().enumerate() {
        write!(out, "{:<8}{} ", format!("step {}", index + 1), step.name)?;
        write_kind(step, columns, out)?;
        writeln!(out, "\n        {}", step.schema)?;
        columns = &step.schema.value;
    }
    write_sink(&plan.sink, out)
}

fn write_source(source: &Source, out: &mut String) -> fmt::Result {
    write!(out, "source  {}: {} on {}", source.name, kind(source.kind), source.topic)?;
    write_formats(&source.key_format, &source.value_format, out)?;
    write_window(source.window, out)?;
    writeln!(out, "\n        {}", source.schema)
}

fn write_sink(sink: &Sink, out: &mut String) -> fmt::Result {
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
    let name = match window.kind {
        WindowKind::Tumbling => "TUMBLING",
        WindowKind::Hopping => "HOPPING",
        WindowKind::Session => "SESSION",
    };
    write!(out, ", {name} windows")?;
    window.size_ms.map_or(Ok(()), |size_ms| write!(out, " of {size_ms} ms"))
}

fn kind(kind: SourceKind) -> &'static str {
    match kind {
        SourceKind::Stream => "STREAM",
        SourceKind::Table => "TABLE",
    }
}

/// What a step does; `columns` are those of the value that it reads.
fn write_kind(step: &Step, columns: &[ColumnDef], out: &mut String) -> fmt::Result {
    match &step.kind {
        StepKind::StreamSource => out.write_str("reads a stream"),
        StepKind::TableSource { store } => write!(out, "reads a table into {store}"),
        StepKind::Filter { text, .. } => write!(out, "keeps rows for which {text}"),
        StepKind::Select { columns } => {
            out.write_str("selects ")?;
            write_exprs(columns, out)
        }
        StepKind::PartitionBy { keys } => {
            out.write_str("partitions by ")?;
            write_exprs(keys, out)
        }
        StepKind::FlatMap { functions } => {
            out.write_str("makes rows of ")?;
            write_list(functions, out, |TableCall { name, text, .. }| format!("{text} AS {name}"))
        }
        StepKind::GroupBy { keys } => {
            out.write_str("groups by ")?;
            write_exprs(keys, out)
        }
        StepKind::Repartition { topic, key_format, value_format } => {
            write!(out, "goes through {topic}")?;
            write_formats(key_format, value_format, out)
        }
        StepKind::Aggregate(aggregation) => write_aggregation(aggregation, columns, out),
    }
}

fn write_aggregation(
    aggregation: &Aggregation,
    columns: &[ColumnDef],
    out: &mut String,
) -> fmt::Result {
    let column = |index: usize| {
        columns.get(index).map_or_else(|| format!("#{index}"), |column| column.name.to_string())
    };
    out.write_str("aggregates ")?;
    write_list(&aggregation.calls, out, |call| {
        let args: Vec<String> = call.args.iter().map(|arg| column(*arg)).collect();
        format!("{}({})", call.name, args.join(", "))
    })?;
    write!(out, " into {}", aggregation.store)?;
    write_formats(&aggregation.key_format, &aggregation.value_format, out)?;
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
