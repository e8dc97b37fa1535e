//! Statements, all of ksqlDB's grammar.

use super::{Duration, Expr, Literal, Name, Query, Span, Type};

/// A statement.
#[derive(Debug, Clone, PartialEq)]
pub enum Statement {
    /// `SELECT …`: a push or pull query.
    Query(Query),
    /// `CREATE STREAM|TABLE name (…) WITH (…)`.
    CreateSource(CreateSource),
    /// `CREATE STREAM|TABLE name AS SELECT …`.
    CreateAs(CreateAs),
    /// `INSERT INTO name SELECT …`.
    InsertInto(InsertInto),
    /// `INSERT INTO name VALUES (…)`.
    InsertValues(InsertValues),
    /// `ALTER STREAM|TABLE name ADD COLUMN …`.
    AlterSource(AlterSource),
    /// `DROP STREAM|TABLE|TYPE|CONNECTOR name`.
    Drop(Drop),
    /// `CREATE TYPE name AS type`.
    CreateType(CreateType),
    /// `CREATE SOURCE|SINK CONNECTOR name WITH (…)`.
    CreateConnector(CreateConnector),
    /// `DESCRIBE …`.
    Describe(Describe),
    /// `EXPLAIN …`.
    Explain(Explain),
    /// `SHOW …` or `LIST …`.
    List(List),
    /// `PRINT topic …`.
    Print(Print),
    /// `TERMINATE`, `PAUSE` or `RESUME`.
    ControlQuery(ControlQuery),
    /// `SET 'property' = 'value'`.
    Set {
        /// The property.
        name: String,
        /// Its value.
        value: String,
    },
    /// `UNSET 'property'`.
    Unset {
        /// The property.
        name: String,
    },
    /// `ALTER SYSTEM 'property' = 'value'`.
    AlterSystem {
        /// The property.
        name: String,
        /// Its value.
        value: String,
    },
    /// `DEFINE name = 'value'`.
    Define {
        /// The variable, with its case as written.
        name: String,
        /// Its value.
        value: String,
    },
    /// `UNDEFINE name`.
    Undefine {
        /// The variable, with its case as written.
        name: String,
    },
    /// `ASSERT [NOT EXISTS] TOPIC …`.
    AssertTopic(AssertTopic),
    /// `ASSERT [NOT EXISTS] SCHEMA …`.
    AssertSchema(AssertSchema),
    /// `ASSERT VALUES …`, of tests only.
    AssertValues(AssertValues),
    /// `ASSERT NULL VALUES …`, of tests only.
    AssertTombstone(AssertTombstone),
    /// `ASSERT STREAM|TABLE …`, of tests only.
    AssertSource(AssertSource),
    /// `RUN SCRIPT 'file'`, of tests only.
    RunScript {
        /// The file.
        file: String,
    },
}

/// A stream or a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SourceKind {
    /// A stream.
    Stream,
    /// A table.
    Table,
}

impl SourceKind {
    /// `STREAM` or `TABLE`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Stream => "STREAM",
            Self::Table => "TABLE",
        }
    }

    /// `KSTREAM` or `KTABLE`, as ksqlDB's Java calls them.
    pub fn java_name(self) -> &'static str {
        match self {
            Self::Stream => "KSTREAM",
            Self::Table => "KTABLE",
        }
    }
}

/// `CREATE [OR REPLACE] [SOURCE] STREAM|TABLE [IF NOT EXISTS] name [(columns)] [WITH (…)]`.
#[derive(Debug, Clone, PartialEq)]
pub struct CreateSource {
    /// Stream or table.
    pub kind: SourceKind,
    /// Whether `OR REPLACE` was written.
    pub or_replace: bool,
    /// Whether it may only be read: `SOURCE` was written.
    pub is_source: bool,
    /// Whether `IF NOT EXISTS` was written.
    pub if_not_exists: bool,
    /// Its name.
    pub name: Name,
    /// Its columns; none if they are to be inferred.
    pub columns: Vec<Column>,
    /// The `WITH` clause, sorted by name.
    pub with: Vec<Property>,
}

/// `name type [constraint]`: a column of a source.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    /// Its name.
    pub name: Name,
    /// Its type.
    pub ty: Type,
    /// Whether it is part of the key or holds headers.
    pub constraint: Option<Constraint>,
    /// Where it stands.
    pub span: Span,
}

/// Where a column comes from, if not from the value.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Constraint {
    /// `KEY`, of streams.
    Key,
    /// `PRIMARY KEY`, of tables.
    PrimaryKey,
    /// `HEADERS`: all headers.
    Headers,
    /// `HEADER('key')`: the last header of that key.
    Header(String),
}

/// `name = literal` in a `WITH` clause.
#[derive(Debug, Clone, PartialEq)]
pub struct Property {
    /// Its name; upper-cased unless quoted.
    pub name: Name,
    /// Its value.
    pub value: Literal,
    /// Where the value stands.
    pub value_span: Span,
}

/// `CREATE [OR REPLACE] STREAM|TABLE [IF NOT EXISTS] name [WITH (…)] AS query`.
#[derive(Debug, Clone, PartialEq)]
pub struct CreateAs {
    /// Stream or table.
    pub kind: SourceKind,
    /// Whether `OR REPLACE` was written.
    pub or_replace: bool,
    /// Whether `IF NOT EXISTS` was written.
    pub if_not_exists: bool,
    /// Its name.
    pub name: Name,
    /// The `WITH` clause, sorted by name.
    pub with: Vec<Property>,
    /// The query that fills it.
    pub query: Query,
}

/// `INSERT INTO name [WITH (…)] query`.
#[derive(Debug, Clone, PartialEq)]
pub struct InsertInto {
    /// The stream that takes the rows.
    pub target: Name,
    /// The `WITH` clause, sorted by name.
    pub with: Vec<Property>,
    /// The query.
    pub query: Query,
}

/// `INSERT INTO name [(columns)] VALUES (…)`.
#[derive(Debug, Clone, PartialEq)]
pub struct InsertValues {
    /// The source that takes the row.
    pub target: Name,
    /// The columns that are named, or none.
    pub columns: Vec<Name>,
    /// Their values.
    pub values: Vec<Expr>,
}

/// `ALTER STREAM|TABLE name ADD [COLUMN] name type, …`.
#[derive(Debug, Clone, PartialEq)]
pub struct AlterSource {
    /// Stream or table.
    pub kind: SourceKind,
    /// Its name.
    pub name: Name,
    /// The new columns, at least one.
    pub add: Vec<AddColumn>,
}

/// `ADD [COLUMN] name type`.
#[derive(Debug, Clone, PartialEq)]
pub struct AddColumn {
    /// Its name.
    pub name: Name,
    /// Its type.
    pub ty: Type,
}

/// `DROP STREAM|TABLE|TYPE|CONNECTOR [IF EXISTS] name [DELETE TOPIC]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drop {
    /// What kind of thing goes.
    pub kind: DropKind,
    /// Whether `IF EXISTS` was written.
    pub if_exists: bool,
    /// Its name.
    pub name: Name,
    /// Whether its topic goes too.
    pub delete_topic: bool,
}

/// What can be dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DropKind {
    /// A stream or table.
    Source(SourceKind),
    /// A custom type.
    Type,
    /// A connector.
    Connector,
}

/// `CREATE TYPE [IF NOT EXISTS] name AS type`.
#[derive(Debug, Clone, PartialEq)]
pub struct CreateType {
    /// Whether `IF NOT EXISTS` was written.
    pub if_not_exists: bool,
    /// Its name.
    pub name: Name,
    /// What it stands for.
    pub ty: Type,
}

/// `CREATE SOURCE|SINK CONNECTOR [IF NOT EXISTS] name WITH (…)`.
#[derive(Debug, Clone, PartialEq)]
pub struct CreateConnector {
    /// Which way it carries data.
    pub kind: ConnectorKind,
    /// Whether `IF NOT EXISTS` was written.
    pub if_not_exists: bool,
    /// Its name.
    pub name: Name,
    /// Its configuration.
    pub with: Vec<Property>,
}

/// Which way a connector carries data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ConnectorKind {
    /// Into Kafka.
    Source,
    /// Out of Kafka.
    Sink,
}

/// `DESCRIBE …`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Describe {
    /// `DESCRIBE name [EXTENDED]`.
    Source {
        /// The stream or table.
        name: Name,
        /// Whether `EXTENDED` was written.
        extended: bool,
    },
    /// `DESCRIBE STREAMS [EXTENDED]`.
    Streams {
        /// Whether `EXTENDED` was written.
        extended: bool,
    },
    /// `DESCRIBE TABLES [EXTENDED]`.
    Tables {
        /// Whether `EXTENDED` was written.
        extended: bool,
    },
    /// `DESCRIBE FUNCTION name`.
    Function(Name),
    /// `DESCRIBE CONNECTOR name`.
    Connector(Name),
}

/// `EXPLAIN …`.
#[derive(Debug, Clone, PartialEq)]
pub enum Explain {
    /// `EXPLAIN statement`.
    Statement {
        /// The statement.
        statement: Box<Statement>,
        /// Where it stands.
        span: Span,
    },
    /// `EXPLAIN queryId`.
    Query(Name),
}

/// `SHOW …` or `LIST …`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum List {
    /// `PROPERTIES`.
    Properties,
    /// `[ALL] TOPICS [EXTENDED]`.
    Topics {
        /// Whether hidden topics are listed.
        all: bool,
        /// Whether consumers are listed.
        extended: bool,
    },
    /// `STREAMS [EXTENDED]`.
    Streams {
        /// Whether `EXTENDED` was written.
        extended: bool,
    },
    /// `TABLES [EXTENDED]`.
    Tables {
        /// Whether `EXTENDED` was written.
        extended: bool,
    },
    /// `QUERIES [EXTENDED]`.
    Queries {
        /// Whether `EXTENDED` was written.
        extended: bool,
    },
    /// `FUNCTIONS`.
    Functions,
    /// `TYPES`.
    Types,
    /// `VARIABLES`.
    Variables,
    /// `[SOURCE|SINK] CONNECTORS`.
    Connectors(Option<ConnectorKind>),
    /// `CONNECTOR PLUGINS`.
    ConnectorPlugins,
}

/// `PRINT topic [FROM BEGINNING] [INTERVAL|SAMPLE n] [LIMIT n]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Print {
    /// The topic, with its case as written.
    pub topic: Name,
    /// Whether to start at the first record.
    pub from_beginning: bool,
    /// Print each n-th record; 1 if not given.
    pub interval: i32,
    /// The most records to print.
    pub limit: Option<i32>,
}

/// `TERMINATE|PAUSE|RESUME id|ALL`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ControlQuery {
    /// What to do.
    pub action: QueryAction,
    /// With which query.
    pub target: QueryTarget,
}

/// What is done with a running query.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum QueryAction {
    /// Stop it for good.
    Terminate,
    /// Stop it for now.
    Pause,
    /// Let it go on.
    Resume,
}

/// Which queries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum QueryTarget {
    /// Every one.
    All,
    /// The one of this id, upper-cased unless quoted.
    Id(Name),
}

/// `ASSERT [NOT EXISTS] TOPIC topic [WITH (…)] [TIMEOUT n unit]`.
#[derive(Debug, Clone, PartialEq)]
pub struct AssertTopic {
    /// Whether the topic is to exist; false after `NOT EXISTS`.
    pub exists: bool,
    /// The topic, with its case as written.
    pub topic: Name,
    /// What the topic is to have.
    pub with: Vec<Property>,
    /// How long to wait.
    pub timeout: Option<Duration>,
}

/// `ASSERT [NOT EXISTS] SCHEMA [SUBJECT subject] [ID n] [TIMEOUT n unit]`.
#[derive(Debug, Clone, PartialEq)]
pub struct AssertSchema {
    /// Whether the schema is to exist; false after `NOT EXISTS`.
    pub exists: bool,
    /// The subject, with its case as written.
    pub subject: Option<Name>,
    /// The schema's id: any literal, as the grammar has it.
    pub id: Option<Literal>,
    /// How long to wait.
    pub timeout: Option<Duration>,
}

/// `ASSERT VALUES name [(columns)] VALUES (…)`.
#[derive(Debug, Clone, PartialEq)]
pub struct AssertValues {
    /// The source whose topic holds the next record.
    pub source: Name,
    /// The columns that are named, or none.
    pub columns: Vec<Name>,
    /// Their values.
    pub values: Vec<Expr>,
}

/// `ASSERT NULL VALUES name [(columns)] KEY (…)`.
#[derive(Debug, Clone, PartialEq)]
pub struct AssertTombstone {
    /// The table whose topic holds the next record.
    pub source: Name,
    /// The columns that are named, or none.
    pub columns: Vec<Name>,
    /// Their values.
    pub values: Vec<Expr>,
}

/// `ASSERT STREAM|TABLE name [(columns)] [WITH (…)]`.
#[derive(Debug, Clone, PartialEq)]
pub struct AssertSource {
    /// Stream or table.
    pub kind: SourceKind,
    /// Its name.
    pub name: Name,
    /// Its columns.
    pub columns: Vec<Column>,
    /// The `WITH` clause, sorted by name.
    pub with: Vec<Property>,
}
