//! Commands, as they stand in the log, beside those that a real ksqlDB 7.4.0 wrote for the same statements.
//!
//! The recordings lie outside of the repository: `KSQLDB_REFERENCE` says where; without them the test is ignored. Not
//! compared are times, places of files and servers, and how long records stay, which brokers say.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use flate2::read::GzDecoder;
use millstream::kafka::admin::{Admin, NewTopic};
use millstream::kafka::config::Isolation;
use millstream::kafka::fetch::Fetcher;
use millstream::kafka::{ClientConfig, Cluster, TopicPartition};
use millstream::registry::{EmbeddedRegistry, EmbeddedRegistryConfig};
use serde_json::{Value, json};

use crate::world::World;

/// A command: its key, and its value.
type Command = (Value, Value);

/// Properties that say where things are, or that the recorded servers had and ours has of its own.
const PLACES: &[&str] = &[
    "ksql.extension.dir",
    "ksql.streams.state.dir",
    "ksql.streams.bootstrap.servers",
    "ksql.streams.application.server",
    "ksql.schema.registry.url",
];

/// What a server has to be told to be as the recorded ones were.
const PROPERTIES: &[(&str, &str)] = &[
    ("ksql.service.id", "default_"),
    ("ksql.streams.auto.offset.reset", "earliest"),
    ("ksql.streams.cache.max.bytes.buffering", "0"),
    ("ksql.streams.commit.interval.ms", "2000"),
    ("ksql.logging.processing.topic.auto.create", "true"),
    ("ksql.logging.processing.stream.auto.create", "true"),
    ("ksql.streams.repartition.purge.interval.ms", "9223372036854775807"),
];

#[tokio::test]
async fn commands_are_those_that_ksqldb_writes() {
    let default = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/ksqldb");
    let folder = std::env::var_os("KSQLDB_REFERENCE").map_or(default, PathBuf::from);
    if !folder.is_dir() {
        let required = std::env::var("MILLSTREAM_REQUIRE").unwrap_or_default();
        assert!(!required.contains("reference"), "no recordings at {}", folder.display());
        return;
    }
    for layout in ["one-partition", "three-partitions"] {
        for program in std::fs::read_dir(folder.join("device").join(layout)).unwrap() {
            let program = program.unwrap().path();
            let recorded = recorded(&program);
            if !recorded.is_empty() {
                compare(&program, &recorded).await;
            }
        }
    }
}

/// What the command topic of a recorded program holds.
fn recorded(program: &Path) -> Vec<Command> {
    let name = "_confluent-ksql-default__command_topic.jsonl";
    let packed = program.join(format!("{name}.gz"));
    let mut text = String::new();
    if let Ok(file) = std::fs::File::open(packed) {
        GzDecoder::new(file).read_to_string(&mut text).unwrap();
    } else if let Ok(plain) = std::fs::read_to_string(program.join(name)) {
        text = plain;
    }
    let command = |line: &str| {
        let record: Value = serde_json::from_str(line).unwrap();
        (json_of(&record["key_b64"]), json_of(&record["value_b64"]))
    };
    text.lines().map(command).collect()
}

/// The JSON of recorded bytes.
fn json_of(bytes: &Value) -> Value {
    let bytes = BASE64_STANDARD.decode(bytes.as_str().unwrap()).unwrap();
    serde_json::from_slice(&bytes).unwrap()
}

/// Runs the statements of a program, and holds the commands against the recorded ones.
async fn compare(program: &Path, recorded: &[Command]) {
    let world = World::new().await;
    let cluster = Cluster::new(ClientConfig::new(&world.brokers()).unwrap()).unwrap();
    let text = std::fs::read_to_string(program.join("topics.json")).unwrap();
    let topics: Value = serde_json::from_str(&text).unwrap();
    let admin = Admin::new(&cluster);
    for (name, topic) in topics["topics"].as_object().unwrap() {
        let is_made_by_statements =
            name.starts_with('_') || name.chars().all(|c| !c.is_ascii_lowercase());
        if !is_made_by_statements {
            let partitions = i32::try_from(topic["partitions"].as_i64().unwrap()).unwrap();
            admin.create_topic(&NewTopic::new(name.as_str(), partitions)).await.unwrap();
        }
    }
    let registry = EmbeddedRegistry::start(&cluster, EmbeddedRegistryConfig::default());
    let registry = registry.await.unwrap();
    let url = registry.url();
    let properties = [PROPERTIES, &[("ksql.schema.registry.url", url.as_str())]].concat();
    let ksql = world.server_with(&properties).await;
    let statements = topics["statements"].as_array().unwrap();
    let statements = statements.iter().map(|statement| statement["statement"].as_str().unwrap());
    for statement in statements {
        let (status, answer) = ksql.post("/ksql", &json!({ "ksql": statement }), &[]).await;
        assert_eq!(status, 200, "{statement}: {answer}");
    }
    let written = written(&cluster).await;
    assert_eq!(written.len(), recorded.len(), "{}", program.display());
    let mut faults = Vec::new();
    for ((key, value), (recorded_key, recorded_value)) in written.iter().zip(recorded) {
        let what = format!("{}: {key}", program.display());
        assert_eq!(key, recorded_key, "{what}");
        let (value, recorded) = (compared(value), compared(recorded_value));
        for (name, expected) in recorded.as_object().unwrap() {
            if value[name] != *expected {
                faults.push(format!(
                    "{name} of {what}:\n{:#}\ninstead of\n{expected:#}",
                    value[name]
                ));
            }
        }
        assert_eq!(value.as_object().unwrap().len(), recorded.as_object().unwrap().len());
    }
    ksql.stop().await;
    registry.shutdown().await;
    assert!(faults.is_empty(), "{}", faults.join("\n\n"));
}

/// What the command topic holds.
async fn written(cluster: &Cluster) -> Vec<Command> {
    let fetcher = Fetcher::with_options(cluster, Isolation::ReadCommitted, 8 << 20);
    let partition = TopicPartition::new("_confluent-ksql-default__command_topic", 0);
    fetcher.assign([(partition, 0)]);
    let mut commands = Vec::new();
    loop {
        let mut is_over = true;
        for fetched in fetcher.poll(Duration::from_millis(500)).await.unwrap() {
            for record in fetched.records() {
                let record = record.unwrap();
                let parsed = |bytes: Option<&[u8]>| serde_json::from_slice(bytes.unwrap()).unwrap();
                commands.push((parsed(record.key), parsed(record.value)));
                is_over = false;
            }
        }
        if is_over && !commands.is_empty() {
            return commands;
        }
    }
}

/// A command without what differs from place to place.
fn compared(value: &Value) -> Value {
    let retention = regex::Regex::new(r"RETENTION_MS=-?\d+").unwrap();
    let text = retention.replace_all(&value.to_string(), "RETENTION_MS=0").into_owned();
    let mut value: Value = serde_json::from_str(&text).unwrap();
    let properties = value["originalProperties"].as_object_mut().unwrap();
    properties.retain(|name, _| !PLACES.contains(&name.as_str()) && !is_ours(name));
    let sorted: BTreeMap<String, Value> = std::mem::take(properties).into_iter().collect();
    value["originalProperties"] = json!(sorted);
    value
}

/// Whether a property is one that the test alone sets.
fn is_ours(name: &str) -> bool {
    name.ends_with(".heartbeat.interval.ms")
        || name.starts_with("ksql.logging.")
        || name.starts_with("ksql.millstream.")
}
