//! What a statement will do, before it does it, and what follows for those around the engine.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::TopicRequest;
use crate::plan::{InsertRow, PersistentQuery, QueryKind, QueryPlan, SchemaRequest, Source};
use crate::types::SqlType;

/// A statement that is planned: it can be applied to the catalog that it was planned against.
#[derive(Clone, Debug)]
pub struct Planned {
    pub(super) effect: Effect,
}

/// What a statement does to the catalog or the session.
#[derive(Clone, Debug)]
pub(super) enum Effect {
    /// Nothing; the answer says why, if there is something to say.
    Nothing(Answer),
    /// It changes a property of the session.
    Session(SessionChange),
    /// It makes or changes a stream or table.
    PutSource {
        source: Box<Source>,
        topic: Option<TopicRequest>,
        schemas: Vec<SchemaRequest>,
        message: String,
        takes_number: bool,
    },
    /// It starts a query, and may make the source that the query fills.
    Query(Box<PlannedQuery>),
    /// It writes a row.
    InsertRow(InsertRow),
    /// It makes a type.
    PutType { name: String, ty: SqlType },
    /// It drops a type.
    DropType { name: String },
    /// It drops a stream or table, with the query that fills it.
    DropSource { name: String, topic: String, deletes_topic: bool, query: Option<String> },
    /// It ends queries for good.
    Terminate { queries: Vec<String> },
    /// It lets queries rest, or go on.
    Pause { queries: Vec<String>, is_paused: bool },
}

/// A query that is about to be made.
#[derive(Clone, Debug)]
pub(super) struct PlannedQuery {
    pub(super) id: PlannedId,
    pub(super) kind: QueryKind,
    pub(super) plan: Arc<QueryPlan>,
    /// The source that the statement makes, with the names of those that it is made of.
    pub(super) source: Option<(Source, BTreeSet<String>)>,
    pub(super) topic: Option<TopicRequest>,
    pub(super) schemas: Vec<SchemaRequest>,
    pub(super) overrides: BTreeMap<String, String>,
}

/// The id of a query that is about to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum PlannedId {
    /// One that is given: a `QUERY_ID`, or that of the query which is replaced.
    Given(String),
    /// A number will be added to this.
    Numbered(String),
}

/// A change of a session's properties.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SessionChange {
    /// `SET`.
    Set {
        /// The property.
        name: String,
        /// Its value.
        value: String,
    },
    /// `UNSET`.
    Unset {
        /// The property.
        name: String,
    },
}

impl Planned {
    /// A statement without an effect.
    pub(super) fn nothing() -> Self {
        Self { effect: Effect::Nothing(Answer::Silence) }
    }

    /// A statement that finds everything as it is to be.
    pub(super) fn unchanged(message: String) -> Self {
        Self { effect: Effect::Nothing(Answer::Message(message)) }
    }

    /// A statement that makes a query.
    pub(super) fn of_query(query: PlannedQuery) -> Self {
        Self { effect: Effect::Query(Box::new(query)) }
    }

    /// The same, but its query has this id, where there is one.
    pub(super) fn with_query_id(mut self, id: Option<String>) -> Self {
        if let (Effect::Query(query), Some(id)) = (&mut self.effect, id) {
            query.id = PlannedId::Given(id);
        }
        self
    }

    /// The query that the statement makes, if it makes one.
    pub fn query(&self) -> Option<&Arc<QueryPlan>> {
        match &self.effect {
            Effect::Query(query) => Some(&query.plan),
            _ => None,
        }
    }

    /// Whether the statement's number becomes part of the id of its query, so that no other query may
    /// have it. That of a `CREATE SOURCE TABLE` does, too, in ksqlDB, where a query fills the table.
    pub fn takes_number(&self) -> bool {
        match &self.effect {
            Effect::Query(query) => matches!(query.id, PlannedId::Numbered(_)),
            Effect::PutSource { takes_number, .. } => *takes_number,
            _ => false,
        }
    }
}

impl PlannedId {
    /// The id, with the number of the statement if it has none of its own.
    pub(super) fn with_number(self, number: i64) -> String {
        match self {
            Self::Given(id) => id,
            Self::Numbered(prefix) => format!("{prefix}_{number}"),
        }
    }
}

/// What others have to do now that a statement is applied, in the order of the fields.
#[derive(Clone, Debug, Default)]
pub struct Change {
    /// What the user is told.
    pub answer: Answer,
    /// A change of the session.
    pub session: Option<SessionChange>,
    /// A topic to make, unless it is there by now.
    pub topic: Option<TopicRequest>,
    /// Schemas to register, unless they are there.
    pub schemas: Vec<SchemaRequest>,
    /// Queries that start or end.
    pub queries: Vec<QueryChange>,
    /// A topic to delete.
    pub delete_topic: Option<String>,
    /// A row to write.
    pub row: Option<InsertRow>,
}

/// What the user is told of a statement.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Answer {
    /// Nothing, as of SET.
    #[default]
    Silence,
    /// A message.
    Message(String),
    /// A message that something is as it was, as of `IF NOT EXISTS`.
    Warning(String),
    /// A query is there.
    Query {
        /// Its id.
        id: String,
    },
}

/// What becomes of a query.
#[derive(Clone, Debug)]
pub enum QueryChange {
    /// It starts.
    Start(Arc<PersistentQuery>),
    /// It takes the place of the one with its id, from where that one stopped, with its state.
    Replace(Arc<PersistentQuery>),
    /// It ends for good, and what it kept goes with it.
    Terminate {
        /// Its id.
        id: String,
    },
    /// It rests.
    Pause {
        /// Its id.
        id: String,
    },
    /// It goes on where it came to rest.
    Resume {
        /// Its id.
        id: String,
    },
}
