//! Writing rows as bytes.

use super::{
    ColumnsRow, EncodeError, Encoded, Format, FormatError, FormatSpec, Role, Row, Schemas,
    delimited, json, kafka, protobuf, registered,
};
use crate::types::{Column, ColumnDef, Value};

/// Writes the keys or the values of one sink.
#[derive(Debug)]
pub struct Encoder {
    codec: Codec,
}

#[derive(Debug)]
enum Codec {
    /// Writes null whatever is there.
    Void,
    Kafka(kafka::KafkaEncoder),
    Json(json::JsonEncoder),
    Delimited(delimited::DelimitedEncoder),
    Protobuf(protobuf::ProtobufEncoder),
    Registered(registered::RegisteredEncoder),
}

impl Encoder {
    /// An encoder for `columns`. `topic` is for messages, and for finding the schema to write with.
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
            Format::Kafka => Codec::Kafka(kafka::KafkaEncoder::new(columns)),
            Format::Json => {
                Codec::Json(json::JsonEncoder::new(columns, wrapped, json::MapStyle::Object))
            }
            Format::Delimited => Codec::Delimited(delimited::DelimitedEncoder::new(spec, columns)),
            Format::ProtobufNosr => {
                Codec::Protobuf(protobuf::ProtobufEncoder::new(spec, columns, wrapped, topic))
            }
            Format::Avro | Format::JsonSr | Format::Protobuf => Codec::Registered(
                registered::RegisteredEncoder::new(spec, columns, role, topic, schemas)?,
            ),
        };
        Ok(Self { codec })
    }

    /// Appends `row` of `columns`, which stand in the order of the schema.
    pub fn encode(
        &self,
        columns: &[Column<'_>],
        row: usize,
        out: &mut Vec<u8>,
    ) -> Result<Encoded, EncodeError> {
        self.encode_row(&ColumnsRow { columns, row }, out)
    }

    /// Appends a row of values, which stand in the order of the schema.
    pub fn encode_values(
        &self,
        values: &[Value<'_>],
        out: &mut Vec<u8>,
    ) -> Result<Encoded, EncodeError> {
        self.encode_row(values, out)
    }

    /// Appends a row. Where this fails, `out` is as it was.
    pub fn encode_row<R: Row + ?Sized>(
        &self,
        row: &R,
        out: &mut Vec<u8>,
    ) -> Result<Encoded, EncodeError> {
        let start = out.len();
        let encoded = match &self.codec {
            Codec::Void => Ok(Encoded::Null),
            Codec::Kafka(codec) => codec.encode(row.value(0), out),
            Codec::Protobuf(codec) => codec.encode(row, out),
            Codec::Delimited(codec) => codec.encode(row, out),
            Codec::Registered(codec) => codec.encode(row, out),
            Codec::Json(codec) => Ok(codec.encode(row, out)),
        };
        if encoded.is_err() {
            out.truncate(start);
        }
        encoded
    }
}
