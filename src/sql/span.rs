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
    pub fn position(self, source: &str) -> Position {
        Position::of(source, self.start)
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

impl Position {
    /// The whole line of `source` that this is in, without its end.
    pub fn line_text(self, source: &str) -> &str {
        source.lines().nth(self.line as usize - 1).unwrap_or_default()
    }

    /// The line and column of a byte offset; an offset past the end is the end.
    pub fn of(source: &str, offset: usize) -> Self {
        let mut offset = offset.min(source.len());
        while !source.is_char_boundary(offset) {
            offset -= 1;
        }
        let before = &source[..offset];
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        Self {
            line: before.matches('\n').count() as u32 + 1,
            // ANTLR reads code points, so a character beyond the BMP is one column.
            column: before[line_start..].chars().count() as u32 + 1,
        }
    }
}

impl std::fmt::Display for Position {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}
