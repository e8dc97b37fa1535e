//! Why a statement is not run.

use crate::engine::{PropertyError, ReadError};
use crate::kafka::KafkaError;
use crate::plan::PlanError;
use crate::registry::RegistryError;
use crate::runtime::live::LiveError;
use crate::sql::{Diagnostic, ParseError, Span};

/// Why a statement is not run, in ksqlDB's words where it has any.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct HostError {
    /// What kind of fault it is.
    pub fault: HostFault,
    /// What the user is told.
    pub message: String,
    /// The statement, where one is at fault.
    pub statement: Option<String>,
    /// Where the text cannot be read, as `line 1:8`, if that is what is wrong.
    pub unread_at: Option<String>,
    /// The same for people, with its places in the text of the request and with hints, where more is known than ksqlDB says.
    pub shown: Option<Box<Diagnostic>>,
    /// The URL of the server that has what was asked for, where that is another one.
    pub runs_at: Option<String>,
}

/// What kind of fault it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HostFault {
    /// The request.
    Request,
    /// A statement.
    Statement,
    /// A `SELECT` or `PRINT` that was sent where other statements go.
    Query,
    /// What was asserted does not hold.
    Assertion,
    /// An earlier command is not applied in time.
    Sequence,
    /// There is no Schema Registry.
    NoRegistry,
    /// The host only reads.
    ReadOnly,
    /// More is asked than the server takes.
    TooMany,
    /// Kafka Connect refuses, with this status.
    Connect(u16),
    /// The server, or what it stands on.
    Server,
}

impl HostFault {
    /// ksqlDB's code: the status of HTTP, and two more digits.
    pub fn code(self) -> u32 {
        match self {
            Self::Request => 40000,
            Self::Statement => 40001,
            Self::Query => 40002,
            Self::ReadOnly => 40300,
            Self::Assertion => 41700,
            Self::NoRegistry => 42801,
            Self::TooMany => 42900,
            Self::Connect(status) => u32::from(status) * 100,
            Self::Server => 50000,
            Self::Sequence => 50301,
        }
    }
}

impl HostError {
    /// A fault of some kind.
    pub fn new(fault: HostFault, message: impl Into<String>) -> Self {
        let message = message.into();
        Self { fault, message, statement: None, unread_at: None, shown: None, runs_at: None }
    }

    /// A fault of the request.
    pub fn request(message: impl Into<String>) -> Self {
        Self::new(HostFault::Request, message)
    }

    /// A fault of the server, or of what it stands on.
    pub fn server(message: impl Into<String>) -> Self {
        Self::new(HostFault::Server, message)
    }

    /// Something of ksqlDB's that is not there yet.
    pub fn unsupported(what: &str) -> Self {
        PlanError::unsupported(what).into()
    }

    /// A fault of a statement.
    pub fn statement(message: impl Into<String>, statement: impl Into<String>) -> Self {
        Self::new(HostFault::Statement, message).of(statement)
    }

    /// The same, told to people in this way, unless a way is known already.
    #[must_use]
    pub fn shown_as(mut self, shown: Diagnostic) -> Self {
        self.shown.get_or_insert_with(|| Box::new(shown));
        self
    }

    /// The same, told to people with its place in the text of the request, and a hint if there is one.
    #[must_use]
    pub fn shown_at(self, place: Span, help: Option<String>) -> Self {
        let shown = Diagnostic::new(self.message.as_str()).at(place, "");
        self.shown_as(help.into_iter().fold(shown, Diagnostic::help))
    }

    /// The same fault, of this statement, unless it is another one's.
    #[must_use]
    pub fn of(mut self, statement: impl Into<String>) -> Self {
        self.statement.get_or_insert_with(|| statement.into());
        self
    }
}

impl From<&ParseError> for HostError {
    fn from(error: &ParseError) -> Self {
        let refused = Self::statement(error.unlogged.clone(), error.statement.clone());
        let is_syntax = error.message.contains("Syntax error at line");
        let at = || format!("line {}:{}", error.position.line, error.position.column);
        Self { unread_at: is_syntax.then(at), ..refused }.shown_as(error.to_diagnostic())
    }
}

impl From<PlanError> for HostError {
    fn from(error: PlanError) -> Self {
        let message = match &error.unlogged {
            Some(unlogged) => {
                let prefix = error.stage.prefix();
                format!("{prefix}{}", unlogged.strip_prefix(prefix).unwrap_or(unlogged))
            }
            None => error.to_string(),
        };
        let refused = Self::new(HostFault::Statement, message);
        // An expression from which no condition can be made stands for the statement.
        match refused.message.rsplit_once("\nStatement: ") {
            Some((message, part)) if message.starts_with("Invalid Predicate: ") => {
                Self::statement(message, part)
            }
            _ => refused,
        }
    }
}

impl From<ReadError> for HostError {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Plan(error) => error.into(),
            ReadError::Property(error) => error.into(),
        }
    }
}

impl From<PropertyError> for HostError {
    fn from(error: PropertyError) -> Self {
        Self::request(error.to_string())
    }
}

impl From<KafkaError> for HostError {
    fn from(error: KafkaError) -> Self {
        Self::server(error.to_string())
    }
}

impl From<LiveError> for HostError {
    fn from(error: LiveError) -> Self {
        Self::server(error.to_string())
    }
}

impl From<RegistryError> for HostError {
    fn from(error: RegistryError) -> Self {
        Self::server(error.to_string())
    }
}
