//! A window of EMIT FINAL that is closed comes out once, whatever happened before somebody looked for it: a backlog, an
//! outage, a clock that is ahead, a restart, a kill. All settings are those that nobody has set.

use std::collections::BTreeMap;
use std::ops::Range;
use std::time::Duration;

use millstream::broker::EmbeddedConfig;
use millstream::kafka::produce::{NewRecord, Producer};
use millstream::runtime::clock;
use serde_json::{Value, json};

use crate::support::{Run, World};

const MINUTE_MS: i64 = 60_000;

/// Devices send a reading a minute, each some milliseconds after the one before it.
const DEVICES: i64 = 4;

/// A minute after all others, which is not to come yet.
const END: i64 = 200;

/// As many minutes as there are in ten years.
const TEN_YEARS: i64 = 3_650 * 24 * 60;

/// A window by the key in its topic, and how many readings it has.
type Windows = BTreeMap<Vec<u8>, i64>;

const QUERIES: [&str; 4] =
    ["CTAS_BY_MINUTE_0", "CTAS_BY_ROOM_1", "CTAS_HOPS_2", "CTAS_BY_SESSION_3"];

const SINKS: [&str; 4] = ["by_minute", "by_room", "hops", "by_session"];

/// Readings that begin some hours ago, and queries over them.
struct Story {
    world: World,
    begin_ms: i64,
}

impl Story {
    async fn begin(world: World) -> Self {
        world.create(&world.topic("in"), 1).await;
        let begin_ms = clock::now().0 - 240 * MINUTE_MS;
        Self { world, begin_ms: begin_ms - begin_ms % MINUTE_MS }
    }

    fn statements(&self) -> String {
        let name = &self.world.name;
        let table = |table: &str, by: &str, window: &str| {
            format!(
                "CREATE TABLE {table} WITH (KAFKA_TOPIC='{name}-{table}') AS
                   SELECT {by}, COUNT(*) AS n FROM readings
                   WINDOW {window} GROUP BY {by} EMIT FINAL;"
            )
        };
        [
            format!(
                "CREATE STREAM readings (device VARCHAR KEY, room VARCHAR)
                   WITH (KAFKA_TOPIC='{name}-in', VALUE_FORMAT='JSON');"
            ),
            table("by_minute", "device", "TUMBLING (SIZE 60 SECONDS, GRACE PERIOD 10 SECONDS)"),
            table("by_room", "room", "TUMBLING (SIZE 60 SECONDS, GRACE PERIOD 0 SECONDS)"),
            table("hops", "device", "HOPPING (SIZE 10 MINUTES, ADVANCE BY 1 MINUTE)"),
            table("by_session", "device", "SESSION (10 SECONDS, GRACE PERIOD 10 SECONDS)"),
        ]
        .join("\n")
    }

    fn at(&self, minute: i64, device: i64) -> i64 {
        self.begin_ms + minute * MINUTE_MS + device
    }

    /// Sends a reading of each device in each of these minutes.
    async fn send(&self, minutes: Range<i64>) {
        let devices = |minute| (0..DEVICES).map(move |device| (minute, device));
        let reading = |(minute, device)| {
            (format!("d{device}"), format!("r{}", device % 2), self.at(minute, device))
        };
        self.send_readings(minutes.flat_map(devices).map(reading)).await;
    }

    /// Sends a reading of a device that nobody asks for, which closes the windows before it.
    async fn send_end(&self, minute: i64) {
        let end = || "end".to_owned();
        self.send_readings([(end(), end(), self.at(minute, 0))]).await;
    }

    async fn send_readings(&self, readings: impl IntoIterator<Item = (String, String, i64)>) {
        let producer = Producer::new(&self.world.cluster);
        for (device, room, at) in readings {
            let value = json!({ "ROOM": room }).to_string();
            let record = NewRecord::new(at, Some(device.as_bytes()), Some(value.as_bytes()));
            producer.send(&self.world.topic("in"), 0, record).await.unwrap();
        }
        producer.flush().await.unwrap();
    }

    /// Waits until everything is committed.
    async fn level(&self, run: &Run) {
        self.world.wait_for_level(&QUERIES, &self.world.topic("in"), run).await;
    }

    /// Sends two records after all others, of which at least one finds what is closed.
    async fn end(&self, run: &Run) {
        for minute in [END, END + 1] {
            wait_a_second().await;
            self.send_end(minute).await;
            self.level(run).await;
        }
    }

    /// The windows of a sink, where each device has sent a reading in each of these minutes.
    fn right(&self, sink: &str, minutes: &[i64]) -> Windows {
        let mut windows = Windows::new();
        let mut count = |key: String, bounds: &[i64]| {
            let bounds = bounds.iter().flat_map(|bound| bound.to_be_bytes());
            *windows.entry(key.into_bytes().into_iter().chain(bounds).collect()).or_default() += 1;
        };
        for minute in minutes {
            for device in 0..DEVICES {
                let (key, start) = (format!("d{device}"), self.at(*minute, 0));
                match sink {
                    "by_minute" => count(key, &[start]),
                    "by_room" => count(format!("r{}", device % 2), &[start]),
                    "hops" => {
                        (0..10).for_each(|hop| count(key.clone(), &[start - hop * MINUTE_MS]));
                    }
                    _ => count(key, &[self.at(*minute, device); 2]),
                }
            }
        }
        windows
    }

    /// What was counted for each window, each time it came; without those of `end`.
    async fn given(&self, sink: &str) -> BTreeMap<Vec<u8>, Vec<i64>> {
        let mut given: BTreeMap<Vec<u8>, Vec<i64>> = BTreeMap::new();
        for (key, value) in self.world.read(&self.world.topic(sink)).await {
            let row: Value = serde_json::from_slice(&value.unwrap()).unwrap();
            given.entry(key.unwrap()).or_default().push(row["N"].as_i64().unwrap());
        }
        given.retain(|key, _| !key.starts_with(b"end"));
        given
    }

    /// Each window came once, and with all its readings.
    async fn is_exact(&self, minutes: impl Iterator<Item = i64>, log: &str) {
        let minutes: Vec<_> = minutes.collect();
        for sink in SINKS {
            let (given, right) = (self.given(sink).await, self.right(sink, &minutes));
            let came = given.len();
            let once = given.into_iter().map(|(key, counts)| {
                assert!(
                    counts.len() == 1,
                    "{sink}: {} came {counts:?}:\n{log}",
                    key.escape_ascii()
                );
                (key, counts[0])
            });
            assert!(once.eq(right.clone()), "{sink}: {came} windows of {}:\n{log}", right.len());
        }
    }

    /// Each window came, and at last with all its readings: some may be counted twice.
    async fn is_covered(&self, minutes: impl Iterator<Item = i64>, log: &str) {
        let minutes: Vec<_> = minutes.collect();
        for sink in SINKS {
            let (given, right) = (self.given(sink).await, self.right(sink, &minutes));
            let (came, all) = (given.len(), right.len());
            assert!(given.keys().eq(right.keys()), "{sink}: {came} windows of {all}:\n{log}");
            for (key, counts) in given {
                let is_all = counts.last() >= right.get(&key);
                assert!(is_all, "{sink}: {} came {counts:?}:\n{log}", key.escape_ascii());
            }
        }
    }
}

/// Lets so much time pass that windows are looked for again.
async fn wait_a_second() {
    tokio::time::sleep(Duration::from_millis(1_100)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backlog_with_an_outage_in_it_loses_no_window() {
    let story = Story::begin(World::start("backlog").await).await;
    story.send(0..90).await;
    story.send(95..180).await;
    let run = story.world.run(&story.statements(), &[]);
    story.level(&run).await;
    story.end(&run).await;
    let log = run.stop().await;
    story.is_exact((0..90).chain(95..180), &log).await;
}

/// Each record comes long after the one before it, and only some of them are let look for closed windows.
#[tokio::test(flavor = "multi_thread")]
async fn windows_come_while_a_query_runs() {
    let story = Story::begin(World::start("running").await).await;
    let run = story.world.run(&story.statements(), &[]);
    for minute in 0..8 {
        story.send(minute..minute + 1).await;
        story.level(&run).await;
        if minute % 3 == 0 {
            wait_a_second().await;
        }
    }
    story.end(&run).await;
    let log = run.stop().await;
    story.is_exact(0..8, &log).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clean_restart_loses_none_and_gives_none_twice() {
    for has_state_dir in [false, true] {
        let story = Story::begin(World::start("stopped").await).await;
        let state = tempfile::tempdir().unwrap();
        let args = ["--state-dir", state.path().to_str().unwrap()];
        let args = if has_state_dir { &args[..] } else { &[] };
        for from in [0, 60, 120] {
            story.send(from..from + 30).await;
            let run = story.world.run(&story.statements(), args);
            story.level(&run).await;
            story.send(from + 30..from + 60).await;
            story.level(&run).await;
            run.stop().await;
        }
        let run = story.world.run(&story.statements(), args);
        story.end(&run).await;
        let log = run.stop().await;
        story.is_exact(0..180, &log).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn kills_lose_no_window() {
    for has_state_dir in [false, true] {
        let story = Story::begin(World::start("killed").await).await;
        let state = tempfile::tempdir().unwrap();
        let args = ["--state-dir", state.path().to_str().unwrap()];
        let args = if has_state_dir { &args[..] } else { &[] };
        for kill in 0..6 {
            let from = kill * 30;
            story.send(from..from + 10).await;
            let mut run = story.world.run_restless(&story.statements(), args);
            run.wait_for("is running", QUERIES.len()).await;
            if kill % 2 == 0 {
                story.level(&run).await;
            }
            story.send(from + 10..from + 30).await;
            run.kill();
        }
        let run = story.world.run(&story.statements(), args);
        story.level(&run).await;
        story.end(&run).await;
        let log = run.stop().await;
        story.is_covered(0..180, &log).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_ten_years_ahead_loses_no_window_before_it() {
    let world = World::embedded("ahead", EmbeddedConfig::default()).await;
    let story = Story::begin(world).await;
    story.send(0..20).await;
    story.send_end(TEN_YEARS).await;
    let run = story.world.run(&story.statements(), &[]);
    story.level(&run).await;
    // What comes now is late, for which a record is to blame.
    story.send(20..21).await;
    story.level(&run).await;
    let log = run.stop().await;
    let blamed = format!(
        "to where topic {}, partition 0, offset {} has moved stream time",
        story.world.topic("in"),
        20 * DEVICES
    );
    for query in QUERIES {
        let is_told = |line: &str| line.contains(query) && line.contains("too late");
        let told = log.lines().find(|line| is_told(line) && line.contains(&blamed));
        assert!(told.is_some(), "{query}:\n{log}");
        let counted = "4 skipped (4 that came too late for a window)";
        assert!(log.lines().any(|line| line.contains(query) && line.contains(counted)), "{log}");
    }
    // It also lets windows come that are closed.
    let run = story.world.run(&story.statements(), &[]);
    wait_a_second().await;
    story.send(21..30).await;
    story.level(&run).await;
    let log = run.stop().await;
    story.is_exact(0..20, &log).await;
}
