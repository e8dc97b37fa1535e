//! What becomes of a batch after its request: written, sent again, or given up.
use kafka_protocol::error::ResponseError;
use kafka_protocol::messages::ProduceRequest;
use kafka_protocol::messages::produce_response::{PartitionProduceResponse, ProduceResponse};

use super::accumulator::{Shared, State};
use super::batch::Batch;
use super::transaction::Phase;
use crate::kafka::api::Api;
use crate::kafka::clock;
use crate::kafka::error::KafkaError;
use crate::kafka::partition::TopicPartition;

/// The batches of one request.
pub(super) type Sent = Vec<(TopicPartition, Batch)>;

impl Shared {
    /// Settles the batches of a request by what it came to.
    pub(super) fn answer(
        &self,
        broker: i32,
        sent: Sent,
        response: &Result<ProduceResponse, KafkaError>,
    ) {
        let mut state = self.lock();
        for (partition, batch) in sent {
            let result = match response {
                Ok(response) => outcome(&partition, &batch, response),
                Err(error) => Err(error.clone()),
            };
            self.settle_one(&mut state, broker, (partition, batch), result);
        }
        drop(state);
        self.wake();
    }

    fn settle_one(
        &self,
        state: &mut State,
        broker: i32,
        (partition, batch): (TopicPartition, Batch),
        result: Result<Option<i64>, KafkaError>,
    ) {
        let queue = state.queue(&partition.topic, partition.partition);
        queue.in_flight -= 1;
        let result = match result {
            Ok(offset) => Ok(offset),
            // It was written by an earlier attempt whose answer was lost.
            Err(error) if error.is_code(ResponseError::DuplicateSequenceNumber) => Ok(None),
            Err(error) => {
                if error.is_retriable() && queue.leader == Some(broker) {
                    queue.leader = None;
                    self.cluster.forget(&partition.topic);
                }
                Err(error)
            }
        };
        match result {
            Ok(offset) => {
                queue.retry = None;
                let end_offset = offset.map(|offset| offset + batch.records as i64);
                // Without numbers, a batch that is sent again may come behind a later one.
                queue.end_offset = end_offset.map(|end| end.max(queue.end_offset.unwrap_or(0)));
                state.settle(&partition, batch, &Ok(offset));
            }
            Err(error) => self.refuse(state, (partition.clone(), batch), error),
        }
        state.queue(&partition.topic, partition.partition).restore();
    }

    /// Sends a batch again if that may help, or gives it up.
    fn refuse(
        &self,
        state: &mut State,
        (partition, batch): (TopicPartition, Batch),
        error: KafkaError,
    ) {
        let is_transactional = self.transactional_id.is_some();
        let is_late = batch.begun.elapsed() > self.cluster.config().delivery_timeout;
        let is_lost = is_lost(&error) && self.is_numbered();
        let queue = state.queue(&partition.topic, partition.partition);
        let is_behind =
            queue.returned.iter().any(|other| other.id < batch.id) || queue.has_hole_before(&batch);
        tracing::debug!(%error, %partition, "kafka: a batch was not written");
        if !is_late && (error.is_retriable() || is_lost && is_behind) {
            let config = self.cluster.config();
            let attempts = queue.retry.map_or(0, |(_, attempts)| attempts);
            let pause =
                (config.retry_backoff * 2u32.pow(attempts.min(10))).min(config.retry_backoff_max);
            queue.retry = Some((clock::now() + clock::jitter(pause), attempts + 1));
            queue.returned.push(batch);
            return;
        }
        if !is_late && is_lost && !is_transactional {
            // The broker has forgotten what we wrote last. A new identity starts from nothing.
            queue.returned.push(batch);
            state.identity = None;
            return;
        }
        self.give_up(state, (&partition, batch), error);
    }

    /// Ends a batch that will not be written.
    pub(super) fn give_up(
        &self,
        state: &mut State,
        (partition, batch): (&TopicPartition, Batch),
        error: KafkaError,
    ) {
        let error = if error.is_retriable() {
            let within = self.cluster.config().delivery_timeout;
            let (topic, partition, cause) =
                (partition.topic.to_string(), partition.partition, error.to_string());
            KafkaError::Undelivered { topic, partition, within, cause }
        } else {
            error
        };
        let is_unsure = batch.is_sent && matches!(error, KafkaError::Undelivered { .. });
        let queue = state.queue(&partition.topic, partition.partition);
        if let (Some(sequence), false) = (batch.sequence, is_unsure) {
            queue.holes.push((sequence, batch.records as i32));
        }
        if let Some(transactional_id) = &self.transactional_id {
            state.phase.fail(transactional_id, &error);
        } else if is_unsure && self.is_numbered() {
            // The broker may have it or not, so no number behind it is sure.
            state.identity = None;
        }
        state.settle(partition, batch, &Err(error));
    }

    /// Takes batches that are not answered, with `acks=0`, for written.
    pub(super) fn assume_written(&self, sent: Sent) {
        let mut state = self.lock();
        for (partition, batch) in sent {
            state.queue(&partition.topic, partition.partition).in_flight -= 1;
            state.settle(&partition, batch, &Ok(None));
        }
        drop(state);
        self.wake();
    }

    /// Gives up what has waited too long.
    pub(super) fn expire(&self, cause: &KafkaError) {
        let within = self.cluster.config().delivery_timeout;
        let mut state = self.lock();
        let mut late = Vec::new();
        for queue in state.all_queues() {
            while queue.in_flight == 0
                && queue.waiting.front().is_some_and(|batch| batch.begun.elapsed() > within)
            {
                late.extend(
                    queue.waiting.pop_front().map(|batch| (queue.partition.clone(), batch)),
                );
            }
        }
        let is_any = !late.is_empty();
        for (partition, batch) in late {
            self.give_up(&mut state, (&partition, batch), cause.clone());
            state.queue(&partition.topic, partition.partition).restore();
        }
        drop(state);
        if is_any {
            self.wake();
        }
    }

    /// Gives up everything that is not in flight, of the partitions that `is_meant`.
    pub(super) fn drop_waiting(
        &self,
        error: &KafkaError,
        is_meant: impl Fn(&TopicPartition) -> bool,
    ) {
        let mut state = self.lock();
        let mut dropped = Vec::new();
        for queue in state.all_queues().filter(|queue| is_meant(&queue.partition)) {
            let batches = queue.returned.drain(..).chain(queue.waiting.drain(..));
            let partition = queue.partition.clone();
            dropped.extend(batches.map(|batch| (partition.clone(), batch)));
        }
        for (partition, batch) in dropped {
            self.give_up(&mut state, (&partition, batch), error.clone());
            state.queue(&partition.topic, partition.partition).restore();
        }
        drop(state);
        self.wake();
    }
}

impl super::accumulator::Queue {
    fn has_hole_before(&self, batch: &Batch) -> bool {
        let sequence = batch.sequence.unwrap_or(i32::MAX);
        self.holes.iter().any(|(hole, _)| *hole < sequence)
    }
}

impl Phase {
    /// A batch was not written, so the open transaction can only be aborted.
    fn fail(&mut self, transactional_id: &str, error: &KafkaError) {
        if error.is_code(ResponseError::ProducerFenced) {
            *self = Phase::Fenced(KafkaError::ProducerFenced {
                transactional_id: transactional_id.to_owned(),
            });
        } else if matches!(self, Phase::Open { .. }) {
            *self = Phase::Failed(error.clone());
        }
    }
}

/// Whether the broker does not know the number, or the producer, that the batch has.
fn is_lost(error: &KafkaError) -> bool {
    use ResponseError as E;
    let is_lost = |code| {
        matches!(
            code,
            E::OutOfOrderSequenceNumber
                | E::UnknownProducerId
                | E::InvalidProducerIdMapping
                | E::InvalidProducerEpoch
        )
    };
    error.code().is_some_and(is_lost)
}

/// What a response says about a batch: its first offset, or an error.
fn outcome(
    partition: &TopicPartition,
    batch: &Batch,
    response: &ProduceResponse,
) -> Result<Option<i64>, KafkaError> {
    let topic = response.responses.iter().find(|topic| *topic.name.0 == *partition.topic);
    let answers = topic.iter().flat_map(|topic| &topic.partition_responses);
    let Some(answer) = answers.into_iter().find(|answer| answer.index == partition.partition)
    else {
        let (broker, cause) =
            ("the broker".to_owned(), format!("the response leaves out {partition}"));
        return Err(KafkaError::Protocol { broker, request: ProduceRequest::NAME, cause });
    };
    match error_of(partition, batch, answer) {
        Some(error) => Err(error),
        None => Ok(Some(answer.base_offset).filter(|offset| *offset >= 0)),
    }
}

fn error_of(
    partition: &TopicPartition,
    batch: &Batch,
    answer: &PartitionProduceResponse,
) -> Option<KafkaError> {
    let code = ResponseError::try_from_code(answer.error_code)?;
    if matches!(code, ResponseError::MessageTooLarge | ResponseError::RecordListTooLarge) {
        let topic = partition.topic.to_string();
        return Some(KafkaError::RecordTooLarge { topic, bytes: batch.bytes, limit_bytes: None });
    }
    let of_records =
        answer.record_errors.first().and_then(|error| error.batch_index_error_message.as_deref());
    let message = answer.error_message.as_deref().or(of_records);
    KafkaError::from_code_with(ProduceRequest::NAME, partition, answer.error_code, message)
}
