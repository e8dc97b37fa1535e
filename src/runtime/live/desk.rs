//! Where pull queries meet a worker: what many of them ask goes to it at once, and so do its answers to them.
//!
//! ```text
//! PullRows ─▶ asked ─ all that have come ─▶ inbox ─▶ worker ─ all answers ─▶ answered ─▶ PullRows
//! ```
//! To wake a thread takes as long as to look up some rows, so that is done once for all that ask at the same time.

use std::sync::Arc;

use tokio::sync::mpsc::{Receiver, Sender, UnboundedReceiver, UnboundedSender, channel};

use super::ids::QueryId;
use super::inbox::Inbox;
use super::look_up::{Answer, LookUp};
use super::message::Message;

/// How many questions wait before those who ask more do, and how many are asked at once.
const ROOM: usize = 64;

/// A question to the tasks of a query.
pub(super) type Asked = (QueryId, LookUp);

/// An answer, and who waits for it.
pub(super) type Answered = (UnboundedSender<Answer>, Answer);

/// The desk of a worker.
pub(super) struct Desk {
    asked: Sender<Asked>,
}

impl Desk {
    /// Opens a desk; the answers come through `answered`.
    pub(super) fn open(
        inbox: &Arc<Inbox<Message>>,
        answered: UnboundedReceiver<Vec<Answered>>,
    ) -> Self {
        let (asked, questions) = channel(ROOM);
        tokio::spawn(ask(questions, Arc::clone(inbox)));
        tokio::spawn(answer(answered));
        Self { asked }
    }

    /// Asks the worker, once there is room. Whoever asks one that has ended gets no answer.
    pub(super) async fn ask(&self, query: QueryId, look_up: LookUp) {
        let _ = self.asked.send((query, look_up)).await;
    }
}

async fn ask(mut questions: Receiver<Asked>, inbox: Arc<Inbox<Message>>) {
    let mut all = Vec::new();
    while questions.recv_many(&mut all, ROOM).await > 0 {
        // Others are about to ask as well.
        tokio::task::yield_now().await;
        while all.len() < ROOM
            && let Ok(more) = questions.try_recv()
        {
            all.push(more);
        }
        inbox.send(Message::LookUps(std::mem::take(&mut all))).await;
    }
}

async fn answer(mut answered: UnboundedReceiver<Vec<Answered>>) {
    while let Some(all) = answered.recv().await {
        for (whom, answer) in all {
            // Whoever asked may have gone by now.
            let _ = whom.send(answer);
        }
    }
}
