//! Whether a source may take the place of another, by ksqlDB's rules and in its words.
//!
//! Name, kind, topic with formats, and timestamp column must stay. Columns may be added at the end.

use std::fmt::Write as _;

use crate::formats::{FormatSpec, NullableRepresentation, Role};
use crate::plan::{PlanError, Source, SourceWindow, TimestampColumn};
use crate::types::ColumnDef;

/// Whether `new` may take the place of `existing`.
pub(super) fn check_upgrade(existing: &Source, new: &Source) -> Result<(), PlanError> {
    let mut issues = Vec::new();
    let mut compare = |property: &str, old: String, new: String, why: Option<String>| {
        let why = why.map(|why| format!(". ({why})")).unwrap_or_default();
        issues.push(format!(
            "DataSource '`{}`' has {property} = {old} which is not upgradeable to {new}{why}",
            existing.name
        ));
    };
    if existing.kind != new.kind {
        let name = |source: &Source| source.kind.java_name().to_owned();
        compare("type", name(existing), name(new), None);
    }
    let (old_topic, new_topic) = (topic_text(existing), topic_text(new));
    if old_topic != new_topic {
        compare("topic", old_topic, new_topic, None);
    }
    if existing.timestamp != new.timestamp {
        let text = |source: &Source| timestamp_text(source.timestamp.as_ref());
        compare("timestampColumn", text(existing), text(new), None);
    }
    if let Some(why) = column_issue(existing, new) {
        compare("schema", existing.schema.to_string(), new.schema.to_string(), Some(why));
    }
    if issues.is_empty() {
        return Ok(());
    }
    let issues = issues.join("\n\tAND ");
    Err(PlanError::execute(format!("Cannot upgrade data source: {issues}")))
}

/// Why the columns of a source may not become those of another, if they may not.
fn column_issue(old: &Source, new: &Source) -> Option<String> {
    let list = "columns are changed, missing or reordered";
    let keys = changed(&old.schema.key, &new.schema.key, " KEY");
    if !keys.is_empty() {
        let keys = keys.join(", ");
        return Some(format!("Key columns must be identical. The following key {list}: [{keys}]"));
    }
    let mut columns = changed(&old.schema.value, &new.schema.value, "");
    let headers = old.headers.iter().enumerate();
    let headers = headers.filter(|(index, header)| new.headers.get(*index) != Some(*header));
    columns.extend(headers.map(|(_, header)| {
        let role = match &header.key {
            None => "HEADERS".to_owned(),
            Some(key) => format!("HEADER('{key}')"),
        };
        format!("`{}` {} {role}", header.name, header.ty())
    }));
    (!columns.is_empty()).then(|| format!("The following {list}: [{}]", columns.join(", ")))
}

/// The columns that are not where they were, or not what they were.
fn changed(old: &[ColumnDef], new: &[ColumnDef], role: &str) -> Vec<String> {
    let differs = |(index, column): &(usize, &ColumnDef)| new.get(*index) != Some(*column);
    let columns = old.iter().enumerate().filter(differs);
    columns.map(|(_, column)| column_text(column, role)).collect()
}

fn column_text(column: &ColumnDef, role: &str) -> String {
    format!("`{}` {}{role}", column.name, column.ty)
}

/// A topic with its formats, as Java prints it.
fn topic_text(source: &Source) -> String {
    let (key, value) = (&source.key_format, &source.value_format);
    let window = optional(source.window.map(window_text));
    format!(
        "KsqlTopic{{kafkaTopicName='{}', keyFormat=KeyFormat{{format={}, features=[{}], \
         window={window}}}, valueFormat=ValueFormat{{format={}, features=[{}]}}}}",
        source.topic,
        format_text(key),
        key.feature(source.schema.key.len(), Role::Key).unwrap_or_default(),
        format_text(value),
        value.feature(source.schema.value.len(), Role::Value).unwrap_or_default(),
    )
}

fn format_text(spec: &FormatSpec) -> String {
    let delimiter = spec.delimiter.map(|delimiter| ("delimiter", delimiter_text(delimiter)));
    let name = spec.full_schema_name.clone().map(|name| ("fullSchemaName", name));
    let nullable = spec.nullable.map(|nullable| {
        let text = match nullable {
            NullableRepresentation::Optional => "OPTIONAL",
            NullableRepresentation::Wrapper => "WRAPPER",
        };
        ("nullableRepresentation", text.to_owned())
    });
    let mut properties = String::new();
    for (name, value) in delimiter.into_iter().chain(name).chain(nullable) {
        let comma = if properties.is_empty() { "" } else { ", " };
        let _ = write!(properties, "{comma}{name}={value}"); // writing to a text cannot fail
    }
    format!("FormatInfo{{format={}, properties={{{properties}}}}}", spec.format.name())
}

fn delimiter_text(delimiter: char) -> String {
    match delimiter {
        '\t' => "TAB".to_owned(),
        ' ' => "SPACE".to_owned(),
        other => other.to_string(),
    }
}

fn window_text(window: SourceWindow) -> String {
    let kind = window.kind.as_str();
    let size = optional(window.size_ms);
    format!("WindowInfo{{type={kind}, size={size}, emitStrategy=Optional.empty}}")
}

fn timestamp_text(timestamp: Option<&TimestampColumn>) -> String {
    optional(timestamp.map(|timestamp| {
        let format = optional(timestamp.format.as_ref());
        format!("TimestampColumn{{column=`{}`, format={format}}}", timestamp.column)
    }))
}

/// An `Optional` as Java prints it.
fn optional(value: Option<impl std::fmt::Display>) -> String {
    value.map_or_else(|| "Optional.empty".to_owned(), |value| format!("Optional[{value}]"))
}
