//! A registry in memory, with ids and messages as ksqlDB's own tests have them.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::Value as Json;

use crate::registry::{
    Import, Refusal, Registry, ResolvedSchema, Schema, SchemaId, SchemaType, Subject,
};

/// Subjects and schemas.
#[derive(Debug, Default)]
pub(super) struct MemoryRegistry(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    subjects: BTreeMap<Subject, Vec<SchemaId>>,
    schemas: BTreeMap<SchemaId, Schema>,
    next: i32,
}

impl MemoryRegistry {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Registers a schema under an id of its own.
    pub(super) fn register_as(&self, subject: &Subject, schema: Schema, id: SchemaId) {
        let mut inner = self.inner();
        inner.schemas.insert(id, schema);
        inner.subjects.entry(subject.clone()).or_default().push(id);
    }

    /// All schemas with their subjects, in the order of their ids.
    pub(super) fn all(&self) -> Vec<(Subject, SchemaId, Schema)> {
        let inner = self.inner();
        let of_id = |(id, schema): (&SchemaId, &Schema)| {
            let subjects = inner.subjects.iter().filter(|(_, ids)| ids.contains(id));
            let (id, schema) = (*id, schema.clone());
            subjects.map(|(subject, _)| (subject.clone(), id, schema.clone())).collect::<Vec<_>>()
        };
        inner.schemas.iter().flat_map(of_id).collect()
    }

    /// The newest schema of a subject and its text.
    pub(super) fn text_of(&self, subject: &Subject) -> Option<(i32, String)> {
        self.latest(subject).map(|schema| (schema.id.0, schema.text))
    }
}

impl Inner {
    /// The next id that no schema has.
    fn free_id(&self) -> SchemaId {
        let taken = self.schemas.range(SchemaId(self.next + 1)..).map(|(id, _)| id.0);
        let next = taken.enumerate().take_while(|(at, id)| *id == self.next + 1 + *at as i32);
        SchemaId(self.next + 1 + next.count() as i32)
    }

    fn resolved(&self, id: SchemaId) -> Option<ResolvedSchema> {
        let schema = self.schemas.get(&id)?;
        let mut imports = Vec::new();
        self.imports(schema, &mut imports);
        Some(ResolvedSchema { id, ty: schema.ty, text: schema.text.clone(), imports })
    }

    fn imports(&self, schema: &Schema, imports: &mut Vec<Import>) {
        for reference in &schema.references {
            let versions = self.subjects.get(&reference.subject);
            let version = usize::try_from(reference.version - 1).unwrap_or(usize::MAX);
            let found = versions.and_then(|versions| self.schemas.get(versions.get(version)?));
            let Some(found) = found else { continue };
            if imports.iter().all(|import| import.name != reference.name) {
                self.imports(found, imports);
                imports.push(Import { name: reference.name.clone(), text: found.text.clone() });
            }
        }
    }
}

impl Registry for MemoryRegistry {
    fn register(&self, subject: &Subject, schema: &Schema) -> Result<SchemaId, Refusal> {
        let mut inner = self.inner();
        let known = inner.schemas.iter().find(|(_, known)| is_same(known, schema));
        let id = known.map_or_else(|| inner.free_id(), |(id, _)| *id);
        if inner.schemas.insert(id, schema.clone()).is_none() {
            inner.next = id.0;
        }
        let versions = inner.subjects.entry(subject.clone()).or_default();
        if !versions.contains(&id) {
            versions.push(id);
        }
        Ok(id)
    }

    fn latest(&self, subject: &Subject) -> Option<ResolvedSchema> {
        let inner = self.inner();
        inner.resolved(*inner.subjects.get(subject)?.last()?)
    }

    fn schema(&self, id: SchemaId) -> Result<ResolvedSchema, Refusal> {
        let missing = || Refusal::new("Subject Not Found; error code: 40401");
        self.inner().resolved(id).ok_or_else(missing)
    }
}

/// Whether two schemas have the same content; how their JSON is laid out does not count.
fn is_same(one: &Schema, other: &Schema) -> bool {
    if one.ty != other.ty || one.references != other.references {
        return false;
    }
    match one.ty {
        SchemaType::Protobuf => without_blanks(&one.text).eq(without_blanks(&other.text)),
        _ => {
            one.text == other.text
                || (plain(&one.text).is_some() && plain(&one.text) == plain(&other.text))
        }
    }
}

fn without_blanks(text: &str) -> impl Iterator<Item = char> + '_ {
    text.chars().filter(|c| !c.is_whitespace())
}

fn is_primitive(ty: &Json) -> bool {
    const PRIMITIVES: [&str; 8] =
        ["null", "boolean", "int", "long", "float", "double", "bytes", "string"];
    ty.as_str().is_some_and(|ty| PRIMITIVES.contains(&ty))
}

/// A schema's JSON, in which `{"type":"int"}` is `"int"`.
fn plain(text: &str) -> Option<Json> {
    fn simplify(json: Json) -> Json {
        match json {
            // Avro keeps no name of a primitive.
            Json::Object(mut object) if object.get("type").is_some_and(is_primitive) => {
                for name in ["name", "namespace", "doc", "aliases"] {
                    object.remove(name);
                }
                match object.len() {
                    1 => object.remove("type").unwrap_or_default(),
                    _ => Json::Object(object),
                }
            }
            Json::Object(object) if object.len() == 1 && object.contains_key("type") => {
                object.into_iter().next().map_or(Json::Null, |(_, ty)| ty)
            }
            Json::Object(object) => {
                object.into_iter().map(|(name, json)| (name, simplify(json))).collect()
            }
            Json::Array(items) => items.into_iter().map(simplify).collect(),
            json => json,
        }
    }
    serde_json::from_str(text).ok().map(simplify)
}
