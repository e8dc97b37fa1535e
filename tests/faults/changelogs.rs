//! What a broker would not take, or would delete, of a changelog that the state needs.

use std::collections::BTreeMap;
use std::time::Duration;

use millstream::broker::EmbeddedConfig;
use millstream::kafka::admin::{Admin, ConfigResource, OffsetSpec};
use millstream::kafka::produce::{NewRecord, Producer};
use serde_json::{Value, json};

use crate::support::{PARTITIONS, World};

const QUERY: &str = "CTAS_COUNTS_0";

/// A time long ago, as of readings that are replayed, and one that no clock here has reached.
const LONG_AGO_MS: i64 = 1_600_000_000_000;
const AHEAD_MS: i64 = 4_102_444_800_000;

const DEVICES: usize = 6;

const AHEAD_MAX: &str = "message.timestamp.after.max.ms";

/// A broker as Kafka 4 is: topics take nothing from more than an hour ahead, and what is old is deleted at once.
async fn kafka_4(name: &str) -> World {
    let topic_defaults = BTreeMap::from([(AHEAD_MAX.to_owned(), "3600000".to_owned())]);
    let cleaning_interval = Some(Duration::from_millis(50));
    let config = EmbeddedConfig { topic_defaults, cleaning_interval, ..EmbeddedConfig::default() };
    let world = World::embedded(name, config).await;
    world.create(&world.topic("in"), PARTITIONS).await;
    world
}

fn statements(world: &World) -> String {
    let name = &world.name;
    format!(
        "CREATE STREAM readings (device VARCHAR KEY, seen BIGINT, room VARCHAR)
           WITH (KAFKA_TOPIC='{name}-in', VALUE_FORMAT='JSON', TIMESTAMP='seen');
         CREATE TABLE counts WITH (KAFKA_TOPIC='{name}-counts') AS SELECT room, COUNT(*) AS n
           FROM readings WINDOW TUMBLING (SIZE 1 HOUR, GRACE PERIOD 10 MINUTES)
           GROUP BY room EMIT CHANGES;"
    )
}

/// Sends a reading of each device, seen at `at_ms`.
async fn send(world: &World, at_ms: i64) {
    let producer = Producer::new(&world.cluster);
    for device in 0..DEVICES {
        let value = json!({ "SEEN": at_ms, "ROOM": format!("r{}", device % 2) }).to_string();
        let key = format!("d{device}");
        let now = NewRecord::new(LONG_AGO_MS, Some(key.as_bytes()), Some(value.as_bytes()));
        producer.send(&world.topic("in"), device as i32 % PARTITIONS, now).await.unwrap();
    }
    producer.flush().await.unwrap();
}

/// The last count of each window, in the order of their keys.
async fn counts(world: &World) -> Vec<i64> {
    let count = |value: Option<Vec<u8>>| {
        let value: Value = serde_json::from_slice(&value.unwrap()).unwrap();
        value["N"].as_i64().unwrap()
    };
    let read = world.read(&world.topic("counts")).await.into_iter();
    let last: BTreeMap<_, _> = read.map(|(key, value)| (key, count(value))).collect();
    last.into_values().collect()
}

fn changelog(world: &World) -> String {
    format!("{}-Aggregate-Aggregate-Materialize-changelog", world.group(QUERY))
}

async fn config(world: &World, topic: &str, name: &str) -> String {
    let resource = ConfigResource::Topic(topic.to_owned());
    let configs = Admin::new(&world.cluster).describe_configs(&resource).await.unwrap();
    configs.into_iter().find(|entry| entry.name == name).unwrap().value.unwrap()
}

/// Waits until the broker has cleaned what it has a few times.
async fn let_it_clean() {
    tokio::time::sleep(Duration::from_millis(500)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn law_17_old_readings_are_in_the_state_after_a_restart() {
    let world = kafka_4("replayed").await;
    let sql = statements(&world);
    let mut warned = 0;
    for round in 1..=3 {
        let run = world.run(&sql, &[]);
        send(&world, LONG_AGO_MS + round).await;
        world.wait_for_level(&[QUERY], &world.topic("in"), &run).await;
        let_it_clean().await;
        let log = run.stop().await;
        assert_eq!(counts(&world).await, [round * 3, round * 3], "{log}");
        assert!(!log.contains("may come out short"), "{log}");
        warned += log.matches("its retention.ms is raised from ").count();
    }
    assert_eq!(warned, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn law_17_state_that_the_broker_has_deleted_is_missed_aloud() {
    let world = kafka_4("deleted-state").await;
    let sql = statements(&world);
    let run = world.run(&sql, &[]);
    send(&world, LONG_AGO_MS).await;
    world.wait_for_level(&[QUERY], &world.topic("in"), &run).await;
    run.stop().await;
    // Somebody thinks that two days are enough.
    let admin = Admin::new(&world.cluster);
    let changelog = changelog(&world);
    let two_days = [("retention.ms", Some("172800000"))];
    admin.alter_configs(&ConfigResource::Topic(changelog.clone()), &two_days).await.unwrap();
    let is_deleted = async || {
        world.offsets(&changelog, OffsetSpec::Earliest).await.values().any(|start| *start > 0)
    };
    while !is_deleted().await {
        let_it_clean().await;
    }
    let run = world.run(&sql, &[]);
    send(&world, LONG_AGO_MS).await;
    world.wait_for_level(&[QUERY], &world.topic("in"), &run).await;
    let log = run.stop().await;
    assert!(
        log.contains("retention.ms is 172800000") && log.contains("may come out short"),
        "{log}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn law_17_internal_topics_take_records_of_any_time() {
    let world = kafka_4("any-time").await;
    let sql = statements(&world);
    let through_topics = ["--property", "ksql.millstream.repartition=topic"];
    for round in 1..=2 {
        let run = world.run(&sql, &through_topics);
        send(&world, AHEAD_MS).await;
        world.wait_for_level(&[QUERY], &world.topic("in"), &run).await;
        let log = run.stop().await;
        assert!(!log.contains("has failed"), "{log}");
        let told = "takes no records that are dated more than 3600000 ms ahead";
        assert_eq!(log.matches(told).count(), 1, "{log}");
        assert!(log.contains("that the broker refused"), "{log}");
        // Some have set it on their topics, as the default of their brokers.
        if round == 1 {
            let limit = [(AHEAD_MAX, Some("60000"))];
            let topic = ConfigResource::Topic(changelog(&world));
            Admin::new(&world.cluster).alter_configs(&topic, &limit).await.unwrap();
        }
    }
    assert_eq!(config(&world, &changelog(&world), AHEAD_MAX).await, i64::MAX.to_string());
    assert_eq!(config(&world, &world.topic("counts"), AHEAD_MAX).await, "3600000");
    // The sink takes them from now on: they count from the beginning.
    let open = [(AHEAD_MAX, None), ("message.timestamp.type", Some("LogAppendTime"))];
    let sink = ConfigResource::Topic(world.topic("counts"));
    Admin::new(&world.cluster).alter_configs(&sink, &open).await.unwrap();
    let run = world.run(&sql, &through_topics);
    send(&world, AHEAD_MS).await;
    world.wait_for_level(&[QUERY], &world.topic("in"), &run).await;
    let log = run.stop().await;
    assert_eq!(counts(&world).await, [9, 9], "{log}");
}
