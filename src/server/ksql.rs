//! `POST /ksql`: statements, one entity for each that has something to tell.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::Value;

use super::api::entities;
use super::shared::Shared;
use super::{body, negotiate};

/// Types of bodies that web pages may send without asking first.
const FORM_TYPES: &[&str] = &["application/x-www-form-urlencoded", "multipart/form-data"];

/// Runs statements.
pub(super) async fn run(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    bytes: Bytes,
) -> Response {
    if !negotiate::takes_json(&headers) {
        return StatusCode::NOT_ACCEPTABLE.into_response();
    }
    if is_form(&headers) {
        return StatusCode::UNSUPPORTED_MEDIA_TYPE.into_response();
    }
    let object = match body::object(&bytes, body::KSQL.class) {
        Ok(object) => object,
        Err(error) => return body::unread(&error),
    };
    let request = body::request(&object, &body::KSQL);
    // What was begun goes on when its client is gone: a command is not to stand half done.
    let ran = tokio::spawn(async move { shared.host.run(&request).await }).await;
    match ran {
        Ok(Ok(entities)) => {
            let entities: Vec<Value> = entities.iter().map(entities::render).collect();
            body::json(&Value::Array(entities)).into_response()
        }
        Ok(Err(error)) => body::error(&error),
        Err(failed) => body::generic(50000, failed.to_string()),
    }
}

/// Whether a body is one of a form.
pub(super) fn is_form(headers: &HeaderMap) -> bool {
    let ty = headers.get(header::CONTENT_TYPE).and_then(|ty| ty.to_str().ok());
    let ty = ty.unwrap_or_default().split(';').next().unwrap_or_default().trim();
    FORM_TYPES.iter().any(|form| ty.eq_ignore_ascii_case(form))
}
