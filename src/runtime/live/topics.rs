//! Topics that queries need, made with ksqlDB's names and configurations.

use std::collections::BTreeMap;
use std::str::FromStr;
use std::time::Duration;

use super::error::LiveError;
use crate::kafka::ResponseError;
use crate::kafka::admin::{Admin, ConfigResource, NewTopic};
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

/// The configuration by which a topic refuses records from too far ahead.
pub(super) const AHEAD_MAX: &str = "message.timestamp.after.max.ms";

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
        Err(error) => {
            // Another has just made it, perhaps another query of this process.
            if error.is_code(ResponseError::TopicAlreadyExists) {
                wait_until_known(admin, name).await?;
            }
            match admin.describe_topic(name).await? {
                Some(found) => Ok(EnsuredTopic::Existing(found.partitions.len() as i32)),
                None => Err(error.into()),
            }
        }
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

/// The configuration of a topic, by name.
#[derive(Debug, Default)]
pub(super) struct TopicConfigs(BTreeMap<String, String>);

impl TopicConfigs {
    /// That of a topic; empty where nobody tells.
    pub(super) async fn of(admin: &Admin, topic: &str) -> Self {
        let configs = admin.describe_configs(&ConfigResource::Topic(topic.to_owned())).await;
        let configs = configs.unwrap_or_else(|error| {
            tracing::debug!("the configuration of {topic} is not known: {error}");
            Vec::new()
        });
        Self(configs.into_iter().filter_map(|entry| Some((entry.name, entry.value?))).collect())
    }

    /// A value, as it is written.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// A value, if it reads as such a one.
    pub(super) fn get<V: FromStr>(&self, name: &str) -> Option<V> {
        self.text(name)?.parse().ok()
    }

    /// How far ahead of the broker's clock records may be dated, in milliseconds, where there is a limit. From Kafka 3.6 on
    /// topics may have one (KIP-937), and from 4.0 on they have an hour unless it is set (KIP-1030).
    pub(super) fn ahead_max_ms(&self) -> Option<i64> {
        let creates = self.text("message.timestamp.type").is_none_or(|kind| kind == "CreateTime");
        self.get(AHEAD_MAX).filter(|ms| creates && *ms < i64::MAX)
    }
}

impl<'c> FromIterator<(&'c str, &'c str)> for TopicConfigs {
    fn from_iter<I: IntoIterator<Item = (&'c str, &'c str)>>(configs: I) -> Self {
        let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        Self(configs.into_iter().map(owned).collect())
    }
}

/// Has an internal topic take records that are dated however far ahead, as those of its source may be.
pub(super) async fn take_any_time(admin: &Admin, topic: &str) {
    let Some(ahead_ms) = TopicConfigs::of(admin, topic).await.ahead_max_ms() else { return };
    let any = i64::MAX.to_string();
    let any = [(AHEAD_MAX, Some(any.as_str()))];
    if let Err(error) = admin.alter_configs(&ConfigResource::Topic(topic.to_owned()), &any).await {
        tracing::warn!(
            "topic {topic} takes no records dated more than {ahead_ms} ms ahead ({AHEAD_MAX}), and that cannot be \
             changed: {error}"
        );
    }
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
            // No key of a join's changelog comes twice.
            let is_join = store.kind == crate::plan::StoreKind::JoinWindow;
            if is_join { "delete" } else { "compact,delete" }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::Format;
    use crate::plan::StoreKind;

    fn check(kind: StoreKind, retention_ms: Option<i64>, expected: &[(&str, &str)]) {
        let store = StoreSpec {
            name: "store".to_owned(),
            kind,
            stored: crate::types::Schema::default(),
            key_format: Format::Kafka.into(),
            value_format: Format::Json.into(),
            retention_ms,
        };
        let configs = changelog_configs(&store);
        let configs: Vec<_> = configs.iter().map(|(name, value)| (&**name, &**value)).collect();
        assert_eq!(configs, expected);
    }

    #[test]
    fn changelogs_are_cleaned_as_their_stores_are() {
        let time = ("message.timestamp.type", "CreateTime");
        let day_ms = 24 * 60 * 60 * 1_000;
        let kept = |policy| [("cleanup.policy", policy), time, ("retention.ms", "172800000")];
        check(StoreKind::Table, None, &[("cleanup.policy", "compact"), time]);
        check(StoreKind::Unmatched, None, &[("cleanup.policy", "compact"), time]);
        check(StoreKind::WindowAggregate, Some(day_ms), &kept("compact,delete"));
        check(StoreKind::JoinWindow, Some(day_ms), &kept("delete"));
    }
}
