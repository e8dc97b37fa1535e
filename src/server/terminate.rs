//! `POST /ksql/terminate`, and what is answered from then on.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use serde_json::Value;

use super::api::entities;
use super::body;
use super::shared::Shared;
use crate::engine::host::{HostError, Phase};

/// What ksqlDB reads the body as.
const CLASS: &str = "ClusterTerminateRequest";

/// `POST /ksql/terminate`.
pub(super) async fn run(State(shared): State<Arc<Shared>>, bytes: Bytes) -> Response {
    let patterns =
        body::object(&bytes, CLASS).and_then(|object| match object.get("deleteTopicList") {
            None | Some(Value::Null) => Ok(Vec::new()),
            Some(patterns) => serde_json::from_value(patterns.clone()).map_err(|error| {
                HostError::request(format!("Invalid JSON in request: deleteTopicList: {error}"))
            }),
        });
    let patterns: Vec<String> = match patterns {
        Ok(patterns) => patterns,
        Err(error) => return body::unread(&error),
    };
    match shared.host.terminate(&patterns).await {
        Ok(entity) => body::json(&Value::Array(vec![entities::render(&entity)])).into_response(),
        Err(error) => body::error(&error),
    }
}

/// Why requests are refused once the service ends.
pub(super) fn refusal(phase: Phase) -> Option<Response> {
    match phase {
        Phase::Running => None,
        Phase::Ending => Some(body::generic(50303, "The server is shutting down")),
        Phase::Ended => Some(body::generic(50304, "The server is shut down")),
    }
}
