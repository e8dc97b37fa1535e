//! What Kafka is asked for planning, and topics made of what planning asks for.

use std::collections::BTreeMap;

use super::{Known, Needs, TopicRequest, TopicShape};
use crate::kafka::admin::{Admin, ConfigResource};
use crate::runtime::live::{LiveError, ensure_topic};

/// Finds out what a statement needs to know and nobody knows yet.
pub(super) async fn look_up(
    admin: &Admin,
    needs: &Needs,
    known: &mut Known,
) -> Result<(), LiveError> {
    for name in needs.topics.keys() {
        if known.topic(name).is_some() {
            continue;
        }
        let Some(found) = admin.describe_topic(name).await? else { continue };
        let configs = admin.describe_configs(&ConfigResource::Topic(name.clone())).await?;
        let mut retention = configs.into_iter().filter(|entry| entry.name == "retention.ms");
        let retention_ms =
            retention.find_map(|entry| entry.value.and_then(|value| value.parse().ok()));
        let replicas =
            found.partitions.first().map_or(1, |partition| partition.replicas.len() as i16);
        let partitions = found.partitions.len() as i32;
        known.add_topic(name.as_str(), TopicShape { partitions, replicas, retention_ms });
    }
    Ok(())
}

/// What the brokers say about the retention of topics that say nothing: in milliseconds, minutes or
/// hours, the first that is set.
pub(super) async fn default_retention(admin: &Admin) -> Result<Option<i64>, LiveError> {
    let brokers = admin.cluster().metadata().await?.brokers;
    let Some(broker) = brokers.keys().min() else { return Ok(None) };
    let configs = match admin.describe_configs(&ConfigResource::Broker(*broker)).await {
        Ok(configs) => configs,
        Err(error) if error.is_retriable() => return Err(error.into()),
        Err(error) => {
            // Not everybody may ask this; sinks then have the brokers' retention without saying so.
            tracing::debug!("the retention of the brokers is not known: {error}");
            Vec::new()
        }
    };
    let units = [
        ("log.retention.ms", 1),
        ("log.retention.minutes", 60_000),
        ("log.retention.hours", 3_600_000),
    ];
    let value = |(name, unit_ms): (&str, i64)| {
        let config = configs.iter().find(|config| config.name == name)?;
        let value: i64 = config.value.as_ref()?.parse().ok()?;
        Some(if value < 0 { -1 } else { value.saturating_mul(unit_ms) })
    };
    Ok(units.into_iter().find_map(value))
}

/// Makes a topic, unless it is there by now.
pub(super) async fn create(admin: &Admin, request: &TopicRequest) -> Result<(), LiveError> {
    let mut configs =
        BTreeMap::from([("cleanup.policy".to_owned(), request.cleanup_policy.to_owned())]);
    if let Some(retention_ms) = request.shape.retention_ms {
        configs.insert("retention.ms".to_owned(), retention_ms.to_string());
    }
    let TopicShape { partitions, replicas, .. } = request.shape;
    ensure_topic(admin, &request.name, partitions, replicas, &configs).await.map(drop)
}
