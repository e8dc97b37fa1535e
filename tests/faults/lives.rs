//! Each query has a life of its own: it starts and stops alone, and what it waits for delays no other.

use std::collections::BTreeMap;
use std::time::Duration;

use millstream::broker::{EmbeddedConfig, ProduceFault};
use millstream::engine::{Properties, Services, headless};
use millstream::kafka::ResponseError;
use millstream::runtime::live::{Instance, InstanceOptions, QuerySpec, QueryState};

use crate::restarts::{ALERTS, COUNTS, Truth, statements};
use crate::support::{PARTITIONS, World};

/// How often something is looked for, and how many times before it counts as a hang.
const LOOK_EVERY: Duration = Duration::from_millis(20);
const LOOKS: u32 = 3_000;

/// A world on the embedded broker with an instance that runs nothing yet.
pub(crate) struct Lives {
    pub(crate) world: World,
    truth: Truth,
    pub(crate) instance: Instance,
    specs: Vec<QuerySpec>,
}

impl Lives {
    async fn start(name: &str) -> Self {
        Self::of(name, statements, &[]).await
    }

    /// The same with other statements, and these properties besides.
    pub(crate) async fn of(
        name: &str,
        statements: impl Fn(&World) -> String,
        besides: &[(&str, &str)],
    ) -> Self {
        let world = World::embedded(name, EmbeddedConfig::default()).await;
        world.create(&world.topic("in"), PARTITIONS).await;
        let properties = [
            ("ksql.service.id", world.name.as_str()),
            ("auto.offset.reset", "earliest"),
            ("commit.interval.ms", "100"),
            ("cache.max.bytes.buffering", "100000000"),
        ];
        let all = properties.iter().chain(besides);
        let properties =
            Properties::new(all.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let text = statements(&world);
        let specs = headless::prepare(&Services::of(&world.cluster), &text, &properties, &[])
            .await
            .unwrap();
        let options = InstanceOptions {
            stop_within: Duration::from_secs(1),
            id: 1,
            workers: 2,
            registry: None,
            skipped_bytes_max: InstanceOptions::SKIPPED_BYTES_MAX,
            url: None,
        };
        let instance = Instance::new(&world.cluster, options).unwrap();
        Self { world, truth: Truth::default(), instance, specs }
    }

    pub(crate) fn start_query(&self, id: &str) {
        let spec = self.specs.iter().find(|spec| spec.id == id).unwrap();
        self.instance.start_query(spec.clone()).unwrap();
    }

    async fn send(&mut self, count: i64) {
        self.truth.send(&self.world, count).await;
    }

    /// Waits until a query has committed all that was sent.
    pub(crate) async fn wait_for_level(&self, id: &str) {
        for _ in 0..LOOKS {
            if self.world.lag(id, &self.world.topic("in")).await == 0 {
                return;
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
        panic!("{id} does not come level: {:?}", self.instance.status());
    }

    /// How many records a query has processed.
    pub(crate) fn records(&self, id: &str) -> u64 {
        let status = self.instance.status();
        status.queries.iter().find(|query| query.id == id).map_or(0, |query| query.records)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sink_that_is_never_answered_delays_no_other_query() {
    let mut lives = Lives::start("apart").await;
    let faults = lives.world.embedded.as_ref().unwrap().faults();
    let (slow, topic) = (lives.world.topic("alerts"), lives.world.topic("in"));
    faults.on_produce(&slow, None, ProduceFault::Never);
    lives.start_query(ALERTS);
    lives.start_query(COUNTS);
    for _ in 0..5 {
        lives.send(200).await;
        lives.wait_for_level(COUNTS).await;
    }
    assert_eq!(lives.records(COUNTS), 1_000);
    assert_eq!(lives.world.lag(ALERTS, &topic).await, 1_000);
    // It is given up when it is stopped, as nobody answers; the other one does not even notice.
    lives.instance.stop_query(ALERTS).await.unwrap();
    lives.send(200).await;
    lives.wait_for_level(COUNTS).await;
    // Once its topic answers again, it begins where it has committed.
    faults.lift(&slow);
    lives.start_query(ALERTS);
    lives.wait_for_level(ALERTS).await;
    let states = lives.instance.status().queries.into_iter().map(|query| query.state);
    assert_eq!(states.collect::<Vec<_>>(), [QueryState::Running, QueryState::Running]);
    lives.instance.stop().await;
    lives.truth.is_exact(&lives.world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn law_4_no_changelog_is_written_before_its_results_are() {
    let mut lives = Lives::start("in-turn").await;
    let faults = lives.world.embedded.as_ref().unwrap().faults();
    let (sink, topic) = (lives.world.topic("counts"), lives.world.topic("in"));
    let refused = ProduceFault::Refused(ResponseError::NotEnoughReplicas);
    faults.on_produce(&sink, None, refused);
    lives.start_query(COUNTS);
    lives.send(200).await;
    while lives.records(COUNTS) < 200 {
        tokio::time::sleep(LOOK_EVERY).await;
    }
    // Many times as long as a commit takes.
    tokio::time::sleep(Duration::from_secs(2)).await;
    let group = lives.world.group(COUNTS);
    let changelog = format!("{group}-Aggregate-Aggregate-Materialize-changelog");
    assert_eq!(lives.world.read(&changelog).await.len(), 0);
    assert_eq!(lives.world.lag(COUNTS, &topic).await, 200);
    faults.lift(&sink);
    lives.wait_for_level(COUNTS).await;
    let (written, kept) = (lives.world.read(&sink).await, lives.world.read(&changelog).await);
    assert!(!kept.is_empty() && kept.len() == written.len(), "{} kept", kept.len());
    lives.instance.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn law_7_what_came_last_is_known_after_a_restart() {
    const ROOMS: &str = "CTAS_ROOMS_0";
    let statements = |world: &World| {
        let name = &world.name;
        format!(
            "CREATE STREAM readings (room VARCHAR, seen BIGINT, v VARCHAR)
               WITH (KAFKA_TOPIC='{name}-in', VALUE_FORMAT='JSON', TIMESTAMP='seen');
             CREATE TABLE rooms WITH (KAFKA_TOPIC='{name}-rooms') AS
               SELECT room, LATEST_BY_OFFSET(v) AS last, EARLIEST_BY_OFFSET(v) AS first
               FROM readings WINDOW SESSION (15 SECONDS) GROUP BY room EMIT CHANGES;"
        )
    };
    let lives = Lives::of("latest", statements, &[]).await;
    // The last of these readings puts the sessions of the others together, each of which the query knows of its changelog.
    for (round, (second, count)) in [(0, 10), (25, 1), (12, 1)].into_iter().enumerate() {
        let reading = serde_json::json!({
            "ROOM": "r", "SEEN": 1_700_000_000_000_i64 + second * 1_000, "V": format!("v{round}")
        });
        let readings = (0..count).map(|_| Some(reading.to_string().into_bytes()));
        lives.world.send(&lives.world.topic("in"), readings).await;
        lives.start_query(ROOMS);
        lives.wait_for_level(ROOMS).await;
        lives.instance.stop_query(ROOMS).await.unwrap();
    }
    let rooms = lives.world.read(&lives.world.topic("rooms")).await;
    let last: serde_json::Value =
        serde_json::from_slice(rooms.last().unwrap().1.as_deref().unwrap()).unwrap();
    assert_eq!(last, serde_json::json!({ "LAST": "v2", "FIRST": "v0" }));
    lives.instance.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn law_4_a_commit_of_any_size_is_made() {
    let lives = Lives::start("large").await;
    // 24 MB for the changelog, which wait together for one commit.
    let values = (0..24_000).map(|id| {
        let device = format!("{id:01000}");
        Some(serde_json::json!({ "ID": id, "DEVICE": device, "X": 0.1 }).to_string().into_bytes())
    });
    lives.world.send(&lives.world.topic("in"), values).await;
    lives.start_query(COUNTS);
    lives.wait_for_level(COUNTS).await;
    assert_eq!(lives.records(COUNTS), 24_000);
    assert_eq!(lives.world.read(&lives.world.topic("counts")).await.len(), 24_000);
    lives.instance.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn queries_start_and_stop_one_by_one() {
    let mut lives = Lives::start("one-by-one").await;
    lives.send(300).await;
    lives.start_query(COUNTS);
    lives.wait_for_level(COUNTS).await;
    // It begins at the beginning, and is level after that.
    lives.start_query(ALERTS);
    lives.wait_for_level(ALERTS).await;
    lives.send(300).await;
    lives.wait_for_level(COUNTS).await;
    lives.wait_for_level(ALERTS).await;
    assert_eq!((lives.records(COUNTS), lives.records(ALERTS)), (600, 600));
    let again = lives.specs[0].clone();
    let error = lives.instance.start_query(again).unwrap_err();
    assert_eq!(error.to_string(), format!("query {COUNTS}: a query of this id runs already"));
    let stopped = lives.instance.stop_query(COUNTS).await.unwrap();
    assert_eq!((stopped.records, stopped.lag), (600, None));
    assert!(lives.instance.stop_query(COUNTS).await.is_none());
    lives.send(300).await;
    lives.wait_for_level(ALERTS).await;
    assert_eq!(lives.world.lag(COUNTS, &lives.world.topic("in")).await, 300);
    lives.start_query(COUNTS);
    lives.wait_for_level(COUNTS).await;
    assert_eq!(lives.records(COUNTS), 300);
    lives.instance.stop().await;
    lives.truth.is_exact(&lives.world).await;
}

/// Two queries group one stream by the same key. What each of them keeps is its own: it goes with the query, and comes back
/// from its changelog, while the other one goes on.
#[tokio::test(flavor = "multi_thread")]
async fn law_15_queries_with_the_same_key_share_no_state() {
    const SUMS: &str = "CTAS_SUMS_0";
    const LASTS: &str = "CTAS_LASTS_1";
    let statements = |world: &World| {
        let name = &world.name;
        format!(
            "CREATE STREAM readings (device VARCHAR, v INT) WITH (KAFKA_TOPIC='{name}-in', VALUE_FORMAT='JSON');
             CREATE TABLE sums WITH (KAFKA_TOPIC='{name}-sums') AS
               SELECT device, SUM(v) AS s FROM readings GROUP BY device;
             CREATE TABLE lasts WITH (KAFKA_TOPIC='{name}-lasts') AS
               SELECT device, LATEST_BY_OFFSET(v) AS l, COUNT(*) AS c FROM readings GROUP BY device;"
        )
    };
    let lives = Lives::of("same-key", statements, &[]).await;
    let send = async |device: &str, v: i32| {
        let reading = serde_json::json!({ "DEVICE": device, "V": v }).to_string().into_bytes();
        lives.world.send(&lives.world.topic("in"), std::iter::once(Some(reading))).await;
    };
    lives.start_query(SUMS);
    lives.start_query(LASTS);
    send("a", 1).await;
    send("b", 2).await;
    lives.wait_for_level(SUMS).await;
    lives.wait_for_level(LASTS).await;
    // Groups come that the one which is away does not know, and that has others under their numbers when it is back.
    lives.instance.stop_query(LASTS).await.unwrap();
    for (device, v) in [("c", 3), ("d", 4), ("a", 5)] {
        send(device, v).await;
    }
    lives.wait_for_level(SUMS).await;
    lives.start_query(LASTS);
    lives.wait_for_level(LASTS).await;
    lives.instance.stop_query(SUMS).await.unwrap();
    send("e", 6).await;
    send("b", 7).await;
    lives.wait_for_level(LASTS).await;
    lives.start_query(SUMS);
    send("c", 8).await;
    lives.wait_for_level(SUMS).await;
    lives.wait_for_level(LASTS).await;
    lives.instance.stop().await;
    let table = async |name: &str| -> BTreeMap<String, serde_json::Value> {
        let records = lives.world.read(&lives.world.topic(name)).await;
        let row = |(key, value): (Option<Vec<u8>>, Option<Vec<u8>>)| {
            let key = String::from_utf8(key.unwrap()).unwrap();
            (key, serde_json::from_slice(&value.unwrap()).unwrap())
        };
        records.into_iter().map(row).collect()
    };
    let rows = |rows: [(&str, serde_json::Value); 5]| -> BTreeMap<String, serde_json::Value> {
        rows.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
    };
    let sum = |s: i32| serde_json::json!({ "S": s });
    let sums = [("a", sum(6)), ("b", sum(9)), ("c", sum(11)), ("d", sum(4)), ("e", sum(6))];
    assert_eq!(table("sums").await, rows(sums));
    let last = |l: i32, c: i32| serde_json::json!({ "L": l, "C": c });
    let lasts = [
        ("a", last(5, 2)),
        ("b", last(7, 2)),
        ("c", last(8, 2)),
        ("d", last(4, 1)),
        ("e", last(6, 1)),
    ];
    assert_eq!(table("lasts").await, rows(lasts));
}
