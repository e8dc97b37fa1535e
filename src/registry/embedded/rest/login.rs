//! Who may ask: anybody, or one user by HTTP's basic authentication.

use std::sync::Arc;

use axum::extract::Request;
use axum::http::HeaderValue;
use axum::http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use axum::middleware::Next;
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::refused;
use crate::registry::embedded::refusal::Refusal;

/// What a request must present.
#[derive(Clone)]
pub(super) struct Login(Arc<str>);

impl Login {
    pub(super) fn new(name: &str, password: &str) -> Self {
        Self(STANDARD.encode(format!("{name}:{password}")).into())
    }

    /// Whether a header presents it. How long that takes does not tell how much of it is right.
    fn is_presented(&self, header: &HeaderValue) -> bool {
        let given = header.as_bytes();
        let Some((scheme, token)) = given.split_at_checked(6) else { return false };
        let wanted = self.0.as_bytes();
        scheme.eq_ignore_ascii_case(b"basic ")
            && token.len() == wanted.len()
            && token.iter().zip(wanted).fold(0, |differs, (one, other)| differs | (one ^ other))
                == 0
    }
}

/// Lets a request pass that presents the login, if one is asked for.
pub(super) async fn check(login: Option<Login>, request: Request, next: Next) -> Response {
    let header = request.headers().get(AUTHORIZATION);
    let may_pass =
        login.is_none_or(|login| header.is_some_and(|header| login.is_presented(header)));
    if may_pass {
        return next.run(request).await;
    }
    let mut response = refused(Refusal::new(401, "Unauthorized"));
    let challenge = HeaderValue::from_static("Basic realm=\"schema registry\"");
    response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
    response
}
