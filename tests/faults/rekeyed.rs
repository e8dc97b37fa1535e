//! A backlog whose rows get a new key on their way to a join: behind topics, too, they meet in the order of their times.
//!
//! Each topic is written partition by partition, with all of the time in each of them, so that who reads one partition far
//! ahead of the others finds the windows of their rows closed.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use millstream::kafka::partitioner::partition_for_key;
use millstream::kafka::produce::{NewRecord, Producer};
use serde_json::{Value, json};

use crate::lives::Lives;
use crate::support::{PARTITIONS, World};

const START_MS: i64 = 1_700_000_000_000;

/// How many records a topic has, one in each second.
const RECORDS: i64 = 3_000;

const DEVICES: i64 = 20;

/// After how long without an end a query counts as one that hangs.
const HANGS_AFTER: Duration = Duration::from_mins(5);

/// How often the query is stopped and started again meanwhile.
const STOPS: usize = 4;

/// How far apart, in seconds, readings and moves belong together.
const WITHIN: i64 = 5;

/// Rows of both streams have an id, which is their time in seconds, and a device that is not their key.
fn device(id: i64, of: i64) -> String {
    format!("d{}", id * of / 3 % DEVICES)
}

fn reading_device(id: i64) -> String {
    device(id, 5)
}

fn move_device(id: i64) -> String {
    device(id, 7)
}

/// The version of a device's home at a time: it moves each ten minutes.
fn home(id: i64) -> i64 {
    id / 600
}

/// The readings and moves that belong together.
fn pairs() -> impl Iterator<Item = (i64, i64)> {
    (0..RECORDS).flat_map(|reading| {
        let moves = (reading - WITHIN).max(0)..=(reading + WITHIN).min(RECORDS - 1);
        let same = move |moved: &i64| move_device(*moved) == reading_device(reading);
        moves.filter(same).map(move |moved| (reading, moved))
    })
}

/// Statements of a story: its sources, and one query into the topic `out`.
fn statements(world: &World, query: &str) -> String {
    let name = &world.name;
    let with = |topic: &str| {
        format!("WITH (KAFKA_TOPIC='{name}-{topic}', VALUE_FORMAT='JSON', PARTITIONS={PARTITIONS})")
    };
    let query = query.replace("WITH_OUT", &with("out"));
    format!(
        "CREATE STREAM readings (number VARCHAR KEY, device VARCHAR, id BIGINT) {};
         CREATE STREAM moves (number VARCHAR KEY, device VARCHAR, id BIGINT) {};
         CREATE STREAM steps (device VARCHAR KEY, id BIGINT) {};
         CREATE TABLE homes (device VARCHAR PRIMARY KEY, home BIGINT) {};
         {query}",
        with("readings"),
        with("moves"),
        with("steps"),
        with("homes"),
    )
}

/// Writes a topic, one partition after the other.
async fn write(world: &World, topic: &str, records: impl Iterator<Item = (i64, String, Value)>) {
    let producer = Producer::new(&world.cluster);
    let mut partitions: BTreeMap<i32, Vec<(i64, String, Value)>> = BTreeMap::new();
    for record in records {
        let partition = partition_for_key(record.1.as_bytes(), PARTITIONS);
        partitions.entry(partition).or_default().push(record);
    }
    for (partition, records) in partitions {
        for (second, key, value) in records {
            let (at, value) = (START_MS + second * 1_000, value.to_string());
            let record = NewRecord::new(at, Some(key.as_bytes()), Some(value.as_bytes()));
            producer.send(&world.topic(topic), partition, record).await.unwrap();
        }
        producer.flush().await.unwrap();
    }
}

/// Runs a query over the backlog with rows re-keyed through topics; with clean stops on the way; what it has written.
async fn run(name: &str, query: &str, id: &str, topics: &[&str]) -> Vec<(Vec<u8>, Value)> {
    let through_topics = [("ksql.millstream.repartition", "topic")];
    let lives = Lives::of(name, |world| statements(world, query), &through_topics).await;
    let world = &lives.world;
    let ids = || 0..RECORDS;
    let row = |device: String, id: i64| json!({ "DEVICE": device, "ID": id });
    write(world, "readings", ids().map(|id| (id, format!("r{id}"), row(reading_device(id), id))))
        .await;
    write(world, "moves", ids().map(|id| (id, format!("m{id}"), row(move_device(id), id)))).await;
    write(world, "steps", ids().map(|id| (id, move_device(id), json!({ "ID": id })))).await;
    let homes = ids().step_by(600).flat_map(|id| (0..DEVICES).map(move |device| (id, device)));
    let homes = homes.map(|(id, device)| (id, format!("d{device}"), json!({ "HOME": home(id) })));
    write(world, "homes", homes).await;
    lives.start_query(id);
    for _ in 0..STOPS {
        tokio::time::sleep(Duration::from_millis(300)).await;
        lives.instance.stop_query(id).await.unwrap();
        lives.start_query(id);
    }
    wait_for_level(world, id, topics).await;
    // Joins look for rows without a match once in a second at most, and when a row comes.
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    let later = (RECORDS + 1_000)..(RECORDS + 1_000 + 10 * DEVICES);
    let later = later.map(|id| (id, format!("r{id}"), row(reading_device(id), id)));
    write(world, "readings", later).await;
    wait_for_level(world, id, topics).await;
    // A commit of the sources stands for all that comes of them, through whatever topics.
    let rows = world.read(&world.topic("out")).await;
    lives.instance.stop().await;
    let row = |(key, value): (Option<Vec<u8>>, Option<Vec<u8>>)| {
        let value = serde_json::from_slice(&value.unwrap()).unwrap();
        (key.unwrap_or_default(), value)
    };
    rows.into_iter().map(row).collect()
}

/// Waits until topics are read and committed.
async fn wait_for_level(world: &World, id: &str, topics: &[&str]) {
    for topic in topics {
        let topic = world.topic(topic);
        let level = async {
            while world.lag(id, &topic).await > 0 {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        let level = tokio::time::timeout(HANGS_AFTER, level).await;
        assert!(level.is_ok(), "{id} does not come level with {topic}");
    }
}

fn number(row: &Value, column: &str) -> Option<i64> {
    row[column].as_i64()
}

/// Each pair once, and nothing else.
fn check_pairs(rows: &[(Vec<u8>, Value)]) {
    let found =
        rows.iter().map(|(_, row)| (number(row, "READING").unwrap(), number(row, "MOVE").unwrap()));
    let found: Vec<_> = found.collect();
    let expected: BTreeSet<_> = pairs().collect();
    let set: BTreeSet<_> = found.iter().copied().collect();
    let missing: Vec<_> = expected.difference(&set).take(5).collect();
    assert!(set == expected, "{} of {} pairs, missing {missing:?}", set.len(), expected.len());
    assert_eq!(found.len(), expected.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn two_streams_that_both_get_new_keys() {
    let query = "CREATE STREAM out WITH_OUT AS SELECT r.device AS device, r.id AS reading, m.id AS move
        FROM readings r JOIN moves m WITHIN 5 SECONDS GRACE PERIOD 0 SECONDS ON r.device = m.device;";
    check_pairs(&run("both-rekeyed", query, "CSAS_OUT_0", &["readings", "moves"]).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_gets_new_keys_with_one_that_has_them() {
    let query = "CREATE STREAM out WITH_OUT AS SELECT r.device AS device, r.id AS reading, s.id AS move
        FROM readings r JOIN steps s WITHIN 5 SECONDS GRACE PERIOD 0 SECONDS ON r.device = s.device;";
    check_pairs(&run("one-rekeyed", query, "CSAS_OUT_0", &["readings", "steps"]).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_has_its_keys_with_one_that_gets_them() {
    let query = "CREATE STREAM out WITH_OUT AS SELECT r.device AS device, r.id AS reading, s.id AS move
        FROM steps s JOIN readings r WITHIN 5 SECONDS GRACE PERIOD 0 SECONDS ON s.device = r.device;";
    check_pairs(&run("other-rekeyed", query, "CSAS_OUT_0", &["readings", "steps"]).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn three_streams_one_after_the_other() {
    let query = "CREATE STREAM out WITH_OUT AS
        SELECT m.device AS device, r.id AS reading, m.id AS move, s.id AS step FROM readings r
        JOIN moves m WITHIN 5 SECONDS GRACE PERIOD 0 SECONDS ON r.id = m.id
        JOIN steps s WITHIN 5 SECONDS GRACE PERIOD 0 SECONDS ON m.device = s.device;";
    let rows = run("three-rekeyed", query, "CSAS_OUT_0", &["readings", "moves", "steps"]).await;
    let found =
        rows.iter().map(|(_, row)| ["READING", "MOVE", "STEP"].map(|of| number(row, of).unwrap()));
    let found: Vec<_> = found.collect();
    let near = |id: i64| (id - WITHIN).max(0)..=(id + WITHIN).min(RECORDS - 1);
    let same = |id: i64| near(id).filter(move |step| move_device(*step) == move_device(id));
    let expected = (0..RECORDS).flat_map(|id| same(id).map(move |step| [id, id, step]));
    let expected: BTreeSet<_> = expected.collect();
    let set: BTreeSet<_> = found.iter().copied().collect();
    let missing: Vec<_> = expected.difference(&set).take(5).collect();
    assert!(set == expected, "{} of {}, missing {missing:?}", set.len(), expected.len());
    assert_eq!(found.len(), expected.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn unmatched_rows_come_once_and_only_where_nothing_matches() {
    let query = "CREATE STREAM out WITH_OUT AS SELECT ROWKEY AS device, r.id AS reading, m.id AS move
        FROM readings r FULL OUTER JOIN moves m WITHIN 5 SECONDS GRACE PERIOD 5 SECONDS ON r.device = m.device;";
    let rows = run("outer-rekeyed", query, "CSAS_OUT_0", &["readings", "moves"]).await;
    let (alone, matched): (Vec<_>, Vec<_>) = rows
        .into_iter()
        .partition(|(_, row)| number(row, "READING").is_none() || number(row, "MOVE").is_none());
    check_pairs(&matched);
    let (mut readings, mut moves): (BTreeSet<_>, BTreeSet<_>) =
        (0..RECORDS).map(|id| (id, id)).unzip();
    for (reading, moved) in pairs() {
        readings.remove(&reading);
        moves.remove(&moved);
    }
    // The windows of the last ones are still open.
    let is_closed = |id: &i64| *id < RECORDS;
    for (column, expected) in [("READING", readings), ("MOVE", moves)] {
        let found: Vec<_> = alone.iter().filter_map(|(_, row)| number(row, column)).collect();
        let closed: Vec<_> = found.iter().copied().filter(is_closed).collect();
        assert_eq!(closed.len(), closed.iter().collect::<BTreeSet<_>>().len(), "{column} twice");
        let expected: BTreeSet<_> = expected.into_iter().filter(is_closed).collect();
        assert_eq!(closed.into_iter().collect::<BTreeSet<_>>(), expected, "{column}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_gets_new_keys_meets_the_row_that_a_table_had() {
    let query =
        "CREATE STREAM out WITH_OUT AS SELECT r.device AS device, r.id AS reading, h.home AS home
        FROM readings r LEFT JOIN homes h ON r.device = h.device;";
    let rows = run("table-rekeyed", query, "CSAS_OUT_0", &["readings", "homes"]).await;
    let found = rows.iter().map(|(_, row)| (number(row, "READING").unwrap(), number(row, "HOME")));
    let found: BTreeMap<_, _> = found.filter(|(id, _)| *id < RECORDS).collect();
    assert_eq!(found.len(), RECORDS as usize);
    let wrong: Vec<_> = found
        .iter()
        // A row of the table and one of the stream at one time come in either order.
        .filter(|(id, found)| *id % 600 != 0 && **found != Some(home(**id)))
        .take(5)
        .collect();
    assert!(wrong.is_empty(), "{wrong:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_joined_gets_another_key_and_is_counted_in_windows() {
    let query = "CREATE TABLE out WITH_OUT AS SELECT m.id % 7 AS rest, COUNT(*) AS n
        FROM readings r JOIN moves m WITHIN 5 SECONDS GRACE PERIOD 0 SECONDS ON r.device = m.device
        WINDOW TUMBLING (SIZE 1 MINUTE, GRACE PERIOD 5 SECONDS) GROUP BY m.id % 7;";
    let rows = run("joined-counted", query, "CTAS_OUT_0", &["readings", "moves"]).await;
    let mut last = BTreeMap::new();
    for (key, row) in rows {
        last.insert(key, number(&row, "N").unwrap());
    }
    assert_eq!(last.into_values().sum::<i64>(), pairs().count() as i64);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_over_those_of_its_device_follows_the_one_before_it() {
    let query = "CREATE STREAM out WITH_OUT AS SELECT number, id AS reading,
        LAG(id) OVER (PARTITION BY device ORDER BY ROWTIME) AS before FROM readings;";
    let rows = run("over-rekeyed", query, "CSAS_OUT_0", &["readings"]).await;
    let found =
        rows.iter().map(|(_, row)| (number(row, "READING").unwrap(), number(row, "BEFORE")));
    let found: BTreeMap<_, _> = found.filter(|(id, _)| *id < RECORDS).collect();
    let mut last = BTreeMap::new();
    let expected = (0..RECORDS).map(|id| (id, last.insert(reading_device(id), id)));
    assert_eq!(found, expected.collect());
}
