//! The schemas of the topics of a case, in a registry in memory.

use serde_json::Value as Json;

use super::Failure;
use super::engine_facts::side;
use super::engine_system::EngineSystem;
use super::failure::FailureKind;
use super::topic_spec::TopicSpec;
use crate::engine::{Known, TopicShape};
use crate::formats::{FormatSpec, Role, inferred_columns};
use crate::java::hash_code;
use crate::plan::Source;
use crate::registry::embedded::kept_text;
use crate::registry::{Reference, Registry, ResolvedSchema, Schema, SchemaId, SchemaType, Subject};
use crate::sql::ParsedStatement;
use crate::types::ColumnDef;

impl EngineSystem {
    /// Registers the schema of a topic's keys or values, if the case has one.
    pub(super) fn register(&self, topic: &TopicSpec, is_key: bool) -> Result<(), Failure> {
        let (schema, format, id, references, subject) = if is_key {
            let subject = Subject::of_keys(&topic.name);
            let references = &topic.key_schema_references;
            (&topic.key_schema, &topic.key_format, topic.key_schema_id, references, subject)
        } else {
            let subject = Subject::of_values(&topic.name);
            let references = &topic.value_schema_references;
            (&topic.value_schema, &topic.value_format, topic.value_schema_id, references, subject)
        };
        let Some(json) = schema.as_ref().filter(|schema| !schema.is_null()) else { return Ok(()) };
        let ty = match format.as_deref().map(str::to_uppercase).as_deref() {
            Some("PROTOBUF") => SchemaType::Protobuf,
            Some("JSON" | "JSON_SR") => SchemaType::Json,
            _ => SchemaType::Avro,
        };
        let text = match json {
            Json::String(text) if ty == SchemaType::Protobuf => text.clone(),
            other => other.to_string(),
        };
        let references: Vec<_> =
            references.iter().filter_map(|json| self.reference(json)).collect();
        // A registry lays out what is Protobuf anew.
        let is_kept = ty == SchemaType::Protobuf && references.is_empty();
        let kept = is_kept.then(|| kept_text(ty, &text)).flatten();
        let text = kept.unwrap_or(text);
        let schema = Schema { ty, text, references };
        match id {
            Some(id) => self.registry.register_as(&subject, schema, SchemaId(id)),
            None => drop(
                self.registry
                    .register(&subject, &schema)
                    .map_err(|refusal| Failure::new(FailureKind::Ksql, refusal.message))?,
            ),
        }
        Ok(())
    }

    /// A schema that another one uses. One that the case does not register itself is there without
    /// an id that records could have.
    fn reference(&self, json: &Json) -> Option<Reference> {
        let name = json.get("name")?.as_str()?.to_owned();
        let text = |name: &str| json.get(name).and_then(Json::as_str);
        let version = json.get("version").and_then(Json::as_i64);
        let version = version.and_then(|version| i32::try_from(version).ok()).unwrap_or(1);
        if let Some(subject) = text("subject") {
            return Some(Reference { name, subject: Subject::new(subject), version });
        }
        let subject = Subject::new(name.clone());
        let ty = match text("format") {
            Some("PROTOBUF") => SchemaType::Protobuf,
            Some("JSON" | "JSON_SR") => SchemaType::Json,
            _ => SchemaType::Avro,
        };
        let found = json.get("schema")?;
        let found = found.as_str().map_or_else(|| found.to_string(), str::to_owned);
        if self.registry.latest(&subject).is_none() {
            let id = SchemaId(i32::MIN + hash_code(&name).rem_euclid(i32::MAX));
            self.registry.register_as(&subject, Schema::new(ty, found), id);
        }
        Some(Reference { name, subject, version })
    }

    /// Adds the schemas of the columns that a statement declares.
    pub(super) fn declared_schemas(&self, parsed: &ParsedStatement, topic: &mut TopicSpec) {
        let mut engine = self.engine.clone();
        let mut known = Known::default();
        let shape = TopicShape { partitions: 1, replicas: 1, retention_ms: None };
        known.add_topic(topic.name.as_str(), shape);
        // Whatever is wrong with the statement is found when it is run.
        let Ok(planned) = engine.plan(parsed, &self.session, &known) else { return };
        for request in engine.apply(planned, 0).schemas {
            let text = match request.schema.ty {
                SchemaType::Protobuf => Json::String(request.schema.text),
                _ => serde_json::from_str(&request.schema.text).unwrap_or_default(),
            };
            let format = Some(request.schema.ty.name().to_owned());
            if request.subject == Subject::of_keys(&topic.name) {
                (topic.key_schema, topic.key_format) = (Some(text), format);
            } else {
                (topic.value_schema, topic.value_format) = (Some(text), format);
            }
        }
    }

    /// The schema that records of a source are written with.
    pub(super) fn written_schema(&self, source: &Source, is_key: bool) -> Option<ResolvedSchema> {
        let (spec, ..) = side(source, is_key);
        match spec.schema_id {
            Some(id) => self.registry.schema(id).ok(),
            None if is_key => self.registry.latest(&Subject::of_keys(&source.topic)),
            None => self.registry.latest(&Subject::of_values(&source.topic)),
        }
    }

    /// The columns that are looked at of what was written: with a schema given by its id all of that.
    pub(super) fn read_columns(
        &self,
        source: &Source,
        spec: &FormatSpec,
        columns: &[ColumnDef],
        role: Role,
    ) -> Vec<ColumnDef> {
        let schema = self.written_schema(source, role == Role::Key);
        let given = schema.filter(|_| spec.schema_id.is_some());
        let inferred = given.and_then(|schema| inferred_columns(&schema, spec, role, true).ok());
        inferred.unwrap_or_else(|| columns.to_vec())
    }
}
