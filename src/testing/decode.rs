//! What the bytes of a record hold.

use super::actual::Actual;
use super::failure::{Failure, FailureKind};
use super::json_text::carried;
use super::number::Number;
use super::source_info::SourceInfo;
use super::system::System;
use crate::java::double_to_string;
use crate::types::SqlType;

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
