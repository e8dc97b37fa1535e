//! Rows that clients give as records of a source.

use std::sync::Arc;

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

/// Writes rows as records of a source.
#[derive(Debug)]
pub struct RowWriter {
    source: Arc<Source>,
    key: Encoder,
    value: Encoder,
}

impl RowWriter {
    /// A writer with the schemas that the source's records have.
    pub fn new(source: &Arc<Source>, schemas: &Schemas) -> Result<Self, QueryError> {
        let (topic, columns) = (&source.topic, &source.schema);
        Ok(Self {
            key: Encoder::new(&source.key_format, &columns.key, Role::Key, topic, schemas)?,
            value: Encoder::new(&source.value_format, &columns.value, Role::Value, topic, schemas)?,
            source: Arc::clone(source),
        })
    }

    /// What its rows go to.
    pub fn source(&self) -> &Arc<Source> {
        &self.source
    }

    /// The record of a row. A key of nothing but NULL is none.
    pub fn write(&self, row: &InsertedRow) -> Result<InsertedRecord, QueryError> {
        let has_key = row.key.iter().any(|value| *value != OwnedValue::Null);
        Ok(InsertedRecord {
            key: if has_key { encoded(&self.key, &row.key)? } else { None },
            value: encoded(&self.value, &row.value)?,
            timestamp_ms: row.timestamp_ms,
        })
    }
}

fn encoded(encoder: &Encoder, values: &[OwnedValue]) -> Result<Option<Vec<u8>>, QueryError> {
    let (arena, mut bytes) = (Arena::new(), Vec::new());
    let values: Vec<Value<'_>> = values.iter().map(|value| value.as_value(&arena)).collect();
    let encoded = encoder
        .encode_values(&values, &mut bytes)
        .map_err(|error| QueryError { causes: error.causes, ..QueryError::new(error.message) })?;
    Ok((encoded == Encoded::Bytes).then_some(bytes))
}

/// Writes a row as a record of its source; schemas that the registry lacks are registered.
pub fn write_inserted(
    source: &Arc<Source>,
    row: &InsertedRow,
    registry: &dyn Registry,
) -> Result<InsertedRecord, QueryError> {
    RowWriter::new(source, &register_source(registry, source)?)?.write(row)
}
