//! `POST /ksql`: statements, one entity for each that has something to tell.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};

use super::api::entities;
use super::shared::Shared;
use super::{body, negotiate};
use crate::engine::host::{Entity, HostError};

/// Runs statements.
pub(super) async fn run(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    bytes: Bytes,
) -> Response {
    if !negotiate::takes_json(&headers) {
        return StatusCode::NOT_ACCEPTABLE.into_response();
    }
    if let Some(refusal) = body::form_refusal(&headers) {
        return refusal;
    }
    let object = match body::object(&bytes, body::KSQL.class) {
        Ok(object) => object,
        Err(error) => return body::unread(&error),
    };
    let request = body::request(&object, &body::KSQL);
    // What was begun goes on when its client is gone: a command is not to stand half done.
    let ran = tokio::spawn(async move {
        let mut answer = Answer::default();
        let ran = shared.host.run_each(&request, &mut |entity| answer.add(&entity)).await;
        ran.map(|()| answer.end())
    });
    match ran.await {
        Ok(Ok(answer)) => answer.into_response(),
        Ok(Err(error)) => body::error_for(&headers, &error),
        Err(failed) => body::generic(50000, failed.to_string()),
    }
}

/// The most bytes of an answer: a short statement may tell of much, and a request holds many of them.
const ANSWER_BYTES_MAX: usize = 32 << 20;

/// An answer, while its statements are run.
#[derive(Default)]
struct Answer(Vec<u8>);

impl Answer {
    fn add(&mut self, entity: &Entity) -> Result<(), HostError> {
        self.0.push(if self.0.is_empty() { b'[' } else { b',' });
        let written = serde_json::to_writer(&mut self.0, &entities::render(entity));
        written.map_err(|error| HostError::server(error.to_string()))?;
        if self.0.len() <= ANSWER_BYTES_MAX {
            return Ok(());
        }
        Err(HostError::request(format!(
            "An answer has at most {ANSWER_BYTES_MAX} bytes, and what these statements tell is longer: ask for less in one \
             request"
        )))
    }

    fn end(mut self) -> body::Json {
        if self.0.is_empty() {
            self.0.push(b'[');
        }
        self.0.push(b']');
        body::Json::of(self.0)
    }
}
