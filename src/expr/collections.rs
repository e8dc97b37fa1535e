//! Maps as Java's `HashMap` keeps them: one value for each key, in the order of hashes.

use hashbrown::HashMap;
use hashbrown::hash_map::Entry;

use crate::java;
use crate::types::{Arena, Value};

/// A MAP of the entries in the order in which they were put; later ones replace earlier ones.
pub(crate) fn hash_map<'a>(
    entries: impl IntoIterator<Item = (Value<'a>, Value<'a>)>,
    capacity: usize,
    arena: &'a Arena,
) -> Value<'a> {
    ordered(&distinct_entries(entries), capacity, arena)
}

/// The same of entries whose keys are distinct.
pub(crate) fn ordered<'a>(
    distinct: &[(Value<'a>, Value<'a>)],
    capacity: usize,
    arena: &'a Arena,
) -> Value<'a> {
    let hashes: Vec<i32> = distinct.iter().map(|(key, _)| hash_code(key)).collect();
    let ordered: Vec<_> =
        java::hash_map_order(&hashes, capacity).into_iter().map(|index| distinct[index]).collect();
    Value::Map(arena.entries(&ordered))
}

/// The entries in the order of their first occurrence, each with its last value.
pub(crate) fn distinct_entries<'a>(
    entries: impl IntoIterator<Item = (Value<'a>, Value<'a>)>,
) -> Vec<(Value<'a>, Value<'a>)> {
    let mut distinct: Vec<(Value<'a>, Value<'a>)> = Vec::new();
    let mut places: HashMap<Value<'a>, usize> = HashMap::new();
    for (key, value) in entries {
        match places.entry(key) {
            Entry::Occupied(place) => distinct[*place.get()].1 = value,
            Entry::Vacant(place) => {
                place.insert(distinct.len());
                distinct.push((key, value));
            }
        }
    }
    distinct
}

/// Java's `hashCode` of a value.
pub(crate) fn hash_code(value: &Value<'_>) -> i32 {
    let of_long = |bits: i64| (bits ^ ((bits as u64) >> 32) as i64) as i32;
    match value {
        Value::Null => 0,
        Value::Boolean(true) => 1231,
        Value::Boolean(false) => 1237,
        Value::Int(value) => *value,
        Value::Bigint(value) | Value::Timestamp(value) => of_long(*value),
        Value::Double(value) if value.is_nan() => of_long(0x7FF8_0000_0000_0000),
        Value::Double(value) => of_long(value.to_bits() as i64),
        Value::Decimal(value) => value.hash_code(),
        Value::String(text) => java::hash_code(text),
        Value::Bytes(bytes) => bytes
            .iter()
            .rev()
            .fold(1_i32, |hash, byte| hash.wrapping_mul(31).wrapping_add(i32::from(*byte as i8))),
        Value::Date(days) => of_long(i64::from(*days) * 86_400_000),
        Value::Time(ms) => *ms,
        Value::Array(items) | Value::Struct(items) => items
            .iter()
            .fold(1_i32, |hash, item| hash.wrapping_mul(31).wrapping_add(hash_code(item))),
        Value::Map(entries) => entries
            .iter()
            .fold(0_i32, |hash, (key, value)| hash.wrapping_add(hash_code(key) ^ hash_code(value))),
    }
}
