//! JSON held against a JSON Schema.

use serde_json::Value as Json;

use super::faults::{Faults, JsonFault};
use crate::registry::schema::ResolvedSchema;

/// What names of other schemas are relative to, where a schema has no `$id`.
const BASE: &str = "schema:///";

/// A validator for a schema, with those that it refers to; nothing is fetched.
pub(super) fn validator(schema: &ResolvedSchema) -> Result<jsonschema::Validator, String> {
    let parsed = parse(&schema.text)?;
    let mut registry = jsonschema::Registry::new();
    for import in &schema.imports {
        let found = parse(&import.text)?;
        let uri = uri(&import.name);
        registry = registry.add(uri, found).map_err(|error| error.to_string())?;
    }
    let registry = registry.prepare().map_err(|error| error.to_string())?;
    let options = jsonschema::options().with_registry(&registry).with_base_uri(BASE);
    // What a registry's own clients take a schema for that does not say of which draft it is.
    let options = match parsed.get("$schema") {
        Some(_) => options,
        None => options.with_draft(jsonschema::Draft::Draft7),
    };
    options.build(&parsed).map_err(|error| error.to_string())
}

fn parse(text: &str) -> Result<Json, String> {
    serde_json::from_str(text).map_err(|error| error.to_string())
}

/// A name as an address: one that is none is relative to ours.
fn uri(name: &str) -> String {
    if name.contains(':') { name.to_owned() } else { format!("{BASE}{name}") }
}

pub(super) fn check(validator: &jsonschema::Validator, json: &Json, faults: &mut Faults) {
    faults.extend(validator.iter_errors(json).map(|error| JsonFault {
        field: path(error.instance_path().as_str()),
        reason: error.to_string(),
    }));
}

/// `/items/2/b` as `$.items[2].b`.
fn path(pointer: &str) -> String {
    let mut path = "$".to_owned();
    for step in pointer.split('/').skip(1) {
        if !step.is_empty() && step.bytes().all(|byte| byte.is_ascii_digit()) {
            path.extend(["[", step, "]"]);
        } else {
            path.push('.');
            path.push_str(&step.replace("~1", "/").replace("~0", "~"));
        }
    }
    path
}
