//! Records that leave no row: why, and what is said of it.

use super::panics::Panic;
use super::processing_log::{LogEvent, LoggedRecord};
use super::raw_records::RawRecords;
use super::skipped::{RecordPlace, SkipCause, SkipExample};
use crate::formats::{DecodeError, Role};
use crate::operators::QueryError;
use crate::plan::Source;
use crate::types::Offset;

/// Why a record leaves no row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rejection {
    /// Its key or value cannot be read.
    Undecodable {
        /// Which of them.
        role: Role,
        /// Why.
        error: DecodeError,
    },
    /// It has no time: a `TIMESTAMP` column that is NULL, or no text of its pattern.
    NoTimestamp {
        /// The row's key as Java prints it.
        key: String,
        /// The row's value as Java prints it.
        value: String,
        /// Why.
        causes: Vec<String>,
    },
    /// Its time is before the epoch.
    NegativeTimestamp,
    /// A panic came of it.
    Panicked(Panic),
}

impl Rejection {
    /// What it counts as.
    pub(super) fn cause(&self) -> SkipCause {
        match self {
            Self::Undecodable { role: Role::Key, .. } => SkipCause::UndecodableKey,
            Self::Undecodable { role: Role::Value, .. } => SkipCause::UndecodableValue,
            Self::NoTimestamp { .. } | Self::NegativeTimestamp => SkipCause::NoTimestamp,
            Self::Panicked(_) => SkipCause::Panicked,
        }
    }

    /// What is said of a record of a source.
    pub(super) fn example(&self, record: RecordPlace, source: &Source) -> SkipExample {
        let column = source.timestamp.as_ref().map(|timestamp| timestamp.column.as_str());
        match self {
            Self::Undecodable { role, error } => {
                let (part, format) = match role {
                    Role::Key => ("key", source.key_format.format),
                    Role::Value => ("value", source.value_format.format),
                };
                let ours = format!("its {part} is no {} of the declared columns", format.name());
                let causes = error.causes.iter().map(String::as_str);
                let java: Vec<&str> = std::iter::once(&*error.message).chain(causes).collect();
                SkipExample::new(Some(record), &ours, &java)
            }
            Self::NoTimestamp { causes, .. } => {
                let ours = format!("its column {} holds no time", column.unwrap_or_default());
                let java: Vec<&str> = causes.iter().map(String::as_str).collect();
                SkipExample::new(Some(record), &ours, &java)
            }
            Self::NegativeTimestamp => {
                let ours = match column {
                    Some(column) => format!("the time in its column {column} is before 1970"),
                    None => "its time is before 1970".to_owned(),
                };
                SkipExample::new(Some(record), &ours, &[])
            }
            Self::Panicked(panic) => SkipExample::new(Some(record), &panic.to_string(), &[]),
        }
    }

    /// Why it stops its query, if it has no time and such a record is to.
    pub(super) fn fatal(
        &self,
        records: &RawRecords<'_>,
        row: usize,
        topic: &str,
    ) -> Option<QueryError> {
        let Self::NoTimestamp { key, value, causes } = self else { return None };
        let size = |bytes: Option<&[u8]>| bytes.map_or(-1, |bytes| bytes.len() as i64);
        let message = format!(
            "Fatal user code error in TimestampExtractor callback for record ConsumerRecord(topic = {topic}, \
             partition = {}, leaderEpoch = null, offset = {}, CreateTime = {}, serialized key size = {}, \
             serialized value size = {}, headers = RecordHeaders(headers = [], isReadOnly = false), key = \
             {key}, value = {value}).",
            records.partition,
            records.offsets[row],
            records.timestamps[row],
            size(records.keys[row]),
            size(records.values[row]),
        );
        let record = Some(Offset(records.offsets[row]));
        Some(QueryError { causes: causes.clone(), record, ..QueryError::new(message) })
    }

    /// The entry of the processing log, where ksqlDB has one.
    pub(super) fn event(
        &self,
        records: &RawRecords<'_>,
        row: usize,
        topic: &str,
    ) -> Option<LogEvent> {
        match self {
            Self::Undecodable { role, error } => {
                let bytes = match role {
                    Role::Key => records.keys[row],
                    Role::Value => records.values[row],
                };
                Some(LogEvent::Deserialization {
                    role: *role,
                    error: error.clone(),
                    record: bytes.map(<[u8]>::to_vec),
                    topic: topic.to_owned(),
                })
            }
            Self::NoTimestamp { key, value, causes } => Some(LogEvent::Processing {
                message: "Failed to extract timestamp from row".to_owned(),
                record: Some(LoggedRecord::Text(format!("key:{key}, value:{value}"))),
                causes: causes.clone(),
            }),
            Self::NegativeTimestamp => None,
            Self::Panicked(panic) => {
                let (partition, offset) = (records.partition, records.offsets[row]);
                let message = format!(
                    "topic {topic}, partition {partition}, offset {offset}: this record is skipped, as \
                     reading it ends with {panic}"
                );
                Some(LogEvent::Deserialization {
                    role: Role::Value,
                    error: DecodeError { message, causes: vec![panic.text.clone()] },
                    record: records.values[row].map(<[u8]>::to_vec),
                    topic: topic.to_owned(),
                })
            }
        }
    }
}
