//! Statements over one catalog: planned, then applied.
//!
//! ```text
//! statement ─needs→ what to find out ─┐
//! statement + catalog + session + known ─plan→ planned ─apply→ catalog, and what others have to do
//! ```
//! [`needs()`] and [`Engine::plan`] are pure: they can be tried on a copy of the engine, which costs
//! nothing, and what they give can be thrown away. [`Engine::apply`] alone changes the catalog, and
//! cannot fail. The engine reaches nobody: what Kafka has to be asked is in [`Needs`], what has to be
//! done is in the [`Change`].

mod asked_topic;
mod config;
mod connect;
mod ddl;
mod drop;
mod explain;
mod faults;
pub mod headless;
pub mod host;
pub mod identity;
mod java_properties;
mod known_properties;
mod logged;
mod needs;
mod planned;
mod program;
mod query;
mod read;
mod record_formats;
pub mod reset;
mod schemas;
mod service;
mod services;
mod session;
mod settings;
#[cfg(test)]
mod tests;
mod topics;
mod trial_registry;
mod upgrade;
mod upgrade_steps;

pub use config::Properties;
pub use explain::Explained;
pub use faults::{diagnostic, read_names, unread};
pub use known_properties::PropertyError;
pub use logged::read_logged;
pub use needs::{Known, Needs, TopicNeed, TopicRequest, TopicShape, needs};
pub use planned::{Answer, Change, Planned, QueryChange, SessionChange};
pub use program::{Command, Program};
pub use read::{ReadColumn, ReadError, ReadKind, ReadQuery, ReadSpec};
pub use record_formats::RecordFormats;
pub use schemas::look_up as look_up_schemas;
pub use service::{Before, GoneQuery, ServiceQueries, ServiceQuery};
pub use services::{Services, ServicesError, registry};
pub use session::{Session, check_property, is_of_servers};
pub use settings::{fault_rules, settings};

pub use crate::plan::{PersistentQuery, QueryKind, Source};

use std::sync::Arc;

use crate::plan::{self, Catalog, PlanConfig, PlanContext, PlanError};
use crate::sql::ast::Statement;
use crate::sql::{ParsedStatement, Span};
use planned::{Effect, PlannedQuery};

/// What the user of an engine does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Serves {
    /// Runs queries: no more is done in files.
    #[default]
    Queries,
    /// Writes the rows of `INSERT INTO … VALUES` too, which ksqlDB refuses in files.
    Rows,
    /// Answers what clients ask too.
    Clients,
}

/// Statements over one catalog. A copy shares the catalog until one of the two changes.
#[derive(Clone, Debug, Default)]
pub struct Engine {
    catalog: Arc<Catalog>,
    properties: Properties,
    /// Whether the functions of ksqlDB's own tests exist.
    with_test_functions: bool,
    /// What its user does besides running queries.
    serves: Serves,
    /// Whether there is a Schema Registry, so that sources may have formats which need one.
    has_registry: bool,
}

impl Engine {
    /// An engine in which nothing exists yet, with the properties of its server.
    pub fn new(properties: Properties) -> Self {
        Self { properties, ..Self::default() }
    }

    /// The same engine with the functions of ksqlDB's own tests.
    #[must_use]
    pub fn with_test_functions(self) -> Self {
        Self { with_test_functions: true, ..self }
    }

    /// The same engine, whose user writes the rows of `INSERT INTO … VALUES`.
    #[must_use]
    pub fn with_rows(self) -> Self {
        Self { serves: Serves::Rows, ..self }
    }

    /// The same engine, whose user also answers what clients ask, so that the rows of a `CREATE SOURCE TABLE` are kept.
    #[must_use]
    pub fn with_clients(self) -> Self {
        Self { serves: Serves::Clients, ..self }
    }

    /// The same engine, which has a Schema Registry: what it needs of that is handed in as [`Known`].
    #[must_use]
    pub fn with_registry(self) -> Self {
        Self { has_registry: true, ..self }
    }

    /// What exists.
    pub fn catalog(&self) -> &Arc<Catalog> {
        &self.catalog
    }

    /// The queries, in the order in which they were made.
    pub fn queries(&self) -> &[Arc<PersistentQuery>] {
        self.catalog.queries()
    }

    /// The properties of the server.
    pub fn properties(&self) -> &Properties {
        &self.properties
    }

    /// The properties under which a query runs: those of its session over those of the server.
    pub fn properties_of(&self, query: &PersistentQuery) -> Properties {
        let overrides = query.overrides.iter().map(|(name, value)| (name.clone(), value.clone()));
        Session::new(Properties::new(overrides)).over(&self.properties)
    }

    /// What has to be known to plan a statement.
    pub fn needs(&self, statement: &Statement, session: &Session) -> Needs {
        needs(statement, &self.catalog, &self.plan_config(session))
    }

    /// Plans a statement, against the catalog as it is and what is known of Kafka.
    pub fn plan(
        &self,
        parsed: &ParsedStatement,
        session: &Session,
        known: &Known,
    ) -> Result<Planned, PlanError> {
        let planning =
            Planning { engine: self, session, config: self.plan_config(session), known, parsed };
        planning.plan()
    }

    /// Applies what was planned against this catalog. `number` becomes part of the id of a query
    /// that has none of its own.
    pub fn apply(&mut self, planned: Planned, number: i64) -> Change {
        let mut change = Change::default();
        match planned.effect {
            Effect::Nothing(answer) => change.answer = answer,
            Effect::Session(session) => change.session = Some(session),
            Effect::PutSource { source, topic, schemas, message, .. } => {
                change.schemas = schemas;
                self.catalog_mut().put_source(*source);
                change.answer = Answer::Message(message);
                change.topic = topic;
            }
            Effect::Query(query) => self.put_query(*query, number, &mut change),
            Effect::InsertRow(row) => change.row = Some(row),
            Effect::PutType { name, ty } => {
                let message =
                    format!("Registered custom type with name '{name}' and SQL type {ty}");
                self.catalog_mut().put_type(name, ty);
                change.answer = Answer::Message(message);
            }
            Effect::DropType { name } => {
                self.catalog_mut().remove_type(&name);
                change.answer = Answer::Message(format!("Dropped type '{name}'"));
            }
            Effect::DropSource { name, topic, deletes_topic, query } => {
                self.catalog_mut().remove_source(&name);
                change.answer =
                    Answer::Message(format!("Source `{name}` (topic: {topic}) was dropped."));
                self.terminate(query, &mut change);
                change.delete_topic = deletes_topic.then_some(topic);
            }
            Effect::Pause { queries, is_paused } => self.pause(&queries, is_paused, &mut change),
            Effect::Terminate { queries } => {
                change.answer = Answer::Message("Query terminated.".to_owned());
                self.terminate(queries, &mut change);
            }
        }
        change
    }

    /// The same engine, whose queries have other ids: these, in the order in which they were made.
    #[must_use]
    pub fn with_query_ids(mut self, ids: &[String]) -> Self {
        let queries: Vec<_> = self
            .queries()
            .iter()
            .zip(ids)
            .map(|(query, id)| {
                Arc::new(PersistentQuery { id: id.clone(), ..PersistentQuery::clone(query) })
            })
            .collect();
        for before in self.queries().to_vec() {
            self.forget_query(&before.id);
        }
        for query in queries {
            self.catalog_mut().put_query(query);
        }
        self
    }

    /// Forgets a stream or table with the query that fills it, as if nobody had made them.
    pub fn forget_source(&mut self, name: &str) {
        let own = self.queries().iter().filter(|query| query.belongs_to(name));
        for id in own.map(|query| query.id.clone()).collect::<Vec<_>>() {
            self.forget_query(&id);
        }
        self.catalog_mut().remove_source(name);
    }

    /// Forgets a query, as if it had been terminated.
    pub fn forget_query(&mut self, id: &str) {
        self.catalog_mut().remove_query(id);
    }

    /// Plans and applies a statement, and lets it change the session.
    pub fn run(
        &mut self,
        parsed: &ParsedStatement,
        session: &mut Session,
        known: &Known,
        number: i64,
    ) -> Result<Change, PlanError> {
        let planned = self.plan(parsed, session, known)?;
        let change = self.apply(planned, number);
        change.session.iter().for_each(|change| session.apply(change));
        Ok(change)
    }

    fn put_query(&mut self, planned: PlannedQuery, number: i64, change: &mut Change) {
        let PlannedQuery { id, kind, plan, source, topic, schemas, overrides } = planned;
        change.schemas = schemas;
        let id = id.with_number(number);
        let is_replaced = self.catalog.query(&id).is_some();
        let query = Arc::new(PersistentQuery {
            id: id.clone(),
            kind,
            plan,
            overrides,
            is_replacement: is_replaced,
        });
        let catalog = self.catalog_mut();
        if let Some((source, made_of)) = source {
            catalog.put_source_made_of(source, made_of);
        }
        catalog.put_query(Arc::clone(&query));
        change.answer = Answer::Query { id };
        change.topic = topic;
        let becomes = if is_replaced { QueryChange::Replace } else { QueryChange::Start };
        change.queries.push(becomes(query));
    }

    fn pause(&self, ids: &[String], is_paused: bool, change: &mut Change) {
        let done = if is_paused { "Query paused." } else { "Query resumed." };
        change.answer = Answer::Message(done.to_owned());
        for query in ids.iter().filter_map(|id| self.catalog.query(id)) {
            let id = query.id.clone();
            let becomes =
                if is_paused { QueryChange::Pause { id } } else { QueryChange::Resume { id } };
            change.queries.push(becomes);
        }
    }

    fn terminate(&mut self, ids: impl IntoIterator<Item = String>, change: &mut Change) {
        for id in ids {
            self.catalog_mut().remove_query(&id);
            change.queries.push(QueryChange::Terminate { id });
        }
    }

    fn catalog_mut(&mut self) -> &mut Catalog {
        Arc::make_mut(&mut self.catalog)
    }

    fn plan_config(&self, session: &Session) -> PlanConfig {
        let config = session.over(&self.properties).plan_config();
        PlanConfig { with_test_functions: self.with_test_functions, ..config }
    }
}

/// One statement while it is planned.
struct Planning<'p> {
    engine: &'p Engine,
    session: &'p Session,
    config: PlanConfig,
    known: &'p Known,
    parsed: &'p ParsedStatement,
}

impl Planning<'_> {
    fn plan(&self) -> Result<Planned, PlanError> {
        let statement = &self.parsed.statement;
        if is_executable(statement) {
            self.session.check_overrides()?;
        }
        match statement {
            Statement::CreateSource(create) => self.create_source(create),
            Statement::CreateAs(create) => self.create_as(create),
            Statement::InsertInto(insert) => self.insert_into(insert),
            Statement::InsertValues(insert) if self.engine.serves != Serves::Queries => {
                let row = plan::plan_insert_values(insert, &self.context())?;
                Ok(Planned { effect: Effect::InsertRow(row) })
            }
            Statement::CreateType(create) => self.create_type(create),
            Statement::Drop(drop) => self.drop(drop),
            Statement::AlterSource(alter) => self.alter(alter),
            Statement::ControlQuery(control) => self.control(control),
            Statement::Set { name, value } => {
                session::plan_set(name, value, |text| self.place_of_text(text))
            }
            Statement::Unset { name } => {
                session::plan_unset(name).map_err(|error| error.at(self.place_of_text(name)))
            }
            Statement::Define { .. } | Statement::Undefine { .. } => Ok(Planned::nothing()),
            other => Err(PlanError::unsupported(format!("{} is", statement_name(other)))),
        }
    }

    fn catalog(&self) -> &Catalog {
        &self.engine.catalog
    }

    /// Where a text stands in the statement, with its quotes.
    fn place_of_text(&self, text: &str) -> Span {
        let span = self.parsed.span;
        let quoted = format!("'{}'", text.replace('\'', "''"));
        let within = span.text(&self.parsed.source).rfind(&quoted);
        within.map_or(span, |at| Span::new(span.start + at, span.start + at + quoted.len()))
    }

    /// Plans against the catalog as it is.
    fn context(&self) -> PlanContext<'_> {
        PlanContext {
            catalog: &self.engine.catalog,
            config: &self.config,
            text: &self.parsed.source,
            topics: self.known,
            schemas: self.known,
        }
    }
}

/// Whether a statement changes what exists, or is a query.
fn is_executable(statement: &Statement) -> bool {
    matches!(
        statement,
        Statement::Query(_)
            | Statement::CreateSource(_)
            | Statement::CreateAs(_)
            | Statement::InsertInto(_)
            | Statement::InsertValues(_)
            | Statement::CreateType(_)
            | Statement::Drop(_)
            | Statement::AlterSource(_)
    )
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
        Statement::AlterSystem { .. } => "ALTER SYSTEM",
        Statement::AssertTopic(_) | Statement::AssertSchema(_) => "ASSERT",
        Statement::AssertValues(_) | Statement::AssertTombstone(_) | Statement::AssertSource(_) => {
            "ASSERT of tests"
        }
        Statement::RunScript { .. } => "RUN SCRIPT",
        _ => "this statement",
    }
}
