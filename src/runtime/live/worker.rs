//! A worker: one thread that owns partitions, and runs the tasks of all queries on them.
//!
//! It waits for nothing but its inbox. A batch is fetched once for a partition and decoded once for
//! each way to read it; then each query that stands there takes it. What tasks give goes to the
//! queries' own tasks, which send and commit it.
//!
//! A panic in what is done for one query ends what it does for that query, which decides how to go on,
//! and one in what several queries share fails these. After any other the worker begins afresh with what its inbox holds ([`Worker::afresh`]).

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use tokio::sync::mpsc::UnboundedSender;

use super::decode::{RepartitionReader, next_chunk};
use super::definitions::{Decoded, Definitions, NotRead};
use super::desk::{Answered, Asked};
use super::error::LiveError;
use super::ids::{QueryId, ReadingId, SessionId};
use super::inbox::Inbox;
use super::look_up::LookUp;
use super::lost::LostRange;
use super::message::{Command, Event, FoundSchema, Message, Start};
use super::probe::Probe;
use super::readings::Readings;
use super::schemas::SchemaFinder;
use super::shard::Shard;
use super::shelf::{Shards, Shelf};
use super::sought::QUERIES_LEAST;
use super::topic_figures::TopicFigures;
use super::track::{TrackReader, Wish};
use crate::kafka::fetch::PartitionProblem;
use crate::kafka::{Cluster, KafkaError};
use crate::operators::QueryError;
use crate::plan::Input;
use crate::registry::RegistryClient;
use crate::runtime::panics::{Panic, guard};
use crate::runtime::{LaneId, clock};
use crate::types::{Arena, Partition};

/// How long it waits at most, while what is here cannot be taken.
const BLOCKED_WAIT: Duration = Duration::from_millis(2);

/// How long it waits at most, while there is nothing to do.
const IDLE_WAIT: Duration = Duration::from_secs(1);

/// How long others wait for a query that takes nothing before it has to read on its own.
const PART_AFTER: Duration = Duration::from_secs(1);

/// What a worker is given by its instance.
pub(super) struct Seat {
    pub(super) index: usize,
    /// The inboxes of all workers.
    pub(super) workers: Arc<[Arc<Inbox<Message>>]>,
    /// Where its queries lie while it waits.
    pub(super) shelf: Arc<Shelf>,
    pub(super) cluster: Cluster,
    /// What is counted of the partitions that are read.
    pub(super) topics: Arc<TopicFigures>,
    /// How long it has worked, in microseconds.
    pub(super) busy_us: Arc<AtomicU64>,
    pub(super) registry: Option<RegistryClient>,
    pub(super) runtime: tokio::runtime::Handle,
    pub(super) probe: Arc<dyn Probe>,
    /// Where answers to pull queries go.
    pub(super) answered: UnboundedSender<Vec<Answered>>,
}

/// One thread's part of an instance.
pub(super) struct Worker {
    seat: Seat,
    /// What has come and is not looked at.
    messages: VecDeque<Message>,
    /// Its queries; while it waits, they lie on its shelf.
    shards: Shards,
    readings: Readings,
    definitions: Definitions,
    schemas: SchemaFinder,
}

impl Worker {
    pub(super) fn new(seat: Seat) -> Self {
        let inbox = &seat.workers[seat.index];
        let topics = Arc::clone(&seat.topics);
        let readings = Readings::new(seat.cluster.clone(), Arc::clone(inbox), topics);
        let schemas = SchemaFinder::new(seat.registry.clone(), Arc::clone(inbox));
        let (shards, definitions) = (Shards::default(), Definitions::default());
        Self { seat, messages: VecDeque::new(), shards, readings, definitions, schemas }
    }

    /// Begins again after a panic: without a query, but with all that waits to be looked at. The
    /// queries that had tasks here are told, and start again.
    pub(super) fn afresh(self, panic: &Panic) -> Self {
        let Self { seat, messages, shards, readings, definitions, .. } = self;
        let worker = seat.index;
        tracing::error!("worker {worker} has ended with {panic}; its queries start again");
        for shard in shards.values() {
            let error = LiveError::Worker { worker, panic: panic.clone() };
            shard.tell(Event::Failed { error, record: None });
        }
        let mut fresh = Self::new(seat);
        fresh.messages = messages;
        // What its fetchers still send must not be taken for what others fetch.
        fresh.readings.number_after(&readings);
        if let Err(panic) = guard(|| drop((shards, readings, definitions))) {
            tracing::error!("worker {worker} cleared away what was left with {panic}");
        }
        fresh
    }

    /// Runs until it is told to stop.
    pub(super) fn run(&mut self) {
        let (runtime, shelf) = (self.seat.runtime.clone(), Arc::clone(&self.seat.shelf));
        let _context = runtime.enter();
        let mut turn_at = clock::instant();
        loop {
            let wait = turn_at.saturating_duration_since(clock::instant());
            self.messages.extend(self.seat.workers[self.seat.index].take(wait));
            let began = clock::instant();
            let mut left = shelf.lock();
            std::mem::swap(&mut self.shards, &mut left);
            let Some(next) = self.work(turn_at) else { return };
            turn_at = next;
            std::mem::swap(&mut self.shards, &mut left);
            let busy_us = u64::try_from(began.elapsed().as_micros()).unwrap_or(0);
            self.seat.busy_us.fetch_add(busy_us, Relaxed);
        }
    }

    /// Looks at what has come, and makes a turn if it is time; when it is time again. `None` if it is told to stop.
    fn work(&mut self, turn_at: Instant) -> Option<Instant> {
        // Look-ups move nothing, however many come.
        let mut is_due = false;
        while let Some(message) = self.messages.pop_front() {
            is_due |= !matches!(message, Message::LookUps(_));
            match message {
                Message::Stop => return None,
                message => self.handle(message),
            }
        }
        if !is_due && clock::instant() < turn_at {
            return Some(turn_at);
        }
        self.seat.probe.turn();
        let has_moved = self.turn();
        let idle = if has_moved { Duration::ZERO } else { self.idle_wait() };
        Some(clock::instant() + idle)
    }

    fn handle(&mut self, message: Message) {
        match message {
            Message::Fetched { reading, fetched } => {
                for partition in self.readings.take_in(reading, fetched) {
                    self.note_fetched(reading, partition);
                }
            }
            Message::FetchFailed { reading, problem } => self.fetch_failed(reading, problem),
            Message::ReadingFailed { reading, panic } => {
                self.fail_readers((reading, None), &panic.into());
            }
            Message::Schema { id, found } => {
                self.schemas.answered(id, &found);
                self.definitions.learn_schema(id, &found);
                for shard in self.shards.values_mut() {
                    match &found {
                        FoundSchema::Refused(error) if shard.lacks_schemas() => {
                            shard.fail(LiveError::Schema(error.clone()));
                        }
                        _ => shard.look_at_schemas(),
                    }
                }
            }
            Message::Handover { session, handover } => {
                let workers = Arc::clone(&self.seat.workers);
                let Some(shard) = self.shard(&session) else { return };
                shard.guard(|shard| {
                    if let Err(error) = shard.tasks.accept(handover, shard.world.now()) {
                        shard.fail(error.into());
                    }
                    shard.hand_on(&workers);
                });
            }
            Message::LookUps(all) => {
                let Self { seat, shards, .. } = self;
                let answer = |(query, look_up): Asked| {
                    let LookUp { spec, limit, rest, answers } = look_up;
                    let shard = shards.get_mut(&query)?;
                    let answer = shard.look_up(seat.index, &spec, (limit, rest))?;
                    Some((answers, answer))
                };
                let answered = all.into_iter().filter_map(answer).collect();
                // Those who wait for them end with the instance.
                let _ = seat.answered.send(answered);
            }
            Message::Command { session, command: Command::Start(start) } => {
                self.start(session, *start);
            }
            Message::Command { session, command: Command::Close } => {
                if self.shard(&session).is_some() {
                    self.close(&session.query);
                }
            }
            Message::Command { session, command } => {
                let workers = Arc::clone(&self.seat.workers);
                let Some(shard) = self.shard(&session) else { return };
                shard.guard(|shard| {
                    shard.follow(&command);
                    shard.hand_on(&workers);
                });
            }
            Message::Stop => {}
        }
    }

    /// The query, unless the session is over.
    fn shard(&mut self, session: &SessionId) -> Option<&mut Shard> {
        self.shards.get_mut(&session.query).filter(|shard| shard.id == *session)
    }

    fn start(&mut self, session: SessionId, start: Start) {
        self.close(&session.query);
        let query = session.query.clone();
        let random = self.seat.probe.random();
        let mut shard = Shard::new(session, self.seat.index, start, random);
        shard.guard(|shard| {
            if let Err(error) = self.prepare(shard) {
                shard.fail(error.into());
            }
            shard.publish_gauges();
        });
        self.shards.insert(query, shard);
    }

    /// Finds out how the query's topics are read.
    fn prepare(&mut self, shard: &mut Shard) -> Result<(), QueryError> {
        let layout = Arc::clone(shard.tasks.layout());
        let (plan, schemas) = (layout.plan(), layout.schemas());
        for (node, source) in plan.sources() {
            let used = plan.used_columns(node);
            let definition = self.definitions.add(&shard.id.query, source, used)?;
            shard.set_definition(node, definition);
        }
        for (topic, ..) in plan.repartitions() {
            shard.repartitions.insert(topic, RepartitionReader::new(plan, topic, schemas)?);
        }
        Ok(())
    }

    fn close(&mut self, query: &QueryId) {
        let Some(shard) = self.shards.remove(query) else { return };
        self.readings.remove(query);
        self.definitions.remove(query);
        if let Err(panic) = guard(|| drop(shard)) {
            tracing::error!("query {query}: its tasks were cleared away with {panic}");
        }
    }

    /// Tells the readers of a partition where it ends now.
    fn note_fetched(&mut self, reading: ReadingId, partition: Partition) {
        let Some(track) = self.readings.track(reading, partition) else { return };
        for reader in &track.readers {
            let Some(shard) = self.shards.get_mut(&reader.query) else { continue };
            shard.guard(|shard| {
                shard.note_fetched(lane(reader, partition), track.end);
                if !shard.is_at_rest() {
                    shard.hand_on(&self.seat.workers);
                }
            });
        }
    }

    /// Takes in why a partition is not fetched any more.
    fn fetch_failed(&mut self, reading: ReadingId, problem: PartitionProblem) {
        let PartitionProblem { partition: at, position, error } = problem;
        if let KafkaError::OffsetOutOfRange {
            log_start: Some(log_start),
            log_end: Some(log_end),
            ..
        } = error
            && position < log_start
        {
            return self.skip_lost(reading, &LostRange { at, position, log_start, log_end });
        }
        self.fail_readers((reading, Some(Partition(at.partition))), &error.into());
    }

    /// Fails those who read something, or one partition of it.
    fn fail_readers(&mut self, (id, partition): (ReadingId, Option<Partition>), error: &LiveError) {
        for query in self.readings.readers(id, partition) {
            if let Some(shard) = self.shards.get_mut(&query) {
                shard.fail(error.clone());
            }
        }
    }

    /// Goes on behind records that were deleted before they were fetched. What was fetched before them
    /// is still taken first.
    fn skip_lost(&mut self, reading: ReadingId, lost: &LostRange) {
        let partition = Partition(lost.at.partition);
        let Some(track) = self.readings.track(reading, partition) else { return };
        let mut goes_on_at = None;
        for reader in &track.readers {
            let Some(shard) = self.shards.get_mut(&reader.query) else { continue };
            shard.guard(|shard| {
                let position = shard.skip_lost(lane(reader, partition), lost);
                goes_on_at = [goes_on_at, position].into_iter().flatten().min();
            });
        }
        if let Some(goes_on_at) = goes_on_at {
            self.readings.skip(reading, partition, lost.position..goes_on_at);
        }
    }

    /// One batch of each partition, and one step of each query. Whether anything moved.
    fn turn(&mut self) -> bool {
        let mut has_moved = false;
        if self.schemas.asks_again() {
            self.definitions.forget_missing_schemas();
        }
        for (reading, partition) in self.readings.places() {
            has_moved |= self.process(reading, partition);
        }
        let now_ms = clock::now().0;
        for shard in self.shards.values_mut().filter(|shard| !shard.is_at_rest()) {
            shard.guard(|shard| {
                shard.note_ends();
                shard.go_by_written();
                if shard.tasks.idle_until_ms().is_some_and(|until_ms| until_ms <= now_ms) {
                    shard.go_on();
                }
                has_moved |= shard.step();
                shard.hand_on(&self.seat.workers);
            });
        }
        self.settle_readings();
        has_moved
    }

    /// Lets queries read together that are level, and those on their own that are not.
    fn settle_readings(&mut self) {
        let Self { shards, readings, .. } = self;
        readings.join_level(|reader, partition| {
            shards.get(&reader.query)?.position(lane(reader, partition))
        });
        readings.feed_hungry();
        for (query, shard) in shards {
            let lanes = shard.detached();
            if !lanes.is_empty() {
                readings.attach(query, &lanes);
            }
        }
    }

    /// How long nothing has to be done but wait for a message.
    fn idle_wait(&self) -> Duration {
        // A query that is paused is told when it goes on.
        let is_held = |query: &QueryId| self.shards.get(query).is_none_or(Shard::is_resting);
        if self.readings.has_pending(is_held) || self.shards.values().any(Shard::is_blocked) {
            return BLOCKED_WAIT;
        }
        let running = self.shards.values().filter(|shard| !shard.is_plain && !shard.has_failed());
        let idle = running.filter_map(|shard| shard.tasks.idle_until_ms()).min();
        let now_ms = clock::now().0;
        let wait = idle.map(|until_ms| u64::try_from(until_ms - now_ms).unwrap_or(0).max(1));
        wait.map_or(IDLE_WAIT, |millis| Duration::from_millis(millis).min(IDLE_WAIT))
    }

    /// Processes the next records of a partition for those who are to take them. False if there are
    /// none.
    fn process(&mut self, reading: ReadingId, partition: Partition) -> bool {
        let Self { seat, shards, readings, definitions, schemas, .. } = self;
        let Some(track) = readings.track(reading, partition) else { return false };
        let wish = |reader: &TrackReader| shards.get(&reader.query)?.wish(lane(reader, partition));
        let wishes: Vec<Option<Wish>> = track.readers.iter().map(wish).collect();
        let Some(turn) = track.next_turn(&wishes) else {
            self.part_with(reading, partition, &wishes);
            return false;
        };
        let takes_together = wishes
            .iter()
            .flatten()
            .all(|wish| wish.until.is_some() || wish.position > turn.offsets.start);
        if !takes_together && readings.is_moving(reading, partition)
            || readings.is_to_wait(reading, partition, turn.offsets.start)
        {
            return false;
        }
        let arena = Arena::new();
        let (batch, place, from) = (&track.batches[turn.batch], track.place, turn.offsets.start);
        let chunk = guard(|| next_chunk(batch, turn.offsets, place, &arena));
        let chunk = chunk.map_err(|panic| panic.to_string()).and_then(|chunk| {
            // What cannot be read as records is wrong with the topic.
            chunk.map_err(|error| error.to_string())
        });
        if let Ok(chunk) = &chunk {
            track.figures.note_read(&chunk.records.offsets, from..chunk.next);
        }
        // The first query over a definition has the chunk decoded, all others over it take what that gave.
        let mut decoded = Decoded::new(definitions, &*seat.probe, &arena);
        let taking = || turn.readers.iter().map(|at| &track.readers[*at]);
        decoded.finds = seekers(shards, taking(), partition) >= QUERIES_LEAST;
        for reader in taking() {
            let Some(shard) = shards.get_mut(&reader.query) else { continue };
            let lane = lane(reader, partition);
            shard.guard(|shard| {
                match (&chunk, reader.input) {
                    (Err(cause), _) => {
                        let (topic, cause) = (track.topic_of(turn.batch), cause.clone());
                        shard.fail(LiveError::Topic { topic, cause });
                    }
                    (Ok(chunk), Input::Repartition(topic)) => {
                        shard.take_repartitioned(lane, topic, chunk, &arena);
                    }
                    (Ok(chunk), Input::Source(node)) => {
                        let reads = shard.reads(lane);
                        match reads.and_then(|(id, sought)| decoded.read(id, sought, chunk)) {
                            None => {}
                            Some(Ok(source)) => shard.take_source(lane, node, source, &arena),
                            Some(Err(NotRead::Panic(panic))) => shard.fail(panic.clone().into()),
                            Some(Err(NotRead::Lacks(ids))) => {
                                shard.set_lacking(lane);
                                schemas.ask_all(ids);
                            }
                        }
                    }
                }
                if shard.has_much_to_give() {
                    shard.hand_on(&seat.workers);
                }
            });
        }
        drop(decoded);
        let place = chunk.ok().and_then(|chunk| chunk.place);
        let position =
            |reader: &TrackReader| shards.get(&reader.query)?.position(lane(reader, partition));
        // A batch is held for the reader that is furthest behind.
        let position = track.readers.iter().filter_map(position).min();
        if let Some(position) = position {
            readings.forget_before(reading, partition, position);
        }
        readings.set_place(reading, partition, place);
        true
    }

    /// Parts with those who take nothing where others wait for more than may be held: not with one
    /// that waits for a moment, for another partition or a commit, as what it takes later by itself
    /// is decoded once more.
    fn part_with(&mut self, reading: ReadingId, partition: Partition, wishes: &[Option<Wish>]) {
        if !self.readings.is_full(reading) {
            return;
        }
        let Some(track) = self.readings.track(reading, partition) else { return };
        let ahead = wishes.iter().flatten().filter(|wish| wish.until.is_some());
        let Some(ahead) = ahead.map(|wish| wish.position).min() else { return };
        let is_behind = |wish: &Option<Wish>| {
            wish.is_none_or(|wish| wish.until.is_none() && wish.position < ahead)
        };
        let readers = track.readers.iter().zip(wishes);
        let behind: Vec<_> = readers.filter(|(_, wish)| is_behind(wish)).collect();
        let position = |(_, wish): &(_, &Option<Wish>)| wish.map_or(i64::MIN, |wish| wish.position);
        let last = behind.iter().map(position).min().unwrap_or(ahead);
        let behind: Vec<TrackReader> =
            behind.into_iter().map(|(reader, _)| reader.clone()).collect();
        let waited = self.readings.held_up_for(reading, partition, last, clock::instant());
        if !behind.is_empty() && waited < PART_AFTER {
            return;
        }
        for reader in &behind {
            if let Some(shard) = self.shards.get_mut(&reader.query) {
                shard.set_detached(lane(reader, partition));
            }
        }
        self.readings.detach(reading, partition, |reader| behind.contains(reader));
        self.readings.forget_before(reading, partition, ahead);
    }
}

/// How many of some readers look for a value; no more are counted than have to be.
fn seekers<'r>(
    shards: &Shards,
    readers: impl Iterator<Item = &'r TrackReader>,
    partition: Partition,
) -> usize {
    let seeks = |reader: &&TrackReader| {
        let shard = shards.get(&reader.query);
        let reads = shard.and_then(|shard| shard.reads(lane(reader, partition)));
        reads.is_some_and(|(_, sought)| sought.is_some())
    };
    readers.filter(seeks).take(QUERIES_LEAST).count()
}

/// The lane of a reader of a partition.
fn lane(reader: &TrackReader, partition: Partition) -> LaneId {
    LaneId { input: reader.input, upstream: partition }
}
