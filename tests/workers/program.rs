//! Random programs: a query out of every kind that there is.

use std::sync::Arc;

use millstream::engine::{Engine, Known, Properties, Session};
use millstream::plan::QueryPlan;
use millstream::sql::{ParseOptions, parse};
use proptest::prelude::*;

/// The topics that programs read: events in `R` and `L`, rows of tables in `T` and `U`.
pub(crate) const TOPICS: [&str; 4] = ["r", "l", "t", "u"];

const SOURCES: &str = "
    CREATE STREAM r (k STRING KEY, g STRING, n INT) WITH (kafka_topic='r', value_format='JSON', partitions=1);
    CREATE STREAM l (k STRING KEY, g STRING, n INT) WITH (kafka_topic='l', value_format='JSON', partitions=1);
    CREATE TABLE t (k STRING PRIMARY KEY, g STRING, n INT) WITH (kafka_topic='t', value_format='JSON', partitions=1);
    CREATE TABLE u (k STRING PRIMARY KEY, g STRING, n INT) WITH (kafka_topic='u', value_format='JSON', partitions=1);
";

/// A query and how it is run.
#[derive(Clone, Debug)]
pub(crate) struct Program {
    /// The statement.
    pub(crate) sql: String,
    /// How many groups all its caches hold.
    pub(crate) cached_groups: usize,
    /// How many partitions its state has, if it was there before the sources got more.
    pub(crate) kept: Option<i32>,
}

impl Program {
    /// Its plan.
    pub(crate) fn plan(&self) -> Arc<QueryPlan> {
        let script = format!("{SOURCES}{}", self.sql);
        let mut engine = Engine::new(Properties::default());
        let (mut session, known) = (Session::default(), Known::default());
        for statement in parse(&script, &ParseOptions::default()).unwrap() {
            let run = engine.run(&statement, &mut session, &known, 0);
            run.unwrap_or_else(|error| panic!("{}: {error:?}", self.sql));
        }
        Arc::clone(&engine.queries()[0].plan)
    }
}

/// What a query reads.
#[derive(Clone, Debug)]
struct From {
    text: String,
    is_table: bool,
    /// Its key, a column that may be NULL, and a number.
    columns: [&'static str; 3],
}

fn from() -> impl Strategy<Value = From> {
    let stream = |text: String, columns| From { text, is_table: false, columns };
    let table = |text: String, columns| From { text, is_table: true, columns };
    let alone = Just(stream("r".into(), ["k", "g", "n"]));
    let streams = (kind(&["", "LEFT", "RIGHT", "FULL"]), on(), any::<bool>());
    let streams = streams.prop_map(move |(kind, on, grace)| {
        let grace = if grace { "GRACE PERIOD 1 SECOND " } else { "" };
        let text = format!("r {kind} JOIN l WITHIN 3 SECONDS {grace}ON r.{on} = l.k");
        stream(text, [if kind == "FULL" { "ROWKEY" } else { "l.k" }, "l.g", "r.n"])
    });
    let stream_table = (kind(&["", "LEFT"]), on()).prop_map(move |(kind, on)| {
        let key = if on == "k" { "r.k" } else { "r.g" };
        stream(format!("r {kind} JOIN t ON r.{on} = t.k"), [key, "t.g", "r.n"])
    });
    let three = (kind(&["", "LEFT"]), on()).prop_map(move |(kind, on)| {
        let text = format!("r {kind} JOIN t ON r.{on} = t.k {kind} JOIN u ON t.g = u.k");
        stream(text, ["t.g", "u.g", "r.n"])
    });
    let tables = kind(&["", "LEFT", "FULL"]).prop_map(move |kind| {
        let key = if kind == "FULL" { "ROWKEY" } else { "t.k" };
        table(format!("t {kind} JOIN u ON t.k = u.k"), [key, "u.g", "t.n"])
    });
    let foreign = kind(&["", "LEFT"]).prop_map(move |kind| {
        table(format!("t {kind} JOIN u ON t.g = u.k"), ["t.k", "u.g", "t.n"])
    });
    let one_table = Just(table("t".into(), ["k", "g", "n"]));
    prop_oneof![2 => alone, 2 => streams, 2 => stream_table,
        1 => three, 1 => tables, 1 => foreign, 1 => one_table]
}

fn kind(kinds: &'static [&'static str]) -> impl Strategy<Value = &'static str> {
    proptest::sample::select(kinds)
}

/// The column of the left side that is joined: its key, or another.
fn on() -> impl Strategy<Value = &'static str> {
    kind(&["k", "g"])
}

/// What is done with the rows.
#[derive(Clone, Debug)]
enum What {
    Project,
    PartitionBy,
    Group { by: usize, window: &'static str, emit: &'static str },
}

fn what() -> impl Strategy<Value = What> {
    let windows = [
        "",
        "WINDOW TUMBLING (SIZE 4 SECONDS, GRACE PERIOD 1 SECOND)",
        "WINDOW HOPPING (SIZE 4 SECONDS, ADVANCE BY 2 SECONDS, GRACE PERIOD 2 SECONDS)",
        "WINDOW SESSION (1 SECOND, GRACE PERIOD 2 SECONDS)",
    ];
    let group = (0..2_usize, proptest::sample::select(windows.to_vec()), any::<bool>());
    let group = group.prop_map(|(by, window, is_final)| {
        let emit = if is_final && !window.is_empty() { "FINAL" } else { "CHANGES" };
        What::Group { by, window, emit }
    });
    prop_oneof![1 => Just(What::Project), 1 => Just(What::PartitionBy), 4 => group]
}

fn statement(from: &From, what: &What) -> String {
    let From { text, is_table, columns: [key, other, number] } = from;
    match what {
        What::Group { by, window, emit } => {
            let by = [key, other][*by];
            let window = if *is_table { "" } else { window };
            let emit = if *is_table { "CHANGES" } else { emit };
            let order = if *is_table { "" } else { ", LATEST_BY_OFFSET(n) AS la" };
            let order = order.replace("(n)", &format!("({number})"));
            format!(
                "CREATE TABLE sink AS SELECT {by}, COUNT(*) AS c, SUM({number}) AS s{order} \
                 FROM {text} {window} GROUP BY {by} EMIT {emit};"
            )
        }
        What::PartitionBy if !is_table => format!(
            "CREATE STREAM sink AS SELECT {other}, {key} AS old, {number} AS n FROM {text} \
             WHERE {number} <> 3 PARTITION BY {other};"
        ),
        _ => {
            let kind = if *is_table { "TABLE" } else { "STREAM" };
            format!("CREATE {kind} sink AS SELECT {key}, {other} AS o, {number} AS n FROM {text};")
        }
    }
}

/// Any program.
pub(crate) fn program() -> impl Strategy<Value = Program> {
    let cached = proptest::sample::select(vec![0_usize, 1_000]);
    (from(), what(), cached, proptest::option::weighted(0.3, 1..3_i32)).prop_map(
        |(from, what, cached_groups, kept)| Program {
            sql: statement(&from, &what),
            cached_groups,
            kept,
        },
    )
}
