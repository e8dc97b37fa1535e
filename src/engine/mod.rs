//! One statement in, one outcome out.
//!
//! The engine alone replaces the catalog. It reaches no topic itself: what a statement needs of
//! Kafka is in its [`Outcome`], and what planning needs to know of topics it asks of [`Topics`].

mod config;
pub mod headless;
mod sources;

pub use config::{Properties, PropertyError};

use std::sync::Arc;

use crate::plan::{self, Catalog, Options, PlanConfig, PlanContext, PlanError, QueryPlan, Source};
use crate::sql::ParsedStatement;
use crate::sql::ast::{SourceKind, Statement};

/// What the engine has to know of topics.
pub trait Topics {
    /// The partitions, replicas and retention of a topic; `None` if there is none of that name.
    fn describe(&self, name: &str) -> Option<TopicShape>;
}

/// Topics, as planning sees them.
struct KnownTopics<'t>(Box<dyn Topics + 't>);

impl std::fmt::Debug for KnownTopics<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("KnownTopics")
    }
}

impl plan::TopicPartitions for KnownTopics<'_> {
    fn partitions(&self, topic: &str) -> Option<i32> {
        self.0.describe(topic).map(|shape| shape.partitions)
    }
}

/// The shape of a topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TopicShape {
    /// How many partitions it has.
    pub partitions: i32,
    /// How many replicas each has.
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

/// A persistent query.
#[derive(Clone, Debug)]
pub struct PersistentQuery {
    /// Its id, such as `CTAS_COUNTS_0`.
    pub id: String,
    /// What it does.
    pub plan: Arc<QueryPlan>,
    /// The session's properties when it was made, over those of the server.
    pub properties: Properties,
}

/// What a statement did.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// Nothing that anybody has to act on: a type, a property, something that was there already.
    Done,
    /// A stream or table is there; its topic may have to be made.
    Created(Option<TopicRequest>),
    /// A query is there, and its sink's topic may have to be made.
    Query(Box<PersistentQuery>, Option<TopicRequest>),
}

/// Statements over one catalog.
pub struct Engine<'t> {
    catalog: Catalog,
    properties: Properties,
    session: Properties,
    config: PlanConfig,
    topics: KnownTopics<'t>,
    queries: Vec<PersistentQuery>,
    /// Numbers for the ids of the next queries; after the last one they count on.
    numbers: std::collections::VecDeque<i64>,
    next_number: i64,
    /// Whether sources may have formats that can be planned but not read or written yet.
    plans_registry_formats: bool,
}

impl<'t> Engine<'t> {
    /// An engine in which nothing exists yet.
    pub fn new(properties: Properties, topics: impl Topics + 't) -> Self {
        Self {
            catalog: Catalog::default(),
            config: properties.plan_config(),
            properties,
            session: Properties::default(),
            topics: KnownTopics(Box::new(topics)),
            queries: Vec::new(),
            numbers: std::collections::VecDeque::new(),
            next_number: 0,
            plans_registry_formats: false,
        }
    }

    /// The same engine with the functions of ksqlDB's own tests.
    #[must_use]
    pub fn with_test_functions(mut self) -> Self {
        self.config.with_test_functions = true;
        self
    }

    /// The same engine, which plans over formats of the Schema Registry although it cannot read or
    /// write them yet.
    #[must_use]
    pub fn planning_registry_formats(mut self) -> Self {
        self.plans_registry_formats = true;
        self
    }

    /// The same engine, whose queries get these numbers in their ids instead of 0, 1, 2 ….
    #[must_use]
    pub fn with_query_numbers(mut self, numbers: impl IntoIterator<Item = i64>) -> Self {
        self.numbers = numbers.into_iter().collect();
        self
    }

    /// What exists.
    pub fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    /// The queries, in the order in which they were made.
    pub fn queries(&self) -> &[PersistentQuery] {
        &self.queries
    }

    /// The properties of the server and, over them, of the session.
    pub fn effective_properties(&self) -> Properties {
        let mut properties = self.properties.clone();
        properties.extend(&self.session);
        properties
    }

    /// Runs one statement.
    pub fn execute(&mut self, parsed: &ParsedStatement) -> Result<Outcome, PlanError> {
        match &parsed.statement {
            Statement::CreateSource(create) => self.create_source(create, parsed),
            Statement::CreateAs(create) => self.create_as(create, parsed),
            Statement::InsertInto(insert) => self.insert_into(insert, parsed),
            Statement::CreateType(create) => self.create_type(create),
            Statement::Drop(drop) => self.drop(drop),
            Statement::AlterSource(alter) => self.alter(alter),
            Statement::Set { name, value } => {
                self.set(name, Some(value));
                Ok(Outcome::Done)
            }
            Statement::Unset { name } => {
                self.set(name, None);
                Ok(Outcome::Done)
            }
            Statement::Define { .. } | Statement::Undefine { .. } => Ok(Outcome::Done),
            other => Err(PlanError::unsupported(format!("{} is", statement_name(other)))),
        }
    }

    fn set(&mut self, name: &str, value: Option<&String>) {
        match value {
            Some(value) => self.session.set(name, value),
            None => self.session.unset(name),
        }
        let with_test_functions = self.config.with_test_functions;
        self.config =
            PlanConfig { with_test_functions, ..self.effective_properties().plan_config() };
    }

    /// Plans against the catalog as it is.
    fn context<'c>(&'c self, parsed: &'c ParsedStatement) -> PlanContext<'c> {
        PlanContext {
            catalog: &self.catalog,
            config: &self.config,
            text: &parsed.source,
            topics: &self.topics,
        }
    }

    /// Adds a query, with the next number in its id unless it has an id of its own.
    fn add_query(&mut self, prefix: &str, id: Option<String>, plan: QueryPlan) -> PersistentQuery {
        let number = self.numbers.pop_front().unwrap_or(self.next_number);
        self.next_number = number + 1;
        let query = PersistentQuery {
            id: id.unwrap_or_else(|| format!("{prefix}_{number}")),
            plan: Arc::new(plan),
            properties: self.session.clone(),
        };
        self.queries.push(query.clone());
        query
    }

    /// The topic that a sink needs, if it does not exist: shaped as that of its source unless told.
    fn sink_topic(&self, sink: &Source, from: &Source, options: &Options) -> Option<TopicRequest> {
        if self.topics.0.describe(&sink.topic).is_some() {
            return None;
        }
        let source = self.topics.0.describe(&from.topic);
        let source =
            source.unwrap_or(TopicShape { partitions: 1, replicas: 1, retention_ms: None });
        let is_windowed = plan::is_windowed_table(sink);
        let cleanup_policy = match (sink.kind, is_windowed) {
            (SourceKind::Stream, _) => "delete",
            (SourceKind::Table, false) => "compact",
            (SourceKind::Table, true) => "compact,delete",
        };
        let retention_ms = options.retention_ms.or(source.retention_ms);
        Some(TopicRequest {
            name: sink.topic.clone(),
            shape: TopicShape {
                partitions: options.partitions.unwrap_or(source.partitions),
                replicas: options.replicas.unwrap_or(source.replicas),
                retention_ms: retention_ms.filter(|_| cleanup_policy != "compact"),
            },
            cleanup_policy,
        })
    }
}

/// What a statement is called, for saying that it is not supported.
fn statement_name(statement: &Statement) -> &'static str {
    match statement {
        Statement::Query(query) if query.emit.is_none() => "a pull query",
        Statement::Query(_) => "a push query",
        Statement::InsertValues(_) => "INSERT INTO … VALUES",
        Statement::CreateConnector(_) => "CREATE CONNECTOR",
        Statement::Describe(_) => "DESCRIBE",
        Statement::Explain(_) => "EXPLAIN",
        Statement::List(_) => "SHOW",
        Statement::Print(_) => "PRINT",
        Statement::ControlQuery(_) => "TERMINATE, PAUSE or RESUME",
        Statement::AlterSystem { .. } => "ALTER SYSTEM",
        Statement::AssertTopic(_) | Statement::AssertSchema(_) => "ASSERT",
        Statement::AssertValues(_) | Statement::AssertTombstone(_) | Statement::AssertSource(_) => {
            "ASSERT of tests"
        }
        Statement::RunScript { .. } => "RUN SCRIPT",
        _ => "this statement",
    }
}
