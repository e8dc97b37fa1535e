//! What the bytes of keys and values look like, where nobody says how they are written.
//!
//! All formats that every value of a topic so far could be are kept; a value is shown as the first of them. Four letters
//! are as well a number of four bytes: text without control characters is taken for text first.

use std::fmt::Write as _;

use chrono::DateTime;
use serde_json::Value;

/// What bytes may be, the likeliest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Inner {
    Registered,
    Json,
    Text,
    Int,
    Bigint,
    Double,
    String,
}

/// What a key may carry besides: the window of its row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Windowed {
    Plain,
    /// The start of the window stands behind the key.
    Time,
    /// The end and the start do.
    Session,
}

/// A format that bytes may have.
type Form = (Windowed, Inner);

/// The formats without a window.
const PLAIN: [Inner; 7] = [
    Inner::Registered,
    Inner::Json,
    Inner::Text,
    Inner::Int,
    Inner::Bigint,
    Inner::Double,
    Inner::String,
];

/// The first and last time that is taken for the start of a window: of the years 1990 and 2100.
const PLAUSIBLE_MS: std::ops::Range<i64> = 631_152_000_000..4_102_444_800_000;

/// How many bytes of what is no text are shown.
const SHOWN_BYTES_MAX: usize = 64;

/// The formats that all keys, or all values, of a topic may have.
#[derive(Debug, Clone)]
pub struct Detected {
    left: Vec<Form>,
    has_seen: bool,
}

impl Detected {
    /// All formats that keys may have, windows included.
    pub fn keys() -> Self {
        let windowed = |windowed| PLAIN.map(|inner| (windowed, inner));
        let kinds = [Windowed::Session, Windowed::Time, Windowed::Plain];
        Self { left: kinds.into_iter().flat_map(windowed).collect(), has_seen: false }
    }

    /// All formats that values may have.
    pub fn values() -> Self {
        let left = PLAIN.map(|inner| (Windowed::Plain, inner)).to_vec();
        Self { left, has_seen: false }
    }

    /// Looks at bytes: what they cannot be is left out from now on. Null and nothing may be all.
    pub fn look(&mut self, bytes: Option<&[u8]>) {
        let Some(bytes) = bytes.filter(|bytes| !bytes.is_empty()) else { return };
        self.has_seen = true;
        self.left.retain(|form| show(*form, bytes).is_some());
    }

    /// The bytes as text.
    pub fn show(&self, bytes: Option<&[u8]>) -> String {
        let Some(bytes) = bytes else { return "<null>".to_owned() };
        let found = self.left.iter().find_map(|form| show(*form, bytes));
        found.unwrap_or_else(|| hex(bytes))
    }

    /// The bytes as JSON: what is JSON is as it is, and everything else a number or text.
    pub fn json(&self, bytes: Option<&[u8]>) -> Value {
        let Some(bytes) = bytes else { return Value::Null };
        let found = self.left.iter().find_map(|form| Some((*form, show(*form, bytes)?)));
        let Some((form, text)) = found else { return Value::String(hex(bytes)) };
        match form {
            (Windowed::Plain, Inner::Json | Inner::Int | Inner::Bigint | Inner::Double) => {
                serde_json::from_str(&text).unwrap_or(Value::String(text))
            }
            _ => Value::String(text),
        }
    }

    /// The names of the formats, as ksqlDB's PRINT says them.
    pub fn names(&self) -> String {
        if !self.has_seen {
            return "no data yet".to_owned();
        }
        let mut names: Vec<String> = Vec::new();
        for (windowed, inner) in &self.left {
            let inner = inner_name(*inner);
            let name = match windowed {
                Windowed::Plain => inner.to_owned(),
                Windowed::Time => format!("HOPPING({inner}) or TUMBLING({inner})"),
                Windowed::Session => format!("SESSION({inner})"),
            };
            if !names.contains(&name) {
                names.push(name);
            }
        }
        if names.is_empty() { "bytes".to_owned() } else { names.join(" or ") }
    }
}

fn inner_name(inner: Inner) -> &'static str {
    match inner {
        Inner::Registered => "AVRO, JSON_SR or PROTOBUF",
        Inner::Json => "JSON",
        Inner::Int => "KAFKA_INT",
        Inner::Bigint => "KAFKA_BIGINT",
        Inner::Double => "KAFKA_DOUBLE",
        Inner::Text | Inner::String => "KAFKA_STRING",
    }
}

/// The bytes in a format, if they can be in it.
fn show((windowed, inner): Form, bytes: &[u8]) -> Option<String> {
    match windowed {
        Windowed::Plain => plain(inner, bytes),
        Windowed::Time => {
            let (key, start) = bytes.split_last_chunk::<8>()?;
            let start = plausible(*start)?;
            Some(format!("[{}@{start}/-]", within(inner, key)?))
        }
        Windowed::Session => {
            let (rest, start) = bytes.split_last_chunk::<8>()?;
            let (key, end) = rest.split_last_chunk::<8>()?;
            let (start, end) = (plausible(*start)?, plausible(*end)?);
            (start <= end).then_some(())?;
            Some(format!("[{}@{start}/{end}]", within(inner, key)?))
        }
    }
}

/// The key inside a windowed one, which is not empty.
fn within(inner: Inner, key: &[u8]) -> Option<String> {
    (!key.is_empty()).then(|| plain(inner, key)).flatten()
}

fn plausible(bytes: [u8; 8]) -> Option<i64> {
    Some(i64::from_be_bytes(bytes)).filter(|time| PLAUSIBLE_MS.contains(time))
}

fn plain(inner: Inner, bytes: &[u8]) -> Option<String> {
    match inner {
        Inner::Registered => registered(bytes),
        Inner::Json => {
            let text = std::str::from_utf8(bytes).ok()?;
            let is_object = text.trim_start().starts_with(['{', '[']);
            (is_object && serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok())
                .then(|| text.to_owned())
        }
        Inner::Text => {
            let text = std::str::from_utf8(bytes).ok()?;
            (!text.chars().any(is_control)).then(|| text.to_owned())
        }
        Inner::Int => Some(i32::from_be_bytes(bytes.try_into().ok()?).to_string()),
        Inner::Bigint => Some(i64::from_be_bytes(bytes.try_into().ok()?).to_string()),
        Inner::Double => Some(f64::from_be_bytes(bytes.try_into().ok()?).to_string()),
        Inner::String => {
            let text = std::str::from_utf8(bytes).ok()?;
            Some(text.chars().flat_map(escaped).collect())
        }
    }
}

/// Whether a character is none that text has.
fn is_control(c: char) -> bool {
    c.is_control() && !matches!(c, '\t' | '\n' | '\r')
}

/// A character as a terminal may get it.
fn escaped(c: char) -> impl Iterator<Item = char> {
    let escape = is_control(c).then(|| c.escape_default());
    let plain = (!is_control(c)).then_some(c);
    escape.into_iter().flatten().chain(plain)
}

/// What a registry's serializer wrote: a zero, the id of a schema, and what that says.
fn registered(bytes: &[u8]) -> Option<String> {
    let ([0, a, b, c, d], rest) = bytes.split_first_chunk::<5>()? else { return None };
    let id = u32::from_be_bytes([*a, *b, *c, *d]);
    if id == 0 || rest.is_empty() {
        return None;
    }
    let inside = plain(Inner::Json, rest).unwrap_or_else(|| hex(rest));
    Some(format!("<schema {id}> {inside}"))
}

fn hex(bytes: &[u8]) -> String {
    let mut text = String::from("0x");
    for byte in bytes.iter().take(SHOWN_BYTES_MAX) {
        let _ = write!(text, "{byte:02x}");
    }
    if bytes.len() > SHOWN_BYTES_MAX {
        let _ = write!(text, "… ({} bytes)", bytes.len());
    }
    text
}

/// A time as PRINT shows it, such as `2023/11/14 22:13:20.000 Z`.
pub fn shown_time(time_ms: i64) -> String {
    match DateTime::from_timestamp_millis(time_ms) {
        Some(time) => time.format("%Y/%m/%d %H:%M:%S%.3f Z").to_string(),
        None => time_ms.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(mut detected: Detected, values: &[&[u8]], names: &str, shown: &[&str]) {
        for value in values {
            detected.look(Some(value));
        }
        assert_eq!(detected.names(), names);
        let found: Vec<_> = values.iter().map(|value| detected.show(Some(value))).collect();
        assert_eq!(found, shown);
    }

    #[test]
    fn formats_narrow_with_each_value() {
        check(Detected::values(), &[b"{\"a\":1}"], "JSON or KAFKA_STRING", &["{\"a\":1}"]);
        check(
            Detected::values(),
            &[b"{\"a\":1}", b"no json"],
            "KAFKA_STRING",
            &["{\"a\":1}", "no json"],
        );
        check(Detected::values(), &[&7_i32.to_be_bytes()], "KAFKA_INT or KAFKA_STRING", &["7"]);
        check(
            Detected::values(),
            &[&7_i64.to_be_bytes()],
            "KAFKA_BIGINT or KAFKA_DOUBLE or KAFKA_STRING",
            &["7"],
        );
        check(Detected::values(), &[b"abcd"], "KAFKA_STRING or KAFKA_INT", &["abcd"]);
        check(Detected::values(), &[&[0xff, 1, 2]], "bytes", &["0xff0102"]);
        check(Detected::values(), &[b"a\x1b[2J"], "KAFKA_STRING", &["a\\u{1b}[2J"]);
    }

    #[test]
    fn windows_stand_behind_keys() {
        let start = 1_700_000_000_000_i64.to_be_bytes();
        let end = 1_700_000_060_000_i64.to_be_bytes();
        let hopping = [b"d1".as_slice(), &start].concat();
        check(
            Detected::keys(),
            &[&hopping],
            "HOPPING(KAFKA_STRING) or TUMBLING(KAFKA_STRING)",
            &["[d1@1700000000000/-]"],
        );
        let mut detected = Detected::keys();
        let session = [b"d1".as_slice(), &end, &start].concat();
        detected.look(Some(&session));
        assert_eq!(detected.show(Some(&session)), "[d1@1700000000000/1700000060000]");
        assert!(detected.names().starts_with("SESSION(KAFKA_STRING)"), "{}", detected.names());
        check(Detected::keys(), &[b"d1"], "KAFKA_STRING", &["d1"]);
    }

    #[test]
    fn nothing_rules_out_nothing() {
        let mut detected = Detected::values();
        detected.look(None);
        detected.look(Some(b""));
        assert_eq!(detected.names(), "no data yet");
        assert_eq!(detected.show(None), "<null>");
        assert_eq!(detected.json(None), Value::Null);
    }

    #[test]
    fn schemas_are_told_by_their_ids() {
        let value = [&[0, 0, 0, 0, 5], b"{\"a\":1}".as_slice()].concat();
        check(
            Detected::values(),
            &[&value],
            "AVRO, JSON_SR or PROTOBUF or KAFKA_STRING",
            &["<schema 5> {\"a\":1}"],
        );
    }

    #[test]
    fn json_keeps_numbers_and_objects() {
        let mut detected = Detected::values();
        detected.look(Some(b"{\"a\":1.50}"));
        assert_eq!(detected.json(Some(b"{\"a\":1.50}")).to_string(), "{\"a\":1.50}");
        assert_eq!(Detected::keys().json(Some(&7_i32.to_be_bytes())).to_string(), "7");
    }

    #[test]
    fn times_are_read_by_people() {
        assert_eq!(shown_time(1_700_000_000_000), "2023/11/14 22:13:20.000 Z");
    }
}
