//! A value that owns what it holds, for what outlives a chunk.

use super::{Arena, Decimal, Value};

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

impl Value<'_> {
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

fn views<'a>(values: &'a [OwnedValue], arena: &'a Arena) -> &'a [Value<'a>] {
    arena.collect(values.iter().map(|value| value.as_value(arena)))
}

/// The same equality as that of [`Value`].
impl PartialEq for OwnedValue {
    fn eq(&self, other: &Self) -> bool {
        let arena = Arena::new();
        self.as_value(&arena) == other.as_value(&arena)
    }
}

impl Eq for OwnedValue {}
