//! Bad statements, bad records, bad surroundings: a clear error or an entry of the processing log.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use millstream::broker::{EmbeddedConfig, SaslPlain};
use millstream::kafka::admin::{Admin, NewTopic};
use millstream::kafka::produce::{NewRecord, Producer};
use millstream::kafka::{ClientConfig, Cluster};
use rand::{RngExt as _, SeedableRng as _};
use serde_json::{Value, json};

use crate::support::{PARTITIONS, World};

fn copy(world: &World, from: &str, to: &str) -> String {
    let name = &world.name;
    format!(
        "CREATE STREAM s_{from} (id BIGINT, device VARCHAR, x DOUBLE, tags ARRAY<STRING>)
           WITH (KAFKA_TOPIC='{name}-{from}', VALUE_FORMAT='JSON');
         CREATE STREAM c_{to} WITH (KAFKA_TOPIC='{name}-{to}') AS SELECT * FROM s_{from} EMIT CHANGES;"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn faulty_statements_end_with_1_and_carets() {
    let world = World::start("sql").await;
    world.create(&world.topic("in"), 1).await;
    let sql = copy(&world, "in", "out").replace("SELECT *", "SELECT nothing");
    let mut run = world.run(&sql, &[]);
    assert_eq!(run.code().await, 1);
    assert!(run.log().contains("NOTHING") && run.log().contains("^^^"), "{}", run.log());
    let mut run = world.run("CREATE STREEM x;", &[]);
    assert_eq!(run.code().await, 1);
    assert!(run.log().contains("^^^"), "{}", run.log());
    let mut run = world.run(&copy(&world, "missing", "out"), &[]);
    assert_eq!(run.code().await, 1);
    assert!(run.log().contains(&world.topic("missing")), "{}", run.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn no_broker_is_an_error() {
    let world = World::embedded("nobody", EmbeddedConfig::default()).await;
    let limit = ["--property", "default.api.timeout.ms=1000"];
    let mut run = world.run_at("127.0.0.1:1", &copy(&world, "in", "out"), &limit);
    assert_eq!(run.code().await, 1);
    assert!(run.log().contains("cannot connect to Kafka at 127.0.0.1:1"), "{}", run.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_credentials_are_an_error() {
    let sasl = Some(SaslPlain { username: "alice".to_owned(), password: "secret".to_owned() });
    let world = World::embedded("sasl", EmbeddedConfig { sasl, ..EmbeddedConfig::default() }).await;
    let login = |password: &str| {
        format!(
            "sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required \
             username=\"alice\" password=\"{password}\";"
        )
    };
    let wrong = login("hunter2");
    let args = ["security.protocol=SASL_PLAINTEXT", "sasl.mechanism=PLAIN", &wrong];
    let args: Vec<&str> = args.into_iter().flat_map(|property| ["--property", property]).collect();
    let mut run = world.run(&copy(&world, "in", "out"), &args);
    assert_eq!(run.code().await, 1);
    let log = run.log();
    assert!(log.contains("refused the login (PLAIN)") && !log.contains("hunter2"), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_oversized_output_names_its_topic_and_size() {
    let world = World::start("large").await;
    let (topic, out) = (world.topic("in"), world.topic("out"));
    world.create(&topic, PARTITIONS).await;
    let sql = copy(&world, "in", "out").replace("SELECT *", "SELECT CONCAT(device, device) AS d");
    let device = |length| Some(json!({ "DEVICE": "x".repeat(length) }).to_string().into());
    world.send(&topic, [device(700_000), device(1)]).await;
    let stops = ["--property", "ksql.millstream.on.refused.records=stop"];
    let mut run = world.run(&sql, &stops);
    assert_eq!(run.code().await, 2, "{}", run.log());
    let named = format!("is too large for topic {out}");
    assert!(run.log().contains(&named), "{}", run.log());
    assert!(world.lag("CSAS_C_OUT_0", &topic).await >= 1);
    let run = world.run(&sql, &[]);
    world.wait_for_level(&["CSAS_C_OUT_0"], &topic, &run).await;
    let log = run.stop().await;
    assert!(
        log.contains("skipped 1 record that the broker refused") && log.contains(&named),
        "{log}"
    );
    assert!(world.read(&out).await.iter().all(|(_, value)| value.as_ref().unwrap().len() < 100));
}

#[tokio::test(flavor = "multi_thread")]
async fn law_4_a_state_that_no_request_holds_stops_its_query_before_its_changelog_is_written() {
    let world = World::start("large-state").await;
    let topic = world.topic("in");
    world.create(&topic, 1).await;
    let name = &world.name;
    let sql = format!(
        "CREATE STREAM s (id BIGINT, device VARCHAR)
           WITH (KAFKA_TOPIC='{name}-in', VALUE_FORMAT='JSON');
         CREATE TABLE t WITH (KAFKA_TOPIC='{name}-out', PARTITIONS=1) AS
           SELECT id, LATEST_BY_OFFSET(CONCAT(device, device)) AS d FROM s GROUP BY id EMIT CHANGES;"
    );
    let producer = Producer::new(&world.cluster);
    for (id, length) in [(1, 10), (2, 700_000), (3, 10)] {
        let value = json!({ "ID": id, "DEVICE": "x".repeat(length) }).to_string();
        let record = NewRecord::new(id, None, Some(value.as_bytes()));
        producer.send(&topic, 0, record).await.unwrap();
    }
    producer.flush().await.unwrap();
    let mut run = world.run(&sql, &["--property", "commit.interval.ms=3000"]);
    assert_eq!(run.code().await, 2, "{}", run.log());
    let changelog =
        format!("{}-Aggregate-Aggregate-Materialize-changelog", world.group("CTAS_T_0"));
    let named = format!("is too large for topic {changelog}");
    assert!(run.log().contains(&named), "{}", run.log());
    assert_eq!(world.read(&changelog).await, []);
    assert_eq!(world.lag("CTAS_T_0", &topic).await, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_entry_of_the_log_that_no_request_holds_is_cut() {
    let world = World::start("cut").await;
    let (topic, log_topic) = (world.topic("in"), world.topic("log"));
    let admin = Admin::new(&world.cluster);
    let large = NewTopic::new(&topic, 1).with_config("max.message.bytes", "8000000");
    admin.create_topic(&large).await.unwrap();
    // With row and all, an entry would not fit into a request; its topic takes even less.
    let log = NewTopic::new(&log_topic, 1).with_config("max.message.bytes", "600000");
    admin.create_topic(&log).await.unwrap();
    let bad = format!("{{\"ID\": \"{}\"}}", "x".repeat(5_000_000)).into_bytes();
    let good = json!({ "ID": 1 }).to_string().into_bytes();
    let properties = [("bootstrap.servers", &*world.servers), ("max.request.size", "8000000")];
    let properties = properties.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let config = ClientConfig::from_properties(&properties.into()).unwrap();
    let producer = Producer::new(&Cluster::new(config).unwrap());
    for value in [&bad, &good] {
        producer.send(&topic, 0, NewRecord::new(0, None, Some(value))).await.unwrap();
    }
    producer.flush().await.unwrap();
    let log_name = format!("ksql.logging.processing.topic.name={log_topic}");
    let rows = "ksql.logging.processing.rows.include=true";
    let args = ["ksql.logging.processing.topic.auto.create=true", &log_name, rows];
    let args: Vec<&str> = args.into_iter().flat_map(|property| ["--property", property]).collect();
    let run = world.run(&copy(&world, "in", "out"), &args);
    world.wait_for_level(&["CSAS_C_OUT_0"], &topic, &run).await;
    let printed = run.stop().await;
    assert!(!printed.contains("has failed"), "{printed}");
    assert_eq!(world.read(&world.topic("out")).await.len(), 1);
    let entries = world.read(&log_topic).await;
    assert_eq!(entries.len(), 1, "{printed}");
    let entry: Value = serde_json::from_slice(entries[0].1.as_ref().unwrap()).unwrap();
    let error = &entry["message"]["deserializationError"];
    let message = error["errorMessage"].as_str().unwrap();
    assert!(message.contains("cut to fit"), "{message}");
    let record = STANDARD.decode(error["recordB64"].as_str().unwrap()).unwrap();
    assert!(record.len() > 100_000 && bad.starts_with(&record), "{} bytes", record.len());
}

/// A reading that something happened to, at random.
fn mutated(random: &mut rand::rngs::StdRng, id: i64) -> Option<Vec<u8>> {
    let reading =
        json!({ "ID": id, "DEVICE": format!("d{}", id % 7), "X": 0.5, "TAGS": ["a", null] });
    let mut bytes = reading.to_string().into_bytes();
    let at = random.random_range(0..bytes.len());
    match random.random_range(0..10) {
        0 => return None,
        1 => bytes.clear(),
        2 => bytes.truncate(at),
        3 => bytes[at] = random.random(),
        4 => bytes.insert(at, random.random()),
        5 => drop(bytes.remove(at)),
        6 => return Some(json!({ "ID": "x", "X": [id], "TAGS": {"a": 1} }).to_string().into()),
        7 => bytes.resize(10_000, b' '),
        8 => return Some(vec![b'['; at]),
        _ => {}
    }
    Some(bytes)
}

#[tokio::test(flavor = "multi_thread")]
async fn mutated_readings_add_up() {
    const READINGS: i64 = 100_000;
    let world = World::start("mutated").await;
    let topic = world.topic("in");
    world.create(&topic, PARTITIONS).await;
    let mut random = rand::rngs::StdRng::seed_from_u64(11);
    world.send(&topic, (0..READINGS).map(|id| mutated(&mut random, id))).await;
    let log_topic = format!("ksql.logging.processing.topic.name={}-log", world.name);
    let args = ["ksql.logging.processing.topic.auto.create=true", &log_topic];
    let args: Vec<&str> = args.into_iter().flat_map(|property| ["--property", property]).collect();
    let run = world.run(&copy(&world, "in", "out"), &args);
    world.wait_for_level(&["CSAS_C_OUT_0"], &topic, &run).await;
    let log = run.stop().await;
    assert!(!log.contains("panicked"), "{log}");
    let rows = world.read(&world.topic("out")).await.len() as i64;
    let entries = world.read(&world.topic("log")).await.len() as i64;
    assert!(rows > READINGS / 3 && entries > READINGS / 5, "{rows} rows, {entries} entries");
    assert_eq!(rows + entries, READINGS);
}
