//! JSON with a schema in the registry.
//!
//! What is written is JSON behind a frame, with maps as lists of keys and values. What is read is
//! taken as the schema of its writer says.

mod from_json;
mod read;
mod schema;
mod text;

pub(super) use read::{JsonSrReader, ReadError};
pub(super) use text::schema_text;

use super::connect::ConnectType;
use crate::registry::schema::ResolvedSchema;
use crate::types::ColumnDef;

/// The type of a schema as Kafka Connect has it.
pub(super) fn connect_type(schema: &ResolvedSchema) -> Result<ConnectType, String> {
    Ok(schema::parse(schema)?.connect_type())
}

/// Appends JSON as a record of a schema.
pub(super) fn encode_json(
    schema: &ResolvedSchema,
    json: &serde_json::Value,
    out: &mut Vec<u8>,
) -> Result<(), String> {
    let shaped = from_json::shaped(&schema::parse(schema)?, json);
    let shaped = shaped
        .ok_or_else(|| format!("JSON_SR cannot hold {json} with the schema {}", schema.text))?;
    out.extend_from_slice(shaped.to_string().as_bytes());
    Ok(())
}

/// A reader of `columns` from records of a schema; the error is that of each record.
pub(super) fn reader(
    schema: &ResolvedSchema,
    columns: &[ColumnDef],
    wrapped: bool,
) -> Result<JsonSrReader, String> {
    Ok(JsonSrReader::new(schema::parse(schema)?, columns, wrapped))
}
