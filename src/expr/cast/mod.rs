//! Conversion of values from type to type, as CAST does it.
//!
//! [`text`] prints values as Java does, [`time`] reads and prints dates and times.

mod number;
mod strict;
mod text;
pub(crate) mod time;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::EvalError;
use super::collections::hash_map;
use crate::java::{printed_decimal, trim};
use crate::types::{Arena, Decimal, DecimalError, OwnedValue, SqlType, Value};

pub use number::parse_boolean_exact;
pub use strict::fit_strictly;
pub(crate) use text::to_java_string;
pub use time::parse_partial_timestamp;

impl From<DecimalError> for EvalError {
    fn from(error: DecimalError) -> Self {
        match error {
            DecimalError::RoundingNecessary => Self::new("Rounding necessary"),
            DecimalError::Incomplete(_) => {
                Self::new(error.to_string()).wrap("java.lang.NumberFormatException")
            }
            other => Self::new(other.to_string()),
        }
    }
}

/// Converts a value of type `from`; NULL stays NULL.
pub(crate) fn convert<'a>(
    value: Value<'a>,
    from: &SqlType,
    to: &SqlType,
    arena: &'a Arena,
) -> Result<Value<'a>, EvalError> {
    if value.is_null() || from == to {
        return Ok(value);
    }
    Ok(match to {
        SqlType::Int => Value::Int(number::to_int(value)?),
        SqlType::Bigint => Value::Bigint(number::to_bigint(value)?),
        SqlType::Double => Value::Double(number::to_double(value)?),
        SqlType::Decimal { precision, scale } => {
            Value::Decimal(arena.decimal(to_decimal(value, *precision, *scale)?))
        }
        SqlType::Boolean => match value {
            Value::String(text) => Value::Boolean(number::parse_boolean(trim(text))),
            other => other,
        },
        SqlType::String => Value::String(to_text(value, from, arena)?),
        SqlType::Bytes => match value {
            Value::String(text) => Value::Bytes(arena.bytes(&decode_base64(trim(text))?)),
            other => other,
        },
        SqlType::Date | SqlType::Time | SqlType::Timestamp => to_time(value, to)?,
        SqlType::Array(_) | SqlType::Map(..) | SqlType::Struct(_) => {
            convert_collection(value, from, to, arena)?
        }
    })
}

fn to_text<'a>(value: Value<'a>, from: &SqlType, arena: &'a Arena) -> Result<&'a str, EvalError> {
    Ok(match value {
        Value::String(text) => text,
        Value::Boolean(true) => "true",
        Value::Boolean(false) => "false",
        Value::Decimal(decimal) => arena.text(&decimal.to_plain_string()?),
        Value::Date(days) => arena.text(&time::date_text(i64::from(days))),
        Value::Time(ms) => arena.text(&time::time_text(ms)?),
        Value::Timestamp(ms) => arena.text(&time::timestamp_text(ms)),
        other => arena.text(&to_java_string(other, from)),
    })
}

fn to_time(value: Value<'_>, to: &SqlType) -> Result<Value<'static>, EvalError> {
    Ok(match (value, to) {
        (Value::String(text), to) => parse_time(trim(text), to)?,
        (Value::Timestamp(ms), SqlType::Date) => Value::Date(ms.div_euclid(time::DAY_MS) as i32),
        (Value::Timestamp(ms), SqlType::Time) => Value::Time(ms.rem_euclid(time::DAY_MS) as i32),
        (Value::Date(days), SqlType::Timestamp) => {
            Value::Timestamp(i64::from(days).wrapping_mul(time::DAY_MS))
        }
        _ => Value::Null,
    })
}

/// Reads text as a DATE, TIME or TIMESTAMP.
pub(crate) fn parse_time(text: &str, to: &SqlType) -> Result<Value<'static>, EvalError> {
    match to {
        SqlType::Date => time::parse_date(text).map(Value::Date),
        SqlType::Time => time::parse_time(text).map(Value::Time),
        _ => time::parse_partial_timestamp(text).map(Value::Timestamp),
    }
}

fn to_decimal(value: Value<'_>, precision: u32, scale: u32) -> Result<Decimal, EvalError> {
    let decimal = match value {
        Value::Int(value) => Decimal::from(value),
        Value::Bigint(value) => Decimal::from(value),
        Value::Double(value) => {
            Decimal::from_f64_exact(value).ok_or_else(|| EvalError::new("Infinite or NaN"))?
        }
        Value::String(text) => Decimal::parse(trim(text))?,
        Value::Decimal(decimal) => return Ok(decimal.cast(precision, scale)?),
        _ => return Err(EvalError::new("Unexpected type of number")),
    };
    decimal.check_range(precision, scale)?;
    Ok(decimal.set_scale(scale as i32, crate::types::Rounding::HalfUp)?)
}

fn convert_collection<'a>(
    value: Value<'a>,
    from: &SqlType,
    to: &SqlType,
    arena: &'a Arena,
) -> Result<Value<'a>, EvalError> {
    Ok(match (value, from, to) {
        (Value::Array(items), SqlType::Array(from), SqlType::Array(to)) => {
            let items: Result<Vec<_>, _> =
                items.iter().map(|item| convert(*item, from, to, arena)).collect();
            Value::Array(arena.values(&items?))
        }
        (Value::Map(entries), SqlType::Map(k1, v1), SqlType::Map(k2, v2)) => {
            let entries: Result<Vec<_>, EvalError> = entries
                .iter()
                .map(|(key, value)| {
                    Ok((convert(*key, k1, k2, arena)?, convert(*value, v1, v2, arena)?))
                })
                .collect();
            let entries = entries?;
            let size = entries.len();
            hash_map(entries, size, arena)
        }
        (Value::Struct(values), SqlType::Struct(from), SqlType::Struct(to)) => {
            let fields: Result<Vec<_>, _> = to
                .fields
                .iter()
                .map(|field| match from.field(&field.name) {
                    Some((index, ty)) => {
                        let value = values.get(index).copied().unwrap_or_default();
                        convert(value, ty, &field.ty, arena)
                    }
                    None => Ok(Value::Null),
                })
                .collect();
            Value::Struct(arena.values(&fields?))
        }
        (other, _, _) => other,
    })
}

fn decode_base64(text: &str) -> Result<Vec<u8>, EvalError> {
    STANDARD.decode(text).map_err(|error| match error {
        base64::DecodeError::InvalidByte(_, byte) => {
            EvalError::new(format!("Illegal base64 character {byte:x}"))
        }
        _ => EvalError::new("Last unit does not have enough valid bits"),
    })
}

/// A literal as a value of another type, where ksqlDB converts literals.
pub(super) fn coerce_literal(value: &OwnedValue, to: &SqlType) -> Option<OwnedValue> {
    let arena = Arena::new();
    let value = value.as_value(&arena);
    let from = match value {
        Value::Null => return Some(OwnedValue::Null),
        Value::Boolean(_) => SqlType::Boolean,
        Value::Int(_) => SqlType::Int,
        Value::Bigint(_) => SqlType::Bigint,
        Value::Double(_) => SqlType::Double,
        Value::Decimal(decimal) => super::typing::decimal_type(decimal),
        Value::String(_) => SqlType::String,
        Value::Bytes(_) => SqlType::Bytes,
        Value::Date(_) => SqlType::Date,
        Value::Time(_) => SqlType::Time,
        Value::Timestamp(_) => SqlType::Timestamp,
        _ => return None,
    };
    let converted = match (value, to) {
        (Value::String(text), SqlType::Boolean) => Value::Boolean(parse_boolean_exact(trim(text))?),
        // A number must fit: nothing is rounded away from a literal.
        (value, SqlType::Decimal { precision, scale }) => {
            let exact = match value {
                Value::Double(value) => printed_decimal(value).ok()?,
                Value::Int(value) => value.into(),
                Value::Bigint(value) => value.into(),
                Value::Decimal(decimal) => decimal.clone(),
                Value::String(text) => Decimal::parse(trim(text)).ok()?,
                _ => return None,
            };
            exact.check_range(*precision, *scale).ok()?;
            let fitted = exact.set_scale(*scale as i32, crate::types::Rounding::Unnecessary);
            Value::Decimal(arena.decimal(fitted.ok()?))
        }
        (value, to) => convert(value, &from, to, &arena).ok()?,
    };
    Some(converted.to_owned())
}

#[cfg(test)]
mod tests;
