//! Looks after the topics of a running query: one that is deleted, or gets more partitions, would
//! otherwise go unnoticed, for a client waits for both.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::task::JoinHandle;

use super::error::LiveError;
use super::query_topics::Topic;
use crate::kafka::admin::Admin;
use crate::kafka::{Cluster, KafkaError, ResponseError};

/// The time between two looks.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// How many looks in a row must miss a topic, as a broker that starts does not know all at once.
const MISSES: u32 = 2;

/// Looks at topics now and then, until it is dropped.
pub(super) struct TopicWatch(JoinHandle<LiveError>);

impl TopicWatch {
    /// Watches topics, each with the partitions that it has to have.
    pub(super) fn start<'t>(cluster: &Cluster, topics: impl Iterator<Item = &'t Topic>) -> Self {
        let topics = topics.map(|topic| (topic.name.clone(), topic.partitions)).collect();
        Self(tokio::spawn(look(Admin::new(cluster), topics)))
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

/// Looks until something is wrong.
async fn look(admin: Admin, topics: BTreeMap<String, i32>) -> LiveError {
    let names: Vec<&str> = topics.keys().map(String::as_str).collect();
    let mut missed: BTreeMap<&str, u32> = BTreeMap::new();
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        // While Kafka does not answer, nothing is known.
        let Ok(found) = admin.describe_topics(&names).await else { continue };
        for (name, partitions) in &topics {
            let cause = match found.get(name) {
                Some(Ok(topic)) => {
                    missed.remove(name.as_str());
                    let count = topic.partitions.len() as i32;
                    (count != *partitions).then(|| grown(count, *partitions))
                }
                Some(Err(error)) if is_unknown(error) => {
                    let times = missed.entry(name).or_default();
                    *times += 1;
                    (*times >= MISSES).then(|| "it was deleted while the query ran".to_owned())
                }
                _ => None,
            };
            if let Some(cause) = cause {
                return LiveError::Topic { topic: name.clone(), cause };
            }
        }
    }
}

fn is_unknown(error: &KafkaError) -> bool {
    error.is_code(ResponseError::UnknownTopicOrPartition)
}

fn grown(count: i32, before: i32) -> String {
    format!("it has {count} partitions, {before} when the query started; run it again to use them")
}
