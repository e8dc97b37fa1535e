//! `SHOW TOPICS`.

use super::answer::TopicText;
use super::{HostError, Shared};
use crate::kafka::admin::Admin;
use crate::kafka::cluster::TopicMetadata;

/// How the names of topics begin that are hidden (`ksql.hidden.topics`).
const HIDDEN: &[&str] = &["_confluent", "__confluent"];

/// Other topics that are hidden.
const HIDDEN_NAMES: &[&str] = &[
    "_schemas",
    "__consumer_offsets",
    "__transaction_state",
    "connect-configs",
    "connect-offsets",
    "connect-status",
    "connect-statuses",
];

impl Shared {
    pub(super) async fn list_topics(
        &self,
        all: bool,
        with_consumers: bool,
    ) -> Result<Vec<TopicText>, HostError> {
        let admin = Admin::new(&self.services.cluster);
        let topics = admin.list_topics().await?;
        let shown = topics.iter().filter(|topic| {
            let name = topic.name.as_ref();
            let is_hidden = HIDDEN.iter().any(|prefix| name.starts_with(prefix))
                || HIDDEN_NAMES.contains(&name);
            // A topic of Kafka's own is never shown.
            !is_hidden || (all && !name.starts_with("__"))
        });
        let mut texts: Vec<_> = shown
            .map(|topic| TopicText {
                name: topic.name.to_string(),
                replicas: replica_counts(topic),
                consumers: 0,
                groups: 0,
            })
            .collect();
        if with_consumers {
            self.count_readers(&mut texts);
        }
        Ok(texts)
    }

    /// Counts the queries of this service that read topics.
    fn count_readers(&self, topics: &mut [TopicText]) {
        let state = self.state();
        for query in state.engine.queries() {
            for (_, source) in query.plan.sources() {
                if let Some(topic) = topics.iter_mut().find(|topic| topic.name == source.topic) {
                    topic.consumers += topic.replicas.len();
                    topic.groups += 1;
                }
            }
        }
    }
}

/// The replicas of each partition.
pub(super) fn replica_counts(topic: &TopicMetadata) -> Vec<usize> {
    topic.partitions.iter().map(|partition| partition.replicas.len()).collect()
}
