//! The engine as the runners see it.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value as Json;

use super::engine_facts::{as_written, info, internal_topics, read_as, side};
use super::engine_failures::{died, refused, unfit};
use super::failure::FailureKind;
use super::registry::MemoryRegistry;
use super::source_info::{SourceInfo, TopicInfo};
use super::system::{Given, Record, RecordedSchemas};
use super::topic_spec::TopicSpec;
use super::{Actual, Failure, Properties, System, typed};
use crate::engine::{
    self, Engine, Known, PersistentQuery, QueryChange, Session, TopicShape, diagnostic,
};
use crate::expr::EvalContext;
use crate::expr::functions::enable_test_functions;
use crate::formats::{Decoder, Encoded, Encoder, Schemas, encode_json};
use crate::operators::QueryError;
use crate::plan::{self, InsertRow, OptionSet, Options, PlanConfig, PlanContext, PlanError};
use crate::registry::{Registry, Schema, SchemaId, Subject};
use crate::runtime::{
    Driver, DriverOptions, DriverRecord, SchemaAccess, SeededRandom, Target, write_inserted,
};
use crate::sql::ast::Statement;
use crate::sql::diagnostic::Color;
use crate::sql::{self, ParseOptions, ParsedStatement};
use crate::types::{Arena, Column, ColumnDef, Timestamp};

/// What the names of internal topics begin with.
const INTERNAL_PREFIX: &str = "_confluent-ksql-some.ksql.service.idquery_";

/// What the clock of the cases shows. ksqlDB's emissions go by one that stands at the epoch, its functions by that of
/// the machine; nothing tells the two apart but a case that asks for a time after 1970.
pub(super) const NOW: Timestamp = Timestamp(1_700_000_000_000);

/// How often `EMIT FINAL` emits, in milliseconds; the cases set it.
const EMIT_INTERVAL: &str = "__emit.interval.ms.kstreams.windowed.aggregation__";

/// Whether what ksqlDB does not have is refused.
const STRICT: &str = "ksql.millstream.strict";

/// An engine with a driver for each of its queries.
#[derive(Default)]
pub(super) struct EngineSystem {
    pub(super) engine: Engine,
    /// Whether ksqlDB's own language alone is taken.
    is_strict: bool,
    pub(super) session: Session,
    /// Whether statements of tests are taken.
    pub(super) takes_assertions: bool,
    known: Known,
    /// How many queries have been made, which numbers the next one.
    made: i64,
    drivers: BTreeMap<String, Driver>,
    pub(super) registry: Arc<MemoryRegistry>,
}

impl EngineSystem {
    /// An engine in which nothing exists yet.
    pub(super) fn start(properties: &Properties) -> Self {
        let properties =
            engine::Properties::new(properties.iter().map(|(k, v)| (k.clone(), v.clone())));
        enable_test_functions();
        // What ksqlDB refuses is to be refused here, unless a case says otherwise.
        let is_strict = properties.flag(STRICT, true).unwrap_or(true);
        let engine = Engine::new(properties).with_test_functions().with_registry().with_rows();
        Self { engine, is_strict, ..Self::default() }
    }

    /// What statements are planned with, against the catalog as it is.
    pub(super) fn plan_context<'c>(
        &'c self,
        config: &'c PlanConfig,
        text: &'c sql::Text,
    ) -> PlanContext<'c> {
        PlanContext {
            catalog: self.engine.catalog(),
            config,
            text,
            topics: &self.known,
            schemas: &self.known,
        }
    }

    fn parse_options(&self) -> ParseOptions {
        ParseOptions {
            testing: self.takes_assertions,
            is_strict: self.is_strict,
            ..ParseOptions::default()
        }
    }

    fn query(&self, id: &str) -> Option<&Arc<PersistentQuery>> {
        self.engine.catalog().query(id)
    }

    /// Makes the topics that a statement needs, with a partition each.
    pub(super) fn make_topics(&mut self, parsed: &ParsedStatement) {
        self.known.assume(&self.engine.needs(&parsed.statement, &self.session));
    }

    /// Parses statements.
    pub(super) fn statements(&self, sql: &str) -> Result<Vec<ParsedStatement>, Failure> {
        sql::parse(sql, &self.parse_options()).map_err(|errors| {
            let Some(error) = errors.first() else {
                return Failure::new(FailureKind::Parse, "nothing could be read");
            };
            // Where the message hides nothing, there is no other text.
            let shown = (error.unlogged != error.message).then(|| match &*error.statement {
                "" => error.unlogged.clone(),
                statement => format!("{}\nStatement: {statement}", error.unlogged),
            });
            let failure = Failure::new(FailureKind::Parse, error.message.clone());
            let placed = error.to_diagnostic().render(sql, Color::Never);
            Failure { unlogged: shown, placed: Some(placed), ..failure }
        })
    }

    /// Runs a statement, and gives the record that it writes; the drivers of queries that end or are replaced go.
    pub(super) fn run(
        &mut self,
        parsed: &ParsedStatement,
    ) -> Result<Option<(String, Record)>, PlanError> {
        self.look_up(parsed);
        let planned = self.engine.plan(parsed, &self.session, &self.known)?;
        let takes_number = planned.takes_number();
        let change = self.engine.apply(planned, self.made);
        for request in &change.schemas {
            let registered = self.registry.register(&request.subject, &request.schema);
            registered.map_err(|refusal| PlanError::execute(refusal.message))?;
        }
        self.made += i64::from(takes_number);
        change.session.iter().for_each(|change| self.session.apply(change));
        change.topic.iter().for_each(|topic| self.known.add_request(topic));
        for query in &change.queries {
            match query {
                QueryChange::Start(_) | QueryChange::Pause { .. } | QueryChange::Resume { .. } => {}
                QueryChange::Replace(query) => drop(self.drivers.remove(&query.id)),
                QueryChange::Terminate { id } => drop(self.drivers.remove(id)),
            }
        }
        change.row.map(|row| self.write(&row)).transpose()
    }

    /// Writes the row of an `INSERT INTO … VALUES`.
    fn write(&self, row: &InsertRow) -> Result<(String, Record), PlanError> {
        let (arena, random) = (Arena::new(), SeededRandom::new(0));
        let context =
            EvalContext { arena: &arena, now: NOW, random: &random, nested_error_set_null: false };
        let inserted = row.evaluate(&context)?;
        let record = write_inserted(&row.source, &inserted, &*self.registry);
        let record = record.map_err(|error| PlanError::execute(error.message))?;
        let (key, value, timestamp) = (record.key, record.value, record.timestamp_ms);
        let record = Record { key, value, timestamp, ..Record::default() };
        Ok((row.source.topic.clone(), record))
    }

    /// Finds out what a statement has to know of the registry.
    fn look_up(&mut self, parsed: &ParsedStatement) {
        let needs = self.engine.needs(&parsed.statement, &self.session);
        for subject in needs.subjects {
            if let Some(schema) = self.registry.latest(&subject) {
                self.known.add_subject(subject, schema);
            }
        }
        for id in needs.schemas {
            if let Ok(schema) = self.registry.schema(id) {
                self.known.add_schema(schema);
            }
        }
    }

    /// The driver of a query, made when it is first asked for.
    pub(super) fn driver(&mut self, id: &str) -> Result<&mut Driver, QueryError> {
        if !self.drivers.contains_key(id) {
            let query =
                self.query(id).ok_or_else(|| QueryError::new(format!("there is no query {id}")))?;
            let options = options(&self.session.over(self.engine.properties()));
            let registry: Arc<dyn Registry> = Arc::clone(&self.registry) as _;
            let access = SchemaAccess { registry, topic_prefix: format!("{INTERNAL_PREFIX}{id}") };
            let driver = Driver::with_registry(Arc::clone(&query.plan), id, options, access)?;
            self.drivers.insert(id.to_owned(), driver);
        }
        self.drivers.get_mut(id).ok_or_else(|| QueryError::new("the driver is gone"))
    }
}

fn options(properties: &engine::Properties) -> DriverOptions {
    let defaults = DriverOptions::default();
    let interval = properties.number(EMIT_INTERVAL, defaults.emit_interval_ms);
    DriverOptions {
        emit_interval_ms: interval.unwrap_or(defaults.emit_interval_ms),
        fault_rules: engine::fault_rules(properties).unwrap_or(defaults.fault_rules),
        now: NOW,
        ..defaults
    }
}

/// By what the records of a store's changelog are told apart.
fn changelog_name(query: &str, store: &str) -> String {
    format!("{query}-{store}")
}

fn driver_record(record: &Record) -> DriverRecord {
    DriverRecord {
        key: record.key.clone(),
        value: record.value.clone(),
        timestamp_ms: record.timestamp,
        headers: record.headers.clone(),
    }
}

fn of_driver(record: DriverRecord) -> Record {
    Record {
        key: record.key,
        value: record.value,
        timestamp: record.timestamp_ms,
        headers: record.headers,
        offset: 0,
    }
}

impl System for EngineSystem {
    fn create_topic(&mut self, topic: &TopicSpec) -> Result<(), Failure> {
        let shape = TopicShape {
            partitions: topic.partitions.unwrap_or(1),
            replicas: topic.replicas.and_then(|count| i16::try_from(count).ok()).unwrap_or(1),
            retention_ms: None,
        };
        self.known.add_topic(topic.name.as_str(), shape);
        self.register(topic, true)?;
        self.register(topic, false)
    }

    fn declared_topics(&self, sql: &str) -> Vec<TopicSpec> {
        let Ok(statements) = sql::parse(sql, &self.parse_options()) else { return Vec::new() };
        let topic = |parsed: &ParsedStatement| {
            let Statement::CreateSource(create) = &parsed.statement else { return None };
            let options = Options::from_clause(&create.with, OptionSet::Source).ok()?;
            let partitions = options.partitions.or(Some(4));
            let mut topic = TopicSpec { name: options.topic?, partitions, ..TopicSpec::default() };
            self.declared_schemas(parsed, &mut topic);
            Some(topic)
        };
        statements.iter().filter_map(topic).collect()
    }

    fn execute(&mut self, sql: &str) -> Result<Vec<(String, Record)>, Failure> {
        let statements = self.statements(sql)?;
        let last = statements.len().saturating_sub(1);
        let mut written = Vec::new();
        for (index, parsed) in statements.iter().enumerate() {
            match self.run(parsed) {
                Ok(record) => written.extend(record),
                Err(error) => {
                    let placed = Some(diagnostic(&error, parsed).render(sql, Color::Never));
                    let failure = refused(&error, parsed, self.engine.catalog());
                    return Err(Failure { is_last_statement: index == last, placed, ..failure });
                }
            }
        }
        Ok(written)
    }

    fn queries(&self) -> Vec<String> {
        self.engine.queries().iter().map(|query| query.id.clone()).collect()
    }

    fn topology(&self, query: &str) -> String {
        self.query(query).map(|query| plan::topology(&query.plan)).unwrap_or_default()
    }

    fn adopt_ids(&mut self, topic: &str, record: &Record, schemas: &RecordedSchemas) {
        for (subject, bytes) in
            [(Subject::of_keys(topic), &record.key), (Subject::of_values(topic), &record.value)]
        {
            let Some([0, a, b, c, d, ..]) = bytes.as_deref() else { continue };
            let id = SchemaId(i32::from_be_bytes([*a, *b, *c, *d]));
            let Some(known) = self.registry.latest(&subject) else { continue };
            if self.registry.schema(id).is_err() {
                let recorded = schemas.get(&(subject.as_str().to_owned(), id.0));
                let text = recorded.cloned().unwrap_or_else(|| as_written(&known));
                self.registry.register_as(&subject, Schema::new(known.ty, text), id);
            }
        }
    }

    fn query_topics(&self, query: &str) -> Vec<String> {
        let query = self.query(query);
        let sources = query.iter().flat_map(|query| query.plan.sources());
        sources.map(|(_, source)| source.topic.clone()).collect()
    }

    fn pipe(
        &mut self,
        query: &str,
        topic: &str,
        batch: &[Record],
        given: &mut Given,
    ) -> Result<(), Failure> {
        let died = |error: QueryError| died(&error, topic, batch.first());
        let plan = self.query(query).map(|query| Arc::clone(&query.plan));
        let plan =
            plan.ok_or_else(|| died(QueryError::new(format!("there is no query {query}"))))?;
        let driver = self.driver(query).map_err(died)?;
        let batch: Vec<DriverRecord> = batch.iter().map(driver_record).collect();
        let piped = driver.pipe_batch(topic, &batch);
        for (target, record) in driver.take_output() {
            match target {
                Target::Sink => given.written.push((plan.sink.topic.clone(), of_driver(record))),
                Target::Changelog(store) => {
                    let name = plan.store(store).map_or("", |(_, spec)| &spec.name);
                    given.stored.push((changelog_name(query, name), of_driver(record)));
                }
                Target::Repartition(_) => {}
            }
        }
        given.logged.extend(driver.take_log().iter().map(|entry| entry.to_json(0, true)));
        piped.map_err(died)
    }

    fn restart(
        &mut self,
        query: &str,
        changelogs: &BTreeMap<String, Vec<Record>>,
    ) -> Result<(), Failure> {
        let Some(plan) = self.query(query).map(|query| Arc::clone(&query.plan)) else {
            return Ok(());
        };
        let stored = plan.stores().flat_map(|(id, _, store)| {
            let records = changelogs.get(&changelog_name(query, &store.name));
            records.into_iter().flatten().map(move |record| (id, driver_record(record)))
        });
        let Some(driver) = self.drivers.get_mut(query) else { return Ok(()) };
        driver.restart(stored).map_err(|error| died(&error, "", None))
    }

    fn source_on(&self, topic: &str) -> Option<SourceInfo> {
        self.engine.catalog().sources().find(|source| source.topic == topic).map(|s| info(s))
    }

    fn source(&self, name: &str) -> Option<SourceInfo> {
        self.engine.catalog().source(name).map(|source| info(source))
    }

    fn encode(
        &self,
        source: &SourceInfo,
        is_key: bool,
        value: &Json,
    ) -> Result<Option<Vec<u8>>, Failure> {
        let fault = |text: String| Failure::new(FailureKind::Ksql, text);
        let source = self.engine.catalog().source(&source.name);
        let source = source.ok_or_else(|| fault("the source is gone".to_owned()))?;
        let (spec, columns, role) = side(source, is_key);
        if value.is_null() {
            return Ok(None);
        }
        if spec.format.supports_schema_inference() {
            let schema = self.written_schema(source, is_key);
            let schema = schema.ok_or_else(|| fault(format!("{} has no schema", source.topic)))?;
            let name = spec.full_schema_name.as_deref();
            return encode_json(&schema, name, value).map(Some).map_err(fault);
        }
        let encoder = Encoder::new(spec, columns, role, &source.topic, &Schemas::default())
            .map_err(|error| unfit(&error))?;
        let row = typed::row(columns, spec.is_wrapped(columns.len(), role), value);
        let row = row.ok_or_else(|| fault(format!("{} cannot hold {value}", spec.format)))?;
        let (arena, mut bytes) = (Arena::new(), Vec::new());
        let row: Vec<_> = row.iter().map(|value| value.as_value(&arena)).collect();
        let encoded =
            encoder.encode_values(&row, &mut bytes).map_err(|error| fault(error.message))?;
        Ok((encoded == Encoded::Bytes).then_some(bytes))
    }

    fn decode(&self, source: &SourceInfo, is_key: bool, bytes: &[u8]) -> Result<Actual, Failure> {
        let fault = |text: String| Failure::new(FailureKind::Ksql, text);
        let source = self.engine.catalog().source(&source.name);
        let source = source.ok_or_else(|| fault("the source is gone".to_owned()))?;
        let (spec, columns, role) = side(source, is_key);
        let columns = &self.read_columns(source, spec, columns, role);
        let (spec, role) = read_as(spec, columns, role);
        let mut decoder = Decoder::new(&spec, columns, role, &source.topic, &Schemas::default())
            .map_err(|error| unfit(&error))?;
        for id in decoder.unknown_schemas(&[Some(bytes)]) {
            match self.registry.schema(id) {
                Ok(schema) => decoder.learn_schema(id, Ok(&schema)),
                Err(refusal) => decoder.learn_schema(id, Err(&refusal.message)),
            }
        }
        let arena = Arena::new();
        let decoded = decoder.decode(&[Some(bytes)], &vec![true; columns.len()], &arena);
        if let Some((_, error)) = decoded.failures.first() {
            return Err(fault(error.message.clone()));
        }
        let value = |(column, found): (&ColumnDef, &Column<'_>)| {
            (column.name.to_string(), typed::actual(&column.ty, found.value(0)))
        };
        let mut fields: Vec<_> = columns.iter().zip(&decoded.columns).map(value).collect();
        if spec.is_wrapped(columns.len(), role) {
            return Ok(if decoded.nulls.is_empty() { Actual::Map(fields) } else { Actual::Null });
        }
        Ok(fields.pop().map_or(Actual::Null, |(_, value)| value))
    }

    fn topics(&self) -> Vec<TopicInfo> {
        let of_source = |source: SourceInfo| TopicInfo {
            key_schema: self.registry.text_of(&Subject::of_keys(&source.topic)),
            value_schema: self.registry.text_of(&Subject::of_values(&source.topic)),
            name: source.topic,
            key_format: source.key_format,
            value_format: source.value_format,
            window: source.window,
        };
        let sources = self.engine.catalog().sources().map(|source| of_source(info(source)));
        let internal = self.engine.queries().iter().flat_map(|query| {
            let topics = internal_topics(&format!("{INTERNAL_PREFIX}{}", query.id), &query.plan);
            topics.into_iter().map(|topic| TopicInfo {
                key_schema: self.registry.text_of(&Subject::of_keys(&topic.name)),
                value_schema: self.registry.text_of(&Subject::of_values(&topic.name)),
                ..topic
            })
        });
        sources.chain(internal).collect()
    }
}
