//! The barrier of a query as its own task sees it: what workers are told next, once all have answered.

use std::collections::BTreeSet;

use super::message::{Command, Event, Reached};
use crate::plan::SubTopologyId;

/// A barrier under way.
#[derive(Debug)]
pub(super) struct Barrier {
    workers: usize,
    and_go_on: bool,
    /// Whether rows of several partitions have an order.
    is_ordered: bool,
    /// The sub-topologies that read repartition topics to the end before they are drained.
    follow: BTreeSet<SubTopologyId>,
    at_ms: i64,
    /// How many workers have not answered.
    waits: usize,
    step: Step,
    time: i64,
    reached: Reached,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Cut,
    Reading,
    /// So many sub-topologies are drained.
    Draining(usize),
    /// So many are drained, and what they have written for the next one is read.
    ReadingOn(usize),
    Releasing,
}

/// What a barrier wants next.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Further answers.
    Wait,
    /// That all workers are told something.
    Tell(Tell),
    /// That what was given is acknowledged, and workers read what was written for a sub-topology to where it ends then.
    ReadToEnds(SubTopologyId),
    /// It is over, and everything is processed so far.
    Over(Reached),
}

/// What all workers are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tell {
    ReadTo(i64),
    Drain(SubTopologyId),
    Release { and_go_on: bool },
}

impl Tell {
    pub(super) fn command(self) -> Command {
        match self {
            Self::ReadTo(time) => Command::ReadTo(time),
            Self::Drain(part) => Command::Drain(part),
            Self::Release { and_go_on } => Command::Release { and_go_on },
        }
    }
}

impl Barrier {
    /// A barrier whose workers are told to take nothing more.
    pub(super) fn new(workers: usize, and_go_on: bool, is_ordered: bool, at_ms: i64) -> Self {
        Self {
            workers,
            and_go_on,
            is_ordered,
            follow: BTreeSet::new(),
            at_ms,
            waits: workers,
            step: Step::Cut,
            time: i64::MIN,
            reached: Reached::default(),
        }
    }

    /// The same, where these sub-topologies read what is written for them before they are drained.
    pub(super) fn following(self, follow: BTreeSet<SubTopologyId>) -> Self {
        Self { follow, ..self }
    }

    /// When it began.
    pub(super) fn at_ms(&self) -> i64 {
        self.at_ms
    }

    /// Takes a worker's answer; `parts` are the sub-topologies in the order in which rows go through
    /// them.
    pub(super) fn take(&mut self, answer: Event, parts: &[SubTopologyId]) -> Next {
        match (answer, self.step) {
            (Event::Cut(time), Step::Cut) => self.time = self.time.max(time),
            (Event::Released(reached), Step::Releasing) => {
                self.reached.positions.extend(reached.positions);
                self.reached.clocks.extend(reached.clocks);
            }
            (Event::Level, Step::Reading | Step::ReadingOn(_))
            | (Event::Drained, Step::Draining(_)) => {}
            _ => return Next::Wait,
        }
        self.waits -= 1;
        if self.waits > 0 {
            return Next::Wait;
        }
        self.waits = self.workers;
        let (draining, is_read) = match self.step {
            Step::Cut if self.is_ordered => {
                self.step = Step::Reading;
                return Next::Tell(Tell::ReadTo(self.time));
            }
            Step::Cut | Step::Reading => (0, false),
            Step::ReadingOn(drained) => (drained, true),
            Step::Draining(drained) => (drained + 1, false),
            Step::Releasing => return Next::Over(std::mem::take(&mut self.reached)),
        };
        if let Some(part) = parts.get(draining) {
            if self.follow.contains(part) && !is_read {
                self.step = Step::ReadingOn(draining);
                return Next::ReadToEnds(*part);
            }
            self.step = Step::Draining(draining);
            return Next::Tell(Tell::Drain(*part));
        }
        self.step = Step::Releasing;
        Next::Tell(Tell::Release { and_go_on: self.and_go_on })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn law_3_all_workers_have_to_answer_before_the_next_step() {
        let parts = [SubTopologyId(0), SubTopologyId(1)];
        let mut barrier = Barrier::new(2, true, true, 0);
        assert_eq!(barrier.take(Event::Cut(7), &parts), Next::Wait);
        assert_eq!(barrier.take(Event::Cut(3), &parts), Next::Tell(Tell::ReadTo(7)));
        assert_eq!(barrier.take(Event::Level, &parts), Next::Wait);
        for part in parts {
            let drain = if part == parts[0] { Event::Level } else { Event::Drained };
            assert_eq!(barrier.take(drain, &parts), Next::Tell(Tell::Drain(part)));
            assert_eq!(barrier.take(Event::Drained, &parts), Next::Wait);
        }
        let release = Tell::Release { and_go_on: true };
        assert_eq!(barrier.take(Event::Drained, &parts), Next::Tell(release));
        assert_eq!(barrier.take(Event::Released(Reached::default()), &parts), Next::Wait);
        assert_eq!(
            barrier.take(Event::Released(Reached::default()), &parts),
            Next::Over(Reached::default())
        );
    }

    #[test]
    fn what_is_written_is_read_before_its_readers_are_drained() {
        let parts = [SubTopologyId(0), SubTopologyId(1)];
        let mut barrier = Barrier::new(1, true, false, 0).following([parts[1]].into());
        let drain = |part: usize| Next::Tell(Tell::Drain(parts[part]));
        assert_eq!(barrier.take(Event::Cut(7), &parts), drain(0));
        assert_eq!(barrier.take(Event::Drained, &parts), Next::ReadToEnds(parts[1]));
        assert_eq!(barrier.take(Event::Level, &parts), drain(1));
        let release = Next::Tell(Tell::Release { and_go_on: true });
        assert_eq!(barrier.take(Event::Drained, &parts), release);
    }

    #[test]
    fn where_nothing_has_an_order_nothing_is_read_on() {
        let mut barrier = Barrier::new(1, false, false, 0);
        let parts = [SubTopologyId(0)];
        let drain = Next::Tell(Tell::Drain(parts[0]));
        assert_eq!(barrier.take(Event::Cut(i64::MIN), &parts), drain);
        let release = Next::Tell(Tell::Release { and_go_on: false });
        assert_eq!(barrier.take(Event::Drained, &parts), release);
    }
}
