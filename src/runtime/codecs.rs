//! The formats of a plan, as the codecs that operators know.

use std::sync::Arc;

use crate::formats::{
    Decoder, EncodeError, Encoded, Encoder, Format, FormatError, FormatSpec, Normaliser, Role,
    Schemas,
};
use crate::operators::{CodecPair, Codecs, QueryError};
use crate::plan::{QueryPlan, RowFormats, StoreId, StoreSpec};
use crate::types::{Arena, CodecError, Column, ColumnDef, RowCodec, Schema, SqlType, Value};

/// A format for columns of one shape.
struct FormatCodec {
    encoder: Encoder,
    decoder: Decoder,
    normaliser: Normaliser,
    columns: usize,
    /// How many bytes each byte of packed values comes to at most; `None` if the format does not take all values.
    growth_max: Option<usize>,
}

impl FormatCodec {
    fn new(
        spec: &FormatSpec,
        columns: &[ColumnDef],
        role: Role,
        topic: &str,
        schemas: &Schemas,
    ) -> Result<Self, FormatError> {
        Ok(Self {
            encoder: Encoder::new(spec, columns, role, topic, schemas)?,
            decoder: Decoder::new(spec, columns, role, topic, schemas)?,
            normaliser: Normaliser::new(spec, columns),
            columns: columns.len(),
            growth_max: growth_max(spec, columns),
        })
    }
}

/// How many bytes of text a packed value comes to for each of its own, at most, but for its name: a control character is
/// six, and what has one byte, such as NULL, comes to five, and to one that parts it from the next.
const TEXT_GROWTH_MAX: usize = 8;

/// JSON takes all values; the digits of a DECIMAL are bounded by its type alone, and few ask for them.
fn growth_max(spec: &FormatSpec, columns: &[ColumnDef]) -> Option<usize> {
    let names = longest(columns.iter().map(|column| (&*column.name, &column.ty)))?;
    // In quotes, with a colon, and braces around all of them.
    (spec.format == Format::Json).then_some((names + 4) * TEXT_GROWTH_MAX)
}

/// How long the longest of these names is, and of those within their types; `None` if there is a DECIMAL among them.
fn longest<'n>(mut fields: impl Iterator<Item = (&'n str, &'n SqlType)>) -> Option<usize> {
    fields.try_fold(0, |longest, (name, ty)| Some(longest.max(name.len()).max(name_bytes(ty)?)))
}

fn name_bytes(ty: &SqlType) -> Option<usize> {
    match ty {
        SqlType::Decimal { .. } => None,
        SqlType::Array(item) => name_bytes(item),
        SqlType::Map(key, value) => Some(name_bytes(key)?.max(name_bytes(value)?)),
        SqlType::Struct(ty) => longest(ty.fields.iter().map(|field| (&*field.name, &field.ty))),
        _ => Some(0),
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

    fn bytes_max(&self, packed_bytes: usize) -> Option<usize> {
        Some(self.growth_max? * (packed_bytes + 1))
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
    pub(super) schemas: &'p Schemas,
}

impl Codecs for PlanCodecs<'_> {
    fn of_store(&self, store: StoreId) -> Result<CodecPair, QueryError> {
        let missing = || QueryError::new("a plan has no such store");
        let (_, spec) = self.plan.store(store).ok_or_else(missing)?;
        let StoreSpec { name, stored: schema, key_format, value_format, .. } = spec;
        codec_pair((name, schema), key_format, value_format, self.schemas)
    }

    fn of_rows(&self, rows: &RowFormats) -> Result<CodecPair, QueryError> {
        let RowFormats { name, schema, key_format, value_format } = rows;
        codec_pair((name, schema), key_format, value_format, self.schemas)
    }
}

/// The codecs of rows; `name` is for messages.
fn codec_pair(
    (name, schema): (&str, &Schema),
    key_format: &FormatSpec,
    value_format: &FormatSpec,
    schemas: &Schemas,
) -> Result<CodecPair, QueryError> {
    let codec = |format: &FormatSpec, columns: &[ColumnDef], role| {
        FormatCodec::new(&format.internal(), columns, role, name, schemas)
    };
    Ok(CodecPair {
        key: Arc::new(codec(key_format, &schema.key, Role::Key)?),
        value: Arc::new(codec(value_format, &schema.value, Role::Value)?),
    })
}

/// A codec of values, for tests.
#[cfg(test)]
pub(super) fn value_codec(
    spec: &FormatSpec,
    columns: &[ColumnDef],
) -> Result<Arc<dyn RowCodec>, FormatError> {
    Ok(Arc::new(FormatCodec::new(spec, columns, Role::Value, "t", &Schemas::default())?))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::pack;
    use crate::types::StructType;

    fn codec(format: Format, ty: SqlType) -> FormatCodec {
        let columns = [ColumnDef::new("A", SqlType::String), ColumnDef::new("LONG_NAME", ty)];
        FormatCodec::new(&FormatSpec::new(format), &columns, Role::Value, "t", &Schemas::default())
            .unwrap()
    }

    #[test]
    fn a_row_takes_no_more_than_it_is_said_to() {
        let fields = [("A_FIELD_WITH_A_LONG_NAME", SqlType::Boolean), ("B", SqlType::Double)];
        let list = SqlType::array(SqlType::Struct(StructType::new(fields)));
        let codec = codec(Format::Json, list);
        let arena = Arena::new();
        let item = Value::Struct(arena.values(&[Value::Boolean(false), Value::Null]));
        let items = vec![item; 50];
        let control = "\u{1}".repeat(500);
        let rows = [
            [Value::Null, Value::Null],
            [Value::String(&control), Value::Null],
            [Value::String(""), Value::Array(arena.values(&items))],
        ];
        for row in rows {
            let (mut packed, mut json) = (Vec::new(), Vec::new());
            for value in row {
                pack(value, &mut packed);
            }
            codec.encode_values(&row, &mut json).unwrap();
            assert!(codec.bytes_max(packed.len()).unwrap() >= json.len());
        }
    }

    #[test]
    fn a_text_without_a_long_name_takes_no_more_either() {
        let columns = [ColumnDef::new("A", SqlType::String)];
        let codec = value_codec(&FormatSpec::new(Format::Json), &columns).unwrap();
        for text in ["", "\u{1}", "a", "😀"] {
            let text = text.repeat(1_000);
            let (mut packed, mut json) = (Vec::new(), Vec::new());
            pack(Value::String(&text), &mut packed);
            codec.encode_values(&[Value::String(&text)], &mut json).unwrap();
            assert!(codec.bytes_max(packed.len()).unwrap() >= json.len());
        }
    }

    #[test]
    fn what_may_be_refused_is_not_left_for_later() {
        let decimal = SqlType::Decimal { precision: 10, scale: 2 };
        assert!(codec(Format::Json, SqlType::array(decimal)).bytes_max(1).is_none());
        assert!(codec(Format::Delimited, SqlType::Int).bytes_max(1).is_none());
    }
}
