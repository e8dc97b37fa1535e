//! Typed expressions over the columns of a chunk, and the built-in functions they call.
//!
//! An [`Expr`] is built through constructors that know ksqlDB's types, and evaluated node by node
//! over the rows of a chunk. A function is a row of a table under [`functions`]; it sees the values
//! of its arguments, never a column. A row that fails is an [`EvalError`] on the chunk's list,
//! never a panic.

pub mod aggregates;
mod cast;
mod collections;
mod error;
mod evaluate;
pub mod functions;
mod operator;
mod tree;
mod type_error;
mod typing;

pub(crate) use cast::to_java_string as shown_value;
pub use cast::{fit_strictly, parse_boolean_exact, parse_partial_timestamp};
pub use error::{EvalContext, EvalError, RandomSource};
pub use evaluate::{Evaluated, Frame, RowError, Selection};
pub use operator::{ArithmeticOp, Comparison, Sign};
pub use tree::{Argument, Expr, Lambda};
pub use type_error::{TypeError, TypeErrorKind};
pub use typing::with_article;

/// What a thread needs as its stack that reads, plans or evaluates expressions: the longest that statements may hold
/// ([`OPERATORS_MAX`](crate::sql::OPERATORS_MAX) in a row, each within the one before) are walked by recursion. Memory is
/// taken of it only as far as it is used.
pub const STACK_BYTES: usize = 32 << 20;
