//! JSON as a record of a schema: names match in any case, and maps become lists of keys and values.

use serde_json::{Map, Value as Json, json};

use super::schema::{Kind, Node};
use crate::formats::json_text::{member, text_of};

/// The JSON that a schema has for some JSON of others; `None` if the schema does not take it.
pub(super) fn shaped(node: &Node, value: &Json) -> Option<Json> {
    if value.is_null() {
        return Some(Json::Null);
    }
    Some(match (&node.kind, value) {
        (Kind::Struct(properties), Json::Object(object)) => {
            let mut shaped_object = Map::new();
            for property in properties {
                let value = member(object, &property.name).unwrap_or(&Json::Null);
                shaped_object.insert(property.name.clone(), shaped(&property.node, value)?);
            }
            Json::Object(shaped_object)
        }
        (Kind::Array(item), Json::Array(items)) => {
            Json::Array(items.iter().map(|value| shaped(item, value)).collect::<Option<_>>()?)
        }
        (Kind::Map(key, item), Json::Object(object)) => {
            let entries = object.iter().map(|(name, value)| {
                let key = shaped(key, &Json::String(name.clone()))?;
                Some(json!({ "key": key, "value": shaped(item, value)? }))
            });
            Json::Array(entries.collect::<Option<_>>()?)
        }
        (Kind::Struct(_) | Kind::Array(_) | Kind::Map(..), _) => return None,
        (Kind::Choice(_), value) => value.clone(),
        (Kind::String | Kind::Bytes, value) => Json::String(text_of(value)),
        (Kind::Boolean, value) => Json::Bool(text_of(value).parse().ok()?),
        (_, Json::String(text)) => serde_json::from_str(text).ok()?,
        (_, value) => value.clone(),
    })
}
