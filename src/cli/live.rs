//! A push query over a table on a terminal: the latest row of each key, updated in place.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::io;

use serde_json::Value;

use super::client::Client;
use super::printer::Printer;
use super::session::Session;
use super::table::{Layout, cut};
use crate::sql::tokens::{TokenClass, tokens};

/// How many rows are kept; beyond, the one that has not changed for longest goes.
const ROWS_MAX: usize = 10_000;
/// Lines of the screen that are no rows: names, dashes, and what is said below.
const OTHER_LINES: usize = 4;

/// The columns by which rows replace one another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keys(pub Vec<String>);

/// The keys of the rows of a push query, if it is one over a table; asks the server what it makes of the statement.
pub async fn keys(client: &Client, statement: &str, session: &mut Session) -> Option<Keys> {
    let words = tokens(statement);
    let place = |word: &'static str| {
        words.iter().position(|token| token.class == TokenClass::Keyword(word))
    };
    place("EMIT")?;
    if place("GROUP").is_none() {
        let from = place("FROM")?;
        let source = words.get(from + 1)?.span.text(statement);
        let described = client.statement(&format!("DESCRIBE {source};"), session).await.ok()?;
        if described.first()?["sourceDescription"]["type"] != "TABLE" {
            return None;
        }
    }
    let explained = client.statement(&format!("EXPLAIN {statement}"), session).await.ok()?;
    let fields = explained.first()?["queryDescription"]["fields"].as_array()?.clone();
    let keys = fields.iter().filter(|field| field["type"] == "KEY");
    let mut keys: Vec<String> =
        keys.filter_map(|field| Some(field["name"].as_str()?.to_owned())).collect();
    keys.extend(["WINDOWSTART".to_owned(), "WINDOWEND".to_owned()]);
    Some(Keys(keys))
}

/// The latest row of each key.
pub struct LiveTable {
    names: Vec<String>,
    keys: Vec<usize>,
    rows: HashMap<String, (u64, Vec<Value>)>,
    changes: u64,
    drawn_changes: u64,
    drawn_lines: usize,
}

impl LiveTable {
    /// No rows yet; `None` where none of the keys is among the columns.
    pub fn new(names: &[String], keys: &Keys) -> Option<Self> {
        let is_key = |(_, name): &(usize, &String)| keys.0.contains(name);
        let keys: Vec<usize> = names.iter().enumerate().filter(is_key).map(|(at, _)| at).collect();
        let (names, rows) = (names.to_vec(), HashMap::new());
        (!keys.is_empty()).then_some(Self {
            names,
            keys,
            rows,
            changes: 0,
            drawn_changes: 0,
            drawn_lines: 0,
        })
    }

    /// Puts a row in the place of the one with its key.
    pub fn put(&mut self, row: Vec<Value>) {
        self.changes += 1;
        self.rows.insert(self.key(&row), (self.changes, row));
        if self.rows.len() > ROWS_MAX {
            let oldest =
                self.rows.iter().min_by_key(|(_, (at, _))| *at).map(|(key, _)| key.clone());
            self.rows.remove(&oldest.unwrap_or_default());
        }
    }

    /// Takes out the row with the key of this one.
    pub fn remove(&mut self, row: &[Value]) {
        self.changes += 1;
        self.rows.remove(&self.key(row));
    }

    fn key(&self, row: &[Value]) -> String {
        let mut key = String::new();
        for at in &self.keys {
            let _ = write!(key, "{}\u{0}", row.get(*at).unwrap_or(&Value::Null));
        }
        key
    }

    /// Draws the table over itself, if it has changed.
    pub fn draw(&mut self, printer: &mut Printer) -> io::Result<()> {
        if self.changes == self.drawn_changes {
            return Ok(());
        }
        let (width, lines) = printer.size();
        let text = self.text(width, lines.saturating_sub(OTHER_LINES).max(1));
        let up = if self.drawn_lines > 0 {
            format!("\u{1b}[{}F\u{1b}[J", self.drawn_lines)
        } else {
            String::new()
        };
        self.drawn_lines = text.matches('\n').count();
        self.drawn_changes = self.changes;
        printer.draw(&format!("{up}{text}"))
    }

    /// The rows that changed last, in the order of their keys, and how many there are.
    fn text(&self, width: Option<usize>, rows_max: usize) -> String {
        let mut rows: Vec<_> = self.rows.iter().collect();
        rows.sort_by_key(|(_, (at, _))| std::cmp::Reverse(*at));
        rows.truncate(rows_max);
        rows.sort_by(|a, b| a.0.cmp(b.0));
        let shown: Vec<Vec<Value>> = rows.iter().map(|(_, (_, row))| row.clone()).collect();
        let layout = Layout::new(&self.names, &shown, width);
        let mut text = layout.header();
        for row in &shown {
            text.push_str(&layout.row(row));
        }
        let (all, changes) = (self.rows.len(), self.changes);
        let last =
            format!("{} of {all} rows, {changes} changes; Ctrl-C ends the query", shown.len());
        text.push_str(&width.map_or_else(|| last.clone(), |width| cut(&last, width)));
        text.push('\n');
        text
    }

    /// Leaves the last state on the screen.
    pub fn finish(&mut self, printer: &mut Printer) -> io::Result<()> {
        self.draw(printer)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn rows_replace_those_of_their_key() {
        let names = ["K", "N"].map(str::to_owned);
        let mut table = LiveTable::new(&names, &Keys(vec!["K".into()])).unwrap();
        table.put(vec![json!("b"), json!(1)]);
        table.put(vec![json!("a"), json!(1)]);
        table.put(vec![json!("b"), json!(2)]);
        let text = table.text(None, 10);
        assert_eq!(
            text,
            "K | N\n--+--\na | 1\nb | 2\n2 of 2 rows, 3 changes; Ctrl-C ends the query\n"
        );
        table.remove(&[json!("a"), json!(null)]);
        assert!(table.text(None, 10).contains("1 of 1 rows, 4 changes"));
        assert!(LiveTable::new(&names, &Keys(vec!["X".into()])).is_none());
    }

    #[test]
    fn a_screen_shows_what_changed_last() {
        let names = ["K".to_owned()];
        let mut table = LiveTable::new(&names, &Keys(vec!["K".into()])).unwrap();
        (0..ROWS_MAX + 5).for_each(|row| table.put(vec![json!(row)]));
        assert_eq!(table.rows.len(), ROWS_MAX);
        assert_eq!(table.text(Some(40), 3).lines().count(), 6);
    }
}
