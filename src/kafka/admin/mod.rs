//! What an administrator asks of a cluster: topics, configs, offsets and groups.
mod configs;
mod groups;
mod offsets;
mod topics;

pub use configs::{ConfigEntry, ConfigResource};
pub use groups::{GroupDescription, GroupListing, GroupMemberDescription};
pub(in crate::kafka) use offsets::by_topic;
pub use offsets::{ListedOffset, OffsetSpec};
pub use topics::NewTopic;

use super::cluster::Cluster;
use super::error::KafkaError;

/// The administrator's client of a cluster.
#[derive(Debug, Clone)]
pub struct Admin {
    cluster: Cluster,
}

impl Admin {
    /// The administrator's client of `cluster`; how long its calls are retried is the cluster handle's patience.
    pub fn new(cluster: &Cluster) -> Self {
        Self { cluster: cluster.clone() }
    }

    /// The cluster.
    pub fn cluster(&self) -> &Cluster {
        &self.cluster
    }

    /// The id of the cluster.
    pub async fn cluster_id(&self) -> Result<Option<String>, KafkaError> {
        Ok(self.cluster.metadata().await?.cluster_id)
    }
}
