//! The registry that a statement is tried on before anything is asked of a real one.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::Known;
use crate::registry::{Refusal, Registry, ResolvedSchema, Schema, SchemaId, Subject};

/// A registry that takes everything, and keeps it to itself: what is planned is tried on it.
#[derive(Debug)]
pub(super) struct TrialRegistry {
    known: BTreeMap<SchemaId, ResolvedSchema>,
    made: Mutex<Vec<ResolvedSchema>>,
}

impl TrialRegistry {
    /// One that has the schemas that are known by their ids.
    pub(super) fn new(known: &Known) -> Self {
        Self { known: known.schemas_by_id().clone(), made: Mutex::default() }
    }

    fn made(&self) -> MutexGuard<'_, Vec<ResolvedSchema>> {
        self.made.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Registry for TrialRegistry {
    fn register(&self, _subject: &Subject, schema: &Schema) -> Result<SchemaId, Refusal> {
        let mut made = self.made();
        let schema = of_trial(schema, made.len());
        let id = schema.id;
        made.push(schema);
        Ok(id)
    }

    fn latest(&self, _subject: &Subject) -> Option<ResolvedSchema> {
        None
    }

    fn schema(&self, id: SchemaId) -> Result<ResolvedSchema, Refusal> {
        let made = self.made();
        let found = self.known.get(&id).or_else(|| made.iter().find(|schema| schema.id == id));
        found
            .cloned()
            .ok_or_else(|| Refusal::new(format!("Schema {id} not found; error code: 40403")))
    }
}

/// A schema with an id that no registry gives, as it is not registered yet; it is the one after `before` others.
pub(super) fn of_trial(schema: &Schema, before: usize) -> ResolvedSchema {
    let before = i32::try_from(before).unwrap_or(i32::MAX);
    let Schema { ty, text, .. } = schema;
    ResolvedSchema { id: SchemaId(-before), ty: *ty, text: text.clone(), imports: Vec::new() }
}
