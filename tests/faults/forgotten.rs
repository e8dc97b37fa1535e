//! A restart brings back no window that was forgotten before.

use millstream::runtime::live::QueryState;
use serde_json::{Value, json};

use crate::panics::Panics;

const START_MS: i64 = 1_700_000_000_000;

/// A reading of each of twenty devices, so many seconds after the first.
fn readings(second: i64) -> impl Iterator<Item = Value> {
    let reading = move |device| {
        let at = START_MS + second * 1_000;
        json!({ "ID": second, "TAKEN_AT": at, "DEVICE": format!("d{device}") })
    };
    (0..20).map(reading)
}

/// Counts two hours of readings in these windows, and starts again.
async fn check(name: &str, window: &str, emit: &str, state_dir: Option<&str>) {
    let sql = format!(
        "CREATE STREAM timed (device VARCHAR KEY, id BIGINT, taken_at BIGINT)
           WITH (KAFKA_TOPIC='{{name}}-in', VALUE_FORMAT='JSON', TIMESTAMP='taken_at');
         CREATE TABLE counts WITH (KAFKA_TOPIC='{{name}}-counts') AS
           SELECT device, COUNT(*) AS n FROM timed WINDOW {window} GROUP BY device EMIT {emit};"
    );
    // Windows that close are given with each record, not once a second.
    let at_once = ("__emit.interval.ms.kstreams.windowed.aggregation__", "0");
    let state_dir = state_dir.map(|dir| ("ksql.streams.state.dir", dir));
    let properties: Vec<(&str, &str)> = state_dir.into_iter().chain([at_once]).collect();
    let query = "CTAS_COUNTS_0";
    let seconds = (0..7_200).step_by(20);
    let all: Vec<Value> = seconds.flat_map(readings).collect();
    let panics = Panics::start_with(name, &sql, &all, &properties).await;
    panics.wait_for_level(query).await;
    let before = panics.instance.stop_query(query).await.unwrap();
    assert_eq!(before.records, 7_200);
    panics.start_queries(&sql, &properties).await;
    let holds = async || {
        let status = panics.status(query);
        status.state == QueryState::Running && status.stored_rows > 0
    };
    panics.wait_until("its state", holds).await;
    // Two windows of each device, of hundreds that the changelog has.
    assert_eq!(panics.status(query).stored_rows, 40, "{name}");
    // The last of them go on.
    let more = [7_181, 7_200].into_iter().flat_map(readings);
    panics.send(&more.collect::<Vec<_>>()).await;
    panics.wait_for_level(query).await;
    let last = panics.last_values("counts").await;
    let twos = last.iter().filter(|(_, row)| row["N"] == 2).count();
    assert_eq!(twos, 20, "{name}");
    panics.instance.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn windows_that_are_forgotten_do_not_come_back() {
    let window = "TUMBLING (SIZE 20 SECONDS, RETENTION 20 SECONDS, GRACE PERIOD 0 SECONDS)";
    for emit in ["CHANGES", "FINAL"] {
        check("windows", window, emit, None).await;
        let directory = tempfile::tempdir().unwrap();
        check("local-windows", window, emit, directory.path().to_str()).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_that_are_forgotten_do_not_come_back() {
    let window = "SESSION (10 SECONDS, RETENTION 20 SECONDS, GRACE PERIOD 0 SECONDS)";
    check("sessions", window, "CHANGES", None).await;
    check("sessions", window, "FINAL", None).await;
}
