//! What is read, what was fetched of it, and what may be fetched next.
use std::collections::{HashMap, HashSet, VecDeque};

use super::fetched::{Fetched, FetchedPartition, PartitionProblem, Progress};
use crate::kafka::error::KafkaError;
use crate::kafka::partition::{TopicId, TopicPartition};
use crate::kafka::place::Place;

/// All partitions that are read.
#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) partitions: HashMap<TopicPartition, Assigned>,
    /// The order in which partitions are asked for; one that gave something goes to the end.
    pub(super) order: VecDeque<TopicPartition>,
    pub(super) queue: VecDeque<Arrival>,
    /// The brokers that have a worker.
    pub(super) workers: HashSet<i32>,
    pub(super) last_epoch: u64,
}

/// A partition that is read.
#[derive(Debug)]
pub(super) struct Assigned {
    /// Changes with each move, so that what was fetched for the position before can be told apart.
    pub(super) epoch: u64,
    /// Where the next fetch starts.
    pub(super) fetch_position: i64,
    pub(super) progress: Progress,
    pub(super) place: Place,
    pub(super) is_paused: bool,
    /// Set by a problem, until the partition is moved.
    pub(super) is_halted: bool,
    /// Whether it is to be found out where its log begins and ends, because it is out of range.
    pub(super) is_out_of_range: bool,
}

/// What has arrived and was not taken yet.
#[derive(Debug)]
pub(super) struct Arrival {
    pub(super) partition: TopicPartition,
    pub(super) epoch: u64,
    pub(super) fetched: Result<FetchedPartition, PartitionProblem>,
}

impl Arrival {
    fn bytes(&self) -> usize {
        self.fetched.as_ref().map_or(0, |fetched| fetched.bytes)
    }
}

/// A partition to be fetched.
#[derive(Debug, Clone)]
pub(super) struct Wanted {
    pub(super) partition: TopicPartition,
    pub(super) topic_id: TopicId,
    pub(super) epoch: u64,
    pub(super) position: i64,
}

impl Assigned {
    /// Whether a broker is to be asked for it.
    pub(super) fn is_led_by(&self, broker: i32) -> bool {
        self.place.leader == Some(broker) && !self.is_halted
    }

    /// What is to be fetched of it next.
    pub(super) fn wanted(&self, partition: &TopicPartition) -> Wanted {
        Wanted {
            partition: partition.clone(),
            topic_id: self.place.topic_id,
            epoch: self.epoch,
            position: self.fetch_position,
        }
    }
}

impl State {
    /// Adds a partition, or moves one that is there.
    pub(super) fn assign(&mut self, partition: TopicPartition, position: i64) {
        self.last_epoch += 1;
        let progress =
            Progress { position, high_watermark: -1, last_stable_offset: -1, log_start_offset: -1 };
        let before = self.partitions.get_mut(&partition);
        let place = before.map(|assigned| std::mem::take(&mut assigned.place));
        let assigned = Assigned {
            epoch: self.last_epoch,
            fetch_position: position,
            progress,
            place: place.unwrap_or_default(),
            is_paused: false,
            is_halted: false,
            is_out_of_range: false,
        };
        if self.partitions.insert(partition.clone(), assigned).is_none() {
            self.order.push_back(partition);
        }
    }

    /// The partition that was to be fetched, unless it has moved since.
    pub(super) fn current(&mut self, wanted: &Wanted) -> Option<&mut Assigned> {
        let assigned = self.partitions.get_mut(&wanted.partition)?;
        (assigned.epoch == wanted.epoch && assigned.fetch_position == wanted.position)
            .then_some(assigned)
    }

    /// Stops a partition that has not moved since, with a problem, or until that is found out.
    pub(super) fn halt(&mut self, wanted: &Wanted, error: Option<KafkaError>) {
        let Some(assigned) = self.current(wanted) else { return };
        assigned.is_halted = true;
        assigned.is_out_of_range = error.is_none();
        let Some(error) = error else { return };
        let (partition, epoch) = (wanted.partition.clone(), wanted.epoch);
        let problem =
            PartitionProblem { partition: partition.clone(), position: wanted.position, error };
        self.queue.push_back(Arrival { partition, epoch, fetched: Err(problem) });
    }

    /// Takes what has arrived for partitions that are not paused; if wished, not beyond the first problem.
    pub(super) fn take(&mut self, stops_at_problem: bool) -> Fetched {
        let mut taken = Fetched::default();
        let mut held = VecDeque::new();
        while let Some(arrival) = self.queue.pop_front() {
            let Some(assigned) = self.partitions.get_mut(&arrival.partition) else { continue };
            if assigned.epoch != arrival.epoch {
                continue;
            }
            if assigned.is_paused {
                held.push_back(arrival);
                continue;
            }
            match arrival.fetched {
                Ok(fetched) => {
                    assigned.progress.position = fetched.next_offset;
                    taken.partitions.push(fetched);
                }
                Err(_) if stops_at_problem && !taken.partitions.is_empty() => {
                    held.push_back(arrival);
                    break;
                }
                Err(problem) => {
                    taken.problems.push(problem);
                    if stops_at_problem {
                        break;
                    }
                }
            }
        }
        held.append(&mut self.queue);
        self.queue = held;
        taken
    }

    /// The bytes that wait for the caller; those of paused partitions do not keep others from being read.
    pub(super) fn waiting_bytes(&self) -> usize {
        let is_paused = |arrival: &Arrival| {
            self.partitions.get(&arrival.partition).is_some_and(|assigned| assigned.is_paused)
        };
        self.queue.iter().filter(|arrival| !is_paused(arrival)).map(Arrival::bytes).sum()
    }
}
