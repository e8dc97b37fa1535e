//! A value: borrowed for the record path, owned for what outlives a chunk.

use std::hash::{Hash, Hasher};

use hashbrown::HashMap;

use super::{Arena, Decimal};

/// A value of a row, borrowing from the fetched batch or an [`Arena`]. 24 bytes, copied freely.
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

/// A value that owns what it holds: in stores, literals and tests.
#[derive(Clone, Debug, Default)]
pub enum OwnedValue {
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
    Decimal(Box<Decimal>),
    /// VARCHAR.
    String(Box<str>),
    /// BYTES.
    Bytes(Box<[u8]>),
    /// Days since the epoch.
    Date(i32),
    /// Milliseconds of the day.
    Time(i32),
    /// Milliseconds since the epoch.
    Timestamp(i64),
    /// The items of an ARRAY.
    Array(Vec<OwnedValue>),
    /// The entries of a MAP.
    Map(Vec<(OwnedValue, OwnedValue)>),
    /// The fields of a STRUCT.
    Struct(Vec<OwnedValue>),
}

impl Value<'_> {
    /// Whether this is NULL.
    pub fn is_null(&self) -> bool {
        matches!(self, Value::Null)
    }

    /// Copies the value out of its batch.
    pub fn to_owned(&self) -> OwnedValue {
        match *self {
            Value::Null => OwnedValue::Null,
            Value::Boolean(value) => OwnedValue::Boolean(value),
            Value::Int(value) => OwnedValue::Int(value),
            Value::Bigint(value) => OwnedValue::Bigint(value),
            Value::Double(value) => OwnedValue::Double(value),
            Value::Decimal(value) => OwnedValue::Decimal(Box::new(value.clone())),
            Value::String(value) => OwnedValue::String(value.into()),
            Value::Bytes(value) => OwnedValue::Bytes(value.into()),
            Value::Date(value) => OwnedValue::Date(value),
            Value::Time(value) => OwnedValue::Time(value),
            Value::Timestamp(value) => OwnedValue::Timestamp(value),
            Value::Array(items) => OwnedValue::Array(items.iter().map(Value::to_owned).collect()),
            Value::Struct(fields) => {
                OwnedValue::Struct(fields.iter().map(Value::to_owned).collect())
            }
            Value::Map(entries) => OwnedValue::Map(
                entries.iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect(),
            ),
        }
    }
}

impl OwnedValue {
    /// Whether this is NULL.
    pub fn is_null(&self) -> bool {
        matches!(self, OwnedValue::Null)
    }

    /// Views the value; lists, maps and structs put their slices into `arena`.
    pub fn as_value<'a>(&'a self, arena: &'a Arena) -> Value<'a> {
        match self {
            OwnedValue::Null => Value::Null,
            OwnedValue::Boolean(value) => Value::Boolean(*value),
            OwnedValue::Int(value) => Value::Int(*value),
            OwnedValue::Bigint(value) => Value::Bigint(*value),
            OwnedValue::Double(value) => Value::Double(*value),
            OwnedValue::Decimal(value) => Value::Decimal(value),
            OwnedValue::String(value) => Value::String(value),
            OwnedValue::Bytes(value) => Value::Bytes(value),
            OwnedValue::Date(value) => Value::Date(*value),
            OwnedValue::Time(value) => Value::Time(*value),
            OwnedValue::Timestamp(value) => Value::Timestamp(*value),
            OwnedValue::Array(items) => Value::Array(views(items, arena)),
            OwnedValue::Struct(fields) => Value::Struct(views(fields, arena)),
            OwnedValue::Map(entries) => {
                let entries: Vec<_> = entries
                    .iter()
                    .map(|(key, value)| (key.as_value(arena), value.as_value(arena)))
                    .collect();
                Value::Map(arena.entries(&entries))
            }
        }
    }
}

fn views<'a>(values: &'a [OwnedValue], arena: &'a Arena) -> &'a [Value<'a>] {
    arena.collect(values.iter().map(|value| value.as_value(arena)))
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

/// The same equality as that of [`Value`].
impl PartialEq for OwnedValue {
    fn eq(&self, other: &Self) -> bool {
        let arena = Arena::new();
        self.as_value(&arena) == other.as_value(&arena)
    }
}

impl Eq for OwnedValue {}
