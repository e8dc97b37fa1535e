//! A record that a panic comes of while it is processed is found and skipped, and one that a query stops
//! at is named.

use std::collections::BTreeMap;

use millstream::runtime::live::QueryState;
use serde_json::{Value, json};

use crate::panics::{NEIGHBOUR, Panics, READINGS, ids, readings};

/// How readings are counted: one row after the other goes on at once.
const UNCACHED: (&str, &str) = ("cache.max.bytes.buffering", "0");

impl Panics {
    /// The offsets of records that the processing log says a query has skipped.
    async fn skipped(&self, query: &str) -> Vec<i64> {
        let entries = self.values("log").await;
        let logger = format!("processing.{query}");
        let of_query = entries.iter().filter(|entry| entry["logger"] == *logger);
        let place = format!("topic {}, partition 0, offset ", self.world.topic("in"));
        let offset = |entry: &Value| {
            let text = entry["message"]["recordProcessingError"]["errorMessage"].as_str()?;
            assert!(text.contains("a panic at tests/faults/panics.rs"), "{text}");
            text.strip_prefix(&place)?.split(':').next()?.parse().ok()
        };
        of_query.map(|entry| offset(entry).unwrap_or(-1)).collect()
    }

    /// How many readings each device has by the last rows of a table.
    async fn counts(&self, topic: &str) -> Vec<(String, i64)> {
        let last = self.last_values(topic).await;
        last.into_iter().map(|(key, row)| (key, row["N"].as_i64().unwrap())).collect()
    }

    /// A query runs, and has skipped so many records.
    fn assert_skipped(&self, query: &str, records: u64) {
        let status = self.status(query);
        assert_eq!((status.state, status.cause), (QueryState::Running, None));
        let skipped = format!("{records} skipped ({records} whose processing ends with a panic)");
        assert_eq!(status.skipped.to_string(), skipped);
    }
}

/// How many of these readings each device has, without those in `unlucky`.
fn counted(all: std::ops::Range<i64>, unlucky: &[i64]) -> Vec<(String, i64)> {
    let mut counts = BTreeMap::new();
    for id in all.filter(|id| !unlucky.contains(id)) {
        *counts.entry(format!("d{}", id % 3)).or_insert(0) += 1;
    }
    counts.into_iter().collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn law_5_a_record_that_a_stateless_query_panics_at_is_skipped_alone() {
    let sql = format!(
        "{READINGS} {NEIGHBOUR}
         CREATE STREAM lucky WITH (KAFKA_TOPIC='{{name}}-lucky') AS
           SELECT id, CASE WHEN id IN (7, 8, 15) THEN RANDOM() ELSE 0E0 END AS luck
           FROM readings EMIT CHANGES;"
    );
    let panics = Panics::start("stateless", &sql, &readings(0..20)).await;
    panics.wait_for_level("CSAS_LUCKY_1").await;
    panics.wait_for_level("CSAS_NEIGHBOUR_0").await;
    let others = |id: &i64| ![7, 8, 15].contains(id);
    assert_eq!(ids(&panics.values("lucky").await), (0..20).filter(others).collect::<Vec<_>>());
    assert_eq!(ids(&panics.values("neighbour").await), (0..20).collect::<Vec<_>>());
    panics.assert_skipped("CSAS_LUCKY_1", 3);
    assert_eq!(panics.skipped("CSAS_LUCKY_1").await, [7, 8, 15]);
    panics.instance.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn law_5_a_record_that_a_query_panics_at_behind_a_new_key_is_skipped_alone() {
    let sql = format!(
        "{READINGS}
         CREATE STREAM lucky WITH (KAFKA_TOPIC='{{name}}-lucky') AS
           SELECT device, id, CASE WHEN id = 7 THEN RANDOM() ELSE 0E0 END AS luck
           FROM readings PARTITION BY device EMIT CHANGES;"
    );
    let panics = Panics::start("rekeyed", &sql, &readings(0..20)).await;
    panics.wait_for_level("CSAS_LUCKY_0").await;
    let expected: Vec<i64> = (0..20).filter(|id| *id != 7).collect();
    assert_eq!(ids(&panics.values("lucky").await), expected);
    panics.assert_skipped("CSAS_LUCKY_0", 1);
    assert_eq!(panics.skipped("CSAS_LUCKY_0").await, [7]);
    panics.instance.stop().await;
}

/// Counts readings by device, and fails once it has counted one of those in `unlucky`.
fn counts_of(source: &str, unlucky: &str) -> String {
    format!(
        "{READINGS} {NEIGHBOUR}
         CREATE STREAM keyed (device VARCHAR KEY, id BIGINT)
           WITH (KAFKA_TOPIC='{{name}}-in', VALUE_FORMAT='JSON');
         CREATE TABLE counts WITH (KAFKA_TOPIC='{{name}}-counts') AS
           SELECT device, COUNT(*) AS n,
             CASE WHEN LATEST_BY_OFFSET(id) IN ({unlucky}) THEN RANDOM() ELSE 0E0 END AS luck
           FROM {source} GROUP BY device EMIT CHANGES;"
    )
}

async fn skips_in_a_store(name: &str, source: &str, more: &[(&str, &str)]) {
    let sql = counts_of(source, "7, 1507");
    let panics = Panics::start_with(name, &sql, &readings(0..2_000), more).await;
    panics.wait_for_level("CTAS_COUNTS_1").await;
    panics.wait_for_level("CSAS_NEIGHBOUR_0").await;
    assert_eq!(panics.counts("counts").await, counted(0..2_000, &[7, 1_507]));
    panics.assert_skipped("CTAS_COUNTS_1", 2);
    // What the changelog holds is what is restored.
    panics.instance.stop_query("CTAS_COUNTS_1").await.unwrap();
    panics.instance.stop_query("CSAS_NEIGHBOUR_0").await.unwrap();
    panics.start_queries(&sql, more).await;
    panics.send(&readings(2_000..2_100)).await;
    panics.wait_for_level("CTAS_COUNTS_1").await;
    panics.wait_for_level("CSAS_NEIGHBOUR_0").await;
    assert_eq!(panics.counts("counts").await, counted(0..2_100, &[7, 1_507]));
    assert_eq!(panics.skipped("CTAS_COUNTS_1").await, [7, 1_507]);
    assert_eq!(ids(&panics.values("neighbour").await), (0..2_100).collect::<Vec<_>>());
    panics.instance.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn law_5_a_record_that_panics_after_a_store_has_changed_leaves_no_half_of_it() {
    skips_in_a_store("store", "keyed", &[UNCACHED]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn law_5_a_record_that_panics_in_a_store_behind_a_new_key_leaves_no_half_of_it() {
    skips_in_a_store("rekeyed-store", "readings", &[UNCACHED]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn law_5_a_record_that_a_panic_in_a_flush_comes_of_is_found_and_skipped() {
    // Every third reading of a device brings the panic, and none does before the cache is given away.
    let sql = format!(
        "{READINGS} {NEIGHBOUR}
         CREATE TABLE counts WITH (KAFKA_TOPIC='{{name}}-counts') AS
           SELECT device, COUNT(*) AS n, CASE WHEN COUNT(*) >= 3 THEN RANDOM() ELSE 0E0 END AS luck
           FROM readings GROUP BY device EMIT CHANGES;"
    );
    let panics = Panics::start("flush", &sql, &readings(0..9)).await;
    panics.wait_for_level("CTAS_COUNTS_1").await;
    assert_eq!(panics.counts("counts").await, ["d0", "d1", "d2"].map(|id| (id.to_owned(), 2)));
    panics.assert_skipped("CTAS_COUNTS_1", 3);
    assert_eq!(panics.skipped("CTAS_COUNTS_1").await, [6, 7, 8]);
    panics.wait_for_level("CSAS_NEIGHBOUR_0").await;
    assert_eq!(ids(&panics.values("neighbour").await), (0..9).collect::<Vec<_>>());
    panics.instance.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn law_5_a_query_that_panics_at_every_record_fails_in_the_end() {
    let sql = format!(
        "{READINGS} {NEIGHBOUR}
         CREATE TABLE counts WITH (KAFKA_TOPIC='{{name}}-counts') AS
           SELECT device, COUNT(*) AS n, RANDOM() AS luck
           FROM readings GROUP BY device EMIT CHANGES;"
    );
    let panics = Panics::start("hopeless", &sql, &readings(0..200)).await;
    let cause = panics.cause_of("CTAS_COUNTS_1").await;
    let place = format!("topic {}, partition 0, offset 100: ", panics.world.topic("in"));
    assert!(cause.starts_with(&place) && cause.contains("out of luck"), "{cause}");
    panics.wait_for_level("CSAS_NEIGHBOUR_0").await;
    assert_eq!(panics.status("CSAS_NEIGHBOUR_0").state, QueryState::Running);
    panics.instance.stop().await;
}

/// Waits until a query says why it is tried again, in these words.
async fn assert_stops_at(panics: &Panics, query: &str, offset: i64, java: &str) {
    let place = format!("topic {}, partition 0, offset {offset}: ", panics.world.topic("in"));
    let says_why = async || {
        let cause = panics.status(query).cause.unwrap_or_default();
        cause.starts_with(&format!("{place}this record stops the query (")) && cause.contains(java)
    };
    panics.wait_until("the record", says_why).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_a_stateless_query_stops_at_is_named() {
    let mut records = readings(0..9);
    for record in &mut records {
        record["IS_ON"] = json!(true);
    }
    // A NULL for a condition is ksqlDB's own end of a query.
    records[7]["IS_ON"] = Value::Null;
    let sql = "CREATE STREAM switches (id BIGINT, is_on BOOLEAN)
           WITH (KAFKA_TOPIC='{name}-in', VALUE_FORMAT='JSON');
         CREATE STREAM some WITH (KAFKA_TOPIC='{name}-some') AS
           SELECT id FROM switches WHERE is_on EMIT CHANGES;";
    let panics = Panics::start("named", sql, &records).await;
    assert_stops_at(&panics, "CSAS_SOME_0", 7, "java.lang.Boolean.booleanValue()").await;
    assert_eq!(ids(&panics.values("some").await)[..7], [0, 1, 2, 3, 4, 5, 6]);
    panics.instance.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_a_query_with_state_stops_at_is_named_at_once() {
    let mut records = readings(0..9);
    // Its window has no end.
    records[7]["ID"] = json!(i64::MAX);
    for (name, group_by) in [("windowed", "device"), ("rekeyed-window", "id % 2")] {
        let sql = format!(
            "CREATE STREAM keyed (device VARCHAR KEY, id BIGINT)
               WITH (KAFKA_TOPIC='{{name}}-in', VALUE_FORMAT='JSON', TIMESTAMP='id');
             CREATE TABLE counts WITH (KAFKA_TOPIC='{{name}}-counts', KEY_FORMAT='JSON') AS
               SELECT {group_by} AS g, COUNT(*) AS n FROM keyed WINDOW TUMBLING (SIZE 1 MINUTE)
               GROUP BY {group_by} EMIT CHANGES;"
        );
        let once = [("ksql.query.retry.backoff.initial.ms", "900000")];
        let panics = Panics::start_with(name, &sql, &records, &once).await;
        assert_stops_at(&panics, "CTAS_COUNTS_0", 7, "Window endMs time cannot be smaller").await;
        panics.instance.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_a_query_stops_at_in_a_flush_is_named_at_the_next_try() {
    let mut records = readings(0..9);
    for record in &mut records {
        record["IS_ON"] = json!(true);
    }
    records[4]["IS_ON"] = Value::Null;
    let sql = "CREATE STREAM switches (device VARCHAR KEY, is_on BOOLEAN)
           WITH (KAFKA_TOPIC='{name}-in', VALUE_FORMAT='JSON');
         CREATE TABLE some WITH (KAFKA_TOPIC='{name}-some') AS
           SELECT device, COUNT(*) AS n FROM switches GROUP BY device
           HAVING LATEST_BY_OFFSET(is_on, false) EMIT CHANGES;";
    // A later reading of the device would hide it in the cache.
    records.truncate(7);
    let panics = Panics::start("named-late", sql, &records).await;
    assert_stops_at(&panics, "CTAS_SOME_0", 4, "java.lang.Boolean.booleanValue()").await;
    let tries = async || panics.values("log").await.len();
    let before = tries().await;
    panics.wait_until("another try", async || tries().await >= before + 2).await;
    assert_stops_at(&panics, "CTAS_SOME_0", 4, "java.lang.Boolean.booleanValue()").await;
    panics.instance.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn law_5_a_record_that_panics_behind_a_topic_does_not_come_again_and_again() {
    // Sources are read again from what was committed, which writes it to the topic once more.
    let by_topic =
        [UNCACHED, ("ksql.millstream.repartition", "topic"), ("commit.interval.ms", "700")];
    let sql = counts_of("readings", "7");
    let panics = Panics::start_with("topic-store", &sql, &readings(0..30), &by_topic).await;
    panics.wait_for_level("CTAS_COUNTS_1").await;
    panics
        .wait_until("the end of it", async || panics.status("CTAS_COUNTS_1").lag == Some(0))
        .await;
    panics.send(&readings(30..60)).await;
    panics.wait_for_level("CTAS_COUNTS_1").await;
    let status = panics.status("CTAS_COUNTS_1");
    assert_eq!((status.state, status.cause), (QueryState::Running, None));
    let skipped = panics.values("log").await;
    let logger = "processing.CTAS_COUNTS_1";
    let skipped: Vec<_> = skipped.iter().filter(|entry| entry["logger"] == logger).collect();
    assert!((1..=4).contains(&skipped.len()), "{skipped:?}");
    for entry in skipped {
        assert!(entry["message"].to_string().contains("-Aggregate-GroupBy-repartition"), "{entry}");
    }
    // At least once: nothing else is missing.
    let counts = panics.counts("counts").await;
    let all = counted(0..60, &[7]);
    assert!(counts.iter().zip(&all).all(|(found, all)| found.1 >= all.1), "{counts:?}");
    panics.instance.stop().await;
}
