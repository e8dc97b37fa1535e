//! `SHOW TOPICS`.

use std::collections::BTreeMap;

use regex::RegexSet;

use super::answer::TopicText;
use super::property_list::effective;
use super::{HostError, Shared};
use crate::kafka::KafkaError;
use crate::kafka::admin::Admin;
use crate::kafka::cluster::TopicMetadata;
use crate::kafka::group::decode_assignment;

/// What says which topics are hidden, as patterns of whole names.
const HIDDEN: &str = "ksql.hidden.topics";

/// How many read a topic.
#[derive(Clone, Copy, Default)]
struct Readers {
    consumers: usize,
    groups: usize,
}

impl Shared {
    pub(super) async fn list_topics(
        &self,
        all: bool,
        with_consumers: bool,
    ) -> Result<Vec<TopicText>, HostError> {
        let admin = Admin::new(&self.services.cluster);
        let topics = admin.list_topics().await?;
        let hidden = self.hidden_topics()?;
        let readers = if with_consumers { readers(&admin).await? } else { BTreeMap::new() };
        let shown = topics.iter().filter(|topic| {
            let name = topic.name.as_ref();
            // A topic of Kafka's own is never shown.
            !hidden.is_match(name) || (all && !name.starts_with("__"))
        });
        let text = |topic: &std::sync::Arc<TopicMetadata>| {
            let Readers { consumers, groups } =
                readers.get(topic.name.as_ref()).copied().unwrap_or_default();
            let (name, replicas) = (topic.name.to_string(), replica_counts(topic));
            TopicText { name, replicas, consumers, groups }
        };
        Ok(shown.map(text).collect())
    }

    /// The names of topics that are hidden.
    fn hidden_topics(&self) -> Result<RegexSet, HostError> {
        let patterns = effective(&self.properties).remove(HIDDEN).flatten().unwrap_or_default();
        let patterns = patterns.split(',').map(str::trim).filter(|pattern| !pattern.is_empty());
        let whole = patterns.map(|pattern| format!("^(?:{pattern})$"));
        RegexSet::new(whole).map_err(|error| HostError::server(format!("{HIDDEN}: {error}")))
    }
}

/// How many read each topic, of all groups that there are.
async fn readers(admin: &Admin) -> Result<BTreeMap<String, Readers>, KafkaError> {
    let mut all: BTreeMap<String, Readers> = BTreeMap::new();
    for listing in admin.list_groups().await? {
        // It may be gone meanwhile.
        let Some(group) = admin.describe_group(&listing.group).await? else { continue };
        let mut of_group: BTreeMap<String, usize> = BTreeMap::new();
        for member in &group.members {
            // Members of other kinds of groups, as those of Kafka Connect, are assigned no topics.
            let partitions = decode_assignment(&member.assignment).unwrap_or_default();
            let mut topics: Vec<_> =
                partitions.into_iter().map(|partition| partition.topic).collect();
            topics.sort_unstable();
            topics.dedup();
            for topic in topics {
                *of_group.entry(topic.to_string()).or_default() += 1;
            }
        }
        for (topic, consumers) in of_group {
            let readers = all.entry(topic).or_default();
            readers.consumers += consumers;
            readers.groups += 1;
        }
    }
    Ok(all)
}

/// The replicas of each partition.
pub(super) fn replica_counts(topic: &TopicMetadata) -> Vec<usize> {
    topic.partitions.iter().map(|partition| partition.replicas.len()).collect()
}
