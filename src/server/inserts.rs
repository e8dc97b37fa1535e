//! `POST /inserts-stream`: rows that come one after the other, each acknowledged once Kafka has it.
//!
//! ```text
//! body ─ lines ─▶ rows handed to the producer ─▶ acknowledgements, in the order of the rows ─▶ frames
//! ```
//! A client that does not read its acknowledgements is not read either.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;

use axum::body::{Body, Bytes, HttpBody as _};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, Version};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};
use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::mpsc::{Receiver, Sender, channel};

use super::body;
use super::negotiate::{Form, form};
use super::received::{NotReceived, PORTION_WITHIN, Receiving};
use super::shared::Shared;
use super::streamed::{self, WAITING_FRAMES};
use crate::engine::host::{BegunRow, HostError, HostFault, Inserting};

/// What ksqlDB reads the first line as.
const CLASS: &str = "InsertsStreamArgs";

/// How many rows may wait for Kafka.
const WAITING_ROWS: usize = 1_000;

/// `POST /inserts-stream`.
pub(super) async fn inserts(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    request: Request,
) -> Response {
    if request.version() < Version::HTTP_2 {
        return body::generic(40004, "This endpoint is only available when using HTTP2");
    }
    let is_array = match form(&headers, Form::Delimited) {
        Some(Form::Delimited) => false,
        Some(Form::Json) => true,
        Some(Form::V1 | Form::Protobuf) | None => {
            return StatusCode::NOT_ACCEPTABLE.into_response();
        }
    };
    if let Some(refusal) = body::form_refusal(&headers) {
        return refusal;
    }
    let mut lines =
        Lines::new(request.into_body(), shared.limits.body_bytes_max, shared.receiving.clone());
    let first = match tokio::time::timeout(PORTION_WITHIN, lines.next()).await {
        Ok(Ok(first)) => first.unwrap_or_default(),
        Ok(Err(error)) => return body::unread(&error),
        Err(_) => return shared.receiving.refuse(NotReceived::TooSlow),
    };
    let _one = match shared.under_way.begin() {
        Ok(one) => one,
        Err(refusal) => return *refusal,
    };
    let inserting = match begin(&shared, &first).await {
        Ok(inserting) => Arc::new(inserting),
        Err(error) => return body::unread(&error),
    };
    let (rows, waiting) = channel(WAITING_ROWS);
    let (frames, taken) = channel(WAITING_FRAMES);
    tokio::spawn(read_rows(Arc::clone(&inserting), lines, rows));
    tokio::spawn(acknowledge(inserting, waiting, is_array, frames));
    streamed::response(taken)
}

/// Takes the first line: what the rows go to.
async fn begin(shared: &Shared, first: &[u8]) -> Result<Inserting, HostError> {
    let arguments = body::object(first, CLASS)?;
    let target = body::required(&arguments, (CLASS, "target"), first)?;
    let target = target.as_str().unwrap_or_default();
    shared.host.insert_into(target).await
}

/// A row on its way to Kafka, or why it is not.
type Begun = Result<BegunRow, HostError>;

/// Reads rows until there are no more, one is wrong, or nobody waits for them.
async fn read_rows(inserting: Arc<Inserting>, mut lines: Lines, rows: Sender<Begun>) {
    loop {
        let begun = match lines.next().await {
            Ok(None) => return,
            Ok(Some(line)) => match serde_json::from_slice::<Map<String, Value>>(&line) {
                Ok(row) => inserting.begin(row).await,
                Err(_) => Err(HostError::request("Invalid JSON in inserts stream")),
            },
            Err(error) => Err(error),
        };
        let is_over = begun.is_err();
        if rows.send(begun).await.is_err() || is_over {
            return;
        }
    }
}

/// Tells of each row what became of it, up to the first that is not written.
async fn acknowledge(
    inserting: Arc<Inserting>,
    mut rows: Receiver<Begun>,
    is_array: bool,
    frames: Sender<Bytes>,
) {
    let (mut sequence, mut is_over) = (0_u64, false);
    while !is_over && let Some(row) = rows.recv().await {
        let written = match row {
            Ok(row) => inserting.written(row).await,
            Err(error) => Err(error),
        };
        is_over = written.is_err();
        let told = match written {
            Ok(()) => json!({ "seq": sequence, "status": "ok" }),
            Err(error) => failed(sequence, error),
        };
        let frame = match (is_array, sequence) {
            (true, 0) => format!("[{told}"),
            (true, _) => format!(",{told}"),
            (false, _) => format!("{told}\n"),
        };
        sequence += 1;
        if frames.send(frame.into()).await.is_err() {
            return;
        }
    }
    if is_array {
        let end = if sequence == 0 { "[]" } else { "]" };
        let _ = frames.send(end.into()).await;
    }
}

/// A row that is not written. What is no fault of the client is told to the server's operator.
fn failed(sequence: u64, error: HostError) -> Value {
    let message = if error.fault == HostFault::Server {
        tracing::error!("a row of /inserts-stream is not written: {error}");
        "Error in processing inserts. Check server logs for details.".to_owned()
    } else {
        error.message
    };
    json!({
        "@type": "InsertError",
        "status": "error",
        "seq": sequence,
        "message": message,
        "error_code": error.fault.code(),
    })
}

/// The lines of a body, as they come.
struct Lines {
    body: Body,
    bytes: Vec<u8>,
    /// How far the bytes were looked at for the end of a line.
    seen: usize,
    line_bytes_max: usize,
    is_over: bool,
    receiving: Receiving,
    room: Option<OwnedSemaphorePermit>,
}

impl Lines {
    fn new(body: Body, line_bytes_max: usize, receiving: Receiving) -> Self {
        let (bytes, seen, is_over, room) = (Vec::new(), 0, false, None);
        Self { body, bytes, seen, line_bytes_max, is_over, receiving, room }
    }

    /// Gives the room of a line back, with the memory that it took; the next takes its own.
    fn give_room_back(&mut self) {
        if self.room.take().is_some() {
            self.bytes.shrink_to_fit();
        }
    }

    /// The next line, without its end; what stands behind the last end is a line too, if it is something.
    async fn next(&mut self) -> Result<Option<Vec<u8>>, HostError> {
        loop {
            if let Some(at) = self.bytes[self.seen..].iter().position(|byte| *byte == b'\n') {
                let mut line: Vec<u8> = self.bytes.drain(..=self.seen + at).collect();
                line.pop();
                self.seen = 0;
                self.give_room_back();
                return Ok(Some(line));
            }
            self.seen = self.bytes.len();
            if self.is_over {
                self.seen = 0;
                let rest = std::mem::take(&mut self.bytes);
                return Ok((!rest.is_empty()).then_some(rest));
            }
            if self.bytes.len() > self.line_bytes_max {
                return Err(HostError::request("a line is too long"));
            }
            let frame = poll_fn(|context| Pin::new(&mut self.body).poll_frame(context)).await;
            match frame.transpose() {
                Ok(Some(frame)) => {
                    if let Ok(data) = frame.into_data() {
                        let length = self.bytes.len() + data.len();
                        let taken = self.receiving.take_room(length, &mut self.room);
                        taken.map_err(|_| {
                            HostError::request("there is no room for so long a line")
                        })?;
                        self.bytes.extend_from_slice(&data);
                    }
                }
                Ok(None) => self.is_over = true,
                Err(error) => return Err(HostError::request(error.to_string())),
            }
        }
    }
}
