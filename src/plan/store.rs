//! The stores of a plan.

use crate::formats::FormatSpec;
use crate::types::Schema;

/// What a store holds, which decides its keys and how long its rows are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreKind {
    /// Rows by key.
    Table,
    /// Groups by key.
    Aggregate,
    /// Groups by key and start of a window.
    WindowAggregate,
    /// Groups by key and session.
    SessionAggregate,
    /// Rows of one side of a stream–stream join by key and time, duplicates included.
    JoinWindow,
    /// Rows of both sides of a stream–stream join that still wait for the other side, by time.
    Unmatched,
    /// The last rows of each key, by key and place in a ring.
    LastRows,
    /// Rows that wait to be put in order, by time, number and key.
    HeldRows,
    /// What the rows of the left table of a foreign-key join ask for, by foreign key and primary key.
    Subscriptions,
}

/// A store, and what its changelog holds.
#[derive(Clone, Debug)]
pub struct StoreSpec {
    /// Its name, such as `Aggregate-Aggregate-Materialize`.
    pub name: String,
    /// What it holds.
    pub kind: StoreKind,
    /// The columns of its keys and rows.
    pub stored: Schema,
    /// How keys are written.
    pub key_format: FormatSpec,
    /// How rows are written.
    pub value_format: FormatSpec,
    /// How long rows are kept, where they are forgotten by time.
    pub retention_ms: Option<i64>,
}

impl StoreSpec {
    /// The end of the name of its changelog topic.
    pub fn changelog(&self) -> String {
        format!("{}-changelog", self.name)
    }
}
