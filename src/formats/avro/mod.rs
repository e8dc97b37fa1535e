//! Avro, whose schemas are in the registry.
//!
//! ```text
//! bytes ── read (schema of the writer, targets) ──▶ columns
//!   row ── write (schema of the registry) ──▶ bytes
//! ```

mod cursor;
mod from_json;
mod read;
mod schema;
mod shown;
mod text;
mod write;

pub(super) use read::{AvroReader, ReadError};
pub(super) use schema::{AvroSchema, DecimalKind, Node};
pub(super) use shown::shown;
pub(super) use text::{key_name, schema_text};
pub(super) use write::AvroWriter;

use super::connect::ConnectType;
use crate::registry::schema::ResolvedSchema;
use crate::types::ColumnDef;

/// The type of a schema as Kafka Connect has it.
pub(super) fn connect_type(schema: &ResolvedSchema) -> Result<ConnectType, String> {
    AvroSchema::parse(schema)?.connect_type(false)
}

/// A reader of `columns` from records of a schema; the error is that of each record.
pub(super) fn reader(
    schema: &ResolvedSchema,
    columns: &[ColumnDef],
    wrapped: bool,
) -> Result<AvroReader, String> {
    AvroReader::new(AvroSchema::parse(schema)?, columns, wrapped)
}

/// Appends JSON as a record of a schema.
pub(super) fn encode_json(
    schema: &ResolvedSchema,
    json: &serde_json::Value,
    out: &mut Vec<u8>,
) -> Result<(), String> {
    let written = write_json(&AvroSchema::parse(schema)?, json, out);
    written.map_err(|cause| format!("{cause} with the schema {}", schema.text))
}

/// The same, where the schema has been read.
pub(super) fn write_json(
    schema: &AvroSchema,
    json: &serde_json::Value,
    out: &mut Vec<u8>,
) -> Result<(), String> {
    let written = from_json::write(schema, &schema.root, json, out);
    written.ok_or_else(|| format!("AVRO cannot hold {json}"))
}

/// A writer of `columns` as records of a schema.
pub(super) fn writer(
    schema: &ResolvedSchema,
    columns: &[ColumnDef],
    wrapped: bool,
) -> Result<AvroWriter, String> {
    AvroWriter::new(&AvroSchema::parse(schema)?, columns, wrapped)
}
