//! The order of a MAP's entries, which is that of a Java `HashMap`.

use crate::java::{hash_code, hash_map_order};
use crate::types::Value;

/// The entries as a `HashMap` that was made with `capacity` holds them.
pub(super) fn in_map_order<'a>(
    entries: &[(Value<'a>, Value<'a>)],
    capacity: usize,
) -> Vec<(Value<'a>, Value<'a>)> {
    let hash = |key: &Value<'_>| match key {
        Value::String(text) => hash_code(text),
        _ => 0,
    };
    let hashes: Vec<_> = entries.iter().map(|(key, _)| hash(key)).collect();
    hash_map_order(&hashes, capacity).into_iter().map(|index| entries[index]).collect()
}
