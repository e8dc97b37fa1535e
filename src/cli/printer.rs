//! Where answers go, and how they look there.

use std::fs::File;
use std::io::{self, Write};

use serde_json::{Map, Value};

use super::entities::{Part, parts};
use super::table::{Layout, cell, csv, markdown, vertical};

/// How answers are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Tables.
    Table,
    /// A line for each column.
    Vertical,
    /// A JSON object a line.
    Json,
    /// Comma-separated values.
    Csv,
    /// Tables of Markdown.
    Markdown,
}

impl Format {
    /// All of them, by name.
    pub const ALL: [(&'static str, Self); 5] = [
        ("table", Self::Table),
        ("vertical", Self::Vertical),
        ("json", Self::Json),
        ("csv", Self::Csv),
        ("markdown", Self::Markdown),
    ];

    /// The format of this name; ksqlDB's TABULAR is a table.
    pub fn named(name: &str) -> Option<Self> {
        let name = if name.eq_ignore_ascii_case("tabular") { "table" } else { name };
        let found = Self::ALL.iter().find(|(own, _)| own.eq_ignore_ascii_case(name));
        found.map(|(_, format)| *format)
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, format)| *format == self).map_or("", |(name, _)| name)
    }
}

/// Shows answers on the screen, and in a file besides.
pub struct Printer {
    /// How.
    pub format: Format,
    /// Whether rows stand upright, whatever the format is.
    pub is_expanded: bool,
    /// How wide tables are; `None` for as wide as the terminal.
    pub width: Option<usize>,
    is_terminal: bool,
    screen: io::Stdout,
    spool: Option<File>,
}

impl Printer {
    /// A printer to standard output.
    pub fn new(format: Format, is_terminal: bool) -> Self {
        let screen = io::stdout();
        Self { format, is_expanded: false, width: None, is_terminal, screen, spool: None }
    }

    /// Whether a person sees it.
    pub fn is_terminal(&self) -> bool {
        self.is_terminal
    }

    /// Also writes to a file from now on, or to none.
    pub fn spool(&mut self, file: Option<File>) {
        self.spool = file;
    }

    /// The format that rows have now.
    pub fn row_format(&self) -> Format {
        if self.is_expanded { Format::Vertical } else { self.format }
    }

    /// How many columns and lines there are to fill; no columns where nobody looks at a screen.
    pub fn size(&self) -> (Option<usize>, usize) {
        let screen = if self.is_terminal { crossterm::terminal::size().ok() } else { None };
        let (columns, lines) =
            screen.map_or((80, 24), |(columns, lines)| (columns.into(), lines.into()));
        let columns = if columns == 0 { 80 } else { columns };
        (self.width.or(self.is_terminal.then_some(columns)), lines)
    }

    /// Writes a text as it is.
    pub fn write(&mut self, text: &str) -> io::Result<()> {
        self.screen.write_all(text.as_bytes())?;
        self.screen.flush()?;
        match &mut self.spool {
            Some(file) => file.write_all(text.as_bytes()),
            None => Ok(()),
        }
    }

    /// Writes what only moves on the screen.
    pub fn draw(&mut self, text: &str) -> io::Result<()> {
        self.screen.write_all(text.as_bytes())?;
        self.screen.flush()
    }

    /// Writes what a person is told; what reads JSON or CSV is not.
    pub fn say(&mut self, text: &str) -> io::Result<()> {
        match self.format {
            Format::Json => {
                let object = Map::from_iter([("message".to_owned(), Value::from(text))]);
                self.write(&format!("{}\n", Value::Object(object)))
            }
            Format::Csv => Ok(()),
            _ => self.write(&format!("{text}\n")),
        }
    }

    /// Says what is none of the answers; where programs read those, beside them.
    pub fn tell(&mut self, text: &str) -> io::Result<()> {
        if matches!(self.format, Format::Json | Format::Csv) {
            eprintln!("{text}");
            return Ok(());
        }
        self.say(text)
    }

    /// Shows an entity of a server's answer.
    pub fn entity(&mut self, entity: &Value) -> io::Result<()> {
        if self.format == Format::Json {
            return self.write(&format!("{entity}\n"));
        }
        for part in parts(entity) {
            match part {
                Part::Text(text) => {
                    // What a terminal would take for an order is not shown as it is; tabs are none.
                    let shown = |line: &str| {
                        let parts = line.split('\t').map(|part| cell(&Value::from(part)));
                        parts.collect::<Vec<_>>().join("\t")
                    };
                    let lines: Vec<String> = text.lines().map(shown).collect();
                    self.say(&lines.join("\n"))?;
                }
                Part::Rows { columns, rows } => {
                    let mut printed = Rows::new(columns);
                    for row in rows {
                        printed.push(row, self)?;
                    }
                    printed.finish(self)?;
                }
            }
        }
        Ok(())
    }
}

/// How many rows a layout is made from at most.
const SAMPLE_MAX: usize = 1_000;

/// Rows that are shown as they come, under names that are shown once.
pub struct Rows {
    columns: Vec<String>,
    /// Rows that wait for the layout that they decide.
    waiting: Vec<Vec<Value>>,
    layout: Option<Layout>,
    count: u64,
}

impl Rows {
    /// No rows yet of these columns.
    pub fn new(columns: Vec<String>) -> Self {
        Self { columns, waiting: Vec::new(), layout: None, count: 0 }
    }

    /// How many rows there were.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Whether rows wait to be shown.
    pub fn is_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Shows a row, at once or with those that follow closely.
    pub fn push(&mut self, row: Vec<Value>, printer: &mut Printer) -> io::Result<()> {
        self.count += 1;
        match printer.row_format() {
            Format::Table => {
                if let Some(layout) = &self.layout {
                    return printer.write(&layout.row(&row));
                }
                self.waiting.push(row);
                if self.waiting.len() < SAMPLE_MAX { Ok(()) } else { self.flush(printer) }
            }
            Format::Vertical => printer.write(&vertical(&self.columns, &row, self.count)),
            Format::Json => {
                let object: Map<String, Value> = self.columns.iter().cloned().zip(row).collect();
                printer.write(&format!("{}\n", Value::Object(object)))
            }
            Format::Csv => {
                self.names(printer, csv)?;
                printer.write(&csv(&row))
            }
            Format::Markdown => {
                self.names(printer, markdown)?;
                printer.write(&markdown(&row))
            }
        }
    }

    /// Shows all rows so far.
    pub fn flush(&mut self, printer: &mut Printer) -> io::Result<()> {
        if self.layout.is_some() || printer.row_format() != Format::Table {
            return Ok(());
        }
        let layout = Layout::new(&self.columns, &self.waiting, printer.size().0);
        let mut text = layout.header();
        for row in std::mem::take(&mut self.waiting) {
            text.push_str(&layout.row(&row));
        }
        self.layout = Some(layout);
        printer.write(&text)
    }

    /// Shows what is left, names without rows too, and what is to be said of columns that had no room.
    pub fn finish(&mut self, printer: &mut Printer) -> io::Result<()> {
        self.flush(printer)?;
        match printer.row_format() {
            Format::Csv => self.names(printer, csv)?,
            Format::Markdown => self.names(printer, markdown)?,
            _ => {}
        }
        match self.layout.as_ref().and_then(Layout::footer) {
            Some(footer) => printer.say(&footer),
            None => Ok(()),
        }
    }

    /// Writes the names of the columns, once.
    fn names(
        &mut self,
        printer: &mut Printer,
        line: for<'a> fn(&'a [Value]) -> String,
    ) -> io::Result<()> {
        if self.layout.is_some() {
            return Ok(());
        }
        let names: Vec<Value> =
            self.columns.iter().map(|name| Value::from(name.as_str())).collect();
        printer.write(&line(&names))?;
        if printer.row_format() == Format::Markdown {
            printer.write(&format!("|{}\n", " --- |".repeat(names.len())))?;
        }
        self.layout = Some(Layout::new(&[], &[], None));
        Ok(())
    }
}
