//! The schemas that readers and writers are given when they are made.
//!
//! Nobody is asked while records are read or written: the ids of what is written are here from the
//! start, and a reader is told of those that it meets, before it reads the chunk that has them.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Format, FormatError, FormatSpec, Role};
use crate::registry::schema::{ResolvedSchema, Schema, SchemaId, SchemaType};
use crate::types::ColumnDef;

/// Schemas by id and by what they say. Cheap to copy.
#[derive(Clone, Debug, Default)]
pub struct Schemas(Arc<Inner>);

#[derive(Clone, Debug, Default)]
struct Inner {
    by_id: BTreeMap<SchemaId, ResolvedSchema>,
    /// The ids that the registry gave to what was registered.
    registered: BTreeMap<(SchemaType, String), SchemaId>,
}

impl Schemas {
    /// Adds a schema that the registry has.
    pub fn add(&mut self, schema: ResolvedSchema) {
        Arc::make_mut(&mut self.0).by_id.insert(schema.id, schema);
    }

    /// Adds a schema that was registered, as what the registry has it.
    pub fn add_registered(&mut self, registered: &Schema, schema: ResolvedSchema) {
        let inner = Arc::make_mut(&mut self.0);
        inner.registered.insert((registered.ty, registered.text.clone()), schema.id);
        inner.by_id.insert(schema.id, schema);
    }

    /// The schema with which columns are written.
    pub(super) fn written(
        &self,
        spec: &FormatSpec,
        columns: &[ColumnDef],
        role: Role,
    ) -> Result<&ResolvedSchema, FormatError> {
        let missing = FormatError::NoRegistry { format: spec.format };
        let mut id = spec.schema_id;
        if id.is_none() {
            let schema = spec.registered_schema(columns, role);
            let schema = schema.map_err(|reason| FormatError::Inference { reason })?;
            id = schema
                .and_then(|Schema { ty, text, .. }| self.0.registered.get(&(ty, text)).copied());
        }
        id.and_then(|id| self.0.by_id.get(&id)).ok_or(missing)
    }

    /// All schemas in the language of a format.
    pub(super) fn of_format(&self, format: Format) -> impl Iterator<Item = &ResolvedSchema> {
        self.0.by_id.values().filter(move |schema| format.schema_type() == Some(schema.ty))
    }
}

impl Format {
    /// The language of its schemas in the registry, if it has them there.
    pub fn schema_type(self) -> Option<SchemaType> {
        match self {
            Self::Avro => Some(SchemaType::Avro),
            Self::JsonSr => Some(SchemaType::Json),
            Self::Protobuf => Some(SchemaType::Protobuf),
            _ => None,
        }
    }
}
