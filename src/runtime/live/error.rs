//! Why a query, or the instance, cannot go on, and whether trying again may help.

use crate::kafka::{KafkaError, ResponseError};
use crate::operators::QueryError;
use crate::runtime::Panic;
use crate::state::checkpoint::CheckpointError;

/// Why a query, or the instance, cannot go on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LiveError {
    /// Kafka said no.
    #[error(transparent)]
    Kafka(KafkaError),
    /// A row, or the query itself.
    #[error(transparent)]
    Query(#[from] QueryError),
    /// A topic is not there, or not as it should be.
    #[error("topic {topic}: {cause}")]
    Topic {
        /// The topic.
        topic: String,
        /// What is wrong with it.
        cause: String,
    },
    /// A local checkpoint cannot be used or written.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// State and offsets do not belong together.
    #[error("query {query}: {cause}")]
    State {
        /// The query.
        query: String,
        /// What is wrong.
        cause: String,
    },
    /// A thread could not be started, or is gone.
    #[error("{0}")]
    Thread(String),
    /// What the query did has ended with a panic.
    #[error("{0}")]
    Panic(Panic),
    /// A worker has ended with a panic outside the work for any one query.
    #[error("worker {worker} has ended with {panic}")]
    Worker {
        /// Which of them.
        worker: usize,
        /// Its panic.
        panic: Panic,
    },
}

impl LiveError {
    /// Whether trying again would end in the same way.
    pub(super) fn is_final(&self) -> bool {
        match self {
            Self::Kafka(error) => is_final_for_kafka(error),
            Self::Topic { .. }
            | Self::State { .. }
            | Self::Thread(_)
            | Self::Panic(_)
            | Self::Checkpoint(CheckpointError::Mismatch { .. }) => true,
            Self::Query(_) | Self::Checkpoint(_) | Self::Worker { .. } => false,
        }
    }

    /// Whether the group has gone on without the member that commits.
    pub(super) fn is_stale(&self) -> bool {
        use ResponseError as E;
        let Self::Kafka(error) = self else { return false };
        matches!(
            error.code(),
            Some(
                E::IllegalGeneration
                    | E::UnknownMemberId
                    | E::RebalanceInProgress
                    | E::FencedInstanceId
            )
        )
    }
}

impl From<Panic> for LiveError {
    fn from(panic: Panic) -> Self {
        Self::Panic(panic)
    }
}

impl From<KafkaError> for LiveError {
    fn from(error: KafkaError) -> Self {
        match error {
            KafkaError::TopicGone { topic } => {
                Self::Topic { topic, cause: "it was deleted while the query ran".to_owned() }
            }
            other => Self::Kafka(other),
        }
    }
}

fn is_final_for_kafka(error: &KafkaError) -> bool {
    use ResponseError as E;
    match error {
        KafkaError::Flush { first, .. } => is_final_for_kafka(first),
        KafkaError::RecordRefused(refused) => is_final_for_kafka(&refused.cause),
        KafkaError::Config(_)
        | KafkaError::InstanceFenced { .. }
        | KafkaError::Unsupported { .. }
        | KafkaError::OffsetOutOfRange { .. }
        | KafkaError::RecordTooLarge { .. }
        | KafkaError::Record { .. } => true,
        KafkaError::Code { code, .. } => matches!(
            code,
            E::MessageTooLarge
                | E::RecordListTooLarge
                | E::InvalidRecord
                | E::InvalidTopicException
                | E::UnsupportedForMessageFormat
                | E::InvalidSessionTimeout
                | E::InvalidGroupId
        ),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn undelivered() -> KafkaError {
        KafkaError::Undelivered {
            topic: "T".to_owned(),
            partition: 0,
            within: Duration::from_mins(2),
            cause: "no answer".to_owned(),
        }
    }

    #[test]
    fn a_broker_that_is_away_for_long_fails_no_query_for_good() {
        let first = Box::new(undelivered());
        let flush = KafkaError::Flush { count: 1, first, failures: Vec::new() };
        assert!(!LiveError::from(flush).is_final());
    }

    #[test]
    fn a_record_that_is_too_large_fails_its_query_for_good() {
        let topic = "T".to_owned();
        let first = KafkaError::RecordTooLarge { topic, bytes: 2_000_000, limit_bytes: None };
        let first = Box::new(first);
        let flush = KafkaError::Flush { count: 1, first, failures: Vec::new() };
        assert!(LiveError::from(flush).is_final());
    }
}
