//! Lines of a terminal, made of painted parts.
//!
//! The colours are the six that every scheme keeps apart from its background, dark or light. The bright ones are not: yellow vanishes
//! on white, and Solarized has greys in their places.

use std::io::{self, Write};

use crossterm::cursor::MoveTo;
use crossterm::queue;
use crossterm::style::{Attribute, Color, Print, ResetColor, SetAttribute, SetForegroundColor};
use crossterm::terminal::{BeginSynchronizedUpdate, Clear, ClearType, EndSynchronizedUpdate};
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

/// The colours of activities and partitions, in order.
pub const HUES: [Color; 6] = [
    Color::DarkGreen,
    Color::DarkBlue,
    Color::DarkMagenta,
    Color::DarkYellow,
    Color::DarkCyan,
    Color::DarkRed,
];

/// How a part is painted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Paint {
    /// As the terminal has it.
    Plain,
    /// What is looked for.
    Bold,
    /// The name of a panel or of a column.
    Title,
    /// In one of the [`HUES`].
    Hue(Color),
}

/// A line of painted parts.
#[derive(Clone, Debug, Default)]
pub struct Line(Vec<(Paint, String)>);

impl Line {
    /// A line that begins with the name of a panel.
    #[must_use]
    pub fn title(text: &str) -> Self {
        Self::default().put(Paint::Plain, " ").put(Paint::Title, text)
    }

    /// Goes on with a text.
    #[must_use]
    pub fn put(mut self, paint: Paint, text: impl Into<String>) -> Self {
        self.0.push((paint, text.into()));
        self
    }

    fn width(&self) -> usize {
        self.0.iter().flat_map(|(_, text)| text.chars()).map(|c| c.width().unwrap_or(1)).sum()
    }

    /// Goes on at a column, if it is not there yet.
    #[must_use]
    pub fn at(self, column: usize) -> Self {
        let gap = column.saturating_sub(self.width());
        self.put(Paint::Plain, " ".repeat(gap))
    }

    /// Goes on with another line.
    #[must_use]
    pub fn join(mut self, mut other: Self) -> Self {
        self.0.append(&mut other.0);
        self
    }

    /// Its text, without paint.
    pub fn text(&self) -> String {
        self.0.iter().map(|(_, text)| text.as_str()).collect()
    }

    /// Writes as much as fits into so many columns.
    pub fn write(&self, out: &mut impl Write, columns: usize) -> io::Result<()> {
        let mut left = columns;
        for (paint, text) in &self.0 {
            let text = fitting(text, &mut left);
            match paint {
                Paint::Plain => {}
                Paint::Bold => queue!(out, SetAttribute(Attribute::Bold))?,
                Paint::Title => {
                    queue!(
                        out,
                        SetForegroundColor(Color::DarkCyan),
                        SetAttribute(Attribute::Bold)
                    )?;
                }
                Paint::Hue(color) => queue!(out, SetForegroundColor(*color))?,
            }
            queue!(out, Print(text), SetAttribute(Attribute::Reset), ResetColor)?;
        }
        Ok(())
    }
}

/// Draws lines in place, on a screen of so many columns and rows; what is below them is cleared.
pub fn draw(
    out: &mut impl Write,
    lines: &[Line],
    (columns, rows): (usize, usize),
) -> io::Result<()> {
    queue!(out, BeginSynchronizedUpdate)?;
    for row in 0..rows {
        queue!(out, MoveTo(0, row as u16))?;
        lines.get(row).unwrap_or(&Line::default()).write(out, columns)?;
        queue!(out, Clear(ClearType::UntilNewLine))?;
    }
    queue!(out, EndSynchronizedUpdate)?;
    out.flush()
}

/// The beginning of a text that fits into the columns that are left. Names come from topics, and must not drive the terminal.
fn fitting(text: &str, left: &mut usize) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        let c = if c.is_control() { '\u{fffd}' } else { c };
        let width = c.width().unwrap_or(1);
        if width > *left {
            // What comes behind a wide one that does not fit must not stand in its place.
            *left = 0;
            break;
        }
        *left -= width;
        shown.push(c);
    }
    shown
}

/// A text that is no wider than this; where it is cut stands a mark.
pub fn cut(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let (mut shown, mut used) = (String::new(), 0);
    for c in text.chars() {
        used += c.width().unwrap_or(0);
        if used + 1 > width {
            break;
        }
        shown.push(c);
    }
    shown.push('…');
    shown
}

/// A number with its thousands set apart.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_ends_at_the_edge_and_cannot_drive_the_terminal() {
        let line = Line::default().put(Paint::Plain, "ab").at(4).put(Paint::Bold, "c\u{1b}[2Jd");
        let mut out = Vec::new();
        line.write(&mut out, 6).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(text.contains("ab") && text.contains("c\u{fffd}"), "{text:?}");
        assert!(!text.contains("[2J") && !text.contains('d'), "{text:?}");
    }

    #[test]
    fn wide_signs_take_two_columns() {
        let fit = |text, mut left| fitting(text, &mut left);
        assert_eq!(fit("厨房a", 4), "厨房");
        assert_eq!(fit("厨房a", 3), "厨");
        assert_eq!(
            Line::default().put(Paint::Plain, "厨").at(4).put(Paint::Plain, "x").text(),
            "厨  x"
        );
    }

    #[test]
    fn texts_are_cut_and_numbers_read_well() {
        assert_eq!([cut("abc", 3), cut("abcd", 3), cut("厨房厨", 4)], ["abc", "ab…", "厨…"]);
        assert_eq!([0, 999, 1_000, 1_234_567].map(grouped), ["0", "999", "1,000", "1,234,567"]);
    }
}
