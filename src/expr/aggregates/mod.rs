//! Built-in aggregates: one table of rows, one file a family.
//!
//! An [`Aggregate`] turns the rows of a group into a [`State`], and a state into a value. A state
//! also has a stored form, which is what stands in a changelog under `KSQL_AGG_VARIABLE_n`:
//!
//! ```text
//! init ── add ──▶ State ── result ──▶ the column of the table
//!          ▲        │ ▲
//!        undo       │ └── restore ──── the stored form, when a task restores
//!  (old row of a    └──── to_value ───▶ the stored form, for the changelog
//!      table)
//! ```
//!
//! Sessions that grow together `merge` their states. Only an undoable aggregate takes a table.

mod attr;
mod average;
mod collect;
mod correlation;
mod count;
mod counts;
mod distinct;
mod extremes;
mod histogram;
mod kept_text;
mod numbers;
mod offset;
mod registers;
mod registry;
mod row;
mod state;
mod sum;
mod test_functions;
#[cfg(test)]
mod tests;
mod top;

use crate::expr::EvalError;
use crate::types::{Arena, Column, SqlType, Value};

pub use kept_text::KeptText;
pub use registry::{AggregateFunction, Aggregates, Resolved};
pub use row::{AggregateLimits, AggregateRow, AggregateSettings, Bind, StoredMaps};
pub use state::{Sequence, State};

/// A row that an aggregate fails on. It is fatal: ksqlDB stops the query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowError {
    /// Its position in the chunk.
    pub row: usize,
    /// What went wrong.
    pub error: EvalError,
}

/// The states of the groups that one chunk touches: those of a group lie together.
pub type Groups<'g, 's> = &'g mut [&'s mut [State]];

/// An aggregate, for arguments of given types.
pub trait Aggregate: Send + Sync + std::fmt::Debug {
    /// The type of the stored form: `STRUCT<SUM DOUBLE, COUNT BIGINT>`.
    fn state_type(&self) -> SqlType;

    /// The type of the result.
    fn result_type(&self) -> SqlType;

    /// The state of a group without rows.
    fn init(&self, sequence: &mut Sequence) -> State;

    /// Adds a row.
    fn add(
        &self,
        state: &mut State,
        args: &[Value<'_>],
        sequence: &mut Sequence,
    ) -> Result<(), EvalError>;

    /// Takes back a row that was added. Only undoable aggregates are asked to.
    fn undo(&self, state: &mut State, args: &[Value<'_>]) -> Result<(), EvalError> {
        let _ = (state, args);
        Err(EvalError::new("the aggregate cannot be undone"))
    }

    /// Joins the states of two sessions.
    fn merge(&self, older: State, newer: State) -> Result<State, EvalError>;

    /// The value of the aggregate.
    fn result<'a>(&self, state: &'a State, arena: &'a Arena) -> Value<'a>;

    /// The stored form.
    fn to_value<'a>(&self, state: &'a State, arena: &'a Arena) -> Value<'a>;

    /// The state with this stored form.
    fn restore(&self, value: Value<'_>) -> State;

    /// Moves `sequence` past the numbers in a restored state.
    fn observe(&self, state: &State, sequence: &mut Sequence) {
        let _ = (state, sequence);
    }

    /// Whether ksqlDB updates the state in place, so that the row before shows the new result too.
    ///
    /// As `TableUdaf`s over lists and maps do, which give back what they were given.
    fn updates_in_place(&self) -> bool {
        false
    }

    /// Whether [`add`](Self::add) may fail, so that rows have to be added one by one.
    fn is_fallible(&self) -> bool {
        false
    }

    /// Adds the rows of a chunk. The rows before one that fails have been added.
    fn add_rows(
        &self,
        groups: Groups<'_, '_>,
        rows: &Rows<'_, '_>,
        sequence: &mut Sequence,
    ) -> Result<(), RowError> {
        let mut values = vec![Value::Null; rows.args.len()];
        for (row, group) in rows.members() {
            for (value, column) in values.iter_mut().zip(rows.args) {
                *value = column.value(row);
            }
            let state = &mut groups[group][rows.slot];
            self.add(state, &values, sequence).map_err(|error| RowError { row, error })?;
        }
        Ok(())
    }
}

/// The rows of a chunk, as one aggregate sees them.
#[derive(Clone, Copy, Debug)]
pub struct Rows<'c, 'a> {
    /// Which of a group's states is that of this aggregate.
    pub slot: usize,
    /// The rows that belong to a group, in order.
    pub members: &'c [Member],
    /// The arguments.
    pub args: &'c [&'c Column<'a>],
}

/// A row of a chunk, and its group among those that the chunk touches.
#[derive(Clone, Copy, Debug)]
pub struct Member {
    /// The row.
    pub row: u32,
    /// The group.
    pub group: u32,
}

impl Rows<'_, '_> {
    /// The rows that belong to a group, with their groups.
    #[inline]
    fn members(&self) -> impl Iterator<Item = (usize, usize)> + '_ {
        self.members.iter().map(|member| (member.row as usize, member.group as usize))
    }
}
