//! Records that a query skips: how many for each cause, and for each cause some that may be looked at.

use std::fmt;
use std::ops::AddAssign;

use super::skipped_row::SkippedRow;
use crate::types::{Offset, Partition};

/// How many records of each cause are described of those that are taken together: however many there are, that costs little.
const EXAMPLES_MAX: usize = 4;

/// How many characters of a reason are told.
const REASON_CHARS: usize = 400;

/// Why a record is skipped, or does not count in full.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SkipCause {
    /// Its key cannot be read.
    UndecodableKey,
    /// Its value cannot be read.
    UndecodableValue,
    /// Decoding or processing it ends with a panic, which is a fault of ours.
    Panicked,
    /// It has no time.
    NoTimestamp,
    /// It has no key where one is needed.
    NullKey,
    /// It has no value where one is needed.
    NullValue,
    /// An expression failed on it: its row is skipped, or a column of it is NULL.
    FailedExpression,
    /// Its window is closed.
    Late,
    /// It was taken before the last start, and comes again.
    Repeated,
    /// The broker does not take the record that came of it.
    Refused,
}

/// How many causes there are.
const CAUSES: usize = SkipCause::ALL.len();

impl SkipCause {
    /// All causes, in the order of a record's way.
    pub const ALL: [Self; 10] = [
        Self::UndecodableKey,
        Self::UndecodableValue,
        Self::Panicked,
        Self::NoTimestamp,
        Self::NullKey,
        Self::NullValue,
        Self::FailedExpression,
        Self::Late,
        Self::Repeated,
        Self::Refused,
    ];

    /// The cause of this name in metrics.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|cause| cause.name() == name)
    }

    /// The name in metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::UndecodableKey => "undecodable_key",
            Self::UndecodableValue => "undecodable_value",
            Self::Panicked => "panicked",
            Self::NoTimestamp => "no_timestamp",
            Self::NullKey => "null_key",
            Self::NullValue => "null_value",
            Self::FailedExpression => "failed_expression",
            Self::Late => "late",
            Self::Repeated => "repeated",
            Self::Refused => "refused",
        }
    }

    /// What the records are like; nothing where they are not all skipped.
    fn phrase(self) -> Option<&'static str> {
        Some(match self {
            Self::UndecodableKey => "whose key cannot be read",
            Self::UndecodableValue => "whose value cannot be read",
            Self::Panicked => "whose processing ends with a panic",
            Self::NoTimestamp => "without a time",
            Self::NullKey => "without a key",
            Self::NullValue => "without a value",
            Self::FailedExpression => return None,
            Self::Late => "that came too late for a window",
            Self::Repeated => "that were taken before the last start",
            Self::Refused => "that the broker refused",
        })
    }

    /// What happened so often.
    pub fn told(self, count: u64) -> String {
        match (self.phrase(), count) {
            (Some(phrase), 1) => format!("skipped 1 record {phrase}"),
            (Some(phrase), _) => format!("skipped {count} records {phrase}"),
            (None, 1) => "an expression failed once".to_owned(),
            (None, _) => format!("an expression failed {count} times"),
        }
    }
}

/// Something for each cause.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ByCause<T>([T; CAUSES]);

/// How many records were skipped, by cause.
pub type SkipCounts = ByCause<u64>;

impl<T> ByCause<T> {
    /// That of a cause.
    pub fn get(&self, cause: SkipCause) -> &T {
        &self.0[cause as usize]
    }

    /// The same, to be changed.
    pub fn get_mut(&mut self, cause: SkipCause) -> &mut T {
        &mut self.0[cause as usize]
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = (SkipCause, &T)> {
        SkipCause::ALL.into_iter().zip(&self.0)
    }

    /// What `each` makes of them.
    pub fn map<U>(&self, each: impl FnMut(&T) -> U) -> ByCause<U> {
        ByCause(self.0.each_ref().map(each))
    }
}

impl<T> IntoIterator for ByCause<T> {
    type Item = (SkipCause, T);
    type IntoIter =
        std::iter::Zip<std::array::IntoIter<SkipCause, CAUSES>, std::array::IntoIter<T, CAUSES>>;

    fn into_iter(self) -> Self::IntoIter {
        SkipCause::ALL.into_iter().zip(self.0)
    }
}

impl SkipCounts {
    /// How many there are for any cause.
    pub fn total(&self) -> u64 {
        self.0.iter().sum()
    }
}

impl AddAssign for SkipCounts {
    fn add_assign(&mut self, more: Self) {
        for (all, more) in self.0.iter_mut().zip(more.0) {
            *all += more;
        }
    }
}

impl fmt::Display for SkipCounts {
    /// `26 skipped (20 whose value cannot be read, 6 that came too late for a window), an expression failed
    /// once`: as much of it as there is.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let skipped = self.iter().filter_map(|(cause, count)| Some((cause.phrase()?, *count)));
        let skipped: Vec<(&str, u64)> = skipped.filter(|(_, count)| *count > 0).collect();
        let mut parts = Vec::new();
        if !skipped.is_empty() {
            let total: u64 = skipped.iter().map(|(_, count)| count).sum();
            let by_cause = skipped.iter().map(|(phrase, count)| format!("{count} {phrase}"));
            let by_cause: Vec<String> = by_cause.collect();
            parts.push(format!("{total} skipped ({})", by_cause.join(", ")));
        }
        let failed = *self.get(SkipCause::FailedExpression);
        if failed > 0 {
            parts.push(SkipCause::FailedExpression.told(failed));
        }
        f.write_str(&parts.join(", "))
    }
}

/// Where a record lies.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RecordPlace {
    /// The topic.
    pub topic: String,
    /// The partition.
    pub partition: Partition,
    /// The offset.
    pub offset: Offset,
}

impl fmt::Display for RecordPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { topic, partition, offset } = self;
        write!(f, "topic {topic}, partition {}, offset {}", partition.0, offset.0)
    }
}

/// A record that was skipped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SkipExample {
    /// Where it lies, where that is known.
    pub record: Option<RecordPlace>,
    /// Why it was skipped: in our words, then in Java's.
    pub reason: String,
    /// What it holds.
    pub row: SkippedRow,
}

impl fmt::Display for SkipExample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.record {
            Some(record) => write!(f, "{record}: {}", self.reason),
            None => f.write_str(&self.reason),
        }
    }
}

impl SkipExample {
    /// An example whose reason is `ours`, with `java` behind it, cut where it is too long.
    pub(super) fn new(record: Option<RecordPlace>, ours: &str, java: &[&str]) -> Self {
        let mut said: Vec<&str> = Vec::new();
        for text in java.iter().filter(|text| !text.is_empty()) {
            if !said.iter().any(|other| other.contains(text)) {
                said.push(text);
            }
        }
        let (ours, java) = (shortened(ours), shortened(&said.join(": ")));
        let reason = if java.is_empty() { ours } else { format!("{ours} ({java})") };
        Self { record, reason, row: SkippedRow::default() }
    }

    /// The same with what the record holds.
    #[must_use]
    pub(super) fn with_row(self, row: SkippedRow) -> Self {
        Self { row, ..self }
    }
}

/// The first characters of a text on one line.
fn shortened(text: &str) -> String {
    let chars = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    let mut short: String = chars.take(REASON_CHARS).collect();
    if text.chars().nth(REASON_CHARS).is_some() {
        short.push('…');
    }
    short
}

/// What was skipped since it was taken last.
#[derive(Debug, Default)]
pub struct Skipped {
    /// How many records.
    pub counts: SkipCounts,
    /// The first few of each cause.
    pub examples: ByCause<Vec<SkipExample>>,
}

impl Skipped {
    /// Counts records; the first one is described if there are not enough of its cause yet.
    pub(super) fn add(
        &mut self,
        cause: SkipCause,
        count: u64,
        example: impl FnOnce() -> SkipExample,
    ) {
        *self.counts.get_mut(cause) += count;
        self.describe(cause, example);
    }

    /// Describes one of the records that are counted, if there are not enough of its cause yet.
    pub(super) fn describe(&mut self, cause: SkipCause, example: impl FnOnce() -> SkipExample) {
        let examples = self.examples.get_mut(cause);
        if examples.len() < EXAMPLES_MAX {
            examples.push(example());
        }
    }

    /// Whether nothing was skipped.
    pub fn is_empty(&self) -> bool {
        self.counts.total() == 0
    }

    /// How much there is, for [`Self::rewind`].
    pub(super) fn mark(&self) -> SkippedMark {
        SkippedMark { counts: self.counts, examples: self.examples.map(Vec::len) }
    }

    /// Forgets what was skipped since `mark`.
    pub(super) fn rewind(&mut self, mark: &SkippedMark) {
        self.counts = mark.counts;
        for (examples, len) in self.examples.0.iter_mut().zip(mark.examples.0) {
            examples.truncate(len);
        }
    }
}

/// How much had been skipped.
#[derive(Clone, Copy, Debug)]
pub(super) struct SkippedMark {
    counts: SkipCounts,
    examples: ByCause<usize>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_skipped_is_told_by_cause() {
        let mut counts = SkipCounts::default();
        assert_eq!(counts.to_string(), "");
        *counts.get_mut(SkipCause::Late) += 6;
        *counts.get_mut(SkipCause::UndecodableValue) += 20;
        let told = "26 skipped (20 whose value cannot be read, 6 that came too late for a window)";
        assert_eq!(counts.to_string(), told);
        *counts.get_mut(SkipCause::FailedExpression) += 1;
        assert_eq!(counts.to_string(), format!("{told}, an expression failed once"));
        for (at, cause) in SkipCause::ALL.into_iter().enumerate() {
            assert_eq!(cause as usize, at);
        }
    }

    #[test]
    fn a_reason_begins_in_our_words_and_is_cut() {
        let place =
            RecordPlace { topic: "t".to_owned(), partition: Partition(1), offset: Offset(5) };
        let long = format!("bad \n{}", "x".repeat(9_999));
        let example = SkipExample::new(Some(place), "it is no JSON", &[&long, "x", ""]);
        let text = example.to_string();
        assert!(
            text.starts_with("topic t, partition 1, offset 5: it is no JSON (bad  xxx"),
            "{text}"
        );
        assert!(text.ends_with("x…)") && text.chars().count() < 500, "{text}");
    }
}
