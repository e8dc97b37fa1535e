//! `SELECT` by itself: a query whose rows go to whoever asks for them.

use std::sync::Arc;

use super::{Engine, Known, Planning, PropertyError, Session, settings};
use crate::plan::{self, KeyPlace, PlanError, QueryPlan};
use crate::runtime::live::{PushSpec, QuerySettings};
use crate::sql::ParsedStatement;
use crate::sql::ast::{Query, SourceKind, Statement};
use crate::types::SqlType;

/// A query whose rows go to whoever asks for them.
#[derive(Clone, Debug)]
pub struct ReadQuery {
    /// How rows come.
    pub kind: ReadKind,
    /// What it does.
    pub plan: Arc<QueryPlan>,
    /// What it selects, in order.
    pub columns: Vec<ReadColumn>,
    /// After how many rows it is over.
    pub limit: Option<u64>,
    /// The alias of the first source, which is part of the query's id.
    pub source: String,
    settings: QuerySettings,
}

/// How the rows of a query come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadKind {
    /// As they are made, without an end: a push query.
    Push,
    /// Those that a stream has now: a pull query over a stream.
    Stream,
}

/// A column that is selected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadColumn {
    /// Its name.
    pub name: String,
    /// Its type.
    pub ty: SqlType,
    /// Whether it is a part of the key.
    pub is_key: bool,
}

impl ReadQuery {
    /// The query, as an instance takes it. Its id is one that no other query has.
    pub fn push_spec(&self, id: impl Into<String>) -> PushSpec {
        PushSpec {
            id: id.into(),
            plan: Arc::clone(&self.plan),
            settings: self.settings.clone(),
            limit: self.limit,
            is_over_at_end: self.kind == ReadKind::Stream,
        }
    }
}

/// Why a `SELECT` is refused.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// It cannot be planned.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// A property under which it is to run.
    #[error(transparent)]
    Property(#[from] PropertyError),
}

impl Engine {
    /// Plans a `SELECT` whose rows go to whoever asks for them, against the catalog as it is and what is known of Kafka.
    pub fn plan_read(
        &self,
        parsed: &ParsedStatement,
        session: &Session,
        known: &Known,
    ) -> Result<ReadQuery, ReadError> {
        let Statement::Query(query) = &parsed.statement else {
            return Err(PlanError::execute("Only a query gives rows.").at(parsed.place).into());
        };
        session.check_overrides()?;
        let config = self.plan_config(session);
        let planning = Planning { engine: self, session, config, known, parsed };
        let kind = if query.emit.is_some() { ReadKind::Push } else { ReadKind::Stream };
        let plan = planning.read(query, kind)?;
        // What a query makes has no key for whoever sees it, in ksqlDB's headers.
        let is_made = matches!(kind, ReadKind::Push | ReadKind::Stream);
        let places = plan.sink.client.iter().flatten();
        let columns = plan.sink.schema.value.iter().zip(places);
        let column = |(column, place): (&crate::types::ColumnDef, &Option<KeyPlace>)| ReadColumn {
            name: column.name.to_string(),
            ty: column.ty.clone(),
            is_key: place.is_some() && !is_made,
        };
        Ok(ReadQuery {
            kind,
            columns: columns.map(column).collect(),
            plan: Arc::new(plan),
            limit: query.limit.map(|limit| u64::try_from(limit).unwrap_or(0)),
            source: query.from.first.alias.text.clone(),
            settings: settings(&session.over(self.properties()))?,
        })
    }
}

impl Planning<'_> {
    fn read(&self, query: &Query, kind: ReadKind) -> Result<QueryPlan, PlanError> {
        let first = self.catalog().source(&query.from.first.name.text);
        if kind == ReadKind::Stream && first.is_some_and(|first| first.kind == SourceKind::Table) {
            return Err(PlanError::unsupported("a pull query over a table is"));
        }
        plan::plan_push(query, &self.context())
    }
}
