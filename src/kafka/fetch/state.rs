//! What the caller wants to read, what was fetched of it, and what may be fetched next.
use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use super::decode::Decoder;
use super::{FetchedPartition, Progress};
use crate::kafka::cluster::Cluster;
use crate::kafka::config::Isolation;
use crate::kafka::error::KafkaError;
use crate::kafka::partition::TopicPartition;

/// What the caller, the router and the workers share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) cluster: Cluster,
    pub(super) decoder: Decoder,
    buffer_bytes_max: usize,
    state: Mutex<State>,
    /// Wakes the router and the workers: there may be something to do.
    work: watch::Sender<()>,
    /// Wakes the caller: there may be something to take.
    arrivals: watch::Sender<()>,
}

#[derive(Debug, Default)]
struct State {
    partitions: HashMap<TopicPartition, Assigned>,
    /// The order in which partitions are asked for; one that gave something goes to the end.
    order: VecDeque<TopicPartition>,
    queue: VecDeque<Arrival>,
    /// The brokers that have a worker.
    workers: HashSet<i32>,
    last_epoch: u64,
}

#[derive(Debug)]
struct Assigned {
    /// Changes with each move, so that what was fetched for the position before can be told apart.
    epoch: u64,
    /// Where the next fetch starts.
    fetch_position: i64,
    progress: Progress,
    leader: Option<i32>,
    is_paused: bool,
    /// Set by an error, until the partition is moved.
    is_halted: bool,
}

#[derive(Debug)]
struct Arrival {
    partition: TopicPartition,
    epoch: u64,
    fetched: Result<FetchedPartition, KafkaError>,
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
    pub(super) epoch: u64,
    pub(super) position: i64,
}

/// What a worker is to do next.
#[derive(Debug)]
pub(super) enum Work {
    /// Fetch these partitions, up to so many bytes.
    Fetch(Vec<Wanted>, usize),
    /// Wait for a change.
    Wait,
    /// End: the broker leads nothing that is read.
    End,
}

impl Shared {
    pub(super) fn new(cluster: &Cluster, isolation: Isolation, buffer_bytes_max: usize) -> Self {
        let decoder = Decoder { isolation, is_crc_checked: cluster.config().is_crc_checked };
        let (work, arrivals) = (watch::Sender::new(()), watch::Sender::new(()));
        Self {
            cluster: cluster.clone(),
            decoder,
            buffer_bytes_max,
            state: Mutex::default(),
            work,
            arrivals,
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn work(&self) -> watch::Receiver<()> {
        self.work.subscribe()
    }

    pub(super) fn arrivals(&self) -> watch::Receiver<()> {
        self.arrivals.subscribe()
    }

    // The caller's side.

    pub(super) fn assign(&self, positions: impl IntoIterator<Item = (TopicPartition, i64)>) {
        let mut state = self.lock();
        for (partition, position) in positions {
            state.assign(partition, position);
        }
        drop(state);
        self.work.send_replace(());
    }

    pub(super) fn unassign<'a>(&self, partitions: impl IntoIterator<Item = &'a TopicPartition>) {
        let mut state = self.lock();
        for partition in partitions {
            state.partitions.remove(partition);
            state.order.retain(|other| other != partition);
            state.queue.retain(|arrival| arrival.partition != *partition);
        }
        drop(state);
        self.work.send_replace(());
    }

    pub(super) fn seek(&self, partition: &TopicPartition, position: i64) {
        let mut state = self.lock();
        state.last_epoch += 1;
        let epoch = state.last_epoch;
        if let Some(assigned) = state.partitions.get_mut(partition) {
            (assigned.epoch, assigned.fetch_position, assigned.is_halted) =
                (epoch, position, false);
            assigned.progress.position = position;
        }
        state.queue.retain(|arrival| arrival.partition != *partition);
        drop(state);
        self.work.send_replace(());
    }

    pub(super) fn set_paused<'a>(
        &self,
        partitions: impl IntoIterator<Item = &'a TopicPartition>,
        is_paused: bool,
    ) {
        let mut state = self.lock();
        for partition in partitions {
            if let Some(assigned) = state.partitions.get_mut(partition) {
                assigned.is_paused = is_paused;
            }
        }
        drop(state);
        self.work.send_replace(());
        self.arrivals.send_replace(());
    }

    pub(super) fn assignment(&self) -> Vec<TopicPartition> {
        self.lock().order.iter().cloned().collect()
    }

    pub(super) fn progress(&self, partition: &TopicPartition) -> Option<Progress> {
        self.lock().partitions.get(partition).map(|assigned| assigned.progress)
    }

    /// Takes what has arrived for partitions that are not paused, up to the first error.
    pub(super) fn take(&self) -> Result<Vec<FetchedPartition>, KafkaError> {
        let mut state = self.lock();
        let mut taken = Vec::new();
        let mut held = VecDeque::new();
        let mut failed = None;
        while let Some(arrival) = state.queue.pop_front() {
            let Some(assigned) = state.partitions.get_mut(&arrival.partition) else { continue };
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
                    taken.push(fetched);
                }
                Err(error) if taken.is_empty() => {
                    failed = Some(error);
                    break;
                }
                Err(_) => {
                    held.push_back(arrival);
                    break;
                }
            }
        }
        held.append(&mut state.queue);
        state.queue = held;
        drop(state);
        if !taken.is_empty() {
            self.work.send_replace(());
        }
        failed.map_or(Ok(taken), Err)
    }

    /// Whether there is anything that [`Self::take`] would give.
    pub(super) fn has_arrivals(&self) -> bool {
        let state = self.lock();
        let is_wanted = |arrival: &Arrival| {
            let assigned = state.partitions.get(&arrival.partition);
            assigned.is_some_and(|assigned| assigned.epoch == arrival.epoch && !assigned.is_paused)
        };
        state.queue.iter().any(is_wanted)
    }

    // The router's side.

    /// The partitions whose leader is not known.
    pub(super) fn leaderless(&self) -> Vec<TopicPartition> {
        let state = self.lock();
        let leaderless = state.partitions.iter();
        let leaderless =
            leaderless.filter(|(_, assigned)| assigned.leader.is_none() && !assigned.is_halted);
        leaderless.map(|(partition, _)| partition.clone()).collect()
    }

    /// Says who leads partitions, and gives the brokers that need a worker.
    pub(super) fn set_leaders(&self, leaders: &[(TopicPartition, i32)]) -> Vec<i32> {
        let mut state = self.lock();
        let mut new = BTreeSet::new();
        for (partition, leader) in leaders {
            if let Some(assigned) = state.partitions.get_mut(partition) {
                assigned.leader = Some(*leader);
                new.insert(*leader);
            }
        }
        new.retain(|leader| state.workers.insert(*leader));
        drop(state);
        self.work.send_replace(());
        new.into_iter().collect()
    }

    // A worker's side.

    /// What the worker of a broker is to do next.
    pub(super) fn next(&self, broker: i32) -> Work {
        let mut state = self.lock();
        let is_led = |partition: &TopicPartition| {
            state
                .partitions
                .get(partition)
                .filter(|assigned| assigned.leader == Some(broker) && !assigned.is_halted)
        };
        let led: Vec<_> =
            state.order.iter().filter_map(|name| Some((name, is_led(name)?))).collect();
        if led.is_empty() {
            state.workers.remove(&broker);
            return Work::End;
        }
        let wanted = led.into_iter().filter(|(_, assigned)| !assigned.is_paused);
        let wanted = wanted.map(|(partition, assigned)| Wanted {
            partition: partition.clone(),
            epoch: assigned.epoch,
            position: assigned.fetch_position,
        });
        let wanted: Vec<_> = wanted.collect();
        let left_bytes = self.buffer_bytes_max.saturating_sub(state.waiting_bytes());
        if wanted.is_empty() || left_bytes == 0 {
            Work::Wait
        } else {
            Work::Fetch(wanted, left_bytes)
        }
    }

    /// Takes in what was fetched, unless its partition has moved since.
    pub(super) fn arrive(&self, wanted: &Wanted, fetched: FetchedPartition, log_start_offset: i64) {
        let mut state = self.lock();
        let Some(assigned) = state.current(wanted) else { return };
        assigned.fetch_position = fetched.next_offset;
        let progress = &mut assigned.progress;
        (progress.high_watermark, progress.last_stable_offset) =
            (fetched.high_watermark, fetched.last_stable_offset);
        progress.log_start_offset = log_start_offset;
        if fetched.next_offset > fetched.position {
            state.order.retain(|other| *other != wanted.partition);
            state.order.push_back(wanted.partition.clone());
            let (partition, epoch) = (wanted.partition.clone(), wanted.epoch);
            state.queue.push_back(Arrival { partition, epoch, fetched: Ok(fetched) });
            drop(state);
            self.arrivals.send_replace(());
        }
    }

    /// Stops a partition with an error for the caller.
    pub(super) fn fail(&self, wanted: &Wanted, error: KafkaError) {
        let mut state = self.lock();
        let Some(assigned) = state.current(wanted) else { return };
        assigned.is_halted = true;
        let (partition, epoch) = (wanted.partition.clone(), wanted.epoch);
        state.queue.push_back(Arrival { partition, epoch, fetched: Err(error) });
        drop(state);
        self.arrivals.send_replace(());
    }

    /// Stops a partition, wherever it stands, with an error for the caller.
    pub(super) fn fail_anywhere(&self, partition: &TopicPartition, error: KafkaError) {
        let wanted = self.lock().partitions.get(partition).map(|assigned| Wanted {
            partition: partition.clone(),
            epoch: assigned.epoch,
            position: assigned.fetch_position,
        });
        if let Some(wanted) = wanted {
            self.fail(&wanted, error);
        }
    }

    /// Makes the router look for the leader of a partition again.
    pub(super) fn lose_leader(&self, partition: &TopicPartition, broker: i32) {
        let mut state = self.lock();
        if let Some(assigned) = state.partitions.get_mut(partition)
            && assigned.leader == Some(broker)
        {
            assigned.leader = None;
        }
        drop(state);
        self.cluster.forget(&partition.topic);
        self.work.send_replace(());
    }
}

impl State {
    fn assign(&mut self, partition: TopicPartition, position: i64) {
        self.last_epoch += 1;
        let progress =
            Progress { position, high_watermark: -1, last_stable_offset: -1, log_start_offset: -1 };
        let leader = self.partitions.get(&partition).and_then(|assigned| assigned.leader);
        let assigned = Assigned {
            epoch: self.last_epoch,
            fetch_position: position,
            progress,
            leader,
            is_paused: false,
            is_halted: false,
        };
        if self.partitions.insert(partition.clone(), assigned).is_none() {
            self.order.push_back(partition);
        }
    }

    fn current(&mut self, wanted: &Wanted) -> Option<&mut Assigned> {
        let assigned = self.partitions.get_mut(&wanted.partition)?;
        (assigned.epoch == wanted.epoch && assigned.fetch_position == wanted.position)
            .then_some(assigned)
    }

    /// The bytes that wait for the caller; those of paused partitions do not keep others from being read.
    fn waiting_bytes(&self) -> usize {
        let is_paused = |arrival: &Arrival| {
            self.partitions.get(&arrival.partition).is_some_and(|assigned| assigned.is_paused)
        };
        self.queue.iter().filter(|arrival| !is_paused(arrival)).map(Arrival::bytes).sum()
    }
}
