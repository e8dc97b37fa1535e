//! Which message some columns are, and its text in Protobuf's own language.
//!
//! ```text
//! A INT, M MAP<STRING, DOUBLE>  ⇒  message ConnectDefault1 {
//!                                    int32 A = 1;
//!                                    repeated ConnectDefault2Entry M = 2;
//!                                    …
//! ```

use std::fmt::Write;
use std::sync::Arc;

use super::text::EnumDef;
use crate::formats::NullableRepresentation;
use crate::types::{ColumnDef, SqlType};

/// What messages without a name of their own are called.
const DEFAULT_NAME: &str = "ConnectDefault";

/// A message. Of columns: its fields in the order of their numbers, which count from 1. Of a schema of
/// the registry: in the order of its text.
#[derive(Clone, Debug, Default)]
pub(in crate::formats) struct Message {
    pub(in crate::formats) name: String,
    pub(in crate::formats) fields: Vec<Field>,
    /// The names of its choices.
    pub(in crate::formats) oneofs: Vec<String>,
}

/// A field of a message.
#[derive(Clone, Debug)]
pub(in crate::formats) struct Field {
    pub(in crate::formats) name: String,
    pub(in crate::formats) number: u32,
    /// The choice that it belongs to.
    pub(in crate::formats) oneof: Option<usize>,
    /// The place of its value in the row that is written.
    pub(in crate::formats) column: usize,
    pub(in crate::formats) kind: Kind,
    pub(in crate::formats) presence: Presence,
    pub(in crate::formats) is_repeated: bool,
    /// Whether a message without it is none.
    pub(in crate::formats) is_required: bool,
}

/// How a field is absent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::formats) enum Presence {
    /// A default is not written; an absent scalar is its default, an absent message NULL.
    Implicit,
    /// Written even if it is the default; absent is NULL.
    Optional,
    /// A scalar in a message of its own; absent is NULL.
    Wrapper,
}

/// What a field holds.
#[derive(Clone, Debug)]
pub(in crate::formats) enum Kind {
    Int32,
    Int64,
    Double,
    Bool,
    String,
    Bytes,
    /// These are no columns' own, but others' schemas have them.
    Uint32,
    Sint32,
    Fixed32,
    Sfixed32,
    Sint64,
    Fixed64,
    Float,
    Enum(Arc<EnumDef>),
    Decimal {
        precision: u32,
        scale: u32,
    },
    Date,
    TimeOfDay,
    Timestamp,
    Message(Message),
    /// The entries of a MAP: messages of a key and a value.
    Entries(Box<Message>),
    /// An ARRAY within an ARRAY, or a MAP within one, which ksqlDB cannot write.
    Unwritable(Unwritable),
}

/// What ksqlDB cannot write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::formats) enum Unwritable {
    NestedArray,
    MapInArray,
}

impl Kind {
    /// Whether values are messages, and so absent ones NULL.
    pub(in crate::formats) fn is_message(&self) -> bool {
        !self.is_scalar()
    }

    /// Whether values are of a primitive type.
    pub(in crate::formats) fn is_scalar(&self) -> bool {
        self.is_packable() || matches!(self, Self::String | Self::Bytes)
    }

    /// Whether values are messages that come with Protobuf or Confluent.
    pub(super) fn is_well_known(&self) -> bool {
        matches!(self, Self::Decimal { .. } | Self::Date | Self::TimeOfDay | Self::Timestamp)
    }

    /// Whether a list of values is packed into one field.
    pub(in crate::formats) fn is_packable(&self) -> bool {
        matches!(
            self,
            Self::Int32
                | Self::Int64
                | Self::Double
                | Self::Bool
                | Self::Uint32
                | Self::Sint32
                | Self::Fixed32
                | Self::Sfixed32
                | Self::Sint64
                | Self::Fixed64
                | Self::Float
                | Self::Enum(_)
        )
    }
}

/// Builds messages, and numbers those without names.
struct Builder {
    nullable: Option<NullableRepresentation>,
    messages: usize,
}

impl Message {
    /// The message that holds `columns`.
    pub(in crate::formats) fn of_columns(
        columns: &[ColumnDef],
        nullable: Option<NullableRepresentation>,
    ) -> Self {
        let fields = columns.iter().map(|column| (&*column.name, &column.ty));
        Builder { nullable, messages: 0 }.message("", fields)
    }

    /// The message that a bare column is.
    pub(in crate::formats) fn of_bare(
        column: &ColumnDef,
        nullable: Option<NullableRepresentation>,
    ) -> Self {
        match &column.ty {
            SqlType::Struct(ty) => {
                let fields = ty.fields.iter().map(|field| (&*field.name, &field.ty));
                Builder { nullable, messages: 0 }.message("", fields)
            }
            _ => Self::of_columns(std::slice::from_ref(column), nullable),
        }
    }

    /// The same message under a full name, which leaves the first default name to the next one.
    pub(in crate::formats) fn of_named_columns(
        columns: &[ColumnDef],
        nullable: Option<NullableRepresentation>,
        full_name: &str,
    ) -> Self {
        let fields = columns.iter().map(|column| (&*column.name, &column.ty));
        let fields: Vec<_> = fields.collect();
        let mut builder = Builder { nullable, messages: 0 };
        let fields = fields.into_iter().enumerate();
        let fields = fields.map(|(index, (name, ty))| builder.field(index, name, ty, false));
        Self { name: full_name.to_owned(), fields: fields.collect(), oneofs: Vec::new() }
    }

    /// The schema, as the Schema Registry and error messages have it.
    pub(in crate::formats) fn schema_text(&self) -> String {
        let mut imports = Vec::new();
        self.imports(&mut imports);
        let mut text = String::from("syntax = \"proto3\";\n");
        if let Some((package, _)) = self.name.rsplit_once('.') {
            let _ = writeln!(text, "package {package};");
        }
        text.push('\n');
        for import in &imports {
            let _ = writeln!(text, "import \"{import}\";");
        }
        if !imports.is_empty() {
            text.push('\n');
        }
        text + &self.text()
    }

    fn imports(&self, imports: &mut Vec<&'static str>) {
        for field in &self.fields {
            let import = match &field.kind {
                Kind::Decimal { .. } => "confluent/type/decimal.proto",
                Kind::Date => "google/type/date.proto",
                Kind::TimeOfDay => "google/type/timeofday.proto",
                Kind::Timestamp => "google/protobuf/timestamp.proto",
                Kind::Message(message) => {
                    message.imports(imports);
                    continue;
                }
                Kind::Entries(entry) => {
                    entry.imports(imports);
                    continue;
                }
                _ if field.presence == Presence::Wrapper => "google/protobuf/wrappers.proto",
                _ => continue,
            };
            if !imports.contains(&import) {
                imports.push(import);
            }
        }
    }

    fn text(&self) -> String {
        let name = self.name.rsplit('.').next().unwrap_or_default();
        let mut text = format!("message {name} {{\n");
        for (index, field) in self.fields.iter().enumerate() {
            indent(&field.text(index + 1), &mut text);
        }
        let nested = self.fields.iter().filter_map(|field| match &field.kind {
            Kind::Message(message) => Some(message),
            Kind::Entries(entry) => Some(&**entry),
            _ => None,
        });
        for (index, message) in nested.enumerate() {
            if index == 0 {
                text.push('\n');
            }
            indent(&message.text(), &mut text);
        }
        text + "}\n"
    }
}

fn indent(lines: &str, text: &mut String) {
    for line in lines.lines() {
        let _ = writeln!(text, "  {line}");
    }
}

impl Field {
    fn text(&self, number: usize) -> String {
        let label = match self.presence {
            _ if self.is_repeated => "repeated ",
            Presence::Optional => "optional ",
            _ => "",
        };
        let mut options = Vec::new();
        if self.presence == Presence::Optional {
            options.push("deprecated = false".to_owned());
        }
        if let (Kind::Decimal { precision, scale }, false) = (&self.kind, self.name == "value") {
            options.push(format!(
                "(confluent.field_meta) = {{\n  params: [\n    {{\n      value: \"{precision}\",\n      \
                 key: \"precision\"\n    }},\n    {{\n      value: \"{scale}\",\n      key: \"scale\"\n    \
                 }}\n  ]\n}}"
            ));
        }
        let options = match &*options {
            [] => String::new(),
            [option] => format!(" [{option}]"),
            several => {
                let mut text = String::from(" [\n");
                for (index, option) in several.iter().enumerate() {
                    let comma = if index + 1 < several.len() { "," } else { "" };
                    indent(&format!("{option}{comma}"), &mut text);
                }
                text + "]"
            }
        };
        format!("{label}{} {} = {number}{options};\n", self.type_name(), self.name)
    }

    fn type_name(&self) -> &str {
        let is_wrapper = self.presence == Presence::Wrapper;
        match &self.kind {
            Kind::Int32 if is_wrapper => "google.protobuf.Int32Value",
            Kind::Int64 if is_wrapper => "google.protobuf.Int64Value",
            Kind::Double if is_wrapper => "google.protobuf.DoubleValue",
            Kind::Bool if is_wrapper => "google.protobuf.BoolValue",
            Kind::String if is_wrapper => "google.protobuf.StringValue",
            Kind::Bytes if is_wrapper => "google.protobuf.BytesValue",
            Kind::Int32 => "int32",
            Kind::Int64 => "int64",
            Kind::Double => "double",
            Kind::Bool => "bool",
            Kind::String => "string",
            Kind::Bytes => "bytes",
            Kind::Decimal { .. } => "confluent.type.Decimal",
            Kind::Date => "google.type.Date",
            Kind::TimeOfDay => "google.type.TimeOfDay",
            Kind::Timestamp => "google.protobuf.Timestamp",
            Kind::Message(message) => &message.name,
            Kind::Entries(entry) => &entry.name,
            // Columns have none of these.
            Kind::Unwritable(_)
            | Kind::Uint32
            | Kind::Sint32
            | Kind::Fixed32
            | Kind::Sfixed32
            | Kind::Sint64
            | Kind::Fixed64
            | Kind::Float
            | Kind::Enum(_) => "",
        }
    }
}

impl Builder {
    fn message<'f>(
        &mut self,
        suffix: &str,
        fields: impl Iterator<Item = (&'f str, &'f SqlType)>,
    ) -> Message {
        self.messages += 1;
        let name = format!("{DEFAULT_NAME}{}{suffix}", self.messages);
        let is_entry = !suffix.is_empty();
        let fields = fields.enumerate();
        let fields = fields.map(|(index, (name, ty))| self.field(index, name, ty, is_entry));
        let fields = fields.collect();
        Message { name, fields, oneofs: Vec::new() }
    }

    /// A field. Those of a map's entries are never optional.
    fn field(&mut self, index: usize, name: &str, ty: &SqlType, is_entry: bool) -> Field {
        let (kind, is_repeated) = match ty {
            SqlType::Array(item) => match &**item {
                SqlType::Array(_) => (Kind::Unwritable(Unwritable::NestedArray), true),
                SqlType::Map(..) => (Kind::Unwritable(Unwritable::MapInArray), true),
                item => (self.kind(item), true),
            },
            SqlType::Map(..) => (self.kind(ty), true),
            ty => (self.kind(ty), false),
        };
        let presence = match self.nullable {
            Some(NullableRepresentation::Wrapper) if kind.is_scalar() => Presence::Wrapper,
            Some(NullableRepresentation::Optional) if !is_repeated && !is_entry => {
                Presence::Optional
            }
            _ => Presence::Implicit,
        };
        let number = index as u32 + 1;
        Field {
            name: name.into(),
            number,
            oneof: None,
            column: index,
            kind,
            presence,
            is_repeated,
            is_required: false,
        }
    }

    fn kind(&mut self, ty: &SqlType) -> Kind {
        match ty {
            SqlType::Boolean => Kind::Bool,
            SqlType::Int => Kind::Int32,
            SqlType::Bigint => Kind::Int64,
            SqlType::Double => Kind::Double,
            SqlType::Decimal { precision, scale } => {
                Kind::Decimal { precision: *precision, scale: *scale }
            }
            SqlType::String => Kind::String,
            SqlType::Bytes => Kind::Bytes,
            SqlType::Date => Kind::Date,
            SqlType::Time => Kind::TimeOfDay,
            SqlType::Timestamp => Kind::Timestamp,
            SqlType::Struct(ty) => {
                let fields = ty.fields.iter().map(|field| (&*field.name, &field.ty));
                Kind::Message(self.message("", fields))
            }
            SqlType::Map(key, value) => {
                let fields = [("key", &**key), ("value", &**value)];
                Kind::Entries(Box::new(self.message("Entry", fields.into_iter())))
            }
            SqlType::Array(_) => Kind::Unwritable(Unwritable::NestedArray),
        }
    }
}
