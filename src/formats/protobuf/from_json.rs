//! JSON as a message of a schema: names match in any case, text may stand for numbers, and bytes are
//! Base64.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use num_bigint::BigInt;
use serde_json::Value as Json;

use super::schema::{Field, Kind, Message, Presence};
use super::write::write_message;
use crate::formats::json_text::{member, text_of, whole};
use crate::types::{Arena, Decimal, Value};

/// Appends a message; the error says what it does not take.
pub(super) fn write(message: &Message, json: &Json, out: &mut Vec<u8>) -> Result<(), String> {
    let arena = Arena::new();
    let refused = || format!("PROTOBUF cannot hold {json} in {}", message.name);
    let row = row(message, json, &arena).ok_or_else(refused)?;
    let value = |index: usize| row.get(index).copied().unwrap_or_default();
    write_message(message, value, out).map_err(|error| error.unwrap_or_else(refused))
}

fn row<'a>(message: &Message, json: &Json, arena: &'a Arena) -> Option<Vec<Value<'a>>> {
    let Json::Object(object) = json else { return None };
    let mut values = vec![Value::Null; message.fields.len()];
    for field in &message.fields {
        let json = member(object, &field.name).unwrap_or(&Json::Null);
        values[field.column] = value(field, json, arena)?;
    }
    Some(values)
}

fn value<'a>(field: &Field, json: &Json, arena: &'a Arena) -> Option<Value<'a>> {
    if json.is_null() {
        return Some(Value::Null);
    }
    match (&field.kind, json) {
        (Kind::Entries(entry), Json::Object(object)) => {
            let entries = object.iter().map(|(key, json)| {
                let key = single(&entry.fields[0], &Json::String(key.clone()), arena)?;
                Some((key, value(&entry.fields[1], json, arena)?))
            });
            Some(Value::Map(arena.entries(&entries.collect::<Option<Vec<_>>>()?)))
        }
        (_, Json::Array(items)) if field.is_repeated => {
            let items = items.iter().map(|json| single(field, json, arena));
            Some(Value::Array(arena.values(&items.collect::<Option<Vec<_>>>()?)))
        }
        (_, json) => single(field, json, arena),
    }
}

fn single<'a>(field: &Field, json: &Json, arena: &'a Arena) -> Option<Value<'a>> {
    Some(match &field.kind {
        Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => Value::Int(whole(json)? as i32),
        Kind::Int64 | Kind::Uint32 | Kind::Fixed32 | Kind::Sint64 | Kind::Fixed64 => {
            Value::Bigint(whole(json)?)
        }
        Kind::Float | Kind::Double => Value::Double(text_of(json).parse().ok()?),
        Kind::Bool => Value::Boolean(text_of(json).parse().ok()?),
        Kind::String => Value::String(arena.text(&text_of(json))),
        Kind::Bytes => Value::Bytes(arena.bytes(&STANDARD.decode(text_of(json)).ok()?)),
        Kind::Enum(found) => {
            let name = text_of(json);
            Value::Int(found.values.iter().find(|(other, _)| *other == name)?.1)
        }
        Kind::Decimal { scale, .. } => {
            let unscaled: BigInt = crate::formats::json_text::scaled(json, *scale as i32)?;
            Value::Decimal(arena.decimal(Decimal { unscaled, scale: *scale as i32 }))
        }
        Kind::Date => Value::Date(whole(json)? as i32),
        Kind::TimeOfDay => Value::Time(whole(json)? as i32),
        Kind::Timestamp => Value::Timestamp(whole(json)?),
        Kind::Message(message) => Value::Struct(arena.values(&row(message, json, arena)?)),
        Kind::Entries(_) | Kind::Unwritable(_) => return None,
    })
}

/// The message with places for the values of all its fields, in their own order.
pub(super) fn placed(message: &Message) -> Message {
    let fields = message.fields.iter().enumerate().map(|(column, field)| {
        let kind = match &field.kind {
            Kind::Message(message) => Kind::Message(placed(message)),
            Kind::Entries(entry) => Kind::Entries(Box::new(placed(entry))),
            kind => kind.clone(),
        };
        // What is not repeated and not said is absent.
        let presence = if field.oneof.is_some() { Presence::Optional } else { field.presence };
        Field { column, kind, presence, ..field.clone() }
    });
    let mut fields: Vec<_> = fields.collect();
    // Values stand by their places, and fields are written in the order of their numbers.
    fields.sort_by_key(|field| field.number);
    Message { name: message.name.clone(), fields, oneofs: message.oneofs.clone() }
}
