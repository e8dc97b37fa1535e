//! Plan to topology: one synchronous operator a file, over batches of rows.
//!
//! An operator is a function of its state and its input. It never waits, starts nothing and reads
//! no clock: time, random bits and everything it gives away go through its [`Context`]. The result
//! is as if rows came one by one; a batch of one is a valid batch.
//!
//! ```text
//! source ─ filter ─ select ─ group by ─ repartition ─ aggregate ─ filter ─ select ─ sink
//! ```

mod aggregate;
mod cache;
mod evaluate;
mod filter;
mod flat_map;
mod group_by;
mod groups;
mod keyed;
mod partition_by;
mod repartition;
mod result;
mod select;
mod session;
mod source;
mod table_aggregate;
mod topology;
mod waiting;
mod windowed;

pub use topology::{Codecs, Entry, StepCodecs, StoreInfo, Topology, TopologyOptions};
pub use windowed::EMIT_INTERVAL_MS;

use crate::expr::aggregates::Sequence;
use crate::expr::{EvalContext, EvalError};
use crate::types::{CodecError, Column, Rows};

/// Why a query cannot go on. What came before it was processed and given away.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct QueryError {
    /// What went wrong, in Java's words where ksqlDB has any.
    pub message: String,
    /// The causes, outermost first.
    pub causes: Vec<String>,
}

impl QueryError {
    /// An error with this message.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), causes: Vec::new() }
    }
}

impl From<EvalError> for QueryError {
    fn from(error: EvalError) -> Self {
        let mut chain = error.chain().map(str::to_owned);
        Self { message: chain.next().unwrap_or_default(), causes: chain.collect() }
    }
}

impl From<CodecError> for QueryError {
    fn from(error: CodecError) -> Self {
        Self { message: error.message, causes: error.causes }
    }
}

/// What an operator gives for a batch: rows, and why it could not give more.
pub struct Outcome<'a> {
    /// The rows, as far as they were processed.
    pub rows: Rows<'a>,
    /// Why the rest was not.
    pub failure: Option<QueryError>,
}

impl<'a> From<Rows<'a>> for Outcome<'a> {
    fn from(rows: Rows<'a>) -> Self {
        Self { rows, failure: None }
    }
}

/// A problem with one row, for the processing log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogEntry {
    /// The step that found it, such as `WhereFilter`.
    pub step: String,
    /// What happened.
    pub message: String,
    /// Why.
    pub causes: Vec<String>,
}

/// Which row a [`LogEntry`] is about.
pub enum LoggedRow<'r, 'a> {
    /// No row: its value is null.
    None,
    /// The row is that of the source; it is read again in full from the record at this offset.
    Source(i64),
    /// These columns, at this row.
    Columns(&'r [Column<'a>], usize),
    /// The row shows its key and value as `key:…, value:…`.
    Text(&'r str),
}

/// A change of a store, for its changelog topic.
pub struct StoreChange<'r> {
    /// The store, by its position in the topology.
    pub store: usize,
    /// The partition.
    pub partition: i32,
    /// The key, with its window.
    pub key: &'r [u8],
    /// The row that now holds; `None` deletes it.
    pub value: Option<&'r [u8]>,
    /// The record's timestamp.
    pub timestamp_ms: i64,
}

/// Where rows, changes and log entries go.
pub trait Collector {
    /// Takes rows for the sink.
    fn sink(&mut self, rows: &Rows<'_>) -> Result<(), QueryError>;

    /// Takes rows for a repartition topic, by its position in the topology.
    fn repartition(&mut self, topic: usize, rows: &Rows<'_>) -> Result<(), QueryError>;

    /// Takes a change of a store.
    fn changed(&mut self, change: StoreChange<'_>);

    /// Takes a problem with one row.
    fn log(&mut self, entry: LogEntry, row: LoggedRow<'_, '_>);

    /// Counts records that were dropped without an entry: late ones, and those without a key.
    fn dropped(&mut self, reason: Dropped, count: u64);
}

/// Why a record was dropped without an entry in the processing log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Dropped {
    /// Its window is closed.
    Late,
    /// It has no key.
    NullKey,
}

/// What an operator may use besides its rows.
pub struct Context<'c, 'a> {
    /// The arena, the clock and random bits.
    pub eval: EvalContext<'a>,
    /// Where everything goes that leaves the topology.
    pub out: &'c mut dyn Collector,
    /// The counter of `LATEST_BY_OFFSET` and `EARLIEST_BY_OFFSET`.
    pub sequence: &'c mut Sequence,
}

/// One step over batches.
pub trait Operator: Send {
    /// Processes a batch.
    fn process<'a>(&mut self, rows: &Rows<'a>, ctx: &mut Context<'_, 'a>) -> Outcome<'a>;

    /// Processes a batch that nobody else needs, so that its columns can go on as they are.
    fn process_owned<'a>(&mut self, rows: Rows<'a>, ctx: &mut Context<'_, 'a>) -> Outcome<'a> {
        self.process(&rows, ctx)
    }

    /// Gives away what is held back in caches, or some of it, in the order of its last update.
    fn flush<'a>(&mut self, _ctx: &mut Context<'_, 'a>) -> Outcome<'a> {
        Rows::default().into()
    }

    /// Whether a flush has left something to give away.
    fn is_waiting(&self) -> bool {
        false
    }

    /// The store that this operator keeps, if any.
    fn store(&mut self) -> Option<&mut dyn Store> {
        None
    }
}

/// A record of a changelog, on its way back into its store.
#[derive(Clone, Copy, Debug)]
pub struct StoredRecord<'r> {
    /// The partition.
    pub partition: i32,
    /// The key, with its window.
    pub key: &'r [u8],
    /// The row; `None` deletes it.
    pub value: Option<&'r [u8]>,
    /// The record's timestamp.
    pub timestamp_ms: i64,
}

/// The state of an operator, as its changelog sees it.
pub trait Store {
    /// Takes back one record of the changelog.
    fn restore(
        &mut self,
        record: &StoredRecord<'_>,
        sequence: &mut Sequence,
    ) -> Result<(), QueryError>;

    /// How many rows there are.
    fn rows(&self) -> usize;

    /// Forgets everything: the query starts again from its changelog.
    fn clear(&mut self);
}
