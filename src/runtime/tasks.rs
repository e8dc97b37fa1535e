//! The tasks of one query that one worker runs, and how rows pass between them in memory.
//!
//! Rows of a source go straight through a task that reads nothing else. What such a task gives to the
//! tasks of another sub-topology goes onto their lanes, here or, as a [`Handover`], to the worker that
//! runs them; with it goes how far the giving task has come, so that those who read several lanes know
//! which row is next ([`Inputs`]).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::collector::SourceRecords;
use super::encode::RekeyedRows;
use super::inputs::{Chunk, Inputs, LaneId, Progress, Run};
use super::layout::Layout;
use super::source::ReadRows;
use super::task::{Given, Surrounded, Surroundings, Task, TaskBatch, TaskId};
use crate::operators::{QueryError, StoredRecord};
use crate::plan::{Input, NodeId, RepartitionId, StoreId, SubTopologyId};
use crate::types::{Arena, OwnedRows, Partition, Rows};

/// How many rows operators get at once.
pub const CHUNK_ROWS: usize = 1_000;

/// All tasks of one query that one worker runs.
pub struct Tasks {
    layout: Arc<Layout>,
    worker: usize,
    seats: BTreeMap<TaskId, Seat>,
    /// The tasks whose inputs have changed.
    ready: BTreeSet<TaskId>,
    /// What the tasks have given since it was taken last.
    pub given: Given,
    /// What is for other workers.
    outbound: Vec<(usize, Handover)>,
}

/// A task, and what it is to process.
struct Seat {
    task: Task,
    inputs: Inputs,
    /// How far it has come: the highest time of the rows that it has processed.
    progress: Progress,
    /// What was said of that to the tasks that it hands rows to.
    told: Option<Progress>,
}

/// Rows that a task hands to the tasks of another worker, and how far it has come with them.
#[derive(Debug)]
pub struct Handover {
    /// The topic that they would have gone through.
    pub topic: RepartitionId,
    /// The partition of the task.
    pub upstream: Partition,
    /// The rows, by the partition that they are for.
    pub runs: Vec<(Partition, Run)>,
    /// How far it has come.
    pub progress: Progress,
}

/// A batch of a source, decoded, with the records that it comes from.
#[derive(Clone, Copy)]
pub struct SourceBatch<'t, 'a> {
    /// The node that reads it.
    pub source: NodeId,
    /// Its rows, and the records that left none.
    pub read: &'t ReadRows<'a>,
    /// The records.
    pub records: SourceRecords<'t, 'a>,
    /// Whether no record follows, as far as is known.
    pub is_at_end: bool,
}

/// Rows of a repartition topic.
#[derive(Clone, Copy)]
pub struct RepartitionBatch<'t, 'a> {
    /// The topic.
    pub topic: RepartitionId,
    /// Its rows.
    pub rows: &'t Rows<'a>,
    /// Whether no record follows, as far as is known.
    pub is_at_end: bool,
}

impl Tasks {
    /// The tasks of `worker`. What cannot be run is refused here.
    pub fn new(layout: Arc<Layout>, worker: usize) -> Result<Self, QueryError> {
        let own = layout.tasks().filter(|id| layout.placement().owner(*id) == worker);
        let own: Vec<Task> = own.map(|id| layout.task(id)).collect::<Result<_, _>>()?;
        Ok(Self::of(layout, worker, own))
    }

    /// Tasks of `worker` that are there already.
    fn of(layout: Arc<Layout>, worker: usize, tasks: Vec<Task>) -> Self {
        let seat = |task: Task| {
            let inputs = layout.task_inputs(task.id());
            (task.id(), Seat { task, inputs, progress: Progress::START, told: None })
        };
        let seats = tasks.into_iter().map(seat).collect();
        let (ready, given, outbound) = (BTreeSet::new(), Given::default(), Vec::new());
        Self { layout, worker, seats, ready, given, outbound }
    }

    /// Gives each worker its own of the tasks of a query that one has restored.
    pub fn divide(self, layout: &Arc<Layout>) -> Vec<Self> {
        let mut shares: Vec<Vec<Task>> = Vec::new();
        shares.resize_with(layout.placement().workers.max(1), Vec::new);
        for (id, seat) in self.seats {
            shares[layout.placement().owner(id)].push(seat.task);
        }
        let share = |(worker, tasks)| Self::of(Arc::clone(layout), worker, tasks);
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

    /// The task that reads a partition of a topic, if it is here.
    fn reader(&self, input: Input, partition: Partition) -> Option<TaskId> {
        let part = self.layout.reader_of(input)?;
        let id = TaskId { part, partition };
        self.seats.contains_key(&id).then_some(id)
    }

    /// Whether the task that reads a lane's topic and partition is here.
    pub fn reads(&self, lane: LaneId) -> bool {
        self.reader(lane.input, lane.upstream).is_some()
    }

    /// The highest time of the rows that came from a partition of a topic.
    pub fn stream_time(&self, input: Input, partition: Partition) -> i64 {
        let id = self.reader(input, partition);
        let seat = id.and_then(|id| self.seats.get(&id));
        seat.map_or(i64::MIN, |seat| seat.lane_time(LaneId { input, upstream: partition }))
    }

    /// Processes a batch of a source, and follows rows with new keys from task to task.
    pub fn process<'a>(
        &mut self,
        batch: SourceBatch<'_, 'a>,
        surrounded: Surrounded<'a>,
    ) -> Result<(), QueryError> {
        let SourceBatch { source, read, records, is_at_end } = batch;
        let upstream = Partition(records.records.partition);
        let lane = LaneId { input: Input::Source(source), upstream };
        let Some(id) = self.reader(lane.input, upstream) else { return Ok(()) };
        let Some(seat) = self.seats.get_mut(&id) else { return Ok(()) };
        seat.task.log_rejected(source, records, read, &mut self.given);
        let times = running_times(seat.lane_time(lane), &read.rows.meta.timestamps);
        let time = times.last().copied().unwrap_or_else(|| seat.lane_time(lane));
        let progress = Progress { time, is_at_end };
        let batch = TaskBatch {
            input: lane.input,
            rows: &read.rows,
            times: &times,
            records: Some(records),
        };
        self.take(id, lane, (batch, progress), surrounded)
    }

    /// Processes a batch of a repartition topic in the same way.
    pub fn process_repartitioned<'a>(
        &mut self,
        batch: RepartitionBatch<'_, 'a>,
        surrounded: Surrounded<'a>,
    ) -> Result<(), QueryError> {
        let RepartitionBatch { topic, rows, is_at_end } = batch;
        let upstream = rows.meta.partition;
        let lane = LaneId { input: Input::Repartition(topic), upstream };
        let Some(id) = self.reader(lane.input, upstream) else { return Ok(()) };
        let Some(seat) = self.seats.get_mut(&id) else { return Ok(()) };
        let times = running_times(seat.lane_time(lane), &rows.meta.timestamps);
        let time = times.last().copied().unwrap_or_else(|| seat.lane_time(lane));
        let batch = TaskBatch { input: lane.input, rows, times: &times, records: None };
        self.take(id, lane, (batch, Progress { time, is_at_end }), surrounded)
    }

    /// Rows that need no order go straight through their task, others onto their lane.
    fn take<'a>(
        &mut self,
        id: TaskId,
        lane: LaneId,
        (batch, progress): (TaskBatch<'_, 'a>, Progress),
        surrounded: Surrounded<'a>,
    ) -> Result<(), QueryError> {
        let Some(seat) = self.seats.get_mut(&id) else { return Ok(()) };
        let mut done = Ok(());
        if seat.inputs.is_single() {
            seat.inputs.push(lane, None, progress);
            seat.progress = progress;
            if batch.rows.len > 0 {
                done = seat.task.process(batch, &mut self.given, surrounded);
            }
            self.pass_on(id);
        } else {
            let rows = OwnedRows::of(batch.rows);
            seat.inputs.push(lane, Some(Run { rows, times: batch.times.to_vec() }), progress);
            self.ready.insert(id);
        }
        done.and_then(|()| self.settle(surrounded.surroundings))
    }

    /// Notes that a partition of a topic is at its end, or no longer.
    pub fn note_end(
        &mut self,
        input: Input,
        partition: Partition,
        is_at_end: bool,
        surroundings: Surroundings<'_>,
    ) -> Result<(), QueryError> {
        let lane = LaneId { input, upstream: partition };
        let Some(id) = self.reader(input, partition) else { return Ok(()) };
        let Some(seat) = self.seats.get_mut(&id) else { return Ok(()) };
        let progress = Progress { time: seat.lane_time(lane), is_at_end };
        seat.inputs.push(lane, None, progress);
        if seat.inputs.is_single() {
            seat.progress = progress;
            self.pass_on(id);
        } else {
            self.ready.insert(id);
        }
        self.settle(surroundings)
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
        self.ready.extend(self.seats.keys().copied());
        self.settle(surroundings)
    }

    /// When a lane without rows has been waited for long enough, if one is waited for.
    pub fn idle_until_ms(&self) -> Option<i64> {
        self.seats.values().filter_map(|seat| seat.inputs.idle_until_ms()).min()
    }

    /// About how many bytes the rows take that wait for others.
    pub fn waiting_bytes(&self) -> usize {
        self.seats.values().map(|seat| seat.inputs.bytes()).sum()
    }

    /// Whether no row waits for others.
    pub fn is_drained(&self) -> bool {
        self.seats.values().all(|seat| seat.inputs.is_empty())
    }

    /// Processes all rows that wait in a sub-topology, whatever may come after them.
    pub fn drain(
        &mut self,
        part: SubTopologyId,
        surroundings: Surroundings<'_>,
    ) -> Result<(), QueryError> {
        let ids: Vec<TaskId> = self.seats.keys().filter(|id| id.part == part).copied().collect();
        for id in ids {
            while let Some(chunk) =
                self.seats.get_mut(&id).and_then(|seat| seat.inputs.drain(CHUNK_ROWS))
            {
                self.process_chunk(id, &chunk, surroundings)?;
            }
            self.pass_on(id);
        }
        self.settle(surroundings)
    }

    /// Gives away some of what waits in the caches of a sub-topology. Whether more waits.
    pub fn flush_some(
        &mut self,
        part: SubTopologyId,
        surroundings: Surroundings<'_>,
    ) -> Result<bool, QueryError> {
        let ids: Vec<TaskId> = self.seats.keys().filter(|id| id.part == part).copied().collect();
        for id in ids {
            let Some(seat) = self.seats.get_mut(&id) else { continue };
            let arena = Arena::new();
            let surrounded = Surrounded { surroundings, arena: &arena };
            let more = seat.task.flush_some(seat.progress.time, &mut self.given, surrounded)?;
            self.pass_on(id);
            if more {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Processes everything that waits anywhere, and gives away what waits in caches: all of it, where
    /// one worker runs all tasks.
    pub fn flush_all(&mut self, surroundings: Surroundings<'_>) -> Result<(), QueryError> {
        for part in self.layout.parts() {
            self.drain(part, surroundings)?;
            while self.flush_some(part, surroundings)? {}
        }
        Ok(())
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

    /// How many rows all stores hold.
    pub fn stored_rows(&mut self) -> usize {
        self.seats.values_mut().map(|seat| seat.task.stored_rows()).sum()
    }

    /// Processes what can be processed, and hands on what comes of it, until nothing moves.
    fn settle(&mut self, surroundings: Surroundings<'_>) -> Result<(), QueryError> {
        while let Some(id) = self.ready.pop_first() {
            let now_ms = surroundings.now.0;
            while let Some(chunk) =
                self.seats.get_mut(&id).and_then(|seat| seat.inputs.next(now_ms, CHUNK_ROWS))
            {
                self.process_chunk(id, &chunk, surroundings)?;
            }
            self.pass_on(id);
        }
        Ok(())
    }

    fn process_chunk(
        &mut self,
        id: TaskId,
        chunk: &Chunk,
        surroundings: Surroundings<'_>,
    ) -> Result<(), QueryError> {
        let Some(seat) = self.seats.get_mut(&id) else { return Ok(()) };
        let arena = Arena::new();
        let mut rows = chunk.rows(id.partition, &arena);
        // What comes of a row names it by its place here.
        rows.meta.offsets = (0..chunk.len() as i64).collect();
        let times = running_times(seat.progress.time, &chunk.times);
        seat.progress.time = times.last().copied().unwrap_or(seat.progress.time);
        let batch = TaskBatch { input: chunk.input, rows: &rows, times: &times, records: None };
        let surrounded = Surrounded { surroundings, arena: &arena };
        let done = seat.task.process(batch, &mut self.given, surrounded);
        self.pass_on(id);
        done
    }

    /// Hands on what a task has given to other tasks, and how far it has come.
    fn pass_on(&mut self, id: TaskId) {
        let rekeyed = std::mem::take(&mut self.given.rekeyed);
        let Some(seat) = self.seats.get_mut(&id) else { return };
        let progress = seat.next_progress();
        if rekeyed.is_empty() && seat.told == Some(progress) {
            return;
        }
        seat.told = Some(progress);
        let mut by_topic: BTreeMap<RepartitionId, Vec<(Partition, Run)>> = BTreeMap::new();
        for RekeyedRows { topic, partition, run } in rekeyed {
            by_topic.entry(topic).or_default().push((partition, run));
        }
        for topic in self.layout.hands_over(id.part) {
            let runs = by_topic.remove(&topic).unwrap_or_default();
            self.hand_over(Handover { topic, upstream: id.partition, runs, progress });
        }
    }

    /// Hands rows to the workers of the tasks that they are for, and tells all of them how far the
    /// giving task has come.
    fn hand_over(&mut self, handover: Handover) {
        let Handover { topic, upstream, runs, progress } = handover;
        let Some(part) = self.layout.reader_of(Input::Repartition(topic)) else { return };
        let count = self.layout.counts().of_part(part);
        let owner = |partition| self.layout.placement().owner(TaskId { part, partition });
        let mut shares: BTreeMap<usize, Vec<(Partition, Run)>> = BTreeMap::new();
        for partition in (0..count).map(Partition) {
            shares.entry(owner(partition)).or_default();
        }
        for (partition, run) in runs {
            shares.entry(owner(partition)).or_default().push((partition, run));
        }
        for (worker, runs) in shares {
            let share = Handover { topic, upstream, runs, progress };
            if worker == self.worker {
                self.put_on_lanes(share);
            } else {
                self.outbound.push((worker, share));
            }
        }
    }

    fn put_on_lanes(&mut self, handover: Handover) {
        let Handover { topic, upstream, runs, progress } = handover;
        let input = Input::Repartition(topic);
        let Some(part) = self.layout.reader_of(input) else { return };
        let lane = LaneId { input, upstream };
        for (partition, run) in runs {
            if let Some(seat) = self.seats.get_mut(&TaskId { part, partition }) {
                seat.inputs.push(lane, Some(run), progress);
            }
        }
        let readers = self.seats.range_mut(
            TaskId { part, partition: Partition(i32::MIN) }..=TaskId {
                part,
                partition: Partition(i32::MAX),
            },
        );
        for (id, seat) in readers {
            seat.inputs.push(lane, None, progress);
            self.ready.insert(*id);
        }
    }
}

impl Seat {
    /// The highest time of the rows that came on a lane.
    fn lane_time(&self, lane: LaneId) -> i64 {
        self.inputs.lane_time(lane)
    }

    /// How far the task is for those that it hands rows to.
    fn next_progress(&mut self) -> Progress {
        let ahead = self.inputs.progress();
        self.progress.time = self.progress.time.max(ahead.time);
        self.progress.is_at_end = ahead.is_at_end;
        self.progress
    }
}

/// The highest time so far, at each row.
fn running_times(mut highest: i64, times: &[i64]) -> Vec<i64> {
    let at = times.iter().map(|time| {
        highest = highest.max(*time);
        highest
    });
    at.collect()
}
