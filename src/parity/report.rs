//! What is told of a comparison: a table and the first difference for people, JSON for programs.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::differences::{Comparison, Difference};
use super::record::{Placed, Record, escaped, hex};
use super::rewrite::SinkPair;
use crate::cli::table::Layout;

/// What was found about all sinks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// What the names of streams and tables began with.
    pub prefix: String,
    /// The sinks, in the order of their statements.
    pub sinks: Vec<SinkReport>,
    /// What was done otherwise than the files say.
    pub notes: Vec<String>,
}

/// What was found about a sink.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SinkReport {
    /// What it is.
    pub pair: SinkPair,
    /// What was found.
    pub found: Comparison,
}

/// What a comparison comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// All of it is the same.
    Equal,
    /// Something differs.
    Different,
    /// Nothing differs, and something could not be compared.
    NotComparable,
}

impl Verdict {
    /// What it is called.
    pub fn name(self) -> &'static str {
        match self {
            Self::Equal => "equal",
            Self::Different => "different",
            Self::NotComparable => "not comparable",
        }
    }

    /// What one thing comes to.
    pub fn of(found: &Comparison) -> Self {
        match (found.is_different(), found.is_open()) {
            (true, _) => Self::Different,
            (false, true) => Self::NotComparable,
            (false, false) => Self::Equal,
        }
    }
}

impl Report {
    /// What all of it comes to.
    pub fn verdict(&self) -> Verdict {
        let has = |verdict: Verdict| self.sinks.iter().any(|sink| sink.verdict() == verdict);
        if has(Verdict::Different) {
            return Verdict::Different;
        }
        if has(Verdict::NotComparable) { Verdict::NotComparable } else { Verdict::Equal }
    }

    /// All of it for people.
    pub fn text(&self) -> String {
        let names = ["sink", "result", "ours", "theirs", "equal", "not comparable", "different"];
        let names = names.map(str::to_owned);
        let rows: Vec<Vec<Value>> = self.sinks.iter().map(SinkReport::row).collect();
        let layout = Layout::new(&names, &rows, None);
        let mut out = layout.header();
        for row in &rows {
            out.push_str(&layout.row(row));
        }
        for note in &self.notes {
            put(&mut out, format_args!("note: {note}\n"));
        }
        for sink in &self.sinks {
            for reason in &sink.found.reasons {
                put(&mut out, format_args!("not comparable in {}: {reason}\n", sink.pair.name));
            }
        }
        let differing =
            self.sinks.iter().filter_map(|sink| Some((sink, sink.found.first.as_ref()?)));
        for (sink, first) in differing {
            put(
                &mut out,
                format_args!("\nfirst difference in {}: {}\n", sink.pair.name, told(first)),
            );
        }
        put(&mut out, format_args!("\n{}\n", self.verdict().name()));
        out
    }

    /// All of it for programs: `result`, `prefix`, `notes`, and of each sink its topics, counts, reasons and first difference.
    pub fn json(&self) -> Value {
        json!({
            "result": self.verdict().name(),
            "prefix": self.prefix,
            "notes": self.notes,
            "sinks": self.sinks.iter().map(SinkReport::json).collect::<Vec<_>>(),
        })
    }
}

fn put(out: &mut String, text: std::fmt::Arguments<'_>) {
    // Strings take everything.
    let _ = out.write_fmt(text);
}

impl SinkReport {
    /// What it comes to.
    pub fn verdict(&self) -> Verdict {
        Verdict::of(&self.found)
    }

    fn row(&self) -> Vec<Value> {
        let found = &self.found;
        let kinds = found.different.iter().map(|(kind, count)| format!("{kind} {count}"));
        vec![
            json!(self.pair.name),
            json!(self.verdict().name()),
            json!(found.ours),
            json!(found.theirs),
            json!(found.equal),
            json!(found.open),
            json!(kinds.collect::<Vec<_>>().join(", ")),
        ]
    }

    fn json(&self) -> Value {
        let found = &self.found;
        let kinds =
            found.different.iter().map(|(kind, count)| (kind.name().to_owned(), json!(count)));
        json!({
            "name": self.pair.name,
            "result": self.verdict().name(),
            "ours": { "topic": self.pair.ours, "records": found.ours },
            "theirs": { "topic": self.pair.theirs, "records": found.theirs },
            "equal": found.equal,
            "different": kinds.collect::<serde_json::Map<_, _>>(),
            "not_comparable": { "records": found.open, "reasons": found.reasons },
            "first": found.first.as_ref().map(difference_json),
        })
    }
}

/// A difference in words, with both records as text and as bytes.
fn told(difference: &Difference) -> String {
    let mut out = difference.kind.name().to_owned();
    if difference.number > 0 {
        put(&mut out, format_args!(" (record {} of its key)", difference.number));
    }
    if !difference.note.is_empty() {
        put(&mut out, format_args!(": {}", difference.note));
        return out;
    }
    for (side, placed) in [("ours", &difference.ours), ("theirs", &difference.theirs)] {
        match placed {
            Some(placed) => put(&mut out, format_args!("\n  {side}: {}", lines(placed))),
            None => put(&mut out, format_args!("\n  {side}: no such record")),
        }
    }
    match &difference.input {
        Some(input) => {
            put(&mut out, format_args!("\n  input: {input}"));
            out.push_str(&record_lines(&input.record));
        }
        None => out.push_str("\n  input: not known"),
    }
    out
}

fn lines(placed: &Placed) -> String {
    let record = record_lines(&placed.record);
    format!("partition {}, offset {}{record}", placed.partition, placed.offset)
}

fn record_lines(record: &Record) -> String {
    let mut out = format!(", timestamp {}", record.timestamp_ms);
    for (name, bytes) in [("key  ", &record.key), ("value", &record.value)] {
        match bytes {
            Some(bytes) => {
                put(&mut out, format_args!("\n    {name} {}", escaped(bytes)));
                put(&mut out, format_args!("\n      hex {}", hex(bytes)));
            }
            None => put(&mut out, format_args!("\n    {name} null")),
        }
    }
    for (name, value) in &record.headers {
        let text = value.as_ref().map_or_else(|| "null".to_owned(), |value| escaped(value));
        put(&mut out, format_args!("\n    header {name} {text}"));
    }
    out
}

fn difference_json(difference: &Difference) -> Value {
    let input = difference.input.as_ref().map(|input| {
        let (topic, place) = (&*input.topic, (input.partition, input.offset));
        let mut all = record_json(place, &input.record);
        all["topic"] = json!(topic);
        all
    });
    json!({
        "kind": difference.kind.name(),
        "number": difference.number,
        "note": difference.note,
        "ours": difference.ours.as_ref().map(|placed| record_json((placed.partition, placed.offset), &placed.record)),
        "theirs": difference.theirs.as_ref().map(|placed| record_json((placed.partition, placed.offset), &placed.record)),
        "input": input,
    })
}

fn record_json((partition, offset): (i32, i64), record: &Record) -> Value {
    let bytes = |bytes: Option<&Vec<u8>>| {
        bytes.map(|bytes| json!({ "hex": hex(bytes), "text": escaped(bytes) }))
    };
    let headers = record.headers.iter();
    let headers =
        headers.map(|(name, value)| json!({ "name": name, "value": bytes(value.as_ref()) }));
    json!({
        "partition": partition,
        "offset": offset,
        "timestamp": record.timestamp_ms,
        "key": bytes(record.key.as_ref()),
        "value": bytes(record.value.as_ref()),
        "headers": headers.collect::<Vec<_>>(),
    })
}
