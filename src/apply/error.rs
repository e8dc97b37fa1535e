//! Why files are not applied.

use super::action::Decision;
use crate::cli::refusal::Refusal;
use crate::registry::RegistryError;
use crate::sql::{Diagnostic, Variables};

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

impl ApplyError {
    /// The fault with its place in the files, where the server told of which of their statements it is.
    pub fn diagnostic(&self, decision: &Decision) -> Option<Diagnostic> {
        let (statement, fault) = match self {
            Self::Refused(refusal @ Refusal::Server { raw, .. }) => {
                let shown = refusal.diagnostic("", &Variables::new());
                // Its places are those in what was sent.
                (
                    raw["statementText"].as_str()?,
                    Diagnostic { labels: Vec::new(), more: Vec::new(), ..shown },
                )
            }
            Self::Failed { statement, message } => {
                (statement.as_str(), Diagnostic::new(message.as_str()))
            }
            _ => return None,
        };
        Some(fault.at(decision.place_of(statement)?, "the server does not do this"))
    }
}
