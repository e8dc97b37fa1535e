//! What went wrong, in terms of the exceptions of ksqlDB.

/// Which of ksqlDB's exceptions a failure is. Each is also all those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FailureKind {
    /// `StreamsException`: a query died.
    Streams,
    /// `KsqlException`.
    Ksql,
    /// `KsqlStatementException`: a statement was refused.
    Statement,
    /// `ParseFailedException`: a statement could not be read.
    Parse,
}

impl FailureKind {
    /// Whether this kind is the Java class `name`, or a subclass of it.
    pub fn is_a(self, name: &str) -> bool {
        match name.rsplit('.').next().unwrap_or_default() {
            "ParseFailedException" => self >= Self::Parse,
            "KsqlStatementException" => self >= Self::Statement,
            // A query dies of many classes; all of them count as this one.
            _ => true,
        }
    }
}

/// What went wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Which exception it is.
    pub kind: FailureKind,
    /// The message.
    pub message: String,
    /// The message with the user's SQL in it, which is not written to logs, where it differs.
    pub unlogged: Option<String>,
    /// The messages of the causes, outermost first.
    pub causes: Vec<String>,
    /// Whether the last statement failed; meaningless for a query that died.
    pub is_last_statement: bool,
    /// Whether it is we who cannot do this yet.
    pub is_unsupported: bool,
    /// The same for people, with its place in the statements, where it is one of theirs.
    pub placed: Option<String>,
}

impl Failure {
    /// A failure of this kind.
    pub fn new(kind: FailureKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            unlogged: None,
            causes: Vec::new(),
            is_last_statement: true,
            is_unsupported: false,
            placed: None,
        }
    }

    /// Something that ksqlDB does and we do not yet.
    pub fn unsupported(what: impl std::fmt::Display) -> Self {
        Self {
            is_unsupported: true,
            ..Self::new(FailureKind::Ksql, format!("{what} is not supported yet"))
        }
    }
}
