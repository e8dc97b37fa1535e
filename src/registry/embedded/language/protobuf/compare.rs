//! How two files differ, and which differences a reader can bear, by what bytes on the wire can be read as.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use prost_types::field_descriptor_proto::{Label, Type};
use prost_types::{DescriptorProto, FieldDescriptorProto};

use super::super::{COMPARED_DEPTH_MAX, DIFFERENCES_MAX, Difference, TOO_DEEP};
use super::resolve::{Found, join};
use super::{Schema, is_map_entry};

/// What keeps `reader` from reading what `writer` wrote.
pub(in super::super) fn differences(
    reader: &Schema,
    writer: &Schema,
    names: [&str; 2],
) -> Vec<Difference> {
    let mut comparison = Comparison {
        original: writer,
        update: reader,
        names,
        verdicts: HashMap::new(),
        path: Vec::new(),
        found: Vec::new(),
    };
    if writer.file.package() != reader.file.package() {
        comparison.tell("PACKAGE_CHANGED");
    }
    let scopes = [writer.file.package(), reader.file.package()];
    comparison.lists(&writer.file.message_type, &reader.file.message_type, scopes);
    comparison.found
}

struct Comparison<'a> {
    original: &'a Schema,
    update: &'a Schema,
    names: [&'a str; 2],
    /// Which pairs of messages that are used get on, by their full names. One that is being compared does if the rest does.
    verdicts: HashMap<(String, String), bool>,
    path: Vec<String>,
    found: Vec<Difference>,
}

/// What a field holds.
enum Content {
    Scalar(Scalar),
    /// A map, by the entry's key and value.
    Map(Arc<DescriptorProto>, String),
    Message {
        full: String,
        package: String,
        message: Option<Arc<DescriptorProto>>,
    },
}

/// Groups of types that are read as one another.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Scalar {
    Number,
    Signed,
    Text,
    Fixed32,
    Fixed64,
    Float,
    Double,
}

impl Comparison<'_> {
    fn tell(&mut self, kind: &'static str) {
        if self.found.len() == DIFFERENCES_MAX {
            return;
        }
        let path = format!("#/{}", self.path.join("/"));
        self.found.push(Difference::at(&path, kind, self.names));
    }

    fn within(&mut self, step: &impl ToString, act: impl FnOnce(&mut Self)) {
        self.path.push(step.to_string());
        act(self);
        self.path.pop();
    }

    /// Messages by their names. They may come, and move, but not go.
    fn lists(
        &mut self,
        original: &[DescriptorProto],
        update: &[DescriptorProto],
        scopes: [&str; 2],
    ) {
        for message in original.iter().filter(|message| !is_map_entry(message)) {
            self.within(&message.name(), |comparison| {
                let updated = update.iter().find(|other| other.name() == message.name());
                match updated {
                    Some(updated) => comparison.messages(message, updated, scopes),
                    None => comparison.tell("MESSAGE_REMOVED"),
                }
            });
        }
    }

    fn messages(
        &mut self,
        original: &DescriptorProto,
        update: &DescriptorProto,
        scopes: [&str; 2],
    ) {
        if self.found.len() == DIFFERENCES_MAX {
            return;
        }
        if self.path.len() > COMPARED_DEPTH_MAX {
            return self.tell(TOO_DEEP);
        }
        let scopes = [join(scopes[0], original.name()), join(scopes[1], update.name())];
        let scopes = [&*scopes[0], &*scopes[1]];
        self.oneofs(original, update);
        let old: BTreeMap<i32, &FieldDescriptorProto> =
            original.field.iter().map(|field| (field.number(), field)).collect();
        let new: BTreeMap<i32, &FieldDescriptorProto> =
            update.field.iter().map(|field| (field.number(), field)).collect();
        for (number, field) in &old {
            self.within(number, |comparison| match new.get(number) {
                Some(updated) => comparison.fields(field, updated, scopes),
                None if field.label() == Label::Required => {
                    comparison.tell("REQUIRED_FIELD_REMOVED");
                }
                None => {}
            });
        }
        let added = new.iter().filter(|(number, _)| !old.contains_key(number));
        for (number, field) in added {
            if field.label() == Label::Required {
                self.within(number, |comparison| comparison.tell("REQUIRED_FIELD_ADDED"));
            }
        }
        self.lists(&original.nested_type, &update.nested_type, scopes);
    }

    /// At most one field may move into a `oneof`, and only into a new one; none may leave it.
    fn oneofs(&mut self, original: &DescriptorProto, update: &DescriptorProto) {
        for (index, oneof) in update.oneof_decl.iter().enumerate() {
            let fields = update.field.iter().filter(|field| is_in(field, index));
            let (mut moved, mut stayed) = (0, 0);
            for field in fields {
                let old = original.field.iter().find(|old| old.number() == field.number());
                match old {
                    Some(old) if oneof_of(old).is_some() => stayed += 1,
                    Some(_) => moved += 1,
                    None => {}
                }
            }
            self.within(&oneof.name(), |comparison| match (moved, stayed) {
                (2.., _) => comparison.tell("MULTIPLE_FIELDS_MOVED_TO_ONEOF"),
                (1, 1..) => comparison.tell("FIELD_MOVED_TO_EXISTING_ONEOF"),
                _ => {}
            });
        }
        for (index, oneof) in original.oneof_decl.iter().enumerate() {
            let same = update.oneof_decl.iter().position(|other| other.name() == oneof.name());
            let Some(same) = same else { continue };
            for field in original.field.iter().filter(|field| is_in(field, index)) {
                let mut updated = update.field.iter().filter(|field| is_in(field, same));
                if !updated.any(|other| other.number() == field.number()) {
                    self.within(&oneof.name(), |comparison| {
                        comparison
                            .within(&field.number(), |inner| inner.tell("ONEOF_FIELD_REMOVED"));
                    });
                }
            }
        }
    }

    fn fields(
        &mut self,
        original: &FieldDescriptorProto,
        update: &FieldDescriptorProto,
        scopes: [&str; 2],
    ) {
        let old = content(self.original, original, scopes[0]);
        let new = content(self.update, update, scopes[1]);
        match (old, new) {
            (Content::Scalar(old), Content::Scalar(new)) => {
                if old != new {
                    return self.tell("FIELD_SCALAR_KIND_CHANGED");
                }
                // A list of numbers is packed into one field, a list of texts is a field that comes again. The
                // registry looks only at labels that are written, and so lets a list come where there is none.
                let labels = (label(self.original, original), label(self.update, update));
                let is_changed = matches!(labels, (Some(old), Some(new)) if old != new);
                if old != Scalar::Text && is_changed {
                    self.tell("FIELD_NUMERIC_LABEL_CHANGED");
                }
            }
            (Content::Map(old, old_scope), Content::Map(new, new_scope)) => {
                for (old, new) in old.field.iter().zip(&new.field) {
                    self.fields(old, new, [&old_scope, &new_scope]);
                }
            }
            (
                Content::Message { full: old_full, package: old_package, message: old },
                Content::Message { full: new_full, package: new_package, message: new },
            ) => {
                let old_name = local(&old_full, &old_package);
                let new_name = local(&new_full, &new_package);
                if old_name != new_name {
                    return self.tell("FIELD_NAMED_TYPE_CHANGED");
                }
                if let (Some(old), Some(new)) = (old, new) {
                    self.used((&old_full, &old), (&new_full, &new));
                }
            }
            _ => self.tell("FIELD_KIND_CHANGED"),
        }
    }

    /// Messages that a field uses. Those of the file itself are compared where they stand.
    fn used(&mut self, original: (&str, &DescriptorProto), update: (&str, &DescriptorProto)) {
        let pair = (original.0.to_owned(), update.0.to_owned());
        match self.verdicts.get(&pair) {
            Some(true) => return,
            Some(false) => return self.tell("FIELD_NAMED_TYPE_CHANGED"),
            None => {}
        }
        self.verdicts.insert(pair.clone(), true);
        let before = self.found.len();
        let outer =
            |full: &str| full.rsplit_once('.').map_or(String::new(), |(outer, _)| outer.into());
        let scopes: [String; 2] = [outer(original.0), outer(update.0)];
        self.messages(original.1, update.1, [&scopes[0], &scopes[1]]);
        let gets_on = self.found.len() == before;
        self.verdicts.insert(pair, gets_on);
        if !gets_on {
            self.tell("FIELD_NAMED_TYPE_CHANGED");
        }
    }
}

/// The `oneof` that a field stands in; `optional` is not written as one.
fn oneof_of(field: &FieldDescriptorProto) -> Option<usize> {
    let index = field.oneof_index.filter(|_| !field.proto3_optional());
    index.and_then(|index| usize::try_from(index).ok())
}

fn is_in(field: &FieldDescriptorProto, oneof: usize) -> bool {
    oneof_of(field) == Some(oneof)
}

/// The label that is written before a field.
fn label(schema: &Schema, field: &FieldDescriptorProto) -> Option<Label> {
    let is_proto2 = matches!(schema.file.syntax(), "" | "proto2");
    let is_written = match field.label() {
        Label::Repeated | Label::Required => true,
        Label::Optional => field.proto3_optional() || (is_proto2 && field.oneof_index.is_none()),
    };
    is_written.then(|| field.label())
}

fn local<'n>(full: &'n str, package: &str) -> &'n str {
    let inner = full.strip_prefix(package).and_then(|rest| rest.strip_prefix('.'));
    inner.unwrap_or(full)
}

fn content(schema: &Schema, field: &FieldDescriptorProto, scope: &str) -> Content {
    let scalar = |ty: Type| match ty {
        Type::Int32 | Type::Int64 | Type::Uint32 | Type::Uint64 | Type::Bool | Type::Enum => {
            Some(Scalar::Number)
        }
        Type::Sint32 | Type::Sint64 => Some(Scalar::Signed),
        Type::String | Type::Bytes => Some(Scalar::Text),
        Type::Fixed32 | Type::Sfixed32 => Some(Scalar::Fixed32),
        Type::Fixed64 | Type::Sfixed64 => Some(Scalar::Fixed64),
        Type::Float => Some(Scalar::Float),
        Type::Double => Some(Scalar::Double),
        Type::Message | Type::Group => None,
    };
    let ty = field.r#type.and_then(|ty| Type::try_from(ty).ok());
    if let Some(scalar) = ty.and_then(scalar) {
        return Content::Scalar(scalar);
    }
    let name = field.type_name();
    match schema.types.find(name, scope) {
        Some((_, Found::Enum)) => Content::Scalar(Scalar::Number),
        Some((full, Found::Message { message, .. })) if is_map_entry(&message) => {
            Content::Map(message, full)
        }
        Some((full, Found::Message { package, message })) => {
            Content::Message { full, package, message: Some(message) }
        }
        Some((full, Found::Known)) => {
            Content::Message { full, package: String::new(), message: None }
        }
        None => Content::Message { full: name.to_owned(), package: String::new(), message: None },
    }
}
