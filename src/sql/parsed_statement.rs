//! A statement with its text.

use super::ast::Statement;
use super::span::Span;
use super::text::Text;
use super::variables::{Replaced, as_written};

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
    pub source: Text,
    /// Where the values of variables stand in `source`.
    pub replaced: Vec<Replaced>,
    /// Where variables stand in the whole text that are not set, and what is to be said of each.
    pub unset: Vec<(Span, String)>,
}

impl ParsedStatement {
    /// Where a place of the tree is in the whole text, as it is written there.
    pub fn written_place(&self, span: Span) -> Span {
        if self.replaced.is_empty() {
            return span;
        }
        let within = as_written(&self.replaced, span);
        let start = self.place.start;
        Span::new(start + within.start, start + within.end)
    }
}
