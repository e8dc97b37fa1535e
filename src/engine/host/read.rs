//! `SELECT` by itself: a query whose rows go to whoever asks for them.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::topics::look_up;
use super::{Host, HostError, HostFault, Request, transient_id};
use crate::engine::{ReadColumn, ReadKind, ReadSpec};
use crate::runtime::live::PushRows;
use crate::runtime::{ClientRow, clock};
use crate::sql::ParsedStatement;
use crate::sql::ast::Statement;
use crate::sql::print::masked;

/// How many queries of clients may run at the same time, unless `ksql.max.push.queries` says it.
const PUSH_QUERIES_MAX: i64 = 100;

/// A query that is about to give its rows.
#[derive(Debug)]
pub struct Reading {
    /// Its id.
    pub id: String,
    /// What it selects.
    pub columns: Vec<ReadColumn>,
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
    rows: RowsKind,
    _place: Option<Place>,
}

#[derive(Debug)]
enum RowsKind {
    /// As they come.
    Coming(PushRows),
    /// All of them, until they are taken.
    There(Vec<ClientRow>),
}

impl Rows {
    /// The next rows, at least one; `None` once there are no more.
    pub async fn next(&mut self) -> Option<Result<Vec<ClientRow>, HostError>> {
        match &mut self.rows {
            RowsKind::Coming(rows) => Some(rows.next().await?.map_err(HostError::from)),
            RowsKind::There(rows) => {
                let rows = std::mem::take(rows);
                (!rows.is_empty()).then_some(Ok(rows))
            }
        }
    }
}

/// A place among the queries of clients.
#[derive(Debug)]
struct Place(Arc<AtomicUsize>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// What is said of a statement that is no query.
const NOT_A_QUERY: &str = "The statement gives no rows: send it to '/ksql'";

impl Host {
    /// Starts the one query of a request.
    pub async fn read(&self, request: &Request) -> Result<Reading, HostError> {
        let shared = &self.shared;
        let session = request.reading_session(&shared.properties)?;
        let statements = shared.parse(request)?;
        let parsed = only(&statements)?;
        let of = |error: HostError| error.of(masked(parsed));
        match &parsed.statement {
            Statement::Query(_) => {}
            Statement::Print(_) => return Err(of(HostError::unsupported("PRINT is"))),
            _ => return Err(HostError::request(NOT_A_QUERY)),
        }
        let engine = shared.state().engine.clone();
        let needs = engine.needs(&parsed.statement, &session);
        let known = look_up(&shared.services, &needs).await?;
        let query = engine.plan_read(parsed, &session, &known).map_err(|error| of(error.into()))?;
        let is_look_up = matches!(query.kind, ReadKind::Table(_));
        let id = if is_look_up {
            format!("query_{}", clock::now().0)
        } else {
            transient_id(&query.source)
        };
        let (rows, place) = match query.spec(id.clone()) {
            ReadSpec::Push(spec) => {
                let place = self.place().map_err(of)?;
                let mut rows = shared.instance.push(*spec);
                rows.begun().await;
                (RowsKind::Coming(rows), Some(place))
            }
            ReadSpec::Pull(spec) => {
                let rows = shared.instance.pull(spec).await.map_err(|error| of(error.into()))?;
                (RowsKind::There(rows), None)
            }
        };
        let rows = Rows { rows, _place: place };
        Ok(Reading { id, is_look_up, limit: query.limit, columns: query.columns, rows })
    }

    /// Takes a place among the queries of clients, if there is one left.
    fn place(&self) -> Result<Place, HostError> {
        let limit = self.shared.properties.number("ksql.max.push.queries", PUSH_QUERIES_MAX)?;
        let limit = usize::try_from(limit).unwrap_or(0);
        let running = &self.shared.reading;
        let place = Place(Arc::clone(running));
        if running.fetch_add(1, Ordering::Relaxed) < limit {
            return Ok(place);
        }
        Err(HostError::new(
            HostFault::Request,
            format!(
                "Not executing statement(s) as it would cause the number of active, push queries to \
                 exceed the configured limit of {limit}."
            ),
        ))
    }
}

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
