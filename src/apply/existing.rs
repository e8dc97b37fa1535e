//! What a server has, as an engine that nobody runs: each of its statements planned again, over what it reads.

use std::collections::{BTreeMap, BTreeSet};

use super::compare::{
    InsertMeaning, Meaning, clause, insert_meaning, lasting, logged_form, meaning, options,
    schema_ids,
};
use super::from_registry::{fill_columns, left_to_registry, without_schema_ids};
use super::there::{ColumnThere, QueryThere, SourceThere, There, column};
use crate::engine::{
    Answer, Change, Engine, Known, Properties, Session, Source, read_logged, read_names,
};
use crate::registry::Subject;
use crate::server::api::entities::columns;
use crate::sql::ParsedStatement;
use crate::sql::ast::Statement;
use crate::sql::print::identifier;

/// The property by which a server knows where its registry is.
const REGISTRY: &str = "ksql.schema.registry.url";

/// What a server has.
pub(super) struct Existing {
    /// An engine in which all of it exists that can be planned.
    pub(super) engine: Engine,
    /// Whether the server knows a registry.
    pub(super) has_registry: bool,
    /// The topics, and the schemas if they are known.
    pub(super) known: Known,
    pub(super) sources: BTreeMap<String, ExistingSource>,
    pub(super) inserts: Vec<ExistingInsert>,
    pub(super) types: BTreeSet<String>,
}

/// A stream or table that a server has.
pub(super) struct ExistingSource {
    pub(super) there: SourceThere,
    /// What it is, or why that cannot be told.
    pub(super) meaning: Result<Meaning, String>,
    /// Whether its statement would now give it other columns than it has.
    pub(super) is_stale: bool,
    /// The query that fills it, if one does.
    pub(super) query: Option<QueryThere>,
    /// The ids of schemas that its statement names.
    pub(super) schema_ids: BTreeMap<String, String>,
    /// `RETENTION_MS`, as its statement has it.
    pub(super) retention_ms: Option<i64>,
}

/// The query of an `INSERT INTO` that a server runs.
pub(super) struct ExistingInsert {
    pub(super) query: QueryThere,
    /// The streams and tables that it reads.
    pub(super) sources: BTreeSet<String>,
    /// What it does; nothing if that cannot be told.
    pub(super) meaning: Option<InsertMeaning>,
}

impl ExistingInsert {
    /// Whether it does this, with these properties.
    pub(super) fn does(
        &self,
        meaning: Option<&InsertMeaning>,
        overrides: &BTreeMap<String, String>,
    ) -> bool {
        meaning.is_some()
            && self.meaning.as_ref() == meaning
            && lasting(&self.query.overrides) == *overrides
    }
}

impl Existing {
    /// What a server has, by what it says. `known` are its topics, and the schemas if they are known.
    pub(super) fn new(there: &There, properties: Properties, known: Known) -> Self {
        let has_registry = properties.get(REGISTRY).is_some();
        let engine = Engine::new(properties).with_clients();
        let engine = if has_registry { engine.with_registry() } else { engine };
        let mut replay = Replay { engine, known: known.clone().of_the_past(), number: 0 };
        let mut types = BTreeSet::new();
        for (name, ty) in &there.types {
            let text = format!("CREATE TYPE {} AS {ty};", identifier(name));
            // One that cannot be planned is missed by those that name it, who tell of it.
            let _ = replay.run_text(&text, &Session::default());
            types.insert(name.clone());
        }
        let sources = replay.sources(there);
        let inserts = replay.inserts(there);
        Self { engine: replay.engine, has_registry, known, sources, inserts, types }
    }
}

/// Plans what is there, one after another.
struct Replay {
    engine: Engine,
    known: Known,
    number: i64,
}

impl Replay {
    /// All streams and tables, each after those that it reads.
    fn sources(&mut self, there: &There) -> BTreeMap<String, ExistingSource> {
        let mut done = BTreeMap::new();
        let mut waiting: Vec<(&SourceThere, Vec<ParsedStatement>)> = Vec::new();
        for source in &there.sources {
            match read_logged(&source.statement) {
                Ok(statements) => waiting.push((source, statements)),
                Err(errors) => {
                    let why = errors.first().map(ToString::to_string).unwrap_or_default();
                    done.insert(source.name.clone(), unplanned(source, why));
                }
            }
        }
        while !waiting.is_empty() {
            let names: BTreeSet<&str> =
                waiting.iter().map(|(source, _)| source.name.as_str()).collect();
            let waits = |(source, statements): &(&SourceThere, Vec<ParsedStatement>)| {
                let read = statements.iter().flat_map(|parsed| read_names(&parsed.statement));
                read.into_iter().any(|name| name != source.name && names.contains(name))
            };
            let (mut later, mut ready): (Vec<_>, Vec<_>) =
                std::mem::take(&mut waiting).into_iter().partition(waits);
            // Those that read one another are tried all the same: none of them will do.
            if ready.is_empty() {
                std::mem::swap(&mut later, &mut ready);
            }
            waiting = later;
            for (source, statements) in ready {
                done.insert(source.name.clone(), self.source(source, &statements, there));
            }
        }
        done
    }

    fn source(
        &mut self,
        source: &SourceThere,
        statements: &[ParsedStatement],
        there: &There,
    ) -> ExistingSource {
        let writes = |query: &&QueryThere| query.sinks.contains(&source.name) && !is_insert(query);
        let query = there.queries.iter().find(writes);
        let session = session_of(query);
        for parsed in statements {
            if let Err(why) = self.run(parsed, &session, &source.columns) {
                let query = query.cloned();
                return ExistingSource { query, ..unplanned(source, why) };
            }
        }
        let Some(made) = self.engine.catalog().source(&source.name) else {
            return unplanned(source, "its statement makes another".to_owned());
        };
        let is_stale = columns_of(made) != source.columns;
        let meaning = meaning(&self.engine, &source.name);
        if query.is_none() {
            let own = self.engine.queries().iter().filter(|query| query.belongs_to(&source.name));
            let own: Vec<String> = own.map(|query| query.id.clone()).collect();
            for id in &own {
                self.engine.forget_query(id);
            }
        }
        let first = statements.first().map(|parsed| &parsed.statement);
        ExistingSource {
            meaning: meaning.ok_or_else(|| "its statement makes nothing".to_owned()),
            is_stale,
            query: query.cloned(),
            schema_ids: first.map(|first| schema_ids(clause(first))).unwrap_or_default(),
            retention_ms: first.and_then(|first| options(first).retention_ms),
            there: source.clone(),
        }
    }

    fn inserts(&mut self, there: &There) -> Vec<ExistingInsert> {
        let queries = there.queries.iter().filter(|query| is_insert(query));
        let insert = |query: &QueryThere| {
            let made = self.run_text(&query.statement, &session_of(Some(query)));
            let meaning = made.ok().and_then(|change| {
                let Answer::Query { id } = change.answer else { return None };
                Some(insert_meaning(self.engine.catalog().query(&id)?))
            });
            let sources = read_logged(&query.statement).unwrap_or_default();
            let sources = sources.iter().flat_map(|parsed| read_names(&parsed.statement));
            let sources = sources.map(str::to_owned).collect();
            ExistingInsert { query: query.clone(), sources, meaning }
        };
        queries.map(insert).collect()
    }

    fn run_text(&mut self, text: &str, session: &Session) -> Result<Change, String> {
        let parsed = read_logged(text).ok().and_then(|mut statements| statements.pop());
        self.run(&parsed.ok_or("it cannot be read")?, session, &[])
    }

    /// Runs a statement; `columns` are those that it made of what the registry knew then.
    fn run(
        &mut self,
        parsed: &ParsedStatement,
        session: &Session,
        columns: &[ColumnThere],
    ) -> Result<Change, String> {
        let mut parsed = logged_form(parsed, self.engine.catalog());
        let needs = self.engine.needs(&parsed.statement, session);
        if needs.schemas.iter().any(|id| !self.known.schemas_by_id().contains_key(id)) {
            without_schema_ids(&mut parsed.statement);
        }
        let left = left_to_registry(&parsed.statement, &self.engine, session);
        let is_unknown = |subject: Option<Subject>| {
            subject.is_some_and(|subject| !self.known.has_subject(&subject))
        };
        fill_columns(&mut parsed.statement, columns, left.map(is_unknown));
        self.known.assume(&needs);
        self.number += 1;
        let mut session = session.clone();
        let ran = self.engine.run(&parsed, &mut session, &self.known, self.number);
        ran.map_err(|error| error.to_string())
    }
}

/// A source whose statement cannot be planned here.
fn unplanned(source: &SourceThere, why: String) -> ExistingSource {
    ExistingSource {
        there: source.clone(),
        meaning: Err(why),
        is_stale: false,
        query: None,
        schema_ids: BTreeMap::new(),
        retention_ms: None,
    }
}

/// The columns of a source as servers describe them.
fn columns_of(source: &Source) -> Vec<ColumnThere> {
    columns(source).as_array().into_iter().flatten().map(column).collect()
}

fn is_insert(query: &QueryThere) -> bool {
    let first = read_logged(&query.statement).ok().and_then(|mut statements| statements.pop());
    first.is_some_and(|parsed| matches!(parsed.statement, Statement::InsertInto(_)))
}

fn session_of(query: Option<&QueryThere>) -> Session {
    Session::new(Properties::new(query.map(|query| query.overrides.clone()).unwrap_or_default()))
}
