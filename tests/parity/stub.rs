//! A server that answers as ksqlDB 7.4 does, and whose queries write what somebody recorded.
//!
//! It knows the statements that `millstream parity` sends. Whatever it is to have written into a sink is in its topic as
//! soon as the statement is taken, and its group is at the ends of all that is there.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::routing::{get, post};
use millstream::kafka::admin::{Admin, NewTopic, OffsetSpec};
use millstream::kafka::config::Isolation;
use millstream::kafka::group::{CommittedOffset, GroupOffsets};
use millstream::kafka::produce::{NewRecord, Producer};
use millstream::kafka::records::Headers;
use millstream::kafka::{Cluster, TopicPartition};
use millstream::sql::ast::{Literal, SourceKind, Statement};
use millstream::sql::{ParseOptions, parse, print};
use serde_json::{Value, json};

use super::record::Record;

/// A topic that the stub's query is to have written.
#[derive(Clone, Default)]
pub(crate) struct Written {
    pub(crate) partitions: i32,
    pub(crate) configs: Vec<(&'static str, &'static str)>,
    pub(crate) records: Vec<(usize, Record)>,
    /// The URL of a registry, and the Avro schema of its values there.
    pub(crate) schema: Option<(String, String)>,
    /// Whether it is not there at all.
    pub(crate) is_missing: bool,
}

/// The server.
pub(crate) struct Stub {
    shared: Arc<Shared>,
    url: String,
    serving: tokio::task::JoinHandle<()>,
}

struct Shared {
    cluster: Cluster,
    /// By what the files call the topic.
    written: BTreeMap<String, Written>,
    there: Mutex<There>,
    /// Whether groups commit what they have read.
    commits: bool,
}

/// What statements have made, as the server tells it.
#[derive(Default)]
struct There {
    /// Name, kind and statement.
    sources: Vec<(String, SourceKind, String)>,
    /// Id, sink and statement.
    queries: Vec<(String, String, String)>,
    topics: BTreeMap<String, String>,
    commands: i64,
}

impl Stub {
    /// A server whose queries have written these topics.
    pub(crate) async fn start(cluster: &Cluster, written: BTreeMap<String, Written>) -> Self {
        Self::start_with(cluster, written, true).await
    }

    /// One whose queries stand where they began.
    pub(crate) async fn start_behind(cluster: &Cluster) -> Self {
        Self::start_with(cluster, BTreeMap::new(), false).await
    }

    async fn start_with(
        cluster: &Cluster,
        written: BTreeMap<String, Written>,
        commits: bool,
    ) -> Self {
        let (cluster, there) = (cluster.clone(), Mutex::default());
        let shared = Arc::new(Shared { cluster, written, there, commits });
        let routes = Router::new()
            .route("/info", get(info))
            .route("/ksql", post(ksql))
            .with_state(Arc::clone(&shared));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let serving = tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
        Self { shared, url, serving }
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// The names of sources and the ids of queries that are there.
    pub(crate) fn left(&self) -> Vec<String> {
        let there = self.shared.there.lock().unwrap();
        let sources = there.sources.iter().map(|(name, ..)| name.clone());
        sources.chain(there.queries.iter().map(|(id, ..)| id.clone())).collect()
    }
}

impl Drop for Stub {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn info() -> String {
    let info = json!({
        "version": "7.4.0", "kafkaClusterId": "stub", "ksqlServiceId": "default_", "serverStatus": "RUNNING",
    });
    json!({ "KsqlServerInfo": info }).to_string()
}

async fn ksql(State(shared): State<Arc<Shared>>, body: String) -> String {
    let body: Value = serde_json::from_str(&body).unwrap();
    let text = body["ksql"].as_str().unwrap();
    if text.starts_with("SHOW PROPERTIES") {
        return shared.there.lock().unwrap().answers().to_string();
    }
    assert!(body["streamsProperties"].is_object());
    let parsed = parse(text, &ParseOptions::default()).unwrap();
    let mut answers = Vec::new();
    for one in parsed {
        answers.push(shared.take(&one.statement, &body["streamsProperties"]).await);
    }
    Value::Array(answers).to_string()
}

impl There {
    fn answers(&self) -> Value {
        let of_kind = |wanted: SourceKind| -> Vec<Value> {
            let some = self.sources.iter().filter(|(_, kind, _)| *kind == wanted);
            some.map(|(name, kind, statement)| {
                json!({
                    "name": name, "type": kind.as_str(), "statement": statement,
                    "fields": [], "readQueries": [], "writeQueries": [],
                })
            })
            .collect()
        };
        let queries = self.queries.iter().map(|(id, sink, statement)| {
            json!({
                "id": id, "statementText": statement, "fields": [], "sources": [], "sinks": [sink],
                "queryType": "PERSISTENT", "state": "RUNNING", "overriddenProperties": {},
            })
        });
        json!([
            { "@type": "properties", "properties": [], "overwrittenProperties": [], "defaultProperties": [] },
            { "@type": "type_list", "types": {} },
            { "@type": "kafka_topics", "topics": [] },
            { "@type": "source_descriptions", "sourceDescriptions": of_kind(SourceKind::Stream) },
            { "@type": "source_descriptions", "sourceDescriptions": of_kind(SourceKind::Table) },
            { "@type": "query_descriptions", "queryDescriptions": queries.collect::<Vec<_>>() },
        ])
    }
}

impl Shared {
    async fn take(&self, statement: &Statement, properties: &Value) -> Value {
        let text = print::statement(statement);
        match statement {
            Statement::CreateSource(create) => {
                let mut there = self.there.lock().unwrap();
                there.sources.push((create.name.text.clone(), create.kind, text.clone()));
            }
            Statement::CreateAs(create) => {
                assert_eq!(properties["auto.offset.reset"], "earliest");
                assert_eq!(properties["cache.max.bytes.buffering"], "0");
                let topic = create.with.iter().find_map(|property| match &property.value {
                    Literal::String(topic) if property.name.text == "KAFKA_TOPIC" => Some(topic),
                    _ => None,
                });
                let (name, topic) = (&create.name.text, topic.unwrap());
                let id = {
                    let mut there = self.there.lock().unwrap();
                    there.sources.push((name.clone(), create.kind, text.clone()));
                    there.topics.insert(name.clone(), topic.clone());
                    there.commands += 1;
                    let id = format!("C{}AS_{name}_{}", &create.kind.as_str()[..1], there.commands);
                    there.queries.push((id.clone(), name.clone(), text.clone()));
                    id
                };
                self.write(topic).await;
                self.commit(&format!("_confluent-ksql-default_query_{id}")).await;
            }
            Statement::ControlQuery(_) => {
                let id = text.trim_start_matches("TERMINATE ").trim_matches('`').to_owned();
                self.there.lock().unwrap().queries.retain(|(known, ..)| *known != id);
            }
            Statement::Drop(drop) => {
                let topic = {
                    let mut there = self.there.lock().unwrap();
                    let name = &drop.name.text;
                    assert!(there.queries.iter().all(|(_, sink, _)| sink != name), "{text}");
                    there.sources.retain(|(known, ..)| known != name);
                    there.topics.remove(name).filter(|_| drop.delete_topic)
                };
                if let Some(topic) = topic {
                    let _ = Admin::new(&self.cluster).delete_topic(&topic).await;
                }
            }
            _ => panic!("no statement of a comparison: {text}"),
        }
        json!({
            "@type": "currentStatus", "statementText": text, "commandId": "stream/x/create", "warnings": [],
            "commandStatus": { "status": "SUCCESS", "message": "done", "queryId": null }, "commandSequenceNumber": 0,
        })
    }

    /// Writes what is recorded of the topic that this one stands for.
    async fn write(&self, topic: &str) {
        let (_, original) = topic.split_once("_theirs_").unwrap();
        let written = self.written.get(original).cloned().unwrap_or_default();
        if written.is_missing {
            return;
        }
        let mut new = NewTopic::new(topic, written.partitions.max(1));
        for (name, value) in written.configs {
            new = new.with_config(name, value);
        }
        Admin::new(&self.cluster).create_topic(&new).await.unwrap();
        produce(&self.cluster, topic, &written.records).await;
        if let Some((url, schema)) = written.schema {
            let url = format!("{url}/subjects/{topic}-value/versions");
            let body = json!({ "schema": schema }).to_string();
            let _ = rustls::crypto::ring::default_provider().install_default();
            let answer = reqwest::Client::new().post(url).body(body).send().await.unwrap();
            assert!(answer.status().is_success(), "{}", answer.text().await.unwrap());
        }
    }

    async fn commit(&self, group: &str) {
        if !self.commits {
            return;
        }
        let admin = Admin::new(&self.cluster);
        let mut offsets = Vec::new();
        for topic in admin.list_topics().await.unwrap() {
            if topic.is_internal {
                continue;
            }
            let isolation = Isolation::ReadCommitted;
            let ends = admin.topic_offsets(&topic.name, OffsetSpec::Latest, isolation).await;
            for (partition, end) in (0..).zip(ends.unwrap_or_default()) {
                let at = TopicPartition::new(&*topic.name, partition);
                offsets.push((at, CommittedOffset::new(end)));
            }
        }
        GroupOffsets::new(&self.cluster, group).commit(&offsets).await.unwrap();
    }
}

/// Writes records into their partitions.
pub(crate) async fn produce(cluster: &Cluster, topic: &str, records: &[(usize, Record)]) {
    let producer = Producer::new(cluster);
    for (partition, record) in records {
        let mut headers = Headers::new();
        for (name, value) in &record.headers {
            headers.push(name.as_bytes(), value.as_deref());
        }
        let new = NewRecord {
            headers: headers.as_ref(),
            ..NewRecord::new(record.timestamp_ms, record.key.as_deref(), record.value.as_deref())
        };
        producer.send(topic, *partition as i32, new).await.unwrap();
    }
    producer.flush().await.unwrap();
}
