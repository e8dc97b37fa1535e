//! Bodies: JSON in, JSON out.

use std::collections::BTreeMap;

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value};

use super::api::errors;
use crate::engine::host::{HostError, Request};

/// A JSON body.
pub(super) struct Json(Vec<u8>);

/// A value as a body.
pub(super) fn json(value: &Value) -> Json {
    Json(serde_json::to_vec(value).unwrap_or_default())
}

impl IntoResponse for Json {
    fn into_response(self) -> Response {
        ([("content-type", "application/json")], self.0).into_response()
    }
}

/// An error as an answer.
pub(super) fn error(error: &HostError) -> Response {
    let (status, value) = errors::render(error);
    (status_code(status), json(&value)).into_response()
}

/// An error that concerns no statement.
pub(super) fn generic(code: u32, message: impl Into<String>) -> Response {
    (status_code(code / 100), json(&errors::generic(code, message))).into_response()
}

fn status_code(status: u32) -> StatusCode {
    let status = u16::try_from(status).ok().and_then(|status| StatusCode::from_u16(status).ok());
    status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

/// A body, and the names that its fields have.
pub(super) struct Names {
    /// That of the statements.
    pub(super) text: &'static str,
    /// That of the properties.
    pub(super) properties: &'static str,
}

/// The names of `/ksql` and `/query`.
pub(super) const KSQL: Names = Names { text: "ksql", properties: "streamsProperties" };

/// The names of `/query-stream`.
pub(super) const SQL: Names = Names { text: "sql", properties: "properties" };

/// The object of a body.
pub(super) fn object(body: &[u8]) -> Result<Map<String, Value>, HostError> {
    match serde_json::from_slice(body) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(_) => Err(HostError::request("Invalid JSON in request: expected an object")),
        Err(error) => Err(HostError::request(format!("Invalid JSON in request: {error}"))),
    }
}

/// The request of a body.
pub(super) fn request(object: &Map<String, Value>, names: &Names) -> Request {
    let texts = |name: &str| -> BTreeMap<String, String> {
        let texts = object.get(name).and_then(Value::as_object).into_iter().flatten();
        texts.map(|(name, value)| (name.clone(), text(value))).collect()
    };
    Request {
        text: object.get(names.text).filter(|value| !value.is_null()).map(text).unwrap_or_default(),
        properties: texts(names.properties),
        variables: texts("sessionVariables"),
        sequence: object.get("commandSequenceNumber").and_then(Value::as_i64),
    }
}

/// A value as text.
fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
