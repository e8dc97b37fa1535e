//! The REST of `millstream run`: what asks is answered, what would change anything is refused.

use std::io::BufRead as _;
use std::process::{Command, Stdio};

use millstream::engine::headless;
use serde_json::{Value, json};

use crate::world::{Ksql, World, client};

const FILE: &str = "
    SET 'auto.offset.reset'='earliest';
    CREATE STREAM clicks (id STRING KEY, page STRING, n INT)
      WITH (kafka_topic='clicks', value_format='JSON', partitions=1);
    CREATE TABLE hits AS SELECT page, COUNT(*) AS n FROM clicks GROUP BY page EMIT CHANGES;
    CREATE SOURCE TABLE last (id STRING PRIMARY KEY, page STRING)
      WITH (kafka_topic='clicks', value_format='JSON');";

/// Topics with rows, and what reads them: the queries of a file with their REST.
async fn reading(world: &World) -> Ksql {
    let filling = world.server().await;
    filling.run(&FILE[..FILE.find("CREATE TABLE").unwrap()]).await;
    for (id, page) in [("a", "/x"), ("b", "/y"), ("c", "/x")] {
        filling.run(&format!("INSERT INTO clicks VALUES ('{id}', '{page}', 1);")).await;
    }
    filling.stop().await;
    world.reading(FILE).await
}

/// The rows of a pull query, once there are any.
async fn rows(ksql: &Ksql, sql: &str) -> Vec<Value> {
    for _ in 0..200 {
        let (status, text) = ksql.post("/query-stream", &json!({ "sql": sql }), &[]).await;
        let rows = text.lines().skip(1).map(|line| serde_json::from_str(line).unwrap());
        let rows: Vec<Value> = rows.collect();
        if status == 200 && !rows.is_empty() {
            return rows;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("{sql} gives nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_asks_is_answered() {
    let world = World::new().await;
    let ksql = reading(&world).await;
    let shown = ksql.run("SHOW STREAMS; SHOW TABLES; SHOW TYPES; SHOW TOPICS; SHOW QUERIES;").await;
    assert_eq!(shown[0]["streams"][0]["name"], "CLICKS");
    assert_eq!(shown[1]["tables"][0]["topic"], "HITS");
    let queries = shown[4]["queries"].as_array().unwrap().iter();
    let query = queries.clone().find(|query| query["sinks"] == json!(["HITS"])).unwrap();
    assert!(query["queryString"].as_str().unwrap().starts_with("CREATE TABLE HITS"), "{query}");
    let id = query["id"].as_str().unwrap();
    assert_eq!(id, "CTAS_HITS_0");
    let detail = ksql.run(&format!("EXPLAIN {id}; SHOW QUERIES EXTENDED;")).await;
    let overrides = json!({ "auto.offset.reset": "earliest" });
    assert_eq!(detail[0]["queryDescription"]["overriddenProperties"], overrides);
    assert_eq!(detail[1]["queryDescriptions"].as_array().unwrap().len(), 2);
    let described = ksql.run("DESCRIBE hits EXTENDED; DESCRIBE STREAMS;").await;
    assert_eq!(described[0]["sourceDescription"]["writeQueries"][0]["id"], id);
    let counted = rows(&ksql, "SELECT page, n FROM hits WHERE page = '/x';").await;
    assert_eq!(counted[0][0], "/x");
    let last = rows(&ksql, "SELECT page FROM last WHERE id = 'c';").await;
    assert_eq!(last, [json!(["/x"])], "the rows of a source table are kept");
    let (status, told) = ksql.get("/status/table/%60HITS%60/create").await;
    let made = json!({ "status": "SUCCESS", "message": format!("Created query with ID {id}"), "queryId": id });
    assert_eq!((status, serde_json::from_str(&told).unwrap()), (200, made));
    let pushed = ksql.query("SELECT id FROM clicks EMIT CHANGES LIMIT 3;").await;
    assert_eq!(pushed[1..], [json!(["a"]), json!(["b"]), json!(["c"])]);
    let print = json!({ "ksql": "PRINT clicks FROM BEGINNING LIMIT 1;" });
    let (status, printed) = ksql.post("/query", &print, &[]).await;
    assert_eq!(status, 200);
    assert!(printed.contains("key: a, value: {\"PAGE\":\"/x\""), "{printed}");
    let (status, health) = ksql.get("/healthcheck").await;
    assert_eq!(status, 200);
    assert!(health.starts_with(r#"{"isHealthy":true"#), "{health}");
    // A client that has heard of commands elsewhere does not wait for them.
    let body = json!({ "ksql": "SHOW STREAMS;", "commandSequenceNumber": 12 });
    assert_eq!(ksql.post("/ksql", &body, &[]).await.0, 200);
    let set = "SET 'auto.offset.reset'='latest'; DEFINE t='CLICKS'; DESCRIBE ${t}; UNSET 'auto.offset.reset';";
    let described = ksql.run(set).await;
    assert_eq!(described[0]["sourceDescription"]["name"], "CLICKS");
    ksql.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_would_change_anything_is_refused() {
    let world = World::new().await;
    let ksql = reading(&world).await;
    let shown = "SHOW STREAMS; SHOW TABLES; SHOW TYPES; SHOW QUERIES; SHOW ALL TOPICS;";
    rows(&ksql, "SELECT page, n FROM hits;").await;
    let before = ksql.run(shown).await;
    let message = "This server runs the statements of its files and only reads: nothing can be created, \
                   changed, filled or ended here. Change the files, or send this to a `millstream server`.";
    for statement in [
        "CREATE STREAM more (id INT) WITH (kafka_topic='more', value_format='JSON', partitions=1);",
        "CREATE OR REPLACE STREAM clicks (id INT) WITH (kafka_topic='clicks', value_format='JSON');",
        "CREATE STREAM IF NOT EXISTS clicks (id INT) WITH (kafka_topic='clicks', value_format='JSON');",
        "CREATE TABLE more AS SELECT page, COUNT(*) FROM clicks GROUP BY page;",
        "INSERT INTO clicks SELECT * FROM clicks;",
        "INSERT INTO clicks VALUES ('d', '/z', 1);",
        "CREATE TYPE t AS INT;",
        "DROP TYPE IF EXISTS t;",
        "DROP TABLE hits;",
        "DROP STREAM clicks DELETE TOPIC;",
        "ALTER STREAM clicks ADD COLUMN more INT;",
        "TERMINATE CTAS_HITS_0;",
        "TERMINATE ALL;",
        "PAUSE CTAS_HITS_0;",
        "RESUME CTAS_HITS_0;",
        "ALTER SYSTEM 'auto.offset.reset'='earliest';",
        "CREATE SINK CONNECTOR c WITH ('connector.class'='C');",
        "DROP CONNECTOR c;",
    ] {
        let (status, told) = ksql.try_run(&format!("SHOW STREAMS; {statement}")).await;
        assert_eq!(status, 403, "{statement}: {told}");
        assert_eq!(told["@type"], "statement_error");
        assert_eq!(told["error_code"], 40300);
        assert_eq!(told["message"], message, "{statement}");
    }
    let client = reqwest::Client::builder().http2_prior_knowledge().build().unwrap();
    let rows = "{\"target\":\"CLICKS\"}\n{\"id\":\"d\"}\n";
    let url = format!("{}/inserts-stream", ksql.url());
    let told = client.post(url).body(rows).send().await.unwrap();
    assert_eq!(told.status().as_u16(), 403);
    assert!(told.text().await.unwrap().contains("only reads"));
    let (status, told) = ksql.post("/ksql/terminate", &json!({}), &[]).await;
    assert_eq!(status, 403);
    assert!(told.contains("only reads") && told.contains("40300"), "{told}");
    assert_eq!(ksql.run(shown).await, before);
    ksql.stop().await;
}

#[tokio::test]
async fn the_program_reads_on_a_port_of_its_own() {
    let world = World::new().await;
    let folder = tempfile::tempdir().unwrap();
    let mut running = world.program(&folder, &["--rest-port", "0"]);
    let lines = std::io::BufReader::new(running.stderr.take().unwrap()).lines();
    let told = tokio::task::spawn_blocking(move || {
        lines.map_while(Result::ok).find(|line| line.contains("listening on"))
    });
    let told = told.await.unwrap().unwrap_or_default();
    let url = told.split_once("listening on ").and_then(|(_, rest)| rest.split(',').next());
    let body = json!({ "ksql": "SHOW TABLES;" }).to_string();
    let url = format!("{}/ksql", url.unwrap_or_default());
    let answer = async { client().post(url).body(body).send().await?.text().await }.await;
    // Nothing is left of it, whatever it answered.
    running.kill().unwrap();
    running.wait().unwrap();
    assert!(told.ends_with(", for reading alone"), "{told}");
    let answer: Value = serde_json::from_str(&answer.unwrap()).unwrap();
    let tables = answer[0]["tables"].as_array().unwrap().iter();
    assert!(tables.clone().any(|table| table["name"] == "HITS"), "{answer}");
}

#[tokio::test]
async fn the_program_tells_its_figures_and_logs_in_json() {
    let world = World::new().await;
    let folder = tempfile::tempdir().unwrap();
    let flags = ["--listeners", "http://127.0.0.1:0", "--log-format", "json"];
    let mut running = world.program(&folder, &flags);
    let lines = std::io::BufReader::new(running.stderr.take().unwrap()).lines();
    let told = tokio::task::spawn_blocking(move || {
        let told = lines.map_while(Result::ok).map(|line| serde_json::from_str::<Value>(&line));
        let said = |told: &Value| told["fields"]["message"].as_str().map(str::to_owned);
        told.map_while(Result::ok)
            .filter_map(|told| said(&told))
            .find(|said| said.contains("listening on"))
    });
    let told = told.await.unwrap().unwrap_or_default();
    let url = told.split_once("listening on ").and_then(|(_, rest)| rest.split(',').next());
    let url = url.unwrap_or_default().to_owned();
    let get = async |path: &str| client().get(format!("{url}{path}")).send().await?.text().await;
    let (metrics, figures) = (get("/metrics").await, get("/v1/millstream/figures").await);
    running.kill().unwrap();
    running.wait().unwrap();
    assert!(told.ends_with(", for reading alone"), "{told}");
    assert!(metrics.unwrap().contains("millstream_query_state{query=\"CTAS_HITS_0\""));
    let figures: Value = serde_json::from_str(&figures.unwrap()).unwrap();
    let ids = figures["queries"].as_array().unwrap().iter().map(|query| &query["id"]);
    assert!(ids.clone().any(|id| id == "CTAS_HITS_0"), "{figures}");
}

impl World {
    /// The program that runs a file of this folder.
    fn program(&self, folder: &tempfile::TempDir, flags: &[&str]) -> std::process::Child {
        let file = folder.path().join("file.sql");
        std::fs::write(&file, FILE).unwrap();
        let mut program = Command::new(env!("CARGO_BIN_EXE_millstream"));
        program.arg("run").arg(&file).args(flags);
        program.args(["--bootstrap-servers", &self.brokers()]).env_remove("RUST_LOG");
        program.stderr(Stdio::piped()).spawn().unwrap()
    }

    /// The queries of a file, as `run` runs them with its REST.
    async fn reading(&self, text: &str) -> Ksql {
        let further = [("ksql.service.id", "reading_")];
        let (services, options) = self.options(&further);
        let properties = options.properties.clone();
        let made = headless::prepare_application(&services, text, &properties, true).await.unwrap();
        let host = millstream::engine::host::Host::start_reading(services, options, made);
        self.serve(host.await.unwrap(), false).await
    }
}
