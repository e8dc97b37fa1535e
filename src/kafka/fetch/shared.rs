//! What the caller of a fetcher, its router and its workers share.
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use super::decode::Decoder;
use super::fetched::{Fetched, FetchedPartition, Progress};
use super::state::{Arrival, State, Wanted};
use crate::kafka::cluster::Cluster;
use crate::kafka::config::Isolation;
use crate::kafka::error::KafkaError;
use crate::kafka::partition::TopicPartition;
use crate::kafka::place::{LookUps, Place};

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

/// What the router is to do before everything can be fetched.
#[derive(Debug, Default)]
pub(super) struct Lacking {
    /// Brokers that need a worker.
    pub(super) workers: Vec<i32>,
    /// Partitions without a leader.
    pub(super) look_ups: LookUps,
    /// Partitions whose position is not in their logs.
    pub(super) out_of_range: Vec<Wanted>,
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
            (assigned.epoch, assigned.fetch_position) = (epoch, position);
            (assigned.is_halted, assigned.is_out_of_range) = (false, false);
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

    /// Takes all that has arrived for partitions that are not paused.
    pub(super) fn take_all(&self) -> Fetched {
        let mut state = self.lock();
        let fetched = state.take(false);
        drop(state);
        self.taken(&fetched);
        fetched
    }

    /// Takes what has arrived for partitions that are not paused, up to the first problem, or else that.
    pub(super) fn take_until_problem(&self) -> Result<Vec<FetchedPartition>, KafkaError> {
        let mut state = self.lock();
        let mut fetched = state.take(true);
        drop(state);
        self.taken(&fetched);
        fetched.problems.pop().map_or(Ok(fetched.partitions), |problem| Err(problem.error))
    }

    fn taken(&self, fetched: &Fetched) {
        if !fetched.partitions.is_empty() {
            self.work.send_replace(());
        }
    }

    /// Whether there is anything that [`Self::take_all`] would give.
    pub(super) fn has_arrivals(&self) -> bool {
        let state = self.lock();
        let is_wanted = |arrival: &Arrival| {
            let assigned = state.partitions.get(&arrival.partition);
            assigned.is_some_and(|assigned| assigned.epoch == arrival.epoch && !assigned.is_paused)
        };
        state.queue.iter().any(is_wanted)
    }

    // The router's side.

    /// What is to be done; whoever asks does it.
    pub(super) fn lacking(&self) -> Lacking {
        let mut state = self.lock();
        let State { partitions, workers, .. } = &mut *state;
        let mut lacking = Lacking::default();
        for (partition, assigned) in partitions {
            if std::mem::take(&mut assigned.is_out_of_range) {
                lacking.out_of_range.push(assigned.wanted(partition));
            }
            let place = &mut assigned.place;
            if assigned.is_halted {
                continue;
            }
            if let Some(leader) = place.leader {
                if workers.insert(leader) {
                    lacking.workers.push(leader);
                }
            } else {
                lacking.look_ups.add(partition, place);
            }
        }
        lacking
    }

    /// Says where a partition is, or lets `problem` tell the caller why that cannot be known.
    pub(super) fn locate(
        &self,
        partition: &TopicPartition,
        locate: impl FnOnce(&mut Place) -> Result<(), KafkaError>,
    ) -> Result<(), KafkaError> {
        let mut state = self.lock();
        let Some(assigned) = state.partitions.get_mut(partition) else { return Ok(()) };
        let located = locate(&mut assigned.place);
        let fatal = located.as_ref().err().filter(|error| !error.is_retriable());
        if let (Some(error), false) = (fatal, assigned.is_halted) {
            let wanted = assigned.wanted(partition);
            state.halt(&wanted, Some(error.clone()));
            self.arrivals.send_replace(());
        }
        drop(state);
        self.work.send_replace(());
        located
    }

    // A worker's side.

    /// What the worker of a broker is to do next.
    pub(super) fn next(&self, broker: i32) -> Work {
        let mut state = self.lock();
        let is_led = |partition: &TopicPartition| {
            let assigned = state.partitions.get(partition);
            assigned.filter(|assigned| assigned.is_led_by(broker))
        };
        let led: Vec<_> =
            state.order.iter().filter_map(|name| Some((name, is_led(name)?))).collect();
        if led.is_empty() {
            state.workers.remove(&broker);
            return Work::End;
        }
        let wanted = led.into_iter().filter(|(_, assigned)| !assigned.is_paused);
        let wanted: Vec<_> =
            wanted.map(|(partition, assigned)| assigned.wanted(partition)).collect();
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

    /// Stops a partition with a problem for the caller.
    pub(super) fn fail(&self, wanted: &Wanted, error: KafkaError) {
        self.lock().halt(wanted, Some(error));
        self.arrivals.send_replace(());
    }

    /// Stops a partition until it is known where its log begins and ends.
    pub(super) fn is_out_of_range(&self, wanted: &Wanted) {
        self.lock().halt(wanted, None);
        self.work.send_replace(());
    }

    /// Makes the router look for the leader of a partition again.
    pub(super) fn lose_leader(&self, partition: &TopicPartition, broker: i32) {
        let mut state = self.lock();
        if let Some(assigned) = state.partitions.get_mut(partition)
            && assigned.place.leader == Some(broker)
        {
            assigned.place.leader = None;
        }
        drop(state);
        self.cluster.forget(&partition.topic);
        self.work.send_replace(());
    }
}
