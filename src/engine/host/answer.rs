//! What clients are told: typed, and rendered by whoever speaks their protocol.

use std::sync::Arc;

use crate::plan::Source;
use crate::types::SqlType;

/// What a client is told of one statement.
#[derive(Clone, Debug)]
pub struct Entity {
    /// The statement.
    pub statement: String,
    /// What it is told.
    pub body: AnswerBody,
}

/// What a client is told.
#[derive(Clone, Debug)]
pub enum AnswerBody {
    /// What became of a command.
    Status {
        /// What it is about.
        command_id: String,
        /// What became of it.
        status: CommandStatus,
        /// Its offset in the log.
        sequence: i64,
    },
    /// That there was nothing to do.
    Warning(String),
    /// Streams.
    Streams(Vec<Arc<Source>>),
    /// Tables.
    Tables(Vec<Arc<Source>>),
    /// One source.
    Source(Box<SourceText>),
    /// Several sources.
    Sources(Vec<SourceText>),
    /// Topics, with their consumers if that was asked for.
    Topics {
        /// The topics.
        topics: Vec<TopicText>,
        /// Whether consumers are told.
        is_extended: bool,
    },
    /// Queries.
    Queries(Vec<QueryText>),
    /// Types by their names.
    Types(Vec<(String, SqlType)>),
    /// Variables.
    Variables(Vec<(String, String)>),
    /// Properties.
    Properties(Vec<PropertyText>),
    /// Functions.
    Functions(Vec<FunctionText>),
    /// A topic that was asserted.
    Topic {
        /// Its name.
        name: String,
        /// Whether it is there.
        exists: bool,
    },
}

/// What became of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandStatus {
    /// How it ended.
    pub state: CommandState,
    /// What the user is told.
    pub message: String,
    /// The query that it started.
    pub query: Option<String>,
}

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommandState {
    /// It is not applied yet.
    Queued,
    /// It is applied.
    Success,
    /// It could not be applied.
    Error,
}

impl CommandState {
    /// Its name in ksqlDB's answers.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "QUEUED",
            Self::Success => "SUCCESS",
            Self::Error => "ERROR",
        }
    }
}

/// A stream or table with all that uses it.
#[derive(Clone, Debug)]
pub struct SourceText {
    /// It.
    pub source: Arc<Source>,
    /// The queries that read it.
    pub readers: Vec<QueryText>,
    /// The queries that write it.
    pub writers: Vec<QueryText>,
    /// The sources that have to be dropped before it.
    pub constraints: Vec<String>,
    /// Whether more was asked for.
    pub is_extended: bool,
    /// The partitions of its topic, where that was looked up.
    pub partitions: i32,
    /// The replicas of its topic, where that was looked up.
    pub replicas: i16,
}

/// A query as clients see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueryText {
    /// Its id.
    pub id: String,
    /// Its statement.
    pub statement: String,
    /// What it fills, and into which topic.
    pub sink: Option<(String, String)>,
    /// Whether it is persistent.
    pub is_persistent: bool,
    /// Whether it rests.
    pub is_paused: bool,
    /// Whether it has failed.
    pub has_failed: bool,
}

/// A topic as clients see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicText {
    /// Its name.
    pub name: String,
    /// The replicas of each partition.
    pub replicas: Vec<usize>,
    /// How many consumers read it.
    pub consumers: usize,
    /// How many groups read it.
    pub groups: usize,
}

/// A property as clients see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PropertyText {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: String,
    /// Whether clients may set it.
    pub is_editable: bool,
    /// Whether the client has set it.
    pub is_of_session: bool,
}

/// A function as clients see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FunctionText {
    /// Its name.
    pub name: String,
    /// `SCALAR`, `TABLE` or `AGGREGATE`.
    pub kind: &'static str,
    /// Its family.
    pub category: String,
}
