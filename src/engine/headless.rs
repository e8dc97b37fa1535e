//! A file of statements as an application: checked, its topics made, its queries started.
//!
//! As ksqlDB's headless mode (`ksql.queries.file`): DDL, persistent queries and SET only, and at
//! least one query. Every faulty statement is reported, not just the first.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::identity::Fate;
use super::program::Command;
use super::service::{self, ServiceQueries, ServiceQuery};
use super::{
    Answer, Engine, Program, Properties, PropertyError, Services, TopicRequest, schemas, settings,
    topics,
};
use crate::kafka::ClientConfig;
use crate::kafka::admin::Admin;
use crate::kafka::config::ConfigError;
use crate::plan::{SchemaRequest, Source};
use crate::registry::{RegistryClient, RegistryError};
use crate::runtime::live::{LiveError, QuerySpec};
use crate::sql::{Diagnostic, Span, Text};

/// Why a file cannot be run.
#[derive(Debug, thiserror::Error)]
pub enum HeadlessError {
    /// Statements that cannot be parsed or planned, each with its place.
    #[error("{} faulty", if .0.len() == 1 { "1 statement is".to_owned() } else { format!("{} statements are", .0.len()) })]
    Statements(Vec<Diagnostic>),
    /// Statements that have changed since their queries last ran, each with its place.
    #[error("{} changed since", if .0.len() == 1 { "1 statement has".to_owned() } else { format!("{} statements have", .0.len()) })]
    Changed(Vec<Diagnostic>),
    /// There is nothing to run.
    #[error("the file holds no persistent query, so there is nothing to run")]
    NoQuery,
    /// A property that cannot be used.
    #[error(transparent)]
    Property(#[from] PropertyError),
    /// A property of a client that cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// Kafka.
    #[error(transparent)]
    Live(#[from] LiveError),
    /// The schema registry.
    #[error(transparent)]
    Registry(#[from] RegistryError),
}

/// What a file says, checked against what is known of topics.
#[derive(Debug, Default)]
pub struct Checked {
    /// The faults, in the order of their places.
    pub faults: Vec<Diagnostic>,
    /// What is not wrong, but perhaps not meant, with its place.
    pub notes: Vec<(Span, String)>,
    /// The statements that define streams and tables, or fill them, in the order in which they stand.
    pub statements: Vec<CheckedStatement>,
    /// The topics that had to be assumed, as nothing is known of them.
    pub assumed: BTreeSet<String>,
}

/// A statement that is nothing but right.
#[derive(Clone, Debug)]
pub struct CheckedStatement {
    /// Where it stands.
    pub place: Span,
    /// The stream or table that it defines or fills, as all statements leave it.
    pub source: Arc<Source>,
    /// The id of its query, if it has one.
    pub query: Option<String>,
}

impl Checked {
    /// The queries that would run, by id.
    pub fn queries(&self) -> impl Iterator<Item = &str> {
        self.statements.iter().filter_map(|statement| statement.query.as_deref())
    }
}

/// Checks a file without Kafka: topics that have to be there are assumed to be there. A registry is asked, if there is one.
pub async fn check(
    registry: Option<&RegistryClient>,
    text: impl Into<Text>,
    properties: &Properties,
) -> Result<Checked, HeadlessError> {
    properties.check()?;
    check_values(properties)?;
    let mut program = parse(registry, text, properties);
    let assumed = assume(&mut program, registry).await?;
    Ok(Checked { assumed, ..checked(&program, registry).await? })
}

/// Checks the values that queries and clients read, as a start would.
fn check_values(properties: &Properties) -> Result<(), HeadlessError> {
    settings(properties)?;
    let mut properties = properties.clone();
    if properties.get("bootstrap.servers").is_none() {
        // A file is checked without any.
        properties.set("bootstrap.servers", "localhost:9092");
    }
    ClientConfig::from_properties(&properties.for_clients())?;
    Ok(())
}

/// Checks a file against the topics of a cluster, and the schemas of its registry.
pub async fn check_against(
    services: &Services,
    text: impl Into<Text>,
    properties: &Properties,
) -> Result<Checked, HeadlessError> {
    properties.check()?;
    let registry = services.registry.as_ref();
    let mut program = parse(registry, text, properties);
    program.known_mut().compares_topics = true;
    run(&mut program, services).await?;
    checked(&program, registry).await
}

/// What a file would do, found out without doing it.
#[derive(Debug)]
pub struct DryRun {
    /// Its queries, and those that are gone.
    pub queries: ServiceQueries,
    /// The topics that it would make.
    pub topics: Vec<TopicRequest>,
    /// The schemas that it would register, unless they are there.
    pub schemas: Vec<SchemaRequest>,
    /// What would exist.
    engine: Engine,
}

/// What files make, with all that it needs in Kafka: it can be started.
#[derive(Clone, Debug)]
pub struct Application {
    /// Its queries.
    pub queries: Vec<QuerySpec>,
    /// What exists in it, the queries under the ids under which they run.
    pub engine: Engine,
}

/// Runs a file's statements: makes the topics of its sources and sinks, registers their schemas, and gives its queries.
///
/// `numbers` are those of the queries' positions, where they are not to be 0, 1, 2 …. A query that
/// has run before keeps its id wherever its statement stands now. One whose statement has changed
/// since is refused before anything is written.
pub async fn prepare(
    services: &Services,
    text: impl Into<Text>,
    properties: &Properties,
    numbers: &[i64],
) -> Result<Vec<QuerySpec>, HeadlessError> {
    let program = parse(services.registry.as_ref(), text, properties);
    let program = program.with_query_numbers(numbers.iter().copied());
    Ok(prepare_program(services, program, properties).await?.queries)
}

/// The same, with what exists then. Where clients are answered, the rows of a `CREATE SOURCE TABLE` are kept for them.
pub async fn prepare_application(
    services: &Services,
    text: impl Into<Text>,
    properties: &Properties,
    answers_clients: bool,
) -> Result<Application, HeadlessError> {
    let program = parse(services.registry.as_ref(), text, properties);
    let program = if answers_clients { program.with_clients() } else { program };
    prepare_program(services, program, properties).await
}

async fn prepare_program(
    services: &Services,
    program: Program,
    properties: &Properties,
) -> Result<Application, HeadlessError> {
    let DryRun { queries, topics, schemas, engine } = plan(services, program, properties).await?;
    let changed = queries.queries.iter().filter_map(changed).collect::<Vec<_>>();
    if !changed.is_empty() {
        return Err(HeadlessError::Changed(changed));
    }
    tell(&queries);
    let admin = Admin::new(&services.cluster);
    for request in &topics {
        topics::create(&admin, request).await?;
    }
    if let Some(registry) = &services.registry {
        for SchemaRequest { subject, schema } in &schemas {
            registry.register(subject, schema).await?;
        }
    }
    let queries: Vec<QuerySpec> = queries.queries.into_iter().map(|query| query.spec).collect();
    let ids: Vec<String> = queries.iter().map(|spec| spec.id.clone()).collect();
    Ok(Application { engine: engine.with_query_ids(&ids), queries })
}

/// Finds out what a file would do.
pub async fn dry_run(
    services: &Services,
    text: impl Into<Text>,
    properties: &Properties,
) -> Result<DryRun, HeadlessError> {
    plan(services, parse(services.registry.as_ref(), text, properties), properties).await
}

/// Plans a file against Kafka: writes nothing.
async fn plan(
    services: &Services,
    program: Program,
    properties: &Properties,
) -> Result<DryRun, HeadlessError> {
    properties.check()?;
    if !program.faults().is_empty() {
        return Err(HeadlessError::Statements(program.faults().to_vec()));
    }
    let mut as_new = program.clone();
    as_new.known_mut().compares_topics = true;
    let as_new = run_against(services, as_new).await?;
    for (_, note) in as_new.notes() {
        tracing::warn!("{note}");
    }
    if as_new.faults().is_empty() {
        return found(services, &as_new).await;
    }
    // A join that is refused as its sources have unequal partitions may have begun before they had, and so may a query whose
    // topic has another shape.
    let mut as_begun = program;
    as_begun.known_mut().joins_unequal = true;
    as_begun.known_mut().compares_topics = false;
    let as_begun = run_against(services, as_begun).await?;
    if as_begun.faults().is_empty() {
        let found = found(services, &as_begun).await?;
        let queries = &found.queries.queries;
        // Places are compared by their bounds: as parts of a tree they are all alike.
        let is_at = |query: &ServiceQuery, at: &Span| {
            (query.place.start, query.place.end) == (at.start, at.end)
        };
        let has_begun =
            |at: &Span| queries.iter().any(|query| is_at(query, at) && query.fate != Fate::New);
        if as_new.faulty().iter().all(has_begun) {
            return Ok(found);
        }
    }
    Err(HeadlessError::Statements(as_new.faults().to_vec()))
}

/// Runs a program's statements against Kafka, without doing what they say.
async fn run_against(services: &Services, mut program: Program) -> Result<Program, HeadlessError> {
    let admin = Admin::new(&services.cluster);
    program.known_mut().default_retention_ms = topics::default_retention(&admin).await?;
    run(&mut program, services).await?;
    Ok(program)
}

/// What a program without faults would do.
async fn found(services: &Services, program: &Program) -> Result<DryRun, HeadlessError> {
    if let Some(registry) = &services.registry {
        let refused = schemas::refusals(registry, program).await?;
        if !refused.is_empty() {
            return Err(HeadlessError::Statements(refused));
        }
    }
    let specs = specs(program.engine())?;
    if specs.is_empty() {
        return Err(HeadlessError::NoQuery);
    }
    let queries = service::find_queries(&services.cluster, program, specs).await?;
    let topics = program.topics().cloned().collect();
    let schemas = program.schemas().cloned().collect();
    Ok(DryRun { queries, topics, schemas, engine: program.engine().clone() })
}

/// What is to be said of a query that was another one when it last ran.
fn changed(query: &ServiceQuery) -> Option<Diagnostic> {
    let before = query.before.as_ref()?;
    let id = &query.spec.id;
    let [was, now] = before.texts(&query.spec.plan);
    let message = format!(
        "query {id} was another one when it last ran, so its state and its offsets are not those of \
         this statement\nwas: {was}\nnow: {now}"
    );
    let help = format!(
        "millstream reset FILE {id} deletes its group, its state and its internal topics, so that it \
         begins anew; with the old statement it goes on where it stopped"
    );
    Some(Diagnostic::new(message).at(query.place, "in this statement").help(help))
}

/// Tells what is not as anybody may think.
fn tell(queries: &ServiceQueries) {
    for query in &queries.queries {
        let id = &query.spec.id;
        match query.fate {
            Fate::TakenOver => tracing::info!(
                "query {id} goes on from offsets that do not say of which statement they are"
            ),
            Fate::Renumbered => {
                tracing::info!("query {id} goes on, although its statement stands elsewhere now");
            }
            Fate::Kept | Fate::New | Fate::Changed | Fate::OffsetsLost => {}
        }
    }
    for query in &queries.gone {
        tracing::info!("query {} is gone: no statement makes it; its group stays", query.id);
    }
}

/// The statements of a file, which may have schemas in a registry if there is one.
fn parse(
    registry: Option<&RegistryClient>,
    text: impl Into<Text>,
    properties: &Properties,
) -> Program {
    let program = Program::parse(text, properties);
    if registry.is_some() { program.with_registry() } else { program }
}

/// Runs all statements, with what Kafka and the registry know.
async fn run(program: &mut Program, services: &Services) -> Result<(), HeadlessError> {
    while let Some(needs) = program.needs() {
        services.look_up::<HeadlessError>(&needs, program.known_mut()).await?;
        program.step();
    }
    Ok(())
}

/// Runs all statements, and assumes that the topics are there that have to be there. Gives these.
async fn assume(
    program: &mut Program,
    registry: Option<&RegistryClient>,
) -> Result<BTreeSet<String>, HeadlessError> {
    let mut assumed = BTreeSet::new();
    while let Some(needs) = program.needs() {
        if let Some(registry) = registry {
            schemas::look_up(registry, &needs, program.known_mut()).await?;
        }
        let topics = program.known_mut().assume(&needs);
        let done = program.done().len();
        program.step();
        if program.done().len() > done {
            assumed.extend(topics);
        }
    }
    Ok(assumed)
}

async fn checked(
    program: &Program,
    registry: Option<&RegistryClient>,
) -> Result<Checked, HeadlessError> {
    let mut faults = program.faults().to_vec();
    if let Some(registry) = registry {
        faults.extend(schemas::refusals(registry, program).await?);
    }
    faults.sort_by_key(|fault| fault.labels.first().map(|(span, _)| span.start));
    let catalog = program.engine().catalog();
    let statement = |command: &Command| {
        let source = Arc::clone(catalog.source(command.source.as_deref()?)?);
        let query = match &command.change.answer {
            Answer::Query { id } => Some(id.clone()),
            _ => None,
        };
        Some(CheckedStatement { place: command.place, source, query })
    };
    Ok(Checked {
        faults,
        notes: program.notes().to_vec(),
        statements: program.done().iter().filter_map(statement).collect(),
        assumed: BTreeSet::new(),
    })
}

/// The queries of an engine, as an instance takes them.
fn specs(engine: &Engine) -> Result<Vec<QuerySpec>, PropertyError> {
    let spec = |query: &std::sync::Arc<super::PersistentQuery>| {
        let settings = settings(&engine.properties_of(query))?;
        Ok(QuerySpec {
            is_paused: false,
            id: query.id.clone(),
            plan: std::sync::Arc::clone(&query.plan),
            settings,
            is_replacement: query.is_replacement,
        })
    };
    engine.queries().iter().map(spec).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::fingerprint;

    const STREAM: &str = "CREATE STREAM clicks (id STRING KEY, page STRING)
        WITH (KAFKA_TOPIC='clicks', VALUE_FORMAT='JSON', PARTITIONS=1);";
    const TABLE: &str = "CREATE TABLE hits AS SELECT page, COUNT(*) AS hits FROM clicks
        WINDOW TUMBLING (SIZE 10 SECONDS) GROUP BY page EMIT CHANGES;";

    async fn fingerprint_of(text: &str) -> String {
        let mut program = Program::parse(text, &Properties::default());
        assume(&mut program, None).await.unwrap();
        assert_eq!(program.faults(), []);
        fingerprint(&program.engine().queries()[0].plan)
    }

    #[tokio::test]
    async fn a_fingerprint_is_that_of_a_statement_and_of_what_it_reads() {
        let before = fingerprint_of(&format!("{STREAM}{TABLE}")).await;
        // Whoever changes this gives up the checkpoints of everybody.
        assert_eq!(before, "7d71b29ea52d8e53204c63f058403991");
        let spaced = TABLE.replace(' ', "  ").replace("SELECT", "select");
        assert_eq!(fingerprint_of(&format!("{STREAM}{spaced}")).await, before);
        for (from, to) in [
            ("10 SECONDS", "20 SECONDS"),
            ("COUNT(*)", "COUNT(id)"),
            ("JSON", "DELIMITED"),
            ("page STRING", "page INT"),
            ("'clicks'", "'others'"),
        ] {
            let text = format!("{STREAM}{TABLE}").replace(from, to);
            assert_ne!(fingerprint_of(&text).await, before, "{to}");
        }
    }
}
