//! Avro schemas, by the rules of its specification.

mod compare;
mod default;
mod parse;
mod text;

use std::collections::HashMap;

use serde_json::Value;

pub(super) use compare::differences;

use super::DEPTH_MAX;
use crate::registry::schema::Import;

/// A schema: its type, and the named types in it and in what it uses.
#[derive(Debug)]
pub(in crate::registry::embedded) struct Schema {
    root: Type,
    named: Vec<Named>,
    /// The schema as it was given.
    json: Value,
    /// Which full names are types of what it uses.
    imported: Vec<String>,
}

/// A type. Named ones stand in a list, so that they may contain themselves.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Type {
    Null,
    Boolean,
    Int,
    Long,
    Float,
    Double,
    Bytes,
    String,
    Array(Box<Type>),
    Map(Box<Type>),
    Union(Vec<Type>),
    Named(usize),
}

/// A type with a name.
#[derive(Debug)]
struct Named {
    /// Its full name.
    name: String,
    /// Full names that readers may know it by.
    aliases: Vec<String>,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    /// A record whose fields are not read yet.
    Open,
    Record(Vec<Field>),
    Enum {
        symbols: Vec<String>,
        default: Option<String>,
    },
    Fixed {
        size: u64,
    },
}

#[derive(Debug)]
struct Field {
    name: String,
    aliases: Vec<String>,
    ty: Type,
    has_default: bool,
}

impl Schema {
    /// Reads a schema. Types of what it uses are known by their full names.
    pub(super) fn parse(text: &str, imports: &[Import]) -> Result<Self, String> {
        let mut parser = parse::Parser::default();
        for import in imports {
            let json = parse::json(&import.text)?;
            parser.ty(&json, None, 0)?;
        }
        let imported = parser.names();
        let json = parse::json(text)?;
        let root = parser.ty(&json, None, 0)?;
        Ok(Self { root, named: parser.into_named(), json, imported })
    }

    /// The text as Avro for Java writes it.
    pub(super) fn text(&self) -> String {
        text::Writer::new(&self.imported, false).write(&self.json)
    }

    /// The same with attributes of others in order of their names.
    pub(super) fn normalised(&self) -> String {
        text::Writer::new(&self.imported, true).write(&self.json)
    }

    fn type_name<'a>(&'a self, ty: &'a Type) -> &'a str {
        match ty {
            Type::Null => "NULL",
            Type::Boolean => "BOOLEAN",
            Type::Int => "INT",
            Type::Long => "LONG",
            Type::Float => "FLOAT",
            Type::Double => "DOUBLE",
            Type::Bytes => "BYTES",
            Type::String => "STRING",
            Type::Array(_) => "ARRAY",
            Type::Map(_) => "MAP",
            Type::Union(_) => "UNION",
            Type::Named(index) => match self.named[*index].kind {
                Kind::Open | Kind::Record(_) => "RECORD",
                Kind::Enum { .. } => "ENUM",
                Kind::Fixed { .. } => "FIXED",
            },
        }
    }
}

/// The primitive type with a name.
fn primitive(name: &str) -> Option<Type> {
    Some(match name {
        "null" => Type::Null,
        "boolean" => Type::Boolean,
        "int" => Type::Int,
        "long" => Type::Long,
        "float" => Type::Float,
        "double" => Type::Double,
        "bytes" => Type::Bytes,
        "string" => Type::String,
        _ => return None,
    })
}

/// A full name: one with a dot is full already, others stand in a namespace.
fn full_name(name: &str, namespace: Option<&str>) -> String {
    match namespace.filter(|namespace| !namespace.is_empty()) {
        Some(namespace) if !name.contains('.') => format!("{namespace}.{name}"),
        _ => name.to_owned(),
    }
}

/// The namespace of a full name.
fn namespace(full_name: &str) -> Option<&str> {
    full_name.rsplit_once('.').map(|(namespace, _)| namespace).filter(|space| !space.is_empty())
}

/// The part of a full name behind its namespace.
fn simple_name(full_name: &str) -> &str {
    full_name.rsplit_once('.').map_or(full_name, |(_, name)| name)
}

/// Types by their full names.
type Names = HashMap<String, usize>;

#[cfg(test)]
mod tests;
