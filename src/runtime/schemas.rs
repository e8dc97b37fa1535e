//! The schemas that a query writes with: registered before it runs.

use std::sync::Arc;

use crate::formats::Schemas;
use crate::operators::QueryError;
use crate::plan::{QueryPlan, SchemaUse, Source};
use crate::registry::{Registry, ResolvedSchema, Schema, SchemaId, Subject};

/// A registry that a query uses.
#[derive(Clone, Debug)]
pub struct SchemaAccess {
    /// The registry.
    pub registry: Arc<dyn Registry>,
    /// What the names of the query's internal topics begin with.
    pub topic_prefix: String,
}

/// A schema that a query writes with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrittenSchema {
    /// Under which subject it is registered.
    pub subject: Subject,
    /// Which schema it is.
    pub choice: SchemaChoice,
    /// Whether it is of a topic that the query alone writes and reads.
    pub is_internal: bool,
}

/// Which schema something is written with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SchemaChoice {
    /// One that the registry has, by its id.
    Given(SchemaId),
    /// One that is made of columns.
    Made(Schema),
}

/// The schemas of all that a query writes: its sink, and its internal topics, whose names begin with `topic_prefix`.
pub fn written_schemas(
    plan: &QueryPlan,
    topic_prefix: &str,
) -> Result<Vec<WrittenSchema>, QueryError> {
    chosen(plan.schema_uses(topic_prefix))
}

/// The schemas of what a query writes for itself alone, in memory: no registry has them, as nobody else reads with them.
pub fn private_schemas(plan: &QueryPlan) -> Result<Schemas, QueryError> {
    let mut schemas = Schemas::default();
    for (at, written) in written_schemas(plan, "")?.into_iter().enumerate() {
        if let SchemaChoice::Made(schema) = written.choice {
            let id = SchemaId(-i32::try_from(at).unwrap_or(i32::MAX) - 1);
            let Schema { ty, text, .. } = schema.clone();
            schemas.add_registered(&schema, ResolvedSchema { id, ty, text, imports: Vec::new() });
        }
    }
    Ok(schemas)
}

/// Which schemas some uses mean.
fn chosen(uses: Vec<SchemaUse>) -> Result<Vec<WrittenSchema>, QueryError> {
    let mut written = Vec::new();
    for wanted in uses {
        let choice = if let Some(id) = wanted.spec.schema_id {
            SchemaChoice::Given(id)
        } else {
            let schema = wanted.spec.registered_schema(&wanted.columns, wanted.role);
            let Some(schema) = schema.map_err(|error| not_registered(&error))? else { continue };
            SchemaChoice::Made(schema)
        };
        let is_internal = wanted.is_internal;
        written.push(WrittenSchema { subject: wanted.subject, choice, is_internal });
    }
    Ok(written)
}

/// What ksqlDB says where a schema cannot be registered.
pub(super) fn not_registered(cause: &dyn std::fmt::Display) -> QueryError {
    QueryError::new(format!("Could not register schema for topic: {cause}"))
}

impl SchemaAccess {
    /// Registers the schemas of all that a query writes.
    pub(super) fn register(&self, plan: &QueryPlan) -> Result<Schemas, QueryError> {
        register_all(&*self.registry, written_schemas(plan, &self.topic_prefix)?)
    }
}

/// The schemas that the records of a source are written with.
pub fn source_schemas(source: &Source) -> Result<Vec<WrittenSchema>, QueryError> {
    chosen(SchemaUse::of_source(source))
}

/// Registers the schemas that the records of a source are written with.
pub(super) fn register_source(
    registry: &dyn Registry,
    source: &Source,
) -> Result<Schemas, QueryError> {
    register_all(registry, source_schemas(source)?)
}

fn register_all(
    registry: &dyn Registry,
    written: Vec<WrittenSchema>,
) -> Result<Schemas, QueryError> {
    let mut schemas = Schemas::default();
    let found = |id| registry.schema(id).map_err(|error| not_registered(&error));
    for WrittenSchema { subject, choice, .. } in written {
        match choice {
            SchemaChoice::Given(id) => schemas.add(found(id)?),
            SchemaChoice::Made(schema) => {
                let id = registry.register(&subject, &schema);
                let id = id.map_err(|error| not_registered(&error))?;
                schemas.add_registered(&schema, found(id)?);
            }
        }
    }
    Ok(schemas)
}
