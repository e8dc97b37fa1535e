//! The text of a file, as the registry writes it: messages before enums, two spaces for each level, no comments.

use std::fmt::Write;

use prost_types::field_descriptor_proto::{Label, Type};
use prost_types::{
    DescriptorProto, EnumDescriptorProto, FieldDescriptorProto, FileDescriptorProto,
    ServiceDescriptorProto,
};

use super::{is_map_entry, options};

/// The highest number that a field may have.
const NUMBER_MAX: i32 = 536_870_911;

/// The text of a file.
pub(super) fn file(file: &FileDescriptorProto) -> String {
    let mut text = String::new();
    // A descriptor does not say whether the syntax was left out, and without one it is `proto2`.
    let syntax = Some(file.syntax()).filter(|syntax| !syntax.is_empty()).unwrap_or("proto2");
    let _ = writeln!(text, "syntax = \"{syntax}\";");
    if file.package.is_some() {
        let _ = writeln!(text, "package {};", file.package());
    }
    imports(file, &mut text);
    block(&mut text, &options::of_file(file));
    for message in &file.message_type {
        text.push('\n');
        text.push_str(&self::message(message, syntax == "proto2"));
    }
    for found in &file.enum_type {
        text.push('\n');
        text.push_str(&enumeration(found));
    }
    extensions(&file.extension, syntax == "proto2", &mut text);
    for service in &file.service {
        text.push('\n');
        text.push_str(&self::service(service));
    }
    text
}

fn imports(file: &FileDescriptorProto, text: &mut String) {
    let is_in = |list: &[i32], index: usize| list.iter().any(|listed| *listed as usize == index);
    let of = |is_public: bool| {
        let all = file.dependency.iter().enumerate();
        all.filter(move |(index, _)| is_in(&file.public_dependency, *index) == is_public)
    };
    if !file.dependency.is_empty() {
        text.push('\n');
    }
    for (_, import) in of(false) {
        let _ = writeln!(text, "import \"{import}\";");
    }
    for (_, import) in of(true) {
        let _ = writeln!(text, "import public \"{import}\";");
    }
}

/// Options as statements, with a blank line before them.
fn block(text: &mut String, options: &[String]) {
    if options.is_empty() {
        return;
    }
    text.push('\n');
    for option in options {
        let _ = writeln!(text, "option {option};");
    }
}

fn message(message: &DescriptorProto, has_labels: bool) -> String {
    let mut parts = Vec::new();
    let mut reserved = String::new();
    for range in &message.reserved_range {
        let _ = writeln!(reserved, "reserved {};", range_text(range.start(), range.end() - 1));
    }
    for name in &message.reserved_name {
        let _ = writeln!(reserved, "reserved \"{name}\";");
    }
    parts.push(reserved);
    let mut options = String::new();
    for option in options::of_message(message) {
        let _ = writeln!(options, "option {option};");
    }
    parts.push(options);
    parts.push(fields(message, has_labels));
    parts.push(oneofs(message));
    let mut ranges = String::new();
    for range in &message.extension_range {
        let _ = writeln!(ranges, "extensions {};", range_text(range.start(), range.end() - 1));
    }
    parts.push(ranges);
    let mut extended = String::new();
    extensions(&message.extension, has_labels, &mut extended);
    parts.push(extended.trim_start_matches('\n').to_owned());
    let nested = message.nested_type.iter().filter(|nested| !is_map_entry(nested));
    parts.extend(nested.map(|nested| self::message(nested, has_labels)));
    parts.extend(message.enum_type.iter().map(enumeration));
    body(&format!("message {}", message.name()), &parts)
}

/// A head, braces, and parts with a blank line between them.
fn body(head: &str, parts: &[String]) -> String {
    let mut text = format!("{head} {{");
    let parts: Vec<&String> = parts.iter().filter(|part| !part.is_empty()).collect();
    for part in &parts {
        text.push('\n');
        indent(part, &mut text);
    }
    if parts.is_empty() {
        // Nothing stands between the braces, not even a line's end.
        return text + "}\n";
    }
    text + "}\n"
}

fn fields(message: &DescriptorProto, has_labels: bool) -> String {
    let alone =
        message.field.iter().filter(|field| field.oneof_index.is_none() || field.proto3_optional());
    alone.map(|field| self::field(field, Some(message), has_labels)).collect()
}

fn oneofs(message: &DescriptorProto) -> String {
    let mut text = String::new();
    for (index, oneof) in message.oneof_decl.iter().enumerate() {
        let fields = message
            .field
            .iter()
            .filter(|field| field.oneof_index == Some(index as i32) && !field.proto3_optional());
        let inner: String = fields.map(|field| self::field(field, None, false)).collect();
        if !inner.is_empty() {
            text.push_str(&body(&format!("oneof {}", oneof.name()), &[inner]));
        }
    }
    text
}

/// A field; what stands in a `oneof` or extends another message has no message to look up maps in.
fn field(
    field: &FieldDescriptorProto,
    message: Option<&DescriptorProto>,
    has_labels: bool,
) -> String {
    let entry = message.and_then(|message| map_entry(field, message));
    let label = match field.label() {
        _ if entry.is_some() => "",
        Label::Repeated => "repeated ",
        Label::Required => "required ",
        Label::Optional if has_labels || field.proto3_optional() => "optional ",
        Label::Optional => "",
    };
    let ty = match entry {
        Some(DescriptorProto { field: entry, .. }) if entry.len() == 2 => {
            format!("map<{}, {}>", type_name(&entry[0]), type_name(&entry[1]))
        }
        _ => type_name(field),
    };
    let options = list(&options::of_field(field));
    format!("{label}{ty} {} = {}{options};\n", field.name(), field.number())
}

/// The entry of a map that a field is, by the name that compilers give it.
fn map_entry<'m>(
    field: &FieldDescriptorProto,
    message: &'m DescriptorProto,
) -> Option<&'m DescriptorProto> {
    let name = field.type_name().rsplit('.').next()?;
    message.nested_type.iter().find(|nested| is_map_entry(nested) && nested.name() == name)
}

fn type_name(field: &FieldDescriptorProto) -> String {
    if let Some(name) = &field.type_name {
        return name.clone();
    }
    match field.r#type() {
        Type::Double => "double",
        Type::Float => "float",
        Type::Int64 => "int64",
        Type::Uint64 => "uint64",
        Type::Int32 => "int32",
        Type::Fixed64 => "fixed64",
        Type::Fixed32 => "fixed32",
        Type::Bool => "bool",
        Type::String => "string",
        Type::Bytes => "bytes",
        Type::Uint32 => "uint32",
        Type::Sfixed32 => "sfixed32",
        Type::Sfixed64 => "sfixed64",
        Type::Sint32 => "sint32",
        Type::Sint64 => "sint64",
        Type::Group | Type::Message | Type::Enum => "",
    }
    .to_owned()
}

/// Options behind a field.
fn list(options: &[String]) -> String {
    match options {
        [] => String::new(),
        [option] => format!(" [{option}]"),
        several => {
            let mut text = String::from(" [\n");
            indent(&(several.join(",\n") + "\n"), &mut text);
            text + "]"
        }
    }
}

fn enumeration(found: &EnumDescriptorProto) -> String {
    let mut parts = Vec::new();
    let mut reserved = String::new();
    for range in &found.reserved_range {
        let _ = writeln!(reserved, "reserved {};", range_text(range.start(), range.end()));
    }
    for name in &found.reserved_name {
        let _ = writeln!(reserved, "reserved \"{name}\";");
    }
    parts.push(reserved);
    let mut text = String::new();
    for option in options::of_enum(found) {
        let _ = writeln!(text, "option {option};");
    }
    for value in &found.value {
        let options = list(&options::of_value(value));
        let _ = writeln!(text, "{} = {}{options};", value.name(), value.number());
    }
    parts.push(text);
    body(&format!("enum {}", found.name()), &parts)
}

fn service(service: &ServiceDescriptorProto) -> String {
    let mut text = String::new();
    for method in &service.method {
        let stream = |is_stream: bool| if is_stream { "stream " } else { "" };
        let _ = writeln!(
            text,
            "rpc {} ({}{}) returns ({}{});",
            method.name(),
            stream(method.client_streaming()),
            method.input_type(),
            stream(method.server_streaming()),
            method.output_type()
        );
    }
    body(&format!("service {}", service.name()), &[text])
}

fn extensions(fields: &[FieldDescriptorProto], has_labels: bool, text: &mut String) {
    let mut extended: Vec<&str> = fields.iter().map(FieldDescriptorProto::extendee).collect();
    extended.dedup();
    for name in extended {
        let inner = fields.iter().filter(|field| field.extendee() == name);
        let inner: String = inner.map(|field| self::field(field, None, has_labels)).collect();
        text.push('\n');
        text.push_str(&body(&format!("extend {name}"), &[inner]));
    }
}

fn range_text(first: i32, last: i32) -> String {
    match last {
        _ if first == last => first.to_string(),
        NUMBER_MAX | i32::MAX => format!("{first} to max"),
        _ => format!("{first} to {last}"),
    }
}

fn indent(lines: &str, text: &mut String) {
    for line in lines.lines() {
        if line.is_empty() {
            text.push('\n');
        } else {
            let _ = writeln!(text, "  {line}");
        }
    }
}
