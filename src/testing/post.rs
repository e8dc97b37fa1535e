//! What is to exist once a case has run.

use serde::Deserialize;
use serde_json::Value as Json;

use super::schema_text::normalised;
use super::source_info::{FormatInfo, SourceInfo, TopicInfo, WindowInfo};
use super::system::System;

/// What is to exist, or not to.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Post {
    #[serde(default)]
    sources: Vec<PostSource>,
    topics: Option<PostTopics>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct PostSource {
    name: String,
    #[serde(rename = "type")]
    kind: Option<String>,
    schema: Option<String>,
    key_format: Option<PostFormat>,
    value_format: Option<Json>,
    key_features: Option<Vec<String>>,
    value_features: Option<Vec<String>>,
    is_source: Option<bool>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct PostFormat {
    format: Option<String>,
    window_type: Option<String>,
    window_size: Option<i64>,
}

#[derive(Clone, Debug, Default, Deserialize)]
struct PostTopics {
    blacklist: Option<String>,
    #[serde(default)]
    topics: Vec<PostTopic>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct PostTopic {
    name: String,
    key_format: Option<Json>,
    value_format: Option<Json>,
    key_schema_id: Option<i32>,
    value_schema_id: Option<i32>,
    key_schema: Option<Json>,
    value_schema: Option<Json>,
}

/// Says what is missing or different. `written` are the topics that hold something.
pub(super) fn check(system: &dyn System, post: &Post, written: &[&str]) -> Result<(), String> {
    for expected in &post.sources {
        let source = system
            .source(&expected.name)
            .ok_or_else(|| format!("the source {} does not exist", expected.name))?;
        check_source(expected, &source)
            .map_err(|why| format!("source {}: {why}", expected.name))?;
    }
    let Some(expected) = &post.topics else { return Ok(()) };
    let topics = system.topics();
    if let Some(pattern) = &expected.blacklist {
        let regex = regex::Regex::new(pattern).map_err(|error| error.to_string())?;
        let mut names = topics.iter().map(|topic| &*topic.name).chain(written.iter().copied());
        if let Some(name) = names.find(|name| regex.is_match(name)) {
            return Err(format!("the topic {name} should not exist"));
        }
    }
    for expected in &expected.topics {
        let topic = topics
            .iter()
            .find(|topic| topic.name == expected.name)
            .ok_or_else(|| format!("the topic {} does not exist", expected.name))?;
        check_topic(expected, topic).map_err(|why| format!("topic {}: {why}", expected.name))?;
    }
    Ok(())
}

fn differs(what: &str, expected: impl std::fmt::Debug, actual: impl std::fmt::Debug) -> String {
    format!("expected the {what} {expected:?} but found {actual:?}")
}

fn check_source(expected: &PostSource, source: &SourceInfo) -> Result<(), String> {
    let kind = if source.is_table { "table" } else { "stream" };
    if expected.kind.as_ref().is_some_and(|expected| !expected.eq_ignore_ascii_case(kind)) {
        return Err(format!("it is a {kind}"));
    }
    if let Some(schema) = &expected.schema
        && normalised(schema) != normalised(&source.schema)
    {
        return Err(differs("schema", schema, &source.schema));
    }
    if let Some(format) = &expected.key_format {
        check_key_format(format, &source.key_format, source.window)?;
    }
    if let Some(format) = &expected.value_format {
        check_format("value format", format, &source.value_format)?;
    }
    let features = [
        ("key features", &expected.key_features, &source.key_format.features),
        ("value features", &expected.value_features, &source.value_format.features),
    ];
    for (what, expected, actual) in features {
        if expected.as_ref().is_some_and(|expected| sorted(expected) != sorted(actual)) {
            return Err(differs(what, expected, actual));
        }
    }
    match expected.is_source {
        Some(expected) if expected != source.is_read_only => {
            Err(differs("read-only flag", expected, source.is_read_only))
        }
        _ => Ok(()),
    }
}

fn sorted(features: &[String]) -> Vec<&String> {
    let mut features: Vec<_> = features.iter().collect();
    features.sort();
    features
}

fn check_key_format(
    expected: &PostFormat,
    format: &FormatInfo,
    window: Option<WindowInfo>,
) -> Result<(), String> {
    let is_same = |name: &String| name.eq_ignore_ascii_case(&format.name);
    if !expected.format.as_ref().is_none_or(is_same) {
        return Err(differs("key format", &expected.format, &format.name));
    }
    let kind = window.map(|window| window.kind.as_str());
    if expected.window_type.as_deref() != kind {
        return Err(differs("window type", &expected.window_type, kind));
    }
    let size = window.and_then(|window| window.size_ms);
    if expected.window_size != size {
        return Err(differs("window size", expected.window_size, size));
    }
    Ok(())
}

/// Compares a format that is given by name, or as an object with its properties.
fn check_format(what: &str, expected: &Json, actual: &FormatInfo) -> Result<(), String> {
    let name = expected.get("format").unwrap_or(expected).as_str().unwrap_or_default();
    if !name.eq_ignore_ascii_case(&actual.name) {
        return Err(differs(what, name, &actual.name));
    }
    if expected.is_object() {
        let features = expected.get("features").and_then(Json::as_array);
        let features = features.into_iter().flatten().filter_map(Json::as_str).map(str::to_owned);
        let features: Vec<String> = features.collect();
        if sorted(&features) != sorted(&actual.features) {
            return Err(differs(&format!("features of the {what}"), features, &actual.features));
        }
    }
    let properties = expected.get("properties").and_then(Json::as_object);
    for (property, value) in properties.into_iter().flatten() {
        let found = actual.properties.get(property).map(String::as_str);
        if found != value.as_str() {
            return Err(differs(&format!("{what}'s {property}"), value, found));
        }
    }
    Ok(())
}

fn check_topic(expected: &PostTopic, topic: &TopicInfo) -> Result<(), String> {
    if let Some(format) = &expected.key_format {
        check_format("key format", format, &topic.key_format)?;
    }
    if let Some(format) = &expected.value_format {
        check_format("value format", format, &topic.value_format)?;
    }
    let schemas = [
        ("key schema", expected.key_schema_id, &expected.key_schema, &topic.key_schema),
        ("value schema", expected.value_schema_id, &expected.value_schema, &topic.value_schema),
    ];
    for (what, id, schema, actual) in schemas {
        let actual_id = actual.as_ref().map(|(id, _)| *id);
        if id.is_some() && id != actual_id {
            return Err(differs(&format!("id of the {what}"), id, actual_id));
        }
        let Some(schema) = schema else { continue };
        let text = actual.as_ref().map_or("", |(_, text)| text);
        let is_same = match schema {
            Json::String(expected) => expected.trim() == text.trim(),
            expected => serde_json::from_str::<Json>(text).is_ok_and(|actual| actual == *expected),
        };
        if !is_same {
            return Err(differs(what, schema, text));
        }
    }
    Ok(())
}
