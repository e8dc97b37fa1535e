//! Why files are not applied.

use crate::cli::refusal::Refusal;
use crate::registry::RegistryError;
use crate::sql::Diagnostic;

/// Why files are not applied.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// Statements that cannot be read, each with its place.
    #[error("{} cannot be read", if .0.len() == 1 { "1 statement".to_owned() } else { format!("{} statements", .0.len()) })]
    Statements(Vec<Diagnostic>),
    /// The server refuses what it is asked or told, or is not there.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The server answers what cannot be understood.
    #[error("the server's answer is not as expected: {0}")]
    Answer(String),
    /// The registry.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// The server took a statement, and could not do what it says.
    #[error("{statement}\nis not done: {message}")]
    Failed {
        /// The statement.
        statement: String,
        /// Why.
        message: String,
    },
}
