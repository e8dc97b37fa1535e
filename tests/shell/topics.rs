//! `millstream topics` against the embedded broker.

use millstream::broker::{EmbeddedBroker, EmbeddedConfig};
use millstream::kafka::produce::{NewRecord, Producer};
use millstream::kafka::{ClientConfig, Cluster};
use millstream::registry::{
    EmbeddedRegistry, EmbeddedRegistryConfig, RegistryClient, RegistryConfig, Schema, SchemaType,
    Subject,
};
use serde_json::Value;

use super::{failed, millstream, succeeded};

struct Kafka {
    broker: EmbeddedBroker,
}

impl Kafka {
    async fn start() -> Self {
        Self { broker: EmbeddedBroker::start(EmbeddedConfig::default()).await.unwrap() }
    }

    /// Runs `millstream topics` with these arguments.
    async fn topics(&self, arguments: &[&str]) -> std::process::Output {
        let bootstrap = self.broker.bootstrap();
        let all = [&["topics", "--bootstrap-servers", &bootstrap], arguments].concat();
        millstream(&all, "").await
    }

    async fn write(&self, topic: &str, records: &[(&[u8], Option<&[u8]>)]) {
        let cluster = Cluster::new(ClientConfig::new(&self.broker.bootstrap()).unwrap()).unwrap();
        let producer = Producer::new(&cluster);
        for (index, (key, value)) in records.iter().enumerate() {
            let at = 1_700_000_000_000 + index as i64;
            let record = NewRecord::new(at, Some(key), *value);
            let sent = producer.send_acknowledged(topic, 0, record).await.unwrap();
            sent.await.unwrap().unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_topic_is_created_listed_described_and_deleted() {
    let kafka = Kafka::start().await;
    let create = ["create", "clicks", "--partitions", "3", "--config", "cleanup.policy=compact"];
    assert_eq!(succeeded(&kafka.topics(&create).await), "clicks created\n");
    let again = failed(&kafka.topics(&create).await);
    assert!(again.contains("already exists"), "{again}");
    let tolerant = [&create[..], &["--if-not-exists"]].concat();
    assert_eq!(succeeded(&kafka.topics(&tolerant).await), "clicks is there already\n");
    kafka.write("clicks", &[(b"a", Some(b"1")), (b"b", Some(b"2"))]).await;
    assert_eq!(
        succeeded(&kafka.topics(&["list"]).await),
        "TOPIC   PARTITIONS  REPLICAS  OFFSETS\nclicks           3         1        2\n"
    );
    let described = succeeded(&kafka.topics(&["describe", "clicks"]).await);
    assert!(described.starts_with("clicks: 3 partitions\nPARTITION  LEADER"), "{described}");
    assert!(described.ends_with("cleanup.policy=compact\n"), "{described}");
    let described = succeeded(&kafka.topics(&["describe", "clicks", "--output", "json"]).await);
    let described: Value = serde_json::from_str(&described).unwrap();
    assert_eq!(described["partitions"][0]["end_offset"], 2);
    let asked = failed(&kafka.topics(&["delete", "clicks"]).await);
    assert!(asked.contains("--yes"), "{asked}");
    let meant = failed(&kafka.topics(&["delete", "cliks", "--yes"]).await);
    assert!(meant.contains("there is no topic 'cliks' (did you mean clicks?)"), "{meant}");
    assert_eq!(succeeded(&kafka.topics(&["delete", "clicks", "--yes"]).await), "clicks deleted\n");
    assert_eq!(succeeded(&kafka.topics(&["list", "--output", "json"]).await), "");
}

#[tokio::test(flavor = "multi_thread")]
async fn records_are_shown_as_what_they_are() {
    let kafka = Kafka::start().await;
    succeeded(&kafka.topics(&["create", "hits", "--partitions", "2"]).await);
    let windowed = [b"d1".as_slice(), &1_700_000_000_000_i64.to_be_bytes()].concat();
    kafka.write("hits", &[(&windowed, Some(b"{\"N\":1}")), (&windowed, None)]).await;
    let shown = succeeded(&kafka.topics(&["tail", "hits", "--from-beginning", "--to-end"]).await);
    assert_eq!(
        shown,
        "Key format: HOPPING(KAFKA_STRING) or TUMBLING(KAFKA_STRING)\n\
         Value format: JSON or KAFKA_STRING\n\
         rowtime: 2023/11/14 22:13:20.000 Z, key: [d1@1700000000000/-], value: {\"N\":1}, partition: 0, offset: 0\n\
         rowtime: 2023/11/14 22:13:20.001 Z, key: [d1@1700000000000/-], value: <null>, partition: 0, offset: 1\n"
    );
    let one = ["tail", "hits", "--from-beginning", "--limit", "1", "--output", "json"];
    let line: Value = serde_json::from_str(&succeeded(&kafka.topics(&one).await)).unwrap();
    assert_eq!(line["value"]["N"], 1);
    assert_eq!(line["offset"], 0);
    let other = ["tail", "hits", "--from-beginning", "--to-end", "--partitions", "1"];
    assert_eq!(succeeded(&kafka.topics(&other).await), "");
    let none = failed(&kafka.topics(&["tail", "hits", "--partitions", "7"]).await);
    assert!(none.contains("no partition 7, it has 2"), "{none}");
}

#[tokio::test(flavor = "multi_thread")]
async fn records_with_schemas_are_shown_by_these() {
    let kafka = Kafka::start().await;
    let cluster = Cluster::new(ClientConfig::new(&kafka.broker.bootstrap()).unwrap()).unwrap();
    let registry = EmbeddedRegistry::start(&cluster, EmbeddedRegistryConfig::default()).await;
    let registry = registry.unwrap();
    let property = format!("ksql.schema.registry.url={}", registry.url());
    let (name, url) = property.split_once('=').unwrap();
    let config = RegistryConfig::from_properties(&[(name.to_owned(), url.to_owned())].into());
    let client = RegistryClient::new(config.unwrap().unwrap()).unwrap();
    let reading =
        "syntax = \"proto3\"; message Reading { string device = 1; map<string, double> axes = 2; }";
    let id = async |topic: &str, ty, text: &str| {
        let (subject, schema) = (Subject::of_values(topic), Schema::new(ty, text));
        client.register(&subject, &schema).await.unwrap().0.to_be_bytes()
    };
    let protobuf = id("readings", SchemaType::Protobuf, reading).await;
    let avro = id("counts", SchemaType::Avro, "\"long\"").await;
    let body = b"\x00\x0a\x02d1\x12\x0c\x0a\x01x\x11\0\0\0\0\0\0\xe0\x3f";
    let framed = |id: [u8; 4], body: &[u8]| [&[0], &id[..], body].concat();
    for (topic, value, format, shown) in [
        (
            "readings",
            framed(protobuf, body),
            "PROTOBUF",
            "device: \"d1\" axes { key: \"x\" value: 0.5 }",
        ),
        ("counts", framed(avro, &[14]), "AVRO", "7"),
    ] {
        succeeded(&kafka.topics(&["create", topic]).await);
        kafka.write(topic, &[(b"d1", Some(&value))]).await;
        let tail = ["tail", topic, "--from-beginning", "--to-end", "--property", &property];
        let told = succeeded(&kafka.topics(&tail).await);
        assert!(told.contains(&format!("Value format: {format}")), "{told}");
        assert!(told.contains(&format!("key: d1, value: {shown}, partition: 0")), "{told}");
        // Without the registry it can only be told that there is a schema.
        let told = succeeded(&kafka.topics(&tail[..4]).await);
        assert!(told.contains("Value format: AVRO, JSON_SR or PROTOBUF"), "{told}");
        assert!(told.contains("value: <schema "), "{told}");
    }
    registry.shutdown().await;
}
