//! Which type a name means: the innermost scope first, as in C++.

use std::collections::HashMap;
use std::sync::Arc;

use prost_types::field_descriptor_proto::Type;
use prost_types::{
    DescriptorProto, EnumDescriptorProto, FieldDescriptorProto, FileDescriptorProto,
};

use super::DEPTH_MAX;

/// Directories whose files come with every compiler, and the package of their types.
const KNOWN: [(&str, &str); 4] = [
    ("google/protobuf/", "google.protobuf"),
    ("google/type/", "google.type"),
    ("confluent/type/", "confluent.type"),
    ("confluent/", "confluent"),
];
/// The enums among them.
const KNOWN_ENUMS: [&str; 4] = [
    "google.protobuf.NullValue",
    "google.type.CalendarPeriod",
    "google.type.DayOfWeek",
    "google.type.Month",
];

/// What a name stands for.
#[derive(Clone, Debug)]
pub(super) enum Found {
    /// A message, with the package that it stands in.
    Message {
        package: String,
        message: Arc<DescriptorProto>,
    },
    Enum,
    /// A message of a file that comes with every compiler.
    Known,
}

/// All types of a file and of what it imports, by their full names.
#[derive(Debug)]
pub(super) struct Types {
    by_name: HashMap<String, Found>,
    known: Vec<&'static str>,
}

impl Types {
    pub(super) fn of(
        file: &FileDescriptorProto,
        imports: &[FileDescriptorProto],
    ) -> Result<Self, String> {
        let mut types = Self { by_name: HashMap::new(), known: Vec::new() };
        for import in &file.dependency {
            let is_given = imports.iter().any(|given| given.name() == import);
            let known = KNOWN.iter().find(|(directory, _)| import.starts_with(directory));
            match known {
                _ if is_given => {}
                Some((_, package)) => types.known.push(package),
                None => return Err(format!("could not find import {import}")),
            }
        }
        for import in imports {
            types.add_file(import)?;
            let known = import.dependency.iter().filter_map(|import| {
                KNOWN.iter().find(|(directory, _)| import.starts_with(directory))
            });
            types.known.extend(known.map(|(_, package)| *package));
        }
        types.add_file(file)?;
        Ok(types)
    }

    fn add_file(&mut self, file: &FileDescriptorProto) -> Result<(), String> {
        let package = file.package();
        for message in &file.message_type {
            self.add_message(package, package, message, 0)?;
        }
        self.add_enums(package, &file.enum_type)
    }

    fn add_message(
        &mut self,
        package: &str,
        scope: &str,
        message: &DescriptorProto,
        depth: usize,
    ) -> Result<(), String> {
        if depth > DEPTH_MAX {
            return Err(format!("messages nest deeper than {DEPTH_MAX}"));
        }
        let name = join(scope, message.name());
        for nested in &message.nested_type {
            self.add_message(package, &name, nested, depth + 1)?;
        }
        self.add_enums(&name, &message.enum_type)?;
        let found =
            Found::Message { package: package.to_owned(), message: Arc::new(message.clone()) };
        self.add(name, found)
    }

    fn add_enums(&mut self, scope: &str, enums: &[EnumDescriptorProto]) -> Result<(), String> {
        enums.iter().try_for_each(|found| self.add(join(scope, found.name()), Found::Enum))
    }

    fn add(&mut self, name: String, found: Found) -> Result<(), String> {
        if self.by_name.contains_key(&name) {
            return Err(format!("{name} is already defined"));
        }
        self.by_name.insert(name, found);
        Ok(())
    }

    /// What a name means within a scope, with its full name.
    pub(super) fn find(&self, name: &str, scope: &str) -> Option<(String, Found)> {
        if let Some(full) = name.strip_prefix('.') {
            return self.get(full).map(|found| (full.to_owned(), found));
        }
        let mut scope = scope;
        loop {
            let full = join(scope, name);
            if let Some(found) = self.get(&full) {
                return Some((full, found));
            }
            if scope.is_empty() {
                return None;
            }
            scope = scope.rsplit_once('.').map_or("", |(outer, _)| outer);
        }
    }

    fn get(&self, full: &str) -> Option<Found> {
        if let Some(found) = self.by_name.get(full) {
            return Some(found.clone());
        }
        let (package, name) = full.rsplit_once('.')?;
        let is_type = name.starts_with(|letter: char| letter.is_ascii_uppercase());
        let is_known = is_type && self.known.contains(&package);
        is_known.then(|| if KNOWN_ENUMS.contains(&full) { Found::Enum } else { Found::Known })
    }

    /// Whether all types that a file names are known, and numbers and names are given once.
    pub(super) fn check(&self, file: &FileDescriptorProto) -> Result<(), String> {
        let package = file.package();
        file.message_type.iter().try_for_each(|message| self.check_message(message, package))?;
        for service in &file.service {
            for method in &service.method {
                for name in [method.input_type(), method.output_type()] {
                    self.find(name, package).ok_or_else(|| unknown(name))?;
                }
            }
        }
        Ok(())
    }

    fn check_message(&self, message: &DescriptorProto, scope: &str) -> Result<(), String> {
        let scope = join(scope, message.name());
        let mut numbers = std::collections::HashSet::new();
        let mut names = std::collections::HashSet::new();
        for field in &message.field {
            if field.r#type.is_none() || field.type_name.is_some() {
                self.find(field.type_name(), &scope).ok_or_else(|| unknown(field.type_name()))?;
            }
            if !numbers.insert(field.number()) {
                return Err(format!("{scope} has the number {} twice", field.number()));
            }
            if !names.insert(field.name()) {
                return Err(format!("{scope} has the field {} twice", field.name()));
            }
        }
        message.nested_type.iter().try_for_each(|nested| self.check_message(nested, &scope))
    }

    /// Writes the full names of types into the fields of a message, and whether they are messages or enums.
    pub(super) fn qualify(&self, message: &mut DescriptorProto, scope: &str) {
        let scope = join(scope, message.name());
        for field in &mut message.field {
            self.qualify_field(field, &scope);
        }
        for nested in &mut message.nested_type {
            self.qualify(nested, &scope);
        }
    }

    fn qualify_field(&self, field: &mut FieldDescriptorProto, scope: &str) {
        let Some(name) = &field.type_name else { return };
        let Some((full, found)) = self.find(name, scope) else { return };
        field.type_name = Some(format!(".{full}"));
        if field.r#type.is_none() {
            field.set_type(match found {
                Found::Enum => Type::Enum,
                Found::Message { .. } | Found::Known => Type::Message,
            });
        }
    }
}

fn unknown(name: &str) -> String {
    format!("unable to resolve {name}")
}

/// A name within a scope.
pub(super) fn join(scope: &str, name: &str) -> String {
    if scope.is_empty() { name.to_owned() } else { format!("{scope}.{name}") }
}
