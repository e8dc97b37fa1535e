//! More queries at once than there may be: each is answered or refused, and none is forgotten.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::connections::{connect, read_until};
use crate::world::{Ksql, PATIENCE, World};

const READINGS: &str = "CREATE STREAM readings (device VARCHAR KEY, n INT, text VARCHAR) WITH (KAFKA_TOPIC='readings', \
                        PARTITIONS=2, VALUE_FORMAT='JSON');";

/// Lets clients ask all at the same time; their answers.
async fn ask_all(ksql: &Ksql, count: usize, path: &str, body: &Value) -> Vec<(u16, String)> {
    let client = reqwest::Client::new();
    let together = Arc::new(tokio::sync::Barrier::new(count));
    let mut clients = JoinSet::new();
    for _ in 0..count {
        let request = client.post(format!("{}{path}", ksql.url())).body(body.to_string());
        let together = Arc::clone(&together);
        clients.spawn(async move {
            together.wait().await;
            let response = request.send().await.unwrap();
            (response.status().as_u16(), response.text().await.unwrap())
        });
    }
    tokio::time::timeout(PATIENCE, clients.join_all()).await.expect("an answer to each")
}

#[tokio::test(flavor = "multi_thread")]
async fn pull_queries_are_answered_or_refused() {
    let world = World::new().await;
    let ksql = world.server_with(&[("ksql.server.max.concurrent.requests", "8")]).await;
    ksql.run(READINGS).await;
    ksql.run("CREATE TABLE hits AS SELECT device, COUNT(*) AS n FROM readings GROUP BY device;")
        .await;
    let rows = |n| format!("INSERT INTO readings VALUES ('d{n}', {n}, 'x');");
    ksql.run(&(0..100).map(rows).collect::<String>()).await;
    while ksql.query("SELECT * FROM hits;").await.len() < 101 {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    for sql in [
        "SELECT * FROM hits;",
        "SELECT * FROM hits WHERE device = 'd7';",
        "SELECT * FROM readings;",
    ] {
        let answers = ask_all(&ksql, 300, "/query-stream", &json!({ "sql": sql })).await;
        let alone = ksql.query(sql).await.len();
        for (status, text) in &answers {
            match status {
                200 => assert_eq!(text.lines().count(), alone, "{text}"),
                429 => assert!(text.contains("\"error_code\":42900"), "{text}"),
                _ => panic!("{status} {text}"),
            }
        }
        assert!(answers.iter().any(|(status, _)| *status == 200));
        assert_eq!(ksql.run("SHOW QUERIES;").await[0]["queries"].as_array().unwrap().len(), 1);
    }
    ksql.stop().await;
}

/// Begins a query whose rows come as they are made; nothing of it is read but its beginning.
async fn begin(ksql: &Ksql, sql: &str) -> TcpStream {
    let body = json!({ "sql": sql }).to_string();
    let head = format!(
        "POST /query-stream HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    let mut stream = connect(ksql).await;
    stream.write_all((head + &body).as_bytes()).await.unwrap();
    read_until(&mut stream, b"\r\n\r\n").await;
    stream
}

#[tokio::test(flavor = "multi_thread")]
async fn push_queries_beyond_the_limit_are_refused_until_others_end() {
    let world = World::new().await;
    let ksql = world.server_with(&[("ksql.max.push.queries", "10")]).await;
    ksql.run(READINGS).await;
    let sql = "SELECT * FROM readings EMIT CHANGES;";
    for _ in 0..3 {
        let mut running = Vec::new();
        for _ in 0..10 {
            running.push(begin(&ksql, sql).await);
        }
        for (status, text) in ask_all(&ksql, 20, "/query-stream", &json!({ "sql": sql })).await {
            assert_eq!(status, 400, "{text}");
            assert!(text.contains("exceed the configured limit of 10"), "{text}");
        }
        drop(running);
        while ksql.run("SHOW QUERIES;").await[0]["queries"] != json!([]) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
    ksql.stop().await;
}

/// What a query sees of all rows that are written, until it has seen the last.
async fn see_all(mut response: reqwest::Response, last: i64) -> usize {
    let (mut seen, mut rest) = (0, Vec::new());
    while let Some(bytes) = response.chunk().await.unwrap() {
        rest.extend_from_slice(&bytes);
        while let Some(at) = rest.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = rest.drain(..=at).collect();
            let row: Value = serde_json::from_slice(&line).unwrap();
            if row.is_array() {
                seen += 1;
                if row[0] == last {
                    return seen;
                }
            }
        }
    }
    panic!("it ended after {seen} rows")
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_that_never_read_do_not_slow_others() {
    const READING: usize = 950;
    const STREAMS: usize = 95;
    const SILENT: usize = 50;
    const ROWS: i64 = 60;
    let world = World::new().await;
    let ksql = world.server_with(&[("ksql.max.push.queries", "1000")]).await;
    ksql.run(&READINGS.replace("PARTITIONS=2", "PARTITIONS=1")).await;
    let mut silent = Vec::new();
    for _ in 0..SILENT {
        silent.push(begin(&ksql, "SELECT * FROM readings EMIT CHANGES;").await);
    }
    // A connection's client ends it where too many of its rows wait to be read: on a busy machine it may read none for long.
    let connect = || reqwest::Client::builder().http2_prior_knowledge().build().unwrap();
    let clients: Vec<reqwest::Client> = (0..READING / STREAMS).map(|_| connect()).collect();
    let mut reading = JoinSet::new();
    for client in clients.iter().cycle().take(READING) {
        let body = json!({ "sql": "SELECT n FROM readings EMIT CHANGES;" }).to_string();
        let response = client.post(format!("{}/query-stream", ksql.url())).body(body).send();
        let response = response.await.unwrap();
        assert_eq!(response.status(), 200);
        reading.spawn(see_all(response, ROWS - 1));
    }
    // More than a connection and what waits for it hold.
    let text = "x".repeat(100_000);
    for n in 0..ROWS {
        ksql.run(&format!("INSERT INTO readings VALUES ('d', {n}, '{text}');")).await;
    }
    let seen = tokio::time::timeout(PATIENCE * 4, reading.join_all()).await.expect("all rows");
    assert!(seen.iter().all(|seen| *seen == ROWS as usize), "{seen:?}");
    drop(silent);
    ksql.stop().await;
}
