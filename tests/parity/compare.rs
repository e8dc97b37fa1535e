//! Comparisons that say what differs first.

use std::collections::BTreeMap;

use super::record::Record;

/// Both hold the same records in the same order.
#[track_caller]
pub(crate) fn sequence(what: &str, expected: &[Record], found: &[Record]) {
    let differs = expected.iter().zip(found).position(|(expected, found)| expected != found);
    let count = format!("{} expected, {} found", expected.len(), found.len());
    if let Some(at) = differs {
        let all = expected.iter().zip(found).filter(|(expected, found)| expected != found).count();
        panic!(
            "{what} ({count}): {all} differ, the first is {at}\n  expected {}\n  found    {}",
            expected[at], found[at]
        );
    }
    let at = expected.len().min(found.len());
    match (expected.get(at), found.get(at)) {
        (Some(missing), _) => panic!("{what} ({count}): missing from {at} on\n  {missing}"),
        (_, Some(extra)) => panic!("{what} ({count}): too many from {at} on\n  {extra}"),
        _ => {}
    }
}

/// Both hold the same records, in whatever order.
#[track_caller]
pub(crate) fn multiset(what: &str, expected: Vec<Record>, found: Vec<Record>) {
    let count = format!("{} expected, {} found", expected.len(), found.len());
    let mut balance: BTreeMap<Record, i64> = BTreeMap::new();
    for record in expected {
        *balance.entry(record).or_default() += 1;
    }
    for record in found {
        *balance.entry(record).or_default() -= 1;
    }
    let of = |sign: i64| {
        let mut some = balance.iter().filter(move |(_, count)| count.signum() == sign);
        let first = some.next().map_or_else(|| "none".to_owned(), |(record, _)| record.to_string());
        (first, some.count())
    };
    let ((missing, more_missing), (extra, more_extra)) = (of(1), of(-1));
    assert!(
        balance.values().all(|count| *count == 0),
        "{what} ({count})\n  missing  {missing}\n  and {more_missing} more\n  not expected {extra}\n  and {more_extra} more"
    );
}

/// Takes the counter of `LATEST_BY_OFFSET` out of a JSON value.
pub(crate) fn without_sequence(mut record: Record) -> Record {
    record.value = record.value.map(|value| without_number(&value, b"\"SEQ\":"));
    record
}

/// Takes the time of an entry of the processing log out of it, and that of its record.
pub(crate) fn without_time(mut record: Record) -> Record {
    record.value = record.value.map(|value| without_number(&value, b"\"time\":"));
    record.timestamp_ms = 0;
    record
}

/// Takes out the number behind each `name`.
fn without_number(value: &[u8], name: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(value.len());
    let mut left = value;
    while !left.is_empty() {
        if left.starts_with(name) {
            out.extend_from_slice(name);
            left = &left[name.len()..];
            let digits = left.iter().take_while(|byte| byte.is_ascii_digit()).count();
            left = &left[digits..];
        } else {
            out.push(left[0]);
            left = &left[1..];
        }
    }
    out
}

/// Takes the counter of `LATEST_BY_OFFSET` out of a Protobuf value: field 1 of the messages in `fields`.
pub(crate) fn without_protobuf_sequence(mut record: Record, fields: &[u64]) -> Record {
    let without = |value: Vec<u8>| {
        let mut out = Vec::new();
        let mut left = value.as_slice();
        while let Some(field) = Field::read(&mut left) {
            if fields.contains(&field.number) {
                let mut inner = field.payload;
                while let Some(part) = Field::read(&mut inner) {
                    if part.number != 1 {
                        out.extend_from_slice(part.bytes);
                    }
                }
            } else {
                out.extend_from_slice(field.bytes);
            }
        }
        out
    };
    record.value = record.value.map(without);
    record
}

/// A field of a Protobuf message.
struct Field<'a> {
    number: u64,
    /// All of it.
    bytes: &'a [u8],
    /// What is in it, if it has a length.
    payload: &'a [u8],
}

impl<'a> Field<'a> {
    fn read(left: &mut &'a [u8]) -> Option<Self> {
        if left.is_empty() {
            return None;
        }
        let start = *left;
        let tag = varint(left);
        let mut payload: &[u8] = &[];
        match tag & 7 {
            0 => drop(varint(left)),
            1 => *left = &left[8..],
            2 => {
                let length = varint(left) as usize;
                (payload, *left) = left.split_at(length);
            }
            5 => *left = &left[4..],
            kind => panic!("a field has the wire type {kind}"),
        }
        let bytes = &start[..start.len() - left.len()];
        Some(Self { number: tag >> 3, bytes, payload })
    }
}

fn varint(left: &mut &[u8]) -> u64 {
    let mut value = 0;
    for shift in (0..).step_by(7) {
        let byte = left[0];
        *left = &left[1..];
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            break;
        }
    }
    value
}
