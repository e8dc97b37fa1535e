//! Where a statement stands in the file that it comes from.

use std::sync::Arc;

use crate::sql::diagnostic::Color;
use crate::sql::{Diagnostic, Span};

/// Where a piece of a file stands in it.
#[derive(Debug, Clone)]
pub struct Place {
    file: Arc<str>,
    text: Arc<str>,
    span: Span,
}

impl Place {
    /// The place of a piece of a file with this text.
    pub fn new(file: &str, text: &str, span: Span) -> Self {
        Self { file: file.into(), text: text.into(), span }
    }

    /// A place of the statement as `FILE:LINE:COLUMN`, if the statement is what stands there.
    pub fn of(&self, span: Span, statement: &str) -> Option<String> {
        let start = self.start_of(statement)?;
        let at = Span::new(start + span.start, start + span.end).position(&*self.text);
        Some(format!("{}:{}:{}", self.file, at.line, at.column))
    }

    /// A fault of the statement as text, with its place in the file: that of the whole piece where the fault has none of its
    /// own, or the statement stands for a command of the shell.
    pub fn render(&self, fault: Diagnostic, statement: &str, color: Color) -> String {
        let start = self.start_of(statement).filter(|_| !fault.labels.is_empty());
        let fault = match start {
            Some(start) => fault.moved(&|span| Span::new(start + span.start, start + span.end)),
            None => Diagnostic { labels: Vec::new(), more: Vec::new(), ..fault }.at(self.span, ""),
        };
        fault.render_in(Some(&self.file), &*self.text, color)
    }

    /// Where the statement begins in the file, but for a semicolon that was added to it.
    fn start_of(&self, statement: &str) -> Option<usize> {
        let piece = self.span.text(&self.text);
        (statement.strip_suffix(';').unwrap_or(statement)
            == piece.strip_suffix(';').unwrap_or(piece))
        .then_some(self.span.start)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_are_shown_where_they_stand_in_the_file() {
        let text = "SHOW TABLES;\n\\d a\n  SELECT x\nFROM b";
        let place = |piece: &str| {
            let at = text.find(piece).unwrap_or_default();
            Place::new("a.sql", text, Span::new(at, at + piece.len()))
        };
        let select = place("SELECT x\nFROM b");
        let fault = Diagnostic::new("no").at(Span::new(7, 8), "here");
        assert_eq!(
            select.render(fault, "SELECT x\nFROM b;", Color::Never),
            "error: no\n--> a.sql:3:10\n 3 |   SELECT x\n   |          ^ here\n"
        );
        assert_eq!(select.of(Span::new(9, 13), "SELECT x\nFROM b;").as_deref(), Some("a.sql:4:1"));
        let fault = Diagnostic::new("no").at(Span::new(9, 10), "");
        assert_eq!(
            place("\\d a").render(fault, "DESCRIBE a;", Color::Never),
            "error: no\n--> a.sql:2:1\n 2 | \\d a\n   | ^^^^\n"
        );
    }
}
