//! A panic is a fault of ours: it costs its record, or its query, and nobody else.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use millstream::broker::EmbeddedConfig;
use millstream::engine::{Properties, Services, headless};
use millstream::expr::RandomSource;
use millstream::runtime::RawRecords;
use millstream::runtime::live::{Instance, InstanceOptions, Probe, QueryState, QueryStatus};
use serde_json::{Value, json};

use crate::support::World;

/// How often something is looked for, and how many times before it counts as a hang.
const LOOK_EVERY: Duration = Duration::from_millis(20);
const LOOKS: u32 = 3_000;

/// Makes parts of an instance fail.
#[derive(Debug, Default)]
struct Faulty {
    /// A worker ends as soon as it can.
    ends_a_worker: AtomicBool,
    /// No record of a changelog can be taken back.
    restores_nothing: AtomicBool,
}

/// Records with this in their values cannot be decoded.
const UNREADABLE: &[u8] = b"unreadable";

impl Probe for Faulty {
    fn random(&self) -> Box<dyn RandomSource + Send> {
        Box::new(Unlucky)
    }

    fn turn(&self) {
        assert!(!self.ends_a_worker.swap(false, Relaxed), "the worker ends");
    }

    fn decode(&self, records: &RawRecords<'_>) {
        let is_unreadable =
            |value: &&[u8]| value.windows(UNREADABLE.len()).any(|bytes| bytes == UNREADABLE);
        assert!(!records.values.iter().flatten().any(is_unreadable), "the decoder gives up");
    }

    fn restore(&self, _topic: &str) {
        assert!(!self.restores_nothing.load(Relaxed), "nothing is taken back");
    }
}

/// Whoever asks for random bits is out of luck.
#[derive(Debug)]
struct Unlucky;

impl RandomSource for Unlucky {
    fn next_u64(&self) -> u64 {
        panic!("out of luck")
    }
}

/// An instance some parts of which fail.
pub(crate) struct Panics {
    pub(crate) world: World,
    faulty: Arc<Faulty>,
    pub(crate) instance: Instance,
}

impl Panics {
    /// Starts queries over the topic `in` with one partition; `{name}` stands for the world's own.
    pub(crate) async fn start(name: &str, sql: &str, records: &[Value]) -> Self {
        Self::start_with(name, sql, records, &[]).await
    }

    /// The same, with further properties.
    pub(crate) async fn start_with(
        name: &str,
        sql: &str,
        records: &[Value],
        properties: &[(&str, &str)],
    ) -> Self {
        let world = World::embedded(name, EmbeddedConfig::default()).await;
        world.create(&world.topic("in"), 1).await;
        let faulty = Arc::new(Faulty::default());
        let probe = Arc::clone(&faulty) as Arc<dyn Probe>;
        let options = InstanceOptions {
            stop_within: Duration::from_secs(1),
            id: 1,
            workers: 2,
            registry: None,
            skipped_bytes_max: InstanceOptions::SKIPPED_BYTES_MAX,
            url: None,
        };
        let instance = Instance::with_probe(&world.cluster, options, probe).unwrap();
        let panics = Self { world, faulty, instance };
        panics.send(records).await;
        panics.start_queries(sql, properties).await;
        panics
    }

    pub(crate) async fn start_queries(&self, sql: &str, more: &[(&str, &str)]) {
        let log = format!("{}-log", self.world.name);
        let properties = [
            ("ksql.service.id", self.world.name.as_str()),
            ("auto.offset.reset", "earliest"),
            ("commit.interval.ms", "100"),
            ("ksql.query.retry.backoff.initial.ms", "100"),
            ("ksql.logging.processing.topic.auto.create", "true"),
            ("ksql.logging.processing.topic.name", &log),
        ];
        let properties = properties.iter().chain(more);
        let properties = properties.map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let properties = Properties::new(properties);
        let sql = sql.replace("{name}", &self.world.name);
        let services = Services::of(&self.world.cluster);
        for spec in headless::prepare(&services, &sql, &properties, &[]).await.unwrap() {
            self.instance.start_query(spec).unwrap();
        }
    }

    /// Writes records to the topic by their devices, in one batch.
    pub(crate) async fn send(&self, records: &[Value]) {
        use millstream::kafka::produce::{NewRecord, Producer};
        let producer = Producer::new(&self.world.cluster);
        let bytes = |record: &Value| {
            let key = record["DEVICE"].as_str().unwrap().as_bytes().to_vec();
            (key, record.to_string().into_bytes())
        };
        let bytes: Vec<_> = records.iter().map(bytes).collect();
        let new = |(key, value)| (0, NewRecord::new(1_700_000_000_000, Some(key), Some(value)));
        let batch: Vec<_> =
            bytes.iter().map(|(key, value)| new((key.as_slice(), value.as_slice()))).collect();
        producer.send_all(&self.world.topic("in"), &batch).await.unwrap();
        producer.flush().await.unwrap();
    }

    pub(crate) fn status(&self, id: &str) -> QueryStatus {
        let status = self.instance.status();
        status.queries.into_iter().find(|query| query.id == id).unwrap()
    }

    pub(crate) async fn wait_until(&self, what: &str, mut holds: impl AsyncFnMut() -> bool) {
        for _ in 0..LOOKS {
            if holds().await {
                return;
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
        panic!("{what} does not come: {:?}", self.instance.status());
    }

    /// Waits until a query has committed all that was sent.
    pub(crate) async fn wait_for_level(&self, id: &str) {
        let topic = self.world.topic("in");
        self.wait_until(id, async || self.world.lag(id, &topic).await == 0).await;
    }

    /// Waits until a query has failed for good, and says why.
    pub(crate) async fn cause_of(&self, id: &str) -> String {
        self.wait_until(id, async || self.status(id).state == QueryState::Failed).await;
        self.status(id).cause.unwrap()
    }

    /// The values of a topic, in order.
    pub(crate) async fn values(&self, topic: &str) -> Vec<Value> {
        let records = self.world.read(&self.world.topic(topic)).await;
        let values = records.into_iter().filter_map(|(_, value)| value);
        values.map(|value| serde_json::from_slice(&value).unwrap()).collect()
    }

    /// The last value of each key of a topic, by key.
    pub(crate) async fn last_values(&self, topic: &str) -> Vec<(String, Value)> {
        let records = self.world.read(&self.world.topic(topic)).await;
        let mut last = std::collections::BTreeMap::new();
        for (key, value) in records {
            let key = key.unwrap().escape_ascii().to_string();
            match value {
                Some(value) => last.insert(key, serde_json::from_slice(&value).unwrap()),
                None => last.remove(&key),
            };
        }
        last.into_iter().collect()
    }
}

pub(crate) const READINGS: &str = "CREATE STREAM readings (id BIGINT, device VARCHAR)
    WITH (KAFKA_TOPIC='{name}-in', VALUE_FORMAT='JSON');";

/// A query that has nothing to do with panics.
pub(crate) const NEIGHBOUR: &str =
    "CREATE STREAM neighbour WITH (KAFKA_TOPIC='{name}-neighbour') AS
    SELECT id FROM readings EMIT CHANGES;";

/// A query with state.
const COUNTS: &str = "CREATE TABLE counts WITH (KAFKA_TOPIC='{name}-counts') AS
    SELECT device, COUNT(*) AS n FROM readings GROUP BY device EMIT CHANGES;";

pub(crate) fn readings(ids: impl IntoIterator<Item = i64>) -> Vec<Value> {
    let reading = |id| json!({ "ID": id, "DEVICE": format!("d{}", id % 3) });
    ids.into_iter().map(reading).collect()
}

pub(crate) fn ids(values: &[Value]) -> Vec<i64> {
    values.iter().map(|value| value["ID"].as_i64().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn law_5_a_panic_while_state_is_restored_fails_its_query_and_no_other() {
    let sql = format!("{READINGS} {NEIGHBOUR} {COUNTS}");
    let panics = Panics::start("unrestored", &sql, &readings(0..9)).await;
    panics.wait_for_level("CTAS_COUNTS_1").await;
    panics.instance.stop_query("CTAS_COUNTS_1").await.unwrap();
    panics.instance.stop_query("CSAS_NEIGHBOUR_0").await.unwrap();
    panics.faulty.restores_nothing.store(true, Relaxed);
    panics.start_queries(&sql, &[]).await;
    let cause = panics.cause_of("CTAS_COUNTS_1").await;
    assert!(cause.contains("nothing is taken back"), "{cause}");
    panics.send(&readings(9..20)).await;
    panics.wait_for_level("CSAS_NEIGHBOUR_0").await;
    assert_eq!(ids(&panics.values("neighbour").await), (0..20).collect::<Vec<_>>());
    panics.instance.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn queries_of_a_worker_that_ends_start_again_and_nothing_is_lost() {
    let sql = format!("{READINGS} {NEIGHBOUR} {COUNTS}");
    let panics = Panics::start("worker", &sql, &readings(0..9)).await;
    for round in 1..=5 {
        panics.wait_for_level("CTAS_COUNTS_1").await;
        panics.wait_for_level("CSAS_NEIGHBOUR_0").await;
        panics.faulty.ends_a_worker.store(true, Relaxed);
        panics.send(&readings(9 * round..9 * round + 9)).await;
        let has_ended = async || !panics.faulty.ends_a_worker.load(Relaxed);
        panics.wait_until("the end of a worker", has_ended).await;
    }
    panics.wait_for_level("CTAS_COUNTS_1").await;
    panics.wait_for_level("CSAS_NEIGHBOUR_0").await;
    let counts = panics.last_values("counts").await;
    let expected = ["d0", "d1", "d2"].map(|device| (device.to_owned(), json!({ "N": 18 })));
    assert_eq!(counts, expected);
    let mut neighbour = ids(&panics.values("neighbour").await);
    neighbour.sort_unstable();
    neighbour.dedup();
    assert_eq!(neighbour, (0..54).collect::<Vec<_>>());
    // A stop still ends it: every thread listens.
    let status = panics.instance.stop().await;
    assert!(status.queries.iter().all(|query| query.cause.is_none()), "{status:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn law_5_a_record_that_panics_while_it_is_decoded_is_skipped_by_all_who_read_it() {
    let sql = format!("{READINGS} {NEIGHBOUR} {COUNTS}");
    let mut records = readings(0..9);
    records[7]["DEVICE"] = json!("unreadable");
    let panics = Panics::start("decoder", &sql, &records).await;
    panics.wait_for_level("CTAS_COUNTS_1").await;
    panics.wait_for_level("CSAS_NEIGHBOUR_0").await;
    assert_eq!(ids(&panics.values("neighbour").await), [0, 1, 2, 3, 4, 5, 6, 8]);
    let counts = panics.last_values("counts").await;
    let expected = [("d0", 3), ("d1", 2), ("d2", 3)];
    assert_eq!(counts, expected.map(|(device, n)| (device.to_owned(), json!({ "N": n }))));
    for query in ["CTAS_COUNTS_1", "CSAS_NEIGHBOUR_0"] {
        let skipped = panics.status(query).skipped.to_string();
        assert_eq!(skipped, "1 skipped (1 whose processing ends with a panic)", "{query}");
    }
    let log = panics.values("log").await;
    let logged = |entry: &&Value| {
        let message = entry["message"].to_string();
        message.contains("partition 0, offset 7") && message.contains("the decoder gives up")
    };
    assert_eq!(log.iter().filter(logged).count(), 2, "{log:?}");
    panics.instance.stop().await;
}
