//! A text that knows where its lines begin, so that a place in it is found without reading what stands before.

use std::fmt;
use std::ops::Deref;
use std::sync::{Arc, OnceLock};

use super::span::{Lines, Position, Span, at_character};

/// How many bytes lie between two places whose characters before them are known.
const STRIDE: usize = 1 << 12;

/// A text, or several one after another: lines are counted anew in each part. Copies share it.
#[derive(Clone)]
pub struct Text(Arc<Inner>);

struct Inner {
    text: Box<str>,
    /// Where parts begin; the first is 0.
    parts: Vec<usize>,
    index: OnceLock<Index>,
}

/// What is known of a text once it has been read.
struct Index {
    /// Where lines begin.
    lines: Vec<usize>,
    /// How many characters begin before each `STRIDE` bytes.
    characters: Vec<usize>,
}

impl Text {
    /// A text of several parts, which begin at these offsets.
    pub fn of_parts(text: impl Into<Box<str>>, parts: impl IntoIterator<Item = usize>) -> Self {
        let mut parts: Vec<usize> = std::iter::once(0).chain(parts).collect();
        parts.sort_unstable();
        parts.dedup();
        Self(Arc::new(Inner { text: text.into(), parts, index: OnceLock::new() }))
    }

    fn index(&self) -> &Index {
        self.0.index.get_or_init(|| Index::of(&self.0.text))
    }

    /// How many characters begin before an offset.
    fn characters_before(&self, offset: usize) -> usize {
        let at = offset / STRIDE;
        self.index().characters[at] + count(&self.0.text.as_bytes()[at * STRIDE..offset])
    }
}

impl Index {
    fn of(text: &str) -> Self {
        let bytes = text.as_bytes();
        let ends = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n');
        let lines = std::iter::once(0).chain(ends.map(|(end, _)| end + 1)).collect();
        let mut characters = vec![0];
        for piece in bytes.chunks(STRIDE) {
            let before = characters.last().copied().unwrap_or_default();
            characters.push(before + count(piece));
        }
        Self { lines, characters }
    }
}

/// How many characters begin in these bytes.
fn count(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| **byte & 0xc0 != 0x80).count()
}

impl Lines for Text {
    fn position(&self, offset: usize) -> Position {
        let offset = at_character(self, offset);
        let Index { lines, .. } = self.index();
        let line = lines.partition_point(|start| *start <= offset) - 1;
        let parts = &self.0.parts;
        let part = parts[parts.partition_point(|start| *start <= offset) - 1];
        let first = lines.partition_point(|start| *start <= part) - 1;
        let column = self.characters_before(offset) - self.characters_before(lines[line].max(part));
        Position { line: (line - first) as u32 + 1, column: column as u32 + 1 }
    }

    fn line_at(&self, offset: usize) -> Span {
        let Index { lines, .. } = self.index();
        let line = lines.partition_point(|start| *start <= offset) - 1;
        let end = lines.get(line + 1).map_or(self.len(), |next| next - 1);
        let end = if self[..end].ends_with('\r') { end - 1 } else { end };
        Span::new(lines[line], end.max(lines[line]))
    }
}

impl Deref for Text {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0.text
    }
}

impl AsRef<str> for Text {
    fn as_ref(&self) -> &str {
        self
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self::of_parts(text, [])
    }
}

impl From<&String> for Text {
    fn from(text: &String) -> Self {
        text.as_str().into()
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self::of_parts(text, [])
    }
}

impl From<&Text> for Text {
    fn from(text: &Text) -> Self {
        text.clone()
    }
}

impl PartialEq for Text {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for Text {}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_those_that_counting_finds() {
        let long = "ü€😀x\n".repeat(3_000) + &"é".repeat(9_000);
        for plain in ["", "a", "a\nb", "\n\n", "ä\r\nb😀c\n", &long] {
            let text = Text::from(plain);
            for offset in (0..plain.len() + 2).step_by(1 + plain.len() / 200) {
                assert_eq!(text.position(offset), plain.position(offset), "{offset}");
                let (found, counted) = (text.line_at(offset), plain.line_at(offset));
                assert_eq!((found.start, found.end), (counted.start, counted.end), "{offset}");
            }
        }
    }

    #[test]
    fn lines_are_counted_anew_in_each_part() {
        let text = Text::of_parts("a\nb\ncd\ne", [4]);
        let at = |word: &str| text.position(text.find(word).unwrap()).to_string();
        assert_eq!(["a", "b", "c", "d", "e"].map(at), ["1:1", "2:1", "1:1", "1:2", "2:1"]);
    }
}
