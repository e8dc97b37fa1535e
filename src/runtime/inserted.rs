//! Rows of `INSERT INTO … VALUES` as records.

use super::schemas::register_source;
use crate::formats::{Encoded, Encoder, Role, Schemas};
use crate::operators::QueryError;
use crate::plan::{InsertedRow, Source};
use crate::registry::Registry;
use crate::types::{Arena, OwnedValue, Value};

/// The record of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InsertedRecord {
    /// Its key, if it has one.
    pub key: Option<Vec<u8>>,
    /// Its value.
    pub value: Option<Vec<u8>>,
    /// Its time in milliseconds since the epoch.
    pub timestamp_ms: i64,
}

/// Writes a row as a record of its source; schemas that the registry lacks are registered.
pub fn write_inserted(
    source: &Source,
    row: &InsertedRow,
    registry: &dyn Registry,
) -> Result<InsertedRecord, QueryError> {
    let schemas = register_source(registry, source)?;
    let key = side(source, Role::Key, &row.key, &schemas)?;
    let value = side(source, Role::Value, &row.value, &schemas)?;
    Ok(InsertedRecord { key, value, timestamp_ms: row.timestamp_ms })
}

fn side(
    source: &Source,
    role: Role,
    values: &[OwnedValue],
    schemas: &Schemas,
) -> Result<Option<Vec<u8>>, QueryError> {
    let (spec, columns) = match role {
        Role::Key => (&source.key_format, &source.schema.key),
        Role::Value => (&source.value_format, &source.schema.value),
    };
    let is_absent = role == Role::Key && values.iter().all(|value| *value == OwnedValue::Null);
    if is_absent {
        return Ok(None);
    }
    let encoder = Encoder::new(spec, columns, role, &source.topic, schemas)?;
    let (arena, mut bytes) = (Arena::new(), Vec::new());
    let values: Vec<Value<'_>> = values.iter().map(|value| value.as_value(&arena)).collect();
    let encoded = encoder
        .encode_values(&values, &mut bytes)
        .map_err(|error| QueryError { causes: error.causes, ..QueryError::new(error.message) })?;
    Ok((encoded == Encoded::Bytes).then_some(bytes))
}
