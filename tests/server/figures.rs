//! What a server counts, as those see it who look after it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use millstream::kafka::admin::{Admin, NewTopic};
use millstream::kafka::produce::{NewRecord, Producer};
use serde_json::{Value, json};

use crate::world::{Ksql, World};

const READINGS: &str = "CREATE STREAM readings (device VARCHAR KEY, n INT) WITH (KAFKA_TOPIC='readings', \
                        PARTITIONS=2, VALUE_FORMAT='JSON');";
const LARGE: &str = "CREATE STREAM large AS SELECT * FROM readings WHERE n >= 10;";

/// How often it is looked for what is to come, and how often at most.
const LOOK_EVERY: Duration = Duration::from_millis(20);
const LOOKS_MAX: usize = 3_000;

/// The samples of `/metrics`, by name and labels.
pub(crate) async fn samples(ksql: &Ksql) -> BTreeMap<String, f64> {
    let (status, text) = ksql.get("/metrics").await;
    assert_eq!(status, 200, "{text}");
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines
        .map(|line| line.rsplit_once(' ').unwrap())
        .map(|(name, value)| (name.to_owned(), value.parse().unwrap()))
        .collect()
}

/// The sum of all samples whose name and labels begin with `name` and hold all of `labels`.
fn sum(samples: &BTreeMap<String, f64>, name: &str, labels: &[&str]) -> f64 {
    let is_of = |at: &str| {
        at.split('{').next() == Some(name) && labels.iter().all(|label| at.contains(label))
    };
    samples.iter().filter(|(at, _)| is_of(at)).map(|(_, value)| value).sum()
}

/// Waits until samples are as they are to be.
async fn until(
    ksql: &Ksql,
    is_so: impl Fn(&BTreeMap<String, f64>) -> bool,
) -> BTreeMap<String, f64> {
    for _ in 0..LOOKS_MAX {
        let samples = samples(ksql).await;
        if is_so(&samples) {
            return samples;
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
    panic!("{:#?}", samples(ksql).await);
}

/// The id of the query that a statement makes.
pub(crate) async fn made(ksql: &Ksql, statement: &str) -> String {
    ksql.run(statement).await[0]["commandStatus"]["queryId"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_query_reads_and_writes_is_counted() {
    let world = World::new().await;
    let ksql = world.server().await;
    ksql.run(READINGS).await;
    let query = made(&ksql, LARGE).await;
    for n in 0..30 {
        ksql.run(&format!("INSERT INTO readings VALUES ('d{}', {n});", n % 5)).await;
    }
    let label = format!("query=\"{query}\"");
    let of = |samples: &BTreeMap<String, f64>, name| sum(samples, name, &[&label]);
    let found = until(&ksql, |found| {
        of(found, "millstream_query_records_written_total") == 20.0
            && of(found, "millstream_query_commit_duration_seconds_count") >= 1.0
    })
    .await;
    assert_eq!(of(&found, "millstream_query_records_read_total"), 30.0);
    assert_eq!(of(&found, "millstream_query_records_skipped_total"), 0.0);
    assert_eq!(of(&found, "millstream_query_lag_records"), 0.0);
    assert_eq!(of(&found, "millstream_query_failures_total"), 0.0);
    assert!(of(&found, "millstream_query_output_bytes_total") >= 20.0 * "{\"N\":10}".len() as f64);
    assert!(of(&found, "millstream_query_record_age_seconds_count") >= 1.0);
    assert_eq!(sum(&found, "millstream_query_state", &[&label, "state=\"running\""]), 1.0);
    assert_eq!(sum(&found, "millstream_query_state", &[&label]), 1.0);
    // Each partition by itself, and all of them together.
    let topic = "topic=\"readings\"";
    let by_partition = ["0", "1"].map(|at| {
        sum(&found, "millstream_topic_records_read_total", &[topic, &format!("partition=\"{at}\"")])
    });
    assert_eq!(by_partition.iter().sum::<f64>(), 30.0);
    assert_eq!(sum(&found, "millstream_topic_end_offset", &[topic]), 30.0);
    assert!(sum(&found, "millstream_worker_busy_seconds_total", &[]) > 0.0);
    assert!(found["process_cpu_seconds_total"] > 0.0);
    assert!(found["process_resident_memory_bytes"] > 1e6);
    ksql.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_is_skipped_shows_with_its_cause() {
    let world = World::new().await;
    let ksql = world.server().await;
    ksql.run(READINGS).await;
    made(&ksql, LARGE).await;
    ksql.run("CREATE STREAM raw (device VARCHAR KEY, text VARCHAR) WITH (KAFKA_TOPIC='readings', VALUE_FORMAT='KAFKA');")
        .await;
    ksql.run("INSERT INTO raw VALUES ('d1', 'no JSON'); INSERT INTO readings VALUES ('d1', 11);")
        .await;
    let skipped = "millstream_query_records_skipped_total";
    let found =
        until(&ksql, |found| sum(found, "millstream_query_records_written_total", &[]) == 1.0)
            .await;
    assert_eq!(sum(&found, skipped, &["cause=\"undecodable_value\""]), 1.0);
    assert_eq!(sum(&found, skipped, &[]), 1.0);
    ksql.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_topic_counts_once_however_many_queries_read_it() {
    let world = World::new().await;
    let ksql = world.server().await;
    ksql.run(READINGS).await;
    for n in 0..4 {
        made(&ksql, &format!("CREATE STREAM s{n} AS SELECT * FROM readings WHERE n > {n};")).await;
    }
    for n in 10..20 {
        ksql.run(&format!("INSERT INTO readings VALUES ('d{n}', {n});")).await;
    }
    let found =
        until(&ksql, |found| sum(found, "millstream_query_records_written_total", &[]) == 40.0)
            .await;
    assert_eq!(sum(&found, "millstream_query_records_read_total", &[]), 40.0);
    assert_eq!(sum(&found, "millstream_topic_records_read_total", &["topic=\"readings\""]), 10.0);
    ksql.stop().await;
}

/// Writes so many readings to partition 0, and waits until they are there.
async fn write(world: &World, count: usize) {
    let producer = Producer::new(&world.cluster());
    for _ in 0..count {
        let record = NewRecord::new(1, Some(b"k"), Some(b"{\"N\":11}"));
        producer.send("readings", 0, record).await.unwrap();
    }
    producer.flush().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_topic_is_counted_from_its_first_record_on_whoever_began_later() {
    let world = World::new().await;
    let ksql = world.server().await;
    let read = |found: &BTreeMap<String, f64>| {
        sum(found, "millstream_topic_records_read_total", &["topic=\"readings\""])
    };
    ksql.run(READINGS).await;
    write(&world, 20).await;
    let late = json!({ "ksql": LARGE, "streamsProperties": { "auto.offset.reset": "latest" } });
    let (status, answer) = ksql.post("/ksql", &late, &[]).await;
    assert_eq!(status, 200, "{answer}");
    until(&ksql, |found| sum(found, "millstream_query_state", &["state=\"running\""]) == 1.0).await;
    write(&world, 3).await;
    until(&ksql, |found| read(found) == 3.0).await;
    // What was there before counts once it is read, and nothing counts twice.
    made(&ksql, "CREATE STREAM all_of_them AS SELECT * FROM readings;").await;
    made(&ksql, "CREATE STREAM again AS SELECT * FROM readings;").await;
    let written =
        |found: &BTreeMap<String, f64>| sum(found, "millstream_query_records_written_total", &[]);
    let found = until(&ksql, |found| written(found) == 49.0).await;
    assert_eq!(read(&found), 23.0);
    ksql.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_topic_that_is_made_again_with_more_records_is_counted_on() {
    let world = World::new().await;
    let ksql = world.server().await;
    let read = |found: &BTreeMap<String, f64>| {
        sum(found, "millstream_topic_records_read_total", &["topic=\"readings\""])
    };
    ksql.run(READINGS).await;
    let query = made(&ksql, LARGE).await;
    write(&world, 5).await;
    until(&ksql, |found| read(found) == 5.0).await;
    let admin = Admin::new(&world.cluster());
    admin.delete_topic("readings").await.unwrap();
    admin.create_topic(&NewTopic::new("readings", 2)).await.unwrap();
    write(&world, 12).await;
    let found = until(&ksql, |found| read(found) >= 17.0).await;
    let label = format!("query=\"{query}\"");
    assert_eq!(read(&found), 17.0);
    until(&ksql, |found| sum(found, "millstream_query_lag_records", &[&label]) == 0.0).await;
    ksql.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_step_of_a_query_counts_what_it_takes_and_gives() {
    let world = World::new().await;
    let ksql = world.server().await;
    ksql.run(READINGS).await;
    let query = made(
        &ksql,
        "CREATE TABLE counts AS SELECT device, COUNT(*) AS n FROM readings WHERE n >= 10 GROUP BY device;",
    )
    .await;
    for n in 0..30 {
        ksql.run(&format!("INSERT INTO readings VALUES ('d{}', {n});", n % 5)).await;
    }
    ksql.run("CREATE STREAM raw (device VARCHAR KEY, text VARCHAR) WITH (KAFKA_TOPIC='readings', VALUE_FORMAT='KAFKA');")
        .await;
    ksql.run("INSERT INTO raw VALUES ('d1', 'no JSON');").await;
    let step = |figures: &Value, name: &str| {
        let mut steps = figures["queries"][0]["steps"].as_array().unwrap().iter();
        let step = steps.find(|step| step["name"] == name).unwrap_or(&Value::Null).clone();
        ["taken", "given", "late", "failed"].map(|count| step[count].as_u64().unwrap_or(u64::MAX))
    };
    let asked = format!("?query={query}");
    let found = figures_until(&ksql, &asked, |figures| {
        let stores = figures["queries"][0]["stores"].as_array().unwrap();
        let rows: u64 = stores.iter().map(|store| store["rows"].as_u64().unwrap()).sum();
        step(figures, "KsqlTopic.Source")[0] == 31 && rows == 5
    })
    .await;
    assert_eq!(step(&found, "KsqlTopic.Source"), [31, 30, 0, 1], "{found:#}");
    assert_eq!(step(&found, "WhereFilter"), [30, 20, 0, 0], "{found:#}");
    assert_eq!(step(&found, "Aggregate.Aggregate")[0], 20, "{found:#}");
    let samples = samples(&ksql).await;
    let filtered = sum(
        &samples,
        "millstream_query_step_rows_given_total",
        &["step=\"WhereFilter\"", &format!("query=\"{query}\"")],
    );
    assert_eq!(filtered, 20.0);
    // Steps are told of queries that are named.
    assert_eq!(figures(&ksql, "").await["queries"][0]["steps"], Value::Null);
    ksql.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_that_is_paused_falls_behind_and_comes_back_and_one_that_ends_is_gone() {
    let world = World::new().await;
    let ksql = world.server().await;
    ksql.run(READINGS).await;
    let query = made(&ksql, LARGE).await;
    let label = format!("query=\"{query}\"");
    let is_in = |found: &BTreeMap<String, f64>, state: &str| {
        sum(found, "millstream_query_state", &[&label, &format!("state=\"{state}\"")]) == 1.0
    };
    until(&ksql, |found| is_in(found, "running")).await;
    ksql.run(&format!("PAUSE {query};")).await;
    until(&ksql, |found| is_in(found, "paused")).await;
    for n in 10..15 {
        ksql.run(&format!("INSERT INTO readings VALUES ('d{n}', {n});")).await;
    }
    let lag = |found: &BTreeMap<String, f64>| sum(found, "millstream_query_lag_records", &[&label]);
    until(&ksql, |found| lag(found) == 5.0).await;
    ksql.run(&format!("RESUME {query};")).await;
    let found = until(&ksql, |found| is_in(found, "running") && lag(found) == 0.0).await;
    assert_eq!(sum(&found, "millstream_query_records_read_total", &[&label]), 5.0);
    ksql.run(&format!("TERMINATE {query};")).await;
    until(&ksql, |found| !found.keys().any(|at| at.contains(&label))).await;
    ksql.stop().await;
}

#[tokio::test]
async fn open_metrics_come_where_they_are_asked_for() {
    let world = World::new().await;
    let ksql = world.server().await;
    let client = crate::world::client();
    let get = async |accept: &str| {
        let asked = client.get(format!("{}/metrics", ksql.url())).header("accept", accept);
        let response = asked.send().await.unwrap();
        let of_type = response.headers()["content-type"].to_str().unwrap().to_owned();
        (of_type, response.text().await.unwrap())
    };
    let (of_type, text) = get("*/*").await;
    assert_eq!(of_type, "text/plain; version=0.0.4; charset=utf-8");
    assert!(text.contains("\n# TYPE process_cpu_seconds_total counter\n"), "{text}");
    let (of_type, text) = get("application/openmetrics-text;version=1.0.0,text/plain;q=0.5").await;
    assert_eq!(of_type, "application/openmetrics-text; version=1.0.0; charset=utf-8");
    assert!(text.contains("\n# TYPE process_cpu_seconds counter\n"), "{text}");
    assert!(text.ends_with("\n# EOF\n"));
    ksql.stop().await;
}

/// What the server tells at a path.
async fn seen(ksql: &Ksql, path: &str) -> Value {
    let (status, text) = ksql.get(path).await;
    assert_eq!(status, 200, "{text}");
    serde_json::from_str(&text).unwrap()
}

/// What the server tells of its figures.
async fn figures(ksql: &Ksql, asked: &str) -> Value {
    seen(ksql, &format!("/v1/millstream/figures{asked}")).await
}

/// Waits until what is told at a path is as it is to be.
pub(crate) async fn seen_until(ksql: &Ksql, path: &str, is_so: impl Fn(&Value) -> bool) -> Value {
    for _ in 0..LOOKS_MAX {
        let found = seen(ksql, path).await;
        if is_so(&found) {
            return found;
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
    panic!("{:#}", seen(ksql, path).await);
}

/// Waits until figures are as they are to be.
async fn figures_until(ksql: &Ksql, asked: &str, is_so: impl Fn(&Value) -> bool) -> Value {
    seen_until(ksql, &format!("/v1/millstream/figures{asked}"), is_so).await
}

/// The topic of a name.
fn topic<'f>(figures: &'f Value, name: &str) -> &'f Value {
    let mut topics = figures["topics"].as_array().unwrap().iter();
    topics.find(|topic| topic["name"] == name).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_known_skew_is_read_off_a_topic_that_a_query_reads_and_one_that_none_does() {
    let world = World::new().await;
    let ksql = world.server().await;
    for name in ["readings", "unread"] {
        ksql.run(&format!(
            "CREATE STREAM {name} (device VARCHAR KEY, n INT) WITH (KAFKA_TOPIC='{name}', PARTITIONS=3, VALUE_FORMAT='JSON');"
        ))
        .await;
    }
    let query = made(&ksql, "CREATE STREAM large AS SELECT * FROM readings;").await;
    // Growth is counted from when it was first seen.
    figures_until(&ksql, "", |figures| {
        figures["topics"].as_array().unwrap().iter().any(|topic| topic["name"] == "unread")
    })
    .await;
    let producer = Producer::new(&world.cluster());
    for name in ["readings", "unread"] {
        for (partition, records) in [(0, 90), (1, 5), (2, 5)] {
            for _ in 0..records {
                let record = NewRecord::new(1, Some(b"k"), Some(b"{\"N\":1}"));
                producer.send(name, partition, record).await.unwrap();
            }
        }
    }
    producer.flush().await.unwrap();
    let counts = |figures: &Value, name: &str| -> Vec<i64> {
        let partitions = topic(figures, name)["partitions"].as_array().unwrap().iter();
        partitions.map(|partition| partition["records"].as_i64().unwrap()).collect()
    };
    let found = figures_until(&ksql, "", |figures| {
        counts(figures, "readings") == [90, 5, 5] && counts(figures, "unread") == [90, 5, 5]
    })
    .await;
    let (read, unread) = (topic(&found, "readings"), topic(&found, "unread"));
    assert_eq!((&read["counted"], &unread["counted"]), (&json!("records"), &json!("offsets")));
    for topic in [read, unread] {
        assert_eq!(topic["variation"], 1.202);
        assert_eq!(topic["partitions"][0]["share"], 0.9);
        assert_eq!(topic["partitions"][2]["share"], 0.05);
        assert_eq!(topic["partitions"][0]["end"], 90);
    }
    assert!(read["partitions"][0]["bytes"].as_i64().unwrap() > 90);
    assert_eq!(unread["partitions"][0]["bytes"], Value::Null);
    // Who looks later sees when they came: the points of the rates are as many records as there were.
    let found = figures_until(&ksql, &format!("?query={query}"), |figures| {
        let over_time = &figures["queries"][0]["over_time"];
        let sum = |name: &str| -> f64 {
            over_time[name].as_array().unwrap().iter().filter_map(Value::as_f64).sum()
        };
        (sum("read_per_second") - 100.0).abs() < 20.0
    })
    .await;
    assert_eq!(found["queries"][0]["sink"], "LARGE");
    assert_eq!(found["queries"][0]["lag"], 0);
    let points = found["points"]["count"].as_u64().unwrap();
    assert_eq!(found["queries"][0]["over_time"]["lag"].as_array().unwrap().len() as u64, points);
    assert_eq!(
        topic(&found, "readings")["partitions"][0]["over_time"]["records_per_second"],
        json!([])
    );
    ksql.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn figures_of_others_ask_in_known_words() {
    let world = World::new().await;
    let ksql = world.server().await;
    let (status, text) = ksql.get("/v1/millstream/figures?step=5").await;
    assert_eq!(status, 400);
    assert!(text.contains("step=5: expected 1 or 10 (seconds)"), "{text}");
    let found = figures(&ksql, "?step=10&since=0").await;
    assert_eq!(found["points"]["step_ms"], 10_000);
    assert_eq!(found["queries"], json!([]));
    ksql.stop().await;
}

#[tokio::test]
async fn alerts_and_dashboards_name_figures_that_there_are() {
    let world = World::new().await;
    let ksql = world.server().await;
    let (_, text) = ksql.get("/metrics").await;
    let there: BTreeSet<&str> =
        text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next()).collect();
    let compose = Path::new(env!("CARGO_MANIFEST_DIR")).join("compose");
    let mut named = BTreeSet::new();
    for file in ["alerts.yaml", "grafana/millstream.json"] {
        let text = std::fs::read_to_string(compose.join(file)).unwrap();
        let is_of_name = |c: char| c.is_ascii_lowercase() || c == '_';
        let words = text.split(|c: char| !is_of_name(c)).map(str::to_owned);
        let is_figure =
            |word: &String| word.starts_with("millstream_") || word.starts_with("process_");
        let before = named.len();
        named.extend(words.filter(is_figure));
        assert!(named.len() > before, "{file} names no figure");
    }
    for name in &named {
        let name = name.strip_suffix("_bucket").unwrap_or(name);
        assert!(there.contains(name), "there is no {name}");
    }
    ksql.stop().await;
}

/// The program with some arguments, and what it says.
async fn program(arguments: &[&str]) -> (Option<i32>, String, String) {
    let mut program = std::process::Command::new(env!("CARGO_BIN_EXE_millstream"));
    program.args(arguments).stdin(std::process::Stdio::null());
    let output = tokio::task::spawn_blocking(move || program.output()).await.unwrap().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_container_asks_whether_its_server_is_healthy() {
    let folder = tempfile::tempdir().unwrap();
    let users = folder.path().join("users");
    std::fs::write(&users, "ada: secret, admin\n").unwrap();
    let world = World::new().await;
    let properties = [
        ("authentication.method", "BASIC"),
        ("authentication.password.file", users.to_str().unwrap()),
    ];
    let ksql = world.server_with(&properties).await;
    let url = ksql.url();
    let (code, _, error) = program(&["healthcheck", &url]).await;
    assert_eq!(code, Some(1));
    assert!(error.starts_with("unhealthy: "), "{error}");
    let login = ["healthcheck", &url, "--user", "ada", "--password", "secret"];
    assert_eq!(program(&login).await, (Some(0), String::new(), String::new()));
    // The figures are behind the same door.
    assert_eq!(ksql.get("/metrics").await.0, 401);
    assert_eq!(ksql.get("/v1/millstream/figures").await.0, 401);
    let (code, _, error) = program(&["healthcheck", &url, "--property", "a=b"]).await;
    assert_eq!(
        (code, error.as_str()),
        (Some(1), "unhealthy: --property a=b: expected one of the connection, ssl.…\n")
    );
    ksql.stop().await;
    let (code, _, error) = program(&login).await;
    assert_eq!(code, Some(1));
    assert!(error.starts_with("unhealthy: cannot talk to "), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_script_reads_what_queries_do() {
    let world = World::new().await;
    let ksql = world.server().await;
    ksql.run(READINGS).await;
    let query = made(&ksql, LARGE).await;
    ksql.run("INSERT INTO readings VALUES ('a', 11); INSERT INTO readings VALUES ('a', 1);").await;
    until(&ksql, |found| sum(found, "millstream_query_records_read_total", &[]) == 2.0).await;
    let url = ksql.url();
    let (code, shown, error) = program(&["top", &url, "--once", "--sort", "name"]).await;
    assert_eq!((code, error.as_str()), (Some(0), ""));
    let mut lines = shown.lines();
    let address = url.trim_start_matches("http://");
    assert!(lines.next().unwrap().starts_with(&format!("{address}  1 query")), "{shown}");
    let row = lines.find(|line| line.starts_with(&query)).unwrap();
    assert!(row.contains("  running  "), "{row}");
    let topic = lines.find(|line| line.starts_with("readings ")).unwrap();
    assert!(topic.ends_with("  records"), "{topic}");
    ksql.stop().await;
    let (code, _, error) = program(&["top", &url, "--once"]).await;
    assert_eq!(code, Some(1));
    assert!(error.starts_with("error: cannot talk to "), "{error}");
}
