//! Taking records in, and waiting until they are written.
use super::batch::Batch;
use super::phase::Phase;
use super::queue::Queue;
use super::record::{Acknowledge, Full, NewRecord};
use super::split::{Refused, Split};
use super::state::{Shared, State, partitions};
use super::transaction::problem;
use crate::kafka::error::{Excerpt, KafkaError};
use crate::kafka::partition::TopicPartition;
use crate::kafka::records::{BatchBuilder, BatchHeader};

impl Shared {
    /// Adds a record to the open batch of its partition.
    pub(super) fn push(
        &self,
        topic: &str,
        partition: i32,
        record: NewRecord<'_>,
        acknowledge: Option<Acknowledge>,
    ) -> Result<Result<(), Full>, KafkaError> {
        let config = self.cluster.config();
        let mut state = self.lock();
        self.check_phase(&state)?;
        if self.is_too_large(record) {
            let to = TopicPartition::new(topic, partition);
            return self.refuse_large(&mut state, &to, record, acknowledge).map(Ok);
        }
        let State { queues, buffer, .. } = &mut *state;
        let queue = super::state::queue(queues, topic, partition);
        if buffer.is_full(queue, record.bytes_max(), config.buffer_bytes) {
            return Ok(Err(Full));
        }
        let needs_work = buffer.append(queue, config.batch_bytes, record, acknowledge);
        drop(state);
        if needs_work {
            self.work.send_replace(());
        }
        Ok(Ok(()))
    }

    /// Adds records to the open batches of their partitions until there is no room; how many were taken.
    pub(super) fn push_all(
        &self,
        topic: &str,
        records: &[(i32, NewRecord<'_>)],
    ) -> Result<usize, KafkaError> {
        let config = self.cluster.config();
        let mut state = self.lock();
        self.check_phase(&state)?;
        let large = records.iter().position(|(_, record)| self.is_too_large(*record));
        if let Some((partition, record)) = large.map(|at| records[at])
            && !self.options.refused.are_skipped(topic)
        {
            let to = TopicPartition::new(topic, partition);
            return self.refuse_large(&mut state, &to, record, None).map(|()| 0);
        }
        let State { queues, buffer, .. } = &mut *state;
        let (name, topic_queues) = partitions(queues, topic);
        let (mut taken, mut needs_work) = (0, false);
        // Up to one that is too large, which is left out by itself.
        for (partition, record) in &records[..large.unwrap_or(records.len())] {
            let queue = topic_queues
                .entry(*partition)
                .or_insert_with(|| Queue::new(TopicPartition::new(name.clone(), *partition)));
            if buffer.is_full(queue, record.bytes_max(), config.buffer_bytes) {
                break;
            }
            needs_work |= buffer.append(queue, config.batch_bytes, *record, None);
            taken += 1;
        }
        if let Some((partition, record)) = large.filter(|at| *at == taken).map(|at| records[at]) {
            let to = TopicPartition::new(topic, partition);
            self.refuse_large(&mut state, &to, record, None)?;
            taken += 1;
        }
        drop(state);
        if needs_work {
            self.work.send_replace(());
        }
        Ok(taken)
    }

    /// Adds a whole batch behind what its partition has.
    pub(super) fn push_batch(
        &self,
        topic: &str,
        partition: i32,
        builder: BatchBuilder,
    ) -> Result<Result<(), BatchBuilder>, KafkaError> {
        let config = self.cluster.config();
        let mut state = self.lock();
        self.check_phase(&state)?;
        let State { queues, buffer, .. } = &mut *state;
        let queue = super::state::queue(queues, topic, partition);
        if buffer.is_full(queue, builder.bytes(), config.buffer_bytes) {
            return Ok(Err(builder));
        }
        let to = queue.partition.clone();
        let (records, first) = (builder.len() as u64, queue.handed_over);
        let split = fit(Batch::new(0, first, builder), config.request_bytes_max);
        let mut split = split.map_err(|source| KafkaError::record(&to, source))?;
        if !self.options.refused.are_skipped(topic) && !split.refused.is_empty() {
            let large = split.refused.swap_remove(0);
            let cause = self.too_large(topic, large.bytes);
            return Err(refusal(&to, large, cause));
        }
        queue.handed_over += records;
        buffer.push_parts(queue, split.parts);
        for large in split.refused {
            let cause = self.too_large(topic, large.bytes);
            state.refuse(true, &to, large, cause);
        }
        drop(state);
        self.work.send_replace(());
        Ok(Ok(()))
    }

    pub(super) fn check_size(&self, topic: &str, record: NewRecord<'_>) -> Result<(), KafkaError> {
        if self.is_too_large(record) {
            return Err(self.too_large(topic, record.bytes_max()));
        }
        Ok(())
    }

    fn is_too_large(&self, record: NewRecord<'_>) -> bool {
        BatchHeader::BYTES + record.bytes_max() > self.cluster.config().request_bytes_max
    }

    fn too_large(&self, topic: &str, bytes: usize) -> KafkaError {
        let limit_bytes = Some(self.cluster.config().request_bytes_max);
        KafkaError::RecordTooLarge { topic: topic.to_owned(), bytes, limit_bytes }
    }

    /// Leaves a record out that no request can hold, or gives it back as an error.
    fn refuse_large(
        &self,
        state: &mut State,
        to: &TopicPartition,
        record: NewRecord<'_>,
        acknowledge: Option<Acknowledge>,
    ) -> Result<(), KafkaError> {
        let queue = state.queue(&to.topic, to.partition);
        let refused = Refused {
            ordinal: queue.handed_over,
            timestamp_ms: record.timestamp,
            key: record.key.map(Excerpt::of),
            value: record.value.map(Excerpt::of),
            bytes: record.bytes_max(),
            message: None,
            acknowledge: acknowledge.into_iter().collect(),
        };
        let cause = self.too_large(&to.topic, refused.bytes);
        if !self.options.refused.are_skipped(&to.topic) {
            return Err(refusal(to, refused, cause));
        }
        queue.handed_over += 1;
        state.refuse(true, to, refused, cause);
        Ok(())
    }

    /// Sends everything without delay and waits for it.
    pub(super) async fn flush(&self) -> Result<(), KafkaError> {
        let _urged = Urged::new(self);
        let mut progress = self.progress();
        let last = self.lock().buffer.last();
        loop {
            progress.borrow_and_update();
            if let Some(result) = self.flushed(last) {
                return result;
            }
            self.wait(&mut progress).await?;
        }
    }

    /// What a flush of everything up to a batch comes to, once it is over.
    fn flushed(&self, last: u64) -> Option<Result<(), KafkaError>> {
        let mut state = self.lock();
        if let Some(error) = state.phase.failure() {
            return Some(state.take_failures().and(Err(error)));
        }
        state.buffer.is_settled(last).then(|| state.take_failures())
    }

    /// Waits until nothing is in flight.
    pub(super) async fn quiesce(&self) -> Result<(), KafkaError> {
        let mut progress = self.progress();
        loop {
            progress.borrow_and_update();
            if self.lock().in_flight() == 0 {
                return Ok(());
            }
            self.wait(&mut progress).await?;
        }
    }

    /// Whether records may be sent now.
    pub(super) fn check_phase(&self, state: &State) -> Result<(), KafkaError> {
        let Some(transactional_id) = &self.options.transactional_id else { return Ok(()) };
        match &state.phase {
            Phase::Open { .. } => Ok(()),
            Phase::Failed(error) | Phase::Fenced(error) => Err(error.clone()),
            Phase::None | Phase::Ready => Err(problem(transactional_id, "was not begun")),
        }
    }
}

/// A batch in parts that requests can hold; a record that none can hold is in none of them.
fn fit(batch: Batch, bytes_max: usize) -> Result<Split, crate::kafka::records::RecordError> {
    let mut fitting = Split { parts: Vec::new(), refused: Vec::new() };
    let mut left = vec![batch];
    while let Some(mut batch) = left.pop() {
        if batch.bytes <= bytes_max {
            fitting.parts.push(batch);
            continue;
        }
        let split = batch.split(&[])?;
        left.extend(split.parts.into_iter().rev());
        fitting.refused.extend(split.refused);
    }
    Ok(fitting)
}

fn refusal(to: &TopicPartition, refused: Refused, cause: KafkaError) -> KafkaError {
    KafkaError::RecordRefused(Box::new(refused.into_record(to, cause)))
}

/// Keeps batches from lingering while it lives.
struct Urged<'a>(&'a Shared);

impl<'a> Urged<'a> {
    fn new(shared: &'a Shared) -> Self {
        shared.lock().flushes += 1;
        shared.work.send_replace(());
        Self(shared)
    }
}

impl Drop for Urged<'_> {
    fn drop(&mut self) {
        self.0.lock().flushes -= 1;
    }
}
