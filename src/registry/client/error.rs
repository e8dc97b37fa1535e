//! Why a registry did not give what it was asked for.

use crate::kafka::config::ConfigError;

/// Why a registry did not give what it was asked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RegistryError {
    /// A property has a value that cannot be.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// No answer came, from any of its URLs.
    #[error("no answer from the schema registry at {url}: {cause}")]
    Unreachable {
        /// The URL that was asked last.
        url: String,
        /// What the system says.
        cause: String,
    },
    /// It answered, and refused.
    #[error("the schema registry at {url} answers {status}{}: {message}", code_text(*code))]
    Refused {
        /// The URL that was asked.
        url: String,
        /// HTTP's status.
        status: u16,
        /// The registry's own error code.
        code: Option<i32>,
        /// What it says.
        message: String,
    },
    /// It answered with something else than what it was asked for.
    #[error("the schema registry at {url} answers with what cannot be read: {cause}")]
    Malformed {
        /// The URL that was asked.
        url: String,
        /// What is wrong with it.
        cause: String,
    },
}

impl RegistryError {
    /// Whether there is no such subject, version, schema or id.
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::Refused { status: 404, code: Some(40_401..=40_409), .. })
    }

    /// Whether the schema does not get on with those before it.
    pub fn is_incompatible(&self) -> bool {
        matches!(self, Self::Refused { status: 409, .. })
    }

    /// Whether we may not do that, or are not known.
    pub fn is_forbidden(&self) -> bool {
        matches!(self, Self::Refused { status: 401 | 403, .. })
    }

    /// Whether asking again may help.
    pub fn is_retriable(&self) -> bool {
        match self {
            Self::Unreachable { .. } => true,
            Self::Refused { status, .. } => matches!(status, 408 | 429 | 500 | 502 | 503 | 504),
            Self::Config(_) | Self::Malformed { .. } => false,
        }
    }
}

fn code_text(code: Option<i32>) -> String {
    code.map_or_else(String::new, |code| format!(", error code {code}"))
}
