//! A registry that answers at once: what runs without a network is given its schemas by one.

use super::{ResolvedSchema, Schema, SchemaId, Subject};

/// Why a registry does not give what it is asked for, as its clients print it:
/// `Schema 7 not found; error code: 40403`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Refusal {
    /// The message.
    pub message: String,
}

impl Refusal {
    /// A refusal with this message.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into() }
    }
}

/// A registry that answers at once.
pub trait Registry: std::fmt::Debug + Send + Sync {
    /// Registers a schema under a subject, unless it is there; its id.
    fn register(&self, subject: &Subject, schema: &Schema) -> Result<SchemaId, Refusal>;

    /// The newest schema of a subject, if there is one.
    fn latest(&self, subject: &Subject) -> Option<ResolvedSchema>;

    /// The schema with an id.
    fn schema(&self, id: SchemaId) -> Result<ResolvedSchema, Refusal>;
}
