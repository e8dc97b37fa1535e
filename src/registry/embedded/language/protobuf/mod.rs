//! Protobuf's language: files with messages and enums, and how two of them differ.
//!
//! A schema is one file, as text or, as some clients send it, as a file descriptor in Base64. Names of types are
//! resolved by our own rules, since options may name extensions that nobody imports.

mod compare;
mod options;
mod resolve;
mod text;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use prost::Message;
use prost_types::{DescriptorProto, FileDescriptorProto};

pub(super) use compare::differences;

use super::DEPTH_MAX;
use crate::registry::schema::Import;
use resolve::Types;

/// A file, and the types that it may use.
#[derive(Debug)]
pub(in crate::registry::embedded) struct Schema {
    file: FileDescriptorProto,
    types: Types,
}

impl Schema {
    /// Reads a file. What it imports is among `imports` or comes with every compiler.
    pub(super) fn parse(text: &str, imports: &[Import]) -> Result<Self, String> {
        let file = read("schema.proto", text)?;
        let mut files = Vec::new();
        for import in imports {
            files.push(read(&import.name, &import.text)?);
        }
        let types = Types::of(&file, &files)?;
        types.check(&file)?;
        Ok(Self { file, types })
    }

    /// The text, always formatted alike and without comments.
    pub(super) fn text(&self) -> String {
        text::file(&self.file)
    }

    /// The same with options, fields and types in order.
    pub(super) fn normalised(&self) -> String {
        let mut file = self.file.clone();
        for message in &mut file.message_type {
            self.types.qualify(message, file.package.as_deref().unwrap_or_default());
            sort(message);
        }
        file.dependency.sort();
        text::file(&file)
    }

    /// The file as a descriptor with full names, in Base64.
    pub(in crate::registry::embedded) fn serialized(&self, name: &str) -> String {
        let mut file = self.file.clone();
        file.name = Some(name.to_owned());
        file.source_code_info = None;
        let package = file.package.clone().unwrap_or_default();
        for message in &mut file.message_type {
            self.types.qualify(message, &package);
        }
        options::drop_uninterpreted(&mut file);
        STANDARD.encode(file.encode_to_vec())
    }
}

fn read(name: &str, text: &str) -> Result<FileDescriptorProto, String> {
    if let Some(file) = descriptor(text) {
        return Ok(file);
    }
    protox_parse::parse(name, text).map_err(|error| error.to_string())
}

/// A file descriptor in Base64, if it is one.
fn descriptor(text: &str) -> Option<FileDescriptorProto> {
    let bytes = STANDARD.decode(text.trim()).ok()?;
    let file = FileDescriptorProto::decode(&*bytes).ok()?;
    (file.name.is_some() || !file.message_type.is_empty()).then_some(file)
}

fn sort(message: &mut DescriptorProto) {
    message.field.sort_by_key(prost_types::FieldDescriptorProto::number);
    message.nested_type.iter_mut().for_each(sort);
}

/// Whether a message is the entry of a map.
fn is_map_entry(message: &DescriptorProto) -> bool {
    message.options.as_ref().is_some_and(prost_types::MessageOptions::map_entry)
}

#[cfg(test)]
mod tests;
