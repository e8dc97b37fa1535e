//! The same question, asked again and again.

use std::time::Duration;

use millstream::kafka::produce::{NewRecord, Producer};
use millstream::kafka::records::Headers;
use serde_json::{Value, json};

use crate::world::{Ksql, World};

const VISITS: &str = "CREATE TABLE visits (id STRING PRIMARY KEY, page STRING)
    WITH (kafka_topic='visits', value_format='JSON', partitions=2);
    CREATE TABLE pages AS SELECT id, page FROM visits;
    INSERT INTO visits VALUES ('a', 'home'); INSERT INTO visits VALUES ('b', 'cart');";

/// Asks until a table has so many rows.
async fn asked(ksql: &Ksql, sql: &str, rows: usize) -> Vec<Value> {
    for _ in 0..200 {
        let mut lines = ksql.query(sql).await;
        if lines.len() == rows + 1 {
            lines[0]["queryId"].take();
            return lines;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{sql} never gives {rows} rows")
}

#[tokio::test]
async fn a_question_that_is_asked_again_sees_what_has_changed() {
    let world = World::new().await;
    let ksql = world.server().await;
    ksql.run(VISITS).await;
    let sql = "SELECT * FROM pages WHERE id = 'a';";
    let names = |names: Value, types: Value| json!({ "queryId": null, "columnNames": names, "columnTypes": types });
    let first = [names(json!(["ID", "PAGE"]), json!(["STRING", "STRING"])), json!(["a", "home"])];
    assert_eq!(asked(&ksql, sql, 1).await, first);
    assert_eq!(asked(&ksql, sql, 1).await, first);
    // The same text means something else once there is another table of this name.
    ksql.run("DROP TABLE pages; CREATE TABLE pages AS SELECT id, LEN(page) AS n FROM visits;")
        .await;
    let second = [names(json!(["ID", "N"]), json!(["STRING", "INTEGER"])), json!(["a", 4])];
    assert_eq!(asked(&ksql, sql, 1).await, second);
    ksql.run("DROP TABLE pages;").await;
    let body = json!({ "sql": sql });
    let (status, text) = ksql.post("/query-stream", &body, &[]).await;
    assert_eq!(status, 400, "{text}");
    ksql.stop().await;
}

#[tokio::test]
async fn each_key_has_its_own_answer_and_its_own_text() {
    let world = World::new().await;
    let ksql = world.server().await;
    ksql.run(VISITS).await;
    ksql.run(
        "INSERT INTO visits VALUES ('it''s', 'help'); INSERT INTO visits VALUES ('home', 'a');",
    )
    .await;
    asked(&ksql, "SELECT * FROM pages;", 4).await;
    let page = async |condition: &str| {
        let lines = ksql.query(&format!("SELECT page FROM pages WHERE {condition};")).await;
        lines[1..].iter().map(|row| row[0].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    for _ in 0..2 {
        assert_eq!(page("id = 'a'").await, ["home"]);
        assert_eq!(page("id = 'b'").await, ["cart"]);
        assert_eq!(page("'b' = id").await, ["cart"]);
        assert_eq!(page("id = 'it''s'").await, ["help"]);
        assert!(page("id = 'c'").await.is_empty());
        assert!(page("id = 'a' AND id = 'b'").await.is_empty());
        assert_eq!(page("id = 'a' AND page = 'home'").await, ["home"]);
        assert!(page("id = 'b' AND page = 'home'").await.is_empty());
        assert_eq!(page("page = 'a'").await, ["a"]);
        assert_eq!(page("id IN ('a', 'b', 'a')").await.len(), 2);
        // Where the literal is not the key, or not it alone, it is part of the question.
        for (text, row) in [
            ("SELECT 'home' FROM pages WHERE id = LCASE('A');", json!(["home"])),
            ("SELECT 'a' AS page FROM pages WHERE id = 'a';", json!(["a"])),
        ] {
            let body = json!({ "sql": text });
            let (status, told) = ksql.post("/query-stream", &body, &[]).await;
            assert_eq!(status, 200, "{text}: {told}");
            assert_eq!(told.lines().last(), Some(&*row.to_string()), "{text}");
        }
    }
    ksql.stop().await;
}

#[tokio::test]
async fn the_same_text_under_other_properties_and_variables_is_another_question() {
    let world = World::new().await;
    let ksql = world.server().await;
    ksql.run(VISITS).await;
    let sql = "SELECT page FROM pages WHERE id = '${who}';";
    asked(&ksql, "SELECT * FROM pages;", 2).await;
    let ask = async |variables: Value, properties: Value| {
        let body = json!({ "sql": sql, "sessionVariables": variables, "properties": properties });
        let (status, text) = ksql.post("/query-stream", &body, &[]).await;
        (status, text.lines().last().unwrap_or_default().to_owned())
    };
    for _ in 0..2 {
        let (a, b) = (json!({ "who": "a" }), json!({ "who": "b" }));
        assert_eq!(ask(a.clone(), json!({})).await, (200, "[\"home\"]".to_owned()));
        assert_eq!(ask(b, json!({})).await, (200, "[\"cart\"]".to_owned()));
        let off = json!({ "auto.offset.reset": "sometimes" });
        assert_eq!(ask(a, off).await.0, 400);
    }
    ksql.stop().await;
}

#[tokio::test]
async fn over_http_2_each_row_is_a_frame_of_its_own() {
    let world = World::new().await;
    let ksql = world.server().await;
    ksql.run(VISITS).await;
    asked(&ksql, "SELECT * FROM pages;", 2).await;
    let client = reqwest::Client::builder().http2_prior_knowledge().build().unwrap();
    // Clients take each frame for a JSON value, of rows that are there and of those that come.
    for sql in ["SELECT * FROM pages;", "SELECT * FROM visits EMIT CHANGES LIMIT 2;"] {
        let body = json!({ "sql": sql, "properties": { "auto.offset.reset": "earliest" } });
        let url = format!("{}/query-stream", ksql.url());
        let mut response = client.post(url).body(body.to_string()).send().await.unwrap();
        let mut values: Vec<Value> = Vec::new();
        while let Some(frame) = response.chunk().await.unwrap() {
            // The last one only says that it is the last.
            if !frame.is_empty() {
                values.push(serde_json::from_slice(&frame).unwrap());
            }
        }
        assert_eq!(values.len(), 3, "{sql}: {values:?}");
        assert!(values[0].is_object() && values[1..].iter().all(Value::is_array), "{values:?}");
    }
    ksql.stop().await;
}

#[tokio::test]
async fn more_pull_queries_than_a_server_takes_are_refused() {
    let world = World::new().await;
    let limited = [("ksql.query.pull.max.qps", "1")];
    let ksql = world.server_with(&limited).await;
    ksql.run(VISITS).await;
    let body = json!({ "sql": "SELECT * FROM pages WHERE id = 'a';" });
    let mut refused = None;
    for _ in 0..50 {
        let (status, text) = ksql.post("/query-stream", &body, &[]).await;
        if status == 429 {
            refused = Some((status, text));
            break;
        }
    }
    let (status, text) = refused.expect("fifty within a second are too many");
    let error: Value = serde_json::from_str(&text).unwrap();
    assert_eq!((status, &error["error_code"]), (429, &json!(42900)));
    let message = "Host is at rate limit for pull queries. Currently set to 1.0 qps.";
    assert_eq!(error["message"], message);
    ksql.stop().await;
    let ksql = world.server_with(&[("ksql.query.pull.max.hourly.bandwidth.megabytes", "0")]).await;
    let (status, text) = ksql.post("/query-stream", &body, &[]).await;
    assert_eq!(status, 429, "{text}");
    assert!(text.contains("Host is at bandwidth rate limit for pull queries."), "{text}");
    ksql.stop().await;
}

#[tokio::test]
async fn rows_are_what_the_format_of_their_store_makes_of_them() {
    let world = World::new().await;
    let ksql = world.server().await;
    // Protobuf has no NULL in a field of its own.
    ksql.run(
        "CREATE TABLE people (id INT PRIMARY KEY, name STRING)
           WITH (kafka_topic='people', value_format='PROTOBUF_NOSR', partitions=1);
         CREATE TABLE pets (id INT PRIMARY KEY, name STRING, age INT)
           WITH (kafka_topic='pets', value_format='PROTOBUF_NOSR', partitions=1);
         CREATE TABLE both AS SELECT people.id, people.name, pets.name AS pet, age
           FROM people LEFT JOIN pets ON people.id = pets.id;
         INSERT INTO people VALUES (1, 'ann');",
    )
    .await;
    let rows = asked(&ksql, "SELECT * FROM both;", 1).await;
    assert_eq!(rows[1], json!([1, "ann", "", 0]));
    ksql.stop().await;
}

#[tokio::test]
async fn headers_that_a_table_reads_are_kept_with_its_rows() {
    let world = World::new().await;
    let ksql = world.server().await;
    ksql.run(
        "CREATE TABLE visits (id STRING PRIMARY KEY, page STRING, trace BYTES HEADER('trace'))
           WITH (kafka_topic='visits', value_format='JSON', partitions=1);
         CREATE TABLE pages AS SELECT * FROM visits;",
    )
    .await;
    let producer = Producer::new(&world.cluster());
    let headers: Headers = [(b"trace".as_slice(), Some(b"!".as_slice()))].into_iter().collect();
    let record = NewRecord::new(1_700_000_000_000, Some(b"a"), Some(b"{\"page\": \"/x\"}"));
    let record = NewRecord { headers: headers.as_ref(), ..record };
    producer.send("visits", 0, record).await.unwrap();
    producer.flush().await.unwrap();
    let rows = asked(&ksql, "SELECT * FROM pages;", 1).await;
    assert_eq!(rows[1], json!(["a", "/x", "IQ=="]));
    // A server that restores them has them too.
    ksql.stop().await;
    let ksql = world.server().await;
    assert_eq!(asked(&ksql, "SELECT * FROM pages;", 1).await[1], json!(["a", "/x", "IQ=="]));
    ksql.stop().await;
}

#[tokio::test]
async fn a_source_table_with_windows_is_asked_by_key_and_by_window() {
    let world = World::new().await;
    let ksql = world.server().await;
    ksql.run(
        "CREATE STREAM visits (page STRING KEY, n INT)
           WITH (kafka_topic='visits', value_format='JSON', partitions=1);
         CREATE TABLE hits AS SELECT page, COUNT(*) AS n FROM visits
           WINDOW TUMBLING (SIZE 10 SECONDS) GROUP BY page;
         CREATE SOURCE TABLE seen (page STRING PRIMARY KEY, n BIGINT)
           WITH (kafka_topic='HITS', value_format='JSON', window_type='TUMBLING', window_size='10 SECONDS');
         INSERT INTO visits (ROWTIME, page, n) VALUES (1000, '/x', 1);
         INSERT INTO visits (ROWTIME, page, n) VALUES (2000, '/x', 1);
         INSERT INTO visits (ROWTIME, page, n) VALUES (3000, '/y', 1);
         INSERT INTO visits (ROWTIME, page, n) VALUES (12000, '/x', 1);",
    )
    .await;
    let sorted = |mut rows: Vec<Value>| {
        rows.remove(0);
        rows.sort_by_key(ToString::to_string);
        rows
    };
    let ten = json!(["/x", 10_000, 20_000, 1]);
    for (condition, expected) in [
        ("", vec![json!(["/x", 0, 10_000, 2]), ten.clone(), json!(["/y", 0, 10_000, 1])]),
        ("WHERE page = '/x'", vec![json!(["/x", 0, 10_000, 2]), ten.clone()]),
        ("WHERE page = '/x' AND WINDOWSTART = 10000", vec![ten.clone()]),
        ("WHERE page IN ('/x', '/z') AND WINDOWEND > 15000", vec![ten]),
    ] {
        let sql = format!("SELECT * FROM seen {condition};");
        assert_eq!(sorted(asked(&ksql, &sql, expected.len()).await), expected, "{condition}");
    }
    ksql.run("DROP TABLE seen;").await;
    let queries = ksql.run("SHOW QUERIES;").await[0]["queries"].as_array().unwrap().len();
    assert_eq!(queries, 1);
    ksql.stop().await;
    let without = [("ksql.source.table.materialization.enabled", "false")];
    let ksql = world.server_with(&without).await;
    let (status, refused) = ksql
        .try_run("CREATE SOURCE TABLE seen (page STRING PRIMARY KEY) WITH (kafka_topic='HITS', value_format='JSON');")
        .await;
    assert_eq!(status, 400, "{refused}");
    let message = "Cannot execute command because source table materialization is disabled.";
    assert_eq!(refused["message"], message);
    ksql.stop().await;
}
