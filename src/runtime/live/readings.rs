//! What a worker reads, and for whom: each partition once for all queries that stand together.
//!
//! A query that starts behind the others, or falls behind because it takes nothing, reads on its own
//! until it is level again.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tokio::task::JoinHandle;

use super::inbox::Inbox;
use super::message::{LaneStart, Message, QueryId, ReadingId};
use super::pump::{Flow, HELD_BYTES, pump};
use super::track::{Track, TrackReader};
use crate::kafka::config::Isolation;
use crate::kafka::fetch::{FetchedPartition, Fetcher};
use crate::kafka::{Cluster, TopicPartition};
use crate::types::Partition;

/// How many bytes a reading fetches ahead of what its worker holds.
const BUFFER_BYTES: usize = 4 << 20;

/// How many bytes of a reading a worker holds at most while it waits for some of its partitions.
const HUNGRY_BYTES: usize = 32 << 20;

/// Everything that a worker reads.
pub(super) struct Readings {
    cluster: Cluster,
    inbox: Arc<Inbox<Message>>,
    all: BTreeMap<ReadingId, Reading>,
    last: u64,
}

/// Partitions of one topic with a fetcher of their own.
pub(super) struct Reading {
    topic: Arc<str>,
    fetcher: Arc<Fetcher>,
    pump: JoinHandle<()>,
    flow: Arc<Flow>,
    pub(super) tracks: BTreeMap<Partition, Track>,
    /// Held back, as what is here waits for other partitions.
    paused: BTreeSet<Partition>,
}

impl Drop for Reading {
    fn drop(&mut self) {
        self.pump.abort();
    }
}

impl Readings {
    pub(super) fn new(cluster: Cluster, inbox: Arc<Inbox<Message>>) -> Self {
        Self { cluster, inbox, all: BTreeMap::new(), last: 0 }
    }

    /// Gives no reading a number that one of `others` has had.
    pub(super) fn number_after(&mut self, others: &Self) {
        self.last = others.last;
    }

    /// All partitions that are read.
    pub(super) fn places(&self) -> Vec<(ReadingId, Partition)> {
        let places = |(id, reading): (&ReadingId, &Reading)| {
            let id = *id;
            reading.tracks.keys().map(move |partition| (id, *partition)).collect::<Vec<_>>()
        };
        self.all.iter().flat_map(places).collect()
    }

    pub(super) fn track(&self, id: ReadingId, partition: Partition) -> Option<&Track> {
        self.all.get(&id)?.tracks.get(&partition)
    }

    /// Lets a query read partitions from their positions on: with others where they are there, else
    /// with a fetcher of its own.
    pub(super) fn attach(&mut self, query: &QueryId, lanes: &[LaneStart]) {
        let mut alone: BTreeMap<Arc<str>, Vec<&LaneStart>> = BTreeMap::new();
        for start in lanes {
            let reader = TrackReader { query: query.clone(), input: start.lane.input };
            match self.find(&start.topic, start.lane.upstream, start.position) {
                Some(id) => self.add_reader(id, start.lane.upstream, reader),
                None => alone.entry(Arc::clone(&start.topic)).or_default().push(start),
            }
        }
        for (topic, lanes) in alone {
            self.open(topic, query, &lanes);
        }
    }

    /// The oldest reading where the records of a partition from `position` on are.
    fn find(&self, topic: &str, partition: Partition, position: i64) -> Option<ReadingId> {
        let has = |reading: &Reading| {
            *reading.topic == *topic
                && reading.tracks.get(&partition).is_some_and(|track| track.has(position))
        };
        self.all.iter().find(|(_, reading)| has(reading)).map(|(id, _)| *id)
    }

    fn add_reader(&mut self, id: ReadingId, partition: Partition, reader: TrackReader) {
        let reading = self.all.get_mut(&id);
        if let Some(track) = reading.and_then(|reading| reading.tracks.get_mut(&partition)) {
            track.readers.push(reader);
        }
    }

    fn open(&mut self, topic: Arc<str>, query: &QueryId, lanes: &[&LaneStart]) {
        self.last += 1;
        let id = ReadingId(self.last);
        let fetcher = Fetcher::with_options(&self.cluster, Isolation::ReadCommitted, BUFFER_BYTES);
        let fetcher = Arc::new(fetcher);
        let flow = Arc::new(Flow::default());
        let mut tracks: BTreeMap<Partition, Track> = BTreeMap::new();
        for start in lanes {
            let new = || Track::new(start.position, start.end);
            let track = tracks.entry(start.lane.upstream).or_insert_with(new);
            track.readers.push(TrackReader { query: query.clone(), input: start.lane.input });
        }
        fetcher.assign(lanes.iter().map(|start| {
            let at = TopicPartition::new(&*topic, start.lane.upstream.0);
            (at, start.position)
        }));
        let carrying = pump(id, Arc::clone(&fetcher), Arc::clone(&flow), Arc::clone(&self.inbox));
        let pump = tokio::spawn(carrying);
        let paused = BTreeSet::new();
        self.all.insert(id, Reading { topic, fetcher, pump, flow, tracks, paused });
    }

    /// Takes in what was fetched; gives the partitions.
    pub(super) fn take_in(
        &mut self,
        id: ReadingId,
        fetched: Vec<FetchedPartition>,
    ) -> Vec<Partition> {
        let Some(reading) = self.all.get_mut(&id) else { return Vec::new() };
        let mut partitions = Vec::with_capacity(fetched.len());
        for fetched in fetched {
            let partition = Partition(fetched.partition.partition);
            match reading.tracks.get_mut(&partition) {
                Some(track) => {
                    track.push(fetched);
                    partitions.push(partition);
                }
                None => reading.flow.release(fetched.bytes),
            }
        }
        partitions
    }

    /// Forgets what lies before `position` of a partition.
    pub(super) fn forget_before(&mut self, id: ReadingId, partition: Partition, position: i64) {
        let Some(reading) = self.all.get_mut(&id) else { return };
        if let Some(track) = reading.tracks.get_mut(&partition) {
            reading.flow.release(track.forget_before(position));
        }
    }

    /// Takes readers of a partition away; a partition that nobody reads is fetched no more.
    pub(super) fn detach(
        &mut self,
        id: ReadingId,
        partition: Partition,
        leaves: impl Fn(&TrackReader) -> bool,
    ) {
        let Some(reading) = self.all.get_mut(&id) else { return };
        let Some(track) = reading.tracks.get_mut(&partition) else { return };
        track.readers.retain(|reader| !leaves(reader));
        if !track.readers.is_empty() {
            return;
        }
        reading.flow.release(track.bytes());
        reading.tracks.remove(&partition);
        let at = TopicPartition::new(&*reading.topic, partition.0);
        reading.fetcher.unassign([&at]);
        if reading.tracks.is_empty() {
            self.all.remove(&id);
        }
    }

    /// Takes a query out of everything.
    pub(super) fn remove(&mut self, query: &QueryId) {
        for (id, partition) in self.places() {
            self.detach(id, partition, |reader| reader.query == *query);
        }
    }

    /// Lets readers that have come to where others are go on with them.
    pub(super) fn join_level(&mut self, position: impl Fn(&TrackReader, Partition) -> Option<i64>) {
        if self.all.len() < 2 {
            return;
        }
        for (id, partition) in self.places() {
            let Some(reading) = self.all.get(&id) else { continue };
            let topic = Arc::clone(&reading.topic);
            let Some(track) = reading.tracks.get(&partition) else { continue };
            for reader in track.readers.clone() {
                let Some(position) = position(&reader, partition) else { continue };
                let level = self.find(&topic, partition, position).filter(|other| *other < id);
                if let Some(other) = level {
                    self.add_reader(other, partition, reader.clone());
                    self.detach(id, partition, |leaves| *leaves == reader);
                }
            }
        }
    }

    /// Takes more of readings that lack a partition, however much is here of the others; those are
    /// held back once it is too much.
    pub(super) fn feed_hungry(&mut self) {
        for reading in self.all.values_mut() {
            let held = reading.flow.held();
            let is_hungry = held >= HELD_BYTES && reading.tracks.values().any(Track::is_lacking);
            reading.flow.set_hungry(is_hungry);
            if is_hungry && held >= HUNGRY_BYTES {
                reading.pause_those_here();
            } else if !reading.paused.is_empty() && held < HELD_BYTES {
                reading.resume_all();
            }
        }
    }

    /// Whether a worker holds as much of a reading as it takes.
    pub(super) fn is_full(&self, id: ReadingId) -> bool {
        self.all.get(&id).is_some_and(|reading| reading.flow.held() >= HELD_BYTES)
    }

    /// Whether anything is here that is not processed.
    pub(super) fn has_pending(&self) -> bool {
        let mut tracks = self.all.values().flat_map(|reading| reading.tracks.values());
        tracks.any(|track| !track.batches.is_empty())
    }

    /// The readers of a reading, or of one of its partitions.
    pub(super) fn readers(&self, id: ReadingId, partition: Option<Partition>) -> BTreeSet<QueryId> {
        let tracks = self.all.get(&id).into_iter().flat_map(|reading| &reading.tracks);
        let tracks = tracks.filter(|(at, _)| partition.is_none_or(|partition| partition == **at));
        tracks.flat_map(|(_, track)| &track.readers).map(|reader| reader.query.clone()).collect()
    }
}

impl Reading {
    fn at(&self, partition: Partition) -> TopicPartition {
        TopicPartition::new(&*self.topic, partition.0)
    }

    fn pause_those_here(&mut self) {
        let here = self.tracks.iter().filter(|(_, track)| !track.batches.is_empty());
        self.paused = here.map(|(partition, _)| *partition).collect();
        let paused: Vec<_> = self.paused.iter().map(|partition| self.at(*partition)).collect();
        self.fetcher.pause(&paused);
    }

    fn resume_all(&mut self) {
        let paused = std::mem::take(&mut self.paused);
        let paused: Vec<_> = paused.into_iter().map(|partition| self.at(partition)).collect();
        self.fetcher.resume(&paused);
    }
}
