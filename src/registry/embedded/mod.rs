//! A Schema Registry within the process, beside the embedded broker, for demonstrations, development and tests.
//!
//! ```text
//! HTTP ─rest→ Call ─→ service ─┬─ ask: a look at the state
//!                              └─ change: register, remove, settings plan records ─journal→ _schemas ─→ state
//! ```
//! It speaks the REST API of Confluent's registry, and keeps what it knows where that does, in the same records. All that
//! is decided is decided by pure functions over one state: what a request changes comes out as records, and holds
//! once they are written. The languages of schemas stand in files of their own: reading, one way of writing, comparing.
//!
//! What is refused is a refusal with the registry's own numbers and words.

mod content;
mod journal;
mod language;
mod level;
mod record;
mod refusal;
mod register;
mod remove;
mod rest;
mod service;
mod settings;
mod state;
mod subject;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::schema::SchemaType;
use crate::kafka::{Cluster, KafkaError};
use journal::Journal;
pub use service::Clock;
use service::Service;

/// The text of a schema that uses no others, as a registry keeps it; none if it cannot be read.
pub fn kept_text(ty: SchemaType, text: &str) -> Option<String> {
    language::Parsed::parse(ty, text, &[]).ok().map(|schema| schema.text())
}

/// How long requests that are under way may take once the registry stops.
const STOP_WITHIN: Duration = Duration::from_secs(5);

/// How an embedded registry is set up.
#[derive(Clone)]
pub struct EmbeddedRegistryConfig {
    /// The address to listen on; by default the loopback interface.
    pub host: IpAddr,
    /// The port, or 0 for any that is free.
    pub port: u16,
    /// The name and the password that clients must present, if any.
    pub user: Option<(String, String)>,
    /// The longest body of a request; what is longer is refused.
    pub body_bytes_max: usize,
    /// Dates what is written.
    pub clock: Clock,
}

impl Default for EmbeddedRegistryConfig {
    fn default() -> Self {
        Self {
            host: IpAddr::V4(Ipv4Addr::LOCALHOST),
            port: 0,
            user: None,
            // As much as a record of Kafka takes, with room for what stands around a schema.
            body_bytes_max: 2 << 20,
            clock: Arc::new(|| -1),
        }
    }
}

/// Why an embedded registry did not start.
#[derive(Debug, thiserror::Error)]
pub enum EmbeddedRegistryError {
    /// Another program listens on the port.
    #[error("port {port} is taken; choose another with --registry-port, or 0 for any that is free")]
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
    /// The topic of schemas cannot be read or made.
    #[error("the topic {} cannot be used: {_0}", journal::TOPIC)]
    Topic(#[from] KafkaError),
}

/// A running registry. It stops when [`EmbeddedRegistry::shutdown`] is called or it is dropped.
pub struct EmbeddedRegistry {
    address: SocketAddr,
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
}

impl EmbeddedRegistry {
    /// Starts a registry on what the topic `_schemas` of a cluster holds; it serves clients from then on.
    pub async fn start(
        cluster: &Cluster,
        config: EmbeddedRegistryConfig,
    ) -> Result<Self, EmbeddedRegistryError> {
        let address = SocketAddr::new(config.host, config.port);
        let listener = TcpListener::bind(address).await.map_err(|source| match source.kind() {
            std::io::ErrorKind::AddrInUse => EmbeddedRegistryError::PortTaken { port: config.port },
            _ => EmbeddedRegistryError::Listen { address, source },
        })?;
        let address = listener
            .local_addr()
            .map_err(|source| EmbeddedRegistryError::Listen { address, source })?;
        let journal = Journal::open(cluster).await?;
        let state = journal.read().await?;
        let (service, writer) = Service::new(journal, state, config.clock);
        let router = rest::router(service, config.body_bytes_max, config.user);
        let (stop, stopped) = watch::channel(false);
        let serve = tokio::spawn(serve(listener, router, stopped));
        tracing::info!(%address, "the embedded registry listens");
        Ok(Self { address, stop, tasks: vec![serve, tokio::spawn(writer)] })
    }

    /// The address that it listens on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What clients take as `schema.registry.url`.
    pub fn url(&self) -> String {
        match self.address.ip() {
            ip if ip.is_unspecified() => format!("http://localhost:{}", self.address.port()),
            _ => format!("http://{}", self.address),
        }
    }

    /// Stops serving, once what is under way is done.
    pub async fn shutdown(mut self) {
        self.stop.send_replace(true);
        for task in self.tasks.drain(..) {
            let _ = task.await;
        }
    }
}

impl Drop for EmbeddedRegistry {
    fn drop(&mut self) {
        self.stop.send_replace(true);
    }
}

async fn serve(listener: TcpListener, router: axum::Router, stopped: watch::Receiver<bool>) {
    let until = |mut stopped: watch::Receiver<bool>| async move {
        let _ = stopped.wait_for(|stopped| *stopped).await;
    };
    let serving = axum::serve(listener, router).with_graceful_shutdown(until(stopped.clone()));
    let too_late = async {
        until(stopped).await;
        tokio::time::sleep(STOP_WITHIN).await;
    };
    tokio::select! {
        served = serving => {
            if let Err(error) = served {
                tracing::warn!(%error, "the embedded registry has stopped");
            }
        }
        () = too_late => {}
    }
}
