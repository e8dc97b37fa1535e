//! Kills, stops, take-overs and brokers that go: nothing is lost.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use millstream::broker::{EmbeddedBroker, EmbeddedConfig};
use millstream::kafka::admin::OffsetSpec;
use rand::{RngExt as _, SeedableRng as _};
use serde_json::{Value, json};

use crate::apache::Node;
use crate::support::{PARTITIONS, World};

pub(crate) const COUNTS: &str = "CTAS_COUNTS_0";
pub(crate) const ALERTS: &str = "CSAS_ALERTS_1";

/// A table of counts and a stream of alerts over one topic.
pub(crate) fn statements(world: &World) -> String {
    let name = &world.name;
    format!(
        "CREATE STREAM readings (id BIGINT, device VARCHAR, x DOUBLE)
           WITH (KAFKA_TOPIC='{name}-in', VALUE_FORMAT='JSON');
         CREATE TABLE counts WITH (KAFKA_TOPIC='{name}-counts') AS
           SELECT device, COUNT(*) AS n FROM readings GROUP BY device EMIT CHANGES;
         CREATE STREAM alerts WITH (KAFKA_TOPIC='{name}-alerts') AS
           SELECT id, device FROM readings WHERE x > 0.5 EMIT CHANGES;"
    )
}

/// What was sent, and what must come of it.
#[derive(Default)]
pub(crate) struct Truth {
    sent: i64,
    counts: BTreeMap<String, i64>,
    alerts: BTreeSet<i64>,
}

impl Truth {
    pub(crate) async fn send(&mut self, world: &World, count: i64) {
        let mut values = Vec::new();
        for id in self.sent..self.sent + count {
            let (device, x) = (format!("d{}", id % 17), if id % 5 == 0 { 0.9 } else { 0.1 });
            *self.counts.entry(device.clone()).or_default() += 1;
            if id % 5 == 0 {
                self.alerts.insert(id);
            }
            let reading = json!({ "ID": id, "DEVICE": device, "X": x });
            values.push(Some(reading.to_string().into_bytes()));
        }
        self.sent += count;
        world.send(&world.topic("in"), values).await;
    }

    /// Every key's count is at least the true one, and every alert is there.
    pub(crate) async fn is_covered(&self, world: &World) {
        let mut counts: BTreeMap<String, i64> = BTreeMap::new();
        for (key, value) in world.read(&world.topic("counts")).await {
            let row: Value = serde_json::from_slice(&value.unwrap()).unwrap();
            counts.insert(String::from_utf8(key.unwrap()).unwrap(), row["N"].as_i64().unwrap());
        }
        for (device, count) in &self.counts {
            assert!(counts.get(device) >= Some(count), "{device}: {count}, found {counts:?}");
        }
        assert_eq!(self.alert_ids(world).await, self.alerts);
    }

    /// Every key's count is the true one.
    pub(crate) async fn is_exact(&self, world: &World) {
        self.is_covered(world).await;
        let records = world.read(&world.topic("counts")).await;
        let total: BTreeMap<_, _> = records
            .into_iter()
            .map(|(key, value)| (key, serde_json::from_slice::<Value>(&value.unwrap()).unwrap()))
            .collect();
        let total: i64 = total.values().map(|row| row["N"].as_i64().unwrap()).sum();
        assert_eq!(total, self.sent);
    }

    /// No count of a key is followed by a lower one, as if somebody had written what he knew long ago.
    pub(crate) async fn never_falls(&self, world: &World) {
        let mut counts: BTreeMap<Vec<u8>, i64> = BTreeMap::new();
        for (key, value) in world.read(&world.topic("counts")).await {
            let row: Value = serde_json::from_slice(&value.unwrap()).unwrap();
            let (key, count) = (key.unwrap(), row["N"].as_i64().unwrap());
            let before = counts.insert(key.clone(), count);
            assert!(before < Some(count), "{key:?}: {count} after {before:?}");
        }
    }

    /// Counts, of which each is written, go up one by one, but for a single place where somebody else began again from what
    /// was committed: nobody has written between his records.
    pub(crate) async fn is_taken_over_once(&self, world: &World) {
        let mut counts: BTreeMap<Vec<u8>, Vec<i64>> = BTreeMap::new();
        for (key, value) in world.read(&world.topic("counts")).await {
            let row: Value = serde_json::from_slice(&value.unwrap()).unwrap();
            counts.entry(key.unwrap()).or_default().push(row["N"].as_i64().unwrap());
        }
        for (key, counts) in counts {
            let steps = counts.windows(2).filter(|pair| pair[1] != pair[0] + 1);
            let steps: Vec<_> = steps.collect();
            let is_once = steps.len() <= 1 && steps.iter().all(|step| step[1] <= step[0]);
            assert!(is_once, "{key:?}: {steps:?}");
        }
    }

    async fn alert_ids(&self, world: &World) -> BTreeSet<i64> {
        let alerts = world.read(&world.topic("alerts")).await;
        let id = |value: Option<Vec<u8>>| {
            let row: Value = serde_json::from_slice(&value.unwrap()).unwrap();
            row["ID"].as_i64().unwrap()
        };
        alerts.into_iter().map(|(_, value)| id(value)).collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_kills_lose_nothing() {
    let world = World::start("kills").await;
    let (topic, sql) = (world.topic("in"), statements(&world));
    world.create(&topic, PARTITIONS).await;
    let mut random = rand::rngs::StdRng::seed_from_u64(7);
    let mut truth = Truth::default();
    let state = tempfile::tempdir().unwrap();
    let args = ["--state-dir", state.path().to_str().unwrap()];
    for kill in 0..10 {
        let mut run = world.run_restless(&sql, &args);
        truth.send(&world, 300).await;
        if kill == 5 {
            run.wait_for("restoring", 1).await;
        } else {
            let running = if kill % 2 == 0 { "is running" } else { "query" };
            run.wait_for(running, 1).await;
            truth.send(&world, 300).await;
            tokio::time::sleep(Duration::from_millis(random.random_range(0..500))).await;
        }
        if kill == 4 {
            // So that there is something for the next one to restore.
            world.wait_for_level(&[COUNTS], &topic, &run).await;
        }
        run.kill();
        if kill == 7 {
            // The one after it is somebody else to the groups.
            std::fs::remove_dir_all(state.path().join(&world.name)).unwrap();
        }
    }
    let run = world.run(&sql, &args);
    world.wait_for_level(&[COUNTS, ALERTS], &topic, &run).await;
    run.stop().await;
    truth.is_covered(&world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_start_reads_only_what_is_new() {
    let world = World::start("resume").await;
    let (topic, sql) = (world.topic("in"), statements(&world));
    world.create(&topic, PARTITIONS).await;
    let mut truth = Truth::default();
    truth.send(&world, 1_000).await;
    let run = world.run(&sql, &[]);
    world.wait_for_level(&[COUNTS, ALERTS], &topic, &run).await;
    let log = run.stop().await;
    assert!(log.contains(&format!("query {COUNTS}: 1000 records in")), "{log}");
    truth.send(&world, 70).await;
    let run = world.run(&sql, &[]);
    world.wait_for_level(&[COUNTS, ALERTS], &topic, &run).await;
    let log = run.stop().await;
    for query in [COUNTS, ALERTS] {
        assert!(log.contains(&format!("query {query}: 70 records in")), "{log}");
    }
    truth.is_exact(&world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_instance_takes_over() {
    let world = World::start("standby").await;
    let (topic, sql) = (world.topic("in"), statements(&world));
    world.create(&topic, PARTITIONS).await;
    let mut truth = Truth::default();
    truth.send(&world, 200).await;
    let mut first = world.run_restless(&sql, &[]);
    first.wait_for("is running", 2).await;
    let mut second = world.run_restless(&sql, &[]);
    second.wait_for("stands by", 2).await;
    truth.send(&world, 200).await;
    world.wait_for_level(&[COUNTS, ALERTS], &topic, &first).await;
    first.stop().await;
    second.wait_for("is running", 2).await;
    truth.send(&world, 200).await;
    world.wait_for_level(&[COUNTS, ALERTS], &topic, &second).await;
    truth.is_exact(&world).await;
    let mut third = world.run_restless(&sql, &[]);
    third.wait_for("stands by", 2).await;
    truth.send(&world, 200).await;
    second.kill();
    third.wait_for("is running", 2).await;
    truth.send(&world, 200).await;
    world.wait_for_level(&[COUNTS, ALERTS], &topic, &third).await;
    third.stop().await;
    truth.is_covered(&world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_restarts_is_waited_for() {
    let data = tempfile::tempdir().unwrap();
    let config =
        EmbeddedConfig { data_dir: Some(data.path().to_owned()), ..EmbeddedConfig::default() };
    let mut world = World::embedded("broker", config.clone()).await;
    let (topic, sql) = (world.topic("in"), statements(&world));
    world.create(&topic, PARTITIONS).await;
    let mut truth = Truth::default();
    truth.send(&world, 300).await;
    let mut run = world.run_restless(&sql, &[]);
    run.wait_for("is running", 2).await;
    for away in [Duration::ZERO, world.short_session() + Duration::from_secs(1)] {
        truth.send(&world, 300).await;
        let broker = world.embedded.take().unwrap();
        let port = broker.address().port();
        broker.shutdown().await;
        tokio::time::sleep(away).await;
        let config = EmbeddedConfig { port, ..config.clone() };
        world.embedded = Some(EmbeddedBroker::start(config).await.unwrap());
        truth.send(&world, 300).await;
        world.wait_for_level(&[COUNTS, ALERTS], &topic, &run).await;
    }
    run.stop().await;
    truth.is_covered(&world).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Java and Maven: KAFKA_VERSION=… cargo test --test faults -- --ignored"]
async fn an_apache_kafka_that_restarts_is_waited_for() {
    let (node, servers) = Node::start();
    let world = World::on("apache", servers);
    let (topic, sql) = (world.topic("in"), statements(&world));
    world.create(&topic, PARTITIONS).await;
    let mut truth = Truth::default();
    truth.send(&world, 300).await;
    let mut run = world.run(&sql, &[]);
    run.wait_for("is running", 2).await;
    for go in [Node::restart, Node::crash] {
        truth.send(&world, 300).await;
        go(&node);
        truth.send(&world, 300).await;
        world.wait_for_level(&[COUNTS, ALERTS], &topic, &run).await;
    }
    run.stop().await;
    truth.is_covered(&world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_ends_without_a_broker() {
    let mut world = World::embedded("gone", EmbeddedConfig::default()).await;
    let (topic, sql) = (world.topic("in"), statements(&world));
    world.create(&topic, PARTITIONS).await;
    let mut truth = Truth::default();
    let mut run = world.run(&sql, &["--stop-within", "2"]);
    run.wait_for("is running", 2).await;
    truth.send(&world, 300).await;
    world.embedded.take().unwrap().shutdown().await;
    let log = run.stop().await;
    assert!(log.contains("records in"), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_ends_a_start_that_waits_for_a_broker() {
    let world = World::embedded("waiting", EmbeddedConfig::default()).await;
    let run = world.run_at("127.0.0.1:1", &statements(&world), &[]);
    tokio::time::sleep(Duration::from_millis(300)).await;
    run.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_went_through_a_repartition_topic_is_deleted() {
    let world = World::start("purge").await;
    let (topic, sql) = (world.topic("in"), statements(&world));
    world.create(&topic, PARTITIONS).await;
    let by_topic = ["ksql.millstream.repartition=topic", "repartition.purge.interval.ms=100"];
    let run = world.run(&sql, &by_topic.map(|property| ["--property", property]).concat());
    let mut truth = Truth::default();
    truth.send(&world, 600).await;
    let repartition = format!("{}-Aggregate-GroupBy-repartition", world.group(COUNTS));
    for look in 0.. {
        world.wait_for_level(&[COUNTS, ALERTS], &topic, &run).await;
        let first = world.offsets(&repartition, OffsetSpec::Earliest).await;
        if first.values().sum::<i64>() >= 600 {
            break;
        }
        assert!(look < 100, "{first:?}:\n{}", run.log());
        truth.send(&world, 20).await;
    }
    run.stop().await;
    truth.is_exact(&world).await;
}
