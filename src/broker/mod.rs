//! A broker within the process: Kafka's wire protocol on a loopback port, for demonstrations, development and tests.
//!
//! ```text
//! socket ─connection→ frame ─shape, decode→ request ─dispatch→ handler ─┬─▶ core: topics · groups · transactions
//!        ◀─────────── pieces ◀─encode─────── response ◀────────────────┘     log → storage (memory or files)
//! ```
//! One file for each family of requests, and below them the state: `core` is all that is remembered, behind one lock
//! that is never held across an await. Batches are stored and served as they came; only offset and epoch, which the
//! checksum does not cover, are written into their headers.
//!
//! It is one node, so there is no replication: what is appended is committed. The `consumer` protocol of KIP-848 and
//! share groups are not offered, and clients use the classic protocol. Offsets of groups do not expire.
//!
//! In memory, batches take up to [`EmbeddedConfig::memory_bytes_max`]; then the oldest batches of the largest
//! partition whose policy is `delete` make room. With a data directory, everything written survives a crash of the
//! process; what the operating system had not yet written is lost with the machine.
mod admin;
mod api;
mod background;
mod batch;
mod call;
mod client;
pub mod clock;
mod cluster;
mod compaction;
mod config;
mod config_api;
mod configs;
mod connection;
mod core;
mod dispatch;
mod error;
mod event;
mod faults;
mod fetch;
mod group_admin;
mod group_api;
mod group_offsets;
mod groups;
mod journal;
mod log;
mod offsets;
mod produce;
mod producer_steps;
mod producers;
mod rebalance;
mod refused;
mod sasl;
mod shape;
mod shared;
mod storage;
mod topics;
mod transaction_api;
mod transactions;
mod validate;
mod walk;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinHandle;

use self::core::Core;
pub use config::{EmbeddedConfig, SaslPlain};
use configs::Defaults;
pub use faults::{Fault, Faults, ProduceFault};
use shared::Broker;

/// Why an embedded broker did not start.
#[derive(Debug, thiserror::Error)]
pub enum EmbeddedError {
    /// Another program listens on the port.
    #[error("port {port} is taken; choose another with --kafka-port, or 0 for any that is free")]
    PortTaken {
        /// The port.
        port: u16,
    },
    /// The port cannot be listened on for another reason.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system says.
        source: std::io::Error,
    },
    /// Another broker works in the directory.
    #[error("the data directory {} is in use by another broker", path.display())]
    DataInUse {
        /// The directory.
        path: PathBuf,
    },
    /// A default for topics is none that a topic could have.
    #[error("the default for topics cannot be: {0}")]
    TopicDefault(String),
    /// The directory cannot be read or written.
    #[error("the data directory {} cannot be used: {source}", path.display())]
    Data {
        /// The directory.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
}

/// A running broker. It stops when [`EmbeddedBroker::shutdown`] is called or it is dropped.
pub struct EmbeddedBroker {
    broker: Arc<Broker>,
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
}

impl EmbeddedBroker {
    /// Starts a broker; it serves clients from then on.
    pub async fn start(config: EmbeddedConfig) -> Result<Self, EmbeddedError> {
        let address = SocketAddr::new(config.host, config.port);
        let listener = TcpListener::bind(address).await.map_err(|source| match source.kind() {
            std::io::ErrorKind::AddrInUse => EmbeddedError::PortTaken { port: config.port },
            _ => EmbeddedError::Listen { address, source },
        })?;
        let address =
            listener.local_addr().map_err(|source| EmbeddedError::Listen { address, source })?;
        let lock = config.data_dir.as_ref().map(|path| lock_data(path)).transpose()?;
        let defaults = Defaults::new(config.topic_defaults.clone());
        let defaults = defaults.map_err(|refused| EmbeddedError::TopicDefault(refused.message))?;
        let core = Core::open(config.data_dir.as_deref(), defaults, (config.clock)());
        let core = core.map_err(|source| EmbeddedError::Data {
            path: config.data_dir.clone().unwrap_or_default(),
            source,
        })?;
        let in_flight = Arc::new(Semaphore::new(config.in_flight_bytes_max.div_ceil(1024)));
        let faults = Arc::new(Faults::default());
        let broker = Arc::new(Broker {
            config,
            address,
            core: Mutex::new(core),
            faults,
            in_flight,
            _lock: lock,
        });
        let (stop, stopped) = watch::channel(false);
        let accept =
            tokio::spawn(connection::accept(Arc::clone(&broker), listener, stopped.clone()));
        let background = tokio::spawn(background::run(Arc::clone(&broker), stopped));
        tracing::info!(%address, "the embedded broker listens");
        Ok(Self { broker, stop, tasks: vec![accept, background] })
    }

    /// The address that it listens on.
    pub fn address(&self) -> SocketAddr {
        self.broker.address
    }

    /// What clients take as `bootstrap.servers`.
    pub fn bootstrap(&self) -> String {
        format!("{}:{}", self.broker.host(), self.broker.address.port())
    }

    /// Makes it fail on purpose.
    pub fn faults(&self) -> Arc<Faults> {
        Arc::clone(&self.broker.faults)
    }

    /// Compacts and deletes what the topics' policies say, now instead of some time later.
    pub async fn clean(&self) {
        background::clean(&self.broker, true).await;
    }

    /// Stops serving, and writes out what is in files.
    pub async fn shutdown(mut self) {
        self.stop.send_replace(true);
        for task in self.tasks.drain(..) {
            let _ = task.await;
        }
        if let Err(error) = self.broker.core().sync() {
            tracing::error!(%error, "the data directory could not be written");
        }
    }
}

impl Drop for EmbeddedBroker {
    fn drop(&mut self) {
        self.stop.send_replace(true);
    }
}

fn lock_data(path: &std::path::Path) -> Result<std::fs::File, EmbeddedError> {
    let failed = |source| EmbeddedError::Data { path: path.to_owned(), source };
    std::fs::create_dir_all(path).map_err(failed)?;
    let file = std::fs::File::create(path.join("lock")).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(std::fs::TryLockError::WouldBlock) => {
            Err(EmbeddedError::DataInUse { path: path.to_owned() })
        }
        Err(std::fs::TryLockError::Error(source)) => Err(failed(source)),
    }
}
