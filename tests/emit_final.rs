//! `EMIT FINAL` with a record cache gives each closed window once, whatever time does.
//!
//! What is right is what `EMIT CHANGES` says of each window at last. Records come one by one or in batches, commits and
//! restarts fall anywhere between them, and the wall clock lets some records look for closed windows and others not.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::collections::BTreeMap;
use std::sync::Arc;

use millstream::engine::{Engine, Known, Properties, Session};
use millstream::plan::{QueryPlan, StoreId};
use millstream::runtime::{Driver, DriverOptions, DriverRecord, ShardClocks, Target};
use millstream::sql::{ParseOptions, parse};
use millstream::types::Timestamp;
use proptest::prelude::*;

const SECOND_MS: i64 = 1_000;
const MINUTE_MS: i64 = 60 * SECOND_MS;
const DAY_MS: i64 = 24 * 60 * MINUTE_MS;

/// When the first records are dated.
const BEGIN_MS: i64 = 1_700_000_040_000;

/// Long after everything else.
const END_MS: i64 = BEGIN_MS + 1_000_000 * DAY_MS;

fn plan(window: &str, emit: &str) -> Arc<QueryPlan> {
    let script = format!(
        "CREATE STREAM readings (device STRING KEY, x INT)
           WITH (kafka_topic='in', value_format='JSON', partitions=1);
         CREATE TABLE windows AS SELECT device, COUNT(*) AS n, SUM(x) AS sum FROM readings
           WINDOW {window} GROUP BY device EMIT {emit};"
    );
    let mut engine = Engine::new(Properties::default());
    let (mut session, known) = (Session::default(), Known::default());
    for statement in parse(&script, &ParseOptions::default()).unwrap() {
        engine.run(&statement, &mut session, &known, 0).unwrap();
    }
    Arc::clone(&engine.queries()[0].plan)
}

fn reading(device: &str, x: i64, timestamp_ms: i64) -> DriverRecord {
    DriverRecord {
        key: Some(device.as_bytes().to_vec()),
        value: Some(format!(r#"{{"X":{x}}}"#).into_bytes()),
        timestamp_ms,
        headers: Vec::new(),
    }
}

/// A query, with what it gave and what its changelog holds.
struct Query {
    driver: Driver,
    now_ms: i64,
    given: Vec<DriverRecord>,
    changelog: Vec<(StoreId, DriverRecord)>,
}

impl Query {
    fn new(window: &str, emit: &str, options: DriverOptions) -> Self {
        let driver = Driver::new(plan(window, emit), "CTAS_WINDOWS_0", options).unwrap();
        Self { driver, now_ms: 0, given: Vec::new(), changelog: Vec::new() }
    }

    /// With a cache that is never full, and ksqlDB's second between two looks.
    fn cached(window: &str, emit: &str) -> Self {
        Self::new(window, emit, DriverOptions { cached_groups: 1_000, ..DriverOptions::default() })
    }

    fn pipe(&mut self, batch: &[DriverRecord]) {
        self.driver.pipe_batch("in", batch).unwrap();
        self.collect();
    }

    fn commit(&mut self) {
        self.driver.flush().unwrap();
        self.collect();
    }

    /// The earliest start of what is still to be given.
    fn not_given_from(&mut self) -> Option<i64> {
        self.driver.clocks().first().and_then(|shard| shard.clocks.not_given_from)
    }

    /// Dies when its changelog is written and its offsets are not, and starts again from `clocks`, which are
    /// those of its last commit.
    fn die(&mut self, clocks: &[ShardClocks]) {
        self.commit();
        self.driver.restart_at(clocks.to_vec(), self.changelog.clone()).unwrap();
    }

    /// Stops and starts again, from all that the changelog ever held.
    fn restart(&mut self) {
        self.commit();
        self.driver.restart(self.changelog.clone()).unwrap();
    }

    fn wait(&mut self, ms: i64) {
        self.now_ms += ms;
        self.driver.set_now(Timestamp(self.now_ms));
    }

    fn collect(&mut self) {
        for (target, record) in self.driver.take_output() {
            match target {
                Target::Sink => self.given.push(record),
                Target::Changelog(store) => self.changelog.push((store, record)),
                Target::Repartition(_) => panic!("nothing gets a new key"),
            }
        }
    }

    /// What it said of each window at last, and how often it spoke of it.
    fn windows(&self) -> BTreeMap<Vec<u8>, (DriverRecord, usize)> {
        let mut windows: BTreeMap<_, (DriverRecord, usize)> = BTreeMap::new();
        for record in &self.given {
            let times = windows.get(record.key.as_ref().unwrap()).map_or(0, |(_, times)| *times);
            windows.insert(record.key.clone().unwrap(), (record.clone(), times + 1));
        }
        windows.retain(|_, (record, _)| record.value.is_some());
        windows
    }
}

/// What `EMIT CHANGES` says at last of the windows of all devices but the one called `end`.
fn right(window: &str, records: &[DriverRecord]) -> BTreeMap<Vec<u8>, DriverRecord> {
    let mut changes = Query::new(window, "CHANGES", DriverOptions::default());
    for record in records {
        changes.pipe(std::slice::from_ref(record));
    }
    let windows = changes.windows().into_iter().map(|(key, (record, _))| (key, record));
    windows.filter(|(key, _)| !key.starts_with(b"end")).collect()
}

/// Each window was given once, and as it was in the end.
fn check(final_: &Query, window: &str, records: &[DriverRecord]) -> Result<(), TestCaseError> {
    let given = final_.windows();
    let twice: Vec<_> = given.values().filter(|(_, times)| *times > 1).collect();
    prop_assert!(twice.is_empty(), "more than once: {:?}", twice);
    let given: BTreeMap<_, _> = given.into_iter().map(|(key, (record, _))| (key, record)).collect();
    prop_assert_eq!(given, right(window, records));
    Ok(())
}

const WINDOWS: [&str; 7] = [
    "TUMBLING (SIZE 10 SECONDS, GRACE PERIOD 0 SECONDS)",
    "TUMBLING (SIZE 10 SECONDS, GRACE PERIOD 3 SECONDS)",
    "TUMBLING (SIZE 10 SECONDS, RETENTION 1 HOUR, GRACE PERIOD 1 MINUTE)",
    "HOPPING (SIZE 10 SECONDS, ADVANCE BY 3 SECONDS, GRACE PERIOD 2 SECONDS)",
    "HOPPING (SIZE 60 SECONDS, ADVANCE BY 1 SECOND, GRACE PERIOD 0 SECONDS)",
    "SESSION (4 SECONDS, GRACE PERIOD 0 SECONDS)",
    "SESSION (4 SECONDS, GRACE PERIOD 30 SECONDS)",
];

/// What happens to a query.
#[derive(Clone, Debug)]
enum Event {
    /// A record of a device, so much later than the latest, or else earlier.
    Record {
        device: u8,
        step_ms: i64,
    },
    /// The batch ends.
    Cut,
    /// So much time goes by.
    Wait(i64),
    Commit,
    Restart,
}

fn event() -> impl Strategy<Value = Event> {
    let step = prop_oneof![
        20 => 0..4 * SECOND_MS,
        4 => 4 * SECOND_MS..3 * MINUTE_MS,
        1 => Just(3_650 * DAY_MS),
        6 => -20 * SECOND_MS..0,
    ];
    prop_oneof![
        20 => (0..4_u8, step).prop_map(|(device, step_ms)| Event::Record { device, step_ms }),
        4 => Just(Event::Cut),
        3 => (0..1_500_i64).prop_map(Event::Wait),
        2 => Just(Event::Commit),
        1 => Just(Event::Restart),
    ]
}

/// Lets all of that happen. Records are in order for sessions: those that are not can be added to sessions that
/// were given before.
fn run(query: &mut Query, events: &[Event], is_in_order: bool) -> Vec<DriverRecord> {
    let (mut all, mut batch, mut latest_ms) = (Vec::new(), Vec::new(), BEGIN_MS);
    for (x, event) in events.iter().enumerate() {
        if let Event::Record { device, step_ms } = event {
            let step_ms = if is_in_order { step_ms.abs() } else { *step_ms };
            let at = latest_ms + step_ms;
            latest_ms = latest_ms.max(at);
            batch.push(reading(&format!("d{device}"), x as i64, at));
            continue;
        }
        query.pipe(&batch);
        all.append(&mut batch);
        match event {
            Event::Record { .. } | Event::Cut => {}
            Event::Wait(ms) => query.wait(*ms),
            Event::Commit => query.commit(),
            Event::Restart => query.restart(),
        }
    }
    query.pipe(&batch);
    all.append(&mut batch);
    query.wait(SECOND_MS);
    let last = reading("end", 0, END_MS);
    query.pipe(std::slice::from_ref(&last));
    all.push(last);
    all
}

fn config(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config(150))]

    /// Each window that closes is given once, and as it was in the end.
    #[test]
    fn each_closed_window_comes_once(
        events in prop::collection::vec(event(), 0..120),
        window in prop::sample::select(WINDOWS.to_vec()),
        cached_groups in prop::sample::select(vec![1_usize, 3, 1_000]),
        emit_interval_ms in prop::sample::select(vec![0_i64, SECOND_MS]),
    ) {
        let options = DriverOptions { cached_groups, emit_interval_ms, ..DriverOptions::default() };
        let mut query = Query::new(window, "FINAL", options);
        let records = run(&mut query, &events, window.starts_with("SESSION"));
        check(&query, window, &records)?;
        // What was given goes with the next commit, and no restart brings it back.
        query.commit();
        prop_assert!(query.driver.stored_rows() <= 60, "{} windows stay", query.driver.stored_rows());
        query.restart();
        prop_assert!(query.driver.stored_rows() <= 60, "{} windows are back", query.driver.stored_rows());
    }
}

/// How much later a reading is than the one before.
fn step() -> impl Strategy<Value = i64> {
    prop_oneof![3 => 0..3 * SECOND_MS, 1 => 0..30 * SECOND_MS]
}

/// How many readings a row has counted.
fn count(record: &DriverRecord) -> i64 {
    let row: serde_json::Value = serde_json::from_slice(record.value.as_ref().unwrap()).unwrap();
    row["N"].as_i64().unwrap()
}

proptest! {
    #![proptest_config(config(150))]

    /// What was processed since the last commit is processed again after a kill, and finds all that there was: no
    /// window is lost, or loses a reading.
    #[test]
    fn kills_lose_nothing(
        batches in prop::collection::vec((prop::collection::vec((0..4_u8, step()), 1..8), 0..3_u8), 1..12),
        jump_at in 0..12_usize,
        window in prop::sample::select(WINDOWS.to_vec()),
        emit in prop::sample::select(vec!["CHANGES", "FINAL"]),
    ) {
        let mut query = Query::cached(window, emit);
        let (mut all, mut not_committed, mut at) = (Vec::new(), Vec::new(), BEGIN_MS);
        let mut clocks = Vec::new();
        for (index, (steps, ends)) in batches.iter().enumerate() {
            for (device, step_ms) in steps {
                at += step_ms;
                not_committed.push(reading(&format!("d{device}"), 1, at));
            }
            if index == jump_at {
                at += DAY_MS;
                not_committed.push(reading("d0", 1, at));
            }
            query.pipe(&not_committed);
            query.wait(700);
            if *ends == 0 || index == jump_at {
                query.die(&clocks);
                query.pipe(&not_committed);
            }
            query.commit();
            clocks = query.driver.clocks();
            all.append(&mut not_committed);
        }
        query.wait(SECOND_MS);
        let end = reading("end", 0, END_MS);
        query.pipe(std::slice::from_ref(&end));
        query.commit();
        all.push(end);
        let mut given = query.windows();
        given.retain(|key, _| !key.starts_with(b"end"));
        let right = right(window, &all);
        prop_assert!(given.keys().eq(right.keys()), "{:?}\nis not\n{:?}", given.keys(), right.keys());
        for (key, (record, _)) in &given {
            prop_assert!(count(record) >= count(&right[key]), "{:?} lacks readings", record);
        }
    }
}

/// A reading of each of four devices in each of these minutes.
fn minutes(minutes: std::ops::Range<i64>) -> Vec<DriverRecord> {
    let devices = |minute| (0..4).map(move |device| (minute, device));
    let reading = |(minute, device)| {
        reading(&format!("d{device}"), minute, BEGIN_MS + minute * MINUTE_MS + device)
    };
    minutes.flat_map(devices).map(reading).collect()
}

const MINUTES: &str = "TUMBLING (SIZE 60 SECONDS, GRACE PERIOD 10 SECONDS)";
const SESSIONS: &str = "SESSION (10 SECONDS, GRACE PERIOD 10 SECONDS)";

/// Nobody looks for closed windows while a backlog is read within a second, but they wait.
#[test]
fn a_backlog_gives_all_its_windows_with_the_next_record() {
    for window in [MINUTES, SESSIONS] {
        for batch_records in [1, 7, 720] {
            for is_committed in [false, true] {
                let mut query = Query::cached(window, "FINAL");
                let backlog = minutes(0..180);
                for batch in backlog.chunks(batch_records) {
                    query.pipe(batch);
                    if is_committed {
                        query.commit();
                    }
                }
                assert_eq!(query.given.len(), 0, "{window}");
                assert_eq!(query.driver.stored_rows(), 720);
                query.wait(SECOND_MS);
                let two = [reading("end", 0, END_MS - 1), reading("end", 0, END_MS)];
                query.pipe(&two);
                assert_eq!(query.given.len(), 180 * 4, "{window}");
                let all: Vec<_> = backlog.into_iter().chain(two).collect();
                check(&query, window, &all).unwrap();
            }
        }
    }
}

/// With each record that closes windows they come by their start and then their key, and no second stands between.
#[test]
fn windows_come_in_order_as_they_close() {
    let options =
        DriverOptions { cached_groups: 1_000, emit_interval_ms: 0, ..DriverOptions::default() };
    let mut query = Query::new(MINUTES, "FINAL", options);
    for record in minutes(0..180) {
        query.pipe(&[record]);
    }
    let keys: Vec<_> = query.given.iter().map(|record| record.key.clone().unwrap()).collect();
    // The last two minutes are not over, or their grace is not.
    let expected = minutes(0..178).into_iter().map(|record| {
        let start = record.timestamp_ms - record.timestamp_ms.rem_euclid(MINUTE_MS);
        [&record.key.unwrap()[..], &start.to_be_bytes()].concat()
    });
    assert_eq!(keys, expected.collect::<Vec<_>>());
}

/// A record that is ten years ahead closes all windows, and what comes after it is late.
#[test]
fn a_jump_of_ten_years_loses_nothing() {
    for window in [MINUTES, SESSIONS] {
        let mut query = Query::cached(window, "FINAL");
        let backlog = minutes(0..20);
        query.pipe(&backlog);
        let ahead = reading("ahead", 1, BEGIN_MS + 3_650 * DAY_MS);
        query.pipe(std::slice::from_ref(&ahead));
        query.restart();
        assert_eq!(query.given.len(), 0);
        assert_eq!(query.driver.stored_rows(), 81);
        assert_eq!(query.not_given_from(), Some(BEGIN_MS));
        // Also a late record lets windows be given that are closed.
        query.wait(SECOND_MS);
        query.pipe(&minutes(20..21));
        assert_eq!(query.given.len(), 80, "{window}");
        query.restart();
        assert_eq!(query.driver.stored_rows(), 1);
        assert_eq!(query.not_given_from(), Some(ahead.timestamp_ms));
        query.wait(SECOND_MS);
        query.pipe(&minutes(21..40));
        assert_eq!(query.given.len(), 80, "{window}");
    }
}

/// What was given is not given again after a restart, and what was not is.
#[test]
fn a_restart_gives_the_rest() {
    for window in [MINUTES, SESSIONS] {
        let mut query = Query::cached(window, "FINAL");
        query.pipe(&minutes(0..90));
        query.wait(SECOND_MS);
        query.pipe(&minutes(90..92));
        let before = query.given.len();
        assert!((350..=360).contains(&before), "{window}: {before}");
        query.pipe(&minutes(92..180));
        query.restart();
        query.wait(SECOND_MS);
        let end = reading("end", 0, END_MS);
        query.pipe(std::slice::from_ref(&end));
        assert_eq!(query.given.len(), 180 * 4, "{window}");
        let all: Vec<_> = minutes(0..180).into_iter().chain([end]).collect();
        check(&query, window, &all).unwrap();
    }
}

/// Without a cache ksqlDB's store forgets each window before it looks for those that are closed.
#[test]
fn without_a_cache_ksqldb_s_losses_are_ours() {
    let options = DriverOptions { emit_interval_ms: 0, ..DriverOptions::default() };
    let mut query = Query::new(MINUTES, "FINAL", options);
    for record in minutes(0..180) {
        query.pipe(&[record]);
    }
    query.pipe(&[reading("end", 0, END_MS)]);
    assert_eq!(query.given.len(), 0);
}
