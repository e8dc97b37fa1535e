//! Several servers of one service: whichever is asked answers, whichever of them keeps what is asked for.

use std::time::Duration;

use serde_json::{Value, json};

use crate::world::{Ksql, World};

const PAGES: &str = "CREATE TABLE visits (id STRING PRIMARY KEY, page STRING)
    WITH (kafka_topic='visits', value_format='JSON', partitions=2);
    CREATE TABLE pages AS SELECT id, page FROM visits;
    INSERT INTO visits VALUES ('a', 'home'); INSERT INTO visits VALUES ('b', 'cart');";

const ONE: &str = "SELECT * FROM pages WHERE id = 'a';";

/// Asks until the answer is a row, and gives that.
async fn row(ksql: &Ksql) -> Value {
    let mut last = String::new();
    for _ in 0..400 {
        let (status, text) = ksql.post("/query-stream", &json!({ "sql": ONE }), &[]).await;
        if status == 200
            && let Some(row) = text.lines().nth(1)
        {
            return serde_json::from_str(row).unwrap();
        }
        last = text;
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{ONE} never gives a row, last: {last}")
}

/// What a server says of its queries.
async fn states(ksql: &Ksql) -> String {
    ksql.run("SHOW QUERIES;").await[0]["queries"][0]["statusCount"].to_string()
}

/// Two servers, of which the second one stands by.
async fn two(world: &World, further: &[(&str, &str)]) -> (Ksql, Ksql) {
    let first = world.server_among_others(further).await;
    first.run(PAGES).await;
    row(&first).await;
    (first, world.server_among_others(further).await)
}

#[tokio::test]
async fn a_server_that_stands_by_has_the_one_answer_that_runs_the_query() {
    let world = World::new().await;
    let (first, second) = two(&world, &[]).await;
    assert_eq!(row(&second).await, json!(["a", "home"]));
    // Each way to ask has the same answer of both, but for the query's id.
    for (path, text, headers) in [
        ("/query-stream", "sql", &[][..]),
        ("/query-stream", "sql", &[("accept", "application/json")]),
        ("/query-stream", "sql", &[("accept", "application/vnd.ksql.v1+json")]),
        ("/query-stream", "sql", &[("accept", "application/vnd.ksql.v1+protobuf")]),
        ("/query", "ksql", &[]),
        ("/query", "ksql", &[("accept", "application/json")]),
    ] {
        let body = json!({ text: "SELECT page FROM pages WHERE id IN ('b', 'a');" });
        let mut answers = Vec::new();
        for ksql in [&first, &second] {
            let (status, text) = ksql.post(path, &body, headers).await;
            assert_eq!(status, 200, "{path} {headers:?}: {text}");
            let id = text.split("query_").nth(1).map(|rest| rest.split('"').next().unwrap().len());
            answers.push(text.replace(|c: char| c.is_ascii_digit(), ""));
            assert!(id.is_some_and(|len| len > 10), "{text}");
        }
        assert_eq!(answers[0], answers[1], "{path} {headers:?}");
    }
    // What is wrong with the question itself is said by whoever is asked.
    let body = json!({ "sql": "SELECT nothing FROM pages;" });
    let (status, text) = second.post("/query-stream", &body, &[]).await;
    assert_eq!(status, 400, "{text}");

    // Once the first one has gone, the second one has it all.
    first.stop().await;
    assert_eq!(row(&second).await, json!(["a", "home"]));
    assert_eq!(states(&second).await, r#"{"RUNNING":1}"#);
    second.stop().await;
}

#[tokio::test]
async fn values_are_frames_of_their_own_in_http_2_though_another_server_has_them() {
    let world = World::new().await;
    let (first, second) = two(&world, &[]).await;
    row(&second).await;
    let client = reqwest::Client::builder().http2_prior_knowledge().build().unwrap();
    let frames = async |ksql: &Ksql| {
        let request = client.post(format!("{}/query-stream", ksql.url()));
        let body = json!({ "sql": "SELECT * FROM pages;" }).to_string();
        let mut response = request.body(body).send().await.unwrap();
        assert_eq!(response.status(), 200);
        let mut frames = Vec::new();
        while let Some(frame) = response.chunk().await.unwrap() {
            frames.push(frame);
        }
        frames.len()
    };
    // What it is about, each row, and how it ended.
    assert_eq!((frames(&first).await, frames(&second).await), (4, 4));
    first.stop().await;
    second.stop().await;
}

#[tokio::test]
async fn nobody_is_asked_twice_and_who_cannot_be_asked_is_named() {
    let world = World::new().await;
    // A port on which nobody listens.
    let gone = "http://127.0.0.1:1";
    let first = world.server_among_others(&[("ksql.advertised.listener", gone)]).await;
    first.run(PAGES).await;
    row(&first).await;
    let second = world.server_among_others(&[]).await;
    let body = json!({ "sql": ONE });
    let mut said = String::new();
    for _ in 0..200 {
        said = second.post("/query-stream", &body, &[]).await.1;
        if said.contains(gone) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(said.contains("CTAS_PAGES_"), "{said}");
    assert!(said.contains("http://127.0.0.1:1 is to have it, but cannot be asked"), "{said}");
    // Who is asked by another server, and does not have it either, says so.
    let (status, said) =
        second.post("/query-stream", &body, &[("x-millstream-passed-on", "1")]).await;
    assert_eq!(status, 500, "{said}");
    assert!(said.contains("is run by another server, so"), "{said}");
    first.stop().await;
    second.stop().await;
}

#[tokio::test]
async fn the_other_server_knows_who_asks() {
    let world = World::new().await;
    let folder = tempfile::tempdir().unwrap();
    let users = folder.path().join("users");
    std::fs::write(&users, "ann: secret, reader\n").unwrap();
    let users = users.to_str().unwrap();
    let guarded = [
        ("authentication.method", "BASIC"),
        ("authentication.roles", "reader"),
        ("authentication.password.file", users),
    ];
    let plain = world.server_among_others(&[]).await;
    plain.run(PAGES).await;
    row(&plain).await;
    plain.stop().await;
    let ann = [("authorization", "Basic YW5uOnNlY3JldA==")];
    let asked = async |ksql: &Ksql| {
        for _ in 0..400 {
            let (status, text) = ksql.post("/query-stream", &json!({ "sql": ONE }), &ann).await;
            if status == 200 && text.lines().count() == 2 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("it never gives a row");
    };
    let first = world.server_among_others(&guarded).await;
    asked(&first).await;
    let second = world.server_among_others(&guarded).await;
    asked(&second).await;
    let (status, _) = second.post("/query-stream", &json!({ "sql": ONE }), &[]).await;
    assert_eq!(status, 401);
    first.stop().await;
    second.stop().await;
}
