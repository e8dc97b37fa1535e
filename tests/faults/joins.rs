//! Joins of all kinds, whose processes are killed again and again: nothing is lost, and tables are exact in the end.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use millstream::kafka::partitioner::partition_for_key;
use millstream::kafka::produce::{NewRecord, Producer};
use rand::{RngExt as _, SeedableRng as _};
use serde_json::{Value, json};

use crate::support::{PARTITIONS, World};

const START_MS: i64 = 1_700_000_000_000;

/// How far apart, in milliseconds, readings and moves of a device belong together.
const WITHIN_MS: i64 = 5_000;

const DEVICES: i64 = 12;

/// The queries, and the topics that each of them reads.
const QUERIES: [(&str, &[&str]); 4] = [
    ("CSAS_AT_HOME_0", &["readings", "homes"]),
    ("CSAS_PAIRS_1", &["readings", "moves"]),
    ("CTAS_PLACES_2", &["devices", "rooms"]),
    ("CTAS_BOTH_3", &["devices", "owners"]),
];

/// A stream with a table, two streams, a table with one that it names, and two tables.
fn statements(world: &World) -> String {
    let name = &world.name;
    let json = |topic: &str| format!("WITH (KAFKA_TOPIC='{name}-{topic}', VALUE_FORMAT='JSON')");
    let sources = [
        ("STREAM readings", "device VARCHAR KEY, id BIGINT"),
        ("STREAM moves", "device VARCHAR KEY, id BIGINT"),
        ("TABLE homes", "device VARCHAR PRIMARY KEY, home VARCHAR"),
        ("TABLE devices", "device VARCHAR PRIMARY KEY, room VARCHAR"),
        ("TABLE owners", "device VARCHAR PRIMARY KEY, owner VARCHAR"),
        ("TABLE rooms", "room VARCHAR PRIMARY KEY, label VARCHAR"),
    ];
    let sources = sources.map(|(what, columns)| {
        let topic = what.rsplit(' ').next().unwrap();
        format!("CREATE {what} ({columns}) {};", json(topic))
    });
    let queries = [
        ("STREAM at_home", "r.device AS device, r.id AS id, h.home AS home
            FROM readings r LEFT JOIN homes h ON r.device = h.device"),
        ("STREAM pairs", "r.device AS device, r.id AS reading, m.id AS move
            FROM readings r JOIN moves m WITHIN 5 SECONDS GRACE PERIOD 1 DAY ON r.device = m.device"),
        ("TABLE places", "d.device AS device, d.room AS room, r.label AS label
            FROM devices d LEFT JOIN rooms r ON d.room = r.room"),
        ("TABLE both", "ROWKEY AS device, d.room AS room, o.owner AS owner
            FROM devices d FULL OUTER JOIN owners o ON d.device = o.device"),
    ];
    let queries = queries.map(|(what, select)| {
        let topic = what.rsplit(' ').next().unwrap();
        format!("CREATE {what} {} AS SELECT {select} EMIT CHANGES;", json(topic))
    });
    sources.into_iter().chain(queries).collect::<Vec<_>>().join("\n")
}

/// What was sent.
struct Truth {
    random: rand::rngs::StdRng,
    now_ms: i64,
    /// The device, time and id of each.
    readings: Vec<(String, i64, i64)>,
    moves: Vec<(String, i64, i64)>,
    /// Rows by topic and key.
    tables: BTreeMap<&'static str, BTreeMap<String, String>>,
}

impl Truth {
    fn new(seed: u64) -> Self {
        Self {
            random: rand::rngs::StdRng::seed_from_u64(seed),
            now_ms: START_MS,
            readings: Vec::new(),
            moves: Vec::new(),
            tables: BTreeMap::new(),
        }
    }

    /// Sends a row of a table, or that it is gone.
    async fn put(
        &mut self,
        (world, producer): (&World, &Producer),
        (topic, column): (&'static str, &str),
        key: String,
        value: Option<String>,
    ) {
        self.now_ms += 10;
        let row = value.as_ref().map(|value| json!({ column: value }).to_string());
        let record =
            NewRecord::new(self.now_ms, Some(key.as_bytes()), row.as_ref().map(String::as_bytes));
        let partition = partition_for_key(key.as_bytes(), PARTITIONS);
        producer.send(&world.topic(topic), partition, record).await.unwrap();
        let table = self.tables.entry(topic).or_default();
        match value {
            Some(value) => drop(table.insert(key, value)),
            None => drop(table.remove(&key)),
        }
    }

    /// Changes tables, then sends readings and moves.
    async fn send(&mut self, world: &World, count: usize) {
        let producer = Producer::new(&world.cluster);
        let to = (world, &producer);
        for _ in 0..count {
            let device = format!("d{}", self.random.random_range(0..DEVICES));
            let (room, owner) = (self.random.random_range(0..6), self.random.random_range(0..9));
            let is_gone = self.random.random_bool(0.2);
            let value = |text: String| (!is_gone).then_some(text);
            match self.random.random_range(0..3) {
                0 => self.put(to, ("devices", "ROOM"), device, value(format!("r{room}"))).await,
                1 => self.put(to, ("owners", "OWNER"), device, value(format!("o{owner}"))).await,
                _ => {
                    self.put(
                        to,
                        ("rooms", "LABEL"),
                        format!("r{room}"),
                        value(format!("l{owner}")),
                    )
                    .await;
                }
            }
        }
        for _ in 0..count {
            self.now_ms += self.random.random_range(0..300);
            let device = format!("d{}", self.random.random_range(0..DEVICES));
            let is_move = self.random.random_bool(0.5);
            let (topic, sent) =
                if is_move { ("moves", &mut self.moves) } else { ("readings", &mut self.readings) };
            let id = sent.len() as i64;
            sent.push((device.clone(), self.now_ms, id));
            let value = json!({ "ID": id }).to_string();
            let record =
                NewRecord::new(self.now_ms, Some(device.as_bytes()), Some(value.as_bytes()));
            let partition = partition_for_key(device.as_bytes(), PARTITIONS);
            producer.send(&world.topic(topic), partition, record).await.unwrap();
        }
        producer.flush().await.unwrap();
    }

    /// Homes are known before anything else happens.
    async fn send_homes(&mut self, world: &World) {
        let producer = Producer::new(&world.cluster);
        for device in 0..DEVICES {
            let (device, home) = (format!("d{device}"), format!("h{}", device % 5));
            self.put((world, &producer), ("homes", "HOME"), device, Some(home)).await;
        }
        producer.flush().await.unwrap();
    }

    fn row(&self, topic: &str, key: &str) -> Option<&str> {
        self.tables.get(topic)?.get(key).map(String::as_str)
    }

    /// All that is joined is there, nothing else is, and tables are as they have to be.
    async fn holds(&self, world: &World) {
        let homes = rows(world, "at_home").await;
        let expected = self.readings.iter().map(|(device, _, id)| {
            (device.clone(), json!({ "ID": id, "HOME": self.row("homes", device) }).to_string())
        });
        assert_eq!(set(homes), expected.collect());
        let pairs = rows(world, "pairs").await;
        let mut expected = BTreeSet::new();
        for (device, at, reading) in &self.readings {
            for (other, moved_at, moved) in &self.moves {
                if device == other && (at - moved_at).abs() <= WITHIN_MS {
                    let pair = json!({ "READING": reading, "MOVE": moved });
                    expected.insert((device.clone(), pair.to_string()));
                }
            }
        }
        assert!(expected.len() > 100, "{}", expected.len());
        assert_eq!(set(pairs), expected);
        let places = last(rows(world, "places").await);
        let expected = self.tables["devices"].iter().map(|(device, room)| {
            (device.clone(), json!({ "ROOM": room, "LABEL": self.row("rooms", room) }))
        });
        assert_eq!(places, expected.collect());
        let both = last(rows(world, "both").await);
        let devices = self.tables["devices"].keys().chain(self.tables["owners"].keys());
        let expected = devices.map(|device| {
            let (room, owner) = (self.row("devices", device), self.row("owners", device));
            (device.clone(), json!({ "ROOM": room, "OWNER": owner }))
        });
        assert_eq!(both, expected.collect());
    }
}

/// Keys and values of a topic.
async fn rows(world: &World, topic: &str) -> Vec<(String, Option<Value>)> {
    let row = |(key, value): (Option<Vec<u8>>, Option<Vec<u8>>)| {
        let value = value.map(|value| serde_json::from_slice(&value).unwrap());
        (String::from_utf8(key.unwrap()).unwrap(), value)
    };
    world.read(&world.topic(topic)).await.into_iter().map(row).collect()
}

fn set(rows: Vec<(String, Option<Value>)>) -> BTreeSet<(String, String)> {
    rows.into_iter().map(|(key, value)| (key, value.unwrap().to_string())).collect()
}

/// The rows that a table has in the end.
fn last(rows: Vec<(String, Option<Value>)>) -> BTreeMap<String, Value> {
    let last: BTreeMap<_, _> = rows.into_iter().collect();
    last.into_iter().filter_map(|(key, value)| Some((key, value?))).collect()
}

/// Kills a process ten times, and takes stock.
async fn check(name: &str, seed: u64, args: &[&str]) {
    let world = World::start(name).await;
    let sql = statements(&world);
    for topic in ["readings", "moves", "homes", "devices", "owners", "rooms"] {
        world.create(&world.topic(topic), PARTITIONS).await;
    }
    let mut truth = Truth::new(seed);
    truth.send_homes(&world).await;
    for kill in 0..10 {
        truth.send(&world, 40).await;
        let mut run = world.run_restless(&sql, args);
        if kill % 3 < 2 {
            run.wait_for("is running", QUERIES.len()).await;
            truth.send(&world, 40).await;
        }
        let wait = truth.random.random_range(0..600);
        tokio::time::sleep(Duration::from_millis(wait)).await;
        run.kill();
    }
    let mut run = world.run(&sql, args);
    // What was killed may have left nothing to do, and who has just begun does not know yet how to stop.
    run.wait_for("is running", QUERIES.len()).await;
    for (query, topics) in QUERIES {
        for topic in topics {
            world.wait_for_level(&[query], &world.topic(topic), &run).await;
        }
    }
    run.stop().await;
    truth.holds(&world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_kills_lose_nothing_of_joins() {
    let state = tempfile::tempdir().unwrap();
    check("joins", 1, &["--state-dir", state.path().to_str().unwrap()]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_kills_lose_nothing_of_joins_through_topics() {
    check("joins-topics", 2, &["--property", "ksql.millstream.repartition=topic"]).await;
}
