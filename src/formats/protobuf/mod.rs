//! Protobuf: without a registry the columns are the schema, with one it is the writer's.
//!
//! ```text
//! bytes ── parse (wire) ──▶ fields ─┬─ convert (columns) ──▶ row
//!                                   └─ reader (schema of the writer, targets) ──▶ row
//! row ── write (wire) ──▶ bytes
//! ```

mod by_id;
mod calendar;
mod convert;
mod descriptor;
mod from_json;
mod parse;
mod reader;
mod schema;
mod shown;
mod text;
mod wire;
mod write;

pub(super) use descriptor::Descriptor;
pub(super) use reader::{ProtobufReader, ReadError};
pub(super) use schema::{Field, Kind, Message};
pub(super) use shown::shown;

use super::connect::{ConnectType, connect_name};
use super::rows::Outcome;
use super::rows::Rows;
use super::{DecodeError, EncodeError, Encoded, FormatError, FormatSpec, Role, Row};
use crate::registry::schema::ResolvedSchema;
use crate::types::{Arena, ColumnDef, SqlType, Value};
use parse::Parsed;

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

/// The schema of some columns, in Protobuf's own language.
pub(super) fn schema_text(spec: &FormatSpec, columns: &[ColumnDef], wrapped: bool) -> String {
    let message = match (columns, &spec.full_schema_name) {
        ([column], _) if !wrapped => Message::of_bare(column, spec.nullable),
        (_, Some(name)) => Message::of_named_columns(columns, spec.nullable, name),
        _ => Message::of_columns(columns, spec.nullable),
    };
    message.schema_text()
}

/// Checks what a schema is made of, as the Protobuf library does.
pub(super) fn check_schema(spec: &FormatSpec, columns: &[ColumnDef]) -> Result<(), String> {
    let package_and_name = spec.full_schema_name.as_deref().unwrap_or("ConnectDefault1");
    let message = package_and_name.rsplit('.').next().unwrap_or_default();
    let fault = |place: String, name: &str| {
        Err(format!(
            "com.google.protobuf.Descriptors$DescriptorValidationException: {place}: \"{name}\" is \
             not a valid identifier."
        ))
    };
    if !is_identifier(message) {
        return fault(package_and_name.to_owned(), message);
    }
    for column in columns {
        if !is_identifier(&column.name) {
            return fault(format!("{package_and_name}.{}", column.name), &column.name);
        }
        if is_nested_array(&column.ty) {
            return Err("Array cannot be nested".to_owned());
        }
    }
    Ok(())
}

fn is_identifier(name: &str) -> bool {
    let is_first = |c: char| c.is_ascii_alphabetic() || c == '_';
    name.starts_with(is_first) && name.chars().all(|c| is_first(c) || c.is_ascii_digit())
}

fn is_nested_array(ty: &SqlType) -> bool {
    match ty {
        SqlType::Array(item) => matches!(**item, SqlType::Array(_)) || is_nested_array(item),
        SqlType::Map(_, value) => is_nested_array(value),
        SqlType::Struct(ty) => ty.fields.iter().any(|field| is_nested_array(&field.ty)),
        _ => false,
    }
}

/// The type of a schema as Kafka Connect has it: that of the message that is named, or of the only
/// one.
pub(super) fn connect_type(
    schema: &ResolvedSchema,
    full_name: Option<&str>,
    role: Role,
) -> Result<ConnectType, FormatError> {
    let refuse = |reason| FormatError::Inference { reason };
    let descriptor = Descriptor::new(schema).map_err(refuse)?;
    let none = || {
        let text = "Cannot invoke \"com.google.protobuf.Descriptors$Descriptor.getFullName()\" \
                    because \"<parameter1>\" is null";
        refuse(text.to_owned())
    };
    let names: Vec<_> = descriptor.top_names().collect();
    let name = match (full_name, &*names) {
        (Some(name), _) => descriptor.find(name).ok_or_else(none)?,
        (None, []) => return Err(none()),
        (None, [name]) => name.clone(),
        (None, names) => {
            let upper = if role == Role::Key { "KEY" } else { "VALUE" };
            let names: Vec<_> = names.iter().map(|name| format!("- {name}")).collect();
            let reason = format!(
                "{role} schema has multiple schema definitions. \n\n{}\n\nPlease specify a schema \
                 full name in the WITH clause using {upper}_SCHEMA_FULL_NAME",
                names.join("\n")
            );
            return Err(FormatError::SeveralMessages { reason });
        }
    };
    let message = descriptor.message(&name).map_err(refuse)?;
    Ok(ConnectType::Struct(reader::connect_fields(&message)))
}

/// The full name of the message that records of a schema given by its id are of.
pub(super) fn message_name(schema: &ResolvedSchema) -> Option<String> {
    Descriptor::new(schema).ok()?.at(&[0])
}

/// A reader of `columns` from records of a schema; the error is that of each record.
pub(super) fn reader(
    schema: &ResolvedSchema,
    columns: &[ColumnDef],
) -> Result<ProtobufReader, String> {
    Ok(ProtobufReader::new(Descriptor::new(schema)?, columns))
}

/// Appends JSON as a record of a schema.
pub(super) fn encode_json(
    schema: &ResolvedSchema,
    full_name: Option<&str>,
    json: &serde_json::Value,
    out: &mut Vec<u8>,
) -> Result<(), String> {
    let descriptor = Descriptor::new(schema)?;
    let wanted = full_name.and_then(|name| descriptor.find(name));
    let index = descriptor.top_names().position(|name| Some(name) == wanted).unwrap_or(0);
    let name = descriptor.at(&[index as i64]).ok_or("the schema has no message")?;
    write_index(index, out);
    from_json::write(&from_json::placed(&descriptor.message(&name)?), json, out)
}

/// Writes which message of its schema a record is, counted from 0.
fn write_index(index: usize, out: &mut Vec<u8>) {
    if index == 0 {
        out.push(0);
    } else {
        // How many indexes there are, and the index: both in zigzag.
        out.push(2);
        wire::write_varint(2 * index as u64, out);
    }
}

/// Whether a schema has several messages, and one of this name.
pub(super) fn is_one_of_several(schema: &ResolvedSchema, name: &str) -> bool {
    let Ok(descriptor) = Descriptor::new(schema) else { return false };
    let found = descriptor.find(name);
    descriptor.top_names().count() > 1 && descriptor.top_names().any(|top| Some(top) == found)
}

/// The first message of a schema.
pub(super) fn first_message(schema: &ResolvedSchema) -> Result<Message, String> {
    let descriptor = Descriptor::new(schema)?;
    let name = descriptor.at(&[0]).ok_or("the schema has no message")?;
    Ok(from_json::placed(&descriptor.message(&name)?))
}

/// Appends JSON as a record of the first message of a schema.
pub(super) fn write_json(
    message: &Message,
    json: &serde_json::Value,
    out: &mut Vec<u8>,
) -> Result<(), String> {
    out.push(0);
    from_json::write(message, json, out)
}

/// Writes rows of some columns.
#[derive(Debug)]
pub(super) struct ProtobufEncoder {
    message: Message,
    /// Which of its schema's messages that is.
    index: usize,
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
        let bare = bare.map(|column| column.ty.clone());
        Self { message, index: 0, bare, topic: topic.into() }
    }

    /// An encoder for records of a schema that is given by its id: of the message that is named, else of the first.
    pub(super) fn by_id(
        schema: &ResolvedSchema,
        spec: &FormatSpec,
        columns: &[ColumnDef],
        topic: &str,
    ) -> Result<Self, String> {
        let descriptor = Descriptor::new(schema)?;
        let named = spec.full_schema_name.as_deref().and_then(|name| descriptor.find(name));
        let index = descriptor.top_names().position(|name| Some(name) == named).unwrap_or(0);
        let name = descriptor.at(&[index as i64]).ok_or("the schema has no message")?;
        let columns: Vec<_> = columns.iter().map(|column| (&*column.name, &column.ty)).collect();
        let message = by_id::fit(&descriptor.message(&name)?, &columns, spec.nullable)?;
        Ok(Self { message, index, bare: None, topic: topic.into() })
    }

    /// Writes which message of its schema a record is.
    pub(super) fn write_index(&self, out: &mut Vec<u8>) {
        write_index(self.index, out);
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
            (Some(_), value) => write::write_bare(&self.message, value, out),
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
