//! Stories: statements, records, and what each record gives, without a broker.
//!
//! ```text
//! clicks a {"n":1} @ 1s => HITS a [0s,10s) {"HITS":1} @ 1s -- what is to be noted
//! ```
//!
//! On the left stand topic, key, value and timestamp of a record, on the right what it gives: records of sinks, and
//! entries of the processing log. Below `---- stores` stands what the changelogs say in the end.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use millstream::engine::{Engine, Known, Properties, Session};
use millstream::operators::QueryError;
use millstream::plan::{QueryPlan, StoreId, StoreKind};
use millstream::runtime::{
    Driver, DriverOptions, DriverRecord, LogEvent, LoggedRecord, ProcessingLogEntry, Target,
};
use millstream::types::WindowKind;

/// What stands between the records and the stores.
const STORES: &str = "---- stores\n";

/// The plans of a script's queries, with their ids.
pub(crate) fn queries(script: &str) -> Vec<(String, Arc<QueryPlan>)> {
    let mut engine = Engine::new(Properties::default());
    let (mut session, known) = (Session::default(), Known::default());
    for statement in super::parse_all(script) {
        let number = engine.queries().len() as i64;
        if let Err(error) = engine.run(&statement, &mut session, &known, number) {
            panic!("{error}: {}", statement.text);
        }
    }
    engine.queries().iter().map(|query| (query.id.clone(), Arc::clone(&query.plan))).collect()
}

/// The lines of a story.
pub(crate) fn lines(told: &str) -> Vec<Line> {
    let told = told.split(STORES).next().unwrap_or_default();
    told.lines().filter_map(Line::parse).collect()
}

/// Tells a story anew: the records of `told`, with what they give now, where the record caches hold `cached_groups`.
pub(crate) fn tell(script: &str, told: &str, cached_groups: usize) -> String {
    tell_with(script, told, cached_groups, |_, _| {})
}

/// Tells a story anew, in which every query starts again from its changelogs: before each record, or with a cache after
/// each commit.
pub(crate) fn tell_restarted(script: &str, told: &str, cached_groups: usize) -> String {
    tell_with(script, told, cached_groups, |story, line| {
        if cached_groups == 0 || line.record.is_none() {
            story.restart();
        }
    })
}

fn tell_with(
    script: &str,
    told: &str,
    cached_groups: usize,
    after_each: impl Fn(&mut Story, &Line),
) -> String {
    let lines = lines(told);
    let width = lines.iter().map(|line| line.input.chars().count()).max().unwrap_or_default();
    let mut story = Story::new(script, cached_groups);
    let mut out = String::new();
    for line in &lines {
        let gives = match &line.record {
            Some(record) => story.process(&line.topic, record),
            None => story.commit(),
        };
        after_each(&mut story, line);
        for (index, given) in gives.iter().enumerate() {
            let input = if index == 0 { &*line.input } else { "" };
            let note = line.note.as_ref().filter(|_| index == 0);
            let note = note.map(|note| format!("  -- {note}")).unwrap_or_default();
            let _ = writeln!(out, "{input:<width$} => {given}{note}");
        }
    }
    out + &story.stores()
}

/// A line with a record, or the word `commit`.
pub(crate) struct Line {
    input: String,
    pub(crate) topic: String,
    /// Nothing for a commit.
    pub(crate) record: Option<DriverRecord>,
    note: Option<String>,
}

impl Line {
    /// Reads a line; `None` for one that only says more of what the record before it gives.
    fn parse(line: &str) -> Option<Self> {
        let (line, note) = match line.split_once(" -- ") {
            Some((line, note)) => (line, Some(note.trim().to_owned())),
            None => (line, None),
        };
        let input = line.split(" =>").next().unwrap_or_default().trim();
        if input.is_empty() || input.starts_with("=>") {
            return None;
        }
        if input == "commit" {
            return Some(Self {
                input: input.to_owned(),
                topic: String::new(),
                record: None,
                note,
            });
        }
        let (rest, time) = input.rsplit_once(" @ ").expect("a record has a time");
        let mut words = rest.splitn(3, char::is_whitespace);
        let mut word = || words.next().expect("a record has a topic, a key and a value").trim();
        let topic = word().to_owned();
        let bytes = |text: &str| (text != "null").then(|| text.as_bytes().to_vec());
        let record = DriverRecord {
            key: bytes(word()),
            value: bytes(word()),
            timestamp_ms: millis(time.trim()),
            headers: Vec::new(),
        };
        Some(Self { input: input.to_owned(), topic, record: Some(record), note })
    }
}

/// The queries of a script, and what their changelogs hold.
struct Story {
    queries: Vec<Query>,
}

struct Query {
    id: String,
    plan: Arc<QueryPlan>,
    driver: Driver,
    /// The last record of each key, store by store.
    changelogs: Vec<BTreeMap<Vec<u8>, DriverRecord>>,
}

impl Story {
    fn new(script: &str, cached_groups: usize) -> Self {
        let options =
            DriverOptions { emit_interval_ms: 0, cached_groups, ..DriverOptions::default() };
        let query = |(id, plan): (String, Arc<QueryPlan>)| Query {
            driver: Driver::new(Arc::clone(&plan), &id, options).unwrap(),
            changelogs: vec![BTreeMap::new(); stores(&plan).len()],
            id,
            plan,
        };
        Self { queries: queries(script).into_iter().map(query).collect() }
    }

    /// Starts all queries again, with what their changelogs hold.
    fn restart(&mut self) {
        for Query { driver, changelogs, .. } in &mut self.queries {
            let stored = changelogs.iter().enumerate().flat_map(|(store, changelog)| {
                changelog.values().map(move |record| (StoreId(store), record.clone()))
            });
            driver.restart(stored).unwrap();
        }
    }

    /// Follows a record through all queries, and those that read what it gives.
    fn process(&mut self, topic: &str, record: &DriverRecord) -> Vec<String> {
        let mut gives = Vec::new();
        self.follow(topic, record, &mut gives);
        or_nothing(gives)
    }

    /// Lets every query give away what waits in its caches, one after the other.
    fn commit(&mut self) -> Vec<String> {
        let mut gives = Vec::new();
        for index in 0..self.queries.len() {
            let query = &mut self.queries[index];
            let flushed = query.driver.flush();
            for (topic, record) in query.collect(flushed, &mut gives) {
                self.follow(&topic, &record, &mut gives);
            }
        }
        or_nothing(gives)
    }

    fn follow(&mut self, topic: &str, record: &DriverRecord, gives: &mut Vec<String>) {
        let mut produced = Vec::new();
        for query in &mut self.queries {
            if !query.driver.source_topics().any(|read| read == topic) {
                continue;
            }
            let piped = query.driver.pipe(topic, record);
            produced.extend(query.collect(piped, gives));
        }
        for (topic, record) in produced {
            self.follow(&topic, &record, gives);
        }
    }

    /// What the changelogs hold.
    fn stores(&self) -> String {
        let mut out = String::new();
        for query in &self.queries {
            for ((name, kind), changelog) in stores(&query.plan).iter().zip(&query.changelogs) {
                for (key, record) in changelog {
                    let key = windowed_key(key, *kind);
                    let (value, at) = (text(record.value.as_deref()), time(record.timestamp_ms));
                    let _ = writeln!(out, "{}-{name} {key} {value} @ {at}", query.id);
                }
            }
        }
        if out.is_empty() { out } else { format!("{STORES}{out}") }
    }
}

impl Query {
    /// Tells what the query gave and stored; gives the records of its sink, for those that read it.
    fn collect(
        &mut self,
        ended: Result<(), QueryError>,
        gives: &mut Vec<String>,
    ) -> Vec<(String, DriverRecord)> {
        let mut produced = Vec::new();
        gives.extend(self.driver.take_log().iter().map(logged));
        for (target, record) in self.driver.take_output() {
            match target {
                Target::Sink => {
                    gives.push(sunk(&self.plan, &record));
                    produced.push((self.plan.sink.topic.clone(), record));
                }
                Target::Changelog(StoreId(store)) => {
                    let key = record.key.clone().unwrap_or_default();
                    self.changelogs[store].insert(key, record);
                }
                Target::Repartition(_) => {}
            }
        }
        if let Err(error) = ended {
            gives.push(format!("{} stops: {error}", self.id));
        }
        produced
    }
}

fn or_nothing(mut gives: Vec<String>) -> Vec<String> {
    if gives.is_empty() {
        gives.push("nothing".to_owned());
    }
    gives
}

/// What follows the key in a store or in a topic.
#[derive(Clone, Copy)]
enum Follows {
    Nothing,
    /// The start of a window of this size, and so many further bytes.
    Start(i64, usize),
    /// The end and the start of a session.
    Session,
    /// A time, and the number of the row.
    Row,
    /// Nothing; a time and a side stand before it.
    Waiting,
    /// A place in a ring.
    Place,
    /// Nothing; a time, a partition and an offset stand before it.
    Held,
}

/// The stores of a query, in the order of its topology.
fn stores(plan: &QueryPlan) -> Vec<(String, Follows)> {
    let stores = plan.stores().map(|(.., store)| {
        let follows = match (store.kind, follows(plan)) {
            (StoreKind::Table, _) => Follows::Nothing,
            (StoreKind::JoinWindow, _) => Follows::Row,
            (StoreKind::Unmatched, _) => Follows::Waiting,
            (StoreKind::LastRows, _) => Follows::Place,
            (StoreKind::HeldRows, _) => Follows::Held,
            (_, Follows::Start(size_ms, _)) => Follows::Start(size_ms, 4),
            (_, other) => other,
        };
        (store.name.clone(), follows)
    });
    stores.collect()
}

fn follows(plan: &QueryPlan) -> Follows {
    match plan.sink.window {
        None => Follows::Nothing,
        Some(window) if window.kind == WindowKind::Session => Follows::Session,
        Some(window) => Follows::Start(window.size_ms.unwrap_or_default(), 0),
    }
}

/// A record of the sink: its stream or table, key, value and timestamp.
fn sunk(plan: &QueryPlan, record: &DriverRecord) -> String {
    let key = record.key.as_deref().map(|key| windowed_key(key, follows(plan)));
    let (key, value) = (key.unwrap_or_else(|| "null".to_owned()), text(record.value.as_deref()));
    format!("{} {key} {value} @ {}", plan.sink.name, time(record.timestamp_ms))
}

pub(crate) fn logged(entry: &ProcessingLogEntry) -> String {
    match &entry.event {
        LogEvent::Deserialization { role, error, .. } => format!("log: {role}: {}", error.message),
        LogEvent::Processing { message, causes, record } => {
            let row = match record {
                Some(LoggedRecord::Json(row) | LoggedRecord::Text(row)) => format!(" in {row}"),
                None => String::new(),
            };
            format!("log: {}{row}", parts(message, causes))
        }
        LogEvent::Production { message, .. } => format!("log: {message}"),
        LogEvent::StreamThread { message, causes, .. } => {
            format!("log: {}", parts(message, causes))
        }
    }
}

fn parts(message: &str, causes: &[String]) -> String {
    let parts: Vec<&str> =
        std::iter::once(message).chain(causes.iter().map(String::as_str)).collect();
    parts.join("; ")
}

fn windowed_key(key: &[u8], follows: Follows) -> String {
    let at = |from_end: usize| {
        let bytes = &key[key.len() - from_end..][..8];
        i64::from_be_bytes(bytes.try_into().unwrap())
    };
    let (rest, start, end) = match follows {
        Follows::Nothing => return text(Some(key)),
        Follows::Row => {
            let (rest, number) = key.split_last_chunk().unwrap();
            let (key, at) = rest.split_last_chunk().unwrap();
            let (at, number) = (time(i64::from_be_bytes(*at)), u32::from_be_bytes(*number));
            return format!("{} [{at}, {number}]", text(Some(key)));
        }
        Follows::Waiting => {
            let (at, rest) = key.split_first_chunk().unwrap();
            let side = if rest[0] == 1 { "this" } else { "other" };
            let at = time(i64::from_be_bytes(*at));
            return format!("{} [{at}, {side}]", text(Some(&rest[1..])));
        }
        Follows::Place => {
            let (key, place) = key.split_last_chunk().unwrap();
            return format!("{} [{}]", text(Some(key)), u32::from_be_bytes(*place));
        }
        Follows::Held => {
            let (at, rest) = key.split_first_chunk().unwrap();
            let (partition, rest) = rest.split_first_chunk().unwrap();
            let (offset, key) = rest.split_first_chunk().unwrap();
            let (partition, offset) = (i32::from_be_bytes(*partition), i64::from_be_bytes(*offset));
            let at = time(i64::from_be_bytes(*at));
            return format!("[{at}, {partition}:{offset}] {}", text(Some(key)));
        }
        Follows::Start(size_ms, more) => (8 + more, at(8 + more), at(8 + more) + size_ms),
        Follows::Session => (16, at(8), at(16)),
    };
    let close = if matches!(follows, Follows::Session) { ']' } else { ')' };
    let key = text(Some(&key[..key.len() - rest]));
    format!("{key} [{},{}{close}", time(start), time(end))
}

fn text(bytes: Option<&[u8]>) -> String {
    bytes.map_or_else(
        || "null".to_owned(),
        |bytes| match std::str::from_utf8(bytes) {
            Ok(text) if !text.contains(char::is_control) => text.to_owned(),
            _ => bytes.escape_ascii().to_string(),
        },
    )
}

fn time(ms: i64) -> String {
    if ms % 1000 == 0 { format!("{}s", ms / 1000) } else { format!("{ms}ms") }
}

fn millis(time: &str) -> i64 {
    let (number, unit) = match time.strip_suffix("ms") {
        Some(number) => (number, 1),
        None => (time.strip_suffix('s').expect("a time ends in s or ms"), 1000),
    };
    number.parse::<i64>().expect("a time is a number") * unit
}
