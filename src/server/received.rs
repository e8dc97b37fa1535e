//! Bodies of requests, until they are there as a whole.
//!
//! A request counts among those that are under way only once its body is there: a client that hangs in the middle of one
//! keeps nobody else from being answered. What it costs meanwhile is limited: by the length of a body, by the time in which
//! each portion of it has to come, and by the room that all of them have together.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody as _};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::api::errors;
use super::body;

/// How long a portion of a body may take.
pub(super) const PORTION_WITHIN: Duration = Duration::from_secs(30);

/// How much has to come in that time, unless it is the rest.
const PORTION_BYTES: usize = 64 << 10;

/// What each body may have of its own, so that small requests always come in.
const OWN_BYTES: usize = 16 << 10;

/// How many bodies of the greatest length there is room for, besides what each has of its own.
const BODIES: usize = 16;

/// The unit in which room is given.
const ROOM_BYTES: usize = 1 << 10;

/// How bodies are received.
#[derive(Clone)]
pub(super) struct Receiving {
    body_bytes_max: usize,
    room: Arc<Semaphore>,
}

/// Why a body is not received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NotReceived {
    /// It is longer than bodies may be.
    TooLong,
    /// Not enough of it has come in time.
    TooSlow,
    /// Others fill the room that there is.
    NoRoom,
    /// It has ended before its end, or is not as HTTP wants it.
    Broken,
}

impl Receiving {
    /// Receives bodies of at most so many bytes.
    pub(super) fn new(body_bytes_max: usize) -> Self {
        let room = body_bytes_max.saturating_mul(BODIES).div_ceil(ROOM_BYTES);
        Self { body_bytes_max, room: Arc::new(Semaphore::new(room.min(Semaphore::MAX_PERMITS))) }
    }

    /// A body, and the room that it takes.
    pub(super) async fn receive(
        &self,
        mut body: Body,
    ) -> Result<(Bytes, Option<OwnedSemaphorePermit>), NotReceived> {
        let (mut bytes, mut room) = (Vec::new(), None::<OwnedSemaphorePermit>);
        loop {
            let portion = self.portion(&mut body, &mut bytes, &mut room);
            let is_over = tokio::time::timeout(PORTION_WITHIN, portion).await;
            match is_over.unwrap_or(Err(NotReceived::TooSlow)) {
                Ok(true) => return Ok((bytes.into(), room)),
                Ok(false) => {}
                Err(error) => {
                    drop((bytes, room));
                    if error == NotReceived::TooLong {
                        self.discard(body).await;
                    }
                    return Err(error);
                }
            }
        }
    }

    /// Reads on for a while, and keeps nothing: who still sends may not see an answer.
    async fn discard(&self, mut body: Body) {
        let mut left = self.body_bytes_max.saturating_mul(BODIES);
        let discarded = async {
            while let Some(Ok(frame)) =
                poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await
                && left > 0
            {
                left = left.saturating_sub(frame.data_ref().map_or(0, Bytes::len));
            }
        };
        // Whoever takes longer has had his time.
        let _ = tokio::time::timeout(PORTION_WITHIN, discarded).await;
    }

    /// Receives one portion; whether it was the last.
    async fn portion(
        &self,
        body: &mut Body,
        bytes: &mut Vec<u8>,
        room: &mut Option<OwnedSemaphorePermit>,
    ) -> Result<bool, NotReceived> {
        let end = bytes.len() + PORTION_BYTES;
        while bytes.len() < end {
            let frame = poll_fn(|context| Pin::new(&mut *body).poll_frame(context)).await;
            let Some(frame) = frame else { return Ok(true) };
            let frame = frame.map_err(|_| NotReceived::Broken)?;
            let Ok(data) = frame.into_data() else { continue };
            let length = bytes.len() + data.len();
            if length > self.body_bytes_max {
                return Err(NotReceived::TooLong);
            }
            self.take_room(length, room)?;
            bytes.extend_from_slice(&data);
        }
        Ok(false)
    }

    /// Takes room for what is to be so long, besides what there is of it.
    pub(super) fn take_room(
        &self,
        length: usize,
        room: &mut Option<OwnedSemaphorePermit>,
    ) -> Result<(), NotReceived> {
        let wanted = length.saturating_sub(OWN_BYTES).div_ceil(ROOM_BYTES);
        let lacking =
            wanted.saturating_sub(room.as_ref().map_or(0, OwnedSemaphorePermit::num_permits));
        if lacking == 0 {
            return Ok(());
        }
        let lacking = u32::try_from(lacking).map_err(|_| NotReceived::NoRoom)?;
        let more = Arc::clone(&self.room).try_acquire_many_owned(lacking);
        let more = more.map_err(|_| NotReceived::NoRoom)?;
        match room {
            Some(room) => room.merge(more),
            None => *room = Some(more),
        }
        Ok(())
    }

    /// The answer to a request whose body is not received. What is left of it is not read.
    pub(super) fn refuse(&self, error: NotReceived) -> Response {
        let most = self.body_bytes_max;
        let (status, message) = match error {
            NotReceived::TooLong => (
                StatusCode::PAYLOAD_TOO_LARGE,
                format!(
                    "The body of a request has at most {most} bytes (ksql.server.max.request.bytes)"
                ),
            ),
            NotReceived::TooSlow => (
                StatusCode::REQUEST_TIMEOUT,
                format!(
                    "Less than {PORTION_BYTES} bytes of the request's body have come in {PORTION_WITHIN:?}"
                ),
            ),
            NotReceived::NoRoom => (
                StatusCode::TOO_MANY_REQUESTS,
                "The server receives more large requests than it has room for, try again later"
                    .to_owned(),
            ),
            NotReceived::Broken => (
                StatusCode::BAD_REQUEST,
                "The request's body ends before its end, or is not as HTTP wants it".to_owned(),
            ),
        };
        let error = errors::generic(u32::from(status.as_u16()) * 100, message);
        (status, [(header::CONNECTION, "close")], body::json(&error)).into_response()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY_BYTES_MAX: usize = 1 << 20;

    /// A body that never ends by itself: a first part, and nothing more for a while, over and over.
    struct Trickle {
        part: usize,
        pause: Pin<Box<tokio::time::Sleep>>,
    }

    impl axum::body::HttpBody for Trickle {
        type Data = Bytes;
        type Error = std::convert::Infallible;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            context: &mut std::task::Context<'_>,
        ) -> std::task::Poll<Option<Result<http_body::Frame<Bytes>, Self::Error>>> {
            std::task::ready!(self.pause.as_mut().poll(context));
            self.pause.set(tokio::time::sleep(Duration::from_secs(1)));
            let bytes = Bytes::from(vec![b' '; self.part]);
            std::task::Poll::Ready(Some(Ok(http_body::Frame::data(bytes))))
        }
    }

    /// A body of which so many bytes come in a second.
    fn trickle(part: usize) -> Body {
        Body::new(Trickle { part, pause: Box::pin(tokio::time::sleep(Duration::ZERO)) })
    }

    async fn refused(receiving: &Receiving, body: Body) -> NotReceived {
        receiving.receive(body).await.unwrap_err()
    }

    #[tokio::test(start_paused = true)]
    async fn bodies_come_in_time_or_not_at_all() {
        let receiving = Receiving::new(BODY_BYTES_MAX);
        assert_eq!(refused(&receiving, trickle(1)).await, NotReceived::TooSlow);
        assert_eq!(refused(&receiving, trickle(4_096)).await, NotReceived::TooLong);
        let (bytes, _) = receiving.receive(Body::from("{}")).await.unwrap();
        assert_eq!(bytes, "{}");
    }

    #[tokio::test]
    async fn large_bodies_share_their_room_and_small_ones_need_none() {
        let receiving = Receiving::new(BODY_BYTES_MAX);
        let large = || Body::from(vec![b' '; BODY_BYTES_MAX]);
        let mut held = Vec::new();
        for _ in 0..BODIES {
            held.push(receiving.receive(large()).await.unwrap());
        }
        held.push(receiving.receive(Body::from("{}")).await.unwrap());
        held.remove(0);
        held.push(receiving.receive(large()).await.unwrap());
        assert_eq!(refused(&receiving, large()).await, NotReceived::NoRoom);
        let longer = Body::from(vec![b' '; BODY_BYTES_MAX + 1]);
        assert_eq!(refused(&receiving, longer).await, NotReceived::TooLong);
        drop(held);
        assert!(receiving.receive(large()).await.is_ok());
    }
}
