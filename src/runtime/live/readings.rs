//! What a worker reads, and for whom: each partition once for all queries that stand together.
//!
//! A query that starts behind the others, or falls behind because it takes nothing, reads on its own
//! until it is level again.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::JoinHandle;

use super::decode::Place;
use super::ids::{QueryId, ReadingId};
use super::inbox::Inbox;
use super::lane_start::LaneStart;
use super::message::Message;
use super::pump::{Flow, HELD_BYTES, pump};
use super::topic_figures::TopicFigures;
use super::track::{Track, TrackReader};
use crate::kafka::config::Isolation;
use crate::kafka::fetch::{FetchedPartition, Fetcher};
use crate::kafka::{Cluster, TopicPartition};
use crate::runtime::clock;
use crate::types::Partition;

/// How many bytes a reading fetches ahead of what its worker holds.
const BUFFER_BYTES: usize = 1 << 20;

/// Everything that a worker reads.
pub(super) struct Readings {
    cluster: Cluster,
    inbox: Arc<Inbox<Message>>,
    topics: Arc<TopicFigures>,
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
    pub(super) fn new(
        cluster: Cluster,
        inbox: Arc<Inbox<Message>>,
        topics: Arc<TopicFigures>,
    ) -> Self {
        Self { cluster, inbox, topics, all: BTreeMap::new(), last: 0 }
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

    /// Whether readers at `position` of a partition should wait for those of another reading, which
    /// are about to come to where they are: two readings fetch and decode everything twice.
    pub(super) fn is_to_wait(&self, id: ReadingId, partition: Partition, position: i64) -> bool {
        if self.all.len() < 2 {
            return false;
        }
        let Some(reading) = self.all.get(&id) else { return false };
        let others = self
            .all
            .iter()
            .filter(|(other, other_reading)| **other != id && other_reading.topic == reading.topic);
        let now = clock::instant();
        others
            .filter_map(|(_, other)| other.tracks.get(&partition))
            .any(|track| track.is_catching_up(position, now))
    }

    /// Whether a reader of a partition has moved just now, so that the others wait for it rather than
    /// go on without it: what is taken one by one is decoded as often.
    pub(super) fn is_moving(&self, id: ReadingId, partition: Partition) -> bool {
        let track = self.track(id, partition);
        track.is_some_and(|track| track.is_moving(clock::instant()))
    }

    /// Notes where the next record of a partition is.
    pub(super) fn set_place(&mut self, id: ReadingId, partition: Partition, place: Option<Place>) {
        let track = self.all.get_mut(&id).and_then(|reading| reading.tracks.get_mut(&partition));
        if let Some(track) = track {
            track.place = place;
        }
    }

    /// How long the reader that is furthest behind has been at `position`, while others wait for it.
    pub(super) fn held_up_for(
        &mut self,
        id: ReadingId,
        partition: Partition,
        position: i64,
        now: Instant,
    ) -> Duration {
        let track = self.all.get_mut(&id).and_then(|reading| reading.tracks.get_mut(&partition));
        track.map_or(Duration::ZERO, |track| track.held_up_for(position, now))
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
            let new = || {
                let partition = start.lane.upstream;
                let figures = self.topics.partition(&topic, start.topic_id, partition);
                Track::new(start.position, start.end, figures)
            };
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

    /// Takes more of readings that hold enough but lack a partition: of that one only.
    pub(super) fn feed_hungry(&mut self) {
        for reading in self.all.values_mut() {
            let is_full = reading.flow.held() >= HELD_BYTES;
            let is_hungry = is_full && reading.tracks.values().any(Track::is_lacking);
            reading.hold_back(is_hungry);
            reading.flow.set_hungry(is_hungry);
        }
    }

    /// Whether a worker holds as much of a reading as it takes.
    pub(super) fn is_full(&self, id: ReadingId) -> bool {
        self.all.get(&id).is_some_and(|reading| reading.flow.held() >= HELD_BYTES)
    }

    /// Whether anything is here that some reader who is not at rest has not processed.
    pub(super) fn has_pending(&self, is_at_rest: impl Fn(&QueryId) -> bool) -> bool {
        let mut tracks = self.all.values().flat_map(|reading| reading.tracks.values());
        tracks.any(|track| {
            let mut readers = track.readers.iter();
            !track.batches.is_empty() && readers.any(|reader| !is_at_rest(&reader.query))
        })
    }

    /// The readers of a reading, or of one of its partitions.
    pub(super) fn readers(&self, id: ReadingId, partition: Option<Partition>) -> BTreeSet<QueryId> {
        let tracks = self.all.get(&id).into_iter().flat_map(|reading| &reading.tracks);
        let tracks = tracks.filter(|(at, _)| partition.is_none_or(|partition| partition == **at));
        tracks.flat_map(|(_, track)| &track.readers).map(|reader| reader.query.clone()).collect()
    }

    /// Reads a partition on behind a gap: offsets that are not there any more.
    pub(super) fn skip(&mut self, id: ReadingId, partition: Partition, gap: Range<i64>) {
        let Some(reading) = self.all.get_mut(&id) else { return };
        let at = reading.at(partition);
        let Some(track) = reading.tracks.get_mut(&partition) else { return };
        reading.fetcher.seek(&at, gap.end);
        track.push(FetchedPartition {
            partition: at,
            position: gap.start,
            next_offset: gap.end,
            high_watermark: gap.end,
            last_stable_offset: gap.end,
            batches: Vec::new(),
            bytes: 0,
        });
    }
}

impl Reading {
    fn at(&self, partition: Partition) -> TopicPartition {
        TopicPartition::new(&*self.topic, partition.0)
    }

    /// Holds back the partitions of which something is here, or none.
    fn hold_back(&mut self, those_here: bool) {
        let Self { tracks, paused, .. } = self;
        let is_held = |partition: &Partition| {
            those_here && tracks.get(partition).is_some_and(|track| !track.batches.is_empty())
        };
        let resumed: Vec<_> = paused.extract_if(.., |partition| !is_held(partition)).collect();
        let held = tracks.keys().filter(|partition| is_held(partition));
        let held: Vec<_> = held.filter(|held| !paused.contains(held)).copied().collect();
        paused.extend(&held);
        if !held.is_empty() {
            let held: Vec<_> = held.into_iter().map(|partition| self.at(partition)).collect();
            self.fetcher.pause(&held);
        }
        if !resumed.is_empty() {
            let resumed: Vec<_> = resumed.into_iter().map(|partition| self.at(partition)).collect();
            self.fetcher.resume(&resumed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kafka::admin::OffsetSpec;
    use crate::kafka::{ClientConfig, TopicId};
    use crate::plan::{Input, NodeId};
    use crate::runtime::LaneId;

    fn start(partition: i32) -> LaneStart {
        let lane = LaneId { input: Input::Source(NodeId(0)), upstream: Partition(partition) };
        LaneStart {
            lane,
            topic: "t".into(),
            topic_id: TopicId::UNKNOWN,
            position: 0,
            end: 100,
            reset: OffsetSpec::Earliest,
            stop: None,
        }
    }

    fn fetched(partition: i32, offsets: std::ops::Range<i64>) -> FetchedPartition {
        FetchedPartition {
            partition: TopicPartition::new("t", partition),
            position: offsets.start,
            next_offset: offsets.end,
            high_watermark: 100,
            last_stable_offset: 100,
            batches: Vec::new(),
            bytes: HELD_BYTES,
        }
    }

    #[tokio::test]
    async fn of_a_full_reading_only_what_it_lacks_is_fetched() {
        let cluster = Cluster::new(ClientConfig::new("127.0.0.1:1").unwrap()).unwrap();
        let mut readings = Readings::new(cluster, Arc::new(Inbox::new(1)), Arc::default());
        readings.attach(&"q".into(), &[start(0), start(1)]);
        let id = ReadingId(1);
        let paused = |readings: &Readings| readings.all[&id].paused.iter().map(|p| p.0).collect();
        let take_in = |readings: &mut Readings, fetched: FetchedPartition| {
            readings.all[&id].flow.hold(fetched.bytes);
            readings.take_in(id, vec![fetched]);
            readings.feed_hungry();
            paused(readings)
        };
        let none: Vec<i32> = Vec::new();
        assert_eq!(take_in(&mut readings, fetched(0, 0..10)), [0]);
        // Once nothing is lacking, the pump alone holds everything back.
        assert_eq!(take_in(&mut readings, fetched(1, 0..10)), none);
        readings.forget_before(id, Partition(0), 10);
        readings.feed_hungry();
        let now_paused: Vec<i32> = paused(&readings);
        assert_eq!(now_paused, [1]);
        // What it lacked comes: the other is lacking in turn, and is not left paused.
        assert_eq!(take_in(&mut readings, fetched(0, 10..20)), none);
        readings.forget_before(id, Partition(1), 10);
        readings.feed_hungry();
        let now_paused: Vec<i32> = paused(&readings);
        assert_eq!(now_paused, [0]);
    }
}
