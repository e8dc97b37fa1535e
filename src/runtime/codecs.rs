//! The formats of a plan, as the codecs that operators know.

use std::sync::Arc;

use crate::formats::{
    Decoder, EncodeError, Encoded, Encoder, FormatError, FormatSpec, Normaliser, Role,
};
use crate::operators::{CodecPair, Codecs, QueryError};
use crate::plan::{QueryPlan, RowFormats, StoreId, StoreSpec};
use crate::types::{Arena, CodecError, Column, ColumnDef, RowCodec, Schema, Value};

/// A format for columns of one shape.
struct FormatCodec {
    encoder: Encoder,
    decoder: Decoder,
    normaliser: Normaliser,
    columns: usize,
}

impl FormatCodec {
    fn new(
        spec: &FormatSpec,
        columns: &[ColumnDef],
        role: Role,
        topic: &str,
    ) -> Result<Self, FormatError> {
        Ok(Self {
            encoder: Encoder::new(spec, columns, role, topic)?,
            decoder: Decoder::new(spec, columns, role, topic)?,
            normaliser: Normaliser::new(spec, columns),
            columns: columns.len(),
        })
    }
}

impl RowCodec for FormatCodec {
    fn encode(
        &self,
        columns: &[Column<'_>],
        row: usize,
        out: &mut Vec<u8>,
    ) -> Result<bool, CodecError> {
        has_bytes(self.encoder.encode(columns, row, out))
    }

    fn encode_values(&self, values: &[Value<'_>], out: &mut Vec<u8>) -> Result<bool, CodecError> {
        has_bytes(self.encoder.encode_values(values, out))
    }

    fn decode_all<'a>(
        &self,
        rows: &[&'a [u8]],
        arena: &'a Arena,
    ) -> Result<Vec<Column<'a>>, CodecError> {
        let rows: Vec<_> = rows.iter().copied().map(Some).collect();
        let mut decoded = self.decoder.decode(&rows, &vec![true; self.columns], arena);
        match decoded.failures.pop() {
            None => Ok(decoded.columns),
            Some((_, error)) => Err(CodecError { message: error.message, causes: error.causes }),
        }
    }

    fn normalise<'a>(&self, columns: Vec<Column<'a>>, arena: &'a Arena) -> Vec<Column<'a>> {
        let rows = columns.iter().map(column_len).max().unwrap_or(0);
        self.normaliser.normalise(columns, rows, arena)
    }
}

fn has_bytes(encoded: Result<Encoded, EncodeError>) -> Result<bool, CodecError> {
    match encoded {
        Ok(encoded) => Ok(encoded == Encoded::Bytes),
        Err(error) => Err(CodecError { message: error.message, causes: error.causes }),
    }
}

impl From<FormatError> for QueryError {
    fn from(error: FormatError) -> Self {
        Self::new(error.to_string())
    }
}

/// Makes the codecs of the stores of a plan.
pub(super) struct PlanCodecs<'p> {
    pub(super) plan: &'p QueryPlan,
}

impl Codecs for PlanCodecs<'_> {
    fn of_store(&self, store: StoreId) -> Result<CodecPair, QueryError> {
        let missing = || QueryError::new("a plan has no such store");
        let (_, spec) = self.plan.store(store).ok_or_else(missing)?;
        let StoreSpec { name, stored: schema, key_format, value_format, .. } = spec;
        codec_pair(name, schema, key_format, value_format)
    }

    fn of_rows(&self, rows: &RowFormats) -> Result<CodecPair, QueryError> {
        let RowFormats { name, schema, key_format, value_format } = rows;
        codec_pair(name, schema, key_format, value_format)
    }
}

/// The codecs of rows; `name` is for messages.
fn codec_pair(
    name: &str,
    schema: &Schema,
    key_format: &FormatSpec,
    value_format: &FormatSpec,
) -> Result<CodecPair, QueryError> {
    let codec = |format: &FormatSpec, columns: &[ColumnDef], role| {
        FormatCodec::new(format, columns, role, name)
    };
    Ok(CodecPair {
        key: Arc::new(codec(key_format, &schema.key, Role::Key)?),
        value: Arc::new(codec(value_format, &schema.value, Role::Value)?),
    })
}

/// How many rows a column holds, as far as it says.
fn column_len(column: &Column<'_>) -> usize {
    match column {
        Column::Absent => 0,
        Column::Constant(_) => 1,
        Column::Booleans(values, _) => values.len(),
        Column::Ints(values, _) => values.len(),
        Column::Bigints(values, _) => values.len(),
        Column::Doubles(values, _) => values.len(),
        Column::Strings(values, _) => values.len(),
        Column::Values(values) => values.len(),
    }
}
