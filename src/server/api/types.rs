//! Types and columns in ksqlDB's JSON.

use serde_json::{Value, json};

use crate::types::SqlType;

/// A type.
pub fn ty(ty: &SqlType) -> Value {
    let (fields, member, parameters) = match ty {
        SqlType::Array(item) => (Value::Null, self::ty(item), None),
        SqlType::Map(_, value) => (Value::Null, self::ty(value), None),
        SqlType::Struct(fields) => {
            let field = |field: &crate::types::Field| json!({ "name": field.name, "schema": self::ty(&field.ty) });
            (fields.fields.iter().map(field).collect(), Value::Null, None)
        }
        SqlType::Decimal { precision, scale } => {
            let parameters = json!({ "precision": precision, "scale": scale });
            (Value::Null, Value::Null, Some(parameters))
        }
        _ => (Value::Null, Value::Null, None),
    };
    let mut value = json!({ "type": ty.base_name(), "fields": fields, "memberSchema": member });
    if let (Some(parameters), Some(object)) = (parameters, value.as_object_mut()) {
        object.insert("parameters".to_owned(), parameters);
    }
    value
}

/// A column; `kind` is `KEY` or `HEADER` if it is one.
pub fn column(name: &str, ty: &SqlType, kind: Option<&str>) -> Value {
    let mut value = json!({ "name": name, "schema": self::ty(ty) });
    if let (Some(kind), Some(object)) = (kind, value.as_object_mut()) {
        object.insert("type".to_owned(), json!(kind));
    }
    value
}
