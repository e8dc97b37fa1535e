//! Answers that come piece by piece: what was asked for lives as long as its answer is read. It ends with its client,
//! and waits for one that is slow.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::http::Version;
use axum::response::Response;
use http_body::Frame;
use tokio::sync::mpsc::{Receiver, Sender, channel};

use super::api::rows::{Frames, Framing};
use super::limits::Pace;
use super::shared::{Running, Shared};
use crate::engine::host::{HostError, Printing, Reading, RowMessages};

/// How many frames wait to be sent before no more are made.
pub(super) const WAITING_FRAMES: usize = 4;

/// How long a piece is made of what comes together.
const PIECE_BYTES: usize = 16 << 10;

/// How many rows an answer may have that is made as a whole.
const ROWS_AT_ONCE: usize = 1_000;

/// How long an answer may be silent until an empty line says that it goes on.
const SILENT_FOR: Duration = Duration::from_secs(1);

/// Frames as an answer.
pub(super) fn response(frames: Receiver<Bytes>) -> Response {
    Response::new(Body::new(Streamed { frames }))
}

/// The rows of a query.
pub(super) async fn rows(
    shared: &Arc<Shared>,
    reading: Reading,
    (framing, version): (Framing, Version),
    messages: Option<RowMessages>,
) -> Response {
    let pace = Pace::new(shared.limits.rows_per_second);
    let frames = Frames::new(framing, Arc::clone(&reading.columns), !reading.is_look_up);
    let frames = frames.with_messages(messages);
    let pieces = Pieces::new(version);
    let has_few = reading.rows.all_here().is_some_and(|rows| rows <= ROWS_AT_ONCE);
    if has_few && pace.is_any() {
        let pieces = at_once(reading, &frames, pieces).await;
        return Response::new(Body::new(AtOnce { pieces }));
    }
    let (sender, taken) = channel(WAITING_FRAMES);
    let running = shared.queries.begin(&reading.id);
    tokio::spawn(send(reading, (frames, pieces), pace, (sender, running)));
    response(taken)
}

/// The records of a topic, a line each; the older path tells of formats, and that it is still there.
pub(super) fn records(printing: Printing, is_older: bool) -> Response {
    let (sender, frames) = channel(WAITING_FRAMES);
    tokio::spawn(print(printing, is_older, sender));
    response(frames)
}

/// A whole answer with the rows of a query that are all here.
async fn at_once(mut reading: Reading, frames: &Frames, mut pieces: Pieces) -> VecDeque<Bytes> {
    pieces.push(frames.header(&reading.id));
    let mut sent = 0;
    let end = 'rows: loop {
        match reading.rows.next().await {
            Some(Ok(rows)) => {
                for row in rows {
                    sent += 1;
                    match frames.row(&row.values, row.is_tombstone) {
                        Ok(frame) => pieces.push(frame),
                        Err(error) => break 'rows Err(error),
                    }
                }
            }
            Some(Err(error)) => break Err(error),
            None => break Ok(end_of(&reading, sent)),
        }
    };
    pieces.push(last(frames, end));
    let pieces = pieces.take();
    reading.rows.note_bytes(pieces.iter().map(Bytes::len).sum());
    pieces
}

/// Why a query is over that has given so many rows.
fn end_of(reading: &Reading, sent: u64) -> &'static str {
    if reading.limit.is_some_and(|limit| sent >= limit) {
        "Limit Reached"
    } else {
        "Query Completed"
    }
}

/// What stands after all rows.
fn last(frames: &Frames, end: Result<&str, HostError>) -> String {
    match end {
        Ok(message) => frames.end(message),
        Err(error) => frames.failed(&HostError::server(error.message)),
    }
}

/// Sends the rows of a query until there are no more, nobody takes them, or it is closed.
async fn send(
    mut reading: Reading,
    (frames, mut pieces): (Frames, Pieces),
    pace: Pace,
    (sender, running): (Sender<Bytes>, Running),
) {
    pieces.push(frames.header(&reading.id));
    if !give(&mut pieces, &reading, &sender).await {
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
                pace.wait(rows.len()).await;
                let mut made = Ok(());
                for row in rows {
                    sent += 1;
                    made = frames.row(&row.values, row.is_tombstone).map(|row| pieces.push(row));
                    if made.is_err()
                        || (pieces.are_many() && !give(&mut pieces, &reading, &sender).await)
                    {
                        break;
                    }
                }
                if !give(&mut pieces, &reading, &sender).await {
                    return;
                }
                if let Err(error) = made {
                    break Err(error);
                }
            }
            Some(Err(error)) => break Err(error),
            None => break Ok(end_of(&reading, sent)),
        }
    };
    pieces.push(last(&frames, end));
    give(&mut pieces, &reading, &sender).await;
}

/// Sends what has been made; false once nobody takes it.
async fn give(pieces: &mut Pieces, reading: &Reading, sender: &Sender<Bytes>) -> bool {
    for piece in pieces.take() {
        reading.rows.note_bytes(piece.len());
        if sender.send(piece).await.is_err() {
            return false;
        }
    }
    true
}

/// The pieces that an answer is sent in. In HTTP/2 each value is one of its own, as clients take each frame for a value;
/// else those that come together are one.
struct Pieces {
    is_each_alone: bool,
    whole: VecDeque<Bytes>,
    open: String,
}

impl Pieces {
    fn new(version: Version) -> Self {
        let is_each_alone = version >= Version::HTTP_2;
        Self { is_each_alone, whole: VecDeque::new(), open: String::new() }
    }

    /// Adds a value, unless it is nothing.
    fn push(&mut self, value: String) {
        if value.is_empty() {
            return;
        }
        if self.is_each_alone {
            self.whole.push_back(value.into());
        } else if self.open.is_empty() {
            self.open = value;
        } else {
            self.open.push_str(&value);
        }
        if self.open.len() >= PIECE_BYTES {
            self.whole.push_back(std::mem::take(&mut self.open).into());
        }
    }

    /// Whether there are so many that it is time to send them.
    fn are_many(&self) -> bool {
        self.whole.len() >= WAITING_FRAMES
    }

    /// Takes all of them.
    fn take(&mut self) -> VecDeque<Bytes> {
        if !self.open.is_empty() {
            self.whole.push_back(std::mem::take(&mut self.open).into());
        }
        std::mem::take(&mut self.whole)
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

/// A whole answer as a body, which does not say beforehand how long it is: no answer with rows does.
struct AtOnce {
    pieces: VecDeque<Bytes>,
}

impl HttpBody for AtOnce {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        Poll::Ready(self.pieces.pop_front().map(|bytes| Ok(Frame::data(bytes))))
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
