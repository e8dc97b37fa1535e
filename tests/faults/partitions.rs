//! A source that gets more partitions: queries take them up as they run, and at the next start; state stays
//! where it is, and no row is lost.

use std::collections::BTreeMap;

use millstream::kafka::admin::Admin;
use millstream::kafka::partitioner::partition_for_key;
use millstream::kafka::produce::{NewRecord, Producer};
use serde_json::{Value, json};

use crate::support::{Run, World};

/// How many devices send readings.
const DEVICES: i64 = 40;

/// A source that grows.
struct Growing {
    world: World,
    topics: Vec<String>,
    partitions: i32,
    /// How many readings each device has sent.
    rounds: i64,
}

impl Growing {
    async fn start(name: &str, topics: &[&str]) -> Self {
        let world = World::start(name).await;
        let topics: Vec<String> = topics.iter().map(|topic| world.topic(topic)).collect();
        for topic in &topics {
            world.create(topic, 3).await;
        }
        Self { world, topics, partitions: 3, rounds: 0 }
    }

    async fn grow(&mut self, partitions: i32) {
        self.partitions = partitions;
        for topic in &self.topics {
            Admin::new(&self.world.cluster).create_partitions(topic, partitions).await.unwrap();
        }
    }

    /// A reading of each device in each topic, one topic after the other, as the query has read them.
    async fn send(&mut self, queries: &[&str], run: Option<&Run>) {
        for topic in &self.topics {
            self.send_to(topic).await;
            if let Some(run) = run {
                self.world.wait_for_level(queries, topic, run).await;
            }
        }
        self.rounds += 1;
    }

    /// A reading of each device, where Kafka's default partitioner puts it.
    async fn send_to(&self, topic: &str) {
        let producer = Producer::new(&self.world.cluster);
        for device in 0..DEVICES {
            let key = format!("d{device}");
            let value = json!({ "ROOM": format!("r{}", device % 4), "N": self.rounds }).to_string();
            let at = 1_700_000_000_000 + self.rounds * DEVICES + device;
            let record = NewRecord::new(at, Some(key.as_bytes()), Some(value.as_bytes()));
            let partition = partition_for_key(key.as_bytes(), self.partitions);
            producer.send(topic, partition, record).await.unwrap();
        }
        producer.flush().await.unwrap();
    }

    fn run(&self, sql: &str, args: &[&str]) -> Run {
        self.world.run(&sql.replace("{name}", &self.world.name), args)
    }

    /// The last values of a topic, by key.
    async fn last(&self, topic: &str) -> BTreeMap<String, Value> {
        let mut last = BTreeMap::new();
        for (key, value) in self.world.read(&self.world.topic(topic)).await {
            let key = String::from_utf8(key.unwrap()).unwrap();
            last.insert(key, serde_json::from_slice(&value.unwrap()).unwrap());
        }
        last
    }

    /// Each device has one row with as many readings as it has sent.
    async fn has_all(&self, topic: &str) {
        let last = self.last(topic).await;
        assert_eq!(last.len() as i64, DEVICES, "{topic}");
        for (device, row) in last {
            assert_eq!(row["C"], self.rounds, "{topic}: {device}");
        }
    }
}

const SQL: &str = "
    CREATE STREAM readings (device VARCHAR KEY, room VARCHAR, n BIGINT)
      WITH (KAFKA_TOPIC='{name}-in', VALUE_FORMAT='JSON');
    CREATE STREAM copies WITH (KAFKA_TOPIC='{name}-copies') AS SELECT * FROM readings EMIT CHANGES;
    CREATE TABLE rooms WITH (KAFKA_TOPIC='{name}-rooms') AS
      SELECT room, COUNT(*) AS c FROM readings GROUP BY room EMIT CHANGES;
    CREATE TABLE devices WITH (KAFKA_TOPIC='{name}-devices') AS
      SELECT device, COUNT(*) AS c, LATEST_BY_OFFSET(n) AS latest
      FROM readings GROUP BY device EMIT CHANGES;";

const QUERIES: [&str; 3] = ["CSAS_COPIES_0", "CTAS_ROOMS_1", "CTAS_DEVICES_2"];

const WARNING: &str = "as if all of them were written with Kafka's default partitioner";

async fn check(growing: &Growing) {
    let copies = growing.world.read(&growing.world.topic("copies")).await;
    assert_eq!(copies.len() as i64, growing.rounds * DEVICES);
    let rooms = growing.last("rooms").await;
    assert_eq!(rooms.len(), 4);
    for (room, row) in rooms {
        assert_eq!(row["C"], growing.rounds * DEVICES / 4, "{room}");
    }
    growing.has_all("devices").await;
    for (device, row) in growing.last("devices").await {
        assert_eq!(row["LATEST"], growing.rounds - 1, "{device}");
    }
}

async fn takes_them_up(name: &str, args: &[&str]) {
    let mut growing = Growing::start(name, &["in"]).await;
    let mut first = growing.run(SQL, args);
    growing.send(&QUERIES, Some(&first)).await;
    // As it runs.
    growing.grow(7).await;
    first.wait_for("has 7 partitions, 3 when the query started", 3).await;
    for _ in 0..3 {
        growing.send(&QUERIES, Some(&first)).await;
    }
    let log = first.stop().await;
    assert!(!log.contains("has failed"), "{log}");
    // Only one of them has state by the key of the source.
    assert_eq!(log.matches(WARNING).count(), 1, "{log}");
    assert!(log.contains("query CTAS_DEVICES_2: topic"), "{log}");
    check(&growing).await;
    // While it does not run.
    growing.grow(8).await;
    growing.send(&QUERIES, None).await;
    let second = growing.run(SQL, args);
    growing.send(&QUERIES, Some(&second)).await;
    let log = second.stop().await;
    assert!(!log.contains("has failed"), "{log}");
    assert_eq!(log.matches(WARNING).count(), 1, "{log}");
    check(&growing).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn law_14_partitions_that_are_added_are_taken_up() {
    takes_them_up("grown", &[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn law_14_partitions_that_are_added_are_taken_up_by_any_number_of_threads() {
    takes_them_up("grown-alone", &["--property", "ksql.streams.num.stream.threads=1"]).await;
    takes_them_up("grown-wide", &["--property", "ksql.streams.num.stream.threads=4"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn law_14_partitions_that_are_added_are_taken_up_where_rows_go_through_topics() {
    let args = ["--property", "ksql.millstream.repartition=topic"];
    let mut growing = Growing::start("grown-topics", &["in"]).await;
    let mut run = growing.run(SQL, &args);
    growing.send(&QUERIES, Some(&run)).await;
    growing.grow(7).await;
    run.wait_for("has 7 partitions, 3 when the query started", 3).await;
    growing.send(&QUERIES, Some(&run)).await;
    run.stop().await;
    growing.has_all("devices").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn law_14_joins_go_by_the_partitions_of_their_stores() {
    let sql = "
        CREATE STREAM readings (device VARCHAR KEY, room VARCHAR, n BIGINT)
          WITH (KAFKA_TOPIC='{name}-in', VALUE_FORMAT='JSON');
        CREATE TABLE owners (device VARCHAR PRIMARY KEY, room VARCHAR, n BIGINT)
          WITH (KAFKA_TOPIC='{name}-owners', VALUE_FORMAT='JSON');
        CREATE STREAM joined WITH (KAFKA_TOPIC='{name}-joined') AS
          SELECT r.device, r.n + 1 AS c, o.n AS of_owner
          FROM readings r JOIN owners o ON r.device = o.device EMIT CHANGES;";
    let query = ["CSAS_JOINED_0"];
    let mut growing = Growing::start("grown-join", &["owners", "in"]).await;
    let mut run = growing.run(sql, &[]);
    growing.send(&query, Some(&run)).await;
    growing.has_all("joined").await;
    growing.grow(5).await;
    run.wait_for("has 5 partitions, 3 when the query started", 1).await;
    for _ in 0..2 {
        growing.send(&query, Some(&run)).await;
    }
    let log = run.stop().await;
    assert_eq!(log.matches(WARNING).count(), 2, "{log}");
    growing.has_all("joined").await;
    for (device, row) in growing.last("joined").await {
        assert_eq!(row["OF_OWNER"], growing.rounds - 1, "{device}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn law_14_a_start_refuses_unequal_joins_only_where_they_begin() {
    let joined = |name: &str| {
        format!(
            "CREATE STREAM {name} WITH (KAFKA_TOPIC='{{name}}-{name}') AS
               SELECT r.device, r.n + 1 AS c, o.n AS of_owner
               FROM readings r JOIN owners o ON r.device = o.device EMIT CHANGES;"
        )
    };
    let sources = "
        CREATE STREAM readings (device VARCHAR KEY, room VARCHAR, n BIGINT)
          WITH (KAFKA_TOPIC='{name}-in', VALUE_FORMAT='JSON');
        CREATE TABLE owners (device VARCHAR PRIMARY KEY, room VARCHAR, n BIGINT)
          WITH (KAFKA_TOPIC='{name}-owners', VALUE_FORMAT='JSON');";
    let sql = format!("{sources}{}", joined("joined"));
    let query = ["CSAS_JOINED_0"];
    let mut growing = Growing::start("grown-apart", &["owners", "in"]).await;
    let first = growing.run(&sql, &[]);
    growing.send(&query, Some(&first)).await;
    first.stop().await;
    // Only one of the two grows.
    let owners = growing.topics.remove(0);
    growing.grow(5).await;
    let second = growing.run(&sql, &[]);
    growing.send(&query, Some(&second)).await;
    let log = second.stop().await;
    assert_eq!(log.matches(WARNING).count(), 1, "{log}");
    growing.has_all("joined").await;
    assert!(growing.last("joined").await.values().all(|row| row["OF_OWNER"] == 0));
    // As ksqlDB has it.
    let mut third = growing.run(&format!("{sql}{}", joined("again")), &[]);
    assert_eq!(third.code().await, 1);
    let log = third.log();
    assert!(log.contains("`R` partitions = 5; `O` partitions = 3"), "{owners}: {log}");
}
