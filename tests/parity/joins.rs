//! Readings joined with a registry of the devices, and alerts with the readings around them.
//!
//! How records of two topics mix depends on timing, so each query is given its records one by one, without a broker:
//! the registry before the readings, and each alert after the reading that raised it. Of the join of two streams the
//! rows are compared in any order, and the changelog of each side in its own.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use millstream::engine::{Engine, Known, PersistentQuery, Properties, Session, TopicShape};
use millstream::plan::StoreId;
use millstream::runtime::{Driver, DriverOptions, DriverRecord, Target};
use millstream::sql::{ParseOptions, parse};

use super::compare::{multiset, sequence};
use super::record::{Record, read_lines, read_topic, recorded};

const PIPELINE: &str = "joins";

/// What the queries wrote, by topic.
type Written = BTreeMap<String, Vec<Record>>;

/// A query, and the names of the topics that it writes.
struct Query {
    driver: Driver,
    sink: String,
    changelogs: Vec<String>,
}

impl Query {
    /// Follows a record; gives the records of the sink.
    fn process(&mut self, topic: &str, record: &Record, written: &mut Written) -> Vec<Record> {
        if !self.driver.source_topics().any(|source| source == topic) {
            return Vec::new();
        }
        let Record { key, value, timestamp_ms, headers } = record.clone();
        self.driver.pipe(topic, &DriverRecord { key, value, timestamp_ms, headers }).unwrap();
        let mut given = Vec::new();
        for (target, record) in self.driver.take_output() {
            let DriverRecord { key, value, timestamp_ms, headers } = record;
            let record = Record { key, value, timestamp_ms, headers };
            let name = match target {
                Target::Sink => &self.sink,
                Target::Changelog(StoreId(store)) => &self.changelogs[store],
                Target::Repartition(_) => continue,
            };
            written.entry(name.clone()).or_default().push(record.clone());
            given.extend((target == Target::Sink).then_some(record));
        }
        given
    }
}

/// The queries of the pipeline, numbered as the real server numbered them.
fn queries() -> Vec<Query> {
    let text = std::fs::read_to_string(recorded(PIPELINE).join("queries.sql")).unwrap();
    let statements = parse(&text, &ParseOptions::default()).unwrap();
    let mut engine = Engine::new(Properties::default());
    let (mut session, mut known) = (Session::default(), Known::default());
    for topic in ["device-sensors", "device-registry"] {
        known.add_topic(topic, TopicShape { partitions: 1, replicas: 1, retention_ms: None });
    }
    for (statement, number) in statements.iter().zip([1, 3, 5, 7, 9]) {
        engine.run(statement, &mut session, &known, number).unwrap();
    }
    let query = |query: &Arc<PersistentQuery>| {
        let application = format!("_confluent-ksql-default_query_{}", query.id);
        let name = |name: String| format!("{application}-{name}");
        Query {
            driver: Driver::new(Arc::clone(&query.plan), &query.id, DriverOptions::default())
                .unwrap(),
            sink: query.plan.sink.topic.clone(),
            changelogs: query.plan.stores().map(|(.., store)| name(store.changelog())).collect(),
        }
    };
    engine.queries().iter().map(query).collect()
}

/// What the queries write, for all tests.
fn written() -> &'static Written {
    static WRITTEN: OnceLock<Written> = OnceLock::new();
    WRITTEN.get_or_init(|| {
        let (mut queries, mut written) = (queries(), Written::new());
        let mut follow = |topic: &str, record: &Record| {
            for index in 0..queries.len() {
                let given = queries[index].process(topic, record, &mut written);
                let sink = queries[index].sink.clone();
                for record in given {
                    for reader in &mut queries[index + 1..] {
                        reader.process(&sink, &record, &mut written);
                    }
                }
            }
        };
        for (_, record) in read_lines(&recorded(PIPELINE).join("device-registry.jsonl.gz")) {
            follow("device-registry", &record);
        }
        for (_, record) in read_lines(&recorded("input.jsonl.gz")) {
            follow("device-sensors", &record);
        }
        written
    })
}

/// A topic holds what was recorded, byte for byte and in order.
#[track_caller]
fn same(name: &str) {
    sequence(name, &read_topic(PIPELINE, name, 1)[0], &written()[name]);
}

#[test]
fn readings_located() {
    same("READINGS_LOCATED");
}

#[test]
fn changelog_of_the_registry() {
    same("_confluent-ksql-default_query_CSAS_READINGS_LOCATED_5-KafkaTopic_Right-Reduce-changelog");
}

#[test]
fn alert_context() {
    let expected = read_topic(PIPELINE, "ALERT_CONTEXT", 1).remove(0);
    multiset("ALERT_CONTEXT", &expected, &written()["ALERT_CONTEXT"]);
}

#[test]
fn changelogs_of_alert_context() {
    for store in ["JOINTHIS-0000000016", "JOINOTHER-0000000017"] {
        let query = "_confluent-ksql-default_query_CSAS_ALERT_CONTEXT_9";
        same(&format!("{query}-KSTREAM-{store}-store-changelog"));
    }
}
