//! Frames on their way to and from a broker, and the requests that wait for an answer.
use std::collections::HashMap;
use std::io::{Error, ErrorKind, Result as IoResult};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::sync::{mpsc, oneshot};

use super::lease::Lease;

/// The largest response that is read; a fetch may hold one batch that is larger than all its limits.
const RESPONSE_BYTES_MAX: usize = 1 << 30;

/// What comes of a request: the answer, or why there is none.
pub(super) type Answer = Result<Bytes, Unanswered>;

/// Why a request has no answer.
#[derive(Debug, Clone)]
pub(super) enum Unanswered {
    /// The connection was closed, for this cause.
    Closed(String),
    /// It was not written, because the lease of its sender was closed, and may open again.
    Held,
    /// It was not written, because the lease of its sender was over.
    Stale,
}

impl Unanswered {
    /// Why nothing was written under a lease that was not open.
    fn by(lease: &Lease) -> Self {
        if lease.is_over() { Self::Stale } else { Self::Held }
    }
}

/// A request on its way to the socket.
#[derive(Debug)]
pub(super) struct Outgoing {
    pub(super) id: i32,
    pub(super) frame: Bytes,
    /// Asked right before each write.
    pub(super) lease: Option<Lease>,
    /// Whether the broker answers it; if not, it is answered from here, with nothing, once it is written.
    pub(super) is_answered: bool,
}

/// The requests without an answer yet.
#[derive(Debug, Default)]
pub(super) struct Pending {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    last_id: i32,
    waiting: HashMap<i32, oneshot::Sender<Answer>>,
    closed: Option<String>,
}

impl Pending {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes a place for an answer; the cause if the connection is closed.
    pub(super) fn register(&self) -> Result<(i32, oneshot::Receiver<Answer>), String> {
        let mut state = self.lock();
        if let Some(cause) = &state.closed {
            return Err(cause.clone());
        }
        state.last_id = state.last_id.wrapping_add(1);
        let (id, (sender, receiver)) = (state.last_id, oneshot::channel());
        state.waiting.insert(id, sender);
        Ok((id, receiver))
    }

    /// Answers a request, or says why it has no answer.
    pub(super) fn answer(&self, id: i32, answer: Answer) {
        // Whoever asked may have gone away.
        if let Some(waiting) = self.lock().waiting.remove(&id) {
            let _ = waiting.send(answer);
        }
    }

    /// Forgets a request that was not sent.
    pub(super) fn forget(&self, id: i32) {
        self.lock().waiting.remove(&id);
    }

    /// Takes no more requests; those that wait are told the cause.
    pub(super) fn close(&self, cause: &str) {
        let mut state = self.lock();
        state.closed.get_or_insert_with(|| cause.to_owned());
        for (_, waiting) in state.waiting.drain() {
            let _ = waiting.send(Err(Unanswered::Closed(cause.to_owned())));
        }
    }

    /// Whether no more requests are taken.
    pub(super) fn is_closed(&self) -> bool {
        self.lock().closed.is_some()
    }
}

/// How much of a request was written.
enum Written {
    All,
    /// Nothing, for its lease was closed.
    Nothing(Unanswered),
    /// A piece, before its lease was closed. The broker does not act on it, and nothing can follow it.
    Piece(Unanswered),
}

/// Writes requests as they come, until the connection breaks.
pub(super) async fn write_frames(
    mut writer: impl AsyncWrite + Unpin,
    mut requests: mpsc::Receiver<Outgoing>,
    pending: Arc<Pending>,
) {
    while let Some(request) = requests.recv().await {
        let written = match write(&mut writer, &request).await {
            Ok(written) if requests.is_empty() => writer.flush().await.map(|()| written),
            written => written,
        };
        match written {
            Ok(Written::All) if request.is_answered => {}
            Ok(Written::All) => pending.answer(request.id, Ok(Bytes::new())),
            Ok(Written::Nothing(why)) => pending.answer(request.id, Err(why)),
            Ok(Written::Piece(why)) => {
                pending.answer(request.id, Err(why));
                return pending.close("the lease of the member that writes was closed");
            }
            Err(error) => return pending.close(&error.to_string()),
        }
    }
}

/// Writes a request, as long as its lease is open, which is asked before each write to the socket.
async fn write(writer: &mut (impl AsyncWrite + Unpin), request: &Outgoing) -> IoResult<Written> {
    let Some(lease) = &request.lease else {
        return writer.write_all(&request.frame).await.map(|()| Written::All);
    };
    let mut left = &request.frame[..];
    while !left.is_empty() {
        if !lease.is_open() {
            let why = Unanswered::by(lease);
            let is_begun = left.len() < request.frame.len();
            return Ok(if is_begun { Written::Piece(why) } else { Written::Nothing(why) });
        }
        let written = writer.write(left).await?;
        if written == 0 {
            return Err(ErrorKind::WriteZero.into());
        }
        left = &left[written..];
    }
    Ok(Written::All)
}

/// Hands answers to those who wait for them, until the connection breaks.
pub(super) async fn read_frames(reader: impl AsyncRead + Unpin, pending: Arc<Pending>) {
    let mut reader = BufReader::with_capacity(64 << 10, reader);
    loop {
        match read_frame(&mut reader).await {
            Ok((id, frame)) => pending.answer(id, Ok(frame)),
            Err(error) => return pending.close(&error.to_string()),
        }
    }
}

async fn read_frame(reader: &mut (impl AsyncRead + Unpin)) -> IoResult<(i32, Bytes)> {
    let length = reader.read_i32().await?;
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    if !(4..=RESPONSE_BYTES_MAX).contains(&length) {
        let cause = format!("a response of {length} bytes, is this Kafka?");
        return Err(Error::new(ErrorKind::InvalidData, cause));
    }
    let mut frame = BytesMut::with_capacity(length);
    let mut body = reader.take(length as u64);
    while frame.len() < length {
        if body.read_buf(&mut frame).await? == 0 {
            return Err(ErrorKind::UnexpectedEof.into());
        }
    }
    let id = i32::from_be_bytes([frame[0], frame[1], frame[2], frame[3]]);
    Ok((id, frame.freeze()))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use super::*;
    use crate::kafka::lease::{SessionClock, SessionTime};

    /// A lease that is open for the first `count` times that it is asked.
    fn lease(count: usize) -> Lease {
        let asked = AtomicUsize::new(0);
        let lease = Lease::new(SessionClock::new(move || {
            let now = Duration::from_secs((asked.fetch_add(1, Ordering::Relaxed) >= count).into());
            SessionTime { boot: now, wall: now }
        }));
        let start = SessionTime { boot: Duration::ZERO, wall: Duration::ZERO };
        lease.renew(start, Duration::from_secs(1));
        lease
    }

    /// Writes a request of ten bytes through a pipe that holds four, and one behind it: what arrives, and what both come to.
    async fn write_two(lease: Lease) -> (Vec<u8>, [Answer; 2]) {
        let (near, mut far) = tokio::io::duplex(4);
        let pending = Arc::new(Pending::default());
        let (sender, requests) = mpsc::channel(2);
        let mut answers = Vec::new();
        for (frame, lease) in [(&b"0123456789"[..], Some(lease)), (b"ab", None)] {
            let (id, answer) = pending.register().unwrap();
            let frame = Bytes::from_static(frame);
            sender.send(Outgoing { id, frame, lease, is_answered: false }).await.unwrap();
            answers.push(answer);
        }
        drop(sender);
        let writing = tokio::spawn(write_frames(near, requests, pending));
        let mut arrived = Vec::new();
        far.read_to_end(&mut arrived).await.unwrap();
        writing.await.unwrap();
        let [first, second] = answers.try_into().unwrap();
        (arrived, [first.await.unwrap(), second.await.unwrap()])
    }

    #[tokio::test]
    async fn a_closed_lease_lets_nothing_out_and_the_next_request_follows() {
        let (arrived, answers) = write_two(lease(0)).await;
        assert_eq!(arrived, b"ab");
        assert!(matches!(answers, [Err(Unanswered::Held), Ok(_)]), "{answers:?}");
        let over = lease(9);
        over.end();
        let (arrived, answers) = write_two(over).await;
        assert_eq!(arrived, b"ab");
        assert!(matches!(answers, [Err(Unanswered::Stale), Ok(_)]), "{answers:?}");
    }

    #[tokio::test]
    async fn a_lease_that_closes_half_way_ends_the_connection() {
        let (arrived, answers) = write_two(lease(2)).await;
        assert_eq!(arrived, b"01234567");
        let [first, second] = answers;
        assert!(matches!(first, Err(Unanswered::Held)), "{first:?}");
        assert!(matches!(second, Err(Unanswered::Closed(_))), "{second:?}");
    }

    #[tokio::test]
    async fn an_open_lease_lets_everything_out() {
        let (arrived, answers) = write_two(lease(9)).await;
        assert_eq!(arrived, b"0123456789ab");
        assert!(matches!(answers, [Ok(_), Ok(_)]), "{answers:?}");
    }
}
