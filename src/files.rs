//! Files of statements that are one program: parsed together, and their faults told by file.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use millstream::sql::diagnostic::Color;
use millstream::sql::{Diagnostic, Span, Text};

/// Files of statements, in the order in which they run.
pub(crate) struct Files {
    files: Vec<File>,
    text: Text,
}

struct File {
    name: String,
    /// Where its text stands in the text of all.
    span: Span,
}

impl Files {
    /// Reads files; `-` is standard input, and a directory stands for the files in it whose names end with `.sql`, by name.
    pub(crate) fn read(paths: &[PathBuf]) -> anyhow::Result<Self> {
        let mut all = Vec::with_capacity(paths.len());
        for path in paths {
            if path.is_dir() { all.extend(in_directory(path)?) } else { all.push(path.clone()) }
        }
        let mut files = Vec::with_capacity(all.len());
        for path in &all {
            let is_input = path.as_os_str() == "-";
            let name =
                if is_input { "standard input".to_owned() } else { path.display().to_string() };
            let text = if is_input {
                std::io::read_to_string(std::io::stdin())
            } else {
                std::fs::read_to_string(path)
            };
            let text = text.with_context(|| format!("cannot read {name}"))?;
            files.push((name, text));
        }
        Ok(Self::new(files.iter().map(|(name, text)| (name.as_str(), text.as_str()))))
    }

    /// Files by name and text.
    pub(crate) fn new<'a>(named: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let (mut files, mut text) = (Vec::new(), String::new());
        for (name, own) in named {
            let start = text.len();
            text.push_str(own);
            files.push(File { name: name.to_owned(), span: Span::new(start, text.len()) });
            // A comment on the last line must not go on in the next file.
            text.push('\n');
        }
        let starts: Vec<usize> = files.iter().map(|file| file.span.start).collect();
        Self { files, text: Text::of_parts(text, starts) }
    }

    /// The text of all files.
    pub(crate) fn text(&self) -> &Text {
        &self.text
    }

    /// The names of the files, separated by commas.
    pub(crate) fn names(&self) -> String {
        let names: Vec<_> = self.files.iter().map(|file| file.name.as_str()).collect();
        names.join(", ")
    }

    /// Shows faults on standard error, each with its place.
    pub(crate) fn show(&self, faults: &[Diagnostic]) {
        let color = if std::io::stderr().is_terminal() { Color::Ansi } else { Color::Never };
        for fault in faults {
            eprintln!("{}", self.render(fault, color));
        }
    }

    /// The file, line and column at which a span begins.
    pub(crate) fn place(&self, span: Span) -> String {
        let Some(file) = self.file_at(span.start) else { return String::new() };
        let at = span.position(&self.text);
        format!("{}:{}:{}", file.name, at.line, at.column)
    }

    fn file_at(&self, offset: usize) -> Option<&File> {
        let next = self.files.partition_point(|file| file.span.start <= offset);
        self.files.get(next.checked_sub(1)?)
    }

    /// A fault as text, with its place in the file that it is about.
    pub(crate) fn render(&self, fault: &Diagnostic, color: Color) -> String {
        let at = fault.labels.first().map_or(0, |(span, _)| span.start);
        let file = self.file_at(at).map(|file| file.name.as_str());
        fault.render_in(file, &self.text, color)
    }
}

/// The files of statements in a directory, by name.
fn in_directory(directory: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let unread = || format!("cannot read {}", directory.display());
    let mut files = Vec::new();
    for entry in std::fs::read_dir(directory).with_context(unread)? {
        let path = entry.with_context(unread)?.path();
        if path.is_file() && path.extension().is_some_and(|extension| extension == "sql") {
            files.push(path);
        }
    }
    anyhow::ensure!(!files.is_empty(), "no file in {} ends with .sql", directory.display());
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_is_told_by_file() {
        let files = Files::new([("a.sql", "one -- x"), ("b.sql", "two\nthree")]);
        assert_eq!(&**files.text(), "one -- x\ntwo\nthree\n");
        assert_eq!(files.names(), "a.sql, b.sql");
        let place = |word: &str| {
            let at = files.text().find(word).unwrap();
            let fault = Diagnostic::new("no").at(Span::new(at, at + word.len()), "here");
            files.render(&fault, Color::Never)
        };
        assert_eq!(place("one"), "error: no\n--> a.sql:1:1\n 1 | one -- x\n   | ^^^ here\n");
        let three = Span::new(files.text().find("three").unwrap(), files.text().len());
        assert_eq!(files.place(three), "b.sql:2:1");
        assert_eq!(place("three"), "error: no\n--> b.sql:2:1\n 2 | three\n   | ^^^^^ here\n");
    }
}
