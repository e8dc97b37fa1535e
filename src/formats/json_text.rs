//! JSON that stands for a record of a schema, as ksqlDB's tests and people write it.

use num_bigint::BigInt;
use serde_json::{Map, Value as Json};

use crate::types::{Decimal, Rounding};

/// The member called `name`, in any case.
pub(super) fn member<'j>(object: &'j Map<String, Json>, name: &str) -> Option<&'j Json> {
    object.get(name).or_else(|| {
        let found = object.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, json)| json)
    })
}

/// A scalar's text.
pub(super) fn text_of(json: &Json) -> String {
    match json {
        Json::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// A whole number, without what stands behind its point.
pub(super) fn whole(json: &Json) -> Option<i64> {
    let decimal = Decimal::parse(&text_of(json)).ok()?;
    Some(decimal.to_i64())
}

/// The digits of a number that has so many behind its point.
pub(super) fn scaled(json: &Json, scale: i32) -> Option<BigInt> {
    let decimal = Decimal::parse(&text_of(json)).ok()?;
    Some(decimal.set_scale(scale, Rounding::Unnecessary).ok()?.unscaled)
}
