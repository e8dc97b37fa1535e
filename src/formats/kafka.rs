//! KAFKA: one column, in the bytes of Kafka's own serializers.
//!
//! INT and DOUBLE are big-endian, VARCHAR is UTF-8 and BYTES are themselves.

use super::rows::Outcome;
use super::rows::Rows;
use super::{DecodeError, EncodeError, Encoded};
use crate::java::to_utf8_bytes;
use crate::types::{Arena, ColumnDef, SqlType, Value};

/// Reads a single column.
#[derive(Debug)]
pub(super) struct KafkaDecoder {
    ty: SqlType,
    topic: String,
}

impl KafkaDecoder {
    pub(super) fn new(columns: &[ColumnDef], topic: &str) -> Self {
        let ty = columns.first().map_or(SqlType::String, |column| column.ty.clone());
        Self { ty, topic: topic.into() }
    }

    pub(super) fn decode<'a>(
        &self,
        bytes: &'a [u8],
        rows: &mut Rows<'a>,
        arena: &'a Arena,
    ) -> Result<Outcome, DecodeError> {
        let value = match self.ty {
            SqlType::Int => {
                Value::Int(i32::from_be_bytes(self.fixed(bytes, "IntegerDeserializer")?))
            }
            SqlType::Bigint => {
                Value::Bigint(i64::from_be_bytes(self.fixed(bytes, "LongDeserializer")?))
            }
            SqlType::Double => {
                Value::Double(f64::from_be_bytes(self.fixed(bytes, "Deserializer")?))
            }
            SqlType::Bytes => Value::Bytes(bytes),
            _ => Value::String(java_utf8(bytes, arena)),
        };
        rows.push(0, value);
        Ok(Outcome::Row)
    }

    fn fixed<const N: usize>(&self, bytes: &[u8], reader: &str) -> Result<[u8; N], DecodeError> {
        bytes.try_into().map_err(|_| DecodeError {
            message: format!("Error deserializing KAFKA message from topic: {}", self.topic),
            causes: vec![format!("Size of data received by {reader} is not {N}")],
        })
    }
}

/// Text as Java's `new String(bytes, UTF_8)` reads it: what is malformed becomes U+FFFD.
pub(super) fn java_utf8<'a>(bytes: &'a [u8], arena: &'a Arena) -> &'a str {
    std::str::from_utf8(bytes).unwrap_or_else(|_| arena.text(&String::from_utf8_lossy(bytes)))
}

/// Writes a single column.
#[derive(Debug)]
pub(super) struct KafkaEncoder {
    ty: SqlType,
}

impl KafkaEncoder {
    pub(super) fn new(columns: &[ColumnDef]) -> Self {
        let ty = columns.first().map_or(SqlType::String, |column| column.ty.clone());
        Self { ty }
    }

    pub(super) fn encode(
        &self,
        value: Value<'_>,
        out: &mut Vec<u8>,
    ) -> Result<Encoded, EncodeError> {
        match value {
            Value::Null => return Ok(Encoded::Null),
            Value::Int(value) => out.extend_from_slice(&value.to_be_bytes()),
            Value::Bigint(value) => out.extend_from_slice(&value.to_be_bytes()),
            // Java writes every NaN in the same way.
            Value::Double(value) if value.is_nan() => {
                out.extend_from_slice(&0x7FF8_0000_0000_0000_u64.to_be_bytes());
            }
            Value::Double(value) => out.extend_from_slice(&value.to_be_bytes()),
            Value::String(value) => out.extend_from_slice(&to_utf8_bytes(value)),
            Value::Bytes(value) => out.extend_from_slice(value),
            _ => {
                return Err(EncodeError {
                    class: "io.confluent.ksql.util.KsqlException",
                    message: format!("value does not match expected type. expected: {}", self.ty),
                    causes: Vec::new(),
                });
            }
        }
        Ok(Encoded::Bytes)
    }
}
