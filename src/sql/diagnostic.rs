//! A message that points into the text, and how it is shown.
//!
//! ```text
//! error: UCASE does not take a BIGINT
//!  2 |   UCASE(n) FROM clicks;
//!    |         ^ this is a BIGINT
//! help: UCASE(value STRING) -> STRING
//! ```

use std::fmt::Write as _;

use super::span::{Lines, Position, Span};

/// The most characters of a line that are shown.
const LINE_SHOWN_MAX: usize = 240;

/// A message, the places that it is about, and what may help.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Diagnostic {
    /// What is wrong.
    pub message: String,
    /// Places in the text and what is to be said of them.
    pub labels: Vec<(Span, String)>,
    /// What may help.
    pub help: Vec<String>,
    /// What else is wrong with the same statement.
    pub more: Vec<Diagnostic>,
}

impl Diagnostic {
    /// A message that points nowhere yet.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), ..Self::default() }
    }

    /// The same, pointing at a place.
    #[must_use]
    pub fn at(mut self, span: Span, label: impl Into<String>) -> Self {
        self.labels.push((span, label.into()));
        self
    }

    /// The same with a hint.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help.push(help.into());
        self
    }

    /// The same with others about the same statement.
    #[must_use]
    pub fn and(mut self, more: impl IntoIterator<Item = Diagnostic>) -> Self {
        self.more.extend(more);
        self
    }

    /// The same with each place moved.
    #[must_use]
    pub fn moved(mut self, moved: &impl Fn(Span) -> Span) -> Self {
        for (span, _) in &mut self.labels {
            *span = moved(*span);
        }
        self.more = self.more.into_iter().map(|more| more.moved(moved)).collect();
        self
    }

    /// The message as text, with the lines of `source` that it is about.
    pub fn render<S>(&self, source: &S, color: Color) -> String
    where
        S: Lines + AsRef<str> + ?Sized,
    {
        self.render_in(None, source, color)
    }

    /// The same, with the name of the file that `source` is, and the line and column of the first place.
    pub fn render_in<S>(&self, file: Option<&str>, source: &S, color: Color) -> String
    where
        S: Lines + AsRef<str> + ?Sized,
    {
        let mut out = String::new();
        let paint = Paint { color };
        let _ = writeln!(out, "{}: {}", paint.red("error"), self.message);
        if let (Some(file), Some((span, _))) = (file, self.labels.first()) {
            let Position { line, column } = span.position(source);
            let _ = writeln!(out, "{} {file}:{line}:{column}", paint.cyan("-->"));
        }
        let last = self.labels.iter().map(|(span, _)| span.position(source).line).max();
        let width = last.unwrap_or(1).to_string().len();
        let mut shown = None;
        for (span, label) in &self.labels {
            let line = span.position(source).line;
            let is_new = shown.replace(line) != Some(line);
            render_label(&mut out, source, *span, &Line { label, width, is_new, paint: &paint });
        }
        for help in &self.help {
            let _ = writeln!(out, "{}: {help}", paint.cyan("help"));
        }
        for more in &self.more {
            let _ = write!(out, "\n{}", more.render_in(file, source, color));
        }
        out
    }
}

/// Whether colours are used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Color {
    /// Plain text.
    Never,
    /// ANSI escapes.
    Ansi,
}

struct Paint {
    color: Color,
}

impl Paint {
    fn with(&self, code: &str, text: &str) -> String {
        match self.color {
            Color::Never => text.to_owned(),
            Color::Ansi => format!("\u{1b}[{code}m{text}\u{1b}[0m"),
        }
    }

    fn red(&self, text: &str) -> String {
        self.with("1;31", text)
    }

    fn cyan(&self, text: &str) -> String {
        self.with("36", text)
    }
}

struct Line<'a> {
    label: &'a str,
    width: usize,
    /// Whether the line itself is still to be shown.
    is_new: bool,
    paint: &'a Paint,
}

fn render_label<S>(out: &mut String, source: &S, span: Span, line: &Line<'_>)
where
    S: Lines + AsRef<str> + ?Sized,
{
    let number = span.position(source).line;
    let text = source.as_ref();
    let whole = source.line_at(span.start);
    let at = span.start.clamp(whole.start, whole.end);
    let start = window_start(&text[whole.start..at]) + whole.start;
    let (before, after) = (&text[start..at], &text[at..whole.end]);
    let room = LINE_SHOWN_MAX.saturating_sub(before.chars().count());
    let after: String = after.chars().take(room).collect();
    let width = line.width;
    let ellipsis = if start > whole.start { "…" } else { "" };
    if line.is_new {
        let _ = writeln!(out, " {number:>width$} | {ellipsis}{before}{after}");
    }
    let blank = |c: char| if c == '\t' { '\t' } else { ' ' };
    let indent: String = ellipsis.chars().chain(before.chars()).map(blank).collect();
    let covered = text[at..span.end.clamp(at, whole.end)].chars().count();
    let carets = line.paint.red(&"^".repeat(covered.min(after.chars().count()).max(1)));
    let row = format!(" {:>width$} | {indent}{carets} {}", "", line.label);
    let _ = writeln!(out, "{}", row.trim_end());
}

/// Where a line is shown from, so that its end is seen: from its beginning, if that is near enough.
fn window_start(before: &str) -> usize {
    const SEEN: usize = LINE_SHOWN_MAX / 2;
    const NEAR: usize = LINE_SHOWN_MAX - LINE_SHOWN_MAX / 4;
    if before.len() <= NEAR || before.chars().nth(NEAR).is_none() {
        return 0;
    }
    let mut back = before.char_indices().rev();
    back.nth(SEEN - 1).map_or(0, |(start, _)| start)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_at_its_place() {
        let source = "SELECT\n  UCASE(n) FROM clicks;";
        let at = source.find('n').unwrap_or_default();
        let diagnostic = Diagnostic::new("UCASE does not take a BIGINT")
            .at(Span::new(at, at + 1), "this is a BIGINT")
            .help("UCASE(value STRING) -> STRING");
        assert_eq!(
            diagnostic.render(source, Color::Never),
            "error: UCASE does not take a BIGINT\n 2 |   UCASE(n) FROM clicks;\n   |         ^ this is a BIGINT\n\
             help: UCASE(value STRING) -> STRING\n"
        );
        assert!(diagnostic.render(source, Color::Ansi).contains("\u{1b}[1;31merror"));
    }

    #[test]
    fn names_the_file_of_its_place() {
        let diagnostic = Diagnostic::new("no").at(Span::new(2, 3), "here");
        let shown = diagnostic.render_in(Some("a.sql"), "x\nyz", Color::Never);
        assert_eq!(shown, "error: no\n--> a.sql:2:1\n 2 | yz\n   | ^ here\n");
    }
}
