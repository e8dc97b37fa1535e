//! The entries of a MAP, as a Java `HashMap` holds them.

use hashbrown::HashMap;
use hashbrown::hash_map::Entry;

use super::map_order::in_map_order;
use crate::java::DEFAULT_CAPACITY;
use crate::types::{Arena, Value};

/// The map of these entries: of equal keys the last value counts.
pub(super) fn map_value<'a>(entries: Vec<(Value<'a>, Value<'a>)>, arena: &'a Arena) -> Value<'a> {
    let mut unique: Vec<(Value<'a>, Value<'a>)> = Vec::with_capacity(entries.len());
    let mut places = HashMap::with_capacity(entries.len());
    for (key, value) in entries {
        match places.entry(key) {
            Entry::Occupied(place) => {
                let place: &usize = place.get();
                unique[*place].1 = value;
            }
            Entry::Vacant(place) => {
                place.insert(unique.len());
                unique.push((key, value));
            }
        }
    }
    Value::Map(arena.entries(&in_map_order(&unique, DEFAULT_CAPACITY)))
}
