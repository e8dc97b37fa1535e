//! The order of rows of several partitions where their times do not matter: block by block.
//!
//! A block is a run of [`BLOCK_RECORDS`] offsets of a partition of a source. All its rows go by one
//! time, the highest that the partition had come to before it, which is known before the block is
//! read. So blocks follow each other as they would in time, give or take a block; who reads always
//! the partition that is furthest behind has the next rows in hand, and need not put them aside; and
//! the order depends on nothing but the records.

use std::ops::Range;

/// How many offsets a block has.
pub const BLOCK_RECORDS: i64 = 1_024;

/// Where a partition of a source is among its blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Block {
    number: i64,
    /// The time that its rows go by.
    time: i64,
    /// The highest time of all rows so far.
    highest: i64,
}

impl Block {
    /// Nothing is read.
    pub(super) const START: Self = Self { number: -1, time: i64::MIN, highest: i64::MIN };

    /// The number of the block of an offset.
    fn number(offset: i64) -> i64 {
        offset.div_euclid(BLOCK_RECORDS)
    }

    /// The time that the row of an offset goes by, which is the next.
    pub(super) fn time_of(self, offset: i64) -> i64 {
        if Self::number(offset) == self.number { self.time } else { self.highest }
    }

    /// The time that the rows go by that were read last.
    pub(super) fn time(self) -> i64 {
        self.time
    }

    /// The highest time of all rows so far.
    pub(super) fn highest(self) -> i64 {
        self.highest
    }

    /// Moves on by rows of one block.
    pub(super) fn advance(&mut self, offset: i64, timestamps: &[i64]) {
        (self.time, self.number) = (self.time_of(offset), Self::number(offset));
        self.highest = timestamps.iter().copied().fold(self.highest, i64::max);
    }

    /// The rows at these offsets, which ascend, block by block.
    pub(super) fn cut(offsets: &[i64]) -> impl Iterator<Item = Range<usize>> {
        let mut start = 0;
        std::iter::from_fn(move || {
            let number = Self::number(*offsets.get(start)?);
            let len = offsets[start..].partition_point(|offset| Self::number(*offset) == number);
            let block = start..start + len;
            start += len;
            Some(block)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_go_by_the_time_before_their_block_however_they_are_cut() {
        let records = [(0, 5), (1_000, 9), (1_023, 7), (1_024, 8), (1_030, 20), (5_000, 3)];
        let by_cuts = |cuts: &[usize]| {
            let (mut block, mut times) = (Block::START, Vec::new());
            let mut from = 0;
            for cut in cuts.iter().chain([&records.len()]) {
                let (offsets, timestamps): (Vec<i64>, Vec<i64>) =
                    records[from..*cut].iter().copied().unzip();
                for rows in Block::cut(&offsets) {
                    assert!(
                        times.last().is_none_or(|last| *last <= block.time_of(offsets[rows.start]))
                    );
                    block.advance(offsets[rows.start], &timestamps[rows.clone()]);
                    times.extend(rows.map(|_| block.time()));
                }
                from = *cut;
            }
            assert_eq!(block.highest(), 20);
            times
        };
        let expected = [i64::MIN, i64::MIN, i64::MIN, 9, 9, 20];
        for cuts in [&[][..], &[1], &[2, 3], &[1, 2, 3, 4, 5]] {
            assert_eq!(by_cuts(cuts), expected);
        }
    }
}
