//! The schema that ksqlDB registers for columns, byte for byte.

use std::fmt::Write;

use crate::java::{DEFAULT_CAPACITY, hash_code, hash_map_order};
use crate::types::{ColumnDef, SqlType};

/// The schema of `columns`.
pub(in crate::formats) fn schema_text(columns: &[ColumnDef], wrapped: bool) -> String {
    let mut out = String::new();
    match columns {
        [column] if !wrapped => {
            out.push('{');
            nullable(&column.ty, &mut out);
            out.push('}');
        }
        _ => {
            let fields: Vec<_> = columns.iter().map(|c| (&*c.name, &c.ty)).collect();
            object(&fields, &mut out);
        }
    }
    out
}

/// Appends `"oneOf":[…]`.
fn nullable(ty: &SqlType, out: &mut String) {
    out.push_str("\"oneOf\":[{\"type\":\"null\"},");
    plain(ty, out);
    out.push(']');
}

fn plain(ty: &SqlType, out: &mut String) {
    match ty {
        SqlType::Boolean => out.push_str("{\"type\":\"boolean\"}"),
        SqlType::Int => out.push_str("{\"type\":\"integer\",\"connect.type\":\"int32\"}"),
        SqlType::Bigint => out.push_str("{\"type\":\"integer\",\"connect.type\":\"int64\"}"),
        SqlType::Double => out.push_str("{\"type\":\"number\",\"connect.type\":\"float64\"}"),
        SqlType::String => out.push_str("{\"type\":\"string\"}"),
        SqlType::Bytes => out.push_str("{\"type\":\"string\",\"connect.type\":\"bytes\"}"),
        SqlType::Decimal { precision, scale } => {
            let _ = write!(
                out,
                "{{\"type\":\"number\",\"title\":\"org.apache.kafka.connect.data.Decimal\",\
                 \"connect.version\":1,\"connect.type\":\"bytes\",\"connect.parameters\":\
                 {{\"scale\":\"{scale}\",\"connect.decimal.precision\":\"{precision}\"}}}}"
            );
        }
        SqlType::Date => logical("Date", "int32", out),
        SqlType::Time => logical("Time", "int32", out),
        SqlType::Timestamp => logical("Timestamp", "int64", out),
        SqlType::Array(item) => {
            out.push_str("{\"type\":\"array\",\"items\":{");
            nullable(item, out);
            out.push_str("}}");
        }
        SqlType::Map(key, value) => {
            out.push_str("{\"type\":\"array\",\"connect.type\":\"map\",\"items\":");
            object(&[("key", &**key), ("value", &**value)], out);
            out.push('}');
        }
        SqlType::Struct(ty) => {
            let fields: Vec<_> = ty.fields.iter().map(|f| (&*f.name, &f.ty)).collect();
            object(&fields, out);
        }
    }
}

fn logical(class: &str, connect: &str, out: &mut String) {
    let _ = write!(
        out,
        "{{\"type\":\"integer\",\"title\":\"org.apache.kafka.connect.data.{class}\",\
         \"connect.version\":1,\"connect.type\":\"{connect}\"}}"
    );
}

/// Appends an object, whose properties stand in the order of a Java `HashMap`.
fn object(fields: &[(&str, &SqlType)], out: &mut String) {
    let hashes: Vec<_> = fields.iter().map(|(name, _)| hash_code(name)).collect();
    out.push_str("{\"type\":\"object\",\"properties\":{");
    for (at, index) in hash_map_order(&hashes, DEFAULT_CAPACITY).into_iter().enumerate() {
        let (name, ty) = fields[index];
        if at > 0 {
            out.push(',');
        }
        let mut quoted = Vec::new();
        crate::formats::json::write_text_raw(name, &mut quoted);
        out.push_str(&String::from_utf8_lossy(&quoted));
        let _ = write!(out, ":{{\"connect.index\":{index},");
        nullable(ty, out);
        out.push('}');
    }
    out.push_str("}}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn properties_stand_as_a_hash_map_holds_them() {
        let columns = [ColumnDef::new("I", SqlType::Int), ColumnDef::new("T", SqlType::Timestamp)];
        assert_eq!(
            schema_text(&columns, true),
            "{\"type\":\"object\",\"properties\":{\"T\":{\"connect.index\":1,\"oneOf\":[{\"type\":\
             \"null\"},{\"type\":\"integer\",\"title\":\"org.apache.kafka.connect.data.Timestamp\",\
             \"connect.version\":1,\"connect.type\":\"int64\"}]},\"I\":{\"connect.index\":0,\
             \"oneOf\":[{\"type\":\"null\"},{\"type\":\"integer\",\"connect.type\":\"int32\"}]}}}"
        );
        assert_eq!(
            schema_text(&columns[..1], false),
            "{\"oneOf\":[{\"type\":\"null\"},{\"type\":\"integer\",\"connect.type\":\"int32\"}]}"
        );
    }
}
