//! What queries of clients may do: each can be switched off by a property.

/// Something that a query of a client may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadFeature {
    /// Ask for what there is now.
    Pull,
    /// Ask a stream for it.
    PullStream,
    /// Look at all rows of a table.
    TableScan,
    /// Look at the rows of a table between two keys.
    RangeScan,
    /// Say how many rows are asked for at most.
    Limit,
}

impl ReadFeature {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Pull, Self::PullStream, Self::TableScan, Self::RangeScan, Self::Limit];

    /// The property that switches it off.
    pub fn property(self) -> &'static str {
        match self {
            Self::Pull => "ksql.pull.queries.enable",
            Self::PullStream => "ksql.query.pull.stream.enabled",
            Self::TableScan => "ksql.query.pull.table.scan.enabled",
            Self::RangeScan => "ksql.query.pull.range.scan.enabled",
            Self::Limit => "ksql.query.pull.limit.clause.enabled",
        }
    }
}
