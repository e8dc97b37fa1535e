//! Records of JSON, by the schema that they are to have.

use serde_json::Value as Json;

use super::{avro, frame, json_sr, protobuf};
use crate::registry::schema::{ResolvedSchema, SchemaType};

/// A framed record of a schema; the error says what the schema does not take.
///
/// `full_name` is that of the message, where the schema has several and it is not the first. Names match in any case, text may stand for numbers, and bytes are Base64.
pub fn encode_json(
    schema: &ResolvedSchema,
    full_name: Option<&str>,
    json: &Json,
) -> Result<Vec<u8>, String> {
    let mut out = Vec::new();
    frame::write(schema.id, &mut out);
    match schema.ty {
        SchemaType::Avro => avro::encode_json(schema, json, &mut out)?,
        SchemaType::Json => json_sr::encode_json(schema, json, &mut out)?,
        SchemaType::Protobuf => protobuf::encode_json(schema, full_name, json, &mut out)?,
    }
    Ok(out)
}
