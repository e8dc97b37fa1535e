//! Pull queries over tables: all workers are asked what they keep, between two turns, and answer portion by portion. A few
//! keys are looked up with a worker that waits by whoever asks ([`Shelf`](super::shelf::Shelf)).
//!
//! ```text
//! all workers ─ a first portion of each task ─▶ in the order of partitions ─▶ PullRows::next
//! one worker  ─ the next portion of a task  ──────────────────────────────────▶    │
//!      ▲                                                                           │
//!      └──────────────── asked for once all before it is taken ◀───────────────────┘
//! ```
//! So a scan of a large table holds up nobody for long, and lies nowhere as a whole. A row that is there all the time is given
//! once; of one that comes or goes meanwhile it is not settled whether it is given.

use std::collections::VecDeque;
use std::sync::Arc;

use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::error::LiveError;
use super::ids::QueryId;
use super::look_up::{Answer, LookUp, PullSpec};
use super::shard::Shard;
use super::shelf::Looked;
use super::workers::Workers;
use crate::runtime::{ClientRow, Found, Rest, client_rows};

impl Shard {
    /// What its tasks keep, unless it has failed.
    pub(super) fn look_up(
        &mut self,
        worker: usize,
        spec: &PullSpec,
        (limit, rest): (u64, Option<Rest>),
    ) -> Option<Answer> {
        let mut answer = None;
        self.guard(|shard| {
            let keepers = shard.tasks.keepers(&spec.plan);
            let found = shard.tasks.look_up(&spec.plan, rest, limit, shard.world.now());
            let (found, session) = (found.map_err(LiveError::from), shard.id.number);
            answer = Some(Answer { worker, session, found, keepers });
        });
        answer
    }
}

/// How many keys are looked up by whoever asks, if their worker waits.
const KEYS_MAX: usize = 16;

/// The rows of a pull query over a table. Nothing is looked up before it is asked for but the first portions.
pub struct PullRows {
    workers: Arc<Workers>,
    spec: PullSpec,
    /// How many rows may still be given.
    left: u64,
    /// What is left of the tasks, in the order of their partitions.
    parts: VecDeque<Part>,
}

/// What is left of a task.
struct Part {
    worker: usize,
    session: u64,
    what: What,
}

enum What {
    /// A portion that is here.
    Found(Found),
    /// Others that are to be asked for.
    Rest(Rest),
}

impl std::fmt::Debug for PullRows {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let parts = self.parts.len();
        let mut shown = f.debug_struct("PullRows");
        shown.field("spec", &self.spec).field("left", &self.left).field("parts", &parts);
        shown.finish_non_exhaustive()
    }
}

impl PullRows {
    /// Asks all workers. A query of which some tasks are not there, or none, does not run.
    pub(super) async fn begin(workers: &Arc<Workers>, spec: PullSpec) -> Result<Self, LiveError> {
        let left = spec.limit();
        let mut rows = Self { workers: Arc::clone(workers), spec, left, parts: VecDeque::new() };
        let (mut answers, away) = rows.look_up();
        if away.is_empty() {
            // Others are about to look up as well: answers that leave together wake those who wait for them once.
            tokio::task::yield_now().await;
        } else {
            let mut answered = rows.ask(away, None).await;
            while let Some(answer) = answered.recv().await {
                answers.push(answer);
            }
        }
        let (mut parts, mut keepers) = (Vec::new(), None);
        for Answer { worker, session, found, keepers: all } in answers {
            keepers = Some(all);
            parts.extend(found?.into_iter().map(|found| (worker, session, found)));
        }
        if keepers != Some(parts.len()) {
            return Err(rows.not_running("is not running here"));
        }
        parts.sort_by_key(|(_, _, found)| found.partition);
        let parts = parts.into_iter();
        rows.parts = parts
            .map(|(worker, session, found)| Part { worker, session, what: What::Found(found) })
            .collect();
        Ok(rows)
    }

    /// What is found at once of a few rows, and the workers that are to be asked.
    fn look_up(&self) -> (Vec<Answer>, Vec<usize>) {
        let all = 0..self.workers.count();
        let keys = self.spec.plan.wanted.keys.as_ref();
        if keys.is_none_or(|keys| keys.len() > KEYS_MAX) {
            return (Vec::new(), all.collect());
        }
        let query = QueryId::from(self.spec.plan.query.as_str());
        let (mut answers, mut away) = (Vec::new(), Vec::new());
        for worker in all {
            match self.workers.look_up(worker, &query, &self.spec) {
                Looked::Away => away.push(worker),
                Looked::Nothing => {}
                Looked::Found(answer) => answers.push(answer),
            }
        }
        (answers, away)
    }

    /// The next rows, at least one; `None` once there are no more. After an error there are none.
    pub async fn next(&mut self) -> Option<Result<Vec<ClientRow>, LiveError>> {
        let columns = self.spec.plan.plan.sink.schema.value.len();
        while self.left > 0 {
            let Part { worker, session, what } = self.parts.pop_front()?;
            let found = match what {
                What::Found(found) => found,
                What::Rest(rest) => match self.go_on(worker, session, rest).await {
                    Ok(found) => found,
                    Err(error) => {
                        self.parts.clear();
                        return Some(Err(error));
                    }
                },
            };
            if let Some(rest) = found.rest {
                self.parts.push_front(Part { worker, session, what: What::Rest(rest) });
            }
            let most = usize::try_from(self.left).unwrap_or(usize::MAX);
            let rows: Vec<ClientRow> = client_rows(&found.output, columns).take(most).collect();
            self.left -= rows.len() as u64;
            if !rows.is_empty() {
                return Some(Ok(rows));
            }
        }
        None
    }

    /// How many rows there are at most, if all of them are here: then none of them is waited for.
    pub fn all_here(&self) -> Option<usize> {
        let here = self.parts.iter().map(|part| match &part.what {
            What::Found(Found { output, rest: None, .. }) => Some(output.len()),
            What::Found(_) | What::Rest(_) => None,
        });
        here.sum()
    }

    /// The next portion of a task, as long as that is still the same.
    async fn go_on(&self, worker: usize, session: u64, rest: Rest) -> Result<Found, LiveError> {
        let mut answered = self.ask([worker], Some(rest)).await;
        let answer = answered.recv().await.filter(|answer| answer.session == session);
        let begun_again = || self.not_running("has begun again meanwhile");
        let found = answer.ok_or_else(begun_again)?.found?;
        found.into_iter().next().ok_or_else(begun_again)
    }

    async fn ask(
        &self,
        workers: impl IntoIterator<Item = usize>,
        rest: Option<Rest>,
    ) -> UnboundedReceiver<Answer> {
        let (answers, answered) = unbounded_channel();
        let query = QueryId::from(self.spec.plan.query.as_str());
        for worker in workers {
            let (spec, answers) = (self.spec.clone(), answers.clone());
            let look_up = LookUp { spec, limit: self.left, rest, answers };
            self.workers.ask(worker, query.clone(), look_up).await;
        }
        answered
    }

    fn not_running(&self, cause: &str) -> LiveError {
        LiveError::NotRunning { query: self.spec.plan.query.clone(), cause: cause.to_owned() }
    }
}
