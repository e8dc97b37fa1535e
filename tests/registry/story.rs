//! Requests one after the other, each with its answer.
//!
//! ```text
//! == what it is about | where the answers come from
//! @name text                  a schema, which `@name` in bodies stands for, as a JSON string
//! > POST /path {"a": 1}       a request; `header: value` lines may follow
//! < 200 {"id": $a}            the status, and what must be in the answer; $a is any value, but everywhere the same
//! < 404 40401 text            the status, the error code, and the whole message, if it is given (ours alone)
//! apicurio < 404 40401        what Apicurio answers instead
//! -- restart                  the registry is stopped and started again
//! ```

use std::collections::BTreeMap;

use libtest_mimic::Failed;
use serde_json::Value;

use super::http::{self, Response};
use super::registry::{self, Registry};

/// A story: what was asked, and what must come back.
pub(crate) struct Story {
    pub(crate) name: String,
    steps: Vec<Step>,
}

enum Step {
    Restart,
    Request(Request),
}

struct Request {
    line: usize,
    method: String,
    path: String,
    body: Option<String>,
    headers: Vec<(String, String)>,
    answer: String,
    apicurio: Option<String>,
}

impl Story {
    /// How many answers it holds.
    pub(crate) fn answers(&self) -> usize {
        self.steps.iter().filter(|step| matches!(step, Step::Request(_))).count()
    }

    pub(crate) fn run(&self) -> Result<(), Failed> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut registry = Registry::start().await;
            let mut bound = BTreeMap::new();
            for step in &self.steps {
                match step {
                    Step::Restart => registry.restart().await,
                    Step::Request(request) => request.run(&registry.url, &mut bound).await?,
                }
            }
            registry.stop().await;
            Ok(())
        })
    }
}

impl Request {
    async fn run(&self, url: &str, bound: &mut BTreeMap<String, Value>) -> Result<(), Failed> {
        let path = fill(&self.path, bound);
        let body = self.body.as_ref().map(|body| fill(body, bound));
        let response = http::send(url, &self.method, &path, body, &self.headers).await;
        let answer = match &self.apicurio {
            Some(apicurio) if registry::is_foreign() => apicurio,
            _ => &self.answer,
        };
        check(answer, &response, bound).map_err(|what| {
            let Response { status, content_type, text } = &response;
            Failed::from(format!(
                "line {}: {} {}: {what}\nwanted: {answer}\n   got: {status} {content_type} {text}",
                self.line, self.method, self.path
            ))
        })
    }
}

fn check(
    answer: &str,
    response: &Response,
    bound: &mut BTreeMap<String, Value>,
) -> Result<(), String> {
    let mut parts = answer.splitn(3, ' ');
    let status: u16 = parts.next().unwrap().parse().unwrap();
    if status != response.status {
        return Err("another status".into());
    }
    let rest = answer.split_once(' ').map_or("", |(_, rest)| rest);
    if let Some(content_type) = rest.strip_prefix("type ").filter(|_| !registry::is_foreign()) {
        let is_same = response.content_type == content_type;
        return if is_same { Ok(()) } else { Err("another content type".into()) };
    }
    if let Some(text) = rest.strip_prefix("text ") {
        return if response.text == text { Ok(()) } else { Err("another text".into()) };
    }
    let json = response.json();
    if status < 400 {
        if rest.is_empty() || rest.starts_with("type ") {
            return Ok(());
        }
        let wanted: Value = serde_json::from_str(&quote_variables(rest))
            .map_err(|error| format!("{error} in {rest}"))?;
        return matches(&wanted, &json, bound);
    }
    let Some(code) = parts.next() else { return Ok(()) };
    if json["error_code"].as_i64() != code.parse().ok() {
        return Err("another error code".into());
    }
    match parts.next() {
        Some(message) if json["message"] != message && !registry::is_foreign() => {
            Err("another message".into())
        }
        _ => Ok(()),
    }
}

/// What is wanted of an object must be in it; lists and all else are equal.
fn matches(wanted: &Value, got: &Value, bound: &mut BTreeMap<String, Value>) -> Result<(), String> {
    match (wanted, got) {
        (Value::String(name), _) if name.starts_with('$') => {
            let known = bound.entry(name.clone()).or_insert_with(|| got.clone());
            if known == got && !got.is_null() { Ok(()) } else { Err(format!("{name} was {known}")) }
        }
        (Value::Object(wanted), Value::Object(got)) => {
            wanted.iter().try_for_each(|(name, wanted)| match (wanted, got.get(name)) {
                (Value::Null, None) => Ok(()),
                (wanted, got) => matches(wanted, got.unwrap_or(&Value::Null), bound),
            })
        }
        (Value::Array(wanted), Value::Array(got)) if wanted.len() == got.len() => {
            wanted.iter().zip(got).try_for_each(|(wanted, got)| matches(wanted, got, bound))
        }
        _ if wanted == got => Ok(()),
        _ => Err(format!("{got} is not {wanted}")),
    }
}

/// Makes a JSON string of each `$name` outside of strings.
fn quote_variables(text: &str) -> String {
    let mut out = String::new();
    let (mut is_text, mut is_name, mut is_escaped) = (false, false, false);
    for letter in text.chars() {
        if is_name && !letter.is_alphanumeric() {
            out.push('"');
            is_name = false;
        }
        if letter == '"' && !is_escaped {
            is_text = !is_text;
        }
        is_escaped = letter == '\\' && !is_escaped;
        if letter == '$' && !is_text {
            out.push('"');
            is_name = true;
        }
        out.push(letter);
    }
    if is_name {
        out.push('"');
    }
    out
}

/// Puts known values in place of `$name`.
fn fill(text: &str, bound: &BTreeMap<String, Value>) -> String {
    let mut text = text.to_owned();
    for (name, value) in bound.iter().rev() {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        text = text.replace(name, &value);
    }
    text
}

/// Reads the stories of a file.
pub(crate) fn parse(file: &str, text: &str) -> Vec<Story> {
    let mut stories: Vec<Story> = Vec::new();
    let mut schemas: BTreeMap<String, String> = BTreeMap::new();
    for (index, line) in text.lines().enumerate() {
        let number = index + 1;
        let place = format!("{file}, line {number}: {line}");
        if line.trim().is_empty() || line.starts_with('#') {
            continue;
        }
        if let Some(name) = line.strip_prefix("== ") {
            assert!(name.contains(" | "), "{file}, line {number}: no source");
            stories.push(Story { name: name.to_owned(), steps: Vec::new() });
            continue;
        }
        if let Some(schema) = line.strip_prefix('@') {
            let (name, text) = schema.split_once(' ').expect(&place);
            schemas.insert(format!("@{name}"), Value::from(text.trim()).to_string());
            continue;
        }
        let steps = &mut stories.last_mut().expect(&place).steps;
        if line == "-- restart" {
            steps.push(Step::Restart);
        } else if let Some(request) = line.strip_prefix("> ") {
            let mut parts = request.splitn(3, ' ');
            let (method, path) = (parts.next().unwrap(), parts.next().expect(&place));
            let body = parts.next().map(|body| with_schemas(body, &schemas));
            steps.push(Step::Request(Request {
                line: number,
                method: method.to_owned(),
                path: path.to_owned(),
                body,
                headers: Vec::new(),
                answer: String::new(),
                apicurio: None,
            }));
        } else {
            let Some(Step::Request(request)) = steps.last_mut() else { panic!("{place}") };
            if let Some(answer) = line.strip_prefix("< ") {
                request.answer = with_schemas(answer, &schemas);
            } else if let Some(answer) = line.strip_prefix("apicurio < ") {
                request.apicurio = Some(with_schemas(answer, &schemas));
            } else {
                let (name, value) = line.split_once(": ").expect(&place);
                request.headers.push((name.to_owned(), value.to_owned()));
            }
        }
    }
    let is_answered = |step: &Step| match step {
        Step::Restart => true,
        Step::Request(request) => !request.answer.is_empty(),
    };
    assert!(stories.iter().all(|story| story.steps.iter().all(is_answered)), "{file}");
    stories
}

/// Puts schemas in place of their names, longer names first.
fn with_schemas(text: &str, schemas: &BTreeMap<String, String>) -> String {
    let mut names: Vec<_> = schemas.iter().collect();
    names.sort_by_key(|(name, _)| std::cmp::Reverse(name.len()));
    names.into_iter().fold(text.to_owned(), |text, (name, schema)| text.replace(name, schema))
}
