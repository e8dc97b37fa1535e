//! Protobuf without a registry: the columns are the schema.
//!
//! ```text
//! bytes ── parse (wire) ──▶ fields ── convert ──▶ row
//! row ── write (wire) ──▶ bytes
//! ```

mod calendar;
mod convert;
mod parse;
mod schema;
mod wire;
mod write;

use super::rows::Outcome;
use super::rows::Rows;
use super::{DecodeError, EncodeError, Encoded, FormatSpec, Row};
use crate::types::{Arena, ColumnDef, SqlType, Value};
use parse::Parsed;
use schema::Message;

/// Reads rows of some columns.
#[derive(Debug)]
pub(super) struct ProtobufDecoder {
    message: Message,
    bare: Option<SqlType>,
    topic: String,
    /// Why no record can be read, if none can.
    unreadable: Option<String>,
}

impl ProtobufDecoder {
    pub(super) fn new(
        spec: &FormatSpec,
        columns: &[ColumnDef],
        wrapped: bool,
        topic: &str,
    ) -> Self {
        let bare = if let ([column], false) = (columns, wrapped) { Some(column) } else { None };
        let (message, unreadable) = match bare {
            None => (Message::of_columns(columns, spec.nullable), unreadable(columns, "")),
            Some(column) => (Message::of_bare(column, spec.nullable), unreadable_bare(&column.ty)),
        };
        Self {
            message,
            bare: bare.map(|column| column.ty.clone()),
            topic: topic.into(),
            unreadable,
        }
    }

    pub(super) fn decode<'a>(
        &self,
        bytes: &'a [u8],
        rows: &mut Rows<'a>,
        arena: &'a Arena,
    ) -> Result<Outcome, DecodeError> {
        let parsed = Parsed::parse(&self.message, bytes).map_err(|cause| {
            let schema = self.message.schema_text();
            self.error(vec![
                format!("Failed to deserialize data for topic {} to Protobuf: ", self.topic),
                format!("Error deserializing Protobuf message for schema {schema}"),
                cause,
            ])
        })?;
        let row =
            convert::row(&self.message, &parsed, arena).map_err(|cause| self.error(vec![cause]))?;
        if let Some(cause) = &self.unreadable {
            return Err(self.error(vec![cause.clone()]));
        }
        if self.bare.is_some() {
            rows.push(0, Value::Struct(arena.values(&row)));
        } else {
            rows.push_row(&row);
        }
        Ok(Outcome::Row)
    }

    fn error(&self, causes: Vec<String>) -> DecodeError {
        let message = format!("Error deserializing message from topic: {}", self.topic);
        DecodeError { message, causes }
    }
}

/// ksqlDB cannot read a bare value of any other type than STRUCT.
fn unreadable_bare(ty: &SqlType) -> Option<String> {
    if let SqlType::Struct(ty) = ty {
        let fields = ty.fields.iter().map(|field| ColumnDef::new(&*field.name, field.ty.clone()));
        return unreadable(&fields.collect::<Vec<_>>(), "");
    }
    Some(format!("Cannot deserialize type struct as type {} for path: ", connect_name(ty)))
}

/// Why a record of these columns cannot be read: ksqlDB does not find a MAP of lists or maps again.
fn unreadable(columns: &[ColumnDef], path: &str) -> Option<String> {
    columns
        .iter()
        .find_map(|column| unreadable_type(&column.ty, &format!("{path}->{}", column.name)))
}

fn unreadable_type(ty: &SqlType, path: &str) -> Option<String> {
    match ty {
        SqlType::Map(_, value) => match &**value {
            SqlType::Array(_) | SqlType::Map(..) => {
                Some(format!("Cannot deserialize type array as type map for path: {path}"))
            }
            value => unreadable_type(value, &format!("{path}->MAP_VAL")),
        },
        SqlType::Array(item) => unreadable_type(item, &format!("{path}->ARRAY")),
        SqlType::Struct(ty) => {
            let mut fields = ty.fields.iter();
            fields.find_map(|field| unreadable_type(&field.ty, &format!("{path}->{}", field.name)))
        }
        _ => None,
    }
}

/// What Kafka Connect calls a type.
fn connect_name(ty: &SqlType) -> &'static str {
    match ty {
        SqlType::Boolean => "boolean",
        SqlType::Int | SqlType::Date | SqlType::Time => "int32",
        SqlType::Bigint | SqlType::Timestamp => "int64",
        SqlType::Double => "float64",
        SqlType::String => "string",
        SqlType::Bytes | SqlType::Decimal { .. } => "bytes",
        SqlType::Array(_) => "array",
        SqlType::Map(..) => "map",
        SqlType::Struct(_) => "struct",
    }
}

/// The schema of some columns, in Protobuf's own language.
pub(super) fn schema_text(spec: &FormatSpec, columns: &[ColumnDef], wrapped: bool) -> String {
    let message = match columns {
        [column] if !wrapped => Message::of_bare(column, spec.nullable),
        _ => Message::of_columns(columns, spec.nullable),
    };
    message.schema_text()
}

/// Writes rows of some columns.
#[derive(Debug)]
pub(super) struct ProtobufEncoder {
    message: Message,
    bare: Option<SqlType>,
    topic: String,
}

impl ProtobufEncoder {
    pub(super) fn new(
        spec: &FormatSpec,
        columns: &[ColumnDef],
        wrapped: bool,
        topic: &str,
    ) -> Self {
        let bare = if let ([column], false) = (columns, wrapped) { Some(column) } else { None };
        let message = match bare {
            None => Message::of_columns(columns, spec.nullable),
            Some(column) => Message::of_bare(column, spec.nullable),
        };
        Self { message, bare: bare.map(|column| column.ty.clone()), topic: topic.into() }
    }

    pub(super) fn encode<R: Row + ?Sized>(
        &self,
        row: &R,
        out: &mut Vec<u8>,
    ) -> Result<Encoded, EncodeError> {
        let written = match (&self.bare, row.value(0)) {
            (None, _) => write::write_message(&self.message, |index| row.value(index), out),
            (Some(_), Value::Null) => return Ok(Encoded::Null),
            (Some(ty @ (SqlType::Array(_) | SqlType::Map(..))), _) => {
                Err(Some(format!("Unsupported root schema of type {}", ty.base_name())))
            }
            (Some(_), Value::Struct(fields)) => {
                let field = |index: usize| fields.get(index).copied().unwrap_or_default();
                write::write_message(&self.message, field, out)
            }
            (Some(_), value) => write::write_message(&self.message, |_| value, out),
        };
        written.map(|()| Encoded::Bytes).map_err(|cause| self.error(cause))
    }

    fn error(&self, cause: Option<String>) -> EncodeError {
        let text = cause.as_deref().unwrap_or("null");
        let message = format!(
            "Error serializing message to topic: {}. {text}\nHint: You probably forgot to add \
             VALUE_SCHEMA_ID when creating the source.",
            self.topic
        );
        let class = "io.confluent.ksql.serde.KsqlSerializationException";
        EncodeError { class, message, causes: cause.into_iter().collect() }
    }
}
