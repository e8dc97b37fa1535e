//! Records of two topics that are held against one another.

use std::fmt;

use crate::types::OwnedHeaders;

/// What a record holds, wherever it lies.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Record {
    /// The key.
    pub key: Option<Vec<u8>>,
    /// The value.
    pub value: Option<Vec<u8>>,
    /// The timestamp, in milliseconds since 1970.
    pub timestamp_ms: i64,
    /// The headers, in order.
    pub headers: OwnedHeaders,
}

/// A record and where it lies in its topic.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Placed {
    /// The partition.
    pub partition: i32,
    /// The offset.
    pub offset: i64,
    /// The record.
    pub record: Record,
}

impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = |bytes: Option<&Vec<u8>>| {
            bytes.map_or_else(|| "null".to_owned(), |bytes| escaped(bytes))
        };
        let (key, value) = (text(self.key.as_ref()), text(self.value.as_ref()));
        write!(f, "key {key}\n    value {value}\n    at {}", self.timestamp_ms)?;
        for (name, value) in &self.headers {
            write!(f, ", header {name}={}", text(value.as_ref()))?;
        }
        Ok(())
    }
}

/// Bytes as text; what is no UTF-8 or cannot be printed is escaped.
pub fn escaped(bytes: &[u8]) -> String {
    let mut out = String::new();
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            if c.is_control() {
                out.extend(c.escape_default());
            } else {
                out.push(c);
            }
        }
        out.extend(chunk.invalid().iter().map(|byte| format!("\\x{byte:02x}")));
    }
    out
}

/// Bytes as hexadecimal digits, two for each.
pub(super) fn hex(bytes: &[u8]) -> String {
    let digit = |digit: u8| char::from_digit(u32::from(digit), 16).unwrap_or('?');
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 0xf)]).collect()
}
