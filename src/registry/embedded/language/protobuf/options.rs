//! Options, as `name = value`. Those of a text are as they were written, those of a descriptor are interpreted.

use std::fmt::Write;

use prost_types::{
    DescriptorProto, EnumDescriptorProto, EnumValueDescriptorProto, FieldDescriptorProto,
    FileDescriptorProto, UninterpretedOption,
};

pub(super) fn of_file(file: &FileDescriptorProto) -> Vec<String> {
    let Some(options) = &file.options else { return Vec::new() };
    let texts = [
        ("java_package", &options.java_package),
        ("java_outer_classname", &options.java_outer_classname),
        ("go_package", &options.go_package),
        ("objc_class_prefix", &options.objc_class_prefix),
        ("csharp_namespace", &options.csharp_namespace),
        ("php_namespace", &options.php_namespace),
        ("ruby_package", &options.ruby_package),
    ];
    let mut all: Vec<String> = texts
        .iter()
        .filter_map(|(name, value)| {
            Some(format!("{name} = {}", quoted(value.as_ref()?.as_bytes())))
        })
        .collect();
    let flags = [
        ("java_multiple_files", options.java_multiple_files),
        ("cc_enable_arenas", options.cc_enable_arenas),
        ("deprecated", options.deprecated),
    ];
    all.extend(flags.iter().filter_map(|(name, value)| flag(name, *value)));
    all.extend(options.uninterpreted_option.iter().map(option));
    all
}

pub(super) fn of_message(message: &DescriptorProto) -> Vec<String> {
    let Some(options) = &message.options else { return Vec::new() };
    let mut all: Vec<String> = flag("deprecated", options.deprecated).into_iter().collect();
    all.extend(options.uninterpreted_option.iter().map(option));
    all
}

pub(super) fn of_field(field: &FieldDescriptorProto) -> Vec<String> {
    let mut all = Vec::new();
    if let Some(default) = &field.default_value {
        let is_text = field.r#type() == prost_types::field_descriptor_proto::Type::String;
        let default = match field.r#type {
            Some(_) if is_text => quoted(default.as_bytes()),
            _ => default.clone(),
        };
        all.push(format!("default = {default}"));
    }
    if let Some(name) = &field.json_name {
        // A descriptor has one for each field, and a text only those that somebody chose.
        if *name != json_name(field.name()) {
            all.push(format!("json_name = {}", quoted(name.as_bytes())));
        }
    }
    let Some(options) = &field.options else { return all };
    all.extend(flag("packed", options.packed));
    all.extend(flag("deprecated", options.deprecated));
    all.extend(options.uninterpreted_option.iter().map(option));
    all
}

pub(super) fn of_enum(found: &EnumDescriptorProto) -> Vec<String> {
    let Some(options) = &found.options else { return Vec::new() };
    let flags = [("allow_alias", options.allow_alias), ("deprecated", options.deprecated)];
    let mut all: Vec<String> =
        flags.iter().filter_map(|(name, value)| flag(name, *value)).collect();
    all.extend(options.uninterpreted_option.iter().map(option));
    all
}

pub(super) fn of_value(value: &EnumValueDescriptorProto) -> Vec<String> {
    let Some(options) = &value.options else { return Vec::new() };
    let mut all: Vec<String> = flag("deprecated", options.deprecated).into_iter().collect();
    all.extend(options.uninterpreted_option.iter().map(option));
    all
}

/// Takes out the options that only a compiler could interpret: a descriptor with them is none that is finished.
pub(super) fn drop_uninterpreted(file: &mut FileDescriptorProto) {
    if let Some(options) = &mut file.options {
        options.uninterpreted_option.clear();
    }
    file.message_type.iter_mut().for_each(drop_in_message);
    file.enum_type.iter_mut().for_each(drop_in_enum);
    file.extension.iter_mut().for_each(drop_in_field);
    for service in &mut file.service {
        service.options = None;
        service.method.iter_mut().for_each(|method| method.options = None);
    }
}

fn drop_in_message(message: &mut DescriptorProto) {
    if let Some(options) = &mut message.options {
        options.uninterpreted_option.clear();
    }
    message.field.iter_mut().for_each(drop_in_field);
    message.extension.iter_mut().for_each(drop_in_field);
    message.nested_type.iter_mut().for_each(drop_in_message);
    message.enum_type.iter_mut().for_each(drop_in_enum);
    message.oneof_decl.iter_mut().for_each(|oneof| oneof.options = None);
    message.extension_range.iter_mut().for_each(|range| range.options = None);
}

fn drop_in_field(field: &mut FieldDescriptorProto) {
    if let Some(options) = &mut field.options {
        let packed = options.uninterpreted_option.iter().find(|option| is_called(option, "packed"));
        if let Some(packed) = packed {
            options.packed = Some(packed.identifier_value() == "true");
        }
        options.uninterpreted_option.clear();
    }
}

fn drop_in_enum(found: &mut EnumDescriptorProto) {
    if let Some(options) = &mut found.options {
        let alias =
            options.uninterpreted_option.iter().find(|option| is_called(option, "allow_alias"));
        if let Some(alias) = alias {
            options.allow_alias = Some(alias.identifier_value() == "true");
        }
        options.uninterpreted_option.clear();
    }
    found.value.iter_mut().for_each(|value| value.options = None);
}

fn is_called(option: &UninterpretedOption, name: &str) -> bool {
    matches!(&*option.name, [part] if !part.is_extension && part.name_part == name)
}

fn flag(name: &str, value: Option<bool>) -> Option<String> {
    value.map(|value| format!("{name} = {value}"))
}

fn option(option: &UninterpretedOption) -> String {
    let parts: Vec<String> = option
        .name
        .iter()
        .map(|part| {
            if part.is_extension { format!("({})", part.name_part) } else { part.name_part.clone() }
        })
        .collect();
    format!("{} = {}", parts.join("."), value(option))
}

fn value(option: &UninterpretedOption) -> String {
    if let Some(name) = &option.identifier_value {
        return name.clone();
    }
    if let Some(text) = &option.string_value {
        return quoted(text);
    }
    if let Some(text) = &option.aggregate_value {
        return aggregate(text);
    }
    let number = option.positive_int_value.map(|number| number.to_string());
    let number = number.or(option.negative_int_value.map(|number| number.to_string()));
    number.or(option.double_value.map(|number| number.to_string())).unwrap_or_default()
}

/// A message in Protobuf's text format, a line for each of its fields.
fn aggregate(text: &str) -> String {
    let mut out = String::from("{");
    let mut open = vec!['}'];
    // Whether the next word begins a line.
    let mut is_new = true;
    for word in words(text) {
        match &*word {
            "{" | "<" | "[" => {
                begin(&mut out, &mut is_new, open.len());
                out.push(if word == "[" { '[' } else { '{' });
                open.push(if word == "[" { ']' } else { '}' });
                is_new = true;
            }
            "}" | ">" | "]" => {
                let close = if open.len() > 1 { open.pop() } else { None };
                let _ = write!(out, "\n{}", "  ".repeat(open.len()));
                out.push(close.unwrap_or('}'));
                is_new = false;
            }
            "," | ";" => {
                out.push(',');
                is_new = true;
            }
            ":" => out.push_str(": "),
            word => {
                // A field may follow another without a comma between them.
                if !is_new && !out.ends_with(": ") {
                    out.push(',');
                    is_new = true;
                }
                begin(&mut out, &mut is_new, open.len());
                out.push_str(word);
            }
        }
    }
    out + "\n}"
}

fn begin(out: &mut String, is_new: &mut bool, depth: usize) {
    if std::mem::take(is_new) {
        let _ = write!(out, "\n{}", "  ".repeat(depth));
    }
}

/// The words of a text format: strings, signs, and what stands between them.
fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        if letter.is_whitespace() {
            continue;
        }
        let mut word = String::from(letter);
        if letter == '"' || letter == '\'' {
            while let Some(next) = letters.next() {
                word.push(next);
                match next {
                    '\\' => word.extend(letters.next()),
                    next if next == letter => break,
                    _ => {}
                }
            }
        } else if !is_sign(letter) {
            while let Some(next) = letters.next_if(|next| {
                !next.is_whitespace() && !is_sign(*next) && *next != '"' && *next != '\''
            }) {
                word.push(next);
            }
        }
        words.push(word);
    }
    words
}

fn is_sign(letter: char) -> bool {
    matches!(letter, '{' | '}' | '[' | ']' | '<' | '>' | ',' | ';' | ':')
}

fn quoted(bytes: &[u8]) -> String {
    let mut text = String::from("\"");
    for letter in String::from_utf8_lossy(bytes).chars() {
        match letter {
            '"' | '\\' => {
                text.push('\\');
                text.push(letter);
            }
            '\n' => text.push_str("\\n"),
            '\t' => text.push_str("\\t"),
            '\r' => text.push_str("\\r"),
            letter => text.push(letter),
        }
    }
    text + "\""
}

/// The name that a field has in JSON unless it says otherwise.
fn json_name(name: &str) -> String {
    let mut json = String::with_capacity(name.len());
    let mut is_upper = false;
    for letter in name.chars() {
        match letter {
            '_' => is_upper = true,
            letter if std::mem::take(&mut is_upper) => json.push(letter.to_ascii_uppercase()),
            letter => json.push(letter),
        }
    }
    json
}
