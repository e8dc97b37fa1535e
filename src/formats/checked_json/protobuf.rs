//! JSON held against a message of a Protobuf schema.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value as Json;

use super::faults::{Faults, is_whole, is_within};
use crate::formats::json_text::scaled;
use crate::formats::protobuf::{Field, Kind, Message};

pub(super) fn check(message: &Message, json: &Json, faults: &mut Faults) {
    let Json::Object(object) = json else {
        return faults.wanted(format!("a message {}", message.name), json);
    };
    for field in &message.fields {
        match object.get(&field.name) {
            Some(Json::Null) | None if field.is_required => {
                faults.field(&field.name, |faults| faults.add("it is missing"));
            }
            Some(Json::Null) | None => {}
            Some(json) => faults.field(&field.name, |faults| value(field, json, faults)),
        }
    }
    let is_known = |name: &str| message.fields.iter().any(|field| field.name == name);
    for name in object.keys().filter(|name| !is_known(name)) {
        faults.field(name, |faults| {
            faults.add(format!("the message {} has no such field", message.name));
        });
    }
    for (index, name) in message.oneofs.iter().enumerate() {
        let is_set = |field: &&Field| {
            field.oneof == Some(index)
                && object.get(&field.name).is_some_and(|json| !json.is_null())
        };
        if message.fields.iter().filter(is_set).count() > 1 {
            faults.add(format!("more than one field of the choice {name} is there"));
        }
    }
}

fn value(field: &Field, json: &Json, faults: &mut Faults) {
    match (&field.kind, json) {
        (Kind::Entries(entry), Json::Object(entries)) => {
            for (name, json) in entries {
                faults.field(name, |faults| single(&entry.fields[1], json, faults));
            }
        }
        (_, Json::Array(items)) if field.is_repeated => {
            for (index, json) in items.iter().enumerate() {
                faults.item(index, |faults| single(field, json, faults));
            }
        }
        (Kind::Entries(_), json) => faults.wanted("a map", json),
        (_, json) if field.is_repeated => faults.wanted("an array", json),
        (_, json) => single(field, json, faults),
    }
}

fn single(field: &Field, json: &Json, faults: &mut Faults) {
    if let Kind::Message(message) = &field.kind {
        return check(message, json, faults);
    }
    if !is_taken(&field.kind, json) {
        faults.wanted(name(&field.kind), json);
    }
}

fn is_taken(kind: &Kind, json: &Json) -> bool {
    match (kind, json) {
        (Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 | Kind::Date | Kind::TimeOfDay, json) => {
            is_whole(json, i32::MIN.into()..=i32::MAX.into())
        }
        (Kind::Uint32 | Kind::Fixed32, json) => is_whole(json, 0..=u32::MAX.into()),
        (Kind::Int64 | Kind::Sint64 | Kind::Fixed64 | Kind::Timestamp, json) => {
            is_whole(json, i64::MIN.into()..=i64::MAX.into())
        }
        (Kind::Float, json) => is_within(json, f32::MAX.into()),
        (Kind::Double, json) => is_within(json, f64::MAX),
        (Kind::Bool, Json::Bool(_)) | (Kind::String, Json::String(_)) => true,
        (Kind::Bytes, Json::String(text)) => STANDARD.decode(text).is_ok(),
        (Kind::Enum(known), Json::String(text)) => {
            known.values.iter().any(|(name, _)| name == text)
        }
        (Kind::Decimal { scale, .. }, Json::Number(_) | Json::String(_)) => {
            scaled(json, *scale as i32).is_some()
        }
        _ => false,
    }
}

fn name(kind: &Kind) -> String {
    let name = match kind {
        Kind::Enum(known) => {
            let names: Vec<_> = known.values.iter().map(|(name, _)| name.as_str()).collect();
            return format!("one of {}", names.join(", "));
        }
        Kind::Decimal { precision, scale } => return format!("a decimal({precision}, {scale})"),
        Kind::Int32 => "an int32",
        Kind::Sint32 => "a sint32",
        Kind::Sfixed32 => "an sfixed32",
        Kind::Uint32 => "a uint32",
        Kind::Fixed32 => "a fixed32",
        Kind::Int64 => "an int64",
        Kind::Sint64 => "a sint64",
        Kind::Fixed64 => "a fixed64",
        Kind::Date => "days since 1970",
        Kind::TimeOfDay => "milliseconds of a day",
        Kind::Timestamp => "milliseconds since 1970",
        Kind::Float => "a float",
        Kind::Double => "a double",
        Kind::Bool => "a bool",
        Kind::String => "a string",
        Kind::Bytes => "bytes in Base64",
        Kind::Message(_) => "a message",
        Kind::Entries(_) => "a map",
        Kind::Unwritable(_) => "what cannot be written",
    };
    name.to_owned()
}
