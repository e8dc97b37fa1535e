//! Why a statement cannot be planned.

use crate::formats::FormatError;
use crate::sql::span::Span;

/// At which step ksqlDB would have refused a statement, which decides how its message begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stage {
    /// While the syntax tree was built: `Failed to prepare statement: `, a `ParseFailedException`.
    Prepare,
    /// While names were resolved: `Exception while preparing statement: `.
    Resolve,
    /// While a query was analysed: `Could not determine output schema for query due to error: `.
    Analyse,
    /// Later on: the message alone.
    Execute,
}

/// What the unlogged text of a refused expression still has to show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Details {
    /// Nothing.
    None,
    /// The whole expression, as `KsqlStatementException` appends it.
    Expression,
    /// The whole expression and the columns that it stands over, as `CodeGenRunner` shows them.
    Schema,
}

/// A statement that cannot be planned: what was wrong, where, and how to mend it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}{message}", .stage.prefix())]
pub struct PlanError {
    /// The step at which it was found.
    pub stage: Stage,
    /// What was wrong, in ksqlDB's words where it has any.
    pub message: String,
    /// The text that ksqlDB keeps out of its logs, where that is another one.
    pub unlogged: Option<String>,
    /// What else that text shows of the expression that is refused, once all of it is at hand.
    pub(super) details: Details,
    /// Where, if it can be said.
    pub span: Option<Span>,
    /// What might help.
    pub help: Option<String>,
    /// Whether it is we who cannot do this yet, and ksqlDB could.
    pub is_unsupported: bool,
}

impl Stage {
    /// How ksqlDB begins its message.
    pub fn prefix(self) -> &'static str {
        match self {
            Self::Prepare => "Failed to prepare statement: ",
            Self::Resolve => "Exception while preparing statement: ",
            Self::Analyse => "Could not determine output schema for query due to error: ",
            Self::Execute => "",
        }
    }
}

impl PlanError {
    /// An error at `stage`.
    pub fn new(stage: Stage, message: impl Into<String>) -> Self {
        Self {
            stage,
            message: message.into(),
            unlogged: None,
            details: Details::None,
            span: None,
            help: None,
            is_unsupported: false,
        }
    }

    /// An error of a query's analysis.
    pub fn analyse(message: impl Into<String>) -> Self {
        Self::new(Stage::Analyse, message)
    }

    /// An error whose message stands alone.
    pub fn execute(message: impl Into<String>) -> Self {
        Self::new(Stage::Execute, message)
    }

    /// An error of the `WITH` clause and its like.
    pub fn prepare(message: impl Into<String>) -> Self {
        Self::new(Stage::Prepare, message)
    }

    /// Something of ksqlDB's that is not supported yet.
    pub fn unsupported(what: impl std::fmt::Display) -> Self {
        Self {
            is_unsupported: true,
            ..Self::new(Stage::Execute, format!("{what} not supported yet"))
        }
    }

    /// The same error, with the text that shows the user's SQL.
    #[must_use]
    pub fn unlogged(self, unlogged: impl Into<String>) -> Self {
        Self { unlogged: Some(unlogged.into()), details: Details::None, ..self }
    }

    /// The same error, whose unlogged text is to show more of its expression.
    #[must_use]
    pub(super) fn with_details(self, details: Details) -> Self {
        Self { details, ..self }
    }

    /// The same error, found at another step.
    #[must_use]
    pub fn found_at(self, stage: Stage) -> Self {
        Self { stage, ..self }
    }

    /// The same error, at a place.
    #[must_use]
    pub fn at(self, span: Span) -> Self {
        Self { span: self.span.or(Some(span)), ..self }
    }

    /// The same error, with help.
    #[must_use]
    pub fn help(self, help: impl Into<String>) -> Self {
        Self { help: Some(help.into()), ..self }
    }
}

impl From<FormatError> for PlanError {
    fn from(error: FormatError) -> Self {
        Self::execute(error.to_string())
    }
}
