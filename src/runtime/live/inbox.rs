//! What comes to a worker: a queue that a thread waits at, and that tasks send to.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Semaphore;

/// A queue with a limit for those who can wait. Workers among each other cannot: what they hand over
/// is limited by what they take from their sources.
pub(super) struct Inbox<T> {
    queue: Mutex<VecDeque<Sent<T>>>,
    arrived: Condvar,
    room: Semaphore,
}

struct Sent<T> {
    item: T,
    /// Whether it takes room that others wait for.
    takes_room: bool,
}

impl<T> Inbox<T> {
    /// An empty queue with room for so many.
    pub(super) fn new(room: usize) -> Self {
        let (queue, arrived) = (Mutex::default(), Condvar::new());
        Self { queue, arrived, room: Semaphore::new(room) }
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Sent<T>>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds an item once there is room.
    pub(super) async fn send(&self, item: T) {
        if let Ok(permit) = self.room.acquire().await {
            permit.forget();
        }
        self.add(Sent { item, takes_room: true });
    }

    /// Adds an item at once.
    pub(super) fn push(&self, item: T) {
        self.add(Sent { item, takes_room: false });
    }

    fn add(&self, sent: Sent<T>) {
        self.lock().push_back(sent);
        self.arrived.notify_one();
    }

    /// Everything that is there; if there is nothing, what comes within `wait`.
    pub(super) fn take(&self, wait: Duration) -> Vec<T> {
        let mut queue = self.lock();
        if queue.is_empty() && !wait.is_zero() {
            let waited = self.arrived.wait_timeout_while(queue, wait, |queue| queue.is_empty());
            queue = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        let taken = std::mem::take(&mut *queue);
        drop(queue);
        self.room.add_permits(taken.iter().filter(|sent| sent.takes_room).count());
        taken.into_iter().map(|sent| sent.item).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[tokio::test]
    async fn who_can_wait_waits_for_room_and_nobody_is_overtaken() {
        let inbox = Arc::new(Inbox::new(1));
        inbox.send(1).await;
        let other = Arc::clone(&inbox);
        let waiting = tokio::spawn(async move { other.send(3).await });
        tokio::task::yield_now().await;
        inbox.push(2);
        assert!(!waiting.is_finished());
        assert_eq!(inbox.take(Duration::ZERO), [1, 2]);
        waiting.await.unwrap();
        assert_eq!(inbox.take(Duration::ZERO), [3]);
    }

    #[test]
    fn a_worker_is_woken_by_what_comes() {
        let inbox = Arc::new(Inbox::new(1));
        let other = Arc::clone(&inbox);
        let sender = std::thread::spawn(move || other.push("here"));
        assert_eq!(inbox.take(Duration::from_mins(1)), ["here"]);
        sender.join().unwrap();
        assert!(inbox.take(Duration::from_millis(1)).is_empty());
    }
}
