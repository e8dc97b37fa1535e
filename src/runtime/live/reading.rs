//! One fetcher, for all queries that stand at the same positions.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use crate::kafka::config::Isolation;
use crate::kafka::fetch::{FetchedPartition, Fetcher};
use crate::kafka::{Cluster, KafkaError, TopicPartition};

/// How many bytes a reading fetches ahead of what it has taken in.
const BUFFER_BYTES: usize = 4 << 20;

/// From how many bytes on that wait to be processed a reading takes no more in.
const PENDING_BYTES: usize = 2 << 20;

/// Partitions of one topic, read for some queries at once.
pub(super) struct Reading {
    pub(super) topic: String,
    fetcher: Fetcher,
    /// The next offset to process of each partition.
    pub(super) positions: BTreeMap<i32, i64>,
    /// What was fetched but not processed.
    pending: BTreeMap<i32, VecDeque<FetchedPartition>>,
    /// The queries, by their position in the reader.
    pub(super) queries: Vec<usize>,
}

/// A part of a fetched partition that is to be processed now.
pub(super) struct Portion<'f> {
    pub(super) fetched: &'f FetchedPartition,
    pub(super) from: i64,
    /// Records later than this wait for the other partitions.
    pub(super) until_ms: i64,
}

impl Reading {
    pub(super) fn new(
        cluster: &Cluster,
        topic: &str,
        positions: BTreeMap<i32, i64>,
        queries: Vec<usize>,
    ) -> Self {
        let fetcher = Fetcher::with_options(cluster, Isolation::ReadCommitted, BUFFER_BYTES);
        let at = |(partition, position): (&i32, &i64)| {
            (TopicPartition::new(topic, *partition), *position)
        };
        fetcher.assign(positions.iter().map(at).collect::<Vec<_>>());
        Self { topic: topic.to_owned(), fetcher, positions, pending: BTreeMap::new(), queries }
    }

    /// Takes in what was fetched, unless enough is there already.
    ///
    /// What is not taken in stays with the fetcher, which fetches no more once it holds enough, so
    /// that a backlog does not come into memory faster than it is processed. Where order across
    /// partitions matters, what is there may have to wait for one that is not; then more is taken.
    pub(super) async fn fill(&mut self, interleave_ms: Option<i64>) -> Result<(), KafkaError> {
        let pending = self.pending.values().flatten().map(|fetched| fetched.bytes);
        if pending.sum::<usize>() >= PENDING_BYTES && self.next(interleave_ms).is_some() {
            return Ok(());
        }
        for fetched in self.fetcher.poll(Duration::ZERO).await? {
            let partition = fetched.partition.partition;
            self.pending.entry(partition).or_default().push_back(fetched);
        }
        Ok(())
    }

    /// Waits until there is something to take in.
    pub(super) async fn arrived(&self) {
        self.fetcher.arrived().await;
    }

    /// Whether nothing waits to be processed.
    pub(super) fn is_idle(&self) -> bool {
        self.pending.values().all(VecDeque::is_empty)
    }

    /// The number of records behind the end, as far as it is known.
    pub(super) fn lag(&self) -> Option<i64> {
        let lag = self.positions.iter().map(|(partition, position)| {
            let at = TopicPartition::new(self.topic.as_str(), *partition);
            let progress = self.fetcher.progress(&at)?;
            let end = progress.end_offset(Isolation::ReadCommitted);
            (end >= 0).then(|| (end - position).max(0))
        });
        lag.sum()
    }

    /// The records that are to be processed next.
    ///
    /// With `interleave_ms`, the partition whose next record is oldest comes first, no further than
    /// so much ahead of the others; a partition that is not at its end but has nothing fetched is
    /// waited for, as Kafka Streams does by default (KIP-695).
    pub(super) fn next(&self, interleave_ms: Option<i64>) -> Option<Portion<'_>> {
        let mut heads = Vec::new();
        for (partition, position) in &self.positions {
            match self.pending.get(partition).and_then(VecDeque::front) {
                Some(fetched) => heads.push((fetched, *position)),
                None if interleave_ms.is_some() && !self.is_at_end(*partition, *position) => {
                    return None;
                }
                None => {}
            }
        }
        let Some(interleave_ms) = interleave_ms.filter(|_| heads.len() > 1) else {
            let (fetched, from) = heads.into_iter().next()?;
            return Some(Portion { fetched, from, until_ms: i64::MAX });
        };
        let mut times: Vec<_> = heads
            .iter()
            .map(|(fetched, from)| first_time(fetched, *from).unwrap_or(i64::MIN))
            .collect();
        let oldest = (0..heads.len()).min_by_key(|index| times[*index])?;
        let (fetched, from) = heads[oldest];
        times.remove(oldest);
        let next = times.into_iter().min().unwrap_or(i64::MAX);
        Some(Portion { fetched, from, until_ms: next.saturating_add(interleave_ms) })
    }

    fn is_at_end(&self, partition: i32, position: i64) -> bool {
        let at = TopicPartition::new(self.topic.as_str(), partition);
        self.fetcher.progress(&at).is_some_and(|progress| {
            let end = progress.end_offset(Isolation::ReadCommitted);
            end >= 0 && position >= end
        })
    }

    /// Notes that a partition is processed up to `position`, and forgets what lies before.
    pub(super) fn advance(&mut self, partition: i32, position: i64) {
        self.positions.insert(partition, position);
        if let Some(pending) = self.pending.get_mut(&partition) {
            while pending.front().is_some_and(|fetched| fetched.next_offset <= position) {
                pending.pop_front();
            }
        }
    }
}

/// The time of the first record from `from` on.
fn first_time(fetched: &FetchedPartition, from: i64) -> Option<i64> {
    let batches = fetched.batches.iter().filter(|batch| batch.header.last_offset() >= from);
    let mut records = batches.flat_map(|batch| batch.records()).flatten();
    records.find(|record| record.offset >= from).map(|record| record.timestamp)
}
