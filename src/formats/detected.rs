//! What the bytes of keys and values look like, where nobody says how they are written: the rules of ksqlDB's `PRINT`.
//!
//! All formats that every value so far could be are kept; a value is shown as the first of them. ksqlDB takes four bytes
//! for a number before it takes them for text, and what stands before any eight bytes for the key of a window; people
//! who look at a topic are shown text first, and windows that can have been.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use chrono::DateTime;
use serde_json::Value;

use super::json::read_tape;
use super::shown::{ShownSchema, schema_of};
use crate::java::double_to_string;
use crate::registry::schema::{ResolvedSchema, SchemaId, SchemaType};

/// What bytes may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Inner {
    /// What the schema is written in that the bytes name.
    Schema(SchemaType),
    /// What a registry's serializer wrote; what it says is not looked up.
    Registered,
    Json,
    /// Text without control characters.
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
    /// The end and the start of the window stand behind the key.
    Session,
    /// The start does.
    Hopping,
    /// The start does, too.
    Tumbling,
}

/// A format that bytes may have.
type Form = (Windowed, Inner);

/// The windows that a key may have, in ksqlDB's order.
const WINDOWS: [Windowed; 4] =
    [Windowed::Session, Windowed::Hopping, Windowed::Tumbling, Windowed::Plain];

/// What ksqlDB tries, in its order.
const KSQLDB: [Inner; 8] = [
    Inner::Schema(SchemaType::Avro),
    Inner::Schema(SchemaType::Protobuf),
    Inner::Json,
    Inner::Schema(SchemaType::Json),
    Inner::Int,
    Inner::Bigint,
    Inner::Double,
    Inner::String,
];

/// What is tried for people, the likeliest first.
const READABLE: [Inner; 10] = [
    Inner::Schema(SchemaType::Avro),
    Inner::Schema(SchemaType::Protobuf),
    Inner::Schema(SchemaType::Json),
    Inner::Registered,
    Inner::Json,
    Inner::Text,
    Inner::Int,
    Inner::Bigint,
    Inner::Double,
    Inner::String,
];

/// How many schemas are looked up in vain before what looks like the id of one is taken for chance.
const MISSING_MAX: usize = 100;

/// The first and last time that people are shown as the start of a window: of the years 1990 and 2100.
const PLAUSIBLE_MS: std::ops::Range<i64> = 631_152_000_000..4_102_444_800_000;

/// What is said of formats before there was any data.
const NO_DATA: &str = "\u{af}\\_(\u{30c4})_/\u{af} - no data processed";

/// What is said of data in no format.
const NO_FORMAT: &str = " does not match any supported format. It may be a STRING with encoding other than UTF8, or some \
                         other format.";

/// Whose guesses are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// ksqlDB's, to the letter.
    Ksqldb,
    /// Those that people make: text is text, and windows are of our time.
    Readable,
}

/// The formats that all keys, or all values, of a topic may have.
#[derive(Debug)]
pub struct Detected {
    manner: Manner,
    left: Vec<Form>,
    has_seen: bool,
    /// The schemas of the registry, as far as it was asked for them; `None` for those that it does not have.
    schemas: BTreeMap<SchemaId, Option<ShownSchema>>,
}

impl Detected {
    /// All formats that keys may have, windows included.
    pub fn keys(manner: Manner) -> Self {
        let left = match manner {
            Manner::Ksqldb => {
                let wrapped = |inner| WINDOWS.map(|windowed| (windowed, inner));
                KSQLDB.into_iter().flat_map(wrapped).collect()
            }
            Manner::Readable => {
                let wrapped = |windowed| READABLE.map(|inner| (windowed, inner));
                WINDOWS.into_iter().flat_map(wrapped).collect()
            }
        };
        Self { manner, left, has_seen: false, schemas: BTreeMap::new() }
    }

    /// All formats that values may have.
    pub fn values(manner: Manner) -> Self {
        let inner = match manner {
            Manner::Ksqldb => KSQLDB.as_slice(),
            Manner::Readable => READABLE.as_slice(),
        };
        let left = inner.iter().map(|inner| (Windowed::Plain, *inner)).collect();
        Self { manner, left, has_seen: false, schemas: BTreeMap::new() }
    }

    /// The schema that is to be looked up before bytes are looked at. Bytes that only look as if they named schemas are
    /// believed a number of times.
    pub fn unknown_schema(&self, bytes: Option<&[u8]>) -> Option<SchemaId> {
        let (id, _) = schema_of(bytes?)?;
        let missing = || self.schemas.values().filter(|known| known.is_none()).count();
        (!self.schemas.contains_key(&id) && missing() < MISSING_MAX).then_some(id)
    }

    /// Takes in a schema, or that there is none.
    pub fn learn_schema(&mut self, id: SchemaId, schema: Option<&ResolvedSchema>) {
        self.schemas.insert(id, schema.and_then(ShownSchema::of));
    }

    /// Looks at bytes: what they cannot be is left out from now on. Null may be everything.
    pub fn look(&mut self, bytes: Option<&[u8]>) {
        let Some(bytes) = bytes else { return };
        self.has_seen = true;
        let mut left = std::mem::take(&mut self.left);
        left.retain(|form| self.show_as(*form, bytes).is_some());
        self.left = left;
    }

    /// The bytes as text.
    pub fn show(&self, bytes: Option<&[u8]>) -> String {
        let Some(bytes) = bytes else { return "<null>".to_owned() };
        let found = self.left.iter().find_map(|form| self.show_as(*form, bytes));
        found.unwrap_or_else(|| escaped_bytes(bytes))
    }

    /// The bytes as JSON: what is JSON is as it is, and everything else a number or text.
    pub fn json(&self, bytes: Option<&[u8]>) -> Value {
        let Some(bytes) = bytes else { return Value::Null };
        let found = self.left.iter().find_map(|form| Some((*form, self.show_as(*form, bytes)?)));
        let Some((form, text)) = found else { return Value::String(escaped_bytes(bytes)) };
        match form {
            (
                Windowed::Plain,
                Inner::Json
                | Inner::Int
                | Inner::Bigint
                | Inner::Double
                | Inner::Schema(SchemaType::Avro | SchemaType::Json),
            ) => serde_json::from_str(&text).unwrap_or(Value::String(text)),
            _ => Value::String(text),
        }
    }

    /// The names of the formats, as ksqlDB's PRINT says them.
    pub fn names(&self) -> String {
        if !self.has_seen {
            return NO_DATA.to_owned();
        }
        let mut names: Vec<String> = Vec::new();
        for (windowed, inner) in &self.left {
            let inner = inner_name(*inner);
            let name = match windowed {
                Windowed::Plain => inner.to_owned(),
                Windowed::Session => format!("SESSION({inner})"),
                Windowed::Hopping => format!("HOPPING({inner})"),
                Windowed::Tumbling => format!("TUMBLING({inner})"),
            };
            if !names.contains(&name) {
                names.push(name);
            }
        }
        if names.is_empty() { NO_FORMAT.to_owned() } else { names.join(" or ") }
    }
}

fn inner_name(inner: Inner) -> &'static str {
    match inner {
        Inner::Schema(SchemaType::Avro) => "AVRO",
        Inner::Schema(SchemaType::Protobuf) => "PROTOBUF",
        Inner::Schema(SchemaType::Json) => "JSON_SR",
        Inner::Registered => "AVRO, JSON_SR or PROTOBUF",
        Inner::Json => "JSON",
        Inner::Int => "KAFKA_INT",
        Inner::Bigint => "KAFKA_BIGINT",
        Inner::Double => "KAFKA_DOUBLE",
        Inner::Text | Inner::String => "KAFKA_STRING",
    }
}

impl Detected {
    /// The bytes in a format, if they can be in it.
    fn show_as(&self, (windowed, inner): Form, bytes: &[u8]) -> Option<String> {
        let time = |bytes: &[u8; 8]| {
            let time = i64::from_be_bytes(*bytes);
            let is_possible = match self.manner {
                Manner::Ksqldb => time >= 0,
                Manner::Readable => PLAUSIBLE_MS.contains(&time),
            };
            is_possible.then_some(time)
        };
        match windowed {
            Windowed::Plain => self.plain(inner, bytes),
            Windowed::Hopping | Windowed::Tumbling => {
                let (key, start) = bytes.split_last_chunk::<8>()?;
                Some(format!("[{}@{}/-]", self.plain(inner, key)?, time(start)?))
            }
            Windowed::Session => {
                let (rest, start) = bytes.split_last_chunk::<8>()?;
                let (key, end) = rest.split_last_chunk::<8>()?;
                let (start, end) = (time(start)?, time(end)?);
                (start <= end).then_some(())?;
                Some(format!("[{}@{start}/{end}]", self.plain(inner, key)?))
            }
        }
    }

    fn plain(&self, inner: Inner, bytes: &[u8]) -> Option<String> {
        match inner {
            Inner::Schema(ty) => {
                let (id, body) = schema_of(bytes)?;
                let schema = self.schemas.get(&id)?.as_ref()?;
                (schema.ty() == ty).then(|| schema.show(body))?
            }
            Inner::Registered => registered(bytes),
            Inner::Json => json(bytes),
            Inner::Text => {
                text(bytes).filter(|text| !text.chars().any(is_control)).map(str::to_owned)
            }
            Inner::Int => Some(i32::from_be_bytes(bytes.try_into().ok()?).to_string()),
            Inner::Bigint => Some(i64::from_be_bytes(bytes.try_into().ok()?).to_string()),
            Inner::Double => Some(double_to_string(f64::from_be_bytes(bytes.try_into().ok()?))),
            Inner::String => text(bytes).map(str::to_owned),
        }
    }
}

/// JSON. What is no UTF-8 is none here, whatever a parser would make of it.
fn json(bytes: &[u8]) -> Option<String> {
    let text = text(bytes)?;
    read_tape(text.as_bytes(), bytes).is_ok().then(|| text.to_owned())
}

/// Text, of which there is some, and which nothing was replaced in.
fn text(bytes: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(bytes).ok()?;
    (!text.is_empty() && !text.contains(char::REPLACEMENT_CHARACTER)).then_some(text)
}

/// Whether a character is none that text has.
fn is_control(c: char) -> bool {
    c.is_control() && !matches!(c, '\t' | '\n' | '\r')
}

/// What a registry's serializer wrote: a zero, the id of a schema, and what that says.
fn registered(bytes: &[u8]) -> Option<String> {
    let (id, rest) = schema_of(bytes)?;
    if rest.is_empty() {
        return None;
    }
    let inside = json(rest).unwrap_or_else(|| escaped_bytes(rest));
    Some(format!("<schema {id}> {inside}"))
}

/// Bytes in no format, as Kafka's `Bytes` shows them: ASCII as it is, and all else as `\xFF`.
fn escaped_bytes(bytes: &[u8]) -> String {
    let mut shown = String::with_capacity(bytes.len());
    for byte in bytes {
        match byte {
            b'\\' => shown.push_str("\\x5C"),
            b' '..=b'~' => shown.push(char::from(*byte)),
            _ => {
                let _ = write!(shown, "\\x{byte:02X}");
            }
        }
    }
    shown
}

/// A time as PRINT shows it, such as `2023/11/14 22:13:20.000 Z`; Kafka's -1 is none.
pub fn shown_time(time_ms: i64) -> String {
    match DateTime::from_timestamp_millis(time_ms) {
        _ if time_ms == -1 => "N/A".to_owned(),
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
        check(
            Detected::values(Manner::Readable),
            &[b"{\"a\":1}"],
            "JSON or KAFKA_STRING",
            &["{\"a\":1}"],
        );
        check(
            Detected::values(Manner::Readable),
            &[b"{\"a\":1}", b"no json"],
            "KAFKA_STRING",
            &["{\"a\":1}", "no json"],
        );
        check(
            Detected::values(Manner::Readable),
            &[&7_i32.to_be_bytes()],
            "KAFKA_INT or KAFKA_STRING",
            &["7"],
        );
        check(
            Detected::values(Manner::Readable),
            &[&7_i64.to_be_bytes()],
            "KAFKA_BIGINT or KAFKA_DOUBLE or KAFKA_STRING",
            &["7"],
        );
        check(
            Detected::values(Manner::Readable),
            &[b"abcd"],
            "KAFKA_STRING or KAFKA_INT",
            &["abcd"],
        );
        check(
            Detected::values(Manner::Readable),
            &[&[0xff, 1, 2]],
            NO_FORMAT,
            &["\\xFF\\x01\\x02"],
        );
        check(Detected::values(Manner::Readable), &[b"a\x1b[2J"], "KAFKA_STRING", &["a\u{1b}[2J"]);
    }

    #[test]
    fn windows_stand_behind_keys() {
        let start = 1_700_000_000_000_i64.to_be_bytes();
        let end = 1_700_000_060_000_i64.to_be_bytes();
        let hopping = [b"d1".as_slice(), &start].concat();
        check(
            Detected::keys(Manner::Readable),
            &[&hopping],
            "HOPPING(KAFKA_STRING) or TUMBLING(KAFKA_STRING)",
            &["[d1@1700000000000/-]"],
        );
        let mut detected = Detected::keys(Manner::Readable);
        let session = [b"d1".as_slice(), &end, &start].concat();
        detected.look(Some(&session));
        assert_eq!(detected.show(Some(&session)), "[d1@1700000000000/1700000060000]");
        assert!(detected.names().starts_with("SESSION(KAFKA_STRING)"), "{}", detected.names());
        check(Detected::keys(Manner::Readable), &[b"d1"], "KAFKA_STRING", &["d1"]);
    }

    #[test]
    fn null_rules_out_nothing() {
        let mut detected = Detected::values(Manner::Readable);
        detected.look(None);
        assert_eq!(detected.names(), "¯\\_(ツ)_/¯ - no data processed");
        assert_eq!(detected.show(None), "<null>");
        assert_eq!(detected.json(None), Value::Null);
    }

    #[test]
    fn ksqldb_takes_bytes_for_numbers_and_windows_before_text() {
        let of_ksqldb = || Detected::values(Manner::Ksqldb);
        check(of_ksqldb(), &[b"abcd"], "KAFKA_INT or KAFKA_STRING", &["1633837924"]);
        check(of_ksqldb(), &[b"70"], "JSON or KAFKA_STRING", &["70"]);
        check(
            of_ksqldb(),
            &[b"{\"a\": 1} and more"],
            "JSON or KAFKA_STRING",
            &["{\"a\": 1} and more"],
        );
        check(of_ksqldb(), &[b"21.5,a"], "KAFKA_STRING", &["21.5,a"]);
        check(of_ksqldb(), &[b""], NO_FORMAT, &[""]);
        let ninety = 90.5_f64.to_be_bytes();
        check(of_ksqldb(), &[b"x", &ninety], NO_FORMAT, &["x", "@V\\xA0\\x00\\x00\\x00\\x00\\x00"]);
        check(
            Detected::keys(Manner::Ksqldb),
            &[b"device_01"],
            "HOPPING(KAFKA_STRING) or TUMBLING(KAFKA_STRING) or KAFKA_STRING",
            &["[d@7311146920705994801/-]"],
        );
    }

    #[test]
    fn schemas_are_told_by_their_ids() {
        let value = [&[0, 0, 0, 0, 5], b"{\"a\":1}".as_slice()].concat();
        check(
            Detected::values(Manner::Readable),
            &[&value],
            "AVRO, JSON_SR or PROTOBUF or KAFKA_STRING",
            &["<schema 5> {\"a\":1}"],
        );
    }

    #[test]
    fn json_keeps_numbers_and_objects() {
        let mut detected = Detected::values(Manner::Readable);
        detected.look(Some(b"{\"a\":1.50}"));
        assert_eq!(detected.json(Some(b"{\"a\":1.50}")).to_string(), "{\"a\":1.50}");
        assert_eq!(
            Detected::keys(Manner::Readable).json(Some(&7_i32.to_be_bytes())).to_string(),
            "7"
        );
    }

    #[test]
    fn times_are_read_by_people() {
        assert_eq!(shown_time(1_700_000_000_000), "2023/11/14 22:13:20.000 Z");
    }
}
