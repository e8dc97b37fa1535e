//! `millstream parity` against a server that has written what a real one did, and against one that has written something else.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::process::{Command, Stdio};

use millstream::broker::{EmbeddedBroker, EmbeddedConfig};
use millstream::kafka::admin::{Admin, NewTopic};
use millstream::kafka::partitioner::partition_for_key;
use millstream::kafka::{ClientConfig, Cluster};
use millstream::registry::{EmbeddedRegistry, EmbeddedRegistryConfig};
use serde_json::Value;

use super::plants::{PLANTS, input};
use super::record::{Record, read_lines, read_recorded, read_topic, recorded};
use super::stub::{Stub, Written, produce};

/// A broker, and what the program says about it.
struct World {
    broker: EmbeddedBroker,
    cluster: Cluster,
}

impl World {
    async fn new() -> Self {
        let config = EmbeddedConfig { cleaning_interval: None, ..EmbeddedConfig::default() };
        let broker = EmbeddedBroker::start(config).await.unwrap();
        let client = ClientConfig::new(&broker.bootstrap()).unwrap();
        Self { cluster: Cluster::new(client).unwrap(), broker }
    }

    async fn topic(&self, name: &str, partitions: i32, records: &[(usize, Record)]) {
        let topic = NewTopic::new(name, partitions);
        Admin::new(&self.cluster).create_topic(&topic).await.unwrap();
        produce(&self.cluster, name, records).await;
    }

    /// Runs the program; its report, if it has written one.
    async fn parity(&self, url: &str, text: &str, flags: &[&str]) -> Said {
        let folder = tempfile::tempdir().unwrap();
        let (file, report) = (folder.path().join("file.sql"), folder.path().join("report.json"));
        std::fs::write(&file, text).unwrap();
        let mut program = Command::new(env!("CARGO_BIN_EXE_millstream"));
        program
            .args(["parity", "--bootstrap-servers", &self.broker.bootstrap(), "--against", url])
            .args(["--property", "commit.interval.ms=100"])
            .args(flags)
            .arg("--report")
            .args([&report, &file])
            .env_remove("RUST_LOG")
            .stdin(Stdio::null());
        let output = tokio::task::spawn_blocking(move || program.output().unwrap()).await.unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let report = std::fs::read_to_string(&report).unwrap_or_else(|_| "null".to_owned());
        Said {
            code: output.status.code().unwrap(),
            out: text(&output.stdout),
            err: text(&output.stderr),
            report: serde_json::from_str(&report).unwrap(),
        }
    }

    /// The topics that a comparison has left.
    async fn left(&self) -> Vec<String> {
        let topics = Admin::new(&self.cluster).list_topics().await.unwrap();
        let names = topics.iter().map(|topic| topic.name.to_string());
        names.filter(|name| name.contains("parity_")).collect()
    }
}

/// What the program said, and how it ended.
struct Said {
    code: i32,
    out: String,
    err: String,
    report: Value,
}

impl Said {
    fn sink(&self, name: &str) -> &Value {
        let sinks = self.report["sinks"].as_array().unwrap_or_else(|| panic!("{}", self.err));
        sinks.iter().find(|sink| sink["name"] == name).unwrap()
    }

    /// How many differences of each kind a sink has, and how many records were not comparable.
    fn found(&self, name: &str) -> (BTreeMap<String, u64>, u64) {
        let sink = self.sink(name);
        let kinds = sink["different"].as_object().unwrap().iter();
        let kinds = kinds.map(|(kind, count)| (kind.clone(), count.as_u64().unwrap()));
        (kinds.collect(), sink["not_comparable"]["records"].as_u64().unwrap())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_real_servers_records_of_the_device_file_are_ours() {
    let world = World::new().await;
    let input = read_lines(&recorded("input.jsonl.gz")).into_iter().map(|(_, record)| (0, record));
    world.topic("device-sensors", 1, &input.collect::<Vec<_>>()).await;
    let mut written = BTreeMap::new();
    for (topic, shape) in read_recorded("device").topics {
        if topic.starts_with('_') || topic == "device-sensors" || topic.starts_with("default_") {
            continue;
        }
        let records = read_topic("device", &topic, shape.partitions);
        let records = records.into_iter().enumerate();
        let is_table = shape
            .configs_set_on_topic
            .get("cleanup.policy")
            .is_some_and(|policy| policy == "compact");
        let configs = if is_table { vec![("cleanup.policy", "compact")] } else { Vec::new() };
        written.insert(
            topic,
            Written {
                partitions: i32::try_from(shape.partitions).unwrap(),
                configs,
                records: records
                    .flat_map(|(at, all)| all.into_iter().map(move |one| (at, one)))
                    .collect(),
                ..Written::default()
            },
        );
    }
    let stub = Stub::start(&world.cluster, written).await;
    let text = std::fs::read_to_string(recorded("device").join("queries.sql")).unwrap();
    let said = world.parity(stub.url(), &text, &[]).await;
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
    assert!(said.out.ends_with("\nequal\n"), "{}", said.out);
    for name in ["DEVICE_ACTIVITY_COUNTS", "DEVICE_SENSOR_STATS", "MOVEMENT_ALERTS"] {
        let sink = said.sink(name);
        assert!(sink["equal"].as_u64().unwrap() > 100, "{sink}");
        assert_eq!(sink["equal"], sink["theirs"]["records"]);
        assert_eq!(sink["equal"], sink["ours"]["records"]);
    }
    assert_eq!(stub.left(), Vec::<String>::new());
    assert_eq!(world.left().await, Vec::<String>::new());
}

const SOURCES: &str = "
    CREATE STREAM clicks (id STRING KEY, n INT) WITH (kafka_topic='clicks', value_format='JSON');
    CREATE STREAM facts (n INT) WITH (kafka_topic='facts', value_format='JSON');";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn planted_differences_are_found_and_named() {
    let world = World::new().await;
    world.topic("clicks", 2, &input(false)).await;
    world.topic("facts", 2, &input(true)).await;
    let (mut text, mut written) = (SOURCES.to_owned(), BTreeMap::new());
    for (at, planted) in PLANTS.iter().enumerate() {
        let name = format!("S{at}");
        let from = if planted.is_keyless { "n FROM facts" } else { "id, n FROM clicks" };
        writeln!(text, "CREATE STREAM {name} AS SELECT {from};").unwrap();
        // A projection writes what it reads.
        let mut theirs =
            Written { partitions: 2, records: input(planted.is_keyless), ..Written::default() };
        (planted.change)(&mut theirs);
        written.insert(name, theirs);
    }
    let stub = Stub::start(&world.cluster, written).await;
    let said = world.parity(stub.url(), &text, &[]).await;
    assert_eq!(said.code, 1, "{}{}", said.out, said.err);
    for (at, planted) in PLANTS.iter().enumerate() {
        let expected: BTreeMap<String, u64> =
            planted.found.iter().map(|(kind, count)| ((*kind).to_owned(), *count)).collect();
        let name = format!("S{at}");
        assert_eq!(said.found(&name), (expected, 0), "{}: {}", planted.what, said.sink(&name));
        let result = if planted.found.is_empty() { "equal" } else { "different" };
        assert_eq!(said.sink(&name)["result"], result, "{}", planted.what);
    }
    // A difference is told with both records, and with the one of the input that made ours.
    let first = &said.sink("S1")["first"];
    assert_eq!(first["kind"], "value");
    assert_eq!(first["number"], 4);
    assert_eq!(first["ours"]["value"]["text"], r#"{"N":6}"#);
    assert_eq!(first["theirs"]["value"]["hex"], "7b224e223a377d");
    assert_eq!(first["input"]["topic"], "clicks");
    assert_eq!(first["input"]["offset"], 3);
    assert_eq!(first["input"]["value"]["text"], r#"{"N":6}"#);
    assert!(
        said.out.contains("first difference in S1: value (record 4 of its key)"),
        "{}",
        said.out
    );
    assert!(said.out.ends_with("\ndifferent\n"), "{}", said.out);
    assert_eq!(stub.left(), Vec::<String>::new());
    assert_eq!(world.left().await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_no_rule_speaks_of_is_not_called_equal() {
    let world = World::new().await;
    world.topic("clicks", 2, &input(false)).await;
    let mut mixed = input(false);
    // One key comes on both partitions.
    mixed[0].1.key = Some(b"d".to_vec());
    mixed[0].0 = 1 - mixed[1].0;
    world.topic("mixed", 2, &mixed).await;
    let text = format!(
        "{SOURCES}
        CREATE STREAM mixed (id STRING KEY, n INT) WITH (kafka_topic='mixed', value_format='JSON');
        CREATE STREAM m AS SELECT id, n FROM mixed;
        CREATE STREAM chance AS SELECT id, RANDOM() AS r FROM clicks;
        CREATE STREAM both AS SELECT c.id AS id, c.n AS n FROM clicks c JOIN mixed m WITHIN 1 DAY ON c.id = m.id;
        CREATE STREAM after AS SELECT * FROM chance;
        CREATE TABLE final AS SELECT id, COUNT(*) AS n FROM clicks WINDOW TUMBLING (SIZE 1 SECOND) GROUP BY id EMIT FINAL;"
    );
    let records = mixed.iter().map(|(_, record)| {
        let key = record.key.clone().unwrap();
        (partition_for_key(&key, 2) as usize, record.clone())
    });
    let written = Written { partitions: 2, records: records.collect(), ..Written::default() };
    let others = ["CHANCE", "BOTH", "AFTER"]
        .map(|name| (name.to_owned(), Written { partitions: 2, ..Written::default() }));
    let compact = Written {
        partitions: 2,
        configs: vec![("cleanup.policy", "delete,compact")],
        ..Written::default()
    };
    let all = others.into_iter().chain([("M".to_owned(), written), ("FINAL".to_owned(), compact)]);
    world.topic("facts", 2, &[]).await;
    let stub = Stub::start(&world.cluster, all.collect()).await;
    let said = world.parity(stub.url(), &text, &[]).await;
    assert_eq!(said.code, 2, "{}{}", said.out, said.err);
    assert!(said.out.ends_with("\nnot comparable\n"), "{}", said.out);
    assert_eq!(said.found("M"), (BTreeMap::new(), 11));
    assert_eq!(said.sink("M")["equal"], 9, "the other key has its order");
    for (name, reason) in [
        ("M", "several partitions of the input feed a key"),
        ("CHANCE", "RANDOM() gives something else at each call"),
        ("BOTH", "it joins"),
        ("AFTER", "which is open: RANDOM()"),
        ("FINAL", "EMIT FINAL depends on the wall clock"),
    ] {
        let sink = said.sink(name);
        assert_eq!(sink["result"], "not comparable", "{sink}");
        let told = sink["not_comparable"]["reasons"][0].as_str().unwrap();
        assert!(told.contains(reason), "{told}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_side_that_does_not_get_there_is_named() {
    let world = World::new().await;
    world.topic("clicks", 2, &input(false)).await;
    world.topic("facts", 2, &[]).await;
    let stub = Stub::start_behind(&world.cluster).await;
    let text = format!("{SOURCES} CREATE STREAM s AS SELECT id, n FROM clicks;");
    let said = world.parity(stub.url(), &text, &["--timeout", "3"]).await;
    assert_eq!(said.code, 2, "{}{}", said.out, said.err);
    assert!(
        said.err.contains("not at the end of the inputs after 3 s (--timeout)"),
        "{}",
        said.err
    );
    assert!(said.err.contains("theirs: clicks-0 is not read yet, its end is 10"), "{}", said.err);
    assert!(!said.err.contains("ours: clicks"), "{}", said.err);
    assert_eq!(stub.left(), Vec::<String>::new());
    assert_eq!(world.left().await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_would_touch_the_users_own_is_refused() {
    let world = World::new().await;
    world.topic("clicks", 2, &[]).await;
    world.topic("facts", 2, &[]).await;
    let stub = Stub::start(&world.cluster, BTreeMap::new()).await;
    for (text, told) in [
        ("INSERT INTO clicks (id) VALUES ('a');", "file.sql:4:1"),
        ("DROP STREAM clicks DELETE TOPIC;", "unsupported by parity"),
        (
            "CREATE STREAM x (n INT) WITH (kafka_topic='new', value_format='JSON', partitions=1);",
            "topic new of X does not exist",
        ),
        ("CREATE STREAM clicks AS SELECT * FROM facts;", "CLICKS is defined twice"),
        ("INSERT INTO others SELECT * FROM facts;", "no statement of the files defines OTHERS"),
        ("CREATE STREAM s AS SELECT nothing FROM clicks;", "file.sql:4:1"),
        ("", "no statement fills a stream or table"),
    ] {
        let said = world.parity(stub.url(), &format!("{SOURCES}\n{text}"), &[]).await;
        assert_eq!(said.code, 2, "{text}: {}{}", said.out, said.err);
        assert!(said.err.contains(told), "{text}: {}", said.err);
        assert_eq!(stub.left(), Vec::<String>::new());
        assert_eq!(world.left().await, Vec::<String>::new());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_schema_is_found_without_any_record() {
    let world = World::new().await;
    world.topic("clicks", 2, &[]).await;
    world.topic("facts", 2, &[]).await;
    let config = EmbeddedRegistryConfig::default();
    let registry = EmbeddedRegistry::start(&world.cluster, config).await.unwrap();
    let written = ["SAME", "OTHER"].map(|name| {
        // What ksqlDB registers for one column, and that of another type.
        let ty = if name == "SAME" { "int" } else { "long" };
        let schema = format!(
            r#"{{"type":"record","name":"KsqlDataSourceSchema","namespace":"io.confluent.ksql.avro_schemas","fields":[{{"name":"N","type":["null","{ty}"],"default":null}}],"connect.name":"io.confluent.ksql.avro_schemas.KsqlDataSourceSchema"}}"#
        );
        let schema = Some((registry.url(), schema));
        (name.to_owned(), Written { partitions: 2, schema, ..Written::default() })
    });
    let stub = Stub::start(&world.cluster, written.into()).await;
    let text = format!(
        "{SOURCES}
        CREATE STREAM same WITH (value_format='AVRO') AS SELECT id, n FROM clicks;
        CREATE STREAM other WITH (value_format='AVRO') AS SELECT id, n FROM clicks;"
    );
    let url = format!("ksql.schema.registry.url={}", registry.url());
    let said = world.parity(stub.url(), &text, &["--property", &url]).await;
    assert_eq!(said.code, 1, "{}{}", said.out, said.err);
    assert_eq!(said.found("SAME"), (BTreeMap::new(), 0), "{}", said.out);
    assert_eq!(said.found("OTHER"), ([("schema".to_owned(), 1)].into(), 0));
    assert!(said.out.contains("OTHER-value: ours: AVRO "), "{}", said.out);
    let left = reqwest::get(format!("{}/subjects", registry.url())).await.unwrap();
    assert_eq!(left.text().await.unwrap(), "[]");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_stops_it_finds_nothing_left() {
    let world = World::new().await;
    world.topic("clicks", 2, &input(false)).await;
    world.topic("facts", 2, &[]).await;
    let stub = Stub::start_behind(&world.cluster).await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file.sql");
    std::fs::write(&file, format!("{SOURCES} CREATE STREAM s AS SELECT id, n FROM clicks;"))
        .unwrap();
    let mut program = Command::new(env!("CARGO_BIN_EXE_millstream"))
        .args(["parity", "--bootstrap-servers", &world.broker.bootstrap()])
        .args(["--against", stub.url()])
        .arg(&file)
        .stdin(Stdio::null())
        .spawn()
        .unwrap();
    while stub.left().len() < 4 {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    assert_ne!(world.left().await, Vec::<String>::new());
    let id = rustix::process::Pid::from_child(&program);
    rustix::process::kill_process(id, rustix::process::Signal::INT).unwrap();
    let ended = tokio::task::spawn_blocking(move || program.wait().unwrap()).await.unwrap();
    assert_eq!(ended.code(), Some(2));
    assert_eq!(stub.left(), Vec::<String>::new());
    assert_eq!(world.left().await, Vec::<String>::new());
}
