//! The loop of a source: tends its queries, reads, processes, commits.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;
use std::time::Duration;

use tokio::sync::watch;

use super::decode::{RepartitionReader, next_chunk};
use super::query::{LiveError, LiveQuery, QueryStatus, Role};
use super::reading::Reading;
use super::topic_watch::TopicWatch;
use crate::kafka::Cluster;
use crate::operators::QueryError;
use crate::plan::{QueryPlan, RepartitionId, StoreKind};
use crate::runtime::{
    SeededRandom, SourceBatch, SourceReader, SourceRecords, Surrounded, Surroundings, clock,
};
use crate::types::Arena;

/// What all readers of an instance publish.
pub(super) type Statuses = Arc<Mutex<BTreeMap<String, QueryStatus>>>;

/// How long a reader waits for records before it looks at its queries again, while one of them
/// joins its group or restores its state.
const RESTLESS_WAIT: Duration = Duration::from_millis(20);

/// The same while all of them run or stand by. Records and commits do not wait for it.
const IDLE_WAIT: Duration = Duration::from_millis(200);

/// How long a reader processes before it looks at its queries again.
const BURST: Duration = Duration::from_millis(50);

/// All queries over one source definition.
pub(super) struct Reader {
    pub(super) cluster: Cluster,
    source: SourceReader,
    /// Which columns of the source some query uses.
    used: Vec<bool>,
    pub(super) queries: Vec<LiveQuery>,
    pub(super) readings: Vec<Reading>,
    /// The repartition topics, by query.
    pub(super) repartitions: BTreeMap<usize, (RepartitionReader, Reading)>,
    pub(super) random: SeededRandom,
    pub(super) instance: (i64, u64),
    pub(super) watch: TopicWatch,
    statuses: Statuses,
    /// How far ahead a partition may be read, where order across partitions matters to a query.
    interleave_ms: Option<i64>,
}

impl Reader {
    pub(super) fn new(
        cluster: Cluster,
        queries: Vec<LiveQuery>,
        instance: (i64, u64),
        statuses: Statuses,
    ) -> Result<Self, QueryError> {
        let plan = |query: &LiveQuery| Arc::clone(&query.spec.plan);
        let first = queries.first().map(plan).ok_or_else(|| QueryError::new("no query"))?;
        let source = SourceReader::new(Arc::clone(first.leftmost_source()))?;
        let mut used = vec![false; source.frame().len()];
        for query in &queries {
            let plan = &query.spec.plan;
            let of_query = plan.sources().flat_map(|(node, _)| plan.used_columns(node));
            used.iter_mut().zip(of_query).for_each(|(used, is_used)| *used |= is_used);
        }
        let sensitive = queries.iter().filter(|query| orders_by_time(&query.spec.plan));
        let interleave_ms = sensitive.map(|query| query.spec.settings.interleave_ms).min();
        let topics = queries.iter().flat_map(|query| query.topics.names());
        let topics = topics.map(|(name, partitions)| (name.to_owned(), partitions)).collect();
        let watch = TopicWatch::start(&cluster, topics);
        Ok(Self {
            cluster,
            source,
            used,
            queries,
            readings: Vec::new(),
            repartitions: BTreeMap::new(),
            random: SeededRandom::new(instance.1),
            instance,
            watch,
            statuses,
            interleave_ms,
        })
    }

    /// Runs until it is told to stop, then drains, commits and leaves.
    pub(super) async fn run(mut self, mut stop: watch::Receiver<bool>) {
        while !*stop.borrow_and_update() {
            self.fail_without_topics().await;
            self.tend_queries().await;
            self.fill().await;
            self.process_burst().await;
            self.commit_due(false).await;
            self.join_level_readings();
            self.publish();
        }
        self.shut_down().await;
        self.publish();
    }

    fn publish(&mut self) {
        let lags: BTreeMap<usize, Option<i64>> = self
            .readings
            .iter()
            .flat_map(|reading| reading.queries.iter().map(|query| (*query, reading.lag())))
            .collect();
        let mut statuses = self.statuses.lock().unwrap_or_else(PoisonError::into_inner);
        for (index, query) in self.queries.iter_mut().enumerate() {
            let repartition = self.repartitions.get(&index).map(|(_, reading)| reading.lag());
            let lag = lags.get(&index).copied().flatten();
            let lag = match repartition {
                None => lag,
                Some(more) => lag.zip(more).map(|(lag, more)| lag + more),
            };
            statuses.insert(query.spec.id.clone(), query.status(lag));
        }
    }

    /// How long nothing has to be done but wait for records.
    fn idle_wait(&self) -> Duration {
        let now = clock::instant();
        let waits = self.queries.iter().map(|query| match &query.role {
            Role::Active(_) => query.commit_at.saturating_duration_since(now),
            Role::Standby(_) | Role::Ended => IDLE_WAIT,
            Role::Out { .. } | Role::Joining(_) | Role::Activating(..) => RESTLESS_WAIT,
        });
        waits.min().unwrap_or(IDLE_WAIT).min(IDLE_WAIT)
    }

    /// Takes in what was fetched; waits for it if nothing else is to be processed.
    async fn fill(&mut self) {
        let wait = self.idle_wait();
        let interleaved = self.readings.iter_mut().map(|reading| (reading, self.interleave_ms));
        let repartitions = self.repartitions.values_mut().map(|(_, reading)| (reading, None));
        let mut readings: Vec<_> = interleaved.chain(repartitions).collect();
        if readings.iter().all(|(reading, interleave_ms)| reading.next(*interleave_ms).is_none()) {
            let waits_for_another = !readings.iter().all(|(reading, _)| reading.is_idle());
            let wait = if waits_for_another { wait.min(RESTLESS_WAIT) } else { wait };
            let waits = readings.iter().map(|(reading, _)| Box::pin(reading.arrived()));
            let mut waits: Vec<_> = waits.collect();
            let any = poll_fn(|ctx| {
                let is_ready = waits.iter_mut().any(|wait| wait.as_mut().poll(ctx).is_ready());
                if is_ready { Poll::Ready(()) } else { Poll::Pending }
            });
            let _ = tokio::time::timeout(wait, any).await;
        }
        let mut failures = Vec::new();
        for (reading, interleave_ms) in &mut readings {
            if let Err(error) = reading.fill(*interleave_ms).await {
                failures.push((reading.queries.clone(), reading.topic.clone(), error));
            }
        }
        for (queries, topic, error) in failures {
            self.fetch_failed(queries, &topic, error).await;
        }
    }

    pub(super) async fn process_burst(&mut self) {
        let until = clock::instant() + BURST;
        loop {
            let mut is_idle = true;
            for reading in 0..self.readings.len() {
                is_idle &= !self.process_reading(reading);
            }
            let indices: Vec<usize> = self.repartitions.keys().copied().collect();
            for index in indices {
                is_idle &= !self.process_repartitioned(index);
            }
            self.send_outputs().await;
            if is_idle || clock::instant() >= until {
                return;
            }
        }
    }

    /// Processes the next chunk of a reading for all its queries. False if there is none.
    fn process_reading(&mut self, at: usize) -> bool {
        let arena = Arena::new();
        let reading = &self.readings[at];
        let Some(portion) = reading.next(self.interleave_ms) else { return false };
        let partition = portion.fetched.partition.partition;
        let chunk = match next_chunk(portion.fetched, portion.from, portion.until_ms, &arena) {
            Ok(chunk) => chunk,
            Err(error) => {
                let topic = reading.topic.clone();
                for index in reading.queries.clone() {
                    let cause = error.to_string();
                    self.set_failure(index, LiveError::Topic { topic: topic.clone(), cause });
                }
                return false;
            }
        };
        let last_fetched = portion.fetched.batches.last().map(|batch| batch.header.last_offset());
        let next = match chunk.offsets.last() {
            Some(last) if Some(*last) < last_fetched => last + 1,
            _ => portion.fetched.next_offset,
        };
        let read = self.source.read(&chunk, &self.used, &arena);
        let surroundings =
            Surroundings { now: clock::now(), random: &self.random, nested_error_set_null: true };
        for index in &reading.queries {
            let query = &mut self.queries[*index];
            let Some(tasks) = &mut query.tasks else { continue };
            let Some((node, _)) = query.spec.plan.sources().next() else { continue };
            query.records += chunk.len() as u64;
            let nested_error_set_null = query.spec.settings.nested_error_set_null;
            let surroundings = Surroundings { nested_error_set_null, ..surroundings };
            let records = SourceRecords { reader: &self.source, records: &chunk };
            let batch = SourceBatch { source: node, read: &read, records };
            if let Err(error) = tasks.process(batch, Surrounded { surroundings, arena: &arena }) {
                query.failure = Some(error.into());
                continue;
            }
            query.positions.insert(partition, next);
        }
        drop(read);
        drop(chunk);
        self.readings[at].advance(partition, next);
        true
    }

    fn set_failure(&mut self, index: usize, error: LiveError) {
        self.queries[index].failure = Some(error);
    }

    /// Processes the next chunk of a query's repartition topic.
    fn process_repartitioned(&mut self, index: usize) -> bool {
        let arena = Arena::new();
        let Some((reader, reading)) = self.repartitions.get(&index) else { return false };
        let Some(portion) = reading.next(None) else { return false };
        let partition = portion.fetched.partition.partition;
        let query = &mut self.queries[index];
        let result = next_chunk(portion.fetched, portion.from, i64::MAX, &arena)
            .map_err(|error| QueryError::new(error.to_string()))
            .and_then(|chunk| {
                let last = portion.fetched.batches.last().map(|batch| batch.header.last_offset());
                let next = match chunk.offsets.last() {
                    Some(offset) if Some(*offset) < last => offset + 1,
                    _ => portion.fetched.next_offset,
                };
                let rows = reader.read(&chunk, &arena)?;
                let surroundings = Surroundings {
                    now: clock::now(),
                    random: &self.random,
                    nested_error_set_null: query.spec.settings.nested_error_set_null,
                };
                if let Some(tasks) = &mut query.tasks
                    && rows.len > 0
                {
                    let surrounded = Surrounded { surroundings, arena: &arena };
                    tasks.process_repartitioned(RepartitionId(0), &rows, surrounded)?;
                }
                Ok(next)
            });
        match result {
            Ok(next) => {
                query.repartition_positions.insert(partition, next);
                if let Some((_, reading)) = self.repartitions.get_mut(&index) {
                    reading.advance(partition, next);
                }
                true
            }
            Err(error) => {
                query.failure = Some(error.into());
                false
            }
        }
    }

    /// Hands on what all queries have produced, also what came before a failure.
    async fn send_outputs(&mut self) {
        for index in 0..self.queries.len() {
            let query = &mut self.queries[index];
            if !query.is_active() {
                continue;
            }
            let sent = query.send_output().await;
            let failure = query.failure.take();
            if let Err(error) = sent {
                self.fail(index, error).await;
            } else if let Some(error) = failure {
                self.fail(index, error).await;
            }
        }
    }
}

/// Whether the result depends on the order in time of records of several partitions.
fn orders_by_time(plan: &QueryPlan) -> bool {
    let windows = plan.stores().any(|(_, _, store)| {
        matches!(store.kind, StoreKind::WindowAggregate | StoreKind::SessionAggregate)
    });
    windows && plan.repartitions().next().is_some()
}
