//! The plan of a command, as ksqlDB's servers write it beside its statement: what the statement does to what exists, and
//! the steps of its query.
//!
//! ```text
//! {"@type": "ksqlPlanV1", "statementText": …, "ddlCommand": {"@type": "createTableV1", …},
//!  "queryPlan": {"sources": […], "sink": …, "physicalPlan": {"@type": "tableSinkV1", … "source": {…}}, "queryId": …}}
//! ```
//! Fields stand in ksqlDB's order. Of a plan that is read, the id of its query is taken; what the query does is planned anew
//! from the statement, which gives the same.

use serde_json::{Map, Value, json};

use super::ksql_steps::{duration, formats, source_schema, step, timestamp, window_info};
use crate::engine::Planned;
use crate::engine::planned::{Effect, PlannedQuery};
use crate::plan::steps::steps;
use crate::plan::{Aggregation, NodeKind, QueryPlan, Source};
use crate::sql::ast::{self, Emit, SourceKind, Statement};

/// The plan of a statement that gets this number; null for one that has none.
pub(super) fn write(planned: &Planned, statement: &Statement, text: &str, number: i64) -> Value {
    let (command, query) = match &planned.effect {
        Effect::PutSource { source, .. } => (put_source(source, statement), Value::Null),
        Effect::Query(query) => {
            let Some(plan) = query_plan(query, statement, number) else { return Value::Null };
            let made =
                query.source.as_ref().map(|(source, _)| create(source, &query.plan, statement));
            (made.unwrap_or(Value::Null), plan)
        }
        Effect::PutType { name, ty } => (
            json!({ "@type": "registerTypeV1", "type": ty.to_string(), "name": name }),
            Value::Null,
        ),
        Effect::DropType { name } => {
            (json!({ "@type": "dropTypeV1", "typeName": name }), Value::Null)
        }
        Effect::DropSource { name, .. } => {
            (json!({ "@type": "dropSourceV1", "sourceName": name }), Value::Null)
        }
        _ => return Value::Null,
    };
    json!({
        "@type": "ksqlPlanV1",
        "statementText": text,
        "ddlCommand": command,
        "queryPlan": query,
    })
}

/// The id of the query of a plan that another server, or ksqlDB's, has written.
pub(super) fn query_id(plan: &Value) -> Option<String> {
    plan.get("queryPlan")?.get("queryId")?.as_str().map(str::to_owned)
}

/// What makes or changes a source without a query.
fn put_source(source: &Source, statement: &Statement) -> Value {
    if let Statement::AlterSource(alter) = statement {
        let is_new = |name: &str| alter.add.iter().any(|column| column.name.text == name);
        let new = source.schema.value.iter().filter(|column| is_new(&column.name));
        let new: Vec<String> =
            new.map(|column| format!("`{}` {}", column.name, column.ty)).collect();
        return json!({
            "@type": "alterSourceV1",
            "sourceName": source.name,
            "ksqlType": source.kind.as_str(),
            "newColumns": new,
        });
    }
    let (or_replace, is_source) = match statement {
        Statement::CreateSource(create) => (create.or_replace, create.is_source),
        _ => (false, false),
    };
    create_source(source, &window_info(source.window, None), or_replace, is_source)
}

/// What makes the source that a query fills.
fn create(source: &Source, plan: &QueryPlan, statement: &Statement) -> Value {
    let or_replace = matches!(statement, Statement::CreateAs(create) if create.or_replace);
    let emit =
        aggregation(plan).map(|aggregation| if aggregation.is_final { "FINAL" } else { "CHANGES" });
    let is_source = matches!(statement, Statement::CreateSource(create) if create.is_source);
    create_source(source, &window_info(source.window, emit), or_replace, is_source)
}

fn create_source(source: &Source, window: &Value, or_replace: bool, is_source: bool) -> Value {
    let kind = match source.kind {
        SourceKind::Stream => "createStreamV1",
        SourceKind::Table => "createTableV1",
    };
    json!({
        "@type": kind,
        "sourceName": source.name,
        "schema": source_schema(source),
        "timestampColumn": timestamp(source.timestamp.as_ref()),
        "topicName": source.topic,
        "formats": formats(source),
        "windowInfo": window,
        "orReplace": or_replace,
        "isSource": is_source,
    })
}

/// The windowed aggregation of a query, if there is one.
fn aggregation(plan: &QueryPlan) -> Option<&Aggregation> {
    plan.nodes.iter().find_map(|node| match &node.kind {
        NodeKind::Aggregate(aggregation) if aggregation.window.is_some() => Some(aggregation),
        _ => None,
    })
}

/// The plan of a query; none if it does what ksqlDB cannot.
fn query_plan(query: &PlannedQuery, statement: &Statement, number: i64) -> Option<Value> {
    let last = steps(&query.plan);
    if last.is_beyond_ksqldb() {
        return None;
    }
    let mut sources: Vec<&str> =
        query.plan.sources().map(|(_, source)| source.name.as_str()).collect();
    sources.sort_unstable();
    sources.dedup();
    Some(json!({
        "sources": sources,
        "sink": query.plan.sink.has_topic().then_some(&query.plan.sink.name),
        "physicalPlan": step(&last, &window(statement)),
        "queryId": query.id.clone().with_number(number),
        "runtimeId": null,
    }))
}

/// The `WINDOW` of a statement, as it is written.
fn window(statement: &Statement) -> Value {
    let query = match statement {
        Statement::CreateAs(create) => &create.query,
        Statement::InsertInto(insert) => &insert.query,
        _ => return Value::Null,
    };
    let Some(window) = &query.window else { return Value::Null };
    let optional = |length: Option<ast::Duration>| length.map_or(Value::Null, duration);
    let mut fields = Map::new();
    let mut field = |name: &str, value: Value| drop(fields.insert(name.to_owned(), value));
    let kind = match window.kind {
        ast::WindowKind::Tumbling { size } => {
            field("size", duration(size));
            "TUMBLING"
        }
        ast::WindowKind::Hopping { size, advance } => {
            field("size", duration(size));
            field("advanceBy", duration(advance));
            "HOPPING"
        }
        ast::WindowKind::Session { gap } => {
            field("gap", duration(gap));
            "SESSION"
        }
    };
    field("retention", optional(window.retention));
    field("gracePeriod", optional(window.grace));
    field("emitStrategy", json!((query.emit == Some(Emit::Final)).then_some("FINAL")));
    field("windowType", json!(kind));
    Value::Object(fields)
}
