//! How an embedded broker is set up.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::time::Duration;

use super::clock::{self, Clock};

/// How an embedded broker is set up.
#[derive(Clone)]
pub struct EmbeddedConfig {
    /// The address to listen on; by default the loopback interface.
    pub host: IpAddr,
    /// The port, or 0 for any that is free.
    pub port: u16,
    /// The host name that clients are told, if it is not that of `host`.
    pub advertised_host: Option<String>,
    /// Where records and offsets are kept; in memory if there is none.
    pub data_dir: Option<PathBuf>,
    /// The credentials that clients must present, if any.
    pub sasl: Option<SaslPlain>,
    /// The partitions of topics that are created without a number.
    pub default_partitions: i32,
    /// Whether a topic is created when a client first asks for it.
    pub auto_create_topics: bool,
    /// How many bytes of batches are kept in memory.
    pub memory_bytes_max: u64,
    /// The largest request.
    pub request_bytes_max: usize,
    /// How many bytes of requests are worked on at the same time.
    pub in_flight_bytes_max: usize,
    /// How many clients may be connected.
    pub connections_max: usize,
    /// How long the first rebalance of a group waits for more members.
    pub initial_rebalance_delay_ms: i64,
    /// How often old records are deleted and logs compacted; never if there is none.
    pub cleaning_interval: Option<Duration>,
    /// What topics have where they set nothing of their own, by the names of topic configs.
    pub topic_defaults: BTreeMap<String, String>,
    /// The version of transactions that clients are told: 2 as in Kafka 4, or less for those that add each partition before
    /// they write to it. Both are taken in either case.
    pub transaction_version: i16,
    /// Tells the time.
    pub clock: Clock,
}

impl Default for EmbeddedConfig {
    fn default() -> Self {
        Self {
            host: IpAddr::V4(Ipv4Addr::LOCALHOST),
            port: 0,
            advertised_host: None,
            data_dir: None,
            sasl: None,
            default_partitions: 1,
            auto_create_topics: true,
            memory_bytes_max: 1 << 30,
            request_bytes_max: 100 << 20,
            in_flight_bytes_max: 512 << 20,
            connections_max: 2_000,
            initial_rebalance_delay_ms: 0,
            cleaning_interval: Some(Duration::from_secs(5)),
            topic_defaults: BTreeMap::new(),
            transaction_version: 2,
            clock: clock::system(),
        }
    }
}

/// The name and password that clients must present.
#[derive(Clone)]
pub struct SaslPlain {
    /// The name.
    pub username: String,
    /// The password.
    pub password: String,
}
