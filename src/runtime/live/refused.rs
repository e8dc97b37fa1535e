//! Records of a query that their topics do not take: those that are too large, too far ahead in time, or without a key
//! where one is needed.
//!
//! They are left out of sinks and repartition topics, counted, told and logged. A changelog has to take all of its records,
//! else the query stops.

use std::fmt::Write as _;
use std::sync::atomic::Ordering::Relaxed;

use super::figures::Figures;
use super::ids::QueryId;
use super::log_writer::LogWriter;
use super::query_topics::QueryTopics;
use super::settings::{QuerySettings, QuerySpec};
use super::topics::{AHEAD_MAX, TopicConfigs};
use crate::kafka::admin::Admin;
use crate::kafka::error::{Excerpt, RefusedRecord};
use crate::kafka::produce::{LeftOut, RefusedRecords};
use crate::kafka::{KafkaError, ResponseError};
use crate::runtime::skipped_row::plain_text;
use crate::runtime::{LogEvent, ProcessingLogEntry, SkipCause, SkipExample, Skipped, SkippedRow};
use crate::types::Timestamp;

/// How many characters of a key are told.
const KEY_CHARS: usize = 100;

/// How many characters of a key and of a value are kept for those who look later.
const ROW_CHARS: usize = 1_000;

/// What becomes of what the topics of a query do not take.
pub(super) fn refused_records(settings: &QuerySettings, topics: &QueryTopics) -> RefusedRecords {
    if settings.stops_at_refused_records {
        return RefusedRecords::Fail;
    }
    let skipping = topics.repartitions.iter().chain(&topics.sink);
    RefusedRecords::SkipIn(skipping.map(|topic| topic.name.clone()).collect())
}

/// Warns of records that the sink of a query will not take.
pub(super) async fn say_what_sink_refuses(admin: &Admin, query: &QueryId, spec: &QuerySpec) {
    let sink = &spec.plan.sink;
    if !sink.has_topic() {
        return;
    }
    let configs = TopicConfigs::of(admin, &sink.topic).await;
    let what_follows = if spec.settings.stops_at_refused_records {
        "the query stops at the first of them"
    } else {
        "they are left out unless that is changed"
    };
    for refused in what_is_refused(&configs, !sink.schema.key.is_empty()) {
        let topic = &sink.topic;
        tracing::warn!(
            "query {query}: its sink {topic} takes no records {refused}; {what_follows}"
        );
    }
}

/// Which records a topic does not take, of those that a query with or without keys may write.
fn what_is_refused(configs: &TopicConfigs, has_keys: bool) -> Vec<String> {
    let ahead = configs.ahead_max_ms();
    let ahead = ahead.map(|ms| format!("that are dated more than {ms} ms ahead ({AHEAD_MAX})"));
    let policy = configs.text("cleanup.policy");
    let is_compacted = policy.is_some_and(|policy| policy.contains("compact"));
    let keyless = (is_compacted && !has_keys)
        .then(|| "without a key (cleanup.policy), and the query gives none".to_owned());
    ahead.into_iter().chain(keyless).collect()
}

/// Tells what a query's topics have refused.
pub(super) struct Refusals<'q> {
    pub(super) query: &'q str,
    /// The topic of its sink.
    pub(super) sink: &'q str,
    pub(super) figures: &'q Figures,
    pub(super) log: &'q LogWriter,
}

impl Refusals<'_> {
    /// Counts, tells and logs records that were left out.
    pub(super) async fn tell(&self, LeftOut { records, others }: LeftOut) {
        let Some(first) = records.first() else { return };
        let count = records.len() as u64 + others;
        let mut skipped = Skipped::default();
        skipped.add(SkipCause::Refused, count, || example(first));
        self.figures.skips.note(skipped);
        let in_sink = records.iter().filter(|record| &*record.partition.topic == self.sink).count();
        self.figures.written.fetch_sub(in_sink as u64, Relaxed);
        let mut entries: Vec<ProcessingLogEntry> =
            records.iter().map(|record| self.entry(told(record), Some(row(record)))).collect();
        if others > 0 {
            entries.push(self.entry(format!("{others} more records were refused"), None));
        }
        self.log.write(&entries).await;
    }

    fn entry(&self, message: String, row: Option<String>) -> ProcessingLogEntry {
        let logger = format!("processing.{}", self.query);
        ProcessingLogEntry { logger, event: LogEvent::Production { message, row } }
    }
}

fn example(record: &RefusedRecord) -> SkipExample {
    let key = record.key.as_ref().map_or("null".to_owned(), |key| text(key, KEY_CHARS));
    let ours = format!("{}, with key {key}: {}", place(record), reason(&record.cause));
    let shown = |part: &Option<Excerpt>| part.as_ref().map(|bytes| text(bytes, ROW_CHARS));
    let row = SkippedRow {
        timestamp: Some(Timestamp(record.timestamp_ms)),
        key: shown(&record.key),
        value: shown(&record.value),
    };
    SkipExample::new(None, &ours, &[&record.cause.to_string()]).with_row(row)
}

fn told(record: &RefusedRecord) -> String {
    format!("{}: {} ({})", place(record), reason(&record.cause), record.cause)
}

fn place(record: &RefusedRecord) -> String {
    let RefusedRecord { partition, timestamp_ms, .. } = record;
    format!("a record for {partition} with timestamp {timestamp_ms}")
}

/// Why a topic does not take a record, as far as that can be told from the broker's answer.
fn reason(cause: &KafkaError) -> &'static str {
    match cause {
        KafkaError::RecordTooLarge { limit_bytes: Some(_), .. } => {
            "it is larger than max.request.size"
        }
        KafkaError::RecordTooLarge { limit_bytes: None, .. } => {
            "it is larger than the topic's max.message.bytes"
        }
        cause if cause.is_code(ResponseError::InvalidTimestamp) => {
            "the topic takes no such timestamp (message.timestamp.after.max.ms, message.timestamp.before.max.ms)"
        }
        _ => "its topic does not take it",
    }
}

/// The key and the value, as far as they are known.
fn row(record: &RefusedRecord) -> String {
    let part = |part: &Option<Excerpt>| {
        part.as_ref().map_or("null".to_owned(), |bytes| text(bytes, Excerpt::BYTES_MAX))
    };
    format!("key {}, value {}", part(&record.key), part(&record.value))
}

/// Bytes as a text, and how many there are where not all of them are there.
fn text(excerpt: &Excerpt, chars_max: usize) -> String {
    let (mut text, is_all) = plain_text(&excerpt.bytes, chars_max);
    if !is_all || excerpt.bytes.len() < excerpt.length {
        let _ = write!(text, "… ({} bytes)", excerpt.length);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kafka::TopicPartition;

    fn refused(key: Option<&[u8]>, cause: KafkaError) -> RefusedRecord {
        RefusedRecord {
            partition: TopicPartition::new("SINK", 2),
            ordinal: 7,
            timestamp_ms: 4_102_444_800_000,
            key: key.map(Excerpt::of),
            value: Some(Excerpt::of(b"{\"N\":1}")),
            cause,
        }
    }

    #[test]
    fn what_a_sink_will_refuse_is_known_before() {
        let check = |configs: &[(&str, &str)], has_keys, expected: &[&str]| {
            let configs = configs.iter().copied().collect();
            assert_eq!(what_is_refused(&configs, has_keys), expected);
        };
        let hour = (AHEAD_MAX, "3600000");
        let ahead = "that are dated more than 3600000 ms ahead (message.timestamp.after.max.ms)";
        check(&[hour], true, &[ahead]);
        check(&[hour, ("message.timestamp.type", "LogAppendTime")], true, &[]);
        check(&[(AHEAD_MAX, "9223372036854775807")], true, &[]);
        let keyless = "without a key (cleanup.policy), and the query gives none";
        check(&[("cleanup.policy", "delete,compact"), hour], false, &[ahead, keyless]);
        check(&[("cleanup.policy", "compact")], true, &[]);
    }

    #[test]
    fn a_refused_record_is_told_with_its_key_and_the_reason_first() {
        let cause = KafkaError::RecordTooLarge {
            topic: "SINK".to_owned(),
            bytes: 2_000_000,
            limit_bytes: None,
        };
        let record = refused(Some(b"d1"), cause.clone());
        let expected = format!(
            "a record for SINK-2 with timestamp 4102444800000, with key d1: it is larger than the topic's max.message.bytes \
             ({cause})"
        );
        assert_eq!(example(&record).to_string(), expected);
        assert_eq!(row(&record), "key d1, value {\"N\":1}");
        let long = refused(Some(&[b'k'; 9_000]), cause.clone());
        let key = "k".repeat(100);
        assert!(example(&long).to_string().contains(&format!("key {key}… (9000 bytes): it is")));
        let windowed = refused(Some(b"d1\0\x90"), cause.clone());
        assert!(example(&windowed).to_string().contains(r"key d1\x00\x90: it is"));
        assert!(told(&refused(None, cause)).starts_with("a record for SINK-2 with timestamp 41"));
    }
}
