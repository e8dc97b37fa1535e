//! Where a partition is: who leads it, and whether its topic is still the one that it was.
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use kafka_protocol::error::ResponseError;
use kafka_protocol::messages::MetadataRequest;

use super::api::Api;
use super::clock::{self, Instant};
use super::cluster::{Cluster, TopicMetadata};
use super::config::ClientConfig;
use super::error::KafkaError;
use super::partition::{TopicId, TopicPartition};
use super::retry::{Retry, earlier};

/// How long the cluster may say that there is no such topic before that is believed. One that was just made is not known
/// to all brokers at once.
const MISSING_MAX: Duration = Duration::from_secs(3);

/// What the cluster says about a topic, or why it says nothing.
pub(super) type Found = Result<Arc<TopicMetadata>, KafkaError>;

/// Where a partition is, as far as we know.
#[derive(Debug, Default)]
pub(super) struct Place {
    /// The broker that leads it.
    pub(super) leader: Option<i32>,
    /// The topic as it was so far; another one of its name is not the same.
    pub(super) topic_id: TopicId,
    /// Since when the cluster says that there is no such partition.
    missing_since: Option<Instant>,
    /// Whether the cluster is being asked.
    is_looked_up: bool,
    /// When it may be asked again.
    look_up: Retry,
}

impl Place {
    /// Whether the cluster is to be asked now; whoever is told so asks.
    fn begin_look_up(&mut self) -> bool {
        let begins = self.leader.is_none() && !self.is_looked_up && self.look_up.is_due();
        self.is_looked_up |= begins;
        begins
    }

    /// Takes in what the cluster says. An error that is retriable is one of the moment.
    pub(super) fn locate(
        &mut self,
        partition: &TopicPartition,
        found: &Found,
        config: &ClientConfig,
    ) -> Result<(), KafkaError> {
        self.is_looked_up = false;
        let located = self.take_in(partition, found);
        match &located {
            Ok(()) => self.look_up.reset(),
            Err(_) => self.look_up.fail(config),
        }
        located
    }

    fn take_in(&mut self, partition: &TopicPartition, found: &Found) -> Result<(), KafkaError> {
        let topic = || partition.topic.to_string();
        let found = match found {
            Ok(found) => found,
            Err(error) if error.is_code(ResponseError::UnknownTopicOrPartition) => {
                return Err(self.missing(KafkaError::TopicGone { topic: topic() }, error.clone()));
            }
            Err(error) => return Err(error.clone()),
        };
        let was = std::mem::replace(&mut self.topic_id, found.id);
        if was.differs(found.id) {
            return Err(KafkaError::TopicMadeAgain { topic: topic(), was, is: found.id });
        }
        let no_leader =
            || KafkaError::of(MetadataRequest::NAME, partition, ResponseError::LeaderNotAvailable);
        let Some(known) = found.partition(partition.partition) else {
            let partition = partition.partition;
            let gone = KafkaError::PartitionGone { topic: topic(), partition };
            return Err(self.missing(gone, no_leader()));
        };
        self.missing_since = None;
        self.leader = Some(known.leader.ok_or_else(no_leader)?);
        Ok(())
    }

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

/// Partitions without a leader.
#[derive(Debug, Default)]
pub(super) struct LookUps {
    /// Those that the cluster is to be asked for now, by their topics.
    pub(super) due: BTreeMap<Arc<str>, Vec<i32>>,
    /// When a leader may be asked for that could not be found just now.
    pub(super) wake: Option<Instant>,
}

impl LookUps {
    /// Adds a partition without a leader, unless it is being looked up; whoever has it in `due` asks.
    pub(super) fn add(&mut self, partition: &TopicPartition, place: &mut Place) {
        if place.begin_look_up() {
            let topic = self.due.entry(partition.topic.clone()).or_default();
            topic.push(partition.partition);
        } else if !place.is_looked_up {
            self.wake = earlier(self.wake, place.look_up.at());
        }
    }
}

/// Finds out who leads some partitions of a topic.
pub(super) async fn look_up(cluster: &Cluster, topic: &Arc<str>, partitions: &[i32]) -> Found {
    let is_led = |partition: &i32| {
        cluster.cached_leader(&TopicPartition::new(topic.clone(), *partition)).is_some()
    };
    // What somebody else has asked for lately is good enough, unless it leaves something open.
    match cluster.cached_topic(topic).filter(|_| partitions.iter().all(is_led)) {
        Some(found) => Ok(found),
        None => cluster.ask_for(topic).await,
    }
}
