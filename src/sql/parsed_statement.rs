//! A statement with its text.

use std::sync::Arc;

use super::ast::Statement;
use super::span::Span;

/// A statement with its text.
#[derive(Debug, Clone, PartialEq)]
pub struct ParsedStatement {
    /// The tree.
    pub statement: Statement,
    /// The statement as written, with the values of its variables and its semicolon.
    pub text: String,
    /// Where the statement stands in `source`.
    pub span: Span,
    /// Where the statement stands in the whole text, as it is written there.
    pub place: Span,
    /// The text that all spans of the tree point into: the whole text, or the statement alone if it had variables.
    pub source: Arc<str>,
}
