//! Why a query, or the instance, cannot go on, and whether trying again may help.

use crate::kafka::{KafkaError, ResponseError};
use crate::operators::QueryError;
use crate::registry::RegistryError;
use crate::runtime::{Panic, RecordPlace};
use crate::state::checkpoint::CheckpointError;

/// Why a query, or the instance, cannot go on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LiveError {
    /// Kafka said no.
    #[error(transparent)]
    Kafka(KafkaError),
    /// The schema registry did not take what the query writes with.
    #[error("Could not register schema for topic: {0}")]
    Registration(RegistryError),
    /// The schema registry does not give the schema of a record, and says so.
    #[error("the schema of a record cannot be had: {0}")]
    Schema(RegistryError),
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
    /// A topic is missing, which may come back.
    #[error("topic {topic} {cause}")]
    TopicMissing {
        /// The topic.
        topic: String,
        /// What that means.
        cause: String,
    },
    /// A topic has got more partitions.
    #[error("topic {topic} has {to} partitions, {from} when the query started")]
    TopicGrown {
        /// The topic.
        topic: String,
        /// How many it had.
        from: i32,
        /// How many it has.
        to: i32,
    },
    /// A local checkpoint cannot be used or written.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// What a query keeps is asked for while it does not run here, or not yet.
    #[error("query {query} {cause}, so what it keeps cannot be looked at")]
    NotRunning {
        /// The query.
        query: String,
        /// Why it does not.
        cause: String,
    },
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
    /// A record brings the query to an end.
    #[error("{at}: this record stops the query ({cause})")]
    Record {
        /// Where it lies.
        at: RecordPlace,
        /// What comes of it.
        cause: Box<LiveError>,
    },
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
            Self::Record { cause, .. } => cause.is_final(),
            Self::Topic { .. }
            | Self::State { .. }
            | Self::Thread(_)
            | Self::Panic(_)
            | Self::Checkpoint(CheckpointError::Mismatch { .. }) => true,
            Self::TopicMissing { .. }
            | Self::NotRunning { .. }
            | Self::TopicGrown { .. }
            | Self::Query(_)
            | Self::Registration(_)
            | Self::Schema(_)
            | Self::Checkpoint(_)
            | Self::Worker { .. } => false,
        }
    }

    /// What a row, or the query itself, has come to.
    pub(super) fn query_error(&self) -> Option<&QueryError> {
        match self {
            Self::Query(error) => Some(error),
            Self::Record { cause, .. } => cause.query_error(),
            _ => None,
        }
    }

    /// Whether it comes of what tasks do, so that what they did before still counts, and a commit of that
    /// can come to its end.
    pub(super) fn is_of_tasks(&self) -> bool {
        matches!(self, Self::Query(_) | Self::Panic(_) | Self::Record { .. })
    }

    /// A topic that was deleted while a query reads or writes it.
    pub(super) fn deleted(topic: &str) -> Self {
        let cause = "does not exist; the query goes on once it is made again".to_owned();
        Self::TopicMissing { topic: topic.to_owned(), cause }
    }

    /// Whether it is to be tried again at once when the registry answers.
    pub(super) fn is_registry_away(&self) -> bool {
        matches!(self, Self::Registration(error) if error.is_retriable())
    }

    /// Whether it is to be tried again as soon as topics are looked up anew, for one of them is gone, or
    /// is another one now.
    pub(super) fn is_about_topics(&self) -> bool {
        match self {
            Self::TopicMissing { .. } | Self::TopicGrown { .. } => true,
            Self::Kafka(error) => is_about_topics(error),
            _ => false,
        }
    }

    /// Whether its transaction cannot be committed, while the next one may: its coordinator has aborted it, or ended it for
    /// somebody who has taken over.
    pub(super) fn is_of_transaction(&self) -> bool {
        let Self::Kafka(error) = self else { return false };
        is_of_transaction(error)
    }

    /// Whether the group has gone on without the member that writes or commits.
    pub(super) fn is_stale(&self) -> bool {
        let Self::Kafka(error) = self else { return false };
        is_stale_for_kafka(error)
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
            KafkaError::TopicGone { topic } => Self::deleted(&topic),
            KafkaError::Flush { first, .. } if is_about_topics(&first) => Self::from(*first),
            other => Self::Kafka(other),
        }
    }
}

/// Whether it is wrong with a topic that it is gone, or another one now.
fn is_about_topics(error: &KafkaError) -> bool {
    use KafkaError as E;
    matches!(error, E::TopicGone { .. } | E::TopicMadeAgain { .. } | E::PartitionGone { .. })
}

fn is_stale_for_kafka(error: &KafkaError) -> bool {
    use ResponseError as E;
    match error {
        KafkaError::StaleMember => true,
        KafkaError::Flush { first, .. } => is_stale_for_kafka(first),
        KafkaError::Code { code, .. } => {
            matches!(code, E::IllegalGeneration | E::UnknownMemberId | E::RebalanceInProgress)
        }
        _ => false,
    }
}

fn is_of_transaction(error: &KafkaError) -> bool {
    use ResponseError as E;
    match error {
        KafkaError::ProducerFenced { .. } | KafkaError::Transaction { .. } => true,
        KafkaError::Flush { first, .. } => is_of_transaction(first),
        KafkaError::Code { code, .. } => matches!(
            code,
            E::InvalidProducerEpoch
                | E::InvalidProducerIdMapping
                | E::InvalidTxnState
                | E::OutOfOrderSequenceNumber
                | E::ProducerFenced
                | E::TransactionAbortable
                | E::TransactionCoordinatorFenced
                | E::UnknownProducerId
        ),
        _ => false,
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
        | KafkaError::RecordTooLarge { .. }
        | KafkaError::Record { .. } => true,
        KafkaError::Code { code, .. } => matches!(
            code,
            E::MessageTooLarge
                | E::RecordListTooLarge
                | E::InvalidRecord
                | E::InvalidTimestamp
                | E::InvalidTopicException
                | E::UnsupportedForMessageFormat
                | E::InvalidSessionTimeout
                | E::InvalidTransactionTimeout
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
    fn what_was_not_delivered_as_its_topic_is_gone_is_about_the_topic() {
        let gone = KafkaError::TopicGone { topic: "T".to_owned() };
        let flush = KafkaError::Flush { count: 3, first: Box::new(gone), failures: Vec::new() };
        let error = LiveError::from(flush);
        assert!(error.is_about_topics() && !error.is_final());
        assert_eq!(error, LiveError::deleted("T"));
    }

    #[test]
    fn a_member_that_was_let_go_joins_again_and_one_that_was_replaced_never() {
        let first = Box::new(KafkaError::StaleMember);
        let flush = KafkaError::Flush { count: 1, first, failures: Vec::new() };
        let stale = LiveError::from(flush);
        assert!(stale.is_stale() && !stale.is_final());
        let (group, instance_id) = ("g".to_owned(), "one".to_owned());
        let fenced = LiveError::from(KafkaError::InstanceFenced { group, instance_id });
        assert!(fenced.is_final() && !fenced.is_stale());
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
