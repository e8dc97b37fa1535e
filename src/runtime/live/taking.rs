//! How the tasks of a query on a worker take what was fetched.

use std::sync::atomic::Ordering::Relaxed;

use super::decode::{NextChunk, PastPanics, SourceChunk, first_records, past_panics};
use super::error::LiveError;
use super::inbox::Inbox;
use super::message::{Event, Message, Portion};
use super::pressure::Standing;
use super::shard::{NextRow, Shard, Stage};
use crate::operators::QueryError;
use crate::plan::{NodeId, RepartitionId};
use crate::runtime::{
    Given, LaneId, ReadRows, RecordId, RepartitionBatch, SourceBatch, SourceRecords, Surrounded,
    clock,
};
use crate::types::{Arena, Offset, Rows};

/// How many bytes of records tasks give before they are handed on at once.
const GIVE_BYTES: usize = 256 << 10;

impl Shard {
    /// Takes records of a source, as far as their times let it.
    pub(super) fn take_source_chunk<'a>(
        &mut self,
        lane: LaneId,
        node: NodeId,
        source: SourceChunk<'_, 'a>,
        arena: &'a Arena,
    ) {
        let SourceChunk { chunk, reader, read } = source;
        let Some(row) = self.first_too_late(lane, &read.rows) else {
            let records = SourceRecords { reader, records: &chunk.records };
            let batch = SourceBatch { source: node, read, records, is_at_end: false };
            return self.process_source(lane, batch, chunk.next, arena);
        };
        // The chunk is cut before the first row that is too late: what comes before it is processed now, and from it on the
        // partition is read once more when the lane may go further. Records in between that left no row go with the first
        // part, so each is told of once.
        let next = self.next_row(lane, &read.rows, row);
        let len = chunk.records.offsets.partition_point(|offset| *offset < next.position);
        if len > 0 {
            let records = first_records(&chunk.records, len);
            let rejected = read.rejected.iter().filter(|(at, _)| *at < len).cloned().collect();
            let read = ReadRows { rows: read.rows.truncated(row), rejected };
            let records = SourceRecords { reader, records: &records };
            let batch = SourceBatch { source: node, read: &read, records, is_at_end: false };
            self.process_source(lane, batch, next.position, arena);
        }
        self.note_next(lane, next);
    }

    fn process_source<'a>(
        &mut self,
        lane: LaneId,
        batch: SourceBatch<'_, 'a>,
        next: i64,
        arena: &'a Arena,
    ) {
        self.figures.records.fetch_add(batch.records.records.len() as u64, Relaxed);
        let batch = SourceBatch { is_at_end: self.move_to(lane, next), ..batch };
        let surrounded = Surrounded { surroundings: self.world.now(), arena };
        let done = self.tasks.process(batch, surrounded);
        self.after(lane, done);
    }

    /// Takes records of a repartition topic in the same way.
    pub(super) fn take_repartitioned_chunk<'a>(
        &mut self,
        lane: LaneId,
        topic: RepartitionId,
        chunk: &NextChunk<'a>,
        arena: &'a Arena,
    ) {
        let Some(reader) = self.repartitions.get(&topic) else { return };
        let read = past_panics(&chunk.records, |records| reader.read(records, arena));
        let (rows, faulty) = match read {
            Ok(PastPanics { done: Ok(rows), faulty, .. }) => (rows, faulty),
            Ok(PastPanics { done: Err(error), .. }) => {
                let only = <[i64; 1]>::try_from(&*chunk.records.offsets).ok();
                return self
                    .fail_at(only.map(|[offset]| lane.record(Offset(offset))), error.into());
            }
            Err(panic) => return self.fail(panic.into()),
        };
        let (rows, next) = match self.first_too_late(lane, &rows) {
            None => (rows, chunk.next),
            Some(0) => return self.note_next(lane, self.next_row(lane, &rows, 0)),
            // Cut as a chunk of a source is.
            Some(row) => {
                let next = self.next_row(lane, &rows, row);
                let taken = rows.truncated(row);
                self.note_next(lane, next);
                (taken, next.position)
            }
        };
        for (row, panic) in faulty.iter().filter(|(row, _)| chunk.records.offsets[*row] < next) {
            self.tasks.skip(Some(lane.record(Offset(chunk.records.offsets[*row]))), panic);
        }
        let is_at_end = self.move_to(lane, next);
        let batch = RepartitionBatch { topic, rows: &rows, is_at_end };
        let surrounded = Surrounded { surroundings: self.world.now(), arena };
        let done = self.tasks.process_repartitioned(batch, surrounded);
        self.after(lane, done);
    }

    /// The first row that is later than what its lane takes now.
    fn first_too_late(&self, lane: LaneId, rows: &Rows<'_>) -> Option<usize> {
        let until = self.wish(lane)?.until.unwrap_or(i64::MIN);
        if until == i64::MAX || self.tasks.layout().goes_by_block() {
            return None;
        }
        let mut highest = self.tasks.stream_time(lane);
        rows.meta.timestamps.iter().position(|time| {
            highest = highest.max(*time);
            highest > until
        })
    }

    fn next_row(&self, lane: LaneId, rows: &Rows<'_>, row: usize) -> NextRow {
        let before = self.tasks.stream_time(lane);
        let time = rows.meta.timestamps[..=row].iter().copied().max().unwrap_or(before);
        NextRow { position: rows.meta.offsets[row], time: time.max(before) }
    }

    fn note_next(&mut self, lane: LaneId, next: NextRow) {
        if let Some(lane) = self.lanes.get_mut(&lane) {
            (lane.position, lane.next) = (next.position, Some(next));
        }
        self.publish_mark(lane);
    }

    /// Moves a lane on; whether it is at its end then.
    fn move_to(&mut self, lane: LaneId, next: i64) -> bool {
        self.trail.note(lane, next);
        let waited_until_ms = self.waited_until_ms();
        let Some(lane) = self.lanes.get_mut(&lane) else { return false };
        if lane.next.is_some_and(|row| row.position != next) {
            lane.next = None;
        }
        lane.position = match lane.jump {
            Some(jump) if next > jump.from => {
                lane.jump = None;
                next.max(jump.to)
            }
            _ => next,
        };
        lane.noted_at_end = lane.is_at_end().then_some(waited_until_ms);
        lane.noted_at_end.is_some()
    }

    /// Until when, by the wall clock, a lane is waited for that comes to its end now.
    fn waited_until_ms(&self) -> i64 {
        match self.tasks.layout().idle_ms() {
            0 => i64::MIN,
            idle_ms => clock::now().0.saturating_add(idle_ms),
        }
    }

    fn after(&mut self, lane: LaneId, done: Result<(), QueryError>) {
        self.publish_mark(lane);
        if let Err(error) = done {
            self.fail(error.into());
        }
    }

    fn publish_mark(&self, id: LaneId) {
        let ended = self.lanes.get(&id).filter(|lane| lane.is_at_end());
        let waited_until_ms = ended.map(|lane| lane.noted_at_end.unwrap_or(i64::MAX));
        self.pressure.mark(id, Standing { time: self.own_mark(id), waited_until_ms });
    }

    /// Notes where a partition ends of which something was fetched.
    pub(super) fn note_fetched(&mut self, id: LaneId, end: i64) {
        let Some(lane) = self.lanes.get_mut(&id) else { return };
        lane.end = lane.end.max(end);
        if lane.is_at_end() || lane.noted_at_end.take().is_none() {
            return;
        }
        self.note_end(id, false);
    }

    /// Tells the tasks of the lanes that are at their ends.
    pub(super) fn note_ends(&mut self) {
        let pressure = &self.pressure;
        let is_new = |id: &LaneId, lane: &super::shard::Lane| {
            pressure.is_ordered(*id) && lane.is_at_end() && lane.noted_at_end.is_none()
        };
        let ended: Vec<LaneId> =
            self.lanes.iter().filter(|(id, lane)| is_new(id, lane)).map(|(id, _)| *id).collect();
        for id in ended {
            let waited_until_ms = self.waited_until_ms();
            if let Some(lane) = self.lanes.get_mut(&id) {
                lane.noted_at_end = Some(waited_until_ms);
            }
            self.note_end(id, true);
        }
    }

    fn note_end(&mut self, id: LaneId, is_at_end: bool) {
        let noted = self.tasks.note_end(id, is_at_end, self.world.now());
        self.after(id, noted);
    }

    /// Stops, and says why. What was given before still goes out.
    pub(super) fn fail(&mut self, error: LiveError) {
        self.fail_at(self.tasks.at(), error);
    }

    fn fail_at(&mut self, record: Option<RecordId>, error: LiveError) {
        if self.has_failed() {
            return;
        }
        self.stage = Stage::Failed;
        self.give_away();
        self.tell(Event::Failed { error, record });
    }

    /// Hands on what tasks have given: to the outbox, and to the tasks of other workers.
    pub(super) fn hand_on(&mut self, workers: &[std::sync::Arc<Inbox<Message>>]) {
        for (worker, handover) in self.tasks.take_outbound() {
            if let Some(inbox) = workers.get(worker) {
                inbox.push(Message::Handover { session: self.id.clone(), handover });
            }
        }
        self.pressure.set_waiting(self.worker, self.tasks.waiting_bytes());
        self.give_away();
    }

    /// Whether what tasks have given is not to wait until all partitions have had their turn. Each
    /// time it is handed on wakes another thread.
    pub(super) fn has_much_to_give(&self) -> bool {
        let Given { output, changelog, .. } = &self.tasks.given;
        output.bytes() + changelog.bytes() >= GIVE_BYTES
    }

    pub(super) fn give_away(&mut self) {
        let given = &mut self.tasks.given;
        if !given.skipped.is_empty() {
            self.figures.skips.note(std::mem::take(&mut given.skipped));
        }
        if given.output.is_empty() && given.changelog.is_empty() && given.log.is_empty() {
            return;
        }
        let Given { output, changelog, log, .. } = std::mem::take(given);
        self.pressure.given(output.bytes(), changelog.bytes());
        let portion = Portion { interval: self.interval, output, changelog, log };
        self.tell(Event::Given(Box::new(portion)));
    }

    pub(super) fn tell(&self, event: Event) {
        // Nobody listens any more once the query has ended.
        let _ = self.events.send(event);
    }
}
