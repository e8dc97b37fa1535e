//! The natural order of values, as Java's `compareTo` has it.

use std::cmp::Ordering;

use crate::java::compare_utf16;
use crate::types::Value;

/// Compares two values of one type, neither NULL; lists, maps and structs have no order.
pub(super) fn compare(left: Value<'_>, right: Value<'_>) -> Option<Ordering> {
    Some(match (left, right) {
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
        // Java's bytes have a sign.
        (Value::Bytes(a), Value::Bytes(b)) => {
            a.iter().map(|byte| *byte as i8).cmp(b.iter().map(|byte| *byte as i8))
        }
        _ => return None,
    })
}

/// -0.0 comes before 0.0, and NaN after everything.
fn compare_doubles(a: f64, b: f64) -> Ordering {
    match a.partial_cmp(&b) {
        Some(Ordering::Equal) => b.is_sign_negative().cmp(&a.is_sign_negative()),
        Some(order) => order,
        None => a.is_nan().cmp(&b.is_nan()),
    }
}
