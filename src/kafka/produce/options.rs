//! How a producer is set up besides its cluster's properties.
use std::sync::Arc;
use std::time::Duration;

use crate::kafka::error::RefusedRecord;
use crate::kafka::lease::Lease;

/// What happens to a record that its topic does not take: it is too large, or too far ahead in time, or without a key.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum RefusedRecords {
    /// It counts as not delivered: the next flush says which, and a transaction can only be aborted.
    #[default]
    Fail,
    /// It is left out, and kept for [`Producer::take_left_out`](super::Producer::take_left_out).
    Skip,
    /// As [`Self::Skip`] for records of these topics, as [`Self::Fail`] for those of others.
    SkipIn(Arc<[String]>),
}

impl RefusedRecords {
    /// Whether what a topic does not take is left out.
    pub(super) fn are_skipped(&self, topic: &str) -> bool {
        match self {
            Self::Fail => false,
            Self::Skip => true,
            Self::SkipIn(topics) => topics.iter().any(|other| other == topic),
        }
    }
}

/// The records that were left out, as their topics do not take them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LeftOut {
    /// The first thousand of them, by partition and ordinal.
    pub records: Vec<RefusedRecord>,
    /// How many more there were.
    pub others: u64,
}

/// How a producer is set up.
#[derive(Debug, Clone, Default)]
pub struct ProducerOptions {
    /// The `transactional.id` of one that writes in transactions alone.
    pub transactional_id: Option<String>,
    /// How long one of its transactions may be open before its coordinator aborts it; by default as `transaction.timeout.ms`
    /// says.
    pub transaction_timeout: Option<Duration>,
    /// What happens to records that their topics do not take. Those around them are written in either case.
    pub refused: RefusedRecords,
    /// Asked right before each write to a broker: while it is closed, nothing is written, and what is to be written waits,
    /// at most for `delivery.timeout.ms`. Once it is over, that ends in
    /// [`KafkaError::StaleMember`](crate::kafka::KafkaError::StaleMember).
    pub lease: Option<Lease>,
}
