//! Records that queries skip, as those see them who look for the reason.

use millstream::kafka::Cluster;
use millstream::kafka::produce::{NewRecord, Producer};
use serde_json::{Value, json};

use crate::figures::{made, seen_until};
use crate::world::{Ksql, World};

const READINGS: &str = "CREATE STREAM readings (device VARCHAR, n INT) WITH (KAFKA_TOPIC='readings', \
                        PARTITIONS=2, VALUE_FORMAT='JSON');";
const TENTHS: &str = "CREATE STREAM tenths AS SELECT device, 10 / n AS tenth FROM readings;";
const COUNTS: &str = "CREATE TABLE counts AS SELECT device, COUNT(*) AS n FROM readings \
                      WINDOW TUMBLING (SIZE 10 SECONDS, GRACE PERIOD 0 SECONDS) GROUP BY device;";

/// The time of the first record.
const START_MS: i64 = 1_700_000_000_000;

/// Writes records to a partition, each with how many seconds after the first it is.
async fn send(cluster: &Cluster, partition: i32, records: &[(i64, &str)]) {
    let producer = Producer::new(cluster);
    for (seconds, value) in records {
        let record = NewRecord::new(START_MS + seconds * 1_000, Some(b"k"), Some(value.as_bytes()));
        producer.send("readings", partition, record).await.unwrap();
    }
    producer.flush().await.unwrap();
}

/// Waits until so many records of a query were skipped for a cause, and gives what is told then.
async fn until(ksql: &Ksql, asked: &str, (query, cause, count): (&str, &str, u64)) -> Value {
    let counted = json!({ "query": query, "cause": cause, "count": count });
    let path = format!("/v1/millstream/skipped{asked}");
    seen_until(ksql, &path, |skipped| skipped["counts"].as_array().unwrap().contains(&counted))
        .await
}

/// The fields of the records that were skipped.
fn all<'s>(skipped: &'s Value, field: &str) -> Vec<&'s Value> {
    skipped["records"].as_array().unwrap().iter().map(|record| &record[field]).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_is_told_with_its_place_its_time_and_what_it_holds() {
    let world = World::new().await;
    let ksql = world.server_with(&[("ksql.logging.processing.rows.include", "true")]).await;
    ksql.run(READINGS).await;
    let (tenths, counts) = (made(&ksql, TENTHS).await, made(&ksql, COUNTS).await);
    let records = [
        (0, r#"{"DEVICE":"a","N":1}"#),
        (1, "{bad"),
        (100, r#"{"DEVICE":"a","N":0}"#),
        (2, r#"{"DEVICE":"a","N":2}"#),
    ];
    send(&world.cluster(), 1, &records).await;
    until(&ksql, "", (&counts, "late", 1)).await;
    until(&ksql, "", (&counts, "undecodable_value", 1)).await;
    let of_tenths = format!("?query={tenths}");
    until(&ksql, &of_tenths, (&tenths, "undecodable_value", 1)).await;
    let skipped = until(&ksql, &of_tenths, (&tenths, "failed_expression", 1)).await;
    assert_eq!(skipped["rows_included"], true);
    assert_eq!(all(&skipped, "cause"), ["undecodable_value", "failed_expression"]);
    assert_eq!(all(&skipped, "offset"), [1, 2]);
    assert_eq!(all(&skipped, "value"), ["{bad", records[2].1]);
    assert_eq!(all(&skipped, "timestamp"), [START_MS + 1_000, START_MS + 100_000]);
    for record in skipped["records"].as_array().unwrap() {
        assert_eq!((&record["topic"], &record["partition"]), (&json!("readings"), &json!(1)));
        assert_eq!((&record["query"], &record["key"]), (&json!(tenths), &json!("k")));
    }
    let reason = all(&skipped, "reason")[1].as_str().unwrap();
    assert!(reason.starts_with("in step Project ("), "{reason}");
    let late = until(&ksql, "?cause=late", (&counts, "late", 1)).await;
    assert_eq!(all(&late, "offset"), [3]);
    assert_eq!(all(&late, "timestamp"), [START_MS + 2_000]);
    // What was told is not told again.
    let after = format!("?after={}", late["last"]);
    assert_eq!(all(&until(&ksql, &after, (&counts, "late", 1)).await, "number"), [&Value::Null; 0]);
    ksql.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_flood_each_is_counted_and_some_are_told() {
    let world = World::new().await;
    let ksql = world.server().await;
    ksql.run(READINGS).await;
    let tenths = made(&ksql, TENTHS).await;
    let kinds = ["{bad", "[1]", r#"{"N":"many"}"#, r#"{"DEVICE":"d","N":0}"#];
    let of_kind = |at: usize| (0, kinds[at % kinds.len()]);
    for partition in [0, 1] {
        let records: Vec<_> = (0..6_000).map(of_kind).collect();
        send(&world.cluster(), partition, &records).await;
    }
    until(&ksql, "", (&tenths, "undecodable_value", 9_000)).await;
    let skipped = until(&ksql, "", (&tenths, "failed_expression", 3_000)).await;
    let told = |cause: &str| all(&skipped, "cause").iter().filter(|one| ***one == *cause).count();
    assert!((1..=50).contains(&told("undecodable_value")), "{skipped:#}");
    assert!((1..=50).contains(&told("failed_expression")), "{skipped:#}");
    // Nobody has said that rows may be seen.
    assert_eq!(skipped["rows_included"], false);
    assert!(all(&skipped, "value").iter().all(|value| value.is_null()), "{skipped:#}");
    assert!(!skipped.to_string().contains("\"k\""), "{skipped:#}");
    let one = until(&ksql, "?limit=1", (&tenths, "failed_expression", 3_000)).await;
    assert_eq!(all(&one, "number"), [&skipped["last"]]);
    let (status, refused) = ksql.get("/v1/millstream/skipped?cause=none").await;
    assert_eq!(status, 400);
    assert!(refused.contains("cause=none: expected one of undecodable_key, "), "{refused}");
    ksql.stop().await;
}
