//! What keeps the memory of a query bounded while its parts run at their own speed.
//!
//! Workers take nothing more for a query whose records wait to be sent. And where rows wait for those
//! of other partitions, only the partition that is furthest behind is read on: it is what the others
//! wait for, so whatever is full, something moves.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering::Relaxed};

use crate::runtime::LaneId;

/// How many bytes of records wait to be sent or to be committed before workers take no more.
const OUTBOX_BYTES: usize = 48 << 20;

/// How many bytes of rows wait for those of other partitions before only the last are read on.
const WAITING_BYTES: usize = 8 << 20;

/// What the workers and the outbox of a query tell each other without a word.
#[derive(Debug)]
pub(super) struct Pressure {
    /// Bytes for sinks and repartition topics that wait to be sent.
    unsent: AtomicUsize,
    /// Bytes for changelogs that wait to be committed.
    uncommitted: AtomicUsize,
    waiting: Vec<AtomicUsize>,
    /// How far the partitions have come whose rows have an order, in record time; those at their end
    /// are ahead of all.
    marks: BTreeMap<LaneId, AtomicI64>,
    /// How far ahead of the others, in record time, one of them is read.
    ahead_ms: Option<i64>,
}

impl Pressure {
    /// Nothing waits, and nothing has come; these partitions have an order among each other.
    pub(super) fn new(
        workers: usize,
        ordered: impl IntoIterator<Item = LaneId>,
        ahead_ms: Option<i64>,
    ) -> Self {
        let marks = ordered.into_iter().map(|lane| (lane, AtomicI64::new(i64::MIN)));
        Self {
            unsent: AtomicUsize::new(0),
            uncommitted: AtomicUsize::new(0),
            waiting: (0..workers).map(|_| AtomicUsize::new(0)).collect(),
            marks: marks.collect(),
            ahead_ms,
        }
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
        self.unsent.load(Relaxed) + self.uncommitted.load(Relaxed) > OUTBOX_BYTES
    }

    /// Whether what waits to be sent is as much as may. A barrier waits for nothing else: records for
    /// changelogs leave only with the commit that comes after it.
    pub(super) fn is_sending_full(&self) -> bool {
        self.unsent.load(Relaxed) > OUTBOX_BYTES
    }

    /// Notes how many bytes of rows wait with a worker.
    pub(super) fn set_waiting(&self, worker: usize, bytes: usize) {
        if let Some(waiting) = self.waiting.get(worker) {
            waiting.store(bytes, Relaxed);
        }
    }

    /// Whether as many rows wait for others as may.
    pub(super) fn is_waiting_full(&self) -> bool {
        self.waiting.iter().map(|waiting| waiting.load(Relaxed)).sum::<usize>() > WAITING_BYTES
    }

    /// Whether a partition has an order among others.
    pub(super) fn is_ordered(&self, lane: LaneId) -> bool {
        self.marks.contains_key(&lane)
    }

    /// Notes that no later row of a partition has a lower time; `None` once it is at its end.
    pub(super) fn mark(&self, lane: LaneId, time: Option<i64>) {
        if let Some(mark) = self.marks.get(&lane) {
            mark.store(time.unwrap_or(i64::MAX), Relaxed);
        }
    }

    /// How far ahead of the others a partition is read, if that is limited.
    pub(super) fn ahead_ms(&self) -> Option<i64> {
        self.ahead_ms
    }

    /// How far the partition has come that is furthest behind of all but `lane`.
    pub(super) fn others(&self, lane: LaneId) -> i64 {
        let others = self.marks.iter().filter(|(other, _)| **other != lane);
        others.map(|(_, mark)| mark.load(Relaxed)).min().unwrap_or(i64::MAX)
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

    #[test]
    fn the_partition_that_is_furthest_behind_is_never_held_up() {
        let lane =
            |partition| LaneId { input: Input::Source(NodeId(0)), upstream: Partition(partition) };
        let pressure = Pressure::new(2, [lane(0), lane(1), lane(2)], None);
        pressure.set_waiting(1, WAITING_BYTES + 1);
        assert!(pressure.is_waiting_full());
        for (partition, time) in [(0, Some(7)), (1, Some(5)), (2, None)] {
            pressure.mark(lane(partition), time);
        }
        assert_eq!([0, 1, 2].map(|partition| pressure.others(lane(partition))), [5, 7, 5]);
    }

    #[test]
    fn a_barrier_does_not_wait_for_the_commit_that_comes_after_it() {
        let pressure = Pressure::new(1, [], None);
        pressure.given(1, OUTBOX_BYTES);
        assert!(pressure.is_outbox_full() && !pressure.is_sending_full());
        pressure.given(OUTBOX_BYTES, 0);
        assert!(pressure.is_sending_full());
        pressure.sent(OUTBOX_BYTES + 1);
        pressure.committed(OUTBOX_BYTES);
        assert!(!pressure.is_outbox_full() && !pressure.is_sending_full());
    }
}
