//! What is computed OVER rows, over stops and take-overs: each row comes once, with the rows around it.

use std::collections::BTreeMap;
use std::ops::Range;
use std::time::Duration;

use millstream::kafka::admin::OffsetSpec;
use millstream::kafka::produce::{NewRecord, Producer};
use serde_json::{Value, json};

use crate::support::{PARTITIONS, Run, World};

const START_MS: i64 = 1_700_000_000_000;

/// Reading `id` is of device `id % DEVICES`, and a millisecond later than the one before.
const DEVICES: i64 = 17;

/// How long rows wait to be put in order, where they do.
const GRACE_MS: i64 = 50;

fn statements(world: &World) -> String {
    let name = &world.name;
    let over = "OVER (PARTITION BY device ORDER BY rowtime";
    format!(
        "CREATE STREAM readings (id BIGINT, device VARCHAR)
           WITH (KAFKA_TOPIC='{name}-in', VALUE_FORMAT='JSON');
         CREATE STREAM steps WITH (KAFKA_TOPIC='{name}-steps') AS
           SELECT id, LAG(id) {over}) AS before, COUNT(*) {over} ROWS UNBOUNDED PRECEDING) AS n,
             MIN(id) {over} ROWS BETWEEN 4 PRECEDING AND CURRENT ROW) AS least
           FROM readings EMIT CHANGES;
         CREATE STREAM spans WITH (KAFKA_TOPIC='{name}-spans') AS
           SELECT id, LEAD(id, 2) {over}) AS after FROM readings EMIT CHANGES;
         SET 'ksql.millstream.over.grace.ms'='{GRACE_MS}';
         CREATE STREAM sorted WITH (KAFKA_TOPIC='{name}-sorted') AS
           SELECT id, LAG(id) {over}) AS before FROM readings EMIT CHANGES;"
    )
}

/// Sends readings; those of a device go to one partition.
async fn send(world: &World, ids: Range<i64>) {
    send_to(world, ids, |id| id % DEVICES).await;
}

/// Sends readings; the partition of each goes by a number.
async fn send_to(world: &World, ids: Range<i64>, number: impl Fn(i64) -> i64) {
    let producer = Producer::new(&world.cluster);
    for id in ids {
        let device = id % DEVICES;
        let value = json!({ "ID": id, "DEVICE": format!("d{device}") }).to_string();
        let record = NewRecord::new(START_MS + id, None, Some(value.as_bytes()));
        let partition = i32::try_from(number(id) % i64::from(PARTITIONS)).unwrap();
        producer.send(&world.topic("in"), partition, record).await.unwrap();
    }
    producer.flush().await.unwrap();
}

/// How many records a topic has.
async fn written(world: &World, topic: &str) -> i64 {
    world.offsets(topic, OffsetSpec::Latest).await.into_values().sum()
}

/// Waits until all that is sure to come of so many readings is there.
async fn settle(world: &World, sent: i64, run: &Run) {
    let waits = sent - 2 * DEVICES;
    let least = [("steps", sent), ("spans", waits), ("sorted", sent - DEVICES - GRACE_MS)];
    for (topic, count) in least {
        let topic = world.topic(topic);
        for _ in 0..1_200 {
            if written(world, &topic).await >= count {
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        let found = written(world, &topic).await;
        assert!(found >= count, "{topic}: {found} of {count}\n{}", run.log());
    }
}

/// The rows of a topic by their ids, each of which is there once.
async fn rows(world: &World, topic: &str) -> BTreeMap<i64, Value> {
    let mut rows = BTreeMap::new();
    for (_, value) in world.read(&world.topic(topic)).await {
        let row: Value = serde_json::from_slice(&value.unwrap()).unwrap();
        let before = rows.insert(row["ID"].as_i64().unwrap(), row);
        assert_eq!(before, None, "{topic}");
    }
    rows
}

/// What a reading becomes among the steps.
fn step(id: i64) -> Value {
    let before = (id >= DEVICES).then_some(id - DEVICES);
    let least = (id - 4 * DEVICES).max(id % DEVICES);
    json!({ "ID": id, "BEFORE": before, "N": id / DEVICES + 1, "LEAST": least })
}

/// All rows are there, with what was to be computed of those around them.
async fn check(world: &World, sent: i64) {
    let before = |id: i64| (id >= DEVICES).then_some(id - DEVICES);
    let steps = rows(world, "steps").await;
    assert_eq!(steps.len() as i64, sent);
    for (id, row) in steps {
        assert_eq!(row, step(id));
    }
    let spans = rows(world, "spans").await;
    assert_eq!(spans.len() as i64, sent - 2 * DEVICES);
    for (id, row) in spans {
        assert_eq!(row, json!({ "ID": id, "AFTER": id + 2 * DEVICES }));
    }
    let sorted = rows(world, "sorted").await;
    let due = sent - DEVICES - GRACE_MS;
    assert!(sorted.keys().copied().take_while(|id| *id < due).eq(0..due), "{:?}", sorted.keys());
    for (id, row) in sorted {
        assert_eq!(row, json!({ "ID": id, "BEFORE": before(id) }));
    }
}

/// Runs the statements over stops, a take-over, and starts with and without local state.
async fn live_through(name: &str, repartition: &str) {
    let world = World::start(name).await;
    world.create(&world.topic("in"), PARTITIONS).await;
    let sql = statements(&world);
    let state = tempfile::tempdir().unwrap();
    let by = format!("ksql.millstream.repartition={repartition}");
    let plain = ["--property", &*by];
    let with_state = ["--property", &*by, "--state-dir", state.path().to_str().unwrap()];
    let mut sent = 0;
    for args in [&plain[..], &with_state[..], &with_state[..]] {
        let mut run = world.run(&sql, args);
        run.wait_for("is running", 3).await;
        send(&world, sent..sent + 500).await;
        sent += 500;
        settle(&world, sent, &run).await;
        run.stop().await;
    }
    let mut first = world.run_restless(&sql, &plain);
    first.wait_for("is running", 3).await;
    let mut second = world.run_restless(&sql, &plain);
    second.wait_for("stands by", 3).await;
    send(&world, sent..sent + 500).await;
    sent += 500;
    settle(&world, sent, &first).await;
    first.stop().await;
    second.wait_for("is running", 3).await;
    send(&world, sent..sent + 500).await;
    sent += 500;
    settle(&world, sent, &second).await;
    second.stop().await;
    check(&world, sent).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_over_stops_and_take_overs_in_memory() {
    live_through("over-memory", "memory").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_over_stops_and_take_overs_through_topics() {
    live_through("over-topics", "topic").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_of_one_device_on_several_partitions_come_in_the_order_of_their_time() {
    let world = World::start("over-several").await;
    world.create(&world.topic("in"), PARTITIONS).await;
    let sql = statements(&world);
    let mut sent = 0;
    for _ in 0..3 {
        send_to(&world, sent..sent + 2_000, |id| id / DEVICES).await;
        sent += 2_000;
        let mut run = world.run(&sql, &[]);
        run.wait_for("is running", 3).await;
        settle(&world, sent, &run).await;
        run.stop().await;
    }
    check(&world, sent).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn kills_lose_no_row_over_others() {
    let world = World::start("over-kills").await;
    world.create(&world.topic("in"), PARTITIONS).await;
    let sql = statements(&world);
    let state = tempfile::tempdir().unwrap();
    let args = ["--state-dir", state.path().to_str().unwrap()];
    let mut sent = 0;
    for kill in 0..4 {
        let mut run = world.run_restless(&sql, &args);
        run.wait_for("is running", 3).await;
        send(&world, sent..sent + 1_000).await;
        sent += 1_000;
        tokio::time::sleep(Duration::from_millis(150 * kill)).await;
        run.kill();
    }
    let mut run = world.run(&sql, &args);
    run.wait_for("is running", 3).await;
    send(&world, sent..sent + 200).await;
    sent += 200;
    let queries = ["CSAS_STEPS_0", "CSAS_SPANS_1", "CSAS_SORTED_2"];
    world.wait_for_level(&queries, &world.topic("in"), &run).await;
    run.stop().await;
    let before = |id: i64| (id >= DEVICES).then_some(id - DEVICES);
    covers(&world, "steps", sent, step).await;
    covers(&world, "spans", sent - 2 * DEVICES, |id| json!({ "AFTER": id + 2 * DEVICES })).await;
    covers(&world, "sorted", sent - DEVICES - GRACE_MS, |id| json!({ "BEFORE": before(id) })).await;
}

/// Of each reading there is a row with what was to be computed of those around it, whatever comes twice.
async fn covers(world: &World, topic: &str, count: i64, expected: impl Fn(i64) -> Value) {
    let mut right = std::collections::BTreeSet::new();
    for (_, value) in world.read(&world.topic(topic)).await {
        let row: Value = serde_json::from_slice(&value.unwrap()).unwrap();
        let id = row["ID"].as_i64().unwrap();
        let expected = expected(id);
        if expected.as_object().unwrap().iter().all(|(name, value)| row[name] == *value) {
            right.insert(id);
        }
    }
    let missing: Vec<_> = (0..count).filter(|id| !right.contains(id)).collect();
    assert_eq!(missing, Vec::<i64>::new(), "{topic}");
}
