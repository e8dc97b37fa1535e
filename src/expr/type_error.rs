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
}

impl TypeError {
    /// A broken rule.
    pub fn rule(message: impl Into<String>) -> Self {
        Self { kind: TypeErrorKind::Rule, message: message.into(), unlogged: None, cause: None }
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
}
