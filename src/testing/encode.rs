//! The bytes of a case's input records.

use serde_json::Value as Json;

use super::case::{CaseRecord, CaseWindow};
use super::failure::{Failure, FailureKind};
use super::json_text;
use super::number::Number;
use super::source_info::SourceInfo;
use super::system::{Record, System};
use crate::types::SqlType;

/// Lays out an input record as the source over its topic has it.
pub(super) fn record(
    system: &dyn System,
    source: Option<&SourceInfo>,
    record: &CaseRecord,
) -> Result<Record, Failure> {
    let mut key = match &record.key_bytes {
        Some(bytes) => bytes.clone(),
        None => encode(system, source, true, &record.key)?,
    };
    let value = match &record.value_bytes {
        Some(bytes) => bytes.clone(),
        None => encode(system, source, false, &record.value)?,
    };
    if let (Some(key), Some(window)) = (&mut key, record.window) {
        match window {
            CaseWindow::Time { start, .. } => key.extend(start.to_be_bytes()),
            CaseWindow::Session { start, end } => {
                key.extend(end.to_be_bytes());
                key.extend(start.to_be_bytes());
            }
        }
    }
    let timestamp = record.timestamp.unwrap_or(0);
    Ok(Record { key, value, timestamp, headers: record.headers.clone(), offset: 0 })
}

fn encode(
    system: &dyn System,
    source: Option<&SourceInfo>,
    is_key: bool,
    json: &Json,
) -> Result<Option<Vec<u8>>, Failure> {
    let format = source.map_or("JSON", |source| &*source.format(is_key).name);
    match (format, source) {
        // What stands there is ignored.
        ("NONE", _) => Ok(None),
        ("JSON" | "DELIMITED" | "KAFKA", _) if json.is_null() => Ok(None),
        ("JSON", _) => {
            let mut text = String::new();
            json_text::write(json, &mut text);
            Ok(Some(text.into_bytes()))
        }
        ("KAFKA", Some(source)) => {
            kafka(source.columns(is_key).first().map(|column| &column.ty), json)
                .map(Some)
                .ok_or_else(|| Failure::new(FailureKind::Ksql, format!("KAFKA cannot hold {json}")))
        }
        ("DELIMITED", _) | (_, None) => Ok(Some(text_of(json).into_bytes())),
        (_, Some(source)) => system.encode(source, is_key, json),
    }
}

fn text_of(json: &Json) -> String {
    match json {
        Json::String(text) => text.clone(),
        other => {
            let mut text = String::new();
            json_text::write(other, &mut text);
            text
        }
    }
}

fn kafka(ty: Option<&SqlType>, json: &Json) -> Option<Vec<u8>> {
    let text = text_of(json);
    let whole = || Number::parse(&text)?.truncated();
    Some(match ty {
        Some(SqlType::Int) => i32::try_from(whole()?).ok()?.to_be_bytes().to_vec(),
        Some(SqlType::Bigint) => whole()?.to_be_bytes().to_vec(),
        Some(SqlType::Double) => Number::parse(&text)?.to_double().to_be_bytes().to_vec(),
        _ => text.into_bytes(),
    })
}
