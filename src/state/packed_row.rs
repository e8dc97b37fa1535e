//! Rows as bytes of our own: few of them, quick to write and to read back.
//!
//! They never leave memory, so that no version and no reader's mistake has to be thought of. Each
//! value says what it is, as a column may hold values of several types:
//!
//! ```text
//! tag (1 byte) · number (4 or 8 bytes) | length · bytes | count · values
//! ```
//!
//! A length or a count takes a byte for each seven bits, the lowest first; all but the last have the high bit set.

use num_bigint::BigInt;

use crate::types::{Arena, Decimal, OwnedValue, Value};

/// Appends a value.
#[inline]
pub fn pack(value: Value<'_>, out: &mut Vec<u8>) {
    match value {
        Value::Null => out.push(Tag::Null as u8),
        Value::Int(value) => pack_number(Tag::Int, value.to_le_bytes(), out),
        Value::Bigint(value) => pack_number(Tag::Bigint, value.to_le_bytes(), out),
        Value::Double(value) => pack_number(Tag::Double, value.to_bits().to_le_bytes(), out),
        Value::String(text) => pack_bytes(Tag::String, text.as_bytes(), out),
        other => pack_rare(other, out),
    }
}

fn pack_rare(value: Value<'_>, out: &mut Vec<u8>) {
    match value {
        Value::Boolean(false) => out.push(Tag::False as u8),
        Value::Boolean(true) => out.push(Tag::True as u8),
        Value::Date(value) => pack_number(Tag::Date, value.to_le_bytes(), out),
        Value::Time(value) => pack_number(Tag::Time, value.to_le_bytes(), out),
        Value::Timestamp(value) => pack_number(Tag::Timestamp, value.to_le_bytes(), out),
        Value::Decimal(value) => {
            pack_number(Tag::Decimal, value.scale.to_le_bytes(), out);
            let digits = value.unscaled.to_signed_bytes_le();
            pack_bytes(Tag::Bytes, &digits, out);
        }
        Value::Bytes(bytes) => pack_bytes(Tag::Bytes, bytes, out),
        Value::Array(items) => pack_list(Tag::Array, items, out),
        Value::Struct(fields) => pack_list(Tag::Struct, fields, out),
        Value::Map(entries) => {
            pack_len(Tag::Map, entries.len(), out);
            for (key, value) in entries {
                pack(*key, out);
                pack(*value, out);
            }
        }
        Value::Null | Value::Int(_) | Value::Bigint(_) | Value::Double(_) | Value::String(_) => {
            pack(value, out);
        }
    }
}

#[inline]
fn pack_number<const N: usize>(tag: Tag, bytes: [u8; N], out: &mut Vec<u8>) {
    let mut packed = [0; 9];
    packed[0] = tag as u8;
    packed[1..=N].copy_from_slice(&bytes);
    out.extend_from_slice(&packed[..=N]);
}

#[inline]
fn pack_bytes(tag: Tag, bytes: &[u8], out: &mut Vec<u8>) {
    out.push(tag as u8);
    pack_run(bytes, out);
}

/// Appends bytes behind their length.
#[inline]
pub(super) fn pack_run(bytes: &[u8], out: &mut Vec<u8>) {
    write_len(bytes.len(), out);
    out.extend_from_slice(bytes);
}

#[inline]
fn pack_len(tag: Tag, len: usize, out: &mut Vec<u8>) {
    out.push(tag as u8);
    write_len(len, out);
}

#[inline]
fn write_len(mut len: usize, out: &mut Vec<u8>) {
    while len >= 0x80 {
        out.push(len as u8 | 0x80);
        len >>= 7;
    }
    out.push(len as u8);
}

fn pack_list(tag: Tag, items: &[Value<'_>], out: &mut Vec<u8>) {
    pack_len(tag, items.len(), out);
    for item in items {
        pack(*item, out);
    }
}

/// What a packed value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
enum Tag {
    Null,
    False,
    True,
    Int,
    Bigint,
    Double,
    String,
    Bytes,
    Date,
    Time,
    Timestamp,
    Decimal,
    Array,
    Struct,
    Map,
}

impl Tag {
    const ALL: [Self; 15] = [
        Self::Null,
        Self::False,
        Self::True,
        Self::Int,
        Self::Bigint,
        Self::Double,
        Self::String,
        Self::Bytes,
        Self::Date,
        Self::Time,
        Self::Timestamp,
        Self::Decimal,
        Self::Array,
        Self::Struct,
        Self::Map,
    ];
}

/// Reads packed values one after the other, in the order in which they were packed.
#[derive(Clone, Copy, Debug)]
pub struct PackedValues<'b> {
    bytes: &'b [u8],
}

impl<'b> PackedValues<'b> {
    /// The values that begin where `bytes` do.
    pub fn new(bytes: &'b [u8]) -> Self {
        Self { bytes }
    }

    /// Whether there is no further value.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// The tag of the next value; that of NULL after the last one.
    #[inline]
    pub(super) fn peek(&self) -> u8 {
        self.bytes.first().copied().unwrap_or_default()
    }

    /// The next value by itself. NULL after the last one.
    #[inline]
    pub(super) fn next_owned(&mut self) -> OwnedValue {
        self.next(&Arena::new()).to_owned()
    }

    /// The next value, whose text borrows from the packed bytes. NULL after the last one.
    #[inline]
    pub fn lent<'a>(&mut self, arena: &'a Arena) -> Value<'a>
    where
        'b: 'a,
    {
        match self.bytes.split_first() {
            Some((tag, rest)) if *tag == Tag::String as u8 => {
                self.bytes = rest;
                Value::String(std::str::from_utf8(self.run()).unwrap_or_default())
            }
            _ => self.next(arena),
        }
    }

    /// The next value, whose text is copied into `arena`. NULL after the last one.
    #[inline]
    pub fn next<'a>(&mut self, arena: &'a Arena) -> Value<'a> {
        let [tag] = self.number();
        match Tag::ALL.get(usize::from(tag)) {
            Some(Tag::Int) => Value::Int(i32::from_le_bytes(self.number())),
            Some(Tag::Bigint) => Value::Bigint(i64::from_le_bytes(self.number())),
            Some(Tag::Double) => Value::Double(f64::from_bits(u64::from_le_bytes(self.number()))),
            // Only texts are packed as such, so they are UTF-8.
            Some(Tag::String) => {
                Value::String(arena.text(std::str::from_utf8(self.run()).unwrap_or_default()))
            }
            Some(Tag::Null) | None => Value::Null,
            Some(tag) => self.rare(*tag, arena),
        }
    }

    fn rare<'a>(&mut self, tag: Tag, arena: &'a Arena) -> Value<'a> {
        match tag {
            Tag::False => Value::Boolean(false),
            Tag::True => Value::Boolean(true),
            Tag::Date => Value::Date(i32::from_le_bytes(self.number())),
            Tag::Time => Value::Time(i32::from_le_bytes(self.number())),
            Tag::Timestamp => Value::Timestamp(i64::from_le_bytes(self.number())),
            Tag::Bytes => Value::Bytes(arena.bytes(self.run())),
            Tag::Decimal => {
                let scale = i32::from_le_bytes(self.number());
                let [_bytes] = self.number();
                let unscaled = BigInt::from_signed_bytes_le(self.run());
                Value::Decimal(arena.decimal(Decimal { unscaled, scale }))
            }
            Tag::Array => Value::Array(self.list(arena)),
            Tag::Struct => Value::Struct(self.list(arena)),
            Tag::Map => {
                let count = self.len();
                let entries: Vec<_> =
                    (0..count).map(|_| (self.next(arena), self.next(arena))).collect();
                Value::Map(arena.entries(&entries))
            }
            Tag::Null | Tag::Int | Tag::Bigint | Tag::Double | Tag::String => Value::Null,
        }
    }

    fn list<'a>(&mut self, arena: &'a Arena) -> &'a [Value<'a>] {
        let count = self.len();
        let items: Vec<_> = (0..count).map(|_| self.next(arena)).collect();
        arena.values(&items)
    }

    /// The next bytes; zeros where there are none.
    #[inline]
    pub(super) fn number<const N: usize>(&mut self) -> [u8; N] {
        match self.bytes.split_first_chunk::<N>() {
            Some((number, rest)) => {
                self.bytes = rest;
                *number
            }
            None => [0; N],
        }
    }

    /// The next length or count.
    #[inline]
    fn len(&mut self) -> usize {
        let (mut len, mut shift) = (0, 0);
        loop {
            let [byte] = self.number();
            len |= usize::from(byte & 0x7f) << shift;
            shift += 7;
            if byte < 0x80 || shift >= usize::BITS {
                return len;
            }
        }
    }

    /// The next bytes, behind their length.
    #[inline]
    pub(super) fn run(&mut self) -> &'b [u8] {
        let len = self.len();
        let (run, rest) = self.bytes.split_at_checked(len).unwrap_or_default();
        self.bytes = rest;
        run
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_their_places() {
        for (place, tag) in Tag::ALL.into_iter().enumerate() {
            assert_eq!(tag as usize, place);
        }
    }

    #[test]
    fn a_row_is_read_back_as_it_was_packed() {
        let decimal = Decimal::new(-1_234_567_890_123_i64, 4);
        let entries = vec![
            (OwnedValue::String("a".into()), OwnedValue::Null),
            (OwnedValue::String("é😀".into()), OwnedValue::Double(-0.0)),
        ];
        let row = [
            OwnedValue::Null,
            OwnedValue::Boolean(true),
            OwnedValue::Boolean(false),
            OwnedValue::Int(i32::MIN),
            OwnedValue::Bigint(i64::MAX),
            OwnedValue::Double(f64::NAN),
            OwnedValue::Decimal(Box::new(decimal)),
            OwnedValue::String("".into()),
            OwnedValue::String("text".into()),
            OwnedValue::Bytes([0, 255].into()),
            OwnedValue::Date(-1),
            OwnedValue::Time(86_399_999),
            OwnedValue::Timestamp(1_700_000_000_000),
            OwnedValue::Array(vec![OwnedValue::Int(1), OwnedValue::Null]),
            OwnedValue::Map(entries),
            OwnedValue::Struct(vec![OwnedValue::Array(Vec::new()), OwnedValue::Int(7)]),
            OwnedValue::String("t".repeat(127).into()),
            OwnedValue::String("t".repeat(128).into()),
            OwnedValue::Bytes(vec![1; 70_000].into()),
            OwnedValue::Array(vec![OwnedValue::Null; 300]),
        ];
        let arena = Arena::new();
        let mut bytes = Vec::new();
        for value in &row {
            pack(value.as_value(&arena), &mut bytes);
        }
        let mut values = PackedValues::new(&bytes);
        let mut lent = values;
        for value in &row {
            assert_eq!(values.next(&arena).to_owned(), *value);
            assert_eq!(lent.lent(&arena).to_owned(), *value);
        }
        assert_eq!((values.next(&arena), lent.lent(&arena)), (Value::Null, Value::Null));
    }
}
