//! Topics whose schemas are in a registry: written, re-keyed, counted and read again, also when the registry is away.

use std::collections::BTreeMap;

use millstream::broker::{EmbeddedBroker, EmbeddedConfig};
use millstream::kafka::{ClientConfig, Cluster};
use millstream::registry::{
    EmbeddedRegistry, EmbeddedRegistryConfig, RegistryClient, RegistryConfig, Schema, SchemaType,
    Subject,
};
use serde_json::Value;

use crate::support::World;

/// A registry with a broker of its own, which can be stopped and started again at the same address.
struct Registry {
    broker: EmbeddedBroker,
    running: Option<EmbeddedRegistry>,
    port: u16,
}

impl Registry {
    async fn start() -> Self {
        let broker = EmbeddedBroker::start(EmbeddedConfig::default()).await.unwrap();
        let running = start_on(&broker, 0).await;
        Self { broker, port: running.address().port(), running: Some(running) }
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    fn client(&self) -> RegistryClient {
        RegistryClient::new(RegistryConfig::new(&self.url()).unwrap()).unwrap()
    }

    async fn stop(&mut self) {
        self.running.take().unwrap().shutdown().await;
    }

    async fn start_again(&mut self) {
        self.running = Some(start_on(&self.broker, self.port).await);
    }
}

async fn start_on(broker: &EmbeddedBroker, port: u16) -> EmbeddedRegistry {
    let cluster = Cluster::new(ClientConfig::new(&broker.bootstrap()).unwrap()).unwrap();
    let config = EmbeddedRegistryConfig { port, ..EmbeddedRegistryConfig::default() };
    EmbeddedRegistry::start(&cluster, config).await.unwrap()
}

/// The arguments with which a run knows the registry, and asks it again soon.
fn arguments(registry: &Registry) -> Vec<String> {
    let properties = [
        format!("ksql.schema.registry.url={}", registry.url()),
        "ksql.schema.registry.retries.wait.ms=50".to_owned(),
        "ksql.schema.registry.retries.max.wait.ms=50".to_owned(),
    ];
    properties.into_iter().flat_map(|property| ["--property".to_owned(), property]).collect()
}

fn words(arguments: &[String]) -> Vec<&str> {
    arguments.iter().map(String::as_str).collect()
}

/// The newest count of each id that a topic of JSON values holds.
async fn counts(world: &World, topic: &str) -> BTreeMap<i64, (i64, i64)> {
    let mut counts = BTreeMap::new();
    for (_, value) in world.read(topic).await {
        let row: Value = serde_json::from_slice(&value.unwrap()).unwrap();
        let number = |name: &str| row[name].as_i64().unwrap();
        let new = (number("N"), number("TOTAL"));
        let newest = counts.entry(number("DEVICE")).or_insert(new);
        *newest = new.max(*newest);
    }
    counts
}

/// Readings go through topics of a format, are re-keyed and counted there, and are read by what the registry says of them.
/// The process is killed in the midst.
async fn pipeline(format: &str) {
    let world = World::start(&format!("schemas-{}", format.to_lowercase())).await;
    let registry = Registry::start().await;
    let topic = world.topic("in");
    world.create(&topic, 3).await;
    let sql = format!(
        "CREATE STREAM s (id BIGINT, v INT) WITH (KAFKA_TOPIC='{topic}', VALUE_FORMAT='JSON');
         CREATE STREAM typed WITH (KAFKA_TOPIC='{0}-typed', VALUE_FORMAT='{format}') AS
           SELECT id, v, ARRAY[v] AS vs FROM s EMIT CHANGES;
         CREATE TABLE counts WITH (KAFKA_TOPIC='{0}-counts', FORMAT='{format}') AS
           SELECT id, AS_VALUE(id) AS device, COUNT(*) AS n, SUM(vs[1]) AS total FROM typed GROUP BY id EMIT CHANGES;
         CREATE STREAM changes WITH (KAFKA_TOPIC='{0}-counts', FORMAT='{format}');
         CREATE STREAM out WITH (KAFKA_TOPIC='{0}-out', VALUE_FORMAT='JSON') AS
           SELECT * FROM changes EMIT CHANGES;",
        world.name
    );
    let mut arguments = arguments(&registry);
    arguments.extend(["--property".to_owned(), "ksql.millstream.repartition=topic".to_owned()]);
    let rows = |ids: std::ops::Range<i64>| {
        ids.map(|id| Some(format!(r#"{{"ID":{},"V":{id}}}"#, id % 7).into_bytes()))
    };
    world.send(&topic, rows(0..300)).await;
    let mut run = world.run(&sql, &words(&arguments));
    run.wait_for("query CTAS_COUNTS_1 is running", 1).await;
    world.wait_for_level(&["CSAS_TYPED_0"], &topic, &run).await;
    world.wait_for_level(&["CTAS_COUNTS_1"], &world.topic("typed"), &run).await;
    // What the first process has committed is there for the second one, from changelogs in that format.
    let stopped = run.stop().await;
    assert!(!stopped.contains("ERROR"), "{stopped}");
    world.send(&topic, rows(300..600)).await;
    let run = world.run(&sql, &words(&arguments));
    world.wait_for_level(&["CSAS_TYPED_0"], &topic, &run).await;
    world.wait_for_level(&["CTAS_COUNTS_1"], &world.topic("typed"), &run).await;
    world.wait_for_level(&["CSAS_OUT_2"], &world.topic("counts"), &run).await;
    let log = run.stop().await;
    assert!(!log.contains("ERROR") && !log.contains("skipped"), "{log}");
    let mut expected: BTreeMap<i64, (i64, i64)> = BTreeMap::new();
    for id in 0..600 {
        let (n, total) = expected.entry(id % 7).or_default();
        (*n, *total) = (*n + 1, *total + id);
    }
    assert_eq!(counts(&world, &world.topic("out")).await, expected, "{log}");
    let subjects = registry.client().subjects().await.unwrap();
    let has = |name: &str| subjects.contains(&Subject::new(name));
    for part in ["typed-value", "counts-key", "counts-value"] {
        assert!(has(&world.topic(part)), "{part}: {subjects:?}");
    }
    for store in ["Aggregate-Aggregate-Materialize-changelog", "Aggregate-GroupBy-repartition"] {
        let name = format!("{}-{store}-value", world.group("CTAS_COUNTS_1"));
        assert!(has(&name), "{name}: {subjects:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn avro_is_written_re_keyed_counted_and_read_by_its_schemas() {
    pipeline("AVRO").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn json_sr_is_written_re_keyed_counted_and_read_by_its_schemas() {
    pipeline("JSON_SR").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn protobuf_is_written_re_keyed_counted_and_read_by_its_schemas() {
    pipeline("PROTOBUF").await;
}

/// An Avro record with one nullable number.
fn avro(schema: i32, id: u8) -> Vec<u8> {
    let mut bytes = vec![0];
    bytes.extend(schema.to_be_bytes());
    bytes.extend([2, id * 2]);
    bytes
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_schema_waits_for_the_registry_and_keeps_nobody_else() {
    let world = World::start("schemas-away").await;
    let mut registry = Registry::start().await;
    let (typed, plain) = (world.topic("typed"), world.topic("plain"));
    world.create(&typed, 3).await;
    world.create(&plain, 3).await;
    let sql = format!(
        "CREATE STREAM typed (id BIGINT) WITH (KAFKA_TOPIC='{typed}', VALUE_FORMAT='AVRO');
         CREATE STREAM plain (id BIGINT) WITH (KAFKA_TOPIC='{plain}', VALUE_FORMAT='JSON');
         CREATE STREAM a WITH (KAFKA_TOPIC='{0}-a', VALUE_FORMAT='JSON') AS SELECT * FROM typed;
         CREATE STREAM b WITH (KAFKA_TOPIC='{0}-b', VALUE_FORMAT='JSON') AS SELECT * FROM plain;",
        world.name
    );
    let arguments = arguments(&registry);
    let mut run = world.run(&sql, &words(&arguments));
    run.wait_for("is running", 2).await;
    // Another application writes with a newer schema.
    let newer = r#"{"type":"record","name":"R","namespace":"n","fields":[
        {"name":"ID","type":["null","long"],"default":null},
        {"name":"MORE","type":["null","string"],"default":null}]}"#;
    let (client, subject) = (registry.client(), Subject::of_values(&world.topic("others")));
    let schema = Schema::new(SchemaType::Avro, newer);
    let id = client.register(&subject, &schema).await.unwrap();
    registry.stop().await;
    let mut value = avro(id.0, 5);
    value.push(0);
    world.send(&typed, [Some(value)]).await;
    run.wait_for(&format!("records wait for schema {id}"), 1).await;
    world.send(&plain, [Some(br#"{"ID":6}"#.to_vec())]).await;
    world.wait_for_level(&["CSAS_B_1"], &plain, &run).await;
    assert_eq!(world.lag("CSAS_A_0", &typed).await, 1);
    registry.start_again().await;
    world.wait_for_level(&["CSAS_A_0"], &typed, &run).await;
    // What the registry does not have is skipped, as it is told.
    world.send(&typed, [Some(avro(4_711, 1)), Some(avro(1, 7))]).await;
    world.wait_for_level(&["CSAS_A_0"], &typed, &run).await;
    run.wait_for("skipped 1 record whose value cannot be read", 1).await;
    let log = run.stop().await;
    assert!(log.contains("Schema 4711 not found; error code: 40403"), "{log}");
    let mut values: Vec<String> = world
        .read(&world.topic("a"))
        .await
        .into_iter()
        .map(|(_, value)| String::from_utf8(value.unwrap()).unwrap())
        .collect();
    values.sort_unstable();
    assert_eq!(values, [r#"{"ID":5}"#, r#"{"ID":7}"#], "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_not_run_without_its_registry_which_is_said() {
    let world = World::start("schemas-late").await;
    let mut registry = Registry::start().await;
    let topic = world.topic("in");
    world.create(&topic, 3).await;
    let sql = format!(
        "CREATE STREAM s (id BIGINT) WITH (KAFKA_TOPIC='{topic}', VALUE_FORMAT='JSON');
         CREATE STREAM a WITH (KAFKA_TOPIC='{0}-a', VALUE_FORMAT='AVRO') AS SELECT * FROM s;
         CREATE STREAM b WITH (KAFKA_TOPIC='{0}-b', VALUE_FORMAT='JSON') AS SELECT * FROM s;",
        world.name
    );
    let arguments = arguments(&registry);
    world.send(&topic, [Some(br#"{"ID":1}"#.to_vec())]).await;
    let run = world.run(&sql, &words(&arguments));
    world.wait_for_level(&["CSAS_A_0", "CSAS_B_1"], &topic, &run).await;
    run.stop().await;
    registry.stop().await;
    let mut refused = world.run(&sql, &words(&arguments));
    assert_eq!(refused.code().await, 1);
    assert!(refused.log().contains("no answer from the schema registry"), "{}", refused.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schema_that_the_registry_would_refuse_is_told_at_its_statement() {
    let world = World::start("schemas-refused").await;
    let registry = Registry::start().await;
    let topic = world.topic("in");
    world.create(&topic, 3).await;
    let subject = Subject::of_values(&world.topic("a"));
    let older = r#"{"type":"record","name":"R","fields":[{"name":"ID","type":"string"}]}"#;
    registry.client().register(&subject, &Schema::new(SchemaType::Avro, older)).await.unwrap();
    let sql = format!(
        "CREATE STREAM s (id BIGINT) WITH (KAFKA_TOPIC='{topic}', VALUE_FORMAT='JSON');
         CREATE STREAM a WITH (KAFKA_TOPIC='{0}-a', VALUE_FORMAT='AVRO') AS SELECT * FROM s;",
        world.name
    );
    let mut refused = world.run(&sql, &words(&arguments(&registry)));
    assert_eq!(refused.code().await, 1);
    let log = refused.log();
    let said = format!(
        "Could not register schema for topic: Schema being registered is incompatible with an earlier \
         schema for subject \"{subject}\""
    );
    assert!(log.contains(&said) && log.contains("error code: 409"), "{log}");
    assert!(log.contains("CREATE STREAM a"), "{log}");
    let topics = millstream::kafka::admin::Admin::new(&world.cluster).list_topics().await.unwrap();
    assert!(!topics.iter().any(|found| *found.name == *world.topic("a")));
}

/// The schema of a record with a number, and more.
fn schema_with(more: &str) -> Schema {
    let text = format!(
        r#"{{"type":"record","name":"R","fields":[{{"name":"ID","type":["null","long"],"default":null}}{more}]}}"#
    );
    Schema::new(SchemaType::Avro, text)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_field_that_others_add_stops_only_who_reads_all_columns() {
    let world = World::start("schemas-evolve").await;
    let registry = Registry::start().await;
    let topic = world.topic("in");
    world.create(&topic, 3).await;
    let (client, subject) = (registry.client(), Subject::of_values(&topic));
    let id = client.register(&subject, &schema_with("")).await.unwrap();
    let source = format!("CREATE STREAM s WITH (KAFKA_TOPIC='{topic}', VALUE_FORMAT='AVRO');");
    let counts = format!(
        "CREATE TABLE counts WITH (KAFKA_TOPIC='{0}-counts', FORMAT='JSON') AS
           SELECT id, COUNT(*) AS n FROM s GROUP BY id EMIT CHANGES;",
        world.name
    );
    let all = format!(
        "CREATE STREAM a WITH (KAFKA_TOPIC='{0}-a', VALUE_FORMAT='JSON') AS SELECT * FROM s;",
        world.name
    );
    let arguments = arguments(&registry);
    let sql = format!("{source}{counts}{all}");
    world.send(&topic, [Some(avro(id.0, 5))]).await;
    let run = world.run(&sql, &words(&arguments));
    world.wait_for_level(&["CTAS_COUNTS_0", "CSAS_A_1"], &topic, &run).await;
    run.stop().await;
    let more = r#",{"name":"MORE","type":["null","string"],"default":null}"#;
    let newer = client.register(&subject, &schema_with(more)).await.unwrap();
    // What reads all columns is another query now, and it is said in what.
    let mut refused = world.run(&sql, &words(&arguments));
    assert_eq!(refused.code().await, 1);
    let log = refused.log();
    assert!(
        log.contains("query CSAS_A_1 was another one") && !log.contains("CTAS_COUNTS_0 was"),
        "{log}"
    );
    assert!(log.contains("with the columns `ID` BIGINT, `MORE` STRING"), "{log}");
    // What does not goes on with its state.
    let mut value = avro(newer.0, 5);
    value.push(0);
    world.send(&topic, [Some(value)]).await;
    let run = world.run(&format!("{source}{counts}"), &words(&arguments));
    world.wait_for_level(&["CTAS_COUNTS_0"], &topic, &run).await;
    let log = run.stop().await;
    let last = world.read(&world.topic("counts")).await.pop().unwrap();
    assert_eq!(last.1.unwrap(), br#"{"N":2}"#, "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_joins_its_group_again_while_the_registry_is_away() {
    let world = World::start("schemas-rejoin").await;
    let mut registry = Registry::start().await;
    let topic = world.topic("in");
    world.create(&topic, 3).await;
    let sql = format!(
        "CREATE STREAM s (id BIGINT) WITH (KAFKA_TOPIC='{topic}', VALUE_FORMAT='AVRO');
         CREATE TABLE counts WITH (KAFKA_TOPIC='{0}-counts', VALUE_FORMAT='AVRO') AS
           SELECT id, COUNT(*) AS n FROM s GROUP BY id EMIT CHANGES;",
        world.name
    );
    let mut run = world.run_restless(&sql, &words(&arguments(&registry)));
    run.wait_for("is running", 1).await;
    world.send(&topic, [Some(avro(1, 5))]).await;
    world.wait_for_level(&["CTAS_COUNTS_0"], &topic, &run).await;
    registry.stop().await;
    run.pause();
    tokio::time::sleep(world.short_session() * 2).await;
    run.go_on();
    run.wait_for("this process was stopped for a while", 1).await;
    world.send(&topic, [Some(avro(1, 6))]).await;
    world.wait_for_level(&["CTAS_COUNTS_0"], &topic, &run).await;
    run.stop().await;
}

/// Answers everybody at a port that they may not.
async fn forbid(port: u16) {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await.unwrap();
    loop {
        let (mut connection, _) = listener.accept().await.unwrap();
        let _ = connection.read(&mut [0; 4_096]).await;
        let answer = "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
        let _ = connection.write_all(answer.as_bytes()).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registry_that_lets_nobody_in_fails_the_query_until_it_does() {
    let world = World::start("schemas-forbidden").await;
    let mut registry = Registry::start().await;
    let topic = world.topic("in");
    world.create(&topic, 3).await;
    let sql = format!(
        "CREATE STREAM s (id BIGINT) WITH (KAFKA_TOPIC='{topic}', VALUE_FORMAT='AVRO');
         CREATE STREAM a WITH (KAFKA_TOPIC='{0}-a', VALUE_FORMAT='JSON') AS SELECT * FROM s;",
        world.name
    );
    let mut run = world.run(&sql, &words(&arguments(&registry)));
    run.wait_for("is running", 1).await;
    let subject = Subject::of_values(&world.topic("others"));
    let id = registry.client().register(&subject, &schema_with("")).await.unwrap();
    registry.stop().await;
    let forbidding = tokio::spawn(forbid(registry.port));
    world.send(&topic, [Some(avro(id.0, 5))]).await;
    run.wait_for("query CSAS_A_0 has failed and starts again", 1).await;
    run.wait_for("the schema of a record cannot be had", 1).await;
    forbidding.abort();
    let _ = forbidding.await;
    registry.start_again().await;
    world.wait_for_level(&["CSAS_A_0"], &topic, &run).await;
    run.stop().await;
}
