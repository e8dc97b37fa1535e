//! The barrier of a query on a worker: a cut in record time, and nothing left between its tasks.
//!
//! 1. *Cut*: nothing is taken any more.
//! 2. *Read to*: partitions that are behind are read on until their next row is later than the latest
//!    that was taken anywhere, or to where they ended when the barrier began.
//! 3. *Drain*, sub-topology by sub-topology: rows that wait are processed in their order, caches are
//!    given away. What comes of it waits until its own sub-topology is drained.
//!    Where its rows go through a topic and meet others there by their times, that is read to its end then.
//! 4. *Release*: where all partitions are; then it goes on.
//!
//! So no row is left between tasks when offsets are committed, and none was taken out of turn.

use std::collections::BTreeMap;

use super::message::{Command, Event, LanePosition, Reached};
use super::shard::{Lane, Shard, Stage};
use crate::runtime::LaneId;

impl Shard {
    /// Follows a command.
    pub(super) fn follow(&mut self, command: &Command) {
        match *command {
            Command::Start(_) | Command::Close => {}
            Command::Cut => {
                self.stage = Stage::Cut;
                let ordered = self.lanes.keys().filter(|lane| self.pressure.is_ordered(**lane));
                let times = ordered.map(|id| self.tasks.taken_time(*id));
                self.tell(Event::Cut(times.max().unwrap_or(i64::MIN)));
            }
            Command::ReadTo(until) => {
                self.cut_time = until;
                // What is written to repartition topics that are followed is read once their writers are drained.
                let ordered = self.lanes.iter().filter(|(id, _)| {
                    self.pressure.is_ordered(**id) && !self.pressure.is_followed(**id)
                });
                let ends = ordered.map(|(id, lane)| (*id, lane.end)).collect();
                self.begin_reading(until, ends);
            }
            Command::Drain(part) => {
                self.stage = Stage::Draining(part);
                // Nobody reads now, so nobody has to be told that nothing is to be waited for here.
                self.publish_marks();
                if let Err(error) = self.tasks.drain(part, self.world.now()) {
                    self.fail(error.into());
                }
            }
            Command::Release { and_go_on } => self.release(and_go_on),
            Command::GoOn => self.stage = Stage::Running,
            Command::TakeBatches => self.take_batches(),
            Command::ReadRepartitions => self.manner.holds_repartitions = false,
            Command::TellProgress => {
                self.give_away();
                let progress = self.tasks.progress();
                self.tell(Event::Progress(progress));
            }
            Command::WrittenUpTo(ref written) => self.note_written(written),
            Command::ReadToEnds(ref ends) => self.read_to_ends(ends),
        }
    }

    /// The next step of a barrier. Whether there was one.
    pub(super) fn step(&mut self) -> bool {
        match &self.stage {
            Stage::Reading { until, ends } => {
                let until = *until;
                let is_level = |(lane, end): &(&LaneId, &i64)| self.is_level(**lane, until, **end);
                let level: Vec<LaneId> =
                    ends.iter().filter(is_level).map(|(lane, _)| *lane).collect();
                let is_all = level.len() == ends.len();
                // Nobody waits for what it does not read any more.
                for lane in level {
                    self.end_reading(lane, until);
                }
                if !is_all {
                    return false;
                }
                self.stage = Stage::Cut;
                self.tell(Event::Level);
                true
            }
            // What is given away waits for room like anything else.
            Stage::Draining(_) if self.pressure.is_sending_full() => false,
            Stage::Draining(part) => {
                let part = *part;
                match self.tasks.flush_some(part, self.world.now()) {
                    Ok(true) => {}
                    Ok(false) => {
                        self.stage = Stage::Drained;
                        self.give_away();
                    }
                    Err(error) => self.fail(error.into()),
                }
                true
            }
            // By now, what it gave to other workers is in their inboxes: before any further command.
            Stage::Drained => {
                self.stage = Stage::Cut;
                self.tell(Event::Drained);
                true
            }
            Stage::Running | Stage::Cut | Stage::Held | Stage::Failed => false,
        }
    }

    /// Notes that a lane has come to where the barrier wants it: of what meets others, nothing more comes up to the time of
    /// the cut.
    fn end_reading(&mut self, lane: LaneId, until: i64) {
        if self.pressure.is_even(lane) && self.meets_repartition(lane) {
            let noted = self.tasks.note_time(lane, self.cut_time, self.world.now());
            if let Err(error) = noted {
                self.fail(error.into());
            }
        }
        self.publish_level(lane, until);
    }

    fn begin_reading(&mut self, until: i64, ends: BTreeMap<LaneId, i64>) {
        // Nobody waits for what is not read now.
        let unread: Vec<LaneId> =
            self.lanes.keys().filter(|lane| !ends.contains_key(lane)).copied().collect();
        self.stage = Stage::Reading { until, ends };
        for lane in unread {
            self.publish_level(lane, until);
        }
    }

    /// Reads repartition topics to where they end now that their writers are drained. What is read goes on in its
    /// order; what has to wait is processed when its sub-topology is drained.
    fn read_to_ends(&mut self, ends: &BTreeMap<LaneId, i64>) {
        let mut own = BTreeMap::new();
        for (id, lane) in &mut self.lanes {
            if let Some(end) = ends.get(id) {
                lane.end = lane.end.max(*end);
                lane.publish();
                own.insert(*id, lane.end);
            }
        }
        self.begin_reading(i64::MAX, own);
        if let Err(error) = self.tasks.resume(self.world.now()) {
            self.fail(error.into());
        }
    }

    /// Whether a lane has come to a time, or to an end.
    fn is_level(&self, id: LaneId, until: i64, end: i64) -> bool {
        self.lanes.get(&id).is_none_or(|lane| {
            lane.position >= end
                || self.is_held(id)
                || self.next_time(id).is_some_and(|time| time > until)
        })
    }

    fn release(&mut self, and_go_on: bool) {
        let position = |(lane, at): (&LaneId, &Lane)| LanePosition {
            lane: *lane,
            position: at.position,
            time: self.tasks.stream_time(*lane),
        };
        let positions = self.lanes.iter().map(position).collect();
        let reached = Reached { positions, clocks: self.tasks.clocks() };
        self.give_away();
        self.interval += 1;
        self.stage = if and_go_on { Stage::Running } else { Stage::Held };
        self.publish_gauges();
        self.tell(Event::Released(reached));
        // Another worker that was released before may have handed rows over: those are of the next interval.
        if let Err(error) = self.tasks.resume(self.world.now()) {
            self.fail(error.into());
        }
    }

    /// Publishes what it holds.
    pub(super) fn publish_gauges(&mut self) {
        self.session.set_stored(self.tasks.stored());
    }
}
