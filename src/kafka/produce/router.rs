//! Makes partitions ready to be written: finds who leads them and starts their lanes, gets numbers, opens transactions.
//!
//! Each of these is a task of its own, and each topic is asked for by itself. So a topic that is gone, or a coordinator
//! that does not answer, keeps nothing else waiting.
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use kafka_protocol::error::ResponseError;
use tokio::task::JoinSet;

use super::batch::Identity;
use super::enlist::enlist;
use super::identity::init_producer;
use super::lane::send_in;
use super::queue::{Lane, Queue};
use super::state::{Shared, State};
use crate::kafka::clock::{self, Instant};
use crate::kafka::cluster::TopicMetadata;
use crate::kafka::error::KafkaError;
use crate::kafka::partition::TopicPartition;
use crate::kafka::retry::{Retry, earlier, sleep_until};

/// How long the cluster may say that there is no such topic before that is believed. A topic that was just made is not
/// known to all brokers at once.
const MISSING_MAX: Duration = Duration::from_secs(3);

/// What is to be done before everything can be written.
#[derive(Default)]
struct Lacking {
    /// Lanes that nobody serves yet.
    lanes: Vec<Lane>,
    /// Partitions without a leader, by their topics.
    places: BTreeMap<Arc<str>, Vec<i32>>,
    /// When a leader may be asked for that could not be found just now.
    wake: Option<Instant>,
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
        for (topic, partitions) in lacking.places {
            tasks.spawn(look_up(shared.clone(), topic, partitions));
        }
        tokio::select! {
            // Whoever could wake us is gone with the producer.
            changed = work.changed() => if changed.is_err() { return },
            () = sleep_until(lacking.wake) => {}
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
async fn look_up(shared: Arc<Shared>, topic: Arc<str>, partitions: Vec<i32>) {
    let cluster = &shared.cluster;
    let is_led = |partition: &i32| {
        cluster.cached_leader(&TopicPartition::new(topic.clone(), *partition)).is_some()
    };
    // What somebody else has asked for lately is good enough, unless it leaves something open.
    let cached = cluster.cached_topic(&topic).filter(|_| partitions.iter().all(is_led));
    let found = match cached {
        Some(found) => Ok(found),
        None => cluster.ask_for(&topic).await,
    };
    shared.locate(&topic, &partitions, &found);
}

impl Shared {
    fn lacking(&self) -> Lacking {
        let mut state = self.lock();
        let State { queues, lanes, .. } = &mut *state;
        let mut lacking = Lacking::default();
        for (topic, queues) in queues.iter_mut() {
            for (partition, queue) in queues {
                if queue.waiting.is_empty() {
                    continue;
                }
                if let Some(lane) = queue.lane() {
                    if lanes.insert(lane.clone()) {
                        lacking.lanes.push(lane);
                    }
                } else if !queue.place.is_looked_up && !queue.place.look_up.is_due() {
                    lacking.wake = earlier(lacking.wake, queue.place.look_up.at());
                } else if !queue.place.is_looked_up {
                    queue.place.is_looked_up = true;
                    lacking.places.entry(topic.clone()).or_default().push(*partition);
                }
            }
        }
        lacking
    }

    /// Takes in what was found out about partitions of a topic.
    fn locate(
        &self,
        topic: &Arc<str>,
        partitions: &[i32],
        found: &Result<Arc<TopicMetadata>, KafkaError>,
    ) {
        let mut state = self.lock();
        let mut is_all = true;
        for partition in partitions {
            let queue = state.queue(topic, *partition);
            queue.place.is_looked_up = false;
            let Err(problem) = queue.locate(found) else { continue };
            queue.place.look_up.fail(self.cluster.config());
            is_all = false;
            self.give_up_or_wait_in(&mut state, &problem, |other| {
                *other.topic == **topic && other.partition == *partition
            });
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

impl Queue {
    /// Takes in who leads the partition; what cannot be mended by asking again is an error that is not retriable.
    fn locate(&mut self, found: &Result<Arc<TopicMetadata>, KafkaError>) -> Result<(), KafkaError> {
        let TopicPartition { topic, partition } = &self.partition;
        let found = match found {
            Ok(found) => found,
            Err(error) if error.is_code(ResponseError::UnknownTopicOrPartition) => {
                let gone = KafkaError::TopicGone { topic: topic.to_string() };
                return Err(self.place.missing(gone, error.clone()));
            }
            Err(error) => return Err(error.clone()),
        };
        let was = self.place.topic_id;
        self.place.topic_id = found.id;
        if was.differs(found.id) {
            return Err(KafkaError::TopicMadeAgain { topic: topic.to_string(), was, is: found.id });
        }
        let no_leader = ResponseError::LeaderNotAvailable.code();
        let no_leader = KafkaError::from_code("Metadata", &self.partition, no_leader);
        let no_leader = no_leader.unwrap_or(KafkaError::Closed("partition"));
        let known = found.partitions.iter().find(|known| known.partition == *partition);
        let Some(known) = known else {
            let gone =
                KafkaError::PartitionGone { topic: topic.to_string(), partition: *partition };
            return Err(self.place.missing(gone, no_leader));
        };
        self.place.missing_since = None;
        self.place.leader = Some(known.leader.ok_or(no_leader)?);
        self.place.look_up.reset();
        self.numbers.moved();
        Ok(())
    }
}

impl super::queue::Whereabouts {
    /// What the cluster's saying that there is no such partition comes to: it is believed after a while.
    fn missing(&mut self, gone: KafkaError, not_yet: KafkaError) -> KafkaError {
        let since = *self.missing_since.get_or_insert_with(clock::now);
        if since.elapsed() < MISSING_MAX {
            return not_yet;
        }
        self.missing_since = None;
        gone
    }
}
