//! The topic `_schemas`: the only place where the registry's state is kept.

use std::time::Duration;

use super::record::Record;
use super::state::State;
use crate::kafka::admin::{Admin, NewTopic, OffsetSpec};
use crate::kafka::config::Isolation;
use crate::kafka::fetch::Fetcher;
use crate::kafka::produce::{NewRecord, Producer};
use crate::kafka::{Cluster, KafkaError, ResponseError, TopicPartition};

/// The topic's name, as the real registry has it.
pub(super) const TOPIC: &str = "_schemas";
/// How long one look at what has arrived takes at most.
const POLL: Duration = Duration::from_millis(200);
/// How often nothing may arrive before the end of the topic is reached.
const EMPTY_POLLS_MAX: u32 = 150;

/// Reads and writes the topic.
pub(super) struct Journal {
    cluster: Cluster,
    producer: Producer,
}

impl Journal {
    /// Opens the topic, and makes it if it is not there.
    pub(super) async fn open(cluster: &Cluster) -> Result<Self, KafkaError> {
        let admin = Admin::new(cluster);
        if admin.describe_topic(TOPIC).await?.is_none() {
            let topic = NewTopic {
                replication_factor: Some(1),
                ..NewTopic::new(TOPIC, 1).with_config("cleanup.policy", "compact")
            };
            match admin.create_topic(&topic).await {
                Err(error) if !error.is_code(ResponseError::TopicAlreadyExists) => {
                    return Err(error);
                }
                _ => {}
            }
        }
        Ok(Self { cluster: cluster.clone(), producer: Producer::new(cluster) })
    }

    /// Reads all that is in the topic. Records that make no sense are passed over, with a warning.
    pub(super) async fn read(&self) -> Result<State, KafkaError> {
        let partition = TopicPartition::new(TOPIC, 0);
        let [start, end] =
            [OffsetSpec::Earliest, OffsetSpec::Latest].map(|spec| (partition.clone(), spec));
        let start = self.offset(start).await?;
        let end = self.offset(end).await?;
        let mut state = State::default();
        let isolation = Isolation::ReadUncommitted;
        let bytes_max = self.cluster.config().fetch_max_bytes as usize;
        let fetcher = Fetcher::with_options(&self.cluster, isolation, bytes_max);
        fetcher.assign([(partition.clone(), start)]);
        let mut position = start;
        let mut empty = 0;
        while position < end {
            let fetched = fetcher.poll(POLL).await?;
            empty = if fetched.is_empty() { empty + 1 } else { 0 };
            if empty == EMPTY_POLLS_MAX {
                return Err(KafkaError::TimedOut {
                    broker: partition.to_string(),
                    request: "Fetch",
                    within: POLL * EMPTY_POLLS_MAX,
                });
            }
            for fetched in fetched {
                for record in fetched.records() {
                    let damaged = |source| KafkaError::Record {
                        topic: TOPIC.to_owned(),
                        partition: 0,
                        source,
                    };
                    let record = record.map_err(damaged)?;
                    add(&mut state, record.offset, record.key, record.value);
                }
                position = fetched.next_offset;
            }
        }
        Ok(state)
    }

    async fn offset(&self, of: (TopicPartition, OffsetSpec)) -> Result<i64, KafkaError> {
        let admin = Admin::new(&self.cluster);
        let found = admin.list_offsets(&[of], Isolation::ReadUncommitted).await?;
        Ok(found.values().next().and_then(|found| found.offset).unwrap_or(0))
    }

    /// Writes records, and waits until the broker has them.
    pub(super) async fn append(&self, records: &[Record], now_ms: i64) -> Result<(), KafkaError> {
        let mut written = Vec::new();
        for record in records {
            let (key, value) = (record.key(), record.value());
            let record = NewRecord::new(now_ms, Some(&key), value.as_deref());
            written.push(self.producer.send_acknowledged(TOPIC, 0, record).await?);
        }
        for written in written {
            written.await.map_err(|_| KafkaError::Closed("producer"))??;
        }
        Ok(())
    }
}

fn add(state: &mut State, offset: i64, key: Option<&[u8]>, value: Option<&[u8]>) {
    let Some(key) = key else { return };
    match Record::read(key, value) {
        Ok(Some(record)) => state.apply(record),
        Ok(None) => {}
        Err(cause) => tracing::warn!(offset, cause, "a record of {TOPIC} is passed over"),
    }
}
