//! Typed expressions over the columns of a chunk, and the built-in functions they call.
//!
//! A function is a row of a table under `functions`; it sees the values of its arguments, never a
//! column. A row that fails is an [`EvalError`] on the chunk's list, never a panic.

pub mod aggregates;
mod error;
pub mod functions;

pub use error::{EvalContext, EvalError, RandomSource};
