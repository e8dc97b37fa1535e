//! What a server counts, as tables: queries and topics, sorted.

use serde_json::Value;
use unicode_width::UnicodeWidthStr as _;

use super::table::{cell, cut};

/// Over how many of the last seconds rates are taken.
const SECONDS: usize = 5;

/// How much stands between two columns.
const BETWEEN: usize = 2;

/// How narrow names are made at most.
const NAME_LEAST: usize = 8;

/// By what queries and topics are sorted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sort {
    /// By name.
    Name,
    /// Those first that read most; of topics, to which most comes.
    Read,
    /// Those first that write most.
    Written,
    /// Those first that are furthest behind.
    Lag,
    /// Those first that have skipped most.
    Skipped,
}

impl Sort {
    /// All, each with the key that it is chosen by.
    pub const ALL: [(char, Self, &'static str); 5] = [
        ('n', Self::Name, "name"),
        ('r', Self::Read, "records read a second"),
        ('w', Self::Written, "records written a second"),
        ('l', Self::Lag, "lag"),
        ('s', Self::Skipped, "records skipped"),
    ];
}

/// A line, and whether it tells of something that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// What it says, as wide as the screen at most.
    pub text: String,
    /// How it is shown.
    pub tone: Tone,
}

/// How a line is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// As text is.
    Plain,
    /// So that it is found.
    Heading,
    /// So that it is seen first.
    Alarm,
}

impl Line {
    fn new(tone: Tone, text: impl Into<String>, width: usize) -> Self {
        Self { text: cut(&shown(&text.into()), width), tone }
    }
}

/// A text without what would drive a terminal: names come from elsewhere.
fn shown(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

/// The figures of a server as lines, the totals first.
pub fn lines(figures: &Value, sort: Sort, width: usize) -> Vec<Line> {
    let queries = Query::all(figures, sort);
    let mut lines = vec![total(figures, &queries, width), blank()];
    lines.extend(query_lines(&queries, width));
    lines.push(blank());
    lines.extend(topic_lines(figures, sort, width));
    lines
}

fn blank() -> Line {
    Line { text: String::new(), tone: Tone::Plain }
}

/// What is shown of a query.
struct Query<'f> {
    id: &'f str,
    state: &'f str,
    cause: Option<&'f str>,
    read: Option<f64>,
    written: Option<f64>,
    lag: Option<i64>,
    rows: i64,
    skipped: i64,
    failures: i64,
}

impl<'f> Query<'f> {
    fn all(figures: &'f Value, sort: Sort) -> Vec<Self> {
        let queries = figures["queries"].as_array().into_iter().flatten();
        let mut queries: Vec<Self> = queries.map(Self::of).collect();
        queries.sort_by(|a, b| {
            let by_figure = match sort {
                Sort::Name => std::cmp::Ordering::Equal,
                Sort::Read => most(b.read).total_cmp(&most(a.read)),
                Sort::Written => most(b.written).total_cmp(&most(a.written)),
                Sort::Lag => b.lag.cmp(&a.lag),
                Sort::Skipped => b.skipped.cmp(&a.skipped),
            };
            by_figure.then_with(|| a.id.cmp(b.id))
        });
        queries
    }

    fn of(query: &'f Value) -> Self {
        let skipped = query["skipped"].as_object().into_iter().flatten();
        let state = query["state"].as_str().unwrap_or_default();
        Self {
            id: query["id"].as_str().unwrap_or_default(),
            state,
            cause: query["cause"].as_str().filter(|_| state != "running"),
            read: rate(&query["over_time"]["read_per_second"]),
            written: rate(&query["over_time"]["written_per_second"]),
            lag: query["lag"].as_i64(),
            rows: query["stored_rows"].as_i64().unwrap_or(0),
            skipped: skipped.filter_map(|(_, count)| count.as_i64()).sum(),
            failures: query["failures"].as_i64().unwrap_or(0),
        }
    }

    fn is_wrong(&self) -> bool {
        matches!(self.state, "retrying" | "failed")
    }
}

/// What is not known comes last.
fn most(rate: Option<f64>) -> f64 {
    rate.unwrap_or(-1.0)
}

/// The mean of the last points that are known, if there are any.
fn rate(points: &Value) -> Option<f64> {
    let points = points.as_array()?;
    let last: Vec<f64> = points.iter().rev().filter_map(Value::as_f64).take(SECONDS).collect();
    (!last.is_empty()).then(|| last.iter().sum::<f64>() / last.len() as f64)
}

/// `localhost:8088  2 queries  read 1200/s  written 30/s  lag 5  skipped 1  busy 20%`
fn total(figures: &Value, queries: &[Query<'_>], width: usize) -> Line {
    let sum = |of: fn(&Query<'_>) -> Option<f64>| {
        queries.iter().filter_map(of).fold(0.0, |sum, rate| sum + rate)
    };
    let (read, written) = (sum(|query| query.read), sum(|query| query.written));
    let lag: i64 = queries.iter().filter_map(|query| query.lag).sum();
    let skipped: i64 = queries.iter().map(|query| query.skipped).sum();
    let wrong = queries.iter().filter(|query| query.is_wrong()).count();
    let mut parts = vec![
        figures["server"].as_str().unwrap_or_default().to_owned(),
        match queries.len() {
            1 => "1 query".to_owned(),
            count => format!("{count} queries"),
        },
    ];
    if wrong > 0 {
        parts.push(format!("{wrong} failing"));
    }
    parts.push(format!("read {read:.0}/s"));
    parts.push(format!("written {written:.0}/s"));
    parts.push(format!("lag {lag}"));
    parts.push(format!("skipped {skipped}"));
    if let Some(busy) = figures["busy_share"].as_f64() {
        parts.push(format!("busy {:.0}%", busy * 100.0));
    }
    let tone = if wrong > 0 { Tone::Alarm } else { Tone::Heading };
    Line::new(tone, parts.join("  "), width)
}

fn query_lines(queries: &[Query<'_>], width: usize) -> Vec<Line> {
    let names = ["QUERY", "STATE", "READ/S", "OUT/S", "LAG", "ROWS", "SKIP", "FAIL"];
    let row = |query: &Query<'_>| {
        vec![
            query.id.into(),
            query.state.into(),
            number(query.read),
            number(query.written),
            query.lag.map_or(Value::Null, Value::from),
            query.rows.into(),
            query.skipped.into(),
            query.failures.into(),
        ]
    };
    let rows: Vec<Vec<Value>> = queries.iter().map(row).collect();
    let mut texts = table(&names, &rows, width).into_iter();
    let mut lines: Vec<Line> =
        texts.next().map(|names| Line::new(Tone::Heading, names, width)).into_iter().collect();
    for (query, text) in queries.iter().zip(texts) {
        let tone = if query.is_wrong() { Tone::Alarm } else { Tone::Plain };
        lines.push(Line::new(tone, text, width));
        if let Some(cause) = query.cause {
            lines.push(Line::new(tone, format!("  {cause}"), width));
        }
    }
    lines
}

/// The topics: how much comes to each, how large the largest partition's share is, and how uneven all are.
fn topic_lines(figures: &Value, sort: Sort, width: usize) -> Vec<Line> {
    let names = ["TOPIC", "PARTS", "IN/S", "RECORDS", "LARGEST", "VARIATION", "COUNTED"];
    let topics = figures["topics"].as_array().into_iter().flatten();
    let mut rows: Vec<(f64, Vec<Value>)> = topics.map(topic_row).collect();
    if sort != Sort::Name {
        rows.sort_by(|a, b| b.0.total_cmp(&a.0));
    }
    let rows: Vec<Vec<Value>> = rows.into_iter().map(|(_, row)| row).collect();
    let texts = table(&names, &rows, width).into_iter();
    let tones = std::iter::once(Tone::Heading).chain(std::iter::repeat(Tone::Plain));
    texts.zip(tones).map(|(text, tone)| Line::new(tone, text, width)).collect()
}

/// A topic, and how much comes to it a second.
fn topic_row(topic: &Value) -> (f64, Vec<Value>) {
    let partitions = topic["partitions"].as_array().map_or(&[][..], Vec::as_slice);
    let rates = partitions.iter().map(|one| rate(&one["over_time"]["records_per_second"]));
    let rates: Option<f64> = rates.collect::<Option<Vec<_>>>().map(|all| all.iter().sum());
    let records: i64 = partitions.iter().filter_map(|one| one["records"].as_i64()).sum();
    let share = |one: &Value| Some((one["share"].as_f64()?, one["partition"].as_i64()?));
    let largest = partitions.iter().filter_map(share).max_by(|a, b| a.0.total_cmp(&b.0));
    let largest = largest.map(|(share, at)| format!("{:.0}% in {at}", share * 100.0));
    let row = vec![
        topic["name"].clone(),
        partitions.len().into(),
        number(rates),
        records.into(),
        largest.map_or(Value::Null, Value::from),
        topic["variation"].as_f64().map_or(Value::Null, hundredths),
        topic["counted"].clone(),
    ];
    (most(rates), row)
}

/// The lines of a table, that of the names first. All columns but the first have the width that they need, and that has
/// what is left: names are long, and mean most.
fn table(names: &[&str], rows: &[Vec<Value>], width: usize) -> Vec<String> {
    let texts = rows.iter().map(|row| {
        let text = |value: &Value| if value.is_null() { "-".to_owned() } else { cell(value) };
        row.iter().map(text).collect::<Vec<_>>()
    });
    let texts: Vec<Vec<String>> = texts.collect();
    let widest = |at: usize| {
        let cells = texts.iter().filter_map(|row| row.get(at)).map(|text| text.width());
        cells.chain([names[at].width()]).max().unwrap_or(0)
    };
    let mut widths: Vec<usize> = (0..names.len()).map(widest).collect();
    let others: usize = widths.iter().skip(1).map(|width| width + BETWEEN).sum();
    if let Some(first) = widths.first_mut() {
        *first = (*first).min(width.saturating_sub(others)).max(NAME_LEAST);
    }
    let is_text = |at: usize| rows.iter().any(|row| row.get(at).is_some_and(Value::is_string));
    let line = |cells: &mut dyn Iterator<Item = &str>| {
        let mut line = String::new();
        for (at, (text, width)) in cells.zip(&widths).enumerate() {
            let shown = cut(text, *width);
            let blank = " ".repeat(width.saturating_sub(shown.width()));
            let between = if at == 0 { "" } else { "  " };
            let (before, after) = if is_text(at) { ("", &*blank) } else { (&*blank, "") };
            line.extend([between, before, &shown, after]);
        }
        line.truncate(line.trim_end().len());
        line
    };
    let mut lines = vec![line(&mut names.iter().copied())];
    lines.extend(texts.iter().map(|row| line(&mut row.iter().map(String::as_str))));
    lines
}

fn hundredths(value: f64) -> Value {
    ((value * 100.0).round() / 100.0).into()
}

fn number(rate: Option<f64>) -> Value {
    rate.map_or(Value::Null, |rate| Value::from(rate.round() as i64))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn figures() -> Value {
        let query = |id: &str, state: &str, read: Value, lag: i64| {
            json!({
                "id": id, "state": state, "cause": "it is away\u{1b}[2J", "lag": lag, "stored_rows": 7,
                "skipped": { "late": 2, "null_key": 1 }, "failures": 0,
                "over_time": { "read_per_second": read, "written_per_second": [null] },
            })
        };
        json!({
            "server": "localhost:8088",
            "busy_share": 0.25,
            "queries": [
                query("CSAS_A_1", "running", json!([1_000, null, 10, 20, null]), 5),
                query("CTAS_B_2", "retrying", json!([4_000]), 0),
            ],
            "topics": [{
                "name": "readings", "counted": "records", "variation": 1.202,
                "partitions": [
                    { "partition": 0, "records": 90, "share": 0.9, "over_time": { "records_per_second": [9] } },
                    { "partition": 1, "records": 10, "share": 0.1, "over_time": { "records_per_second": [1] } },
                ],
            }],
        })
    }

    fn text(sort: Sort, width: usize) -> String {
        let lines = lines(&figures(), sort, width);
        lines.iter().flat_map(|line| [line.text.as_str(), "\n"]).collect()
    }

    #[test]
    fn queries_and_topics_stand_in_tables() {
        let expected = "\
localhost:8088  2 queries  1 failing  read 4343/s  written 0/s  lag 5  skipped 6  busy 25%

QUERY     STATE     READ/S  OUT/S  LAG  ROWS  SKIP  FAIL
CTAS_B_2  retrying    4000      -    0     7     3     0
  it is away\u{fffd}[2J
CSAS_A_1  running      343      -    5     7     3     0

TOPIC     PARTS  IN/S  RECORDS  LARGEST   VARIATION  COUNTED
readings      2    10      100  90% in 0        1.2  records
";
        assert_eq!(text(Sort::Read, 120), expected);
    }

    #[test]
    fn they_are_sorted_by_what_is_asked_for() {
        let first = |sort| {
            let lines = lines(&figures(), sort, 80);
            lines[3].text.split(' ').next().unwrap().to_owned()
        };
        assert_eq!(first(Sort::Read), "CTAS_B_2");
        assert_eq!(first(Sort::Lag), "CSAS_A_1");
        assert_eq!(first(Sort::Name), "CSAS_A_1");
    }

    #[test]
    fn names_have_the_room_that_figures_leave() {
        let mut figures = figures();
        figures["queries"][0]["id"] = json!("CTAS_DEVICE_ACTIVITY_COUNTS_1");
        let shown = |width: usize| lines(&figures, Sort::Lag, width)[3].text.clone();
        assert!(shown(80).starts_with("CTAS_DEVICE_ACTIVITY_COUNTS_1  running "), "{}", shown(80));
        assert!(shown(66).starts_with("CTAS_DEVICE_ACTIV…  running "), "{}", shown(66));
    }

    #[test]
    fn no_line_is_wider_than_the_screen() {
        for width in [10, 40, 79, 80] {
            let lines = lines(&figures(), Sort::Name, width);
            assert!(lines.iter().all(|line| line.text.chars().count() <= width), "{lines:?}");
        }
    }
}
