//! The embedded broker from outside: through the wire protocol, rskafka, restarts, and frames that nobody should send.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod admin;
mod files;
mod groups;
mod hostile;
mod records;
mod refusals;
mod transactions;
mod versions;
mod wire;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use millstream::broker::{EmbeddedBroker, EmbeddedConfig};

/// A broker in memory.
async fn start() -> EmbeddedBroker {
    EmbeddedBroker::start(EmbeddedConfig::default()).await.unwrap()
}

/// A clock that stands still until it is moved.
#[derive(Clone)]
struct StillClock(Arc<AtomicI64>);

impl StillClock {
    fn new(now: i64) -> Self {
        Self(Arc::new(AtomicI64::new(now)))
    }

    fn advance(&self, by: i64) {
        self.0.fetch_add(by, Ordering::Relaxed);
    }

    fn config(&self) -> EmbeddedConfig {
        let now = Arc::clone(&self.0);
        EmbeddedConfig {
            clock: Arc::new(move || now.load(Ordering::Relaxed)),
            ..EmbeddedConfig::default()
        }
    }
}
