//! A client of Kafka Connect's REST API (`ksql.connect.url`).

use std::collections::BTreeMap;
use std::time::Duration;

use reqwest::{Method, Url};
use serde_json::{Value, json};

use super::Properties;
use crate::kafka::config::Tls;
use crate::kafka::tls;

/// Where a Connect worker is, unless it is said.
const DEFAULT_URL: &str = "http://localhost:8083";
/// How long an answer may take, unless `ksql.connect.request.timeout.ms` says it.
const TIMEOUT_MS: i64 = 5_000;
/// The longest answer that is read.
const ANSWER_BYTES_MAX: usize = 8 << 20;

/// A client of a Connect worker. Nothing is connected yet.
#[derive(Clone, Debug)]
pub(super) struct Connect {
    http: reqwest::Client,
    url: Url,
    /// Name and password, where the worker asks for them.
    login: Option<(String, String)>,
}

/// Why a worker gives no answer of use.
#[derive(Debug, thiserror::Error)]
pub(super) enum ConnectError {
    /// A property of the server.
    #[error("{name}: {reason}")]
    Property {
        /// Which one.
        name: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// It cannot be reached.
    #[error("Connect to {url} failed: {cause}")]
    Unreachable {
        /// Where it was looked for.
        url: String,
        /// What the system says.
        cause: String,
    },
    /// It refuses.
    #[error("{body}")]
    Refused {
        /// The status.
        status: u16,
        /// What it says.
        body: String,
    },
    /// What it says is none of Connect's answers.
    #[error("the answer of Kafka Connect cannot be read: {0}")]
    Malformed(String),
}

impl Connect {
    /// The client that properties name.
    pub(super) fn new(properties: &Properties) -> Result<Self, ConnectError> {
        let fault = |name, reason: String| ConnectError::Property { name, reason };
        let text = properties.get("ksql.connect.url").unwrap_or(DEFAULT_URL);
        let url = Url::parse(text).map_err(|error| fault("ksql.connect.url", error.to_string()))?;
        let timeout = properties.number("ksql.connect.request.timeout.ms", TIMEOUT_MS);
        let timeout =
            timeout.map_err(|error| fault("ksql.connect.request.timeout.ms", error.to_string()))?;
        let tls = Tls::from_properties(&BTreeMap::new())
            .and_then(|tls| tls::client_config(&tls))
            .map_err(|error| fault("ksql.connect.url", error.to_string()))?;
        let http = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .timeout(Duration::from_millis(u64::try_from(timeout).unwrap_or(0)))
            .build()
            .map_err(|error| fault("ksql.connect.url", error.to_string()))?;
        Ok(Self { http, url, login: login(properties)? })
    }

    /// Creates a connector; what the worker knows of it then.
    pub(super) async fn create(
        &self,
        name: &str,
        config: &BTreeMap<String, String>,
    ) -> Result<Value, ConnectError> {
        let body = json!({ "name": name, "config": config });
        self.ask(Method::POST, &["connectors"], Some(&body)).await
    }

    /// Drops a connector.
    pub(super) async fn drop(&self, name: &str) -> Result<(), ConnectError> {
        self.ask(Method::DELETE, &["connectors", name], None).await.map(drop)
    }

    /// The names of all connectors.
    pub(super) async fn connectors(&self) -> Result<Vec<String>, ConnectError> {
        let answer = self.get(&["connectors"]).await?;
        let names = answer.as_array().ok_or_else(|| malformed("no list of connectors", &answer))?;
        Ok(names.iter().filter_map(Value::as_str).map(str::to_owned).collect())
    }

    /// A connector, as it is configured.
    pub(super) async fn connector(&self, name: &str) -> Result<Value, ConnectError> {
        self.get(&["connectors", name]).await
    }

    /// How a connector and its tasks are.
    pub(super) async fn status(&self, name: &str) -> Result<Value, ConnectError> {
        self.get(&["connectors", name, "status"]).await
    }

    /// The topics that a connector uses.
    pub(super) async fn topics(&self, name: &str) -> Result<Vec<String>, ConnectError> {
        let answer = self.get(&["connectors", name, "topics"]).await?;
        let topics = answer[name]["topics"].as_array();
        let topics = topics.ok_or_else(|| malformed("no list of topics", &answer))?;
        Ok(topics.iter().filter_map(Value::as_str).map(str::to_owned).collect())
    }

    /// What connectors there could be.
    pub(super) async fn plugins(&self) -> Result<Vec<Value>, ConnectError> {
        let answer = self.get(&["connector-plugins"]).await?;
        answer.as_array().cloned().ok_or_else(|| malformed("no list of plugins", &answer))
    }

    async fn get(&self, path: &[&str]) -> Result<Value, ConnectError> {
        self.ask(Method::GET, path, None).await
    }

    async fn ask(
        &self,
        method: Method,
        path: &[&str],
        body: Option<&Value>,
    ) -> Result<Value, ConnectError> {
        let mut url = self.url.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path);
        }
        let mut request = self.http.request(method, url);
        if let Some((name, password)) = &self.login {
            request = request.basic_auth(name, Some(password));
        }
        if let Some(body) = body {
            request = request.header("content-type", "application/json").body(body.to_string());
        }
        let mut response = request.send().await.map_err(|error| self.unreachable(&error))?;
        let status = response.status();
        let mut bytes = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| self.unreachable(&error))? {
            if bytes.len() + chunk.len() > ANSWER_BYTES_MAX {
                return Err(ConnectError::Malformed(format!(
                    "longer than {ANSWER_BYTES_MAX} bytes"
                )));
            }
            bytes.extend_from_slice(&chunk);
        }
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if !status.is_success() {
            return Err(ConnectError::Refused { status: status.as_u16(), body: text });
        }
        if bytes.is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_str(&text).map_err(|error| ConnectError::Malformed(error.to_string()))
    }

    fn unreachable(&self, error: &reqwest::Error) -> ConnectError {
        // The system's number of the fault is nothing to users.
        let cause = tls::innermost_cause(error);
        let cause = cause.split(" (os error").next().unwrap_or_default().to_owned();
        let url = self.url.as_str().trim_end_matches('/').to_owned();
        ConnectError::Unreachable { url, cause }
    }
}

fn malformed(what: &str, answer: &Value) -> ConnectError {
    let shown: String = answer.to_string().chars().take(200).collect();
    ConnectError::Malformed(format!("{what} in {shown}"))
}

/// The name and the password that a file has, in the properties `username` and `password`.
fn login(properties: &Properties) -> Result<Option<(String, String)>, ConnectError> {
    const FILE: &str = "ksql.connect.basic.auth.credentials.file";
    let source = properties.get("ksql.connect.basic.auth.credentials.source").unwrap_or("NONE");
    if !source.eq_ignore_ascii_case("FILE") {
        return Ok(None);
    }
    let fault = |reason: String| ConnectError::Property { name: FILE, reason };
    let path = properties.get(FILE).unwrap_or_default();
    let text = std::fs::read_to_string(path).map_err(|error| fault(error.to_string()))?;
    let read = Properties::parse(&text);
    match (read.get("username"), read.get("password")) {
        (Some(name), Some(password)) => Ok(Some((name.to_owned(), password.to_owned()))),
        _ => Err(fault("it has to have a username and a password".to_owned())),
    }
}
