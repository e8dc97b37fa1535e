//! How the tasks of a query on a worker take what was fetched.

use std::collections::BTreeSet;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use super::decode::{NextChunk, PastPanics, SourceChunk, first_records, past_panics};
use super::error::LiveError;
use super::inbox::Inbox;
use super::message::{Event, Message, Portion};
use super::pressure::Standing;
use super::progress_round::WrittenUpTo;
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

/// How many records are decoded at once at least.
const RECORDS_LEAST: i64 = 32;

impl Shard {
    /// Takes records of a source, as far as their times let it.
    pub(super) fn take_source_chunk<'a>(
        &mut self,
        lane: LaneId,
        node: NodeId,
        source: SourceChunk<'_, 'a>,
        arena: &'a Arena,
    ) {
        let SourceChunk { chunk, reader, read, found } = source;
        if found.is_some() && read.rejected.is_empty() && self.takes_all(lane) {
            return self.take_found(lane, node, source, arena);
        }
        let row = self.first_too_late(lane, &read.rows);
        self.note_taken(lane, row.unwrap_or(chunk.records.len()), row.is_some());
        let Some(row) = row else {
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

    /// Takes the rows of a chunk that its tasks can take any notice of, and leaves the others out.
    fn take_found<'a>(
        &mut self,
        lane: LaneId,
        node: NodeId,
        SourceChunk { chunk, reader, read, found }: SourceChunk<'_, 'a>,
        arena: &'a Arena,
    ) {
        let found = found.unwrap_or_default();
        self.note_taken(lane, chunk.records.len(), false);
        let (records, left_out) = (chunk.records.len(), read.rows.len - found.len());
        let alone = if found.is_empty() { records } else { 0 };
        self.tasks.note_left_out(node, alone, left_out);
        if found.is_empty() {
            self.note_records(lane, chunk.records.len());
            self.move_to(lane, chunk.next);
            return self.publish_mark(lane);
        }
        let read = ReadRows { rows: read.rows.take(found), rejected: Vec::new() };
        let records = SourceRecords { reader, records: &chunk.records };
        let batch = SourceBatch { source: node, read: &read, records, is_at_end: false };
        self.process_source(lane, batch, chunk.next, arena);
    }

    /// Whether a lane takes whatever comes, in any order and to any end.
    fn takes_all(&self, lane: LaneId) -> bool {
        let is_open = self.lanes.get(&lane).is_some_and(|lane| lane.stop.is_none());
        is_open
            && !self.pressure.is_ordered(lane)
            && self.wish(lane).is_some_and(|wish| wish.until == Some(i64::MAX))
    }

    fn process_source<'a>(
        &mut self,
        lane: LaneId,
        batch: SourceBatch<'_, 'a>,
        next: i64,
        arena: &'a Arena,
    ) {
        self.has_worked = true;
        self.note_records(lane, batch.records.records.len());
        let newest_ms = batch.records.records.timestamps.last().copied();
        let batch = SourceBatch { is_at_end: self.move_to(lane, next), ..batch };
        let surrounded = Surrounded { surroundings: self.world.now(), arena };
        let done = self.tasks.process(batch, surrounded);
        if let Some(newest_ms) = newest_ms {
            let age_ms = clock::now().0.saturating_sub(newest_ms);
            self.figures.ages.note(Duration::from_millis(u64::try_from(age_ms).unwrap_or(0)));
        }
        self.after(lane, done);
    }

    /// Counts records of a source.
    fn note_records(&self, lane: LaneId, count: usize) {
        self.figures.records.fetch_add(count as u64, Relaxed);
        if let Some(lane) = self.lanes.get(&lane) {
            lane.figures.note_records(count);
        }
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
        let row = self.first_too_late(lane, &rows);
        self.note_taken(lane, row.unwrap_or(chunk.records.len()), row.is_some());
        let (rows, next, too_late) = match row {
            None => (rows, chunk.next, None),
            Some(0) => return self.note_next(lane, self.next_row(lane, &rows, 0)),
            // Cut as a chunk of a source is.
            Some(row) => {
                let next = self.next_row(lane, &rows, row);
                (rows.truncated(row), next.position, Some(next))
            }
        };
        for (row, panic) in faulty.iter().filter(|(row, _)| chunk.records.offsets[*row] < next) {
            self.tasks.skip(Some(lane.record(Offset(chunk.records.offsets[*row]))), panic);
        }
        if let Some(lane) = self.lanes.get(&lane) {
            lane.figures.note_records(chunk.records.offsets.partition_point(|at| *at < next));
        }
        let is_at_end = self.move_to(lane, next);
        let batch = RepartitionBatch { topic, rows: &rows, is_at_end };
        let surrounded = Surrounded { surroundings: self.world.now(), arena };
        let done = self.tasks.process_repartitioned(batch, surrounded);
        self.after(lane, done);
        if let Some(next) = too_late {
            self.note_next(lane, next);
        }
    }

    /// The first row that its lane does not take now: it is later than what that takes, or where that is read no further.
    fn first_too_late(&self, lane: LaneId, rows: &Rows<'_>) -> Option<usize> {
        let until = self.wish(lane)?.until.unwrap_or(i64::MIN);
        let stop = self.lanes.get(&lane)?.stop;
        if let Some(stop) = stop
            && let Some(row) = rows.meta.offsets.iter().position(|offset| *offset >= stop)
        {
            return Some(row);
        }
        if until == i64::MAX || self.tasks.layout().goes_by_block() {
            return None;
        }
        let mut highest = self.tasks.stream_time(lane);
        rows.meta.timestamps.iter().position(|time| {
            highest = highest.max(*time);
            highest > until
        })
    }

    /// Notes how many records of a chunk a lane takes: decoding the others once more each time would cost more than all
    /// else where lanes wait for each other often.
    fn note_taken(&mut self, id: LaneId, taken: usize, is_cut: bool) {
        let Some(lane) = self.lanes.get_mut(&id) else { return };
        let taken = i64::try_from(taken).unwrap_or(i64::MAX);
        lane.records = if is_cut {
            taken.saturating_mul(2).max(RECORDS_LEAST)
        } else {
            lane.records.saturating_mul(2)
        };
    }

    fn next_row(&self, lane: LaneId, rows: &Rows<'_>, row: usize) -> NextRow {
        let before = self.tasks.stream_time(lane);
        let time = rows.meta.timestamps[..=row].iter().copied().max().unwrap_or(before);
        NextRow { position: rows.meta.offsets[row], time: time.max(before) }
    }

    fn note_next(&mut self, lane: LaneId, next: NextRow) {
        let Some(state) = self.lanes.get_mut(&lane) else { return };
        (state.position, state.next) = (next.position, Some(next));
        state.publish();
        if self.pressure.is_followed(lane) {
            let noted = self.tasks.note_time(lane, next.time, self.world.now());
            return self.after(lane, noted);
        }
        self.publish_mark(lane);
    }

    /// Moves a lane on; whether it is at its end then.
    fn move_to(&mut self, id: LaneId, next: i64) -> bool {
        self.trail.note(id, next);
        let waited_until_ms = if self.is_plain { i64::MIN } else { self.waited_until_ms() };
        let Some(lane) = self.lanes.get_mut(&id) else { return false };
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
        lane.publish();
        let says_end = !self.is_plain && lane.is_at_end() && !self.pressure.is_followed(id);
        lane.noted_at_end = says_end.then_some(waited_until_ms);
        says_end
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

    /// Says of a lane that a barrier has read to where it is to come that nobody has to wait for it.
    pub(super) fn publish_level(&mut self, id: LaneId, until: i64) {
        if self.pressure.is_even(id) {
            self.moved.insert(id, Some(until));
        }
    }

    /// Says of all lanes where they are.
    pub(super) fn publish_marks(&mut self) {
        let lanes: Vec<LaneId> = self.lanes.keys().copied().collect();
        for id in lanes {
            self.publish_mark(id);
        }
    }

    /// Says where a lane is: at once, or together with what has come of its rows, where others must not go on before
    /// that is on its way.
    fn publish_mark(&mut self, id: LaneId) {
        // While it is cut, it stands where the barrier is, whatever comes.
        if matches!(self.stage, Stage::Cut) || !self.pressure.is_ordered(id) {
            return;
        }
        if self.pressure.is_even(id) {
            self.moved.insert(id, None);
        } else {
            self.pressure.mark(id, self.standing(id));
        }
    }

    /// Where a lane is.
    fn standing(&self, id: LaneId) -> Standing {
        let ended = self.lanes.get(&id).filter(|lane| lane.is_at_end());
        if self.pressure.is_followed(id) {
            // What its task gives counts, which may wait for others; and who is ahead of it does not wait for it to have
            // something, but for its writers.
            let waited_until_ms = ended.map(|_| i64::MIN);
            return Standing { time: self.tasks.reader_time(id), waited_until_ms };
        }
        let waited_until_ms = ended.map(|lane| lane.noted_at_end.unwrap_or(i64::MAX));
        Standing { time: self.own_mark(id), waited_until_ms }
    }

    /// Publishes where the lanes are that have moved, and those that lead to the same tasks.
    fn publish_moved(&mut self) {
        let mut moved = std::mem::take(&mut self.moved);
        let is_followed = |id: &&LaneId| self.pressure.is_followed(**id);
        let readers = |id: &LaneId| (self.tasks.layout().reader_of(id.input), id.upstream);
        let tasks: BTreeSet<_> = moved.keys().filter(is_followed).map(readers).collect();
        if !tasks.is_empty() {
            let followed = self.lanes.keys().filter(is_followed);
            for id in followed.filter(|id| tasks.contains(&readers(id))) {
                moved.entry(*id).or_insert(None);
            }
        }
        for (id, level) in moved {
            let standing = match level {
                Some(until) => {
                    Standing { time: self.own_mark(id).max(until), waited_until_ms: None }
                }
                None => self.standing(id),
            };
            self.pressure.mark(id, standing);
        }
    }

    /// Notes where a partition ends of which something was fetched.
    pub(super) fn note_fetched(&mut self, id: LaneId, end: i64) {
        let Some(lane) = self.lanes.get_mut(&id) else { return };
        lane.end = lane.end.max(end);
        lane.publish();
        if lane.is_at_end() || lane.noted_at_end.take().is_none() {
            return;
        }
        self.note_end(id, false);
    }

    /// Tells the tasks of the lanes that are at their ends.
    pub(super) fn note_ends(&mut self) {
        let pressure = &self.pressure;
        let is_new = |id: &LaneId, lane: &super::shard::Lane| {
            let says_end = pressure.is_ordered(*id) && !pressure.is_followed(*id);
            says_end && lane.is_at_end() && lane.noted_at_end.is_none()
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

    /// Notes how far repartition topics are written.
    pub(super) fn note_written(&mut self, written: &[WrittenUpTo]) {
        for written in written {
            if let Some(lane) = self.lanes.get_mut(&written.lane) {
                lane.written = Some(*written);
            }
        }
        self.go_by_written();
    }

    /// Tells the tasks how far the lanes have come that are read as far as they are written.
    pub(super) fn go_by_written(&mut self) {
        if !matches!(self.stage, Stage::Running) {
            return;
        }
        let is_read = |lane: &mut super::shard::Lane| {
            let position = lane.position;
            let is_read = lane.is_at_end();
            lane.written.take_if(|written| is_read && position >= written.end)
        };
        let read: Vec<WrittenUpTo> = self.lanes.values_mut().filter_map(is_read).collect();
        for WrittenUpTo { lane, time, .. } in &read {
            let noted = self.tasks.note_time(*lane, *time, self.world.now());
            self.after(*lane, noted);
        }
        if !read.is_empty() {
            self.publish_marks();
        }
    }

    fn note_end(&mut self, id: LaneId, is_at_end: bool) {
        let noted = self.tasks.note_end(id, is_at_end, self.world.now());
        self.after(id, noted);
    }

    /// Processes what can be processed, as time has passed.
    pub(super) fn go_on(&mut self) {
        if let Err(error) = self.tasks.go_on(self.world.now()) {
            self.fail(error.into());
        }
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
        self.has_worked = false;
        for (worker, handover) in self.tasks.take_outbound() {
            if let Some(inbox) = workers.get(worker) {
                inbox.push(Message::Handover { session: self.id.clone(), handover });
            }
        }
        self.pressure.set_waiting(self.worker, self.tasks.waiting_bytes());
        self.pressure.set_unread(self.worker, self.unread());
        self.give_away();
    }

    /// Whether what tasks have given is not to wait until all partitions have had their turn. Each
    /// time it is handed on wakes another thread.
    pub(super) fn has_much_to_give(&self) -> bool {
        let Given { output, changelog, .. } = &self.tasks.given;
        output.bytes() + changelog.bytes() >= GIVE_BYTES
    }

    pub(super) fn give_away(&mut self) {
        self.give_given();
        self.publish_moved();
    }

    fn give_given(&mut self) {
        let given = &mut self.tasks.given;
        self.figures.nodes.add(&given.nodes);
        given.nodes.clear();
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
