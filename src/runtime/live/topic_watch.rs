//! Looks after the topics of a running query: one that is deleted, made again, or gets more partitions
//! would otherwise go unnoticed, for a client waits for all of these.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::time::Duration;

use tokio::task::JoinHandle;

use super::error::LiveError;
use super::query_topics::{QueryTopics, Topic};
use crate::kafka::admin::Admin;
use crate::kafka::cluster::TopicMetadata;
use crate::kafka::{Cluster, KafkaError, ResponseError};

/// The time between two looks.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// How soon a topic is looked for again that was missed.
const LOOK_AGAIN: Duration = Duration::from_millis(500);

/// How many looks in a row must miss a topic, as a broker that starts does not know all at once.
const MISSES: u32 = 3;

/// Looks at topics now and then, until it is dropped.
pub(super) struct TopicWatch(JoinHandle<LiveError>);

impl TopicWatch {
    /// Watches the topics of a query, which have to stay as they are, except that others than its own may
    /// get more partitions.
    pub(super) fn start(cluster: &Cluster, topics: &QueryTopics) -> Self {
        let watched = |topic: &Topic| {
            let may_grow = !topics.is_internal(topic);
            (topic.name.clone(), Watched { topic: topic.clone(), may_grow })
        };
        Self(tokio::spawn(look(Admin::new(cluster), topics.all().map(watched).collect())))
    }

    /// Waits until something is wrong with a topic, and says what.
    pub(super) async fn problem(&mut self) -> LiveError {
        match (&mut self.0).await {
            Ok(problem) => problem,
            // It has been asked before, or the process ends.
            Err(_) => std::future::pending().await,
        }
    }
}

impl Drop for TopicWatch {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// A topic that is watched.
struct Watched {
    topic: Topic,
    may_grow: bool,
}

/// Looks until something is wrong.
async fn look(admin: Admin, topics: BTreeMap<String, Watched>) -> LiveError {
    let names: Vec<&str> = topics.keys().map(String::as_str).collect();
    let mut missed: BTreeMap<&str, u32> = BTreeMap::new();
    loop {
        tokio::time::sleep(if missed.is_empty() { LOOK_EVERY } else { LOOK_AGAIN }).await;
        // While Kafka does not answer, nothing is known.
        let Ok(found) = admin.describe_topics(&names).await else { continue };
        for (name, topic) in &topics {
            let problem = match found.get(name) {
                Some(Ok(found)) => {
                    missed.remove(name.as_str());
                    topic.differs(found)
                }
                Some(Err(error)) if is_unknown(error) => {
                    let times = missed.entry(name).or_default();
                    *times += 1;
                    (*times >= MISSES).then(|| LiveError::deleted(name))
                }
                _ => None,
            };
            if let Some(problem) = problem {
                return problem;
            }
        }
    }
}

impl Watched {
    /// What makes it another one than what was found.
    fn differs(&self, found: &TopicMetadata) -> Option<LiveError> {
        let Topic { name, partitions: from, id: was } = &self.topic;
        let topic = name.clone();
        if was.differs(found.id) {
            let (was, is) = (*was, found.id);
            return Some(KafkaError::TopicMadeAgain { topic, was, is }.into());
        }
        let (from, to) = (*from, found.partitions.len() as i32);
        let cause = || format!("it has {to} partitions, {from} when the query started");
        match to.cmp(&from) {
            Ordering::Equal => None,
            Ordering::Greater if self.may_grow => Some(LiveError::TopicGrown { topic, from, to }),
            _ => Some(LiveError::Topic { topic, cause: cause() }),
        }
    }
}

fn is_unknown(error: &KafkaError) -> bool {
    error.is_code(ResponseError::UnknownTopicOrPartition)
}
