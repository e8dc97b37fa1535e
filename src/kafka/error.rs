//! What goes wrong between us and Kafka, sorted by what can be done about it.
use std::fmt::Display;
use std::time::Duration;

use bytes::Bytes;
use kafka_protocol::error::ResponseError;

use super::config::ConfigError;
use super::partition::{TopicId, TopicPartition};
use super::records::RecordError;

/// What a caller can do about a [`KafkaError`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// Trying again may help: a broker is down, a leader has moved, a request took too long.
    Retriable,
    /// Trying again gives the same error.
    Fatal,
    /// The broker does not accept who we are or does not let us do this.
    Authentication,
}

/// Why Kafka did not do what it was asked to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KafkaError {
    /// A property has a value that cannot be.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// No connection to the broker could be made.
    #[error("cannot connect to Kafka at {broker}: {cause}")]
    Connect {
        /// The address of the broker.
        broker: String,
        /// What the system says.
        cause: String,
    },
    /// The connection was lost while a response was due.
    #[error("the connection to {broker} was lost during {request}: {cause}")]
    Disconnected {
        /// The address of the broker.
        broker: String,
        /// The request without a response.
        request: &'static str,
        /// What the system says.
        cause: String,
    },
    /// The broker did not respond in time.
    #[error("{broker} did not respond to {request} within {within:?}")]
    TimedOut {
        /// The address of the broker.
        broker: String,
        /// The request without a response.
        request: &'static str,
        /// How long we waited.
        within: Duration,
    },
    /// The broker does not accept our credentials.
    #[error("{broker} refused the login ({mechanism}): {cause}")]
    Authentication {
        /// The address of the broker.
        broker: String,
        /// The SASL mechanism.
        mechanism: &'static str,
        /// What the broker says.
        cause: String,
    },
    /// TLS could not be set up.
    #[error("no secure connection to {broker}: {cause}")]
    Tls {
        /// The address of the broker.
        broker: String,
        /// What is wrong.
        cause: String,
    },
    /// The broker and we have no version of the request in common.
    #[error("{broker} has {request} in versions {theirs}, expected one of {ours}")]
    Unsupported {
        /// The address of the broker.
        broker: String,
        /// The request.
        request: &'static str,
        /// The versions that the broker has.
        theirs: String,
        /// The versions that we have.
        ours: String,
    },
    /// A request or response does not follow the protocol.
    #[error("{request} to {broker} does not follow the protocol: {cause}")]
    Protocol {
        /// The address of the broker.
        broker: String,
        /// The request.
        request: &'static str,
        /// What is wrong.
        cause: String,
    },
    /// The broker responded with an error code.
    #[error("{request} failed for {target}: {}{}", code_name(*.code), detail(.message.as_deref()))]
    Code {
        /// The request.
        request: &'static str,
        /// What the code is about: a topic-partition, a group, a transactional id.
        target: String,
        /// Kafka's error code.
        code: ResponseError,
        /// What the broker adds.
        message: Option<String>,
    },
    /// The offset to read from is not, or no longer, in the log.
    #[error("{topic}-{partition} has no offset {offset}{}", range(*.log_start, *.log_end))]
    OffsetOutOfRange {
        /// The topic.
        topic: String,
        /// The partition.
        partition: i32,
        /// The offset that was asked for.
        offset: i64,
        /// The first offset of the log, if that is known.
        log_start: Option<i64>,
        /// The offset behind its last record, if that is known.
        log_end: Option<i64>,
    },
    /// A record is larger than `max.request.size`, or than what the topic takes.
    #[error("a record of {bytes} bytes is too large for topic {topic}{}", limit(*.limit_bytes))]
    RecordTooLarge {
        /// The topic.
        topic: String,
        /// The size of the record.
        bytes: usize,
        /// The limit, when it is ours.
        limit_bytes: Option<usize>,
    },
    /// Another producer with the same transactional id has taken over.
    #[error("the producer {transactional_id} was fenced: a newer one has taken over")]
    ProducerFenced {
        /// The transactional id.
        transactional_id: String,
    },
    /// A call does not fit the state of the transaction.
    #[error("the transaction of {transactional_id} {problem}")]
    Transaction {
        /// The transactional id.
        transactional_id: String,
        /// What does not fit.
        problem: String,
    },
    /// What the broker stores cannot be read.
    #[error("{topic}-{partition}: {source}")]
    Record {
        /// The topic.
        topic: String,
        /// The partition.
        partition: i32,
        /// What is wrong with the records.
        source: RecordError,
    },
    /// Records were not delivered before their deadline.
    #[error("{topic}-{partition} took no records for {within:?}: {cause}")]
    Undelivered {
        /// The topic.
        topic: String,
        /// The partition.
        partition: i32,
        /// How long it was tried.
        within: Duration,
        /// The last error.
        cause: String,
    },
    /// A record was not written, although those around it were.
    #[error("{0}")]
    RecordRefused(Box<RefusedRecord>),
    /// The topic does not exist, or no longer, or may not be seen by us.
    #[error("topic {topic} does not exist")]
    TopicGone {
        /// The topic.
        topic: String,
    },
    /// The topic has fewer partitions than that.
    #[error("topic {topic} has no partition {partition}")]
    PartitionGone {
        /// The topic.
        topic: String,
        /// The partition.
        partition: i32,
    },
    /// The topic is not the one that was read or written before, but another one of its name.
    #[error("topic {topic} was deleted and made again: its id was {was} and is {is}")]
    TopicMadeAgain {
        /// The topic.
        topic: String,
        /// The id that it had.
        was: TopicId,
        /// The id that it has.
        is: TopicId,
    },
    /// The lease of a member is closed, so nothing was written; it may open again.
    #[error(
        "nothing was written: the session of this member may be over, and its group does not answer yet"
    )]
    LeaseClosed,
    /// The lease of a member is over, so nothing was written.
    #[error(
        "nothing was written: the group has gone on without this member, and another one may have taken its place"
    )]
    StaleMember,
    /// Another process has joined the group as the same static member.
    #[error(
        "another process has taken the place of {instance_id} (group.instance.id) in group {group}"
    )]
    InstanceFenced {
        /// The group.
        group: String,
        /// The `group.instance.id`.
        instance_id: String,
    },
    /// Some records since the last flush were not written.
    #[error("{count} deliveries failed, the first because {first}")]
    Flush {
        /// How many batches, or single records, failed.
        count: usize,
        /// The first failure.
        first: Box<KafkaError>,
        /// The failures, the first hundred of them.
        failures: Vec<DeliveryFailure>,
    },
    /// The client was closed.
    #[error("the {0} is closed")]
    Closed(&'static str),
}

/// A batch that was not written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveryFailure {
    /// The partition.
    pub partition: TopicPartition,
    /// How many records were in the batch.
    pub records: usize,
    /// Why.
    pub cause: KafkaError,
}

/// A record that its topic does not take, or that no request can hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedRecord {
    /// The partition.
    pub partition: TopicPartition,
    /// How many records were handed to the producer for this partition before this one.
    pub ordinal: u64,
    /// Its timestamp, in milliseconds since the epoch.
    pub timestamp_ms: i64,
    /// The beginning of its key.
    pub key: Option<Excerpt>,
    /// The beginning of its value.
    pub value: Option<Excerpt>,
    /// Why it was refused.
    pub cause: KafkaError,
}

impl std::fmt::Display for RefusedRecord {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { partition, ordinal, timestamp_ms, cause, .. } = self;
        let length = |excerpt: &Option<Excerpt>| {
            excerpt
                .as_ref()
                .map_or("null".to_owned(), |excerpt| format!("{} bytes", excerpt.length))
        };
        let (key, value) = (length(&self.key), length(&self.value));
        write!(
            f,
            "record {ordinal} for {partition} was refused (timestamp {timestamp_ms}, key {key}, value {value}): {cause}"
        )
    }
}

/// The beginning of some bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Excerpt {
    /// The first of them, up to [`Self::BYTES_MAX`].
    pub bytes: Bytes,
    /// How many there were.
    pub length: usize,
}

impl Excerpt {
    /// How many bytes an excerpt has at most.
    pub const BYTES_MAX: usize = 4_096;

    /// The beginning of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        let first = &bytes[..bytes.len().min(Self::BYTES_MAX)];
        Self { bytes: Bytes::copy_from_slice(first), length: bytes.len() }
    }
}

impl KafkaError {
    /// An error code that is known, as an error about `target`.
    pub(super) fn of(request: &'static str, target: impl Display, code: ResponseError) -> Self {
        Self::Code { request, target: target.to_string(), code, message: None }
    }

    /// That records of a partition cannot be read.
    pub(super) fn record(partition: &TopicPartition, source: RecordError) -> Self {
        let (topic, partition) = (partition.topic.to_string(), partition.partition);
        Self::Record { topic, partition, source }
    }

    /// An error code of a response, as an error about `target`.
    pub(super) fn from_code(
        request: &'static str,
        target: impl Display,
        code: i16,
    ) -> Option<Self> {
        Self::from_code_with(request, target, code, None)
    }

    /// An error code of a response with what the broker adds to it.
    pub(super) fn from_code_with(
        request: &'static str,
        target: impl Display,
        code: i16,
        message: Option<&str>,
    ) -> Option<Self> {
        let code = ResponseError::try_from_code(code)?;
        let message = message.filter(|message| !message.is_empty()).map(str::to_owned);
        Some(Self::Code { request, target: target.to_string(), code, message })
    }

    /// Fails if a response has an error code.
    pub(super) fn check(
        request: &'static str,
        target: impl Display,
        code: i16,
    ) -> Result<(), Self> {
        Self::from_code(request, target, code).map_or(Ok(()), Err)
    }

    /// What a caller can do about it.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Connect { .. }
            | Self::Disconnected { .. }
            | Self::TimedOut { .. }
            | Self::LeaseClosed => ErrorKind::Retriable,
            Self::Authentication { .. } | Self::Tls { .. } => ErrorKind::Authentication,
            Self::Code { code, .. } if is_denied(*code) => ErrorKind::Authentication,
            Self::Code { code, .. } if is_retriable(*code) => ErrorKind::Retriable,
            Self::Flush { first, .. } => first.kind(),
            _ => ErrorKind::Fatal,
        }
    }

    /// Whether trying again may help.
    pub fn is_retriable(&self) -> bool {
        self.kind() == ErrorKind::Retriable
    }

    /// Kafka's error code, if the error is one.
    pub fn code(&self) -> Option<ResponseError> {
        match self {
            Self::Code { code, .. } => Some(*code),
            Self::RecordRefused(refused) => refused.cause.code(),
            Self::InstanceFenced { .. } => Some(ResponseError::FencedInstanceId),
            _ => None,
        }
    }

    /// Whether the error is this code.
    pub fn is_code(&self, expected: ResponseError) -> bool {
        self.code() == Some(expected)
    }
}

fn is_retriable(code: ResponseError) -> bool {
    // A coordinator that is still finishing the last transaction takes the next one in a moment.
    code.is_retriable()
        || matches!(code, ResponseError::ConcurrentTransactions | ResponseError::BrokerNotAvailable)
}

fn is_denied(code: ResponseError) -> bool {
    use ResponseError as E;
    matches!(
        code,
        E::TopicAuthorizationFailed
            | E::GroupAuthorizationFailed
            | E::ClusterAuthorizationFailed
            | E::TransactionalIdAuthorizationFailed
            | E::SaslAuthenticationFailed
            | E::UnsupportedSaslMechanism
            | E::IllegalSaslState
    )
}

/// Kafka's name of an error code, such as `UNKNOWN_TOPIC_OR_PARTITION`.
pub fn code_name(code: ResponseError) -> String {
    let mut name = String::new();
    for letter in format!("{code:?}").chars() {
        if letter.is_ascii_uppercase() && !name.is_empty() {
            name.push('_');
        }
        name.push(letter.to_ascii_uppercase());
    }
    name
}

fn detail(message: Option<&str>) -> String {
    message.map(|message| format!(" ({message})")).unwrap_or_default()
}

fn range(log_start: Option<i64>, log_end: Option<i64>) -> String {
    let range = log_start.zip(log_end);
    range
        .map(|(start, end)| format!(", it begins at {start} and ends before {end}"))
        .unwrap_or_default()
}

fn limit(bytes: Option<usize>) -> String {
    bytes.map(|bytes| format!(", the limit is {bytes} (max.request.size)")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_name_the_code_as_kafka_does() {
        let error = KafkaError::from_code("Metadata", "readings-3", 3).unwrap();
        assert_eq!(error.to_string(), "Metadata failed for readings-3: UNKNOWN_TOPIC_OR_PARTITION");
        assert_eq!(error.kind(), ErrorKind::Retriable);
        let error = KafkaError::from_code_with("CreateTopics", "x", 29, Some("no")).unwrap();
        assert_eq!(error.to_string(), "CreateTopics failed for x: TOPIC_AUTHORIZATION_FAILED (no)");
        assert_eq!(error.kind(), ErrorKind::Authentication);
        assert_eq!(KafkaError::check("Produce", "x", 0), Ok(()));
    }
}
