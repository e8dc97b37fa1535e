//! Clean stops, one after the other, while records come: nothing is lost, and nothing is given twice.

use std::collections::BTreeMap;

use millstream::kafka::partitioner::partition_for_key;
use millstream::kafka::produce::{NewRecord, Producer};
use rand::{RngExt as _, SeedableRng as _};
use serde_json::json;

use crate::lives::Lives;
use crate::support::{PARTITIONS, World};

const COPIES: &str = "CSAS_COPIES_0";
const TEAMS: &str = "CTAS_TEAMS_0";

/// Commits often, so that one is under way at most stops.
const OFTEN: (&str, &str) = ("commit.interval.ms", "10");

#[tokio::test(flavor = "multi_thread")]
async fn a_clean_stop_commits_what_was_given() {
    let statements = |world: &World| {
        let name = &world.name;
        format!(
            "CREATE STREAM readings (id BIGINT) WITH (KAFKA_TOPIC='{name}-in', VALUE_FORMAT='JSON');
             CREATE STREAM copies WITH (KAFKA_TOPIC='{name}-copies') AS SELECT * FROM readings;"
        )
    };
    let lives = Lives::of("clean", statements, &[OFTEN]).await;
    let input = lives.world.topic("in");
    let mut sent = 0_i64;
    for _ in 0..40 {
        lives.start_query(COPIES);
        for _ in 0..6 {
            let values = (sent..sent + 50).map(|id| Some(json!({ "ID": id }).to_string().into()));
            lives.world.send(&input, values).await;
            sent += 50;
        }
        lives.instance.stop_query(COPIES).await.unwrap();
    }
    lives.start_query(COPIES);
    lives.wait_for_level(COPIES).await;
    lives.instance.stop().await;
    let mut copies: Vec<i64> = Vec::new();
    for (_, value) in lives.world.read(&lives.world.topic("copies")).await {
        let copy: serde_json::Value = serde_json::from_slice(&value.unwrap()).unwrap();
        copies.push(copy["ID"].as_i64().unwrap());
    }
    copies.sort_unstable();
    assert_eq!(copies, (0..sent).collect::<Vec<_>>());
}

/// Rows of a table go to other workers by their groups, up to the last one of each stop.
#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_is_grouped_is_right_after_clean_stops() {
    let statements = |world: &World| {
        let name = &world.name;
        format!(
            "CREATE TABLE members (id VARCHAR PRIMARY KEY, team VARCHAR, points INT)
               WITH (KAFKA_TOPIC='{name}-in', VALUE_FORMAT='JSON');
             CREATE TABLE teams WITH (KAFKA_TOPIC='{name}-teams') AS
               SELECT team, COUNT(*) AS n, SUM(points) AS sum FROM members GROUP BY team;"
        )
    };
    let lives = Lives::of("grouped", statements, &[OFTEN]).await;
    let producer = Producer::new(&lives.world.cluster);
    let input = lives.world.topic("in");
    let mut random = rand::rngs::StdRng::seed_from_u64(7);
    let mut members: BTreeMap<String, (i32, i64)> = BTreeMap::new();
    for _ in 0..25 {
        lives.start_query(TEAMS);
        for at in 0..400 {
            let id = format!("m{}", random.random_range(0..60));
            let (team, points) = (random.random_range(0..7), random.random_range(-50..50));
            let row = json!({ "TEAM": format!("t{team}"), "POINTS": points }).to_string();
            let row = random.random_bool(0.8).then_some(row);
            let new = NewRecord::new(at, Some(id.as_bytes()), row.as_ref().map(String::as_bytes));
            let partition = partition_for_key(id.as_bytes(), PARTITIONS);
            producer.send(&input, partition, new).await.unwrap();
            match row {
                Some(_) => drop(members.insert(id, (team, points))),
                None => drop(members.remove(&id)),
            }
        }
        producer.flush().await.unwrap();
        lives.instance.stop_query(TEAMS).await.unwrap();
    }
    lives.start_query(TEAMS);
    lives.wait_for_level(TEAMS).await;
    lives.instance.stop().await;
    let mut expected: BTreeMap<String, (i64, i64)> =
        (0..7).map(|n| (format!("t{n}"), (0, 0))).collect();
    for (team, points) in members.into_values() {
        let (count, sum) = expected.entry(format!("t{team}")).or_default();
        (*count, *sum) = (*count + 1, *sum + points);
    }
    let mut found = BTreeMap::new();
    for (key, value) in lives.world.read(&lives.world.topic("teams")).await {
        let row: serde_json::Value = serde_json::from_slice(&value.unwrap()).unwrap();
        let row = (row["N"].as_i64().unwrap(), row["SUM"].as_i64().unwrap());
        found.insert(String::from_utf8(key.unwrap()).unwrap(), row);
    }
    assert_eq!(found, expected);
}
