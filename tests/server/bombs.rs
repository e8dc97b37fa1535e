//! Short requests that would cost more than any machine has: each is refused, and costs nobody else anything.

use millstream::expr::STACK_BYTES;
use serde_json::{Value, json};

use crate::world::{Ksql, World};

/// Why statements are refused; the server answers others all the while.
async fn refused(ksql: &Ksql, statements: &str) -> String {
    let (status, answer) = ksql.try_run(statements).await;
    assert_eq!(status, 400, "{answer}");
    assert_eq!(ksql.get("/chc/live").await.0, 200);
    answer["message"].as_str().unwrap().to_owned()
}

/// The names of the types that exist.
async fn types(ksql: &Ksql) -> Value {
    ksql.run("SHOW TYPES;").await[0]["types"].clone()
}

/// A text that is made of parts with the numbers from 1 on.
fn numbered(count: usize, part: impl Fn(usize) -> String) -> String {
    (1..=count).map(part).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn variables_that_double_themselves() {
    let world = World::new().await;
    let ksql = world.server().await;
    let first = format!("DEFINE v0='{}';", "x".repeat(100));
    let doubled = numbered(60, |n| format!("DEFINE v{n}='${{v{m}}}${{v{m}}}';", m = n - 1));
    let message = refused(&ksql, &format!("{first}{doubled}SHOW STREAMS;")).await;
    assert!(message.contains("the values of variables make at most"), "{message}");
    // The same, many times over instead of ever longer.
    let long = format!("DEFINE v='{}';", "x".repeat(1 << 20));
    let copied = numbered(9_000, |n| format!("DEFINE w{n}='${{v}}';"));
    let message = refused(&ksql, &format!("{long}{copied}SHOW STREAMS;")).await;
    assert!(message.contains("the values of variables make at most"), "{message}");
    ksql.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn types_that_double_themselves() {
    let world = World::new().await;
    let ksql = world.server().await;
    let doubled = |n| format!("CREATE TYPE t{n} AS STRUCT<a t{m}, b t{m}>;", m = n - 1);
    let first = "CREATE TYPE t0 AS STRUCT<a INT>;";
    let message = refused(&ksql, &format!("{first}{}", numbered(60, doubled))).await;
    assert!(message.contains("a type has at most 10000 parts"), "{message}");
    assert_eq!(types(&ksql).await, json!({}), "nothing of a batch is run that is refused");
    // One after the other, those exist that are not too large.
    ksql.run(first).await;
    let mut made = 0;
    while ksql.try_run(&doubled(made + 1)).await.0 == 200 {
        made += 1;
    }
    assert_eq!(types(&ksql).await.as_object().unwrap().len(), made + 1);
    let columns = numbered(60, |n| format!(", c{n} t{made}"));
    let message = refused(
        &ksql,
        &format!("CREATE STREAM s (k INT KEY{columns}) WITH (KAFKA_TOPIC='s', PARTITIONS=1, FORMAT='JSON');"),
    )
    .await;
    assert!(message.contains("have at most 100000 parts together"), "{message}");
    ksql.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn types_that_lie_within_each_other() {
    let world = World::new().await;
    let ksql = world.server().await;
    let nested = |n| format!("CREATE TYPE t{n} AS ARRAY<t{m}>;", m = n - 1);
    let statements = format!("CREATE TYPE t0 AS ARRAY<INT>;{}", numbered(1_000, nested));
    let message = refused(&ksql, &statements).await;
    assert!(message.contains("types lie at most 64 deep"), "{message}");
    let deep = format!("CREATE TYPE d AS {}INT{};", "ARRAY<".repeat(50_000), ">".repeat(50_000));
    refused(&ksql, &deep).await;
    assert_eq!(types(&ksql).await, json!({}));
    ksql.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn texts_that_are_too_long() {
    let world = World::new().await;
    let ksql = world.server().await;
    let told = |(status, text): (u16, String)| {
        let told: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(told["@type"], "generic_error");
        (status, told["error_code"].as_u64().unwrap(), told["message"].as_str().unwrap().to_owned())
    };
    let long = |bytes: usize| format!("SELECT '{}' FROM nope;", "x".repeat(bytes));
    for (path, name) in [("/ksql", "ksql"), ("/query", "ksql"), ("/query-stream", "sql")] {
        let (status, code, message) =
            told(ksql.post(path, &json!({ name: long(10 << 20) }), &[]).await);
        assert_eq!((status, code), (413, 41300), "{path}: {message}");
        assert!(message.contains("ksql.server.max.request.bytes"), "{message}");
        // One that is just short enough is read.
        let (status, _) = ksql.post(path, &json!({ name: long(7 << 20) }), &[]).await;
        assert_eq!(status, 400, "{path}");
    }
    // So is one whose length is not told in advance.
    let client = reqwest::Client::builder().http2_prior_knowledge().build().unwrap();
    let url = format!("{}/inserts-stream", ksql.url());
    let response = client.post(url).body("x".repeat(9 << 20)).send().await.unwrap();
    assert_eq!(response.status(), 400);
    ksql.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn statements_without_number() {
    let world = World::new().await;
    let ksql = world.server().await;
    let create = |n| {
        format!("CREATE STREAM s{n} (x INT) WITH (KAFKA_TOPIC='s', PARTITIONS=1, FORMAT='JSON');")
    };
    let message = refused(&ksql, &numbered(50_000, create)).await;
    assert!(message.contains("at most 10000 statements, and this one has 50000"), "{message}");
    let message = refused(&ksql, &"SHOW TYPES;".repeat(100_000)).await;
    assert!(message.contains("at most 10000 statements, and this one has 100000"), "{message}");
    let message = refused(&ksql, &";".repeat(7 << 20)).await;
    assert!(message.contains("at most 10000 statements"), "{message}");
    let message = refused(&ksql, &format!("SELECT {} FROM s;", "a,".repeat(1_000_000))).await;
    assert!(message.contains("at most 500000 words and signs"), "{message}");
    let streams = ksql.run("SHOW STREAMS;").await;
    assert!(!streams.to_string().contains("\"S1\""), "{streams}");
    ksql.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn statements_that_tell_too_much() {
    let world = World::new().await;
    let ksql = world.server().await;
    let message = refused(&ksql, &"SHOW FUNCTIONS;".repeat(10_000)).await;
    assert!(message.contains("An answer has at most 33554432 bytes"), "{message}");
    assert_eq!(ksql.run(&"SHOW FUNCTIONS;".repeat(10)).await.as_array().unwrap().len(), 10);
    ksql.stop().await;
}

/// Has a test run by threads like those of the program.
fn on_deep_stacks<F: Future<Output = ()>>(test: impl FnOnce() -> F + Send + 'static) {
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    let runtime = runtime.enable_all().thread_stack_size(STACK_BYTES).build().unwrap();
    let first = std::thread::Builder::new().stack_size(STACK_BYTES);
    first.spawn(move || runtime.block_on(test())).unwrap().join().unwrap();
}

const S: &str = "CREATE STREAM s (x INT) WITH (KAFKA_TOPIC='s', PARTITIONS=1, FORMAT='JSON');";

#[test]
fn expressions_that_lie_within_each_other() {
    on_deep_stacks(|| async {
        let world = World::new().await;
        let ksql = world.server().await;
        ksql.run(S).await;
        for (open, close) in [
            ("(", ")"),
            ("ABS(", ")"),
            ("ARRAY[", "]"),
            ("STRUCT(a := ", ")"),
            ("CASE WHEN TRUE THEN ", " END"),
            ("- ", ""),
            ("NOT ", ""),
            ("CAST(", " AS INT)"),
            ("TRANSFORM(ARRAY[1], y => ", ")"),
            ("x + ", ""),
            ("", "[1]"),
            ("", "->f"),
        ] {
            for times in [1_001, 40_000] {
                let (before, after) = (open.repeat(times), close.repeat(times));
                refused(&ksql, &format!("CREATE STREAM t AS SELECT {before}x{after} FROM s;"))
                    .await;
            }
        }
        assert_eq!(ksql.run("SHOW QUERIES;").await[0]["queries"], json!([]));
        ksql.stop().await;
    });
}

#[test]
fn the_longest_expressions_that_are_taken_are_run() {
    on_deep_stacks(|| async {
        let world = World::new().await;
        let ksql = world.server().await;
        ksql.run(S).await;
        let sum = format!("x{}", " + x".repeat(999));
        let all = format!("x > 0{}", " AND x > 0".repeat(499));
        let either = format!("x > 1{}", " OR x > 0".repeat(499));
        let nested = format!("{}x{}", "ABS(".repeat(60), ")".repeat(60));
        let select =
            format!("SELECT {sum} AS a, {nested} AS b FROM s WHERE ({all}) AND ({either})");
        ksql.run(&format!("CREATE STREAM t AS {select};")).await;
        ksql.run("INSERT INTO s VALUES (1);").await;
        let rows = ksql.query("SELECT * FROM t EMIT CHANGES LIMIT 1;").await;
        assert_eq!(rows[1], json!([1_000, 1]));
        let rows = ksql.query(&format!("{select} EMIT CHANGES LIMIT 1;")).await;
        assert_eq!(rows[1], json!([1_000, 1]));
        ksql.stop().await;
        // A command of such a length is read again at the next start.
        let ksql = world.server().await;
        ksql.run(&format!("EXPLAIN {select} EMIT CHANGES;")).await;
        assert_eq!(ksql.run("SHOW QUERIES;").await[0]["queries"].as_array().unwrap().len(), 1);
        ksql.stop().await;
    });
}
