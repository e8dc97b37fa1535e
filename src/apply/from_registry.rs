//! Columns that statements leave to the Schema Registry. Where that is not known, those are taken that a server tells.

use super::compare::{is_schema_id, options};
use super::there::ColumnThere;
use crate::engine::{Engine, Session};
use crate::registry::Subject;
use crate::sql::ast::{Column, Constraint, Name, SourceKind, Statement};
use crate::sql::{Span, parse_type};

/// The key columns and the value columns that a statement leaves to the registry, each by where it would look.
pub(super) fn left_to_registry(
    statement: &Statement,
    engine: &Engine,
    session: &Session,
) -> [Option<Subject>; 2] {
    let Statement::CreateSource(create) = statement else { return [None, None] };
    let subjects = engine.needs(statement, session).subjects;
    let topic = options(statement).topic.unwrap_or_default();
    let is_key = |column: &Column| {
        matches!(column.constraint, Some(Constraint::Key | Constraint::PrimaryKey))
    };
    let has_keys = create.columns.iter().any(is_key);
    let has_values = create.columns.iter().any(|column| column.constraint.is_none());
    let left = |has_any: bool, subject: Subject| {
        Some(subject).filter(|subject| !has_any && subjects.contains(subject))
    };
    [left(has_keys, Subject::of_keys(&topic)), left(has_values, Subject::of_values(&topic))]
}

/// Writes those columns of a description into a statement that it leaves out: those of the key, of the value, or both.
pub(super) fn fill_columns(
    statement: &mut Statement,
    columns: &[ColumnThere],
    [keys, values]: [bool; 2],
) {
    let Statement::CreateSource(create) = statement else { return };
    let key = match create.kind {
        SourceKind::Stream => Constraint::Key,
        SourceKind::Table => Constraint::PrimaryKey,
    };
    for column in columns {
        let (is_wanted, constraint) = match column.role.as_deref() {
            Some("KEY") => (keys, Some(key.clone())),
            None => (values, None),
            Some(_) => (false, None),
        };
        let Ok(ty) = parse_type(&column.ty) else { continue };
        if is_wanted {
            let name = Name::new(&column.name);
            create.columns.push(Column { name, ty, constraint, span: Span::default() });
        }
    }
}

/// Leaves the ids of schemas out, where the schemas are not known.
pub(super) fn without_schema_ids(statement: &mut Statement) {
    match statement {
        Statement::CreateSource(create) => create.with.retain(|property| !is_schema_id(property)),
        Statement::CreateAs(create) => create.with.retain(|property| !is_schema_id(property)),
        _ => {}
    }
}
