//! What all connections share.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Semaphore;

use super::config::EmbeddedConfig;
use super::core::Core;
use super::faults::Faults;

/// What all connections share.
pub(super) struct Broker {
    pub(super) config: EmbeddedConfig,
    pub(super) address: SocketAddr,
    pub(super) core: Mutex<Core>,
    pub(super) faults: Arc<Faults>,
    pub(super) in_flight: Arc<Semaphore>,
    /// Keeps other brokers out of the data directory, until the last task has ended.
    pub(super) _lock: Option<std::fs::File>,
}

impl Broker {
    /// The state. The lock is held for as long as what comes back, and never across an await.
    pub(super) fn core(&self) -> MutexGuard<'_, Core> {
        self.core.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The time, in milliseconds.
    pub(super) fn now(&self) -> i64 {
        (self.config.clock)()
    }

    /// The host that clients are told.
    pub(super) fn host(&self) -> String {
        self.config.advertised_host.clone().unwrap_or_else(|| match self.address.ip() {
            ip if ip.is_unspecified() => "localhost".to_owned(),
            ip => ip.to_string(),
        })
    }
}
