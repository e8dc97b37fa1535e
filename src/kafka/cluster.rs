//! A cluster as a client sees it: its brokers, who leads what, and how a request finds its broker.
//!
//! Every call is retried with a growing, jittered pause for as long as its caller's patience lasts; dropping the future
//! cancels it. An error that says that we look in the wrong place makes the next attempt ask for metadata first.
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use kafka_protocol::error::ResponseError;
use kafka_protocol::messages::metadata_request::MetadataRequestTopic;
use kafka_protocol::messages::metadata_response::MetadataResponseTopic;
use kafka_protocol::messages::{MetadataRequest, MetadataResponse, TopicName};
use kafka_protocol::protocol::StrBytes;
use tokio_rustls::TlsConnector;

use super::api::Api;
use super::clock::{self, Instant};
use super::config::ClientConfig;
use super::connection::Connection;
use super::error::KafkaError;
use super::ghosts::Ghosts;
use super::partition::{TopicId, TopicPartition};
use super::random::random_below;

/// What a cluster says about a topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicMetadata {
    /// The name.
    pub name: Arc<str>,
    /// The id, which a topic of the same name does not have after this one is deleted.
    pub id: TopicId,
    /// Whether it is Kafka's own, such as the topic of committed offsets.
    pub is_internal: bool,
    /// The partitions, in order.
    pub partitions: Vec<PartitionMetadata>,
}

impl TopicMetadata {
    /// The partition with this number, if there is one.
    pub(super) fn partition(&self, partition: i32) -> Option<&PartitionMetadata> {
        self.partitions.iter().find(|known| known.partition == partition)
    }
}

/// What a cluster says about a partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartitionMetadata {
    /// The number.
    pub partition: i32,
    /// The broker that leads it, if there is one at the moment.
    pub leader: Option<i32>,
    /// How often the leader has changed.
    pub leader_epoch: i32,
    /// The brokers that have a copy.
    pub replicas: Vec<i32>,
    /// The brokers whose copy is up to date.
    pub in_sync: Vec<i32>,
}

/// The brokers and the topics seen so far.
#[derive(Debug, Clone, Default)]
pub struct Metadata {
    /// The id of the cluster.
    pub cluster_id: Option<String>,
    /// The broker that creates and deletes topics.
    pub controller: Option<i32>,
    /// The addresses of the brokers by their ids.
    pub brokers: HashMap<i32, String>,
    topics: HashMap<Arc<str>, (Instant, Arc<TopicMetadata>)>,
}

/// Which broker a request is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Route {
    /// Whoever answers.
    Any,
    /// The controller.
    Controller,
    /// This broker.
    Broker(i32),
}

/// After how long a call tells that nobody answers.
const TELL_AFTER: Duration = Duration::from_secs(2);

/// How long nothing more is told of it.
const TELL_AGAIN: Duration = Duration::from_secs(30);

type Slot = Arc<tokio::sync::Mutex<Option<Arc<Connection>>>>;

/// A handle to a cluster; clones share connections and metadata.
#[derive(Clone)]
pub struct Cluster {
    shared: Arc<Shared>,
    patience: Duration,
}

struct Shared {
    config: ClientConfig,
    tls: Option<TlsConnector>,
    slots: Mutex<HashMap<String, Slot>>,
    metadata: Mutex<Metadata>,
    ghosts: Ghosts,
    /// When it was last told that brokers do not answer.
    told_away: Mutex<Option<Instant>>,
}

impl std::fmt::Debug for Cluster {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Cluster({})", self.shared.config.bootstrap_servers.join(","))
    }
}

impl Cluster {
    /// Prepares a client; nothing is connected before the first call.
    pub fn new(config: ClientConfig) -> Result<Self, KafkaError> {
        let tls = config.tls.as_ref().map(super::tls::connector).transpose()?;
        let patience = config.api_timeout;
        let shared = Shared {
            config,
            tls,
            slots: Mutex::default(),
            metadata: Mutex::default(),
            ghosts: Ghosts::default(),
            told_away: Mutex::default(),
        };
        Ok(Self { shared: Arc::new(shared), patience })
    }

    /// The same cluster, for calls that are retried for as long as `patience`.
    #[must_use]
    pub fn with_patience(&self, patience: Duration) -> Self {
        Self { shared: self.shared.clone(), patience }
    }

    /// The properties of this client.
    pub fn config(&self) -> &ClientConfig {
        &self.shared.config
    }

    /// The members of groups that this process was.
    pub(super) fn ghosts(&self) -> &Ghosts {
        &self.shared.ghosts
    }

    fn metadata_lock(&self) -> MutexGuard<'_, Metadata> {
        self.shared.metadata.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The topic with this name, as seen not longer than `metadata.max.age.ms` ago.
    ///
    /// Waits for a topic that does not exist yet, as long as patience lasts.
    pub async fn topic(&self, name: &str) -> Result<Arc<TopicMetadata>, KafkaError> {
        let mut backoff = self.backoff();
        loop {
            if let Some(topic) = self.cached_topic(name) {
                return Ok(topic);
            }
            let error = match self.refresh(Some(&[name])).await {
                Ok(mut topics) => match topics.pop() {
                    Some(Ok(topic)) => return Ok(topic),
                    Some(Err(error)) => error,
                    None => continue,
                },
                Err(error) => error,
            };
            backoff.pause(error).await?;
        }
    }

    /// What was last seen of a topic, unless that is too old.
    pub fn cached_topic(&self, name: &str) -> Option<Arc<TopicMetadata>> {
        let metadata = self.metadata_lock();
        let (seen, topic) = metadata.topics.get(name)?;
        (seen.elapsed() < self.config().metadata_max_age).then(|| topic.clone())
    }

    /// The leader of a partition, as far as it is known without asking.
    pub(super) fn cached_leader(&self, partition: &TopicPartition) -> Option<(i32, i32)> {
        let topic = self.cached_topic(&partition.topic)?;
        let found = topic.partition(partition.partition)?;
        Some((found.leader?, found.leader_epoch))
    }

    /// The leader of a partition and its epoch; waits while there is none.
    pub(super) async fn leader(
        &self,
        partition: &TopicPartition,
    ) -> Result<(i32, i32), KafkaError> {
        let mut backoff = self.backoff();
        loop {
            self.topic(&partition.topic).await?;
            if let Some(leader) = self.cached_leader(partition) {
                return Ok(leader);
            }
            let code = ResponseError::LeaderNotAvailable;
            self.forget(&partition.topic);
            backoff.pause(KafkaError::of(MetadataRequest::NAME, partition, code)).await?;
        }
    }

    /// Makes the next look at a topic ask the cluster.
    pub(super) fn forget(&self, topic: &str) {
        self.metadata_lock().topics.remove(topic);
    }

    /// Asks for a topic, once.
    pub(super) async fn ask_for(&self, name: &str) -> Result<Arc<TopicMetadata>, KafkaError> {
        let found = self.refresh(Some(&[name])).await?.pop();
        found.unwrap_or_else(|| Err(unknown_topic(name)))
    }

    /// Asks for topics, all of them for `None`, once; each has its own result, in the order of `names`.
    pub(super) async fn refresh(
        &self,
        names: Option<&[&str]>,
    ) -> Result<Vec<Result<Arc<TopicMetadata>, KafkaError>>, KafkaError> {
        let topic = |name: &&str| MetadataRequestTopic::default().with_name(Some(topic_name(name)));
        let topics = names.map(|names| names.iter().map(topic).collect());
        let request =
            MetadataRequest::default().with_topics(topics).with_allow_auto_topic_creation(false);
        let response = self.any().await?.request(&request).await?;
        KafkaError::check(MetadataRequest::NAME, "the cluster", response.error_code)?;
        let found = self.take_metadata(&response);
        let Some(names) = names else { return Ok(found.into_values().collect()) };
        let result =
            |name: &&str| found.get(*name).cloned().unwrap_or_else(|| Err(unknown_topic(name)));
        Ok(names.iter().map(result).collect())
    }

    fn take_metadata(
        &self,
        response: &MetadataResponse,
    ) -> HashMap<Arc<str>, Result<Arc<TopicMetadata>, KafkaError>> {
        let mut metadata = self.metadata_lock();
        metadata.cluster_id = response.cluster_id.as_ref().map(ToString::to_string);
        metadata.controller = Some(response.controller_id.0).filter(|id| *id >= 0);
        let address = |host: &str, port| {
            if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
        };
        metadata.brokers = response
            .brokers
            .iter()
            .map(|broker| (broker.node_id.0, address(&broker.host, broker.port)))
            .collect();
        let mut found = HashMap::new();
        for topic in &response.topics {
            let Some(name) = topic.name.as_ref().map(|name| Arc::from(name.as_str())) else {
                continue;
            };
            if let Some(error) =
                KafkaError::from_code(MetadataRequest::NAME, &name, topic.error_code)
            {
                metadata.topics.remove(&name);
                found.insert(name, Err(error));
                continue;
            }
            let topic = Arc::new(topic_metadata(&name, topic));
            metadata.topics.insert(name.clone(), (clock::now(), topic.clone()));
            found.insert(name, Ok(topic));
        }
        found
    }

    /// The brokers, the controller and the cluster's id, asked for if they were never seen.
    pub async fn metadata(&self) -> Result<Metadata, KafkaError> {
        let mut backoff = self.backoff();
        while self.metadata_lock().brokers.is_empty() {
            if let Err(error) = self.refresh(Some(&[])).await {
                backoff.pause(error).await?;
            }
        }
        Ok(self.metadata_lock().clone())
    }

    /// A connection to whoever answers: brokers that are known, then the bootstrap servers.
    pub(super) async fn any(&self) -> Result<Arc<Connection>, KafkaError> {
        let mut addresses: Vec<_> = self.metadata_lock().brokers.values().cloned().collect();
        let start =
            if addresses.is_empty() { 0 } else { random_below(addresses.len() as u32) as usize };
        addresses.rotate_left(start);
        addresses.extend(self.config().bootstrap_servers.iter().cloned());
        // One that is connected is better than one that has to be.
        addresses.sort_by_key(|address| !self.is_connected(address));
        let mut last = KafkaError::Closed("list of bootstrap servers");
        for address in addresses {
            match self.connect(&address).await {
                Ok(connection) => return Ok(connection),
                Err(error) if error.is_retriable() => last = error,
                Err(error) => return Err(error),
            }
        }
        Err(last)
    }

    fn slot(&self, address: &str) -> Slot {
        let mut slots = self.shared.slots.lock().unwrap_or_else(PoisonError::into_inner);
        slots.entry(address.to_owned()).or_default().clone()
    }

    fn is_connected(&self, address: &str) -> bool {
        let slot = self.slot(address);
        slot.try_lock()
            .is_ok_and(|slot| slot.as_ref().is_some_and(|connection| !connection.is_closed()))
    }

    async fn connect(&self, address: &str) -> Result<Arc<Connection>, KafkaError> {
        let slot = self.slot(address);
        let mut slot = slot.lock().await;
        if let Some(connection) = slot.as_ref().filter(|connection| !connection.is_closed()) {
            return Ok(connection.clone());
        }
        let connection = Connection::open(address, self.config(), self.shared.tls.as_ref()).await?;
        Ok(slot.insert(Arc::new(connection)).clone())
    }

    async fn address(&self, broker: i32) -> Result<String, KafkaError> {
        let known = self.metadata().await?.brokers.get(&broker).cloned();
        if let Some(address) = known {
            return Ok(address);
        }
        self.refresh(Some(&[])).await?;
        let cause = "it is not a broker of the cluster".to_owned();
        let unknown = || KafkaError::Connect { broker: format!("broker {broker}"), cause };
        self.metadata_lock().brokers.get(&broker).cloned().ok_or_else(unknown)
    }

    /// A connection to a broker that nobody else uses.
    pub(super) async fn open(&self, broker: i32) -> Result<Arc<Connection>, KafkaError> {
        let address = self.address(broker).await?;
        Ok(Arc::new(Connection::open(&address, self.config(), self.shared.tls.as_ref()).await?))
    }

    async fn route(&self, route: Route) -> Result<Arc<Connection>, KafkaError> {
        match route {
            Route::Any => self.any().await,
            Route::Broker(broker) => self.connect(&self.address(broker).await?).await,
            Route::Controller => match self.metadata().await?.controller {
                Some(broker) => self.connect(&self.address(broker).await?).await,
                None => self.any().await,
            },
        }
    }

    /// Makes a request and retries it until `check` finds no fault that trying again may mend.
    pub(super) async fn call<A: Api>(
        &self,
        route: Route,
        request: &A,
        check: impl Fn(&A::Response) -> Result<(), KafkaError> + Send + Sync,
    ) -> Result<A::Response, KafkaError> {
        let mut backoff = self.backoff();
        loop {
            match self.call_once(route, request, &check).await {
                Ok(response) => return Ok(response),
                Err(error) => backoff.pause(error).await?,
            }
        }
    }

    async fn call_once<A: Api>(
        &self,
        route: Route,
        request: &A,
        check: impl Fn(&A::Response) -> Result<(), KafkaError> + Send + Sync,
    ) -> Result<A::Response, KafkaError> {
        let response = self.route(route).await?.request(request).await?;
        check(&response)?;
        Ok(response)
    }

    /// Starts a series of attempts.
    pub(super) fn backoff(&self) -> Backoff {
        let started = clock::now();
        let (deadline, pause) = (started + self.patience, self.config().retry_backoff);
        Backoff { cluster: self.clone(), started, deadline, pause }
    }

    /// Says that nobody answers where a broker should, so that who waits knows for what; not each time.
    fn tell_away(&self, error: &KafkaError) {
        let now = clock::now();
        let mut told = self.shared.told_away.lock().unwrap_or_else(PoisonError::into_inner);
        if told.is_none_or(|told| now >= told + TELL_AGAIN) {
            *told = Some(now);
            tracing::warn!("{error}; still trying");
        }
    }

    /// Learns from an error where not to look again.
    fn learn(&self, error: &KafkaError) {
        let is_moved = match error {
            KafkaError::Code { code, .. } => matches!(code, ResponseError::NotController),
            KafkaError::Connect { .. }
            | KafkaError::Disconnected { .. }
            | KafkaError::TimedOut { .. } => true,
            _ => false,
        };
        if is_moved {
            self.metadata_lock().brokers.clear();
        }
    }
}

fn topic_metadata(name: &Arc<str>, topic: &MetadataResponseTopic) -> TopicMetadata {
    let ids = |ids: &[kafka_protocol::messages::BrokerId]| ids.iter().map(|id| id.0).collect();
    let mut partitions: Vec<_> = topic
        .partitions
        .iter()
        .map(|partition| PartitionMetadata {
            partition: partition.partition_index,
            leader: Some(partition.leader_id.0).filter(|id| *id >= 0),
            leader_epoch: partition.leader_epoch,
            replicas: ids(&partition.replica_nodes),
            in_sync: ids(&partition.isr_nodes),
        })
        .collect();
    partitions.sort_by_key(|partition| partition.partition);
    let id = TopicId(topic.topic_id.into_bytes());
    TopicMetadata { name: name.clone(), id, is_internal: topic.is_internal, partitions }
}

/// That there is no such topic.
fn unknown_topic(name: &str) -> KafkaError {
    KafkaError::of(MetadataRequest::NAME, name, ResponseError::UnknownTopicOrPartition)
}

/// A string of the protocol.
pub(super) fn text(text: &str) -> StrBytes {
    StrBytes::from_string(text.to_owned())
}

/// A topic's name of the protocol.
pub(super) fn topic_name(name: &str) -> TopicName {
    TopicName(text(name))
}

/// The pauses between attempts, and when to stop.
pub(super) struct Backoff {
    cluster: Cluster,
    started: Instant,
    deadline: Instant,
    pause: Duration,
}

impl Backoff {
    /// Pauses after an error that trying again may mend; gives it back if it may not, or if patience is over.
    pub(super) async fn pause(&mut self, error: KafkaError) -> Result<(), KafkaError> {
        let pause = clock::jitter(self.pause);
        if !error.is_retriable() || clock::now() + pause > self.deadline {
            return Err(error);
        }
        tracing::debug!(%error, ?pause, "kafka: will be retried");
        let is_away = matches!(error, KafkaError::Connect { .. });
        if is_away && clock::now() >= self.started + TELL_AFTER {
            self.cluster.tell_away(&error);
        }
        self.cluster.learn(&error);
        tokio::time::sleep(pause).await;
        self.pause = (self.pause * 2).min(self.cluster.config().retry_backoff_max);
        Ok(())
    }
}
