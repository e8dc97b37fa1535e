//! Bodies: JSON in, JSON out.

use std::collections::BTreeMap;

use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value};

use super::api::errors;
use crate::engine::host::{HostError, Request};
use crate::formats::{json_refusal, located_at_end, located_at_start};

/// A JSON body.
pub(super) struct Json(Vec<u8>);

impl Json {
    /// A body of JSON that is written already.
    pub(super) fn of(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }
}

/// A value as a body.
pub(super) fn json(value: &Value) -> Json {
    Json(serde_json::to_vec(value).unwrap_or_default())
}

impl IntoResponse for Json {
    fn into_response(self) -> Response {
        ([("content-type", "application/json")], self.0).into_response()
    }
}

/// The header by which a client asks for the places of an error in its text, and for hints; ksqlDB knows none of it.
pub(super) const SHOWN: &str = "x-millstream-diagnostics";

/// An error as an answer.
pub(super) fn error(error: &HostError) -> Response {
    let (status, value) = errors::render(error);
    (status_code(status), json(&value)).into_response()
}

/// The same for a client, which may ask for what people are shown of it.
pub(super) fn error_for(headers: &HeaderMap, error: &HostError) -> Response {
    if !headers.contains_key(SHOWN) {
        return self::error(error);
    }
    let (status, value) = errors::render_shown(error);
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

/// Types of bodies that web pages may send without asking first.
const FORM_TYPES: &[&str] = &["application/x-www-form-urlencoded", "multipart/form-data"];

/// Why a body is refused that any web page may have sent. `curl -d` sends such a type unless it is told another.
pub(super) fn form_refusal(headers: &HeaderMap) -> Option<Response> {
    let given = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    let given = given.split(';').next().unwrap_or_default().trim();
    let form = FORM_TYPES.iter().find(|form| given.eq_ignore_ascii_case(form))?;
    Some(generic(
        41500,
        format!("A body of the type {form} is not taken: send Content-Type: application/json"),
    ))
}

/// What a body is read as, and the names that its fields have.
pub(super) struct Names {
    /// What ksqlDB calls it, in messages.
    pub(super) class: &'static str,
    /// That of the statements.
    pub(super) text: &'static str,
    /// That of the properties.
    pub(super) properties: &'static str,
}

/// The names of `/ksql` and `/query`.
pub(super) const KSQL: Names =
    Names { class: "KsqlRequest", text: "ksql", properties: "streamsProperties" };

/// The names of `/query-stream`.
pub(super) const SQL: Names =
    Names { class: "QueryStreamArgs", text: "sql", properties: "properties" };

/// The package of what bodies are read as.
const PACKAGE: &str = "io.confluent.ksql.rest.entity";

/// The object of a body, which is read as a class of ksqlDB's. As there, only the first value of a body counts.
pub(super) fn object(body: &[u8], class: &str) -> Result<Map<String, Value>, HostError> {
    let invalid = |reason: &str| HostError::request(format!("Invalid JSON in request: {reason}"));
    if body.is_empty() {
        // What Java says of a body that is not there.
        return Err(HostError::server(
            "Cannot invoke \"io.vertx.core.buffer.Buffer.getBytes()\" because \"<parameter1>\" is null",
        ));
    }
    if let Some(reason) = json_refusal(body) {
        return Err(invalid(&reason));
    }
    let mut values = serde_json::Deserializer::from_slice(body).into_iter::<Value>();
    let at_start = |reason: String| invalid(&located_at_start(&reason, body));
    let construct = |what: &str| {
        at_start(format!(
            "Cannot construct instance of `{PACKAGE}.{class}` (although at least one Creator exists): no {what}"
        ))
    };
    match values.next() {
        Some(Ok(Value::Object(object))) => Ok(object),
        Some(Ok(Value::Array(_))) => Err(at_start(format!(
            "Cannot deserialize value of type `{PACKAGE}.{class}` from Array value (token `JsonToken.START_ARRAY`)"
        ))),
        Some(Ok(Value::Null)) => Err(HostError::server("")),
        Some(Ok(Value::String(text))) => Err(construct(&format!(
            "String-argument constructor/factory method to deserialize from String value ('{text}')"
        ))),
        Some(Ok(Value::Bool(value))) => Err(construct(&format!(
            "boolean/Boolean-argument constructor/factory method to deserialize from boolean value ({value})"
        ))),
        Some(Ok(Value::Number(number))) => {
            let kind = if number.is_f64() { "double/Double" } else { "int/Int" };
            Err(construct(&format!(
                "{kind}-argument constructor/factory method to deserialize from Number value ({number})"
            )))
        }
        Some(Err(error)) => Err(invalid(&error.to_string())),
        None => Err(invalid(&located_at_end("No content to map due to end-of-input", body))),
    }
}

/// The text of a field that has to be there.
pub(super) fn required<'o>(
    object: &'o Map<String, Value>,
    (class, name): (&str, &str),
    body: &[u8],
) -> Result<&'o Value, HostError> {
    let found = object.get(name).filter(|value| !value.is_null());
    found.ok_or_else(|| {
        let missing = format!("Missing required creator property '{name}' (index 0)");
        let located = located_at_end(&missing, body);
        HostError::request(format!(
            "Invalid JSON in request: {located} (through reference chain: {PACKAGE}.{class}[\"{name}\"])"
        ))
    })
}

/// An answer that does not say of what type it is.
pub(super) fn without_type(mut response: Response) -> Response {
    response.headers_mut().remove(header::CONTENT_TYPE);
    response
}

/// A body that cannot be read. ksqlDB does not say of what type such an answer is.
pub(super) fn unread(error: &HostError) -> Response {
    without_type(self::error(error))
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
