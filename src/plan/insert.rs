//! `INSERT INTO … SELECT`: a query into a stream that exists.

use super::builder::SinkNames;
use super::name_help::source_help;
use super::query::analyse;
use super::select::list_span;
use super::statement::{kind_name, query_plan};
use super::{OptionSet, Options, PlanContext, PlanError, QueryPlan, Source, Stage};
use crate::expr::with_article;
use crate::java::double_to_string;
use crate::sql::ast::{ExprKind, InsertInto, Literal, Query, SelectItem, SourceKind};
use crate::types::{ColumnDef, Decimal, Rounding, Schema, SqlType};

/// The texts of a statement.
#[derive(Clone, Copy, Debug)]
pub struct StatementTexts<'s> {
    /// As it was written.
    pub written: &'s str,
    /// In ksqlDB's form.
    pub canonical: &'s str,
}

/// Plans an `INSERT INTO … SELECT`.
pub fn plan_insert_into(
    insert: &InsertInto,
    texts: StatementTexts<'_>,
    ctx: &PlanContext<'_>,
) -> Result<(QueryPlan, Options), PlanError> {
    let options = Options::from_clause(&insert.with, OptionSet::Insert)?;
    let target = insert_target(insert, ctx)?;
    let query = with_literals_of(&insert.query, target);
    let sink = SinkNames { name: Some(&insert.target.text), ..SinkNames::CLIENT };
    let analysed = analyse(&query, sink, None, ctx)?;
    if target.is_read_only {
        let message =
            format!("Cannot insert into read-only {}: {}", kind_name(target.kind), target.name);
        let unlogged = format!("{message}\nStatement: {}", texts.written);
        return Err(PlanError::execute(message).unlogged(unlogged).at(insert.target.span));
    }
    if analysed.kind != target.kind {
        return Err(PlanError::execute(format!(
            "Incompatible data sink and query result. Data sink ({}) type is {} but select query result \
             is {}.",
            target.name,
            target.kind.java_name(),
            analysed.kind.java_name()
        ))
        .at(insert.query.span)
        .because(format!("this gives a table, and {} is a stream", target.name)));
    }
    if !same_columns(&analysed.schema, &target.schema) {
        return Err(PlanError::execute(format!(
            "Incompatible schema between results and sink.\nResult schema is {}\nSink schema is {}",
            analysed.schema, target.schema
        ))
        .at(list_span(&query))
        .maybe_reason(difference(&analysed.schema, &target.schema)));
    }
    if let Some(id) = &options.query_id {
        check_query_id(id)?;
    }
    // What is written has the types of the result, as the schemas show that ksqlDB registers.
    let schema = analysed.schema.clone();
    let mut plan = query_plan(analysed, target, texts.canonical);
    plan.sink.schema = schema;
    Ok((plan, options))
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
        .maybe_help(source_help(ctx.catalog, &name.text))
    })?;
    if target.kind == SourceKind::Table {
        return Err(resolve(format!(
            "INSERT INTO can only be used to insert into a stream. {} is a table.",
            name.text
        ))
        .help("write CREATE OR REPLACE TABLE … AS SELECT to fill a table by a query"));
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

/// Whether a result fits a sink: the same key and value columns, by name and type, but that a DECIMAL may have fewer digits.
fn same_columns(result: &Schema, sink: &Schema) -> bool {
    let fits = |(from, to): (&ColumnDef, &ColumnDef)| {
        from.name == to.name && (from.ty == to.ty || is_narrower(&from.ty, &to.ty))
    };
    let sides = [(&result.key, &sink.key), (&result.value, &sink.value)];
    sides.into_iter().all(|(from, to)| from.len() == to.len() && from.iter().zip(to).all(fits))
}

/// The first column in which a result differs from its sink.
fn difference(result: &Schema, sink: &Schema) -> Option<String> {
    for (what, from, to) in
        [("key column", &result.key, &sink.key), ("column", &result.value, &sink.value)]
    {
        for (index, (from, to)) in from.iter().zip(to).enumerate() {
            let number = index + 1;
            if from.name != to.name {
                let (from, to) = (&from.name, &to.name);
                return Some(format!("{what} {number} is called {from}, and {to} in the stream"));
            }
            if from.ty != to.ty && !is_narrower(&from.ty, &to.ty) {
                let (found, wanted) = (with_article(&from.ty), with_article(&to.ty));
                return Some(format!(
                    "{what} {} is {found}, and {wanted} in the stream",
                    from.name
                ));
            }
        }
        if from.len() != to.len() {
            let (from, to) = (from.len(), to.len());
            let (is, plural) = if from == 1 { ("is", "") } else { ("are", "s") };
            return Some(format!("here {is} {from} {what}{plural}, and {to} in the stream"));
        }
    }
    None
}

/// Whether all numbers of one DECIMAL are some of another.
fn is_narrower(from: &SqlType, to: &SqlType) -> bool {
    let (
        SqlType::Decimal { precision, scale },
        SqlType::Decimal { precision: to_precision, scale: to_scale },
    ) = (from, to)
    else {
        return false;
    };
    scale <= to_scale && precision - scale <= to_precision - to_scale
}

/// The query with each number that stands alone written as the DECIMAL column of the target at its place holds it, if that
/// holds it exactly: ksqlDB converts nothing else.
fn with_literals_of(query: &Query, target: &Source) -> Query {
    let mut query = query.clone();
    let columns = target.schema.key.iter().chain(&target.schema.value);
    for (item, column) in query.select.iter_mut().zip(columns) {
        let (SelectItem::Expr { expr, .. }, SqlType::Decimal { precision, scale }) =
            (item, &column.ty)
        else {
            continue;
        };
        let ExprKind::Literal(literal) = &mut expr.kind else { continue };
        if let Some(exact) = number(literal).and_then(|number| fitted(&number, *precision, *scale))
        {
            *literal = Literal::Decimal(exact);
        }
    }
    query
}

fn number(literal: &Literal) -> Option<Decimal> {
    match literal {
        Literal::Integer(value) => Some(Decimal::new(i64::from(*value), 0)),
        Literal::Bigint(value) => Some(Decimal::new(*value, 0)),
        Literal::Double(value) => Decimal::parse(&double_to_string(*value)).ok(),
        Literal::Decimal(text) => Decimal::parse(text).ok(),
        Literal::Null | Literal::Boolean(_) | Literal::String(_) => None,
    }
}

/// A number as a DECIMAL of this type has it, if it needs no rounding.
fn fitted(number: &Decimal, precision: u32, scale: u32) -> Option<String> {
    let whole = |precision: u32, scale: i64| i64::from(precision) - scale;
    let fits = i64::from(number.scale) <= i64::from(scale)
        && whole(number.precision(), i64::from(number.scale)) <= whole(precision, i64::from(scale));
    let scale = i32::try_from(scale).ok().filter(|_| fits)?;
    number.set_scale(scale, Rounding::HalfUp).ok()?.to_plain_string().ok()
}
