//! The tasks of a query on several workers, without threads: what comes next is the schedule's choice.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::Arc;

use millstream::kafka::partitioner::partition_for_key;
use millstream::operators::TopologyOptions;
use millstream::plan::{Input, KeptPartitions, NodeId, QueryPlan, Source};
use millstream::runtime::{
    BLOCK_RECORDS, DriverRecord, FaultRules, Handover, LaneId, Layout, LayoutOptions, MaxIdle,
    PartPlacement, Placement, Placing, RawRecords, SeededRandom, SkipCause, SkipCounts,
    SkipExample, SourceBatch, SourceReader, SourceRecords, Surrounded, Surroundings, Target, Tasks,
};
use millstream::types::{Arena, Partition, Timestamp};

use super::program::Program;

/// The records of each partition, by topic.
#[derive(Clone)]
pub(crate) struct Backlog(pub(crate) BTreeMap<&'static str, Vec<Vec<DriverRecord>>>);

impl fmt::Debug for Backlog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = |bytes: &Option<Vec<u8>>| {
            bytes.as_ref().map_or("null".to_owned(), |bytes| String::from_utf8_lossy(bytes).into())
        };
        for (topic, partitions) in &self.0 {
            for (partition, records) in partitions.iter().enumerate() {
                for DriverRecord { key, value, timestamp_ms, .. } in records {
                    writeln!(f)?;
                    let (key, value) = (text(key), text(value));
                    write!(f, "  {topic}-{partition} {key} {value} @ {timestamp_ms}")?;
                }
            }
        }
        Ok(())
    }
}

/// Who runs what, and in which order things happen.
#[derive(Clone, Debug)]
pub(crate) struct Schedule {
    /// How many workers there are; none stands for one of its own for each task.
    pub(crate) workers: Option<usize>,
    /// What comes next: read round and round.
    pub(crate) choices: Vec<u16>,
}

/// A record that was produced, and where it went.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Produced {
    /// `sink`, or the changelog.
    pub(crate) topic: String,
    pub(crate) partition: i32,
    pub(crate) key: Option<Vec<u8>>,
    pub(crate) value: Option<Vec<u8>>,
    pub(crate) timestamp_ms: i64,
}

impl fmt::Debug for Produced {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = |bytes: &Option<Vec<u8>>| {
            bytes.as_ref().map_or("null".to_owned(), |bytes| bytes.escape_ascii().to_string())
        };
        let Self { topic, partition, key, value, timestamp_ms } = self;
        let (key, value) = (text(key), text(value));
        write!(f, "{topic}-{partition} {key} {value} @ {timestamp_ms}")
    }
}

/// What was said of a record that was skipped.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) cause: SkipCause,
    pub(crate) example: SkipExample,
}

/// What came out, by worker and in order.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) produced: Vec<Vec<Produced>>,
    /// How many records were skipped, by cause.
    pub(crate) skipped: SkipCounts,
    /// What was said of some of them.
    pub(crate) told: Vec<Told>,
    /// Whether one worker ran everything.
    pub(crate) is_together: bool,
    /// The processing log, in no order.
    pub(crate) log: Vec<String>,
}

/// A topic that a query reads, and how far each partition is.
struct Feed<'b> {
    node: NodeId,
    reader: SourceReader,
    partitions: Vec<(usize, &'b [DriverRecord])>,
}

struct World<'b> {
    layout: Arc<Layout>,
    workers: Vec<Tasks>,
    feeds: Vec<Feed<'b>>,
    /// What one worker has handed to another that it has not taken in.
    on_its_way: BTreeMap<(usize, usize), VecDeque<Handover>>,
    random: SeededRandom,
    outcome: Outcome,
}

/// Runs a program over a backlog that lies there, to its end and through one barrier.
pub(crate) fn run(program: &Program, backlog: &Backlog, schedule: &Schedule) -> Outcome {
    let plan = program.plan();
    let partitions = backlog.0.values().next().map_or(1, Vec::len);
    let mut world = World::new(&plan, program, backlog, schedule, partitions as i32);
    let mut choices = schedule.choices.iter().cycle().copied();
    let mut choose = |count: usize| usize::from(choices.next().unwrap_or(0)) % count.max(1);
    while world.step(&mut choose) {}
    for part in world.layout.clone().parts() {
        for worker in 0..world.workers.len() {
            let (surroundings, tasks) = (surroundings(&world.random), &mut world.workers[worker]);
            tasks.drain(part, surroundings).unwrap();
            while tasks.flush_some(part, surroundings).unwrap() {}
            world.collect(worker);
        }
        while world.deliver(&mut choose) {}
    }
    world.outcome.log.sort();
    world.outcome
}

/// Any worker for any partition of a part.
fn owners(part: usize, partitions: i32, workers: usize, schedule: &Schedule) -> PartPlacement {
    let choices = schedule.choices.iter().cycle().skip(part);
    let owners = choices.take(partitions as usize).map(|choice| usize::from(*choice) % workers);
    PartPlacement { moved_by: part, owners: owners.collect() }
}

impl<'b> World<'b> {
    fn new(
        plan: &Arc<QueryPlan>,
        program: &Program,
        backlog: &'b Backlog,
        schedule: &Schedule,
        partitions: i32,
    ) -> Self {
        let kept = program.kept.map(|kept| kept.min(partitions)).into_iter();
        let stores = kept.flat_map(|kept| plan.stores().map(move |(store, ..)| (store, kept)));
        let kept = KeptPartitions { stores: stores.collect(), ..KeptPartitions::default() };
        let counts = plan.partition_counts_with(|_, _| partitions, &kept).unwrap();
        let parts = plan.sub_topologies().len();
        let placement = match schedule.workers {
            Some(workers) => Placement {
                workers,
                parts: (0..parts).map(|part| owners(part, partitions, workers, schedule)).collect(),
                is_together: false,
            },
            None => Placement {
                workers: parts * partitions as usize,
                parts: (0..parts)
                    .map(|part| part * partitions as usize)
                    .map(|moved_by| PartPlacement { moved_by, owners: Arc::default() })
                    .collect(),
                is_together: false,
            },
        };
        let options = LayoutOptions {
            topology: TopologyOptions { cached_groups: program.cached_groups, emit_interval_ms: 0 },
            is_in_memory: true,
            partitioner: partition_for_key,
            max_idle: MaxIdle::Millis(0),
            placement,
        };
        let layout = Arc::new(Layout::new(Arc::clone(plan), "CSAS_SINK_0", counts, options));
        let workers = 0..layout.placement().workers;
        let workers: Vec<Tasks> =
            workers.map(|worker| Tasks::new(Arc::clone(&layout), worker).unwrap()).collect();
        let feed = |(node, source): (NodeId, &Arc<Source>)| Feed {
            node,
            reader: SourceReader::new(Arc::clone(source)).unwrap(),
            partitions: backlog.0[&*source.topic].iter().map(|all| (0, all.as_slice())).collect(),
        };
        let outcome = Outcome {
            produced: vec![Vec::new(); workers.len()],
            skipped: SkipCounts::default(),
            told: Vec::new(),
            is_together: layout.placement().is_together,
            log: Vec::new(),
        };
        let mut world = Self {
            layout,
            workers,
            feeds: plan.sources().map(feed).collect(),
            on_its_way: BTreeMap::new(),
            random: SeededRandom::new(0),
            outcome,
        };
        world.note_empty_partitions();
        world
    }

    /// As a reader does that finds a partition at its end when it starts.
    fn note_empty_partitions(&mut self) {
        for feed in 0..self.feeds.len() {
            for partition in 0..self.feeds[feed].partitions.len() {
                if self.feeds[feed].partitions[partition].1.is_empty() {
                    let input = Input::Source(self.feeds[feed].node);
                    let at = Partition(partition as i32);
                    let worker = self.owner(input, at);
                    let surroundings = surroundings(&self.random);
                    let lane = LaneId { input, upstream: at };
                    self.workers[worker].note_end(lane, true, surroundings).unwrap();
                    self.collect(worker);
                }
            }
        }
    }

    fn owner(&self, input: Input, partition: Partition) -> usize {
        let lane = LaneId { input, upstream: partition };
        self.layout.placement().owner(self.layout.task_at(lane).unwrap())
    }

    /// Reads some records of some partition, or delivers what is on its way. False at the end.
    fn step(&mut self, choose: &mut impl FnMut(usize) -> usize) -> bool {
        let unread = |(feed, of): (usize, &Feed<'_>)| {
            let partitions = of.partitions.iter().enumerate();
            let unread = partitions.filter(|(_, (next, all))| *next < all.len());
            unread.map(move |(partition, _)| (feed, partition)).collect::<Vec<_>>()
        };
        let unread: Vec<_> = self.feeds.iter().enumerate().flat_map(unread).collect();
        if unread.is_empty() || (!self.on_its_way.is_empty() && choose(2) == 0) {
            return self.deliver(choose);
        }
        let (feed, partition) = unread[choose(unread.len())];
        let len = 1 + choose(8);
        self.read(feed, partition, len);
        true
    }

    fn read(&mut self, feed: usize, partition: usize, len: usize) {
        let Feed { node, partitions, .. } = &mut self.feeds[feed];
        let (input, (next, all)) = (Input::Source(*node), &mut partitions[partition]);
        let batch = &all[*next..(*next + len).min(all.len())];
        let offset = *next as i64;
        *next += batch.len();
        let is_at_end = *next == all.len();
        let worker = self.owner(input, Partition(partition as i32));
        let Feed { node, reader, .. } = &self.feeds[feed];
        let arena = Arena::new();
        let raw = raw(batch, partition as i32, offset);
        let read = reader.read(&raw, &vec![true; reader.frame().len()], &arena);
        let records = SourceRecords { reader, records: &raw };
        let batch = SourceBatch { source: *node, read: &read, records, is_at_end };
        let surrounded = Surrounded { surroundings: surroundings(&self.random), arena: &arena };
        self.workers[worker].process(batch, surrounded).unwrap();
        self.collect(worker);
    }

    fn deliver(&mut self, choose: &mut impl FnMut(usize) -> usize) -> bool {
        let ways: Vec<_> = self.on_its_way.keys().copied().collect();
        if ways.is_empty() {
            return false;
        }
        let way = ways[choose(ways.len())];
        let mut waiting = self.on_its_way.remove(&way).unwrap();
        let handover = waiting.pop_front();
        if !waiting.is_empty() {
            self.on_its_way.insert(way, waiting);
        }
        if let Some(handover) = handover {
            self.workers[way.1].accept(handover, surroundings(&self.random)).unwrap();
            self.collect(way.1);
        }
        true
    }

    /// Takes what a worker has given.
    fn collect(&mut self, worker: usize) {
        for (to, handover) in self.workers[worker].take_outbound() {
            self.on_its_way.entry((worker, to)).or_default().push_back(handover);
        }
        let given = std::mem::take(&mut self.workers[worker].given);
        self.outcome.skipped += given.skipped.counts;
        for (cause, examples) in given.skipped.examples.iter() {
            let first = examples.first().cloned();
            self.outcome.told.extend(first.map(|example| Told { cause, example }));
        }
        self.outcome.log.extend(given.log.iter().map(|entry| format!("{entry:?}")));
        let changelog = given.changelog.written().unwrap();
        for record in given.output.records().chain(changelog.records()) {
            let partition = match record.placing {
                Placing::Partition(partition) => partition,
                _ => -1,
            };
            let topic = match record.target {
                Target::Sink => "sink".to_owned(),
                target => format!("{target:?}"),
            };
            self.outcome.produced[worker].push(Produced {
                topic,
                partition,
                key: record.key.map(<[u8]>::to_vec),
                value: record.value.map(without_sequence),
                timestamp_ms: record.timestamp_ms,
            });
        }
    }
}

/// Takes the counter of `LATEST_BY_OFFSET` out of a JSON value: rows of other keys move it on.
fn without_sequence(value: &[u8]) -> Vec<u8> {
    const NAME: &str = "\"SEQ\":";
    let Ok(text) = std::str::from_utf8(value) else { return value.to_vec() };
    let mut parts = text.split(NAME);
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        out.push_str(NAME);
        out.push_str(part.trim_start_matches(|c: char| c.is_ascii_digit()));
    }
    out.into_bytes()
}

/// The offset of the record at a place: far enough from the next for several blocks.
pub(crate) fn offset_of(at: i64) -> i64 {
    at * BLOCK_RECORDS / 3
}

fn raw(records: &[DriverRecord], partition: i32, at: i64) -> RawRecords<'_> {
    RawRecords {
        partition,
        offsets: (at..).take(records.len()).map(offset_of).collect(),
        timestamps: records.iter().map(|record| record.timestamp_ms).collect(),
        keys: records.iter().map(|record| record.key.as_deref()).collect(),
        values: records.iter().map(|record| record.value.as_deref()).collect(),
        headers: None,
    }
}

fn surroundings(random: &SeededRandom) -> Surroundings<'_> {
    Surroundings { now: Timestamp(0), random, fault_rules: FaultRules::default() }
}
