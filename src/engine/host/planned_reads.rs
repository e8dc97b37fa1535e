//! Queries of clients as they were planned, for whoever asks the same again: a dashboard asks the same every second, and
//! reading and planning a pull query by key takes several times as long as answering it.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::Request;
use crate::engine::ReadQuery;

/// How many are kept before those are forgotten that nobody has asked for since as many were kept.
const KEPT_MAX: usize = 1_000;

/// Texts that are longer are not kept.
const TEXT_BYTES_MAX: usize = 4 << 10;

/// A query as it was planned.
#[derive(Debug)]
pub(super) struct PlannedRead {
    /// Its statement, as it may be shown.
    pub(super) statement: String,
    pub(super) query: ReadQuery,
}

/// Queries of clients as they were planned, by what was asked. They hold for one state of what exists.
#[derive(Debug, Default)]
pub(super) struct PlannedReads {
    state: u64,
    recent: HashMap<String, Kept>,
    older: HashMap<String, Kept>,
}

#[derive(Debug)]
struct Kept {
    properties: BTreeMap<String, String>,
    variables: BTreeMap<String, String>,
    read: Arc<PlannedRead>,
}

impl PlannedReads {
    /// The state of what exists that they hold for.
    pub(super) fn state(&self) -> u64 {
        self.state
    }

    /// Forgets all: what exists has changed.
    pub(super) fn forget(&mut self) {
        *self = Self { state: self.state + 1, ..Self::default() };
    }

    /// What was planned for a request.
    pub(super) fn get(&mut self, request: &Request) -> Option<Arc<PlannedRead>> {
        let text = request.text.as_str();
        if !self.recent.contains_key(text) {
            let (text, kept) = self.older.remove_entry(text)?;
            self.insert(text, kept);
        }
        let kept = self.recent.get(text)?;
        let is_same = kept.properties == request.properties && kept.variables == request.variables;
        is_same.then(|| Arc::clone(&kept.read))
    }

    /// Keeps what was planned for a request in a state of what exists, if that still is the state.
    pub(super) fn keep(&mut self, request: &Request, read: &Arc<PlannedRead>, state: u64) {
        if state != self.state || request.text.len() > TEXT_BYTES_MAX {
            return;
        }
        let (properties, variables) = (request.properties.clone(), request.variables.clone());
        self.insert(request.text.clone(), Kept { properties, variables, read: Arc::clone(read) });
    }

    fn insert(&mut self, text: String, kept: Kept) {
        if self.recent.len() >= KEPT_MAX {
            self.older = std::mem::take(&mut self.recent);
        }
        self.recent.insert(text, kept);
    }
}
