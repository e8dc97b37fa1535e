//! Clients that want no answer, or too many: what they cost ends with their limits, and others are answered meanwhile.

use std::time::Duration;

use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::connections::connect;
use crate::world::{Ksql, PATIENCE, World};

/// All that comes until the server ends the connection; so it has to.
async fn until_end(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    let read = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut bytes)).await;
    // An end may come as a reset, where something was not read.
    let _ = read.expect("an end of the connection");
    String::from_utf8_lossy(&bytes).into_owned()
}

/// What is answered to bytes until the server ends the connection.
async fn answer(ksql: &Ksql, request: &[u8]) -> String {
    let mut stream = connect(ksql).await;
    stream.write_all(request).await.unwrap();
    until_end(&mut stream).await
}

/// The statuses of an answer.
fn statuses(answer: &str) -> Vec<&str> {
    let statuses = answer.match_indices("HTTP/1.1 ").map(|(at, start)| &answer[at + start.len()..]);
    statuses.map(|status| status.get(..3).unwrap_or(status)).collect()
}

async fn is_alive(ksql: &Ksql) {
    assert_eq!(ksql.get("/chc/live").await.0, 200);
}

/// A second request, which must not be taken for one of another client's.
const SMUGGLED: &str = "GET /smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n";

#[tokio::test(flavor = "multi_thread")]
async fn requests_of_uncertain_length_are_refused_with_all_behind_them() {
    let world = World::new().await;
    let ksql = world.server().await;
    let body = "{\"ksql\":\"SHOW STREAMS;\"}";
    let length = body.len();
    let chunk = format!("{length:x}\r\n{body}\r\n0\r\n\r\n");
    let heads = [
        format!("Content-Length: {length}\r\nTransfer-Encoding: chunked\r\n\r\n{chunk}"),
        format!("Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n{chunk}"),
        format!("Content-Length: {length}\r\nContent-Length: 0\r\n\r\n{body}"),
        format!("Content-Length: {length}\r\nContent-Length: {length}\r\n\r\n{body}"),
        format!("Content-Length: {length}, {length}\r\n\r\n{body}"),
        format!("Content-Length: +{length}\r\n\r\n{body}"),
        format!("Content-Length: -1\r\n\r\n{body}"),
        format!("Content-Length: 99999999999999999999\r\n\r\n{body}"),
        format!("Content-Length : {length}\r\n\r\n{body}"),
        format!(" Content-Length: {length}\r\n\r\n{body}"),
        format!("A: b\r\n Content-Length: {length}\r\n\r\n{body}"),
        format!("Content-Length: {length}\n\n{body}"),
        format!("A: b\rContent-Length: {length}\r\n\r\n{body}"),
        format!("Transfer-Encoding: chunked, identity\r\n\r\n{chunk}"),
        format!("Transfer-Encoding: identity\r\n\r\n{chunk}"),
        format!("Transfer-Encoding: gzip, chunked\r\n\r\n{chunk}"),
        format!("Transfer-Encoding: xchunked\r\n\r\n{chunk}"),
        format!("Transfer-Encoding:\u{b}chunked\r\n\r\n{chunk}"),
        format!("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n{chunk}"),
        format!("Transfer-Encoding : chunked\r\n\r\n{chunk}"),
        format!(
            "Upgrade: x\r\nConnection: upgrade\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n{body}"
        ),
    ];
    for head in heads {
        let request = format!("POST /ksql HTTP/1.1\r\nHost: localhost\r\n{head}{SMUGGLED}");
        let answer = answer(&ksql, request.as_bytes()).await;
        assert_eq!(statuses(&answer), ["400"], "{request}\n{answer}");
        is_alive(&ksql).await;
    }
    ksql.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn parts_of_uncertain_length_are_refused_with_all_behind_them() {
    let world = World::new().await;
    let ksql = world.server().await;
    let body = "{\"ksql\":\"SHOW STREAMS;\"}";
    let length = body.len();
    let parts = [
        format!("{length:x}\n{body}\r\n0\r\n\r\n"),
        format!("{length:x};a=\n{body}\r\n0\r\n\r\n"),
        format!("0x{length:x}\r\n{body}\r\n0\r\n\r\n"),
        format!("+{length:x}\r\n{body}\r\n0\r\n\r\n"),
        format!("{length:x}\r\n{body}xx0\r\n\r\n"),
        format!("ffffffffffffffff\r\n{body}\r\n0\r\n\r\n"),
        format!("1{length:016x}\r\n{body}\r\n0\r\n\r\n"),
        format!("\r\n{body}\r\n0\r\n\r\n"),
        format!("-1\r\n{body}\r\n0\r\n\r\n"),
        format!("{length:x}{}\r\n{body}\r\n0\r\n\r\n", ";a=b".repeat(5_000)),
    ];
    for parts in parts {
        let request = format!(
            "POST /ksql HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n{parts}{SMUGGLED}"
        );
        let answer = answer(&ksql, request.as_bytes()).await;
        assert_eq!(statuses(&answer), ["400"], "{request:.200}\n{answer}");
    }
    is_alive(&ksql).await;
    ksql.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_behind_each_other_are_answered_in_their_order() {
    let world = World::new().await;
    let ksql = world.server().await;
    let body = "{\"ksql\":\"SHOW TYPES;\"}";
    let (first, rest) = body.split_at(5);
    let get = "GET /chc/live HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let post = format!(
        "POST /ksql HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let chunked = format!(
        "POST /ksql HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n{:x};a=b;c=\"d\"\r\n{first}\r\n{:X}\r\n{rest}\r\n\
         0\r\nTrailer: x\r\n\r\n",
        first.len(),
        rest.len()
    );
    let nothing = "GET /nothing HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    let requests = [get, &post, &chunked, get, &chunked, &post, nothing].concat();
    let answer = answer(&ksql, requests.as_bytes()).await;
    assert_eq!(statuses(&answer), ["200", "200", "200", "200", "200", "200", "404"], "{answer}");
    assert_eq!(answer.matches("\"@type\":\"type_list\"").count(), 4, "{answer}");
    ksql.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn heads_that_are_none_end_their_connection() {
    let world = World::new().await;
    let ksql = world.server().await;
    let long = |name: &str, bytes: usize| {
        format!(
            "GET /chc/live HTTP/1.1\r\nHost: localhost\r\n{name}: {}\r\n\r\n",
            "x".repeat(bytes)
        )
    };
    let many = "h: x\r\n".repeat(1_000);
    let heads: &[(String, &[&str])] = &[
        (long("a", 100 << 10), &["431"]),
        (long("a", 10 << 20), &["431"]),
        (
            format!("GET /{} HTTP/1.1\r\nHost: localhost\r\n\r\n", "x".repeat(100 << 10)),
            &["414", "431"],
        ),
        (format!("GET /chc/live HTTP/1.1\r\n{many}\r\n"), &["431"]),
        ("GET /chc/live HTTP/1.1\nHost: localhost\n\n".to_owned(), &["400"]),
        ("GET /chc/live HTTP/9.9\r\n\r\n".to_owned(), &["400", "505"]),
        ("GET  /chc/live  HTTP/1.1\r\n\r\n".to_owned(), &["400"]),
        ("G\u{0}T /chc/live HTTP/1.1\r\n\r\n".to_owned(), &["400"]),
        ("\u{16}\u{3}\u{1}\u{2}\u{0}\u{1}\u{0}\u{1}\u{fc}\r\n\r\n".to_owned(), &["400"]),
    ];
    for (head, expected) in heads {
        let mut stream = connect(&ksql).await;
        // It may be refused while it is still sent.
        let _ = stream.write_all(head.as_bytes()).await;
        let answer = until_end(&mut stream).await;
        let statuses = statuses(&answer);
        let is_reset = statuses.is_empty() && head.len() > 1 << 20;
        assert!(
            is_reset || (statuses.len() == 1 && expected.contains(&statuses[0])),
            "{head:.100}\n{answer}"
        );
        is_alive(&ksql).await;
    }
    ksql.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_speaks_tls_to_a_plain_port_hears_that_it_is_none() {
    let world = World::new().await;
    let ksql = world.server().await;
    let roots = rustls::RootCertStore::empty();
    let client =
        rustls::ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    let connector = TlsConnector::from(std::sync::Arc::new(client));
    let name = rustls_pki_types::ServerName::try_from("localhost").unwrap();
    let shaken =
        tokio::time::timeout(PATIENCE, connector.connect(name, connect(&ksql).await)).await;
    assert!(shaken.unwrap().is_err());
    is_alive(&ksql).await;
    ksql.stop().await;
}

/// Requests that have begun: where in them a client stops.
const BEGUN: &[&str] = &[
    "",
    "POST /ks",
    "POST /ksql HTTP/1.1\r\nHost: localhost\r\nConte",
    "POST /ksql HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n",
    "POST /query HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{\"ksql\":",
    "POST /query-stream HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n5",
    "POST /ksql/terminate HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{",
    "GET /chc/live HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n",
    "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0\0\0\u{40}\x01\0\0\0\0\x01",
];

#[tokio::test(flavor = "multi_thread")]
async fn requests_that_stop_in_the_middle_keep_nobody_waiting() {
    let world = World::new().await;
    let few = ("ksql.server.max.concurrent.requests", "2");
    let ksql = world.server_with(&[few]).await;
    let mut hanging = Vec::new();
    for _ in 0..20 {
        for begun in BEGUN {
            let mut stream = connect(&ksql).await;
            stream.write_all(begun.as_bytes()).await.unwrap();
            hanging.push(stream);
        }
        ksql.run("SHOW STREAMS;").await;
    }
    // Those go on that want to, a byte after the other.
    let body = "{\"ksql\":\"SHOW TYPES;\"}";
    let mut slow = connect(&ksql).await;
    let request = format!(
        "POST /ksql HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    for byte in request.bytes() {
        slow.write_all(&[byte]).await.unwrap();
        tokio::task::yield_now().await;
    }
    assert_eq!(statuses(&until_end(&mut slow).await), ["200"]);
    drop(hanging);
    ksql.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_of_rows_that_never_begin_keep_nobody_waiting() {
    let world = World::new().await;
    let few = ("ksql.server.max.concurrent.requests", "2");
    let ksql = world.server_with(&[few]).await;
    let client = reqwest::Client::builder().http2_prior_knowledge().build().unwrap();
    let mut hanging = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let request = client.post(format!("{}/inserts-stream", ksql.url()));
        hanging.spawn(request.body(reqwest::Body::wrap(Never)).send());
        ksql.run("SHOW STREAMS;").await;
    }
    hanging.abort_all();
    ksql.stop().await;
}

/// A body of which nothing ever comes.
struct Never;

impl http_body::Body for Never {
    type Data = bytes::Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<http_body::Frame<bytes::Bytes>, Self::Error>>> {
        std::task::Poll::Pending
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn web_sockets_are_clients_like_others() {
    let world = World::new().await;
    // One is for the client that makes the topic, which keeps it.
    let ksql = world.server_with(&[("ksql.server.max.connections", "2")]).await;
    ksql.run("CREATE STREAM x (n INT) WITH (KAFKA_TOPIC='x', PARTITIONS=1, FORMAT='JSON');").await;
    let ask = "GET /ws/query?request=%7B%22ksql%22%3A%22PRINT%20x%3B%22%7D HTTP/1.1\r\nHost: localhost\r\n\
               Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
               Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    let mut socket = connect(&ksql).await;
    socket.write_all(ask.as_bytes()).await.unwrap();
    crate::connections::read_until(&mut socket, b"101 Switching Protocols").await;
    let mut second = connect(&ksql).await;
    second.write_all(b"GET /chc/live HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
    let early = tokio::time::timeout(Duration::from_millis(300), second.read_u8()).await;
    assert!(early.is_err(), "it was answered");
    drop(socket);
    crate::connections::read_until(&mut second, b"HTTP/1.1 200 OK").await;
    drop(second);
    ksql.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_that_are_never_read_keep_nobody_waiting() {
    let world = World::new().await;
    let ksql = world.server().await;
    ksql.run("CREATE STREAM s (n INT, text VARCHAR) WITH (KAFKA_TOPIC='s', PARTITIONS=1, FORMAT='JSON');").await;
    let row = |n| format!("INSERT INTO s VALUES ({n}, '{}');", "x".repeat(10_000));
    let insert = (0..300).map(row).collect::<String>();
    ksql.run(&insert).await;
    let earliest = json!({ "auto.offset.reset": "earliest" });
    let push = json!({ "ksql": "SELECT * FROM s EMIT CHANGES;", "streamsProperties": earliest });
    let pull = json!({ "ksql": "SELECT * FROM s;" });
    let print = json!({ "ksql": "PRINT s FROM BEGINNING;" });
    let mut silent = Vec::new();
    for _ in 0..10 {
        for body in [&push, &pull, &print] {
            let body = body.to_string();
            let mut stream = connect(&ksql).await;
            let head = format!(
                "POST /query HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n\r\n",
                body.len()
            );
            stream.write_all((head + &body).as_bytes()).await.unwrap();
            silent.push(stream);
        }
    }
    ksql.run(&insert).await;
    let rows = ksql.query("SELECT n FROM s EMIT CHANGES LIMIT 600;").await;
    assert_eq!(rows.len(), 601);
    let rows = ksql.query("SELECT n FROM s;").await;
    assert_eq!(rows.len(), 601);
    // They go, and nothing is left of them.
    drop(silent);
    loop {
        let queries = ksql.run("SHOW QUERIES;").await;
        if queries[0]["queries"] == json!([]) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    ksql.stop().await;
}
