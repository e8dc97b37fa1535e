//! A case: all that is sent to a server, in its order.

use std::time::Duration;

use millstream::registry::EmbeddedRegistry;
use millstream::testing::Layouts;
use serde_json::{Value, json};

use crate::answers::{Answers, Refusal};
use crate::case::RestCase;
use crate::kafka::Kafka;
use crate::schemas;
use crate::world::{Ksql, World};

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// Runs a case; says what is wrong with the answers.
pub(crate) fn run(case: &RestCase) -> Result<(), String> {
    let runtime = tokio::runtime::Builder::new_multi_thread();
    let runtime = { runtime }.worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let scene = Scene::set(case).await?;
        let exchanged = scene.play(case).await;
        scene.ksql.stop().await;
        drop(scene.registry);
        exchanged
    })
}

/// A server, and what stands around it.
struct Scene {
    layouts: Layouts,
    kafka: Kafka,
    ksql: Ksql,
    registry: EmbeddedRegistry,
    _world: World,
}

impl Scene {
    async fn set(case: &RestCase) -> Result<Self, String> {
        // As that of ksqlDB's own tests, so that partitions come in their order.
        let world = World::with_workers(1).await;
        let kafka = Kafka::at(world.brokers());
        let mut layouts = Layouts::new(&case.case).map_err(|failure| failure.message)?;
        kafka.create_topics(&layouts, &case.case).await;
        let registry = schemas::start(kafka.cluster(), &layouts.schemas()).await?;
        let ran = layouts.execute(&case.case.statements);
        if case.error.is_none() {
            ran.map_err(|failure| failure.message)?;
        }
        let registry_url = registry.url();
        let properties = [
            ("ksql.schema.registry.url", registry_url.as_str()),
            ("ksql.millstream.strict", "true"),
            ("auto.offset.reset", "earliest"),
            ("cache.max.bytes.buffering", "0"),
            ("ksql.query.push.v2.enabled", "true"),
        ];
        let ksql = world.server_with(&properties).await;
        Ok(Self { layouts, kafka, ksql, registry, _world: world })
    }

    async fn play(&self, case: &RestCase) -> Result<(), String> {
        let mut answers = Answers::default();
        self.send_commands(case, &mut answers).await?;
        if answers.refusal.is_none() {
            self.ask(case, &mut answers).await?;
        }
        answers.check(case)?;
        self.kafka.check_outputs(&self.layouts, &case.case).await
    }

    async fn send_commands(&self, case: &RestCase, answers: &mut Answers) -> Result<(), String> {
        let mut body = json!({ "ksql": case.case.statements });
        if !case.properties.is_null() {
            body["streamsProperties"] = case.properties.clone();
        }
        let (status, text) = self.ksql.post("/ksql", &body, &[]).await;
        let found: Value = serde_json::from_str(&text).map_err(|error| error.to_string())?;
        match found {
            Value::Array(entities) if status == 200 => answers.admin = entities,
            body => answers.refusal = Some(Refusal { status: Some(status), body }),
        }
        Ok(())
    }

    /// Sends records and queries.
    async fn ask(&self, case: &RestCase, answers: &mut Answers) -> Result<(), String> {
        if let ([query], true) = (&*case.queries, case.asks_first) {
            let begun = self.begin(case, query).await?;
            self.kafka.produce(&self.layouts, &case.case).await?;
            let (status, text) = begun.end().await?;
            return answers.take_query(status, &text);
        }
        self.kafka.produce(&self.layouts, &case.case).await?;
        let ids = answers
            .admin
            .iter()
            .filter_map(|entity| entity["commandStatus"]["queryId"].as_str().map(str::to_owned));
        let queries: Vec<_> = ids.zip(self.layouts.query_topics()).collect();
        self.kafka.wait_level(&queries).await?;
        for query in &case.queries {
            let (status, text) = self.begin(case, query).await?.end().await?;
            answers.take_query(status, &text)?;
        }
        if case.asks_protobuf && answers.refusal.is_none() {
            for query in &case.queries {
                let (status, text) = self.begin_protobuf(case, query).await?.end().await?;
                answers.take_protobuf(status, &text)?;
            }
        }
        Ok(())
    }

    /// Sends a query, and reads the beginning of the answer.
    async fn begin(&self, case: &RestCase, query: &str) -> Result<Begun, String> {
        let mut body = json!({ "ksql": query });
        if !case.properties.is_null() {
            body["streamsProperties"] = case.properties.clone();
        }
        self.post("/query", &body, "application/vnd.ksql.v1+json").await
    }

    /// The same, where rows come as Protobuf messages.
    async fn begin_protobuf(&self, case: &RestCase, query: &str) -> Result<Begun, String> {
        let mut body = json!({ "sql": query });
        if !case.properties.is_null() {
            body["properties"] = case.properties.clone();
        }
        self.post("/query-stream", &body, "application/vnd.ksql.v1+protobuf").await
    }

    async fn post(&self, path: &str, body: &Value, form: &str) -> Result<Begun, String> {
        let request = reqwest::Client::new().post(format!("{}{path}", self.ksql.url()));
        let request = request.header("accept", form);
        let request = request.header("content-type", "application/json").body(body.to_string());
        let sent = tokio::time::timeout(PATIENCE, request.send()).await;
        let sent = sent.map_err(|_| "no answer".to_owned())?;
        let mut response = sent.map_err(|error| error.to_string())?;
        let first = tokio::time::timeout(PATIENCE, response.chunk()).await;
        let first = first.map_err(|_| "the answer does not begin".to_owned())?;
        let first = first.map_err(|error| error.to_string())?;
        let text = first.map_or_else(Vec::new, |first| first.to_vec());
        Ok(Begun { response, text })
    }
}

/// An answer that has begun.
struct Begun {
    response: reqwest::Response,
    text: Vec<u8>,
}

impl Begun {
    /// The status, and the whole text.
    async fn end(mut self) -> Result<(u16, String), String> {
        let status = self.response.status().as_u16();
        let reading = async {
            while let Some(chunk) =
                self.response.chunk().await.map_err(|error| error.to_string())?
            {
                self.text.extend_from_slice(&chunk);
            }
            Ok::<_, String>(())
        };
        let read = tokio::time::timeout(PATIENCE, reading).await;
        let text = String::from_utf8_lossy(&self.text).into_owned();
        match read {
            Err(_) => Err(format!("the answer has no end: {text}")),
            Ok(read) => read.map(|()| (status, text)),
        }
    }
}
