//! What the runners need of an engine.

use std::collections::BTreeMap;

pub use super::actual::Actual;
use super::case::TopicSpec;
use crate::types::{ColumnDef, WindowKind};

/// Settings of a case, on top of those that all cases share.
pub type Properties = BTreeMap<String, String>;

/// Starts a fresh engine for each case.
pub trait Systems {
    /// An engine in which nothing exists yet.
    fn start(&self, properties: &Properties) -> Result<Box<dyn System>, Failure>;
}

/// A broker-less engine: statements go in, records go through its queries.
pub trait System {
    /// Makes a topic, and registers its schemas.
    fn create_topic(&mut self, topic: &TopicSpec) -> Result<(), Failure>;

    /// The topics that the statements name, with their partitions; those that exist are kept.
    fn declared_topics(&self, sql: &str) -> Vec<TopicSpec>;

    /// Parses all statements, then runs them in order. Gives back what INSERT VALUES wrote.
    fn execute(&mut self, sql: &str) -> Result<Vec<(String, Record)>, Failure>;

    /// The persistent queries, in the order in which they were made.
    fn queries(&self) -> Vec<String>;

    /// The topics that a query reads.
    fn query_topics(&self, query: &str) -> Vec<String>;

    /// Takes records of a topic through a query, as one batch, and adds what the query gave to
    /// `given`, also where the query then died.
    fn pipe(
        &mut self,
        query: &str,
        topic: &str,
        batch: &[Record],
        given: &mut Given,
    ) -> Result<(), Failure>;

    /// Starts a query again, as a new process does, from what its changelogs hold.
    fn restart(
        &mut self,
        query: &str,
        changelogs: &BTreeMap<String, Vec<Record>>,
    ) -> Result<(), Failure>;

    /// How the records of a topic are laid out: that of a source over it, or of the query that
    /// owns it.
    fn source_on(&self, topic: &str) -> Option<SourceInfo>;

    /// The source called `name`.
    fn source(&self, name: &str) -> Option<SourceInfo>;

    /// All topics, internal ones too.
    fn topics(&self) -> Vec<TopicInfo>;

    /// The bytes of a JSON value in a format that needs a schema.
    fn encode(
        &self,
        source: &SourceInfo,
        is_key: bool,
        value: &serde_json::Value,
    ) -> Result<Option<Vec<u8>>, Failure> {
        let _ = value;
        Err(Failure::unsupported(format!("writing {}", source.format(is_key).name)))
    }

    /// What bytes hold in a format that needs a schema.
    fn decode(&self, source: &SourceInfo, is_key: bool, bytes: &[u8]) -> Result<Actual, Failure> {
        let _ = bytes;
        Err(Failure::unsupported(format!("reading {}", source.format(is_key).name)))
    }
}

/// What a query gave.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Given {
    /// Records of sinks, with their topics.
    pub written: Vec<(String, Record)>,
    /// Records of changelogs, with the names of their stores.
    pub stored: Vec<(String, Record)>,
    /// Entries of the processing log, in JSON.
    pub logged: Vec<String>,
}

/// A record of a topic with one partition.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Record {
    /// The key, window bytes included.
    pub key: Option<Vec<u8>>,
    /// The value.
    pub value: Option<Vec<u8>>,
    /// Its time.
    pub timestamp: i64,
    /// Its headers.
    pub headers: Vec<(String, Option<Vec<u8>>)>,
    /// Its position, as the query that reads it sees it.
    pub offset: i64,
}

/// A stream or table, as far as its topic's bytes are concerned.
#[derive(Clone, Debug, PartialEq)]
pub struct SourceInfo {
    /// Its name.
    pub name: String,
    /// Whether it is a table.
    pub is_table: bool,
    /// Whether it was made by `CREATE SOURCE …`.
    pub is_read_only: bool,
    /// Its topic.
    pub topic: String,
    /// Its columns, as DESCRIBE prints them: `` `K` STRING KEY, `V` INTEGER ``.
    pub schema: String,
    /// The key columns.
    pub key: Vec<ColumnDef>,
    /// The value columns.
    pub value: Vec<ColumnDef>,
    /// How keys are laid out.
    pub key_format: FormatInfo,
    /// How values are laid out.
    pub value_format: FormatInfo,
    /// The windows of its keys.
    pub window: Option<WindowInfo>,
}

impl SourceInfo {
    /// How keys or values are laid out.
    pub fn format(&self, is_key: bool) -> &FormatInfo {
        if is_key { &self.key_format } else { &self.value_format }
    }

    /// The columns of keys or values.
    pub fn columns(&self, is_key: bool) -> &[ColumnDef] {
        if is_key { &self.key } else { &self.value }
    }
}

/// The layout of keys or values.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FormatInfo {
    /// `JSON`, `KAFKA` and so on.
    pub name: String,
    /// `WRAP_SINGLES` and `UNWRAP_SINGLES`, where they are set.
    pub features: Vec<String>,
    /// Further properties, such as `fullSchemaName`.
    pub properties: BTreeMap<String, String>,
}

/// The windows of keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WindowInfo {
    /// Which bytes follow the key.
    pub kind: WindowKind,
    /// How long a window is; sessions have no size.
    pub size_ms: Option<i64>,
}

/// A topic, as far as a case asks.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TopicInfo {
    /// Its name.
    pub name: String,
    /// How keys are laid out.
    pub key_format: FormatInfo,
    /// How values are laid out.
    pub value_format: FormatInfo,
    /// The windows of keys.
    pub window: Option<WindowInfo>,
    /// The id and the text of the registered key schema.
    pub key_schema: Option<(i32, String)>,
    /// The id and the text of the registered value schema.
    pub value_schema: Option<(i32, String)>,
}

/// Which of ksqlDB's exceptions a failure is. Each is also all those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FailureKind {
    /// `StreamsException`: a query died.
    Streams,
    /// `KsqlException`.
    Ksql,
    /// `KsqlStatementException`: a statement was refused.
    Statement,
    /// `ParseFailedException`: a statement could not be read.
    Parse,
}

impl FailureKind {
    /// Whether this kind is the Java class `name`, or a subclass of it.
    pub fn is_a(self, name: &str) -> bool {
        match name.rsplit('.').next().unwrap_or_default() {
            "ParseFailedException" => self >= Self::Parse,
            "KsqlStatementException" => self >= Self::Statement,
            // A query dies of many classes; all of them count as this one.
            _ => true,
        }
    }
}

/// What went wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Which exception it is.
    pub kind: FailureKind,
    /// The message.
    pub message: String,
    /// The message with the user's SQL in it, which is not written to logs, where it differs.
    pub unlogged: Option<String>,
    /// The messages of the causes, outermost first.
    pub causes: Vec<String>,
    /// Whether the last statement failed; meaningless for a query that died.
    pub is_last_statement: bool,
    /// Whether it is we who cannot do this yet.
    pub is_unsupported: bool,
}

impl Failure {
    /// A failure of this kind.
    pub fn new(kind: FailureKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            unlogged: None,
            causes: Vec::new(),
            is_last_statement: true,
            is_unsupported: false,
        }
    }

    /// Something that ksqlDB does and we do not yet.
    pub fn unsupported(what: impl std::fmt::Display) -> Self {
        Self {
            is_unsupported: true,
            ..Self::new(FailureKind::Ksql, format!("{what} is not supported yet"))
        }
    }
}
