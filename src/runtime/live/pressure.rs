//! What keeps the memory of a query bounded while its parts run at their own speed.
//!
//! Workers take nothing more for a query whose records wait to be sent. And where rows wait for those
//! of other partitions, only the partition that is furthest behind is read on: it is what the others
//! wait for, so whatever is full, something moves. Where they wait for one that has nothing to be read
//! (`max.task.idle.ms`), those that are ahead of it are not read on either, until it is waited for no more.

use std::collections::BTreeMap;
use std::sync::atomic::{
    AtomicBool, AtomicI64, AtomicUsize,
    Ordering::{Acquire, Relaxed, Release},
};

use crate::plan::SubTopologyId;
use crate::runtime::LaneId;

/// How many bytes these are for a query that writes topics.
const OUTBOX_BYTES: usize = 48 << 20;

/// How many bytes of rows wait for those of other partitions before only the last are read on.
const WAITING_BYTES: usize = 8 << 20;

/// How many records of repartition topics wait to be read before those who write them are not read on.
const UNREAD_RECORDS: usize = 64 << 10;

/// How a partition is ordered among others.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct LaneOrder {
    /// The sub-topology where its rows meet those of other partitions, by a repartition topic: those who feed the
    /// same one are read evenly.
    pub(super) feeds: Option<SubTopologyId>,
    /// Whether its end says nothing, as its writers may be behind.
    pub(super) is_followed: bool,
}

/// What the workers and the outbox of a query tell each other without a word.
#[derive(Debug)]
pub(super) struct Pressure {
    /// How many bytes of records wait to be sent or to be committed before workers take no more.
    outbox_bytes: usize,
    /// Bytes for sinks and repartition topics that wait to be sent.
    unsent: AtomicUsize,
    /// Bytes for changelogs that wait to be committed.
    uncommitted: AtomicUsize,
    waiting: Vec<AtomicUsize>,
    /// Records of repartition topics that wait to be read, by worker.
    unread: Vec<AtomicUsize>,
    /// Whether a partition has come further since this was last asked.
    has_moved: AtomicBool,
    /// How far the partitions have come whose rows have an order.
    marks: BTreeMap<LaneId, Mark>,
    /// How far ahead of the others, in record time, one of them is read.
    ahead_ms: Option<i64>,
    /// Whether rows meet those of all partitions, and not only of those with the same number.
    meets_all: bool,
}

/// How far a partition has come.
#[derive(Debug)]
struct Mark {
    order: LaneOrder,
    /// No later row has a lower time.
    time: AtomicI64,
    /// [`NOT_AT_END`], or until when, by the wall clock, it is waited for although it is at its end.
    waited_until_ms: AtomicI64,
}

const NOT_AT_END: i64 = i64::MIN;

impl Mark {
    fn is_at_end(&self) -> bool {
        self.waited_until_ms.load(Relaxed) != NOT_AT_END
    }
}

/// Where a partition stands, as its reader tells it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Standing {
    /// No later row has a lower time.
    pub(super) time: i64,
    /// Where it is at its end: until when, by the wall clock, it is waited for nevertheless.
    pub(super) waited_until_ms: Option<i64>,
}

impl Pressure {
    /// Nothing waits, and nothing has come; these partitions have an order among each other, each with
    /// all others if `meets_all`, else with those of its number.
    pub(super) fn new(
        workers: usize,
        ordered: impl IntoIterator<Item = (LaneId, LaneOrder)>,
        ahead_ms: Option<i64>,
        meets_all: bool,
    ) -> Self {
        let begin = |order| Mark {
            order,
            time: AtomicI64::new(i64::MIN),
            waited_until_ms: AtomicI64::new(NOT_AT_END),
        };
        let marks = ordered.into_iter().map(|(lane, order)| (lane, begin(order)));
        let of_workers = || (0..workers).map(|_| AtomicUsize::new(0)).collect();
        Self {
            outbox_bytes: OUTBOX_BYTES,
            unsent: AtomicUsize::new(0),
            uncommitted: AtomicUsize::new(0),
            waiting: of_workers(),
            unread: of_workers(),
            has_moved: AtomicBool::new(false),
            marks: marks.collect(),
            ahead_ms,
            meets_all,
        }
    }

    /// The same, where so many bytes may wait to be sent.
    pub(super) fn with_outbox(self, outbox_bytes: usize) -> Self {
        Self { outbox_bytes, ..self }
    }

    /// Notes that records were given to the outbox: for sinks and repartition topics, for changelogs.
    pub(super) fn given(&self, unsent: usize, uncommitted: usize) {
        self.unsent.fetch_add(unsent, Relaxed);
        self.uncommitted.fetch_add(uncommitted, Relaxed);
    }

    /// Notes that records for sinks and repartition topics are sent.
    pub(super) fn sent(&self, bytes: usize) {
        subtract(&self.unsent, bytes);
    }

    /// Notes that records for changelogs are sent, as they are committed.
    pub(super) fn committed(&self, bytes: usize) {
        subtract(&self.uncommitted, bytes);
    }

    /// Whether the outbox holds as much as it may.
    pub(super) fn is_outbox_full(&self) -> bool {
        self.unsent.load(Relaxed) + self.uncommitted.load(Relaxed) > self.outbox_bytes
    }

    /// Whether what waits to be sent is as much as may. A barrier waits for nothing else: records for
    /// changelogs leave only with the commit that comes after it.
    pub(super) fn is_sending_full(&self) -> bool {
        self.unsent.load(Relaxed) > self.outbox_bytes
    }

    /// Notes how many bytes of rows wait with a worker.
    pub(super) fn set_waiting(&self, worker: usize, bytes: usize) {
        if let Some(waiting) = self.waiting.get(worker) {
            waiting.store(bytes, Relaxed);
        }
    }

    /// Notes how many records of repartition topics wait to be read by a worker.
    pub(super) fn set_unread(&self, worker: usize, records: usize) {
        if let Some(unread) = self.unread.get(worker) {
            unread.store(records, Relaxed);
        }
    }

    /// Whether as many rows wait for others as may, or to be read from repartition topics.
    pub(super) fn is_waiting_full(&self) -> bool {
        let sum = |all: &[AtomicUsize]| all.iter().map(|one| one.load(Relaxed)).sum::<usize>();
        sum(&self.waiting) > WAITING_BYTES || sum(&self.unread) > UNREAD_RECORDS
    }

    /// Whether a partition has come further since this was last asked.
    pub(super) fn take_has_moved(&self) -> bool {
        self.has_moved.swap(false, Relaxed)
    }

    /// Whether the end of a partition says nothing, as its writers may be behind.
    pub(super) fn is_followed(&self, lane: LaneId) -> bool {
        self.marks.get(&lane).is_some_and(|mark| mark.order.is_followed)
    }

    /// Whether a partition has an order among others.
    pub(super) fn is_ordered(&self, lane: LaneId) -> bool {
        self.marks.contains_key(&lane)
    }

    /// Whether a partition is read as evenly as others.
    pub(super) fn is_even(&self, lane: LaneId) -> bool {
        let mark = self.marks.get(&lane);
        self.ahead_ms.is_some() && mark.is_some_and(|mark| mark.order.feeds.is_some())
    }

    /// Notes how far a partition has come.
    pub(super) fn mark(&self, lane: LaneId, Standing { time, waited_until_ms }: Standing) {
        if let Some(mark) = self.marks.get(&lane) {
            // What has come of its rows is on its way before.
            mark.time.store(time, Release);
            // Not the value that says that it is not at its end.
            let until = waited_until_ms.map_or(NOT_AT_END, |until| until.max(NOT_AT_END + 1));
            mark.waited_until_ms.store(until, Relaxed);
            self.has_moved.store(true, Relaxed);
        }
    }

    /// How far ahead of the others a partition is read, if that is limited.
    pub(super) fn ahead_ms(&self) -> Option<i64> {
        self.ahead_ms
    }

    /// How far the partition has come that is furthest behind of all but `lane` that feed the same
    /// sub-topology; those at their end are ahead of all, if that says anything.
    pub(super) fn others(&self, lane: LaneId) -> i64 {
        let feeds = self.marks.get(&lane).and_then(|mark| mark.order.feeds);
        let others = self.marks.iter().filter(|(other, mark)| {
            feeds.is_some()
                && mark.order.feeds == feeds
                && **other != lane
                && (mark.order.is_followed || !mark.is_at_end())
        });
        others.map(|(_, mark)| mark.time.load(Acquire)).min().unwrap_or(i64::MAX)
    }

    /// Whether a partition that has come to `time` is read on at `now_ms` although as many rows wait as may: it
    /// is what they wait for.
    pub(super) fn is_waited_for(&self, lane: LaneId, time: i64, now_ms: i64) -> bool {
        let is_behind = |(other, mark): (&LaneId, &Mark)| {
            let others = mark.time.load(Relaxed);
            others < time && !mark.is_at_end() && !self.is_held_back(*other, others, now_ms)
        };
        !self.is_held_back(lane, time, now_ms) && !self.marks.iter().any(is_behind)
    }

    /// Whether the rows of a partition that has come to `time` wait for one that has nothing to be read.
    fn is_held_back(&self, lane: LaneId, time: i64, now_ms: i64) -> bool {
        self.marks.iter().any(|(other, mark)| {
            let meets = self.meets_all || other.upstream == lane.upstream;
            let waited_until_ms = mark.waited_until_ms.load(Relaxed);
            meets && waited_until_ms > now_ms && *other != lane && mark.time.load(Relaxed) < time
        })
    }
}

fn subtract(held: &AtomicUsize, bytes: usize) {
    let _ = held.fetch_update(Relaxed, Relaxed, |held| Some(held.saturating_sub(bytes)));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{Input, NodeId};
    use crate::types::Partition;

    const FEEDS: LaneOrder = LaneOrder { feeds: Some(SubTopologyId(1)), is_followed: false };

    fn lane(source: usize, partition: i32) -> LaneId {
        LaneId { input: Input::Source(NodeId(source)), upstream: Partition(partition) }
    }

    fn reads(time: i64) -> Standing {
        Standing { time, waited_until_ms: None }
    }

    fn ended(time: i64, waited_until_ms: i64) -> Standing {
        Standing { time, waited_until_ms: Some(waited_until_ms) }
    }

    /// Which of some partitions are read on although as many rows wait as may.
    fn check(meets_all: bool, standings: &[(LaneId, Standing)], expected: &[bool]) {
        let lanes = standings.iter().map(|(lane, _)| (*lane, FEEDS));
        let pressure = Pressure::new(2, lanes, None, meets_all);
        pressure.set_waiting(1, WAITING_BYTES + 1);
        assert!(pressure.is_waiting_full());
        for (lane, standing) in standings {
            pressure.mark(*lane, *standing);
        }
        let is_waited_for = |(lane, standing): &(LaneId, Standing)| {
            pressure.is_waited_for(*lane, standing.time, 1_000)
        };
        let found: Vec<bool> = standings.iter().map(is_waited_for).collect();
        assert_eq!(found, expected, "{standings:?}");
    }

    #[test]
    fn law_1_the_partition_that_is_furthest_behind_is_never_held_up() {
        let of_three = |last| [(lane(0, 0), reads(7)), (lane(0, 1), reads(5)), (lane(0, 2), last)];
        check(true, &of_three(reads(6)), &[false, true, false]);
        let standings = of_three(ended(1, i64::MIN));
        check(true, &standings, &[false, true, true]);
        let pressure = Pressure::new(2, standings.map(|(lane, _)| (lane, FEEDS)), None, true);
        for (lane, standing) in &standings {
            pressure.mark(*lane, *standing);
        }
        assert_eq!(standings.map(|(lane, _)| pressure.others(lane)), [5, 7, 5]);
    }

    #[test]
    fn law_1_what_waits_for_a_partition_at_its_end_is_not_read_on_while_that_is_waited_for() {
        let of_two = |at_end| [(lane(0, 0), reads(7)), (lane(0, 1), at_end)];
        check(true, &of_two(ended(5, 1_001)), &[false, true]);
        check(true, &of_two(ended(5, 1_000)), &[true, true]);
        // It comes first.
        check(true, &of_two(ended(9, 1_001)), &[true, false]);
        // Two partitions of two topics, joined by number: what one waits for holds up no other.
        let joined = [
            (lane(0, 0), ended(1, 1_001)),
            (lane(1, 0), reads(3)),
            (lane(0, 1), reads(9)),
            (lane(1, 1), reads(8)),
        ];
        check(false, &joined, &[true, false, false, true]);
    }

    #[test]
    fn law_1_a_barrier_does_not_wait_for_the_commit_that_comes_after_it() {
        let pressure = Pressure::new(1, [], None, true);
        pressure.given(1, OUTBOX_BYTES);
        assert!(pressure.is_outbox_full() && !pressure.is_sending_full());
        pressure.given(OUTBOX_BYTES, 0);
        assert!(pressure.is_sending_full());
        pressure.sent(OUTBOX_BYTES + 1);
        pressure.committed(OUTBOX_BYTES);
        assert!(!pressure.is_outbox_full() && !pressure.is_sending_full());
    }
}
