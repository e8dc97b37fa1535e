//! What becomes of a batch after its request: written, sent again, in parts if need be, or given up.
use std::time::Duration;

use kafka_protocol::error::ResponseError;
use kafka_protocol::messages::produce_response::ProduceResponse;

use super::batch::Batch;
use super::outcome::{Outcome, Sent, outcome};
use super::split::Split;
use super::state::{Shared, State};
use crate::kafka::clock::Instant;
use crate::kafka::error::KafkaError;
use crate::kafka::partition::TopicPartition;

/// How long a broker may take for a request in which several partitions stand together. Then those that it has not
/// replicated are sent apart, so that the others need not wait for them.
pub(super) const TOGETHER_MAX: Duration = Duration::from_secs(2);

/// A request that was sent, as far as its batches share it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Attempt {
    pub(super) broker: i32,
    pub(super) at: Instant,
    /// Whether a partition that is slow is to be sent apart from now on.
    pub(super) may_part: bool,
}

impl Shared {
    /// Settles the batches of a request by what it came to.
    pub(super) fn answer(
        &self,
        attempt: Attempt,
        mut sent: Vec<Sent>,
        response: &Result<ProduceResponse, KafkaError>,
    ) {
        let outcomes: Vec<_> = sent.iter_mut().map(|sent| outcome(sent, response)).collect();
        let mut state = self.lock();
        for (sent, outcome) in sent.into_iter().zip(outcomes) {
            let (topic, partition) = (sent.partition.topic.clone(), sent.partition.partition);
            state.queue(&topic, partition).in_flight.remove(&sent.batch.first());
            self.settle_one(&mut state, attempt, sent, outcome);
            state.restore(&topic, partition);
        }
        drop(state);
        self.wake();
    }

    fn settle_one(&self, state: &mut State, attempt: Attempt, sent: Sent, outcome: Outcome) {
        let Sent { partition, batch } = sent;
        let queue = state.queue(&partition.topic, partition.partition);
        match outcome {
            Outcome::Written(offset) => {
                queue.retry.reset();
                queue.numbers.taken();
                let is_slow = attempt.at.elapsed() > TOGETHER_MAX;
                queue.is_apart &= is_slow || !queue.in_flight.is_empty();
                let end_offset = offset.map(|offset| offset + batch.records as i64);
                // Without numbers, a batch that is sent again may come behind a later one.
                queue.end_offset = end_offset.map(|end| end.max(queue.end_offset.unwrap_or(0)));
                state.settle(&partition, batch, &Ok(offset));
            }
            // What may be written already cannot be found fault with: nobody knows what was.
            Outcome::Split(_, error) if batch.is_in_doubt && self.is_transactional() => {
                let transactional_id = self.options.transactional_id.clone().unwrap_or_default();
                let problem =
                    format!("cannot be committed, as parts of it may be written twice: {error}");
                let error = KafkaError::Transaction { transactional_id, problem };
                self.give_up(state, &partition, batch, error);
            }
            Outcome::Split(split, error) => {
                self.part(state, &Sent { partition, batch }, split, &error);
            }
            Outcome::Failed(error) => {
                if attempt.may_part && error.is_code(ResponseError::RequestTimedOut) {
                    tracing::info!(%partition, "kafka: a slow partition is written apart");
                    queue.is_apart = true;
                }
                if is_misplaced(&error) && queue.place.leader == Some(attempt.broker) {
                    queue.place.leader = None;
                    self.cluster.forget(&partition.topic);
                }
                self.fail(state, &partition, batch, error);
            }
        }
    }

    /// Puts the parts of a batch in its place, and ends the records that are in none of them.
    fn part(&self, state: &mut State, whole: &Sent, split: Split, error: &KafkaError) {
        let Sent { partition, batch } = whole;
        let State { queues, buffer, .. } = &mut *state;
        let queue = super::state::queue(queues, &partition.topic, partition.partition);
        // The parts are new batches: the numbers of the whole are a hole, behind which all are given again.
        queue.numbers.give_up(batch);
        buffer.replace(queue, batch, &split.parts);
        queue.returned.extend(split.parts);
        for refused in split.refused {
            let cause = cause_of(partition, refused.bytes, refused.message.as_deref(), error);
            let is_skipped = self.options.refused.are_skipped(&partition.topic);
            let error = state.refuse(is_skipped, partition, refused, cause);
            if !is_skipped && let Some(id) = &self.options.transactional_id {
                state.phase.fail_batch(id, &error);
            }
        }
    }

    /// Sends a batch again if that may help, or gives it up.
    fn fail(&self, state: &mut State, partition: &TopicPartition, batch: Batch, error: KafkaError) {
        let config = self.cluster.config();
        let queue = state.queue(&partition.topic, partition.partition);
        let is_late = batch.begun.elapsed() > config.delivery_timeout;
        let is_lost = is_lost(&error) && self.is_numbered();
        let is_behind = is_lost && queue.has_unwritten_before(&batch);
        tracing::debug!(%error, %partition, "kafka: a batch was not written");
        // A number out of order behind a batch that is not written yet says nothing but that: it is sent again after it.
        // With none before, the broker knows less than we do, and nothing that was numbered so can be written.
        if !is_late && (error.is_retriable() || is_behind) {
            queue.retry.fail(config);
            queue.returned.push(batch);
        } else if !is_late && is_lost && !self.is_transactional() {
            // The broker has forgotten what we wrote last.
            queue.numbers.lose();
            queue.retry.fail(config);
            queue.returned.push(batch);
        } else {
            self.give_up(state, partition, batch, error);
        }
    }

    /// Ends a batch that will not be written.
    pub(super) fn give_up(
        &self,
        state: &mut State,
        partition: &TopicPartition,
        batch: Batch,
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
        state.queue(&partition.topic, partition.partition).numbers.give_up(&batch);
        if let Some(transactional_id) = &self.options.transactional_id {
            state.phase.fail_batch(transactional_id, &error);
        }
        state.settle(partition, batch, &Err(error));
    }

    /// Takes batches that are not answered, with `acks=0`, for written.
    pub(super) fn assume_written(&self, sent: Vec<Sent>) {
        let mut state = self.lock();
        for Sent { partition, batch } in sent {
            let queue = state.queue(&partition.topic, partition.partition);
            queue.in_flight.remove(&batch.first());
            state.settle(&partition, batch, &Ok(None));
        }
        drop(state);
        self.wake();
    }

    /// Gives up everything that is not in flight, of the partitions that `is_meant`.
    pub(super) fn drop_waiting(
        &self,
        error: &KafkaError,
        is_meant: impl Fn(&TopicPartition) -> bool,
    ) {
        let mut state = self.lock();
        self.drop_waiting_in(&mut state, error, is_meant);
        drop(state);
        self.wake();
    }

    /// The same, where the state is at hand.
    pub(super) fn drop_waiting_in(
        &self,
        state: &mut State,
        error: &KafkaError,
        is_meant: impl Fn(&TopicPartition) -> bool,
    ) {
        let mut dropped = Vec::new();
        for queue in state.all_queues().filter(|queue| is_meant(&queue.partition)) {
            let batches = queue.returned.drain(..).chain(queue.waiting.drain(..));
            let partition = queue.partition.clone();
            dropped.extend(batches.map(|batch| (partition.clone(), batch)));
        }
        self.give_up_all(state, dropped, error);
    }

    /// Gives up what has waited too long, of the partitions that `is_meant`.
    pub(super) fn expire_in(
        &self,
        state: &mut State,
        cause: &KafkaError,
        is_meant: impl Fn(&TopicPartition) -> bool,
    ) {
        let within = self.cluster.config().delivery_timeout;
        let mut late = Vec::new();
        for queue in state.all_queues().filter(|queue| is_meant(&queue.partition)) {
            let is_late = |batch: &Batch| batch.begun.elapsed() > within;
            while queue.in_flight.is_empty() && queue.waiting.front().is_some_and(is_late) {
                let batch = queue.waiting.pop_front();
                late.extend(batch.map(|batch| (queue.partition.clone(), batch)));
            }
        }
        self.give_up_all(state, late, cause);
    }

    /// Ends batches that were taken from their queues, and brings those in order.
    fn give_up_all(
        &self,
        state: &mut State,
        batches: Vec<(TopicPartition, Batch)>,
        error: &KafkaError,
    ) {
        for (partition, batch) in batches {
            self.give_up(state, &partition, batch, error.clone());
            state.restore(&partition.topic, partition.partition);
        }
    }
}

/// Why a record is refused, from what is said about its batch and about itself.
fn cause_of(
    partition: &TopicPartition,
    bytes: usize,
    message: Option<&str>,
    of_batch: &KafkaError,
) -> KafkaError {
    use ResponseError as E;
    match of_batch {
        KafkaError::Code { code: E::MessageTooLarge | E::RecordListTooLarge, .. } => {
            let topic = partition.topic.to_string();
            KafkaError::RecordTooLarge { topic, bytes, limit_bytes: None }
        }
        KafkaError::Code { request, target, code, message: of_batch } => KafkaError::Code {
            request,
            target: target.clone(),
            code: *code,
            message: message.map(str::to_owned).or_else(|| of_batch.clone()),
        },
        error => error.clone(),
    }
}

/// Whether the partition may be led by somebody else now.
fn is_misplaced(error: &KafkaError) -> bool {
    use ResponseError as E;
    let is_of_moment = |code| {
        matches!(
            code,
            E::NotEnoughReplicas
                | E::NotEnoughReplicasAfterAppend
                | E::RequestTimedOut
                | E::CorruptMessage
                | E::ConcurrentTransactions
                | E::ThrottlingQuotaExceeded
        )
    };
    error.is_retriable()
        && !matches!(error, KafkaError::LeaseClosed)
        && !error.code().is_some_and(is_of_moment)
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
