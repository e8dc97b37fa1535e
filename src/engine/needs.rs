//! What planning a statement has to know of Kafka, and what is known.
//!
//! Planning reaches nobody. [`needs`] says beforehand what a statement will ask about, whoever owns
//! the engine finds that out, and hands it in as [`Known`].

use std::collections::{BTreeMap, BTreeSet};

use crate::formats::Format;
use crate::plan::{Catalog, KnownSchemas, OptionSet, Options, PlanConfig, TopicPartitions};
use crate::registry::{ResolvedSchema, SchemaId, Subject};
use crate::sql::ast::{DropKind, Property, Query, Statement};

/// What planning a statement has to know.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// The topics that it asks about, by name.
    pub topics: BTreeMap<String, TopicNeed>,
    /// The subjects of the registry that it asks about.
    pub subjects: BTreeSet<Subject>,
    /// The schemas of the registry that it asks for by id.
    pub schemas: BTreeSet<SchemaId>,
}

/// Why a topic is asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TopicNeed {
    /// It may be there or not: the statement would make it.
    Optional,
    /// The statement is refused if it is not there.
    Required,
}

/// The shape of a topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TopicShape {
    /// How many partitions it has.
    pub partitions: i32,
    /// How many replicas each has; -1 for as many as the brokers give a new one.
    pub replicas: i16,
    /// How long it keeps records, where that is set on the topic.
    pub retention_ms: Option<i64>,
}

/// A topic that a statement needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicRequest {
    /// Its name.
    pub name: String,
    /// Its shape.
    pub shape: TopicShape,
    /// `delete`, `compact` or `compact,delete`.
    pub cleanup_policy: &'static str,
}

/// What is known of Kafka.
#[derive(Clone, Debug, Default)]
pub struct Known {
    topics: BTreeMap<String, TopicShape>,
    /// How long the brokers keep what topics without a retention of their own hold.
    pub default_retention_ms: Option<i64>,
    /// Whether sources may be joined whatever partitions they have, as those of a query that has begun
    /// when they had equally many.
    pub(super) joins_unequal: bool,
    /// Whether topics that are there have to be as statements ask for them: they are really there, and the queries that write
    /// them have not begun with them as they are.
    pub(super) compares_topics: bool,
    subjects: BTreeMap<Subject, ResolvedSchema>,
    schemas: BTreeMap<SchemaId, ResolvedSchema>,
}

impl Known {
    /// The topic called `name`, if it is there.
    pub fn topic(&self, name: &str) -> Option<&TopicShape> {
        self.topics.get(name)
    }

    /// The same for statements that are to be run: topics that are there have to be as they ask for them.
    #[must_use]
    pub fn comparing_topics(self) -> Self {
        Self { compares_topics: true, ..self }
    }

    /// The same for statements that have been run: what they ask of topics was so when they were.
    #[must_use]
    pub fn of_the_past(self) -> Self {
        Self { joins_unequal: true, compares_topics: false, ..self }
    }

    /// Adds a topic that is there.
    pub fn add_topic(&mut self, name: impl Into<String>, shape: TopicShape) {
        self.topics.insert(name.into(), shape);
    }

    /// Adds the newest schema of a subject.
    pub fn add_subject(&mut self, subject: Subject, schema: ResolvedSchema) {
        self.subjects.insert(subject, schema);
    }

    /// Adds a schema that is known by its id.
    pub fn add_schema(&mut self, schema: ResolvedSchema) {
        self.schemas.insert(schema.id, schema);
    }

    /// Takes the topics as there that a statement has to find there, each with one partition; the names of those of which
    /// nothing was known.
    pub fn assume(&mut self, needs: &Needs) -> Vec<String> {
        let required = needs.topics.iter().filter(|(_, need)| **need == TopicNeed::Required);
        let missing = required.map(|(name, _)| name).filter(|name| self.topic(name).is_none());
        let missing: Vec<String> = missing.cloned().collect();
        for name in &missing {
            let shape = TopicShape { partitions: 1, replicas: 1, retention_ms: None };
            self.add_topic(name.as_str(), shape);
        }
        missing
    }

    /// Whether the newest schema of a subject is known.
    pub fn has_subject(&self, subject: &Subject) -> bool {
        self.subjects.contains_key(subject)
    }

    /// The schemas that are known by their ids.
    pub fn schemas_by_id(&self) -> &BTreeMap<SchemaId, ResolvedSchema> {
        &self.schemas
    }

    /// Adds a topic that is about to be made.
    pub fn add_request(&mut self, request: &TopicRequest) {
        let retention_ms = request.shape.retention_ms.or(self.default_retention_ms);
        self.add_topic(request.name.as_str(), TopicShape { retention_ms, ..request.shape });
    }
}

impl TopicPartitions for Known {
    fn partitions(&self, topic: &str) -> Option<i32> {
        self.topic(topic).filter(|_| !self.joins_unequal).map(|shape| shape.partitions)
    }
}

impl KnownSchemas for Known {
    fn latest(&self, subject: &Subject) -> Option<&ResolvedSchema> {
        self.subjects.get(subject)
    }

    fn schema(&self, id: SchemaId) -> Option<&ResolvedSchema> {
        self.schemas.get(&id)
    }
}

/// What has to be known to plan a statement over a catalog.
///
/// A statement that will be refused may need nothing.
pub fn needs(statement: &Statement, catalog: &Catalog, config: &PlanConfig) -> Needs {
    let mut needs = Needs::default();
    match statement {
        Statement::CreateSource(create) => {
            let Some(options) = options(&create.with, OptionSet::Source) else { return needs };
            let need = match options.partitions {
                Some(_) => TopicNeed::Optional,
                None => TopicNeed::Required,
            };
            needs.add_schemas(&options);
            if let Some(topic) = &options.topic {
                needs.add_subjects(topic, &options, config);
                needs.topics.insert(topic.clone(), need);
            }
        }
        Statement::CreateAs(create) => {
            let Some(options) = options(&create.with, OptionSet::Sink) else { return needs };
            let by_name = || format!("{}{}", config.output_topic_prefix, create.name.text);
            needs.add_sources(&create.query, catalog);
            needs.add_schemas(&options);
            let sink = options.topic.unwrap_or_else(by_name);
            needs.topics.insert(sink, TopicNeed::Optional);
        }
        // Partitions matter where sources are joined; nothing else of a topic does.
        Statement::Query(query) if !query.from.joins.is_empty() => {
            needs.add_sources(query, catalog);
        }
        Statement::InsertInto(insert) => {
            needs.add_sources(&insert.query, catalog);
            needs.add_source(&insert.target.text, catalog);
        }
        Statement::Drop(drop) if matches!(drop.kind, DropKind::Source(_)) && drop.delete_topic => {
            needs.add_source(&drop.name.text, catalog);
        }
        _ => {}
    }
    needs
}

impl Needs {
    /// Whether nothing has to be known.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Adds the schemas that a clause names by their ids.
    fn add_schemas(&mut self, options: &Options) {
        let ids = [options.key_schema_id, options.value_schema_id];
        self.schemas.extend(ids.into_iter().flatten().map(SchemaId));
    }

    /// Adds the subjects of a topic whose keys or values have schemas.
    fn add_subjects(&mut self, topic: &str, options: &Options, config: &PlanConfig) {
        let key = options.key_format.as_ref().unwrap_or(&config.default_key_format);
        let value = options.value_format.as_ref().or(config.default_value_format.as_ref());
        let has_schemas = |name: Option<&String>| {
            let format = name.and_then(|name| Format::from_name(name).ok());
            format.is_some_and(Format::supports_schema_inference)
        };
        if has_schemas(Some(key)) {
            self.subjects.insert(Subject::of_keys(topic));
        }
        if has_schemas(value) {
            self.subjects.insert(Subject::of_values(topic));
        }
    }

    /// Adds the topics that a query reads.
    fn add_sources(&mut self, query: &Query, catalog: &Catalog) {
        self.add_source(&query.from.first.name.text, catalog);
        for join in &query.from.joins {
            self.add_source(&join.source.name.text, catalog);
        }
    }

    fn add_source(&mut self, name: &str, catalog: &Catalog) {
        if let Some(source) = catalog.source(name) {
            self.topics.insert(source.topic.clone(), TopicNeed::Optional);
        }
    }
}

/// A clause, unless it is one that will be refused.
fn options(clause: &[Property], set: OptionSet) -> Option<Options> {
    Options::from_clause(clause, set).ok()
}
