//! Rows of several partitions meet in the order of their times: what that costs in memory, and what a commit is then.

use std::time::Duration;

use millstream::kafka::TopicPartition;
use millstream::kafka::group::GroupOffsets;
use millstream::kafka::produce::{NewRecord, Producer};
use serde_json::{Value, json};

use crate::lives::Lives;
use crate::support::World;

const QUERY: &str = "CTAS_ROOMS_0";
const START_MS: i64 = 1_700_000_000_000;

/// Counts rooms of devices, so that rows meet with those of other partitions.
fn statements(world: &World) -> String {
    let name = &world.name;
    format!(
        "CREATE STREAM readings (device VARCHAR KEY, room VARCHAR, note VARCHAR)
           WITH (KAFKA_TOPIC='{name}-in', VALUE_FORMAT='JSON');
         CREATE TABLE rooms WITH (KAFKA_TOPIC='{name}-rooms') AS
           SELECT room, COUNT(*) AS n, LATEST_BY_OFFSET(note) AS note FROM readings
           WINDOW TUMBLING (SIZE 365 DAYS) GROUP BY room EMIT CHANGES;"
    )
}

/// Sends readings at these times to a partition, with notes of so many letters.
async fn send(world: &World, partition: i32, times: impl IntoIterator<Item = i64>, letters: usize) {
    let producer = Producer::new(&world.cluster);
    let note = "n".repeat(letters);
    for time in times {
        let value = json!({ "ROOM": format!("r{}", time % 4), "NOTE": note }).to_string();
        let record = NewRecord::new(START_MS + time, Some(b"d"), Some(value.as_bytes()));
        producer.send(&world.topic("in"), partition, record).await.unwrap();
    }
    producer.flush().await.unwrap();
}

/// The sum of the last counts of all rooms.
async fn counted(world: &World) -> i64 {
    let mut last = std::collections::BTreeMap::new();
    for (key, value) in world.read(&world.topic("rooms")).await {
        let row: Value = serde_json::from_slice(&value.unwrap()).unwrap();
        last.insert(key, row["N"].as_i64().unwrap());
    }
    last.into_values().sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn law_1_what_waits_for_another_partition_is_bounded_and_goes_on_once_that_moves() {
    const READINGS: i64 = 40_000;
    const LETTERS: usize = 1_000;
    // A commit would not wait for them.
    let patient = [("max.task.idle.ms", "3600000"), ("commit.interval.ms", "3600000")];
    let lives = Lives::of("held-back", statements, &patient).await;
    send(&lives.world, 0, [0], 0).await;
    send(&lives.world, 1, [0], 0).await;
    send(&lives.world, 2, 1..READINGS, LETTERS).await;
    lives.start_query(QUERY);
    // It waits for the next readings of two partitions, and holds no more than it may meanwhile.
    let mut before = u64::MAX;
    while lives.records(QUERY) != before || before < 2 {
        before = lives.records(QUERY);
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    let held_bytes = before * LETTERS as u64;
    assert!((1 << 20..24 << 20).contains(&held_bytes), "{held_bytes} bytes wait");
    for partition in 0..2 {
        send(&lives.world, partition, [READINGS], 0).await;
    }
    while lives.records(QUERY) < READINGS as u64 + 3 {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    lives.instance.stop().await;
    assert_eq!(counted(&lives.world).await, READINGS + 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn law_3_a_commit_is_a_cut_in_time() {
    const READINGS: i64 = 30_000;
    let lives = Lives::of("cut", statements, &[("commit.interval.ms", "20")]).await;
    // Partitions that are read at different speeds: one is large, one has all its readings in one half of the time.
    let times: [Vec<i64>; 3] = [
        (0..READINGS).collect(),
        (0..READINGS).map(|at| at / 2 + READINGS / 2).collect(),
        (0..READINGS / 10).map(|at| at * 10 + 5).collect(),
    ];
    for ((partition, times), letters) in (0..).zip(&times).zip([0, 10, 1_000]) {
        send(&lives.world, partition, times.iter().copied(), letters).await;
    }
    lives.start_query(QUERY);
    let (topic, group) = (lives.world.topic("in"), lives.world.group(QUERY));
    let offsets = GroupOffsets::new(&lives.world.cluster, &group);
    let mut cuts = std::collections::BTreeSet::new();
    loop {
        let committed = offsets.committed(None).await.unwrap();
        let position = |partition| {
            let at = committed.get(&TopicPartition::new(topic.as_str(), partition));
            at.map_or(0, |at| at.offset.max(0) as usize)
        };
        let cut = [position(0), position(1), position(2)];
        let taken = times.iter().zip(cut).filter_map(|(times, at)| times.get(at.checked_sub(1)?));
        let next = times.iter().zip(cut).filter_map(|(times, at)| times.get(at));
        if let (Some(taken), Some(next)) = (taken.max(), next.min()) {
            assert!(taken <= next, "{cut:?}: {taken} is taken before {next}");
        }
        cuts.insert(cut);
        if (0..3).all(|partition| position(partition) == times[partition as usize].len()) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(cuts.len() > 3, "{cuts:?}");
    assert_eq!(counted(&lives.world).await, 2 * READINGS + READINGS / 10);
    lives.instance.stop().await;
}
