//! What a producer has written, and what it has not.

use std::collections::BTreeMap;
use std::fmt;

use super::refused::RefusedSummary;

/// What was written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProduceSummary {
    /// The topic.
    pub topic: String,
    /// By partition.
    pub partitions: BTreeMap<i32, Written>,
    /// What was not.
    pub refused: RefusedSummary,
}

/// What one partition took.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Written {
    /// Acknowledged readings.
    pub readings: u64,
    /// Offset of the first.
    pub first_offset: i64,
    /// Offset of the last.
    pub last_offset: i64,
}

impl ProduceSummary {
    /// Acknowledged readings of all partitions.
    pub fn readings(&self) -> u64 {
        self.partitions.values().map(|written| written.readings).sum()
    }

    /// Notes where the first reading of a partition is.
    pub(super) fn begin(&mut self, partition: i32, first_offset: i64) {
        let start = Written { readings: 0, first_offset, last_offset: first_offset };
        self.partitions.entry(partition).or_insert(start);
    }

    /// Notes readings of a partition that has begun.
    pub(super) fn add(&mut self, partition: i32, readings: u64, last_offset: i64) {
        if let Some(written) = self.partitions.get_mut(&partition) {
            written.readings += readings;
            written.last_offset = last_offset;
        }
    }
}

impl fmt::Display for ProduceSummary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} readings acknowledged on '{}'", self.readings(), self.topic)?;
        for (partition, Written { readings, first_offset, last_offset }) in &self.partitions {
            writeln!(
                f,
                "  partition {partition}: {readings} readings, offsets {first_offset} to {last_offset}"
            )?;
        }
        write!(f, "{}", self.refused)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_summary_tells_each_partition() {
        let mut summary = ProduceSummary { topic: "t".to_owned(), ..ProduceSummary::default() };
        summary.begin(2, 10);
        summary.add(2, 2, 11);
        summary.begin(0, 0);
        summary.add(0, 1, 0);
        summary.begin(2, 12);
        summary.add(2, 1, 12);
        assert_eq!(
            summary.to_string(),
            "4 readings acknowledged on 't'\n  partition 0: 1 readings, offsets 0 to 0\n  partition 2: 3 readings, offsets 10 to 12\n"
        );
    }
}
