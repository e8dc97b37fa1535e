//! What a host knows: the engine, what became of commands, and the statements that queries were made of.

use std::collections::{BTreeMap, BTreeSet};

use super::answer::{CommandState, CommandStatus};
use super::planned_reads::PlannedReads;
use crate::engine::Engine;
use crate::types::Timestamp;

/// How many commands are remembered with what became of them.
pub(super) const STATUSES_MAX: usize = 10_000;

/// Whether a server still serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// It does.
    Running,
    /// Its service is being ended.
    Ending,
    /// Its service has ended.
    Ended,
}

/// What a host knows.
#[derive(Debug, Default)]
pub(super) struct State {
    engine: Engine,
    /// Queries of clients, as they were planned in the engine.
    pub(super) reads: PlannedReads,
    /// By command id; the last command of an id counts.
    pub(super) statuses: BTreeMap<String, CommandStatus>,
    /// The statements of queries, by id.
    pub(super) texts: BTreeMap<String, String>,
    /// The statements of streams and tables that queries fill, by name: they stay when those end.
    pub(super) made_by: BTreeMap<String, String>,
    /// When queries were started here, by id.
    pub(super) started: BTreeMap<String, Timestamp>,
    /// The queries that are paused.
    pub(super) paused: BTreeSet<String>,
    /// The offset of the last command, -1 before there is any.
    pub(super) last: i64,
    /// What the last command became, for whoever wrote it.
    pub(super) outcomes: BTreeMap<i64, CommandStatus>,
}

impl State {
    pub(super) fn new(engine: Engine) -> Self {
        Self { engine, last: -1, ..Self::default() }
    }

    /// The engine.
    pub(super) fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Takes a new engine over.
    pub(super) fn put(&mut self, engine: Engine) {
        self.engine = engine;
        self.reads.forget();
    }

    /// The number that the next query gets in its id.
    pub(super) fn next_number(&self) -> i64 {
        self.last + 1
    }

    /// Notes that a command is being applied.
    pub(super) fn note_begun(&mut self, id: &str) {
        let (state, message) = (CommandState::Executing, "Executing statement".to_owned());
        self.statuses.insert(id.to_owned(), CommandStatus { state, message, query: None });
    }

    /// Whether a command is being applied: what is to be said of it then.
    pub(super) fn begun(&self, id: &str) -> Option<CommandStatus> {
        let status = self.statuses.get(id)?;
        (status.state == CommandState::Executing).then(|| status.clone())
    }

    /// Notes what became of a command. Where there are too many, the first by name is forgotten.
    pub(super) fn note(&mut self, offset: i64, id: String, status: CommandStatus) {
        self.statuses.insert(id, status.clone());
        self.outcomes.insert(offset, status);
        while self.statuses.len() > STATUSES_MAX {
            self.statuses.pop_first();
        }
        while self.outcomes.len() > STATUSES_MAX {
            self.outcomes.pop_first();
        }
    }
}
