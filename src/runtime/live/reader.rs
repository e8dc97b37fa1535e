//! The loop of a source: tends its queries, reads, processes, commits.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;
use std::time::Duration;

use tokio::sync::watch;

use super::decode::{RepartitionReader, next_chunk};
use super::member::{join, membership};
use super::query::{LiveError, LiveQuery, QueryStatus, Role};
use super::reading::Reading;
use super::restore::activate;
use crate::kafka::group::MemberState;
use crate::kafka::produce::Producer;
use crate::kafka::{Cluster, ErrorKind, KafkaError};
use crate::operators::QueryError;
use crate::plan::{AggregateWindow, QueryPlan, StepKind};
use crate::runtime::{
    LogEvent, ProcessingLogEntry, SeededRandom, SourceReader, Surroundings, clock,
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

/// How long a failed membership waits before it is tried again.
const REJOIN_WAIT: Duration = Duration::from_millis(500);

/// All queries over one source definition.
pub(super) struct Reader {
    cluster: Cluster,
    source: SourceReader,
    /// Which columns of the source some query uses.
    used: Vec<bool>,
    queries: Vec<LiveQuery>,
    readings: Vec<Reading>,
    /// The repartition topics, by query.
    repartitions: BTreeMap<usize, (RepartitionReader, Reading)>,
    random: SeededRandom,
    instance: (i64, u64),
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
        let source = SourceReader::new(Arc::clone(&first.source))?;
        let mut used = vec![false; source.frame().len()];
        for query in &queries {
            for (index, is_used) in query.spec.plan.used_columns().into_iter().enumerate() {
                used[index] |= is_used;
            }
        }
        let sensitive = queries.iter().filter(|query| orders_by_time(&query.spec.plan));
        let interleave_ms = sensitive.map(|query| query.spec.settings.interleave_ms).min();
        Ok(Self {
            cluster,
            source,
            used,
            queries,
            readings: Vec::new(),
            repartitions: BTreeMap::new(),
            random: SeededRandom::new(instance.1),
            instance,
            statuses,
            interleave_ms,
        })
    }

    /// Runs until it is told to stop, then drains, commits and leaves.
    pub(super) async fn run(mut self, mut stop: watch::Receiver<bool>) {
        while !*stop.borrow_and_update() {
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

    // ---- groups -------------------------------------------------------------------------------

    async fn tend_queries(&mut self) {
        for index in 0..self.queries.len() {
            let role = std::mem::replace(&mut self.queries[index].role, Role::Ended);
            let next = self.tend(index, role).await;
            self.queries[index].role = next;
        }
    }

    async fn tend(&mut self, index: usize, role: Role) -> Role {
        match role {
            Role::Out { join_at } if clock::instant() >= join_at => self.start_joining(index),
            Role::Joining(joining) if joining.is_finished() => match joining.await {
                Ok((membership, Ok(true))) if self.queries[index].task.is_some() => {
                    self.resume(index);
                    Role::Active(membership)
                }
                Ok((membership, Ok(true))) => self.start_activating(index, membership),
                Ok((membership, Ok(false))) => {
                    self.queries[index].forget();
                    Role::Standby(membership)
                }
                Ok((_, Err(error))) => self.failed_to_join(index, error),
                Err(_) => self.out_for(REJOIN_WAIT),
            },
            Role::Activating(membership, activating) if activating.is_finished() => {
                match activating.await {
                    Ok(Ok(activated)) => {
                        let query = &mut self.queries[index];
                        query.task = Some(activated.task);
                        query.positions = activated.positions;
                        query.repartition_positions = activated.repartition_positions;
                        query.committed = activated.committed;
                        query.producer = Some(Producer::new(&query.cluster));
                        query.commit_at = clock::instant() + query.spec.settings.commit_interval;
                        query.cause = None;
                        self.resume(index);
                        Role::Active(membership)
                    }
                    Ok(Err(error)) => self.failed(index, &error),
                    Err(_) => self.out_for(REJOIN_WAIT),
                }
            }
            Role::Active(membership) => match membership.state() {
                MemberState::Stable => Role::Active(membership),
                MemberState::Rebalancing => {
                    self.queries[index].role = Role::Active(membership);
                    let committed = self.commit(index).await;
                    self.detach(index);
                    let role = std::mem::replace(&mut self.queries[index].role, Role::Ended);
                    match (committed, role) {
                        (Ok(()), Role::Active(membership)) => self.rejoin(index, membership),
                        (_, other) => {
                            drop(other);
                            self.queries[index].forget();
                            self.out_for(Duration::ZERO)
                        }
                    }
                }
                MemberState::Lost | MemberState::Out => {
                    self.detach(index);
                    self.queries[index].forget();
                    self.out_for(Duration::ZERO)
                }
                MemberState::Failed(error) => self.failed(index, &error.into()),
            },
            Role::Standby(membership) => match membership.state() {
                MemberState::Stable => Role::Standby(membership),
                MemberState::Rebalancing => self.rejoin(index, membership),
                MemberState::Lost | MemberState::Out => self.out_for(Duration::ZERO),
                MemberState::Failed(error) => self.failed(index, &error.into()),
            },
            Role::Activating(membership, activating) => match membership.state() {
                MemberState::Stable => Role::Activating(membership, activating),
                _ => {
                    activating.abort();
                    self.out_for(Duration::ZERO)
                }
            },
            other => other,
        }
    }

    fn out_for(&self, wait: Duration) -> Role {
        Role::Out { join_at: clock::instant() + wait }
    }

    fn start_joining(&mut self, index: usize) -> Role {
        let query = &self.queries[index];
        let mut topics = vec![query.topics.source.clone()];
        topics.extend(query.topics.repartition.clone());
        match membership(&query.cluster, &query.application_id, &topics, self.instance) {
            Ok(membership) => self.rejoin(index, membership),
            Err(error) => self.failed_to_join(index, error),
        }
    }

    fn rejoin(&mut self, index: usize, membership: crate::kafka::group::Membership) -> Role {
        let partitions = self.queries[index].partitions();
        Role::Joining(tokio::spawn(join(membership, partitions)))
    }

    fn failed_to_join(&mut self, index: usize, error: KafkaError) -> Role {
        if error.is_retriable() {
            tracing::warn!(
                "query {}: cannot join its group yet: {error}",
                self.queries[index].spec.id
            );
            self.queries[index].cause = Some(error.to_string());
            return self.out_for(REJOIN_WAIT);
        }
        self.failed(index, &error.into())
    }

    fn start_activating(
        &mut self,
        index: usize,
        membership: crate::kafka::group::Membership,
    ) -> Role {
        let query = &self.queries[index];
        let activating = activate(
            query.cluster.clone(),
            query.spec.clone(),
            query.topics.clone(),
            membership.metadata(),
        );
        Role::Activating(membership, tokio::spawn(activating))
    }

    /// Lets a query read from its positions on.
    fn resume(&mut self, index: usize) {
        let query = &self.queries[index];
        let topic = query.topics.source.clone();
        let level = self.readings.iter_mut().find(|reading| reading.positions == query.positions);
        match level {
            Some(reading) => reading.queries.push(index),
            None => {
                let positions = query.positions.clone();
                self.readings.push(Reading::new(&self.cluster, &topic, positions, vec![index]));
            }
        }
        if let Some(topic) = &query.topics.repartition
            && let Ok(Some(reader)) = RepartitionReader::new(&query.spec.plan)
        {
            let positions = query.repartition_positions.clone();
            let reading = Reading::new(&self.cluster, topic, positions, vec![index]);
            self.repartitions.insert(index, (reader, reading));
        }
    }

    /// Takes a query out of its reading.
    fn detach(&mut self, index: usize) {
        for reading in &mut self.readings {
            reading.queries.retain(|query| *query != index);
        }
        self.readings.retain(|reading| !reading.queries.is_empty());
        self.repartitions.remove(&index);
    }

    /// Readings that have come to the same positions become one.
    fn join_level_readings(&mut self) {
        let mut index = 1;
        while index < self.readings.len() {
            let (before, rest) = self.readings.split_at_mut(index);
            let reading = &mut rest[0];
            match before.iter_mut().find(|other| other.positions == reading.positions) {
                Some(other) => {
                    other.queries.append(&mut reading.queries);
                    self.readings.remove(index);
                }
                None => index += 1,
            }
        }
    }

    // ---- failures -----------------------------------------------------------------------------

    /// A query failed: it is tried again after a while, or never, by its cause.
    fn failed(&mut self, index: usize, error: &LiveError) -> Role {
        self.detach(index);
        let query = &mut self.queries[index];
        query.forget();
        query.cause = Some(error.to_string());
        let id = &query.spec.id;
        let is_final = match error {
            LiveError::Kafka(error) => error.kind() == ErrorKind::Fatal && !error.is_retriable(),
            LiveError::Topic { .. } | LiveError::State { .. } => true,
            LiveError::Query(_) => false,
        };
        if is_final {
            tracing::error!("query {id} has failed for good: {error}");
            return Role::Ended;
        }
        let wait = query.backoff;
        tracing::error!("query {id} has failed and starts again in {wait:?}: {error}");
        query.backoff = (wait * 2).min(query.spec.settings.retry_backoff_max);
        Role::Out { join_at: clock::instant() + wait }
    }

    async fn fail(&mut self, index: usize, error: LiveError) {
        let role = std::mem::replace(&mut self.queries[index].role, Role::Ended);
        if let LiveError::Query(error) = &error {
            self.log_failure(index, error).await;
        }
        if let Role::Active(membership) = role {
            // The others need not wait for the session to time out.
            tokio::spawn(membership.leave());
        }
        self.queries[index].role = self.failed(index, &error);
    }

    async fn log_failure(&mut self, index: usize, error: &QueryError) {
        let query = &mut self.queries[index];
        let entry = ProcessingLogEntry {
            logger: format!("processing.{}", query.spec.id),
            event: LogEvent::StreamThread {
                message: error.message.clone(),
                thread: format!("{}-1", query.application_id),
                causes: error.causes.clone(),
            },
        };
        if let Some(producer) = &query.producer {
            let sent = super::query::send_log(&query.spec.settings, producer, &[entry]).await;
            let flushed = producer.flush().await;
            if let Err(error) = sent.and(flushed.map_err(LiveError::from)) {
                tracing::warn!("query {}: no entry in the processing log: {error}", query.spec.id);
            }
        }
    }

    /// What becomes of the queries of a reading whose fetch failed.
    async fn fetch_failed(&mut self, queries: Vec<usize>, topic: &str, error: KafkaError) {
        if error.is_retriable() {
            tracing::warn!("{topic}: {error}");
            tokio::time::sleep(REJOIN_WAIT).await;
            return;
        }
        for index in queries {
            let cause = error.to_string();
            self.fail(index, LiveError::Topic { topic: topic.to_owned(), cause }).await;
        }
    }

    // ---- reading ------------------------------------------------------------------------------

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

    async fn process_burst(&mut self) {
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
            let Some(task) = &mut query.task else { continue };
            task.log_rejected(&chunk, &read);
            query.records += chunk.len() as u64;
            let nested_error_set_null = query.spec.settings.nested_error_set_null;
            let surroundings = Surroundings { nested_error_set_null, ..surroundings };
            let source = (&self.source, &chunk);
            if let Err(error) = task.process(&read.rows, source, surroundings, &arena) {
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
                if let Some(task) = &mut query.task
                    && rows.len > 0
                {
                    task.process_repartitioned(&rows, surroundings, &arena)?;
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

    // ---- commits ------------------------------------------------------------------------------

    async fn commit_due(&mut self, all: bool) {
        let now = clock::instant();
        for index in 0..self.queries.len() {
            let query = &self.queries[index];
            if !query.is_active() || (!all && now < query.commit_at) {
                continue;
            }
            if let Err(error) = self.commit(index).await {
                self.commit_failed(index, error).await;
            }
        }
    }

    /// The barrier of a query: what waits in caches goes out, everything is written, then offsets
    /// are committed.
    async fn commit(&mut self, index: usize) -> Result<(), LiveError> {
        let query = &mut self.queries[index];
        query.commit_at = clock::instant() + query.spec.settings.commit_interval;
        if let Some(task) = &mut query.task {
            let arena = Arena::new();
            let surroundings = Surroundings {
                now: clock::now(),
                random: &self.random,
                nested_error_set_null: query.spec.settings.nested_error_set_null,
            };
            task.flush(surroundings, &arena)?;
        }
        query.send_output().await?;
        if let Some(producer) = &query.producer {
            producer.flush().await?;
        }
        let offsets = query.uncommitted();
        if offsets.is_empty() {
            return Ok(());
        }
        if let Role::Active(membership) = &query.role {
            membership.commit(&offsets).await?;
        }
        query.committed.extend(offsets.into_iter().map(|(at, committed)| (at, committed.offset)));
        query.backoff = query.spec.settings.retry_backoff;
        Ok(())
    }

    async fn commit_failed(&mut self, index: usize, error: LiveError) {
        let id = self.queries[index].spec.id.clone();
        match &error {
            LiveError::Kafka(cause) if is_stale(cause) => {
                tracing::warn!("query {id}: {error}; it joins its group again");
                self.detach(index);
                self.queries[index].forget();
                self.queries[index].role = self.out_for(Duration::ZERO);
            }
            LiveError::Kafka(cause) if cause.is_retriable() => {
                tracing::warn!("query {id}: offsets are not committed yet: {error}");
            }
            _ => self.fail(index, error).await,
        }
    }

    async fn shut_down(&mut self) {
        self.process_burst().await;
        self.commit_due(true).await;
        for query in &mut self.queries {
            match std::mem::replace(&mut query.role, Role::Ended) {
                Role::Active(membership)
                | Role::Standby(membership)
                | Role::Activating(membership, _) => {
                    if let Err(error) = membership.leave().await {
                        tracing::warn!("query {}: left without a word: {error}", query.spec.id);
                    }
                }
                Role::Joining(joining) => joining.abort(),
                Role::Out { .. } | Role::Ended => {}
            }
        }
    }
}

/// Whether the group has gone on without the member that commits.
fn is_stale(error: &KafkaError) -> bool {
    let name = error.code().map(crate::kafka::error::code_name);
    matches!(
        name.as_deref(),
        Some(
            "ILLEGAL_GENERATION"
                | "UNKNOWN_MEMBER_ID"
                | "REBALANCE_IN_PROGRESS"
                | "FENCED_INSTANCE_ID"
        )
    )
}

/// Whether the result depends on the order in time of records of several partitions.
fn orders_by_time(plan: &QueryPlan) -> bool {
    let repartitions =
        plan.steps.iter().any(|step| matches!(step.kind, StepKind::Repartition { .. }));
    let windows = plan.steps.iter().any(|step| {
        matches!(&step.kind, StepKind::Aggregate(aggregation)
            if matches!(aggregation.window, Some(AggregateWindow::Time { .. } | AggregateWindow::Session { .. })))
    });
    repartitions && windows
}
