//! A command as ksqlDB's servers write it: a key that names what it is about, and a value with its statement.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::property_list::effective;
use crate::engine::Properties;
use crate::sql::ast::{DropKind, QueryAction, QueryTarget, SourceKind, Statement};

/// The version of ksqlDB's format that is written.
const VERSION: u64 = 18;

/// What a command is about, such as ``stream/`S`/create``.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct CommandId {
    kind: &'static str,
    entity: String,
    action: &'static str,
}

impl CommandId {
    /// What a statement is about, where it is one that changes what exists.
    pub(super) fn of(statement: &Statement) -> Option<Self> {
        let (kind, entity, action) = match statement {
            Statement::CreateSource(create) => {
                return Some(Self::of_source(create.kind, &create.name.text));
            }
            Statement::CreateAs(create) => {
                return Some(Self::of_source(create.kind, &create.name.text));
            }
            Statement::InsertInto(insert) => {
                return Some(Self::of_source(SourceKind::Stream, &insert.target.text));
            }
            Statement::CreateType(create) => ("type", create.name.text.clone(), "create"),
            Statement::AlterSource(alter) => {
                (source_kind(alter.kind), alter.name.text.clone(), "alter")
            }
            Statement::Drop(drop) => match drop.kind {
                DropKind::Source(kind) => (source_kind(kind), drop.name.text.clone(), "drop"),
                DropKind::Type => ("type", drop.name.text.clone(), "drop"),
                DropKind::Connector => return None,
            },
            Statement::ControlQuery(control) => {
                let kind = match control.action {
                    QueryAction::Terminate => "terminate",
                    QueryAction::Pause => "pause",
                    QueryAction::Resume => "resume",
                };
                let entity = match &control.target {
                    QueryTarget::All => "ALL".to_owned(),
                    QueryTarget::Id(id) => id.text.clone(),
                };
                (kind, entity, "execute")
            }
            _ => return None,
        };
        Some(Self { kind, entity, action })
    }

    /// What the statement is about that makes a stream or table.
    pub(super) fn of_source(kind: SourceKind, name: &str) -> Self {
        Self { kind: source_kind(kind), entity: format!("`{name}`"), action: "create" }
    }

    /// What the end of a service is about.
    pub(super) fn end_of_service() -> Self {
        Self { kind: "cluster", entity: "TerminateCluster".to_owned(), action: "terminate" }
    }

    /// The key of its record.
    pub(super) fn key(&self) -> Vec<u8> {
        serde_json::to_vec(&self.to_string()).unwrap_or_default()
    }
}

fn source_kind(kind: SourceKind) -> &'static str {
    match kind {
        SourceKind::Stream => "stream",
        SourceKind::Table => "table",
    }
}

impl std::fmt::Display for CommandId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}/{}", self.kind, self.entity, self.action)
    }
}

/// The value of a command's record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Command {
    /// The statement.
    pub(super) statement: String,
    /// What its session had set.
    pub(super) overrides: BTreeMap<String, String>,
    /// What it does, as ksqlDB has it; null where that cannot be said in its words.
    pub(super) plan: Value,
}

impl Command {
    /// A command of a statement alone.
    pub(super) fn of_statement(statement: &str) -> Self {
        Self { statement: statement.to_owned(), overrides: BTreeMap::new(), plan: Value::Null }
    }

    /// The bytes of its record. `properties` are those of the server that matter to what is made.
    pub(super) fn encode(&self, properties: &Properties) -> Vec<u8> {
        serde_json::to_vec(&self.value(properties)).unwrap_or_default()
    }

    /// What its record says.
    pub(super) fn value(&self, properties: &Properties) -> Value {
        let original: Map<String, Value> = effective(properties)
            .into_iter()
            .filter_map(|(name, value)| Some((name, json!(value?))))
            .collect();
        json!({
            "statement": self.statement,
            "streamsProperties": self.overrides,
            "originalProperties": original,
            "plan": self.plan,
            "version": VERSION,
        })
    }

    /// Reads a record of ours or of ksqlDB's.
    pub(super) fn decode(value: &[u8]) -> Result<Self, String> {
        let value: Value = serde_json::from_slice(value).map_err(|error| error.to_string())?;
        let statement = value.get("statement").and_then(Value::as_str);
        let statement = statement.filter(|text| !text.trim().is_empty());
        let statement = statement.ok_or("it has no statement")?.to_owned();
        let overrides = value.get("streamsProperties").or_else(|| value.get("overwriteProperties"));
        let overrides = overrides.and_then(Value::as_object).into_iter().flatten();
        let overrides = overrides.map(|(name, value)| (name.clone(), text(value))).collect();
        let plan = value.get("plan").cloned().unwrap_or_default();
        Ok(Self { statement, overrides, plan })
    }
}

/// The id that a record's key names.
pub(super) fn decode_key(key: &[u8]) -> String {
    let text: Result<Value, _> = serde_json::from_slice(key);
    match text {
        Ok(Value::String(id)) => id,
        _ => String::from_utf8_lossy(key).into_owned(),
    }
}

/// The value of a property as text.
pub(super) fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
