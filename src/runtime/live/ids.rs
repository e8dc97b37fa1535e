//! Whom a message is of or for: a query, one time that it runs, a fetcher.

use std::fmt;
use std::sync::Arc;

/// The id of a query, such as `CTAS_HITS_1`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct QueryId(Arc<str>);

impl QueryId {
    /// The id as a text.
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for QueryId {
    fn from(id: &str) -> Self {
        Self(id.into())
    }
}

impl fmt::Display for QueryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One time that a query runs: what is left over of another time is nobody's any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SessionId {
    pub(super) query: QueryId,
    pub(super) number: u64,
}

/// One fetcher of a worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ReadingId(pub(super) u64);
