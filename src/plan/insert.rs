//! `INSERT INTO … SELECT`: a query into a stream that exists.

use super::query::analyse;
use super::statement::{kind_name, query_plan};
use super::{OptionSet, Options, PlanContext, PlanError, QueryPlan, Source, Stage};
use crate::sql::ast::{InsertInto, SourceKind};
use crate::types::Schema;

/// Plans an `INSERT INTO … SELECT`.
pub fn plan_insert_into(
    insert: &InsertInto,
    sql: &str,
    ctx: &PlanContext<'_>,
) -> Result<(QueryPlan, Options), PlanError> {
    let options = Options::from_clause(&insert.with, OptionSet::Insert)?;
    let target = insert_target(insert, ctx)?;
    let analysed = analyse(&insert.query, &insert.target.text, None, ctx)?;
    if target.is_read_only {
        return Err(PlanError::execute(format!(
            "Cannot insert into read-only {}: {}",
            kind_name(target.kind),
            target.name
        )));
    }
    if analysed.kind != target.kind {
        return Err(PlanError::execute(format!(
            "Incompatible data sink and query result. Data sink ({}) type is {} but select query result \
             is {}.",
            target.name,
            target.kind.java_name(),
            analysed.kind.java_name()
        )));
    }
    if !same_columns(&analysed.schema, &target.schema) {
        return Err(PlanError::execute(format!(
            "Incompatible schema between results and sink.\nResult schema is {}\nSink schema is {}",
            analysed.schema, target.schema
        )));
    }
    if let Some(id) = &options.query_id {
        check_query_id(id)?;
    }
    Ok((query_plan(analysed, target, sql), options))
}

fn insert_target<'c>(insert: &InsertInto, ctx: &PlanContext<'c>) -> Result<&'c Source, PlanError> {
    let name = &insert.target;
    let resolve = |message: String| PlanError::new(Stage::Resolve, message).at(name.span);
    let target = ctx.catalog.source(&name.text).ok_or_else(|| {
        let at = name.span.position(ctx.text);
        resolve(format!(
            "Line: {}, Col: {}: Source `{}` does not exist.",
            at.line, at.column, name.text
        ))
    })?;
    if target.kind == SourceKind::Table {
        return Err(resolve(format!(
            "INSERT INTO can only be used to insert into a stream. {} is a table.",
            name.text
        )));
    }
    if !target.headers.is_empty() {
        let message = format!("Cannot insert into {} because it has header columns", name.text);
        return Err(resolve(message));
    }
    Ok(target)
}

fn check_query_id(id: &str) -> Result<(), PlanError> {
    const PREFIXES: [&str; 4] = ["INSERTQUERY_", "CTAS_", "CSAS_", "CST_"];
    if PREFIXES.iter().any(|prefix| id.starts_with(prefix)) {
        return Err(PlanError::execute(format!(
            "Query IDs must not start with a reserved query ID prefix (INSERTQUERY_, CTAS_, CSAS_, \
             CST_). Got '{id}'."
        )));
    }
    if id.is_empty() || !id.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
        return Err(PlanError::execute(format!(
            "Query IDs may contain only alphanumeric characters and '_'. Got: '{id}'"
        )));
    }
    Ok(())
}

/// Whether a result fits a sink: the same key and value columns, by name and type.
fn same_columns(result: &Schema, sink: &Schema) -> bool {
    result.key == sink.key && result.value == sink.value
}
