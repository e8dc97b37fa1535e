//! The languages of schemas: reading a text, writing it in the one way in which the registry keeps it, and finding what
//! keeps a reader with one schema from reading what a writer with another wrote.
//!
//! ```text
//! text + imports ─parse→ Parsed ─text→ the same content is the same text
//! (reader, writer) ─differences→ what is in the way: one line each
//! ```
mod avro;
mod json;
mod protobuf;

use std::fmt;

use crate::registry::schema::{Import, SchemaType};

/// How deep a schema may nest.
const DEPTH_MAX: usize = 100;
/// How deep two schemas are compared: definitions may lead to others without end, and the stack has one.
const COMPARED_DEPTH_MAX: usize = 200;
/// What is told where it would be deeper.
const TOO_DEEP: &str = "TOO_DEEP_TO_COMPARE";
/// How many differences are told.
const DIFFERENCES_MAX: usize = 100;

/// A schema that makes sense, with all that it uses.
#[derive(Debug)]
pub(super) enum Parsed {
    Avro(avro::Schema),
    Json(json::Schema),
    Protobuf(Box<protobuf::Schema>),
}

impl Parsed {
    /// Reads a schema; an error is for the user.
    pub(super) fn parse(ty: SchemaType, text: &str, imports: &[Import]) -> Result<Self, String> {
        Ok(match ty {
            SchemaType::Avro => Self::Avro(avro::Schema::parse(text, imports)?),
            SchemaType::Json => Self::Json(json::Schema::parse(text, imports)?),
            SchemaType::Protobuf => {
                Self::Protobuf(Box::new(protobuf::Schema::parse(text, imports)?))
            }
        })
    }

    /// The text as the registry keeps it.
    pub(super) fn text(&self) -> String {
        match self {
            Self::Avro(schema) => schema.text(),
            Self::Json(schema) => schema.text(),
            Self::Protobuf(schema) => schema.text(),
        }
    }

    /// The text without what makes no difference, such as the order of attributes.
    pub(super) fn normalised(&self) -> String {
        match self {
            Self::Avro(schema) => schema.normalised(),
            Self::Json(schema) => schema.normalised(),
            Self::Protobuf(schema) => schema.normalised(),
        }
    }
}

/// What keeps a reader from reading what a writer wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Difference {
    /// Its kind, by the name that the registry gives it.
    kind: &'static str,
    /// A sentence.
    description: String,
    /// The names that it is about.
    info: Option<String>,
}

impl Difference {
    /// One of a kind, at a path of schemas that are called `[reader, writer]`.
    fn at(path: &str, kind: &'static str, [reader, writer]: [&str; 2]) -> Self {
        let words = kind.to_lowercase().replace('_', " ");
        let description = format!(
            "The {reader} schema cannot read what the {writer} schema allows at path '{path}': {words}"
        );
        Self { kind, description, info: None }
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{{errorType:'{}', description:'{}'", self.kind, self.description)?;
        if let Some(info) = &self.info {
            write!(f, ", additionalInfo:'{info}'")?;
        }
        f.write_str("}")
    }
}

/// What keeps a reader from reading what a writer wrote, each called by its name; nothing if it can.
pub(super) fn differences(reader: &Parsed, writer: &Parsed, names: [&str; 2]) -> Vec<String> {
    let mut found = match (reader, writer) {
        (Parsed::Avro(reader), Parsed::Avro(writer)) => avro::differences(reader, writer, names),
        (Parsed::Json(reader), Parsed::Json(writer)) => json::differences(reader, writer, names),
        (Parsed::Protobuf(reader), Parsed::Protobuf(writer)) => {
            protobuf::differences(reader, writer, names)
        }
        _ => return vec!["Incompatible because of different schema type".to_owned()],
    };
    found.truncate(DIFFERENCES_MAX);
    found.iter().map(Difference::to_string).collect()
}
