//! Why a row has no value, and what an evaluation may ask of the world outside.

use std::borrow::Cow;
use std::fmt;

use crate::types::{Arena, Timestamp};

/// Why an expression has no value for a row; the text is that of Java's exception.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EvalError {
    /// What went wrong.
    pub message: Cow<'static, str>,
    /// What brought it about, if that is another exception.
    pub cause: Option<Box<EvalError>>,
}

impl EvalError {
    /// An error with this message and no further cause.
    pub fn new(message: impl Into<Cow<'static, str>>) -> Self {
        Self { message: message.into(), cause: None }
    }

    /// What Java says where its memory runs out.
    pub fn out_of_memory() -> Self {
        Self::new("Java heap space")
    }

    /// An error with this message, brought about by `self`.
    #[must_use]
    pub fn wrap(self, message: impl Into<Cow<'static, str>>) -> Self {
        Self { message: message.into(), cause: Some(Box::new(self)) }
    }

    /// The messages from the outermost to the first cause.
    pub fn chain(&self) -> impl Iterator<Item = &str> {
        std::iter::successors(Some(self), |error| error.cause.as_deref()).map(|e| &*e.message)
    }
}

impl fmt::Display for EvalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for EvalError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.cause.as_deref().map(|cause| cause as _)
    }
}

/// Where RANDOM and UUID get their bits from; given by the runtime, or seeded by a test.
pub trait RandomSource: fmt::Debug {
    /// The next 64 random bits.
    fn next_u64(&self) -> u64;
}

/// What an evaluation may ask for besides its rows.
#[derive(Clone, Copy, Debug)]
pub struct EvalContext<'a> {
    /// Where the values live that are made on the way.
    pub arena: &'a Arena,
    /// The wall clock, as of this chunk.
    pub now: Timestamp,
    /// Random bits.
    pub random: &'a dyn RandomSource,
    /// Whether a function's argument that fails becomes NULL (`ksql.nested.error.set.null`).
    pub nested_error_set_null: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chain_goes_from_the_outermost_to_the_first_cause() {
        let error = EvalError::new("inner").wrap("outer");
        assert_eq!(error.chain().collect::<Vec<_>>(), ["outer", "inner"]);
        assert!(std::mem::size_of::<EvalError>() <= 32);
    }
}
