//! The registry at work: many readers, one writer.
//!
//! ```text
//! GET …        ─→ a look at the state as it is
//! POST, DELETE ─→ queue ─→ writer: plan on the state → records to the topic → the state as they leave it → answer
//! ```
//! The writer takes one request after the other, and finishes what it began even if who asked is gone. After a write
//! that failed nobody knows what is in the topic, so it is read again before the next one.

use std::sync::{Arc, PoisonError, RwLock};

use tokio::sync::{mpsc, oneshot};

use super::journal::Journal;
use super::record::Record;
use super::refusal::Refusal;
use super::register::Planned;
use super::state::State;

/// How many requests may wait for the writer; more of them wait for their turn to wait.
const QUEUE_MAX: usize = 64;

/// Tells the time in milliseconds since the epoch.
pub type Clock = Arc<dyn Fn() -> i64 + Send + Sync>;

/// What all requests share.
#[derive(Clone)]
pub(super) struct Service {
    state: Arc<RwLock<Arc<State>>>,
    writes: mpsc::Sender<Write>,
}

/// A change that waits for its turn.
type Write = Box<dyn FnOnce(&State) -> Begun + Send>;

/// What a change has come to, before its records are written.
struct Begun {
    records: Vec<Record>,
    /// Tells who asked, once they are, or why they could not be.
    finish: Box<dyn FnOnce(Result<(), Refusal>) + Send>,
}

impl Service {
    /// A service over what the topic holds, and the writer, which is done when all services are gone.
    pub(super) fn new(
        journal: Journal,
        state: State,
        clock: Clock,
    ) -> (Self, impl Future<Output = ()> + Send) {
        let state = Arc::new(RwLock::new(Arc::new(state)));
        let (writes, queue) = mpsc::channel(QUEUE_MAX);
        let writer = Writer { journal, state: Arc::clone(&state), clock, is_stale: false };
        (Self { state, writes }, writer.run(queue))
    }

    /// The state as it is now.
    pub(super) fn state(&self) -> Arc<State> {
        Arc::clone(&self.state.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Asks about the state, on a thread where that may take long.
    pub(super) async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&State) -> Result<T, Refusal> + Send + 'static,
    ) -> Result<T, Refusal> {
        let state = self.state();
        on_a_thread(move || question(&state)).await?
    }

    /// Changes the state: what is planned holds once it is written.
    pub(super) async fn change<T: Send + 'static>(
        &self,
        plan: impl FnOnce(&State) -> Result<Planned<T>, Refusal> + Send + 'static,
    ) -> Result<T, Refusal> {
        let (answer, answered) = oneshot::channel();
        let write: Write = Box::new(move |state| {
            let (records, outcome) = match plan(state) {
                Ok(planned) => (planned.records, Ok(planned.answer)),
                Err(refusal) => (Vec::new(), Err(refusal)),
            };
            let finish = move |written: Result<(), Refusal>| {
                // Who asked may be gone.
                let _ = answer.send(written.and(outcome));
            };
            Begun { records, finish: Box::new(finish) }
        });
        self.writes.send(write).await.map_err(|_| Refusal::store("the registry stops"))?;
        answered.await.map_err(|_| Refusal::store("the request could not be worked on"))?
    }
}

/// Does what may take long beside what waits.
async fn on_a_thread<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Refusal> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|_| Refusal::new(500, "the request could not be worked on"))
}

/// The only one who changes the state.
struct Writer {
    journal: Journal,
    state: Arc<RwLock<Arc<State>>>,
    clock: Clock,
    /// Whether a write has failed, so that the topic may hold more than the state.
    is_stale: bool,
}

impl Writer {
    async fn run(mut self, mut queue: mpsc::Receiver<Write>) {
        while let Some(write) = queue.recv().await {
            if self.is_stale {
                self.read_again().await;
            }
            let state = Arc::clone(&self.state.read().unwrap_or_else(PoisonError::into_inner));
            // One that panics has told who asked by being dropped.
            let Ok(begun) = on_a_thread(move || write(&state)).await else { continue };
            let written = self.write(begun.records).await;
            (begun.finish)(written);
        }
    }

    async fn write(&mut self, records: Vec<Record>) -> Result<(), Refusal> {
        if records.is_empty() {
            return Ok(());
        }
        if self.is_stale {
            return Err(Refusal::store("the topic of schemas cannot be read"));
        }
        if let Err(error) = self.journal.append(&records, (self.clock)()).await {
            tracing::warn!(%error, "schemas could not be written");
            self.is_stale = true;
            return Err(Refusal::store(error));
        }
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        // It is copied only while somebody looks at it.
        let state = Arc::make_mut(&mut state);
        for record in records {
            state.apply(record);
        }
        Ok(())
    }

    async fn read_again(&mut self) {
        match self.journal.read().await {
            Ok(state) => {
                *self.state.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(state);
                self.is_stale = false;
            }
            Err(error) => tracing::warn!(%error, "the topic of schemas could not be read again"),
        }
    }
}
