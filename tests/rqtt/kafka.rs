//! What a case has of Kafka: topics, records, and how far queries are.

use std::collections::BTreeMap;
use std::time::Duration;

use millstream::kafka::admin::{Admin, NewTopic, OffsetSpec};
use millstream::kafka::config::Isolation;
use millstream::kafka::fetch::Fetcher;
use millstream::kafka::group::GroupOffsets;
use millstream::kafka::partitioner::partition_for_key;
use millstream::kafka::produce::{NewRecord, Producer};
use millstream::kafka::records::{HeaderRef, Headers};
use millstream::kafka::{ClientConfig, Cluster, TopicPartition};
use millstream::testing::{Case, Layouts, Record};

/// How long queries may take to read all that there is.
const PATIENCE: Duration = Duration::from_secs(30);

/// Partitions of a topic that nobody gave a number for.
const PARTITIONS: i32 = 4;

pub(crate) struct Kafka {
    cluster: Cluster,
    admin: Admin,
}

impl Kafka {
    pub(crate) fn at(brokers: String) -> Self {
        let config = [("bootstrap.servers".to_owned(), brokers)];
        let cluster = Cluster::new(ClientConfig::from_properties(&config.into()).unwrap()).unwrap();
        Self { admin: Admin::new(&cluster), cluster }
    }

    pub(crate) fn cluster(&self) -> &Cluster {
        &self.cluster
    }

    /// Makes the topics of a case.
    pub(crate) async fn create_topics(&self, layouts: &Layouts, case: &Case) {
        for topic in layouts.topics(case) {
            let new = NewTopic::new(&topic.name, topic.partitions.unwrap_or(PARTITIONS));
            self.admin.create_topic(&new).await.unwrap();
        }
    }

    async fn partitions(&self, topic: &str) -> i32 {
        let topic = self.admin.describe_topic(topic).await.unwrap();
        topic.map_or(0, |topic| topic.partitions.len() as i32)
    }

    /// Writes the inputs of a case, topic by topic.
    pub(crate) async fn produce(&self, layouts: &Layouts, case: &Case) -> Result<(), String> {
        let producer = Producer::new(&self.cluster);
        let mut topics: Vec<&str> = Vec::new();
        for input in &case.inputs {
            if !topics.contains(&&*input.topic) {
                topics.push(&input.topic);
            }
        }
        for topic in topics {
            let partitions = self.partitions(topic).await;
            for input in case.inputs.iter().filter(|input| input.topic == topic) {
                let record = layouts.encode(input).map_err(|failure| failure.message)?;
                let mut headers = Headers::new();
                for (name, value) in &record.headers {
                    headers.push(name.as_bytes(), value.as_deref());
                }
                let (key, value) = (record.key.as_deref(), record.value.as_deref());
                let new = NewRecord {
                    headers: headers.as_ref(),
                    ..NewRecord::new(record.timestamp, key, value)
                };
                let partition = key.map_or(0, |key| partition_for_key(key, partitions));
                producer.send(topic, partition, new).await.unwrap();
            }
            producer.flush().await.unwrap();
        }
        Ok(())
    }

    /// Waits until queries, each with the topics that it reads, have committed all that there is, in their order.
    pub(crate) async fn wait_level(&self, queries: &[(String, Vec<String>)]) -> Result<(), String> {
        let waiting = async {
            for (query, topics) in queries {
                while !self.is_level(query, topics).await {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            }
        };
        let waited = tokio::time::timeout(PATIENCE, waiting).await;
        waited.map_err(|_| "the queries do not come level".to_owned())
    }

    async fn is_level(&self, query: &str, topics: &[String]) -> bool {
        let group = format!("_confluent-ksql-test_query_{query}");
        let committed = GroupOffsets::new(&self.cluster, &group).committed(None).await;
        let Ok(committed) = committed else { return false };
        for topic in topics {
            let is_behind = |(at, end): &(TopicPartition, i64)| {
                *end > committed.get(at).map_or(0, |committed| committed.offset)
            };
            if self.ends(topic).await.iter().any(is_behind) {
                return false;
            }
        }
        true
    }

    async fn ends(&self, topic: &str) -> Vec<(TopicPartition, i64)> {
        let partitions = self.partitions(topic).await;
        let asked = (0..partitions).map(|at| (TopicPartition::new(topic, at), OffsetSpec::Latest));
        let asked: Vec<_> = asked.collect();
        let listed = self.admin.list_offsets(&asked, Isolation::ReadCommitted).await.unwrap();
        listed.into_iter().map(|(at, listed)| (at, listed.offset.unwrap_or(0))).collect()
    }

    /// All records of a topic, partition by partition.
    pub(crate) async fn records(&self, topic: &str) -> Vec<Record> {
        let mut left = self.ends(topic).await;
        left.retain(|(_, end)| *end > 0);
        let fetcher = Fetcher::with_options(&self.cluster, Isolation::ReadCommitted, 16 << 20);
        fetcher.assign(left.iter().map(|(at, _)| (at.clone(), 0)));
        let mut records = Vec::new();
        while !left.is_empty() {
            for fetched in fetcher.poll(Duration::from_secs(1)).await.unwrap() {
                for record in fetched.records() {
                    let record = record.unwrap();
                    let header = |header: HeaderRef<'_>| {
                        let name = String::from_utf8_lossy(header.key).into_owned();
                        (name, header.value.map(<[u8]>::to_vec))
                    };
                    records.push(Record {
                        key: record.key.map(<[u8]>::to_vec),
                        value: record.value.map(<[u8]>::to_vec),
                        timestamp: record.timestamp,
                        headers: record.headers.iter().map(header).collect(),
                        offset: record.offset,
                    });
                }
                left.retain(|(at, end)| *at != fetched.partition || fetched.next_offset < *end);
            }
        }
        records
    }

    /// Says which outputs of a case are not in their topics.
    pub(crate) async fn check_outputs(&self, layouts: &Layouts, case: &Case) -> Result<(), String> {
        let mut topics: BTreeMap<&str, Vec<Record>> = BTreeMap::new();
        for expected in &case.outputs {
            if !topics.contains_key(&*expected.topic) {
                topics.insert(&expected.topic, self.records(&expected.topic).await);
            }
            let left = topics.get_mut(&*expected.topic).unwrap();
            let mut faults = Vec::new();
            let found = left.iter().position(|record| {
                let checked = layouts.check(case, expected, record);
                checked.map_err(|fault| faults.push(fault)).is_ok()
            });
            match found {
                Some(at) => drop(left.remove(at)),
                None => return Err(format!("{expected:?} is not there: {}", faults.join("; "))),
            }
        }
        Ok(())
    }
}
