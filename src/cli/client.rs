//! A client of a server that speaks ksqlDB's REST.

use std::collections::BTreeMap;
use std::time::Duration;

use reqwest::header::{ACCEPT, CONTENT_TYPE};
use reqwest::{RequestBuilder, Response, Url};
use serde_json::{Value, json};

use super::answer_stream::AnswerStream;
use super::refusal::Refusal;
use super::session::Session;
use crate::kafka::config::Tls;
use crate::kafka::tls;

/// ksqlDB's content type.
const V1: &str = "application/vnd.ksql.v1+json";
/// By which a server of ours is asked for the places of an error in the text, and for hints. Others pass over it.
const SHOWN: &str = "x-millstream-diagnostics";
/// What is said of an answer that cannot be read.
const NOT_KSQLDB: &str = "its answer is none of ksqlDB's";
/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(10);
/// How long it may take until a server knows that nobody reads a query any more.
const CLOSE: Duration = Duration::from_secs(2);
/// The longest answer to a statement that is read.
const ANSWER_BYTES_MAX: usize = 256 << 20;

/// Who asks.
#[derive(Clone)]
pub struct Login {
    /// The name.
    pub user: String,
    /// The password.
    pub password: String,
}

/// A server, and how it is asked.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    url: Url,
    login: Option<Login>,
}

impl Client {
    /// A client that has not connected yet; `ssl.*` properties say what is trusted.
    pub fn new(
        url: &str,
        login: Option<Login>,
        properties: &BTreeMap<String, String>,
    ) -> Result<Self, Refusal> {
        let fault = |error: &dyn ToString| Refusal::Shell(error.to_string());
        let tls = Tls::from_properties(properties).map_err(|error| fault(&error))?;
        let http = reqwest::Client::builder()
            .tls_backend_preconfigured(tls::client_config(&tls).map_err(|error| fault(&error))?)
            .connect_timeout(CONNECT)
            .build()
            .map_err(|error| fault(&error))?;
        Ok(Self { http, url: server_url(url)?, login })
    }

    /// The same client for another server.
    pub fn at(&self, url: &str) -> Result<Self, Refusal> {
        Ok(Self { url: server_url(url)?, ..self.clone() })
    }

    /// Where the server is.
    pub fn url(&self) -> &str {
        self.url.as_str().trim_end_matches('/')
    }

    /// What the server says of itself: version, cluster and service.
    pub async fn info(&self) -> Result<Value, Refusal> {
        let mut info = self.get("info", "no ksqlDB answers there").await?;
        Ok(info.get_mut("KsqlServerInfo").map(Value::take).unwrap_or(info))
    }

    /// What the server answers to a statement that is no query: its entities.
    pub async fn statement(
        &self,
        statement: &str,
        session: &mut Session,
    ) -> Result<Vec<Value>, Refusal> {
        let body = json!({
            "ksql": statement,
            "streamsProperties": session.properties_json(),
            "sessionVariables": session.variables_json(),
            "commandSequenceNumber": session.sequence_number,
        });
        let answer = self.text(self.post("ksql", &body).await?).await?;
        let entities: Vec<Value> =
            serde_json::from_str(&answer).map_err(|_| self.away(&NOT_KSQLDB))?;
        let numbers = entities.iter().filter_map(|one| one["commandSequenceNumber"].as_i64());
        session.sequence_number = numbers.chain(session.sequence_number).max();
        Ok(entities)
    }

    /// What became of a command, by its id.
    pub async fn status(&self, command: &str) -> Result<Value, Refusal> {
        self.get(&format!("status/{command}"), NOT_KSQLDB).await
    }

    /// Whether the server is healthy, and what is if that is asked of each part.
    pub async fn health(&self) -> Result<Value, Refusal> {
        self.get("healthcheck", NOT_KSQLDB).await
    }

    /// What a `millstream server`, or a `millstream run` that listens, counts: now, and from `since_ms` on, in milliseconds
    /// since 1970; without it, in the last minute.
    pub async fn figures(&self, since_ms: Option<i64>) -> Result<Value, Refusal> {
        let mut url = self.address("v1/millstream/figures");
        if let Some(since_ms) = since_ms {
            url.set_query(Some(&format!("since={since_ms}")));
        }
        self.get_at(url, "only a millstream tells figures").await
    }

    /// An answer in JSON; one that is none is said to be `otherwise`.
    async fn get(&self, path: &str, otherwise: &str) -> Result<Value, Refusal> {
        self.get_at(self.address(path), otherwise).await
    }

    async fn get_at(&self, url: Url, otherwise: &str) -> Result<Value, Refusal> {
        let request = self.http.get(url).header(ACCEPT, V1);
        let answer = self.text(self.send(request).await?).await?;
        serde_json::from_str(&answer).map_err(|_| self.away(&otherwise))
    }

    /// Begins a SELECT.
    pub async fn query(&self, sql: &str, session: &Session) -> Result<AnswerStream, Refusal> {
        let body = json!({
            "sql": sql,
            "properties": session.properties_json(),
            "sessionVariables": session.variables_json(),
        });
        Ok(AnswerStream::of_rows(self.post("query-stream", &body).await?))
    }

    /// Begins a PRINT.
    pub async fn print(&self, sql: &str, session: &Session) -> Result<AnswerStream, Refusal> {
        let body = json!({
            "ksql": sql,
            "streamsProperties": session.properties_json(),
            "sessionVariables": session.variables_json(),
        });
        Ok(AnswerStream::of_lines(self.post("query", &body).await?))
    }

    /// Tells the server that nobody reads a query any more; what it answers is of no interest.
    pub async fn close(&self, query_id: &str) {
        let body = json!({"queryId": query_id});
        let _ = tokio::time::timeout(CLOSE, self.post("close-query", &body)).await;
    }

    fn address(&self, path: &str) -> Url {
        let mut url = self.url.clone();
        let base = url.path().trim_end_matches('/').to_owned();
        url.set_path(&format!("{base}/{path}"));
        url
    }

    async fn post(&self, path: &str, body: &Value) -> Result<Response, Refusal> {
        let request =
            self.http.post(self.address(path)).header(CONTENT_TYPE, V1).header(ACCEPT, V1);
        self.send(request.header(SHOWN, "1").body(body.to_string())).await
    }

    /// The answer, if it is one of success.
    async fn send(&self, request: RequestBuilder) -> Result<Response, Refusal> {
        let request = match &self.login {
            Some(Login { user, password }) => request.basic_auth(user, Some(password)),
            None => request,
        };
        let response =
            request.send().await.map_err(|error| self.away(&tls::innermost_cause(&error)))?;
        if response.status().is_success() {
            return Ok(response);
        }
        let status = response.status().as_u16();
        Err(Refusal::of_answer(status, &self.text(response).await?))
    }

    async fn text(&self, mut response: Response) -> Result<String, Refusal> {
        let mut bytes = Vec::new();
        while let Some(chunk) =
            response.chunk().await.map_err(|error| self.away(&tls::innermost_cause(&error)))?
        {
            bytes.extend_from_slice(&chunk);
            if bytes.len() > ANSWER_BYTES_MAX {
                return Err(self.away(&"its answer is too long"));
            }
        }
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    fn away(&self, cause: &dyn ToString) -> Refusal {
        Refusal::Unreachable { url: self.url().to_owned(), cause: cause.to_string() }
    }
}

/// A URL, which may lack its scheme.
fn server_url(text: &str) -> Result<Url, Refusal> {
    let whole = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
    let url = Url::parse(&whole)
        .ok()
        .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    url.ok_or_else(|| {
        Refusal::Shell(format!("'{text}' is no URL of a server, such as http://localhost:8088"))
    })
}
