//! Who may ask at all: no web page of others, and nobody who takes this for another host.
//!
//! A browser sends `Origin` with every request that can change something, and any page may make it send one. Clients
//! that are no browsers send none, and are not touched. A page whose name has been made to mean this machine sends a
//! `Host` that is not this machine's.

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::api::errors;

/// What is let in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Guard {
    is_loopback: bool,
    allowed: Vec<String>,
}

impl Guard {
    /// The guard of a server that listens on loopback or not, and lets these origins in, separated by commas.
    pub(super) fn new(is_loopback: bool, allowed: Option<&str>) -> Self {
        let allowed = allowed.into_iter().flat_map(|allowed| allowed.split(','));
        Self { is_loopback, allowed: allowed.map(|origin| origin.trim().to_owned()).collect() }
    }

    /// Passes a request on, or refuses it.
    pub(super) async fn check(self, request: Request, next: Next) -> Response {
        if let Err(refusal) = self.look(request.headers(), request.uri().host()) {
            let message = errors::generic(40300, refusal);
            return (StatusCode::FORBIDDEN, super::body::json(&message)).into_response();
        }
        let origin = request.headers().get(header::ORIGIN).cloned();
        let mut response = next.run(request).await;
        if let Some(origin) = origin {
            let headers = response.headers_mut();
            headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
            headers.insert(header::VARY, HeaderValue::from_static("Origin"));
        }
        response
    }

    /// Looks at where a request comes from. HTTP/2 names the host in the request's target.
    fn look(&self, headers: &HeaderMap, target: Option<&str>) -> Result<(), &'static str> {
        if let Some(origin) = headers.get(header::ORIGIN) {
            let origin = origin.to_str().unwrap_or_default();
            if !self.allowed.iter().any(|allowed| allowed == "*" || allowed == origin) {
                return Err("Web pages of this origin may not use this server \
                            (access.control.allow.origin)");
            }
        }
        let named = headers.get(header::HOST).and_then(|host| host.to_str().ok());
        let Some(host) = named.or(target).filter(|_| self.is_loopback) else { return Ok(()) };
        if is_this_machine(host) {
            return Ok(());
        }
        Err("This server listens on loopback alone, and is not the host that was asked for")
    }
}

/// Whether the name of a host, perhaps with a port, means this machine.
fn is_this_machine(host: &str) -> bool {
    let name = match host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((name, _)) => name,
        None => host.rsplit_once(':').map_or(host, |(name, _)| name),
    };
    let is_loopback = |ip: std::net::IpAddr| ip.is_loopback();
    name.eq_ignore_ascii_case("localhost") || name.parse().is_ok_and(is_loopback)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(guard: &Guard, headers: &[(header::HeaderName, &'static str)]) -> bool {
        let headers =
            headers.iter().map(|(name, value)| (name.clone(), HeaderValue::from_static(value)));
        guard.look(&headers.collect(), None).is_ok()
    }

    #[test]
    fn web_pages_of_others_are_refused_and_clients_are_not() {
        let guard = Guard::new(true, None);
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
    fn origins_that_are_allowed_come_in() {
        let guard = Guard::new(false, Some("http://a.example, http://b.example"));
        assert!(look(&guard, &[(header::ORIGIN, "http://b.example")]));
        assert!(!look(&guard, &[(header::ORIGIN, "http://b.example.evil")]));
        assert!(look(&guard, &[(header::HOST, "any.example")]));
        assert!(look(&Guard::new(true, Some("*")), &[(header::ORIGIN, "http://a.example")]));
    }
}
