//! What the clocks of windows have seen travels with the offsets: a restart neither gives a closed window twice nor
//! opens it again.

use std::collections::BTreeMap;

use millstream::kafka::produce::{NewRecord, Producer};
use serde_json::{Value, json};

use crate::support::{PARTITIONS, World};

const MINUTE_MS: i64 = 60_000;

/// The readings of a device in a minute, one every ten seconds.
const READINGS: i64 = 6;

/// The devices, of which two are on each partition.
const DEVICES: i64 = 2 * PARTITIONS as i64;

/// A minute of readings begins here.
const BEGIN_MS: i64 = 1_700_000_040_000;

/// Sends the readings of each device in these minutes.
async fn send(world: &World, minutes: std::ops::Range<i64>) {
    let producer = Producer::new(&world.cluster);
    for reading in minutes.start * READINGS..minutes.end * READINGS {
        for device in 0..DEVICES {
            let key = format!("d{device}");
            let value = json!({ "ROOM": format!("r{}", device % 4), "X": reading }).to_string();
            let at = BEGIN_MS + reading * MINUTE_MS / READINGS + device;
            let record = NewRecord::new(at, Some(key.as_bytes()), Some(value.as_bytes()));
            let partition = device as i32 % PARTITIONS;
            producer.send(&world.topic("in"), partition, record).await.unwrap();
        }
    }
    producer.flush().await.unwrap();
}

/// How often each window of each key was given, and what it counts in all.
async fn given(world: &World, sink: &str) -> BTreeMap<Vec<u8>, Vec<i64>> {
    let mut given: BTreeMap<Vec<u8>, Vec<i64>> = BTreeMap::new();
    for (key, value) in world.read(&world.topic(sink)).await {
        let row: Value = serde_json::from_slice(&value.unwrap()).unwrap();
        given.entry(key.unwrap()).or_default().push(row["N"].as_i64().unwrap());
    }
    given
}

fn statements(world: &World) -> String {
    let name = &world.name;
    format!(
        "CREATE STREAM readings (device VARCHAR KEY, room VARCHAR, x INT)
           WITH (KAFKA_TOPIC='{name}-in', VALUE_FORMAT='JSON');
         CREATE TABLE by_minute WITH (KAFKA_TOPIC='{name}-minutes') AS SELECT device, COUNT(*) AS n
           FROM readings WINDOW TUMBLING (SIZE 1 MINUTE, GRACE PERIOD 10 SECONDS)
           GROUP BY device EMIT FINAL;
         CREATE TABLE by_room WITH (KAFKA_TOPIC='{name}-rooms') AS SELECT room, COUNT(*) AS n
           FROM readings WINDOW TUMBLING (SIZE 1 MINUTE, GRACE PERIOD 10 SECONDS)
           GROUP BY room EMIT FINAL;
         CREATE TABLE by_session WITH (KAFKA_TOPIC='{name}-sessions') AS SELECT device, COUNT(*) AS n
           FROM readings WINDOW SESSION (5 SECONDS, GRACE PERIOD 0 SECONDS)
           GROUP BY device EMIT FINAL;
         CREATE TABLE changes WITH (KAFKA_TOPIC='{name}-live') AS SELECT device, COUNT(*) AS n
           FROM readings WINDOW TUMBLING (SIZE 1 MINUTE, GRACE PERIOD 10 SECONDS)
           GROUP BY device EMIT CHANGES;"
    )
}

const QUERIES: [&str; 4] =
    ["CTAS_BY_MINUTE_0", "CTAS_BY_ROOM_1", "CTAS_BY_SESSION_2", "CTAS_CHANGES_3"];

#[tokio::test(flavor = "multi_thread")]
async fn law_8_no_window_comes_twice_after_a_clean_stop_and_none_opens_again() {
    let world = World::start("clocks").await;
    world.create(&world.topic("in"), PARTITIONS).await;
    let sql = statements(&world);
    let source = world.topic("in");
    // Windows are looked through with each record, not once a second.
    let args = ["--property", "__emit.interval.ms.kstreams.windowed.aggregation__=0"];
    let mut minutes = 0;
    for _ in 0..3 {
        let run = world.run(&sql, &args);
        for _ in 0..2 {
            send(&world, minutes..minutes + 20).await;
            minutes += 20;
            world.wait_for_level(&QUERIES, &source, &run).await;
        }
        run.stop().await;
    }
    let before = given(&world, "live").await;
    // The windows of minute 1 are long closed.
    let run = world.run(&sql, &args);
    send(&world, 1..2).await;
    world.wait_for_level(&QUERIES, &source, &run).await;
    let log = run.stop().await;
    assert!(given(&world, "live").await == before, "a closed window has changed:\n{log}");
    let closed = minutes - 1;
    for (sink, windows) in
        [("minutes", DEVICES * closed), ("sessions", DEVICES * (minutes * READINGS - 1))]
    {
        let given = given(&world, sink).await;
        assert_eq!(given.len() as i64, windows, "{sink}");
    }
    // Rows of rooms come from several partitions, so that some may come late.
    for sink in ["minutes", "rooms", "sessions"] {
        let given = given(&world, sink).await;
        let twice = given.values().filter(|counts| counts.len() > 1).count();
        assert!(twice == 0 && given.len() > 100, "{sink}: {twice} of {} came twice", given.len());
    }
    let counts = given(&world, "minutes").await;
    assert!(counts.values().all(|counts| *counts == [READINGS]), "a part of a window was given");
}
