//! Numbers and truths from other values and from text.

use super::super::EvalError;
use crate::java::{self, trim};
use crate::types::Value;

pub(super) fn to_int(value: Value<'_>) -> Result<i32, EvalError> {
    Ok(match value {
        Value::Int(value) => value,
        Value::Bigint(value) => value as i32,
        // Truncates, saturates, and makes NaN 0, as Java does.
        Value::Double(value) => value as i32,
        Value::Decimal(value) => value.to_i32(),
        Value::String(text) => {
            let text = trim(text);
            let value = parse_long(text)?;
            i32::try_from(value).map_err(|_| no_number(text))?
        }
        _ => 0,
    })
}

pub(super) fn to_bigint(value: Value<'_>) -> Result<i64, EvalError> {
    Ok(match value {
        Value::Int(value) => i64::from(value),
        Value::Bigint(value) => value,
        Value::Double(value) => value as i64,
        Value::Decimal(value) => value.to_i64(),
        Value::String(text) => parse_long(trim(text))?,
        _ => 0,
    })
}

pub(super) fn to_double(value: Value<'_>) -> Result<f64, EvalError> {
    Ok(match value {
        Value::Int(value) => f64::from(value),
        Value::Bigint(value) => value as f64,
        Value::Double(value) => value,
        Value::Decimal(value) => value.to_f64(),
        Value::String(text) => parse_double(trim(text))?,
        _ => 0.0,
    })
}

fn parse_long(text: &str) -> Result<i64, EvalError> {
    java::parse_long(text).ok_or_else(|| no_number(text))
}

/// `Double.parseDouble`, but not of NaN and the infinities.
fn parse_double(text: &str) -> Result<f64, EvalError> {
    if text.is_empty() {
        return Err(EvalError::new("empty String"));
    }
    match java::parse_double(text) {
        Some(value) if value.is_finite() => Ok(value),
        Some(_) => Err(EvalError::new(format!("Invalid double value: {text}"))),
        None => Err(no_number(text)),
    }
}

fn no_number(text: &str) -> EvalError {
    EvalError::new(format!("For input string: \"{text}\""))
}

/// Whether text is `true`, `yes` or the beginning of either; anything else is FALSE.
pub(super) fn parse_boolean(text: &str) -> bool {
    is_start_of(text, "true", "yes")
}

/// The truth in `true`, `yes`, `false`, `no` or the beginning of any; nothing else.
pub fn parse_boolean_exact(text: &str) -> Option<bool> {
    if is_start_of(text, "true", "yes") {
        return Some(true);
    }
    is_start_of(text, "false", "no").then_some(false)
}

fn is_start_of(text: &str, one: &str, other: &str) -> bool {
    let starts =
        |word: &str| word.get(..text.len()).is_some_and(|start| start.eq_ignore_ascii_case(text));
    !text.is_empty() && (starts(one) || starts(other))
}
