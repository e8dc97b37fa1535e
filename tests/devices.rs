//! The device application against a broker: the one that `KAFKA_BROKERS` names, or else the embedded one.

use std::{
    collections::BTreeMap,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use millstream::{
    devices::{Pace, PartitionTable, ProduceOptions, ReadingFormat, Readings, produce},
    kafka::embedded::{EmbeddedBroker, EmbeddedConfig},
};
use rskafka::client::{ClientBuilder, partition::UnknownTopicHandling};

const PACE: Pace = Pace { start_ms: 1_700_000_000_000, interval_us: 1_000 };

/// A broker, and its addresses; it lives as long as this does.
struct Kafka {
    addresses: Vec<String>,
    _embedded: Option<EmbeddedBroker>,
}

impl Kafka {
    async fn start() -> Self {
        if let Ok(addresses) = std::env::var("KAFKA_BROKERS") {
            return Self {
                addresses: addresses.split(',').map(str::to_owned).collect(),
                _embedded: None,
            };
        }
        let broker = EmbeddedBroker::start(EmbeddedConfig::default()).await.unwrap();
        Self { addresses: vec![broker.bootstrap()], _embedded: Some(broker) }
    }
}

/// A name that no earlier run of the tests has used.
#[expect(clippy::disallowed_methods, reason = "a test's topic is named after the time")]
fn fresh(name: &str) -> String {
    format!("{name}-{}", SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos())
}

fn options(brokers: &[String], topic: &str, format: ReadingFormat, count: u64) -> ProduceOptions {
    ProduceOptions {
        brokers: brokers.to_vec(),
        topic: topic.to_owned(),
        format,
        table: PartitionTable::default(),
        rate: None,
        count: Some(count),
        retry_for: Duration::from_secs(20),
        clock: None,
    }
}

/// The values and timestamps of a topic, by partition.
async fn read(
    brokers: &[String],
    topic: &str,
    partitions: i32,
) -> BTreeMap<i32, Vec<(Vec<u8>, i64)>> {
    let client = ClientBuilder::new(brokers.to_vec()).build().await.unwrap();
    let mut found = BTreeMap::new();
    for partition in 0..partitions {
        let reader =
            client.partition_client(topic, partition, UnknownTopicHandling::Retry).await.unwrap();
        let mut records: Vec<(Vec<u8>, i64)> = Vec::new();
        loop {
            let at = records.len() as i64;
            let (fetched, end) = reader.fetch_records(at, 1..1_000_000, 1_000).await.unwrap();
            for record in fetched {
                assert_eq!(record.record.key, None);
                records.push((
                    record.record.value.unwrap(),
                    record.record.timestamp.timestamp_millis(),
                ));
            }
            if records.len() as i64 >= end {
                break;
            }
        }
        found.insert(partition, records);
    }
    found
}

#[tokio::test]
async fn the_same_seed_writes_the_same_bytes_to_the_same_partitions() {
    let kafka = Kafka::start().await;
    let brokers = &kafka.addresses;
    for format in [ReadingFormat::Json, ReadingFormat::Protobuf] {
        let topic = fresh("readings");
        let written = options(brokers, &topic, format, 12_000);
        let summary =
            produce(Readings::new(5, 3, PACE), written, std::future::pending()).await.unwrap();
        assert_eq!(summary.readings(), 12_000);

        let mut expected: BTreeMap<i32, Vec<(Vec<u8>, i64)>> = BTreeMap::new();
        for reading in Readings::new(5, 3, PACE).take(12_000) {
            let partition = PartitionTable::default().partition(&reading.model, 3);
            let bytes = format.encode(&reading).unwrap();
            expected.entry(partition).or_default().push((bytes, reading.arrival_ms));
        }
        for (partition, written) in &summary.partitions {
            assert_eq!(written.readings as usize, expected[partition].len());
            assert_eq!(
                (written.first_offset, written.last_offset + 1),
                (0, written.readings as i64)
            );
        }
        assert_eq!(read(brokers, &topic, 3).await, expected);
    }
}

#[tokio::test]
async fn a_topic_that_exists_is_taken_as_it_is() {
    let kafka = Kafka::start().await;
    let brokers = &kafka.addresses;
    let topic = fresh("readings");
    let client = ClientBuilder::new(brokers.to_vec()).build().await.unwrap();
    client.controller_client().unwrap().create_topic(&topic, 2, 1, 10_000).await.unwrap();
    for _ in 0..2 {
        let written = options(brokers, &topic, ReadingFormat::Json, 300);
        produce(Readings::new(5, 3, PACE), written, std::future::pending()).await.unwrap();
    }
    let records = read(brokers, &topic, 2).await;
    assert_eq!(records.values().map(Vec::len).sum::<usize>(), 600);
    let models = |partition: i32, model: &str| {
        records[&partition]
            .iter()
            .any(|(value, _)| String::from_utf8_lossy(value).contains(&format!("\"{model}_")))
    };
    assert!(
        models(0, "nexus4") && models(0, "pixel6") && models(1, "iphone12") && !models(1, "pixel6")
    );
}

#[tokio::test]
async fn stopping_keeps_what_was_acknowledged() {
    let kafka = Kafka::start().await;
    let brokers = &kafka.addresses;
    let topic = fresh("readings");
    let endless = ProduceOptions {
        count: None,
        rate: Some(1_000.0),
        ..options(brokers, &topic, ReadingFormat::Json, 0)
    };
    let stop = async {
        // Until the topic has readings: then the producer is in its stride.
        while read_any(brokers, &topic).await == 0 {
            tokio::task::yield_now().await;
        }
    };
    let summary = produce(Readings::new(5, 3, PACE), endless, stop).await.unwrap();
    assert!(summary.readings() > 0);
    let records = read(brokers, &topic, 3).await;
    assert_eq!(records.values().map(Vec::len).sum::<usize>() as u64, summary.readings());
}

/// The end offset of the topic's last partition, once there is a topic.
async fn read_any(brokers: &[String], topic: &str) -> i64 {
    let client = ClientBuilder::new(brokers.to_vec()).build().await.unwrap();
    if !client.list_topics().await.unwrap().iter().any(|found| found.name == topic) {
        return 0;
    }
    let reader = client.partition_client(topic, 2, UnknownTopicHandling::Retry).await.unwrap();
    reader.get_offset(rskafka::client::partition::OffsetAt::Latest).await.unwrap()
}
