//! Bytes that a real ksqlDB wrote, case by case.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;
use serde_json::Value as Json;

use super::case::{Case, from_base64};
use super::failure::Failure;
use super::run::{Feed, Observed, observe};
use super::system::RecordedSchemas;
use super::systems::Systems;

/// What ksqlDB did with a case: one line of a file of answers.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Golden {
    /// The name of the case.
    pub name: String,
    #[serde(default)]
    topics: BTreeMap<String, Vec<GoldenRecord>>,
    /// What its queries' topologies were, in any order.
    #[serde(default)]
    topologies: Vec<String>,
    #[serde(default)]
    error: Vec<GoldenError>,
    /// What the topics held when a query died.
    #[serde(default)]
    topics_before_error: BTreeMap<String, Vec<GoldenRecord>>,
    message: Option<String>,
    details: Option<String>,
    /// Bytes that were piped where they are not what the case's text gives.
    #[serde(default)]
    input_bytes: BTreeMap<String, Vec<Option<String>>>,
    #[serde(default)]
    input_keys: BTreeMap<String, Vec<Option<String>>>,
    /// What was registered, subject by subject.
    #[serde(default)]
    schemas: BTreeMap<String, Json>,
}

#[derive(Clone, Debug, Deserialize)]
struct GoldenRecord {
    ts: i64,
    key_b64: Option<String>,
    value_b64: Option<String>,
    #[serde(default)]
    headers: Option<Vec<Json>>,
}

#[derive(Clone, Debug, Deserialize)]
struct GoldenError {
    #[serde(rename = "type")]
    class: String,
    message: Option<String>,
    unlogged: Option<String>,
}

impl Golden {
    /// Whether ksqlDB refused the case, or a query of it died.
    pub fn is_error(&self) -> bool {
        self.message.is_some() || !self.error.is_empty()
    }

    /// Whether it says what the topologies of the case's queries were.
    pub fn has_topologies(&self) -> bool {
        !self.topologies.is_empty() && !self.is_error()
    }

    /// Whether this is no answer of ksqlDB's: it ran without its Protobuf library, and what stood in for that spoke.
    pub fn is_of_stub(&self) -> bool {
        self.message.as_ref().is_some_and(|message| message.contains("protobuf stub"))
    }
}

/// Reads a file of answers, by the names of their cases.
pub fn read_golden(path: &Path) -> std::io::Result<BTreeMap<String, Golden>> {
    parse_golden(&std::fs::read_to_string(path)?)
}

/// The answers of such a file's text.
pub fn parse_golden(text: &str) -> std::io::Result<BTreeMap<String, Golden>> {
    let golden = text.lines().filter(|line| !line.trim().is_empty()).map(|line| {
        serde_json::from_str::<Golden>(line).map(|golden| (golden.name.clone(), golden))
    });
    golden.collect::<Result<_, _>>().map_err(std::io::Error::other)
}

/// Runs a case, and says where its bytes differ from the answer.
pub(super) fn run(systems: &dyn Systems, case: &Case, golden: &Golden) -> Result<(), String> {
    let case = with_bytes(case, golden);
    let observed = observe(systems, &case, Feed::ROWS);
    match &observed.failure {
        Some(failure) if failure.is_unsupported => Err(failure.message.clone()),
        Some(failure) if golden.is_error() => {
            check_error(golden, failure)?;
            check_topics(&golden.topics_before_error, &observed)
        }
        Some(failure) => {
            Err(format!("failed: {}", failure.unlogged.as_deref().unwrap_or(&failure.message)))
        }
        None if golden.is_error() => Err(format!(
            "expected an error, but nothing failed: {}",
            golden
                .message
                .as_deref()
                .or_else(|| golden.error[0].message.as_deref())
                .unwrap_or_default()
        )),
        None => check_topics(&golden.topics, &observed),
    }
}

/// Runs the statements of a case, and says where the topologies of its queries differ from the answer.
pub(super) fn run_topologies(
    systems: &dyn Systems,
    case: &Case,
    golden: &Golden,
) -> Result<(), String> {
    let case = Case { inputs: Vec::new(), ..with_bytes(case, golden) };
    let observed = observe(systems, &case, Feed::ROWS);
    match &observed.failure {
        Some(failure) => Err(failure.message.clone()),
        None => check_topologies(&golden.topologies, &observed),
    }
}

/// The queries have the topologies that ksqlDB's had.
fn check_topologies(expected: &[String], observed: &Observed) -> Result<(), String> {
    let Some(system) = observed.system.as_deref().filter(|_| !expected.is_empty()) else {
        return Ok(());
    };
    let found: Vec<String> = system.queries().iter().map(|query| system.topology(query)).collect();
    match expected.iter().find(|expected| !found.contains(expected)) {
        Some(expected) => Err(format!("expected {expected}but found {}", found.concat())),
        None => Ok(()),
    }
}

/// The texts of what was registered.
fn recorded_schemas(golden: &Golden) -> RecordedSchemas {
    let versions = golden.schemas.iter().flat_map(|(subject, versions)| {
        versions.as_array().into_iter().flatten().map(move |version| (subject, version))
    });
    let schemas = versions.filter_map(|(subject, version)| {
        let id = i32::try_from(version.get("id")?.as_i64()?).ok()?;
        Some(((subject.clone(), id), version.get("schema")?.as_str()?.to_owned()))
    });
    schemas.collect()
}

/// The case with the very bytes that were piped, where the answer has them.
pub(super) fn with_bytes(case: &Case, golden: &Golden) -> Case {
    let mut case = Case { recorded_schemas: recorded_schemas(golden), ..case.clone() };
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for input in &mut case.inputs {
        let count = counts.entry(input.topic.clone()).or_default();
        let decoded = |text: &Option<String>| text.as_deref().and_then(from_base64);
        let piped = |bytes: &BTreeMap<String, Vec<Option<String>>>| {
            bytes.get(&input.topic).and_then(|bytes| bytes.get(*count)).map(decoded)
        };
        let recorded = golden.topics.get(&input.topic).and_then(|records| records.get(*count));
        input.is_recorded = input.value_bytes.is_none() && input.key_bytes.is_none();
        if input.value_bytes.is_none() {
            let value = recorded.map(|record| decoded(&record.value_b64));
            input.value_bytes = piped(&golden.input_bytes).or(value);
        }
        if input.key_bytes.is_none()
            && let Some(key) = piped(&golden.input_keys)
                .or_else(|| recorded.map(|record| decoded(&record.key_b64)))
        {
            // These bytes end with the window already.
            input.key_bytes = Some(key);
            input.window = None;
        }
        *count += 1;
    }
    case
}

fn check_topics(
    topics: &BTreeMap<String, Vec<GoldenRecord>>,
    observed: &Observed,
) -> Result<(), String> {
    for (topic, expected) in topics {
        let actual = observed.topics.get(topic).map_or(&[][..], Vec::as_slice);
        for (index, (expected, actual)) in expected.iter().zip(actual).enumerate() {
            let place = |what: &str, expected: String, actual: String| {
                format!(
                    "topic {topic}, record {}: expected the {what} {expected} but found {actual}",
                    index + 1
                )
            };
            let bytes = |text: &Option<String>| text.as_deref().and_then(from_base64);
            let (key, value) = (bytes(&expected.key_b64), bytes(&expected.value_b64));
            if key != actual.key {
                return Err(place("key", shown(key.as_deref()), shown(actual.key.as_deref())));
            }
            if value != actual.value {
                return Err(place(
                    "value",
                    shown(value.as_deref()),
                    shown(actual.value.as_deref()),
                ));
            }
            if expected.ts != actual.timestamp {
                let (expected, actual) = (expected.ts.to_string(), actual.timestamp.to_string());
                return Err(place("timestamp", expected, actual));
            }
            let headers = headers(expected);
            if headers != actual.headers {
                return Err(place(
                    "headers",
                    format!("{headers:?}"),
                    format!("{:?}", actual.headers),
                ));
            }
        }
        if expected.len() != actual.len() {
            let (expected, actual) = (expected.len(), actual.len());
            return Err(format!("topic {topic}: expected {expected} records but found {actual}"));
        }
    }
    Ok(())
}

/// Headers are written as `[name, base64]`, as `{"KEY": name, "VALUE": base64}` or as
/// `{"k": name, "v": base64}`.
fn headers(record: &GoldenRecord) -> Vec<(String, Option<Vec<u8>>)> {
    let text = |json: Option<&Json>| json.and_then(Json::as_str).map(str::to_owned);
    let header = |json: &Json| match json {
        Json::Array(pair) => (text(pair.first()), text(pair.get(1))),
        other => {
            let get = |names: [&str; 4]| names.into_iter().find_map(|name| other.get(name));
            (
                text(get(["KEY", "key", "k", "name"])),
                text(get(["VALUE", "value_b64", "v", "value"])),
            )
        }
    };
    let headers = record.headers.iter().flatten().map(header);
    headers
        .map(|(name, value)| (name.unwrap_or_default(), value.as_deref().and_then(from_base64)))
        .collect()
}

fn shown(bytes: Option<&[u8]>) -> String {
    match bytes {
        None => "null".into(),
        Some(bytes) => match std::str::from_utf8(bytes) {
            Ok(text) if !text.contains(char::is_control) => text.into(),
            _ => format!("{bytes:02x?}"),
        },
    }
}

fn check_error(golden: &Golden, failure: &Failure) -> Result<(), String> {
    if let Some(message) = &golden.message {
        // What brought it about was written behind it.
        let message = message.split_once(" || root: ").map_or(&**message, |(message, _)| message);
        return check_flat(message, golden.details.as_deref(), failure);
    }
    let expected = &golden.error[0];
    if !failure.kind.is_a(&expected.class) {
        return Err(format!(
            "expected {} but {:?}: {}",
            expected.class, failure.kind, failure.message
        ));
    }
    // Where ksqlDB stumbles without a word, any refusal is one.
    let Some(message) = expected.message.as_deref() else { return Ok(()) };
    if message != failure.message {
        return Err(format!("expected the error {message:?} but found {:?}", failure.message));
    }
    // Details that repeat the message say no more than none.
    let unlogged = failure.unlogged.as_ref().unwrap_or(&failure.message);
    if expected.unlogged.as_ref().is_some_and(|expected| expected != unlogged) {
        return Err(format!(
            "expected the details {:?} but found {:?}",
            expected.unlogged, failure.unlogged
        ));
    }
    let causes = golden.error.iter().skip(1).filter_map(|cause| cause.message.as_deref());
    let found = failure.causes.iter().map(String::as_str);
    if failure.causes.is_empty() || causes.clone().map(unnamed).eq(found.map(unnamed)) {
        return Ok(());
    }
    let causes: Vec<_> = causes.collect();
    Err(format!("expected the causes {causes:?} but found {:?}", failure.causes))
}

/// A text without the name of the parameter that was null: only some builds of ksqlDB know those names.
fn unnamed(text: &str) -> &str {
    let is_null = text.starts_with("Cannot invoke \"") && text.ends_with("\" is null");
    text.split_once(" because \"").filter(|_| is_null).map_or(text, |(call, _)| call)
}

/// Compares texts whose line breaks the answer shows as blanks.
fn check_flat(message: &str, details: Option<&str>, failure: &Failure) -> Result<(), String> {
    let flat = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let found = flat(&failure.message);
    // Where the harness itself spoke, the message stands inside; all of it was cut at some length.
    let quoted = message.split_once("message was \"").map(|(_, text)| flat(text));
    let is_same =
        match quoted.as_deref().map(|text| text.split_once("\"unlogged").unwrap_or((text, ""))) {
            Some((whole, "")) => found.starts_with(whole.trim_end_matches('"')),
            Some((whole, _)) => found == whole,
            None => found == flat(message),
        };
    if !is_same {
        return Err(format!("expected the error {message:?} but found {:?}", failure.message));
    }
    match (details, &failure.unlogged) {
        (Some(details), Some(unlogged)) if flat(details) == flat(unlogged) => Ok(()),
        (Some(details), None) if flat(details) == found => Ok(()),
        (Some(details), found) => {
            Err(format!("expected the details {details:?} but found {found:?}"))
        }
        (None, _) => Ok(()),
    }
}
