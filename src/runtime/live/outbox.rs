//! What a query has produced, on its way to Kafka.
//!
//! Records for sinks and repartition topics are sent as they come. Those for changelogs are kept until
//! the commit that they belong to, which sends them once the others are acknowledged.
//!
//! In transactions, only what belongs to the open one is sent. What workers give meanwhile for the next one waits here
//! until the commit is done, and counts as unsent, so that they stop while it is more than may.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use super::error::LiveError;
use super::figures::Figures;
use super::log_writer::LogWriter;
use super::message::Portion;
use super::pressure::Pressure;
use super::query_topics::QueryTopics;
use crate::kafka::KafkaError;
use crate::kafka::partitioner::{StickyPartitioner, partition_for_key};
use crate::kafka::produce::{NewRecord, Producer};
use crate::kafka::records::Headers;
use crate::runtime::{Changes, Output, OutputRecord, Placing, Target};

/// How many records for one topic are handed over at once.
const RUN_RECORDS: usize = 1_000;

/// After how many bytes records without a key go to another partition, as Java's producer does.
const STICKY_BATCH_BYTES: usize = 16_384;

/// The outbox of a query.
pub(super) struct Outbox {
    pub(super) sender: Sender,
    pub(super) pressure: Arc<Pressure>,
    pub(super) figures: Arc<Figures>,
    pub(super) log: Arc<LogWriter>,
    /// Records for changelogs, by the commit that they belong to.
    held: BTreeMap<u64, Vec<Changes>>,
    /// How many commits are done.
    commits: u64,
    /// What belongs to a transaction that has not begun, in order.
    ahead: VecDeque<Portion>,
}

/// Sends records to their partitions.
pub(super) struct Sender {
    pub(super) producer: Arc<Producer>,
    topics: Arc<QueryTopics>,
    sticky: HashMap<Target, StickyPartitioner>,
}

impl Outbox {
    pub(super) fn new(
        sender: Sender,
        pressure: Arc<Pressure>,
        figures: Arc<Figures>,
        log: Arc<LogWriter>,
    ) -> Self {
        let (held, ahead) = (BTreeMap::new(), VecDeque::new());
        Self { sender, pressure, figures, log, held, commits: 0, ahead }
    }

    /// Takes what tasks have given.
    pub(super) async fn take(&mut self, mut portion: Portion) -> Result<(), LiveError> {
        let mut changelog = std::mem::take(&mut portion.changelog);
        if !changelog.is_empty() {
            changelog.shrink();
            self.held.entry(portion.interval).or_default().push(changelog);
        }
        if self.sender.is_transactional() && portion.interval > self.commits {
            self.ahead.push_back(portion);
            return Ok(());
        }
        self.send(portion).await
    }

    /// Goes on after a commit, with what waits for the transaction that has begun behind it.
    pub(super) async fn go_on(&mut self) -> Result<(), LiveError> {
        self.commits += 1;
        let commits = self.commits;
        while let Some(portion) = self.ahead.pop_front_if(|ahead| ahead.interval <= commits) {
            self.send(portion).await?;
        }
        Ok(())
    }

    async fn send(&mut self, portion: Portion) -> Result<(), LiveError> {
        let Portion { output, log, .. } = portion;
        let figures = &self.figures;
        let sent = |target, run: &[(i32, NewRecord<'_>)]| {
            if target == Target::Sink {
                figures.written.fetch_add(run.len() as u64, Relaxed);
            }
            Ok(())
        };
        let done = self.sender.send(&output, sent).await;
        self.figures.output_bytes.fetch_add(output.bytes() as u64, Relaxed);
        self.pressure.sent(output.bytes());
        self.log.write(&log).await;
        done
    }

    /// How many bytes of records for changelogs are kept.
    pub(super) fn held_bytes(&self) -> usize {
        self.held.values().flatten().map(Changes::bytes).sum()
    }

    /// The records for changelogs of a commit.
    pub(super) fn changelogs_of(&mut self, interval: u64) -> Vec<Changes> {
        self.held.remove(&interval).unwrap_or_default()
    }
}

impl Sender {
    pub(super) fn new(producer: Arc<Producer>, topics: Arc<QueryTopics>) -> Self {
        Self { producer, topics, sticky: HashMap::new() }
    }

    /// Whether what is sent counts only once it is committed.
    pub(super) fn is_transactional(&self) -> bool {
        self.producer.is_transactional()
    }

    /// Hands records to the producer, in runs for the same topic.
    pub(super) async fn send(
        &mut self,
        output: &Output,
        mut sent: impl FnMut(Target, &[(i32, NewRecord<'_>)]) -> Result<(), LiveError>,
    ) -> Result<(), LiveError> {
        let headers: Vec<Headers> = output.records().map(|record| headers(&record)).collect();
        let mut records = output.records().zip(&headers).peekable();
        let mut run = Vec::new();
        while let Some((OutputRecord { target, .. }, _)) = records.peek().copied() {
            let Some(topic) = self.topics.of(target) else {
                records.next();
                continue;
            };
            while run.len() < RUN_RECORDS
                && let Some((record, headers)) = records.next_if(|(r, _)| r.target == target)
            {
                let partition = partition(&record, topic.partitions, &mut self.sticky);
                let new = NewRecord::new(record.timestamp_ms, record.key, record.value);
                run.push((partition, NewRecord { headers: headers.as_ref(), ..new }));
            }
            self.producer.send_all(&topic.name, &run).await?;
            sent(target, &run)?;
            run.clear();
        }
        Ok(())
    }

    /// Waits until everything is written.
    pub(super) async fn flush(&self) -> Result<(), KafkaError> {
        self.producer.flush().await
    }
}

/// The headers of a record, as they are written.
fn headers(record: &OutputRecord<'_>) -> Headers {
    let mut encoded = Headers::new();
    for (name, value) in record.headers {
        encoded.push(name.as_bytes(), value.as_deref());
    }
    encoded
}

/// The partition of a record, out of so many.
fn partition(
    record: &OutputRecord<'_>,
    partitions: i32,
    sticky: &mut HashMap<Target, StickyPartitioner>,
) -> i32 {
    match (record.placing, record.key) {
        (Placing::Partition(partition), _) => partition,
        (Placing::ByKey, Some(key)) => partition_for_key(key, partitions),
        (Placing::ByKeyBeforeWindow(window_bytes), Some(key)) => {
            let key = &key[..key.len().saturating_sub(window_bytes)];
            partition_for_key(key, partitions)
        }
        (Placing::ByKey | Placing::ByKeyBeforeWindow(_), None) => {
            let bytes = record.value.map_or(0, <[u8]>::len);
            let new = || StickyPartitioner::new(STICKY_BATCH_BYTES);
            sticky.entry(record.target).or_insert_with(new).partition(bytes, partitions)
        }
    }
}
