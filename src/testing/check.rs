//! Whether a case gave what it expects.

use super::actual::Actual;
use super::case::{Case, CaseRecord, CaseWindow, ExpectedError};
use super::compare::Comparator;
use super::decode::decode;
use super::failure::Failure;
use super::post;
use super::run::Observed;
use super::source_info::{SourceInfo, WindowInfo};
use super::system::{Record, System};
use crate::types::WindowKind;

/// How many bytes a start or an end takes behind a key.
const TIME_BYTES: usize = 8;

/// Says why a case failed, if it did.
pub fn check(case: &Case, observed: &mut Observed) -> Result<(), String> {
    check_failure(case, observed.failure.as_ref())?;
    if case.expected_error.is_some() {
        return Ok(());
    }
    let Some(system) = &observed.system else { return Err("nothing was started".into()) };
    for topic in output_topics(case) {
        let records = observed.topics.get(topic).map_or(&[][..], Vec::as_slice);
        check_topic(&**system, case, topic, records)?;
    }
    match &case.post {
        Some(post) => {
            let written: Vec<&str> = observed.topics.keys().map(String::as_str).collect();
            post::check(&**system, post, &written)
        }
        None => Ok(()),
    }
}

/// Says what is wrong with how a case failed, or with that it did not.
pub(super) fn check_failure(case: &Case, failure: Option<&Failure>) -> Result<(), String> {
    match (&case.expected_error, failure) {
        (_, Some(failure)) if failure.is_unsupported => Err(failure.message.clone()),
        (Some(expected), Some(failure)) => check_error(expected, failure),
        (Some(expected), None) => {
            let message = expected.message.as_deref().unwrap_or_default();
            Err(format!("expected an error, but nothing failed: {message}"))
        }
        (None, Some(failure)) => Err(shown(failure)),
        (None, None) => Ok(()),
    }
}

fn shown(failure: &Failure) -> String {
    if let Some(placed) = &failure.placed {
        return format!("failed: {}", placed.trim_end());
    }
    let text = failure.unlogged.as_deref().unwrap_or(&failure.message);
    let parts = std::iter::once(text).chain(failure.causes.iter().map(String::as_str));
    format!("failed: {}", parts.collect::<Vec<_>>().join("; caused by: "))
}

fn check_error(expected: &ExpectedError, failure: &Failure) -> Result<(), String> {
    if !failure.is_last_statement {
        return Err(format!("a statement before the last one {}", shown(failure)));
    }
    if let Some(class) = &expected.class
        && !failure.kind.is_a(class)
    {
        return Err(format!("expected {class} but {:?} {}", failure.kind, shown(failure)));
    }
    if let Some(part) = &expected.message {
        let unlogged = failure.unlogged.as_deref().unwrap_or_default();
        if !failure.message.contains(part.as_str()) && !unlogged.contains(part.as_str()) {
            return Err(format!("expected the error {part:?} but {}", shown(failure)));
        }
    }
    match (&expected.cause_message, failure.causes.first()) {
        (Some(part), Some(cause)) if cause.contains(part.as_str()) => Ok(()),
        (Some(part), _) => Err(format!("expected the cause {part:?} but {}", shown(failure))),
        (None, _) => Ok(()),
    }
}

/// The topics that are expected to hold something, in order of first mention.
fn output_topics(case: &Case) -> Vec<&str> {
    let mut topics: Vec<&str> = Vec::new();
    for output in &case.outputs {
        if !topics.contains(&&*output.topic) {
            topics.push(&output.topic);
        }
    }
    topics
}

fn check_topic(
    system: &dyn System,
    case: &Case,
    topic: &str,
    records: &[Record],
) -> Result<(), String> {
    let source = laid_out(system, topic)?;
    let expected: Vec<_> = case.outputs.iter().filter(|output| output.topic == topic).collect();
    let compared = Compared { system, case, source: &source };
    for (index, (expected, actual)) in expected.iter().zip(records).enumerate() {
        let place = |why: String| format!("topic {topic}, record {}: {why}", index + 1);
        compared.record(expected, actual).map_err(place)?;
    }
    if expected.len() == records.len() {
        return Ok(());
    }
    let rest: Vec<String> =
        records.iter().skip(expected.len()).take(3).map(|record| compared.shown(record)).collect();
    Err(format!(
        "topic {topic}: expected {} records but found {}{}{}",
        expected.len(),
        records.len(),
        if rest.is_empty() { "" } else { ", also: " },
        rest.join(", ")
    ))
}

/// Says how a record differs from one that a case expects.
pub(super) fn check_record(
    system: &dyn System,
    case: &Case,
    expected: &CaseRecord,
    actual: &Record,
) -> Result<(), String> {
    let source = laid_out(system, &expected.topic)?;
    Compared { system, case, source: &source }.record(expected, actual)
}

/// The source that says how the records of a topic are laid out.
fn laid_out(system: &dyn System, topic: &str) -> Result<SourceInfo, String> {
    let source = system.source_on(topic);
    source.ok_or_else(|| format!("topic {topic}: no source says how its records are laid out"))
}

/// What a record is compared with.
#[derive(Clone, Copy)]
struct Compared<'a> {
    system: &'a dyn System,
    case: &'a Case,
    source: &'a SourceInfo,
}

impl Compared<'_> {
    fn record(self, expected: &CaseRecord, actual: &Record) -> Result<(), String> {
        let comparator = Comparator { is_exact: self.case.is_exact() };
        let (key, window) = split_window(self.source.window, actual.key.as_deref());
        if let Some(expected) = expected.window
            && Some(expected) != window
        {
            return Err(format!("expected the window {expected:?} but found {window:?}"));
        }
        let values =
            [(true, &expected.key, key), (false, &expected.value, actual.value.as_deref())];
        for (is_key, expected, bytes) in values {
            let part = if is_key { "key" } else { "value" };
            let found = decode(self.system, self.source, is_key, bytes)
                .map_err(|failure| format!("{part}: {}", failure.message))?;
            comparator.compare(expected, &found).map_err(|why| format!("{part} {why}"))?;
        }
        if expected.headers != actual.headers {
            let (expected, actual) = (&expected.headers, &actual.headers);
            return Err(format!("expected the headers {expected:?} but found {actual:?}"));
        }
        let any = self.case.inputs.is_empty() && expected.timestamp == Some(0);
        match expected.timestamp {
            Some(time) if !any && time != actual.timestamp => {
                Err(format!("expected the timestamp {time} but found {}", actual.timestamp))
            }
            _ => Ok(()),
        }
    }

    fn shown(self, record: &Record) -> String {
        let (key, window) = split_window(self.source.window, record.key.as_deref());
        let text = |is_key: bool, bytes: Option<&[u8]>| {
            decode(self.system, self.source, is_key, bytes).unwrap_or(Actual::Null).to_string()
        };
        let window = window.map_or_else(String::new, |window| format!(" {window:?}"));
        let value = text(false, record.value.as_deref());
        format!("<{}{window}, {value}> @ {}", text(true, key), record.timestamp)
    }
}

/// Takes the window off the end of a key.
fn split_window(
    window: Option<WindowInfo>,
    key: Option<&[u8]>,
) -> (Option<&[u8]>, Option<CaseWindow>) {
    let (Some(window), Some(key)) = (window, key) else { return (key, None) };
    let time = |from_end: usize| {
        let start = key.len().checked_sub(from_end * TIME_BYTES)?;
        key.get(start..start + TIME_BYTES)?.try_into().ok().map(i64::from_be_bytes)
    };
    let Some(start) = time(1) else { return (Some(key), None) };
    match window.kind {
        WindowKind::Tumbling | WindowKind::Hopping => {
            let end = start.saturating_add(window.size_ms.unwrap_or(i64::MAX));
            (Some(&key[..key.len() - TIME_BYTES]), Some(CaseWindow::Time { start, end }))
        }
        WindowKind::Session => match time(2) {
            Some(end) => {
                let inner = &key[..key.len() - 2 * TIME_BYTES];
                (Some(inner), Some(CaseWindow::Session { start, end }))
            }
            None => (Some(key), None),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_has_its_end_before_its_start() {
        let mut key = b"k".to_vec();
        key.extend(9_i64.to_be_bytes());
        key.extend(3_i64.to_be_bytes());
        let session = WindowInfo { kind: WindowKind::Session, size_ms: None };
        let (inner, window) = split_window(Some(session), Some(&key));
        assert_eq!(inner, Some(&b"k"[..]));
        assert_eq!(window, Some(CaseWindow::Session { start: 3, end: 9 }));
    }

    #[test]
    fn a_subclass_counts_as_its_class_and_a_part_as_the_message() {
        let expected = |class: &str, message: &str| ExpectedError {
            class: Some(class.into()),
            message: Some(message.into()),
            ..ExpectedError::default()
        };
        let failure = Failure {
            unlogged: Some("line 1:2: no\nStatement: x".into()),
            ..Failure::new(super::super::FailureKind::Statement, "no such thing")
        };
        let check = |class, message| check_error(&expected(class, message), &failure).is_ok();
        assert!(check("io.confluent.ksql.util.KsqlException", "such"));
        assert!(check("io.confluent.ksql.util.KsqlStatementException", "Statement: x"));
        assert!(!check("io.confluent.ksql.parser.exception.ParseFailedException", "such"));
        assert!(!check("io.confluent.ksql.util.KsqlException", "nothing"));
    }
}
