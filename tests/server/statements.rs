//! Statements that make, show, fill and drop what exists.

use std::time::Duration;

use serde_json::{Value, json};

use crate::world::{Ksql, World};

const CLICKS: &str = "CREATE STREAM clicks (id STRING KEY, page STRING, n INT)
    WITH (kafka_topic='clicks', value_format='JSON', partitions=1);";
const HITS: &str =
    "CREATE TABLE hits AS SELECT page, COUNT(*) AS n FROM clicks GROUP BY page EMIT CHANGES;";

/// Runs a pull query until it gives `expected`.
async fn comes_to(ksql: &Ksql, sql: &str, expected: &[Value]) {
    for _ in 0..200 {
        let body = json!({ "sql": sql });
        let (status, text) = ksql.post("/query-stream", &body, &[]).await;
        if status == 200 {
            let rows = text.lines().skip(1).map(|line| serde_json::from_str(line).unwrap());
            let mut rows: Vec<Value> = rows.collect();
            rows.sort_by_key(Value::to_string);
            if rows == expected {
                return;
            }
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{sql} does not come to {expected:?}");
}

#[tokio::test]
async fn a_stream_is_made_shown_filled_read_and_dropped() {
    let world = World::new().await;
    let ksql = world.server().await;
    let made = ksql.run(CLICKS).await;
    assert_eq!(
        made,
        json!([{
            "@type": "currentStatus",
            "statementText": "CREATE STREAM CLICKS (ID STRING KEY, PAGE STRING, N INTEGER) WITH \
                (CLEANUP_POLICY='delete', KAFKA_TOPIC='clicks', KEY_FORMAT='KAFKA', PARTITIONS=1, \
                VALUE_FORMAT='JSON');",
            "commandId": "stream/`CLICKS`/create",
            "commandStatus": { "status": "SUCCESS", "message": "Stream created", "queryId": null },
            "commandSequenceNumber": 0,
            "warnings": [],
        }])
    );
    let shown = ksql.run("SHOW STREAMS;").await;
    assert_eq!(
        shown[0]["streams"],
        json!([{
            "type": "STREAM", "name": "CLICKS", "topic": "clicks", "keyFormat": "KAFKA",
            "valueFormat": "JSON", "isWindowed": false,
        }])
    );
    let inserted = ksql
        .run("INSERT INTO clicks VALUES ('a', '/x', 1); INSERT INTO clicks VALUES ('b', '/y', 2);");
    assert_eq!(inserted.await, json!([]));
    let rows = ksql.query("SELECT id, page, n FROM clicks EMIT CHANGES LIMIT 2;").await;
    assert_eq!(rows[0]["columnNames"], json!(["ID", "PAGE", "N"]));
    assert_eq!(rows[1..], [json!(["a", "/x", 1]), json!(["b", "/y", 2])]);
    let described = ksql.run("DESCRIBE clicks;").await;
    let description = &described[0]["sourceDescription"];
    assert_eq!(description["partitions"], 1);
    assert_eq!(description["fields"][0]["type"], "KEY");
    let topics = ksql.run("SHOW TOPICS;").await;
    assert_eq!(topics[0]["topics"], json!([{ "name": "clicks", "replicaInfo": [1] }]));
    let dropped = ksql.run("DROP STREAM clicks DELETE TOPIC;").await;
    assert_eq!(dropped[0]["statementText"], "DROP STREAM CLICKS;");
    assert_eq!(dropped[0]["commandSequenceNumber"], 2);
    assert_eq!(ksql.run("SHOW STREAMS;").await[0]["streams"], json!([]));
    assert_eq!(ksql.run("SHOW TOPICS;").await[0]["topics"], json!([]));
    ksql.stop().await;
}

#[tokio::test]
async fn after_a_restart_everything_is_there_again() {
    let world = World::new().await;
    let ksql = world.server().await;
    ksql.run(CLICKS).await;
    let made = ksql.run(HITS).await;
    assert_eq!(made[0]["commandStatus"]["queryId"], "CTAS_HITS_1");
    assert_eq!(made[0]["commandSequenceNumber"], 2);
    ksql.run("INSERT INTO clicks VALUES ('a', '/x', 1);").await;
    comes_to(&ksql, "SELECT * FROM hits;", &[json!(["/x", 1])]).await;
    ksql.run("CREATE STREAM gone AS SELECT * FROM clicks;").await;
    ksql.run("DROP STREAM gone DELETE TOPIC;").await;
    let queries = ksql.run("SHOW QUERIES;").await;
    ksql.stop().await;

    let ksql = world.server().await;
    assert_eq!(ksql.run("SHOW QUERIES;").await, queries);
    ksql.run("INSERT INTO clicks VALUES ('b', '/x', 1);").await;
    comes_to(&ksql, "SELECT * FROM hits;", &[json!(["/x", 2])]).await;
    let made = ksql.run("CREATE STREAM again AS SELECT * FROM clicks;").await;
    assert_eq!(made[0]["commandStatus"]["queryId"], "CSAS_AGAIN_7", "numbers never come twice");
    ksql.stop().await;
}

#[tokio::test]
async fn another_server_of_the_service_sees_what_the_first_one_made() {
    let world = World::new().await;
    let (one, two) = (world.server().await, world.server().await);
    let sequence = one.run(CLICKS).await[0]["commandSequenceNumber"].clone();
    let body = json!({ "ksql": "DESCRIBE clicks;", "commandSequenceNumber": sequence });
    let (status, text) = two.post("/ksql", &body, &[]).await;
    assert_eq!(status, 200, "{text}");
    let refused = two.try_run(CLICKS).await;
    assert_eq!(refused.0, 400);
    let message = refused.1["message"].as_str().unwrap();
    assert!(message.contains("already exists"), "{message}");
    assert_eq!(two.run(HITS).await[0]["commandSequenceNumber"], 2);
    // Who did not write last writes again.
    one.run("DROP TABLE hits;").await;
    two.run("DROP STREAM clicks;").await;
    one.stop().await;
    two.stop().await;
}

#[tokio::test]
async fn a_batch_with_a_fault_does_nothing() {
    let world = World::new().await;
    let ksql = world.server().await;
    let batch = format!("{CLICKS} CREATE STREAM b AS SELECT nope FROM clicks;");
    let (status, error) = ksql.try_run(&batch).await;
    assert_eq!((status, &error["error_code"]), (400, &json!(40001)), "{error}");
    assert_eq!(ksql.run("SHOW STREAMS;").await[0]["streams"], json!([]));
    let (status, error) = ksql.try_run("SHOW STREAMS; SELEKT;").await;
    assert_eq!((status, &error["error_code"]), (400, &json!(40001)), "{error}");
    let (status, error) = ksql.try_run("SELECT * FROM clicks EMIT CHANGES;").await;
    assert_eq!((status, &error["error_code"]), (400, &json!(40002)), "{error}");
    ksql.stop().await;
}

/// A table that counts, replaced by one that counts less: it goes on with what it had, with a state directory too.
#[tokio::test]
async fn a_query_that_keeps_state_is_replaced_where_its_copy_lies_too() {
    let (world, folder) = (World::new().await, tempfile::tempdir().unwrap());
    let properties = [("ksql.streams.state.dir", folder.path().to_str().unwrap())];
    let ksql = world.server_with(&properties).await;
    let hits = |least| {
        format!(
            "CREATE OR REPLACE TABLE hits AS SELECT page, COUNT(*) AS n FROM clicks WHERE n > {least} \
             GROUP BY page;"
        )
    };
    ksql.run(CLICKS).await;
    ksql.run(&hits(0)).await;
    let insert = "INSERT INTO clicks (id, page, n) VALUES ('a', 'home', 1);";
    ksql.run(insert).await;
    let counted = "SELECT n FROM hits WHERE page = 'home';";
    comes_to(&ksql, counted, &[json!([1])]).await;
    ksql.run(&hits(-1)).await;
    ksql.run(insert).await;
    comes_to(&ksql, counted, &[json!([2])]).await;
    ksql.stop().await;
    let ksql = world.server_with(&properties).await;
    comes_to(&ksql, counted, &[json!([2])]).await;
    ksql.stop().await;
}

#[tokio::test]
async fn queries_rest_go_on_and_end() {
    let world = World::new().await;
    let ksql = world.server().await;
    ksql.run(&format!("{CLICKS} {HITS}")).await;
    let counts = async || {
        let shown = ksql.run("SHOW QUERIES;").await;
        shown[0]["queries"][0]["statusCount"].clone()
    };
    ksql.run("PAUSE CTAS_HITS_1;").await;
    assert_eq!(counts().await, json!({ "PAUSED": 1 }));
    ksql.run("INSERT INTO clicks VALUES ('a', '/x', 1);").await;
    ksql.run("RESUME CTAS_HITS_1;").await;
    assert_eq!(counts().await, json!({ "RUNNING": 1 }));
    comes_to(&ksql, "SELECT * FROM hits;", &[json!(["/x", 1])]).await;
    ksql.run("TERMINATE CTAS_HITS_1;").await;
    assert_eq!(ksql.run("SHOW QUERIES;").await[0]["queries"], json!([]));
    // What it kept goes, too.
    for _ in 0..200 {
        let topics = ksql.run("SHOW ALL TOPICS;").await.to_string();
        if !topics.contains("changelog") {
            ksql.stop().await;
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the changelog is still there");
}

#[tokio::test]
async fn a_query_that_takes_the_place_of_one_that_rests_runs() {
    let world = World::new().await;
    let copy = |n| format!("CREATE OR REPLACE STREAM copy AS SELECT * FROM clicks WHERE n > {n};");
    let counts = async |ksql: &Ksql| {
        let shown = ksql.run("SHOW QUERIES;").await;
        shown[0]["queries"][0]["statusCount"].clone()
    };
    let ksql = world.server().await;
    ksql.run(&format!("{CLICKS} {}", copy(1))).await;
    ksql.run("PAUSE ALL;").await;
    ksql.run(&copy(0)).await;
    assert_eq!(counts(&ksql).await, json!({ "RUNNING": 1 }));
    ksql.stop().await;
    let ksql = world.server().await;
    assert_eq!(counts(&ksql).await, json!({ "RUNNING": 1 }));
    ksql.run("INSERT INTO clicks VALUES ('a', '/x', 1);").await;
    comes_to(&ksql, "SELECT * FROM copy;", &[json!(["a", "/x", 1])]).await;
    ksql.stop().await;
}

#[tokio::test]
async fn fields_that_a_struct_has_not_are_passed_over() {
    let world = World::new().await;
    let ksql = world.server().await;
    ksql.run(
        "CREATE STREAM people (id INT KEY, home STRUCT<street STRING, zip INT>)
           WITH (kafka_topic='people', value_format='JSON', partitions=1);
         INSERT INTO people VALUES (1, STRUCT(nope := 1, zip := 2));",
    )
    .await;
    let rows = ksql.query("SELECT * FROM people;").await;
    assert_eq!(rows[1], json!([1, { "STREET": null, "ZIP": 2 }]));
    ksql.stop().await;
}

#[tokio::test]
async fn what_a_batch_sets_holds_for_what_follows_in_it() {
    let world = World::new().await;
    let ksql = world.server().await;
    ksql.run(CLICKS).await;
    let shown = ksql.run("DEFINE s = 'clicks'; DESCRIBE ${s}; SHOW VARIABLES;").await;
    assert_eq!(shown[0]["statementText"], "DESCRIBE clicks;");
    assert_eq!(shown[1]["variables"], json!([{ "name": "s", "value": "clicks" }]));
    assert_eq!(ksql.run("SHOW VARIABLES;").await[0]["variables"], json!([]));
    let set = ksql.run("SET 'auto.offset.reset'='latest'; SHOW PROPERTIES;").await;
    let found = |name: &str| {
        let properties = set[0]["properties"].as_array().unwrap();
        properties.iter().find(|property| property["name"] == name).cloned().unwrap_or_default()
    };
    assert_eq!(found("ksql.streams.auto.offset.reset")["value"], "latest");
    assert_eq!(found("ksql.streams.commit.interval.ms")["value"], "100");
    assert_eq!(found("ksql.query.pull.table.scan.enabled")["level"], "QUERY");
    let default = found("ksql.suppress.enabled");
    assert_eq!((&default["value"], &default["editable"]), (&json!("true"), &json!(false)));
    let overwritten = set[0]["overwrittenProperties"].as_array().unwrap();
    assert!(overwritten.contains(&json!("ksql.streams.auto.offset.reset")), "{overwritten:?}");
    assert!(!overwritten.contains(&json!("ksql.streams.commit.interval.ms")), "{overwritten:?}");
    ksql.stop().await;
}

#[tokio::test]
async fn a_browser_cannot_drop_a_stream() {
    let world = World::new().await;
    let ksql = world.server().await;
    ksql.run(CLICKS).await;
    let drop = json!({ "ksql": "DROP STREAM clicks;" });
    for header in [
        ("origin", "http://evil.example"),
        ("host", "evil.example"),
        ("content-type", "application/x-www-form-urlencoded"),
    ] {
        let (status, text) = ksql.post("/ksql", &drop, &[header]).await;
        assert!(status == 403 || status == 415, "{header:?}: {status}");
        // Whoever uses curl sees what to send instead.
        let says =
            if status == 415 { "send Content-Type: application/json" } else { "This server" };
        assert!(text.contains(says) || text.contains("Web pages"), "{text}");
    }
    assert_eq!(ksql.run("SHOW STREAMS;").await[0]["streams"].as_array().unwrap().len(), 1);
    ksql.stop().await;
}

#[tokio::test]
async fn the_server_says_who_it_is_and_how_it_is() {
    let world = World::new().await;
    let ksql = world.server().await;
    let (status, info) = ksql.get("/").await;
    assert_eq!(status, 200);
    let info: Value = serde_json::from_str(&info).unwrap();
    assert_eq!(info["KsqlServerInfo"]["ksqlServiceId"], "test_");
    let (status, health) = ksql.get("/healthcheck").await;
    assert_eq!(status, 200);
    assert!(health.contains("\"isHealthy\":true"), "{health}");
    ksql.run(CLICKS).await;
    let (_, statuses) = ksql.get("/status").await;
    assert_eq!(statuses, "{\"commandStatuses\":{\"stream/`CLICKS`/create\":\"SUCCESS\"}}");
    let (status, _) = ksql.get("/status/stream/%60CLICKS%60/create").await;
    assert_eq!(status, 200);
    assert_eq!(ksql.get("/status/stream/NOPE/create").await.0, 404);
    assert_eq!(ksql.get("/is_valid_property/ksql.service.id").await.0, 400);
    assert_eq!(ksql.get("/is_valid_property/auto.offset.reset").await, (200, "true".to_owned()));
    ksql.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_is_told_as_ksqldb_tells_it() {
    let world = World::new().await;
    let ksql = world.server().await;
    ksql.run(
        "CREATE STREAM s (k STRING KEY, v INT) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON', PARTITIONS=1);",
    )
    .await;
    // What is wrong with a query stands behind what was to be made of it; the statement is shown in ksqlDB's form.
    let (status, refused) = ksql.try_run("CREATE STREAM t AS SELECT * FROM s WHERE v = 'x';").await;
    assert_eq!((status, &refused["error_code"]), (400, &json!(40001)));
    let message = "Could not determine output schema for query due to error: Error in WHERE expression: \
                   Cannot compare V (INTEGER) to 'x' (STRING) with EQUAL.\nStatement: (V = 'x')\n\
                   Statement: (V = 'x')";
    assert_eq!(refused["message"], message);
    let shown = refused["statementText"].as_str().unwrap();
    assert!(shown.starts_with("CREATE STREAM T WITH (CLEANUP_POLICY='delete', "), "{shown}");
    // A name that is not there is found before that.
    let wrong = "create stream t as select * from nosuch;";
    let (_, refused) = ksql.try_run(wrong).await;
    assert_eq!(refused["statementText"], wrong);
    // A topic that is missing is no fault of the statement.
    let (status, refused) =
        ksql.try_run("CREATE STREAM u (v INT) WITH (KAFKA_TOPIC='u', VALUE_FORMAT='JSON');").await;
    assert_eq!((status, &refused["@type"]), (400, &json!("generic_error")));
    let example = "CREATE STREAM U (V INTEGER) WITH (KAFKA_TOPIC='u', KEY_FORMAT='KAFKA', PARTITIONS=2, \
                   VALUE_FORMAT='JSON');";
    assert!(refused["message"].as_str().unwrap().ends_with(example), "{refused}");
    // A name that is taken is told before what else is wrong.
    let (_, refused) = ksql
        .try_run("CREATE STREAM s (m MAP<STRING, INT>) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='DELIMITED');")
        .await;
    let message = "Cannot add stream 'S': A stream with the same name already exists";
    assert_eq!(refused["message"], message);
    ksql.stop().await;
}

#[tokio::test]
async fn places_and_hints_come_to_clients_that_ask_for_them() {
    let world = World::new().await;
    let ksql = world.server().await;
    ksql.run(
        "CREATE STREAM clicks (n INT) WITH (kafka_topic='c', value_format='JSON', partitions=1);",
    )
    .await;
    let asks = [
        (
            "/ksql",
            json!({ "ksql": "SHOW TABLES; CREATE STREAM b AS SELECT m FROM clicks;" }),
            "m FROM",
        ),
        (
            "/ksql",
            json!({ "ksql": "DESCRIBE ${t};", "sessionVariables": { "t": "clickz" } }),
            "${t}",
        ),
        ("/ksql", json!({ "ksql": "SHOW TABELS;" }), "TABELS"),
        ("/query-stream", json!({ "sql": "SELECT * FROM clickz EMIT CHANGES;" }), "clickz"),
        ("/query", json!({ "ksql": "SELECT UCASE(n) FROM clicks EMIT CHANGES;" }), "n)"),
    ];
    for (path, body, part) in asks {
        let (status, plain) = ksql.post(path, &body, &[]).await;
        let mut plain: Value = serde_json::from_str(&plain).unwrap();
        assert_eq!((status, plain.get("diagnostic")), (400, None), "{path} {body}");
        let (_, shown) = ksql.post(path, &body, &[("x-millstream-diagnostics", "1")]).await;
        let shown: Value = serde_json::from_str(&shown).unwrap();
        let label = &shown["diagnostic"]["labels"][0];
        let text = body["ksql"].as_str().or(body["sql"].as_str()).unwrap();
        let start = usize::try_from(label["start"].as_u64().unwrap()).unwrap();
        assert!(text[start..].starts_with(part), "{path} {body}: {shown}");
        plain["diagnostic"] = shown["diagnostic"].clone();
        assert_eq!(plain, shown, "nothing else is told otherwise");
    }
    ksql.stop().await;
}
