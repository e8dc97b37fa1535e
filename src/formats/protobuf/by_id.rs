//! Rows as messages of a schema that is given by its id: its numbers and types, found by name.

use super::schema::{Field, Kind, Message, Presence};
use crate::formats::NullableRepresentation;
use crate::types::SqlType;

/// The fields of a message that columns fill, in the order of their numbers.
///
/// How NULLs are written is not what the schema says, but what the statement does.
pub(super) fn fit(
    message: &Message,
    columns: &[(&str, &SqlType)],
    nullable: Option<NullableRepresentation>,
) -> Result<Message, String> {
    let mut fields = Vec::new();
    for (index, (name, ty)) in columns.iter().enumerate() {
        let field = message.fields.iter().find(|field| field.name == *name);
        let field = field
            .ok_or_else(|| format!("Schema from Schema Registry misses field with name: {name}"))?;
        fields.push(Field { column: index, ..fit_field(field, ty, nullable)? });
    }
    fields.sort_by_key(|field| field.number);
    Ok(Message { name: message.name.clone(), fields, oneofs: Vec::new() })
}

fn fit_field(
    field: &Field,
    ty: &SqlType,
    nullable: Option<NullableRepresentation>,
) -> Result<Field, String> {
    let presence = match (field.presence, nullable) {
        (Presence::Optional, Some(NullableRepresentation::Optional))
        | (Presence::Wrapper, Some(NullableRepresentation::Wrapper)) => field.presence,
        _ => Presence::Implicit,
    };
    let item = match ty {
        SqlType::Array(item) => item,
        ty => ty,
    };
    let kind = match (&field.kind, item) {
        (Kind::Message(message), SqlType::Struct(ty)) => {
            let columns: Vec<_> = ty.fields.iter().map(|f| (&*f.name, &f.ty)).collect();
            Kind::Message(fit(message, &columns, nullable)?)
        }
        (Kind::Entries(entry), SqlType::Map(key, value)) => {
            let columns = [("key", &**key), ("value", &**value)];
            Kind::Entries(Box::new(fit(entry, &columns, nullable)?))
        }
        (kind, _) => kind.clone(),
    };
    Ok(Field { kind, presence, ..field.clone() })
}
