//! Pull queries over tables: all workers are asked what they keep, between two turns.

use tokio::sync::mpsc::unbounded_channel;

use super::error::LiveError;
use super::ids::QueryId;
use super::look_up::{Answer, LookUp, PullSpec};
use super::message::Message;
use super::shard::Shard;
use super::workers::Workers;
use crate::runtime::{ClientRow, client_rows};

impl Shard {
    /// Answers what its tasks keep, unless it has failed.
    pub(super) fn look_up(&mut self, LookUp { spec, answers }: &LookUp) {
        self.guard(|shard| {
            let keepers = shard.tasks.keepers(&spec.plan);
            let found = shard.tasks.look_up(&spec.plan, spec.limit(), shard.world.now());
            // Whoever asked may have gone by now.
            let _ = answers.send(Answer { found: found.map_err(LiveError::from), keepers });
        });
    }
}

/// Asks all workers, and gives the rows that they have found.
pub(super) async fn pull(workers: &Workers, spec: PullSpec) -> Result<Vec<ClientRow>, LiveError> {
    let columns = spec.plan.plan.sink.schema.value.len();
    let (query, limit) = (spec.plan.query.clone(), spec.limit());
    let id = QueryId::from(query.as_str());
    let (answers, mut answered) = unbounded_channel();
    for worker in 0..workers.count() {
        let look_up = LookUp { spec: spec.clone(), answers: answers.clone() };
        workers
            .tell(worker, Message::LookUp { query: id.clone(), look_up: Box::new(look_up) })
            .await;
    }
    drop(answers);
    let (mut rows, mut keepers, mut asked) = (Vec::new(), None, 0);
    while let Some(answer) = answered.recv().await {
        let found = answer.found?;
        keepers = Some(answer.keepers);
        asked += found.tasks;
        let left = usize::try_from(limit.saturating_sub(rows.len() as u64)).unwrap_or(usize::MAX);
        rows.extend(client_rows(&found.output, columns).take(left));
    }
    // While a query starts, only some of its tasks may be there, or none.
    if keepers == Some(asked) { Ok(rows) } else { Err(LiveError::NotRunning { query }) }
}
