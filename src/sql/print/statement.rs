//! Statements.

use super::expression::{self, literal, type_};
use super::query;
use super::text::{identifier, join, put, string};
use crate::sql::ast::{
    AlterSource, AssertSchema, AssertSource, AssertTopic, Column, ConnectorKind, Constraint,
    CreateAs, CreateConnector, CreateSource, CreateType, Describe, Drop, DropKind, Duration,
    Explain, Expr, InsertInto, List, Name, Print, Property, QueryAction, QueryTarget, Statement,
};

/// Writes a statement, without a semicolon.
pub(super) fn write(out: &mut String, statement: &Statement) {
    match statement {
        Statement::Query(one) => query::write(out, one),
        Statement::CreateSource(one) => create_source(out, one),
        Statement::CreateAs(one) => create_as(out, one),
        Statement::InsertInto(one) => insert_into(out, one),
        Statement::InsertValues(one) => {
            put(out, format_args!("INSERT INTO {} ", identifier(&one.target.text)));
            values(out, &one.columns, "VALUES", &one.values);
        }
        Statement::AlterSource(one) => alter(out, one),
        Statement::Drop(one) => drop(out, one),
        Statement::CreateType(one) => create_type(out, one),
        Statement::CreateConnector(one) => create_connector(out, one),
        Statement::Describe(one) => describe(out, one),
        Statement::Explain(Explain::Query(id)) => put(out, format_args!("EXPLAIN {}", name(id))),
        Statement::Explain(Explain::Statement { statement, .. }) => {
            out.push_str("EXPLAIN \n");
            write(out, statement);
        }
        Statement::List(one) => out.push_str(&list(one)),
        Statement::Print(one) => print(out, one),
        other => write_short(out, other),
    }
}

/// Writes what sets something, controls queries or asserts.
fn write_short(out: &mut String, statement: &Statement) {
    match statement {
        Statement::ControlQuery(one) => {
            let action = match one.action {
                QueryAction::Terminate => "TERMINATE",
                QueryAction::Pause => "PAUSE",
                QueryAction::Resume => "RESUME",
            };
            let target = match &one.target {
                QueryTarget::All => "ALL".to_owned(),
                QueryTarget::Id(id) => name(id),
            };
            put(out, format_args!("{action} {target}"));
        }
        Statement::Set { name, value } => {
            put(out, format_args!("SET {}={}", string(name), string(value)));
        }
        Statement::Unset { name } => put(out, format_args!("UNSET {}", string(name))),
        Statement::AlterSystem { name, value } => {
            put(out, format_args!("ALTER SYSTEM {}={}", string(name), string(value)));
        }
        Statement::Define { name, value } => {
            put(out, format_args!("DEFINE {name}={}", string(value)));
        }
        Statement::Undefine { name } => put(out, format_args!("UNDEFINE {name}")),
        Statement::AssertTopic(one) => assert_topic(out, one),
        Statement::AssertSchema(one) => assert_schema(out, one),
        Statement::AssertValues(one) => {
            put(out, format_args!("ASSERT VALUES {} ", name(&one.source)));
            values(out, &one.columns, "VALUES", &one.values);
        }
        Statement::AssertTombstone(one) => {
            put(out, format_args!("ASSERT NULL VALUES {} ", name(&one.source)));
            values(out, &one.columns, "KEY", &one.values);
        }
        Statement::AssertSource(one) => assert_source(out, one),
        Statement::RunScript { file } => put(out, format_args!("RUN SCRIPT {}", string(file))),
        _ => unreachable!("every other statement is written by its own arm"),
    }
}

fn name(name: &Name) -> String {
    identifier(&name.text)
}

fn flag(set: bool, text: &'static str) -> &'static str {
    if set { text } else { "" }
}

fn create_source(out: &mut String, create: &CreateSource) {
    let replace = flag(create.or_replace, "OR REPLACE ");
    let source = flag(create.is_source, "SOURCE ");
    let exists = flag(create.if_not_exists, "IF NOT EXISTS ");
    let kind = create.kind.as_str();
    put(out, format_args!("CREATE {replace}{source}{kind} {exists}{}", name(&create.name)));
    columns(out, &create.columns);
    with(out, &create.with);
}

fn create_as(out: &mut String, create: &CreateAs) {
    let replace = flag(create.or_replace, "OR REPLACE ");
    let exists = flag(create.if_not_exists, "IF NOT EXISTS ");
    let kind = create.kind.as_str();
    put(out, format_args!("CREATE {replace}{kind} {exists}{}", name(&create.name)));
    with(out, &create.with);
    out.push_str(" AS ");
    query::write(out, &create.query);
}

/// The doubled blanks are ksqlDB's.
fn insert_into(out: &mut String, insert: &InsertInto) {
    put(out, format_args!("INSERT INTO {} ", name(&insert.target)));
    if !insert.with.is_empty() {
        with(out, &insert.with);
        out.push(' ');
    }
    query::write(out, &insert.query);
}

fn values(out: &mut String, columns: &[Name], word: &str, values: &[Expr]) {
    if !columns.is_empty() {
        out.push('(');
        join(out, columns, ", ", |out, column| out.push_str(&name(column)));
        out.push_str(") ");
    }
    put(out, format_args!("{word} ("));
    join(out, values, ", ", expression::write);
    out.push(')');
}

/// Writes ` (columns)` if there are any.
fn columns(out: &mut String, columns: &[Column]) {
    if columns.is_empty() {
        return;
    }
    out.push_str(" (");
    join(out, columns, ", ", |out, column| {
        put(out, format_args!("{} {}", name(&column.name), type_(&column.ty)));
        match &column.constraint {
            None => {}
            Some(Constraint::Key) => out.push_str(" KEY"),
            Some(Constraint::PrimaryKey) => out.push_str(" PRIMARY KEY"),
            Some(Constraint::Headers) => out.push_str(" HEADERS"),
            Some(Constraint::Header(key)) => put(out, format_args!(" HEADER({})", string(key))),
        }
    });
    out.push(')');
}

/// Writes ` WITH (properties)` if there are any, sorted by their names as ksqlDB does.
fn with(out: &mut String, properties: &[Property]) {
    if properties.is_empty() {
        return;
    }
    let mut sorted: Vec<(String, String)> =
        properties.iter().map(|one| (property_name(&one.name), literal(&one.value))).collect();
    sorted.sort();
    out.push_str(" WITH (");
    join(out, &sorted, ", ", |out, (name, value)| put(out, format_args!("{name}={value}")));
    out.push(')');
}

/// Names of properties are words, or texts such as `connector.class`.
fn property_name(name: &Name) -> String {
    if name.quoted && super::needs_quotes(&name.text) {
        string(&name.text)
    } else {
        identifier(&name.text)
    }
}

fn alter(out: &mut String, alter: &AlterSource) {
    put(out, format_args!("ALTER {} {}\n", alter.kind.as_str(), name(&alter.name)));
    join(out, &alter.add, ",\n", |out, add| {
        put(out, format_args!("ADD COLUMN {} {}", name(&add.name), type_(&add.ty)));
    });
}

fn drop(out: &mut String, drop: &Drop) {
    let kind = match drop.kind {
        DropKind::Source(kind) => kind.as_str(),
        DropKind::Type => "TYPE",
        DropKind::Connector => "CONNECTOR",
    };
    let exists = flag(drop.if_exists, "IF EXISTS ");
    let topic = flag(drop.delete_topic, " DELETE TOPIC");
    put(out, format_args!("DROP {kind} {exists}{}{topic}", name(&drop.name)));
}

fn create_type(out: &mut String, create: &CreateType) {
    let exists = flag(create.if_not_exists, "IF NOT EXISTS ");
    put(out, format_args!("CREATE TYPE {exists}{} AS {}", name(&create.name), type_(&create.ty)));
}

fn create_connector(out: &mut String, create: &CreateConnector) {
    let kind = connector(create.kind);
    let exists = flag(create.if_not_exists, "IF NOT EXISTS ");
    put(out, format_args!("CREATE {kind} CONNECTOR {exists}{}", name(&create.name)));
    with(out, &create.with);
}

fn connector(kind: ConnectorKind) -> &'static str {
    match kind {
        ConnectorKind::Source => "SOURCE",
        ConnectorKind::Sink => "SINK",
    }
}

fn describe(out: &mut String, describe: &Describe) {
    let (what, extended) = match describe {
        // A bare TABLES would mean all tables.
        Describe::Source { name, extended } if name.text == "TABLES" => {
            ("`TABLES`".to_owned(), *extended)
        }
        Describe::Source { name: source, extended } => (name(source), *extended),
        Describe::Streams { extended } => ("STREAMS".to_owned(), *extended),
        Describe::Tables { extended } => ("TABLES".to_owned(), *extended),
        Describe::Function(function) => (format!("FUNCTION {}", name(function)), false),
        Describe::Connector(connector) => (format!("CONNECTOR {}", name(connector)), false),
    };
    put(out, format_args!("DESCRIBE {what}{}", flag(extended, " EXTENDED")));
}

fn list(list: &List) -> String {
    let (what, extended) = match list {
        List::Properties => ("PROPERTIES", false),
        List::Topics { all: true, extended } => ("ALL TOPICS", *extended),
        List::Topics { all: false, extended } => ("TOPICS", *extended),
        List::Streams { extended } => ("STREAMS", *extended),
        List::Tables { extended } => ("TABLES", *extended),
        List::Queries { extended } => ("QUERIES", *extended),
        List::Functions => ("FUNCTIONS", false),
        List::Types => ("TYPES", false),
        List::Variables => ("VARIABLES", false),
        List::Connectors(None) => ("CONNECTORS", false),
        List::Connectors(Some(ConnectorKind::Source)) => ("SOURCE CONNECTORS", false),
        List::Connectors(Some(ConnectorKind::Sink)) => ("SINK CONNECTORS", false),
        List::ConnectorPlugins => ("CONNECTOR PLUGINS", false),
    };
    format!("SHOW {what}{}", flag(extended, " EXTENDED"))
}

/// The topic is a text, as identifiers here keep their case.
fn print(out: &mut String, print: &Print) {
    put(out, format_args!("PRINT {}", string(&print.topic.text)));
    out.push_str(flag(print.from_beginning, " FROM BEGINNING"));
    if print.interval != 1 {
        put(out, format_args!(" INTERVAL {}", print.interval));
    }
    if let Some(limit) = print.limit {
        put(out, format_args!(" LIMIT {limit}"));
    }
}

fn assert_topic(out: &mut String, assert: &AssertTopic) {
    let not = flag(!assert.exists, "NOT EXISTS ");
    put(out, format_args!("ASSERT {not}TOPIC {}", string(&assert.topic.text)));
    with(out, &assert.with);
    timeout(out, assert.timeout);
}

fn assert_schema(out: &mut String, assert: &AssertSchema) {
    put(out, format_args!("ASSERT {}SCHEMA", flag(!assert.exists, "NOT EXISTS ")));
    if let Some(subject) = &assert.subject {
        put(out, format_args!(" SUBJECT {}", string(&subject.text)));
    }
    if let Some(id) = &assert.id {
        put(out, format_args!(" ID {}", literal(id)));
    }
    timeout(out, assert.timeout);
}

fn timeout(out: &mut String, timeout: Option<Duration>) {
    if let Some(timeout) = timeout {
        out.push_str(" TIMEOUT ");
        query::duration(out, timeout);
    }
}

fn assert_source(out: &mut String, assert: &AssertSource) {
    put(out, format_args!("ASSERT {} {}", assert.kind.as_str(), name(&assert.name)));
    columns(out, &assert.columns);
    with(out, &assert.with);
}
