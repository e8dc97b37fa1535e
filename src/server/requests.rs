//! The requests of an HTTP/1.1 connection, seen before their parser sees them: where each begins, and how long it takes.
//!
//! A client has to say what it wants within a time once it has begun to, while a connection may rest between requests
//! for as long as ksqlDB's may (`ksql.idle.connection.timeout.seconds`): clients that keep some for later find them there.
//!
//! Where it is in doubt how long a request is, whoever passed it on may have taken another length than the parser does, and
//! what one client sent could become another's request. So nothing is guessed: lengths that are given twice, or in two ways,
//! and lines that end otherwise than lines do, are made into what the parser refuses, and nothing behind them is read.
//!
//! And some clients write targets with a backquote as it is. Ids of commands have them, as in ``/status/stream/`S`/create``, and ksqlDB takes them so; the parser of requests does
//! not, as RFC 3986 wants `%60`. They are written so here, before it sees them.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Sleep;

/// How much is read at a time.
const READ_BYTES: usize = 8 << 10;

/// The longest head of a request that the parser takes.
pub(super) const HEAD_BYTES_MAX: usize = 64 << 10;

/// The longest that is looked at; the parser has refused it by then.
const SEEN_BYTES_MAX: usize = 2 * HEAD_BYTES_MAX;

/// What no parser takes in a head, and the end of that: it is not parsed before.
const REFUSED: &[u8] = b"\0\r\n\r\n";

/// What HTTP/2 begins with, up to the end of its first line.
const HTTP_2: &[u8] = b"PRI * HTTP/2.0";

/// How long a head may take, from its first byte on; that of the first request from the connection on.
const HEAD_WITHIN: Duration = Duration::from_secs(30);

/// A connection whose requests have targets as they are to be, and come in time.
pub(super) struct Connection<I> {
    io: I,
    requests: Requests,
    /// What has been read and is not taken yet.
    waiting: Vec<u8>,
    at: usize,
    /// When it is looked whether anything has happened.
    deadline: Pin<Box<Sleep>>,
    /// Whether a head is awaited that has begun, or the first one.
    is_in_head: bool,
    /// Whether something has happened since the deadline was set.
    is_active: bool,
    idle_within: Duration,
    /// Whether it has gone over to another protocol.
    is_upgraded: Arc<AtomicBool>,
    /// Its place among all connections, which it has whatever it becomes.
    _place: Option<OwnedSemaphorePermit>,
}

impl<I> Connection<I> {
    /// A connection that may be idle for so long.
    pub(super) fn new(io: I, idle_within: Duration) -> Self {
        Self {
            is_upgraded: Arc::default(),
            _place: None,
            io,
            requests: Requests::default(),
            waiting: Vec::new(),
            at: 0,
            deadline: Box::pin(tokio::time::sleep(HEAD_WITHIN)),
            is_in_head: true,
            is_active: false,
            idle_within,
        }
    }

    /// The same, with its place among all connections.
    #[must_use]
    pub(super) fn with_place(self, place: OwnedSemaphorePermit) -> Self {
        Self { _place: Some(place), ..self }
    }

    /// What is to be set once it goes over to another protocol.
    pub(super) fn is_upgraded(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.is_upgraded)
    }

    /// Looks whether the client takes too long.
    fn check_time(&mut self, context: &mut Context<'_>) -> io::Result<()> {
        while self.deadline.as_mut().poll(context).is_ready() {
            if self.is_in_head || !std::mem::take(&mut self.is_active) {
                return Err(io::ErrorKind::TimedOut.into());
            }
            self.deadline.set(tokio::time::sleep(self.idle_within));
        }
        Ok(())
    }

    /// Notes that something was read.
    fn note_read(&mut self) {
        let is_in_head = self.requests.is_in_head();
        if is_in_head != self.is_in_head {
            let within = if is_in_head { HEAD_WITHIN } else { self.idle_within };
            self.deadline.set(tokio::time::sleep(within));
        }
        self.is_in_head = is_in_head;
        self.is_active = true;
    }
}

impl<I: AsyncRead + Unpin> AsyncRead for Connection<I> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.at == self.waiting.len() {
            if self.is_upgraded.load(Ordering::Relaxed) {
                self.requests.place = Place::Untouched;
            }
            if self.requests.place == Place::Untouched {
                let filled = buffer.filled().len();
                let polled = Pin::new(&mut self.io).poll_read(context, buffer);
                match polled {
                    Poll::Pending => self.check_time(context)?,
                    Poll::Ready(_) => self.is_active |= buffer.filled().len() > filled,
                }
                return polled;
            }
            if self.requests.place == Place::Refused {
                // The answer to what is refused ends the connection; if nobody takes it, time does.
                self.check_time(context)?;
                return Poll::Pending;
            }
            let mut bytes = [0; READ_BYTES];
            let mut read = ReadBuf::new(&mut bytes);
            let polled = Pin::new(&mut self.io).poll_read(context, &mut read);
            if polled.is_pending() {
                self.check_time(context)?;
            }
            ready!(polled)?;
            let Self { requests, waiting, at, .. } = &mut *self;
            waiting.clear();
            *at = 0;
            requests.pass_all(read.filled(), waiting);
            self.note_read();
        }
        let left = &self.waiting[self.at..];
        let taken = left.len().min(buffer.remaining());
        buffer.put_slice(&left[..taken]);
        self.at += taken;
        Poll::Ready(Ok(()))
    }
}

impl<I: AsyncWrite + Unpin> AsyncWrite for Connection<I> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.is_active = true;
        Pin::new(&mut self.io).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.is_active = true;
        Pin::new(&mut self.io).poll_write_vectored(context, parts)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }
}

/// The requests of a connection, byte by byte.
#[derive(Default)]
struct Requests {
    place: Place,
    /// The head or line that is being read.
    line: Vec<u8>,
}

/// Where in a request the next byte stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Place {
    /// The head.
    #[default]
    Head,
    /// A body, of which so many bytes are left.
    Body(u64),
    /// The line with the length of the next part of a body.
    PartLength,
    /// A part of a body, the end of its line included.
    Part(u64),
    /// What stands behind the last part.
    Trailers,
    /// What is not looked at any more.
    Untouched,
    /// What is not passed on any more.
    Refused,
}

impl Requests {
    /// Whether a head has begun and is not whole, or nothing more can come.
    fn is_in_head(&self) -> bool {
        self.place == Place::Refused || (self.place == Place::Head && !self.line.is_empty())
    }

    /// Passes bytes on, or what stands for them.
    fn pass_all(&mut self, mut bytes: &[u8], out: &mut Vec<u8>) {
        while let Some(first) = bytes.first() {
            let passed = match self.place {
                Place::Untouched => bytes.len(),
                Place::Refused => return,
                // The last byte of a body changes the place.
                Place::Body(left) | Place::Part(left) if left > 1 => {
                    let passed =
                        usize::try_from(left - 1).map_or(bytes.len(), |left| left.min(bytes.len()));
                    self.place = self.less(left - passed as u64);
                    passed
                }
                Place::Head if self.line.len() >= HTTP_2.len() => {
                    let plain = self.plain(bytes);
                    self.line.extend_from_slice(&bytes[..plain]);
                    plain
                }
                _ => 0,
            };
            if passed == 0 {
                self.pass(*first, out);
                bytes = &bytes[1..];
            } else {
                out.extend_from_slice(&bytes[..passed]);
                bytes = &bytes[passed..];
            }
        }
    }

    /// How many bytes of a head are next that end no line and are passed on as they are.
    fn plain(&self, bytes: &[u8]) -> usize {
        let room = SEEN_BYTES_MAX.saturating_sub(self.line.len());
        let bytes = &bytes[..bytes.len().min(room)];
        memchr::memchr2(b'\n', b'`', bytes).unwrap_or(bytes.len())
    }

    fn pass(&mut self, byte: u8, out: &mut Vec<u8>) {
        let is_of_target =
            || self.place == Place::Head && !self.line.is_empty() && !self.line.contains(&b'\n');
        let is_escaped = byte == b'`' && is_of_target();
        // In the middle of what stands behind a length, anything is taken but the end of a line.
        let is_kept = self.place != Place::Head && self.line.last() != Some(&b'\r');
        self.place = self.next(byte);
        match self.place {
            Place::Refused => {
                out.extend(Some(byte).filter(|_| is_kept));
                out.extend_from_slice(REFUSED);
            }
            _ if is_escaped => out.extend_from_slice(b"%60"),
            _ => out.push(byte),
        }
    }

    fn next(&mut self, byte: u8) -> Place {
        match self.place {
            // What is longer is passed on at once.
            Place::Body(_) => Place::Head,
            Place::Part(_) => Place::PartLength,
            place => {
                // Empty lines may stand before a request.
                if place == Place::Head && self.line.is_empty() && matches!(byte, b'\r' | b'\n') {
                    return place;
                }
                self.line.push(byte);
                match place {
                    _ if self.line.len() > SEEN_BYTES_MAX => Place::Refused,
                    Place::Head if self.line == HTTP_2 => Place::Untouched,
                    _ if byte == b'\n' && !self.line.ends_with(b"\r\n") => Place::Refused,
                    Place::Head if self.line.ends_with(b"\r\n\r\n") => {
                        body(&std::mem::take(&mut self.line))
                    }
                    Place::PartLength if byte == b'\n' => part(&std::mem::take(&mut self.line)),
                    Place::Trailers if byte == b'\n' => {
                        let is_empty = std::mem::take(&mut self.line).len() <= 2;
                        if is_empty { Place::Head } else { Place::Trailers }
                    }
                    place => place,
                }
            }
        }
    }

    fn less(&self, left: u64) -> Place {
        match self.place {
            Place::Part(_) => Place::Part(left),
            _ => Place::Body(left),
        }
    }
}

/// What comes behind a head.
fn body(head: &[u8]) -> Place {
    let (mut length, mut is_chunked) = (None, false);
    for line in head.split(|byte| *byte == b'\n').skip(1) {
        let Some(colon) = line.iter().position(|byte| *byte == b':') else { continue };
        let value = line[colon + 1..].trim_ascii();
        // Whoever passes spaces over takes a name for what others do not.
        match line[..colon].trim_ascii().to_ascii_lowercase().as_slice() {
            b"content-length" => match number(value) {
                Some(found) if length.is_none() => length = Some(found),
                _ => return Place::Refused,
            },
            b"transfer-encoding" if !is_chunked && value.eq_ignore_ascii_case(b"chunked") => {
                is_chunked = true;
            }
            b"transfer-encoding" => return Place::Refused,
            _ => {}
        }
    }
    match (length, is_chunked) {
        (Some(_), true) => Place::Refused,
        (None, true) => Place::PartLength,
        (None | Some(0), false) => Place::Head,
        (Some(length), false) => Place::Body(length),
    }
}

/// A number of nothing but digits.
fn number(text: &[u8]) -> Option<u64> {
    let is_plain = text.iter().all(u8::is_ascii_digit);
    std::str::from_utf8(text).ok().filter(|_| is_plain)?.parse().ok()
}

/// What comes behind the line with the length of a part.
fn part(line: &[u8]) -> Place {
    let text = std::str::from_utf8(line).ok();
    let length = text.and_then(|text| text.split(';').next());
    match length.and_then(|length| u64::from_str_radix(length.trim(), 16).ok()) {
        Some(0) => Place::Trailers,
        // The end of the line behind it is two bytes.
        Some(length) => length.checked_add(2).map_or(Place::Refused, Place::Part),
        None => Place::Refused,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passed(text: &str) -> String {
        let whole = in_steps(text, text.len());
        for step in 1..text.len() {
            assert_eq!(in_steps(text, step), whole, "in steps of {step}");
        }
        whole
    }

    /// What becomes of a text that comes in steps of so many bytes.
    fn in_steps(text: &str, step: usize) -> String {
        let (mut requests, mut out) = (Requests::default(), Vec::new());
        text.as_bytes().chunks(step).for_each(|bytes| requests.pass_all(bytes, &mut out));
        String::from_utf8(out).unwrap()
    }

    const STATUS: &str = "GET /status/stream/`S`/create HTTP/1.1\r\nHost: `h`\r\n\r\n";
    const ESCAPED: &str = "GET /status/stream/%60S%60/create HTTP/1.1\r\nHost: `h`\r\n\r\n";

    #[test]
    fn targets_are_escaped_and_nothing_else() {
        assert_eq!(passed(&STATUS.repeat(2)), ESCAPED.repeat(2));
        let post = "POST /ksql HTTP/1.1\r\nContent-Length: 10\r\n\r\n`a`\r\n\r\n```";
        assert_eq!(passed(&format!("{post}{STATUS}")), format!("{post}{ESCAPED}"));
        let chunked = "POST /ksql HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n\
                       4;a=b\r\n`\r\n`\r\n1\r\n`\r\n0\r\nA: `\r\n\r\n";
        assert_eq!(passed(&format!("{chunked}{STATUS}")), format!("{chunked}{ESCAPED}"));
    }

    /// Reads what there is; an error once that takes too long.
    async fn read(connection: &mut Connection<tokio::io::DuplexStream>) -> io::Result<usize> {
        use tokio::io::AsyncReadExt as _;
        connection.read(&mut [0; 1024]).await
    }

    #[tokio::test(start_paused = true)]
    async fn heads_come_in_time_and_connections_may_rest() {
        use tokio::io::AsyncWriteExt as _;
        let hour = Duration::from_hours(1);
        let (mut client, server) = tokio::io::duplex(1024);
        let mut connection = Connection::new(server, 24 * hour);
        client.write_all(STATUS.as_bytes()).await.unwrap();
        assert!(read(&mut connection).await.is_ok());
        // It rests, answers go on, and it is asked again.
        assert!(tokio::time::timeout(23 * hour, read(&mut connection)).await.is_err());
        connection.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
        assert!(tokio::time::timeout(23 * hour, read(&mut connection)).await.is_err());
        client.write_all(b"GET /").await.unwrap();
        assert!(read(&mut connection).await.is_ok());
        let late = tokio::time::timeout(HEAD_WITHIN * 2, read(&mut connection)).await.unwrap();
        assert_eq!(late.unwrap_err().kind(), io::ErrorKind::TimedOut);
        let (_silent, server) = tokio::io::duplex(1024);
        let mut connection = Connection::new(server, 24 * hour);
        let late = tokio::time::timeout(HEAD_WITHIN * 2, read(&mut connection)).await.unwrap();
        assert_eq!(late.unwrap_err().kind(), io::ErrorKind::TimedOut);
    }

    #[test]
    fn what_has_no_certain_length_is_refused_and_all_behind_it() {
        let doubtful = [
            "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
            "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n",
            "Content-Length: 3\r\nContent-Length: 4\r\n\r\n",
            "Content-Length: 3\r\nContent-Length : 4\r\n\r\n",
            "Content-Length: 3, 3\r\n\r\n",
            "Content-Length: +3\r\n\r\n",
            "Content-Length: 0x3\r\n\r\n",
            "Transfer-Encoding: gzip\r\n\r\n",
            "Transfer-Encoding: gzip, chunked\r\n\r\n",
            "Transfer-Encoding: chunked, identity\r\n\r\n",
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
            "Transfer-Encoding: chunked\r\n\r\n-1\r\n",
            "Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n",
            "A: b\n",
        ];
        for head in doubtful {
            let text = format!("POST / HTTP/1.1\r\n{head}");
            let given = format!("{}\0\r\n\r\n", &text[..text.len() - 1]);
            assert_eq!(passed(&format!("{text}{STATUS}")), given, "{head}");
        }
    }

    #[test]
    fn ends_of_lines_in_the_middle_are_seen() {
        for line in ["1\n", "1;a=b\n", "0\r\nA: b\n"] {
            let text = format!("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n{line}");
            assert_eq!(passed(&format!("{text}{STATUS}")), format!("{text}\0\r\n\r\n"));
        }
    }

    #[test]
    fn another_protocol_is_left_as_it_is() {
        let text = format!("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n{STATUS}");
        assert_eq!(passed(&text), text);
    }
}
