//! One request to the registry: URL after URL, and again after a pause, until there is an answer or no hope.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use reqwest::header::{ACCEPT, CONTENT_TYPE};
use reqwest::{Method, Response, StatusCode, Url};
use serde_json::Value;

use super::config::{Login, RegistryConfig};
use super::error::RegistryError;
use crate::kafka::random::random_below;
use crate::kafka::tls;

/// The content type of the registry's API.
const V1: &str = "application/vnd.schemaregistry.v1+json";
/// The longest answer that is read.
const ANSWER_BYTES_MAX: usize = 32 << 20;
/// How much of an answer that is none of a registry's is shown.
const SHOWN_MAX: usize = 200;

/// What is asked.
pub(super) struct Question<'q> {
    pub(super) method: Method,
    /// The parts of the path, each as it is.
    pub(super) path: &'q [&'q str],
    pub(super) query: &'q [(&'q str, &'q str)],
    pub(super) body: Option<Value>,
}

impl<'q> Question<'q> {
    /// A question that changes nothing.
    pub(super) fn get(path: &'q [&'q str]) -> Self {
        Self { method: Method::GET, path, query: &[], body: None }
    }

    /// A question with a body.
    pub(super) fn post(path: &'q [&'q str], body: Value) -> Self {
        Self { method: Method::POST, path, query: &[], body: Some(body) }
    }
}

/// After how long it is said that an answer has not come.
const SLOW_AFTER: Duration = Duration::from_secs(5);

/// Asks a registry.
pub(super) struct Asker {
    http: reqwest::Client,
    config: RegistryConfig,
    /// The URL that answered last.
    preferred: AtomicUsize,
}

impl Asker {
    pub(super) fn new(config: RegistryConfig) -> Result<Self, RegistryError> {
        let http = reqwest::Client::builder()
            .tls_backend_preconfigured(tls::client_config(&config.tls)?)
            .connect_timeout(config.connect_timeout)
            .read_timeout(config.read_timeout)
            .build()
            .map_err(|error| RegistryError::Unreachable {
                url: config.urls.first().map(Url::to_string).unwrap_or_default(),
                cause: error.to_string(),
            })?;
        Ok(Self { http, config, preferred: AtomicUsize::new(0) })
    }

    /// The answer to a question, as JSON.
    pub(super) async fn ask(&self, question: Question<'_>) -> Result<Value, RegistryError> {
        let mut pause = self.config.backoff;
        let mut attempts = 0;
        loop {
            let error = match self.ask_each(&question).await {
                Err(error) if error.is_retriable() && attempts < self.config.retries_max => error,
                answer => return answer,
            };
            attempts += 1;
            tracing::debug!(%error, attempts, "the schema registry is asked again");
            tokio::time::sleep(jitter(pause)).await;
            pause = pause.saturating_mul(2).min(self.config.backoff_max);
        }
    }

    /// Asks each URL, from the one on that answered last, until one answers with more than a fault of its own.
    async fn ask_each(&self, question: &Question<'_>) -> Result<Value, RegistryError> {
        let count = self.config.urls.len();
        let first = self.preferred.load(Ordering::Relaxed);
        let mut answer = self.ask_one(first % count, question).await;
        for next in 1..count {
            if !answer.as_ref().is_err_and(RegistryError::is_retriable) {
                break;
            }
            let index = (first + next) % count;
            answer = self.ask_one(index, question).await;
            self.preferred.store(index, Ordering::Relaxed);
        }
        answer
    }

    async fn ask_one(&self, index: usize, question: &Question<'_>) -> Result<Value, RegistryError> {
        let mut url = self.config.urls[index].clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(question.path);
        }
        if !question.query.is_empty() {
            url.query_pairs_mut().extend_pairs(question.query);
        }
        let mut request = self.http.request(question.method.clone(), url.clone());
        request = request.header(ACCEPT, format!("{V1}, application/json"));
        request = match &self.config.login {
            Some(Login::Basic { name, password }) => request.basic_auth(name, Some(password)),
            Some(Login::Bearer(token)) => request.bearer_auth(token),
            None => request,
        };
        if let Some(body) = &question.body {
            request = request.header(CONTENT_TYPE, V1).body(body.to_string());
        }
        let sending = told_if_slow(request.send(), &url);
        let response = sending.await.map_err(|error| unreachable(&url, &error))?;
        let status = response.status();
        let body = read(response, &url).await?;
        if status.is_success() {
            return serde_json::from_slice(&body).map_err(|error| RegistryError::Malformed {
                url: url.to_string(),
                cause: error.to_string(),
            });
        }
        Err(refusal(&url, status, &body))
    }
}

/// Waits for an answer, and says so where it takes long.
async fn told_if_slow<T>(answer: impl Future<Output = T>, url: &Url) -> T {
    let mut answer = std::pin::pin!(answer);
    tokio::select! {
        answer = &mut answer => return answer,
        () = tokio::time::sleep(SLOW_AFTER) => {}
    }
    tracing::warn!(
        "no answer from the schema registry at {url} within {SLOW_AFTER:?}; it is waited for"
    );
    answer.await
}

/// Reads an answer, as long as it is not too long.
async fn read(mut response: Response, url: &Url) -> Result<Vec<u8>, RegistryError> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| unreachable(url, &error))? {
        if body.len() + chunk.len() > ANSWER_BYTES_MAX {
            let cause = format!("longer than {ANSWER_BYTES_MAX} bytes");
            return Err(RegistryError::Malformed { url: url.to_string(), cause });
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

fn refusal(url: &Url, status: StatusCode, body: &[u8]) -> RegistryError {
    let json: Option<Value> = serde_json::from_slice(body).ok();
    let part = |name: &str| json.as_ref().and_then(|json| json.get(name));
    let code = part("error_code").and_then(Value::as_i64).and_then(|code| code.try_into().ok());
    let message = part("message").and_then(Value::as_str).map(str::to_owned);
    // What stands between us and the registry may answer in words of its own.
    let shown = || String::from_utf8_lossy(body).trim().chars().take(SHOWN_MAX).collect();
    RegistryError::Refused {
        url: url.to_string(),
        status: status.as_u16(),
        code,
        message: message.unwrap_or_else(shown),
    }
}

fn unreachable(url: &Url, error: &reqwest::Error) -> RegistryError {
    RegistryError::Unreachable { url: url.to_string(), cause: tls::innermost_cause(error) }
}

/// A pause that is up to a fifth shorter or longer, so that clients do not all come back at once.
fn jitter(around: Duration) -> Duration {
    around.mul_f64(0.8 + f64::from(random_below(400)) / 1_000.0)
}
