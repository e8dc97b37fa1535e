//! A file of statements as an application: checked, its topics made, its queries started.
//!
//! As ksqlDB's headless mode (`ksql.queries.file`): DDL, persistent queries and SET only, and at
//! least one query. Every faulty statement is reported, not just the first.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use super::{
    Engine, Outcome, PersistentQuery, Properties, PropertyError, TopicRequest, TopicShape, Topics,
};
use crate::kafka::Cluster;
use crate::kafka::admin::{Admin, ConfigResource};
use crate::operators::{EMIT_INTERVAL_MS, QueryError};
use crate::plan::{OptionSet, Options};
use crate::runtime::live::{LiveError, QuerySettings, QuerySpec, ensure_topic};
use crate::runtime::{Driver, DriverOptions};
use crate::sql::ast::Statement;
use crate::sql::{self, Diagnostic, ParseOptions, ParsedStatement, Variables};

/// Why a file cannot be run.
#[derive(Debug, thiserror::Error)]
pub enum HeadlessError {
    /// Statements that cannot be parsed or planned, each with its place.
    #[error("{} faulty", if .0.len() == 1 { "1 statement is".to_owned() } else { format!("{} statements are", .0.len()) })]
    Statements(Vec<Diagnostic>),
    /// There is nothing to run.
    #[error("the file holds no persistent query, so there is nothing to run")]
    NoQuery,
    /// A property that cannot be used.
    #[error(transparent)]
    Property(#[from] PropertyError),
    /// Kafka.
    #[error(transparent)]
    Live(#[from] LiveError),
}

/// What a file says, checked against what is known of topics.
#[derive(Debug)]
pub struct Checked {
    /// The faults, in the order of their places.
    pub faults: Vec<Diagnostic>,
    /// The queries that would run, by id.
    pub queries: Vec<String>,
    /// The topics that had to be assumed, as nothing is known of them.
    pub assumed: Vec<String>,
}

/// Topics as they are known; the others are assumed to have one partition, if that is asked for.
#[derive(Clone, Debug, Default)]
struct KnownTopics {
    known: Rc<RefCell<BTreeMap<String, TopicShape>>>,
    assumed: Rc<RefCell<BTreeSet<String>>>,
    assumes: bool,
    /// How long the brokers keep what topics without a retention of their own hold.
    retention_ms: Option<i64>,
}

impl KnownTopics {
    /// Adds a topic that is yet to be made.
    fn add(&self, request: &TopicRequest) {
        let retention_ms = request.shape.retention_ms.or(self.retention_ms);
        let shape = TopicShape { retention_ms, ..request.shape };
        self.known.borrow_mut().insert(request.name.clone(), shape);
    }
}

impl Topics for KnownTopics {
    fn describe(&self, name: &str) -> Option<TopicShape> {
        if let Some(shape) = self.known.borrow().get(name) {
            return Some(*shape);
        }
        if !self.assumes {
            return None;
        }
        self.assumed.borrow_mut().insert(name.to_owned());
        Some(TopicShape { partitions: 1, replicas: 1, retention_ms: None })
    }
}

/// Checks a file without Kafka: topics are assumed to be there.
pub fn check(text: &str, properties: &Properties) -> Checked {
    let topics = KnownTopics { assumes: true, ..KnownTopics::default() };
    checked(text, properties, &topics)
}

/// Checks a file against the topics of a cluster.
pub async fn check_against(
    cluster: &Cluster,
    text: &str,
    properties: &Properties,
) -> Result<Checked, LiveError> {
    let topics = KnownTopics::default();
    if let Ok(statements) = parse(text, properties) {
        look_up(&Admin::new(cluster), &statements, &topics).await?;
    }
    Ok(checked(text, properties, &topics))
}

fn checked(text: &str, properties: &Properties, topics: &KnownTopics) -> Checked {
    let statements = match parse(text, properties) {
        Ok(statements) => statements,
        Err(faults) => return Checked { faults, queries: Vec::new(), assumed: Vec::new() },
    };
    let mut engine = Engine::new(properties.clone(), topics.clone());
    let mut faults = Vec::new();
    let mut made = BTreeSet::new();
    for parsed in &statements {
        match execute(&mut engine, parsed) {
            Ok(Outcome::Created(request) | Outcome::Query(_, request)) => {
                if let Some(request) = request {
                    made.insert(request.name.clone());
                    topics.known.borrow_mut().insert(request.name, request.shape);
                }
            }
            Ok(Outcome::Done) => {}
            Err(fault) => faults.push(fault),
        }
    }
    let sinks: BTreeSet<String> =
        engine.queries().iter().map(|query| query.plan.sink.topic.clone()).collect();
    let assumed = topics.assumed.borrow().clone().into_iter();
    Checked {
        faults,
        queries: engine.queries().iter().map(|query| query.id.clone()).collect(),
        assumed: assumed.filter(|topic| !made.contains(topic) && !sinks.contains(topic)).collect(),
    }
}

/// Runs a file's statements: makes the topics of its sources and sinks, and gives its queries.
///
/// `numbers` are those of the queries' ids, where they are not to be 0, 1, 2 ….
pub async fn prepare(
    cluster: &Cluster,
    text: &str,
    properties: &Properties,
    numbers: &[i64],
) -> Result<Vec<QuerySpec>, HeadlessError> {
    let statements = parse(text, properties).map_err(HeadlessError::Statements)?;
    let admin = Admin::new(cluster);
    let topics = KnownTopics::default();
    look_up(&admin, &statements, &topics).await?;
    let topics = KnownTopics { retention_ms: default_retention(&admin).await?, ..topics };
    let (specs, requests) = run_statements(&statements, properties, numbers, &topics)?;
    for request in requests {
        create(&admin, &request).await?;
    }
    if specs.is_empty() {
        return Err(HeadlessError::NoQuery);
    }
    Ok(specs)
}

fn run_statements(
    statements: &[ParsedStatement],
    properties: &Properties,
    numbers: &[i64],
    topics: &KnownTopics,
) -> Result<(Vec<QuerySpec>, Vec<TopicRequest>), HeadlessError> {
    let engine = Engine::new(properties.clone(), topics.clone());
    let mut engine = engine.with_query_numbers(numbers.iter().copied());
    let (mut specs, mut requests, mut faults) = (Vec::new(), Vec::new(), Vec::new());
    for parsed in statements {
        let request = match execute(&mut engine, parsed) {
            Ok(Outcome::Done) => None,
            Ok(Outcome::Created(request)) => request,
            Ok(Outcome::Query(query, request)) => {
                let mut effective = properties.clone();
                effective.extend(&query.properties);
                let settings = settings(&effective)?;
                specs.push(QuerySpec { id: query.id, plan: query.plan, settings });
                request
            }
            Err(fault) => {
                faults.push(fault);
                None
            }
        };
        if let Some(request) = request {
            topics.add(&request);
            requests.push(request);
        }
    }
    if faults.is_empty() { Ok((specs, requests)) } else { Err(HeadlessError::Statements(faults)) }
}

/// Runs a statement; a query must also be one that can be run.
fn execute(engine: &mut Engine<'_>, parsed: &ParsedStatement) -> Result<Outcome, Diagnostic> {
    let outcome = engine.execute(parsed).map_err(|error| diagnostic(&error, parsed))?;
    if let Outcome::Query(query, _) = &outcome {
        build(query).map_err(|error| {
            Diagnostic::new(error.to_string()).at(parsed.place, "in this statement")
        })?;
    }
    Ok(outcome)
}

/// Builds a query once, to see whether it can be run: what is planned may need, for one, a format
/// that is not there yet.
fn build(query: &PersistentQuery) -> Result<(), QueryError> {
    Driver::new(Arc::clone(&query.plan), &query.id, DriverOptions::default()).map(drop)
}

/// Parses a file; variables come from DEFINE statements.
fn parse(text: &str, properties: &Properties) -> Result<Vec<ParsedStatement>, Vec<Diagnostic>> {
    let substitutes = properties.flag("ksql.variable.substitution.enable", true).unwrap_or(true);
    let options =
        ParseOptions { variables: substitutes.then(Variables::default), ..ParseOptions::default() };
    let parsed = sql::parse(text, &options);
    parsed.map_err(|errors| errors.iter().map(sql::ParseError::to_diagnostic).collect())
}

fn diagnostic(error: &crate::plan::PlanError, parsed: &ParsedStatement) -> Diagnostic {
    // With variables put in, places within the statement are not those of the file.
    let is_as_written = parsed.place.start == parsed.span.start
        && parsed.source.len() >= parsed.place.end
        && parsed.place.text(&parsed.source) == parsed.text;
    let place = error.span.filter(|_| is_as_written);
    let at = place.unwrap_or(parsed.place);
    let label = if place.is_some() { "here" } else { "in this statement" };
    let mut diagnostic = Diagnostic::new(error.to_string()).at(at, label);
    if let Some(help) = &error.help {
        diagnostic = diagnostic.help(help.clone());
    }
    diagnostic
}

/// Asks Kafka about all topics that the statements may need.
async fn look_up(
    admin: &Admin,
    statements: &[ParsedStatement],
    topics: &KnownTopics,
) -> Result<(), LiveError> {
    for name in named_topics(statements) {
        let Some(found) = admin.describe_topic(&name).await? else { continue };
        let configs = admin.describe_configs(&ConfigResource::Topic(name.clone())).await?;
        let mut retention = configs.into_iter().filter(|entry| entry.name == "retention.ms");
        let retention_ms =
            retention.find_map(|entry| entry.value.and_then(|value| value.parse().ok()));
        let replicas =
            found.partitions.first().map_or(1, |partition| partition.replicas.len() as i16);
        let shape =
            TopicShape { partitions: found.partitions.len() as i32, replicas, retention_ms };
        topics.known.borrow_mut().insert(name, shape);
    }
    Ok(())
}

/// What the brokers say about the retention of topics that say nothing: in milliseconds, minutes or
/// hours, the first that is set.
async fn default_retention(admin: &Admin) -> Result<Option<i64>, LiveError> {
    let brokers = admin.cluster().metadata().await?.brokers;
    let Some(broker) = brokers.keys().min() else { return Ok(None) };
    let described = admin.describe_configs(&ConfigResource::Broker(*broker)).await;
    let configs = described.unwrap_or_else(|error| {
        // Not everybody may ask this; sinks then have the brokers' retention without saying so.
        tracing::debug!("the retention of the brokers is not known: {error}");
        Vec::new()
    });
    let units = [
        ("log.retention.ms", 1),
        ("log.retention.minutes", 60_000),
        ("log.retention.hours", 3_600_000),
    ];
    let value = |(name, unit_ms): (&str, i64)| {
        let config = configs.iter().find(|config| config.name == name)?;
        let value: i64 = config.value.as_ref()?.parse().ok()?;
        Some(if value < 0 { -1 } else { value.saturating_mul(unit_ms) })
    };
    Ok(units.into_iter().find_map(value))
}

/// The topics that statements name, or that a sink without a name would have.
fn named_topics(statements: &[ParsedStatement]) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for parsed in statements {
        let (with, set, name) = match &parsed.statement {
            Statement::CreateSource(create) => (&create.with, OptionSet::Source, None),
            Statement::CreateAs(create) => {
                (&create.with, OptionSet::Sink, Some(create.name.text.clone()))
            }
            _ => continue,
        };
        let topic = Options::from_clause(with, set).ok().and_then(|options| options.topic);
        names.extend(topic.or(name));
    }
    names
}

async fn create(admin: &Admin, request: &TopicRequest) -> Result<(), LiveError> {
    let mut configs =
        BTreeMap::from([("cleanup.policy".to_owned(), request.cleanup_policy.to_owned())]);
    if let Some(retention_ms) = request.shape.retention_ms {
        configs.insert("retention.ms".to_owned(), retention_ms.to_string());
    }
    let TopicShape { partitions, replicas, .. } = request.shape;
    ensure_topic(admin, &request.name, partitions, replicas, &configs).await.map(drop)
}

/// How a query runs, by ksqlDB's names and with ksqlDB's defaults.
pub fn settings(properties: &Properties) -> Result<QuerySettings, PropertyError> {
    let ms = |name: &str, default: i64| -> Result<Duration, PropertyError> {
        let value = properties.number(name, default)?;
        Ok(Duration::from_millis(u64::try_from(value).unwrap_or(0)))
    };
    let service_id = properties.get("ksql.service.id").unwrap_or("default_").to_owned();
    let reset = properties.get("auto.offset.reset").unwrap_or("latest").to_ascii_lowercase();
    let from_earliest = match reset.as_str() {
        "earliest" => true,
        "latest" => false,
        _ => {
            return Err(PropertyError {
                name: "auto.offset.reset".to_owned(),
                found: reset,
                expected: "earliest or latest",
            });
        }
    };
    let log_topic = properties.get("ksql.logging.processing.topic.name");
    let repartition = properties.get("ksql.millstream.repartition").unwrap_or("memory");
    Ok(QuerySettings {
        from_earliest,
        commit_interval: ms("commit.interval.ms", 2_000)?,
        cache_bytes: properties.number("cache.max.bytes.buffering", 10_000_000)?,
        repartitions_by_topic: repartition.eq_ignore_ascii_case("topic"),
        purge_interval: ms("repartition.purge.interval.ms", 30_000)?,
        emit_interval_ms: properties
            .number("__emit.interval.ms.kstreams.windowed.aggregation__", EMIT_INTERVAL_MS)?,
        nested_error_set_null: properties.flag("ksql.nested.error.set.null", true)?,
        retry_backoff: ms("ksql.query.retry.backoff.initial.ms", 15_000)?,
        retry_backoff_max: ms("ksql.query.retry.backoff.max.ms", 900_000)?,
        has_processing_log: properties.flag("ksql.logging.processing.topic.auto.create", false)?,
        logs_rows: properties.flag("ksql.logging.processing.rows.include", false)?,
        processing_log_topic: log_topic
            .map_or_else(|| format!("{service_id}ksql_processing_log"), str::to_owned),
        internal_replicas: i16::try_from(properties.number("ksql.internal.topic.replicas", 1)?)
            .unwrap_or(1),
        interleave_ms: properties.number("ksql.millstream.interleave.ms", 1_000)?,
        state_dir: properties.get("state.dir").filter(|dir| !dir.is_empty()).map(PathBuf::from),
        service_id,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::fingerprint;

    const STREAM: &str = "CREATE STREAM clicks (id STRING KEY, page STRING)
        WITH (KAFKA_TOPIC='clicks', VALUE_FORMAT='JSON', PARTITIONS=1);";
    const TABLE: &str = "CREATE TABLE hits AS SELECT page, COUNT(*) AS hits FROM clicks
        WINDOW TUMBLING (SIZE 10 SECONDS) GROUP BY page EMIT CHANGES;";

    fn fingerprint_of(text: &str) -> String {
        let properties = Properties::default();
        let statements = parse(text, &properties).unwrap();
        let topics = KnownTopics { assumes: true, ..KnownTopics::default() };
        let (specs, _) = run_statements(&statements, &properties, &[], &topics).unwrap();
        fingerprint(&specs[0].plan)
    }

    #[test]
    fn a_fingerprint_is_that_of_a_statement_and_of_what_it_reads() {
        let before = fingerprint_of(&format!("{STREAM}{TABLE}"));
        // Whoever changes this gives up the checkpoints of everybody.
        assert_eq!(before, "7d71b29ea52d8e53204c63f058403991");
        let spaced = TABLE.replace(' ', "  ").replace("SELECT", "select");
        assert_eq!(fingerprint_of(&format!("{STREAM}{spaced}")), before);
        for (from, to) in [
            ("10 SECONDS", "20 SECONDS"),
            ("COUNT(*)", "COUNT(id)"),
            ("JSON", "DELIMITED"),
            ("page STRING", "page INT"),
            ("'clicks'", "'others'"),
        ] {
            let text = format!("{STREAM}{TABLE}").replace(from, to);
            assert_ne!(fingerprint_of(&text), before, "{to}");
        }
    }
}
