//! What is wrong with the statements of a file, shown in its text; what only follows from that is not told.

use std::collections::HashSet;

use crate::plan::{Catalog, PlanError};
use crate::sql::ast::{Name, Query, Statement, Type, TypeKind};
use crate::sql::{Diagnostic, ParseError, ParsedStatement};

/// What ksqlDB says at the end of messages about functions. In a file there is no `DESCRIBE`.
const DESCRIBE: &str =
    "\nFor detailed information on a function run: DESCRIBE FUNCTION <Function-Name>;";

/// An error of a statement, with all others that it has, as they are shown.
pub fn diagnostic(error: &PlanError, parsed: &ParsedStatement) -> Diagnostic {
    let notes = &error.notes;
    let message = error.to_string();
    let message = message.strip_suffix(DESCRIBE).unwrap_or(&message);
    let reason = notes.reason.clone();
    let shown = Diagnostic::new(message);
    let mut shown = match notes.span.filter(|span| !span.is_empty()) {
        Some(at) => shown.at(parsed.written_place(at), reason.unwrap_or_default()),
        None => shown.at(parsed.place, reason.unwrap_or_else(|| "in this statement".to_owned())),
    };
    for (span, reason) in &notes.places {
        shown = shown.at(parsed.written_place(*span), reason.clone());
    }
    shown.help.extend(notes.help.iter().cloned());
    shown.and(notes.more.iter().map(|more| diagnostic(more, parsed)))
}

/// What is wrong with what should be a statement and is none.
pub fn unread(errors: &[ParseError]) -> Diagnostic {
    let mut all = errors.iter().map(ParseError::to_diagnostic);
    let first = all.next().unwrap_or_default();
    first.and(all)
}

/// Streams, tables and types that are not there as their statements are at fault.
#[derive(Clone, Debug, Default)]
pub(super) struct Missing {
    sources: HashSet<String>,
    types: HashSet<String>,
}

impl Missing {
    /// Notes a name that a statement would have given to something.
    pub(super) fn note(&mut self, name: &str) {
        self.sources.insert(name.to_owned());
        self.types.insert(name.to_owned());
    }

    /// Notes what a statement would have made.
    pub(super) fn note_made(&mut self, statement: &Statement) {
        match statement {
            Statement::CreateSource(create) => self.sources.insert(create.name.text.clone()),
            Statement::CreateAs(create) => self.sources.insert(create.name.text.clone()),
            Statement::CreateType(create) => self.types.insert(create.name.text.clone()),
            _ => false,
        };
    }

    /// What a statement reads that is missing.
    pub(super) fn read_by(&self, statement: &Statement, catalog: &Catalog) -> Option<String> {
        if self.sources.is_empty() && self.types.is_empty() {
            return None;
        }
        let is_missing = |name: &&Name| {
            self.sources.contains(&name.text) && catalog.source(&name.text).is_none()
        };
        let name = match statement {
            Statement::CreateAs(create) => sources(&create.query).find(is_missing),
            Statement::InsertInto(insert) => {
                sources(&insert.query).chain([&insert.target]).find(is_missing)
            }
            Statement::CreateSource(create) => {
                create.columns.iter().find_map(|column| self.custom(&column.ty, catalog))
            }
            Statement::CreateType(create) => self.custom(&create.ty, catalog),
            _ => None,
        };
        name.map(|name| name.text.clone())
    }

    /// A type of its own that is missing within `ty`.
    fn custom<'t>(&self, ty: &'t Type, catalog: &Catalog) -> Option<&'t Name> {
        match &ty.kind {
            TypeKind::Custom(name) => {
                let is_missing =
                    self.types.contains(&name.text) && catalog.custom_type(&name.text).is_none();
                is_missing.then_some(name)
            }
            TypeKind::Array(item) => self.custom(item, catalog),
            TypeKind::Map(key, value) => {
                self.custom(key, catalog).or_else(|| self.custom(value, catalog))
            }
            TypeKind::Struct(fields) => {
                fields.iter().find_map(|field| self.custom(&field.ty, catalog))
            }
            TypeKind::Primitive(_) | TypeKind::Decimal { .. } => None,
        }
    }
}

/// The names of the streams and tables that the query of a statement reads; none if it has no query.
pub fn read_names(statement: &Statement) -> impl Iterator<Item = &str> {
    let query = match statement {
        Statement::CreateAs(create) => Some(&create.query),
        Statement::InsertInto(insert) => Some(&insert.query),
        _ => None,
    };
    query.into_iter().flat_map(sources).map(|name| name.text.as_str())
}

/// The names of the streams and tables that a query reads.
fn sources(query: &Query) -> impl Iterator<Item = &Name> {
    let joined = query.from.joins.iter().map(|join| &join.source.name);
    std::iter::once(&query.from.first.name).chain(joined)
}
