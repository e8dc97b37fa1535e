//! Records of a query that their topics do not take: those that are too large, too far ahead in time, or without a key
//! where one is needed.
//!
//! They are left out of sinks and repartition topics, counted, told and logged. A changelog has to take all of its records,
//! else the query stops.

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use super::figures::Figures;
use super::log_writer::LogWriter;
use super::message::QueryId;
use super::query_topics::QueryTopics;
use super::settings::QuerySettings;
use crate::kafka::error::{Excerpt, RefusedRecord};
use crate::kafka::produce::{LeftOut, Producer, RefusedRecords};
use crate::kafka::{KafkaError, ResponseError};
use crate::runtime::{LogEvent, ProcessingLogEntry, SkipCause, SkipExample, Skipped};

/// How many characters of a key are told.
const KEY_CHARS: usize = 100;

/// What becomes of what the topics of a query do not take.
pub(super) fn refused_records(settings: &QuerySettings, topics: &QueryTopics) -> RefusedRecords {
    if settings.stops_at_refused_records {
        return RefusedRecords::Fail;
    }
    let skipping = topics.repartitions.iter().chain([&topics.sink]);
    RefusedRecords::SkipIn(skipping.map(|topic| topic.name.clone()).collect())
}

/// Tells what a query's topics have refused.
pub(super) struct Refusals {
    pub(super) query: QueryId,
    pub(super) topics: Arc<QueryTopics>,
    pub(super) producer: Arc<Producer>,
    pub(super) figures: Arc<Figures>,
    pub(super) log: Arc<LogWriter>,
}

impl Refusals {
    /// Counts, tells and logs the records that were left out since this was last called.
    pub(super) async fn tell(&self) {
        let LeftOut { records, others } = self.producer.take_left_out();
        let Some(first) = records.first() else { return };
        let count = records.len() as u64 + others;
        let mut skipped = Skipped::default();
        skipped.add(SkipCause::Refused, count, || example(first));
        self.figures.skips.note(skipped);
        let sink = &*self.topics.sink.name;
        let in_sink = records.iter().filter(|record| &*record.partition.topic == sink).count();
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
    SkipExample::new(None, &ours, &[&record.cause.to_string()])
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
            "its timestamp lies outside of what the topic takes, such as message.timestamp.after.max.ms"
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
    let all = String::from_utf8_lossy(&excerpt.bytes);
    let mut text: String = all.chars().take(chars_max).collect();
    if text.len() < excerpt.length {
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
        assert!(told(&refused(None, cause)).starts_with("a record for SINK-2 with timestamp 41"));
    }
}
