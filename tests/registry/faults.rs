//! The embedded registry over a broker that fails on purpose.

use std::collections::BTreeMap;

use libtest_mimic::Trial;
use millstream::broker::{EmbeddedBroker, EmbeddedConfig, ProduceFault};
use millstream::kafka::{ClientConfig, Cluster, ResponseError};
use millstream::registry::{EmbeddedRegistry, EmbeddedRegistryConfig};
use serde_json::{Value, json};

use super::client::trial;
use super::http;

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("faults: what is refused by the broker holds nowhere", refused),
        trial("faults: what was written without an answer is found before the next write", lost),
        trial("faults: a damaged record of the topic is passed over", damaged),
    ]
}

struct World {
    broker: EmbeddedBroker,
    cluster: Cluster,
    registry: EmbeddedRegistry,
}

impl World {
    async fn start() -> Self {
        let broker = EmbeddedBroker::start(EmbeddedConfig::default()).await.unwrap();
        // Whether a write has failed is soon known.
        let properties = BTreeMap::from([
            ("bootstrap.servers".to_owned(), broker.bootstrap()),
            ("delivery.timeout.ms".to_owned(), "500".to_owned()),
            ("request.timeout.ms".to_owned(), "400".to_owned()),
            ("linger.ms".to_owned(), "0".to_owned()),
        ]);
        let cluster = Cluster::new(ClientConfig::from_properties(&properties).unwrap()).unwrap();
        let registry = start(&cluster).await;
        Self { broker, cluster, registry }
    }

    async fn register(&self, subject: &str, schema: &str) -> (u16, Value) {
        let path = format!("/subjects/{subject}/versions");
        let body = json!({ "schema": schema }).to_string();
        let answer = http::send(&self.registry.url(), "POST", &path, Some(body), &[]).await;
        (answer.status, answer.json())
    }

    async fn subjects(&self) -> Value {
        http::send(&self.registry.url(), "GET", "/subjects", None, &[]).await.json()
    }
}

async fn start(cluster: &Cluster) -> EmbeddedRegistry {
    EmbeddedRegistry::start(cluster, EmbeddedRegistryConfig::default()).await.unwrap()
}

async fn refused() {
    let world = World::start().await;
    let refused = ProduceFault::Refused(ResponseError::TopicAuthorizationFailed);
    world.broker.faults().on_produce("_schemas", None, refused);
    let (status, body) = world.register("s", "\"int\"").await;
    assert_eq!((status, &body["error_code"]), (500, &json!(50001)), "{body}");
    assert_eq!(world.subjects().await, json!([]));
    world.broker.faults().lift("_schemas");
    let (status, body) = world.register("t", "\"string\"").await;
    assert_eq!((status, &body["id"]), (200, &json!(1)), "{body}");
    assert_eq!(world.subjects().await, json!(["t"]));
}

async fn lost() {
    let world = World::start().await;
    world.broker.faults().on_produce("_schemas", None, ProduceFault::Never);
    let (status, body) = world.register("s", "\"int\"").await;
    assert_eq!((status, &body["error_code"]), (500, &json!(50001)), "{body}");
    assert_eq!(world.subjects().await, json!([]), "nobody knows whether it is written");
    world.broker.faults().lift("_schemas");
    let (status, body) = world.register("t", "\"string\"").await;
    assert_eq!((status, &body["id"]), (200, &json!(2)), "its id is not given again: {body}");
    assert_eq!(world.subjects().await, json!(["s", "t"]));
}

async fn damaged() {
    let world = World::start().await;
    world.register("s", "\"int\"").await;
    let producer = millstream::kafka::produce::Producer::new(&world.cluster);
    let record = |key, value| millstream::kafka::produce::NewRecord::new(0, Some(key), Some(value));
    for (key, value) in [
        (&b"{"[..], &b"{}"[..]),
        (br#"{"keytype":"SCHEMA","subject":"t","version":1,"magic":1}"#, b"{}"),
        (br#"{"keytype":"SCHEMA","subject":"t","version":"x","magic":1}"#, b"null"),
        (br#"{"keytype":"NEW","magic":0}"#, b"{}"),
    ] {
        producer.send("_schemas", 0, record(key, value)).await.unwrap();
    }
    producer.flush().await.unwrap();
    world.registry.shutdown().await;
    let world = World { registry: start(&world.cluster).await, ..world };
    assert_eq!(world.subjects().await, json!(["s"]));
}
