//! The schemas that a trace reads and writes with, asked for before it begins.

use std::collections::BTreeMap;

use super::error::ParityError;
use crate::registry::{
    Refusal, Registry, RegistryClient, ResolvedSchema, Schema, SchemaId, Subject,
};
use crate::runtime::live::QuerySpec;
use crate::runtime::{SchemaChoice, written_schemas};

/// A registry that gives what our queries have asked its client for.
#[derive(Debug)]
pub(super) struct KnownSchemas {
    client: RegistryClient,
    ids: BTreeMap<(Subject, Schema), SchemaId>,
}

impl KnownSchemas {
    /// Those of queries that have run.
    pub(super) async fn of(
        client: &RegistryClient,
        queries: &[QuerySpec],
    ) -> Result<Self, ParityError> {
        let mut ids = BTreeMap::new();
        for spec in queries {
            let prefix = spec.settings.application_id(&spec.id);
            for written in written_schemas(&spec.plan, &prefix)? {
                match written.choice {
                    SchemaChoice::Given(id) => drop(client.by_id(id).await?),
                    SchemaChoice::Made(schema) => {
                        let id = client.register(&written.subject, &schema).await?;
                        client.by_id(id).await?;
                        ids.insert((written.subject, schema), id);
                    }
                }
            }
        }
        Ok(Self { client: client.clone(), ids })
    }
}

impl Registry for KnownSchemas {
    fn register(&self, subject: &Subject, schema: &Schema) -> Result<SchemaId, Refusal> {
        let id = self.ids.get(&(subject.clone(), schema.clone())).copied();
        id.ok_or_else(|| Refusal::new(format!("no query has registered {subject}")))
    }

    fn latest(&self, _subject: &Subject) -> Option<ResolvedSchema> {
        None
    }

    fn schema(&self, id: SchemaId) -> Result<ResolvedSchema, Refusal> {
        let known = self.client.known(id).map(|schema| schema.as_ref().clone());
        known.ok_or_else(|| Refusal::new(format!("Schema {id} not found; error code: 40403")))
    }
}
