//! Values as JSON text: times are ISO texts, and maps are sorted by key.

use std::fmt::Write as _;

use base64::Engine as _;
use chrono::{DateTime, NaiveDate, NaiveTime, Timelike};

use crate::expr::EvalError;
use crate::java::{compare_utf16, double_to_string};
use crate::types::{SqlType, Value};

/// Appends a value; its type names the fields of structs. Fails on a decimal with too many zeros.
pub(super) fn write(
    value: Value<'_>,
    ty: Option<&SqlType>,
    out: &mut String,
) -> Result<(), EvalError> {
    let _ = match value {
        Value::Null => write!(out, "null"),
        Value::Boolean(value) => write!(out, "{value}"),
        Value::Int(value) => write!(out, "{value}"),
        Value::Bigint(value) => write!(out, "{value}"),
        Value::Double(value) if value.is_finite() => write!(out, "{}", double_to_string(value)),
        Value::Double(value) => write!(out, "\"{}\"", double_to_string(value)),
        Value::Decimal(value) => write!(out, "{}", value.to_plain_string()?),
        Value::String(text) => {
            quoted(text, out);
            Ok(())
        }
        Value::Bytes(bytes) => {
            write!(out, "\"{}\"", base64::engine::general_purpose::STANDARD.encode(bytes))
        }
        Value::Date(days) => write!(out, "\"{}\"", date(days)),
        Value::Time(millis) => write!(out, "\"{}\"", time(millis)),
        Value::Timestamp(millis) => write!(out, "\"{}\"", timestamp(millis)),
        Value::Array(items) => return array(items, ty, out),
        Value::Map(entries) => return map(entries, ty, out),
        Value::Struct(fields) => return structure(fields, ty, out),
    };
    super::check_size(out.len())
}

fn array(items: &[Value<'_>], ty: Option<&SqlType>, out: &mut String) -> Result<(), EvalError> {
    let item_type = match ty {
        Some(SqlType::Array(item)) => Some(&**item),
        _ => None,
    };
    out.push('[');
    for (index, item) in items.iter().enumerate() {
        out.push_str(if index == 0 { "" } else { "," });
        write(*item, item_type, out)?;
    }
    out.push(']');
    Ok(())
}

fn map(
    entries: &[(Value<'_>, Value<'_>)],
    ty: Option<&SqlType>,
    out: &mut String,
) -> Result<(), EvalError> {
    let types = match ty {
        Some(SqlType::Map(key, value)) => Some((&**key, &**value)),
        _ => None,
    };
    let entry = |(key, value): &(Value<'_>, _)| match key {
        Value::String(key) => Ok(((*key).to_owned(), *value)),
        key => {
            let mut text = String::new();
            write(*key, types.map(|types| types.0), &mut text)?;
            Ok((text.trim_matches('"').to_owned(), *value))
        }
    };
    let mut texts = entries.iter().map(entry).collect::<Result<Vec<_>, EvalError>>()?;
    texts.sort_by(|(a, _), (b, _)| compare_utf16(a, b));
    out.push('{');
    for (index, (key, value)) in texts.iter().enumerate() {
        out.push_str(if index == 0 { "" } else { "," });
        quoted(key, out);
        out.push(':');
        write(*value, types.map(|types| types.1), out)?;
    }
    out.push('}');
    Ok(())
}

fn structure(
    values: &[Value<'_>],
    ty: Option<&SqlType>,
    out: &mut String,
) -> Result<(), EvalError> {
    let fields = match ty {
        Some(SqlType::Struct(ty)) => &*ty.fields,
        _ => &[],
    };
    out.push('{');
    for (index, (field, value)) in fields.iter().zip(values).enumerate() {
        out.push_str(if index == 0 { "" } else { "," });
        quoted(&field.name, out);
        out.push(':');
        write(*value, Some(&field.ty), out)?;
    }
    out.push('}');
    Ok(())
}

/// Appends text in quotes, as Jackson escapes it.
pub(super) fn quoted(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        let _ = match c {
            '"' => write!(out, "\\\""),
            '\\' => write!(out, "\\\\"),
            '\n' => write!(out, "\\n"),
            '\r' => write!(out, "\\r"),
            '\t' => write!(out, "\\t"),
            '\u{8}' => write!(out, "\\b"),
            '\u{C}' => write!(out, "\\f"),
            c if c < ' ' => write!(out, "\\u{:04X}", u32::from(c)),
            c => write!(out, "{c}"),
        };
    }
    out.push('"');
}

fn date(days: i32) -> String {
    NaiveDate::from_epoch_days(days).map_or_else(|| days.to_string(), |date| date.to_string())
}

/// Hours and minutes, and seconds where there are any.
fn time(millis: i32) -> String {
    let seconds = millis.max(0) as u32 / 1000;
    match NaiveTime::from_num_seconds_from_midnight_opt(seconds, 0) {
        Some(time) if time.second() == 0 => time.format("%H:%M").to_string(),
        Some(time) => time.format("%H:%M:%S").to_string(),
        None => millis.to_string(),
    }
}

fn timestamp(millis: i64) -> String {
    DateTime::from_timestamp_millis(millis)
        .map_or_else(|| millis.to_string(), |time| time.format("%Y-%m-%dT%H:%M:%S%.3f").to_string())
}
