//! The device application against a broker: the one that `KAFKA_BROKERS` names, or else the embedded one.
#![expect(clippy::unwrap_used, reason = "a test that panics has failed")]

use std::{
    collections::BTreeMap,
    io::{self, Write},
    sync::{Arc, Mutex},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use millstream::{
    broker::{EmbeddedBroker, EmbeddedConfig},
    devices::{
        ConsumeOptions, ConsumeSummary, DeviceError, From, Monitor, OnInvalid, Pace,
        PartitionTable, ProduceOptions, ReadingFormat, ReadingSource, Readings, Spelling, View,
        consume, produce,
    },
    kafka::ClientConfig,
};
use rskafka::client::{ClientBuilder, partition::UnknownTopicHandling};
use serde_json::Value;
use tokio::sync::Notify;

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

/// Readings of a seed, with times of their own.
fn invented(seed: u64) -> ReadingSource {
    ReadingSource::Invented(Box::new(Readings::new(seed, 3, PACE)), None)
}

fn options(brokers: &[String], topic: &str, format: ReadingFormat, count: u64) -> ProduceOptions {
    ProduceOptions {
        kafka: ClientConfig::new(&brokers.join(",")).unwrap(),
        topic: topic.to_owned(),
        spelling: Spelling::Plain(format),
        table: PartitionTable::default(),
        rate: None,
        count: Some(count),
        retry_for: Duration::from_secs(20),
        on_invalid: OnInvalid::Skip,
        rejected: None,
        shows_progress: false,
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
        let summary = produce(invented(5), written, std::future::pending()).await.unwrap();
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
    let client = ClientBuilder::new(brokers.clone()).build().await.unwrap();
    client.controller_client().unwrap().create_topic(&topic, 2, 1, 10_000).await.unwrap();
    for _ in 0..2 {
        let written = options(brokers, &topic, ReadingFormat::Json, 300);
        produce(invented(5), written, std::future::pending()).await.unwrap();
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
    let summary = Box::pin(produce(invented(5), endless, stop)).await.unwrap();
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

/// An output that tests can wait for.
#[derive(Clone, Default)]
struct Output {
    bytes: Arc<Mutex<Vec<u8>>>,
    written: Arc<Notify>,
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.bytes.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.written.notify_one();
        Ok(())
    }
}

impl Output {
    /// The last line of each device.
    fn devices(&self) -> BTreeMap<String, Value> {
        let text = String::from_utf8(self.bytes.lock().unwrap().clone()).unwrap();
        let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        lines.map(|line| (line["device"].as_str().unwrap().to_owned(), line)).collect()
    }

    /// Resolves once the devices have had so many readings together.
    async fn readings(&self, count: u64) {
        while self.devices().values().map(|line| line["total"].as_u64().unwrap()).sum::<u64>()
            < count
        {
            self.written.notified().await;
        }
    }

    /// Watches until so many readings have come.
    async fn watch(&self, options: ConsumeOptions, count: u64) -> ConsumeSummary {
        consume(options, View::Lines(self.clone()), self.readings(count)).await.unwrap()
    }
}

#[expect(clippy::disallowed_methods, reason = "a test hands in the clock that the command would")]
fn now_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as i64
}

fn watching(brokers: &[String], topic: &str, format: ReadingFormat) -> ConsumeOptions {
    ConsumeOptions {
        kafka: ClientConfig::new(&brokers.join(",")).unwrap(),
        topic: topic.to_owned(),
        spelling: Spelling::Plain(format),
        group: format!("watching-{topic}"),
        from: From::Earliest,
        interval: Duration::from_millis(50),
        retry_for: Duration::from_secs(20),
        clock: Arc::new(now_ms),
    }
}

#[tokio::test]
async fn a_monitor_shows_each_device_and_its_group_goes_on_where_it_stopped() {
    let kafka = Kafka::start().await;
    let brokers = &kafka.addresses;
    for format in [ReadingFormat::Json, ReadingFormat::Protobuf] {
        let topic = fresh("readings");
        let written = options(brokers, &topic, format, 3_000);
        let produced = produce(invented(5), written, std::future::pending()).await.unwrap();

        let output = Output::default();
        let summary = output.watch(watching(brokers, &topic, format), 3_000).await;
        assert_eq!((summary.readings, summary.faulty, summary.devices), (3_000, 0, 12));
        let ends: BTreeMap<i32, i64> = produced
            .partitions
            .iter()
            .map(|(partition, written)| (*partition, written.last_offset + 1))
            .collect();
        assert_eq!(summary.next_offsets, ends);

        let mut expected = Monitor::default();
        for reading in Readings::new(5, 3, PACE).take(3_000) {
            expected.add(PartitionTable::default().partition(&reading.model, 3), &reading);
        }
        for report in expected.reports() {
            assert_eq!(output.devices()[&report.device], serde_json::to_value(&report).unwrap());
        }

        let more = options(brokers, &topic, format, 100);
        produce(invented(6), more, std::future::pending()).await.unwrap();
        let summary = Output::default().watch(watching(brokers, &topic, format), 100).await;
        assert_eq!(summary.readings, 100, "the offsets were committed");
    }
}

#[tokio::test]
async fn instances_of_a_group_share_the_partitions() {
    let kafka = Kafka::start().await;
    let brokers = &kafka.addresses;
    let topic = fresh("readings");
    produce(
        invented(5),
        options(brokers, &topic, ReadingFormat::Json, 600),
        std::future::pending(),
    )
    .await
    .unwrap();
    let endless = ProduceOptions {
        count: None,
        rate: Some(2_000.0),
        ..options(brokers, &topic, ReadingFormat::Json, 0)
    };
    let (first, second) = (Output::default(), Output::default());
    let shared = async {
        // Until the second has a partition, and the first, having lost it, has not told of it for a while.
        second.readings(1).await;
        first.bytes.lock().unwrap().clear();
        first.readings(1_000).await;
    };
    let watching = watching(brokers, &topic, ReadingFormat::Json);
    let both = async {
        let stopped = Notify::new();
        let one = consume(watching.clone(), View::Lines(first.clone()), stopped.notified());
        let other = async {
            first.readings(600).await;
            consume(watching.clone(), View::Lines(second.clone()), async {
                shared.await;
                stopped.notify_one();
            })
            .await
        };
        tokio::join!(one, other)
    };
    let finished = Notify::new();
    let (written, (one, other)) =
        tokio::join!(produce(invented(7), endless, finished.notified()), async {
            let both = Box::pin(both).await;
            finished.notify_one();
            both
        });
    let (one, other) = (one.unwrap(), other.unwrap());
    assert!(written.unwrap().readings() > 0 && one.readings > 600 && other.readings > 0);
    let partition_sets = [&first, &second].map(|output| {
        output
            .devices()
            .values()
            .map(|line| line["partition"].as_i64().unwrap())
            .collect::<std::collections::BTreeSet<_>>()
    });
    assert!(!partition_sets[1].is_empty() && partition_sets[1].len() < 3, "{partition_sets:?}");
}

#[tokio::test]
async fn what_is_no_reading_is_counted_and_left_out() {
    let kafka = Kafka::start().await;
    let brokers = &kafka.addresses;
    let topic = fresh("readings");
    produce(
        invented(5),
        options(brokers, &topic, ReadingFormat::Protobuf, 50),
        std::future::pending(),
    )
    .await
    .unwrap();
    produce(invented(5), options(brokers, &topic, ReadingFormat::Json, 50), std::future::pending())
        .await
        .unwrap();
    let summary = Output::default().watch(watching(brokers, &topic, ReadingFormat::Json), 50).await;
    assert_eq!((summary.readings, summary.faulty), (50, 50));
}

#[tokio::test]
async fn a_topic_that_does_not_exist_is_named() {
    let kafka = Kafka::start().await;
    let watching = watching(&kafka.addresses, &fresh("nothing"), ReadingFormat::Json);
    let result = consume(watching.clone(), View::Lines(Vec::new()), std::future::pending()).await;
    assert!(matches!(result, Err(DeviceError::UnknownTopic(topic)) if topic == watching.topic));
}
