//! Queries, functions and sources in detail, in ksqlDB's JSON.

use serde_json::{Map, Value, json};

use super::types;
use crate::engine::host::{
    ArgumentText, ConnectorDetail, ConnectorText, Counted, FieldText, FunctionDetail, OverloadText,
    PartitionOffsets, PluginText, QueryDetail, QueryErrorText, SourceFigures, TaskText,
    TopicOffsets,
};

/// What stands before all figures, as ksqlDB says it.
const DEPRECATED: &str = "The statistics field is deprecated and will be removed in a future version of \
                          ksql. Please update your client to the latest version and use statisticsMap \
                          instead.\n";

/// A query in detail.
pub(super) fn query(text: &QueryDetail) -> Value {
    let field =
        |field: &FieldText| types::column(&field.name, &field.ty, field.is_key.then_some("KEY"));
    let overrides: Map<String, Value> =
        text.overrides.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
    let on_hosts: Map<String, Value> =
        text.on_host.iter().map(|(host, state)| (host.clone(), json!(state))).collect();
    json!({
        "id": text.id,
        "statementText": text.statement,
        "windowType": text.window,
        "fields": all(&text.fields, field),
        "sources": text.sources,
        "sinks": text.sinks,
        "topology": text.topology,
        "executionPlan": text.execution_plan,
        "overriddenProperties": overrides,
        "ksqlHostQueryStatus": on_hosts,
        "queryType": if text.is_persistent { "PERSISTENT" } else { "PUSH" },
        "queryErrors": all(&text.errors, query_error),
        "tasksMetadata": all(&text.tasks, task),
        "consumerGroupId": text.group,
        "state": text.state,
    })
}

fn all<T>(items: &[T], render: impl Fn(&T) -> Value) -> Value {
    items.iter().map(render).collect()
}

fn query_error(error: &QueryErrorText) -> Value {
    json!({ "timestamp": error.at_ms, "errorMessage": error.message, "type": "UNKNOWN" })
}

fn task(text: &TaskText) -> Value {
    let input = |(topic, offsets): &(String, PartitionOffsets)| {
        json!({
            "topicPartitionEntity": { "topic": topic, "partition": offsets.partition },
            "endOffset": offsets.end - 1,
            "committedOffset": offsets.position,
        })
    };
    json!({
        "taskId": text.id,
        "topicOffsets": all(&text.inputs, input),
        "timeCurrentIdlingStarted": null,
    })
}

/// How far a query has come, with its group.
pub(super) fn offsets((group, topics): &(String, Vec<TopicOffsets>)) -> Value {
    let partition = |offsets: &PartitionOffsets| {
        json!({
            "partition": offsets.partition,
            "logStartOffset": offsets.start,
            "logEndOffset": offsets.end,
            "consumerOffset": offsets.position,
        })
    };
    let topic = |topic: &TopicOffsets| json!({ "kafkaTopic": topic.topic, "offsets": all(&topic.offsets, partition) });
    json!({ "groupId": group, "topicSummaries": all(topics, topic) })
}

/// The figures of a source as text; nothing if nothing was counted.
pub(super) fn statistics(figures: &SourceFigures) -> String {
    let read = counted(figures.read, "consumer-messages-per-sec", "consumer-total-messages");
    let written = counted(figures.written, "messages-per-sec", "total-messages");
    let texts: Vec<String> = read.into_iter().chain(written).collect();
    if texts.is_empty() { String::new() } else { format!("{DEPRECATED}{}", texts.join(" ")) }
}

fn counted(counted: Counted, rate: &str, total: &str) -> Option<String> {
    let Counted { records, per_second } = counted;
    (records > 0).then(|| format!("{rate}: {per_second:9.2} {total}: {records:9}"))
}

/// What was skipped of a source, as text.
pub(super) fn error_statistics(figures: &SourceFigures) -> String {
    let skipped = figures.unreadable;
    let text = || format!("{DEPRECATED}consumer-failed-messages: {skipped:9}");
    if skipped == 0 { String::new() } else { text() }
}

/// The same as values.
pub(super) fn cluster_statistics(figures: &SourceFigures) -> Value {
    let SourceFigures { read, written, .. } = figures;
    let named = [
        (read, "consumer-messages-per-sec", "consumer-total-messages"),
        (written, "messages-per-sec", "total-messages"),
    ];
    let named = named.into_iter().filter(|(counted, ..)| counted.records > 0);
    let values = named.flat_map(|(counted, rate, total)| {
        let total_value = counted.records as f64;
        [value(figures, rate, counted.per_second), value(figures, total, total_value)]
    });
    values.collect()
}

/// What was skipped, as a value.
pub(super) fn cluster_error_statistics(figures: &SourceFigures) -> Value {
    let skipped = Some(figures.unreadable as f64).filter(|skipped| *skipped > 0.0);
    skipped.map(|skipped| value(figures, "consumer-failed-messages", skipped)).into_iter().collect()
}

fn value(figures: &SourceFigures, name: &str, value: f64) -> Value {
    json!({ "name": name, "host": figures.server, "value": value, "timestamp": figures.at_ms })
}

/// A function in all its forms.
pub(super) fn function(text: &FunctionDetail) -> Value {
    json!({
        "name": text.name,
        "description": text.summary,
        "author": "",
        "version": "",
        "path": "internal",
        "functions": all(&text.overloads, overload),
        "type": text.kind,
    })
}

fn overload(text: &OverloadText) -> Value {
    let argument = |argument: &ArgumentText| {
        json!({
            "name": argument.name,
            "type": argument.ty,
            "description": "",
            "isVariadic": argument.is_variadic,
        })
    };
    let types: Vec<&str> = text.arguments.iter().map(|argument| argument.ty.as_str()).collect();
    json!({
        "arguments": all(&text.arguments, argument),
        "returnType": text.returns,
        "description": text.summary,
        "argumentTypes": types,
    })
}

/// A connector in a list.
pub(super) fn connector(text: &ConnectorText) -> Value {
    json!({
        "name": text.name,
        "type": text.kind,
        "className": text.class,
        "state": text.state,
    })
}

/// A connector in detail, with the sources over its topics.
pub(super) fn connector_detail(text: &ConnectorDetail, sources: &Value) -> Value {
    json!({
        "connectorClass": text.class,
        "status": text.status,
        "sources": sources,
        "topics": text.topics,
    })
}

/// A kind of connector.
pub(super) fn plugin(text: &PluginText) -> Value {
    json!({ "className": text.class, "type": text.kind, "version": text.version })
}
