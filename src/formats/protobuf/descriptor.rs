//! Messages of a schema of the registry: its types by name, found across the files that it imports.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::schema::{Field, Kind, Message, Presence};
use super::text::{EnumDef, FieldDef, Label, MessageDef, ProtoFile, TypeDef, parse, well_known};
use crate::formats::connect::DECIMAL_PRECISION;
use crate::registry::schema::ResolvedSchema;

/// Why a schema cannot be used, in Java's words where there are any.
type SchemaError = String;

/// A schema: its messages, and the types that these may have.
#[derive(Debug)]
pub(in crate::formats) struct Descriptor {
    file: ProtoFile,
    types: BTreeMap<String, Type>,
}

/// What the name of a type means.
pub(super) enum Meant<'d> {
    Enum(&'d EnumDef),
    /// A message, by its full name.
    Message(String),
}

#[derive(Clone, Debug)]
enum Type {
    Message { def: Arc<MessageDef>, is_proto3: bool },
    Enum(Arc<EnumDef>),
}

impl Descriptor {
    pub(in crate::formats) fn new(schema: &ResolvedSchema) -> Result<Self, SchemaError> {
        let mut descriptor = Self { file: parse(&schema.text)?, types: BTreeMap::new() };
        for import in &schema.imports {
            descriptor.add_file(&parse(&import.text)?);
        }
        let file = descriptor.file.clone();
        descriptor.add_file(&file);
        Ok(descriptor)
    }

    fn add_file(&mut self, file: &ProtoFile) {
        for import in &file.imports {
            if let Some(Ok(known)) = well_known(import).map(parse) {
                self.add_file(&known);
            }
        }
        let prefix =
            if file.package.is_empty() { String::new() } else { format!("{}.", file.package) };
        self.add_types(&prefix, &file.messages, &file.enums, file.is_proto3);
    }

    fn add_types(
        &mut self,
        prefix: &str,
        messages: &[MessageDef],
        enums: &[EnumDef],
        is_proto3: bool,
    ) {
        for found in enums {
            let name = format!("{prefix}{}", found.name);
            self.types.insert(name, Type::Enum(Arc::new(found.clone())));
        }
        for message in messages {
            let name = format!("{prefix}{}", message.name);
            self.add_types(&format!("{name}."), &message.messages, &message.enums, is_proto3);
            self.types.insert(name, Type::Message { def: Arc::new(message.clone()), is_proto3 });
        }
    }

    /// The full names of the messages at the top, in their order.
    pub(super) fn top_names(&self) -> impl Iterator<Item = String> {
        self.file.messages.iter().map(|message| self.full_name(&message.name))
    }

    fn full_name(&self, name: &str) -> String {
        match self.file.package.as_str() {
            "" => name.to_owned(),
            package => format!("{package}.{name}"),
        }
    }

    /// The full name of the message that `name` means, with or without its package.
    pub(super) fn find(&self, name: &str) -> Option<String> {
        let names = [name.to_owned(), self.full_name(name)];
        names.into_iter().find(|name| matches!(self.types.get(name), Some(Type::Message { .. })))
    }

    /// The full name of the message that the indexes in front of a record name: among those at the
    /// top, then among those that stand in it, and so on.
    pub(super) fn at(&self, indexes: &[i64]) -> Option<String> {
        let mut messages = self.file.messages.iter().collect::<Vec<_>>();
        let mut name = String::new();
        for index in indexes {
            let message = *usize::try_from(*index).ok().and_then(|index| messages.get(index))?;
            name = if name.is_empty() {
                self.full_name(&message.name)
            } else {
                format!("{name}.{}", message.name)
            };
            messages = message.messages.iter().collect();
        }
        (!name.is_empty()).then_some(name)
    }

    /// The name and the definition of the message with a full name, and whether it is of the language's third version.
    pub(super) fn definition(&self, name: &str) -> Option<(&str, &MessageDef, bool)> {
        match self.types.get_key_value(name)? {
            (name, Type::Message { def, is_proto3 }) => Some((name, def, *is_proto3)),
            (_, Type::Enum(_)) => None,
        }
    }

    /// What a name means in the message called `scope`.
    pub(super) fn meant(&self, name: &str, scope: &str) -> Option<Meant<'_>> {
        let full = resolve(&self.types, name, scope)?;
        Some(match self.types.get(&full)? {
            Type::Enum(def) => Meant::Enum(def),
            Type::Message { .. } => Meant::Message(full),
        })
    }

    /// The message with a full name. One that contains itself has no columns.
    pub(super) fn message(&self, name: &str) -> Result<Message, SchemaError> {
        Builder { types: &self.types, open: Vec::new() }.message(name)
    }
}

struct Builder<'t> {
    types: &'t BTreeMap<String, Type>,
    /// The messages that are being built.
    open: Vec<String>,
}

impl Builder<'_> {
    fn message(&mut self, name: &str) -> Result<Message, SchemaError> {
        if self.open.iter().any(|open| open == name) {
            return Err("java.lang.StackOverflowError".to_owned());
        }
        let Some(Type::Message { def, is_proto3 }) = self.types.get(name) else {
            return Err(format!("\"{name}\" is not defined."));
        };
        self.open.push(name.to_owned());
        let fields = def.fields.iter().map(|field| self.field(field, name, *is_proto3));
        let fields = fields.collect::<Result<_, _>>()?;
        self.open.pop();
        Ok(Message { name: name.to_owned(), fields, oneofs: def.oneofs.clone() })
    }

    fn field(
        &mut self,
        def: &FieldDef,
        scope: &str,
        is_proto3: bool,
    ) -> Result<Field, SchemaError> {
        let mut field = Field {
            name: def.name.clone(),
            number: def.number,
            oneof: def.oneof,
            column: 0,
            kind: Kind::Bool,
            presence: presence(def, is_proto3),
            is_repeated: def.label == Label::Repeated,
            is_required: def.label == Label::Required,
        };
        match &def.ty {
            TypeDef::Map(key, value) => {
                let mut part = |name: &str, number: u32, ty: &String| {
                    let ty = TypeDef::Named(ty.clone());
                    let def = FieldDef {
                        name: name.to_owned(),
                        number,
                        label: Label::None,
                        ty,
                        oneof: None,
                        parameters: Vec::new(),
                    };
                    self.field(&def, scope, true)
                };
                let fields = vec![part("key", 1, key)?, part("value", 2, value)?];
                field.kind = Kind::Entries(Box::new(Message { fields, ..Message::default() }));
                field.is_repeated = true;
            }
            TypeDef::Named(name) => match scalar(name) {
                Some(kind) => field.kind = kind,
                None => self.named(name, scope, def, &mut field)?,
            },
        }
        Ok(field)
    }

    /// Gives a field the type that a name stands for.
    fn named(
        &mut self,
        name: &str,
        scope: &str,
        def: &FieldDef,
        field: &mut Field,
    ) -> Result<(), SchemaError> {
        let full = resolve(self.types, name, scope);
        let full = full.ok_or_else(|| format!("\"{name}\" is not defined."))?;
        if let Some(kind) = wrapped(&full) {
            (field.kind, field.presence) = (kind, Presence::Wrapper);
            return Ok(());
        }
        field.kind = match full.as_str() {
            "google.protobuf.Timestamp" => Kind::Timestamp,
            "google.type.Date" => Kind::Date,
            "google.type.TimeOfDay" => Kind::TimeOfDay,
            "confluent.type.Decimal" => {
                let number = |name: &str| {
                    let found = def.parameters.iter().find(|(key, _)| key == name);
                    found.and_then(|(_, value)| value.parse().ok())
                };
                Kind::Decimal {
                    precision: number("precision").unwrap_or(DECIMAL_PRECISION),
                    scale: number("scale").unwrap_or(0),
                }
            }
            _ => self.other(&full, field.is_repeated)?,
        };
        Ok(())
    }

    /// The kind of an enum, or of a message that has no column of its own kind.
    fn other(&mut self, full: &str, is_repeated: bool) -> Result<Kind, SchemaError> {
        if let Some(Type::Enum(found)) = self.types.get(full) {
            return Ok(Kind::Enum(Arc::clone(found)));
        }
        let message = self.message(full)?;
        let is_map = is_repeated && is_entry(full, &message);
        Ok(if is_map { Kind::Entries(Box::new(message)) } else { Kind::Message(message) })
    }
}

/// The full name of what a name means in the message called `scope`: looked for from the inside out.
fn resolve(types: &BTreeMap<String, Type>, name: &str, scope: &str) -> Option<String> {
    if let Some(full) = name.strip_prefix('.') {
        return types.contains_key(full).then(|| full.to_owned());
    }
    let mut scope = Some(scope);
    while let Some(around) = scope {
        let full = format!("{around}.{name}");
        if types.contains_key(&full) {
            return Some(full);
        }
        scope = around.rsplit_once('.').map(|(outer, _)| outer);
    }
    types.contains_key(name).then(|| name.to_owned())
}

/// How a field is absent.
fn presence(def: &FieldDef, is_proto3: bool) -> Presence {
    let is_implicit = is_proto3 && def.label != Label::Optional && def.oneof.is_none();
    if is_implicit || def.label == Label::Repeated {
        Presence::Implicit
    } else {
        Presence::Optional
    }
}

/// Whether the values of a list are what Kafka Connect writes for a map.
fn is_entry(name: &str, message: &Message) -> bool {
    let is = |index: usize, name: &str| {
        message.fields.get(index).is_some_and(|field| field.name == name && !field.is_repeated)
    };
    name.ends_with("Entry") && message.fields.len() == 2 && is(0, "key") && is(1, "value")
}

fn scalar(name: &str) -> Option<Kind> {
    Some(match name {
        "int32" => Kind::Int32,
        "int64" | "uint64" => Kind::Int64,
        "uint32" => Kind::Uint32,
        "sint32" => Kind::Sint32,
        "sint64" => Kind::Sint64,
        "fixed32" => Kind::Fixed32,
        "sfixed32" => Kind::Sfixed32,
        "fixed64" | "sfixed64" => Kind::Fixed64,
        "float" => Kind::Float,
        "double" => Kind::Double,
        "bool" => Kind::Bool,
        "string" => Kind::String,
        "bytes" => Kind::Bytes,
        _ => return None,
    })
}

/// What a message of `google.protobuf` wraps.
fn wrapped(name: &str) -> Option<Kind> {
    Some(match name.strip_prefix("google.protobuf.")? {
        "Int32Value" => Kind::Int32,
        "Int64Value" | "UInt64Value" => Kind::Int64,
        "UInt32Value" => Kind::Uint32,
        "FloatValue" => Kind::Float,
        "DoubleValue" => Kind::Double,
        "BoolValue" => Kind::Bool,
        "StringValue" => Kind::String,
        "BytesValue" => Kind::Bytes,
        _ => return None,
    })
}
