//! The registry that is asked: one of our own for each case, or another one, emptied.

use millstream::broker::{EmbeddedBroker, EmbeddedConfig};
use millstream::kafka::{ClientConfig, Cluster};
use millstream::registry::{EmbeddedRegistry, EmbeddedRegistryConfig};

use super::http;

/// Whether another registry than ours is asked.
pub(crate) fn is_foreign() -> bool {
    foreign().is_some()
}

fn foreign() -> Option<String> {
    std::env::var("MILLSTREAM_REGISTRY_URL").ok()
}

/// An empty registry.
pub(crate) struct Registry {
    pub(crate) url: String,
    own: Option<(EmbeddedBroker, EmbeddedRegistry)>,
}

impl Registry {
    pub(crate) async fn start() -> Self {
        Self::start_for(None).await
    }

    /// One that lets in a user alone, if it is ours.
    pub(crate) async fn start_for(user: Option<(String, String)>) -> Self {
        if let Some(url) = foreign() {
            for reset in std::env::var("MILLSTREAM_REGISTRY_RESET").unwrap_or_default().split(' ') {
                http::send(reset, "DELETE", "", None, &[]).await;
            }
            return Self { url, own: None };
        }
        let broker = EmbeddedBroker::start(EmbeddedConfig::default()).await.unwrap();
        let registry = start_on(&broker, user).await;
        Self { url: registry.url(), own: Some((broker, registry)) }
    }

    /// Starts it again on what it has written, if it is ours.
    pub(crate) async fn restart(&mut self) {
        let Some((broker, registry)) = self.own.take() else { return };
        registry.shutdown().await;
        // Compaction must not lose anything either.
        broker.clean().await;
        let registry = start_on(&broker, None).await;
        self.url = registry.url();
        self.own = Some((broker, registry));
    }

    /// Whether it is ours.
    pub(crate) fn is_own(&self) -> bool {
        self.own.is_some()
    }

    pub(crate) async fn stop(self) {
        if let Some((broker, registry)) = self.own {
            registry.shutdown().await;
            broker.shutdown().await;
        }
    }
}

async fn start_on(broker: &EmbeddedBroker, user: Option<(String, String)>) -> EmbeddedRegistry {
    let cluster = Cluster::new(ClientConfig::new(&broker.bootstrap()).unwrap()).unwrap();
    let config = EmbeddedRegistryConfig { user, ..EmbeddedRegistryConfig::default() };
    EmbeddedRegistry::start(&cluster, config).await.unwrap()
}
