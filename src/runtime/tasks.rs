//! The tasks of one query that one worker runs, and how rows pass between them in memory.
//!
//! Rows of a source go straight through a task that reads nothing else. What such a task gives to the
//! tasks of another sub-topology goes onto their lanes, here or, as a [`Handover`], to the worker that
//! runs them; with it goes how far the giving task has come, so that those who read several lanes know
//! which row is next ([`Inputs`]).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::blocks::{BLOCK_RECORDS, Block};
use super::care::Care;
use super::given::Given;
use super::handover::{Handover, Leaving};
use super::ids::{LaneId, TaskId, Way};
use super::inputs::{Chunk, Inputs, Progress, running_times};
use super::layout::Layout;
use super::origin::Origin;
use super::pieces::Pieces;
use super::pull_task::PreparedPulls;
use super::task::{MixedBatch, Surrounded, Surroundings, Task, TaskBatch};
use crate::operators::{QueryError, StoredRecord};
use crate::plan::{Input, StoreId, SubTopologyId};
use crate::types::{Arena, Partition};

/// How many rows operators get at once.
pub const CHUNK_ROWS: usize = BLOCK_RECORDS as usize;

/// All tasks of one query that one worker runs.
pub struct Tasks {
    pub(super) layout: Arc<Layout>,
    pub(super) worker: usize,
    pub(super) seats: BTreeMap<TaskId, Seat>,
    pub(super) junctions: BTreeMap<TaskId, Junction>,
    /// The junctions whose inputs have changed.
    pub(super) ready: BTreeSet<TaskId>,
    /// Whether what comes onto lanes waits until its sub-topology is drained.
    holds: bool,
    /// What the tasks have given since it was taken last.
    pub given: Given,
    /// What is for other workers.
    pub(super) outbound: Vec<(usize, Handover)>,
    pieces: Arc<Pieces>,
    /// Where partitions of sources are, where rows go by block.
    pub(super) blocks: BTreeMap<LaneId, Block>,
    /// How rows are given to tasks.
    pub(super) care: Care,
    pub(super) pulls: PreparedPulls,
}

/// A task, and what it has said of its progress to the tasks that it hands rows to.
pub(super) struct Seat {
    pub(super) task: Task,
    pub(super) told: Option<Progress>,
    /// Whether what it has changed cannot be undone by making it again.
    pub(super) is_stateful: bool,
}

/// Where the ways of a task meet, or those of several that go round in a circle.
pub(super) struct Junction {
    pub(super) inputs: Inputs,
    /// How far its tasks have come: no row that they give later has a lower time.
    pub(super) progress: Progress,
}

impl Tasks {
    /// The tasks of `worker`. What cannot be run is refused here.
    pub fn new(layout: Arc<Layout>, worker: usize) -> Result<Self, QueryError> {
        let own = layout.tasks().filter(|id| layout.placement().owner(*id) == worker);
        let own: Vec<Task> = own.map(|id| layout.task(id)).collect::<Result<_, _>>()?;
        let pieces = Arc::new(Pieces::new(&layout)?);
        Ok(Self::of(layout, worker, own, pieces))
    }

    /// Tasks of `worker` that are there already.
    fn of(layout: Arc<Layout>, worker: usize, tasks: Vec<Task>, pieces: Arc<Pieces>) -> Self {
        let mut junctions = BTreeMap::new();
        for task in &tasks {
            let id = layout.junction(task.id());
            junctions.entry(id).or_insert_with(|| Junction {
                inputs: layout.junction_inputs(id),
                progress: Progress::START,
            });
        }
        let seat = |task: Task| {
            let is_stateful = !task.stores().is_empty() || layout.goes_round(task.id());
            (task.id(), Seat { task, told: None, is_stateful })
        };
        Self {
            seats: tasks.into_iter().map(seat).collect(),
            layout,
            worker,
            junctions,
            ready: BTreeSet::new(),
            holds: false,
            given: Given::default(),
            outbound: Vec::new(),
            pieces,
            blocks: BTreeMap::new(),
            care: Care::default(),
            pulls: PreparedPulls::default(),
        }
    }

    /// Gives each worker its own of the tasks of a query that one has restored.
    pub fn divide(self, layout: &Arc<Layout>) -> Vec<Self> {
        let mut shares: Vec<Vec<Task>> = Vec::new();
        shares.resize_with(layout.placement().workers.max(1), Vec::new);
        for (id, seat) in self.seats {
            shares[layout.placement().owner(id)].push(seat.task);
        }
        let pieces = self.pieces;
        let share =
            |(worker, tasks)| Self::of(Arc::clone(layout), worker, tasks, Arc::clone(&pieces));
        shares.into_iter().enumerate().map(share).collect()
    }

    /// How the query is cut into tasks.
    pub fn layout(&self) -> &Arc<Layout> {
        &self.layout
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.seats.is_empty()
    }

    /// Which of them there are.
    pub fn ids(&self) -> impl Iterator<Item = TaskId> {
        self.seats.keys().copied()
    }

    /// The task that reads a partition of a topic, or stands for those that do, if it is here.
    pub(super) fn reader(&self, lane: LaneId) -> Option<TaskId> {
        self.layout.task_at(lane).filter(|id| self.seats.contains_key(id))
    }

    /// Whether the task that reads a lane's topic and partition is here.
    pub fn reads(&self, lane: LaneId) -> bool {
        self.reader(lane).is_some()
    }

    /// The way from a partition of a topic to the task that reads it, if that is here.
    pub(super) fn way(&self, lane: LaneId) -> Option<Way> {
        self.reader(lane).map(|to| Way { lane, to })
    }

    pub(super) fn junction(&mut self, task: TaskId) -> Option<&mut Junction> {
        self.junctions.get_mut(&self.layout.junction(task))
    }

    /// The highest time of the rows that came from a partition of a topic.
    pub fn stream_time(&self, lane: LaneId) -> i64 {
        if self.goes_by_block(lane) {
            return self.block(lane).highest();
        }
        let Some(id) = self.reader(lane) else { return i64::MIN };
        let junction = self.junctions.get(&self.layout.junction(id));
        junction.map_or(i64::MIN, |junction| junction.inputs.lane_time(lane))
    }

    /// The time that the rows went by that came last from a partition of a topic.
    pub fn taken_time(&self, lane: LaneId) -> i64 {
        if self.goes_by_block(lane) { self.block(lane).time() } else { self.stream_time(lane) }
    }

    /// The time that the row of an offset goes by, the next of its partition, if that is known before
    /// the row is.
    pub fn next_time(&self, lane: LaneId, offset: i64) -> Option<i64> {
        self.goes_by_block(lane).then(|| self.block(lane).time_of(offset))
    }

    pub(super) fn goes_by_block(&self, lane: LaneId) -> bool {
        self.layout.goes_by_block() && matches!(lane.input, Input::Source(_))
    }

    pub(super) fn block(&self, lane: LaneId) -> Block {
        self.blocks.get(&lane).copied().unwrap_or(Block::START)
    }

    /// Takes in what a task of another worker hands over.
    pub fn accept(
        &mut self,
        handover: Handover,
        surroundings: Surroundings<'_>,
    ) -> Result<(), QueryError> {
        self.put_on_lanes(handover);
        self.settle(surroundings)
    }

    /// What is for other workers.
    pub fn take_outbound(&mut self) -> Vec<(usize, Handover)> {
        std::mem::take(&mut self.outbound)
    }

    /// Processes what can be processed by now, as time has passed.
    pub fn go_on(&mut self, surroundings: Surroundings<'_>) -> Result<(), QueryError> {
        self.ready.extend(self.junctions.keys().copied());
        self.settle(surroundings)
    }

    /// When a lane without rows has been waited for long enough, if one is waited for.
    pub fn idle_until_ms(&self) -> Option<i64> {
        self.junctions.values().filter_map(|junction| junction.inputs.idle_until_ms()).min()
    }

    /// About how many bytes the rows take that wait for others.
    pub fn waiting_bytes(&self) -> usize {
        self.junctions.values().map(|junction| junction.inputs.bytes()).sum()
    }

    /// Processes all rows that wait in a sub-topology, whatever may come after them. From here on, what comes onto lanes
    /// waits until its own is drained: what caches give away comes from several tasks, and only once all of it is there is
    /// it known which row is first.
    pub fn drain(
        &mut self,
        part: SubTopologyId,
        surroundings: Surroundings<'_>,
    ) -> Result<(), QueryError> {
        self.holds = true;
        let seats = self.seats.keys().filter(|id| id.part == part);
        let junctions: BTreeSet<TaskId> = seats.map(|id| self.layout.junction(*id)).collect();
        let rows_max = self.rows_max();
        for id in junctions {
            while let Some(chunk) = self.next_chunk(id, |inputs| inputs.drain(rows_max)) {
                self.process_chunk(id, &chunk, surroundings)?;
            }
            self.pass_on(id, Vec::new());
        }
        Ok(())
    }

    /// Goes on after all sub-topologies were drained.
    pub fn resume(&mut self, surroundings: Surroundings<'_>) -> Result<(), QueryError> {
        self.holds = false;
        self.settle(surroundings)
    }

    /// How far the task has come that reads a lane: no row that it processes later has a lower time.
    pub fn reader_time(&self, lane: LaneId) -> i64 {
        let junction =
            self.reader(lane).and_then(|id| self.junctions.get(&self.layout.junction(id)));
        junction.map_or(i64::MIN, |junction| junction.inputs.progress().time)
    }

    /// How far the tasks of each sub-topology have come.
    pub fn progress(&mut self) -> BTreeMap<SubTopologyId, Progress> {
        let mut parts: BTreeMap<SubTopologyId, Progress> = BTreeMap::new();
        for id in self.seats.keys() {
            let junction = self.junctions.get_mut(&self.layout.junction(*id));
            let Some(progress) = junction.map(Junction::next_progress) else { continue };
            let all = parts.entry(id.part).or_insert(progress);
            *all = all.with(progress);
        }
        parts
    }

    /// Gives away some of what waits in the caches of a sub-topology. Whether more waits.
    pub fn flush_some(
        &mut self,
        part: SubTopologyId,
        surroundings: Surroundings<'_>,
    ) -> Result<bool, QueryError> {
        let ids: Vec<TaskId> = self.seats.keys().filter(|id| id.part == part).copied().collect();
        for id in ids {
            let time = self.junction(id).map_or(i64::MIN, |junction| junction.progress.time);
            let Some(seat) = self.seats.get_mut(&id) else { continue };
            let arena = Arena::new();
            let surrounded = Surrounded { surroundings, arena: &arena };
            let more = seat.task.flush_some(time, &mut self.given, surrounded)?;
            let mut leaving = Vec::new();
            self.go_round(id, &mut leaving, surroundings)?;
            self.pass_on(self.layout.junction(id), leaving);
            if more {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Processes everything that waits anywhere, and gives away what waits in caches: all of it, where
    /// one worker runs all tasks.
    pub fn flush_all(&mut self, surroundings: Surroundings<'_>) -> Result<(), QueryError> {
        let layout = Arc::clone(&self.layout);
        for part in layout.parts_downstream().iter().copied() {
            self.drain(part, surroundings)?;
            while self.flush_some(part, surroundings)? {}
        }
        self.resume(surroundings)
    }

    /// Takes back a record of a changelog's partition.
    pub fn restore(
        &mut self,
        store: StoreId,
        partition: Partition,
        record: &StoredRecord<'_>,
    ) -> Result<(), QueryError> {
        let Some(part) = self.layout.keeper_of(store) else { return Ok(()) };
        match self.seats.get_mut(&TaskId { part, partition }) {
            Some(seat) => seat.task.restore(store, record),
            None => Ok(()),
        }
    }

    /// How many rows each store holds for each partition.
    pub(super) fn stored(&mut self) -> Vec<((StoreId, Partition), usize)> {
        let stored = |(id, seat): (&TaskId, &mut Seat)| {
            let partition = id.partition;
            let stored = seat.task.stored().map(|(store, rows)| ((store, partition), rows));
            stored.collect::<Vec<_>>()
        };
        self.seats.iter_mut().flat_map(stored).collect()
    }

    pub(super) fn next_chunk(
        &mut self,
        junction: TaskId,
        take: impl FnOnce(&mut Inputs) -> Option<Chunk>,
    ) -> Option<Chunk> {
        self.junctions.get_mut(&junction).and_then(|junction| take(&mut junction.inputs))
    }

    /// Processes what can be processed, and hands on what comes of it, until nothing moves.
    pub(super) fn settle(&mut self, surroundings: Surroundings<'_>) -> Result<(), QueryError> {
        if self.holds {
            return Ok(());
        }
        let (now_ms, rows_max) = (surroundings.now.0, self.rows_max());
        while let Some(id) = self.ready.pop_first() {
            while let Some(chunk) = self.next_chunk(id, |inputs| inputs.next(now_ms, rows_max)) {
                self.process_chunk(id, &chunk, surroundings)?;
            }
            self.pass_on(id, Vec::new());
        }
        Ok(())
    }

    fn process_chunk(
        &mut self,
        id: TaskId,
        chunk: &Chunk,
        surroundings: Surroundings<'_>,
    ) -> Result<(), QueryError> {
        let mut leaving = Vec::new();
        let done = self.process_pieces(id, chunk, &mut leaving, surroundings);
        self.pass_on(id, leaving);
        done
    }

    fn process_pieces(
        &mut self,
        id: TaskId,
        chunk: &Chunk,
        leaving: &mut Vec<Leaving>,
        surroundings: Surroundings<'_>,
    ) -> Result<(), QueryError> {
        let Some(junction) = self.junctions.get_mut(&id) else { return Ok(()) };
        let before = junction.progress.time;
        let times = if chunk.is_urgent {
            vec![before; chunk.len()]
        } else {
            running_times(before, &chunk.times)
        };
        junction.progress.time = times.last().copied().unwrap_or(before);
        let arena = Arena::new();
        let surrounded = Surrounded { surroundings, arena: &arena };
        if chunk.is_mixed() {
            let inputs = chunk.by_input(chunk.to.partition, &arena);
            let batch = MixedBatch { inputs, times: &times, origin: Origin::Chunk(chunk) };
            let done = self.run_mixed(chunk.to, batch, surrounded);
            self.go_round(chunk.to, leaving, surroundings)?;
            return done;
        }
        let mut rows = chunk.rows(chunk.to.partition, &arena);
        // What comes of a row names it by its place here.
        rows.meta.offsets = (0..chunk.len() as i64).collect();
        let pieces = Arc::clone(&self.pieces);
        let mut from = 0;
        for piece in pieces.cut(chunk.input, &rows) {
            let times = &times[from..from + piece.len];
            from += piece.len;
            let origin = Origin::Chunk(chunk);
            let batch = TaskBatch {
                input: chunk.input,
                rows: &piece,
                selected: None,
                times,
                records: None,
                origin,
            };
            let done = self.run(chunk.to, batch, surrounded);
            self.go_round(chunk.to, leaving, surroundings)?;
            done?;
        }
        Ok(())
    }
}

impl Junction {
    /// How far its tasks are for those that they hand rows to.
    pub(super) fn next_progress(&mut self) -> Progress {
        let ahead = self.inputs.progress();
        self.progress.time = self.progress.time.max(ahead.time);
        self.progress.is_at_end = ahead.is_at_end;
        self.progress
    }
}
