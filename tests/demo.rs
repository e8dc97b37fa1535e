//! `millstream demo`, as a program of its own that a Kafka client connects to.
#![expect(clippy::unwrap_used, reason = "a test that panics has failed")]

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use millstream::kafka::admin::Admin;
use millstream::kafka::fetch::Fetcher;
use millstream::kafka::{ClientConfig, Cluster, TopicPartition};
use millstream::registry::{RegistryClient, RegistryConfig, Schema, SchemaType, Subject};
use serde_json::Value;

/// The program, which ends with the test.
struct Demo(Child);

impl Drop for Demo {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn demo(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_millstream"));
    command.arg("demo").args(arguments).stdin(Stdio::null());
    command
}

fn sum(object: &Value) -> u64 {
    object.as_object().unwrap().values().map(|count| count.as_u64().unwrap()).sum()
}

/// Reads all readings of the demo with a client of its own.
async fn readings(bootstrap: &str) -> usize {
    let cluster = Cluster::new(ClientConfig::new(bootstrap).unwrap()).unwrap();
    let topic = Admin::new(&cluster).describe_topic("device-sensors").await.unwrap().unwrap();
    assert_eq!(topic.partitions.len(), 3);
    let fetcher = Fetcher::new(&cluster);
    fetcher.assign((0..3).map(|partition| (TopicPartition::new("device-sensors", partition), 0)));
    let mut read = 0;
    while read < 500 {
        let fetched = fetcher.poll(Duration::from_secs(5)).await.unwrap();
        assert!(!fetched.is_empty(), "no more than {read} readings came");
        read += fetched.iter().map(|fetched| fetched.records().count()).sum::<usize>();
    }
    read
}

#[tokio::test(flavor = "multi_thread")]
async fn the_figures_add_up_and_clients_can_connect() {
    let flags =
        "--count 500 --rate 0 --seed 1 --kafka-port 0 --registry-port 0 --rest-port 0 --duration 6";
    let flags: Vec<&str> = flags.split(' ').collect();
    let mut demo = Demo(demo(&flags).stdout(Stdio::piped()).spawn().unwrap());
    let mut lines = BufReader::new(demo.0.stdout.take().unwrap()).lines();
    let mut next = move || -> Option<Value> {
        lines.next().map(|line| serde_json::from_str(&line.unwrap()).unwrap())
    };

    let first = next().unwrap();
    let bootstrap = first["bootstrap_servers"].as_str().unwrap().to_owned();
    assert_eq!(readings(&bootstrap).await, 500);
    let registry = RegistryConfig::new(first["schema_registry"].as_str().unwrap()).unwrap();
    let registry = RegistryClient::new(registry).unwrap();
    let schema = Schema::new(SchemaType::Avro, "\"int\"");
    registry.register(&Subject::of_values("mine"), &schema).await.unwrap();
    assert_eq!(registry.subjects().await.unwrap(), [Subject::of_values("mine")]);

    let url = format!("{}/ksql", first["rest"].as_str().unwrap());
    let _ = rustls::crypto::ring::default_provider().install_default();
    let shown = reqwest::Client::new().post(url).body("{\"ksql\":\"SHOW TABLES;\"}");
    let shown = shown.send().await.unwrap().text().await.unwrap();
    assert!(shown.contains("\"name\":\"DEVICE_ACTIVITY_COUNTS\""), "{shown}");

    let last = std::iter::from_fn(&mut next).last().unwrap();
    assert!(demo.0.wait().unwrap().success());
    assert_eq!(last["readings"], 500);
    assert_eq!(sum(&last["partitions"]), 500);
    assert_eq!(sum(&last["activities"]), 500);
    assert_eq!(last["devices"], 12);
    assert!(last["transitions"].as_u64().unwrap() > 0);
    assert_eq!(sum(&last["transition_counts"]), last["transitions"].as_u64().unwrap());
    let queries = last["queries"].as_array().unwrap();
    assert_eq!(queries.len(), 6);
    let is_of_alerts =
        |query: &&Value| query["id"].as_str().unwrap().starts_with("CSAS_MOVEMENT_ALERTS_");
    let alerts = queries.iter().find(is_of_alerts).unwrap();
    assert_eq!(alerts["out"], last["alerts"]);
}

#[test]
fn a_port_that_is_taken_is_named_with_its_flag() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let flags = ["--kafka-port", "--registry-port", "--rest-port"];
    for flag in flags {
        let all = flags.iter().flat_map(|one| [*one, if *one == flag { &*port } else { "0" }]);
        let output = demo(&all.collect::<Vec<_>>()).output().unwrap();
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1));
        assert!(error.contains(&port) && error.contains(flag), "{error}");
    }
}

#[test]
fn faulty_sql_is_shown_with_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("faulty.sql");
    std::fs::write(
        &file,
        "CREATE TABLE counts AS\n  SELECT id, COUNT(*) FROM nowhere GROUP BY id;\n",
    )
    .unwrap();
    let file = file.to_str().unwrap();
    let output =
        demo(&["--kafka-port", "0", "--registry-port", "0", "--rest-port", "0", "--sql", file])
            .output()
            .unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(error.contains(&format!("{file}:")), "{error}");
}
