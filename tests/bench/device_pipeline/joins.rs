//! Joins of a million records: readings with a table, two streams, two tables.
//!
//! Keys are those of the topics, so that nothing is re-keyed: what is measured is the join. Each case counts its
//! results, and may have Kafka Streams do the same beside it.

use std::path::Path;

use anyhow::{Result, ensure};
use millstream::kafka::Cluster;
use millstream::kafka::admin::{Admin, NewTopic};
use millstream::kafka::partitioner::partition_for_key;
use millstream::kafka::produce::{NewRecord, Producer};

use crate::{Line, broker, cluster, peer, run_text, show, watch};

const PARTITIONS: i32 = 3;
const START_MS: i64 = 1_700_000_000_000;

/// How many rows tables have.
const TABLE_ROWS: u64 = 10_000;

/// A join, and what comes of it.
struct Case {
    name: &'static str,
    sql: &'static str,
    feed: fn(u64) -> Box<dyn Iterator<Item = Fed>>,
    /// How many records the sink has at the end, or how many keys where it is a table.
    results: fn(u64) -> u64,
    is_table: bool,
}

/// A record of one of the two topics.
struct Fed {
    topic: &'static str,
    key: u64,
    at_ms: i64,
    value: String,
}

const CASES: [Case; 3] = [
    Case {
        name: "stream-table",
        sql: "CREATE STREAM l (id VARCHAR KEY, x DOUBLE, gt VARCHAR) WITH (KAFKA_TOPIC='join-left', VALUE_FORMAT='JSON');
              CREATE TABLE r (id VARCHAR PRIMARY KEY, owner VARCHAR, room VARCHAR)
                WITH (KAFKA_TOPIC='join-right', VALUE_FORMAT='JSON');
              CREATE STREAM joined WITH (KAFKA_TOPIC='join-out') AS
                SELECT l.id AS id, x, gt, owner, room FROM l JOIN r ON l.id = r.id EMIT CHANGES;",
        feed: |records| {
            // Before all readings: what comes at the same time has no order.
            let rows = (0..TABLE_ROWS).map(|key| owner(key, START_MS - 1));
            Box::new(rows.chain((0..records).map(|nth| reading("join-left", nth % TABLE_ROWS, nth))))
        },
        results: |records| records,
        is_table: false,
    },
    Case {
        name: "stream-stream",
        sql: "CREATE STREAM l (id VARCHAR KEY, x DOUBLE, gt VARCHAR) WITH (KAFKA_TOPIC='join-left', VALUE_FORMAT='JSON');
              CREATE STREAM r (id VARCHAR KEY, x DOUBLE, gt VARCHAR) WITH (KAFKA_TOPIC='join-right', VALUE_FORMAT='JSON');
              CREATE STREAM joined WITH (KAFKA_TOPIC='join-out') AS
                SELECT l.id AS id, l.x AS x, r.x AS y FROM l JOIN r WITHIN 1 SECOND GRACE PERIOD 10 SECONDS ON l.id = r.id
                EMIT CHANGES;",
        feed: |records| {
            Box::new((0..records / 2).flat_map(|nth| {
                [reading("join-left", nth, nth), reading("join-right", nth, nth)]
            }))
        },
        results: |records| records / 2,
        is_table: false,
    },
    Case {
        name: "table-table",
        sql: "CREATE TABLE l (id VARCHAR PRIMARY KEY, x DOUBLE, gt VARCHAR) WITH (KAFKA_TOPIC='join-left', VALUE_FORMAT='JSON');
              CREATE TABLE r (id VARCHAR PRIMARY KEY, owner VARCHAR, room VARCHAR)
                WITH (KAFKA_TOPIC='join-right', VALUE_FORMAT='JSON');
              CREATE TABLE joined WITH (KAFKA_TOPIC='join-out') AS
                SELECT l.id AS id, x, gt, owner, room FROM l JOIN r ON l.id = r.id EMIT CHANGES;",
        feed: |records| {
            Box::new((0..records / 2).flat_map(|nth| {
                let key = nth % TABLE_ROWS;
                [reading("join-left", key, nth), owner(key, START_MS + nth as i64)]
            }))
        },
        results: |_| TABLE_ROWS,
        is_table: true,
    },
];

fn reading(topic: &'static str, key: u64, nth: u64) -> Fed {
    let gt = ["sit", "stand", "walk", "bike"][nth as usize % 4];
    let value = format!(r#"{{"X":{}.{:03},"GT":"{gt}"}}"#, nth % 10, nth % 1_000);
    Fed { topic, key, at_ms: START_MS + nth as i64, value }
}

fn owner(key: u64, at_ms: i64) -> Fed {
    let value = format!(r#"{{"OWNER":"user-{}","ROOM":"room-{}"}}"#, key % 97, at_ms % 31);
    Fed { topic: "join-right", key, at_ms, value }
}

/// Runs every case, beside Kafka Streams if that is asked for.
pub(crate) async fn run(records: u64, workers: Option<u32>, with_peer: bool) -> Result<()> {
    let peer = with_peer.then(peer::build).transpose()?;
    for case in &CASES {
        println!("\n{} join, {records} records", case.name);
        let mut lines = vec![ours(case, records, workers).await?];
        if let Some(jar) = &peer {
            lines.push(peers(jar, case, records).await?);
        }
        show(&lines);
    }
    Ok(())
}

async fn ours(case: &Case, records: u64, workers: Option<u32>) -> Result<Line> {
    let (broker, address) = broker().await?;
    let cluster = cluster(&address)?;
    let fed = feed(&cluster, (case.feed)(records)).await?;
    let (line, run) = run_text(case.name, case.sql, &cluster, fed, workers).await?;
    check(case, &cluster, records).await?;
    drop((run, broker));
    Ok(line)
}

async fn peers(jar: &Path, case: &Case, records: u64) -> Result<Line> {
    let (broker, address) = broker().await?;
    let cluster = cluster(&address)?;
    let fed = feed(&cluster, (case.feed)(records)).await?;
    Admin::new(&cluster).create_topic(&NewTopic::new("join-out", PARTITIONS)).await?;
    let (line, run) = peer::run(jar, case.name, &cluster, fed).await?;
    check(case, &cluster, records).await?;
    drop((run, broker));
    Ok(line)
}

/// Writes records to their topics, and gives how many there are.
async fn feed(cluster: &Cluster, records: impl Iterator<Item = Fed>) -> Result<u64> {
    for topic in ["join-left", "join-right"] {
        Admin::new(cluster).create_topic(&NewTopic::new(topic, PARTITIONS)).await?;
    }
    let producer = Producer::new(cluster);
    let mut count = 0;
    for Fed { topic, key, at_ms, value } in records {
        let key = format!("device-{key}");
        let record = NewRecord::new(at_ms, Some(key.as_bytes()), Some(value.as_bytes()));
        producer.send(topic, partition_for_key(key.as_bytes(), PARTITIONS), record).await?;
        count += 1;
    }
    producer.flush().await?;
    Ok(count)
}

async fn check(case: &Case, cluster: &Cluster, records: u64) -> Result<()> {
    let found = watch::results(cluster, "join-out", case.is_table).await?;
    let expected = (case.results)(records);
    ensure!(found == expected, "{}: {found} results, not {expected}", case.name);
    Ok(())
}
