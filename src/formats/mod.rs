//! Bytes to rows and back, in ksqlDB's formats and to the byte as ksqlDB does it.
//!
//! ```text
//! payloads ── Decoder ──▶ columns + nulls + failures          (a chunk at once)
//!     row  ── Encoder ──▶ bytes | null                         (row by row)
//!     row  ── Normaliser ──▶ what decoding the encoded row gives, without the bytes
//! ```
//!
//! A [`FormatSpec`] says how bytes are laid out; [`FormatSpec::validate`] refuses columns that a
//! format cannot hold, in ksqlDB's words. A [`Decoder`] checks **every** declared column, used or
//! not, because a value that cannot be converted drops the record for every query of its source.
//! Nothing here knows Kafka: a payload is a slice of bytes, or nothing where it was null.

mod avro;
mod checked_json;
mod connect;
mod decimal;
mod decoder;
mod delimited;
pub mod detected;
mod encode_json;
mod encoder;
mod error;
mod format;
mod frame;
mod json;
mod json_sr;
mod json_text;
mod kafka;
mod map_order;
mod maps;
mod normaliser;
mod protobuf;
mod registered;
#[cfg(test)]
mod round_trip;
mod row_text;
mod rows;
mod schema_text;
mod schemas;
mod shown;
mod spec;
pub mod windowed;

pub use checked_json::{CheckedJsonEncoder, JsonFault};
pub use decoder::{Decoded, Decoder};
pub use encode_json::encode_json;
pub use encoder::Encoder;
pub use error::{DecodeError, EncodeError, FormatError};
pub use format::{Format, Role, Wrapping};
pub use json::{json_refusal, located_at_end, located_at_start};
pub use normaliser::Normaliser;
pub use row_text::row_text;
pub use rows::{ColumnsRow, Encoded, Row};
pub use schema_text::{default_key_schema_name, inferred_columns, is_one_of_several, message_name};
pub use schemas::Schemas;
pub use spec::{FormatSpec, NullableRepresentation};
