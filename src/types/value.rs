//! A value on the record path: it borrows what it holds.

use std::hash::{Hash, Hasher};

use hashbrown::HashMap;

use super::Decimal;

/// A value of a row, borrowing from the fetched batch or an [`Arena`](super::Arena). 24 bytes, copied freely.
///
/// Text is UTF-8. Java's lone surrogates, which UTF-8 cannot hold, are carried as the private-use
/// characters that [`java::LONE_SURROGATE_FIRST`](crate::java::LONE_SURROGATE_FIRST) describes.
#[derive(Clone, Copy, Debug, Default)]
pub enum Value<'a> {
    /// NULL.
    #[default]
    Null,
    /// BOOLEAN.
    Boolean(bool),
    /// INT.
    Int(i32),
    /// BIGINT.
    Bigint(i64),
    /// DOUBLE.
    Double(f64),
    /// DECIMAL, with its own scale.
    Decimal(&'a Decimal),
    /// VARCHAR.
    String(&'a str),
    /// BYTES.
    Bytes(&'a [u8]),
    /// Days since the epoch.
    Date(i32),
    /// Milliseconds of the day.
    Time(i32),
    /// Milliseconds since the epoch.
    Timestamp(i64),
    /// The items of an ARRAY.
    Array(&'a [Value<'a>]),
    /// The entries of a MAP, in the order that Java would iterate over them.
    Map(&'a [(Value<'a>, Value<'a>)]),
    /// The fields of a STRUCT, in the order of its type.
    Struct(&'a [Value<'a>]),
}

impl Value<'_> {
    /// Whether this is NULL.
    pub fn is_null(&self) -> bool {
        matches!(self, Value::Null)
    }
}

/// Equality as Java's `Objects.equals` has it: NULL equals NULL, NaN equals NaN, 0.0 differs from
/// -0.0, and decimals differ where their scales do.
impl PartialEq for Value<'_> {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Value::Null, Value::Null) => true,
            (Value::Boolean(a), Value::Boolean(b)) => a == b,
            (Value::Int(a), Value::Int(b))
            | (Value::Date(a), Value::Date(b))
            | (Value::Time(a), Value::Time(b)) => a == b,
            (Value::Bigint(a), Value::Bigint(b)) | (Value::Timestamp(a), Value::Timestamp(b)) => {
                a == b
            }
            (Value::Double(a), Value::Double(b)) => {
                a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan())
            }
            (Value::Decimal(a), Value::Decimal(b)) => a == b,
            (Value::String(a), Value::String(b)) => a == b,
            (Value::Bytes(a), Value::Bytes(b)) => a == b,
            (Value::Array(a), Value::Array(b)) | (Value::Struct(a), Value::Struct(b)) => a == b,
            (Value::Map(a), Value::Map(b)) => a.len() == b.len() && (a == b || same_entries(a, b)),
            _ => false,
        }
    }
}

impl Eq for Value<'_> {}

/// Whether two maps of one size have the same entries, in whatever order.
fn same_entries(a: &[(Value<'_>, Value<'_>)], b: &[(Value<'_>, Value<'_>)]) -> bool {
    let entries: HashMap<_, _> = b.iter().map(|(key, value)| (key, value)).collect();
    a.iter().all(|(key, value)| entries.get(key).is_some_and(|found| *found == value))
}

/// Equal values have equal hashes; maps of one size too, whose order does not count.
impl Hash for Value<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        match self {
            Value::Null => state.write_u8(0),
            Value::Boolean(value) => value.hash(state),
            Value::Int(value) | Value::Date(value) | Value::Time(value) => value.hash(state),
            Value::Bigint(value) | Value::Timestamp(value) => value.hash(state),
            Value::Double(value) if value.is_nan() => f64::NAN.to_bits().hash(state),
            Value::Double(value) => value.to_bits().hash(state),
            Value::Decimal(value) => value.hash(state),
            Value::String(value) => value.hash(state),
            Value::Bytes(value) => value.hash(state),
            Value::Array(items) | Value::Struct(items) => items.hash(state),
            Value::Map(entries) => entries.len().hash(state),
        }
    }
}
