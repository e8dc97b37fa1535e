//! What a response says about each batch of its request.
use kafka_protocol::error::ResponseError;
use kafka_protocol::messages::ProduceRequest;
use kafka_protocol::messages::produce_response::{PartitionProduceResponse, ProduceResponse};

use super::batch::Batch;
use super::split::{Fault, Split};
use crate::kafka::api::Api;
use crate::kafka::error::KafkaError;
use crate::kafka::partition::TopicPartition;

/// A batch that was sent, and when.
#[derive(Debug)]
pub(super) struct Sent {
    pub(super) partition: TopicPartition,
    pub(super) batch: Batch,
}

/// What became of a batch.
#[derive(Debug)]
pub(super) enum Outcome {
    /// It was written, at this offset if the broker said so.
    Written(Option<i64>),
    /// Its topic does not take some of its records: what takes its place, and why.
    Split(Split, KafkaError),
    /// It was not written, or nobody knows.
    Failed(KafkaError),
}

/// Works out what became of a batch. It may take it apart, which takes a while: no lock should be held.
pub(super) fn outcome(sent: &mut Sent, response: &Result<ProduceResponse, KafkaError>) -> Outcome {
    let response = match response {
        Ok(response) => response,
        Err(error) => {
            // What never left us is not with a broker.
            let has_left = !matches!(error, KafkaError::Connect { .. } | KafkaError::LeaseClosed);
            sent.batch.is_in_doubt |= error.is_retriable() && has_left;
            return Outcome::Failed(error.clone());
        }
    };
    let topic = response.responses.iter().find(|topic| *topic.name.0 == *sent.partition.topic);
    let mut answers = topic.iter().flat_map(|topic| &topic.partition_responses);
    let Some(answer) = answers.find(|answer| answer.index == sent.partition.partition) else {
        let cause = format!("the response leaves out {}", sent.partition);
        let (broker, request) = ("the broker".to_owned(), ProduceRequest::NAME);
        return Outcome::Failed(KafkaError::Protocol { broker, request, cause });
    };
    match error_of(&sent.partition, answer) {
        None => Outcome::Written(Some(answer.base_offset).filter(|offset| *offset >= 0)),
        // It was written by an earlier attempt whose answer was lost.
        Some(error) if error.is_code(ResponseError::DuplicateSequenceNumber) => {
            Outcome::Written(None)
        }
        Some(error) if is_of_records(&error) => split(sent, answer, error),
        Some(error) => {
            sent.batch.is_in_doubt |= error.is_retriable() && may_be_written(answer, &error);
            Outcome::Failed(error)
        }
    }
}

/// Whether a broker may have written a batch of which it answers an error. One that has appended it,
/// and then not seen enough replicas or lost the partition, answers its offset besides (`DelayedProduce`).
fn may_be_written(answer: &PartitionProduceResponse, error: &KafkaError) -> bool {
    use ResponseError as E;
    let is_after_append =
        |code| matches!(code, E::RequestTimedOut | E::NotEnoughReplicasAfterAppend);
    answer.base_offset >= 0 || error.code().is_some_and(is_after_append)
}

fn split(sent: &mut Sent, answer: &PartitionProduceResponse, error: KafkaError) -> Outcome {
    let fault = |fault: &kafka_protocol::messages::produce_response::BatchIndexAndErrorMessage| {
        let message = fault.batch_index_error_message.as_ref().map(ToString::to_string);
        // An index that is none of the batch's names no record.
        Fault { at: usize::try_from(fault.batch_index).unwrap_or(usize::MAX), message }
    };
    let faults: Vec<_> = answer.record_errors.iter().map(fault).collect();
    match sent.batch.split(&faults) {
        Ok(split) => Outcome::Split(split, error),
        Err(source) => Outcome::Failed(KafkaError::record(&sent.partition, source)),
    }
}

/// Whether the topic does not take a record, while it may take the others.
fn is_of_records(error: &KafkaError) -> bool {
    use ResponseError as E;
    let is_it = |code| {
        matches!(
            code,
            E::MessageTooLarge | E::RecordListTooLarge | E::InvalidTimestamp | E::InvalidRecord
        )
    };
    error.code().is_some_and(is_it)
}

fn error_of(partition: &TopicPartition, answer: &PartitionProduceResponse) -> Option<KafkaError> {
    let message = answer.error_message.as_deref();
    KafkaError::from_code_with(ProduceRequest::NAME, partition, answer.error_code, message)
}
