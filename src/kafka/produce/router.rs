//! Makes partitions ready to be written: finds who leads them and starts their lanes, gets numbers, opens transactions.
//!
//! Each of these is a task of its own, and each topic is asked for by itself. So a topic that is gone, or a coordinator
//! that does not answer, keeps nothing else waiting.
use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::task::JoinSet;

use super::batch::Identity;
use super::enlist::enlist;
use super::identity::init_producer;
use super::lane::send_in;
use super::queue::Lane;
use super::state::{Shared, State};
use crate::kafka::error::KafkaError;
use crate::kafka::partition::TopicPartition;
use crate::kafka::place::{Found, LookUps, look_up};
use crate::kafka::retry::{Retry, sleep_until};

/// What is to be done before everything can be written.
#[derive(Default)]
struct Lacking {
    /// Lanes that nobody serves yet.
    lanes: Vec<Lane>,
    /// Partitions without a leader.
    look_ups: LookUps,
}

/// Makes partitions ready to be written, until it is dropped.
pub(super) async fn route(shared: Arc<Shared>) {
    let mut tasks = JoinSet::new();
    tasks.spawn(identify(shared.clone()));
    if shared.is_transactional() {
        tasks.spawn(enlist(shared.clone()));
    }
    let mut work = shared.work.subscribe();
    loop {
        work.borrow_and_update();
        while tasks.try_join_next().is_some() {}
        let lacking = shared.lacking();
        for lane in lacking.lanes {
            tasks.spawn(send_in(shared.clone(), lane));
        }
        for (topic, partitions) in lacking.look_ups.due {
            tasks.spawn(locate(shared.clone(), topic, partitions));
        }
        tokio::select! {
            // Whoever could wake us is gone with the producer.
            changed = work.changed() => if changed.is_err() { return },
            () = sleep_until(lacking.look_ups.wake) => {}
        }
    }
}

/// Gets numbers for those who write without transactions.
async fn identify(shared: Arc<Shared>) {
    let mut work = shared.work.subscribe();
    let mut retry = Retry::default();
    loop {
        work.borrow_and_update();
        if !shared.lacks_identity() {
            if work.changed().await.is_err() {
                return;
            }
            continue;
        }
        retry.wait().await;
        match init_producer(&shared, Identity::NONE).await {
            Ok(identity) => {
                retry.reset();
                shared.set_identity(identity);
            }
            Err(error) => {
                retry.fail(shared.cluster.config());
                shared.give_up_or_wait(&error, |_| true);
            }
        }
    }
}

/// Finds out who leads partitions of a topic.
async fn locate(shared: Arc<Shared>, topic: Arc<str>, partitions: Vec<i32>) {
    let found = look_up(&shared.cluster, &topic, &partitions).await;
    shared.locate(&topic, &partitions, &found);
}

impl Shared {
    fn lacking(&self) -> Lacking {
        let mut state = self.lock();
        let State { queues, lanes, .. } = &mut *state;
        let mut lacking = Lacking::default();
        for queue in queues.values_mut().flat_map(BTreeMap::values_mut) {
            if queue.waiting.is_empty() {
                continue;
            }
            if let Some(lane) = queue.lane() {
                if lanes.insert(lane.clone()) {
                    lacking.lanes.push(lane);
                }
            } else {
                lacking.look_ups.add(&queue.partition, &mut queue.place);
            }
        }
        lacking
    }

    /// Takes in what was found out about partitions of a topic.
    fn locate(&self, topic: &Arc<str>, partitions: &[i32], found: &Found) {
        let mut state = self.lock();
        let mut is_all = true;
        for partition in partitions {
            let queue = state.queue(topic, *partition);
            let at = queue.partition.clone();
            let located = queue.place.locate(&at, found, self.cluster.config());
            queue.numbers.first_goes_alone();
            let Err(problem) = located else { continue };
            is_all = false;
            self.give_up_or_wait_in(&mut state, &problem, |other| *other == at);
        }
        if let (false, Ok(_)) = (is_all, found) {
            self.cluster.forget(topic);
        }
        drop(state);
        self.wake();
    }

    /// Gives up what cannot be mended by waiting, and what has waited too long.
    pub(super) fn give_up_or_wait(
        &self,
        error: &KafkaError,
        is_meant: impl Fn(&TopicPartition) -> bool,
    ) {
        self.give_up_or_wait_in(&mut self.lock(), error, is_meant);
        self.wake();
    }

    fn give_up_or_wait_in(
        &self,
        state: &mut State,
        error: &KafkaError,
        is_meant: impl Fn(&TopicPartition) -> bool,
    ) {
        if error.is_retriable() {
            tracing::debug!(%error, "kafka: the producer waits");
            self.expire_in(state, error, is_meant);
        } else {
            self.drop_waiting_in(state, error, is_meant);
        }
    }
}
