//! Carries what was fetched to a worker, no faster than the worker takes it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use tokio::sync::Notify;

use super::ids::ReadingId;
use super::inbox::Inbox;
use super::message::Message;
use crate::kafka::fetch::{Fetched, Fetcher};
use crate::runtime::panics::guarded;

/// How many bytes a worker holds of a reading before it is given no more.
pub(super) const HELD_BYTES: usize = 1 << 20;

/// How much of a reading a worker holds.
#[derive(Debug, Default)]
pub(super) struct Flow {
    held: AtomicUsize,
    /// Whether the worker lacks a partition that others wait for, so that it takes more, once: what comes then may be all
    /// that it lacks, and until it says so again nothing else is to come.
    is_hungry: AtomicBool,
    changed: Notify,
}

impl Flow {
    pub(super) fn held(&self) -> usize {
        self.held.load(Relaxed)
    }

    /// Notes that the worker holds so much more.
    pub(super) fn hold(&self, bytes: usize) {
        self.held.fetch_add(bytes, Relaxed);
    }

    /// Notes that the worker holds so much less.
    pub(super) fn release(&self, bytes: usize) {
        let before = self.held.fetch_sub(bytes, Relaxed);
        if before >= HELD_BYTES && before - bytes < HELD_BYTES {
            self.changed.notify_one();
        }
    }

    /// Notes whether the worker takes more, once, although it holds enough.
    pub(super) fn set_hungry(&self, is_hungry: bool) {
        if self.is_hungry.swap(is_hungry, Relaxed) != is_hungry && is_hungry {
            self.changed.notify_one();
        }
    }

    async fn room(&self) {
        while self.held() >= HELD_BYTES && !self.is_hungry.swap(false, Relaxed) {
            self.changed.notified().await;
        }
    }
}

/// Hands on what a fetcher gives, until it is aborted or ends with a panic.
///
/// What is not taken stays with the fetcher, which fetches no more once it holds enough. So a backlog
/// does not come into memory faster than it is processed.
pub(super) async fn pump(
    reading: ReadingId,
    fetcher: Arc<Fetcher>,
    flow: Arc<Flow>,
    inbox: Arc<Inbox<Message>>,
) {
    let carrying = guarded(carry(reading, fetcher, flow, &inbox));
    if let Err(panic) = carrying.await {
        inbox.send(Message::ReadingFailed { reading, panic }).await;
    }
}

async fn carry(reading: ReadingId, fetcher: Arc<Fetcher>, flow: Arc<Flow>, inbox: &Inbox<Message>) {
    loop {
        fetcher.arrived().await;
        flow.room().await;
        let Fetched { partitions, problems } = fetcher.fetch(Duration::ZERO).await;
        if partitions.is_empty() && problems.is_empty() {
            tokio::task::yield_now().await;
        }
        if !partitions.is_empty() {
            let bytes = partitions.iter().map(|fetched| fetched.bytes).sum();
            flow.hold(bytes);
            inbox.send(Message::Fetched { reading, fetched: partitions }).await;
        }
        for problem in problems {
            inbox.send(Message::FetchFailed { reading, problem }).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::task::{Context, Waker};

    use super::*;

    fn has_room(flow: &Flow) -> bool {
        pin!(flow.room()).poll(&mut Context::from_waker(Waker::noop())).is_ready()
    }

    #[test]
    fn a_worker_that_lacks_something_takes_more_once() {
        let flow = Flow::default();
        flow.hold(HELD_BYTES);
        assert!(!has_room(&flow));
        flow.set_hungry(true);
        assert!(has_room(&flow));
        // What it lacks is on its way: while the worker is busy, nothing else comes.
        assert!(!has_room(&flow));
        flow.set_hungry(true);
        assert!(has_room(&flow));
        flow.release(1);
        assert!(has_room(&flow) && has_room(&flow));
    }
}
