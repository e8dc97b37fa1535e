//! The Kafka client against a broker: a real one where `KAFKA_BROKERS` names it, the embedded one otherwise.
//!
//! Each test makes topics and groups of its own, so that they can run side by side and again.
//! All share the broker and the helpers at the top, which is why they stand in one file.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use millstream::broker::{EmbeddedBroker, EmbeddedConfig, Fault, SaslPlain};
use millstream::kafka::admin::{Admin, ConfigEntry, ConfigResource, NewTopic, OffsetSpec};
use millstream::kafka::compression::Compression;
use millstream::kafka::config::{Isolation, OffsetReset, Sasl, SaslMechanism};
use millstream::kafka::fetch::Fetcher;
use millstream::kafka::group::{
    CommittedOffset, Consumer, GroupMetadata, GroupOffsets, Membership, MembershipOptions,
};
use millstream::kafka::produce::{NewRecord, Producer};
use millstream::kafka::records::{BatchBuilder, Headers, HeadersRef};
use millstream::kafka::{ClientConfig, Cluster, ErrorKind, KafkaError, TopicPartition};
use tokio::task::JoinHandle;

/// A broker to test against: the one that `KAFKA_BROKERS` names, or one within this process.
struct Broker {
    cluster: Cluster,
    embedded: Option<EmbeddedBroker>,
}

async fn broker() -> Broker {
    // With RUST_LOG=millstream=debug, a failing test says what the client saw.
    let filter = tracing_subscriber::EnvFilter::from_default_env();
    let _ = tracing_subscriber::fmt().with_env_filter(filter).with_test_writer().try_init();
    if let Ok(servers) = std::env::var("KAFKA_BROKERS") {
        return Broker { cluster: client(&servers), embedded: None };
    }
    let embedded = EmbeddedBroker::start(EmbeddedConfig::default()).await.unwrap();
    Broker { cluster: client(&embedded.bootstrap()), embedded: Some(embedded) }
}

fn client(servers: &str) -> Cluster {
    // Other properties, such as those of a login, come as name=value, one a line.
    let others = std::env::var("KAFKA_PROPERTIES").unwrap_or_default();
    let others = others.lines().filter_map(|line| line.split_once('='));
    let mut properties: BTreeMap<String, String> =
        others.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    properties.insert("bootstrap.servers".to_owned(), servers.to_owned());
    Cluster::new(ClientConfig::from_properties(&properties).unwrap()).unwrap()
}

fn unique(name: &str) -> String {
    format!(
        "{name}-{:016x}",
        std::hash::BuildHasher::hash_one(&std::hash::RandomState::new(), name)
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn topics_come_and_go() {
    let Broker { cluster, embedded: _embedded } = broker().await;
    let admin = Admin::new(&cluster);
    assert!(admin.cluster_id().await.unwrap().is_some());
    let name = unique("topics");
    let topic = NewTopic::new(&name, 3).with_config("cleanup.policy", "compact");
    admin.validate_topic(&topic).await.unwrap();
    assert_eq!(admin.describe_topic(&name).await.unwrap(), None);
    admin.create_topic(&topic).await.unwrap();
    let error = admin.create_topic(&topic).await.unwrap_err();
    assert!(error.to_string().contains("TOPIC_ALREADY_EXISTS"), "{error}");
    assert_eq!(cluster.topic(&name).await.unwrap().partitions.len(), 3);

    let resource = ConfigResource::Topic(name.clone());
    admin.alter_configs(&resource, &[("retention.ms", Some("5000"))]).await.unwrap();
    // A config takes a moment to reach every broker.
    let is_set = |entry: &ConfigEntry| {
        entry.name == "retention.ms" && entry.value.as_deref() == Some("5000")
    };
    let described = timeout(async {
        loop {
            let configs = admin.describe_configs(&resource).await.unwrap();
            if configs.iter().any(is_set) {
                return configs;
            }
        }
    });
    let configs = described.await;
    let config = |name: &str| configs.iter().find(|config| config.name == name).unwrap();
    assert_eq!(config("cleanup.policy").value.as_deref(), Some("compact"));
    assert_eq!(config("retention.ms").value.as_deref(), Some("5000"));
    assert!(config("segment.bytes").is_default && !config("retention.ms").is_default);
    let broker = *cluster.metadata().await.unwrap().brokers.keys().next().unwrap();
    assert!(!admin.describe_configs(&ConfigResource::Broker(broker)).await.unwrap().is_empty());

    assert!(admin.list_topics().await.unwrap().iter().any(|topic| *topic.name == *name));
    admin.delete_topic(&name).await.unwrap();
    let error = admin.delete_topic(&unique("nothing")).await.unwrap_err();
    assert!(error.to_string().contains("UNKNOWN_TOPIC_OR_PARTITION"), "{error}");
}

/// Everything that a fetcher brings until it has `count` records, as partition, offset and value.
async fn read(fetcher: &Fetcher, count: usize) -> Vec<(i32, i64, String)> {
    let mut records = Vec::new();
    while records.len() < count {
        let fetched = timeout(fetcher.poll(Duration::from_secs(5))).await.unwrap();
        for fetched in &fetched {
            for record in fetched.records() {
                let record = record.unwrap();
                let value = String::from_utf8_lossy(record.value.unwrap_or(b"-")).into_owned();
                records.push((fetched.partition.partition, record.offset, value));
            }
        }
    }
    records
}

/// Fails a test that hangs.
async fn timeout<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(40), future).await.expect("this should take a moment")
}

fn with(cluster: &Cluster, change: impl FnOnce(&mut ClientConfig)) -> Cluster {
    let mut config = cluster.config().clone();
    change(&mut config);
    Cluster::new(config).unwrap()
}

async fn topic(cluster: &Cluster, name: &str, partitions: i32) -> String {
    let name = unique(name);
    Admin::new(cluster).create_topic(&NewTopic::new(&name, partitions)).await.unwrap();
    name
}

fn from_start(topic: &str, partitions: i32) -> Vec<(TopicPartition, i64)> {
    (0..partitions).map(|partition| (TopicPartition::new(topic, partition), 0)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_written_is_read_with_every_codec() {
    let Broker { cluster, embedded: _embedded } = broker().await;
    for codec in Compression::ALL {
        let cluster = with(&cluster, |config| config.compression = codec);
        let topic = topic(&cluster, codec.name(), 1).await;
        let producer = Producer::new(&cluster);
        let headers: Headers =
            [(&b"h"[..], Some(&b"1"[..])), (b"h", None), (b"", Some(b""))].into_iter().collect();
        for index in 0..1000i64 {
            let value = format!("reading {index}").repeat(10);
            let record = NewRecord::new(index, Some(b"key"), Some(value.as_bytes()));
            producer
                .send(&topic, 0, NewRecord { headers: headers.as_ref(), ..record })
                .await
                .unwrap();
        }
        producer.send(&topic, 0, NewRecord::new(7, None, None)).await.unwrap();
        let last = producer
            .send_acknowledged(&topic, 0, NewRecord::new(8, None, Some(b"")))
            .await
            .unwrap();
        timeout(producer.flush()).await.unwrap();
        assert_eq!(last.await.unwrap().unwrap().offset, Some(1001));
        let fetcher = Fetcher::new(&cluster);
        fetcher.assign(from_start(&topic, 1));
        let mut found = Vec::new();
        while found.len() < 1002 {
            for fetched in timeout(fetcher.poll(Duration::from_secs(5))).await.unwrap() {
                assert_eq!(fetched.position, found.len() as i64);
                for record in fetched.records() {
                    let record = record.unwrap();
                    let headers: Vec<_> = record
                        .headers
                        .iter()
                        .map(|header| (header.key.to_vec(), header.value.map(<[u8]>::to_vec)))
                        .collect();
                    found.push((
                        record.timestamp,
                        record.key.map(<[u8]>::to_vec),
                        record.value.map(<[u8]>::to_vec),
                        headers,
                    ));
                }
            }
        }
        assert_eq!(found[999].0, 999);
        assert_eq!(found[5].2.as_deref(), Some("reading 5".repeat(10).as_bytes()));
        let expected = vec![
            (b"h".to_vec(), Some(b"1".to_vec())),
            (b"h".to_vec(), None),
            (vec![], Some(vec![])),
        ];
        assert_eq!(found[999].3, expected);
        assert_eq!(found[1000], (7, None, None, vec![]));
        assert_eq!(found[1001], (8, None, Some(vec![]), vec![]));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn many_partitions_are_read_at_once_and_in_order() {
    let Broker { cluster, embedded: _embedded } = broker().await;
    let topic = topic(&cluster, "many", 6).await;
    let producer = Producer::new(&cluster);
    for batch in 0..60 {
        let mut builder = BatchBuilder::new();
        for index in 0..500 {
            let value = format!("{batch}-{index}");
            builder.append(index, None, Some(value.as_bytes()), HeadersRef::EMPTY);
        }
        producer.send_batch(&topic, batch % 6, builder).await.unwrap();
    }
    timeout(producer.flush()).await.unwrap();
    // A small limit makes many fetches, none of which may be lost or come twice.
    let fetcher = Fetcher::with_options(&cluster, Isolation::ReadUncommitted, 20_000);
    fetcher.assign(from_start(&topic, 6));
    let records = read(&fetcher, 30_000).await;
    for partition in 0..6 {
        let offsets: Vec<_> =
            records.iter().filter(|record| record.0 == partition).map(|record| record.1).collect();
        assert_eq!(offsets, (0..5000).collect::<Vec<_>>());
    }
    let first = TopicPartition::new(topic.as_str(), 0);
    assert_eq!(fetcher.progress(&first).unwrap().high_watermark, 5000);
    fetcher.pause(fetcher.assignment().iter());
    fetcher.seek(&first, 4990);
    assert_eq!(fetcher.poll(Duration::from_millis(300)).await.unwrap(), []);
    fetcher.resume([&first]);
    assert_eq!(read(&fetcher, 10).await[0].1, 4990);
    fetcher.seek(&first, 9999);
    let error = timeout(fetcher.poll(Duration::from_secs(20))).await.unwrap_err();
    assert_eq!(error.to_string(), format!("{topic}-0 has no offset 9999"));
    fetcher.seek(&first, 4999);
    assert_eq!(read(&fetcher, 1).await[0].1, 4999);
}

#[tokio::test(flavor = "multi_thread")]
async fn offsets_are_looked_up_and_records_deleted() {
    let Broker { cluster, embedded: _embedded } = broker().await;
    let topic = topic(&cluster, "offsets", 2).await;
    let producer = Producer::new(&cluster);
    for timestamp in [1_000, 2_000, 3_000] {
        producer.send(&topic, 1, NewRecord::new(timestamp, None, Some(b"x"))).await.unwrap();
        timeout(producer.flush()).await.unwrap();
    }
    let admin = Admin::new(&cluster);
    let isolation = Isolation::ReadUncommitted;
    assert_eq!(admin.topic_offsets(&topic, OffsetSpec::Latest, isolation).await.unwrap(), [0, 3]);
    let partition = TopicPartition::new(topic.as_str(), 1);
    let at = async |timestamp| {
        let found =
            admin.list_offsets(&[(partition.clone(), OffsetSpec::At(timestamp))], isolation).await;
        found.unwrap()[&partition].offset
    };
    assert_eq!((at(1_500).await, at(9_999).await), (Some(1), None));
    admin.delete_records(&[(partition.clone(), 2)]).await.unwrap();
    assert_eq!(admin.topic_offsets(&topic, OffsetSpec::Earliest, isolation).await.unwrap(), [0, 2]);
    let fetcher = Fetcher::new(&cluster);
    fetcher.assign([(partition, 0)]);
    let error = timeout(fetcher.poll(Duration::from_secs(20))).await.unwrap_err();
    assert!(matches!(error, KafkaError::OffsetOutOfRange { offset: 0, .. }), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn large_records_arrive_and_too_large_ones_are_told() {
    let Broker { cluster, embedded: _embedded } = broker().await;
    let topic = topic(&cluster, "large", 1).await;
    let producer = Producer::new(&with(&cluster, |config| config.request_bytes_max = 4 << 20));
    let large = vec![7u8; 900_000];
    producer.send(&topic, 0, NewRecord::new(0, None, Some(&large))).await.unwrap();
    timeout(producer.flush()).await.unwrap();
    let fetcher = Fetcher::with_options(&cluster, Isolation::ReadUncommitted, 1_000);
    fetcher.assign(from_start(&topic, 1));
    let fetched = timeout(fetcher.poll(Duration::from_secs(20))).await.unwrap();
    assert_eq!(fetched[0].records().next().unwrap().unwrap().value, Some(&large[..]));

    let huge = vec![7u8; 5 << 20];
    let error = producer.send(&topic, 0, NewRecord::new(0, None, Some(&huge))).await.unwrap_err();
    assert!(matches!(&error, KafkaError::RecordTooLarge { limit_bytes: Some(_), .. }), "{error}");
    producer.send(&topic, 0, NewRecord::new(0, None, Some(&huge[..2 << 20]))).await.unwrap();
    producer.send(&topic, 0, NewRecord::new(0, None, Some(b"after"))).await.unwrap();
    let error = timeout(producer.flush()).await.unwrap_err();
    let KafkaError::Flush { count: 1, first, .. } = error else { panic!("{error}") };
    assert!(first.to_string().contains(&format!("too large for topic {topic}")), "{first}");
    assert_eq!(read(&fetcher, 1).await, [(0, 1, "after".to_owned())]);
}

#[tokio::test(flavor = "multi_thread")]
async fn transactions_count_together_or_not_at_all() {
    let Broker { cluster, embedded: _embedded } = broker().await;
    let (topic, id, group) =
        (topic(&cluster, "transactions", 2).await, unique("id"), unique("group"));
    let producer = Producer::transactional(&cluster, &id);
    timeout(producer.init_transactions()).await.unwrap();
    let input = TopicPartition::new(topic.as_str(), 1);
    for round in 0..6i64 {
        producer.begin_transaction().unwrap();
        for partition in 0..2 {
            let value = format!("round {round}");
            producer
                .send(&topic, partition, NewRecord::new(round, None, Some(value.as_bytes())))
                .await
                .unwrap();
        }
        let offsets = [(input.clone(), CommittedOffset { offset: round, metadata: "note".into() })];
        timeout(producer.send_offsets_to_transaction(&offsets, &GroupMetadata::outside(&group)))
            .await
            .unwrap();
        if round % 2 == 0 {
            timeout(producer.commit_transaction()).await.unwrap();
        } else {
            timeout(producer.flush()).await.unwrap();
            timeout(producer.abort_transaction()).await.unwrap();
        }
    }
    let committed = Fetcher::with_options(&cluster, Isolation::ReadCommitted, 1 << 20);
    committed.assign(from_start(&topic, 2));
    let mut values: Vec<_> =
        read(&committed, 6).await.into_iter().map(|record| (record.0, record.2)).collect();
    values.sort();
    let expected = [
        (0, "round 0"),
        (0, "round 2"),
        (0, "round 4"),
        (1, "round 0"),
        (1, "round 2"),
        (1, "round 4"),
    ];
    assert_eq!(values, expected.map(|(partition, value)| (partition, value.to_owned())));
    let all = Fetcher::new(&cluster);
    all.assign(from_start(&topic, 2));
    assert_eq!(read(&all, 12).await.len(), 12);
    let offsets = GroupOffsets::new(&cluster, &group).committed(None).await.unwrap();
    assert_eq!(offsets, [(input, CommittedOffset { offset: 4, metadata: "note".into() })].into());

    let newer = Producer::transactional(&cluster, &id);
    timeout(newer.init_transactions()).await.unwrap();
    producer.begin_transaction().unwrap();
    producer.send(&topic, 0, NewRecord::new(0, None, Some(b"stale"))).await.unwrap();
    let error = timeout(producer.commit_transaction()).await.unwrap_err();
    let fenced = KafkaError::ProducerFenced { transactional_id: id };
    assert!(error == fenced || error.to_string().contains("fenced"), "{error}");
    assert_eq!(producer.begin_transaction().unwrap_err(), fenced);
    newer.begin_transaction().unwrap();
    newer.send(&topic, 0, NewRecord::new(0, None, Some(b"fresh"))).await.unwrap();
    timeout(newer.commit_transaction()).await.unwrap();
    assert_eq!(read(&committed, 1).await[0].2, "fresh");
}

/// A consumer that is polled by a task of its own.
struct Running {
    seen: Arc<Seen>,
    task: JoinHandle<Consumer>,
}

#[derive(Default)]
struct Seen {
    read: AtomicUsize,
    assigned: AtomicUsize,
    is_ended: AtomicBool,
}

impl Running {
    fn start(mut consumer: Consumer) -> Self {
        let seen = Arc::new(Seen::default());
        let shared = seen.clone();
        let task = tokio::spawn(async move {
            while !shared.is_ended.load(Ordering::SeqCst) {
                for fetched in consumer.poll(Duration::from_millis(50)).await.unwrap() {
                    shared.read.fetch_add(fetched.records().count(), Ordering::SeqCst);
                }
                shared.assigned.store(consumer.assignment().len(), Ordering::SeqCst);
            }
            consumer
        });
        Self { seen, task }
    }

    async fn wait_for(&self, read: usize, assigned: usize) {
        let seen =
            || (self.seen.read.load(Ordering::SeqCst), self.seen.assigned.load(Ordering::SeqCst));
        timeout(async {
            while seen() != (read, assigned) {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        })
        .await;
    }

    async fn close(self) {
        self.seen.is_ended.store(true, Ordering::SeqCst);
        self.task.await.unwrap().close().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn consumers_share_partitions_and_take_over() {
    let Broker { cluster, embedded: _embedded } = broker().await;
    let cluster = with(&cluster, |config| {
        config.offset_reset = OffsetReset::Earliest;
        config.heartbeat_interval = Duration::from_millis(200);
        config.poll_interval_max = Duration::from_secs(20);
    });
    let (topic, group) = (topic(&cluster, "shared", 4).await, unique("group"));
    let producer = Producer::new(&cluster);
    let send = async |value: &str| {
        for partition in 0..4 {
            producer
                .send(&topic, partition, NewRecord::new(0, None, Some(value.as_bytes())))
                .await
                .unwrap();
        }
        timeout(producer.flush()).await.unwrap();
    };
    send("first").await;
    let new = || Running::start(Consumer::new(&cluster, &group, &[&topic]).unwrap());
    let one = new();
    one.wait_for(4, 4).await;
    let two = new();
    one.wait_for(4, 2).await;
    two.wait_for(0, 2).await;
    send("second").await;
    one.wait_for(6, 2).await;
    two.wait_for(2, 2).await;
    let description = Admin::new(&cluster).describe_group(&group).await.unwrap().unwrap();
    assert_eq!((description.state.as_str(), description.members.len()), ("Stable", 2));
    assert!(
        Admin::new(&cluster)
            .list_groups()
            .await
            .unwrap()
            .iter()
            .any(|listed| listed.group == group)
    );

    let options = MembershipOptions::new(&cluster, &group, vec![("other".into(), Bytes::new())]);
    let mut other = Membership::new(&cluster, options);
    let error = timeout(other.join(async |_| Ok(Vec::new()))).await.unwrap_err();
    assert!(error.to_string().contains("INCONSISTENT_GROUP_PROTOCOL"), "{error}");

    one.close().await;
    two.wait_for(2, 4).await;
    send("third").await;
    two.wait_for(6, 4).await;
    two.close().await;
    let committed = GroupOffsets::new(&cluster, &group).committed(None).await.unwrap();
    assert_eq!(
        committed.values().map(|committed| committed.offset).collect::<Vec<_>>(),
        [3, 3, 3, 3]
    );
    Admin::new(&cluster).delete_group(&group).await.unwrap();
    assert_eq!(Admin::new(&cluster).describe_group(&group).await.unwrap(), None);
}

/// Kafka's numbers of the requests that meet faults.
const PRODUCE: i16 = 0;
const FETCH: i16 = 1;
const METADATA: i16 = 3;
const COMMIT: i16 = 8;
const END_TRANSACTION: i16 = 26;

#[tokio::test(flavor = "multi_thread")]
async fn lost_requests_and_answers_lose_and_double_nothing() {
    // Only this one loses what it is told to lose.
    let embedded = EmbeddedBroker::start(EmbeddedConfig::default()).await.unwrap();
    let cluster = client(&embedded.bootstrap());
    let topic = topic(&cluster, "faults", 2).await;
    let faults = embedded.faults();
    for api in [METADATA, PRODUCE, FETCH, FETCH, PRODUCE, PRODUCE, FETCH] {
        faults.inject(api, Fault::DropRequest);
        faults.inject(api, Fault::DropAnswer);
    }
    let cluster = with(&cluster, |config| config.batch_bytes = 200);
    let producer = Producer::new(&cluster);
    for index in 0..2_000 {
        let value = index.to_string();
        producer
            .send(&topic, index % 2, NewRecord::new(0, None, Some(value.as_bytes())))
            .await
            .unwrap();
    }
    timeout(producer.flush()).await.unwrap();
    let fetcher = Fetcher::new(&cluster);
    fetcher.assign(from_start(&topic, 2));
    let records = read(&fetcher, 2_000).await;
    for partition in 0..2 {
        let values = records.iter().filter(|record| record.0 == partition);
        let values: Vec<i32> = values.map(|record| record.2.parse().unwrap()).collect();
        let expected: Vec<_> = (0..1_000).map(|index| index * 2 + partition).collect();
        assert_eq!(values, expected);
    }
    assert_eq!(fetcher.poll(Duration::from_millis(100)).await.unwrap(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_survives_lost_answers() {
    // Only this one loses what it is told to lose.
    let embedded = EmbeddedBroker::start(EmbeddedConfig::default()).await.unwrap();
    let cluster = client(&embedded.bootstrap());
    let topic = topic(&cluster, "faults", 1).await;
    let producer = Producer::transactional(&cluster, &unique("id"));
    timeout(producer.init_transactions()).await.unwrap();
    for round in 0..3 {
        for api in [PRODUCE, END_TRANSACTION, COMMIT] {
            embedded.faults().inject(api, Fault::DropAnswer);
        }
        producer.begin_transaction().unwrap();
        let value = round.to_string();
        producer.send(&topic, 0, NewRecord::new(0, None, Some(value.as_bytes()))).await.unwrap();
        timeout(producer.commit_transaction()).await.unwrap();
        GroupOffsets::new(&cluster, "group")
            .commit(&[(TopicPartition::new(topic.as_str(), 0), CommittedOffset::new(round))])
            .await
            .unwrap();
    }
    let fetcher = Fetcher::with_options(&cluster, Isolation::ReadCommitted, 1 << 20);
    fetcher.assign(from_start(&topic, 1));
    let values: Vec<_> = read(&fetcher, 3).await.into_iter().map(|record| record.2).collect();
    assert_eq!(values, ["0", "1", "2"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn patience_ends_with_what_was_wrong() {
    let cluster = client("127.0.0.1:1").with_patience(Duration::from_millis(300));
    let error = timeout(Admin::new(&cluster).list_topics()).await.unwrap_err();
    assert!(error.to_string().starts_with("cannot connect to Kafka at 127.0.0.1:1: "), "{error}");
    assert!(error.is_retriable());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_is_told_at_once() {
    let (username, password) = ("alice".to_owned(), "secret".to_owned());
    let sasl = SaslPlain { username: username.clone(), password: password.clone() };
    let config = EmbeddedConfig { sasl: Some(sasl), ..EmbeddedConfig::default() };
    let broker = EmbeddedBroker::start(config).await.unwrap();
    let with_password = |password: &str| {
        with(&client(&broker.bootstrap()), |config| {
            let (username, password) = (username.clone(), password.to_owned());
            config.sasl = Some(Sasl { mechanism: SaslMechanism::Plain, username, password });
        })
    };
    timeout(Admin::new(&with_password(&password)).list_topics()).await.unwrap();
    let error = timeout(Admin::new(&with_password("other")).list_topics()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Authentication, "{error}");
}
