//! Entries of the processing log, in ksqlDB's JSON.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::formats::{DecodeError, Role};

/// An entry, before it is put into JSON with the time of its writing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProcessingLogEntry {
    /// The logger, such as `processing.CSAS_X_1.WhereFilter`.
    pub logger: String,
    /// What happened.
    pub event: LogEvent,
}

/// What an entry tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LogEvent {
    /// A record could not be read.
    Deserialization {
        /// Its key or its value.
        role: Role,
        /// Why.
        error: DecodeError,
        /// The bytes.
        record: Option<Vec<u8>>,
        /// The topic.
        topic: String,
    },
    /// A row could not be processed.
    Processing {
        /// What happened.
        message: String,
        /// The row: its text as JSON, or as a plain text.
        record: Option<LoggedRecord>,
        /// The causes, outermost first.
        causes: Vec<String>,
    },
    /// A topic did not take a record.
    Production {
        /// What happened.
        message: String,
        /// The record's key and value.
        row: Option<String>,
    },
    /// A query failed.
    StreamThread {
        /// What happened.
        message: String,
        /// The thread.
        thread: String,
        /// The causes, outermost first.
        causes: Vec<String>,
    },
}

/// The row of an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LoggedRecord {
    /// The JSON text of its columns, which stands in the entry as a text.
    Json(String),
    /// A text.
    Text(String),
}

impl ProcessingLogEntry {
    /// The entry as ksqlDB writes it at `time_ms`; rows only `with_rows`
    /// (`ksql.logging.processing.rows.include`).
    pub fn to_json(&self, time_ms: i64, with_rows: bool) -> String {
        self.json(time_ms, &Texts { with_rows, bytes_max: usize::MAX, note: String::new() })
    }

    /// The entry in at most `bytes_max` bytes: its texts and its row are cut where they are longer, and
    /// its message then says so.
    pub fn to_json_within(&self, time_ms: i64, with_rows: bool, bytes_max: usize) -> String {
        let mut texts = Texts { with_rows, bytes_max, note: String::new() };
        loop {
            if self.lengths(with_rows).any(|bytes| bytes > texts.bytes_max) {
                let bytes: usize = self.lengths(with_rows).sum();
                texts.note = format!(" ({bytes} bytes, cut to fit max.request.size)");
            }
            let json = self.json(time_ms, &texts);
            if json.len() <= bytes_max || texts.bytes_max == 0 {
                return json;
            }
            // Texts take more room in JSON and base64 than by themselves, and share it.
            texts.bytes_max /= 2;
        }
    }

    fn json(&self, time_ms: i64, texts: &Texts) -> String {
        let mut message = json!({
            "type": 0,
            "deserializationError": null,
            "recordProcessingError": null,
            "productionError": null,
            "serializationError": null,
            "kafkaStreamsThreadError": null,
        });
        match &self.event {
            LogEvent::Deserialization { role, error, record, topic } => {
                let record = record.as_ref().filter(|_| texts.with_rows);
                message["deserializationError"] = json!({
                    "target": if *role == Role::Key { "key" } else { "value" },
                    "errorMessage": texts.message(&error.message),
                    "recordB64": record.map(|bytes| STANDARD.encode(texts.cut_bytes(bytes))),
                    "cause": texts.causes(&error.causes),
                    "topic": topic,
                });
            }
            LogEvent::Processing { message: text, record, causes } => {
                message["type"] = json!(1);
                let record = record.as_ref().filter(|_| texts.with_rows);
                message["recordProcessingError"] = json!({
                    "errorMessage": texts.message(text),
                    "record": record.map(|record| texts.cut(record.text())),
                    "cause": texts.causes(causes),
                });
            }
            LogEvent::Production { message: text, row } => {
                message["type"] = json!(2);
                // ksqlDB's entry has no place of its own for the row.
                let row = row.as_ref().filter(|_| texts.with_rows);
                let row = row.map_or(String::new(), |row| format!(", {}", texts.cut(row)));
                message["productionError"] =
                    json!({ "errorMessage": format!("{}{row}", texts.message(text)) });
            }
            LogEvent::StreamThread { message: text, thread, causes } => {
                message["type"] = json!(4);
                message["kafkaStreamsThreadError"] = json!({
                    "errorMessage": texts.message(text),
                    "threadName": thread,
                    "cause": texts.causes(causes),
                });
            }
        }
        let entry: Value =
            json!({ "level": "ERROR", "logger": self.logger, "time": time_ms, "message": message });
        entry.to_string()
    }

    /// How many bytes its texts have, each by itself; that of the row last.
    fn lengths(&self, with_rows: bool) -> impl Iterator<Item = usize> + use<'_> {
        let (message, causes, record): (_, &[String], _) = match &self.event {
            LogEvent::Deserialization { error, record, .. } => {
                (&error.message, &error.causes, record.as_ref().map(Vec::len))
            }
            LogEvent::Processing { message, record, causes } => {
                (message, causes, record.as_ref().map(|record| record.text().len()))
            }
            LogEvent::Production { message, row } => (message, &[], row.as_ref().map(String::len)),
            LogEvent::StreamThread { message, causes, .. } => (message, causes, None),
        };
        let texts = [message].into_iter().chain(causes).map(String::len);
        texts.chain(record.filter(|_| with_rows))
    }
}

impl LoggedRecord {
    pub(super) fn text(&self) -> &str {
        match self {
            Self::Json(text) | Self::Text(text) => text,
        }
    }
}

/// How much of an entry's texts is written.
struct Texts {
    with_rows: bool,
    /// How many bytes of each of them.
    bytes_max: usize,
    /// What the message says at its end, where something is cut.
    note: String,
}

impl Texts {
    fn message(&self, text: &str) -> String {
        format!("{}{}", self.cut(text), self.note)
    }

    fn causes<'t>(&self, causes: &'t [String]) -> Vec<&'t str> {
        causes.iter().map(|cause| self.cut(cause)).collect()
    }

    fn cut<'t>(&self, text: &'t str) -> &'t str {
        &text[..text.floor_char_boundary(self.bytes_max)]
    }

    fn cut_bytes<'t>(&self, bytes: &'t [u8]) -> &'t [u8] {
        &bytes[..bytes.len().min(self.bytes_max)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The message and the row of an entry of which `bytes_max` bytes have to do.
    fn check(record: &str, bytes_max: usize) -> (String, String) {
        let record = Some(LoggedRecord::Json(record.to_owned()));
        let event = LogEvent::Processing { message: "no".to_owned(), record, causes: Vec::new() };
        let entry = ProcessingLogEntry { logger: "processing.Q.F".to_owned(), event };
        let json = entry.to_json_within(0, true, bytes_max);
        assert!(json.len() <= bytes_max, "{json}");
        let json: Value = serde_json::from_str(&json).unwrap();
        let error = &json["message"]["recordProcessingError"];
        let text = |name: &str| error[name].as_str().unwrap().to_owned();
        (text("errorMessage"), text("record"))
    }

    #[test]
    fn an_entry_is_cut_to_what_can_be_written_and_says_so() {
        assert_eq!(check("[1]", 1_000), ("no".to_owned(), "[1]".to_owned()));
        // In JSON the first of these takes six bytes; the last may not be cut in two.
        let (message, record) = check(&"\u{1}\"é".repeat(200), 1_000);
        assert_eq!(message, "no (802 bytes, cut to fit max.request.size)");
        assert!(!record.is_empty() && "\u{1}\"é".repeat(200).starts_with(&record));
        let (message, record) = check(&"x".repeat(5_000_000), 1_000);
        assert_eq!(message, "no (5000002 bytes, cut to fit max.request.size)");
        assert!(record.len() > 300, "{}", record.len());
    }
}
