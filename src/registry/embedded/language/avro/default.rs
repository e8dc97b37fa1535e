//! Whether a default is a value of its field's type.

use serde_json::Value;

use super::{DEPTH_MAX, Kind, Named, Type};

/// Whether `value` is one of `ty`; of a union, one of any branch.
pub(super) fn fits(named: &[Named], ty: &Type, value: &Value, depth: usize) -> bool {
    if depth > DEPTH_MAX {
        return false;
    }
    let inner = |ty: &Type, value: &Value| fits(named, ty, value, depth + 1);
    match ty {
        Type::Null => value.is_null(),
        Type::Boolean => value.is_boolean(),
        Type::Int => value.as_i64().is_some_and(|number| i32::try_from(number).is_ok()),
        Type::Long => value.is_i64(),
        Type::Float | Type::Double => value.is_number(),
        Type::Bytes | Type::String => value.is_string(),
        Type::Array(items) => {
            value.as_array().is_some_and(|list| list.iter().all(|item| inner(items, item)))
        }
        Type::Map(values) => {
            value.as_object().is_some_and(|map| map.values().all(|value| inner(values, value)))
        }
        Type::Union(branches) => branches.iter().any(|branch| inner(branch, value)),
        Type::Named(index) => match &named[*index].kind {
            Kind::Fixed { .. } | Kind::Enum { .. } => value.is_string(),
            // The record that is being read: what it will have is not known yet.
            Kind::Open => value.is_object(),
            Kind::Record(fields) => value.as_object().is_some_and(|values| {
                fields.iter().all(|field| match values.get(&field.name) {
                    Some(value) => inner(&field.ty, value),
                    None => field.has_default,
                })
            }),
        },
    }
}
