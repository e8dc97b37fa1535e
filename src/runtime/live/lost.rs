//! Records that were deleted before a query has read them, as retention or somebody has it.
//!
//! The query goes on as `auto.offset.reset` says, as ksqlDB's do, and says how many records it has
//! missed; `ksql.millstream.on.lost.records=stop` stops it instead.

use std::fmt;

use super::error::LiveError;
use super::ids::QueryId;
use crate::kafka::TopicPartition;
use crate::kafka::admin::OffsetSpec;

/// A position that is not in its partition's log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct LostRange {
    pub(super) at: TopicPartition,
    pub(super) position: i64,
    /// The first offset of the log.
    pub(super) log_start: i64,
    /// The offset behind its last record.
    pub(super) log_end: i64,
}

/// What a reader has lost, and where it goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Lost {
    pub(super) range: LostRange,
    pub(super) reset: OffsetSpec,
}

impl Lost {
    /// The position where its reader goes on.
    pub(super) fn goes_on_at(&self) -> i64 {
        if self.reset == OffsetSpec::Latest { self.range.log_end } else { self.range.log_start }
    }

    /// Says so, and that the query goes on; or stops it.
    pub(super) fn take(&self, query: &QueryId, stops: bool) -> Result<(), LiveError> {
        if stops {
            let cause = format!(
                "{self}; with ksql.millstream.on.lost.records=continue it goes on without them"
            );
            return Err(LiveError::State { query: query.to_string(), cause });
        }
        let reset = if self.reset == OffsetSpec::Latest { "latest" } else { "earliest" };
        let position = self.goes_on_at();
        tracing::warn!("query {query}: {self}; it goes on at {position} ({reset})");
        Ok(())
    }
}

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let LostRange { at, position, log_start, log_end } = &self.range;
        if position > log_end {
            return write!(f, "it has read {at} up to {position}, but that ends at {log_end} now");
        }
        let missed = self.goes_on_at() - position;
        write!(
            f,
            "{at} begins at {log_start} now, the query was at {position}: {missed} records are missed"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(position: i64, reset: OffsetSpec, expected: (i64, &str)) {
        let at = TopicPartition::new("t", 3);
        let lost = Lost { range: LostRange { at, position, log_start: 100, log_end: 150 }, reset };
        assert_eq!((lost.goes_on_at(), &*lost.to_string()), expected);
    }

    #[test]
    fn a_reader_goes_on_as_it_is_told_and_says_what_it_missed() {
        let text = "t-3 begins at 100 now, the query was at 40: 60 records are missed";
        check(40, OffsetSpec::Earliest, (100, text));
        let text = "t-3 begins at 100 now, the query was at 40: 110 records are missed";
        check(40, OffsetSpec::Latest, (150, text));
        let text = "it has read t-3 up to 170, but that ends at 150 now";
        check(170, OffsetSpec::Earliest, (100, text));
    }
}
