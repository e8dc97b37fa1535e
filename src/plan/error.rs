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
    /// Where it is, why, and what may help.
    pub notes: Box<Notes>,
    /// Whether it is we who cannot do this yet, and ksqlDB could.
    pub is_unsupported: bool,
}

/// What is said of an error beside ksqlDB's message, to whoever has the text at hand.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Notes {
    /// The narrowest place that is at fault, if it can be said.
    pub span: Option<Span>,
    /// Why, if the message does not say it.
    pub reason: Option<String>,
    /// Further places, with what is to be said of them.
    pub places: Vec<(Span, String)>,
    /// What may help.
    pub help: Vec<String>,
    /// What else is wrong with the same statement. ksqlDB stops at the first fault.
    pub more: Vec<PlanError>,
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
            notes: Box::default(),
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

    /// The same error, at a place, unless it has a narrower one.
    #[must_use]
    pub fn at(mut self, span: Span) -> Self {
        self.notes.span.get_or_insert(span);
        self
    }

    /// The same error, at a narrower place.
    #[must_use]
    pub fn just_at(mut self, span: Span) -> Self {
        self.notes.span = Some(span);
        self
    }

    /// The same error, with the reason, unless it has one.
    #[must_use]
    pub fn because(mut self, reason: impl Into<String>) -> Self {
        self.notes.reason.get_or_insert_with(|| reason.into());
        self
    }

    /// The same error, with the reason if there is one to tell.
    #[must_use]
    pub fn maybe_reason(self, reason: Option<String>) -> Self {
        match reason {
            Some(reason) => self.because(reason),
            None => self,
        }
    }

    /// The same error, with the reason of each place at fault.
    #[must_use]
    pub fn at_each(mut self, places: impl IntoIterator<Item = (Span, String)>) -> Self {
        let mut places: Vec<_> = places.into_iter().collect();
        places.sort_by_key(|(span, _)| span.start);
        for (span, reason) in places {
            if self.notes.span.is_none() {
                self.notes.span = Some(span);
                self.notes.reason = Some(reason);
            } else {
                self.notes.places.push((span, reason));
            }
        }
        self
    }

    /// The same error, with help.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.notes.help.push(help.into());
        self
    }

    /// The same error, with help if there is any.
    #[must_use]
    pub fn maybe_help(self, help: Option<impl Into<String>>) -> Self {
        match help {
            Some(help) => self.help(help),
            None => self,
        }
    }

    /// The same error, with others of the same statement.
    #[must_use]
    pub fn and(mut self, more: impl IntoIterator<Item = PlanError>) -> Self {
        self.notes.more.extend(more);
        self
    }

    /// The place that is at fault, if it can be said.
    pub fn span(&self) -> Option<Span> {
        self.notes.span
    }
}

impl From<FormatError> for PlanError {
    fn from(error: FormatError) -> Self {
        Self::execute(error.to_string())
    }
}
