//! Rows as Java prints them: ksqlDB's `GenericRow.toString`.

use crate::java;
use crate::types::Value;

/// `[ 1 | 2L | 'text' | null ]`.
pub(super) fn text<'a>(values: impl Iterator<Item = Value<'a>>) -> String {
    let values: Vec<_> = values.map(value_text).collect();
    format!("[ {} ]", values.join(" | "))
}

fn value_text(value: Value<'_>) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Boolean(value) => value.to_string(),
        Value::Int(value) => value.to_string(),
        Value::Bigint(value) => format!("{value}L"),
        Value::Double(value) => java::double_to_string(value),
        Value::Decimal(value) => value.to_string(),
        Value::String(text) => format!("'{text}'"),
        Value::Bytes(bytes) => {
            format!("java.nio.HeapByteBuffer[pos=0 lim={0} cap={0}]", bytes.len())
        }
        Value::Date(days) => days.to_string(),
        Value::Time(ms) => ms.to_string(),
        Value::Timestamp(ms) => ms.to_string(),
        Value::Array(items) => {
            let items: Vec<_> = items.iter().map(|item| nested_text(*item)).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Map(entries) => {
            let entries = entries.iter();
            let entries: Vec<_> = entries
                .map(|(key, value)| format!("{}={}", nested_text(*key), nested_text(*value)))
                .collect();
            format!("{{{}}}", entries.join(", "))
        }
        Value::Struct(fields) => {
            let fields: Vec<_> = fields.iter().map(|field| nested_text(*field)).collect();
            format!("Struct{{{}}}", fields.join(","))
        }
    }
}

fn nested_text(value: Value<'_>) -> String {
    match value {
        Value::Bigint(value) => value.to_string(),
        Value::String(text) => text.to_owned(),
        other => value_text(other),
    }
}
