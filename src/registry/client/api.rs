//! What a registry can be asked for.

use std::sync::Arc;
use std::time::Duration;

use reqwest::Method;
use serde_json::{Map, Value};

use super::cache::Cache;
use super::config::RegistryConfig;
use super::error::RegistryError;
use super::request::{Asker, Question};
use crate::registry::json::{number, read_schema, text, write_head};
use crate::registry::schema::{
    Import, Reference, RegisteredSchema, ResolvedSchema, Schema, SchemaId, Subject,
};

/// How long after a failure a schema that is waited for is asked for again; each pause after it is twice as long.
const AWAY_BACKOFF: Duration = Duration::from_millis(500);
/// How long these pauses are at most.
const AWAY_BACKOFF_MAX: Duration = Duration::from_secs(15);
/// How many answers of a kind are kept.
const CACHED_MAX: usize = 10_000;
/// How many schemas one may use, directly or not.
const IMPORTS_MAX: usize = 1_000;

/// Whether a schema could be registered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Compatibility {
    /// Whether it could.
    pub is_compatible: bool,
    /// What is in the way, in the registry's words.
    pub messages: Vec<String>,
}

/// A client of a Schema Registry. Clones are the same client.
#[derive(Clone)]
pub struct RegistryClient(Arc<Inner>);

struct Inner {
    asker: Asker,
    by_id: Cache<SchemaId, Arc<ResolvedSchema>>,
    versions: Cache<(Subject, i32), Arc<RegisteredSchema>>,
    registered: Cache<(Subject, Schema), SchemaId>,
}

impl std::fmt::Debug for RegistryClient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RegistryClient").finish_non_exhaustive()
    }
}

impl RegistryClient {
    /// A client that has not connected yet.
    pub fn new(config: RegistryConfig) -> Result<Self, RegistryError> {
        Ok(Self(Arc::new(Inner {
            asker: Asker::new(config)?,
            by_id: Cache::new(CACHED_MAX),
            versions: Cache::new(CACHED_MAX),
            registered: Cache::new(CACHED_MAX),
        })))
    }

    /// The schema with an id, as far as it is known without asking: never waits.
    pub fn known(&self, id: SchemaId) -> Option<Arc<ResolvedSchema>> {
        self.0.by_id.get(&id)
    }

    /// The schema with an id, with the texts of all that it uses.
    pub async fn by_id(&self, id: SchemaId) -> Result<Arc<ResolvedSchema>, RegistryError> {
        self.0.by_id.get_or_fetch(&id, async || self.fetch_by_id(id).await).await
    }

    /// The same, however long the registry is away: what waits for the schema is told once, then it is asked again and again.
    pub async fn by_id_once_there(
        &self,
        id: SchemaId,
    ) -> Result<Arc<ResolvedSchema>, RegistryError> {
        let (mut wait, mut is_told) = (AWAY_BACKOFF, false);
        loop {
            match self.by_id(id).await {
                Err(error) if error.is_retriable() => {
                    if !std::mem::replace(&mut is_told, true) {
                        tracing::warn!("records wait for schema {id}: {error}");
                    }
                }
                answer => {
                    if is_told && answer.is_ok() {
                        tracing::info!("the registry has given schema {id}; its records are read");
                    }
                    return answer;
                }
            }
            tokio::time::sleep(wait).await;
            wait = (wait * 2).min(AWAY_BACKOFF_MAX);
        }
    }

    async fn fetch_by_id(&self, id: SchemaId) -> Result<Arc<ResolvedSchema>, RegistryError> {
        let number = id.to_string();
        let path = ["schemas", "ids", &number];
        let answer = self.0.asker.ask(Question::get(&path)).await?;
        let schema = read_schema(&answer).map_err(|cause| malformed(&path, cause))?;
        let imports = self.imports(&schema).await?;
        Ok(Arc::new(ResolvedSchema { id, ty: schema.ty, text: schema.text, imports }))
    }

    /// The texts of all that a schema uses, each before those that use it.
    pub async fn imports(&self, schema: &Schema) -> Result<Vec<Import>, RegistryError> {
        let mut found: Vec<Import> = Vec::new();
        // What is to be looked up; the text of one that was looked up follows once all that it uses is there.
        let mut left: Vec<Step> = steps(&schema.references);
        while let Some(step) = left.pop() {
            match step {
                Step::Found(import) => found.push(import),
                Step::Find(reference) => {
                    let is_known = |import: &Import| import.name == reference.name;
                    let is_waiting = left.iter().any(
                        |step| matches!(step, Step::Found(import) if import.name == reference.name),
                    );
                    if is_waiting || found.iter().any(is_known) {
                        continue;
                    }
                    if found.len() + left.len() > IMPORTS_MAX {
                        let cause = format!("it uses more than {IMPORTS_MAX} others");
                        return Err(malformed(&[reference.subject.as_str()], cause));
                    }
                    let used = self.version(&reference.subject, reference.version).await?;
                    let text = used.schema.text.clone();
                    left.push(Step::Found(Import { name: reference.name, text }));
                    left.extend(steps(&used.schema.references));
                }
            }
        }
        Ok(found)
    }

    /// A version of a subject.
    pub async fn version(
        &self,
        subject: &Subject,
        version: i32,
    ) -> Result<Arc<RegisteredSchema>, RegistryError> {
        let key = (subject.clone(), version);
        let fetch = async || self.fetch_version(subject, &version.to_string()).await.map(Arc::new);
        self.0.versions.get_or_fetch(&key, fetch).await
    }

    /// The numbers of the versions that a subject has now.
    pub async fn versions(&self, subject: &Subject) -> Result<Vec<i32>, RegistryError> {
        let path = ["subjects", subject.as_str(), "versions"];
        let answer = self.0.asker.ask(Question::get(&path)).await?;
        let number = |version: &Value| i32::try_from(version.as_i64()?).ok();
        let versions = answer.as_array().and_then(|all| all.iter().map(number).collect());
        versions.ok_or_else(|| malformed(&path, "no list of versions".to_owned()))
    }

    /// The latest version of a subject, as it is now.
    pub async fn latest(&self, subject: &Subject) -> Result<RegisteredSchema, RegistryError> {
        self.fetch_version(subject, "latest").await
    }

    async fn fetch_version(
        &self,
        subject: &Subject,
        version: &str,
    ) -> Result<RegisteredSchema, RegistryError> {
        // What a schema that is in use refers to may be deleted softly meanwhile.
        let is_deleted_too = [("deleted", "true")];
        let path = ["subjects", subject.as_str(), "versions", version];
        let query: &[_] = if version == "latest" { &[] } else { &is_deleted_too };
        let answer = self.0.asker.ask(Question { query, ..Question::get(&path) }).await?;
        read_registered(&answer).map_err(|cause| malformed(&path, cause))
    }

    /// Registers a schema, and gives its id; one that is there already keeps it.
    pub async fn register(
        &self,
        subject: &Subject,
        schema: &Schema,
    ) -> Result<SchemaId, RegistryError> {
        let fetch = async || {
            let path = ["subjects", subject.as_str(), "versions"];
            let answer = self.0.asker.ask(Question::post(&path, body(schema))).await?;
            number(&answer, "id").map(SchemaId).map_err(|cause| malformed(&path, cause))
        };
        self.0.registered.get_or_fetch(&(subject.clone(), schema.clone()), fetch).await
    }

    /// The version of a subject that has a schema.
    pub async fn look_up(
        &self,
        subject: &Subject,
        schema: &Schema,
    ) -> Result<RegisteredSchema, RegistryError> {
        let path = ["subjects", subject.as_str()];
        let answer = self.0.asker.ask(Question::post(&path, body(schema))).await?;
        read_registered(&answer).map_err(|cause| malformed(&path, cause))
    }

    /// Whether a schema could follow the latest version of a subject.
    pub async fn test(
        &self,
        subject: &Subject,
        schema: &Schema,
    ) -> Result<Compatibility, RegistryError> {
        let path = ["compatibility", "subjects", subject.as_str(), "versions", "latest"];
        let query = [("verbose", "true")];
        let question = Question { query: &query, ..Question::post(&path, body(schema)) };
        let answer = self.0.asker.ask(question).await?;
        let verdict = answer.get("is_compatible").and_then(Value::as_bool);
        let is_compatible =
            verdict.ok_or_else(|| malformed(&path, "no is_compatible in it".to_owned()))?;
        let messages = answer.get("messages").and_then(Value::as_array).into_iter().flatten();
        let messages = messages.filter_map(Value::as_str).map(str::to_owned).collect();
        Ok(Compatibility { is_compatible, messages })
    }

    /// The names of all subjects.
    pub async fn subjects(&self) -> Result<Vec<Subject>, RegistryError> {
        let path = ["subjects"];
        let answer = self.0.asker.ask(Question::get(&path)).await?;
        let names = answer.as_array().and_then(|names| {
            names.iter().map(|name| name.as_str().map(Subject::new)).collect::<Option<_>>()
        });
        names.ok_or_else(|| malformed(&path, "no list of names".to_owned()))
    }

    /// Deletes all versions of a subject softly: their ids go on working.
    pub async fn delete(&self, subject: &Subject) -> Result<(), RegistryError> {
        let path = ["subjects", subject.as_str()];
        let question = Question { method: Method::DELETE, ..Question::get(&path) };
        self.0.asker.ask(question).await.map(drop)
    }
}

enum Step {
    Find(Reference),
    Found(Import),
}

/// The references in the order in which a stack gives them back.
fn steps(references: &[Reference]) -> Vec<Step> {
    references.iter().rev().cloned().map(Step::Find).collect()
}

fn body(schema: &Schema) -> Value {
    let mut fields = Map::new();
    write_head(schema, &mut fields);
    fields.insert("schema".into(), schema.text.as_str().into());
    fields.into()
}

fn read_registered(answer: &Value) -> Result<RegisteredSchema, String> {
    Ok(RegisteredSchema {
        subject: Subject::new(text(answer, "subject").ok_or("no subject in it")?),
        version: number(answer, "version")?,
        id: SchemaId(number(answer, "id")?),
        schema: read_schema(answer)?,
    })
}

fn malformed(path: &[&str], cause: String) -> RegistryError {
    RegistryError::Malformed { url: format!("/{}", path.join("/")), cause }
}
