//! `GET /v1/millstream/figures`: what is counted, now and over time, as JSON.
//!
//! | parameter | means |
//! |---|---|
//! | `since` | milliseconds since 1970: points from then on, as far back as they are kept; without it, those of the last minute |
//! | `step` | `1` (default): a point each second; `10`: one in ten seconds, the mean of these |
//! | `query`, `topic` | points of this query or this topic alone; each may come several times |
//!
//! ```json
//! { "at": 1700000000123, "server": "localhost:8088", "busy_share": 0.2,
//!   "points": { "from": 1699999940000, "step_ms": 1000, "count": 60, "left_out": 0 },
//!   "queries": [ { "id": "CSAS_LARGE_1", "state": "running", "cause": null, "sink": "LARGE", "sink_topic": "LARGE",
//!                  "records_read": 30, "records_written": 20, "output_bytes": 400, "lag": 0,
//!                  "skipped": { "undecodable_value": 1 }, "failures": 0, "stored_rows": 0,
//!                  "commits": 7, "commit_ms_mean": 1.5, "restored": 0, "restoring": 0,
//!                  "partitions": [ { "topic": "readings", "partition": 0, "records": 30, "lag": 0 } ],
//!                  "steps": [ { "name": "WhereFilter", "part": 0, "inputs": [ 0 ], "topic": null, "repartition": null,
//!                               "stores": [],
//!                               "taken": 29, "given": 20, "late": 0, "failed": 0 } ],
//!                  "stores": [ { "store": "Aggregate-Aggregate-Materialize", "partition": 0, "rows": 7 } ],
//!                  "over_time": { "read_per_second": [ 10, 0, null ], "written_per_second": [], "skipped_per_second": [],
//!                                 "late_per_second": [], "lag": [], "stored_rows": [], "commits_per_second": [],
//!                                 "failures_per_second": [], "restored_per_second": [], "restoring": [] } } ],
//!   "topics": [ { "name": "readings", "counted": "records", "variation": 0.5,
//!                 "partitions": [ { "partition": 0, "records": 30, "bytes": 900, "share": 1, "end": 30,
//!                                   "over_time": { "records_per_second": [ 10 ], "bytes_per_second": [ 300 ] } } ] } ] }
//! ```
//! Times are in milliseconds since 1970. `counted` says what `records` of a topic are: where a query of this server reads
//! it, those that were read (`records`), each counted once; otherwise by how much its end has grown since this server first
//! looked (`offsets`), which with transactions and compaction is more than there are. `steps` and `stores` are there of those
//! queries alone that `query` names: what each step of the plan has taken and given since the query began here, in rows, of a
//! source in records; `inputs` are places among the steps. `share` is that of all records of the topic, and `variation` their coefficient of variation over partitions: 0 where all have the same. `null` stands for what
//! is not known. `left_out` counts queries and partitions of which nothing is kept over time, as there is no room
//! (`ksql.millstream.history.max.bytes`). An answer has 500,000 points' figures at most, the newest: `from` says since when.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

use super::body;
use super::shared::Shared;
use crate::engine::host::{
    NodeCount, NodeFigures, QueryFigures, Step, StoredFigures, Subject, TopicGrowth, Window,
};

/// How far back points go where it is not said.
const SINCE_MS: i64 = 60_000;

/// What is asked for.
#[derive(Debug, PartialEq, Eq)]
struct Asked {
    since_ms: Option<i64>,
    step: Step,
    queries: Vec<String>,
    topics: Vec<String>,
}

/// `GET /v1/millstream/figures`.
pub(super) async fn figures(
    State(shared): State<Arc<Shared>>,
    RawQuery(query): RawQuery,
) -> Response {
    let asked = match Asked::parse(query.as_deref().unwrap_or_default()) {
        Ok(asked) => asked,
        Err(message) => return body::generic(40000, message),
    };
    let host = &shared.host;
    let figures = host.figures();
    let since_ms = asked.since_ms.unwrap_or(figures.at.0 - SINCE_MS);
    let wanted = |subject: &Subject| asked.wants(subject);
    let window = host.history(since_ms.div_euclid(1_000), asked.step, wanted);
    let over_time = OverTime::new(&window);
    let sinks: BTreeMap<String, (String, String)> = host
        .queries()
        .iter()
        .map(|query| {
            (query.id.clone(), (query.plan.sink.name.clone(), query.plan.sink.topic.clone()))
        })
        .collect();
    let queries = figures.instance.queries.iter();
    let queries = queries.map(|query| {
        let id = &query.status.id;
        let mut value = of_query(query, sinks.get(id), &over_time);
        if asked.queries.contains(id) {
            value["steps"] = query.nodes.iter().map(of_step).collect();
            value["stores"] = query.stores.iter().map(of_store).collect();
        }
        value
    });
    let queries: Vec<Value> = queries.collect();
    let topics: Vec<Value> =
        host.topic_growth().iter().map(|topic| of_topic(topic, &over_time)).collect();
    let step_ms = asked.step.seconds() * 1_000;
    body::json(&json!({
        "at": figures.at.0,
        "server": figures.server,
        "busy_share": over_time.last(&Subject::Process),
        "points": {
            "from": window.from * 1_000,
            "step_ms": step_ms,
            "count": window.points,
            "left_out": window.left_out,
        },
        "queries": queries,
        "topics": topics,
    }))
    .into_response()
}

impl Asked {
    /// What the query of a URL asks for. What is not known is refused, lest it be taken for heard.
    fn parse(query: &str) -> Result<Self, String> {
        let mut asked =
            Self { since_ms: None, step: Step::Fine, queries: Vec::new(), topics: Vec::new() };
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            match (&*name, &*value) {
                ("since", value) => {
                    let expected = |_| format!("since={value}: expected milliseconds since 1970");
                    asked.since_ms = Some(value.parse().map_err(expected)?);
                }
                ("step", "1") => asked.step = Step::Fine,
                ("step", "10") => asked.step = Step::Coarse,
                ("step", value) => return Err(format!("step={value}: expected 1 or 10 (seconds)")),
                ("query", value) => asked.queries.push(value.to_owned()),
                ("topic", value) => asked.topics.push(value.to_owned()),
                (name, _) => {
                    return Err(format!("{name}: expected since, step, query or topic"));
                }
            }
        }
        Ok(asked)
    }

    /// Whether points of a subject are asked for.
    fn wants(&self, subject: &Subject) -> bool {
        if self.queries.is_empty() && self.topics.is_empty() {
            return true;
        }
        match subject {
            Subject::Process => true,
            Subject::Query(id) => self.queries.iter().any(|query| **query == **id),
            Subject::Partition(topic, _) => self.topics.iter().any(|name| **name == **topic),
        }
    }
}

/// Points, by what they are of.
struct OverTime<'w>(BTreeMap<&'w Subject, &'w [Vec<f32>]>);

impl<'w> OverTime<'w> {
    fn new(window: &'w Window) -> Self {
        let all = window.subjects.iter();
        Self(all.map(|(subject, points)| (subject, points.as_slice())).collect())
    }

    /// The points of a subject, figure by figure.
    fn of(&self, subject: &Subject) -> Value {
        let points = self.0.get(subject).copied().unwrap_or_default();
        let figure = |(at, name): (usize, &&str)| {
            let values = points.iter().map(|row| number(f64::from(row[at]))).collect();
            ((*name).to_owned(), Value::Array(values))
        };
        Value::Object(subject.figures().iter().enumerate().map(figure).collect())
    }

    /// The first figure of the newest point.
    fn last(&self, subject: &Subject) -> Value {
        let last = self.0.get(subject).and_then(|points| points.last());
        last.map_or(Value::Null, |row| number(f64::from(row[0])))
    }
}

fn of_query(
    query: &QueryFigures,
    sink: Option<&(String, String)>,
    over_time: &OverTime<'_>,
) -> Value {
    let status = &query.status;
    let skipped = status.skipped.iter().filter(|(_, count)| **count > 0);
    let skipped: Map<String, Value> =
        skipped.map(|(cause, count)| (cause.name().to_owned(), json!(count))).collect();
    let partitions = query.partitions.iter().map(|read| {
        let (partition, records) = (read.partition.0, read.records);
        json!({ "topic": &*read.topic, "partition": partition, "records": records, "lag": read.lag })
    });
    let partitions: Vec<Value> = partitions.collect();
    let commits = query.commits.total();
    let mean_ms = query.commits.sum_us as f64 / 1e3 / commits as f64;
    json!({
        "id": status.id,
        "state": status.state.name(),
        "cause": status.cause,
        "sink": sink.map(|(name, _)| name),
        "sink_topic": sink.map(|(_, topic)| topic),
        "records_read": status.records,
        "records_written": status.written,
        "output_bytes": query.output_bytes,
        "lag": status.lag,
        "skipped": skipped,
        "failures": query.failures,
        "stored_rows": status.stored_rows,
        "commits": commits,
        "commit_ms_mean": number(mean_ms),
        "restored": query.restored,
        "restoring": query.restoring,
        "partitions": partitions,
        "over_time": over_time.of(&Subject::Query(status.id.as_str().into())),
    })
}

fn of_step(step: &NodeFigures) -> Value {
    let NodeCount { taken, given, late, failed } = step.count;
    json!({
        "name": step.name,
        "part": step.part,
        "inputs": step.inputs,
        "topic": step.topic,
        "repartition": step.repartition,
        "stores": step.stores,
        "taken": taken,
        "given": given,
        "late": late,
        "failed": failed,
    })
}

fn of_store(stored: &StoredFigures) -> Value {
    json!({ "store": stored.store, "partition": stored.partition.0, "rows": stored.rows })
}

fn of_topic(topic: &TopicGrowth, over_time: &OverTime<'_>) -> Value {
    let total: u64 = topic.partitions.iter().map(|partition| partition.records).sum();
    let partitions = topic.partitions.iter().map(|partition| {
        let share = partition.records as f64 / total as f64;
        let subject = Subject::Partition(Arc::clone(&topic.name), partition.partition);
        json!({
            "partition": partition.partition.0,
            "records": partition.records,
            "bytes": partition.bytes,
            "share": number(share),
            "end": partition.end,
            "over_time": over_time.of(&subject),
        })
    });
    let partitions: Vec<Value> = partitions.collect();
    json!({
        "name": &*topic.name,
        "counted": if topic.is_read { "records" } else { "offsets" },
        "variation": number(variation(topic.partitions.iter().map(|partition| partition.records))),
        "partitions": partitions,
    })
}

/// The coefficient of variation of some counts: their standard deviation by their mean. NaN of nothing.
fn variation(counts: impl ExactSizeIterator<Item = u64> + Clone) -> f64 {
    let len = counts.len() as f64;
    let mean = counts.clone().sum::<u64>() as f64 / len;
    let squares = counts.map(|count| (count as f64 - mean).powi(2)).sum::<f64>();
    (squares / len).sqrt() / mean
}

/// A number with as many digits as anybody looks at; what is not known is null.
fn number(value: f64) -> Value {
    if !value.is_finite() {
        return Value::Null;
    }
    let rounded = (value * 1e3).round() / 1e3;
    if rounded.fract() == 0.0 && rounded.abs() < 1e15 {
        json!(rounded as i64)
    } else {
        json!(rounded)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for_is_read_and_what_is_not_known_is_refused() {
        let asked = Asked::parse("since=1700000000000&step=10&query=A&query=B%20C").unwrap();
        assert_eq!((asked.since_ms, asked.step), (Some(1_700_000_000_000), Step::Coarse));
        assert_eq!(asked.queries, ["A", "B C"]);
        assert!(asked.wants(&Subject::Query("A".into())));
        assert!(!asked.wants(&Subject::Query("D".into())));
        let refused = |query| Asked::parse(query).unwrap_err();
        assert_eq!(refused("step=5"), "step=5: expected 1 or 10 (seconds)");
        assert_eq!(refused("since=now"), "since=now: expected milliseconds since 1970");
        assert_eq!(refused("qeury=A"), "qeury: expected since, step, query or topic");
    }

    #[test]
    fn even_partitions_do_not_vary() {
        assert_eq!(variation([5, 5, 5].into_iter()), 0.0);
        let skewed = variation([90, 5, 5].into_iter());
        assert!((skewed - 1.202).abs() < 1e-3, "{skewed}");
        assert_eq!(number(variation([0, 0].into_iter())), Value::Null);
    }
}
