//! What is to be said of the server itself.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

use super::api::entities;
use super::body;
use super::shared::Shared;

/// The version of ksqlDB in whose place this stands: clients decide by it what they ask for.
const VERSION: &str = "7.4.0";

/// `GET /` of a client that is no browser.
pub(super) fn root() -> Response {
    (StatusCode::TEMPORARY_REDIRECT, [("location", "/info")]).into_response()
}

/// What ksqlDB says of a path that it does not have.
pub(super) fn not_found() -> Response {
    const NOT_FOUND: &str = "<html><body><h1>Resource not found</h1></body></html>";
    let html = [("content-type", "text/html; charset=utf-8")];
    (StatusCode::NOT_FOUND, html, NOT_FOUND).into_response()
}

/// `GET /info`.
pub(super) async fn info(State(shared): State<Arc<Shared>>) -> Response {
    let host = &shared.host;
    let info = json!({ "KsqlServerInfo": {
        "version": VERSION,
        "kafkaClusterId": host.cluster_id(),
        "ksqlServiceId": host.service_id(),
        "serverStatus": "RUNNING",
    } });
    body::json(&info).into_response()
}

/// `GET /healthcheck`.
pub(super) async fn health(State(shared): State<Arc<Shared>>) -> Response {
    let kafka = shared.host.is_kafka_healthy().await;
    let follows = shared.host.is_following();
    let health = json!({
        "isHealthy": kafka && follows,
        "details": {
            "metastore": { "isHealthy": true },
            "kafka": { "isHealthy": kafka },
            "commandRunner": { "isHealthy": follows },
        },
        "serverState": "READY",
    });
    body::json(&health).into_response()
}

/// `GET /chc/ready` and `GET /chc/live`.
pub(super) async fn live() -> Response {
    alive()
}

/// What is answered by whatever lives.
pub(super) fn alive() -> Response {
    body::json(&json!({})).into_response()
}

/// `GET /status`.
pub(super) async fn all(State(shared): State<Arc<Shared>>) -> Response {
    let statuses = shared.host.command_statuses().into_iter();
    let statuses: Map<String, Value> =
        statuses.map(|(id, state)| (id, json!(state.as_str()))).collect();
    body::json(&json!({ "commandStatuses": statuses })).into_response()
}

/// `GET /status/{type}/{entity}/{action}`.
pub(super) async fn one(
    State(shared): State<Arc<Shared>>,
    Path((kind, entity, action)): Path<(String, String, String)>,
) -> Response {
    match shared.host.command_status(&format!("{kind}/{entity}/{action}")) {
        Some(status) => body::json(&entities::command_status(&status)).into_response(),
        None => body::generic(40400, "Command not found"),
    }
}

/// `GET /is_valid_property/{name}`.
pub(super) async fn is_valid_property(
    State(shared): State<Arc<Shared>>,
    Path(name): Path<String>,
) -> Response {
    match shared.host.check_overridable(&name) {
        Ok(()) => body::json(&Value::Bool(true)).into_response(),
        Err(error) => body::error(&error),
    }
}

/// `GET /v1/metadata`.
pub(super) async fn metadata(State(shared): State<Arc<Shared>>) -> Response {
    body::json(&json!({ "version": VERSION, "clusterId": cluster_id(&shared) })).into_response()
}

/// `GET /v1/metadata/id`.
pub(super) async fn metadata_id(State(shared): State<Arc<Shared>>) -> Response {
    body::json(&cluster_id(&shared)).into_response()
}

fn cluster_id(shared: &Shared) -> Value {
    let host = &shared.host;
    let clusters = json!({ "kafka-cluster": host.cluster_id(), "ksql-cluster": host.service_id() });
    json!({ "scope": { "path": [], "clusters": clusters }, "id": "" })
}
