//! Why an expression has no type.

/// Which of ksqlDB's exceptions says that an expression has no type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TypeErrorKind {
    /// A rule of types is broken; the statement's error repeats the message.
    Rule,
    /// As `Rule`, but the message leaves out the expression, which only the unlogged text shows.
    Statement,
    /// The types are fine but no code can be made: "Invalid Select: …" around the message.
    Code,
    /// ksqlDB itself stumbles: "Unexpected error generating code for Select", and so on.
    Crash,
}

/// Why an expression has no type, in ksqlDB's words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct TypeError {
    /// Which exception it is.
    pub kind: TypeErrorKind,
    /// The message.
    pub message: String,
    /// The text with the expressions in it, where that is another one.
    pub unlogged: Option<String>,
    /// The message of what brought it about, where that is another one.
    pub cause: Option<String>,
    /// Why, in words that do not depend on where the expression stands.
    pub reason: Option<Box<str>>,
    /// What may help.
    pub help: Option<Box<str>>,
    /// Which of the expression's parts is at fault, counted from the left, if it is one of them.
    pub part: Option<u32>,
}

impl TypeError {
    /// A broken rule.
    pub fn rule(message: impl Into<String>) -> Self {
        Self {
            kind: TypeErrorKind::Rule,
            message: message.into(),
            unlogged: None,
            cause: None,
            reason: None,
            help: None,
            part: None,
        }
    }

    /// Something that ksqlDB finds when it generates code.
    pub fn code(message: impl Into<String>) -> Self {
        Self { kind: TypeErrorKind::Code, ..Self::rule(message) }
    }

    /// Something that ksqlDB stumbles over when it generates code; the message is the cause.
    pub fn crash(message: impl Into<String>) -> Self {
        Self { kind: TypeErrorKind::Crash, ..Self::rule(message) }
    }

    /// A message that keeps the expression out of logs, and the text that has it.
    pub fn statement(message: impl Into<String>, unlogged: impl Into<String>) -> Self {
        Self {
            kind: TypeErrorKind::Statement,
            unlogged: Some(unlogged.into()),
            ..Self::rule(message)
        }
    }

    /// The same error with the reason.
    #[must_use]
    pub fn because(self, reason: impl Into<String>) -> Self {
        Self { reason: Some(reason.into().into()), ..self }
    }

    /// The same error with help.
    #[must_use]
    pub fn help(self, help: impl Into<String>) -> Self {
        Self { help: Some(help.into().into()), ..self }
    }

    /// The same error with help, if there is any.
    #[must_use]
    pub fn maybe_help(self, help: Option<String>) -> Self {
        Self { help: help.map(Into::into).or(self.help), ..self }
    }

    /// The same error, of the part of this number.
    #[must_use]
    pub fn of_part(self, part: usize) -> Self {
        Self { part: u32::try_from(part).ok(), ..self }
    }
}
