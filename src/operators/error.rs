//! Why a query cannot go on.

use crate::expr::EvalError;
use crate::types::{CodecError, Meta, Offset};

/// Why a query cannot go on. What came before it was processed and given away.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct QueryError {
    /// What went wrong, in Java's words where ksqlDB has any.
    pub message: String,
    /// The causes, outermost first.
    pub causes: Vec<String>,
    /// The record that the row comes from that it is about, if it is about one.
    pub record: Option<Offset>,
}

impl QueryError {
    /// An error with this message.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), causes: Vec::new(), record: None }
    }

    /// The same, about a row.
    #[must_use]
    pub fn at(self, meta: &Meta<'_>, row: usize) -> Self {
        Self { record: meta.offsets.get(row).copied().map(Offset), ..self }
    }
}

impl From<EvalError> for QueryError {
    fn from(error: EvalError) -> Self {
        let mut chain = error.chain().map(str::to_owned);
        let message = chain.next().unwrap_or_default();
        Self { causes: chain.collect(), ..Self::new(message) }
    }
}

impl From<CodecError> for QueryError {
    fn from(error: CodecError) -> Self {
        Self { causes: error.causes, ..Self::new(error.message) }
    }
}
