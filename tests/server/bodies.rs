//! Bodies that no client means: whatever is sent, the answer is one of ksqlDB's, and the server goes on.
//!
//! `MILLSTREAM_SEED` begins with another seed than a random one; `MILLSTREAM_LONG` makes it go on for longer.

use std::fmt::Write as _;
use std::hash::{BuildHasher as _, RandomState};

use proptest::prelude::{Just, Strategy, any, prop};
use proptest::prop_oneof;
use proptest::strategy::{Union, ValueTree as _};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::Value;

use crate::world::{Ksql, World};

/// What bodies are sent to, and the fields that are read of them.
const PATHS: &[(&str, &[&str])] = &[
    ("/ksql", KSQL),
    ("/query", KSQL),
    ("/query-stream", &["sql", "properties", "sessionVariables", "requestProperties"]),
    ("/close-query", &["queryId"]),
    ("/inserts-stream", &["target", "properties"]),
    ("/ws/query", KSQL),
    ("/heartbeat", &["hostInfo", "timestamp"]),
    ("/nowhere", &[]),
];

const KSQL: &[&str] = &[
    "ksql",
    "streamsProperties",
    "sessionVariables",
    "requestProperties",
    "commandSequenceNumber",
];

/// Statements that end, some of them well.
const STATEMENTS: &[&str] = &[
    "SHOW STREAMS;",
    "SELECT * FROM readings;",
    "SELECT * FROM readings EMIT CHANGES LIMIT 0;",
    "SELECT ${v} FROM readings;",
    "INSERT INTO readings VALUES ('${v}', 1);",
    "PRINT readings FROM BEGINNING LIMIT 0;",
    "PRINT nope;",
    "DESCRIBE nope;",
    "EXPLAIN SELECT n FROM readings EMIT CHANGES;",
    "SET 'auto.offset.reset'='earliest'; UNSET 'x'; DEFINE v = 'x'; UNDEFINE w;",
    "CREATE STREAM readings (n INT) WITH (KAFKA_TOPIC='readings', FORMAT='JSON');",
    "DROP STREAM IF EXISTS nope; TERMINATE nope;",
    "SELECT '",
    "/* ",
    "`",
    "😀;",
    "\u{0};",
    "readings",
    "",
];

/// What JSON has at the edges of its language, and a little beyond.
const SCALARS: &[&str] = &[
    "null",
    "true",
    "0",
    "-0",
    "-1",
    "00",
    "1e999999999",
    "1E-400",
    "9223372036854775808",
    "-9223372036854775809",
    "123456789012345678901234567890123456789012345678901234567890",
    "0.1000000000000000055511151231257827",
    "NaN",
    "Infinity",
    "\"\"",
    r#""\ud800""#,
    r#""\udc00\ud800""#,
    r#""\u0000""#,
    r#""\x""#,
    "\"\u{1}\"",
    "'x'",
    "undefined",
    "/* c */ 1",
];

/// A string as JSON has it.
fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap()
}

/// A value, which may be none that JSON knows.
fn value() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        4 => prop::sample::select(SCALARS).prop_map(str::to_owned),
        3 => prop::sample::select(STATEMENTS).prop_map(quoted),
        1 => any::<String>().prop_map(|text| quoted(&text)),
        1 => (1..4_000_usize).prop_map(|depth| "[".repeat(depth) + &"]".repeat(depth)),
        1 => (1..4_000_usize).prop_map(|depth| "{\"a\":".repeat(depth)),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        let name = prop_oneof![
            prop::sample::select(&["auto.offset.reset", "v", "ksql.service.id", "a"][..])
                .prop_map(quoted),
            any::<String>().prop_map(|text| quoted(&text)),
        ];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4)
                .prop_map(|items| format!("[{}]", items.join(","))),
            prop::collection::vec((name, inner), 0..4).prop_map(|fields| object(&fields)),
        ]
    })
}

fn object(fields: &[(String, String)]) -> String {
    let mut text = "{".to_owned();
    for (at, (name, value)) in fields.iter().enumerate() {
        let comma = if at == 0 { "" } else { "," };
        write!(text, "{comma}{name}:{value}").unwrap();
    }
    text + "}"
}

/// An object with the fields that are read, some of them twice; most have a statement where one belongs.
fn request(names: &'static [&'static str]) -> impl Strategy<Value = String> {
    let first = names.first().map_or("a", |name| *name);
    let statement =
        prop::sample::select(STATEMENTS).prop_map(move |text| (quoted(first), quoted(text)));
    let field = if names.is_empty() {
        value().prop_map(|value| (quoted("a"), value)).boxed()
    } else {
        (prop::sample::select(names), value())
            .prop_map(|(name, value)| (quoted(name), value))
            .boxed()
    };
    (prop::option::weighted(0.8, statement), prop::collection::vec(field, 0..4)).prop_map(
        |(statement, mut fields)| {
            fields.extend(statement);
            object(&fields)
        },
    )
}

/// Bytes that are cut, or have others put in.
fn damaged(text: String, damage: Option<(usize, Vec<u8>)>) -> Vec<u8> {
    let mut bytes = text.into_bytes();
    if let Some((at, put)) = damage {
        let at = at % (bytes.len() + 1);
        if put.is_empty() {
            bytes.truncate(at);
        } else {
            bytes.splice(at..at, put);
        }
    }
    bytes
}

/// A path, and a body for it.
fn sent() -> impl Strategy<Value = (&'static str, Vec<u8>)> {
    let each = PATHS.iter().map(|(path, names)| {
        let text = prop_oneof![
            6 => request(names),
            1 => value(),
            1 => Just(String::new()),
        ];
        let damage = (any::<usize>(), prop::collection::vec(any::<u8>(), 0..3));
        let written = (text, prop::option::weighted(0.3, damage))
            .prop_map(|(text, damage)| damaged(text, damage));
        let noise = prop::collection::vec(any::<u8>(), 0..200);
        prop_oneof![8 => written, 1 => noise].prop_map(move |body| (*path, body)).boxed()
    });
    Union::new(each)
}

/// Sends a body; the status and the answer.
async fn send(ksql: &Ksql, (path, body): &(&'static str, Vec<u8>)) -> (u16, String) {
    if *path == "/ws/query" {
        return ask_socket(ksql, body).await;
    }
    let client = reqwest::Client::builder();
    let client = if *path == "/inserts-stream" { client.http2_prior_knowledge() } else { client };
    let request = client.build().unwrap().post(format!("{}{path}", ksql.url())).body(body.clone());
    let answer = async {
        let response = request.send().await.unwrap();
        (response.status().as_u16(), response.text().await.unwrap())
    };
    tokio::time::timeout(crate::world::PATIENCE, answer).await.expect("an answer")
}

/// The longest parameter that the client puts into an address.
const ADDRESS_BYTES_MAX: usize = 60_000;

/// The same, where the body is a parameter of a web socket's address; one that is too long for that is not sent.
async fn ask_socket(ksql: &Ksql, body: &[u8]) -> (u16, String) {
    let parameter: String = form_urlencoded::byte_serialize(body).collect();
    if parameter.len() > ADDRESS_BYTES_MAX {
        return (200, String::new());
    }
    let path = format!("/ws/query?request={parameter}");
    let messages =
        tokio::time::timeout(crate::world::PATIENCE, crate::streams::messages(ksql, &path));
    let messages = messages.await.expect("an end");
    assert!(messages.last().is_some_and(|last| last.contains(": ")), "{messages:?}");
    (200, String::new())
}

/// What ksqlDB itself calls a fault of its own.
fn is_fault_of_ksqldb(message: &str) -> bool {
    message.is_empty()
        || message.starts_with("Cannot invoke \"io.vertx.core.buffer.Buffer.getBytes()\"")
        || message.starts_with("Not recognizable as ksql, streams, consumer, or producer property")
        || (message.starts_with("Failed to check if exists for topic: ")
            && message.ends_with("an operation on an invalid topic."))
}

/// Whether an answer is one of ksqlDB's.
fn check(path: &str, status: u16, text: &str) -> Result<(), String> {
    let wrong = |what: &str| Err(format!("{what}: {status} {text}"));
    if matches!((path, status), ("/heartbeat" | "/nowhere", 404) | (_, 200 | 405 | 406 | 415)) {
        return Ok(());
    }
    let Ok(told) = serde_json::from_str::<Value>(text) else { return wrong("no JSON") };
    let of_type = told["@type"].as_str().unwrap_or_default();
    if !matches!(of_type, "generic_error" | "statement_error") {
        return wrong("no error of ksqlDB's");
    }
    if told["error_code"].as_u64().is_none_or(|code| code / 100 != u64::from(status)) {
        return wrong("another code than the status");
    }
    match told["message"].as_str() {
        None => wrong("no message"),
        Some(message) if status == 500 && !is_fault_of_ksqldb(message) => wrong("a fault of ours"),
        Some(_) => Ok(()),
    }
}

/// What makes the bodies of a run.
pub(crate) fn runner() -> TestRunner {
    let seed = std::env::var("MILLSTREAM_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed: u64 = seed.unwrap_or_else(|| RandomState::new().hash_one("bodies"));
    eprintln!("MILLSTREAM_SEED={seed}");
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    TestRunner::new_with_rng(Config::default(), TestRng::from_seed(RngAlgorithm::ChaCha, &bytes))
}

/// How many bodies there are.
fn bodies() -> usize {
    if std::env::var_os("MILLSTREAM_LONG").is_some() { 50_000 } else { 1_000 }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_body_has_an_answer_of_ksqldb() {
    let world = World::new().await;
    let soon = ("ksql.server.command.response.timeout.ms", "1");
    let ksql = world.server_with(&[soon]).await;
    ksql.run(
        "CREATE STREAM readings (device VARCHAR KEY, n INT) WITH (KAFKA_TOPIC='readings', PARTITIONS=1, \
         VALUE_FORMAT='JSON');",
    )
    .await;
    let (mut runner, all) = (runner(), sent());
    for _ in 0..bodies() {
        let one = all.new_tree(&mut runner).unwrap().current();
        let (status, text) = send(&ksql, &one).await;
        if let Err(wrong) = check(one.0, status, &text) {
            panic!("{} {:?}\n{wrong}", one.0, String::from_utf8_lossy(&one.1));
        }
    }
    assert_eq!(ksql.run("SHOW STREAMS;").await[0]["streams"][0]["name"], "READINGS");
    ksql.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_is_ended_by_nothing_but_what_ends_it() {
    let world = World::new().await;
    let ksql = world.server().await;
    let lists =
        ["1", "{}", "\"x\"", "[1]", "[null]", "[[]]", "[\"(\"]", "[\"*\"]", "[\"a\", true]"];
    let lists = lists.map(|list| format!("{{\"deleteTopicList\":{list}}}"));
    let others = ["", "[]", "null", "1", "\"x\"", "{", "{\"deleteTopicList\":[\"x\"", "[{}]"];
    for body in lists.iter().map(String::as_str).chain(others) {
        let one = ("/ksql/terminate", body.as_bytes().to_vec());
        let (status, text) = send(&ksql, &one).await;
        assert!(status >= 400, "{body}: {status} {text}");
        check(one.0, status, &text).unwrap();
    }
    assert_eq!(ksql.get("/info").await.0, 200);
    ksql.stop().await;
}
