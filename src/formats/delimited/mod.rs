//! DELIMITED: one line of separated values, by the rules of Apache Commons CSV.

mod csv;

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::decimal::{fit, read};
use super::json::write_integer;
use super::rows::Outcome;
use super::rows::Rows;
use super::{DecodeError, EncodeError, Encoded, FormatSpec, Row};
use crate::java::{
    decode_base64, parse_double, parse_int, parse_long, to_utf8_bytes, write_double,
};
use crate::types::{Arena, ColumnDef, DecimalError, SqlType, Value};

/// How many milliseconds a day has.
const DAY_MS: i64 = 86_400_000;

/// The delimiter unless another is given.
const DEFAULT_DELIMITER: char = ',';

/// Reads rows of some columns.
#[derive(Debug)]
pub(super) struct DelimitedDecoder {
    types: Vec<SqlType>,
    delimiter: char,
    topic: String,
}

impl DelimitedDecoder {
    pub(super) fn new(spec: &FormatSpec, columns: &[ColumnDef], topic: &str) -> Self {
        let types = columns.iter().map(|column| column.ty.clone()).collect();
        let delimiter = spec.delimiter.unwrap_or(DEFAULT_DELIMITER);
        Self { types, delimiter, topic: topic.into() }
    }

    pub(super) fn decode<'a>(
        &self,
        bytes: &'a [u8],
        rows: &mut Rows<'a>,
        arena: &'a Arena,
    ) -> Result<Outcome, DecodeError> {
        let row = self.read(bytes, arena).map_err(|cause| DecodeError {
            message: "Error deserializing delimited".into(),
            causes: vec![cause.unwrap_or_else(|| "java.lang.NumberFormatException".into())],
        })?;
        rows.push_row(&row);
        Ok(Outcome::Row)
    }

    /// Reads a row. The error is the cause's message, if it has one.
    fn read<'a>(
        &self,
        bytes: &'a [u8],
        arena: &'a Arena,
    ) -> Result<Vec<Value<'a>>, Option<String>> {
        let text = super::kafka::java_utf8(bytes, arena);
        let fields = csv::read(text, self.delimiter).map_err(Some)?;
        let Some(fields) = fields else { return Err(Some("No fields in record".into())) };
        if fields.len() != self.types.len() {
            return Err(Some(format!(
                "Column count mismatch on deserialization. topic: {}, expected: {}, got: {}",
                self.topic,
                self.types.len(),
                fields.len()
            )));
        }
        let columns = fields.into_iter().zip(&self.types);
        columns.map(|(field, ty)| parse(field, ty, arena)).collect()
    }
}

fn parse<'a>(
    field: Cow<'a, str>,
    ty: &SqlType,
    arena: &'a Arena,
) -> Result<Value<'a>, Option<String>> {
    if field.is_empty() {
        return Ok(Value::Null);
    }
    let no_number = || Some(format!("For input string: \"{field}\""));
    let long = || parse_long(&field).ok_or_else(no_number);
    match ty {
        SqlType::Boolean => Ok(Value::Boolean(field.eq_ignore_ascii_case("true"))),
        SqlType::Int => parse_int(&field).map(Value::Int).ok_or_else(no_number),
        SqlType::Bigint => long().map(Value::Bigint),
        SqlType::Timestamp => long().map(Value::Timestamp),
        SqlType::Date => long().map(|days| Value::Date(days as i32)),
        SqlType::Time => match long()? {
            time @ 0..=DAY_MS => Ok(Value::Time(time as i32)),
            _ => Err(Some(format!(
                "Time values must use number of milliseconds greater than 0 and less than {DAY_MS}."
            ))),
        },
        SqlType::Double => {
            let is_blank = field.trim_matches(|c| c <= ' ').is_empty();
            let no_double = || if is_blank { Some("empty String".into()) } else { no_number() };
            parse_double(&field).map(Value::Double).ok_or_else(no_double)
        }
        SqlType::Decimal { precision, scale } => {
            let decimal = fit(&read(&field)?, *precision, *scale).map_err(Some)?;
            Ok(Value::Decimal(arena.decimal(decimal)))
        }
        SqlType::Bytes => {
            let bytes = decode_base64(&field).map_err(Some)?;
            Ok(Value::Bytes(arena.bytes(&bytes)))
        }
        _ => Ok(Value::String(match field {
            Cow::Borrowed(text) => text,
            Cow::Owned(text) => arena.text(&text),
        })),
    }
}

/// Writes rows of some columns.
#[derive(Debug)]
pub(super) struct DelimitedEncoder {
    /// For each column, whether it is a DECIMAL.
    decimals: Vec<bool>,
    delimiter: char,
}

impl DelimitedEncoder {
    pub(super) fn new(spec: &FormatSpec, columns: &[ColumnDef]) -> Self {
        let is_decimal = |column: &ColumnDef| matches!(column.ty, SqlType::Decimal { .. });
        Self {
            decimals: columns.iter().map(is_decimal).collect(),
            delimiter: spec.delimiter.unwrap_or(DEFAULT_DELIMITER),
        }
    }

    pub(super) fn encode<R: Row + ?Sized>(
        &self,
        row: &R,
        out: &mut Vec<u8>,
    ) -> Result<Encoded, EncodeError> {
        let mut field = Vec::new();
        for (index, is_decimal) in self.decimals.iter().enumerate() {
            if index > 0 {
                out.extend_from_slice(self.delimiter.encode_utf8(&mut [0; 4]).as_bytes());
            }
            let value = row.value(index);
            if value.is_null() {
                if *is_decimal {
                    return Err(refused(NULL_DECIMAL.to_owned()));
                }
                continue;
            }
            field.clear();
            write_plain(value, &mut field).map_err(|error| refused(error.to_string()))?;
            csv::write(&field, index == 0, self.delimiter, out);
        }
        Ok(Encoded::Bytes)
    }
}

fn write_plain(value: Value<'_>, out: &mut Vec<u8>) -> Result<(), DecimalError> {
    match value {
        Value::Boolean(true) => out.extend_from_slice(b"true"),
        Value::Boolean(false) => out.extend_from_slice(b"false"),
        Value::Int(value) | Value::Date(value) | Value::Time(value) => {
            write_integer(value.into(), out);
        }
        Value::Bigint(value) | Value::Timestamp(value) => write_integer(value, out),
        Value::Double(value) => write_double(value, out),
        Value::Decimal(value) => out.extend_from_slice(value.to_plain_string()?.as_bytes()),
        Value::String(value) => out.extend_from_slice(&to_utf8_bytes(value)),
        Value::Bytes(value) => out.extend_from_slice(STANDARD.encode(value).as_bytes()),
        Value::Null | Value::Array(_) | Value::Map(_) | Value::Struct(_) => {}
    }
    Ok(())
}

/// Why ksqlDB does not write a NULL decimal.
const NULL_DECIMAL: &str =
    "Cannot invoke \"java.math.BigDecimal.toPlainString()\" because \"<parameter1>\" is null";

/// The error about a row that cannot be written; the query fails.
fn refused(cause: String) -> EncodeError {
    EncodeError {
        class: "org.apache.kafka.common.errors.SerializationException",
        message: "Error serializing CSV message".into(),
        causes: vec![cause],
    }
}
