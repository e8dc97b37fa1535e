//! Which offsets of a partition have been seen, so that each is counted once.
//!
//! ```text
//! 0        older ranges            head_start        head_end
//! ├──────██████───███───────────────██████████████████▶ moves on without a lock
//! ```
//! Almost everything that is read follows on what was read before, at the head. Who begins before it, or far behind it, takes
//! the lock.

use std::ops::Range;
use std::sync::atomic::{AtomicI64, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};

/// How many ranges are told apart. Where there are more, the gap between the two that lie closest counts as seen.
const RANGES_MAX: usize = 256;

/// The offsets of a partition that have been seen.
#[derive(Debug, Default)]
pub(super) struct SeenOffsets {
    head_end: AtomicI64,
    older: Mutex<Older>,
}

/// What lies before the head.
#[derive(Debug, Default)]
struct Older {
    head_start: i64,
    /// In order, and with gaps between them and before the head.
    ranges: Vec<Range<i64>>,
}

/// What of a range had not been seen.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Fresh {
    /// All of it.
    All,
    /// These parts of it, in order.
    Parts(Vec<Range<i64>>),
}

impl SeenOffsets {
    /// The offset behind the last that has been seen.
    pub(super) fn end(&self) -> i64 {
        self.head_end.load(Relaxed)
    }

    /// Notes that a range is seen; what of it had not been.
    pub(super) fn add(&self, range: Range<i64>) -> Fresh {
        if range.is_empty() {
            return Fresh::Parts(Vec::new());
        }
        if self.moves_head(range.start, range.end) {
            return Fresh::All;
        }
        let mut older = self.older.lock().unwrap_or_else(PoisonError::into_inner);
        Fresh::Parts(self.add_elsewhere(range, &mut older))
    }

    /// Moves the head on, if it ends where it is expected to.
    fn moves_head(&self, from: i64, to: i64) -> bool {
        self.head_end.compare_exchange(from, to, Relaxed, Relaxed).is_ok()
    }

    fn add_elsewhere(&self, range: Range<i64>, older: &mut Older) -> Vec<Range<i64>> {
        loop {
            let end = self.end();
            if range.end > end && !self.moves_head(end, range.end) {
                // Somebody else has moved it on meanwhile.
                continue;
            }
            if range.start > end {
                let start = std::mem::replace(&mut older.head_start, range.start);
                older.add(start..end);
                return vec![range];
            }
            let mut fresh = older.add(range.start..range.end.min(older.head_start));
            older.join_head();
            if range.end > end {
                fresh.push(end..range.end);
            }
            return fresh;
        }
    }
}

impl Older {
    /// Adds a range; what of it was not there.
    fn add(&mut self, new: Range<i64>) -> Vec<Range<i64>> {
        if new.is_empty() {
            return Vec::new();
        }
        let first = self.ranges.partition_point(|range| range.end < new.start);
        let behind = self.ranges.partition_point(|range| range.start <= new.end);
        let (mut fresh, mut from, mut whole) = (Vec::new(), new.start, new.clone());
        for known in self.ranges.drain(first..behind) {
            if from < known.start {
                fresh.push(from..known.start);
            }
            from = from.max(known.end);
            whole = whole.start.min(known.start)..whole.end.max(known.end);
        }
        if from < new.end {
            fresh.push(from..new.end);
        }
        self.ranges.insert(first, whole);
        self.keep_few();
        fresh
    }

    /// Makes ranges that have come to the head a part of it.
    fn join_head(&mut self) {
        while let Some(last) = self.ranges.pop_if(|last| last.end >= self.head_start) {
            self.head_start = self.head_start.min(last.start);
        }
    }

    fn keep_few(&mut self) {
        if self.ranges.len() <= RANGES_MAX {
            return;
        }
        let gap = |at: &usize| self.ranges[*at + 1].start - self.ranges[*at].end;
        if let Some(at) = (0..self.ranges.len() - 1).min_by_key(gap) {
            self.ranges[at].end = self.ranges.remove(at + 1).end;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From an offset to another.
    type FromTo = (i64, i64);

    /// What of each range is fresh, one after the other.
    fn check(steps: &[(FromTo, &[FromTo])]) -> SeenOffsets {
        let seen = SeenOffsets::default();
        for ((from, to), expected) in steps {
            let fresh = match seen.add(*from..*to) {
                Fresh::All => vec![(*from, *to)],
                Fresh::Parts(parts) => parts.iter().map(|part| (part.start, part.end)).collect(),
            };
            assert_eq!(fresh, *expected, "{from}..{to}");
        }
        seen
    }

    #[test]
    fn offsets_are_fresh_once_wherever_readers_begin() {
        let seen = check(&[
            // The first reader begins at the end of the topic, the next ones at its beginning.
            ((1_000, 1_010), &[(1_000, 1_010)]),
            ((1_010, 1_020), &[(1_010, 1_020)]),
            ((0, 100), &[(0, 100)]),
            ((50, 150), &[(100, 150)]),
            ((0, 150), &[]),
            // One jumps, and another reads what lies between, over the begin of the head.
            ((500, 600), &[(500, 600)]),
            ((140, 700), &[(150, 500), (600, 700)]),
            ((690, 1_030), &[(700, 1_000), (1_020, 1_030)]),
            ((0, 1_030), &[]),
            ((1_030, 1_031), &[(1_030, 1_031)]),
            ((7, 7), &[]),
        ]);
        assert_eq!(seen.end(), 1_031);
    }

    #[test]
    fn of_very_many_ranges_those_close_together_are_one() {
        let seen = SeenOffsets::default();
        seen.add(100_000..100_001);
        for at in 0..1_000 {
            seen.add(at * 10..at * 10 + 1 + at % 7);
        }
        assert!(seen.older.lock().unwrap().ranges.len() <= RANGES_MAX);
    }
}
