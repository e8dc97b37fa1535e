//! A case as its file states it.

use std::collections::BTreeMap;
use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::Value as Json;

use super::post::Post;
use super::system::{Properties, RecordedSchemas};
use super::topic_spec::TopicSpec;

/// One case: what to run, what to feed, what to expect.
#[derive(Clone, Debug, Default)]
pub struct Case {
    /// `<file> - <name>[ - <format>][ - <property>=<value>]`.
    pub name: String,
    /// Whether values can express what is to come out; else only bytes are compared.
    pub is_enabled: bool,
    /// Settings.
    pub properties: Properties,
    /// All statements.
    pub statements: String,
    /// Topics with their schemas.
    pub topics: Vec<TopicSpec>,
    /// Records to feed, in order.
    pub inputs: Vec<CaseRecord>,
    /// Records to expect, in order for each topic.
    pub outputs: Vec<CaseRecord>,
    /// The error to expect.
    pub expected_error: Option<ExpectedError>,
    /// What is to exist in the end.
    pub post: Option<Post>,
    /// The schemas that recorded bytes were written with, by subject and id, where they are known.
    pub recorded_schemas: RecordedSchemas,
    /// Where scripts lie that its statements run, if it is a `.sql` case: its statements write what goes in, and say what is
    /// to come of it.
    pub script_folder: Option<PathBuf>,
}

impl Case {
    /// The name without that of the file.
    pub fn local_name(&self) -> &str {
        self.name.split_once(" - ").map_or(&self.name, |(_, name)| name)
    }

    /// Whether the scale of a JSON number counts.
    pub(super) fn is_exact(&self) -> bool {
        self.properties.get("use.exact.numeric.comparison").is_none_or(|value| value != "false")
    }
}

/// A record to feed or to expect.
#[derive(Clone, Debug, Default)]
pub struct CaseRecord {
    /// The topic.
    pub topic: String,
    /// The key, without its window.
    pub key: Json,
    /// The value.
    pub value: Json,
    /// The very bytes of the key, where they are given.
    pub key_bytes: Option<Option<Vec<u8>>>,
    /// The very bytes of the value, where they are given.
    pub value_bytes: Option<Option<Vec<u8>>>,
    /// Whether these bytes are not the case's own, but what ksqlDB's tests wrote for it.
    pub is_recorded: bool,
    /// The time, if it matters.
    pub timestamp: Option<i64>,
    /// The window of the key.
    pub window: Option<CaseWindow>,
    /// The headers.
    pub headers: Vec<(String, Option<Vec<u8>>)>,
}

/// The window of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CaseWindow {
    /// TUMBLING and HOPPING.
    Time {
        /// When it begins.
        start: i64,
        /// When it ends.
        end: i64,
    },
    /// SESSION.
    Session {
        /// When it begins.
        start: i64,
        /// When it ends.
        end: i64,
    },
}

/// The error to expect.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ExpectedError {
    /// A Java class.
    #[serde(rename = "type", default)]
    pub class: Option<String>,
    /// A part of the message.
    #[serde(default)]
    pub message: Option<String>,
    /// The Java class of the cause.
    #[serde(default)]
    pub cause: Option<String>,
    /// A part of the cause's message.
    #[serde(default)]
    pub cause_message: Option<String>,
}

/// A file of cases.
#[derive(Debug, Deserialize)]
pub(super) struct CaseFile {
    pub(super) tests: Vec<Entry>,
}

/// One entry of a file, which may stand for several cases.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) enabled: Option<bool>,
    #[serde(default)]
    pub(super) format: Vec<String>,
    #[serde(default)]
    pub(super) config: Vec<Json>,
    #[serde(default)]
    pub(super) properties: BTreeMap<String, Json>,
    #[serde(default)]
    pub(super) statements: Vec<String>,
    #[serde(default)]
    pub(super) topics: Vec<Json>,
    #[serde(default)]
    pub(super) inputs: Vec<RawRecord>,
    #[serde(default)]
    pub(super) outputs: Vec<RawRecord>,
    pub(super) expected_exception: Option<ExpectedError>,
    pub(super) post: Option<Post>,
}

/// A record as a file spells it.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct RawRecord {
    topic: String,
    #[serde(default)]
    key: Json,
    #[serde(default)]
    value: Json,
    #[serde(default, deserialize_with = "given")]
    key_b64: Option<Json>,
    #[serde(default, deserialize_with = "given")]
    value_b64: Option<Json>,
    timestamp: Option<i64>,
    window: Option<RawWindow>,
    #[serde(default)]
    headers: Vec<RawHeader>,
}

#[derive(Clone, Debug, Deserialize)]
struct RawWindow {
    start: i64,
    end: i64,
    #[serde(rename = "type")]
    kind: String,
}

#[derive(Clone, Debug, Deserialize)]
struct RawHeader {
    #[serde(rename = "KEY")]
    key: String,
    #[serde(rename = "VALUE")]
    value: Option<String>,
}

/// Tells a field that is null from one that is not there.
fn given<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Json>, D::Error> {
    Json::deserialize(deserializer).map(Some)
}

impl From<RawRecord> for CaseRecord {
    fn from(raw: RawRecord) -> Self {
        let bytes = |field: Option<Json>| field.map(|json| json.as_str().and_then(from_base64));
        let header =
            |header: RawHeader| (header.key, header.value.as_deref().and_then(from_base64));
        let window = raw.window.map(|RawWindow { start, end, kind }| {
            if kind.eq_ignore_ascii_case("session") {
                CaseWindow::Session { start, end }
            } else {
                CaseWindow::Time { start, end }
            }
        });
        Self {
            topic: raw.topic,
            key: raw.key,
            value: raw.value,
            key_bytes: bytes(raw.key_b64),
            value_bytes: bytes(raw.value_b64),
            is_recorded: false,
            timestamp: raw.timestamp,
            window,
            headers: raw.headers.into_iter().map(header).collect(),
        }
    }
}

/// A case that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable {
    /// The file, or the case.
    pub name: String,
    /// Why.
    pub reason: String,
}

/// Bytes from base64; nothing where the text is none.
pub(super) fn from_base64(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok()
}
