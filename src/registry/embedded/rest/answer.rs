//! What is sent back, and in which content type.

use axum::extract::Request;
use axum::http::header::{ACCEPT, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::refused;
use crate::registry::embedded::refusal::Refusal;

/// The content type of answers, unless another is asked for.
const V1: &str = "application/vnd.schemaregistry.v1+json";
/// The content types that answers can have, the better ones first.
const TYPES: [&str; 3] = [V1, "application/vnd.schemaregistry+json", "application/json"];

/// What a handler gives.
pub(super) type Answer = Result<Body, Refusal>;

/// What stands in an answer.
pub(super) enum Body {
    /// JSON.
    Json(Value),
    /// A schema as it is.
    Text(String),
}

/// JSON as an answer.
pub(super) struct Json(pub(super) Value);

impl IntoResponse for Json {
    fn into_response(self) -> Response {
        Body::Json(self.0).into_response()
    }
}

impl From<Value> for Body {
    fn from(json: Value) -> Self {
        Self::Json(json)
    }
}

impl IntoResponse for Body {
    fn into_response(self) -> Response {
        match self {
            Self::Json(json) => json.to_string().into_response(),
            Self::Text(text) => text.into_response(),
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = json!({ "error_code": self.code, "message": self.message });
        (status, body.to_string()).into_response()
    }
}

/// Chooses the content type of the answer, and refuses a request that takes none of ours.
pub(super) async fn negotiate(request: Request, next: Next) -> Response {
    let Some(chosen) = chosen(request.headers()) else {
        let mut response = refused(Refusal::new(406, "HTTP 406 Not Acceptable"));
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(V1));
        return response;
    };
    let mut response = next.run(request).await;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(chosen));
    response
}

/// The type that a client likes best among those that we have.
fn chosen(headers: &HeaderMap) -> Option<&'static str> {
    let mut wanted: Vec<(f32, String)> = Vec::new();
    for value in headers.get_all(ACCEPT) {
        for range in value.to_str().unwrap_or_default().split(',') {
            let mut parts = range.split(';').map(str::trim);
            let name = parts.next().unwrap_or_default().to_ascii_lowercase();
            let quality = parts.find_map(|part| part.strip_prefix("q=")?.parse().ok());
            wanted.push((quality.unwrap_or(1.0), name));
        }
    }
    if wanted.is_empty() {
        return Some(V1);
    }
    wanted.sort_by(|(one, _), (other, _)| other.total_cmp(one));
    wanted.iter().filter(|(quality, _)| *quality > 0.0).find_map(|(_, name)| match &**name {
        "*/*" | "application/*" => Some(V1),
        name => TYPES.into_iter().find(|ours| *ours == name),
    })
}
