//! A server without Kafka: before it answers for the first time, and when it is lost.

use std::io::BufRead as _;
use std::net::{SocketAddr, TcpListener};
use std::process::{Command, Stdio};
use std::sync::Arc;

use millstream::broker::{EmbeddedBroker, EmbeddedConfig};
use millstream::engine::host::Host;
use millstream::server::{Server, ServerOptions};
use serde_json::{Value, json};

use crate::world::{World, client};

/// An address of this machine where nobody listens.
fn free() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

#[tokio::test]
async fn clients_are_told_that_a_server_is_not_ready_until_it_is() {
    let world = World::new().await;
    let (services, options) = world.options(&[]);
    let address = ServerOptions::new("127.0.0.1:0".parse().unwrap());
    let waiting = Server::wait(&options.properties, address).await.unwrap();
    let url = format!("http://{}", waiting.address());
    let over_http_2 = reqwest::Client::builder().http2_prior_knowledge().build().unwrap();
    for client in [client(), over_http_2.clone()] {
        for path in ["/info", "/healthcheck", "/clusterStatus", "/"] {
            let answer = client.get(format!("{url}{path}")).send().await.unwrap();
            assert_eq!(answer.status().as_u16(), 503, "{path}");
            assert_eq!(answer.headers()["retry-after"], "10");
            let told: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
            let expected = json!({
                "@type": "generic_error",
                "error_code": 50302,
                "message": "KSQL is not yet ready to serve requests.",
            });
            assert_eq!(told, expected);
        }
        let answer = client.post(format!("{url}/ksql")).body("{\"ksql\": \"SHOW STREAMS;\"}");
        assert_eq!(answer.send().await.unwrap().status().as_u16(), 503);
        let answer = client.get(format!("{url}/chc/live")).send().await.unwrap();
        assert_eq!(answer.status().as_u16(), 200);
        let page = client.get(format!("{url}/info")).header("Origin", "http://evil.example");
        assert_eq!(page.send().await.unwrap().status().as_u16(), 403);
    }
    let host = Arc::new(Host::start(services, options).await.unwrap());
    let server = waiting.open(host);
    // Also those who have waited for it with a connection.
    let answer = over_http_2.get(format!("{url}/info")).send().await.unwrap();
    assert_eq!(answer.status().as_u16(), 200);
    assert!(answer.text().await.unwrap().contains("\"serverStatus\":\"RUNNING\""));
    server.stop().await;
}

#[tokio::test]
async fn users_alone_are_told_what_a_server_waits_for() {
    let world = World::new().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("users");
    std::fs::write(&file, "ann: secret, admin\n").unwrap();
    let users = [
        ("authentication.method", "BASIC"),
        ("authentication.password.file", file.to_str().unwrap()),
    ];
    let (_, options) = world.options(&users);
    let address = ServerOptions::new("127.0.0.1:0".parse().unwrap());
    let waiting = Server::wait(&options.properties, address).await.unwrap();
    let status = async |path: &str, password: Option<&str>| {
        let request = client().get(format!("http://{}{path}", waiting.address()));
        let request = match password {
            Some(_) => request.basic_auth("ann", password),
            None => request,
        };
        request.send().await.unwrap().status().as_u16()
    };
    assert_eq!(status("/info", None).await, 401);
    assert_eq!(status("/info", Some("secret")).await, 503);
    assert_eq!(status("/chc/ready", None).await, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_program_says_which_kafka_it_waits_for_and_why() {
    let kafka = free();
    let mut program = Command::new(env!("CARGO_BIN_EXE_millstream"));
    program.args(["server", "--listeners", "http://127.0.0.1:0"]);
    program.args(["--bootstrap-servers", &kafka.to_string()]).env_remove("RUST_LOG");
    let mut running = program.stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = std::io::BufReader::new(running.stderr.take().unwrap()).lines();
    let mut line_with = |text: &'static str| {
        lines.by_ref().map_while(Result::ok).find(|line| line.contains(text)).unwrap_or_default()
    };
    let waits = tokio::task::block_in_place(|| line_with("waiting for Kafka"));
    let expected = format!(
        "waiting for Kafka at {kafka} (bootstrap.servers): cannot connect to Kafka at {kafka}: "
    );
    assert!(waits.contains(&expected), "{waits}");
    let config = EmbeddedConfig { port: kafka.port(), ..EmbeddedConfig::default() };
    let _broker = EmbeddedBroker::start(config).await.unwrap();
    let listens = tokio::task::block_in_place(|| line_with("listening on"));
    running.kill().unwrap();
    running.wait().unwrap();
    assert!(listens.contains("listening on http://127.0.0.1:"), "{listens}");
}

#[test]
fn who_names_no_kafka_is_told_how_to() {
    let mut program = Command::new(env!("CARGO_BIN_EXE_millstream"));
    let told = program.args(["server", "--bootstrap-servers", ""]).output().unwrap();
    assert_eq!(told.status.code(), Some(1));
    let told = String::from_utf8(told.stderr).unwrap();
    assert!(
        told.contains(
            "no Kafka is named: give --bootstrap-servers HOST:PORT, or bootstrap.servers"
        ),
        "{told}"
    );
}

#[tokio::test]
async fn a_statement_is_answered_when_kafka_is_lost() {
    let world = World::new().await;
    let ksql = world.server_with(&[("default.api.timeout.ms", "500")]).await;
    ksql.run("CREATE STREAM a (k STRING KEY, v INT) WITH (kafka_topic='a', value_format='JSON', partitions=1);
              CREATE STREAM b AS SELECT * FROM a;")
        .await;
    drop(world);
    let (status, told) = ksql
        .try_run("CREATE STREAM c (k STRING KEY) WITH (kafka_topic='c', value_format='JSON');")
        .await;
    assert_eq!((status, &told["error_code"]), (500, &json!(50000)), "{told}");
    let message = told["message"].as_str().unwrap();
    assert!(
        message.starts_with("Failed to check if exists for topic: c\nCaused by: "),
        "{message}"
    );
    let (status, told) = ksql.try_run("TERMINATE CSAS_B_1;").await;
    assert_eq!(status, 500, "{told}");
    assert!(told["message"].as_str().unwrap().contains("Kafka"), "{told}");
    let (status, health) = ksql.get("/healthcheck").await;
    assert_eq!(status, 200);
    let health: Value = serde_json::from_str(&health).unwrap();
    assert_eq!(health["details"]["kafka"], json!({ "isHealthy": false }));
}
