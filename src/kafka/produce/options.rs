//! How a producer is set up besides its cluster's properties.
use crate::kafka::lease::Lease;

/// What happens to a record that its topic does not take: it is too large, or too far ahead in time, or without a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RefusedRecords {
    /// It counts as not delivered: the next flush says which, and a transaction can only be aborted.
    #[default]
    Fail,
    /// It is left out, and kept for [`Producer::take_refused`](super::Producer::take_refused).
    Skip,
}

/// How a producer is set up.
#[derive(Debug, Clone, Default)]
pub struct ProducerOptions {
    /// The `transactional.id` of one that writes in transactions alone.
    pub transactional_id: Option<String>,
    /// What happens to records that their topics do not take. Those around them are written in either case.
    pub refused: RefusedRecords,
    /// Asked right before each write to a broker: while it is closed, nothing is written, and what is to be written waits,
    /// at most for `delivery.timeout.ms`. Once it is over, that ends in
    /// [`KafkaError::StaleMember`](crate::kafka::KafkaError::StaleMember).
    pub lease: Option<Lease>,
}
