//! JSON as a record of a schema, for those who have no columns: names match in any case, text may
//! stand for numbers, and bytes are Base64.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use num_bigint::BigInt;
use serde_json::Value as Json;

use super::cursor::{write_bytes, write_long};
use super::schema::{AvroSchema, DecimalKind, Node};
use crate::formats::json_text::{member, scaled, text_of, whole};

/// Appends a value; `None` if the schema does not take it.
pub(super) fn write(
    schema: &AvroSchema,
    node: &Node,
    json: &Json,
    out: &mut Vec<u8>,
) -> Option<()> {
    match (node, json) {
        (Node::Union(branches), json) => {
            for (index, branch) in branches.iter().enumerate() {
                let mut value = Vec::new();
                let is_null = *branch == Node::Null;
                if is_null == json.is_null() && write(schema, branch, json, &mut value).is_some() {
                    write_long(index as i64, out);
                    out.extend_from_slice(&value);
                    return Some(());
                }
            }
            return None;
        }
        (Node::Null, Json::Null) => {}
        (_, Json::Null) => return None,
        (Node::Boolean, json) => out.push(text_of(json).parse::<bool>().ok()?.into()),
        (Node::Int(_) | Node::Long { .. }, json) => write_long(whole(json)?, out),
        (Node::Float, json) => {
            out.extend_from_slice(&text_of(json).parse::<f32>().ok()?.to_le_bytes());
        }
        (Node::Double, json) => {
            out.extend_from_slice(&text_of(json).parse::<f64>().ok()?.to_le_bytes());
        }
        (Node::String, json) => write_bytes(text_of(json).as_bytes(), out),
        (Node::Bytes(Some(kind)), json) => write_bytes(&decimal(json, *kind)?, out),
        (Node::Bytes(None), Json::String(text)) => write_bytes(&STANDARD.decode(text).ok()?, out),
        (Node::Fixed(size, None), Json::String(text)) => {
            let bytes = STANDARD.decode(text).ok().filter(|bytes| bytes.len() == *size)?;
            out.extend_from_slice(&bytes);
        }
        (Node::Enum { symbols, .. }, Json::String(text)) => {
            write_long(symbols.iter().position(|symbol| symbol == text)? as i64, out);
        }
        (Node::Array(item), Json::Array(items)) => {
            write_block(items.len(), out);
            items.iter().try_for_each(|json| write(schema, item, json, out))?;
            out.push(0);
        }
        (Node::Map(value), Json::Object(entries)) => {
            write_block(entries.len(), out);
            for (key, json) in entries {
                write_bytes(key.as_bytes(), out);
                write(schema, value, json, out)?;
            }
            out.push(0);
        }
        (Node::Entries(key_node, value), Json::Object(entries)) => {
            write_block(entries.len(), out);
            for (key, json) in entries {
                write(schema, key_node, &Json::String(key.clone()), out)?;
                write(schema, value, json, out)?;
            }
            out.push(0);
        }
        (Node::Record(place), Json::Object(object)) => {
            for field in &schema.records[*place].fields {
                let json = member(object, &field.name).or(field.default.as_ref());
                write(schema, &field.node, json.unwrap_or(&Json::Null), out)?;
            }
        }
        _ => return None,
    }
    Some(())
}

fn write_block(len: usize, out: &mut Vec<u8>) {
    if len > 0 {
        write_long(len as i64, out);
    }
}

fn decimal(json: &Json, kind: DecimalKind) -> Option<Vec<u8>> {
    let unscaled: BigInt = scaled(json, kind.scale)?;
    Some(unscaled.to_signed_bytes_be())
}
