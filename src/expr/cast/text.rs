//! Values as Java's `toString` prints them inside lists, maps and structs.

use std::fmt::Write as _;

use super::time;
use crate::java;
use crate::types::{SqlType, Value};

/// The text of a value of type `ty`: `[1, null]`, `{k=v}`, `Struct{A=1,B=x}`.
pub(crate) fn to_java_string(value: Value<'_>, ty: &SqlType) -> String {
    let mut out = String::new();
    write(value, ty, &mut out);
    out
}

fn write(value: Value<'_>, ty: &SqlType, out: &mut String) {
    let written = match value {
        Value::Null => out.write_str("null"),
        Value::Boolean(value) => write!(out, "{value}"),
        Value::Int(value) => write!(out, "{value}"),
        Value::Bigint(value) => write!(out, "{value}"),
        Value::Double(value) => out.write_str(&java::double_to_string(value)),
        Value::Decimal(value) => write!(out, "{value}"),
        Value::String(value) => out.write_str(value),
        Value::Bytes(value) => {
            let len = value.len();
            write!(out, "java.nio.HeapByteBuffer[pos=0 lim={len} cap={len}]")
        }
        Value::Date(days) => out.write_str(&time::date_text(i64::from(days))),
        Value::Time(ms) => out.write_str(&time::sql_time_text(ms)),
        Value::Timestamp(ms) => out.write_str(&time::sql_timestamp_text(ms)),
        Value::Array(_) | Value::Map(_) | Value::Struct(_) => {
            write_collection(value, ty, out);
            Ok(())
        }
    };
    debug_assert!(written.is_ok(), "a String takes any text");
}

fn write_collection(value: Value<'_>, ty: &SqlType, out: &mut String) {
    match (value, ty) {
        (Value::Array(items), SqlType::Array(item_type)) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                out.push_str(if index == 0 { "" } else { ", " });
                write(*item, item_type, out);
            }
            out.push(']');
        }
        (Value::Map(entries), SqlType::Map(key_type, value_type)) => {
            out.push('{');
            for (index, (key, value)) in entries.iter().enumerate() {
                out.push_str(if index == 0 { "" } else { ", " });
                write(*key, key_type, out);
                out.push('=');
                write(*value, value_type, out);
            }
            out.push('}');
        }
        (Value::Struct(values), SqlType::Struct(fields)) => {
            out.push_str("Struct{");
            let present = fields.fields.iter().zip(values).filter(|(_, value)| !value.is_null());
            for (index, (field, value)) in present.enumerate() {
                out.push_str(if index == 0 { "" } else { "," });
                out.push_str(&field.name);
                out.push('=');
                write(*value, &field.ty, out);
            }
            out.push('}');
        }
        _ => {}
    }
}
