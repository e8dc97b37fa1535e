//! What tasks take from outside: batches of sources and of repartition topics.

use super::blocks::Block;
use super::handover::{Handover, Leaving};
use super::ids::{LaneId, TaskId, Way};
use super::inputs::{Progress, Run, RunOrigin, running_times};
use super::origin::{LentRows, Origin};
use super::source::{ReadRows, SourceRecords};
use super::task::{Surrounded, Surroundings, TaskBatch};
use super::tasks::Tasks;
use crate::operators::QueryError;
use crate::plan::{Gives, Input, NodeId, RepartitionId};
use crate::types::{Offset, OwnedRows, Partition, Rows};
use std::borrow::Cow;
use std::sync::Arc;

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

/// Rows that came from a partition of a topic.
#[derive(Clone, Copy)]
struct Came<'t, 'a> {
    rows: &'t Rows<'a>,
    /// The records of a source that they are of.
    records: Option<SourceRecords<'t, 'a>>,
    /// Whether no record follows, as far as is known.
    is_at_end: bool,
}

impl Tasks {
    /// Counts what a source has taken and given.
    fn note_source(&mut self, source: NodeId, records: usize, rows: &Rows<'_>, rejected: usize) {
        let is_stream = self.layout.plan().node(source).gives == Gives::Rows;
        let count = self.given.nodes.at(source);
        count.taken += records as u64;
        count.failed += rejected as u64;
        if is_stream {
            // What remembers a table counts by itself what it gives.
            count.given += rows.len as u64;
        }
    }

    /// Counts rows of a source that the filter behind it would leave out, so that they did not come to it; and records, where
    /// there are no others.
    pub fn note_left_out(&mut self, source: NodeId, records: usize, rows: usize) {
        let plan = Arc::clone(self.layout.plan());
        let count = self.given.nodes.at(source);
        count.taken += records as u64;
        count.given += rows as u64;
        if let Some((next, _)) = plan.successor(source) {
            self.given.nodes.at(next).taken += rows as u64;
        }
    }

    /// Processes a batch of a source, and follows rows with new keys from task to task.
    pub fn process<'a>(
        &mut self,
        batch: SourceBatch<'_, 'a>,
        surrounded: Surrounded<'a>,
    ) -> Result<(), QueryError> {
        let SourceBatch { source, read, records, is_at_end } = batch;
        if let Some((row, error)) = self.first_fatal(&batch, surrounded.surroundings) {
            let rejected = read.rejected.iter().filter(|(at, _)| *at < row).cloned().collect();
            let read = ReadRows { rows: rows_before(&read.rows, error.record), rejected };
            self.process(SourceBatch { read: &read, is_at_end: false, ..batch }, surrounded)?;
            return Err(error);
        }
        let upstream = Partition(records.records.partition);
        let lane = LaneId { input: Input::Source(source), upstream };
        let Some(way) = self.way(lane) else { return Ok(()) };
        self.note_source(source, records.records.len(), &read.rows, read.rejected.len());
        if let Some(seat) = self.seats.get_mut(&way.to) {
            seat.task.log_rejected(source, records, read, &mut self.given);
        }
        if self.goes_by_block(lane) {
            let came = Came { rows: &read.rows, records: Some(records), is_at_end };
            return self.take_blocks(way, came, surrounded);
        }
        let came = Came { rows: &read.rows, records: Some(records), is_at_end };
        self.take(way, came, surrounded)
    }

    /// The first record that stops the query as it has no time, where such records are to.
    fn first_fatal(
        &self,
        batch: &SourceBatch<'_, '_>,
        surroundings: Surroundings<'_>,
    ) -> Option<(usize, QueryError)> {
        if !surroundings.fault_rules.invalid_timestamp_stops {
            return None;
        }
        let upstream = Partition(batch.records.records.partition);
        let way = self.way(LaneId { input: Input::Source(batch.source), upstream })?;
        let topic = self.seats.get(&way.to)?.task.topic(batch.source)?;
        batch.read.rejected.iter().find_map(|(row, rejection)| {
            Some((*row, rejection.fatal(batch.records.records, *row, topic)?))
        })
    }

    /// Takes rows of a source block by block.
    fn take_blocks<'a>(
        &mut self,
        way: Way,
        Came { rows, records, is_at_end }: Came<'_, 'a>,
        surrounded: Surrounded<'a>,
    ) -> Result<(), QueryError> {
        let offsets = &rows.meta.offsets;
        let mut block = self.block(way.lane);
        for range in Block::cut(offsets) {
            let (first, next) = (offsets[range.start], offsets[range.end - 1] + 1);
            block.advance(first, &rows.meta.timestamps[range.clone()]);
            self.blocks.insert(way.lane, block);
            let is_last = range.end == rows.len;
            let progress = Progress { time: block.time_of(next), is_at_end: is_at_end && is_last };
            let rows = if range.len() == rows.len {
                Cow::Borrowed(rows)
            } else {
                Cow::Owned(rows.take(&range.map(|row| row as u32).collect::<Vec<_>>()))
            };
            let times = vec![block.time(); rows.len];
            let batch = TaskBatch {
                input: way.lane.input,
                rows: &rows,
                selected: None,
                times: &times,
                records,
                origin: Origin::Partition(way.lane),
            };
            self.take_batch(way, batch, progress, surrounded)?;
        }
        if rows.len == 0 {
            let time = self.junction(way.to).map_or(i64::MIN, |to| to.inputs.lane_time(way.lane));
            return self.note(way, Progress { time, is_at_end }, surrounded.surroundings);
        }
        Ok(())
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
        let Some(way) = self.way(lane) else { return Ok(()) };
        self.take(way, Came { rows, records: None, is_at_end }, surrounded)
    }

    /// Rows that need no order go straight through their task, others onto their lane.
    fn take<'a>(
        &mut self,
        way: Way,
        Came { rows, records, is_at_end }: Came<'_, 'a>,
        surrounded: Surrounded<'a>,
    ) -> Result<(), QueryError> {
        let before = self.stream_time(way.lane);
        let times = running_times(before, &rows.meta.timestamps);
        let progress = Progress { time: times.last().copied().unwrap_or(before), is_at_end };
        let origin = Origin::Partition(way.lane);
        let batch = TaskBatch {
            input: way.lane.input,
            rows,
            selected: None,
            times: &times,
            records,
            origin,
        };
        self.take_batch(way, batch, progress, surrounded)
    }

    fn take_batch<'a>(
        &mut self,
        way: Way,
        batch: TaskBatch<'_, 'a>,
        progress: Progress,
        surrounded: Surrounded<'a>,
    ) -> Result<(), QueryError> {
        if self.layout.spread_from(way.lane.input).is_some() {
            self.hand_out(way.lane, batch, progress);
            return self.settle(surrounded.surroundings);
        }
        let id = self.layout.junction(way.to);
        let Some(junction) = self.junctions.get_mut(&id) else { return Ok(()) };
        if !junction.inputs.is_single() {
            let rows = OwnedRows::of(batch.rows);
            let origin = RunOrigin::Partition(way.lane);
            let run = Run { rows, times: batch.times.to_vec(), origin };
            junction.inputs.push(way, Some(run), progress);
            self.ready.insert(id);
            return self.settle(surrounded.surroundings);
        }
        junction.inputs.push(way, None, progress);
        let (mut done, mut lent) = (Ok(()), Vec::new());
        if batch.rows.len > 0 {
            done = self.run_lending(way.to, batch, &mut lent, surrounded);
        }
        let mut leaving = Vec::new();
        for lent in lent {
            match self.next_of(way.to, &lent) {
                Some(to) if done.is_ok() => done = self.process_lent(to, &lent, surrounded),
                _ => leaving.push(Leaving { from: way.to, rekeyed: lent.into_owned() }),
            }
        }
        self.pass_on(id, leaving);
        done.and_then(|()| self.settle(surrounded.surroundings))
    }

    /// The task that rows are for which another has just given, if it is here and nothing comes
    /// before them.
    fn next_of(&self, from: TaskId, lent: &LentRows<'_>) -> Option<TaskId> {
        let input = Input::Repartition(lent.topic);
        let to = TaskId { part: self.layout.reader_of(input)?, partition: lent.partition };
        let is_apart = !self.layout.has_circle() && self.seats.contains_key(&to);
        let way = Way { lane: LaneId { input, upstream: from.partition }, to };
        let junction = self.junctions.get(&self.layout.junction(to)).filter(|_| is_apart)?;
        let last = lent.times.last().copied().unwrap_or(i64::MIN);
        junction.inputs.are_next(way, last).then_some(to)
    }

    /// Processes rows that another task has just given, without a copy.
    fn process_lent<'a>(
        &mut self,
        to: TaskId,
        lent: &LentRows<'a>,
        surrounded: Surrounded<'a>,
    ) -> Result<(), QueryError> {
        let id = self.layout.junction(to);
        let Some(junction) = self.junctions.get_mut(&id) else { return Ok(()) };
        let times = running_times(junction.progress.time, &lent.times);
        junction.progress.time = times.last().copied().unwrap_or(junction.progress.time);
        let rows = lent.rows();
        let batch = TaskBatch {
            input: Input::Repartition(lent.topic),
            rows: &rows,
            selected: lent.selected(),
            times: &times,
            records: None,
            origin: Origin::Lent(lent),
        };
        let done = self.run(to, batch, surrounded);
        let leaving = self.given.rekeyed.drain(..);
        let leaving = leaving.map(|rekeyed| Leaving { from: to, rekeyed }).collect();
        self.pass_on(id, leaving);
        done
    }

    /// Notes that a partition of a topic is at its end, or no longer.
    pub fn note_end(
        &mut self,
        lane: LaneId,
        is_at_end: bool,
        surroundings: Surroundings<'_>,
    ) -> Result<(), QueryError> {
        let Some(way) = self.way(lane) else { return Ok(()) };
        let time = self.junction(way.to).map_or(i64::MIN, |to| to.inputs.lane_time(lane));
        self.note(way, Progress { time, is_at_end }, surroundings)
    }

    /// Notes that no later row of a partition of a topic has a lower time.
    pub fn note_time(
        &mut self,
        lane: LaneId,
        time: i64,
        surroundings: Surroundings<'_>,
    ) -> Result<(), QueryError> {
        let Some(way) = self.way(lane) else { return Ok(()) };
        self.note(way, Progress { time, is_at_end: false }, surroundings)
    }

    /// Notes how far a lane has come without rows.
    fn note(
        &mut self,
        way: Way,
        progress: Progress,
        surroundings: Surroundings<'_>,
    ) -> Result<(), QueryError> {
        if self.layout.spread_from(way.lane.input).is_some() {
            self.hand_over(Handover { lane: way.lane, runs: Vec::new(), progress });
        } else if let Some(junction) = self.junction(way.to) {
            junction.inputs.push(way, None, progress);
        }
        self.ready.insert(self.layout.junction(way.to));
        self.settle(surroundings)
    }
}

/// The rows of records that come before one.
fn rows_before<'a>(rows: &Rows<'a>, record: Option<Offset>) -> Rows<'a> {
    let record = record.map_or(i64::MAX, |offset| offset.0);
    rows.truncated(rows.meta.offsets.partition_point(|offset| *offset < record))
}
