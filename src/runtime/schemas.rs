//! The schemas that a query reads and writes with: registered before it runs.

use std::sync::Arc;

use crate::formats::Schemas;
use crate::operators::QueryError;
use crate::plan::QueryPlan;
use crate::registry::Registry;

/// A registry that a query uses.
#[derive(Clone, Debug)]
pub struct SchemaAccess {
    /// The registry.
    pub registry: Arc<dyn Registry>,
    /// What the names of the query's internal topics begin with.
    pub topic_prefix: String,
}

impl SchemaAccess {
    /// Registers the schemas of all that a query writes: its sink, and its internal topics.
    pub(super) fn register(&self, plan: &QueryPlan) -> Result<Schemas, QueryError> {
        let mut schemas = Schemas::default();
        let failed = |error: &dyn std::fmt::Display| {
            QueryError::new(format!("Could not register schema for topic: {error}"))
        };
        let registry = &*self.registry;
        for wanted in plan.schema_uses(&self.topic_prefix) {
            if let Some(id) = wanted.spec.schema_id {
                schemas.add(registry.schema(id).map_err(|error| failed(&error))?);
                continue;
            }
            let schema = wanted.spec.registered_schema(&wanted.columns, wanted.role);
            let Some(schema) = schema.map_err(|error| failed(&error))? else { continue };
            let id = registry.register(&wanted.subject, &schema).map_err(|error| failed(&error))?;
            let found = registry.schema(id).map_err(|error| failed(&error))?;
            schemas.add_registered(&schema, found);
        }
        Ok(schemas)
    }
}
