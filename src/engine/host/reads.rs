//! The queries that run for clients.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::answer::QueryText;

/// The queries that run for clients: the statement of each, by its id.
#[derive(Debug, Default)]
pub(super) struct Reads(Mutex<BTreeMap<String, String>>);

impl Reads {
    fn all(&self) -> MutexGuard<'_, BTreeMap<String, String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a place for a query, if fewer than `limit` run.
    pub(super) fn place(
        reads: &Arc<Self>,
        (id, statement): (&str, String),
        limit: usize,
    ) -> Option<Place> {
        let mut running = reads.all();
        if running.len() >= limit {
            return None;
        }
        running.insert(id.to_owned(), statement);
        Some(Place { reads: Arc::clone(reads), id: id.to_owned() })
    }

    /// Whether a query runs whose id is this one but for its case.
    pub(super) fn has_in_any_case(&self, id: &str) -> bool {
        self.all().keys().any(|running| running.eq_ignore_ascii_case(id))
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.all().len()
    }

    /// The queries, as clients see them.
    pub(super) fn texts(&self) -> Vec<QueryText> {
        let text = |(id, statement): (&String, &String)| QueryText {
            id: id.clone(),
            statement: statement.clone(),
            sink: None,
            is_persistent: false,
            is_paused: false,
            has_failed: false,
        };
        self.all().iter().map(text).collect()
    }
}

/// A place among the queries of clients, until it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    reads: Arc<Reads>,
    id: String,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.reads.all().remove(&self.id);
    }
}
