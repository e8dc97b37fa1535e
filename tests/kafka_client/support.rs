//! A broker to test against, and what the tests have in common.
use std::collections::BTreeMap;
use std::time::Duration;

use millstream::broker::{EmbeddedBroker, EmbeddedConfig};
use millstream::kafka::admin::{Admin, NewTopic};
use millstream::kafka::fetch::Fetcher;
use millstream::kafka::{ClientConfig, Cluster, TopicPartition};

/// A broker to test against: the one that `KAFKA_BROKERS` names, or one within this process.
pub(crate) struct Broker {
    pub(crate) cluster: Cluster,
    pub(crate) embedded: Option<EmbeddedBroker>,
}

pub(crate) async fn broker() -> Broker {
    // With RUST_LOG=millstream=debug, a failing test says what the client saw.
    let filter = tracing_subscriber::EnvFilter::from_default_env();
    let _ = tracing_subscriber::fmt().with_env_filter(filter).with_test_writer().try_init();
    if let Ok(servers) = std::env::var("KAFKA_BROKERS") {
        return Broker { cluster: client(&servers), embedded: None };
    }
    let embedded = EmbeddedBroker::start(EmbeddedConfig::default()).await.unwrap();
    Broker { cluster: client(&embedded.bootstrap()), embedded: Some(embedded) }
}

/// A broker within this process, also where there is another: only this one loses what it is told to lose.
pub(crate) async fn faulty() -> (Cluster, EmbeddedBroker) {
    let embedded = EmbeddedBroker::start(EmbeddedConfig::default()).await.unwrap();
    (client(&embedded.bootstrap()), embedded)
}

/// The same, with transactions as Kafka had them before version 4.
pub(crate) async fn faulty_before_4() -> (Cluster, EmbeddedBroker) {
    let config = EmbeddedConfig { transaction_version: 1, ..EmbeddedConfig::default() };
    let embedded = EmbeddedBroker::start(config).await.unwrap();
    (client(&embedded.bootstrap()), embedded)
}

pub(crate) fn client(servers: &str) -> Cluster {
    // Other properties, such as those of a login, come as name=value, one a line.
    let others = std::env::var("KAFKA_PROPERTIES").unwrap_or_default();
    let others = others.lines().filter_map(|line| line.split_once('='));
    let mut properties: BTreeMap<String, String> =
        others.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    properties.insert("bootstrap.servers".to_owned(), servers.to_owned());
    Cluster::new(ClientConfig::from_properties(&properties).unwrap()).unwrap()
}

pub(crate) fn unique(name: &str) -> String {
    format!(
        "{name}-{:016x}",
        std::hash::BuildHasher::hash_one(&std::hash::RandomState::new(), name)
    )
}

/// Everything that a fetcher brings until it has `count` records, as partition, offset and value.
pub(crate) async fn read(fetcher: &Fetcher, count: usize) -> Vec<(i32, i64, String)> {
    let mut records = Vec::new();
    while records.len() < count {
        let fetched = timeout(fetcher.poll(Duration::from_secs(5))).await.unwrap();
        for fetched in &fetched {
            for record in fetched.records() {
                let record = record.unwrap();
                let value = String::from_utf8_lossy(record.value.unwrap_or(b"-")).into_owned();
                records.push((fetched.partition.partition, record.offset, value));
            }
        }
    }
    records
}

/// Fails a test that hangs.
pub(crate) async fn timeout<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(40), future).await.expect("this should take a moment")
}

pub(crate) fn with(cluster: &Cluster, change: impl FnOnce(&mut ClientConfig)) -> Cluster {
    let mut config = cluster.config().clone();
    change(&mut config);
    Cluster::new(config).unwrap()
}

pub(crate) async fn topic(cluster: &Cluster, name: &str, partitions: i32) -> String {
    let name = unique(name);
    Admin::new(cluster).create_topic(&NewTopic::new(&name, partitions)).await.unwrap();
    name
}

pub(crate) fn from_start(topic: &str, partitions: i32) -> Vec<(TopicPartition, i64)> {
    (0..partitions).map(|partition| (TopicPartition::new(topic, partition), 0)).collect()
}

/// Kafka's numbers of the requests that meet faults.
pub(crate) const PRODUCE: i16 = 0;
pub(crate) const FETCH: i16 = 1;
pub(crate) const METADATA: i16 = 3;
pub(crate) const COMMIT: i16 = 8;
pub(crate) const END_TRANSACTION: i16 = 26;
pub(crate) const HEARTBEAT: i16 = 12;
pub(crate) const LEAVE: i16 = 13;
