//! What an aggregate remembers of a group.

use super::counts::Counts;
use super::kept_text::KeptText;
use super::registers::Registers;
use crate::types::{Arena, OwnedValue, Value};

/// What one aggregate remembers of one group, in 40 bytes and what they point to.
#[derive(Clone, Debug, PartialEq)]
pub enum State {
    /// A value that is its own stored form: counts, sums, extremes and lists.
    Value(OwnedValue),
    /// The moments of INTs and BIGINTs.
    Whole {
        /// Their sum, which wraps as Java's does.
        sum: i64,
        /// How many there are.
        count: i64,
        /// The sum of their squared distances from their mean.
        m2: f64,
    },
    /// The moments of DOUBLEs.
    Double {
        /// Their sum.
        sum: f64,
        /// How many there are.
        count: i64,
        /// The sum of their squared distances from their mean.
        m2: f64,
    },
    /// A text with the number under which it was seen.
    NumberedText {
        /// The number.
        number: i64,
        /// The text.
        text: Option<KeptText>,
    },
    /// A value of any type with the number under which it was seen.
    Numbered(Box<(i64, OwnedValue)>),
    /// Several of them.
    NumberedList(Vec<(i64, OwnedValue)>),
    /// Sums over pairs of numbers.
    Pairs(Box<PairSums>),
    /// How often each text was seen.
    Counts(Box<Counts>),
    /// How often each value was seen.
    ValueCounts(Vec<(OwnedValue, i32)>),
    /// A sketch of the distinct values.
    Registers(Box<Registers>),
}

impl State {
    /// The value of a state that is its own stored form; NULL for any other.
    pub(super) fn as_value<'a>(&'a self, arena: &'a Arena) -> Value<'a> {
        match self {
            Self::Value(value) => value.as_value(arena),
            _ => Value::Null,
        }
    }
}

/// Sums over pairs of numbers `(x, y)`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct PairSums {
    /// The sum of x.
    pub x: f64,
    /// The sum of y.
    pub y: f64,
    /// The sum of x².
    pub xx: f64,
    /// The sum of y².
    pub yy: f64,
    /// The sum of x·y.
    pub xy: f64,
    /// How many pairs there are.
    pub count: i64,
}

/// The counters that `LATEST_BY_OFFSET` and `EARLIEST_BY_OFFSET` number their values with.
///
/// There is one for an instance. After a restore it goes on above the highest number restored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sequence {
    latest: i64,
    earliest: i64,
}

impl Sequence {
    /// The next number of `LATEST_BY_OFFSET`.
    #[inline]
    pub(super) fn next_latest(&mut self) -> i64 {
        let number = self.latest;
        self.latest = number.wrapping_add(1);
        number
    }

    /// The next number of `EARLIEST_BY_OFFSET`.
    pub(super) fn next_earliest(&mut self) -> i64 {
        let number = self.earliest;
        self.earliest = number.wrapping_add(1);
        number
    }

    /// Goes on above a number of `LATEST_BY_OFFSET` that was restored.
    pub(super) fn observe_latest(&mut self, number: i64) {
        self.latest = self.latest.max(number.saturating_add(1));
    }

    /// Goes on above a number of `EARLIEST_BY_OFFSET` that was restored.
    pub(super) fn observe_earliest(&mut self, number: i64) {
        self.earliest = self.earliest.max(number.saturating_add(1));
    }
}

impl Default for State {
    /// NULL.
    fn default() -> Self {
        Self::Value(OwnedValue::Null)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_takes_40_bytes() {
        assert_eq!(std::mem::size_of::<State>(), 40);
    }
}
