//! Answers that come piece by piece: what was asked for lives as long as its answer is read. It ends with its client,
//! and waits for one that is slow.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::response::Response;
use http_body::Frame;
use tokio::sync::mpsc::{Receiver, Sender, channel};

use super::api::rows::{Frames, Framing};
use super::limits::Pace;
use super::shared::{Running, Shared};
use crate::engine::host::{HostError, Printing, Reading, RowMessages};

/// How many frames wait to be sent before no more are made.
pub(super) const WAITING_FRAMES: usize = 16;

/// How long an answer may be silent until an empty line says that it goes on.
const SILENT_FOR: Duration = Duration::from_secs(1);

/// Frames as an answer.
pub(super) fn response(frames: Receiver<Bytes>) -> Response {
    Response::new(Body::new(Streamed { frames }))
}

/// The rows of a query.
pub(super) fn rows(
    shared: &Arc<Shared>,
    mut reading: Reading,
    framing: Framing,
    messages: Option<RowMessages>,
) -> Response {
    let (sender, taken) = channel(WAITING_FRAMES);
    let running = shared.queries.begin(&reading.id);
    let pace = Pace::new(shared.limits.rows_per_second);
    let frames = Frames::new(framing, std::mem::take(&mut reading.columns), !reading.is_look_up);
    let frames = frames.with_messages(messages);
    tokio::spawn(send(reading, frames, pace, (sender, running)));
    response(taken)
}

/// The records of a topic, a line each; the older path tells of formats, and that it is still there.
pub(super) fn records(printing: Printing, is_older: bool) -> Response {
    let (sender, frames) = channel(WAITING_FRAMES);
    tokio::spawn(print(printing, is_older, sender));
    response(frames)
}

/// Sends the rows of a query until there are no more, nobody takes them, or it is closed.
async fn send(
    mut reading: Reading,
    frames: Frames,
    pace: Pace,
    (sender, running): (Sender<Bytes>, Running),
) {
    if sender.send(frames.header(&reading.id).into()).await.is_err() {
        return;
    }
    let mut sent = 0_u64;
    let end = 'rows: loop {
        let next = tokio::select! {
            next = reading.rows.next() => next,
            () = sender.closed() => return,
            () = running.closed() => break Ok("Query Completed"),
        };
        match next {
            Some(Ok(rows)) => {
                pace.wait(rows.len()).await;
                for row in rows {
                    sent += 1;
                    let frame = match frames.row(&row.values, row.is_tombstone) {
                        Ok(frame) => frame,
                        Err(error) => break 'rows Err(error),
                    };
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

/// Sends the records of a topic until there are enough, or nobody takes them.
async fn print(mut printing: Printing, is_older: bool, sender: Sender<Bytes>) {
    loop {
        let next = tokio::select! {
            next = printing.next(SILENT_FOR) => next,
            () = sender.closed() => return,
        };
        let text = match next {
            None => return,
            Some(Ok(printed)) if printed.lines.is_empty() => {
                if !is_older {
                    continue;
                }
                "\n".to_owned()
            }
            Some(Ok(printed)) => {
                let formats = printed.formats.into_iter().filter(|_| is_older);
                formats.chain(printed.lines).map(|line| line + "\n").collect()
            }
            Some(Err(error)) => {
                let _ = sender.send(format!("{}\n", error.message).into()).await;
                return;
            }
        };
        if sender.send(text.into()).await.is_err() {
            return;
        }
    }
}

/// Frames as a body, as they come.
struct Streamed {
    frames: Receiver<Bytes>,
}

impl HttpBody for Streamed {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        self.frames.poll_recv(context).map(|bytes| bytes.map(|bytes| Ok(Frame::data(bytes))))
    }
}
