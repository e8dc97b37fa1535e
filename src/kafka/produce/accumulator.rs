//! The batches of every partition, and what the sender needs to know to send them in order.
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use super::batch::{Acknowledge, Batch, Identity};
use super::transaction::Phase;
use super::{Full, NewRecord};
use crate::kafka::clock::{self, Instant};
use crate::kafka::cluster::Cluster;
use crate::kafka::coordinator::{Coordinator, CoordinatorKind};
use crate::kafka::error::{DeliveryFailure, KafkaError};
use crate::kafka::partition::TopicPartition;
use crate::kafka::records::BatchBuilder;

/// How many failures a flush tells in full; the others are counted.
const FAILURES_MAX: usize = 100;

/// What callers, the router and the workers share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) cluster: Cluster,
    pub(super) transactional_id: Option<String>,
    /// The coordinator of the transactional id.
    pub(super) coordinator: Option<Coordinator>,
    state: Mutex<State>,
    /// Wakes the router and the workers.
    pub(super) work: watch::Sender<()>,
    /// Wakes whoever waits for memory or for a flush.
    progress: watch::Sender<()>,
}

#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) queues: Queues,
    /// Who we are, once the brokers have said so.
    pub(super) identity: Option<Identity>,
    pub(super) phase: Phase,
    /// The brokers that have a worker.
    pub(super) workers: HashSet<i32>,
    buffered: Buffered,
    flushes: usize,
    failed: usize,
    failures: Vec<DeliveryFailure>,
}

/// The batches of each partition of each topic.
type Queues = HashMap<Arc<str>, BTreeMap<i32, Queue>>;

/// The batches of each partition of one topic.
struct Partitions<'q> {
    topic: Arc<str>,
    queues: &'q mut BTreeMap<i32, Queue>,
}

/// What waits or is in flight.
#[derive(Debug, Default)]
struct Buffered {
    bytes: usize,
    last_batch: u64,
    /// The batches that are not settled.
    unsettled: BTreeSet<u64>,
}

/// The batches of one partition.
#[derive(Debug)]
pub(super) struct Queue {
    pub(super) partition: TopicPartition,
    pub(super) leader: Option<i32>,
    /// To be sent, in order; records are added to the last.
    pub(super) waiting: VecDeque<Batch>,
    /// How many are in flight.
    pub(super) in_flight: usize,
    /// Refused, and to be sent again once nothing is in flight.
    pub(super) returned: Vec<Batch>,
    /// Given up for good, by their first number and their count; what comes after them moves up.
    pub(super) holes: Vec<(i32, i32)>,
    pub(super) next_sequence: i32,
    /// Whether the open transaction knows the partition.
    pub(super) is_in_transaction: bool,
    /// When a batch that was refused may be sent again, and after how many attempts that is.
    pub(super) retry: Option<(Instant, u32)>,
    /// The offset after the last record that was written, if its broker has said so.
    pub(super) end_offset: Option<i64>,
}

/// What a worker is to do next.
#[derive(Debug)]
pub(super) enum Work {
    /// Send these batches in one request.
    Send(Vec<(TopicPartition, Batch)>, Identity),
    /// Wait for a change, at most until then.
    Wait(Option<Instant>),
    /// End: the broker leads nothing that is written.
    End,
}

impl Shared {
    pub(super) fn new(cluster: &Cluster, transactional_id: Option<String>) -> Self {
        let coordinator = transactional_id.as_deref();
        let coordinator =
            coordinator.map(|id| Coordinator::new(cluster, CoordinatorKind::Transaction, id));
        let is_anonymous = transactional_id.is_none() && !cluster.config().is_idempotent;
        let state = State { identity: is_anonymous.then_some(Identity::NONE), ..State::default() };
        Self {
            cluster: cluster.clone(),
            transactional_id,
            coordinator,
            state: Mutex::new(state),
            work: watch::Sender::new(()),
            progress: watch::Sender::new(()),
        }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn progress(&self) -> watch::Receiver<()> {
        self.progress.subscribe()
    }

    pub(super) async fn wait(&self, progress: &mut watch::Receiver<()>) -> Result<(), KafkaError> {
        progress.changed().await.map_err(|_| KafkaError::Closed("producer"))
    }

    pub(super) fn is_numbered(&self) -> bool {
        self.transactional_id.is_some() || self.cluster.config().is_idempotent
    }

    pub(super) fn buffered_bytes(&self) -> usize {
        self.lock().buffered.bytes
    }

    pub(super) fn end_offset(&self, topic: &str, partition: i32) -> Option<i64> {
        self.lock().queues.get(topic)?.get(&partition)?.end_offset
    }

    /// Adds a record to the open batch of its partition.
    pub(super) fn push(
        &self,
        topic: &str,
        partition: i32,
        record: NewRecord<'_>,
        acknowledge: Option<Acknowledge>,
    ) -> Result<Result<(), Full>, KafkaError> {
        let config = self.cluster.config();
        let bytes = record.bytes_max();
        self.check_size(topic, bytes)?;
        let mut state = self.lock();
        self.check_phase(&state)?;
        if state.buffered.is_full(bytes, config.buffer_bytes) {
            return Ok(Err(Full));
        }
        let State { queues, buffered, .. } = &mut *state;
        let queue = Partitions::of(queues, topic).into_queue(partition);
        let needs_work = buffered.append(queue, config.batch_bytes, record, acknowledge);
        drop(state);
        if needs_work {
            self.work.send_replace(());
        }
        Ok(Ok(()))
    }

    /// Adds records to the open batches of their partitions until memory is full; how many were added.
    pub(super) fn push_all(
        &self,
        topic: &str,
        records: &[(i32, NewRecord<'_>)],
    ) -> Result<usize, KafkaError> {
        let config = self.cluster.config();
        for (_, record) in records {
            self.check_size(topic, record.bytes_max())?;
        }
        let mut state = self.lock();
        self.check_phase(&state)?;
        let State { queues, buffered, .. } = &mut *state;
        let mut partitions = Partitions::of(queues, topic);
        let (mut added, mut needs_work) = (0, false);
        for (partition, record) in records {
            if buffered.is_full(record.bytes_max(), config.buffer_bytes) {
                break;
            }
            let queue = partitions.queue(*partition);
            needs_work |= buffered.append(queue, config.batch_bytes, *record, None);
            added += 1;
        }
        drop(state);
        if needs_work {
            self.work.send_replace(());
        }
        Ok(added)
    }

    /// Adds a whole batch behind what its partition has.
    pub(super) fn push_batch(
        &self,
        topic: &str,
        partition: i32,
        builder: BatchBuilder,
    ) -> Result<Result<(), BatchBuilder>, KafkaError> {
        self.check_size(topic, builder.bytes())?;
        let mut state = self.lock();
        self.check_phase(&state)?;
        if state.buffered.is_full(builder.bytes(), self.cluster.config().buffer_bytes) {
            return Ok(Err(builder));
        }
        let id = state.buffered.begin();
        state.buffered.bytes += builder.bytes();
        let queue = state.queue(topic, partition);
        if let Some(last) = queue.waiting.back_mut() {
            last.is_closed = true;
        }
        queue.waiting.push_back(Batch::new(id, builder, true));
        drop(state);
        self.work.send_replace(());
        Ok(Ok(()))
    }

    fn check_size(&self, topic: &str, bytes: usize) -> Result<(), KafkaError> {
        let limit = self.cluster.config().request_bytes_max;
        if bytes <= limit {
            return Ok(());
        }
        Err(KafkaError::RecordTooLarge { topic: topic.to_owned(), bytes, limit_bytes: Some(limit) })
    }

    /// Sends everything without delay and waits for it.
    pub(super) async fn flush(&self) -> Result<(), KafkaError> {
        let _urged = Urged::new(self);
        let mut progress = self.progress();
        let last = self.lock().buffered.last_batch;
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
        let is_over = state.buffered.unsettled.first().is_none_or(|first| *first > last);
        is_over.then(|| state.take_failures())
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

    /// Wakes everybody after a change of the state.
    pub(super) fn wake(&self) {
        self.work.send_replace(());
        self.progress.send_replace(());
    }

    /// What the worker of a broker is to do next.
    pub(super) fn next(&self, broker: i32) -> Work {
        let config = self.cluster.config();
        let is_transactional = self.transactional_id.is_some();
        let in_flight_max = if self.is_numbered() { config.in_flight_max.clamp(1, 5) } else { 1 };
        let mut state = self.lock();
        let state = &mut *state;
        let is_urgent = state.flushes > 0 || state.buffered.bytes * 2 > config.buffer_bytes;
        let led = || {
            state
                .queues
                .values()
                .flat_map(BTreeMap::values)
                .filter(|queue| queue.leader == Some(broker))
        };
        if led().next().is_none() {
            state.workers.remove(&broker);
            return Work::End;
        }
        let Some(identity) = state.identity else { return Work::Wait(None) };
        let (mut batches, mut bytes, mut wake) = (Vec::new(), 0, None::<Instant>);
        let queues = state.queues.values_mut().flat_map(BTreeMap::values_mut);
        for queue in queues.filter(|queue| queue.leader == Some(broker)) {
            if queue.in_flight >= in_flight_max
                || queue.is_held()
                || is_transactional && !queue.is_in_transaction
            {
                continue;
            }
            let is_followed = queue.waiting.len() > 1;
            let retry_at = queue.retry.map(|(at, _)| at);
            let Some(batch) = queue.waiting.front_mut() else { continue };
            let is_ready = batch.is_closed || is_followed || is_urgent;
            let ready_at = if is_ready { batch.begun } else { batch.begun + config.linger };
            let ready_at = retry_at.map_or(ready_at, |retry_at| retry_at.max(ready_at));
            if ready_at > clock::now() {
                wake = Some(wake.map_or(ready_at, |wake| wake.min(ready_at)));
                continue;
            }
            if !batches.is_empty() && bytes + batch.bytes > config.request_bytes_max {
                wake = Some(clock::now());
                continue;
            }
            bytes += batch.bytes;
            batches.extend(
                queue.take(self.is_numbered()).map(|batch| (queue.partition.clone(), batch)),
            );
        }
        if batches.is_empty() { Work::Wait(wake) } else { Work::Send(batches, identity) }
    }
}

impl State {
    pub(super) fn queue(&mut self, topic: &str, partition: i32) -> &mut Queue {
        Partitions::of(&mut self.queues, topic).into_queue(partition)
    }

    pub(super) fn all_queues(&mut self) -> impl Iterator<Item = &mut Queue> {
        self.queues.values_mut().flat_map(BTreeMap::values_mut)
    }

    pub(super) fn in_flight(&self) -> usize {
        self.queues.values().flat_map(BTreeMap::values).map(|queue| queue.in_flight).sum()
    }

    /// Ends a batch for good.
    pub(super) fn settle(
        &mut self,
        partition: &TopicPartition,
        mut batch: Batch,
        result: &Result<Option<i64>, KafkaError>,
    ) {
        self.buffered.unsettled.remove(&batch.id);
        self.buffered.bytes = self.buffered.bytes.saturating_sub(batch.bytes);
        batch.acknowledge(result);
        if let Err(cause) = result {
            self.failed += 1;
            if self.failures.len() < FAILURES_MAX {
                let (partition, cause) = (partition.clone(), cause.clone());
                self.failures.push(DeliveryFailure { partition, records: batch.records, cause });
            }
        }
    }

    pub(super) fn take_failures(&mut self) -> Result<(), KafkaError> {
        let (count, failures) =
            (std::mem::take(&mut self.failed), std::mem::take(&mut self.failures));
        let Some(first) = failures.first() else { return Ok(()) };
        Err(KafkaError::Flush { count, first: Box::new(first.cause.clone()), failures })
    }
}

impl<'q> Partitions<'q> {
    fn of(queues: &'q mut Queues, topic: &str) -> Self {
        let name =
            queues.get_key_value(topic).map_or_else(|| topic.into(), |(name, _)| name.clone());
        Self { queues: queues.entry(Arc::clone(&name)).or_default(), topic: name }
    }

    fn queue(&mut self, partition: i32) -> &mut Queue {
        let topic = &self.topic;
        self.queues
            .entry(partition)
            .or_insert_with(|| Queue::new(TopicPartition { topic: Arc::clone(topic), partition }))
    }

    fn into_queue(self, partition: i32) -> &'q mut Queue {
        self.queues
            .entry(partition)
            .or_insert_with(|| Queue::new(TopicPartition { topic: self.topic, partition }))
    }
}

impl Buffered {
    fn is_full(&self, bytes: usize, buffer_bytes: usize) -> bool {
        self.bytes > 0 && self.bytes + bytes > buffer_bytes
    }

    /// The number of a new batch.
    fn begin(&mut self) -> u64 {
        self.last_batch += 1;
        self.unsettled.insert(self.last_batch);
        self.last_batch
    }

    /// Adds a record to the open batch of its partition. Whether that is new, or full now.
    fn append(
        &mut self,
        queue: &mut Queue,
        batch_bytes: usize,
        record: NewRecord<'_>,
        acknowledge: Option<Acknowledge>,
    ) -> bool {
        let bytes = record.bytes_max();
        let fits = |batch: &&mut Batch| !batch.is_closed && batch.bytes + bytes <= batch_bytes;
        if let Some(batch) = queue.waiting.back_mut().filter(fits) {
            self.bytes += batch.append(record, acknowledge);
            batch.is_closed |= batch.bytes >= batch_bytes;
            return batch.is_closed;
        }
        if let Some(last) = queue.waiting.back_mut() {
            last.is_closed = true;
        }
        let mut batch = Batch::new(self.begin(), BatchBuilder::new(), false);
        batch.append(record, acknowledge);
        batch.is_closed = batch.bytes >= batch_bytes;
        self.bytes += batch.bytes;
        queue.waiting.push_back(batch);
        true
    }
}

impl Queue {
    fn new(partition: TopicPartition) -> Self {
        Self {
            partition,
            leader: None,
            waiting: VecDeque::new(),
            in_flight: 0,
            returned: Vec::new(),
            holes: Vec::new(),
            next_sequence: 0,
            is_in_transaction: false,
            retry: None,
            end_offset: None,
        }
    }

    /// Whether nothing may be sent before what is in flight is settled.
    fn is_held(&self) -> bool {
        !self.returned.is_empty() || !self.holes.is_empty()
    }

    fn take(&mut self, is_numbered: bool) -> Option<Batch> {
        let mut batch = self.waiting.pop_front()?;
        batch.is_closed = true;
        if is_numbered && batch.sequence.is_none() {
            batch.sequence = Some(self.next_sequence);
            self.next_sequence = after(self.next_sequence, batch.records as i32);
        }
        self.in_flight += 1;
        Some(batch)
    }

    /// Brings the queue in order once nothing is in flight: what was refused comes first, and moves up over holes.
    pub(super) fn restore(&mut self) {
        if self.in_flight > 0 || !self.is_held() {
            return;
        }
        self.returned.sort_by_key(|batch| batch.id);
        for batch in self.returned.drain(..).rev() {
            self.waiting.push_front(batch);
        }
        if let Some(first) = self.holes.drain(..).map(|(sequence, _)| sequence).min() {
            // Nothing behind a hole was taken by the broker, so all numbers from there on are given again.
            let is_behind =
                |batch: &&mut Batch| batch.sequence.is_some_and(|sequence| sequence >= first);
            self.waiting.iter_mut().filter(is_behind).for_each(|batch| batch.sequence = None);
            self.next_sequence = first;
        }
    }

    /// Gives up all numbers, for a new identity.
    pub(super) fn renumber(&mut self) {
        self.next_sequence = 0;
        self.waiting.iter_mut().for_each(|batch| batch.sequence = None);
    }
}

/// The sequence number that comes `count` after `sequence`; after the highest comes 0.
fn after(sequence: i32, count: i32) -> i32 {
    sequence.wrapping_add(count) & i32::MAX
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
