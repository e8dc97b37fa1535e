//! Comparisons that say what differs first.

use millstream::parity::{first_difference, unmatched};

use super::record::Record;

/// Both hold the same records in the same order.
#[track_caller]
pub(crate) fn sequence(what: &str, expected: &[Record], found: &[Record]) {
    let Some(at) = first_difference(expected, found) else { return };
    let all = expected.iter().zip(found).filter(|(expected, found)| expected != found).count();
    let shown = |records: &[Record]| records.get(at).map_or("none".to_owned(), Record::to_string);
    panic!(
        "{what} ({} expected, {} found): {all} differ, the first is {at}\n  expected {}\n  found    {}",
        expected.len(),
        found.len(),
        shown(expected),
        shown(found)
    );
}

/// Both hold the same records, in whatever order.
#[track_caller]
pub(crate) fn multiset(what: &str, expected: &[Record], found: &[Record]) {
    let (missing, extra) = unmatched(expected, found);
    let first = |records: &[Record], of: &[usize]| {
        of.first().map_or_else(|| "none".to_owned(), |at| records[*at].to_string())
    };
    assert!(
        missing.is_empty() && extra.is_empty(),
        "{what} ({} expected, {} found)\n  {} missing, the first is {}\n  {} not expected, the first is {}",
        expected.len(),
        found.len(),
        missing.len(),
        first(expected, &missing),
        extra.len(),
        first(found, &extra)
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
