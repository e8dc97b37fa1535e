//! Who may ask at all: no web page of others, and nobody who takes this for another host.
//!
//! A browser sends `Origin` with every request that can change something, and any page may make it send one. Clients
//! that are no browsers send none, and are not touched. A page whose name has been made to mean this machine sends a
//! `Host` that is not this machine's.

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::api::errors;
use crate::engine::Properties;

/// What is let in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Guard {
    is_loopback: bool,
    cors: Cors,
}

/// What web pages of others may do: `access.control.allow.*`.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub(super) struct Cors {
    origins: Vec<String>,
    methods: String,
    headers: String,
}

impl Cors {
    /// What properties allow.
    pub(super) fn new(properties: &Properties) -> Self {
        let text = |name, default: &str| properties.get(name).unwrap_or(default).to_owned();
        let origins = text("access.control.allow.origin", "");
        let origins = origins.split(',').map(|origin| origin.trim().to_owned());
        Self {
            origins: origins.filter(|origin| !origin.is_empty()).collect(),
            methods: text("access.control.allow.methods", "GET,POST,HEAD"),
            headers: text("access.control.allow.headers", "Accept,Authorization,Content-Type"),
        }
    }
}

impl Guard {
    /// The guard of a server that listens on loopback or not.
    pub(super) fn new(is_loopback: bool, cors: Cors) -> Self {
        Self { is_loopback, cors }
    }

    /// Answers a request that may come in.
    pub(super) async fn pass<F: Future<Output = Response>>(
        &self,
        request: Request,
        answer: impl FnOnce(Request) -> F,
    ) -> Response {
        let origin = match self.check(&request) {
            Ok(origin) => origin,
            Err(refusal) => return *refusal,
        };
        let mut response = match self.preflight(&request) {
            Some(response) => response,
            None => answer(request).await,
        };
        if let Some(origin) = origin {
            Self::allow(origin, &mut response);
        }
        response
    }

    /// The origin of a request that may come in, if it names one; else why it may not.
    fn check(&self, request: &Request) -> Result<Option<HeaderValue>, Box<Response>> {
        match self.look(request.headers(), request.uri().host()) {
            Ok(()) => Ok(request.headers().get(header::ORIGIN).cloned()),
            Err(refusal) => {
                let message = errors::generic(40300, refusal);
                Err(Box::new((StatusCode::FORBIDDEN, super::body::json(&message)).into_response()))
            }
        }
    }

    /// The answer to a browser that asks what a web page may do before it lets it.
    fn preflight(&self, request: &Request) -> Option<Response> {
        let headers = request.headers();
        let asks_first = request.method() == Method::OPTIONS
            && headers.contains_key(header::ORIGIN)
            && headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
        let allowed = || {
            let Cors { methods, headers, .. } = self.cors.clone();
            [
                (header::ACCESS_CONTROL_ALLOW_METHODS, methods),
                (header::ACCESS_CONTROL_ALLOW_HEADERS, headers),
            ]
        };
        asks_first.then(|| (StatusCode::NO_CONTENT, allowed()).into_response())
    }

    /// Lets web pages of an origin read an answer.
    fn allow(origin: HeaderValue, response: &mut Response) {
        let headers = response.headers_mut();
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(header::VARY, HeaderValue::from_static("Origin"));
    }

    /// Looks at where a request comes from. HTTP/2 names the host in the request's target.
    fn look(&self, headers: &HeaderMap, target: Option<&str>) -> Result<(), &'static str> {
        let named = headers.get(header::HOST).and_then(|host| host.to_str().ok()).or(target);
        if let Some(origin) = headers.get(header::ORIGIN) {
            let origin = origin.to_str().unwrap_or_default();
            let is_allowed =
                self.cors.origins.iter().any(|allowed| allowed == "*" || allowed == origin);
            if !is_allowed && !named.is_some_and(|host| is_own(origin, host)) {
                return Err("Web pages of this origin may not use this server \
                            (access.control.allow.origin)");
            }
        }
        let Some(host) = named.filter(|_| self.is_loopback) else { return Ok(()) };
        if is_this_machine(host) {
            return Ok(());
        }
        Err("This server listens on loopback alone, and is not the host that was asked for")
    }
}

/// Whether an origin is the host that is asked itself, by a name that nobody else can give this machine: an address, or
/// one without a domain. So do clients write it that are no browsers, for web sockets above all.
fn is_own(origin: &str, host: &str) -> bool {
    let of_origin = origin.strip_prefix("http://").or(origin.strip_prefix("https://"));
    let name = name(host);
    let is_address = name.parse::<std::net::IpAddr>().is_ok();
    of_origin == Some(host) && !name.is_empty() && (is_address || !name.contains('.'))
}

/// The name of a host, without its port.
fn name(host: &str) -> &str {
    match host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((name, _)) => name,
        None => host.rsplit_once(':').map_or(host, |(name, _)| name),
    }
}

/// Whether the name of a host, perhaps with a port, means this machine.
fn is_this_machine(host: &str) -> bool {
    let name = name(host);
    let is_loopback = |ip: std::net::IpAddr| ip.is_loopback();
    name.eq_ignore_ascii_case("localhost") || name.parse().is_ok_and(is_loopback)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowing(origins: &str) -> Cors {
        let mut properties = Properties::default();
        properties.set("access.control.allow.origin", origins);
        Cors::new(&properties)
    }

    fn look(guard: &Guard, headers: &[(header::HeaderName, &'static str)]) -> bool {
        let headers =
            headers.iter().map(|(name, value)| (name.clone(), HeaderValue::from_static(value)));
        guard.look(&headers.collect(), None).is_ok()
    }

    #[test]
    fn web_pages_of_others_are_refused_and_clients_are_not() {
        let guard = Guard::new(true, Cors::default());
        assert!(look(&guard, &[]));
        assert!(look(&guard, &[(header::HOST, "localhost:8088")]));
        assert!(look(&guard, &[(header::HOST, "127.0.0.1:8088")]));
        assert!(look(&guard, &[(header::HOST, "[::1]:8088")]));
        assert!(!look(&guard, &[(header::ORIGIN, "http://evil.example")]));
        assert!(!look(&guard, &[(header::ORIGIN, "null")]));
        assert!(!look(&guard, &[(header::HOST, "evil.example:8088")]));
        assert!(!look(&guard, &[(header::HOST, "localhost.evil.example")]));
    }

    #[test]
    fn clients_that_name_the_server_itself_are_no_pages_of_others() {
        let from = |origin, host| {
            let headers = [(header::ORIGIN, origin), (header::HOST, host)];
            look(&Guard::new(false, Cors::default()), &headers)
        };
        assert!(from("http://127.0.0.1:8088", "127.0.0.1:8088"));
        assert!(from("https://[fe80::1]:8088", "[fe80::1]:8088"));
        assert!(from("http://ksqldb:8088", "ksqldb:8088"));
        assert!(!from("http://127.0.0.1:9999", "127.0.0.1:8088"));
        // A name that its owner may let point to any machine.
        assert!(!from("http://evil.example:8088", "evil.example:8088"));
    }

    #[test]
    fn origins_that_are_allowed_come_in() {
        let guard = Guard::new(false, allowing("http://a.example, http://b.example"));
        assert!(look(&guard, &[(header::ORIGIN, "http://b.example")]));
        assert!(!look(&guard, &[(header::ORIGIN, "http://b.example.evil")]));
        assert!(look(&guard, &[(header::HOST, "any.example")]));
        assert!(look(&Guard::new(true, allowing("*")), &[(header::ORIGIN, "http://a.example")]));
    }
}
