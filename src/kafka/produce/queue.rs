//! The batches of one partition: those that wait, those in flight, and those that came back.
use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use super::batch::Batch;
use super::numbers::Numbers;
use crate::kafka::partition::TopicPartition;
use crate::kafka::place::Place;
use crate::kafka::retry::Retry;

/// What is sent on one connection, so that it waits for nothing else: the partitions of a topic that a broker leads, or
/// one of them that is slow.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Lane {
    pub(super) broker: i32,
    pub(super) topic: Arc<str>,
    pub(super) apart: Option<i32>,
}

/// The batches of one partition.
#[derive(Debug)]
pub(super) struct Queue {
    pub(super) partition: TopicPartition,
    pub(super) place: Place,
    /// To be sent, in order; records are added to the last.
    pub(super) waiting: VecDeque<Batch>,
    /// What is in flight, by the ordinals of the first records.
    pub(super) in_flight: BTreeSet<u64>,
    /// Refused, and to be sent again once nothing is in flight.
    pub(super) returned: Vec<Batch>,
    pub(super) numbers: Numbers,
    /// Whether the open transaction knows the partition.
    pub(super) is_in_transaction: bool,
    /// Whether it is sent apart from the other partitions of its topic, because its broker was slow with it.
    pub(super) is_apart: bool,
    /// When a batch that was refused may be sent again.
    pub(super) retry: Retry,
    /// The offset after the last record that was written, if its broker has said so.
    pub(super) end_offset: Option<i64>,
    /// How many records were handed over for it.
    pub(super) handed_over: u64,
    /// The memory that its batches take, in flight or not.
    pub(super) bytes: usize,
}

impl Queue {
    pub(super) fn new(partition: TopicPartition) -> Self {
        Self {
            partition,
            place: Place::default(),
            waiting: VecDeque::new(),
            in_flight: BTreeSet::new(),
            returned: Vec::new(),
            numbers: Numbers::default(),
            is_in_transaction: false,
            is_apart: false,
            retry: Retry::default(),
            end_offset: None,
            handed_over: 0,
            bytes: 0,
        }
    }

    /// The lane that it is sent in, once its leader is known.
    pub(super) fn lane(&self) -> Option<Lane> {
        let (broker, apart) = (self.place.leader?, self.apart());
        Some(Lane { broker, topic: self.partition.topic.clone(), apart })
    }

    /// Whether it is sent in `lane`, which is one of its topic.
    pub(super) fn is_in(&self, lane: &Lane) -> bool {
        self.place.leader == Some(lane.broker) && self.apart() == lane.apart
    }

    /// Its number, if it is sent apart from the other partitions of its topic.
    fn apart(&self) -> Option<i32> {
        self.is_apart.then_some(self.partition.partition)
    }

    /// Whether nothing may be sent before what is in flight is settled.
    pub(super) fn is_held(&self) -> bool {
        !self.returned.is_empty() || self.numbers.is_held()
    }

    /// How many batches may be in flight at once, of `most` that may be with any partition.
    pub(super) fn in_flight_max(&self, is_numbered: bool, most: usize) -> usize {
        if is_numbered && self.numbers.is_known() { most.clamp(1, 5) } else { 1 }
    }

    /// Takes the first batch to be sent.
    pub(super) fn take(&mut self) -> Option<Batch> {
        let mut batch = self.waiting.pop_front()?;
        batch.is_closed = true;
        self.numbers.number(&mut batch);
        self.in_flight.insert(batch.first());
        Some(batch)
    }

    /// Whether something stands before a batch that is not written, so that the broker must refuse its number.
    pub(super) fn has_unwritten_before(&self, batch: &Batch) -> bool {
        let first = batch.first();
        self.in_flight.first().is_some_and(|before| *before < first)
            || self.returned.iter().any(|other| other.first() < first)
            || self.numbers.has_hole_before(batch)
    }

    /// Brings the queue in order once nothing is in flight: what came back goes first.
    pub(super) fn restore(&mut self) {
        if !self.in_flight.is_empty() || !self.is_held() {
            return;
        }
        self.returned.sort_by_key(Batch::first);
        for batch in self.returned.drain(..).rev() {
            self.waiting.push_front(batch);
        }
        self.numbers.settle(&mut self.waiting);
    }
}
