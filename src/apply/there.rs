//! What a server says is there, out of its answers.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::cli::entities::type_text;
use crate::engine::TopicShape;
use crate::sql::ast::SourceKind;

/// What a server says is there.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct There {
    /// The properties of the server that have a value, by name.
    pub properties: BTreeMap<String, String>,
    /// Custom types, each with what it stands for.
    pub types: Vec<(String, String)>,
    /// Streams and tables.
    pub sources: Vec<SourceThere>,
    /// Persistent queries.
    pub queries: Vec<QueryThere>,
    /// Topics.
    pub topics: Vec<(String, TopicShape)>,
}

/// A stream or table that is there.
#[derive(Clone, Debug, PartialEq)]
pub struct SourceThere {
    /// Its name.
    pub name: String,
    /// Stream or table.
    pub kind: SourceKind,
    /// The statement that made it, as the server shows it; behind it those that have altered it.
    pub statement: String,
    /// Its columns.
    pub columns: Vec<ColumnThere>,
}

/// A column that is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ColumnThere {
    /// Its name.
    pub name: String,
    /// Its type as SQL.
    pub ty: String,
    /// What it is: a value if nothing is said.
    pub role: Option<String>,
}

/// A persistent query that is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueryThere {
    /// Its id.
    pub id: String,
    /// The statement that made it, as the server shows it.
    pub statement: String,
    /// What it writes into.
    pub sinks: Vec<String>,
    /// What its session had set.
    pub overrides: BTreeMap<String, String>,
    /// Whether it is paused.
    pub is_paused: bool,
}

impl There {
    /// The statements whose answers tell it.
    pub const ASKED: &str = "SHOW PROPERTIES; SHOW TYPES; SHOW ALL TOPICS; DESCRIBE STREAMS; \
                             DESCRIBE TABLES; SHOW QUERIES EXTENDED;";

    /// What answers tell; an error says what they lack.
    pub fn of(answers: &[Value]) -> Result<Self, String> {
        let of_type = |name: &'static str| answers.iter().filter(move |one| one["@type"] == name);
        let one =
            |name: &'static str| of_type(name).next().ok_or_else(|| format!("it has no {name}"));
        let mut there = Self {
            properties: properties(one("properties")?),
            types: types(one("type_list")?),
            topics: list(&one("kafka_topics")?["topics"]).filter_map(topic).collect(),
            ..Self::default()
        };
        one("source_descriptions")?;
        let mut paused = Vec::new();
        for description in
            of_type("source_descriptions").flat_map(|one| list(&one["sourceDescriptions"]))
        {
            there.sources.push(source(description)?);
            let writers = list(&description["writeQueries"]);
            paused.extend(writers.filter(|query| is_paused(query)).map(|query| text(&query["id"])));
        }
        // A ksqlDB of several servers may tell of a query more than once.
        let mut queries: BTreeMap<String, QueryThere> = BTreeMap::new();
        let mut order = Vec::new();
        for description in list(&one("query_descriptions")?["queryDescriptions"]) {
            let id = text(&description["id"]);
            if is_persistent(description) && !queries.contains_key(&id) {
                order.push(id.clone());
                let is_paused = paused.contains(&id);
                queries.insert(id.clone(), QueryThere { is_paused, ..query(id, description) });
            }
        }
        there.queries = order.iter().filter_map(|id| queries.remove(id)).collect();
        Ok(there)
    }
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn map(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}

/// A value as text: what is text already without its quotes.
fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn properties(entity: &Value) -> BTreeMap<String, String> {
    let named = list(&entity["properties"]).filter_map(|property| {
        let value = property["value"].as_str().filter(|value| !value.is_empty())?;
        Some((text(&property["name"]), value.to_owned()))
    });
    named.collect()
}

fn types(entity: &Value) -> Vec<(String, String)> {
    map(&entity["types"]).map(|(name, schema)| (name.clone(), type_text(schema))).collect()
}

/// A topic with a number of replicas for each of its partitions.
fn topic(topic: &Value) -> Option<(String, TopicShape)> {
    let replicas = topic["replicaInfo"].as_array()?;
    let partitions = i32::try_from(replicas.len()).ok()?;
    let replicas = replicas.first().and_then(Value::as_i64).unwrap_or(1);
    let replicas = i16::try_from(replicas).ok()?;
    Some((text(&topic["name"]), TopicShape { partitions, replicas, retention_ms: None }))
}

fn source(description: &Value) -> Result<SourceThere, String> {
    let name = text(&description["name"]);
    let statement = description["statement"].as_str();
    let statement = statement.ok_or_else(|| format!("it does not tell the statement of {name}"))?;
    let kind = match description["type"].as_str() {
        Some("STREAM") => SourceKind::Stream,
        Some("TABLE") => SourceKind::Table,
        _ => return Err(format!("{name} is neither a stream nor a table")),
    };
    let columns = list(&description["fields"]).map(column).collect();
    Ok(SourceThere { name, kind, statement: statement.to_owned(), columns })
}

/// A column out of a description.
pub(super) fn column(field: &Value) -> ColumnThere {
    let header = field["headerKey"].as_str();
    let role = match (field["type"].as_str(), header) {
        (Some("HEADER"), None) => Some("HEADERS".to_owned()),
        (Some("HEADER"), Some(key)) => Some(format!("HEADER({})", crate::sql::print::string(key))),
        (role, _) => role.map(str::to_owned),
    };
    ColumnThere { name: text(&field["name"]), ty: type_text(&field["schema"]), role }
}

fn is_paused(query: &Value) -> bool {
    query["statusCount"].get("PAUSED").is_some()
}

fn is_persistent(description: &Value) -> bool {
    description["queryType"] == "PERSISTENT"
}

fn query(id: String, description: &Value) -> QueryThere {
    let overrides = map(&description["overriddenProperties"]);
    QueryThere {
        id,
        statement: text(&description["statementText"]),
        sinks: list(&description["sinks"]).map(text).collect(),
        overrides: overrides.map(|(name, value)| (name.clone(), text(value))).collect(),
        is_paused: false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn answers_tell_what_is_there() {
        let query = |id: &str, ty: &str| {
            json!({"id": id, "statementText": "CREATE …", "sinks": ["T"], "queryType": ty,
                   "overriddenProperties": {"commit.interval.ms": 100}})
        };
        let answers = json!([
            {"@type": "properties", "properties": [
                {"name": "ksql.service.id", "value": "a_"}, {"name": "b", "value": null}, {"name": "c", "value": ""}]},
            {"@type": "type_list", "types": {"M": {"type": "DECIMAL", "parameters": {"precision": 8, "scale": 2}}}},
            {"@type": "kafka_topics", "topics": [{"name": "t", "replicaInfo": [2, 2, 2]}]},
            {"@type": "source_descriptions", "sourceDescriptions": []},
            {"@type": "source_descriptions", "sourceDescriptions": [
                {"name": "T", "type": "TABLE", "statement": "CREATE TABLE T …",
                 "writeQueries": [{"id": "CTAS_T_1", "statusCount": {"PAUSED": 1}}],
                 "fields": [
                    {"name": "K", "schema": {"type": "STRING"}, "type": "KEY"},
                    {"name": "s", "schema": {"type": "STRUCT", "fields": [{"name": "a", "schema": {"type": "DOUBLE"}}]}},
                    {"name": "H", "schema": {"type": "BYTES"}, "type": "HEADER", "headerKey": "h"}]}]},
            {"@type": "query_descriptions", "queryDescriptions": [
                query("CTAS_T_1", "PERSISTENT"), query("CTAS_T_1", "PERSISTENT"), query("x", "PUSH")]},
        ]);
        let there = There::of(answers.as_array().unwrap()).unwrap();
        assert_eq!(there.properties, BTreeMap::from([("ksql.service.id".into(), "a_".into())]));
        assert_eq!(there.types, [("M".to_owned(), "DECIMAL(8, 2)".to_owned())]);
        assert_eq!(there.topics[0].1.partitions, 3);
        let column = |name: &str, ty: &str, role: Option<&str>| ColumnThere {
            name: name.into(),
            ty: ty.into(),
            role: role.map(str::to_owned),
        };
        let expected = [
            column("K", "STRING", Some("KEY")),
            column("s", "STRUCT<`a` DOUBLE>", None),
            column("H", "BYTES", Some("HEADER('h')")),
        ];
        assert_eq!(there.sources[0].columns, expected);
        let [query] = &*there.queries else { panic!("{:?}", there.queries) };
        assert!(query.is_paused);
        assert_eq!(query.overrides, BTreeMap::from([("commit.interval.ms".into(), "100".into())]));
    }

    #[test]
    fn what_is_no_answer_of_a_server_is_told() {
        let found = There::of(&[json!({"@type": "properties", "properties": []})]);
        assert_eq!(found, Err("it has no type_list".to_owned()));
    }
}
