//! Schemas as the registry's API writes them: Avro is not named, and a list of references that is empty is left out.

use serde_json::{Map, Value, json};

use super::schema::{Reference, Schema, SchemaType, Subject};

/// Writes all of a schema but its text, which comes last.
pub(super) fn write_head(schema: &Schema, fields: &mut Map<String, Value>) {
    if schema.ty != SchemaType::Avro {
        fields.insert("schemaType".into(), schema.ty.name().into());
    }
    if !schema.references.is_empty() {
        let references = schema.references.iter().map(|reference| {
            json!({
                "name": reference.name,
                "subject": reference.subject.as_str(),
                "version": reference.version
            })
        });
        fields.insert("references".into(), references.collect());
    }
}

/// Reads a schema.
pub(super) fn read_schema(value: &Value) -> Result<Schema, String> {
    let ty = match value.get("schemaType") {
        None | Some(Value::Null) => SchemaType::default(),
        Some(name) => name
            .as_str()
            .and_then(SchemaType::from_name)
            .ok_or_else(|| format!("Invalid schema type {}", shown(name)))?,
    };
    let references = match value.get("references") {
        None | Some(Value::Null) => Vec::new(),
        Some(list) => {
            let list = list.as_array().ok_or("references are no list")?;
            list.iter().map(read_reference).collect::<Result<_, _>>()?
        }
    };
    let text = match value.get("schema") {
        None | Some(Value::Null) => String::new(),
        Some(text) => text.as_str().ok_or("a schema that is no string")?.to_owned(),
    };
    Ok(Schema { ty, text, references })
}

fn read_reference(value: &Value) -> Result<Reference, String> {
    let part =
        |name: &str| text(value, name).ok_or_else(|| format!("a reference without its {name}"));
    Ok(Reference {
        name: part("name")?.to_owned(),
        subject: Subject::new(part("subject")?),
        version: number(value, "version")?,
    })
}

fn shown(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// A text in an object.
pub(super) fn text<'v>(value: &'v Value, name: &str) -> Option<&'v str> {
    value.get(name).and_then(Value::as_str)
}

/// A number in an object.
pub(super) fn number(value: &Value, name: &str) -> Result<i32, String> {
    let number = value.get(name).and_then(Value::as_i64).and_then(|number| number.try_into().ok());
    number.ok_or_else(|| format!("{name} is no number of 32 bits"))
}
