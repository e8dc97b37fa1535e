//! Schemas in the languages of formats that have one: written for columns, and read as columns.

use super::connect::{Naming, columns_of};
use super::{Format, FormatError, FormatSpec, Role, avro, json_sr, protobuf};
use crate::registry::schema::{ResolvedSchema, Schema};
use crate::types::ColumnDef;

/// What the only column is called of a key, or a value, that is not a record.
const SINGLE_KEY: &str = "ROWKEY";
const SINGLE_VALUE: &str = "ROWVAL";

impl FormatSpec {
    /// The schema of `columns` in the format's own language, for a format that has one. An error is
    /// the reason why there is none.
    pub fn schema_text(&self, columns: &[ColumnDef], role: Role) -> Option<Result<String, String>> {
        let wrapped = self.is_wrapped(columns.len(), role);
        match self.format {
            Format::Avro => {
                let text = avro::schema_text(columns, wrapped, self.full_schema_name.as_deref());
                let refuse = |reason| {
                    let text = "Could not register schema for topic: Schema is not compatible";
                    format!("{text} with Avro: {reason}")
                };
                Some(text.map_err(refuse))
            }
            Format::JsonSr => Some(Ok(json_sr::schema_text(columns, wrapped))),
            Format::Protobuf | Format::ProtobufNosr => {
                Some(Ok(protobuf::schema_text(self, columns, wrapped)))
            }
            _ => None,
        }
    }

    /// The schema that is registered for `columns`, if the format has its schemas in the registry.
    pub fn registered_schema(
        &self,
        columns: &[ColumnDef],
        role: Role,
    ) -> Result<Option<Schema>, String> {
        let Some(ty) = self.format.schema_type() else { return Ok(None) };
        if columns.is_empty() {
            return Ok(None);
        }
        if self.format == Format::Protobuf {
            protobuf::check_schema(self, columns)?;
        }
        let text = self.schema_text(columns, role).transpose()?;
        Ok(text.map(|text| Schema::new(ty, text)))
    }
}

/// The columns that a schema of the registry stands for. `keeps_case` is for schemas that are given
/// by their id.
pub fn inferred_columns(
    schema: &ResolvedSchema,
    spec: &FormatSpec,
    role: Role,
    keeps_case: bool,
) -> Result<Vec<ColumnDef>, FormatError> {
    let refuse = |reason| FormatError::Inference { reason };
    let ty = match spec.format {
        Format::Avro => avro::connect_type(schema).map_err(refuse)?,
        Format::JsonSr => json_sr::connect_type(schema).map_err(refuse)?,
        _ => protobuf::connect_type(schema, spec.full_schema_name.as_deref(), role)?,
    };
    // A key is never asked: it is bare wherever that is possible.
    let single = match role {
        Role::Key => (!spec.is_wrapped(1, role)).then_some(SINGLE_KEY),
        Role::Value => (spec.wrap == Some(false)).then_some(SINGLE_VALUE),
    };
    columns_of(&ty, Naming { single, keeps_case }).map_err(refuse)
}

/// The full name of the message of a schema that is given by its id, for a format that names messages.
pub fn message_name(format: Format, schema: &ResolvedSchema) -> Option<String> {
    (format == Format::Protobuf).then(|| protobuf::message_name(schema)).flatten()
}

/// Whether a schema has several messages, one of them with this name, in a format that names messages.
pub fn is_one_of_several(format: Format, schema: &ResolvedSchema, name: &str) -> bool {
    format == Format::Protobuf && protobuf::is_one_of_several(schema, name)
}

/// The name of the record of a source's keys where none is given.
pub fn default_key_schema_name(format: Format, source: &str) -> Option<String> {
    (format == Format::Avro).then(|| avro::key_name(source))
}
