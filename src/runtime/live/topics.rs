//! Topics that queries need, made with ksqlDB's names and configurations.

use std::collections::BTreeMap;
use std::time::Duration;

use super::error::LiveError;
use crate::kafka::admin::{Admin, NewTopic};
use crate::plan::StoreSpec;

/// Whether a topic was there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EnsuredTopic {
    /// It was there, with so many partitions.
    Existing(i32),
    /// It was made.
    Created,
}

/// How often, and with what pauses, a new topic is looked for.
const KNOWN_LOOKS: u32 = 100;
const KNOWN_WAIT: Duration = Duration::from_millis(100);

/// How long windowed changelogs are kept beyond the retention of their windows, as Kafka Streams'
/// `windowstore.changelog.additional.retention.ms`.
pub(super) const ADDITIONAL_RETENTION_MS: i64 = 24 * 60 * 60 * 1_000;

/// Makes a topic unless it exists.
pub async fn ensure_topic(
    admin: &Admin,
    name: &str,
    partitions: i32,
    replicas: i16,
    configs: &BTreeMap<String, String>,
) -> Result<EnsuredTopic, LiveError> {
    let existing = admin.describe_topic(name).await?;
    if let Some(topic) = existing {
        return Ok(EnsuredTopic::Existing(topic.partitions.len() as i32));
    }
    let mut topic = NewTopic::new(name, partitions);
    topic.replication_factor = Some(replicas);
    for (config, value) in configs {
        topic = topic.with_config(config, value.as_str());
    }
    match admin.create_topic(&topic).await {
        Ok(()) => {
            wait_until_known(admin, name).await?;
            Ok(EnsuredTopic::Created)
        }
        Err(error) => match admin.describe_topic(name).await? {
            Some(found) => Ok(EnsuredTopic::Existing(found.partitions.len() as i32)),
            None => Err(error.into()),
        },
    }
}

/// Waits until brokers know a topic: they hear of it some time after the one that made it.
async fn wait_until_known(admin: &Admin, name: &str) -> Result<(), LiveError> {
    for _ in 0..KNOWN_LOOKS {
        if admin.describe_topic(name).await?.is_some() {
            return Ok(());
        }
        tokio::time::sleep(KNOWN_WAIT).await;
    }
    let cause = "was made, but no broker knows it".to_owned();
    Err(LiveError::Topic { topic: name.to_owned(), cause })
}

/// The configuration of a changelog topic.
pub(super) fn changelog_configs(store: &StoreSpec) -> BTreeMap<String, String> {
    let mut configs =
        BTreeMap::from([("message.timestamp.type".to_owned(), "CreateTime".to_owned())]);
    let policy = match store.retention_ms {
        None => "compact",
        Some(retention_ms) => {
            let retention_ms = retention_ms.saturating_add(ADDITIONAL_RETENTION_MS);
            configs.insert("retention.ms".to_owned(), retention_ms.to_string());
            "compact,delete"
        }
    };
    configs.insert("cleanup.policy".to_owned(), policy.to_owned());
    configs
}

/// The configuration of a repartition topic.
pub(super) fn repartition_configs() -> BTreeMap<String, String> {
    let configs = [
        ("cleanup.policy", "delete"),
        ("segment.bytes", "52428800"),
        ("retention.ms", "-1"),
        ("message.timestamp.type", "CreateTime"),
    ];
    configs.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}
