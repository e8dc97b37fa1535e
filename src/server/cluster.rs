//! What servers of a service tell each other, and what is said of them.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::api::servers;
use super::body;
use super::shared::Shared;
use crate::engine::host::HostError;

/// What ksqlDB reads a heartbeat as.
const HEARTBEAT: &str = "HeartbeatMessage";

/// What ksqlDB reads a report of lags as.
const LAG: &str = "LagReportingMessage";

/// `GET /clusterStatus`.
pub(super) async fn status(State(shared): State<Arc<Shared>>) -> Response {
    match shared.host.cluster().await {
        Ok(Some(cluster)) => body::json(&servers::render(&cluster)).into_response(),
        Ok(None) => not_asked_for(),
        Err(error) => body::error(&error),
    }
}

/// How long the name of a host is at most (RFC 1035).
const HOST_BYTES_MAX: usize = 255;

/// `POST /heartbeat`.
pub(super) async fn heartbeat(State(shared): State<Arc<Shared>>, bytes: Bytes) -> Response {
    match address(&bytes).map(|address| shared.host.note_heartbeat(address)) {
        Ok(true) => taken(),
        Ok(false) => not_asked_for(),
        Err(error) => body::unread(&error),
    }
}

/// `POST /lag`. What another server has of queries that run here as a whole is of no use.
pub(super) async fn lag(State(shared): State<Arc<Shared>>, bytes: Bytes) -> Response {
    match body::object(&bytes, LAG) {
        Ok(_) if shared.host.takes_lags() => taken(),
        Ok(_) => not_asked_for(),
        Err(error) => body::unread(&error),
    }
}

/// Who says that he lives, as host and port.
fn address(bytes: &Bytes) -> Result<String, HostError> {
    let object = body::object(bytes, HEARTBEAT)?;
    let server = body::required(&object, (HEARTBEAT, "hostInfo"), bytes)?;
    match (server["host"].as_str(), server["port"].as_u64()) {
        (Some(host), Some(port)) if host.len() <= HOST_BYTES_MAX && u16::try_from(port).is_ok() => {
            Ok(format!("{host}:{port}"))
        }
        _ => Err(HostError::request("Invalid JSON in request: hostInfo: expected host and port")),
    }
}

fn taken() -> Response {
    body::json(&json!({ "ok": true })).into_response()
}

/// What is answered where servers do not watch each other.
fn not_asked_for() -> Response {
    (StatusCode::NOT_FOUND, [("content-type", "application/json")]).into_response()
}
