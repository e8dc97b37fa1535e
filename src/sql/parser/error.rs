//! What the parser refuses, in ksqlDB's words.
//!
//! ksqlDB logs only the place of a syntax error, as the text may hold secrets; what was expected is in the
//! unlogged text, which is sent to whoever sent the statement.

use crate::sql::diagnostic::Diagnostic;
use crate::sql::keywords::{STATEMENT_STARTS, is_reserved, order};
use crate::sql::span::{Lines as _, Position, Span};
use crate::sql::suggest::nearest;
use crate::sql::text::Text;

/// The most expected tokens that a message lists; ksqlDB says nothing where there are more.
const EXPECTED_SHOWN_MAX: usize = 5;

/// What ksqlDB says behind a word of the language that stands where a name should be.
const RESERVED: &str = " is a reserved keyword";

/// A text that is no statement of the language.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseError {
    /// Where it was noticed, in the text that was parsed.
    pub span: Span,
    /// The same place as line and column.
    pub position: Position,
    /// The message that ksqlDB logs.
    pub message: String,
    /// The message that ksqlDB sends to the user, without the statement.
    pub unlogged: String,
    /// The line of the text that holds the place for a syntax error, else the statement.
    pub statement: String,
    /// What else may help.
    pub help: Option<String>,
}

impl std::fmt::Display for ParseError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for ParseError {}

impl ParseError {
    /// A syntax error at `span` of `source`, with the reason or an empty text.
    pub(super) fn syntax(source: &Text, span: Span, detail: &str) -> Self {
        let position = span.position(source);
        Self {
            span,
            position,
            message: format!("line {position}: Syntax error at line {position}"),
            unlogged: format!("line {position}: Syntax Error\n{detail}"),
            statement: source.line_at(span.start).text(source).to_owned(),
            help: None,
        }
    }

    /// A statement of correct syntax that cannot be prepared.
    pub(in crate::sql) fn prepare(source: &Text, span: Span, reason: &str) -> Self {
        let message = format!("Failed to prepare statement: {reason}");
        Self {
            span,
            position: span.position(source),
            unlogged: message.clone(),
            message,
            statement: String::new(),
            help: None,
        }
    }

    /// A literal that is out of range: its text is not logged. ksqlDB counts its column from 2.
    pub(super) fn literal(source: &Text, span: Span, reason: &str) -> Self {
        let Position { line, column } = span.position(source);
        let position = Position { line, column: column + 1 };
        let logged = format!("line {position}: Syntax error at line {position}");
        let error = Self::prepare(source, span, &format!("line {position}: {reason}"));
        Self { message: format!("Failed to prepare statement: {logged}"), ..error }
    }

    /// The same error, with this help.
    pub(super) fn with_help(self, help: &str) -> Self {
        Self { help: Some(help.to_owned()), ..self }
    }

    /// The error as it is shown with its text.
    pub fn to_diagnostic(&self) -> Diagnostic {
        let help = self.help.iter().cloned().collect();
        Diagnostic {
            message: self.message.clone(),
            labels: vec![(self.span, self.reason())],
            help,
            more: Vec::new(),
        }
    }

    /// What is said of the place: what the message leaves out.
    fn reason(&self) -> String {
        if let Some((_, detail)) = self.unlogged.split_once("Syntax Error\n") {
            let detail = detail.trim_end();
            return match detail.split_once(RESERVED) {
                // ksqlDB advises to escape it with quotes that do not: the help has the right ones.
                Some((word, _)) => format!("{word} is a word of the language"),
                None if detail.is_empty() => "not expected here".to_owned(),
                None => detail.replace('\n', "; "),
            };
        }
        let literal = self.unlogged.strip_prefix("Failed to prepare statement: line ");
        let reason = literal.and_then(|rest| rest.split_once(": ")).map(|(_, reason)| reason);
        reason.unwrap_or_default().to_owned()
    }
}

/// `{'a', 'b'}`, or `'a'` alone, in ksqlDB's order.
pub(super) fn expected_set(expected: &[&str]) -> String {
    let mut sorted = expected.to_vec();
    sorted.sort_by_key(|word| order(word));
    sorted.dedup();
    let shown: Vec<_> = sorted.iter().map(|word| display(word)).collect();
    if let [only] = shown.as_slice() { only.clone() } else { format!("{{{}}}", shown.join(", ")) }
}

/// A symbol or keyword in quotes; the name of a class of tokens, such as `INTEGER_VALUE`, without.
fn display(word: &str) -> String {
    if order(word) < crate::sql::keywords::WORDS.len() {
        format!("'{word}'")
    } else {
        word.to_owned()
    }
}

/// The reason given where one of `expected` was.
pub(super) fn expecting(expected: &[&str]) -> String {
    if expected.is_empty() || expected.len() > EXPECTED_SHOWN_MAX {
        return String::new();
    }
    format!("Expecting {}", expected_set(expected))
}

/// The reason given for a token that would better not be there.
pub(super) fn unwanted(token: &str, expected: &[&str]) -> String {
    if is_reserved(token) {
        return format!(
            "\"{token}\"{RESERVED} and it can't be used as an identifier. \
             You can use it as an identifier by escaping it as '{token}' "
        );
    }
    expecting(expected)
}

/// The reason given for a word that starts no statement.
pub(super) fn unknown_statement(token: &str) -> String {
    let upper = token.to_ascii_uppercase();
    let near = nearest(&upper, STATEMENT_STARTS.iter().copied()).unwrap_or("SELECT");
    format!("Unknown statement '{token}'\nDid you mean '{near}'?")
}
