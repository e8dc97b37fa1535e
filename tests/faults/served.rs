//! `millstream server` as a child, and a client of it.

use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Run, World};

/// How long an answer may take that is waited for.
const PATIENCE: Duration = Duration::from_mins(1);

/// What the server says once it can be asked.
const LISTENING: &str = "listening on ";

/// A running server; it is killed when this is dropped.
pub(crate) struct Served {
    pub(crate) run: Run,
    pub(crate) url: String,
    pub(crate) client: reqwest::Client,
}

impl World {
    /// Starts a server of the service that has this world's name, with further properties.
    pub(crate) async fn serve(&self, properties: &[&str]) -> Served {
        let mut command = Command::new(env!("CARGO_BIN_EXE_millstream"));
        command.args(["server", "--bootstrap-servers", &self.servers]);
        command.args(["--listeners", "http://127.0.0.1:0"]);
        let service = format!("ksql.service.id={}", self.name);
        let own = [&*service, "commit.interval.ms=100", "heartbeat.interval.ms=200"];
        for property in own.iter().chain(properties) {
            command.args(["--property", property]);
        }
        let mut run = self.spawn(command);
        run.wait_for(LISTENING, 1).await;
        let log = run.log();
        let (_, rest) = log.split_once(LISTENING).unwrap();
        let url = rest.split_whitespace().next().unwrap().to_owned();
        let _ = rustls::crypto::ring::default_provider().install_default();
        Served { run, url, client: reqwest::Client::new() }
    }
}

impl Served {
    /// Where it listens.
    pub(crate) fn address(&self) -> &str {
        self.url.trim_start_matches("http://")
    }

    /// The status and the answer of statements; an error where the server is gone.
    pub(crate) async fn ask(&self, statements: &str) -> Result<(u16, Value), reqwest::Error> {
        let properties = json!({ "auto.offset.reset": "earliest" });
        let body = json!({ "ksql": statements, "streamsProperties": properties }).to_string();
        let request = self.client.post(format!("{}/ksql", self.url)).timeout(PATIENCE).body(body);
        let response = request.send().await?;
        let status = response.status().as_u16();
        let text = response.text().await?;
        Ok((status, serde_json::from_str(&text).unwrap_or(Value::String(text))))
    }

    /// The answer of statements that are to be run.
    pub(crate) async fn tell(&self, statements: &str) -> Value {
        let (status, answer) = self.ask(statements).await.unwrap();
        assert_eq!(status, 200, "{statements}: {answer}\n{}", self.run.log());
        answer
    }

    /// The status and the text of what a query answers until it ends.
    pub(crate) async fn query(&self, sql: &str) -> Result<(u16, String), reqwest::Error> {
        let properties = json!({ "auto.offset.reset": "earliest" });
        let body = json!({ "sql": sql, "properties": properties }).to_string();
        let request = self.client.post(format!("{}/query-stream", self.url));
        let response = request.timeout(PATIENCE).body(body).send().await?;
        Ok((response.status().as_u16(), response.text().await?))
    }
}
