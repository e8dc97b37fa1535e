//! An ordinary consumer: several of one group share the partitions of its topics.
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::assignor::{
    Strategy, decode_assignment, decode_subscription, encode_assignment, encode_subscription,
};
use super::heartbeat::MemberState;
use super::membership::Membership;
use super::metadata::{Leadership, MembershipOptions};
use super::offsets::CommittedOffset;
use crate::kafka::admin::{Admin, OffsetSpec};
use crate::kafka::clock::{self, Instant};
use crate::kafka::cluster::Cluster;
use crate::kafka::config::OffsetReset;
use crate::kafka::error::KafkaError;
use crate::kafka::fetch::{Fetched, FetchedPartition, Fetcher, PartitionProblem};
use crate::kafka::partition::TopicPartition;

/// How often the leader looks whether topics have come or have got more partitions.
const TOPICS_CHECKED_EVERY: Duration = Duration::from_secs(5);

/// A consumer of a group.
///
/// What a call of [`Self::poll`] gives counts as processed with the next call, and is committed from then on: at
/// `auto.commit.interval.ms`, before a rebalance and by [`Self::close`], or by [`Self::commit`] alone where
/// `enable.auto.commit` is false.
#[derive(Debug)]
pub struct Consumer {
    cluster: Cluster,
    membership: Membership,
    fetcher: Fetcher,
    topics: Vec<String>,
    /// The positions behind what was given out, and whether that is committed.
    positions: BTreeMap<TopicPartition, (i64, bool)>,
    /// As the leader: the partitions of the group's topics when it last assigned them.
    led: Option<BTreeMap<String, i32>>,
    checked: Instant,
    committed: Instant,
    /// What the next poll is to tell.
    failure: Option<KafkaError>,
}

impl Consumer {
    /// A consumer of `topics` in `group`; it joins with the first poll.
    pub fn new(cluster: &Cluster, group: &str, topics: &[&str]) -> Result<Self, KafkaError> {
        let topics: Vec<_> = topics.iter().map(|topic| (*topic).to_owned()).collect();
        let metadata = encode_subscription(&topics)?;
        let protocols =
            Strategy::ALL.map(|strategy| (strategy.name().to_owned(), metadata.clone()));
        let options = MembershipOptions::new(cluster, group, protocols.into());
        Ok(Self {
            cluster: cluster.clone(),
            membership: Membership::new(cluster, options),
            fetcher: Fetcher::new(cluster),
            topics,
            positions: BTreeMap::new(),
            led: None,
            checked: clock::now(),
            committed: clock::now(),
            failure: None,
        })
    }

    /// The partitions that this consumer reads at the moment.
    pub fn assignment(&self) -> Vec<TopicPartition> {
        self.positions.keys().cloned().collect()
    }

    /// The topics that this consumer wants to read.
    pub fn topics(&self) -> &[String] {
        &self.topics
    }

    /// The records that come first within `wait_max`. Joins, and joins again, where that is needed.
    pub async fn poll(&mut self, wait_max: Duration) -> Result<Vec<FetchedPartition>, KafkaError> {
        self.auto_commit().await?;
        self.watch_topics().await;
        match self.membership.state() {
            MemberState::Stable => {}
            MemberState::Fenced(error) | MemberState::Failed(error) => return Err(error),
            MemberState::Out | MemberState::Rebalancing | MemberState::Lost => {
                self.rejoin().await?;
            }
        }
        if let Some(error) = self.failure.take() {
            return Err(error);
        }
        let Fetched { partitions, problems } = self.fetcher.fetch(wait_max).await;
        for fetched in &partitions {
            self.positions.insert(fetched.partition.clone(), (fetched.next_offset, false));
        }
        for problem in problems {
            match self.mend(problem).await {
                // What came beside it is not lost.
                Err(error) if !partitions.is_empty() => self.failure = Some(error),
                mended => mended?,
            }
        }
        Ok(partitions)
    }

    /// Goes on where `auto.offset.reset` says, or waits for a topic that is gone.
    async fn mend(&mut self, problem: PartitionProblem) -> Result<(), KafkaError> {
        let PartitionProblem { partition, position, error } = problem;
        match error {
            KafkaError::OffsetOutOfRange { .. } | KafkaError::TopicMadeAgain { .. } => {
                self.reset(&partition, error).await
            }
            KafkaError::TopicGone { .. } | KafkaError::PartitionGone { .. } => {
                tracing::warn!(%error, "kafka: the consumer waits for it");
                self.positions.insert(partition.clone(), (position, true));
                self.fetcher.seek(&partition, position);
                Ok(())
            }
            error => Err(error),
        }
    }

    /// Commits the positions behind everything that was given out.
    pub async fn commit(&mut self) -> Result<(), KafkaError> {
        self.committed = clock::now();
        let is_new = |(_, (_, is_committed)): &(&TopicPartition, &(i64, bool))| !is_committed;
        let offset = |(partition, (position, _)): (&TopicPartition, &(i64, bool))| {
            (partition.clone(), CommittedOffset::new(*position))
        };
        let offsets: Vec<_> = self.positions.iter().filter(is_new).map(offset).collect();
        self.membership.commit(&offsets).await?;
        self.positions.values_mut().for_each(|(_, is_committed)| *is_committed = true);
        Ok(())
    }

    /// Commits, unless `enable.auto.commit` is false, and leaves the group. One with a `group.instance.id` keeps its place
    /// until its session is over, as Java's consumer does, and finds it again if it comes back before.
    pub async fn close(mut self) -> Result<(), KafkaError> {
        let committed = if self.cluster.config().auto_commit_interval.is_some() {
            self.commit().await
        } else {
            Ok(())
        };
        if self.cluster.config().group_instance_id.is_some() {
            return committed;
        }
        committed.and(self.membership.leave().await)
    }

    async fn auto_commit(&mut self) -> Result<(), KafkaError> {
        let Some(interval) = self.cluster.config().auto_commit_interval else { return Ok(()) };
        let is_due = match self.membership.state() {
            MemberState::Rebalancing => true,
            MemberState::Stable => self.committed.elapsed() >= interval,
            MemberState::Out
            | MemberState::Lost
            | MemberState::Fenced(_)
            | MemberState::Failed(_) => false,
        };
        if !is_due {
            return Ok(());
        }
        match self.commit().await {
            // The group went on without us: what we did since is done again by another member.
            Err(error) if is_stale(&error) => {
                tracing::warn!(%error, "kafka: offsets were not committed");
                Ok(())
            }
            result => result,
        }
    }

    async fn rejoin(&mut self) -> Result<(), KafkaError> {
        self.fetcher.unassign(self.positions.keys());
        self.positions.clear();
        let (cluster, led) = (self.cluster.clone(), Mutex::new(None));
        let assigned = self.membership.join(|leadership| share(&cluster, leadership, &led)).await?;
        self.led =
            led.into_inner().unwrap_or_else(PoisonError::into_inner).filter(|_| assigned.is_leader);
        self.checked = clock::now();
        self.committed = clock::now();
        let partitions = decode_assignment(&assigned.assignment)?;
        let positions = self.start_positions(&partitions).await?;
        self.positions = positions
            .iter()
            .map(|(partition, position)| (partition.clone(), (*position, true)))
            .collect();
        self.fetcher.assign(positions);
        Ok(())
    }

    /// Where each partition starts: at its committed offset, or where `auto.offset.reset` says.
    async fn start_positions(
        &self,
        partitions: &[TopicPartition],
    ) -> Result<Vec<(TopicPartition, i64)>, KafkaError> {
        if partitions.is_empty() {
            return Ok(Vec::new());
        }
        let mut committed = self.membership.offsets().committed(Some(partitions)).await?;
        let mut positions = Vec::new();
        for partition in partitions {
            let position = match committed.remove(partition) {
                Some(committed) => committed.offset,
                None => self.reset_position(partition).await?.ok_or_else(|| {
                    KafkaError::OffsetOutOfRange {
                        topic: partition.topic.to_string(),
                        partition: partition.partition,
                        offset: -1,
                        log_start: None,
                        log_end: None,
                    }
                })?,
            };
            positions.push((partition.clone(), position));
        }
        Ok(positions)
    }

    async fn reset_position(&self, partition: &TopicPartition) -> Result<Option<i64>, KafkaError> {
        let spec = match self.cluster.config().offset_reset {
            OffsetReset::Earliest => OffsetSpec::Earliest,
            OffsetReset::Latest => OffsetSpec::Latest,
            OffsetReset::None => return Ok(None),
        };
        let isolation = self.cluster.config().isolation;
        let listed =
            Admin::new(&self.cluster).list_offsets(&[(partition.clone(), spec)], isolation).await?;
        Ok(listed.get(partition).and_then(|listed| listed.offset))
    }

    async fn reset(
        &mut self,
        partition: &TopicPartition,
        error: KafkaError,
    ) -> Result<(), KafkaError> {
        let Some(position) = self.reset_position(partition).await? else { return Err(error) };
        tracing::warn!(%error, position, "kafka: the consumer goes on at auto.offset.reset");
        self.fetcher.seek(partition, position);
        self.positions.insert(partition.clone(), (position, true));
        Ok(())
    }

    /// As the leader: joins again once a topic has come or has got more partitions.
    async fn watch_topics(&mut self) {
        let Some(led) = &self.led else { return };
        if self.checked.elapsed() < TOPICS_CHECKED_EVERY {
            return;
        }
        let topics: Vec<&str> = led.keys().map(String::as_str).collect();
        let present = partition_counts(&self.cluster, &topics).await;
        if present.is_ok_and(|present| present != *led) {
            // What was given out is committed before the others are called together.
            let _ = self.auto_commit().await;
            if let Err(error) = self.rejoin().await {
                tracing::warn!(%error, "kafka: the group was not called together for new partitions");
            }
        }
        self.checked = clock::now();
    }
}

/// Whether the group has gone on without us.
fn is_stale(error: &KafkaError) -> bool {
    use kafka_protocol::error::ResponseError as E;
    let is_stale =
        |code| matches!(code, E::IllegalGeneration | E::UnknownMemberId | E::RebalanceInProgress);
    error.code().is_some_and(is_stale)
}

/// As the leader: shares the partitions of all topics that somebody wants, and notes how many there were.
async fn share(
    cluster: &Cluster,
    leadership: Leadership,
    led: &Mutex<Option<BTreeMap<String, i32>>>,
) -> Result<Vec<(String, bytes::Bytes)>, KafkaError> {
    let mut topics = Vec::new();
    for member in &leadership.members {
        topics.extend(decode_subscription(&member.metadata)?);
    }
    topics.sort();
    topics.dedup();
    let names: Vec<&str> = topics.iter().map(String::as_str).collect();
    let counts = partition_counts(cluster, &names).await?;
    let strategy =
        Strategy::ALL.into_iter().find(|strategy| strategy.name() == leadership.protocol);
    let shares = strategy.unwrap_or(Strategy::Range).assign(&leadership.members, &counts)?;
    *led.lock().unwrap_or_else(PoisonError::into_inner) = Some(counts);
    shares.into_iter().map(|(member, share)| Ok((member, encode_assignment(&share)?))).collect()
}

/// How many partitions topics have; none for one that does not exist.
async fn partition_counts(
    cluster: &Cluster,
    topics: &[&str],
) -> Result<BTreeMap<String, i32>, KafkaError> {
    let found = Admin::new(cluster).describe_topics(topics).await?;
    let count = |(name, topic): (
        String,
        Result<std::sync::Arc<crate::kafka::cluster::TopicMetadata>, _>,
    )| { (name, topic.map_or(0, |topic| topic.partitions.len() as i32)) };
    Ok(found.into_iter().map(count).collect())
}
