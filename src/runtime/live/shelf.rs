//! Where a worker leaves its queries while it waits, so that whoever looks up a few rows then need not wake it: to wake a
//! thread and be woken by it takes longer than the look-up.
//!
//! ```text
//! worker: waits │ takes them, a turn, puts them back │ waits
//! look-up:  ▲ done at once           ▲ asked at the desk     ▲ done at once
//! ```
//! Once for each turn it is locked and unlocked, never for a row.

use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};

use foldhash::fast::FixedState;
use hashbrown::HashMap;

use super::ids::QueryId;
use super::look_up::{Answer, PullSpec};
use super::shard::Shard;

/// The queries of a worker. The hash is the same each time, and so is their order: a thousand ids that begin alike are
/// compared slowly.
pub(super) type Shards = HashMap<QueryId, Shard, FixedState>;

/// The shelf of a worker.
#[derive(Default)]
pub(super) struct Shelf(Mutex<Shards>);

/// What a look-up at a shelf gives.
pub(super) enum Looked {
    /// The worker has its queries in hand.
    Away,
    /// It has no task of the query.
    Nothing,
    /// What was found.
    Found(Answer),
}

impl Shelf {
    /// The shelf, for the worker alone: once nobody looks up anything.
    pub(super) fn lock(&self) -> MutexGuard<'_, Shards> {
        // After a panic in a turn the worker has its queries in hand, and nothing is here.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks up rows with the tasks of a query that a worker runs, unless it has them in hand.
    pub(super) fn look_up(&self, worker: usize, query: &QueryId, spec: &PullSpec) -> Looked {
        let mut shards = match self.0.try_lock() {
            Ok(shards) => shards,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return Looked::Away,
        };
        let shard = shards.get_mut(query);
        let answer = shard.and_then(|shard| shard.look_up(worker, spec, (spec.limit(), None)));
        answer.map_or(Looked::Nothing, Looked::Found)
    }
}
