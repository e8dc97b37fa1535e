//! Reads the demo's topics as any Kafka client could, from their beginnings.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use millstream::kafka::admin::{Admin, OffsetSpec};
use millstream::kafka::config::Isolation;
use millstream::kafka::fetch::{FetchedPartition, Fetcher};
use millstream::kafka::{Cluster, KafkaError, TopicPartition};

use super::summary::{Content, Summary};

/// How long the end of the topics is waited for, once nothing is written any more.
const DRAIN_POLLS_MAX: usize = 50;
const DRAIN_POLL: Duration = Duration::from_millis(100);

/// A reader of topics.
pub(super) struct Watch {
    admin: Admin,
    fetcher: Fetcher,
    partitions: Vec<TopicPartition>,
    contents: BTreeMap<Arc<str>, Content>,
}

impl Watch {
    /// Reads `topics` from their beginnings.
    pub(super) async fn open(cluster: &Cluster, topics: &BTreeSet<&str>) -> anyhow::Result<Self> {
        let admin = Admin::new(cluster);
        let (mut partitions, mut contents) = (Vec::new(), BTreeMap::new());
        for topic in topics {
            let found = admin.describe_topic(topic).await?;
            let found = found.with_context(|| format!("there is no topic {topic}"))?;
            let name: Arc<str> = Arc::from(*topic);
            for partition in 0..found.partitions.len() as i32 {
                partitions.push(TopicPartition::new(Arc::clone(&name), partition));
            }
            contents.insert(name, Content::of(topic));
        }
        let fetcher = Fetcher::new(cluster);
        fetcher.assign(partitions.iter().map(|partition| (partition.clone(), 0)));
        Ok(Self { admin, fetcher, partitions, contents })
    }

    /// The topics that are read, with what they hold.
    pub(super) fn topics(&self) -> impl Iterator<Item = (&Arc<str>, Content)> {
        self.contents.iter().map(|(topic, content)| (topic, *content))
    }

    /// What has come, or what comes within `wait_max`.
    pub(super) async fn poll(&self, wait_max: Duration) -> anyhow::Result<Vec<FetchedPartition>> {
        match self.fetcher.poll(wait_max).await {
            Ok(fetched) => Ok(fetched),
            // The broker keeps the newest records only; those that are gone cannot be counted.
            Err(error) => {
                tracing::warn!("the summary leaves records out: {error}");
                self.skip_to_oldest().await?;
                Ok(Vec::new())
            }
        }
    }

    /// Counts what has come.
    pub(super) fn add(&self, fetched: &[FetchedPartition], summary: &mut Summary) {
        for fetched in fetched {
            let TopicPartition { topic, partition } = &fetched.partition;
            let from = fetched.position.max(first_offset(fetched));
            let count = u64::try_from(fetched.next_offset.saturating_sub(from)).unwrap_or(0);
            let content = self.contents.get(topic).copied().unwrap_or(Content::Other);
            let newest = match content {
                Content::Other => fetched.records().flatten().filter_map(|it| it.value).last(),
                _ => None,
            };
            summary.add_records(topic, count, newest);
            match content {
                Content::Other => {}
                Content::Readings => summary.add_readings(*partition, count),
                content => {
                    for record in fetched.records().flatten() {
                        summary.add(content, topic, record.key, record.value);
                    }
                }
            }
        }
    }

    /// Reads to the ends of the topics, to which nothing is written any more.
    pub(super) async fn drain(&self, summary: &mut Summary) -> anyhow::Result<()> {
        let ends = self.offsets(OffsetSpec::Latest).await?;
        let position =
            |at| self.fetcher.progress(at).map_or(i64::MAX, |progress| progress.position);
        for _ in 0..DRAIN_POLLS_MAX {
            self.add(&self.poll(DRAIN_POLL).await?, summary);
            if ends.iter().all(|(at, end)| position(at) >= *end) {
                break;
            }
        }
        Ok(())
    }

    async fn skip_to_oldest(&self) -> Result<(), KafkaError> {
        for (at, oldest) in self.offsets(OffsetSpec::Earliest).await? {
            let position = self.fetcher.progress(&at).map_or(0, |progress| progress.position);
            self.fetcher.seek(&at, position.max(oldest));
        }
        Ok(())
    }

    async fn offsets(&self, spec: OffsetSpec) -> Result<BTreeMap<TopicPartition, i64>, KafkaError> {
        let wanted: Vec<_> = self.partitions.iter().map(|at| (at.clone(), spec)).collect();
        let found = self.admin.list_offsets(&wanted, Isolation::ReadCommitted).await?;
        Ok(found.into_iter().map(|(at, found)| (at, found.offset.unwrap_or(0))).collect())
    }
}

/// The offset of the first batch.
fn first_offset(fetched: &FetchedPartition) -> i64 {
    fetched.batches.first().map_or(i64::MIN, |batch| batch.header.base_offset)
}
