//! Reading a chunk of payloads into columns.

use super::rows::{Outcome, Rows};
use super::{
    DecodeError, Format, FormatError, FormatSpec, Role, Schemas, delimited, json, kafka, protobuf,
    registered,
};
use crate::registry::schema::{ResolvedSchema, SchemaId};
use crate::types::{Arena, Column, ColumnDef};

/// Reads the keys or the values of one source.
#[derive(Debug)]
pub struct Decoder {
    columns: Vec<ColumnDef>,
    codec: Codec,
}

/// One chunk of rows.
#[derive(Debug, Default)]
pub struct Decoded<'a> {
    /// One for each declared column, with as many rows as there were payloads.
    /// A column that is not used is [`Column::Absent`].
    pub columns: Vec<Column<'a>>,
    /// The rows whose payload, or whose only bare column, is null: a tombstone, in a table's value.
    pub nulls: Vec<u32>,
    /// The rows that could not be read, in order. Their columns hold NULLs.
    pub failures: Vec<(u32, DecodeError)>,
}

#[derive(Debug)]
enum Codec {
    /// Reads NULL whatever is there.
    Void,
    Kafka(kafka::KafkaDecoder),
    Json(json::JsonDecoder),
    Delimited(delimited::DelimitedDecoder),
    Protobuf(protobuf::ProtobufDecoder),
    Registered(registered::RegisteredDecoder),
}

impl Decoder {
    /// A decoder for `columns`, which are all that is declared, in order. `topic` is for messages.
    /// Of schemas it knows those of its own format.
    pub fn new(
        spec: &FormatSpec,
        columns: &[ColumnDef],
        role: Role,
        topic: &str,
        schemas: &Schemas,
    ) -> Result<Self, FormatError> {
        let wrapped = spec.is_wrapped(columns.len(), role);
        let codec = match spec.format {
            Format::None => Codec::Void,
            Format::Kafka if columns.is_empty() => Codec::Void,
            Format::Kafka => Codec::Kafka(kafka::KafkaDecoder::new(columns, topic)),
            Format::Json => Codec::Json(json::JsonDecoder::new(columns, wrapped, role, topic)),
            Format::Delimited => {
                Codec::Delimited(delimited::DelimitedDecoder::new(spec, columns, topic))
            }
            Format::ProtobufNosr => {
                Codec::Protobuf(protobuf::ProtobufDecoder::new(spec, columns, wrapped, topic))
            }
            Format::Avro | Format::JsonSr | Format::Protobuf => Codec::Registered(
                registered::RegisteredDecoder::new(spec, columns, role, topic, schemas),
            ),
        };
        Ok(Self { columns: columns.to_vec(), codec })
    }

    /// Whether payloads say by a number which schema they are written with.
    pub fn has_schemas(&self) -> bool {
        matches!(self.codec, Codec::Registered(_))
    }

    /// The schemas of some payloads that it does not know. It has to be told of them before it reads
    /// these.
    pub fn unknown_schemas(&self, payloads: &[Option<&[u8]>]) -> Vec<SchemaId> {
        match &self.codec {
            Codec::Registered(codec) => codec.unknown(payloads),
            _ => Vec::new(),
        }
    }

    /// Takes in the schema with an id, or what the registry says where there is none: then records
    /// with that id are failures.
    pub fn learn_schema(&mut self, id: SchemaId, found: Result<&ResolvedSchema, &str>) {
        if let Codec::Registered(codec) = &mut self.codec {
            codec.learn(id, found);
        }
    }

    /// Forgets of which ids there is no schema, so that these are unknown again.
    pub fn forget_missing_schemas(&mut self) {
        if let Codec::Registered(codec) = &mut self.codec {
            codec.forget_missing();
        }
    }

    /// Reads one payload a row. `used` says, column by column, what is kept; all are checked.
    ///
    /// Text borrows from the payloads where it can, and from `arena` elsewhere.
    pub fn decode<'a>(
        &self,
        payloads: &[Option<&'a [u8]>],
        used: &[bool],
        arena: &'a Arena,
    ) -> Decoded<'a> {
        let mut rows = Rows::new(&self.columns, used, payloads.len());
        let mut decoded = Decoded::default();
        let mut scan = json::Scan::default();
        let mut scans = registered::Scans::default();
        for (row, payload) in payloads.iter().enumerate() {
            let outcome = match (payload, &self.codec) {
                (None, _) | (_, Codec::Void) => Ok(Outcome::Null),
                (Some(bytes), Codec::Kafka(codec)) => codec.decode(bytes, &mut rows, arena),
                (Some(bytes), Codec::Delimited(codec)) => codec.decode(bytes, &mut rows, arena),
                (Some(bytes), Codec::Protobuf(codec)) => codec.decode(bytes, &mut rows, arena),
                (Some(bytes), Codec::Registered(codec)) => {
                    codec.decode(bytes, &mut rows, arena, &mut scans)
                }
                (Some(bytes), Codec::Json(codec)) => {
                    codec.decode(bytes, &mut rows, arena, &mut scan)
                }
            };
            match outcome {
                Ok(Outcome::Row) => continue,
                Ok(Outcome::Null) => decoded.nulls.push(row as u32),
                Err(error) => decoded.failures.push((row as u32, error)),
            }
            rows.push_nulls();
        }
        decoded.columns = rows.finish();
        decoded
    }
}
