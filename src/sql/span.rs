//! Places in a text, as byte offsets, and how they are shown: `line:column`.

use std::hash::{Hash, Hasher};

/// A range of bytes of the text that was parsed.
///
/// All spans compare equal, so that two trees are equal when they mean the same, wherever they stand.
#[derive(Debug, Clone, Copy, Default)]
pub struct Span {
    /// Offset of the first byte.
    pub start: usize,
    /// Offset after the last byte.
    pub end: usize,
}

impl Span {
    /// The bytes from `start` up to `end`.
    pub fn new(start: usize, end: usize) -> Self {
        Self { start, end }
    }

    /// The smallest span that holds both.
    #[must_use]
    pub fn to(self, other: Self) -> Self {
        Self { start: self.start.min(other.start), end: self.end.max(other.end) }
    }

    /// Whether it covers nothing, as that of what stands in no text.
    pub fn is_empty(self) -> bool {
        self.start == self.end
    }

    /// The part of `source` that the span covers, empty if it is out of range.
    pub fn text(self, source: &str) -> &str {
        source.get(self.start..self.end).unwrap_or_default()
    }

    /// Where the span starts in `source`.
    pub fn position<S: Lines + ?Sized>(self, source: &S) -> Position {
        source.position(self.start)
    }
}

impl PartialEq for Span {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Span {}

impl Hash for Span {
    fn hash<H: Hasher>(&self, _: &mut H) {}
}

/// A line and a column, both counted from 1. Columns count characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// The line, from 1.
    pub line: u32,
    /// The column, from 1.
    pub column: u32,
}

impl std::fmt::Display for Position {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

/// What places can be told in.
pub trait Lines {
    /// The line and column of a byte offset; an offset past the end is the end.
    fn position(&self, offset: usize) -> Position;

    /// The line in which a byte offset lies, without its end.
    fn line_at(&self, offset: usize) -> Span;
}

impl Lines for str {
    fn position(&self, offset: usize) -> Position {
        let before = &self[..at_character(self, offset)];
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        Position {
            line: before.matches('\n').count() as u32 + 1,
            // ANTLR reads code points, so a character beyond the BMP is one column.
            column: before[line_start..].chars().count() as u32 + 1,
        }
    }

    fn line_at(&self, offset: usize) -> Span {
        let offset = at_character(self, offset);
        let start = self[..offset].rfind('\n').map_or(0, |at| at + 1);
        let end = self[offset..].find('\n').map_or(self.len(), |at| offset + at);
        let end = if self[start..end].ends_with('\r') { end - 1 } else { end };
        Span::new(start, end)
    }
}

/// The start of the character in which an offset lies.
pub(super) fn at_character(text: &str, offset: usize) -> usize {
    let mut offset = offset.min(text.len());
    while !text.is_char_boundary(offset) {
        offset -= 1;
    }
    offset
}
