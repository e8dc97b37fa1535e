//! How long things took, counted by size.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// How many sizes there are, that without a bound among them.
const SIZES: usize = DurationCounts::BOUNDS_MS.len() + 1;

/// How many of some durations were of which size.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DurationCounts {
    /// How many were at most as long as the bound of the same place, and longer than the one before; at last those that
    /// are longer than all bounds.
    pub counts: [u64; SIZES],
    /// How long all of them took, in microseconds.
    pub sum_us: u64,
}

impl DurationCounts {
    /// The bounds, in milliseconds: from what is felt as at once to what nobody waits for.
    pub const BOUNDS_MS: [u64; 13] =
        [1, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 10_000, 60_000, 600_000];

    /// How many there are.
    pub fn total(&self) -> u64 {
        self.counts.iter().sum()
    }
}

/// Counts durations; anybody reads them at any time.
#[derive(Debug, Default)]
pub(super) struct Durations {
    counts: [AtomicU64; SIZES],
    sum_us: AtomicU64,
}

impl Durations {
    /// Counts one.
    pub(super) fn note(&self, took: Duration) {
        let bounds = DurationCounts::BOUNDS_MS;
        let size = bounds.partition_point(|bound| Duration::from_millis(*bound) < took);
        self.counts[size].fetch_add(1, Relaxed);
        self.sum_us.fetch_add(u64::try_from(took.as_micros()).unwrap_or(u64::MAX), Relaxed);
    }

    /// What was counted.
    pub(super) fn counts(&self) -> DurationCounts {
        DurationCounts {
            counts: self.counts.each_ref().map(|count| count.load(Relaxed)),
            sum_us: self.sum_us.load(Relaxed),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_counts_where_it_first_fits() {
        let durations = Durations::default();
        for ms in [0, 1, 2, 100, 600_001] {
            durations.note(Duration::from_millis(ms));
        }
        let DurationCounts { counts, sum_us } = durations.counts();
        assert_eq!(counts, [2, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1]);
        assert_eq!(sum_us, 600_104_000);
    }
}
