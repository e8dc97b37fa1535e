//! With `processing.guarantee=exactly_once_v2`, readers of committed records see what comes of each record once, whatever is
//! killed, paused, lost or refused in between. All sinks are counted again from what was sent.

use std::collections::BTreeMap;
use std::time::Duration;

use millstream::broker::{EmbeddedConfig, Fault};
use millstream::kafka::admin::{Admin, NewTopic, OffsetSpec};
use millstream::kafka::config::Isolation;
use millstream::kafka::partitioner::partition_for_key;
use millstream::kafka::produce::{NewRecord, Producer};
use rand::{RngExt as _, SeedableRng as _};
use serde_json::{Value, json};

use crate::support::{PARTITIONS, Run, World};

const START_MS: i64 = 1_700_000_000_000;
const STEP_MS: i64 = 50;
const WINDOW_MS: i64 = 10_000;
const WITHIN_MS: i64 = 1_000;
const DEVICES: i64 = 11;

/// Kafka's numbers of requests.
const PRODUCE: i16 = 0;
const INIT_PRODUCER_ID: i16 = 22;
const ADD_PARTITIONS: i16 = 24;
const ADD_OFFSETS: i16 = 25;
const END_TRANSACTION: i16 = 26;
const COMMIT_OFFSETS: i16 = 28;

/// The queries in the order in which they read each other's topics, each with a topic that it reads.
const QUERIES: [(&str, &str); 7] = [
    ("CTAS_PER_DEVICE_0", "readings"),
    ("CTAS_PER_STATE_1", "readings"),
    ("CTAS_PER_WINDOW_2", "readings"),
    ("CSAS_STEPS_3", "readings"),
    ("CSAS_OWNED_4", "readings"),
    ("CSAS_PAIRS_5", "moves"),
    ("CTAS_PER_OWNER_6", "owned"),
];

/// Counts by the key, by another one and by windows, transitions, joins, and counts of what another query writes.
fn statements(world: &World) -> String {
    let name = &world.name;
    let json = |topic: &str| format!("WITH (KAFKA_TOPIC='{name}-{topic}', VALUE_FORMAT='JSON')");
    let sources = [
        ("STREAM readings", "device VARCHAR KEY, id BIGINT, state VARCHAR"),
        ("STREAM moves", "device VARCHAR KEY, id BIGINT"),
        ("TABLE owners", "device VARCHAR PRIMARY KEY, owner VARCHAR"),
    ];
    let sources = sources.map(|(what, columns)| {
        format!("CREATE {what} ({columns}) {};", json(what.rsplit(' ').next().unwrap()))
    });
    let queries = [
        ("TABLE per_device", "device, COUNT(*) AS n FROM readings GROUP BY device"),
        ("TABLE per_state", "state, COUNT(*) AS n FROM readings GROUP BY state"),
        (
            "TABLE per_window",
            "device, COUNT(*) AS n FROM readings
               WINDOW TUMBLING (SIZE 10 SECONDS, GRACE PERIOD 1 DAY) GROUP BY device",
        ),
        (
            "STREAM steps",
            "device, id, LAG(state) OVER (PARTITION BY device ORDER BY ROWTIME) AS before FROM readings",
        ),
        (
            "STREAM owned",
            "r.device AS device, r.id AS id, o.owner AS owner
               FROM readings r LEFT JOIN owners o ON r.device = o.device",
        ),
        (
            "STREAM pairs",
            "r.device AS device, r.id AS reading, m.id AS move
               FROM readings r JOIN moves m WITHIN 1 SECONDS GRACE PERIOD 1 DAY ON r.device = m.device",
        ),
        ("TABLE per_owner", "owner, COUNT(*) AS n FROM owned GROUP BY owner"),
    ];
    let queries = queries.map(|(what, select)| {
        let sink = json(what.rsplit(' ').next().unwrap());
        format!("CREATE {what} {sink} AS SELECT {select} EMIT CHANGES;")
    });
    sources.into_iter().chain(queries).collect::<Vec<_>>().join("\n")
}

/// Exactly once, with each change written by itself, so that none is hidden by the next.
fn args(more: &[&str]) -> Vec<String> {
    let properties = ["processing.guarantee=exactly_once_v2", "cache.max.bytes.buffering=0"];
    let properties = properties.iter().chain(more);
    properties.flat_map(|property| ["--property".to_owned(), (*property).to_owned()]).collect()
}

fn texts(args: &[String]) -> Vec<&str> {
    args.iter().map(String::as_str).collect()
}

/// A reading, or a move, that was sent.
#[derive(Clone)]
struct Sent {
    device: String,
    at_ms: i64,
    id: i64,
    state: String,
}

/// What was sent, in order.
struct Truth {
    random: rand::rngs::StdRng,
    readings: Vec<Sent>,
    moves: Vec<Sent>,
}

impl Truth {
    /// The sources, with an owner of each device.
    async fn begin(world: &World, seed: u64) -> Self {
        let sinks = QUERIES.map(|(query, _)| sink_of(query));
        for topic in
            ["readings", "moves", "owners"].into_iter().chain(sinks.iter().map(|sink| &**sink))
        {
            // Compaction would take away what is to be counted.
            let topic = NewTopic::new(world.topic(topic), PARTITIONS);
            let topic =
                topic.with_config("cleanup.policy", "delete").with_config("retention.ms", "-1");
            world.create_with(topic).await;
        }
        let producer = Producer::new(&world.cluster);
        for device in 0..DEVICES {
            let device = format!("d{device}");
            let owner = json!({ "OWNER": owner_of(&device) });
            put(world, &producer, "owners", (&device, START_MS - 1, &owner)).await;
        }
        producer.flush().await.unwrap();
        Self::new(seed)
    }

    /// Nothing was sent.
    fn new(seed: u64) -> Self {
        let random = rand::rngs::StdRng::seed_from_u64(seed);
        Self { random, readings: Vec::new(), moves: Vec::new() }
    }

    /// Sends readings, with a move at each fifth of them.
    async fn send(&mut self, world: &World, count: usize) {
        let producer = Producer::new(&world.cluster);
        self.send_with(world, &producer, count).await;
        producer.flush().await.unwrap();
    }

    async fn send_with(&mut self, world: &World, producer: &Producer, count: usize) {
        for _ in 0..count {
            let id = self.readings.len() as i64;
            let sent = Sent {
                device: format!("d{}", self.random.random_range(0..DEVICES)),
                at_ms: START_MS + id * STEP_MS,
                id,
                state: format!("s{}", self.random.random_range(0..4)),
            };
            let row = json!({ "ID": id, "STATE": sent.state });
            put(world, producer, "readings", (&sent.device, sent.at_ms, &row)).await;
            if id % 5 == 0 {
                let row = json!({ "ID": id });
                put(world, producer, "moves", (&sent.device, sent.at_ms, &row)).await;
                self.moves.push(sent.clone());
            }
            self.readings.push(sent);
        }
    }

    /// Every sink holds what comes of each record once, and nothing else.
    async fn holds(&self, world: &World) {
        let counts = |key: &dyn Fn(&Sent) -> Vec<u8>| {
            let mut counts: BTreeMap<Vec<u8>, i64> = BTreeMap::new();
            self.readings.iter().for_each(|sent| *counts.entry(key(sent)).or_default() += 1);
            counts
        };
        for (topic, expected) in [
            ("per_device", counts(&|sent| sent.device.clone().into_bytes())),
            ("per_state", counts(&|sent| sent.state.clone().into_bytes())),
            ("per_window", counts(&window_key)),
            ("per_owner", counts(&|sent| owner_of(&sent.device).into_bytes())),
        ] {
            counts_up(world, topic, expected).await;
        }
        let mut before: BTreeMap<&str, &str> = BTreeMap::new();
        let steps = self.readings.iter().map(|Sent { device, id, state, .. }| {
            (device.clone(), json!({ "ID": id, "BEFORE": before.insert(device, state) }))
        });
        each_once(world, "steps", steps.collect()).await;
        let owned = self.readings.iter().map(|Sent { device, id, .. }| {
            (device.clone(), json!({ "ID": id, "OWNER": owner_of(device) }))
        });
        each_once(world, "owned", owned.collect()).await;
        let mut pairs = Vec::new();
        for reading in &self.readings {
            let is_near = |other: &&Sent| {
                other.device == reading.device && (other.at_ms - reading.at_ms).abs() <= WITHIN_MS
            };
            pairs.extend(self.moves.iter().filter(is_near).map(|other| {
                (reading.device.clone(), json!({ "READING": reading.id, "MOVE": other.id }))
            }));
        }
        each_once(world, "pairs", pairs).await;
    }
}

/// The sink of a query, whose id is `CTAS_`, its name and a number.
fn sink_of(query: &str) -> String {
    let name = query[5..].rsplit_once('_').unwrap().0;
    name.to_ascii_lowercase()
}

fn owner_of(device: &str) -> String {
    format!("o{}", device.len() + usize::from(device.ends_with(['1', '4'])))
}

/// A windowed key as it stands in a topic.
fn window_key(sent: &Sent) -> Vec<u8> {
    let start = sent.at_ms - sent.at_ms % WINDOW_MS;
    [sent.device.as_bytes(), &start.to_be_bytes()].concat()
}

async fn put(
    world: &World,
    producer: &Producer,
    topic: &str,
    (key, at_ms, row): (&str, i64, &Value),
) {
    let row = row.to_string();
    let record = NewRecord::new(at_ms, Some(key.as_bytes()), Some(row.as_bytes()));
    let partition = partition_for_key(key.as_bytes(), PARTITIONS);
    producer.send(&world.topic(topic), partition, record).await.unwrap();
}

/// The count of each key goes up one by one to what is expected: no change is missing, and none was written twice.
async fn counts_up(world: &World, topic: &str, expected: BTreeMap<Vec<u8>, i64>) {
    let mut found: BTreeMap<Vec<u8>, Vec<i64>> = BTreeMap::new();
    for (key, value) in world.read(&world.topic(topic)).await {
        let row: Value = serde_json::from_slice(&value.unwrap()).unwrap();
        found.entry(key.unwrap()).or_default().push(row["N"].as_i64().unwrap());
    }
    let one_by_one = expected.into_iter().map(|(key, count)| (key, (1..=count).collect()));
    let expected: BTreeMap<Vec<u8>, Vec<i64>> = one_by_one.collect();
    for (key, expected) in &expected {
        let found = found.get(key).map_or(&[][..], Vec::as_slice);
        let at = found.iter().zip(expected).position(|(found, expected)| found != expected);
        let at = at.unwrap_or(found.len().min(expected.len()));
        let part = |all: &[i64]| all[at.saturating_sub(2)..(at + 3).min(all.len())].to_vec();
        let key = String::from_utf8_lossy(key);
        assert!(
            found == expected,
            "{topic} {key}: {:?} instead of {:?}",
            part(found),
            part(expected)
        );
    }
    assert_eq!(found.len(), expected.len(), "{topic} has other keys");
}

/// A topic holds these rows, each once, in whatever order.
async fn each_once(world: &World, topic: &str, expected: Vec<(String, Value)>) {
    let count = |rows: Vec<(String, Value)>| {
        let mut counts: BTreeMap<(String, String), i64> = BTreeMap::new();
        for (key, row) in rows {
            *counts.entry((key, row.to_string())).or_default() += 1;
        }
        counts
    };
    let row = |(key, value): (Option<Vec<u8>>, Option<Vec<u8>>)| {
        let value = serde_json::from_slice(&value.unwrap()).unwrap();
        (String::from_utf8(key.unwrap()).unwrap(), value)
    };
    let found = count(world.read(&world.topic(topic)).await.into_iter().map(row).collect());
    let expected = count(expected);
    let differs = |(row, times): (&(String, String), &i64)| {
        let found = found.get(row).copied().unwrap_or(0);
        (found != *times).then(|| format!("{row:?}: {found} times instead of {times}"))
    };
    let wrong: Vec<_> = expected.iter().filter_map(differs).take(5).collect();
    assert!(wrong.is_empty(), "{topic}: {wrong:#?}");
    assert_eq!(found.len(), expected.len(), "{topic} has other rows");
}

/// Waits until all queries have committed all that they read.
async fn wait_for_level(world: &World, run: &Run) {
    for (query, topic) in QUERIES {
        world.wait_for_level(&[query], &world.topic(topic), run).await;
    }
}

/// No reader of committed records of a topic waits for the end of a transaction: a broker that has decided one may take a
/// moment to say so everywhere.
async fn nothing_is_open(world: &World) {
    let admin = Admin::new(&world.cluster);
    let topics = admin.list_topics().await.unwrap();
    let topics = topics.iter().map(|topic| &*topic.name);
    for topic in topics.filter(|topic| topic.contains(&world.name)) {
        let ends = |isolation| admin.topic_offsets(topic, OffsetSpec::Latest, isolation);
        let is_open = async || {
            let all = ends(Isolation::ReadUncommitted).await.unwrap();
            ends(Isolation::ReadCommitted).await.unwrap() < all
        };
        let decided = async {
            while is_open().await {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let decided = tokio::time::timeout(Duration::from_secs(30), decided).await;
        assert!(decided.is_ok(), "a transaction is open in {topic}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn kills_in_the_middle_of_commits_lose_nothing_and_count_nothing_twice() {
    let world = World::start("once-kills").await;
    let sql = statements(&world);
    let mut truth = Truth::begin(&world, 11).await;
    let state = tempfile::tempdir().unwrap();
    let mut with_state = args(&[]);
    with_state.extend(["--state-dir".to_owned(), state.path().to_str().unwrap().to_owned()]);
    let kills = if std::env::var_os("MILLSTREAM_LONG").is_some() { 40 } else { 8 };
    for kill in 0..kills {
        let mut run = world.run_restless(&sql, &texts(&with_state));
        truth.send(&world, 150).await;
        run.wait_for(if kill % 3 == 0 { "query" } else { "is running" }, 1).await;
        if let Some(embedded) = world.embedded.as_ref().filter(|_| kill % 2 == 0) {
            // What is decided is known to the broker alone when the process goes.
            let late = Fault::Delay(Duration::from_secs(5));
            (0..3).for_each(|_| embedded.faults().inject(END_TRANSACTION, late));
        }
        truth.send(&world, 150).await;
        tokio::time::sleep(Duration::from_millis(truth.random.random_range(0..700))).await;
        run.kill();
        if kill % 4 == 3 {
            // The one after it is somebody else to the groups, and has nothing but changelogs.
            std::fs::remove_dir_all(state.path().join(&world.name)).unwrap();
        }
    }
    let mut run = world.run(&sql, &texts(&with_state));
    run.wait_for("is running", QUERIES.len()).await;
    wait_for_level(&world, &run).await;
    run.stop().await;
    truth.holds(&world).await;
    nothing_is_open(&world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_instance_that_comes_back_from_a_pause_commits_nothing_of_what_others_did() {
    let world = World::start("once-paused").await;
    let sql = statements(&world);
    let mut truth = Truth::begin(&world, 12).await;
    let busy = args(&["commit.interval.ms=1000"]);
    let mut first = world.run_restless(&sql, &texts(&busy));
    first.wait_for("is running", QUERIES.len()).await;
    let mut second = world.run_restless(&sql, &texts(&busy));
    second.wait_for("stands by", QUERIES.len()).await;
    truth.send(&world, 6_000).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    first.pause();
    second.wait_for("is running", QUERIES.len()).await;
    truth.send(&world, 300).await;
    wait_for_level(&world, &second).await;
    first.go_on();
    // It has stood longer, so that it takes over again.
    second.wait_for("stands by", 2 * QUERIES.len()).await;
    truth.send(&world, 300).await;
    wait_for_level(&world, &first).await;
    second.stop().await;
    first.stop().await;
    truth.holds(&world).await;
    nothing_is_open(&world).await;
}

/// As in Kafka 4, and before.
const TRANSACTION_VERSIONS: [i16; 2] = [2, 1];

/// The embedded broker, with transactions of a version.
async fn with_transactions(transaction_version: i16, name: &str) -> World {
    let config = EmbeddedConfig { transaction_version, ..EmbeddedConfig::default() };
    World::embedded(name, config).await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_lost_on_the_way_to_a_commit_is_asked_again() {
    for version in TRANSACTION_VERSIONS {
        lose_on_the_way(&with_transactions(version, "once-lost").await).await;
    }
}

async fn lose_on_the_way(world: &World) {
    let sql = statements(world);
    let mut truth = Truth::begin(world, 13).await;
    let faults = world.embedded.as_ref().unwrap().faults();
    let requests =
        [INIT_PRODUCER_ID, ADD_PARTITIONS, PRODUCE, ADD_OFFSETS, COMMIT_OFFSETS, END_TRANSACTION];
    let lose = |times: usize| {
        for request in requests {
            for _ in 0..times {
                faults.inject(request, Fault::DropAnswer);
                faults.inject(request, Fault::DropRequest);
            }
        }
    };
    lose(2);
    let mut run = world.run(&sql, &texts(&args(&[])));
    run.wait_for("is running", QUERIES.len()).await;
    for _ in 0..5 {
        lose(2);
        truth.send(world, 100).await;
        tokio::time::sleep(Duration::from_millis(400)).await;
    }
    wait_for_level(world, &run).await;
    run.stop().await;
    truth.holds(world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_whose_time_is_over_is_done_once_more() {
    for version in TRANSACTION_VERSIONS {
        be_late(&with_transactions(version, "once-late").await).await;
    }
}

async fn be_late(world: &World) {
    let sql = statements(world);
    let mut truth = Truth::begin(world, 14).await;
    let faults = world.embedded.as_ref().unwrap().faults();
    let mut run = world.run(&sql, &texts(&args(&["transaction.timeout.ms=1000"])));
    run.wait_for("is running", QUERIES.len()).await;
    truth.send(world, 300).await;
    wait_for_level(world, &run).await;
    // By the time that they hear that their offsets are a part of it, it is none any more.
    for request in [ADD_OFFSETS, COMMIT_OFFSETS, COMMIT_OFFSETS] {
        faults.inject(request, Fault::Delay(Duration::from_secs(3)));
    }
    truth.send(world, 300).await;
    run.wait_for("it goes back to its last commit", 1).await;
    wait_for_level(world, &run).await;
    run.stop().await;
    truth.holds(world).await;
    nothing_is_open(world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_in_a_backlog_leaves_no_transaction_open() {
    let world = World::start("once-stopped").await;
    let sql = statements(&world);
    let mut truth = Truth::begin(&world, 15).await;
    truth.send(&world, 6_000).await;
    // One that is left open stays so for longer than anybody looks.
    let args = args(&["transaction.timeout.ms=600000"]);
    for wait_ms in [50, 300, 900] {
        let mut run = world.run(&sql, &texts(&args));
        run.wait_for("is running", QUERIES.len()).await;
        tokio::time::sleep(Duration::from_millis(wait_ms)).await;
        run.stop().await;
        nothing_is_open(&world).await;
    }
    // It may have nothing left to do, and is not to be told to stop before it can hear that.
    let mut run = world.run(&sql, &texts(&args));
    run.wait_for("is running", QUERIES.len()).await;
    wait_for_level(&world, &run).await;
    run.stop().await;
    truth.holds(&world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_others_have_aborted_does_not_count() {
    let world = World::start("once-input").await;
    let sql = statements(&world);
    let mut truth = Truth::begin(&world, 16).await;
    let producer = Producer::transactional(&world.cluster, &world.topic("writer"));
    producer.init_transactions().await.unwrap();
    let run = world.run(&sql, &texts(&args(&[])));
    for round in 0..6 {
        producer.begin_transaction().unwrap();
        if round % 2 == 0 {
            truth.send_with(&world, &producer, 60).await;
            producer.flush().await.unwrap();
            // Nobody sees it before it is committed, and what comes behind it waits for that.
            tokio::time::sleep(Duration::from_millis(300)).await;
            producer.commit_transaction().await.unwrap();
        } else {
            Truth::new(round).send_with(&world, &producer, 60).await;
            producer.flush().await.unwrap();
            producer.abort_transaction().await.unwrap();
        }
    }
    wait_for_level(&world, &run).await;
    run.stop().await;
    truth.holds(&world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_begins_to_count_once_goes_on_where_he_was() {
    let world = World::start("once-after").await;
    let sql = statements(&world);
    let mut truth = Truth::begin(&world, 17).await;
    let plain = ["--property", "cache.max.bytes.buffering=0"];
    for args in [plain.map(str::to_owned).to_vec(), args(&[]), plain.map(str::to_owned).to_vec()] {
        truth.send(&world, 300).await;
        let run = world.run(&sql, &texts(&args));
        wait_for_level(&world, &run).await;
        run.stop().await;
    }
    truth.holds(&world).await;
}
