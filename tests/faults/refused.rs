//! Results that their topics do not take: they are left out and told, or stop their query.

use std::collections::BTreeMap;

use millstream::kafka::admin::{Admin, NewTopic};
use millstream::kafka::produce::{NewRecord, Producer};
use serde_json::{Value, json};

use crate::support::{PARTITIONS, Run, World};

const QUERIES: [&str; 2] = ["CSAS_COPY_0", "CTAS_COUNTS_1"];

/// The time of good readings, and one that is far ahead of any clock here.
const GOOD_MS: i64 = 1_700_000_000_000;
const AHEAD_MS: i64 = 4_102_444_800_000;

/// How many readings there are: one in five is dated far ahead, one in ten is large.
const READINGS: usize = 60;
const AHEAD: usize = 12;
const LARGE: usize = 6;

/// How many devices there are, each with a window of good readings and one of those from ahead.
const DEVICES: usize = 6;

/// A topic that takes no record from more than an hour ahead, as Kafka 4's, and none that is large.
async fn create_strict(world: &World, topic: &str) {
    let strict = NewTopic::new(topic, PARTITIONS)
        .with_config("message.timestamp.after.max.ms", "3600000")
        .with_config("max.message.bytes", "2000");
    Admin::new(&world.cluster).create_topic(&strict).await.unwrap();
}

/// Streams that copy and count readings into topics which do not take all of it.
async fn statements(world: &World) -> String {
    let open = NewTopic::new(world.topic("in"), PARTITIONS)
        .with_config("message.timestamp.type", "CreateTime");
    Admin::new(&world.cluster).create_topic(&open).await.unwrap();
    for topic in ["copy", "counts"] {
        create_strict(world, &world.topic(topic)).await;
    }
    let name = &world.name;
    format!(
        "CREATE STREAM readings (device VARCHAR KEY, seen BIGINT, note VARCHAR)
           WITH (KAFKA_TOPIC='{name}-in', VALUE_FORMAT='JSON', TIMESTAMP='seen');
         CREATE STREAM copy WITH (KAFKA_TOPIC='{name}-copy') AS
           SELECT * FROM readings EMIT CHANGES;
         CREATE TABLE counts WITH (KAFKA_TOPIC='{name}-counts') AS SELECT device, COUNT(*) AS n
           FROM readings WINDOW TUMBLING (SIZE 1 DAY, GRACE PERIOD 30000 DAYS)
           GROUP BY device EMIT CHANGES;"
    )
}

async fn send(world: &World) {
    let producer = Producer::new(&world.cluster);
    for reading in 0..READINGS {
        let device = reading % DEVICES;
        let at = if reading / DEVICES % 5 == 1 { AHEAD_MS } else { GOOD_MS } + reading as i64;
        let note = if reading / DEVICES == 2 { "x".repeat(9_000) } else { String::new() };
        let value = json!({ "SEEN": at, "NOTE": note }).to_string();
        let key = format!("d{device}");
        let record = NewRecord::new(GOOD_MS, Some(key.as_bytes()), Some(value.as_bytes()));
        producer.send(&world.topic("in"), device as i32 % PARTITIONS, record).await.unwrap();
    }
    producer.flush().await.unwrap();
}

fn run(world: &World, sql: &str, properties: &[&str]) -> Run {
    // Notes must differ in size where they lie, too.
    let all = properties.iter().chain(&["compression.type=none"]);
    let args: Vec<&str> = all.flat_map(|property| ["--property", *property]).collect();
    world.run(sql, &args)
}

/// The entries of the processing log about records that were not written.
async fn logged(world: &World) -> Vec<Value> {
    let log = world.read(&format!("{}ksql_processing_log", world.name)).await;
    let entries = log.iter().map(|(_, value)| value.as_deref().unwrap());
    let entries = entries.map(|entry| serde_json::from_slice::<Value>(entry).unwrap());
    entries.filter(|entry| entry["message"]["type"] == json!(2)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn law_17_what_a_sink_does_not_take_is_left_out_told_and_logged() {
    let world = World::start("refused").await;
    let sql = statements(&world).await;
    let with_log = [
        "ksql.logging.processing.topic.auto.create=true",
        "ksql.logging.processing.rows.include=true",
    ];
    let first = run(&world, &sql, &with_log);
    send(&world).await;
    world.wait_for_level(&QUERIES, &world.topic("in"), &first).await;
    let log = first.stop().await;
    assert!(!log.contains("has failed") && !log.contains("tried again"), "{log}");
    let copied = world.read(&world.topic("copy")).await;
    assert_eq!(copied.len(), READINGS - AHEAD - LARGE, "{log}");
    assert_eq!(last_counts(&world).await, vec![8; DEVICES], "{log}");
    for warning in [
        "query CTAS_COUNTS_1: skipped ",
        " that the broker refused: such as a record for ",
        "message.timestamp.after.max.ms",
    ] {
        assert!(log.contains(warning), "{warning:?}:\n{log}");
    }
    let entries = logged(&world).await;
    let of = |query: &str| {
        let logger = json!(format!("processing.{query}"));
        let entries = entries.iter().filter(|entry| entry["logger"] == logger);
        let error = |entry: &Value| entry["message"]["productionError"]["errorMessage"].to_string();
        entries.map(error).collect::<Vec<_>>()
    };
    assert_eq!(of(QUERIES[0]).len(), AHEAD + LARGE, "{entries:#?}");
    let of_counts = of(QUERIES[1]);
    let is_ahead = |text: &String| text.contains("INVALID_TIMESTAMP") && text.contains("key d");
    assert!(of_counts.len() >= DEVICES && of_counts.iter().all(is_ahead), "{of_counts:#?}");
    // All windows are in the state, also those that the sink has not.
    let again = run(&world, &sql, &with_log);
    send(&world).await;
    world.wait_for_level(&QUERIES, &world.topic("in"), &again).await;
    let log = again.stop().await;
    assert_eq!(last_counts(&world).await, vec![16; DEVICES], "{log}");
    let entries = logged(&world).await;
    let counts_of_ahead = |n| entries.iter().any(|entry| entry.to_string().contains(n));
    assert!(counts_of_ahead("{\\\"N\\\":4}"), "{entries:#?}");
}

/// The last count of each window in the sink.
async fn last_counts(world: &World) -> Vec<i64> {
    let counts = world.read(&world.topic("counts")).await;
    let count = |(key, value): (Option<Vec<u8>>, Option<Vec<u8>>)| {
        let value: Value = serde_json::from_slice(&value.unwrap()).unwrap();
        (key, value["N"].as_i64().unwrap())
    };
    let last: BTreeMap<_, _> = counts.into_iter().map(count).collect();
    last.into_values().collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn who_wants_no_result_to_be_left_out_has_the_query_stop() {
    for property in
        ["ksql.millstream.on.refused.records=stop", "ksql.fail.on.production.error=true"]
    {
        let world = World::start("refused-stop").await;
        let sql = statements(&world).await;
        let mut run = run(&world, &sql, &[property]);
        send(&world).await;
        assert_eq!(run.code().await, 2, "{}", run.log());
        let log = run.log();
        for query in QUERIES {
            assert!(log.contains(&format!("query {query} has failed for good")), "{log}");
        }
        assert!(log.contains("was refused (timestamp "), "{log}");
    }
}
