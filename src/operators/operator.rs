//! What an operator is, what it may use, and where everything goes that it gives away.

use super::changes::{PackedChange, StoreChange, StoredRecord};
use super::error::QueryError;
use super::held::{Held, Look};
use super::tables::Tables;
use crate::expr::EvalContext;
use crate::expr::aggregates::Sequence;
use crate::plan::{NodeId, RepartitionId};
use crate::types::{Column, Meta, Offset, Rows, Timestamp, Window};

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

impl<'a> From<Result<Rows<'a>, QueryError>> for Outcome<'a> {
    /// A batch that failed gives nothing.
    fn from(result: Result<Rows<'a>, QueryError>) -> Self {
        match result {
            Ok(rows) => rows.into(),
            Err(error) => Self { rows: Rows::default(), failure: Some(error) },
        }
    }
}

/// What an operator gives for a part of a batch.
pub struct Piece<'a> {
    /// The rows.
    pub outcome: Outcome<'a>,
    /// The rows of the batch that are still to be processed.
    pub rest: Option<Rows<'a>>,
}

/// What an operator gives for a part of the batches of several ports.
pub struct Pieces<'a> {
    /// The rows.
    pub outcome: Outcome<'a>,
    /// The rows of the batches that are still to be processed.
    pub rest: Vec<(Port, Rows<'a>)>,
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
    /// The record that the row comes from.
    pub offset: Offset,
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

/// Where rows, changes and log entries go.
pub trait Collector<'a> {
    /// Takes rows for the sink.
    fn sink(&mut self, rows: &Rows<'_>) -> Result<(), QueryError>;

    /// Takes rows that go to the tasks of another sub-topology.
    fn repartition(&mut self, topic: RepartitionId, rows: &Rows<'a>) -> Result<(), QueryError>;

    /// Notes which step takes rows now: what is logged and dropped from here on is its doing.
    fn enters(&mut self, _step: NodeId) {}

    /// Counts rows that the step has taken, and those that it has given for them.
    fn passed(&mut self, _taken: usize, _given: usize) {}

    /// Takes a change of a store.
    fn changed(&mut self, change: StoreChange<'_>);

    /// Takes a change of a store whose changes all come this way, but for those that delete a row.
    fn changed_packed(&mut self, change: PackedChange<'_>);

    /// Takes a problem with one row.
    fn log(&mut self, entry: LogEntry, row: LoggedRow<'_, '_>);

    /// Counts rows that were dropped without an entry for the same reason, the first of them that of
    /// the record at `first`.
    fn dropped(&mut self, reason: Dropped, first: Offset, count: u64);

    /// Notes that stream time has moved to that of the row of the record at `by`: once for a batch.
    fn time_moved(&mut self, to: Timestamp, by: Offset);
}

/// Why a row was dropped without an entry in the processing log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dropped {
    /// Its window is closed.
    Late(Late),
    /// It has no key.
    NullKey,
    /// It has no value.
    NullValue,
    /// It was taken before, as what is kept of it says.
    Repeated,
}

/// How a row came too late.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Late {
    /// Its time.
    pub at: Timestamp,
    /// Its window, or the session that it would have been.
    pub window: Window,
    /// The stream time that the window was closed at.
    pub stream_time: Timestamp,
}

/// What an operator may use besides its rows.
pub struct Context<'c, 'a> {
    /// The arena, the clock and random bits.
    pub eval: EvalContext<'a>,
    /// Where everything goes that leaves the topology.
    pub out: &'c mut dyn Collector<'a>,
    /// The counter of `LATEST_BY_OFFSET` and `EARLIEST_BY_OFFSET`.
    pub sequence: &'c mut Sequence,
    /// The rows of the tables that several operators use.
    pub tables: &'c mut Tables,
}

impl Context<'_, '_> {
    /// Counts those rows of a batch that are dropped for a reason, if there are any.
    pub(super) fn drop_rows(
        &mut self,
        reason: Dropped,
        meta: &Meta<'_>,
        mut rows: impl Iterator<Item = usize>,
    ) {
        if let Some(first) = rows.next() {
            self.out.dropped(reason, meta.offset(first), 1 + rows.count() as u64);
        }
    }
}

/// Which of the inputs of an operator rows come from: 0 the first, or the left one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Port(pub usize);

/// Rows of a batch, of which only some may be meant.
#[derive(Clone, Copy)]
pub struct SomeRows<'r, 'a> {
    /// The rows.
    pub rows: &'r Rows<'a>,
    /// Which of them are meant, in order; `None` if that are all.
    pub selected: Option<&'r [u32]>,
}

impl<'a> SomeRows<'_, 'a> {
    /// How many are meant.
    pub(super) fn len(&self) -> usize {
        self.selected.map_or(self.rows.len, <[u32]>::len)
    }

    /// A batch of those that are meant.
    pub(super) fn taken(&self) -> Rows<'a> {
        match self.selected {
            Some(selected) => self.rows.take(selected),
            None => self.rows.clone(),
        }
    }
}

/// What an operator minds of that which came before a row on other inputs of the task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Minds {
    /// Nothing: only what comes on its own input.
    Nothing,
    /// What the tables that it looks up held when the row came.
    Tables,
    /// In which order the rows come.
    Order,
}

/// One node over batches.
pub trait Operator: Send {
    /// Processes a batch of an operator's only input.
    fn process<'a>(&mut self, rows: &Rows<'a>, ctx: &mut Context<'_, 'a>) -> Outcome<'a>;

    /// Processes some rows of a batch.
    fn process_some<'a>(
        &mut self,
        some: SomeRows<'_, 'a>,
        ctx: &mut Context<'_, 'a>,
    ) -> Outcome<'a> {
        match some.selected {
            Some(_) => self.process(&some.taken(), ctx),
            None => self.process(some.rows, ctx),
        }
    }

    /// Processes a batch that nobody else needs, so that its columns can go on as they are.
    fn process_owned<'a>(&mut self, rows: Rows<'a>, ctx: &mut Context<'_, 'a>) -> Outcome<'a> {
        self.process(&rows, ctx)
    }

    /// Processes a batch of one of several inputs.
    fn process_port<'a>(
        &mut self,
        _port: Port,
        rows: Rows<'a>,
        ctx: &mut Context<'_, 'a>,
    ) -> Outcome<'a> {
        self.process_owned(rows, ctx)
    }

    /// Whether batches go to [`Self::process_piece`] and nowhere else: an operator that makes many
    /// rows of one gives them in pieces.
    fn gives_pieces(&self) -> bool {
        false
    }

    /// Processes as much of a batch as makes a piece. The rest is to be given again, before any
    /// other batch, once the piece has gone on.
    fn process_piece<'a>(
        &mut self,
        port: Port,
        rows: Rows<'a>,
        ctx: &mut Context<'_, 'a>,
    ) -> Piece<'a> {
        Piece { outcome: self.process_port(port, rows, ctx), rest: None }
    }

    /// Processes as much of the batches of several ports as makes a piece, each of another port, as if their rows came in
    /// the order of their places, which are their offsets. The rest is to be given again, as that of
    /// [`Self::process_piece`]. An operator that takes rows in turns only gives the batches back.
    fn process_ports<'a>(
        &mut self,
        batches: Vec<(Port, Rows<'a>)>,
        _ctx: &mut Context<'_, 'a>,
    ) -> Result<Pieces<'a>, Vec<(Port, Rows<'a>)>> {
        Err(batches)
    }

    /// What it minds of that which came before a row on other inputs of the task.
    fn minds(&self) -> Minds {
        Minds::Order
    }

    /// Gives away what is held back in caches, or some of it, in the order of its last update.
    fn flush<'a>(&mut self, _ctx: &mut Context<'_, 'a>) -> Outcome<'a> {
        Rows::default().into()
    }

    /// Whether a flush has left something to give away.
    fn is_waiting(&self) -> bool {
        false
    }

    /// Forgets what waits in caches: the rows that it is about were forgotten.
    fn forget(&mut self) {}

    /// The rows that it keeps now, of those that are looked for, as it gives rows away. `None` if it keeps none in that
    /// store.
    fn held<'a>(&mut self, _look: &Look<'_, 'a>) -> Option<Result<Held<'a>, QueryError>> {
        None
    }

    /// One of the stores that this operator keeps for itself, in the order of the plan.
    fn store(&mut self, _nth: usize) -> Option<&mut dyn Store> {
        None
    }
}

/// How far an operator over windows has come, which its changelog does not say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Clocks {
    /// The highest time of its rows.
    pub stream_time: Option<i64>,
    /// With `EMIT FINAL`, the time up to which windows were closed when some were given away last.
    pub emitted_to: Option<i64>,
    /// With `EMIT FINAL`, or in a join whose rows wait: nothing that is still to be given is older. It does not
    /// travel with offsets, as it follows from the state.
    pub not_given_from: Option<i64>,
    /// The wall clock from which on it looks again for what is over. It does not travel with offsets: by the
    /// time that another process goes on from them, it has come.
    pub look_from_ms: Option<i64>,
}

impl Clocks {
    /// The later of each.
    #[must_use]
    pub fn max(self, other: Self) -> Self {
        Self {
            stream_time: self.stream_time.max(other.stream_time),
            emitted_to: self.emitted_to.max(other.emitted_to),
            not_given_from: self.not_given_from.max(other.not_given_from),
            look_from_ms: self.look_from_ms.max(other.look_from_ms),
        }
    }
}

/// The state of an operator, as its changelog sees it.
pub trait Store {
    /// Takes back one record of the changelog.
    fn restore(
        &mut self,
        record: &StoredRecord<'_>,
        sequence: &mut Sequence,
    ) -> Result<(), QueryError>;

    /// Where its clocks stand, if it has any.
    fn clocks(&self) -> Clocks {
        Clocks::default()
    }

    /// Takes back where its clocks stood.
    fn restore_clocks(&mut self, _clocks: Clocks) {}

    /// How many rows there are.
    fn rows(&self) -> usize;

    /// Forgets everything: the query starts again from its changelog.
    fn clear(&mut self);
}
