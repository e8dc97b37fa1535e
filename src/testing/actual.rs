//! What a record holds, as a case's expectation sees it.

use serde_json::Value as Json;

/// A decoded value.
#[derive(Clone, Debug, PartialEq)]
pub enum Actual {
    /// Null.
    Null,
    /// TRUE or FALSE.
    Boolean(bool),
    /// INT and BIGINT.
    Whole(i64),
    /// A DOUBLE of a format that has a schema.
    Double(f64),
    /// A DECIMAL, or any number with a point or an exponent in JSON: its exact text.
    Decimal(String),
    /// Text.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
    /// A list.
    List(Vec<Actual>),
    /// The fields of a record or the entries of a map.
    Map(Vec<(String, Actual)>),
}

impl Actual {
    /// What JSON holds.
    pub(super) fn from_json(json: &Json) -> Self {
        match json {
            Json::Null => Self::Null,
            Json::Bool(value) => Self::Boolean(*value),
            Json::String(text) => Self::Text(text.clone()),
            Json::Number(number) => {
                let text = number.to_string();
                text.parse().map_or_else(|_| Self::Decimal(text), Self::Whole)
            }
            Json::Array(items) => Self::List(items.iter().map(Self::from_json).collect()),
            Json::Object(fields) => Self::Map(
                fields.iter().map(|(name, value)| (name.clone(), Self::from_json(value))).collect(),
            ),
        }
    }
}

impl std::fmt::Display for Actual {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Boolean(value) => write!(f, "{value}"),
            Self::Whole(value) => write!(f, "{value}"),
            Self::Double(value) => write!(f, "{value}"),
            Self::Decimal(text) => f.write_str(text),
            Self::Text(text) => write!(f, "{text:?}"),
            Self::Bytes(bytes) => write!(f, "{bytes:02x?}"),
            Self::List(items) => {
                f.write_str("[")?;
                for (index, item) in items.iter().enumerate() {
                    write!(f, "{}{item}", if index == 0 { "" } else { ", " })?;
                }
                f.write_str("]")
            }
            Self::Map(fields) => {
                f.write_str("{")?;
                for (index, (name, value)) in fields.iter().enumerate() {
                    write!(f, "{}{name:?}: {value}", if index == 0 { "" } else { ", " })?;
                }
                f.write_str("}")
            }
        }
    }
}
