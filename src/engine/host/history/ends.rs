//! Where the topics end that the statements name, so that those are seen that no query reads.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use crate::kafka::admin::{Admin, OffsetSpec};
use crate::kafka::config::Isolation;
use crate::kafka::{Cluster, KafkaError, TopicId, TopicPartition};
use crate::runtime::clock;

/// The most partitions that are asked for.
const PARTITIONS_MAX: usize = 10_000;

/// Where partitions end.
#[derive(Clone, Debug, Default)]
pub(in crate::engine::host) struct Ends {
    at: Option<Instant>,
    /// Where each ended when it was asked for first.
    pub(in crate::engine::host) first: BTreeMap<TopicPartition, i64>,
    pub(in crate::engine::host) offsets: BTreeMap<TopicPartition, i64>,
    /// Of which topics these are.
    pub(in crate::engine::host) ids: BTreeMap<Arc<str>, TopicId>,
    /// By how much each has grown a second since it was asked for before, as far as transactions are decided. With
    /// transactions and compacted topics that is more than there are records.
    pub(in crate::engine::host) growth: BTreeMap<TopicPartition, f32>,
}

impl Ends {
    /// Asks where topics end, and compares that with what was known before.
    pub(in crate::engine::host) async fn ask(
        self,
        cluster: &Cluster,
        topics: &[&str],
    ) -> Result<Self, KafkaError> {
        let admin = Admin::new(cluster);
        let described = admin.describe_topics(topics).await?;
        let topics = described.values().filter_map(|topic| topic.as_ref().ok());
        let ids = topics.clone().map(|topic| (Arc::from(&*topic.name), topic.id)).collect();
        let partitions = topics.flat_map(|topic| {
            topic.partitions.iter().map(|at| TopicPartition::new(&*topic.name, at.partition))
        });
        let asked = partitions.take(PARTITIONS_MAX).map(|at| (at, OffsetSpec::Latest));
        let asked: Vec<_> = asked.collect();
        let found = admin.list_offsets(&asked, Isolation::ReadCommitted).await?;
        let ends = found.into_iter().filter_map(|(at, found)| Some((at, found.offset?)));
        Ok(self.next(ids, ends.collect(), clock::instant()))
    }

    /// The same, where nothing is heard of Kafka: how fast partitions grow is not known then.
    pub(in crate::engine::host) fn without_growth(&self) -> Self {
        Self { growth: BTreeMap::new(), ..self.clone() }
    }

    fn next(
        self,
        ids: BTreeMap<Arc<str>, TopicId>,
        ends: BTreeMap<TopicPartition, i64>,
        now: Instant,
    ) -> Self {
        // All of a topic that was made again has come since it was looked first.
        let is_other = |at: &TopicPartition| {
            let (before, now) = (self.ids.get(&at.topic), ids.get(&at.topic));
            before.zip(now).is_some_and(|(before, now)| before.differs(*now))
        };
        let seconds = self.at.map(|at| now.saturating_duration_since(at).as_secs_f32());
        let seconds = seconds.filter(|seconds| *seconds > 0.0);
        let growth = |(at, end): (&TopicPartition, &i64)| {
            let before = if is_other(at) { 0 } else { *self.offsets.get(at)? };
            let grown = end.checked_sub(before).filter(|grown| *grown >= 0)?;
            Some((at.clone(), grown as f32 / seconds?))
        };
        let growth = ends.iter().filter_map(growth).collect();
        let first = |(at, end): (&TopicPartition, &i64)| {
            let known = self.first.get(at).filter(|first| *first <= end).unwrap_or(end);
            (at.clone(), if is_other(at) { 0 } else { *known })
        };
        let first = ends.iter().map(first).collect();
        Self { at: Some(now), first, offsets: ends, ids, growth }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn growth_is_what_came_since_the_last_look() {
        let at = TopicPartition::new("t", 0);
        let mut now = clock::instant();
        let mut known = Ends::default();
        // By how much it has grown a second, and in all.
        let mut check = |id: u8, end: i64, per_second: Option<f32>, in_all: i64| {
            now += Duration::from_secs(10);
            let ids = BTreeMap::from([(Arc::clone(&at.topic), TopicId([id; 16]))]);
            known = std::mem::take(&mut known).next(ids, BTreeMap::from([(at.clone(), end)]), now);
            let grown = (known.growth.get(&at).copied(), end - known.first[&at]);
            assert_eq!(grown, (per_second, in_all));
        };
        check(0, 5, None, 0);
        check(0, 25, Some(2.0), 20);
        // It was deleted and made again, which is not known without ids.
        check(0, 1, None, 0);
        check(1, 11, Some(1.0), 10);
        // With them it is, however many records it has.
        check(2, 31, Some(3.1), 31);
        check(2, 41, Some(1.0), 41);
    }
}
