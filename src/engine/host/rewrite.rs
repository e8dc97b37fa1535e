//! Statements as they go into the log: in ksqlDB's own form, with what ksqlDB adds to their `WITH` clauses.

use crate::engine::{Known, TopicRequest};
use crate::plan::{self, Catalog, resolve_type};
use crate::sql::ast::{
    CreateAs, CreateSource, DropKind, Literal, Name, Property, SourceKind, Statement, Type,
};
use crate::sql::print::masked;
use crate::sql::{self, ParsedStatement, Span};

/// How long ksqlDB says that a topic keeps what it holds, where nobody says it.
const RETENTION_MS: i64 = 7 * 24 * 60 * 60 * 1_000;

/// The text of a statement, as it goes into the log.
pub(super) fn logged(
    parsed: &ParsedStatement,
    catalog: &Catalog,
    topic: Option<&TopicRequest>,
    known: &Known,
) -> String {
    match &parsed.statement {
        Statement::CreateSource(create) => {
            let mut create = create.clone();
            create.columns.iter_mut().for_each(|column| resolve(&mut column.ty, catalog));
            complete_source(&mut create);
            canonical(&Statement::CreateSource(create))
        }
        Statement::CreateAs(_) => {
            let mut statement = plan::sanitised(&parsed.statement, catalog);
            if let Statement::CreateAs(create) = &mut statement {
                complete_sink(create, catalog, topic, known);
            }
            canonical(&statement)
        }
        Statement::Drop(drop) if drop.delete_topic && matches!(drop.kind, DropKind::Source(_)) => {
            let drop = crate::sql::ast::Drop { delete_topic: false, ..drop.clone() };
            canonical(&Statement::Drop(drop))
        }
        _ => parsed.text.clone(),
    }
}

/// The text of a statement that is refused, as ksqlDB shows it: as it would have gone into the log.
pub(super) fn refused(parsed: &ParsedStatement, catalog: &Catalog, known: &Known) -> String {
    match &parsed.statement {
        Statement::CreateSource(_) | Statement::CreateAs(_) => logged(parsed, catalog, None, known),
        _ => masked(parsed),
    }
}

/// The same, before it is known which topic it is about.
pub(super) fn with_formats(parsed: &ParsedStatement, catalog: &Catalog) -> String {
    let Statement::CreateSource(create) = &parsed.statement else { return masked(parsed) };
    let mut create = create.clone();
    create.columns.iter_mut().for_each(|column| resolve(&mut column.ty, catalog));
    complete_formats(&mut create);
    canonical(&Statement::CreateSource(create))
}

fn canonical(statement: &Statement) -> String {
    format!("{};", plan::canonical(statement))
}

/// Puts what they stand for in the place of custom types.
fn resolve(ty: &mut Type, catalog: &Catalog) {
    let resolved = resolve_type(ty, catalog).ok();
    if let Some(resolved) = resolved.and_then(|ty| sql::parse_type(&ty.to_string()).ok()) {
        *ty = resolved;
    }
}

/// Adds what a source is given that says nothing of it.
fn complete_source(create: &mut CreateSource) {
    let policy = match create.kind {
        SourceKind::Stream => "delete",
        SourceKind::Table => "compact",
    };
    set_default(&mut create.with, "CLEANUP_POLICY", text(policy));
    complete_formats(create);
}

fn complete_formats(create: &mut CreateSource) {
    if !has(&create.with, "FORMAT") {
        set_default(&mut create.with, "KEY_FORMAT", text("KAFKA"));
    }
    sort(&mut create.with);
}

/// Adds what a sink is given that says nothing of it.
fn complete_sink(
    create: &mut CreateAs,
    catalog: &Catalog,
    topic: Option<&TopicRequest>,
    known: &Known,
) {
    let has_window = create.query.window.is_some();
    let policy = match create.kind {
        SourceKind::Stream => "delete",
        SourceKind::Table if has_window => "compact,delete",
        SourceKind::Table => "compact",
    };
    let given = create.with.iter().find(|property| property.name.text == "KAFKA_TOPIC");
    let given = given.and_then(|property| match &property.value {
        Literal::String(name) => Some(name.clone()),
        _ => None,
    });
    let name = topic.map(|topic| topic.name.clone()).or(given);
    let name = name.unwrap_or_else(|| create.name.text.clone());
    let first = catalog.source(&create.query.from.first.name.text);
    let from = first.and_then(|source| known.topic(&source.topic));
    let shape = topic.map(|topic| topic.shape).or(known.topic(&name).copied()).or(from.copied());
    let replicas = shape.map_or(1, |shape| shape.replicas);
    let replicas = if replicas < 0 { from.map_or(1, |from| from.replicas) } else { replicas };
    let retention_ms = shape
        .and_then(|shape| shape.retention_ms)
        .or(from.and_then(|from| from.retention_ms))
        .or(known.default_retention_ms)
        .unwrap_or(RETENTION_MS);
    set_default(&mut create.with, "CLEANUP_POLICY", text(policy));
    set_default(&mut create.with, "KAFKA_TOPIC", text(&name));
    let partitions = shape.map_or(1, |shape| shape.partitions);
    set_default(&mut create.with, "PARTITIONS", Literal::Integer(partitions));
    set_default(&mut create.with, "REPLICAS", Literal::Integer(i32::from(replicas)));
    set_default(&mut create.with, "RETENTION_MS", number(retention_ms));
    sort(&mut create.with);
}

fn has(with: &[Property], name: &str) -> bool {
    with.iter().any(|property| property.name.text == name)
}

fn set_default(with: &mut Vec<Property>, name: &str, value: Literal) {
    if !has(with, name) {
        with.push(Property { name: Name::new(name), value, value_span: Span::default() });
    }
}

fn sort(with: &mut [Property]) {
    with.sort_by(|a, b| a.name.text.cmp(&b.name.text));
}

fn text(text: &str) -> Literal {
    Literal::String(text.to_owned())
}

fn number(number: i64) -> Literal {
    i32::try_from(number).map_or(Literal::Bigint(number), Literal::Integer)
}
