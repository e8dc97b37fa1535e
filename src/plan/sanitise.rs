//! Queries as ksqlDB shows them: every column with its source, every item with its name.
//!
//! As ksqlDB's `AstSanitizer`. A column that no source has, or several have, stays as written; the
//! planner refuses it later.

use std::collections::HashSet;

use super::names::rewrite;
use super::select::{Aliases, RESERVED};
use super::{Catalog, Source};
use crate::sql::ast::{Expr, ExprKind, Name, Query, SelectItem, Statement};
use crate::types::SqlType;

/// The statement with its query, if it has one, as ksqlDB shows it.
pub fn sanitised(statement: &Statement, catalog: &Catalog) -> Statement {
    let mut statement = statement.clone();
    match &mut statement {
        Statement::CreateAs(create) => sanitise(&mut create.query, catalog),
        Statement::InsertInto(insert) => sanitise(&mut insert.query, catalog),
        Statement::Query(query) => sanitise(query, catalog),
        _ => {}
    }
    statement
}

/// A source of a query, under the name that it has there.
pub(super) struct Named<'c> {
    pub(super) alias: Name,
    pub(super) source: &'c Source,
    columns: HashSet<&'c str>,
}

impl<'c> Named<'c> {
    pub(super) fn new(alias: Name, source: &'c Source) -> Self {
        let columns = source.schema.key.iter().chain(&source.schema.value);
        let columns = columns.map(|column| &*column.name);
        let headers = source.headers.iter().map(|header| header.name.as_str());
        Self { alias, source, columns: columns.chain(headers).collect() }
    }

    pub(super) fn has(&self, column: &str) -> bool {
        let is_windowed = self.source.is_windowed();
        let is_pseudo = match column {
            "WINDOWSTART" | "WINDOWEND" => is_windowed,
            other => RESERVED.contains(&other),
        };
        is_pseudo || self.columns.contains(column)
    }
}

fn sanitise(query: &mut Query, catalog: &Catalog) {
    let from = std::iter::once(&query.from.first);
    let from = from.chain(query.from.joins.iter().map(|join| &join.source));
    let named = from.map(|from| {
        catalog.source(&from.name.text).map(|source| Named::new(from.alias.clone(), source))
    });
    let Some(sources) = named.collect::<Option<Vec<_>>>() else { return };
    qualify_query(query, &sources);
}

/// Gives each column its source, and each item a name.
pub(super) fn qualify_query(query: &mut Query, sources: &[Named<'_>]) {
    let columns = sources.iter().flat_map(|named| {
        let columns = named.source.schema.key.iter().chain(&named.source.schema.value);
        columns.map(|column| (column.name.to_string(), column.ty.clone()))
    });
    let columns: Vec<(String, SqlType)> = columns.collect();
    let mut aliases = Aliases::new(&columns);
    for item in &mut query.select {
        match item {
            SelectItem::Expr { expr, alias, .. } => {
                if alias.is_none() {
                    *alias = Some(Name::new(made_up(expr, sources, &mut aliases)));
                }
                qualify(expr, sources);
            }
            SelectItem::StructAll { base, .. } => qualify(base, sources),
            SelectItem::All { .. } => {}
        }
    }
    let conditions = query.filter.iter_mut().chain(&mut query.having);
    let lists = query.group_by.iter_mut().chain(&mut query.partition_by).flatten();
    let joins = query.from.joins.iter_mut().map(|join| &mut join.on);
    for expr in conditions.chain(lists).chain(joins) {
        qualify(expr, sources);
    }
}

/// The name of an item that was given none.
fn made_up(expr: &Expr, sources: &[Named<'_>], aliases: &mut Aliases) -> String {
    match &expr.kind {
        ExprKind::Column { source, name } => {
            let mut owners = sources.iter().filter(|named| named.has(&name.text));
            match (source, owners.next(), owners.next()) {
                (Some(source), Some(_), Some(_)) => format!("{}_{}", source.text, name.text),
                _ => name.text.clone(),
            }
        }
        ExprKind::Field { name, .. } => aliases.field(&name.text),
        _ => aliases.generated(),
    }
}

fn qualify(expr: &mut Expr, sources: &[Named<'_>]) {
    rewrite(expr, &mut |expr| {
        let ExprKind::Column { source: None, name } = &expr.kind else { return None };
        let mut owners = sources.iter().filter(|named| named.has(&name.text));
        match (owners.next(), owners.next()) {
            (Some(owner), None) => {
                let source = Some(owner.alias.clone());
                Some(ExprKind::Column { source, name: name.clone() })
            }
            _ => None,
        }
    });
}
