//! Answers to statements, each an entity with its `@type`.

use serde_json::{Map, Value, json};

use super::{details, types};
use crate::engine::Source;
use crate::engine::host::{
    AnswerBody, CommandStatus, Entity, FunctionText, PropertyText, QueryText, SourceText, TopicText,
};

/// An answer.
pub fn render(entity: &Entity) -> Value {
    let (ty, fields) = fields(&entity.body);
    let mut object = Map::new();
    object.insert("@type".to_owned(), json!(ty));
    object.insert("statementText".to_owned(), json!(entity.statement));
    if let Value::Object(fields) = fields {
        object.extend(fields);
    }
    object.insert("warnings".to_owned(), json!([]));
    Value::Object(object)
}

/// The type of an answer, and what it says.
fn fields(body: &AnswerBody) -> (&'static str, Value) {
    match body {
        AnswerBody::Status { command_id, status, sequence } => (
            "currentStatus",
            json!({
                "commandId": command_id,
                "commandStatus": command_status(status),
                "commandSequenceNumber": sequence,
            }),
        ),
        AnswerBody::Warning(message) => ("warning_entity", json!({ "message": message })),
        AnswerBody::Streams(sources) => {
            ("streams", json!({ "streams": list(sources, |source| listed(source)) }))
        }
        AnswerBody::Tables(sources) => {
            ("tables", json!({ "tables": list(sources, |source| listed(source)) }))
        }
        AnswerBody::Source(text) => {
            ("sourceDescription", json!({ "sourceDescription": source(text) }))
        }
        AnswerBody::Sources(texts) => {
            ("source_descriptions", json!({ "sourceDescriptions": list(texts, source) }))
        }
        AnswerBody::Topics { topics, is_extended: false } => {
            ("kafka_topics", json!({ "topics": list(topics, |text| topic(text, false)) }))
        }
        AnswerBody::Topics { topics, is_extended: true } => {
            ("kafka_topics_extended", json!({ "topics": list(topics, |text| topic(text, true)) }))
        }
        AnswerBody::Queries(queries) => ("queries", json!({ "queries": list(queries, query) })),
        AnswerBody::QueryDetail(query) => {
            ("queryDescription", json!({ "queryDescription": details::query(query) }))
        }
        AnswerBody::QueryDetails(queries) => {
            ("query_descriptions", json!({ "queryDescriptions": list(queries, details::query) }))
        }
        AnswerBody::Types(all) => {
            let all: Map<String, Value> =
                all.iter().map(|(name, ty)| (name.clone(), types::ty(ty))).collect();
            ("type_list", json!({ "types": all }))
        }
        AnswerBody::Variables(variables) => {
            let variable =
                |(name, value): &(String, String)| json!({ "name": name, "value": value });
            ("variables", json!({ "variables": list(variables, variable) }))
        }
        AnswerBody::Properties(properties) => ("properties", property_list(properties)),
        AnswerBody::Functions(functions) => {
            ("function_names", json!({ "functions": list(functions, function) }))
        }
        AnswerBody::Function(function) => ("describe_function", details::function(function)),
        AnswerBody::Connector(info) => ("connector_info", json!({ "info": info })),
        AnswerBody::ConnectorDropped(name) => ("drop_connector", json!({ "connectorName": name })),
        AnswerBody::Connectors(connectors) => {
            ("connector_list", json!({ "connectors": list(connectors, details::connector) }))
        }
        AnswerBody::ConnectorDetail(detail) => {
            let sources = list(&detail.sources, source);
            ("connector_description", details::connector_detail(detail, &sources))
        }
        AnswerBody::Plugins(plugins) => (
            "connector_plugins_list",
            json!({ "connectorsPlugins": list(plugins, details::plugin) }),
        ),
        AnswerBody::Schema { subject, id, exists } => {
            ("assert_schema", json!({ "subject": subject, "id": id, "exists": exists }))
        }
        AnswerBody::Topic { name, exists } => {
            ("assert_topic", json!({ "topicName": name, "exists": exists }))
        }
    }
}

fn list<T>(items: &[T], render: impl Fn(&T) -> Value) -> Value {
    items.iter().map(render).collect()
}

/// What became of a command.
pub fn command_status(status: &CommandStatus) -> Value {
    json!({
        "status": status.state.as_str(),
        "message": status.message,
        "queryId": status.query,
    })
}

/// A source in a list.
fn listed(source: &Source) -> Value {
    json!({
        "type": source.kind.as_str(),
        "name": source.name,
        "topic": source.topic,
        "keyFormat": source.key_format.format.name(),
        "valueFormat": source.value_format.format.name(),
        "isWindowed": source.is_windowed(),
    })
}

/// A source with all that uses it.
fn source(text: &SourceText) -> Value {
    let source = &text.source;
    json!({
        "name": source.name,
        "windowType": source.window.map(|window| window.kind.as_str()),
        "readQueries": list(&text.readers, query),
        "writeQueries": list(&text.writers, query),
        "fields": columns(source),
        "type": source.kind.as_str(),
        "timestamp": source.timestamp.as_ref().map_or("", |timestamp| &timestamp.column),
        "statistics": details::statistics(&text.figures),
        "errorStats": details::error_statistics(&text.figures),
        "extended": text.is_extended,
        "keyFormat": source.key_format.format.name(),
        "valueFormat": source.value_format.format.name(),
        "topic": source.topic,
        "partitions": text.partitions,
        "replication": text.replicas,
        "statement": source.sql,
        "queryOffsetSummaries": list(&text.offsets, details::offsets),
        "sourceConstraints": text.constraints,
        "clusterStatistics": details::cluster_statistics(&text.figures),
        "clusterErrorStats": details::cluster_error_statistics(&text.figures),
    })
}

/// The columns of a source: those of the key first.
pub fn columns(source: &Source) -> Value {
    let keys = source.schema.key.iter();
    let keys = keys.map(|column| types::column(&column.name, &column.ty, Some("KEY")));
    let values = source.schema.value.iter();
    let values = values.map(|column| types::column(&column.name, &column.ty, None));
    let headers = source.headers.iter().map(|header| {
        let mut column = types::column(&header.name, &header.ty(), Some("HEADER"));
        if let (Some(key), Some(object)) = (&header.key, column.as_object_mut()) {
            object.insert("headerKey".to_owned(), json!(key));
        }
        column
    });
    keys.chain(values).chain(headers).collect()
}

/// A query.
fn query(text: &QueryText) -> Value {
    let (sinks, topics): (Vec<&String>, Vec<&String>) =
        text.sink.iter().map(|(name, topic)| (name, topic)).unzip();
    let status = match (text.has_failed, text.is_paused) {
        (true, _) => "ERROR",
        (false, true) => "PAUSED",
        (false, false) => "RUNNING",
    };
    let state = if text.has_failed { "ERROR" } else { "RUNNING" };
    let mut counts = Map::new();
    counts.insert(status.to_owned(), json!(1));
    json!({
        "queryString": text.statement,
        "sinks": sinks,
        "sinkKafkaTopics": topics,
        "id": text.id,
        "statusCount": counts,
        "queryType": if text.is_persistent { "PERSISTENT" } else { "PUSH" },
        "state": state,
    })
}

fn topic(text: &TopicText, with_consumers: bool) -> Value {
    if with_consumers {
        return json!({
            "name": text.name,
            "replicaInfo": text.replicas,
            "consumerCount": text.consumers,
            "consumerGroupCount": text.groups,
        });
    }
    json!({ "name": text.name, "replicaInfo": text.replicas })
}

fn property_list(properties: &[PropertyText]) -> Value {
    let names = |is_it: fn(&PropertyText) -> bool| -> Vec<&str> {
        let found = properties.iter().filter(|property| is_it(property));
        found.map(|property| property.name.as_str()).collect()
    };
    json!({
        "properties": list(properties, property),
        "overwrittenProperties": names(|property| property.is_of_session),
        "defaultProperties": names(|property| property.is_default),
    })
}

fn property(text: &PropertyText) -> Value {
    json!({
        "name": text.name,
        "scope": "KSQL",
        "value": text.value,
        "editable": text.is_editable,
        "level": if text.is_of_query { "QUERY" } else { "SERVER" },
    })
}

fn function(text: &FunctionText) -> Value {
    json!({ "name": text.name, "type": text.kind, "category": text.category })
}
