//! The text of a row in an entry of the processing log: `[null,"a",1.0E300]`.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::Row;
use super::json::{write_integer, write_text_raw};
use crate::java::write_double;
use crate::types::{SqlType, Value};

/// How many milliseconds a day has.
const DAY_MS: i64 = 86_400_000;

/// The row as a JSON array, as ksqlDB logs it: text unescaped beyond ASCII, dates in milliseconds.
pub fn row_text<R: Row + ?Sized>(row: &R, types: &[SqlType]) -> String {
    let mut out = vec![b'['];
    for (index, ty) in types.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write_value(row.value(index), ty, &mut out);
    }
    out.push(b']');
    String::from_utf8(out).unwrap_or_default()
}

fn write_value(value: Value<'_>, ty: &SqlType, out: &mut Vec<u8>) {
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Boolean(value) => out.extend_from_slice(if value { b"true" } else { b"false" }),
        Value::Int(value) => write_integer(value.into(), out),
        Value::Bigint(value) | Value::Timestamp(value) => write_integer(value, out),
        Value::Date(days) => write_integer(i64::from(days) * DAY_MS, out),
        Value::Time(time_ms) => {
            let seconds = time_ms / 1_000;
            let (hours, minutes) = (seconds / 3_600, seconds / 60 % 60);
            let text = format!("\"{hours:02}:{minutes:02}:{:02}\"", seconds % 60);
            out.extend_from_slice(text.as_bytes());
        }
        Value::Double(value) if value.is_finite() => write_double(value, out),
        Value::Double(value) => {
            out.push(b'"');
            write_double(value, out);
            out.push(b'"');
        }
        Value::Decimal(value) => out.extend_from_slice(value.to_string().as_bytes()),
        Value::String(value) => write_text_raw(value, out),
        Value::Bytes(value) => write_text_raw(&STANDARD.encode(value), out),
        Value::Array(items) => {
            let item_ty = if let SqlType::Array(ty) = ty { ty } else { ty };
            write_list(items.iter(), *b"[]", out, |item, out| write_value(*item, item_ty, out));
        }
        Value::Map(entries) => {
            let value_ty = if let SqlType::Map(_, ty) = ty { ty } else { ty };
            write_list(entries.iter(), *b"{}", out, |(key, value), out| {
                write_value(*key, &SqlType::String, out);
                out.push(b':');
                write_value(*value, value_ty, out);
            });
        }
        Value::Struct(values) => {
            let SqlType::Struct(ty) = ty else { return };
            write_list(ty.fields.iter().zip(values), *b"{}", out, |(field, value), out| {
                write_text_raw(&field.name, out);
                out.push(b':');
                write_value(*value, &field.ty, out);
            });
        }
    }
}

fn write_list<T>(
    items: impl Iterator<Item = T>,
    brackets: [u8; 2],
    out: &mut Vec<u8>,
    write: impl Fn(T, &mut Vec<u8>),
) {
    out.push(brackets[0]);
    for (index, item) in items.enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write(item, out);
    }
    out.push(brackets[1]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_a_json_array() {
        let row = [
            Value::Bigint(1_700_000_044_401),
            Value::String("adv \"60\" 😀"),
            Value::Double(1e300),
            Value::Double(f64::NAN),
            Value::Null,
            Value::Array(&[Value::Int(1), Value::Null]),
        ];
        let types = [
            SqlType::Bigint,
            SqlType::String,
            SqlType::Double,
            SqlType::Double,
            SqlType::Int,
            SqlType::array(SqlType::Int),
        ];
        let text = r#"[1700000044401,"adv \"60\" 😀",1.0E300,"NaN",null,[1,null]]"#;
        assert_eq!(row_text(&row[..], &types), text);
    }
}
