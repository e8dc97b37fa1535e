//! What the callers of a producer, its router and its lanes share.
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use super::batch::{Batch, Identity};
use super::buffer::Buffer;
use super::options::{LeftOut, ProducerOptions};
use super::phase::Phase;
use super::queue::{Lane, Queue};
use super::split::Refused;
use crate::kafka::cluster::Cluster;
use crate::kafka::coordinator::{Coordinator, CoordinatorKind};
use crate::kafka::error::{DeliveryFailure, KafkaError};
use crate::kafka::partition::TopicPartition;

/// How many failures a flush tells in full; the others are counted.
const FAILURES_MAX: usize = 100;
/// How many records that were left out are kept; the others are counted.
const REFUSED_MAX: usize = 1_000;

/// What callers, the router and the lanes share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) cluster: Cluster,
    pub(super) options: ProducerOptions,
    /// The coordinator of the transactional id.
    pub(super) coordinator: Option<Coordinator>,
    state: Mutex<State>,
    /// Wakes the router and the lanes.
    pub(super) work: watch::Sender<()>,
    /// Wakes whoever waits for memory or for a flush.
    progress: watch::Sender<()>,
}

/// The batches of each partition of each topic.
pub(super) type Queues = HashMap<Arc<str>, BTreeMap<i32, Queue>>;

#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) queues: Queues,
    pub(super) buffer: Buffer,
    /// Who we are, once the brokers have said so.
    pub(super) identity: Option<Identity>,
    pub(super) phase: Phase,
    /// Whether partitions and offsets join a transaction by themselves, and its end gives the epoch of the next one
    /// (KIP-890).
    pub(super) is_version_2: bool,
    /// How many transactions were begun.
    pub(super) transaction: u64,
    /// The lanes that are served.
    pub(super) lanes: HashSet<Lane>,
    pub(super) flushes: usize,
    failed: usize,
    failures: Vec<DeliveryFailure>,
    left_out: LeftOut,
    refused_count: u64,
}

impl Shared {
    pub(super) fn new(cluster: &Cluster, options: ProducerOptions) -> Self {
        let coordinator = options.transactional_id.as_deref();
        let coordinator =
            coordinator.map(|id| Coordinator::new(cluster, CoordinatorKind::Transaction, id));
        let is_anonymous = coordinator.is_none() && !cluster.config().is_idempotent;
        let state = State { identity: is_anonymous.then_some(Identity::NONE), ..State::default() };
        Self {
            cluster: cluster.clone(),
            options,
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

    /// Wakes everybody after a change of the state.
    pub(super) fn wake(&self) {
        self.work.send_replace(());
        self.progress.send_replace(());
    }

    pub(super) fn buffered_bytes(&self) -> usize {
        self.lock().buffer.bytes
    }

    /// Something of a partition's queue, if anything was sent to it yet.
    pub(super) fn of_queue<T>(
        &self,
        topic: &str,
        partition: i32,
        get: impl Fn(&Queue) -> T,
    ) -> Option<T> {
        self.lock().queues.get(topic)?.get(&partition).map(get)
    }

    pub(super) fn is_transactional(&self) -> bool {
        self.options.transactional_id.is_some()
    }

    pub(super) fn is_numbered(&self) -> bool {
        self.is_transactional() || self.cluster.config().is_idempotent
    }
}

impl State {
    /// The queue of a partition, new if nothing was sent to it yet.
    pub(super) fn queue(&mut self, topic: &str, partition: i32) -> &mut Queue {
        queue(&mut self.queues, topic, partition)
    }

    /// Brings the queue of a partition in order, if nothing of it is in flight.
    pub(super) fn restore(&mut self, topic: &str, partition: i32) {
        let queue = queue(&mut self.queues, topic, partition);
        let had_identity = queue.numbers.has_identity();
        queue.restore();
        if had_identity && !queue.numbers.has_identity() {
            // There is no epoch after the last one, so the next identity is another producer's.
            self.identity = None;
        }
    }

    pub(super) fn all_queues(&mut self) -> impl Iterator<Item = &mut Queue> {
        self.queues.values_mut().flat_map(BTreeMap::values_mut)
    }

    pub(super) fn in_flight(&self) -> usize {
        self.queues.values().flat_map(BTreeMap::values).map(|queue| queue.in_flight.len()).sum()
    }

    /// Ends a batch for good.
    pub(super) fn settle(
        &mut self,
        partition: &TopicPartition,
        mut batch: Batch,
        result: &Result<Option<i64>, KafkaError>,
    ) {
        let queue = queue(&mut self.queues, &partition.topic, partition.partition);
        self.buffer.end(queue, &batch);
        batch.acknowledge(result);
        if let Err(cause) = result {
            self.fail(partition, batch.records, cause.clone());
        }
    }

    /// Ends a record that its topic does not take; unless it is skipped, it counts as not delivered.
    pub(super) fn refuse(
        &mut self,
        is_skipped: bool,
        partition: &TopicPartition,
        mut refused: Refused,
        cause: KafkaError,
    ) -> KafkaError {
        let acknowledge = std::mem::take(&mut refused.acknowledge);
        let record = refused.into_record(partition, cause);
        tracing::debug!(%partition, ordinal = record.ordinal, cause = %record.cause, "kafka: a record was refused");
        let error = KafkaError::RecordRefused(Box::new(record.clone()));
        for waiting in acknowledge {
            // Whoever asked may have gone away.
            let _ = waiting.send(Err(error.clone()));
        }
        self.refused_count += 1;
        if !is_skipped {
            self.fail(partition, 1, error.clone());
        } else if self.left_out.records.len() < REFUSED_MAX {
            self.left_out.records.push(record);
        } else {
            self.left_out.others += 1;
        }
        error
    }

    fn fail(&mut self, partition: &TopicPartition, records: usize, cause: KafkaError) {
        self.failed += 1;
        if self.failures.len() < FAILURES_MAX {
            self.failures.push(DeliveryFailure { partition: partition.clone(), records, cause });
        }
    }

    /// What was not written since this was last asked.
    pub(super) fn take_failures(&mut self) -> Result<(), KafkaError> {
        let (count, failures) =
            (std::mem::take(&mut self.failed), std::mem::take(&mut self.failures));
        let Some(first) = failures.first() else { return Ok(()) };
        Err(KafkaError::Flush { count, first: Box::new(first.cause.clone()), failures })
    }

    pub(super) fn take_left_out(&mut self) -> LeftOut {
        let mut left_out = std::mem::take(&mut self.left_out);
        left_out.records.sort_by(|a, b| (&a.partition, a.ordinal).cmp(&(&b.partition, b.ordinal)));
        left_out
    }

    pub(super) fn refused_count(&self) -> u64 {
        self.refused_count
    }
}

/// The queue of a partition, new if nothing was sent to it yet.
pub(super) fn queue<'q>(queues: &'q mut Queues, topic: &str, partition: i32) -> &'q mut Queue {
    let (name, partitions) = partitions(queues, topic);
    partitions
        .entry(partition)
        .or_insert_with(|| Queue::new(TopicPartition { topic: name, partition }))
}

/// The queues of a topic, and its name as all of them have it.
pub(super) fn partitions<'q>(
    queues: &'q mut Queues,
    topic: &str,
) -> (Arc<str>, &'q mut BTreeMap<i32, Queue>) {
    let known = queues.get_key_value(topic).map(|(name, _)| Arc::clone(name));
    let name = known.unwrap_or_else(|| topic.into());
    let partitions = queues.entry(Arc::clone(&name)).or_default();
    (name, partitions)
}
