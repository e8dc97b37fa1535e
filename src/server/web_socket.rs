//! `GET /ws/query`: the rows of one query over a web socket.
//!
//! The columns come first, then a message for each row, `{"error":"done"}` at the end. What is wrong is told as
//! `{"error":…}`, and again as the reason of the close, which has room for 123 bytes.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade, close_code};
use axum::extract::{RawQuery, State};
use axum::response::Response;
use serde_json::{Value, json};

use super::api::rows::{Frames, Framing};
use super::api::types;
use super::body;
use super::shared::Shared;
use crate::engine::ReadColumn;
use crate::engine::host::{Asked, HostError, HostFault, Printing, Reading, Request};

/// The most bytes of the reason of a close.
const REASON_BYTES_MAX: usize = 123;

/// The longest message of a client that is taken: none is awaited.
const MESSAGE_BYTES_MAX: usize = 1 << 16;

/// The one version of messages that there is.
const VERSION: &str = "1";

/// How often it is looked whether a client still listens.
const SILENT_FOR: Duration = Duration::from_secs(1);

/// `GET /ws/query?request=…`.
pub(super) async fn query(
    State(shared): State<Arc<Shared>>,
    RawQuery(parameters): RawQuery,
    upgrade: WebSocketUpgrade,
) -> Response {
    let text = parameters.unwrap_or_default();
    let parameters = form_urlencoded::parse(text.as_bytes());
    let parameters: HashMap<String, String> = parameters.into_owned().collect();
    upgrade.max_message_size(MESSAGE_BYTES_MAX).on_upgrade(async move |mut socket| {
        let (code, reason) = match run(&shared, &parameters, &mut socket).await {
            Ok(()) => (close_code::NORMAL, "done".to_owned()),
            Err(Ended::Refused(message)) => (close_code::UNSUPPORTED, message),
            Err(Ended::Failed(message)) => (close_code::ERROR, message),
            Err(Ended::Gone) => return,
        };
        let said = json!({ "error": reason }).to_string();
        if socket.send(Message::Text(said.into())).await.is_ok() {
            let reason = shortened(&reason).as_ref().into();
            let _ = socket.send(Message::Close(Some(CloseFrame { code, reason }))).await;
        }
    })
}

/// Why there are no more rows before all were sent.
enum Ended {
    /// What was asked for cannot be.
    Refused(String),
    /// It was begun, and has failed.
    Failed(String),
    /// Nobody listens any more.
    Gone,
}

impl From<axum::Error> for Ended {
    fn from(_: axum::Error) -> Self {
        Self::Gone
    }
}

async fn run(
    shared: &Arc<Shared>,
    parameters: &HashMap<String, String>,
    socket: &mut WebSocket,
) -> Result<(), Ended> {
    let request = requested(parameters).map_err(Ended::Refused)?;
    match shared.host.ask(&request).await {
        Ok(Asked::Query(reading)) => send_rows(shared, *reading, socket).await,
        Ok(Asked::Print(printing)) => send_records(*printing, socket).await,
        Ok(Asked::NoTopic(topic)) => Err(Ended::Refused(format!(
            "Topic does not exist, or KSQL does not have permission to list the topic: {}",
            topic.name
        ))),
        Ok(Asked::Other(class)) => {
            Err(Ended::Refused(format!("Unexpected statement type {class}")))
        }
        Err(error) => Err(Ended::Refused(refusal(error))),
    }
}

/// What a client asks for.
fn requested(parameters: &HashMap<String, String>) -> Result<Request, String> {
    if let Some(version) = parameters.get("version").filter(|version| *version != VERSION) {
        return Err(format!("Received invalid api version: {version}"));
    }
    let parsing = |reason: &str| format!("Error parsing request: {reason}");
    let text = parameters.get("request").filter(|request| !request.is_empty());
    let text = text.ok_or_else(|| parsing("missing request parameter"))?;
    let object =
        body::object(text.as_bytes(), body::KSQL.class).map_err(|error| parsing(&error.message))?;
    let request = body::request(&object, &body::KSQL);
    if request.text.is_empty() {
        return Err(parsing("\"ksql\" field of \"request\" must be populated"));
    }
    Ok(request)
}

/// Why a query is not run: whether it cannot be read is said.
fn refusal(error: HostError) -> String {
    let HostError { fault, message, unread_at, .. } = error;
    match unread_at {
        Some(at) => format!("Error parsing query: {at}: Syntax error at {at}"),
        None if fault == HostFault::Request || message.starts_with("Exception while preparing") => {
            format!("Error parsing query: {message}")
        }
        None => message,
    }
}

/// Waits until the client is gone. What it says is of no meaning; that it may still be heard is.
async fn gone(socket: &mut WebSocket) {
    while let Some(Ok(message)) = socket.recv().await {
        if matches!(message, Message::Close(_)) {
            return;
        }
    }
}

async fn send_rows(
    shared: &Arc<Shared>,
    mut reading: Reading,
    socket: &mut WebSocket,
) -> Result<(), Ended> {
    let running = shared.queries.begin(&reading.id);
    let columns = Arc::clone(&reading.columns);
    let schema: Value =
        columns.iter().map(|column| schema_of(column, reading.is_look_up)).collect();
    socket.send(Message::Text(schema.to_string().into())).await?;
    let frames = Frames::new(Framing::Messages, columns, true);
    loop {
        let next = tokio::select! {
            next = reading.rows.next() => next,
            () = gone(socket) => return Err(Ended::Gone),
            () = running.closed() => return Ok(()),
        };
        match next {
            None => return Ok(()),
            Some(Ok(rows)) => {
                for row in rows {
                    let row = frames
                        .row(&row.values, row.is_tombstone)
                        .map_err(|error| Ended::Failed(error.message))?;
                    socket.send(Message::Text(row.into())).await?;
                }
            }
            Some(Err(error)) => return Err(Ended::Failed(error.message)),
        }
    }
}

/// A column. Only a query over what a table has now says which are its key.
fn schema_of(column: &ReadColumn, is_look_up: bool) -> Value {
    let kind = (is_look_up && column.is_key).then_some("KEY");
    types::column(&column.name, &column.ty, kind)
}

async fn send_records(mut printing: Printing, socket: &mut WebSocket) -> Result<(), Ended> {
    loop {
        let next = tokio::select! {
            next = printing.next(SILENT_FOR) => next,
            () = gone(socket) => return Err(Ended::Gone),
        };
        let printed = match next {
            None => return Ok(()),
            Some(printed) => printed.map_err(|error| Ended::Failed(error.message))?,
        };
        for line in printed.lines {
            socket.send(Message::Text(Value::String(line).to_string().into())).await?;
        }
    }
}

/// A reason that a close has room for.
fn shortened(reason: &str) -> Cow<'_, str> {
    const CUT: &str = "...";
    if reason.len() <= REASON_BYTES_MAX {
        return Cow::Borrowed(reason);
    }
    let end = reason.floor_char_boundary(REASON_BYTES_MAX - CUT.len());
    Cow::Owned(format!("{}{CUT}", &reason[..end]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_have_room_in_a_close() {
        assert_eq!(shortened("short"), "short");
        let long = "é".repeat(100);
        let shown = shortened(&long);
        assert!(shown.len() <= REASON_BYTES_MAX && shown.ends_with("é..."), "{shown}");
    }
}
