//! Commands, as they stand in the log, beside those that a real ksqlDB 7.4.0 wrote for the same statements.
//!
//! The recordings lie outside of the repository: `KSQLDB_REFERENCE` says where; without them there is nothing to compare. Not
//! compared are times, places of files and servers, and how long records stay, which brokers say.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use flate2::read::GzDecoder;
use millstream::kafka::admin::{Admin, NewTopic};
use millstream::kafka::config::Isolation;
use millstream::kafka::fetch::Fetcher;
use millstream::kafka::produce::{NewRecord, Producer, ProducerOptions};
use millstream::kafka::{ClientConfig, Cluster, TopicPartition};
use millstream::registry::{EmbeddedRegistry, EmbeddedRegistryConfig};
use serde_json::{Value, json};

use crate::world::{Ksql, World};

/// The command topic.
const COMMANDS: &str = "_confluent-ksql-default__command_topic";

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
    for program in programs() {
        compare(&program).await;
    }
}

#[tokio::test]
async fn a_server_goes_on_where_ksqldb_stood() {
    for program in programs() {
        take_over(&program).await;
    }
}

/// The recorded programs whose commands are there; none without the recordings.
fn programs() -> Vec<PathBuf> {
    let default = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/ksqldb");
    let folder = std::env::var_os("KSQLDB_REFERENCE").map_or(default, PathBuf::from);
    if !folder.is_dir() {
        let required = std::env::var("MILLSTREAM_REQUIRE").unwrap_or_default();
        assert!(!required.contains("reference"), "no recordings at {}", folder.display());
        return Vec::new();
    }
    let layouts =
        ["one-partition", "three-partitions"].map(|layout| folder.join("device").join(layout));
    let programs = layouts.iter().flat_map(|layout| std::fs::read_dir(layout).unwrap());
    let programs = programs.map(|program| program.unwrap().path());
    programs.filter(|program| !recorded(program).is_empty()).collect()
}

/// What the command topic of a recorded program holds, as it was written.
fn recorded(program: &Path) -> Vec<(Vec<u8>, Vec<u8>)> {
    let packed = program.join(format!("{COMMANDS}.jsonl.gz"));
    let mut text = String::new();
    if let Ok(file) = std::fs::File::open(packed) {
        GzDecoder::new(file).read_to_string(&mut text).unwrap();
    } else if let Ok(plain) = std::fs::read_to_string(program.join(format!("{COMMANDS}.jsonl"))) {
        text = plain;
    }
    let command = |line: &str| {
        let record: Value = serde_json::from_str(line).unwrap();
        let bytes = |name: &str| BASE64_STANDARD.decode(record[name].as_str().unwrap()).unwrap();
        (bytes("key_b64"), bytes("value_b64"))
    };
    text.lines().map(command).collect()
}

/// A broker with the topics that were there before a program, a registry, and what was noted of the program.
struct Before {
    world: World,
    cluster: Cluster,
    registry: EmbeddedRegistry,
    noted: Value,
}

impl Before {
    async fn of(program: &Path) -> Self {
        let world = World::new().await;
        let cluster = Cluster::new(ClientConfig::new(&world.brokers()).unwrap()).unwrap();
        let text = std::fs::read_to_string(program.join("topics.json")).unwrap();
        let noted: Value = serde_json::from_str(&text).unwrap();
        let admin = Admin::new(&cluster);
        for (name, topic) in noted["topics"].as_object().unwrap() {
            let is_made_by_statements =
                name.starts_with('_') || name.chars().all(|c| !c.is_ascii_lowercase());
            if !is_made_by_statements {
                let partitions = i32::try_from(topic["partitions"].as_i64().unwrap()).unwrap();
                admin.create_topic(&NewTopic::new(name.as_str(), partitions)).await.unwrap();
            }
        }
        let registry = EmbeddedRegistry::start(&cluster, EmbeddedRegistryConfig::default());
        let registry = registry.await.unwrap();
        Self { world, cluster, registry, noted }
    }

    async fn server(&self) -> Ksql {
        let url = self.registry.url();
        let properties = [PROPERTIES, &[("ksql.schema.registry.url", url.as_str())]].concat();
        self.world.server_with(&properties).await
    }
}

/// Starts a server on the commands that ksqlDB has written, and looks whether it has the same queries.
async fn take_over(program: &Path) {
    let before = Before::of(program).await;
    let admin = Admin::new(&before.cluster);
    admin.create_topic(&NewTopic::new(COMMANDS, 1)).await.unwrap();
    let producer = Producer::with_options(&before.cluster, ProducerOptions::default());
    // They come to stand at other offsets than they did: their queries are known by their plans.
    for (key, value) in recorded(program) {
        let record = NewRecord::new(0, Some(&key), Some(&value));
        producer.send(COMMANDS, 0, record).await.unwrap();
    }
    producer.flush().await.unwrap();
    let ksql = before.server().await;
    let shown = ksql.run("SHOW QUERIES;").await;
    let ids = |queries: &Value| -> BTreeSet<String> {
        let ids = queries.as_array().unwrap().iter().map(|query| &query["id"]);
        ids.map(|id| id.as_str().unwrap().to_owned()).collect()
    };
    let (found, noted) = (&shown[0]["queries"], &before.noted["queries"][0]["queryDescriptions"]);
    assert_eq!(ids(found), ids(noted), "{}", program.display());
    ksql.stop().await;
    before.registry.shutdown().await;
}

/// Runs the statements of a program, and holds the commands against the recorded ones.
async fn compare(program: &Path) {
    let before = Before::of(program).await;
    let ksql = before.server().await;
    let statements = before.noted["statements"].as_array().unwrap();
    let statements = statements.iter().map(|statement| statement["statement"].as_str().unwrap());
    for statement in statements {
        let (status, answer) = ksql.post("/ksql", &json!({ "ksql": statement }), &[]).await;
        assert_eq!(status, 200, "{statement}: {answer}");
    }
    let (written, recorded) = (written(&before.cluster).await, recorded(program));
    assert_eq!(written.len(), recorded.len(), "{}", program.display());
    let mut faults = Vec::new();
    for ((key, value), (recorded_key, recorded_value)) in written.iter().zip(&recorded) {
        let what = format!("{}: {}", program.display(), String::from_utf8_lossy(key));
        assert_eq!(key, recorded_key, "{what}");
        let (value, recorded) = (compared(value), compared(recorded_value));
        for (name, expected) in recorded.as_object().unwrap() {
            let found = &value[name];
            if found != expected {
                faults.push(format!("{name} of {what}:\n{found:#}\ninstead of\n{expected:#}"));
            }
        }
        assert_eq!(value.as_object().unwrap().len(), recorded.as_object().unwrap().len());
    }
    ksql.stop().await;
    before.registry.shutdown().await;
    assert!(faults.is_empty(), "{}", faults.join("\n\n"));
}

/// What the command topic holds.
async fn written(cluster: &Cluster) -> Vec<(Vec<u8>, Vec<u8>)> {
    let fetcher = Fetcher::with_options(cluster, Isolation::ReadCommitted, 8 << 20);
    fetcher.assign([(TopicPartition::new(COMMANDS, 0), 0)]);
    let mut commands = Vec::new();
    loop {
        let mut is_over = true;
        for fetched in fetcher.poll(Duration::from_millis(500)).await.unwrap() {
            for record in fetched.records() {
                let record = record.unwrap();
                commands.push((record.key.unwrap().to_vec(), record.value.unwrap().to_vec()));
                is_over = false;
            }
        }
        if is_over && !commands.is_empty() {
            return commands;
        }
    }
}

/// A command without what differs from place to place.
fn compared(value: &[u8]) -> Value {
    let retention = regex::Regex::new(r"RETENTION_MS=-?\d+").unwrap();
    let text = String::from_utf8(value.to_vec()).unwrap();
    let text = retention.replace_all(&text, "RETENTION_MS=0").into_owned();
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

/// Statements with the types of what they do, and of the steps of their queries, the last one first.
const KINDS: &[(&str, &[&str])] = &[
    (
        "CREATE STREAM s (id STRING KEY, a ARRAY<INT>, n INT)
         WITH (kafka_topic='s', value_format='JSON', partitions=1);",
        &["createStreamV1"],
    ),
    (
        "CREATE TABLE t (id STRING PRIMARY KEY, other STRING, n INT)
         WITH (kafka_topic='t', value_format='JSON', partitions=1);",
        &["createTableV1"],
    ),
    (
        "CREATE TABLE u (id STRING PRIMARY KEY, m INT)
         WITH (kafka_topic='u', value_format='JSON', partitions=1);",
        &["createTableV1"],
    ),
    ("ALTER STREAM s ADD COLUMN more STRING;", &["alterSourceV1"]),
    ("CREATE TYPE pair AS STRUCT<a INT, b INT>;", &["registerTypeV1"]),
    ("DROP TYPE pair;", &["dropTypeV1"]),
    (
        "CREATE STREAM rows AS SELECT id, EXPLODE(a) AS x FROM s WHERE n > 0;",
        &[
            "createStreamV1",
            "streamSinkV1",
            "streamSelectV1",
            "streamFlatMapV1",
            "streamFilterV1",
            "streamSourceV1",
        ],
    ),
    (
        "INSERT INTO rows SELECT id, n AS x FROM s;",
        &["streamSinkV1", "streamSelectV1", "streamSourceV1"],
    ),
    (
        "CREATE TABLE counts AS SELECT id, COUNT(*) AS n FROM s GROUP BY id HAVING COUNT(*) > 1;",
        &[
            "createTableV1",
            "tableSinkV1",
            "tableSelectV1",
            "tableFilterV1",
            "streamAggregateV1",
            "streamGroupByKeyV1",
            "streamSelectV1",
            "streamSourceV1",
        ],
    ),
    (
        "CREATE TABLE sums AS SELECT other, SUM(n) AS n FROM t GROUP BY other;",
        &[
            "createTableV1",
            "tableSinkV1",
            "tableSelectV1",
            "tableAggregateV1",
            "tableGroupByV2",
            "tableSelectV1",
            "tableSourceV2",
        ],
    ),
    (
        "CREATE TABLE both AS SELECT t.id, n, m FROM t JOIN u ON t.id = u.id;",
        &[
            "createTableV1",
            "tableSinkV1",
            "tableSelectV1",
            "tableTableJoinV1",
            "tableSelectV1",
            "tableSourceV2",
            "tableSelectV1",
            "tableSourceV2",
        ],
    ),
    (
        "CREATE TABLE others AS SELECT t.id, n, m FROM t LEFT JOIN u ON t.other = u.id;",
        &[
            "createTableV1",
            "tableSinkV1",
            "tableSelectV1",
            "fkTableTableJoinV1",
            "tableSelectV1",
            "tableSourceV2",
            "tableSelectV1",
            "tableSourceV2",
        ],
    ),
    (
        "CREATE STREAM w (id STRING KEY, n INT) WITH (kafka_topic='s', value_format='JSON',
         window_type='TUMBLING', window_size='1 MINUTE');",
        &["createStreamV1"],
    ),
    (
        "CREATE STREAM windowed AS SELECT * FROM w;",
        &["createStreamV1", "streamSinkV1", "streamSelectV1", "windowedStreamSourceV1"],
    ),
    ("TERMINATE ALL;", &[]),
    ("DROP TABLE both;", &["dropSourceV1"]),
];

#[tokio::test]
async fn every_kind_of_step_has_its_name_in_ksqldbs_plans() {
    let world = World::new().await;
    let cluster = Cluster::new(ClientConfig::new(&world.brokers()).unwrap()).unwrap();
    let ksql = world.server_with(&[("ksql.service.id", "default_")]).await;
    for (statement, _) in KINDS {
        ksql.run(statement).await;
    }
    let commands = written(&cluster).await;
    assert_eq!(commands.len(), KINDS.len());
    for ((_, value), (statement, expected)) in commands.iter().zip(KINDS) {
        let command: Value = serde_json::from_slice(value).unwrap();
        let plan = &command["plan"];
        let mut types = Vec::new();
        types_of(&plan["ddlCommand"], &mut types);
        types_of(&plan["queryPlan"]["physicalPlan"], &mut types);
        assert_eq!(types, *expected, "{statement}");
    }
    ksql.stop().await;
}

/// The types of a step and of those that it reads.
fn types_of<'v>(step: &'v Value, types: &mut Vec<&'v str>) {
    types.extend(step["@type"].as_str());
    for source in ["source", "leftSource", "rightSource"] {
        if let Some(source) = step.get(source) {
            types_of(source, types);
        }
    }
}
