//! Functions of maps. Their results are in the order of Java's `HashMap`.

use super::{Call, Scalar, check_items};
use crate::expr::collections::{distinct_entries, hash_map, ordered};
use crate::java::hash::DEFAULT_CAPACITY;
use crate::java::text::from_utf16_units;
use crate::java::{compare_utf16, utf16_len, utf16_units};
use crate::types::Value;

/// The rows of ENTRIES, one for each type of value.
macro_rules! entries_of {
    ($ty:literal, $value:literal) => {
        Scalar {
            signature: concat!(
                "ENTRIES(map MAP<STRING, ",
                $ty,
                ">, sorted BOOLEAN) -> ARRAY<STRUCT<K STRING, V ",
                $ty,
                ">>"
            ),
            summary: "Lists the entries of a map as structs K and V, sorted by key if one wants.",
            examples: &[(concat!("ARRAY_LENGTH(ENTRIES(MAP('a' := ", $value, "), TRUE))"), "1")],
            shown_as: Some("ENTRIES"),
            eval: |call| Ok(entries(call)),
            ..Scalar::STRICT
        }
    };
}

pub(super) static FUNCTIONS: &[Scalar] = &[
    Scalar {
        signature: "AS_MAP(keys ARRAY<STRING>, values ARRAY<T>) -> MAP<STRING, T>",
        summary: "Makes a map of a list of keys and one of values; missing values are NULL.",
        examples: &[("AS_MAP(ARRAY['a', 'b'], ARRAY[1, 2])", "MAP('a' := 1, 'b' := 2)")],
        shown_as: Some("AS_MAP"),
        eval: |call| {
            let values = call.items(1).unwrap_or_default();
            let keys = call.items(0).unwrap_or_default();
            let value = |index| values.get(index).copied().unwrap_or_default();
            let entries = keys.iter().enumerate().map(|(index, key)| (*key, value(index)));
            Ok(hash_map(entries, DEFAULT_CAPACITY, call.context.arena))
        },
        ..Scalar::STRICT
    },
    Scalar {
        signature: "MAP_KEYS(input MAP<STRING, T>) -> ARRAY<STRING>",
        summary: "Lists the keys of a map.",
        examples: &[("MAP_KEYS(MAP('a' := 1, 'b' := 2))", "ARRAY['a', 'b']")],
        eval: |call| {
            let entries = call.entries(0).unwrap_or_default();
            Ok(call.array(&entries.iter().map(|(key, _)| *key).collect::<Vec<_>>()))
        },
        ..Scalar::STRICT
    },
    Scalar {
        signature: "MAP_VALUES(input MAP<STRING, T>) -> ARRAY<T>",
        summary: "Lists the values of a map.",
        examples: &[("MAP_VALUES(MAP('a' := 1, 'b' := 2))", "ARRAY[1, 2]")],
        eval: |call| {
            let entries = call.entries(0).unwrap_or_default();
            Ok(call.array(&entries.iter().map(|(_, value)| *value).collect::<Vec<_>>()))
        },
        ..Scalar::STRICT
    },
    Scalar {
        signature: "MAP_UNION(map1 MAP<STRING, T>, map2 MAP<STRING, T>) -> MAP<STRING, T>",
        summary: "Returns all entries of two maps; where both have a key, the second one wins.",
        examples: &[(
            "MAP_UNION(MAP('a' := 1), MAP('a' := 3, 'b' := 2))",
            "MAP('a' := 3, 'b' := 2)",
        )],
        eval: |call| {
            if call.arg(0).is_null() && call.arg(1).is_null() {
                return Ok(Value::Null);
            }
            let first = call.entries(0).unwrap_or_default();
            let second = call.entries(1).unwrap_or_default();
            let entries = first.iter().chain(second).copied();
            let capacity = union_capacity(first.len(), second.len());
            Ok(hash_map(entries, capacity, call.context.arena))
        },
        ..Scalar::LENIENT
    },
    entries_of!("INT", "1"),
    entries_of!("BIGINT", "3000000000"),
    entries_of!("DOUBLE", "1E0"),
    entries_of!("BOOLEAN", "TRUE"),
    entries_of!("STRING", "'x'"),
];

pub(super) static SPLITTERS: &[Scalar] = &[
    Scalar {
        signature: "SPLIT(string STRING, delimiter STRING) -> ARRAY<STRING>",
        summary: "Splits text where a delimiter stands, or between all characters if it is ''.",
        examples: &[("SPLIT('a,,b', ',')", "ARRAY['a', '', 'b']")],
        eval: |call| {
            let (text, delimiter) = (call.text(0).unwrap_or_default(), call.text(1));
            let parts: Vec<_> = match delimiter.unwrap_or_default() {
                "" if text.is_empty() => vec![call.arg(0)],
                "" => {
                    check_items(utf16_len(text))?;
                    utf16_units(text).map(|u| call.string(&from_utf16_units([u]))).collect()
                }
                delimiter => text.split(delimiter).map(Value::String).collect(),
            };
            Ok(call.array(&parts))
        },
        ..Scalar::STRICT
    },
    Scalar {
        signature: "SPLIT(bytes BYTES, delimiter BYTES) -> ARRAY<BYTES>",
        summary: "Splits bytes where a delimiter stands, or between all of them if it is empty.",
        examples: &[("ARRAY_LENGTH(SPLIT(TO_BYTES('a,b', 'utf8'), TO_BYTES(',', 'utf8')))", "2")],
        eval: |call| {
            let (bytes, delimiter) = (call.bytes(0).unwrap_or_default(), call.bytes(1));
            let parts: Vec<_> = match delimiter.unwrap_or_default() {
                [] if bytes.is_empty() => vec![call.arg(0)],
                [] => {
                    check_items(bytes.len())?;
                    bytes.chunks(1).map(Value::Bytes).collect()
                }
                delimiter => split_bytes(bytes, delimiter).map(Value::Bytes).collect(),
            };
            Ok(call.array(&parts))
        },
        ..Scalar::STRICT
    },
    Scalar {
        signature: "SPLIT_TO_MAP(input STRING, entryDelimiter STRING, kvDelimiter STRING) \
                    -> MAP<STRING, STRING>",
        summary: "Splits text into entries and these into keys and values.",
        examples: &[("SPLIT_TO_MAP('a=1,b=2', ',', '=')", "MAP('a' := '1', 'b' := '2')")],
        eval: |call| Ok(split_to_map(call)),
        ..Scalar::STRICT
    },
];

/// The size that two `putAll` give the table of an empty `HashMap`.
fn union_capacity(first: usize, second: usize) -> usize {
    let sized_for = |count: usize| (count * 4 / 3 + 1).next_power_of_two();
    match (first, second) {
        (0, 0) => DEFAULT_CAPACITY,
        (0, second) => sized_for(second),
        (first, second) if second * 4 > sized_for(first) * 3 => sized_for(first) * 2,
        (first, _) => sized_for(first),
    }
}

fn entries<'a>(call: &Call<'_, 'a>) -> Value<'a> {
    let mut entries = call.entries(0).unwrap_or_default().to_vec();
    if let Value::Boolean(true) = call.arg(1) {
        entries.sort_by(|(a, _), (b, _)| match (a, b) {
            (Value::String(a), Value::String(b)) => compare_utf16(a, b),
            _ => std::cmp::Ordering::Equal,
        });
    }
    let arena = call.context.arena;
    let structs = entries.iter().map(|(key, value)| Value::Struct(arena.values(&[*key, *value])));
    call.array(&structs.collect::<Vec<_>>())
}

fn split_bytes<'b>(bytes: &'b [u8], delimiter: &'b [u8]) -> impl Iterator<Item = &'b [u8]> {
    let mut rest = Some(bytes);
    std::iter::from_fn(move || {
        let bytes = rest?;
        let found = bytes.windows(delimiter.len()).position(|window| window == delimiter);
        rest = found.map(|at| &bytes[at + delimiter.len()..]);
        Some(&bytes[..found.unwrap_or(bytes.len())])
    })
}

fn split_to_map<'a>(call: &Call<'_, 'a>) -> Value<'a> {
    let text = call.text(0).unwrap_or_default();
    let (entry, pair) = (call.text(1).unwrap_or_default(), call.text(2).unwrap_or_default());
    if entry.is_empty() || pair.is_empty() || entry == pair {
        return Value::Null;
    }
    let entries: Vec<_> = text
        .split(entry)
        .filter_map(|entry| {
            let mut parts = entry.split(pair);
            Some((Value::String(parts.next()?), Value::String(parts.next()?)))
        })
        .collect();
    // `HashMap.merge` puts a new key before the others of its slot, and leaves a known one there.
    let mut newest_first = distinct_entries(entries);
    newest_first.reverse();
    ordered(&newest_first, DEFAULT_CAPACITY, call.context.arena)
}
