//! What clients cost the server: its memory and its open files, as Linux tells them.
#![cfg(target_os = "linux")]

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::served::Served;
use crate::support::{Run, World};

/// How often it is looked whether something has come to pass, and how many times.
const LOOK_EVERY: Duration = Duration::from_millis(100);
const LOOKS: u32 = 1_200;

impl Run {
    /// A figure of `/proc/PID/status`.
    fn status(&self, name: &str) -> usize {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        line.unwrap().split_whitespace().next().unwrap().parse().unwrap()
    }

    /// The memory that it has, in KiB.
    fn memory_kib(&self) -> usize {
        self.status("VmRSS")
    }

    fn threads(&self) -> usize {
        self.status("Threads")
    }

    /// How many files it has open, connections among them.
    fn files(&self) -> usize {
        std::fs::read_dir(format!("/proc/{}/fd", self.pid())).unwrap().count()
    }
}

/// Waits until the server has so many files open, or fewer.
async fn wait_for_files(server: &Served, most: usize) {
    for look in 0.. {
        let files = server.run.files();
        if files <= most {
            return;
        }
        assert!(look < LOOKS, "{files} files are open, {most} were");
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

async fn connect(server: &Served, say: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(server.address()).await.unwrap();
    stream.write_all(say).await.unwrap();
    stream
}

/// A connection that was used, and rests: it asks again.
async fn ask_again(stream: &mut TcpStream) {
    stream.write_all(b"GET /chc/live HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
    let mut bytes = Vec::new();
    while !bytes.ends_with(b"{}") {
        let mut part = [0; 1024];
        let length = stream.read(&mut part).await.unwrap();
        assert!(length > 0, "it has ended");
        bytes.extend_from_slice(&part[..length]);
    }
}

/// So many connections, each of which has said something and hangs.
const CROWD: usize = 10_000;

/// What a connection may cost, in KiB: a head that has begun, what is read of it at a time, a body that has, and what HTTP/2
/// and the runtime keep. Without optimisation it is 38 at most.
const CONNECTION_KIB_MAX: usize = 64;

/// How many further threads and files a crowd may cost that has gone again.
const KEPT: usize = 16;

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_connections_cost_what_they_may_and_go() {
    let files = rustix::process::getrlimit(rustix::process::Resource::Nofile);
    let room = files.current.map_or(usize::MAX, |files| files as usize);
    // This process has the other ends, and the broker.
    let crowd = CROWD.min(room.saturating_sub(1_000));
    if crowd < CROWD {
        eprintln!("{crowd} connections instead of {CROWD}: no more files may be open here");
    }
    let world = World::start("crowd").await;
    let most = format!("ksql.server.max.connections={}", crowd + 1);
    let server = world.serve(&[&most]).await;
    let mut resting = connect(&server, b"").await;
    ask_again(&mut resting).await;
    let (memory, files, threads) =
        (server.run.memory_kib(), server.run.files(), server.run.threads());
    let says: [&[u8]; 5] = [
        b"",
        b"POST /ksql HTTP/1.1\r\nHost: localhost\r\nContent-Le",
        b"POST /ksql HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n{",
        b"\x16\x03\x01\x02\x00",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0",
    ];
    for say in says {
        let mut hanging = Vec::new();
        for n in 0..crowd {
            hanging.push(connect(&server, say).await);
            if n % 1_000 == 0 {
                ask_again(&mut resting).await;
            }
        }
        ask_again(&mut resting).await;
        let cost = server.run.memory_kib().saturating_sub(memory);
        eprintln!("{say:?}: {} KiB a connection", cost / crowd);
        assert!(cost <= crowd * CONNECTION_KIB_MAX, "{cost} KiB");
        assert!(server.run.threads() <= threads + KEPT);
        drop(hanging);
        wait_for_files(&server, files + KEPT).await;
    }
    // Those that say nothing are let go by themselves.
    let mut silent = Vec::new();
    for _ in 0..crowd {
        silent.push(connect(&server, b"").await);
    }
    wait_for_files(&server, files + KEPT).await;
    ask_again(&mut resting).await;
    assert_eq!(silent.len(), crowd);
}

/// How many times everything is done that a client does, before and while it is measured.
const WARM_UP: usize = 60;
const ROUNDS: usize = 120;

/// What may be kept of a round, in KiB. It has some fifty requests, so half a KiB that leaks with each is more; what is kept
/// of commands, which have a history, is less.
const KEPT_KIB_A_ROUND: usize = 20;

/// All that clients do, once.
async fn live_a_day(server: &Served, n: usize) {
    let get = async |path: &str| {
        let response = reqwest::get(format!("{}{path}", server.url)).await.unwrap();
        response.text().await.unwrap()
    };
    for path in ["/info", "/healthcheck", "/chc/live", "/status", "/clusterStatus", "/nothing"] {
        get(path).await;
    }
    server
        .tell("CREATE STREAM copy WITH (KAFKA_TOPIC='copy', PARTITIONS=1) AS SELECT * FROM base;")
        .await;
    server.tell(&format!("INSERT INTO base VALUES ('k{}', {n});", n % 10)).await;
    for sql in [
        "SELECT * FROM counts;",
        "SELECT * FROM counts WHERE k = 'k1';",
        "SELECT * FROM base LIMIT 3;",
        "SELECT * FROM base EMIT CHANGES LIMIT 1;",
        "PRINT base FROM BEGINNING LIMIT 1;",
    ] {
        for _ in 0..4 {
            let (status, text) = server.query(sql).await.unwrap();
            assert_eq!(status, 200, "{text}");
        }
    }
    for wrong in ["SELECT * FROM nope;", "SELECT", "CREATE TYPE t AS nope;"] {
        let (status, answer) = server.ask(wrong).await.unwrap();
        assert_eq!(status, 400, "{answer}");
    }
    for statement in ["SHOW QUERIES;", "DESCRIBE copy;", "EXPLAIN SELECT * FROM base EMIT CHANGES;"]
    {
        server.tell(statement).await;
    }
    // Some begin, and go without a word.
    for request in [
        "POST /query-stream HTTP/1.1\r\nHost: localhost\r\nContent-Length: 44\r\n\r\n{\"sql\":\"SELECT * FROM base EMIT CHANGES;\"}  ",
        "POST /ksql HTTP/1.1\r\nHost: localhost\r\nContent-Length: 44\r\n\r\n{",
        "GET / HTTP/1.1\r\nHo",
        "",
    ] {
        for _ in 0..4 {
            drop(connect(server, request.as_bytes()).await);
        }
    }
    server.tell("DROP STREAM copy;").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_clients_have_used_is_given_back() {
    let world = World::start("leaks").await;
    // Figures over time are kept of queries that are gone, too, up to a limit of their own.
    let server = world.serve(&["ksql.millstream.history.max.bytes=0"]).await;
    server
        .tell("CREATE STREAM base (k VARCHAR KEY, n INT) WITH (KAFKA_TOPIC='base', PARTITIONS=1, VALUE_FORMAT='JSON');")
        .await;
    server.tell("CREATE TABLE counts AS SELECT k, COUNT(*) AS n FROM base GROUP BY k;").await;
    server.tell("INSERT INTO base VALUES ('k1', 1);").await;
    let rounds = if std::env::var_os("MILLSTREAM_LONG").is_some() { 20 * ROUNDS } else { ROUNDS };
    for n in 0..WARM_UP {
        live_a_day(&server, n).await;
    }
    let files = server.run.files();
    let mut memory = Vec::new();
    for half in 0..2 {
        for n in 0..rounds {
            live_a_day(&server, half * rounds + n).await;
        }
        memory.push(server.run.memory_kib());
        eprintln!(
            "{} KiB, {} files, {} threads",
            memory[half],
            server.run.files(),
            server.run.threads()
        );
    }
    wait_for_files(&server, files + KEPT).await;
    let kept = memory[1].saturating_sub(memory[0]);
    assert!(kept <= rounds * KEPT_KIB_A_ROUND, "{kept} KiB are kept of {rounds} rounds");
}
