//! Protobuf's own language: `.proto` files, as far as they say what messages look like.
//!
//! ```text
//! text ── tokens ──▶ parse ──▶ ProtoFile (messages, enums, imports; types by the names in the text)
//! ```

mod parse;
mod tokens;
mod well_known;

pub(super) use parse::parse;
pub(super) use well_known::well_known;

/// A file.
#[derive(Clone, Debug, Default)]
pub(super) struct ProtoFile {
    pub(super) is_proto3: bool,
    pub(super) package: String,
    pub(super) imports: Vec<String>,
    pub(super) messages: Vec<MessageDef>,
    pub(super) enums: Vec<EnumDef>,
}

/// A message, with those that stand inside it.
#[derive(Clone, Debug, Default)]
pub(super) struct MessageDef {
    pub(super) name: String,
    /// In the order of the text; those of a choice too.
    pub(super) fields: Vec<FieldDef>,
    /// The names of its choices.
    pub(super) oneofs: Vec<String>,
    pub(super) messages: Vec<MessageDef>,
    pub(super) enums: Vec<EnumDef>,
}

/// A field.
#[derive(Clone, Debug)]
pub(super) struct FieldDef {
    pub(super) name: String,
    pub(super) number: u32,
    pub(super) label: Label,
    pub(super) ty: TypeDef,
    /// The choice that it belongs to.
    pub(super) oneof: Option<usize>,
    /// `(confluent.field_meta)`'s parameters, by name.
    pub(super) parameters: Vec<(String, String)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Label {
    None,
    Optional,
    Required,
    Repeated,
}

/// A type, by the name that the text gives it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum TypeDef {
    Named(String),
    Map(String, String),
}

/// An enum.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::formats) struct EnumDef {
    pub(in crate::formats) name: String,
    /// Names and numbers in the order of the text.
    pub(in crate::formats) values: Vec<(String, i32)>,
}
