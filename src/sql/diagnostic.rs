//! A message that points into the text, and how it is shown.
//!
//! ```text
//! error: UCASE does not take a BIGINT
//!  2 |   UCASE(n) FROM clicks;
//!    |         ^ this is a BIGINT
//! help: UCASE(value STRING) -> STRING
//! ```

use std::fmt::Write as _;

use strsim::levenshtein;

use super::span::{Position, Span};

/// The most characters of a line that are shown.
const LINE_SHOWN_MAX: usize = 240;

/// The most names that are listed.
const NAMES_SHOWN_MAX: usize = 10;

/// A message, the places that it is about, and what may help.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Diagnostic {
    /// What is wrong.
    pub message: String,
    /// Places in the text and what is to be said of them.
    pub labels: Vec<(Span, String)>,
    /// What may help.
    pub help: Vec<String>,
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

    /// The message as text, with the lines of `source` that it is about.
    pub fn render(&self, source: &str, color: Color) -> String {
        self.render_in(None, source, color)
    }

    /// The same, with the name of the file that `source` is, and the line and column of the first place.
    pub fn render_in(&self, file: Option<&str>, source: &str, color: Color) -> String {
        let mut out = String::new();
        let paint = Paint { color };
        let _ = writeln!(out, "{}: {}", paint.red("error"), self.message);
        if let (Some(file), Some((span, _))) = (file, self.labels.first()) {
            let Position { line, column } = span.position(source);
            let _ = writeln!(out, "{} {file}:{line}:{column}", paint.cyan("-->"));
        }
        let last = self.labels.iter().map(|(span, _)| span.position(source).line).max();
        let width = last.unwrap_or(1).to_string().len();
        for (span, label) in &self.labels {
            render_label(&mut out, source, *span, &Line { label, width, paint: &paint });
        }
        for help in &self.help {
            let _ = writeln!(out, "{}: {help}", paint.cyan("help"));
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
    paint: &'a Paint,
}

fn render_label(out: &mut String, source: &str, span: Span, line: &Line<'_>) {
    let position = span.position(source);
    let (number, indent) = (position.line, position.column as usize - 1);
    let text = position.line_text(source);
    let shown: String = text.chars().take(LINE_SHOWN_MAX).collect();
    let width = line.width;
    let _ = writeln!(out, " {number:>width$} | {shown}");
    let before: String =
        shown.chars().take(indent).map(|c| if c == '\t' { '\t' } else { ' ' }).collect();
    let covered = span.text(source).lines().next().unwrap_or_default().chars().count();
    let room = shown.chars().count().saturating_sub(indent);
    let carets = line.paint.red(&"^".repeat(covered.min(room).max(1)));
    let _ = writeln!(
        out,
        "{}",
        format!(" {:>width$} | {before}{carets} {}", "", line.label).trim_end()
    );
}

/// The candidate with the fewest edits from `word`, the first of those that are equally near.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    candidates.into_iter().min_by_key(|candidate| levenshtein(word, candidate))
}

/// The candidate that was probably meant: near enough that no more than a third of it was mistyped.
pub fn did_you_mean<'a>(
    word: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let near = nearest(word, candidates)?;
    let length = word.chars().count().max(near.chars().count());
    let edits = levenshtein(word, near);
    // One letter is not another one mistyped.
    (edits < length && edits * 3 <= length.max(3)).then_some(near)
}

/// What may help whoever wrote a name that is none of `names`: the one that was probably meant, or
/// which `kind` of names there are.
pub fn help_with_name(word: &str, kind: &str, names: &[&str]) -> Option<String> {
    if let Some(near) = did_you_mean(word, names.iter().copied()) {
        return Some(format!("did you mean {near}?"));
    }
    let shown = names.get(..NAMES_SHOWN_MAX).unwrap_or(names).join(", ");
    match names.len().saturating_sub(NAMES_SHOWN_MAX) {
        _ if names.is_empty() => None,
        0 => Some(format!("{kind}: {shown}")),
        more => Some(format!("{kind}: {shown} and {more} more")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_near_was_meant() {
        for (word, known) in [("NOPE", "A"), ("B", "A"), ("DEVICE", "READINGS"), ("", "A")] {
            assert_eq!(did_you_mean(word, [known]), None, "{word}");
        }
        for (word, known) in [("DEVISE", "DEVICE"), ("CNT", "CNTS"), ("ID", "I")] {
            assert_eq!(did_you_mean(word, [known]), Some(known), "{word}");
        }
    }

    #[test]
    fn where_nothing_is_near_help_says_what_there_is() {
        let help = |word, names: &[&str]| help_with_name(word, "columns", names);
        assert_eq!(help("DEVISE", &["ID", "DEVICE"]).unwrap(), "did you mean DEVICE?");
        assert_eq!(help("NOPE", &["A", "ID"]).unwrap(), "columns: A, ID");
        assert_eq!(
            help("NOPE", &["A"; 12]).unwrap(),
            format!("columns: {}A and 2 more", "A, ".repeat(9))
        );
        assert_eq!(help("NOPE", &[]), None);
    }

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

    #[test]
    fn finds_what_was_meant() {
        assert_eq!(did_you_mean("SELEKT", ["INSERT", "SELECT"]), Some("SELECT"));
        assert_eq!(did_you_mean("XYZ", ["INSERT", "SELECT"]), None);
        assert_eq!(nearest("", ["SELECT", "SET"]), Some("SET"));
        assert_eq!(nearest("A", []), None);
    }
}
