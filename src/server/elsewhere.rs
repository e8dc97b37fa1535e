//! Pull queries of what another server keeps: they are passed on to it, and its answer is passed back as it comes.
//!
//! ksqlDB's servers do so, too, so that clients may ask whichever they reach. It is done once: who is asked in this way and does
//! not have it either says so.

use std::sync::OnceLock;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderName, Version, header};
use axum::response::Response;

use super::body::SHOWN;
use crate::engine::Properties;
use crate::engine::host::HostError;
use crate::kafka::config::Tls;
use crate::kafka::tls;

/// The header of a request that is passed on.
const PASSED_ON: HeaderName = HeaderName::from_static("x-millstream-passed-on");

/// What the other server is told of the client: what it wants, and who it is.
const TOLD: [HeaderName; 4] =
    [header::ACCEPT, header::CONTENT_TYPE, header::AUTHORIZATION, HeaderName::from_static(SHOWN)];

/// How long a connection may take.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);

/// How long the other server may be silent.
const SILENT_FOR: Duration = Duration::from_secs(30);

/// Who asks other servers.
#[derive(Default)]
pub(super) struct Elsewhere {
    clients: OnceLock<Result<Clients, String>>,
}

/// Clients of other servers. In HTTP/2 each value is a frame of its own, so what is asked in it is passed on in it.
struct Clients {
    http_1: reqwest::Client,
    http_2: reqwest::Client,
}

/// What a client has asked.
#[derive(Clone, Copy)]
pub(super) struct Question<'q> {
    pub(super) path: &'q str,
    pub(super) version: Version,
    pub(super) headers: &'q HeaderMap,
    pub(super) body: &'q Bytes,
}

impl Clients {
    fn new(properties: &Properties) -> Result<Self, String> {
        let tls = Tls::from_properties(&properties.to_map()).map_err(|error| error.to_string())?;
        let client = |is_http_2: bool| {
            let tls = tls::client_config(&tls).map_err(|error| error.to_string())?;
            let client = reqwest::Client::builder()
                .tls_backend_preconfigured(tls)
                .connect_timeout(CONNECT_WITHIN)
                .read_timeout(SILENT_FOR)
                .no_proxy()
                .redirect(reqwest::redirect::Policy::none());
            let client =
                if is_http_2 { client.http2_prior_knowledge() } else { client.http1_only() };
            client.build().map_err(|error| error.to_string())
        };
        Ok(Self { http_1: client(false)?, http_2: client(true)? })
    }
}

impl Elsewhere {
    /// Asks the server that has what was asked for; nothing where that is none other, or the question was passed on already.
    pub(super) async fn ask(
        &self,
        properties: &Properties,
        error: &HostError,
        question: Question<'_>,
    ) -> Option<Result<Response, HostError>> {
        let url = error.runs_at.as_deref()?;
        if question.headers.contains_key(PASSED_ON) {
            return None;
        }
        let clients = self.clients.get_or_init(|| Clients::new(properties));
        let answer = match clients {
            Ok(clients) => clients.ask(url, question).await,
            Err(cause) => Err(cause.clone()),
        };
        Some(answer.map_err(|cause| {
            let message =
                format!("{}; {url} is to have it, but cannot be asked: {cause}", error.message);
            HostError { message, ..error.clone() }
        }))
    }
}

impl Clients {
    async fn ask(&self, url: &str, question: Question<'_>) -> Result<Response, String> {
        let Question { path, version, headers, body } = question;
        let client = if version >= Version::HTTP_2 { &self.http_2 } else { &self.http_1 };
        let mut request = client.post(format!("{url}{path}")).header(PASSED_ON, "1");
        for name in &TOLD {
            for value in headers.get_all(name) {
                request = request.header(name, value);
            }
        }
        let answered = request
            .body(body.clone())
            .send()
            .await
            .map_err(|error| tls::innermost_cause(&error))?;
        let mut response = Response::new(Body::empty());
        *response.status_mut() = answered.status();
        if let Some(of_type) = answered.headers().get(header::CONTENT_TYPE) {
            response.headers_mut().insert(header::CONTENT_TYPE, of_type.clone());
        }
        *response.body_mut() = Body::new(reqwest::Body::from(answered));
        Ok(response)
    }
}
