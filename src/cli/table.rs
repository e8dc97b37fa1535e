//! Rows as a table that fits, upright, as CSV and as Markdown.

use std::fmt::Write as _;

use serde_json::Value;
use unicode_width::UnicodeWidthStr as _;

pub use crate::terminal::cut;

/// What stands between two columns.
const BETWEEN: usize = 3;
/// How narrow a column is made at most.
const NARROW: usize = 6;
/// What marks that something is cut.
const CUT: char = '…';

/// How wide the columns of a table are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    names: Vec<String>,
    widths: Vec<usize>,
    /// Whether numbers stand in it, to the right.
    is_right: Vec<bool>,
    /// How many columns are left out on the right.
    hidden: usize,
    /// Whether cells that are wider are cut.
    is_cut: bool,
}

impl Layout {
    /// A layout for these rows, and perhaps more, of at most so many columns of the screen.
    pub fn new(names: &[String], rows: &[Vec<Value>], width: Option<usize>) -> Self {
        let cell_width =
            |row: &Vec<Value>, at: usize| row.get(at).map_or(0, |value| cell(value).width());
        let natural = |(at, name): (usize, &String)| {
            let widest = rows.iter().map(|row| cell_width(row, at)).max().unwrap_or(0);
            widest.max(name.width())
        };
        let mut widths: Vec<usize> = names.iter().enumerate().map(natural).collect();
        let is_number = |at: usize| {
            let mut values = rows
                .iter()
                .filter_map(|row| row.get(at))
                .filter(|value| !value.is_null())
                .peekable();
            values.peek().is_some() && values.all(Value::is_number)
        };
        let is_right = (0..names.len()).map(is_number).collect();
        let hidden = width.map_or(0, |width| fit(&mut widths, width));
        Self { names: names.to_vec(), widths, is_right, hidden, is_cut: width.is_some() }
    }

    /// The line of names, and the one below it.
    pub fn header(&self) -> String {
        let names: Vec<&str> = self.names.iter().map(String::as_str).collect();
        let dashes: Vec<String> = self.widths.iter().map(|width| "-".repeat(*width)).collect();
        let more = if self.hidden > 0 { format!("-+-{CUT}") } else { String::new() };
        format!("{}\n{}{more}\n", self.line(&names), dashes.join("-+-"))
    }

    /// The line of a row.
    pub fn row(&self, row: &[Value]) -> String {
        let cells: Vec<String> = row.iter().map(cell).collect();
        let mut line = self.line(&cells.iter().map(String::as_str).collect::<Vec<_>>());
        line.push('\n');
        line
    }

    /// What is said below a table whose columns do not all fit.
    pub fn footer(&self) -> Option<String> {
        let hidden = self.hidden;
        let s = if hidden == 1 { "" } else { "s" };
        (hidden > 0).then(|| {
            format!("{hidden} column{s} left out on the right; \\x or OUTPUT vertical shows all")
        })
    }

    fn line(&self, cells: &[&str]) -> String {
        let mut line = String::new();
        for (at, width) in self.widths.iter().enumerate() {
            if at > 0 {
                line.push_str(" | ");
            }
            let cell = cells.get(at).copied().unwrap_or_default();
            let shown = if self.is_cut { cut(cell, *width) } else { cell.to_owned() };
            let blank = " ".repeat(width.saturating_sub(shown.width()));
            let (before, after) =
                if self.is_right[at] { (blank.as_str(), "") } else { ("", blank.as_str()) };
            line.push_str(before);
            line.push_str(&shown);
            line.push_str(after);
        }
        if self.hidden > 0 {
            line.push_str(" | ");
            line.push(CUT);
        }
        line.truncate(line.trim_end().len());
        line
    }
}

/// Makes columns narrow enough, widest first, and drops those that do not fit; says how many.
fn fit(widths: &mut Vec<usize>, width: usize) -> usize {
    let all = widths.len();
    let least = |widths: &[usize], hidden: bool| {
        let cells: usize = widths.iter().map(|one| (*one).min(NARROW)).sum();
        cells + BETWEEN * widths.len().saturating_sub(1) + if hidden { BETWEEN + 1 } else { 0 }
    };
    while widths.len() > 1 && least(widths, widths.len() < all) > width {
        widths.pop();
    }
    let hidden = all - widths.len();
    let between =
        BETWEEN * widths.len().saturating_sub(1) + if hidden > 0 { BETWEEN + 1 } else { 0 };
    let room = width.saturating_sub(between).max(1);
    // The widest that all may be: those below it keep their width, the others share what is left.
    let mut sorted = widths.clone();
    sorted.sort_unstable();
    let (mut left, mut widest) = (room, room);
    for (at, one) in sorted.iter().enumerate() {
        let share = left / (sorted.len() - at);
        if *one > share {
            widest = share.max(1);
            break;
        }
        left -= one;
    }
    for one in widths.iter_mut() {
        *one = (*one).min(widest);
    }
    hidden
}

/// A value as a cell shows it: text as it is, without what would drive a terminal.
pub fn cell(value: &Value) -> String {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Null => "null".to_owned(),
        other => other.to_string(),
    };
    if !text.contains(char::is_control) {
        return text;
    }
    let escape =
        |c: char| if c.is_control() { c.escape_default().to_string() } else { c.to_string() };
    text.chars().map(escape).collect()
}

/// A row upright: a line for each column.
pub fn vertical(names: &[String], row: &[Value], number: u64) -> String {
    let width = names.iter().map(|name| name.width()).max().unwrap_or(0);
    let mut text = format!("-[ ROW {number} ]{}\n", "-".repeat(20));
    for (name, value) in names.iter().zip(row) {
        let blank = " ".repeat(width - name.width());
        let _ = writeln!(text, "{name}{blank} | {}", cell(value));
    }
    text
}

/// A line of CSV, with quotes where they are needed.
pub fn csv(cells: &[Value]) -> String {
    let field = |value: &Value| {
        let text = match value {
            Value::String(text) => text.clone(),
            Value::Null => return String::new(),
            other => other.to_string(),
        };
        let is_plain = !text.is_empty() && !text.contains([',', '"', '\n', '\r']);
        if is_plain { text } else { format!("\"{}\"", text.replace('"', "\"\"")) }
    };
    let fields: Vec<String> = cells.iter().map(field).collect();
    fields.join(",") + "\n"
}

/// A line of a Markdown table.
pub fn markdown(cells: &[Value]) -> String {
    let cells: Vec<String> = cells.iter().map(|value| cell(value).replace('|', "\\|")).collect();
    format!("| {} |\n", cells.join(" | "))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn layout(names: &[&str], rows: &Value, width: Option<usize>) -> String {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let rows: Vec<Vec<Value>> =
            rows.as_array().unwrap().iter().map(|row| row.as_array().unwrap().clone()).collect();
        let layout = Layout::new(&names, &rows, width);
        let mut text = layout.header();
        for row in &rows {
            text.push_str(&layout.row(row));
        }
        text.extend(layout.footer());
        text
    }

    #[test]
    fn columns_are_as_wide_as_they_need() {
        assert_eq!(
            layout(&["ITEM", "N"], &json!([["apple", 3], ["漢字", 12], [null, null]]), None),
            "ITEM  |    N\n------+-----\napple |    3\n漢字  |   12\nnull  | null\n"
        );
    }

    #[test]
    fn what_does_not_fit_is_cut_and_marked() {
        let rows = json!([["a long text that goes on", "short", 1]]);
        assert_eq!(
            layout(&["A", "B", "C"], &rows, Some(20)),
            "A        | B     | C\n---------+-------+--\na long … | short | 1\n"
        );
    }

    #[test]
    fn columns_that_have_no_room_are_counted() {
        let rows = json!([["aaaaaaaa", "bbbbbbbb", "cccccccc"]]);
        let text = layout(&["A", "B", "C"], &rows, Some(16));
        assert!(text.lines().next().unwrap().ends_with('…'), "{text}");
        assert!(text.ends_with("shows all"), "{text}");
        assert!(text.lines().take(3).all(|line| line.width() <= 16), "{text}");
    }

    #[test]
    fn no_line_is_wider_than_the_screen() {
        let rows = json!([["漢字漢字漢字漢字", "x".repeat(50), 123_456_789, {"a": [1, 2]}]]);
        for width in 10..120 {
            let text = layout(&["WIDE", "LONG", "NUMBER", "STRUCT"], &rows, Some(width));
            assert!(text.lines().take(3).all(|line| line.width() <= width), "{width}:\n{text}");
        }
    }

    #[test]
    fn cells_cannot_drive_the_terminal() {
        assert_eq!(cell(&json!("a\u{1b}[2J\n")), "a\\u{1b}[2J\\n");
        assert_eq!(
            csv(&[json!("a,\"b\""), json!(null), json!(""), json!(1)]),
            "\"a,\"\"b\"\"\",,\"\",1\n"
        );
        assert_eq!(markdown(&[json!("a|b")]), "| a\\|b |\n");
        let names = ["A".to_owned(), "LONG".to_owned()];
        assert_eq!(vertical(&names, &[json!(1), json!("x")], 1).lines().nth(1), Some("A    | 1"));
    }
}
