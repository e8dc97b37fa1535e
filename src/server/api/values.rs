//! Values of rows in ksqlDB's JSON.

use chrono::{DateTime, NaiveTime, Timelike};

use crate::java::double_to_string;
use crate::java::time::date_text;
use crate::types::{OwnedValue, SqlType};

/// Writes a value of a type.
pub fn write(value: &OwnedValue, ty: &SqlType, out: &mut String) {
    match (value, ty) {
        (OwnedValue::Boolean(value), _) => out.push_str(if *value { "true" } else { "false" }),
        (OwnedValue::Int(value), _) => out.push_str(&value.to_string()),
        (OwnedValue::Bigint(value), _) => out.push_str(&value.to_string()),
        (OwnedValue::Double(value), _) => double(*value, out),
        (OwnedValue::Decimal(value), _) => out.push_str(&value.to_string()),
        (OwnedValue::String(value), _) => text(value, out),
        (OwnedValue::Bytes(value), _) => text(&base64(value), out),
        (OwnedValue::Date(days), _) => text(&date_text(i64::from(*days)), out),
        (OwnedValue::Time(ms), _) => text(&time(*ms), out),
        (OwnedValue::Timestamp(ms), _) => text(&timestamp(*ms), out),
        (OwnedValue::Array(items), ty) => {
            let item = if let SqlType::Array(item) = ty { item } else { ty };
            list(items, |value, out| write(value, item, out), ('[', ']'), out);
        }
        (OwnedValue::Map(entries), ty) => {
            let of_value = if let SqlType::Map(_, value) = ty { value } else { ty };
            let entry = |(key, value): &(OwnedValue, OwnedValue), out: &mut String| {
                self::key(key, out);
                out.push(':');
                write(value, of_value, out);
            };
            list(entries, entry, ('{', '}'), out);
        }
        (OwnedValue::Struct(values), SqlType::Struct(ty)) => {
            let fields: Vec<_> = ty.fields.iter().zip(values).collect();
            let field = |(field, value): &(&crate::types::Field, &OwnedValue), out: &mut String| {
                text(&field.name, out);
                out.push(':');
                write(value, &field.ty, out);
            };
            list(&fields, field, ('{', '}'), out);
        }
        // A struct has the type of one.
        (OwnedValue::Null | OwnedValue::Struct(_), _) => out.push_str("null"),
    }
}

fn list<T>(
    items: &[T],
    mut write: impl FnMut(&T, &mut String),
    (open, close): (char, char),
    out: &mut String,
) {
    out.push(open);
    for (at, item) in items.iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        write(item, out);
    }
    out.push(close);
}

/// Keys of maps are texts.
fn key(key: &OwnedValue, out: &mut String) {
    match key {
        OwnedValue::String(value) => text(value, out),
        OwnedValue::Null => text("null", out),
        other => {
            let mut plain = String::new();
            write(other, &SqlType::String, &mut plain);
            text(plain.trim_matches('"'), out);
        }
    }
}

/// Writes a text with its quotes.
pub fn text(value: &str, out: &mut String) {
    // A text can always be written.
    out.push_str(&serde_json::to_string(value).unwrap_or_default());
}

fn double(value: f64, out: &mut String) {
    let shown = double_to_string(value);
    if value.is_finite() { out.push_str(&shown) } else { text(&shown, out) }
}

fn base64(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

/// As Java's `LocalTime`: seconds that are 0 are left out.
fn time(ms: i32) -> String {
    let ms = ms.rem_euclid(86_400_000).unsigned_abs();
    let time = NaiveTime::from_num_seconds_from_midnight_opt(ms / 1_000, ms % 1_000 * 1_000_000);
    let Some(time) = time else { return ms.to_string() };
    let format = match (time.second(), time.nanosecond()) {
        (0, 0) => "%H:%M",
        (_, 0) => "%H:%M:%S",
        _ => "%H:%M:%S%.3f",
    };
    time.format(format).to_string()
}

fn timestamp(ms: i64) -> String {
    let time = DateTime::from_timestamp_millis(ms);
    time.map_or_else(|| ms.to_string(), |time| time.format("%Y-%m-%dT%H:%M:%S%.3f").to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(value: &OwnedValue, ty: &SqlType) -> String {
        let mut out = String::new();
        write(value, ty, &mut out);
        out
    }

    #[test]
    fn values_are_written_as_ksqldb_writes_them() {
        let double = SqlType::Double;
        assert_eq!(shown(&OwnedValue::Double(1.0e10), &double), "1.0E10");
        assert_eq!(shown(&OwnedValue::Double(1.0), &double), "1.0");
        assert_eq!(shown(&OwnedValue::Double(f64::NAN), &double), "\"NaN\"");
        assert_eq!(shown(&OwnedValue::Date(19_782), &SqlType::Date), "\"2024-02-29\"");
        assert_eq!(shown(&OwnedValue::Time(36_672_000), &SqlType::Time), "\"10:11:12\"");
        assert_eq!(shown(&OwnedValue::Time(36_660_000), &SqlType::Time), "\"10:11\"");
        let time = OwnedValue::Timestamp(1_709_201_472_123);
        assert_eq!(shown(&time, &SqlType::Timestamp), "\"2024-02-29T10:11:12.123\"");
        let bytes = OwnedValue::Bytes(b"hello".as_slice().into());
        assert_eq!(shown(&bytes, &SqlType::Bytes), "\"aGVsbG8=\"");
        let map = OwnedValue::Map(vec![(OwnedValue::String("a".into()), OwnedValue::Bigint(1))]);
        assert_eq!(shown(&map, &SqlType::map(SqlType::String, SqlType::Bigint)), "{\"a\":1}");
    }
}
