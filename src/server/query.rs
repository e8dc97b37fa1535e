//! `POST /query` and `POST /query-stream`: rows, as they come.
//!
//! A query lives as long as its answer is read: it ends with its client, and waits for one that is slow.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use http_body::Frame;
use serde_json::Value;
use tokio::sync::mpsc::{Receiver, Sender, channel};

use super::api::rows::{Frames, Framing};
use super::negotiate::{Form, form};
use super::shared::{Running, Shared};
use super::{body, ksql};
use crate::engine::host::{HostError, Reading, Request};

/// How many frames wait to be sent before no more are made.
const WAITING_FRAMES: usize = 16;

/// `POST /query`.
pub(super) async fn query(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    bytes: Bytes,
) -> Response {
    let Some(form) = form(&headers, Form::V1) else { return not_acceptable() };
    // What others call JSON is here what it was before there was another form.
    let framing = match form {
        Form::Delimited => Framing::Lines,
        Form::V1 | Form::Json => Framing::Objects,
    };
    if ksql::is_form(&headers) {
        return StatusCode::UNSUPPORTED_MEDIA_TYPE.into_response();
    }
    match body::object(&bytes).map(|object| body::request(&object, &body::KSQL)) {
        Ok(request) if request.text.is_empty() => {
            body::generic(40000, "\"ksql\" field must be populated")
        }
        Ok(request) => stream(&shared, &request, framing, Path::Query).await,
        Err(error) => body::error(&error),
    }
}

/// `POST /query-stream`.
pub(super) async fn query_stream(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    bytes: Bytes,
) -> Response {
    let Some(form) = form(&headers, Form::Delimited) else { return not_acceptable() };
    let framing = match form {
        Form::Delimited => Framing::Lines,
        Form::Json => Framing::Array,
        Form::V1 => Framing::Objects,
    };
    if ksql::is_form(&headers) {
        return StatusCode::UNSUPPORTED_MEDIA_TYPE.into_response();
    }
    match body::object(&bytes) {
        Ok(object) if object.get("sql").is_none_or(Value::is_null) => body::generic(
            40000,
            "Invalid JSON in request: Missing required creator property 'sql' (index 0)",
        ),
        Ok(object) => {
            let request = body::request(&object, &body::SQL);
            stream(&shared, &request, framing, Path::QueryStream).await
        }
        Err(error) => body::error(&error),
    }
}

/// `POST /close-query`.
pub(super) async fn close(State(shared): State<Arc<Shared>>, bytes: Bytes) -> Response {
    let object = match body::object(&bytes) {
        Ok(object) => object,
        Err(error) => return body::error(&error),
    };
    let Some(id) = object.get("queryId").and_then(Value::as_str) else {
        return body::generic(
            40000,
            "Invalid JSON in request: Missing required creator property 'queryId' (index 0)",
        );
    };
    if shared.queries.close(id) {
        return StatusCode::OK.into_response();
    }
    without_type(body::generic(40000, format!("No query with id {id}")))
}

fn not_acceptable() -> Response {
    StatusCode::NOT_ACCEPTABLE.into_response()
}

/// Which of the two paths of queries was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Path {
    /// `/query`.
    Query,
    /// `/query-stream`.
    QueryStream,
}

/// Why there are no rows. ksqlDB names the type of an answer to the older path alone, and there to what it cannot read;
/// and tells what it cannot read with the statement.
fn refuse(mut error: HostError, framing: Framing, path: Path) -> Response {
    let at = error.unread_at.take();
    if let (Some(at), Some(statement)) = (&at, &error.statement) {
        error.message.push_str("\nStatement: ");
        error.message.push_str(statement);
        if path == Path::Query {
            error.message.push_str("\nCaused by: ");
            error.message.push_str(at);
            error.message.push_str(": Syntax error at ");
            error.message.push_str(at);
        }
    }
    let is_unresolved = error.message.starts_with("Exception while preparing statement");
    let says_type = at.is_some() || (is_unresolved && framing == Framing::Objects);
    let response = body::error(&error);
    if path == Path::Query && says_type { response } else { without_type(response) }
}

/// An answer that does not say of what type it is.
fn without_type(mut response: Response) -> Response {
    response.headers_mut().remove(header::CONTENT_TYPE);
    response
}

/// Starts a query; its rows come as they are made.
async fn stream(shared: &Shared, request: &Request, framing: Framing, path: Path) -> Response {
    let reading = match shared.host.read(request).await {
        Ok(reading) => reading,
        Err(error) => return refuse(error, framing, path),
    };
    let (sender, frames) = channel(WAITING_FRAMES);
    let running = shared.queries.begin(&reading.id);
    tokio::spawn(send(reading, framing, sender, running));
    Response::new(Body::new(RowsBody { frames }))
}

/// Sends the rows of a query until there are no more, nobody takes them, or it is closed.
async fn send(mut reading: Reading, framing: Framing, sender: Sender<Bytes>, running: Running) {
    let frames = Frames::new(framing, std::mem::take(&mut reading.columns), !reading.is_look_up);
    if sender.send(frames.header(&reading.id).into()).await.is_err() {
        return;
    }
    let mut sent = 0_u64;
    let end = loop {
        let next = tokio::select! {
            next = reading.rows.next() => next,
            () = sender.closed() => return,
            () = running.closed() => break Ok("Query Completed"),
        };
        match next {
            Some(Ok(rows)) => {
                for row in rows {
                    sent += 1;
                    let frame = frames.row(&row.values, row.is_tombstone);
                    if sender.send(frame.into()).await.is_err() {
                        return;
                    }
                }
            }
            Some(Err(error)) => break Err(error),
            None if reading.limit.is_some_and(|limit| sent >= limit) => break Ok("Limit Reached"),
            None => break Ok("Query Completed"),
        }
    };
    let last = match end {
        Ok(message) => frames.end(message),
        Err(error) => frames.failed(&HostError::server(error.message)),
    };
    if !last.is_empty() {
        let _ = sender.send(last.into()).await;
    }
}

/// Rows as a body: each a frame of its own.
struct RowsBody {
    frames: Receiver<Bytes>,
}

impl HttpBody for RowsBody {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        self.frames.poll_recv(context).map(|bytes| bytes.map(|bytes| Ok(Frame::data(bytes))))
    }
}
