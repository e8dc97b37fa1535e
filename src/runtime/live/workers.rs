//! The workers of an instance.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::thread::JoinHandle;

use tokio::sync::mpsc::unbounded_channel;

use super::desk::Desk;
use super::error::LiveError;
use super::ids::{QueryId, SessionId};
use super::inbox::Inbox;
use super::look_up::{LookUp, PullSpec};
use super::message::{Command, Message};
use super::probe::Probe;
use super::shelf::{Looked, Shelf};
use super::topic_figures::TopicFigures;
use super::worker::{Seat, Worker};
use crate::expr::STACK_BYTES;
use crate::kafka::Cluster;
use crate::registry::RegistryClient;
use crate::runtime::panics::guard;

/// How many fetched batches and commands wait for a worker before those who send them do.
const ROOM: usize = 64;

/// Threads that run the tasks of all queries.
pub(super) struct Workers {
    inboxes: Arc<[Arc<Inbox<Message>>]>,
    shelves: Vec<Arc<Shelf>>,
    desks: Vec<Desk>,
    topics: Arc<TopicFigures>,
    busy_us: Vec<Arc<AtomicU64>>,
    threads: Vec<JoinHandle<()>>,
}

impl Workers {
    /// Starts so many workers, at least one.
    pub(super) fn start(
        cluster: &Cluster,
        count: usize,
        registry: Option<&RegistryClient>,
        probe: &Arc<dyn Probe>,
    ) -> Result<Self, LiveError> {
        let inboxes: Arc<[_]> = (0..count.max(1)).map(|_| Arc::new(Inbox::new(ROOM))).collect();
        let shelves = inboxes.iter().map(|_| Arc::default()).collect();
        let busy_us = inboxes.iter().map(|_| Arc::default()).collect();
        let mut workers = Self {
            inboxes,
            shelves,
            desks: Vec::new(),
            topics: Arc::default(),
            busy_us,
            threads: Vec::new(),
        };
        for index in 0..workers.count() {
            let (answers, answered) = unbounded_channel();
            workers.desks.push(Desk::open(&workers.inboxes[index], answered));
            let worker = Worker::new(Seat {
                index,
                workers: Arc::clone(&workers.inboxes),
                shelf: Arc::clone(&workers.shelves[index]),
                cluster: cluster.clone(),
                topics: Arc::clone(&workers.topics),
                busy_us: Arc::clone(&workers.busy_us[index]),
                registry: registry.cloned(),
                runtime: tokio::runtime::Handle::current(),
                probe: Arc::clone(probe),
                answered: answers,
            });
            let thread = std::thread::Builder::new().name(format!("worker-{index}"));
            let thread = thread.stack_size(STACK_BYTES);
            let thread = thread.spawn(|| watch(worker));
            let thread = thread.map_err(|error| {
                LiveError::Thread(format!("worker {index} cannot be started: {error}"))
            })?;
            workers.threads.push(thread);
        }
        Ok(workers)
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.inboxes.len()
    }

    /// What is counted of the partitions that they read.
    pub(super) fn topics(&self) -> &Arc<TopicFigures> {
        &self.topics
    }

    /// How long each has worked, in microseconds.
    pub(super) fn busy_us(&self) -> Vec<u64> {
        self.busy_us.iter().map(|busy| busy.load(Relaxed)).collect()
    }

    /// Gives a worker a command of a query.
    pub(super) async fn command(&self, worker: usize, session: &SessionId, command: Command) {
        self.tell(worker, Message::Command { session: session.clone(), command }).await;
    }

    /// Tells a worker something, once it has room.
    pub(super) async fn tell(&self, worker: usize, message: Message) {
        if let Some(inbox) = self.inboxes.get(worker) {
            inbox.send(message).await;
        }
    }

    /// Looks up what a query keeps with a worker that waits.
    pub(super) fn look_up(&self, worker: usize, query: &QueryId, spec: &PullSpec) -> Looked {
        let shelf = self.shelves.get(worker);
        shelf.map_or(Looked::Nothing, |shelf| shelf.look_up(worker, query, spec))
    }

    /// Asks a worker what a query keeps there, once it has room.
    pub(super) async fn ask(&self, worker: usize, query: QueryId, look_up: LookUp) {
        if let Some(desk) = self.desks.get(worker) {
            desk.ask(query, look_up).await;
        }
    }

    /// Has all workers forget a query.
    pub(super) fn close(&self, session: &SessionId) {
        for inbox in &*self.inboxes {
            inbox.push(Message::Command { session: session.clone(), command: Command::Close });
        }
    }
}

/// Runs a worker until it is told to stop. One that ends with a panic before that is followed by another
/// in its place, and its queries are told.
fn watch(mut worker: Worker) {
    while let Err(panic) = guard(|| worker.run()) {
        worker = worker.afresh(&panic);
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        self.inboxes.iter().for_each(|inbox| inbox.push(Message::Stop));
        for thread in self.threads.drain(..) {
            if thread.join().is_err() {
                tracing::error!("a worker has ended with a panic");
            }
        }
    }
}
