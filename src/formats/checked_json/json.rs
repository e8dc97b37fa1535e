//! JSON held against a JSON Schema.

use std::error::Error;
use std::fmt;

use boon::{Compiler, Draft, InstanceToken, SchemaIndex, Schemas, UrlLoader, ValidationError};
use serde_json::Value as Json;

use super::faults::{Faults, JsonFault};
use crate::registry::schema::ResolvedSchema;

/// What names of schemas are relative to, where they say nothing else.
const BASE: &str = "schema:///";

/// Holds JSON against one schema.
pub(super) struct Validator {
    schemas: Schemas,
    root: SchemaIndex,
}

impl fmt::Debug for Validator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Validator").finish_non_exhaustive()
    }
}

/// Schemas that a schema refers to are those that the registry gave with it; nothing is fetched.
struct NothingElse;

impl UrlLoader for NothingElse {
    fn load(&self, url: &str) -> Result<Json, Box<dyn Error>> {
        Err(format!("the registry has no reference to {url}").into())
    }
}

impl Validator {
    /// A validator for a schema, with those that it refers to.
    pub(super) fn new(schema: &ResolvedSchema) -> Result<Self, String> {
        let mut compiler = Compiler::new();
        compiler.use_loader(Box::new(NothingElse));
        // What a registry's own clients take a schema for that does not say of which draft it is.
        compiler.set_default_draft(Draft::V7);
        for import in &schema.imports {
            add(&mut compiler, &uri(&import.name), &import.text)?;
        }
        let (mut schemas, root) = (Schemas::new(), format!("{BASE}root"));
        add(&mut compiler, &root, &schema.text)?;
        let root = compiler.compile(&root, &mut schemas).map_err(|error| error.to_string())?;
        Ok(Self { schemas, root })
    }

    /// Notes what the schema does not take.
    pub(super) fn check(&self, json: &Json, faults: &mut Faults) {
        if let Err(error) = self.schemas.validate(json, self.root) {
            add_innermost(&error, faults);
        }
    }
}

fn add(compiler: &mut Compiler, uri: &str, text: &str) -> Result<(), String> {
    let json = serde_json::from_str(text).map_err(|error| error.to_string())?;
    compiler.add_resource(uri, json).map_err(|error| error.to_string())
}

/// A name as an address: one that is none is relative to ours.
fn uri(name: &str) -> String {
    if name.contains(':') { name.to_owned() } else { format!("{BASE}{name}") }
}

/// Of an error that has causes these say what is wrong.
fn add_innermost(error: &ValidationError<'_, '_>, faults: &mut Faults) {
    if error.causes.is_empty() {
        let (field, reason) = (path(&error.instance_location.tokens), error.kind.to_string());
        faults.extend([JsonFault { field, reason }]);
    }
    error.causes.iter().for_each(|cause| add_innermost(cause, faults));
}

fn path(tokens: &[InstanceToken<'_>]) -> String {
    let mut path = "$".to_owned();
    for token in tokens {
        match token {
            InstanceToken::Prop(name) => path.extend([".", name]),
            InstanceToken::Item(index) => path.extend(["[", &index.to_string(), "]"]),
        }
    }
    path
}
