//! A client that does as it is told, and shows what comes back.

use serde_json::Value;

/// What came back.
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) content_type: String,
    pub(crate) text: String,
}

impl Response {
    /// The body as JSON; null if it is none.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_default()
    }
}

/// Sends one request; `headers` go before our own.
pub(crate) async fn send(
    base: &str,
    method: &str,
    path: &str,
    body: Option<String>,
    headers: &[(String, String)],
) -> Response {
    let method = method.parse().unwrap();
    let mut request = client().request(method, format!("{base}{path}"));
    let names = |name: &str| headers.iter().any(|(given, _)| given.eq_ignore_ascii_case(name));
    if let Some(body) = body {
        if !names("content-type") {
            request = request.header("content-type", "application/vnd.schemaregistry.v1+json");
        }
        request = request.body(body);
    }
    for (name, value) in headers {
        request = request.header(name, value);
    }
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    let content_type = response.headers().get("content-type");
    let content_type =
        content_type.map_or_else(String::new, |value| value.to_str().unwrap().to_owned());
    Response { status, content_type, text: response.text().await.unwrap() }
}

fn client() -> reqwest::Client {
    let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
    let tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth();
    reqwest::Client::builder().tls_backend_preconfigured(tls).no_proxy().build().unwrap()
}
