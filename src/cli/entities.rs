//! What a server's answers to statements say to a reader: texts and tables.

use std::fmt::Write as _;

use serde_json::Value;

use crate::sql::print::identifier;

/// A part of an answer.
#[derive(Debug, Clone, PartialEq)]
pub enum Part {
    /// A text of one or more lines.
    Text(String),
    /// A table.
    Rows {
        /// The names of its columns.
        columns: Vec<String>,
        /// Its rows.
        rows: Vec<Vec<Value>>,
    },
}

/// A list that answers have: its entity, where it stands in that, and which field each column shows.
struct List {
    entity: &'static str,
    field: &'static str,
    columns: &'static [(&'static str, &'static str)],
}

/// The entities that are lists.
static LISTS: &[List] = &[
    List {
        entity: "streams",
        field: "streams",
        columns: &[
            ("Stream", "name"),
            ("Topic", "topic"),
            ("Key format", "keyFormat"),
            ("Value format", "valueFormat"),
            ("Windowed", "isWindowed"),
        ],
    },
    List {
        entity: "tables",
        field: "tables",
        columns: &[
            ("Table", "name"),
            ("Topic", "topic"),
            ("Key format", "keyFormat"),
            ("Value format", "valueFormat"),
            ("Windowed", "isWindowed"),
        ],
    },
    List {
        entity: "kafka_topics",
        field: "topics",
        columns: &[
            ("Topic", "name"),
            ("Partitions", "replicaInfo#"),
            ("Replicas", "replicaInfo/0"),
        ],
    },
    List {
        entity: "kafka_topics_extended",
        field: "topics",
        columns: &[
            ("Topic", "name"),
            ("Partitions", "replicaInfo#"),
            ("Replicas", "replicaInfo/0"),
            ("Consumers", "consumerCount"),
            ("Groups", "consumerGroupCount"),
        ],
    },
    List {
        entity: "queries",
        field: "queries",
        columns: &[
            ("Query", "id"),
            ("Type", "queryType"),
            ("Status", "statusCount"),
            ("Sink", "sinks"),
            ("Topic", "sinkKafkaTopics"),
            ("Statement", "queryString"),
        ],
    },
    List {
        entity: "properties",
        field: "properties",
        columns: &[
            ("Property", "name"),
            ("Scope", "scope"),
            ("Level", "level"),
            ("Value", "value"),
        ],
    },
    List {
        entity: "function_names",
        field: "functions",
        columns: &[("Function", "name"), ("Category", "category"), ("Type", "type")],
    },
    List {
        entity: "variables",
        field: "variables",
        columns: &[("Variable", "name"), ("Value", "value")],
    },
    List {
        entity: "connector_list",
        field: "connectors",
        columns: &[
            ("Connector", "name"),
            ("Type", "type"),
            ("Class", "className"),
            ("Status", "state"),
        ],
    },
    List {
        entity: "connector_plugins_list",
        field: "connectorPlugins",
        columns: &[("Class", "className"), ("Type", "type"), ("Version", "version")],
    },
];

/// What an entity says.
pub fn parts(entity: &Value) -> Vec<Part> {
    let name = entity["@type"].as_str().unwrap_or_default();
    let mut parts = match LISTS.iter().find(|list| list.entity == name) {
        Some(list) => vec![table(&entity[list.field], list.columns)],
        None => described(name, entity),
    };
    for warning in entity["warnings"].as_array().into_iter().flatten() {
        if let Some(message) = warning["message"].as_str() {
            parts.push(Part::Text(format!("warning: {message}")));
        }
    }
    parts
}

/// Whether an entity says that the statement failed, and why.
pub fn failure(entity: &Value) -> Option<&str> {
    let status = &entity["commandStatus"];
    (status["status"] == "ERROR").then(|| status["message"].as_str().unwrap_or("it failed"))
}

fn described(name: &str, entity: &Value) -> Vec<Part> {
    match name {
        "currentStatus" => vec![text(&entity["commandStatus"]["message"])],
        "warning_entity" => vec![text(&entity["message"])],
        "sourceDescription" => source(&entity["sourceDescription"]),
        "source_descriptions" => each(&entity["sourceDescriptions"], source),
        "queryDescription" => query(&entity["queryDescription"]),
        "query_descriptions" => each(&entity["queryDescriptions"], query),
        "describe_function" => function(entity),
        "type_list" => vec![types(&entity["types"])],
        "executionPlan" => vec![text(&entity["executionPlan"])],
        "terminate_query" => {
            vec![Part::Text(format!("query {} is ended", plain(&entity["queryId"])))]
        }
        "assert_topic" => vec![asserted("topic", &entity["topicName"], &entity["exists"])],
        "assert_schema" => vec![asserted("schema", &entity["subject"], &entity["exists"])],
        "connector_info" => {
            vec![Part::Text(format!("connector {} is created", plain(&entity["info"]["name"])))]
        }
        "drop_connector" => {
            vec![Part::Text(format!("connector {} is dropped", plain(&entity["connectorName"])))]
        }
        _ => vec![Part::Text(serde_json::to_string_pretty(entity).unwrap_or_default())],
    }
}

fn text(value: &Value) -> Part {
    Part::Text(plain(value))
}

/// A text as it is, and anything else as JSON.
fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn asserted(kind: &str, name: &Value, exists: &Value) -> Part {
    let not = if exists == false { "does not exist" } else { "exists" };
    Part::Text(format!("{kind} {} {not}", plain(name)))
}

fn each(list: &Value, parts: impl Fn(&Value) -> Vec<Part>) -> Vec<Part> {
    list.as_array().into_iter().flatten().flat_map(parts).collect()
}

/// The objects of a list as a table; `a/0` is the first of a list, and `a#` how many it has.
fn table(list: &Value, columns: &[(&str, &str)]) -> Part {
    let field = |object: &Value, field: &str| {
        if let Some(name) = field.strip_suffix('#') {
            return object[name].as_array().map_or(Value::Null, |items| items.len().into());
        }
        let found = object.pointer(&format!("/{field}")).cloned().unwrap_or_default();
        match found {
            Value::Array(items) => Value::from(joined(items.iter().map(plain))),
            Value::Object(map) => Value::from(joined(
                map.iter().map(|(name, count)| format!("{name}:{}", plain(count))),
            )),
            // A statement of several lines is one in a table.
            Value::String(text) if text.contains('\n') => {
                Value::from(text.split_whitespace().collect::<Vec<_>>().join(" "))
            }
            other => other,
        }
    };
    let rows = list.as_array().into_iter().flatten();
    let rows = rows.map(|object| columns.iter().map(|(_, name)| field(object, name)).collect());
    Part::Rows { columns: names(columns.iter().map(|(column, _)| *column)), rows: rows.collect() }
}

fn names<'a>(names: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    names.into_iter().map(str::to_owned).collect()
}

fn joined(items: impl Iterator<Item = String>) -> String {
    items.collect::<Vec<_>>().join(", ")
}

/// A stream or a table: what it is, its columns, and what reads and writes it.
fn source(source: &Value) -> Vec<Part> {
    let mut head = format!("{} {}", plain(&source["type"]).to_lowercase(), plain(&source["name"]));
    if let Some(window) = source["windowType"].as_str() {
        let _ = write!(head, ", windows: {}", window.to_lowercase());
    }
    let details = [
        ("topic", "topic"),
        ("key format", "keyFormat"),
        ("value format", "valueFormat"),
        ("partitions", "partitions"),
        ("replicas", "replication"),
        ("timestamp", "timestamp"),
        ("statement", "statement"),
        ("statistics", "statistics"),
    ];
    let is_said = |value: &Value| !value.is_null() && value != "" && value != 0;
    for (name, field) in details {
        if is_said(&source[field]) {
            let _ = write!(head, "\n{name}: {}", plain(&source[field]));
        }
    }
    let mut parts = vec![Part::Text(head), fields(&source["fields"], source["type"] == "TABLE")];
    for (name, list) in [("read by", "readQueries"), ("written by", "writeQueries")] {
        let queries = source[list].as_array().into_iter().flatten();
        let ids = joined(queries.map(|query| plain(&query["id"])));
        if !ids.is_empty() {
            parts.push(Part::Text(format!("{name} {ids}")));
        }
    }
    parts
}

/// A query: its statement, its columns, and how it runs.
fn query(query: &Value) -> Vec<Part> {
    let mut head = format!("query {}", plain(&query["id"]));
    if let Some(state) = query["state"].as_str() {
        let _ = write!(head, ", {state}");
    }
    let _ = write!(head, "\n{}", plain(&query["statementText"]));
    let mut parts = vec![Part::Text(head), fields(&query["fields"], false)];
    for (name, field) in [("sources", "sources"), ("sinks", "sinks")] {
        let names = joined(query[field].as_array().into_iter().flatten().map(plain));
        if !names.is_empty() {
            parts.push(Part::Text(format!("{name}: {names}")));
        }
    }
    for (name, field) in [("execution plan", "executionPlan"), ("topology", "topology")] {
        if let Some(plan) = query[field].as_str().filter(|plan| !plan.trim().is_empty()) {
            parts.push(Part::Text(format!("{name}:\n{}", plan.trim_end())));
        }
    }
    parts
}

/// The columns of a source or a query.
fn fields(fields: &Value, is_table: bool) -> Part {
    let rows = fields.as_array().into_iter().flatten().map(|field| {
        let key = if is_table { "primary key" } else { "key" };
        let role = match field["type"].as_str() {
            Some("KEY") => key.to_owned(),
            Some("HEADER") => field["headerKey"]
                .as_str()
                .map_or("headers".to_owned(), |key| format!("header '{key}'")),
            _ => String::new(),
        };
        vec![field["name"].clone(), Value::from(type_text(&field["schema"])), Value::from(role)]
    });
    Part::Rows { columns: names(["Column", "Type", "Role"]), rows: rows.collect() }
}

/// A type as SQL writes it.
pub(crate) fn type_text(schema: &Value) -> String {
    let member = || type_text(&schema["memberSchema"]);
    match schema["type"].as_str().unwrap_or_default() {
        "ARRAY" => format!("ARRAY<{}>", member()),
        "MAP" => format!("MAP<STRING, {}>", member()),
        "STRUCT" => {
            let fields = schema["fields"].as_array().into_iter().flatten();
            let field = |field: &Value| {
                format!("{} {}", identifier(&plain(&field["name"])), type_text(&field["schema"]))
            };
            format!("STRUCT<{}>", joined(fields.map(field)))
        }
        "DECIMAL" => {
            let parameters = &schema["parameters"];
            format!("DECIMAL({}, {})", plain(&parameters["precision"]), plain(&parameters["scale"]))
        }
        other => other.to_owned(),
    }
}

/// A function: what it does, and how it is called.
fn function(function: &Value) -> Vec<Part> {
    let name = plain(&function["name"]);
    let mut said = format!("{name}: {}", plain(&function["description"]));
    for variant in function["functions"].as_array().into_iter().flatten() {
        let arguments = variant["arguments"].as_array().into_iter().flatten();
        let argument = |argument: &Value| {
            let (name, ty) = (plain(&argument["name"]), plain(&argument["type"]));
            let dots = if argument["isVariadic"] == true { "..." } else { "" };
            if name.is_empty() { format!("{ty}{dots}") } else { format!("{name} {ty}{dots}") }
        };
        let arguments = joined(arguments.map(argument));
        let _ = write!(said, "\n  {name}({arguments}) -> {}", plain(&variant["returnType"]));
        if let Some(description) = variant["description"].as_str().filter(|text| !text.is_empty()) {
            let _ = write!(said, "\n    {description}");
        }
    }
    vec![Part::Text(said)]
}

fn types(types: &Value) -> Part {
    let rows = types.as_object().into_iter().flatten();
    let rows =
        rows.map(|(name, schema)| vec![Value::from(name.as_str()), Value::from(type_text(schema))]);
    Part::Rows { columns: names(["Type", "Is"]), rows: rows.collect() }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn lists_are_tables() {
        let entity = json!({"@type": "kafka_topics", "topics": [{"name": "a", "replicaInfo": [1, 1, 1]}], "warnings": []});
        let Part::Rows { columns, rows } = &parts(&entity)[0] else { panic!("a table") };
        assert_eq!(columns, &["Topic", "Partitions", "Replicas"]);
        assert_eq!(rows, &[[json!("a"), json!(3), json!(1)]]);
        let queries = json!({"@type": "queries", "queries": [
            {"id": "CSAS_A_1", "statusCount": {"RUNNING": 1}, "sinks": ["A"]}]});
        let Part::Rows { rows, .. } = &parts(&queries)[0] else { panic!("a table") };
        assert_eq!(rows[0][2..4], [json!("RUNNING:1"), json!("A")]);
    }

    #[test]
    fn sources_show_keys_and_types() {
        let entity = json!({"@type": "sourceDescription", "sourceDescription": {
            "name": "T", "type": "TABLE", "windowType": "TUMBLING", "topic": "t", "partitions": 0,
            "readQueries": [{"id": "CTAS_X_3"}], "writeQueries": [],
            "fields": [
                {"name": "K", "schema": {"type": "STRING"}, "type": "KEY"},
                {"name": "D", "schema": {"type": "DECIMAL", "parameters": {"precision": 8, "scale": 2}}},
                {"name": "S", "schema": {"type": "STRUCT", "fields": [
                    {"name": "A", "schema": {"type": "ARRAY", "memberSchema": {"type": "DOUBLE"}}}]}}]}});
        let parts = parts(&entity);
        assert_eq!(parts[0], Part::Text("table T, windows: tumbling\ntopic: t".into()));
        let Part::Rows { rows, .. } = &parts[1] else { panic!("a table") };
        assert_eq!(rows[0], [json!("K"), json!("STRING"), json!("primary key")]);
        assert_eq!(rows[1][1], "DECIMAL(8, 2)");
        assert_eq!(rows[2][1], "STRUCT<A ARRAY<DOUBLE>>");
        assert_eq!(parts[2], Part::Text("read by CTAS_X_3".into()));
    }

    #[test]
    fn what_is_not_known_is_shown_as_it_is() {
        let entity = json!({"@type": "of tomorrow", "x": 1, "warnings": [{"message": "careful"}]});
        let parts = parts(&entity);
        assert!(matches!(&parts[0], Part::Text(text) if text.contains("of tomorrow")));
        assert_eq!(parts[1], Part::Text("warning: careful".into()));
        let failed = json!({"commandStatus": {"status": "ERROR", "message": "no"}});
        assert_eq!(failure(&failed), Some("no"));
    }
}
