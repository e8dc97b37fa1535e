//! `INSERT INTO … VALUES`: one row, of constants.
//!
//! As ksqlDB's `InsertValuesExecutor`: values are evaluated without a row to stand over, and become values of their
//! columns' types where that loses nothing.

use std::sync::Arc;

use super::expression::Clause;
use super::statement::kind_name;
use super::{Catalog, PlanContext, PlanError, Source};
use crate::expr::{EvalContext, Expr, fit_strictly, shown_value};
use crate::sql::ast::{self, ExprKind, InsertValues, Name, SourceKind};
use crate::sql::print;
use crate::sql::span::Span;
use crate::sql::suggest::{self, NameKind};
use crate::types::{OwnedValue, SqlType, Value};

/// A row that is to be written, before its values are known.
#[derive(Clone, Debug)]
pub struct InsertRow {
    /// The source that takes it.
    pub source: Arc<Source>,
    values: Vec<NamedValue>,
}

#[derive(Clone, Debug)]
struct NamedValue {
    column: String,
    ty: SqlType,
    expr: Arc<Expr>,
    /// Where the value stands.
    place: Span,
}

/// A row with its values.
#[derive(Clone, Debug, PartialEq)]
pub struct InsertedRow {
    /// The values of the key's columns.
    pub key: Vec<OwnedValue>,
    /// The values of the other columns.
    pub value: Vec<OwnedValue>,
    /// Its time in milliseconds since the epoch.
    pub timestamp_ms: i64,
}

/// Plans an `INSERT INTO … VALUES`.
pub fn plan_insert_values(
    insert: &InsertValues,
    ctx: &PlanContext<'_>,
) -> Result<InsertRow, PlanError> {
    let source = insert_target(&insert.target, ctx.catalog)?;
    let columns = named_columns(insert, source)?;
    let mut values = Vec::with_capacity(columns.len());
    for ((column, ty), expr) in columns.into_iter().zip(&insert.values) {
        let place = expr.span;
        let expr = Arc::new(constant(expr, insert, ctx)?);
        values.push(NamedValue { column, ty, expr, place });
    }
    if source.kind == SourceKind::Table {
        check_key(insert, source, &values)?;
    }
    Ok(InsertRow { source: Arc::clone(source), values })
}

/// A column and its value.
pub type KeyValue = (String, OwnedValue);

/// Plans values of some columns of a source, or of all of them if none is named, as a test expects them of a record.
pub fn named_values(
    source: &Arc<Source>,
    columns: &[Name],
    values: &[ast::Expr],
    ctx: &PlanContext<'_>,
) -> Result<InsertRow, PlanError> {
    let insert = InsertValues {
        target: Name::new(&*source.name),
        columns: columns.to_vec(),
        values: values.to_vec(),
    };
    let columns = named_columns(&insert, source)?;
    let values = columns.into_iter().zip(values).map(|((column, ty), expr)| {
        let place = expr.span;
        let expr = Arc::new(constant(expr, &insert, ctx)?);
        Ok(NamedValue { column, ty, expr, place })
    });
    let values = values.collect::<Result<_, PlanError>>()?;
    Ok(InsertRow { source: Arc::clone(source), values })
}

/// The source that takes rows.
pub fn insert_target<'c>(name: &Name, catalog: &'c Catalog) -> Result<&'c Arc<Source>, PlanError> {
    let refuse = |message: String| PlanError::execute(message).at(name.span);
    let Some(source) = catalog.source(&name.text) else {
        let mut near = catalog.sources().map(|source| source.name.as_str());
        let hint = near.find(|near| near.eq_ignore_ascii_case(&name.text)).map(|near| {
            format!(
                "\nDid you mean \"{near}\"? Hint: wrap the source name in double quotes to make it \
                 case-sensitive."
            )
        });
        return Err(refuse(format!(
            "Cannot insert values into an unknown stream/table: `{}`{}",
            name.text,
            hint.unwrap_or_default()
        )));
    };
    if source.is_windowed() {
        return Err(refuse("Cannot insert values into windowed stream/table!".to_owned()));
    }
    if source.is_read_only {
        let kind = kind_name(source.kind);
        return Err(refuse(format!("Cannot insert values into read-only {kind}: {}", source.name)));
    }
    Ok(source)
}

/// The columns that are given values, with their types: those that are named, else all but headers.
fn named_columns(
    insert: &InsertValues,
    source: &Source,
) -> Result<Vec<(String, SqlType)>, PlanError> {
    let is_header = |name: &&Name| source.headers.iter().any(|header| header.name == name.text);
    let headers: Vec<&Name> = insert.columns.iter().filter(is_header).collect();
    if let Some(first) = headers.first() {
        let names: Vec<_> = headers.iter().map(|name| name.text.as_str()).collect();
        let message = format!("Cannot insert into HEADER columns: {}", names.join(", "));
        return Err(PlanError::execute(message).at(first.span));
    }
    let mut columns: Vec<(String, SqlType)> = Vec::new();
    for name in &insert.columns {
        columns.push((name.text.clone(), column_type(name, insert, source)?));
    }
    if insert.columns.is_empty() {
        let all = source.schema.key.iter().chain(&source.schema.value);
        columns.extend(all.map(|column| (column.name.to_string(), column.ty.clone())));
    }
    if columns.len() == insert.values.len() {
        return Ok(columns);
    }
    let values: Vec<_> = insert.values.iter().map(print::expression).collect();
    let named: Vec<_> = insert.columns.iter().map(|name| format!("`{}`", name.text)).collect();
    let error = failed(
        insert,
        &format!(
            "Expected a value for each column. Expected Columns: [{}]. Got [{}]",
            named.join(", "),
            values.join(", ")
        ),
    );
    // Where none is named, ksqlDB names none either.
    let all: Vec<&str> = columns.iter().map(|(name, _)| name.as_str()).collect();
    let is_open = insert.columns.is_empty();
    Err(error.maybe_help(is_open.then(|| {
        let all = all.join(", ");
        format!("values of all columns: {all}; or name some of them behind the name")
    })))
}

fn column_type(name: &Name, insert: &InsertValues, source: &Source) -> Result<SqlType, PlanError> {
    match name.text.as_str() {
        "ROWTIME" => return Ok(SqlType::Bigint),
        "ROWPARTITION" | "ROWOFFSET" => {
            let reason = format!("Inserting into column `{}` is not allowed.", name.text);
            return Err(failed(insert, &reason).just_at(name.span));
        }
        _ => {}
    }
    let mut all = source.schema.key.iter().chain(&source.schema.value);
    let found = all.find(|column| *column.name == *name.text).map(|column| column.ty.clone());
    let missing = || failed(insert, &format!("Column name `{}` does not exist.", name.text));
    found.ok_or_else(|| {
        let names = source.schema.key.iter().chain(&source.schema.value);
        let names: Vec<&str> = names.map(|column| &*column.name).collect();
        let help = suggest::help(NameKind::Column, &name.text, &names);
        missing().just_at(name.span).maybe_help(help)
    })
}

/// An expression that stands over no row.
fn constant(
    expr: &ast::Expr,
    insert: &InsertValues,
    ctx: &PlanContext<'_>,
) -> Result<Expr, PlanError> {
    let mut column = None;
    super::names::visit(expr, &mut |expr| {
        if matches!(expr.kind, ExprKind::Column { .. }) {
            column.get_or_insert(expr);
        }
    });
    if let Some(column) = column {
        let text = print::expression(column);
        let reason =
            format!("Unsupported column reference in insert value: {}", text.trim_matches('`'));
        return Err(failed(insert, &reason).at(column.span));
    }
    let typed = ctx.scope(&[], &[], Clause::Select).resolve(expr);
    typed.map_err(|error| {
        let refused = refused(&insert.target.text, &error.message);
        PlanError { notes: error.notes, ..refused }.at(expr.span)
    })
}

/// A row of a table has its whole key.
fn check_key(
    insert: &InsertValues,
    source: &Source,
    values: &[NamedValue],
) -> Result<(), PlanError> {
    let is_missing = |name: &&str| values.iter().all(|value| value.column != *name);
    let names = source.schema.key.iter().map(|column| &*column.name);
    let missing: Vec<&str> = names.filter(is_missing).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let reason =
        format!("Value for primary key column(s) {} is required for tables", missing.join(", "));
    Err(failed(insert, &reason))
}

fn failed(insert: &InsertValues, reason: &str) -> PlanError {
    refused(&insert.target.text, reason).at(insert.target.span)
}

fn refused(target: &str, reason: &str) -> PlanError {
    PlanError::execute(format!("Failed to insert values into '{target}'. {reason}"))
}

/// What ksqlDB says of the texts that are times.
fn time_format(ty: &SqlType) -> Option<&'static str> {
    match ty {
        SqlType::Timestamp => Some("Timestamp format must be yyyy-mm-ddThh:mm:ss[.S]"),
        SqlType::Date => Some("Date format must be yyyy-mm-dd"),
        SqlType::Time => Some("Time format must be hh:mm:ss[.S]"),
        _ => None,
    }
}

impl InsertRow {
    /// The values by themselves, as of now.
    pub fn named_values(&self, context: &EvalContext<'_>) -> Result<Vec<KeyValue>, PlanError> {
        let values = self.values.iter();
        values.map(|value| Ok((value.column.clone(), self.value(value, context)?))).collect()
    }

    /// The row, as of now.
    pub fn evaluate(&self, context: &EvalContext<'_>) -> Result<InsertedRow, PlanError> {
        let mut found: Vec<(&str, OwnedValue)> = Vec::with_capacity(self.values.len());
        for value in &self.values {
            found.push((&value.column, self.value(value, context)?));
        }
        let value_of = |name: &str| {
            let found = found.iter().rev().find(|(column, _)| *column == name);
            found.map_or(OwnedValue::Null, |(_, value)| value.clone())
        };
        let schema = &self.source.schema;
        let timestamp_ms = match value_of("ROWTIME") {
            OwnedValue::Bigint(time) => time,
            _ => context.now.0,
        };
        Ok(InsertedRow {
            key: schema.key.iter().map(|column| value_of(&column.name)).collect(),
            value: schema.value.iter().map(|column| value_of(&column.name)).collect(),
            timestamp_ms,
        })
    }

    fn value(
        &self,
        named: &NamedValue,
        context: &EvalContext<'_>,
    ) -> Result<OwnedValue, PlanError> {
        let refuse = |reason: &str| refused(&self.source.name, reason).at(named.place);
        let (value, errors) = named.expr.evaluate_row(&[], context);
        if let Some(failed) = errors.first() {
            return Err(refuse(&failed.error.message));
        }
        let Some(from) = named.expr.ty().filter(|_| value != Value::Null) else {
            return Ok(OwnedValue::Null);
        };
        let fitted = fit_strictly(value, from, &named.ty, context.arena);
        let unfit = || {
            format!(
                "Expected type {} for field `{}` but got {}({})",
                named.ty,
                named.column,
                from.base_name(),
                shown_value(value, from)
            )
        };
        let fitted = fitted.map_err(|error| match time_format(&named.ty) {
            Some(format) => refuse(&format!("{}. {format}", unfit())),
            None => refuse(&error.message),
        })?;
        fitted.map(|value| value.to_owned()).ok_or_else(|| refuse(&unfit()))
    }
}
