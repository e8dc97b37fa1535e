//! What the aggregates share: reading values and comparing them as Java does.

use std::cmp::Ordering;

use crate::java::compare_utf16;
use crate::types::{OwnedValue, Value};

/// An INT or BIGINT; NULL for anything else.
pub(super) fn whole(value: Value<'_>) -> Option<i64> {
    match value {
        Value::Int(value) => Some(value.into()),
        Value::Bigint(value) => Some(value),
        _ => None,
    }
}

/// A number as a DOUBLE; NULL for anything else.
pub(super) fn double(value: Value<'_>) -> Option<f64> {
    match value {
        Value::Double(value) => Some(value),
        Value::Int(value) => Some(value.into()),
        Value::Bigint(value) => Some(value as f64),
        _ => None,
    }
}

/// The order of `Comparable` values of one type.
pub(super) fn compare(left: Value<'_>, right: Value<'_>) -> Ordering {
    match (left, right) {
        (Value::Boolean(a), Value::Boolean(b)) => a.cmp(&b),
        (Value::Int(a), Value::Int(b))
        | (Value::Date(a), Value::Date(b))
        | (Value::Time(a), Value::Time(b)) => a.cmp(&b),
        (Value::Bigint(a), Value::Bigint(b)) | (Value::Timestamp(a), Value::Timestamp(b)) => {
            a.cmp(&b)
        }
        (Value::Double(a), Value::Double(b)) => compare_doubles(a, b),
        (Value::Decimal(a), Value::Decimal(b)) => a.compare(b),
        (Value::String(a), Value::String(b)) => compare_utf16(a, b),
        // A `ByteBuffer` compares signed bytes.
        (Value::Bytes(a), Value::Bytes(b)) => {
            a.iter().map(|byte| *byte as i8).cmp(b.iter().map(|byte| *byte as i8))
        }
        _ => Ordering::Equal,
    }
}

/// `Double.compareTo`: -0.0 comes before 0.0, NaN after all.
#[inline]
pub(super) fn compare_doubles(a: f64, b: f64) -> Ordering {
    a.partial_cmp(&b).filter(|order| *order != Ordering::Equal).unwrap_or_else(|| {
        match (a.is_nan(), b.is_nan()) {
            (true, true) => Ordering::Equal,
            (true, false) => Ordering::Greater,
            (false, true) => Ordering::Less,
            (false, false) => b.is_sign_negative().cmp(&a.is_sign_negative()),
        }
    })
}

/// A copy of the value in field `index` of a stored struct.
pub(super) fn field(value: Value<'_>, index: usize) -> Value<'_> {
    match value {
        Value::Struct(fields) => fields.get(index).copied().unwrap_or_default(),
        _ => Value::Null,
    }
}

/// The items of a stored list.
pub(super) fn items(value: Value<'_>) -> &[Value<'_>] {
    match value {
        Value::Array(items) => items,
        _ => &[],
    }
}

/// Compares a value with one that is kept, without a copy where the type is a plain one.
pub(super) fn is_same(kept: &OwnedValue, value: Value<'_>) -> bool {
    match (kept, value) {
        (OwnedValue::Null, Value::Null) => true,
        (OwnedValue::String(a), Value::String(b)) => **a == *b,
        (OwnedValue::Int(a), Value::Int(b)) => *a == b,
        (OwnedValue::Bigint(a), Value::Bigint(b)) => *a == b,
        (OwnedValue::Null, _) | (_, Value::Null) => false,
        (kept, value) => kept.as_value(&crate::types::Arena::new()) == value,
    }
}
