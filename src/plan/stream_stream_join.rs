//! The node that joins two streams.

use super::{JoinKind, SourceWindow, StoreSpec};

/// Two streams joined within a span of time.
///
/// Port 0 is Kafka Streams' "this" side, port 1 its "other" side. Either gives rows whose key has
/// one column, of the same type. The joined value has the columns of the left source, then those of
/// the right one, whichever of them is which side. Each side's rows are kept for
/// [`StreamStreamJoin::retention_ms`].
#[derive(Clone, Debug)]
pub struct StreamStreamJoin {
    /// Which rows are given alone; a RIGHT join is a LEFT one whose sides are exchanged.
    pub kind: JoinKind,
    /// How much older than a row of this side one of the other side may be.
    pub before_ms: i64,
    /// How much younger.
    pub after_ms: i64,
    /// How long after its span a row may still find another, with `GRACE PERIOD`; a row that finds
    /// none is given after that. Without, it is given at once.
    pub grace_ms: Option<i64>,
    /// Whether port 0 is the right source: a RIGHT join.
    pub is_exchanged: bool,
    /// Whether the value ends in a column for a key that neither source has. It is never filled,
    /// as ksqlDB's `KsqlValueJoiner` has it.
    pub appends_key: bool,
    /// The windows of the keys, where both sources have some.
    pub window: Option<SourceWindow>,
    /// The rows of this side.
    pub this_store: StoreSpec,
    /// The rows of the other side.
    pub other_store: StoreSpec,
    /// The rows that wait for another: with grace, and not for an inner join.
    pub unmatched: Option<StoreSpec>,
}

/// How long Kafka Streams keeps the rows of a join without a grace period, all in all.
const DEFAULT_RETENTION_MS: i64 = 24 * 60 * 60 * 1000;

impl StreamStreamJoin {
    /// The stores, in the order of their changelogs.
    pub fn stores(&self) -> impl Iterator<Item = &StoreSpec> {
        [&self.this_store, &self.other_store].into_iter().chain(&self.unmatched)
    }

    /// How long the rows of either side can be found.
    pub fn retention_ms(&self) -> i64 {
        Self::retention_of(self.before_ms, self.after_ms, self.grace_ms)
    }

    /// The same, of a join of this span and grace.
    ///
    /// As Kafka Streams' `JoinWindows`: without a grace period it is a day less two times `before`.
    pub fn retention_of(before_ms: i64, after_ms: i64, grace_ms: Option<i64>) -> i64 {
        let default_ms = || {
            let span_ms = before_ms.saturating_mul(2);
            DEFAULT_RETENTION_MS.saturating_sub(span_ms).max(0)
        };
        let grace_ms = grace_ms.unwrap_or_else(default_ms);
        before_ms.saturating_add(after_ms).saturating_add(grace_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_join_keeps_its_rows_for_its_span_and_grace() {
        let check = |before_ms, after_ms, grace_ms, expected| {
            assert_eq!(StreamStreamJoin::retention_of(before_ms, after_ms, grace_ms), expected);
        };
        check(1_000, 2_000, Some(500), 3_500);
        check(1_000, 1_000, None, DEFAULT_RETENTION_MS);
        check(1_000, 3_000, None, DEFAULT_RETENTION_MS + 2_000);
        check(0, 3_000, None, DEFAULT_RETENTION_MS + 3_000);
        check(DEFAULT_RETENTION_MS, 0, None, DEFAULT_RETENTION_MS);
        check(i64::MAX, i64::MAX, None, i64::MAX);
    }
}
