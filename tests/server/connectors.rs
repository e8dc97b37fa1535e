//! Statements about connectors, before a small Kafka Connect.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde_json::{Value, json};

use crate::world::World;

/// The configurations of connectors, by name.
type Connectors = Arc<Mutex<BTreeMap<String, Value>>>;

/// A Kafka Connect that keeps configurations, and does nothing else.
struct Worker {
    url: String,
    connectors: Connectors,
}

impl Worker {
    async fn start() -> Self {
        let connectors = Connectors::default();
        let router = Router::new()
            .route("/connectors", get(names).post(create))
            .route("/connectors/{name}", get(info).delete(remove))
            .route("/connectors/{name}/status", get(status))
            .route("/connectors/{name}/topics", get(topics))
            .route("/connector-plugins", get(plugins))
            .with_state(Arc::clone(&connectors));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, connectors }
    }

    fn config(&self, name: &str) -> Value {
        self.connectors.lock().unwrap()[name].clone()
    }
}

fn answer(status: StatusCode, body: &Value) -> Response {
    (status, [("content-type", "application/json")], body.to_string()).into_response()
}

fn refusal(status: StatusCode, message: &str) -> Response {
    answer(status, &json!({ "error_code": status.as_u16(), "message": message }))
}

fn is_source(config: &Value) -> bool {
    config["connector.class"].as_str().is_some_and(|class| class.contains("Source"))
}

fn told(name: &str, config: &Value) -> Value {
    let kind = if is_source(config) { "source" } else { "sink" };
    json!({ "name": name, "config": config, "tasks": [{ "connector": name, "task": 0 }], "type": kind })
}

async fn names(State(connectors): State<Connectors>) -> Response {
    let names: Vec<String> = connectors.lock().unwrap().keys().cloned().collect();
    answer(StatusCode::OK, &json!(names))
}

async fn create(State(connectors): State<Connectors>, body: String) -> Response {
    let body: Value = serde_json::from_str(&body).unwrap();
    let name = body["name"].as_str().unwrap().to_owned();
    let mut connectors = connectors.lock().unwrap();
    if connectors.contains_key(&name) {
        return refusal(StatusCode::CONFLICT, &format!("Connector {name} already exists"));
    }
    let told = told(&name, &body["config"]);
    connectors.insert(name, body["config"].clone());
    answer(StatusCode::CREATED, &told)
}

async fn info(State(connectors): State<Connectors>, Path(name): Path<String>) -> Response {
    match connectors.lock().unwrap().get(&name) {
        Some(config) => answer(StatusCode::OK, &told(&name, config)),
        None => refusal(StatusCode::NOT_FOUND, &format!("Connector {name} not found")),
    }
}

async fn remove(State(connectors): State<Connectors>, Path(name): Path<String>) -> Response {
    match connectors.lock().unwrap().remove(&name) {
        Some(_) => StatusCode::NO_CONTENT.into_response(),
        None => refusal(StatusCode::NOT_FOUND, &format!("Connector {name} not found")),
    }
}

async fn status(State(connectors): State<Connectors>, Path(name): Path<String>) -> Response {
    if !connectors.lock().unwrap().contains_key(&name) {
        return refusal(StatusCode::NOT_FOUND, &format!("No status found for connector {name}"));
    }
    let tasks = [("RUNNING", 0), ("FAILED", 1)];
    let tasks = tasks.map(|(state, id)| json!({ "id": id, "state": state, "worker_id": "w:1" }));
    let connector = json!({ "state": "RUNNING", "worker_id": "w:1" });
    let status = json!({ "name": name, "connector": connector, "tasks": tasks, "type": "source" });
    answer(StatusCode::OK, &status)
}

async fn topics(Path(name): Path<String>) -> Response {
    let mut topics = serde_json::Map::new();
    topics.insert(name, json!({ "topics": ["orders"] }));
    answer(StatusCode::OK, &Value::Object(topics))
}

async fn plugins() -> Response {
    let plugin = json!({ "class": "acme.JdbcSource", "type": "source", "version": "1.2" });
    answer(StatusCode::OK, &json!([plugin]))
}

#[tokio::test]
async fn a_connector_is_created_shown_and_dropped() {
    let (world, worker) = (World::new().await, Worker::start().await);
    let ksql = world.server_with(&[("ksql.connect.url", worker.url.as_str())]).await;
    let create = "CREATE SOURCE CONNECTOR `db` WITH ('connector.class'='acme.JdbcSource', 'tasks.max'=2, \
                  'password'='secret');";
    let created = ksql.run(create).await;
    assert_eq!(created[0]["@type"], "connector_info");
    assert_eq!(created[0]["info"]["name"], "db");
    assert_eq!(created[0]["info"]["type"], "source");
    // What configures it goes to Connect alone, and is not sent back with the statement.
    assert!(!created[0]["statementText"].as_str().unwrap().contains("secret"));
    assert_eq!(worker.config("db")["password"], "secret");
    assert_eq!(worker.config("db")["tasks.max"], "2");
    ksql.run("CREATE SINK CONNECTOR `out` WITH ('connector.class'='acme.JdbcSink');").await;

    let shown = ksql.run("SHOW SOURCE CONNECTORS;").await;
    let expected = json!([{
        "name": "db", "type": "source", "className": "acme.JdbcSource",
        "state": "WARNING (1/2 tasks RUNNING)",
    }]);
    assert_eq!(shown[0]["connectors"], expected);
    let shown = ksql.run("SHOW CONNECTORS;").await;
    assert_eq!(shown[0]["@type"], "connector_list");
    assert_eq!(shown[0]["connectors"].as_array().unwrap().len(), 2);
    let plugins = ksql.run("SHOW CONNECTOR PLUGINS;").await;
    let expected = json!([{ "className": "acme.JdbcSource", "type": "source", "version": "1.2" }]);
    assert_eq!(plugins[0]["connectorsPlugins"], expected);

    ksql.run("CREATE STREAM orders (a INT) WITH (kafka_topic='orders', partitions=1, value_format='JSON');")
        .await;
    let described = ksql.run("DESCRIBE CONNECTOR `db`;").await;
    assert_eq!(described[0]["@type"], "connector_description");
    assert_eq!(described[0]["connectorClass"], "acme.JdbcSource");
    assert_eq!(described[0]["status"]["tasks"][1]["state"], "FAILED");
    assert_eq!(described[0]["topics"], json!(["orders"]));
    assert_eq!(described[0]["sources"][0]["name"], "ORDERS");

    let dropped = ksql.run("DROP CONNECTOR `db`;").await;
    assert_eq!(dropped[0]["@type"], "drop_connector");
    assert_eq!(dropped[0]["connectorName"], "db");
    assert_eq!(ksql.run("SHOW SOURCE CONNECTORS;").await[0]["connectors"], json!([]));
    ksql.stop().await;
}

#[tokio::test]
async fn what_connect_refuses_is_told_with_its_status() {
    let (world, worker) = (World::new().await, Worker::start().await);
    let ksql = world.server_with(&[("ksql.connect.url", worker.url.as_str())]).await;
    let create = "CREATE SINK CONNECTOR out WITH ('connector.class'='acme.JdbcSink');";
    ksql.run(create).await;
    let (status, answer) = ksql.try_run(create).await;
    assert_eq!((status, &answer["error_code"]), (409, &json!(40900)));
    let message = answer["message"].as_str().unwrap();
    assert!(message.starts_with("Failed to create connector: "), "{message}");
    assert!(message.contains("Connector OUT already exists"), "{message}");
    let again = create.replace("CONNECTOR", "CONNECTOR IF NOT EXISTS");
    let warned = ksql.run(&again).await;
    assert_eq!(warned[0]["@type"], "warning_entity");
    assert_eq!(warned[0]["message"], "Connector OUT already exists");
    let (status, answer) = ksql.try_run("DROP CONNECTOR other;").await;
    assert_eq!((status, &answer["error_code"]), (404, &json!(40400)));
    let warned = ksql.run("DROP CONNECTOR IF EXISTS other;").await;
    assert_eq!(warned[0]["message"], "Connector 'OTHER' does not exist.");
    let (status, _) = ksql.try_run("DESCRIBE CONNECTOR other;").await;
    assert_eq!(status, 404);
    ksql.stop().await;
}

#[tokio::test]
async fn without_a_worker_it_is_said_where_it_was_looked_for() {
    let world = World::new().await;
    // A port that nobody listens on any more.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://localhost:{}", listener.local_addr().unwrap().port());
    drop(listener);
    let ksql = world.server_with(&[("ksql.connect.url", url.as_str())]).await;
    let (status, answer) = ksql.try_run("SHOW CONNECTORS;").await;
    assert_eq!((status, &answer["error_code"]), (500, &json!(50000)));
    let message = answer["message"].as_str().unwrap();
    let expected = format!("Connect to {url} [localhost/127.0.0.1] failed: Connection refused");
    assert!(message.contains(&expected), "{message}");
    ksql.stop().await;
}
