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
                let record =
                    record.as_ref().filter(|_| with_rows).map(|bytes| STANDARD.encode(bytes));
                message["deserializationError"] = json!({
                    "target": if *role == Role::Key { "key" } else { "value" },
                    "errorMessage": error.message,
                    "recordB64": record,
                    "cause": error.causes,
                    "topic": topic,
                });
            }
            LogEvent::Processing { message: text, record, causes } => {
                message["type"] = json!(1);
                let record = record.as_ref().filter(|_| with_rows).map(|record| match record {
                    LoggedRecord::Json(text) | LoggedRecord::Text(text) => text.clone(),
                });
                message["recordProcessingError"] =
                    json!({ "errorMessage": text, "record": record, "cause": causes });
            }
            LogEvent::StreamThread { message: text, thread, causes } => {
                message["type"] = json!(4);
                message["kafkaStreamsThreadError"] =
                    json!({ "errorMessage": text, "threadName": thread, "cause": causes });
            }
        }
        let entry: Value =
            json!({ "level": "ERROR", "logger": self.logger, "time": time_ms, "message": message });
        entry.to_string()
    }
}
