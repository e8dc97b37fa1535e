//! Rows as Protobuf messages, for clients that ask for them so.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::HostError;
use crate::engine::ReadColumn;
use crate::formats::{Encoder, Format, FormatSpec, Role, Schemas};
use crate::types::{Arena, ColumnDef, OwnedValue, Value};

/// Writes the rows of a query as Protobuf messages.
pub struct RowMessages {
    schema: String,
    encoder: Encoder,
}

impl std::fmt::Debug for RowMessages {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RowMessages").field("schema", &self.schema).finish_non_exhaustive()
    }
}

impl RowMessages {
    /// Those of rows with these columns. What Protobuf cannot hold is an error.
    pub fn of(columns: &[ReadColumn]) -> Result<Self, HostError> {
        let columns = columns.iter().map(|column| ColumnDef::new(&*column.name, column.ty.clone()));
        let columns: Vec<ColumnDef> = columns.collect();
        let schema = FormatSpec::new(Format::Protobuf).registered_schema(&columns, Role::Value);
        let schema = schema.map_err(HostError::request)?;
        // What is written is the message alone: the client has its schema already.
        let spec = FormatSpec::new(Format::ProtobufNosr);
        let encoder = Encoder::new(&spec, &columns, Role::Value, "", &Schemas::default());
        let encoder = encoder.map_err(|error| HostError::request(error.to_string()))?;
        Ok(Self { schema: schema.map(|schema| schema.text).unwrap_or_default(), encoder })
    }

    /// The schema of the messages, as a text.
    pub fn schema(&self) -> &str {
        &self.schema
    }

    /// The message of a row, in base64.
    pub fn message(&self, row: &[OwnedValue]) -> Result<String, HostError> {
        let (arena, mut bytes) = (Arena::new(), Vec::new());
        let row: Vec<Value<'_>> = row.iter().map(|value| value.as_value(&arena)).collect();
        let encoded = self.encoder.encode_values(&row, &mut bytes);
        encoded.map_err(|error| HostError::server(error.message))?;
        Ok(STANDARD.encode(bytes))
    }
}
