//! Where the topics end that the statements name, so that those are seen that no query reads.

use std::collections::BTreeMap;
use std::time::Instant;

use crate::kafka::admin::{Admin, OffsetSpec};
use crate::kafka::config::Isolation;
use crate::kafka::{Cluster, KafkaError, TopicPartition};
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
        let partitions = topics.flat_map(|topic| {
            topic.partitions.iter().map(|at| TopicPartition::new(&*topic.name, at.partition))
        });
        let asked = partitions.take(PARTITIONS_MAX).map(|at| (at, OffsetSpec::Latest));
        let asked: Vec<_> = asked.collect();
        let found = admin.list_offsets(&asked, Isolation::ReadCommitted).await?;
        let ends = found.into_iter().filter_map(|(at, found)| Some((at, found.offset?)));
        Ok(self.next(ends.collect(), clock::instant()))
    }

    /// The same, where nothing is heard of Kafka: how fast partitions grow is not known then.
    pub(in crate::engine::host) fn without_growth(&self) -> Self {
        Self { growth: BTreeMap::new(), ..self.clone() }
    }

    fn next(self, ends: BTreeMap<TopicPartition, i64>, now: Instant) -> Self {
        let seconds = self.at.map(|at| now.saturating_duration_since(at).as_secs_f32());
        let seconds = seconds.filter(|seconds| *seconds > 0.0);
        let growth = |(at, end): (&TopicPartition, &i64)| {
            let grown = end.checked_sub(*self.offsets.get(at)?).filter(|grown| *grown >= 0)?;
            Some((at.clone(), grown as f32 / seconds?))
        };
        let growth = ends.iter().filter_map(growth).collect();
        let first = |(at, end): (&TopicPartition, &i64)| {
            let first = self.first.get(at).filter(|first| *first <= end).unwrap_or(end);
            (at.clone(), *first)
        };
        let first = ends.iter().map(first).collect();
        Self { at: Some(now), first, offsets: ends, growth }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn growth_is_what_came_since_the_last_look() {
        let at = TopicPartition::new("t", 0);
        let ends = |end| BTreeMap::from([(at.clone(), end)]);
        let (first, second) = (clock::instant(), Duration::from_secs(10));
        let known = Ends::default().next(ends(5), first);
        assert_eq!(known.growth, BTreeMap::new());
        let known = known.next(ends(25), first + second);
        assert_eq!(known.growth, BTreeMap::from([(at.clone(), 2.0)]));
        // It was deleted and made again.
        assert_eq!(known.next(ends(1), first + 2 * second).growth, BTreeMap::new());
    }
}
