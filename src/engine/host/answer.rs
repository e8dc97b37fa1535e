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
    /// One query in detail.
    QueryDetail(Box<QueryDetail>),
    /// Several queries in detail.
    QueryDetails(Vec<QueryDetail>),
    /// Types by their names.
    Types(Vec<(String, SqlType)>),
    /// Variables.
    Variables(Vec<(String, String)>),
    /// Properties.
    Properties(Vec<PropertyText>),
    /// Functions.
    Functions(Vec<FunctionText>),
    /// One function.
    Function(FunctionDetail),
    /// A connector that was created, as Kafka Connect tells of it.
    Connector(serde_json::Value),
    /// A connector that was dropped.
    ConnectorDropped(String),
    /// Connectors.
    Connectors(Vec<ConnectorText>),
    /// One connector.
    ConnectorDetail(Box<ConnectorDetail>),
    /// What connectors there could be.
    Plugins(Vec<PluginText>),
    /// A schema that was asserted.
    Schema {
        /// Its subject.
        subject: Option<String>,
        /// Its id.
        id: Option<i32>,
        /// Whether it is there.
        exists: bool,
    },
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
    /// It is being applied.
    Executing,
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
            Self::Executing => "EXECUTING",
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
    /// How far its queries have come, with the group of each.
    pub offsets: Vec<(String, Vec<TopicOffsets>)>,
    /// What was counted of it here.
    pub figures: SourceFigures,
}

/// What was counted of a source on a server since its queries run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SourceFigures {
    /// The server, as host and port.
    pub server: String,
    /// What queries read of it.
    pub read: Counted,
    /// What queries wrote into it.
    pub written: Counted,
    /// How many records of it queries could not read.
    pub unreadable: u64,
    /// When this was looked up, in milliseconds.
    pub at_ms: i64,
}

/// How many records there were.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Counted {
    /// All of them.
    pub records: u64,
    /// How many in a second, since the queries run.
    pub per_second: f64,
}

/// How far a query has come in a topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicOffsets {
    /// The topic.
    pub topic: String,
    /// Its partitions.
    pub offsets: Vec<PartitionOffsets>,
}

/// How far a query has come in a partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PartitionOffsets {
    /// The partition.
    pub partition: i32,
    /// The offset of its first record.
    pub start: i64,
    /// The offset behind its last one.
    pub end: i64,
    /// The offset of the next record that the query takes.
    pub position: i64,
}

/// A query in detail.
#[derive(Clone, Debug, PartialEq)]
pub struct QueryDetail {
    /// Its id.
    pub id: String,
    /// Its statement.
    pub statement: String,
    /// The kind of its windows.
    pub window: Option<&'static str>,
    /// The columns that it gives.
    pub fields: Vec<FieldText>,
    /// The sources that it reads.
    pub sources: Vec<String>,
    /// What it fills.
    pub sinks: Vec<String>,
    /// The topology that Kafka Streams would run for it.
    pub topology: String,
    /// Its steps.
    pub execution_plan: String,
    /// What its session had set.
    pub overrides: Vec<(String, String)>,
    /// A server that runs it, and where it stands there.
    pub on_host: Option<(String, &'static str)>,
    /// Whether it is persistent.
    pub is_persistent: bool,
    /// Why it failed last.
    pub errors: Vec<QueryErrorText>,
    /// Its tasks.
    pub tasks: Vec<TaskText>,
    /// Its consumer group.
    pub group: String,
    /// Where it stands, if it runs.
    pub state: Option<&'static str>,
}

/// A column of a query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldText {
    /// Its name.
    pub name: String,
    /// Its type.
    pub ty: SqlType,
    /// Whether it is a part of the key.
    pub is_key: bool,
}

/// Why a query failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueryErrorText {
    /// Why.
    pub message: String,
    /// When, in milliseconds.
    pub at_ms: i64,
}

/// A task of a query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskText {
    /// The number of its part of the topology, and its partition.
    pub id: String,
    /// What it reads, and how far it is.
    pub inputs: Vec<(String, PartitionOffsets)>,
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
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PropertyText {
    /// Its name.
    pub name: String,
    /// Its value; none where it has none until it is set.
    pub value: Option<String>,
    /// Whether clients may set it.
    pub is_editable: bool,
    /// Whether each query may have its own.
    pub is_of_query: bool,
    /// Whether the client has set it.
    pub is_of_session: bool,
    /// Whether nobody has set it to another value than it has by itself.
    pub is_default: bool,
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

/// A function in all its forms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FunctionDetail {
    /// Its name.
    pub name: String,
    /// `SCALAR`, `TABLE` or `AGGREGATE`.
    pub kind: &'static str,
    /// What it does.
    pub summary: String,
    /// Its forms.
    pub overloads: Vec<OverloadText>,
}

/// One form of a function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OverloadText {
    /// Its arguments.
    pub arguments: Vec<ArgumentText>,
    /// The type of its result.
    pub returns: String,
    /// What it does.
    pub summary: String,
}

/// An argument of a function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArgumentText {
    /// Its name.
    pub name: String,
    /// Its type.
    pub ty: String,
    /// Whether there may be any number of it.
    pub is_variadic: bool,
}

/// A connector as clients see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectorText {
    /// Its name.
    pub name: String,
    /// `source` or `sink`.
    pub kind: Option<String>,
    /// Its class.
    pub class: Option<String>,
    /// How it is, with how many of its tasks run.
    pub state: String,
}

/// A connector in detail.
#[derive(Clone, Debug)]
pub struct ConnectorDetail {
    /// Its class.
    pub class: Option<String>,
    /// How it and its tasks are, as Kafka Connect tells it.
    pub status: serde_json::Value,
    /// The topics that it uses.
    pub topics: Vec<String>,
    /// The streams and tables over them.
    pub sources: Vec<SourceText>,
}

/// A kind of connector that there could be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PluginText {
    /// Its class.
    pub class: Option<String>,
    /// `source` or `sink`.
    pub kind: Option<String>,
    /// Its version.
    pub version: Option<String>,
}
