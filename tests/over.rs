//! What is computed OVER rows, against what comes about in other ways: transitions by a table that is read as a stream, and
//! the rolling statistics of `millstream consume`.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::collections::BTreeMap;
use std::sync::Arc;

use millstream::devices::{AxisStats, Pace, Reading, ReadingFormat, Readings, Rolling};
use millstream::engine::{Engine, Known, Properties, Session, TopicShape};
use millstream::plan::QueryPlan;
use millstream::runtime::{Driver, DriverOptions, DriverRecord, LogEvent, Target};
use millstream::sql::{ParseOptions, parse};
use millstream::types::OwnedHeaders;
use serde_json::Value;

const SOURCE: &str = "device-sensors";
const PACE: Pace = Pace { start_ms: 1_700_000_000_000, interval_us: 1_000 };

/// The queries of a script, each record followed through all of them.
struct Queries(Vec<(Arc<QueryPlan>, Driver)>);

impl Queries {
    fn of(script: &str) -> Self {
        let properties = [("ksql.service.id".to_owned(), "over_".to_owned())];
        let mut engine = Engine::new(Properties::new(properties));
        let (mut session, mut known) = (Session::default(), Known::default());
        known.add_topic(SOURCE, TopicShape { partitions: 1, replicas: 1, retention_ms: None });
        for statement in parse(script, &ParseOptions::default()).unwrap() {
            let number = engine.queries().len() as i64;
            let change = engine.run(&statement, &mut session, &known, number);
            let change = change.unwrap_or_else(|error| panic!("{error}: {}", statement.text));
            change.topic.iter().for_each(|topic| known.add_request(topic));
        }
        let driver = |query: &Arc<millstream::plan::PersistentQuery>| {
            let plan = Arc::clone(&query.plan);
            let driver = Driver::new(Arc::clone(&plan), &query.id, DriverOptions::default());
            (plan, driver.unwrap())
        };
        Self(engine.queries().iter().map(driver).collect())
    }

    /// What the stream or table called `sink` gets of a record of `topic`.
    fn process(&mut self, topic: &str, record: &DriverRecord, sink: &str) -> Vec<DriverRecord> {
        let mut given = Vec::new();
        let mut produced = Vec::new();
        for (plan, driver) in &mut self.0 {
            if !driver.source_topics().any(|read| read == topic) {
                continue;
            }
            driver.pipe(topic, record).unwrap();
            assert!(driver.take_log().is_empty());
            for (target, record) in driver.take_output() {
                if target != Target::Sink {
                    continue;
                }
                if plan.sink.name == sink {
                    given.push(record.clone());
                }
                produced.push((plan.sink.topic.clone(), record));
            }
        }
        for (topic, record) in produced {
            given.extend(self.process(&topic, &record, sink));
        }
        given
    }
}

fn record(reading: &Reading) -> DriverRecord {
    DriverRecord {
        key: None,
        value: Some(ReadingFormat::Json.encode(reading).unwrap()),
        timestamp_ms: reading.arrival_ms,
        headers: OwnedHeaders::new(),
    }
}

fn value(record: &DriverRecord) -> Value {
    serde_json::from_slice(record.value.as_deref().unwrap()).unwrap()
}

#[test]
fn transitions_are_those_of_a_table_that_is_read_as_a_stream() {
    let mut over = Queries::of(include_str!("../ksql/over.sql"));
    let mut by_table = Queries::of(include_str!("../ksql/transitions.sql"));
    let mut transitions = 0;
    for reading in Readings::new(740, 3, PACE).take(3_000) {
        let record = record(&reading);
        let shown = |given: Vec<DriverRecord>| {
            let shown = given.iter().map(|given| {
                let key = given.key.as_ref().map(|key| String::from_utf8(key.clone()).unwrap());
                (key, value(given), given.timestamp_ms)
            });
            shown.collect::<Vec<_>>()
        };
        let found = shown(over.process(SOURCE, &record, "DEVICE_TRANSITIONS"));
        let expected = shown(by_table.process(SOURCE, &record, "ACTIVITY_TRANSITIONS"));
        assert_eq!(found, expected, "{reading:?}");
        transitions += found.len();
    }
    assert!(transitions > 50, "{transitions}");
}

#[test]
fn rolling_statistics_are_those_of_consume() {
    let mut queries = Queries::of(include_str!("../ksql/over.sql"));
    let mut rolling: BTreeMap<String, Rolling> = BTreeMap::new();
    for reading in Readings::new(741, 2, PACE).take(1_500) {
        let device = rolling.entry(reading.device.clone()).or_default();
        device.add(reading.axes(), &reading.activity);
        let given = queries.process(SOURCE, &record(&reading), "DEVICE_ROLLING");
        let [given] = &*given else { panic!("{} rows of one reading", given.len()) };
        let row = value(given);
        assert_eq!(row["DEVICE"], reading.device.as_str());
        assert_eq!(row["TOTAL"], device.total());
        assert_eq!(row["N"], device.window_len());
        let activities: BTreeMap<String, u64> =
            serde_json::from_value(row["ACTIVITIES"].clone()).unwrap();
        assert_eq!(&activities, device.activities());
        let [x, y, _] = device.axes();
        for (axis, expected) in [("X", x), ("Y", y)] {
            check(&row, axis, &expected, device.window_len());
        }
    }
    assert!(rolling.values().all(|device| device.window_len() == 50));
}

/// Holds the figures of an axis against those of `consume`: the same numbers, and a deviation that is the sample's and not
/// the population's.
fn check(row: &Value, axis: &str, expected: &AxisStats, len: usize) {
    let figure = |name: &str| row[format!("{name}_{axis}")].as_f64().unwrap();
    assert_eq!(figure("MEAN"), expected.mean);
    assert_eq!((figure("MIN"), figure("MAX")), (expected.min, expected.max));
    let of_population = figure("SD") * ((len - 1) as f64 / len as f64).sqrt();
    assert!((of_population - expected.std).abs() < 1e-9, "{of_population} {}", expected.std);
}

#[test]
fn a_row_that_waits_keeps_its_headers_over_a_restart() {
    let script = "SET 'ksql.millstream.over.grace.ms'='1000';
        CREATE STREAM s (k STRING KEY, v INT) WITH (kafka_topic='device-sensors', value_format='JSON');
        CREATE STREAM t AS SELECT k, v, LEAD(v) OVER (PARTITION BY k ORDER BY rowtime) AS next FROM s;";
    let Queries(mut queries) = Queries::of(script);
    let (_, mut driver) = queries.remove(0);
    let mut stored = BTreeMap::new();
    let mut given = Vec::new();
    for (v, at) in [(1, 1_000), (3, 3_000), (2, 2_500), (4, 9_000)] {
        let headers = vec![(format!("h{v}"), Some(vec![v])), ("empty".to_owned(), None)];
        let value = Some(format!(r#"{{"v":{v}}}"#).into_bytes());
        let key = Some(b"k".to_vec());
        driver.pipe(SOURCE, &DriverRecord { key, value, timestamp_ms: at, headers }).unwrap();
        for (target, record) in driver.take_output() {
            match target {
                Target::Changelog(store) => {
                    stored.insert((store, record.key.clone()), record);
                }
                _ => given.push(record),
            }
        }
        let records = stored.iter().map(|((store, _), record)| (*store, record.clone()));
        driver.restart(records.collect::<Vec<_>>()).unwrap();
    }
    let shown =
        given.iter().map(|row| (value(row)["NEXT"].as_i64(), row.timestamp_ms, &row.headers));
    let headers = |v: u8| vec![(format!("h{v}"), Some(vec![v])), ("empty".to_owned(), None)];
    let expected = [(Some(2), 1_000, &headers(1)), (Some(3), 2_500, &headers(2))];
    assert_eq!(shown.collect::<Vec<_>>(), expected);
}

#[test]
fn a_late_row_is_said_once_and_counts_for_nobody() {
    let script = "CREATE STREAM s (k STRING KEY, v INT) WITH (kafka_topic='device-sensors', value_format='JSON');
        CREATE STREAM t AS SELECT k, SUM(v) OVER (PARTITION BY k ORDER BY rowtime ROWS UNBOUNDED PRECEDING) AS n FROM s;";
    let Queries(mut queries) = Queries::of(script);
    let (_, mut driver) = queries.remove(0);
    let batch = [(1, 5), (2, 4), (4, 5), (8, 1), (16, 6)].map(|(v, at)| DriverRecord {
        key: Some(b"k".to_vec()),
        value: Some(format!(r#"{{"v":{v}}}"#).into_bytes()),
        timestamp_ms: at,
        headers: OwnedHeaders::new(),
    });
    driver.pipe_batch(SOURCE, &batch).unwrap();
    let log = driver.take_log();
    let is_late = |entry: &millstream::runtime::ProcessingLogEntry| matches!(&entry.event, LogEvent::Processing { message, .. } if message.contains("too late"));
    assert_eq!((log.len(), log.iter().filter(|entry| is_late(entry)).count()), (2, 2));
    let sinks = driver.take_output().into_iter().filter(|(target, _)| *target == Target::Sink);
    let sums: Vec<_> = sinks.map(|(_, row)| value(&row)["N"].as_i64()).collect();
    assert_eq!(sums, [Some(1), None, Some(5), None, Some(21)]);
}
