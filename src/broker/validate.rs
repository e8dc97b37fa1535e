//! What a topic asks of the records of a batch; one that breaks a rule has the whole batch refused, as in Kafka.
use bytes::Bytes;
use kafka_protocol::error::ResponseError;

use super::topics::Topic;
use crate::kafka::records::{BatchHeader, RawBatch, RecordRef};

/// Why a batch is not appended: the code, what to tell the producer, and the records that are at fault (KIP-467).
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) error: ResponseError,
    pub(super) message: Option<String>,
    /// The records by their place in the batch, and what is wrong with each.
    pub(super) records: Vec<(i32, String)>,
}

impl From<ResponseError> for Refusal {
    fn from(error: ResponseError) -> Self {
        Self { error, message: None, records: Vec::new() }
    }
}

/// The rules of a topic about single records.
#[derive(Debug, Clone, Copy)]
pub(super) struct RecordRules {
    needs_key: bool,
    is_create_time: bool,
    before_max_ms: i64,
    after_max_ms: i64,
}

/// A record that breaks a rule.
struct Fault {
    at: i32,
    is_of_time: bool,
    message: String,
}

impl RecordRules {
    /// The rules of `topic`.
    pub(super) fn of(topic: &Topic) -> Self {
        Self {
            needs_key: topic.is_compacted(),
            is_create_time: topic.config("message.timestamp.type") == "CreateTime",
            before_max_ms: topic.number("message.timestamp.before.max.ms"),
            after_max_ms: topic.number("message.timestamp.after.max.ms"),
        }
    }

    /// Whether the producer's timestamps are kept.
    pub(super) fn is_create_time(self) -> bool {
        self.is_create_time
    }

    /// Checks the records of a batch for `partition`, which arrives `now`.
    pub(super) fn check(
        self,
        batch: &Bytes,
        partition: impl std::fmt::Display,
        now: i64,
    ) -> Result<(), Refusal> {
        if !self.needs_key && !self.may_break_time(batch, now) {
            return Ok(());
        }
        let opened = RawBatch::parse(batch.clone()).and_then(|raw| raw.open());
        let opened = opened.map_err(|_| ResponseError::InvalidRecord)?;
        let mut faults = Vec::new();
        for (at, record) in (0..).zip(opened.records()) {
            let record = record.map_err(|_| ResponseError::InvalidRecord)?;
            faults.extend(self.fault(at, &record, &partition, now));
        }
        let Some(first) = faults.iter().find(|fault| fault.is_of_time).or(faults.first()) else {
            return Ok(());
        };
        let (error, message) = if first.is_of_time {
            let message = "One or more records have been rejected due to invalid timestamp";
            (ResponseError::InvalidTimestamp, message.to_owned())
        } else {
            let message = format!(
                "One or more records have been rejected due to {} record errors in total",
                faults.len()
            );
            (ResponseError::InvalidRecord, message)
        };
        let records = faults.into_iter().map(|fault| (fault.at, fault.message)).collect();
        Err(Refusal { error, message: Some(message), records })
    }

    /// Whether a look at the records is needed; by default, any time goes.
    fn may_break_time(self, batch: &Bytes, now: i64) -> bool {
        let is_late =
            |header: BatchHeader| header.max_timestamp.saturating_sub(now) > self.after_max_ms;
        let looks_late = BatchHeader::parse(batch).map_or(true, is_late);
        self.is_create_time && (self.before_max_ms != i64::MAX || looks_late)
    }

    fn fault(
        self,
        at: i32,
        record: &RecordRef<'_>,
        partition: &impl std::fmt::Display,
        now: i64,
    ) -> Option<Fault> {
        if self.needs_key && record.key.is_none() {
            let message = format!(
                "Compacted topic cannot accept message without key in topic partition {partition}."
            );
            return Some(Fault { at, is_of_time: false, message });
        }
        let age = now.saturating_sub(record.timestamp);
        let is_out = age > self.before_max_ms || age.saturating_neg() > self.after_max_ms;
        if !self.is_create_time || record.timestamp == -1 || !is_out {
            return None;
        }
        let (from, to) =
            (now.wrapping_sub(self.before_max_ms), now.wrapping_add(self.after_max_ms));
        let message = format!(
            "Timestamp {} of message with offset {at} is out of range. The timestamp should be within [{from}, {to}]",
            record.timestamp
        );
        Some(Fault { at, is_of_time: true, message })
    }
}
