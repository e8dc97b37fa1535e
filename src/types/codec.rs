//! What operators ask of formats, without knowing any.
//!
//! Operators keep keys and stored rows as bytes, in the very format that ksqlDB would have written.
//! Which format that is, is decided above them: they get a codec.

use super::{Arena, Column, Value};

/// A row that a format cannot write.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct CodecError {
    /// What went wrong, as ksqlDB says it.
    pub message: String,
    /// The causes, outermost first.
    pub causes: Vec<String>,
}

/// Writes rows of one shape as bytes, and reads them back.
pub trait RowCodec: Send + Sync {
    /// Appends `row` of `columns` to `out`. Gives false, and appends nothing, for a null.
    fn encode(
        &self,
        columns: &[Column<'_>],
        row: usize,
        out: &mut Vec<u8>,
    ) -> Result<bool, CodecError>;

    /// Appends a row of values. Gives false, and appends nothing, for a null.
    fn encode_values(&self, values: &[Value<'_>], out: &mut Vec<u8>) -> Result<bool, CodecError>;

    /// How many bytes a row takes at most whose values take `packed_bytes` as packed ones, if every
    /// such row can be written, so that it need not be before it is sent. `None` where some cannot.
    fn bytes_max(&self, _packed_bytes: usize) -> Option<usize> {
        None
    }

    /// Reads one row: one column of one value for each column of the schema.
    fn decode<'a>(&self, bytes: &'a [u8], arena: &'a Arena) -> Result<Vec<Column<'a>>, CodecError> {
        self.decode_all(&[bytes], arena)
    }

    /// Reads rows: one column of a value for each of them for each column of the schema.
    fn decode_all<'a>(
        &self,
        rows: &[&'a [u8]],
        arena: &'a Arena,
    ) -> Result<Vec<Column<'a>>, CodecError>;

    /// Turns columns into what reading back the written bytes would give.
    fn normalise<'a>(&self, columns: Vec<Column<'a>>, arena: &'a Arena) -> Vec<Column<'a>>;
}
