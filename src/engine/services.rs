//! The services that statements are run against.

use super::{Known, Needs, Properties, schemas, topics};
use crate::kafka::admin::Admin;
use crate::kafka::config::ConfigError;
use crate::kafka::{ClientConfig, Cluster, KafkaError};
use crate::registry::{RegistryClient, RegistryConfig, RegistryError};
use crate::runtime::live::LiveError;

/// The services that statements are run against: Kafka, and the schema registry if there is one.
#[derive(Clone, Debug)]
pub struct Services {
    /// The cluster.
    pub cluster: Cluster,
    /// The registry (`ksql.schema.registry.url`).
    pub registry: Option<RegistryClient>,
}

/// Why services cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ServicesError {
    /// A property has a value that cannot be.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// Kafka.
    #[error(transparent)]
    Kafka(#[from] KafkaError),
    /// The registry.
    #[error(transparent)]
    Registry(#[from] RegistryError),
}

impl Services {
    /// The services that properties name. Nothing is connected yet.
    pub fn new(properties: &Properties) -> Result<Self, ServicesError> {
        let config = ClientConfig::from_properties(&properties.for_clients())?;
        // Of those who write through it, each that does so in transactions has an id of its own.
        let config = ClientConfig { transactional_id: None, ..config };
        Ok(Self { cluster: Cluster::new(config)?, registry: registry(properties)? })
    }

    /// Finds out what a statement needs to know and nobody knows yet.
    pub(super) async fn look_up<E>(&self, needs: &Needs, known: &mut Known) -> Result<(), E>
    where
        E: From<LiveError> + From<RegistryError>,
    {
        topics::look_up(&Admin::new(&self.cluster), needs, known).await?;
        if let Some(registry) = &self.registry {
            schemas::look_up(registry, needs, known).await?;
        }
        Ok(())
    }

    /// A cluster alone.
    pub fn of(cluster: &Cluster) -> Self {
        Self { cluster: cluster.clone(), registry: None }
    }
}

/// The registry that properties name (`ksql.schema.registry.url`), if they name one.
pub fn registry(properties: &Properties) -> Result<Option<RegistryClient>, ServicesError> {
    let config = RegistryConfig::from_properties(&properties.all())?;
    Ok(config.map(RegistryClient::new).transpose()?)
}
