//! Why two sides cannot be held against one another.

use crate::apply::ApplyError;
use crate::cli::refusal::Refusal;
use crate::engine::ServicesError;
use crate::engine::headless::HeadlessError;
use crate::kafka::KafkaError;
use crate::kafka::records::RecordError;
use crate::operators::QueryError;
use crate::registry::RegistryError;
use crate::runtime::live::LiveError;
use crate::sql::{Diagnostic, Span};

/// Why two sides cannot be held against one another.
#[derive(Debug, thiserror::Error)]
pub enum ParityError {
    /// Statements of the files that cannot be compared, each with its place in them.
    #[error("{} cannot be compared", if .0.len() == 1 { "1 statement".to_owned() } else { format!("{} statements", .0.len()) })]
    Statements(Vec<Diagnostic>),
    /// Our side refuses what the files became.
    #[error("our side refuses it: {error}")]
    Ours {
        /// Why.
        error: Box<HeadlessError>,
        /// What the files became.
        text: String,
    },
    /// The other side refuses a statement.
    #[error("the other side refuses it: {error}\n{text}")]
    Theirs {
        /// Where it stands in the files.
        place: Span,
        /// Why.
        error: Box<ApplyError>,
        /// The statement, as it was sent.
        text: String,
    },
    /// The other side does not answer as a ksqlDB does.
    #[error("the other side: {0}")]
    Other(Box<ApplyError>),
    /// It does not tell what is needed.
    #[error("the other side does not tell {0}")]
    Untold(String),
    /// A query of ours has failed.
    #[error("our query {id} fails: {cause}")]
    Failed {
        /// Its id.
        id: String,
        /// Why.
        cause: String,
    },
    /// Not everything was processed in time.
    #[error("not at the end of the inputs after {within_s} s (--timeout):\n  {}", .behind.join("\n  "))]
    Behind {
        /// How long it was waited, in seconds.
        within_s: u64,
        /// What is behind, and where.
        behind: Vec<String>,
    },
    /// A record that cannot be read.
    #[error("a record of topic {topic} cannot be read: {error}")]
    Record {
        /// The topic.
        topic: String,
        /// Why.
        error: RecordError,
    },
    /// The trace.
    #[error("the queries cannot be traced: {0}")]
    Trace(#[from] QueryError),
    /// The trace has ended before it was done.
    #[error("the queries cannot be traced: {0}")]
    Untraced(String),
    /// Kafka.
    #[error(transparent)]
    Kafka(#[from] KafkaError),
    /// Kafka, by way of a query.
    #[error(transparent)]
    Live(#[from] LiveError),
    /// The registry.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// What is to be reached cannot be.
    #[error(transparent)]
    Services(#[from] ServicesError),
}

impl From<Refusal> for ParityError {
    fn from(refusal: Refusal) -> Self {
        ApplyError::from(refusal).into()
    }
}

impl From<ApplyError> for ParityError {
    fn from(error: ApplyError) -> Self {
        Self::Other(Box::new(error))
    }
}
