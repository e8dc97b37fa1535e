//! What a token can be the start of.

use crate::sql::keywords::{STATEMENT_STARTS, is_reserved};
use crate::sql::lexer::{Kind, Token};

/// What may follow a token, which tells whether it can be missing.
#[derive(Clone, Copy)]
pub(super) enum Then {
    /// Not known: the token is never called missing.
    Unknown,
    /// An expression.
    Expression,
    /// An identifier.
    Identifier,
    /// A number.
    Number,
    /// The name of a property.
    Property,
    /// Another statement or the end.
    Statement,
    /// This token.
    Word(&'static str),
}

/// Whether `token` can start `then`.
pub(super) fn starts(token: Token, then: Then) -> bool {
    let is_identifier = match token.kind {
        Kind::Word(word) => is_name(word),
        kind => is_identifier(kind),
    };
    match then {
        Then::Unknown => false,
        Then::Identifier => is_identifier,
        Then::Property => is_identifier || token.kind == Kind::String,
        Then::Number => is_number(token.kind) || token.kind == Kind::Word("-"),
        Then::Expression => is_identifier || starts_expression(token.kind),
        Then::Word(word) => token.kind == Kind::Word(word),
        Then::Statement => match token.kind {
            Kind::Word(word) => STATEMENT_STARTS.contains(&word),
            kind => kind == Kind::Eof,
        },
    }
}

fn is_number(kind: Kind) -> bool {
    matches!(kind, Kind::Integer | Kind::Decimal | Kind::Float)
}

fn starts_expression(kind: Kind) -> bool {
    match kind {
        Kind::Word(word) => {
            matches!(word, "(" | "-" | "+" | "NOT" | "CASE" | "CAST" | "NULL" | "TRUE" | "FALSE")
        }
        kind => is_number(kind) || kind == Kind::String,
    }
}

fn is_name(word: &str) -> bool {
    word.starts_with(|c: char| c.is_ascii_alphabetic()) && !is_reserved(word)
}

fn is_identifier(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::Identifier
            | Kind::DigitIdentifier
            | Kind::DoubleQuoted
            | Kind::BackQuoted
            | Kind::Variable
    )
}
