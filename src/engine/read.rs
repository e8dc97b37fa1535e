//! `SELECT` by itself: a query whose rows go to whoever asks for them.

use std::sync::Arc;

use super::{Engine, Known, Planning, PropertyError, Session, settings};
use crate::plan::{
    self, ClientSink, KeyPlace, PlanError, PullPlan, QueryPlan, Sink, Stage, tapped,
};
use crate::runtime::live::{PullSpec, PushSpec, QuerySettings};
use crate::sql::ParsedStatement;
use crate::sql::ast::{Query, SourceKind, Statement};
use crate::types::{ColumnDef, SqlType};

/// A query whose rows go to whoever asks for them.
#[derive(Clone, Debug)]
pub struct ReadQuery {
    /// How rows come.
    pub kind: ReadKind,
    /// What it selects, in order.
    pub columns: Arc<[ReadColumn]>,
    /// After how many rows it is over.
    pub limit: Option<u64>,
    /// The alias of the first source, which is part of the query's id.
    pub source: String,
    /// The persistent query at whose rows it looks as that makes them, from now on (`ksql.query.push.v2.enabled`).
    pub taps: Option<String>,
    settings: QuerySettings,
}

/// How the rows of a query come.
#[derive(Clone, Debug)]
pub enum ReadKind {
    /// As they are made, without an end: a push query.
    Push(Arc<QueryPlan>),
    /// Those that a stream has now: a pull query over a stream.
    Stream(Arc<QueryPlan>),
    /// Those that a table has now: a pull query over a table.
    Table(Arc<PullPlan>),
}

impl ReadKind {
    /// What is done with rows before they are given.
    pub fn plan(&self) -> &Arc<QueryPlan> {
        match self {
            Self::Push(plan) | Self::Stream(plan) => plan,
            Self::Table(pull) => &pull.plan,
        }
    }
}

/// How an instance is asked for the rows of a query.
#[derive(Clone, Debug)]
pub enum ReadSpec {
    /// By [`Instance::push`](crate::runtime::live::Instance::push).
    Push(Box<PushSpec>),
    /// By [`Instance::pull`](crate::runtime::live::Instance::pull).
    Pull(PullSpec),
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
    pub fn spec(&self, id: impl Into<String>) -> ReadSpec {
        let (plan, is_over_at_end) = match &self.kind {
            ReadKind::Table(plan) => {
                return ReadSpec::Pull(PullSpec { plan: Arc::clone(plan), limit: self.limit });
            }
            ReadKind::Push(plan) => (plan, false),
            ReadKind::Stream(plan) => (plan, true),
        };
        ReadSpec::Push(Box::new(PushSpec {
            id: id.into(),
            plan: Arc::clone(plan),
            settings: self.settings.clone(),
            limit: self.limit,
            is_over_at_end,
            begins_at_end: self.taps.is_some(),
        }))
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
        // No schema is told of before what is wrong, as there is none to be written.
        let plain = |error: PlanError| match error.stage {
            Stage::Analyse => error.found_at(Stage::Execute),
            _ => error,
        };
        let settings = settings(&session.over(self.properties()))?;
        let may_tap = !settings.from_earliest
            && settings.push_since.is_none()
            && session.over(self.properties()).flag("ksql.query.push.v2.enabled", false)?;
        let context = planning.context();
        let taps = may_tap.then(|| tapped(query, &context)).flatten();
        let kind = planning.read(query, taps.is_some()).map_err(plain)?;
        // What a query makes has no key for whoever sees it, in ksqlDB's headers.
        let shows_keys = matches!(kind, ReadKind::Table(_));
        let Sink { schema, client, .. } = &kind.plan().sink;
        let places = client.iter().flat_map(|client| &client.places);
        let column = |(column, place): (&ColumnDef, &Option<KeyPlace>)| ReadColumn {
            name: column.name.to_string(),
            ty: column.ty.clone(),
            is_key: shows_keys && place.is_some(),
        };
        Ok(ReadQuery {
            columns: schema.value.iter().zip(places).map(column).collect(),
            kind,
            limit: query.limit.map(|limit| u64::try_from(limit).unwrap_or(0)),
            source: query.from.first.alias.text.clone(),
            taps: taps.map(|tapped| tapped.id.clone()),
            settings,
        })
    }
}

impl Planning<'_> {
    fn read(&self, query: &Query, is_tap: bool) -> Result<ReadKind, PlanError> {
        let context = self.context();
        if query.emit.is_some() {
            let mut plan = plan::plan_push(query, &context)?;
            if let Some(ClientSink { skips_keyless, .. }) = &mut plan.sink.client {
                // What ksqlDB taps has a key.
                *skips_keyless = is_tap;
            }
            return Ok(ReadKind::Push(Arc::new(plan)));
        }
        let first = self.catalog().source(&query.from.first.name.text);
        if first.is_some_and(|first| first.kind == SourceKind::Table) {
            return Ok(ReadKind::Table(Arc::new(plan::plan_pull(query, &context)?)));
        }
        Ok(ReadKind::Stream(Arc::new(plan::plan_stream_pull(query, &context)?)))
    }
}
