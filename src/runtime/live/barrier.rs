//! The barrier of a query on a worker: a cut in record time, and nothing left between its tasks.
//!
//! 1. *Cut*: nothing is taken any more.
//! 2. *Read to*: partitions that are behind are read on until their next row is later than the latest
//!    that was taken anywhere, or to where they ended when the barrier began.
//! 3. *Drain*, sub-topology by sub-topology: rows that wait are processed in their order, caches are
//!    given away. What comes of it waits until its own sub-topology is drained.
//! 4. *Release*: where all partitions are; then it goes on.
//!
//! So no row is left between tasks when offsets are committed, and none was taken out of turn.

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
                let ordered = self.lanes.iter().filter(|(id, _)| self.pressure.is_ordered(**id));
                let ends = ordered.map(|(id, lane)| (*id, lane.end)).collect();
                self.stage = Stage::Reading { until, ends };
            }
            Command::Drain(part) => match self.tasks.drain(part, self.world.now()) {
                Ok(()) => self.stage = Stage::Draining(part),
                Err(error) => self.fail(error.into()),
            },
            Command::Release { and_go_on } => self.release(and_go_on),
            Command::GoOn => self.stage = Stage::Running,
            Command::TakeBatches => self.take_batches(),
            Command::ReadRepartitions => self.manner.holds_repartitions = false,
        }
    }

    /// The next step of a barrier. Whether there was one.
    pub(super) fn step(&mut self) -> bool {
        match &self.stage {
            Stage::Reading { until, ends } => {
                if !ends.iter().all(|(lane, end)| self.is_level(*lane, *until, *end)) {
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

    /// Publishes what it holds, and how far it is behind.
    pub(super) fn publish_gauges(&mut self) {
        let lag = self.lanes.values().map(|lane| (lane.end - lane.position).max(0)).sum();
        let rows = self.tasks.stored_rows();
        let has_lanes = !self.lanes.is_empty();
        self.figures.set_gauges(self.worker, rows, has_lanes.then_some(lag));
    }
}
