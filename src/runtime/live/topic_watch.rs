//! Looks after the topics of running queries: one that is deleted, or gets more partitions, would
//! otherwise go unnoticed, for a client waits for both.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::task::JoinHandle;

use crate::kafka::Cluster;
use crate::kafka::admin::Admin;

/// The time between two looks.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// How many looks in a row must miss a topic, as a broker that starts does not know all at once.
const MISSES: u32 = 2;

/// What is wrong, by topic.
type Problems = Arc<Mutex<BTreeMap<String, String>>>;

/// Looks at topics now and then, until it is dropped.
pub(super) struct TopicWatch {
    problems: Problems,
    looking: JoinHandle<()>,
}

impl TopicWatch {
    /// Watches topics, each with the partitions that it has to have.
    pub(super) fn start(cluster: &Cluster, topics: BTreeMap<String, i32>) -> Self {
        let problems = Problems::default();
        let looking = tokio::spawn(look(Admin::new(cluster), topics, Arc::clone(&problems)));
        Self { problems, looking }
    }

    /// What is wrong with topics, as of the last look.
    pub(super) fn problems(&self) -> BTreeMap<String, String> {
        self.problems.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for TopicWatch {
    fn drop(&mut self) {
        self.looking.abort();
    }
}

async fn look(admin: Admin, topics: BTreeMap<String, i32>, problems: Problems) {
    let names: Vec<&str> = topics.keys().map(String::as_str).collect();
    let mut missed: BTreeMap<&str, u32> = BTreeMap::new();
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        // While Kafka does not answer, nothing is known.
        let Ok(found) = admin.describe_topics(&names).await else { continue };
        let mut now = BTreeMap::new();
        for (name, partitions) in &topics {
            let problem = match found.get(name) {
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
            now.extend(problem.map(|problem| (name.clone(), problem)));
        }
        *problems.lock().unwrap_or_else(PoisonError::into_inner) = now;
    }
}

fn is_unknown(error: &crate::kafka::KafkaError) -> bool {
    error.is_code(crate::kafka::ResponseError::UnknownTopicOrPartition)
}

fn grown(count: i32, before: i32) -> String {
    format!("it has {count} partitions, {before} when the query started; run it again to use them")
}
