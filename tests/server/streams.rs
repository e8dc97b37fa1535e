//! What comes and goes piece by piece: records of topics, rows that clients send, web sockets.

use std::future::poll_fn;
use std::pin::Pin;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures_core::Stream as _;
use millstream::kafka::produce::{NewRecord, Producer};
use millstream::registry::{EmbeddedRegistry, EmbeddedRegistryConfig};
use serde_json::{Value, json};
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::Message;

use crate::world::{Ksql, World};

const HITS: &str = "CREATE STREAM hits (device VARCHAR KEY, n INT, price DECIMAL(6, 2), tags ARRAY<VARCHAR>) WITH \
                    (KAFKA_TOPIC='hits', PARTITIONS=1, VALUE_FORMAT='JSON');";

const ROWS: &str = "INSERT INTO hits (rowtime, device, n) VALUES (1700000000000, 'd1', 1); \
                    INSERT INTO hits (rowtime, device, n) VALUES (1700000001000, 'd2', 2); \
                    INSERT INTO hits (rowtime, device, n) VALUES (1700000002000, 'd3', 3);";

async fn hits() -> (World, Ksql) {
    let world = World::new().await;
    let ksql = world.server().await;
    ksql.run(HITS).await;
    (world, ksql)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_topic_is_printed_whatever_is_in_it() {
    let (_world, ksql) = hits().await;
    ksql.run(ROWS).await;
    let print = |path: &'static str, name: &'static str, text: &str| {
        let body = json!({ name: text });
        let ksql = &ksql;
        async move { ksql.post(path, &body, &[]).await }
    };
    let record = |second: u32, n: u32| {
        format!(
            "rowtime: 2023/11/14 22:13:2{second}.000 Z, key: d{n}, value: \
             {{\"N\":{n},\"PRICE\":null,\"TAGS\":null}}, partition: 0\n"
        )
    };
    let formats = "Key format: KAFKA_STRING\nValue format: JSON or KAFKA_STRING\n";
    let every_other = "PRINT 'hits' FROM BEGINNING INTERVAL 2 LIMIT 2;";
    let (status, text) = print("/query", "ksql", every_other).await;
    assert_eq!((status, text), (200, format!("{formats}{}{}", record(0, 1), record(2, 3))));
    let (_, text) = print("/query-stream", "sql", "PRINT hits FROM BEGINNING LIMIT 1;").await;
    assert_eq!(text, record(0, 1));
    let (status, text) = print("/query", "ksql", "PRINT 'HITS' FROM BEGINNING LIMIT 1;").await;
    assert_eq!(status, 400);
    assert!(text.contains("Could not find topic 'HITS'"), "{text}");
    assert!(text.contains("Did you mean:\\n\\tprint hits;"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_push_query_begins_with_the_rows_of_the_last_minute() {
    let (_world, ksql) = hits().await;
    ksql.run(ROWS).await;
    ksql.run("INSERT INTO hits (device, n) VALUES ('d4', 4); INSERT INTO hits (device, n) VALUES ('d5', 5);")
        .await;
    let first = async |since_ms: &str, reset: &str| {
        let properties =
            json!({ "auto.offset.reset": reset, "ksql.millstream.push.since.ms": since_ms });
        let sql = "SELECT n FROM hits EMIT CHANGES LIMIT 2;";
        let body = json!({ "sql": sql, "properties": properties });
        let (status, text) = ksql.post("/query-stream", &body, &[]).await;
        assert_eq!(status, 200, "{text}");
        text.lines().skip(1).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(first("60000", "latest").await, ["[4]", "[5]"]);
    assert_eq!(first("60000", "earliest").await, ["[1]", "[2]"]);
    // Longer than there was time.
    assert_eq!(first("9223372036854775807", "latest").await, ["[1]", "[2]"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_are_protobuf_messages_for_who_asks_for_them() {
    let (_world, ksql) = hits().await;
    ksql.run(ROWS).await;
    let form = [("accept", "application/vnd.ksql.v1+protobuf")];
    let body = json!({ "sql": "SELECT device, n FROM hits LIMIT 2;" });
    let (status, text) = ksql.post("/query-stream", &body, &form).await;
    assert_eq!(status, 200, "{text}");
    let told: Value = serde_json::from_str(&text).unwrap();
    let schema = "syntax = \"proto3\";\n\nmessage ConnectDefault1 {\n  string DEVICE = 1;\n  int32 N = 2;\n}\n";
    assert_eq!(told[0]["header"]["protoSchema"], schema);
    // Field 1 with the two bytes of a text, field 2 with a number.
    let row = |message: &[u8]| json!({ "row": { "protobufBytes": STANDARD.encode(message) } });
    assert_eq!(told[1], row(b"\x0a\x02d1\x10\x01"));
    assert_eq!(told[2], row(b"\x0a\x02d2\x10\x02"));
    let (status, _) = ksql.post("/query", &json!({ "ksql": "SELECT * FROM hits;" }), &form).await;
    assert_eq!(status, 406);
}

/// The status and the lines that are answered to lines.
async fn insert(ksql: &Ksql, lines: &str) -> (u16, Vec<Value>) {
    let client = reqwest::Client::builder().http2_prior_knowledge().build().unwrap();
    let url = format!("{}/inserts-stream", ksql.url());
    let response = client.post(url).body(lines.to_owned()).send().await.unwrap();
    let status = response.status().as_u16();
    let text = response.text().await.unwrap();
    (status, text.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_are_taken_one_after_the_other() {
    let (_world, ksql) = hits().await;
    let rows = (0..500).map(|n| format!("{{\"device\":\"d{n}\",\"N\":{n},\"price\":{n}.005}}\n"));
    let lines = format!("{{\"target\":\"hits\"}}\n{}", rows.collect::<String>());
    let (status, told) = insert(&ksql, &lines).await;
    assert_eq!((status, told.len()), (200, 500));
    for (n, told) in told.iter().enumerate() {
        assert_eq!(*told, json!({ "seq": n, "status": "ok" }));
    }
    let rows = ksql.query("SELECT * FROM hits;").await;
    assert_eq!(rows.len(), 501);
    assert_eq!(rows[8].to_string(), r#"["d7",7,7.01,null]"#);
}

/// Lines of a body, each a frame of its own.
struct LinePerFrame(std::vec::IntoIter<String>);

impl http_body::Body for LinePerFrame {
    type Data = bytes::Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<http_body::Frame<bytes::Bytes>, Self::Error>>> {
        let line = self.0.next();
        std::task::Poll::Ready(line.map(|line| Ok(http_body::Frame::data(line.into()))))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_may_come_faster_than_they_are_written() {
    const ROWS: usize = 30_000;
    let (_world, ksql) = hits().await;
    // ksqlDB's client writes each row as a frame, as fast as the connection takes them.
    let mut lines = vec!["{\"target\":\"hits\"}\n".to_owned()];
    lines.extend((0..ROWS).map(|n| format!("{{\"device\":\"{n}\"}}\n")));
    let client = reqwest::Client::builder().http2_prior_knowledge().build().unwrap();
    let request = client.post(format!("{}/inserts-stream", ksql.url()));
    let response = request.body(reqwest::Body::wrap(LinePerFrame(lines.into_iter())));
    let text = response.send().await.unwrap().text().await.unwrap();
    assert_eq!(text.lines().count(), ROWS);
    assert_eq!(text.lines().last(), Some("{\"seq\":29999,\"status\":\"ok\"}"));
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_are_written_with_schemas_of_the_registry() {
    let world = World::new().await;
    let cluster = world.cluster();
    let registry = EmbeddedRegistry::start(&cluster, EmbeddedRegistryConfig::default()).await;
    let registry = registry.unwrap();
    let url = registry.url();
    let ksql = world.server_with(&[("ksql.schema.registry.url", &url)]).await;
    for (name, format) in [("a", "AVRO"), ("b", "PROTOBUF"), ("c", "JSON_SR")] {
        ksql.run(&format!(
            "CREATE STREAM {name} (k VARCHAR KEY, n INT) WITH (KAFKA_TOPIC='{name}', PARTITIONS=1, \
             VALUE_FORMAT='{format}');"
        ))
        .await;
        ksql.run(&format!("INSERT INTO {name} VALUES ('first', 1);")).await;
        let line = format!("{{\"target\":\"{name}\"}}\n{{\"k\":\"second\",\"n\":2}}\n");
        assert_eq!(insert(&ksql, &line).await.1, [json!({ "seq": 0, "status": "ok" })]);
        let rows = ksql.query(&format!("SELECT * FROM {name};")).await;
        assert_eq!(rows[1..], [json!(["first", 1]), json!(["second", 2])], "{format}");
        let print = json!({ "ksql": format!("PRINT '{name}' FROM BEGINNING LIMIT 2;") });
        let printed = ksql.post("/query", &print, &[]).await.1;
        // What has eight bytes may be a number as well.
        let (formats, values) = match format {
            "AVRO" => ("AVRO or KAFKA_STRING", ["{\"N\": 1}", "{\"N\": 2}"]),
            "JSON_SR" => ("JSON_SR or KAFKA_STRING", ["{\"N\":1}", "{\"N\":2}"]),
            _ => ("PROTOBUF or KAFKA_BIGINT or KAFKA_DOUBLE or KAFKA_STRING", ["N: 1", "N: 2"]),
        };
        let told = format!("Key format: KAFKA_STRING\nValue format: {formats}\n");
        assert!(printed.starts_with(&told), "{printed}");
        for (key, value) in ["first", "second"].into_iter().zip(values) {
            let shown = format!(", key: {key}, value: {value}, partition: 0\n");
            assert!(printed.contains(&shown), "{shown} in {printed}");
        }
        let subjects = async || {
            let all = reqwest::get(format!("{url}/subjects")).await.unwrap();
            all.text().await.unwrap()
        };
        assert!(subjects().await.contains(&format!("\"{name}-value\"")));
        ksql.run(&format!("DROP STREAM {name} DELETE TOPIC;")).await;
        assert_eq!(subjects().await, "[]", "the schemas go with their topic");
    }
    ksql.stop().await;
    registry.shutdown().await;
}

/// How many lines of queries run for clients.
async fn pushes(ksql: &Ksql) -> usize {
    let queries = ksql.run("SHOW QUERIES;").await;
    queries[0]["queries"].as_array().unwrap().len()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_of_many_queries_sees_its_own_rows_of_one_stream() {
    let (world, ksql) = hits().await;
    let row = |n: usize| match n % 11 {
        0 => json!({ "DEVICE": "d1" }),
        _ => json!({ "DEVICE": format!("d{}", n % 5), "N": n % 7, "TAGS": [format!("t{n}")] }),
    };
    let rows: Vec<String> = (0..300).map(|n| format!("{}\n", row(n))).collect();
    let lines = format!("{{\"target\":\"hits\"}}\n{}", rows.concat());
    insert(&ksql, &lines).await;
    let conditions = [
        "device = 'd1'",
        "'d2' = device",
        "device = 'd3' AND n > 3",
        "n = 3",
        "n = 4 AND device = 'd4'",
        "n > 3 AND device = 'd1'",
        "device = 'd1' OR n = 2",
        "NOT device = 'd1'",
        "device <> 'd2'",
        "device = 'd0' AND tags[1] <> 't15'",
        "tags[1] = 't7'",
        "true",
    ];
    let select = |condition: &str| format!("SELECT device, n, tags FROM hits WHERE {condition}");
    // Each alone, over what is there.
    let mut expected = Vec::new();
    for condition in conditions {
        let told = ksql.query(&format!("{};", select(condition))).await;
        assert!(told.len() > 1, "{condition}");
        expected.push(told[1..].to_vec());
    }
    // All together, over what comes: the same rows, with what is none in between.
    let mut asked = tokio::task::JoinSet::new();
    for (at, condition) in conditions.iter().enumerate() {
        let limit = expected[at].len();
        let sql = format!("{} EMIT CHANGES LIMIT {limit};", select(condition));
        let (client, url) = (reqwest::Client::new(), format!("{}/query-stream", ksql.url()));
        asked.spawn(async move {
            let body = json!({ "sql": sql }).to_string();
            let response = client.post(url).body(body).send().await.unwrap();
            (at, response.text().await.unwrap())
        });
    }
    while pushes(&ksql).await < conditions.len() {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    let producer = Producer::new(&world.cluster());
    for part in rows.chunks(100) {
        for bad in [Some("{oops"), None] {
            let record = NewRecord::new(0, None, bad.map(str::as_bytes));
            producer.send("hits", 0, record).await.unwrap();
        }
        producer.flush().await.unwrap();
        insert(&ksql, &format!("{{\"target\":\"hits\"}}\n{}", part.concat())).await;
    }
    while let Some(told) = asked.join_next().await {
        let (at, text) = told.unwrap();
        let lines: Vec<Value> =
            text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines[1..], expected[at], "{}", conditions[at]);
    }
    ksql.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_row_that_is_wrong_ends_its_stream() {
    let (_world, ksql) = hits().await;
    let wrong = [
        ("{\"n\":1}", "Key field must be specified: DEVICE"),
        (
            "{\"device\":\"d\",\"n\":\"x\"}",
            "Can't coerce a field of type class java.lang.String (x) into type INTEGER",
        ),
        ("no json", "Invalid JSON in inserts stream"),
    ];
    for (row, message) in wrong {
        let good = "{\"device\":\"d1\"}";
        let lines = format!("{{\"target\":\"HITS\"}}\n{good}\n{row}\n{good}\n");
        let (status, told) = insert(&ksql, &lines).await;
        let expected = json!({
            "@type": "InsertError", "status": "error", "seq": 1, "message": message, "error_code": 40000,
        });
        assert_eq!((status, told), (200, vec![json!({ "seq": 0, "status": "ok" }), expected]));
    }
    let (status, told) = insert(&ksql, "{\"target\":\"nope\"}\n{}\n").await;
    assert_eq!(status, 400);
    let message = "Cannot insert values into an unknown stream/table: `NOPE`";
    assert_eq!((&told[0]["message"], &told[0]["error_code"]), (&json!(message), &json!(40001)));
    let body = json!({ "target": "HITS" });
    let (status, told) = ksql.post("/inserts-stream", &body, &[]).await;
    assert_eq!(status, 400);
    assert!(told.contains("This endpoint is only available when using HTTP2"), "{told}");
}

/// All messages of a web socket, the close as the last.
async fn talk(ksql: &Ksql, request: &Value) -> Vec<String> {
    let query: String = form_urlencoded::byte_serialize(request.to_string().as_bytes()).collect();
    messages(ksql, &format!("/ws/query?request={query}")).await
}

/// The same, of a path.
pub(crate) async fn messages(ksql: &Ksql, path: &str) -> Vec<String> {
    let url = format!("{}{path}", ksql.url().replacen("http", "ws", 1));
    let (mut socket, _) = connect_async(url).await.unwrap();
    let mut messages = Vec::new();
    while let Some(message) = poll_fn(|context| Pin::new(&mut socket).poll_next(context)).await {
        match message.unwrap() {
            Message::Text(text) => messages.push(text.to_string()),
            Message::Close(Some(frame)) => {
                messages.push(format!("{}: {}", u16::from(frame.code), frame.reason));
                break;
            }
            _ => {}
        }
    }
    messages
}

#[tokio::test(flavor = "multi_thread")]
async fn web_sockets_carry_rows_and_records() {
    let (_world, ksql) = hits().await;
    ksql.run(ROWS).await;
    let early = json!({ "auto.offset.reset": "earliest" });
    let select = "SELECT device, n FROM hits WHERE n > 1 EMIT CHANGES LIMIT 2;";
    let messages = talk(&ksql, &json!({ "ksql": select, "streamsProperties": early })).await;
    assert!(messages[0].starts_with("[{\"name\":\"DEVICE\",\"schema\":{\"type\":\"STRING\""));
    let rest = [
        "{\"row\":{\"columns\":[\"d2\",2]}}",
        "{\"row\":{\"columns\":[\"d3\",3]}}",
        "{\"error\":\"done\"}",
        "1000: done",
    ];
    assert_eq!(messages[1..], rest);
    let messages = talk(&ksql, &json!({ "ksql": "PRINT hits FROM BEGINNING LIMIT 1;" })).await;
    assert!(
        messages[0].starts_with("\"rowtime: 2023/11/14 22:13:20.000 Z, key: d1"),
        "{messages:?}"
    );
    let messages = talk(&ksql, &json!({ "ksql": "SHOW STREAMS;" })).await;
    assert_eq!(messages[1], "1003: Unexpected statement type ListStreams");
    let messages = talk(&ksql, &json!({ "ksql": "SELECT * FROM nope EMIT CHANGES;" })).await;
    let message = "Error parsing query: Exception while preparing statement: NOPE does not exist.";
    assert_eq!(messages, [json!({ "error": message }).to_string(), format!("1003: {message}")]);
}
