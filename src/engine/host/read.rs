//! What gives its rows to whoever asks for them: `SELECT` by itself, and `PRINT`.

use std::sync::Arc;

use super::planned_reads::{AskedRead, PlannedRead};
use super::print::{NoTopic, Printing};
use super::pull_limits::Pulling;
use super::reads::{Place, Reads};
use super::statement_class::statement_class;
use super::topics::look_up;
use super::{Host, HostError, HostFault, Request, Shared, random_id, transient_id};
use crate::engine::{ReadColumn, ReadError, ReadKind, ReadSpec, Session, diagnostic};
use crate::plan::Catalog;
use crate::runtime::live::{PullRows, PushRows};
use crate::runtime::{ClientRow, clock};
use crate::sql::ParsedStatement;
use crate::sql::ast::{SourceKind, Statement};
use crate::sql::print::masked;

/// How many queries of clients may run at the same time, unless `ksql.max.push.queries` says it.
const PUSH_QUERIES_MAX: i64 = 100;

/// What a client is about to be given.
#[derive(Debug)]
pub enum Asked {
    /// The rows of a query.
    Query(Box<Reading>),
    /// The records of a topic.
    Print(Box<Printing>),
    /// The records of a topic that there is not.
    NoTopic(NoTopic),
    /// What gives no rows: ksqlDB's class of the statement.
    Other(&'static str),
}

/// A query that is about to give its rows.
#[derive(Debug)]
pub struct Reading {
    /// Its id.
    pub id: String,
    /// What it selects.
    pub columns: Arc<[ReadColumn]>,
    /// Whether it gives what a table has now: a pull query over a table.
    pub is_look_up: bool,
    /// Whether it ends after so many rows.
    pub limit: Option<u64>,
    /// Its rows.
    pub rows: Rows,
}

/// The rows of a query, which runs until this is dropped.
#[derive(Debug)]
pub struct Rows {
    kind: RowsKind,
    _place: Option<Place>,
    pulling: Option<Pulling>,
}

#[derive(Debug)]
enum RowsKind {
    /// As they come.
    Coming(PushRows),
    /// As a table has them now.
    There(PullRows),
}

impl Rows {
    /// Notes that so many bytes of the answer are given.
    pub fn note_bytes(&self, bytes: usize) {
        if let Some(pulling) = &self.pulling {
            pulling.note_bytes(bytes);
        }
    }

    /// How many there are at most, if all of them are here: then none of them is waited for.
    pub fn all_here(&self) -> Option<usize> {
        match &self.kind {
            RowsKind::Coming(_) => None,
            RowsKind::There(rows) => rows.all_here(),
        }
    }

    /// The next rows, at least one; `None` once there are no more.
    pub async fn next(&mut self) -> Option<Result<Vec<ClientRow>, HostError>> {
        match &mut self.kind {
            RowsKind::Coming(rows) => Some(rows.next().await?.map_err(HostError::from)),
            RowsKind::There(rows) => Some(rows.next().await?.map_err(HostError::from)),
        }
    }
}

/// How the ids of queries begin that look at rows as one persistent query makes them.
const TAP_PREFIX: &str = "SCALABLE_PUSH_QUERY";

impl Host {
    /// Starts the one `SELECT` or `PRINT` of a request.
    pub async fn ask(&self, request: &Request) -> Result<Asked, HostError> {
        let shared = &self.shared;
        if let Some(sequence) = request.sequence {
            shared.wait_for_command(sequence).await?;
        }
        let asked = shared.state().reads.get(request);
        if let Some(read) = asked {
            return Ok(Asked::Query(Box::new(self.read(&read).await?)));
        }
        let session = request.reading_session(&shared.properties)?;
        let statements = shared.parse(request)?;
        let parsed = only(&statements)?;
        match &parsed.statement {
            Statement::Query(_) => {
                let read = shared.plan_read(request, parsed, &session).await?;
                Ok(Asked::Query(Box::new(self.read(&read).await?)))
            }
            Statement::Print(print) => Ok(match shared.print(print).await? {
                Ok(printing) => Asked::Print(Box::new(printing)),
                Err(topic) => Asked::NoTopic(topic),
            }),
            other => Ok(Asked::Other(statement_class(other))),
        }
    }

    /// Starts a query.
    async fn read(&self, asked: &AskedRead) -> Result<Reading, HostError> {
        let (shared, query) = (&self.shared, asked.query());
        let of = |error: HostError| error.of(asked.statement());
        let is_look_up = matches!(query.kind, ReadKind::Table(_));
        let id = if is_look_up {
            format!("query_{}", clock::now().0)
        } else if query.taps.is_some() {
            random_id(TAP_PREFIX, &query.source)
        } else {
            transient_id(&query.source)
        };
        let is_pull = !matches!(query.kind, ReadKind::Push(_));
        let pulling = is_pull.then(|| shared.pull_limits.enter()).transpose()?;
        let (rows, place) = match asked.spec(&id) {
            ReadSpec::Push(spec) => {
                let place = self.place(&id, asked.statement()).map_err(of)?;
                if let Some(writer) = &query.taps {
                    // It sees what that query makes from now on.
                    shared.instance.started(writer).await;
                }
                let mut rows = shared.instance.push(*spec);
                rows.begun().await;
                (RowsKind::Coming(rows), Some(place))
            }
            ReadSpec::Pull(spec) => {
                let rows = match shared.instance.pull(spec).await {
                    Ok(rows) => rows,
                    Err(error) => {
                        let runs_at = shared.runner_for(&error).await;
                        return Err(HostError { runs_at, ..of(error.into()) });
                    }
                };
                (RowsKind::There(rows), None)
            }
        };
        let rows = Rows { kind: rows, _place: place, pulling };
        let columns = Arc::clone(&query.columns);
        Ok(Reading { id, is_look_up, limit: query.limit, columns, rows })
    }

    /// Takes a place among the queries of clients, if there is one left.
    fn place(&self, id: &str, statement: String) -> Result<Place, HostError> {
        let limit = self.shared.properties.number("ksql.max.push.queries", PUSH_QUERIES_MAX)?;
        let limit = usize::try_from(limit).unwrap_or(0);
        let place = Reads::place(&self.shared.reads, (id, statement), limit);
        place.ok_or_else(|| HostError::new(
            HostFault::Request,
            format!(
                "Not executing statement(s) as it would cause the number of active, push queries to \
                 exceed the configured limit of {limit}."
            ),
        ))
    }
}

impl Shared {
    /// Plans a query, and keeps what nothing but the engine says something about.
    async fn plan_read(
        &self,
        request: &Request,
        parsed: &ParsedStatement,
        session: &Session,
    ) -> Result<AskedRead, HostError> {
        let (engine, state) = {
            let state = self.state();
            (state.engine().clone(), state.reads.state())
        };
        let needs = engine.needs(&parsed.statement, session);
        let known = look_up(&self.services, &needs).await?;
        let planned = engine.plan_read(parsed, session, &known);
        let query = planned.map_err(|error| refused(error, parsed, engine.catalog()))?;
        let read = Arc::new(PlannedRead { statement: masked(parsed), query });
        if needs.is_empty() {
            self.state().reads.keep(request, &read, state);
        }
        Ok(AskedRead::of(read))
    }
}

/// What stands before an expression that is at fault, behind the message.
const STATEMENT: &str = "\nStatement: ";

/// Why a query is refused, as ksqlDB tells it: where an expression is at fault, a query for rows as they come names it in the
/// place of the statement, and one for the rows of a table names both.
fn refused(error: ReadError, parsed: &ParsedStatement, catalog: &Catalog) -> HostError {
    let Statement::Query(query) = &parsed.statement else { return error.into() };
    let first = catalog.source(&query.from.first.name.text);
    let pulls_table =
        query.emit.is_none() && first.is_some_and(|first| first.kind == SourceKind::Table);
    let shown = match &error {
        ReadError::Plan(error) => Some(diagnostic(error, parsed)),
        ReadError::Property(_) => None,
    };
    let error = HostError::from(error);
    let mut error = shown.into_iter().fold(error, HostError::shown_as);
    let whole = masked(parsed);
    if query.emit.is_some() && error.message.starts_with("Can't infer a type of null") {
        tracing::warn!("{whole}: {}", error.message);
        return HostError::server(STUMBLES);
    }
    let part = error.message.rsplit_once(STATEMENT).map(|(_, part)| part.to_owned());
    match part {
        Some(_) if pulls_table => {
            error.message.push_str(STATEMENT);
            error.message.push_str(&whole);
            error.of(whole)
        }
        Some(part) => error.of(part),
        None => error.of(whole),
    }
}

/// What ksqlDB says where it stumbles over a query.
const STUMBLES: &str = "The server encountered an internal error when processing the query. Please \
                        consult the server logs for more information.";

/// The one statement of a request.
fn only(statements: &[ParsedStatement]) -> Result<&ParsedStatement, HostError> {
    match statements {
        [one] => Ok(one),
        other => Err(HostError::request(format!(
            "Expected exactly one KSQL statement; found {} instead",
            other.len()
        ))),
    }
}
