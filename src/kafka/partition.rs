//! What a partition and a topic are called.
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// A partition of a topic.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TopicPartition {
    /// The name of the topic.
    pub topic: Arc<str>,
    /// The number of the partition.
    pub partition: i32,
}

impl TopicPartition {
    /// A partition of a topic.
    pub fn new(topic: impl Into<Arc<str>>, partition: i32) -> Self {
        Self { topic: topic.into(), partition }
    }
}

impl std::fmt::Display for TopicPartition {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}-{}", self.topic, self.partition)
    }
}

/// What tells a topic from another one of the same name that was there before it.
///
/// A cluster before Kafka 2.8 has no ids: all its topics have [`Self::UNKNOWN`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct TopicId(pub [u8; 16]);

impl TopicId {
    /// No id.
    pub const UNKNOWN: Self = Self([0; 16]);

    /// Whether it is an id.
    pub fn is_known(self) -> bool {
        self != Self::UNKNOWN
    }

    /// Whether both are ids, and of two topics.
    pub fn differs(self, other: Self) -> bool {
        self.is_known() && other.is_known() && self != other
    }
}

impl std::fmt::Display for TopicId {
    /// As Kafka's tools show it.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&URL_SAFE_NO_PAD.encode(self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_shown_as_kafka_shows_it() {
        let id = TopicId([0xfb, 0xff, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13]);
        assert_eq!(id.to_string(), "-_8AAQIDBAUGBwgJCgsMDQ");
        assert!(id.is_known() && !TopicId::UNKNOWN.is_known());
        assert!(!id.differs(TopicId::UNKNOWN) && !id.differs(id) && id.differs(TopicId([1; 16])));
    }
}
