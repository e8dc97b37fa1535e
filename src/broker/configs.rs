//! The configurations of topics and of the broker: names, defaults and what values they take.
use std::collections::BTreeMap;

use kafka_protocol::error::ResponseError;

use super::refused::Refused;

/// What values a configuration takes.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    Boolean,
    Text,
    Int,
    Long,
    Double,
    List(&'static [&'static str]),
    OneOf(&'static [&'static str]),
}

impl Kind {
    /// Kafka's number for the type, as `DescribeConfigs` tells it.
    pub(super) fn code(self) -> i8 {
        match self {
            Self::Boolean => 1,
            Self::Text | Self::OneOf(_) => 2,
            Self::Int => 3,
            Self::Long => 5,
            Self::Double => 6,
            Self::List(_) => 7,
        }
    }

    fn accepts(self, value: &str) -> bool {
        match self {
            Self::Boolean => matches!(value, "true" | "false"),
            Self::Text => true,
            Self::Int => value.parse::<i32>().is_ok(),
            Self::Long => value.parse::<i64>().is_ok(),
            Self::Double => value.parse::<f64>().is_ok(),
            Self::List(values) => value.split(',').all(|part| values.contains(&part.trim())),
            Self::OneOf(values) => values.contains(&value),
        }
    }
}

/// A configuration of a topic: name, default, and values.
pub(super) struct Config {
    pub(super) name: &'static str,
    pub(super) default: &'static str,
    pub(super) kind: Kind,
}

const fn config(name: &'static str, default: &'static str, kind: Kind) -> Config {
    Config { name, default, kind }
}

/// The configurations of a topic. Those that a single broker has no use for are kept and shown, without effect.
///
/// `retention.ms` is unlimited by default, unlike Kafka's week, because test and demonstration data carries old
/// timestamps and would be deleted at once.
pub(super) static TOPIC_CONFIGS: &[Config] = &[
    config("cleanup.policy", "delete", Kind::List(&["delete", "compact"])),
    config("compression.gzip.level", "-1", Kind::Int),
    config("compression.lz4.level", "9", Kind::Int),
    config(
        "compression.type",
        "producer",
        Kind::OneOf(&["producer", "uncompressed", "gzip", "snappy", "lz4", "zstd"]),
    ),
    config("compression.zstd.level", "3", Kind::Int),
    config("delete.retention.ms", "86400000", Kind::Long),
    config("file.delete.delay.ms", "60000", Kind::Long),
    config("flush.messages", "9223372036854775807", Kind::Long),
    config("flush.ms", "9223372036854775807", Kind::Long),
    config("follower.replication.throttled.replicas", "", Kind::Text),
    config("index.interval.bytes", "4096", Kind::Int),
    config("leader.replication.throttled.replicas", "", Kind::Text),
    config("local.retention.bytes", "-2", Kind::Long),
    config("local.retention.ms", "-2", Kind::Long),
    config("max.compaction.lag.ms", "9223372036854775807", Kind::Long),
    config("max.message.bytes", "1048588", Kind::Int),
    config("message.downconversion.enable", "true", Kind::Boolean),
    config("message.format.version", "3.0-IV1", Kind::Text),
    config("message.timestamp.after.max.ms", "9223372036854775807", Kind::Long),
    config("message.timestamp.before.max.ms", "9223372036854775807", Kind::Long),
    config("message.timestamp.difference.max.ms", "9223372036854775807", Kind::Long),
    config("message.timestamp.type", "CreateTime", Kind::OneOf(&["CreateTime", "LogAppendTime"])),
    config("min.cleanable.dirty.ratio", "0.5", Kind::Double),
    config("min.compaction.lag.ms", "0", Kind::Long),
    config("min.insync.replicas", "1", Kind::Int),
    config("preallocate", "false", Kind::Boolean),
    config("remote.storage.enable", "false", Kind::Boolean),
    config("retention.bytes", "-1", Kind::Long),
    config("retention.ms", "-1", Kind::Long),
    config("segment.bytes", "1073741824", Kind::Int),
    config("segment.index.bytes", "10485760", Kind::Int),
    config("segment.jitter.ms", "0", Kind::Long),
    config("segment.ms", "604800000", Kind::Long),
    config("unclean.leader.election.enable", "false", Kind::Boolean),
];

/// The configuration of a name.
pub(super) fn find(name: &str) -> Option<&'static Config> {
    TOPIC_CONFIGS.iter().find(|config| config.name == name)
}

/// What topics have where they set nothing of their own: what the broker was set up with, or Kafka's defaults.
#[derive(Debug, Default)]
pub(super) struct Defaults(BTreeMap<String, String>);

impl Defaults {
    /// Takes the broker's settings, if each is one that a topic could have.
    pub(super) fn new(set: BTreeMap<String, String>) -> Result<Self, Refused> {
        set.iter().try_for_each(|(name, value)| check(name, value))?;
        Ok(Self(set))
    }

    /// The default of a configuration, or nothing if there is no such configuration.
    pub(super) fn of(&self, name: &str) -> &str {
        self.0
            .get(name)
            .map_or_else(|| find(name).map_or("", |config| config.default), String::as_str)
    }

    /// Whether the broker was set up with a default of its own.
    pub(super) fn is_set(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }
}

/// Checks a configuration that is to be set on a topic.
pub(super) fn check(name: &str, value: &str) -> Result<(), Refused> {
    let Some(config) = find(name) else {
        let message = format!("Unknown topic config name: {name}");
        return Err(Refused::new(ResponseError::InvalidConfig, message));
    };
    if config.kind.accepts(value) {
        return Ok(());
    }
    Err(Refused::new(
        ResponseError::InvalidConfig,
        format!("Invalid value {value} for configuration {name}"),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_default_is_a_value_of_its_kind() {
        for config in TOPIC_CONFIGS {
            assert!(config.kind.accepts(config.default), "{}", config.name);
        }
        assert!(check("cleanup.policy", "compact,delete").is_ok());
        assert!(check("cleanup.policy", "vanish").is_err());
        assert!(check("no.such.thing", "1").is_err());
    }
}
