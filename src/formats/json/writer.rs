//! Rows as JSON, byte for byte as ksqlDB writes them.
//!
//! Every column is written, NULLs too. Doubles are Java's text and NaN is quoted, decimals may have
//! an exponent, bytes are Base64, and what lies beyond the first plane of Unicode is escaped.

use std::io::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::formats::{Encoded, Row};
use crate::java::{LONE_SURROGATE_FIRST, write_double};
use crate::types::{ColumnDef, SqlType, Value};

/// Writes rows of some columns.
#[derive(Debug)]
pub(in crate::formats) struct JsonEncoder {
    shape: Shape,
}

#[derive(Debug)]
enum Shape {
    /// One bare value.
    Bare(Names),
    /// An object.
    Object(Vec<Member>),
}

/// A member and what comes before its value: `{"A":`, then `,"B":`.
#[derive(Debug)]
struct Member {
    prefix: Box<[u8]>,
    names: Names,
}

/// The names of fields within a type.
#[derive(Debug)]
enum Names {
    /// There are none.
    Plain,
    /// Those of the items of an ARRAY or the values of a MAP.
    Items(Box<Names>),
    /// Those of the values of a MAP that is written as a list of keys and values.
    Entries(Box<Names>),
    /// The members of a STRUCT.
    Struct(Vec<Member>),
}

/// How a MAP is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::formats) enum MapStyle {
    /// `{"a":1}`.
    Object,
    /// `[{"key":"a","value":1}]`.
    Entries,
}

impl Names {
    fn of(ty: &SqlType, maps: MapStyle) -> Self {
        match ty {
            SqlType::Map(_, item) if maps == MapStyle::Entries => {
                Self::Entries(Box::new(Self::of(item, maps)))
            }
            SqlType::Array(item) | SqlType::Map(_, item) => match Self::of(item, maps) {
                Self::Plain => Self::Plain,
                names => Self::Items(Box::new(names)),
            },
            SqlType::Struct(ty) => {
                let fields = ty.fields.iter().map(|field| (&*field.name, &field.ty));
                Self::Struct(members(fields, maps))
            }
            _ => Self::Plain,
        }
    }
}

fn members<'n>(
    fields: impl Iterator<Item = (&'n str, &'n SqlType)>,
    maps: MapStyle,
) -> Vec<Member> {
    let member = |(index, (name, ty))| {
        let mut prefix = vec![if index == 0 { b'{' } else { b',' }];
        write_text(name, &mut prefix);
        prefix.push(b':');
        Member { prefix: prefix.into(), names: Names::of(ty, maps) }
    };
    fields.enumerate().map(member).collect()
}

impl JsonEncoder {
    pub(in crate::formats) fn new(columns: &[ColumnDef], wrapped: bool, maps: MapStyle) -> Self {
        let shape = match columns {
            [column] if !wrapped => Shape::Bare(Names::of(&column.ty, maps)),
            _ => {
                let fields = columns.iter().map(|column| (&*column.name, &column.ty));
                Shape::Object(members(fields, maps))
            }
        };
        Self { shape }
    }

    pub(in crate::formats) fn encode<R: Row + ?Sized>(
        &self,
        row: &R,
        out: &mut Vec<u8>,
    ) -> Encoded {
        match &self.shape {
            Shape::Bare(names) => {
                let value = row.value(0);
                if value.is_null() {
                    return Encoded::Null;
                }
                write_value(value, names, out);
            }
            Shape::Object(members) => {
                write_members(members, |index| row.value(index), out);
            }
        }
        Encoded::Bytes
    }
}

fn write_members<'v>(members: &[Member], value: impl Fn(usize) -> Value<'v>, out: &mut Vec<u8>) {
    if members.is_empty() {
        out.push(b'{');
    }
    for (index, member) in members.iter().enumerate() {
        out.extend_from_slice(&member.prefix);
        write_value(value(index), &member.names, out);
    }
    out.push(b'}');
}

fn write_value(value: Value<'_>, names: &Names, out: &mut Vec<u8>) {
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Boolean(true) => out.extend_from_slice(b"true"),
        Value::Boolean(false) => out.extend_from_slice(b"false"),
        Value::Int(value) | Value::Date(value) | Value::Time(value) => {
            write_integer(value.into(), out);
        }
        Value::Bigint(value) | Value::Timestamp(value) => write_integer(value, out),
        Value::Double(value) if value.is_finite() => write_double(value, out),
        Value::Double(value) => {
            out.push(b'"');
            write_double(value, out);
            out.push(b'"');
        }
        Value::Decimal(value) => out.extend_from_slice(value.to_string().as_bytes()),
        Value::String(value) => write_text(value, out),
        Value::Bytes(value) => {
            out.push(b'"');
            out.extend_from_slice(STANDARD.encode(value).as_bytes());
            out.push(b'"');
        }
        Value::Array(items) => write_array(items, names, out),
        Value::Map(entries) => write_map(entries, names, out),
        Value::Struct(fields) => {
            let Names::Struct(members) = names else { unreachable!("a STRUCT has names") };
            write_members(members, |index| fields.get(index).copied().unwrap_or_default(), out);
        }
    }
}

fn write_array(items: &[Value<'_>], names: &Names, out: &mut Vec<u8>) {
    out.push(b'[');
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write_value(*item, item_names(names), out);
    }
    out.push(b']');
}

fn write_map(entries: &[(Value<'_>, Value<'_>)], names: &Names, out: &mut Vec<u8>) {
    if let Names::Entries(names) = names {
        write_entries(entries, names, out);
        return;
    }
    out.push(b'{');
    for (index, (key, value)) in entries.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        match key {
            Value::String(text) => write_text(text, out),
            _ => out.extend_from_slice(b"\"null\""),
        }
        out.push(b':');
        write_value(*value, item_names(names), out);
    }
    out.push(b'}');
}

fn write_entries(entries: &[(Value<'_>, Value<'_>)], names: &Names, out: &mut Vec<u8>) {
    out.push(b'[');
    for (index, (key, value)) in entries.iter().enumerate() {
        out.extend_from_slice(if index > 0 { b",{\"key\":" } else { b"{\"key\":" });
        write_value(*key, &Names::Plain, out);
        out.extend_from_slice(b",\"value\":");
        write_value(*value, names, out);
        out.push(b'}');
    }
    out.push(b']');
}

fn item_names(names: &Names) -> &Names {
    if let Names::Items(names) = names { names } else { &Names::Plain }
}

/// Appends a whole number.
pub(in crate::formats) fn write_integer(value: i64, out: &mut Vec<u8>) {
    let mut digits = [0; 20];
    let mut at = digits.len();
    let mut rest = value.unsigned_abs();
    loop {
        at -= 1;
        digits[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    if value < 0 {
        at -= 1;
        digits[at] = b'-';
    }
    out.extend_from_slice(&digits[at..]);
}

/// Appends quoted text for a topic: only ASCII and the first plane stay as they are.
pub(super) fn write_text(text: &str, out: &mut Vec<u8>) {
    write_escaped(text, true, out);
}

/// Appends quoted text as it is rendered within a VARCHAR: all of Unicode stays as it is.
pub(in crate::formats) fn write_text_raw(text: &str, out: &mut Vec<u8>) {
    write_escaped(text, false, out);
}

fn write_escaped(text: &str, escapes_pairs: bool, out: &mut Vec<u8>) {
    out.push(b'"');
    let bytes = text.as_bytes();
    let mut copied = 0;
    for (at, byte) in bytes.iter().enumerate() {
        let is_plain = !matches!(byte, 0..0x20 | b'"' | b'\\' | 0xF0..);
        if is_plain || (*byte >= 0xF0 && !escapes_pairs) {
            continue;
        }
        out.extend_from_slice(&bytes[copied..at]);
        copied = at + if *byte >= 0xF0 { 4 } else { 1 };
        match byte {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            0x08 => out.extend_from_slice(b"\\b"),
            b'\t' => out.extend_from_slice(b"\\t"),
            b'\n' => out.extend_from_slice(b"\\n"),
            0x0C => out.extend_from_slice(b"\\f"),
            b'\r' => out.extend_from_slice(b"\\r"),
            0xF0.. => write_pair(text[at..].chars().next().unwrap_or_default(), out),
            _ => write_unit((*byte).into(), out),
        }
    }
    out.extend_from_slice(&bytes[copied..]);
    out.push(b'"');
}

fn write_pair(c: char, out: &mut Vec<u8>) {
    let code = u32::from(c);
    if code >= LONE_SURROGATE_FIRST {
        write_unit((code - LONE_SURROGATE_FIRST + 0xD800) as u16, out);
        return;
    }
    for unit in c.encode_utf16(&mut [0; 2]) {
        write_unit(*unit, out);
    }
}

fn write_unit(unit: u16, out: &mut Vec<u8>) {
    // Writing to a vector does not fail.
    let _ = write!(out, "\\u{unit:04X}");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(value: &str) -> String {
        let mut out = Vec::new();
        write_text(value, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn text_is_escaped_as_jackson_does() {
        assert_eq!(text("say \"hi\" \\ back"), r#""say \"hi\" \\ back""#);
        assert_eq!(text("a\u{8}\u{c}\n\r\t\u{1f}b"), r#""a\b\f\n\r\t\u001Fb""#);
        assert_eq!(text("é שלום 歩く"), "\"é שלום 歩く\"");
        assert_eq!(text("😀 run"), r#""\uD83D\uDE00 run""#);
        assert_eq!(text("a\u{10F800}b"), r#""a\uD800b""#);
    }

    #[test]
    fn integers_of_any_size() {
        for value in [0, 7, -1, 1234, i64::MIN, i64::MAX] {
            let mut out = Vec::new();
            write_integer(value, &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), value.to_string());
        }
    }
}
