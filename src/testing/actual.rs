//! What a record holds, as a case's expectation sees it.

use serde_json::Value as Json;

use super::json_text::carried;
use super::number::Number;
use super::system::{FailureKind, SourceInfo};
use super::{Failure, System};
use crate::java::double_to_string;
use crate::types::SqlType;

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

/// Reads the bytes of a key, without its window, or of a value.
pub(super) fn decode(
    system: &dyn System,
    source: &SourceInfo,
    is_key: bool,
    bytes: Option<&[u8]>,
) -> Result<Actual, Failure> {
    let Some(bytes) = bytes else { return Ok(Actual::Null) };
    let fault = |message: String| Failure::new(FailureKind::Ksql, message);
    match &*source.format(is_key).name {
        "NONE" => Ok(Actual::Null),
        "JSON" => serde_json::from_str(&carried(&String::from_utf8_lossy(bytes)))
            .map(|json| Actual::from_json(&json))
            .map_err(|error| fault(format!("what was written is not JSON: {error}"))),
        "DELIMITED" => Ok(Actual::Text(String::from_utf8_lossy(bytes).into_owned())),
        "KAFKA" => kafka(source.columns(is_key).first().map(|column| &column.ty), bytes)
            .ok_or_else(|| fault(format!("{} bytes are not what KAFKA writes", bytes.len()))),
        _ => system.decode(source, is_key, bytes),
    }
}

fn kafka(ty: Option<&SqlType>, bytes: &[u8]) -> Option<Actual> {
    Some(match ty {
        Some(SqlType::Int) => Actual::Whole(i32::from_be_bytes(bytes.try_into().ok()?).into()),
        Some(SqlType::Bigint) => Actual::Whole(i64::from_be_bytes(bytes.try_into().ok()?)),
        Some(SqlType::Double) => {
            let value = f64::from_be_bytes(bytes.try_into().ok()?);
            let text = double_to_string(value);
            match Number::parse(&text) {
                Some(_) => Actual::Decimal(text),
                None => Actual::Text(text),
            }
        }
        Some(SqlType::Bytes) => Actual::Bytes(bytes.to_vec()),
        _ => Actual::Text(String::from_utf8_lossy(bytes).into_owned()),
    })
}
