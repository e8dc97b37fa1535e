//! The server is killed at random times under a client that creates, drops and queries at random.
//!
//! What it tells after each start is what the command topic says, read here without it; every statement that was answered
//! with success stands there, and none that was refused; no id of a query comes twice; and the queries go on.
//!
//! `MILLSTREAM_SEED` repeats a run.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{BuildHasher as _, RandomState};
use std::time::Duration;

use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use serde_json::Value;

use crate::served::Served;
use crate::support::World;

/// How many times the server is killed.
const KILLS: u32 = 30;

/// How often it is looked whether something has come to pass, and how many times.
const LOOK_EVERY: Duration = Duration::from_millis(50);
const LOOKS: u32 = 1_200;

/// What exists, as the server tells it or as its commands say it.
#[derive(Debug, Default, PartialEq, Eq)]
struct Existing {
    /// The columns of streams and tables, by name.
    sources: BTreeMap<String, BTreeSet<String>>,
    /// The queries: what each writes into, and whether it rests.
    queries: BTreeMap<String, (String, bool)>,
}

/// The command topic, read without a server.
#[derive(Debug, Default)]
struct Replay {
    existing: Existing,
    /// All ids of queries that there ever were.
    ids: BTreeSet<String>,
    /// The key of the command at each offset.
    keys: BTreeMap<i64, String>,
    /// The statements.
    text: String,
}

impl Replay {
    async fn of(world: &World) -> Self {
        let topic = format!("_confluent-ksql-{}_command_topic", world.name);
        let mut replay = Self::default();
        for (offset, (key, value)) in world.read_placed(&topic).await {
            let key: String = serde_json::from_slice(&key.unwrap()).unwrap();
            let value: Value = serde_json::from_slice(&value.unwrap()).unwrap();
            replay.apply(&key, &value);
            replay.text = replay.text.replace(&world.name, "");
            replay.keys.insert(offset, key);
        }
        replay
    }

    fn apply(&mut self, key: &str, value: &Value) {
        let statement = value["statement"].as_str().unwrap();
        self.text.push_str(statement);
        self.text.push('\n');
        let Existing { sources, queries } = &mut self.existing;
        let mut parts = key.split('/');
        let (kind, name) = (parts.next().unwrap(), parts.next().unwrap().trim_matches('`'));
        match (kind, parts.next().unwrap()) {
            ("terminate", _) => drop(queries.remove(name)),
            ("pause", _) => queries.get_mut(name).unwrap().1 = true,
            ("resume", _) => queries.get_mut(name).unwrap().1 = false,
            (_, "drop") => {
                assert!(sources.remove(name).is_some(), "{name} was not there: {key}");
                queries.retain(|id, (sink, _)| sink != name || id.starts_with("INSERTQUERY"));
            }
            (_, "alter") => sources.get_mut(name).unwrap().extend(columns(statement)),
            (_, "create") => {
                if let Some(id) = value["plan"]["queryPlan"]["queryId"].as_str() {
                    let is_new = self.ids.insert(id.to_owned());
                    let is_replaced = statement.contains("OR REPLACE") && queries.contains_key(id);
                    assert!(is_new || is_replaced, "{id} was there before: {statement}");
                    queries.insert(id.to_owned(), (name.to_owned(), false));
                }
                if !statement.starts_with("INSERT") {
                    let columns = columns(statement);
                    sources.insert(name.to_owned(), columns);
                }
            }
            _ => panic!("{key} is no command of this test"),
        }
    }
}

/// The columns that a statement makes: here these are words of one letter and a short number.
fn columns(statement: &str) -> BTreeSet<String> {
    let statement = statement.to_uppercase();
    let (_, selected) = statement.split_once(" SELECT ").unwrap_or(("", &statement));
    let (selected, _) = selected.split_once("FROM ").unwrap_or((selected, ""));
    let words = selected.split(|letter: char| !letter.is_ascii_alphanumeric());
    let is_column = |word: &&str| {
        let number = word.strip_prefix(['C', 'K']).filter(|number| number.len() < 5);
        number.is_some_and(|number| number.parse::<u32>().is_ok())
    };
    words.filter(is_column).map(str::to_owned).collect()
}

/// What a server tells of what exists.
async fn told(server: &Served) -> Existing {
    let mut existing = Existing::default();
    for (statement, field) in [("SHOW STREAMS;", "streams"), ("SHOW TABLES;", "tables")] {
        for source in server.tell(statement).await[0][field].as_array().unwrap() {
            let name = source["name"].as_str().unwrap();
            let described = server.tell(&format!("DESCRIBE {name};")).await;
            let fields = described[0]["sourceDescription"]["fields"].as_array().unwrap().iter();
            let names = fields.map(|field| field["name"].as_str().unwrap().to_owned());
            existing.sources.insert(name.to_owned(), names.collect());
        }
    }
    for query in server.tell("SHOW QUERIES;").await[0]["queries"].as_array().unwrap() {
        let id = query["id"].as_str().unwrap().to_owned();
        let sink = query["sinks"][0].as_str().unwrap().to_owned();
        existing.queries.insert(id, (sink, query["statusCount"]["PAUSED"].is_number()));
    }
    existing
}

/// A client, and what it was told.
struct Client {
    world: World,
    random: ChaCha8Rng,
    /// A number that no two statements have.
    number: u32,
    /// The commands that were answered with success: their offsets and keys.
    done: Vec<(i64, String)>,
    /// The numbers of rows that were written.
    rows: BTreeSet<u32>,
    /// The numbers of definitions that were refused.
    refused: Vec<u32>,
}

impl Client {
    /// Starts the server. Queries wait until the one that was killed is let go.
    async fn serve(&self) -> Served {
        let session = self.world.short_session().as_millis();
        self.world.serve(&[&format!("session.timeout.ms={session}")]).await
    }

    /// A statement, at random; its number.
    fn statement(&mut self, queries: &[String]) -> (String, u32) {
        self.number += 1;
        let (n, which) = (self.number, self.random.random_range(0..3));
        let topic = |name: &str| self.world.topic(&format!("{name}{which}"));
        let into = |name: &str| format!("WITH (KAFKA_TOPIC='{}', PARTITIONS=1)", topic(name));
        let query = (!queries.is_empty())
            .then(|| queries[self.random.random_range(0..queries.len())].clone());
        let text = match (self.random.random_range(0..12), query) {
            (0 | 1, _) => {
                let or_replace = if self.random.random() { " OR REPLACE" } else { "" };
                format!(
                    "CREATE{or_replace} STREAM s{which} {} AS SELECT k0, c0 FROM base WHERE c0 <> {n};",
                    into("s")
                )
            }
            (2, _) => format!(
                "CREATE TABLE t{which} {} AS SELECT k0, COUNT(*) AS c1 FROM base WHERE c0 <> {n} GROUP BY k0;",
                into("t")
            ),
            (3, _) => format!(
                "CREATE STREAM p{which} (k0 VARCHAR KEY, c{n} INT) WITH (KAFKA_TOPIC='{}', PARTITIONS=1, \
                 VALUE_FORMAT='JSON');",
                topic("p")
            ),
            (4, _) => format!("ALTER STREAM p{which} ADD COLUMN c{n} INT;"),
            (5, _) => format!("INSERT INTO s{which} SELECT k0, c0 FROM base WHERE c0 <> {n};"),
            (6, _) => {
                let name = ["STREAM s", "STREAM p", "TABLE t"][self.random.random_range(0..3)];
                format!("DROP {name}{which};")
            }
            (7, Some(query)) => format!("TERMINATE {query};"),
            (8, Some(query)) => format!("PAUSE {query};"),
            (9, Some(query)) => format!("RESUME {query};"),
            (10, _) => "SHOW QUERIES EXTENDED;".to_owned(),
            _ => format!("INSERT INTO base VALUES ('k{which}', {n});"),
        };
        (text, n)
    }

    /// Notes what was answered. A server that is gone has answered nothing.
    fn note(&mut self, (text, n): (String, u32), answer: Result<(u16, Value), reqwest::Error>) {
        let Ok((status, answer)) = answer else { return };
        let is_definition = text.contains(&n.to_string()) && !text.contains("VALUES");
        match status {
            200 if text.contains("VALUES") => drop(self.rows.insert(n)),
            200 => {
                let entity = &answer[0];
                if entity["@type"] == "currentStatus" {
                    assert_eq!(entity["commandStatus"]["status"], "SUCCESS", "{text}: {answer}");
                    let offset = entity["commandSequenceNumber"].as_i64().unwrap();
                    self.done.push((offset, entity["commandId"].as_str().unwrap().to_owned()));
                }
            }
            400 if is_definition => self.refused.push(n),
            400 => {}
            _ => panic!("{text}: {status} {answer}"),
        }
    }

    /// Compares what a server tells with what its commands say, and both with what was answered.
    async fn compare(&self, server: &Served) -> Existing {
        for look in 0.. {
            let (replay, told) = (Replay::of(&self.world).await, told(server).await);
            if replay.existing != told {
                // The end of a transaction may have been under way to the broker when its server was killed.
                assert!(
                    look < LOOKS,
                    "the commands say {:?}\nthe server {told:?}\n{}\n{}",
                    replay.existing,
                    replay.text,
                    server.run.log()
                );
                tokio::time::sleep(LOOK_EVERY).await;
                continue;
            }
            for (offset, key) in &self.done {
                assert_eq!(replay.keys.get(offset), Some(key), "at offset {offset}");
            }
            for n in &self.refused {
                let is_there = replay.text.split(|c: char| !c.is_ascii_digit());
                assert!(
                    !is_there.into_iter().any(|number| number == n.to_string()),
                    "{n} is there"
                );
            }
            return told;
        }
        unreachable!()
    }
}

/// How many records of a topic have a key.
async fn count(world: &World, topic: &str, key: &str) -> usize {
    let records = world.read(topic).await;
    records.iter().filter(|(found, _)| found.as_deref() == Some(key.as_bytes())).count()
}

/// Waits until each query that runs has written a row that is new.
async fn wait_for_queries(world: &World, server: &Served, existing: &Existing) {
    const KEY: &str = "last";
    server.tell(&format!("INSERT INTO base VALUES ('{KEY}', 0);")).await;
    let mut sinks = BTreeMap::<&str, usize>::new();
    for (sink, _) in existing.queries.values().filter(|(_, is_paused)| !is_paused) {
        *sinks.entry(sink).or_default() += 1;
    }
    for (sink, queries) in sinks {
        let topic = world.topic(&sink.to_lowercase());
        for look in 0.. {
            if count(world, &topic, KEY).await >= queries {
                break;
            }
            assert!(
                look < LOOKS,
                "{queries} queries into {sink} do not go on:\n{}",
                server.run.log()
            );
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_exists_is_what_the_command_topic_says_whenever_the_server_is_killed() {
    let seed = std::env::var("MILLSTREAM_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed: u64 = seed.unwrap_or_else(|| RandomState::new().hash_one("killed"));
    eprintln!("MILLSTREAM_SEED={seed}");
    let world = World::start("killed").await;
    let random = ChaCha8Rng::seed_from_u64(seed);
    let (done, rows, refused) = (Vec::new(), BTreeSet::new(), Vec::new());
    // Numbers of statements are none that ids of queries have.
    let mut client = Client { world, random, number: 5_000, done, rows, refused };
    let server = client.serve().await;
    let base = format!(
        "CREATE STREAM base (k0 VARCHAR KEY, c0 INT) WITH (KAFKA_TOPIC='{}', PARTITIONS=1, VALUE_FORMAT='JSON');",
        client.world.topic("base")
    );
    server.tell(&base).await;
    server.run.kill();
    for _ in 0..KILLS {
        let server = client.serve().await;
        let mut existing = client.compare(&server).await;
        for _ in 0..client.random.random_range(0..10) {
            let queries: Vec<String> = existing.queries.keys().cloned().collect();
            let statement = client.statement(&queries);
            let answer = server.ask(&statement.0).await;
            assert!(answer.is_ok(), "{answer:?}\n{}", server.run.log());
            client.note(statement, answer);
            existing = told(&server).await;
        }
        let queries: Vec<String> = existing.queries.keys().cloned().collect();
        let last = client.statement(&queries);
        let within = Duration::from_millis(client.random.random_range(0..60));
        let (answer, ()) = tokio::join!(server.ask(&last.0), async {
            tokio::time::sleep(within).await;
            server.run.signal("-KILL");
        });
        client.note(last, answer);
    }
    let server = client.serve().await;
    let existing = client.compare(&server).await;
    let base = client.world.read(&client.world.topic("base")).await;
    let base: BTreeSet<u32> = base
        .into_iter()
        .map(|(_, value)| serde_json::from_slice::<Value>(&value.unwrap()).unwrap())
        .map(|value| u32::try_from(value["C0"].as_u64().unwrap()).unwrap())
        .collect();
    assert!(base.is_superset(&client.rows), "{:?} are lost", &client.rows - &base);
    wait_for_queries(&client.world, &server, &existing).await;
    eprintln!(
        "{} commands, {} rows, {} queries at the end",
        client.done.len(),
        client.rows.len(),
        existing.queries.len()
    );
}
