//! `ON`: which expressions of the two sides are equal.

use crate::plan::error::Stage;
use crate::plan::expression::Clause;
use crate::plan::names::columns;
use crate::plan::relation::Aliased;
use crate::plan::{PlanContext, PlanError, frame_columns};
use crate::sql::ast::{Comparison, Expr, ExprKind, Join, LogicalOp};
use crate::sql::print;

/// One join of a query: its criterion, with the newly joined source on the right.
#[derive(Clone, Debug)]
pub(super) struct Criterion {
    /// The expression over the sources joined before.
    pub(super) left: Expr,
    /// The source of `left`, by its place in the query.
    pub(super) left_source: usize,
    /// The expression over the source that is joined.
    pub(super) right: Expr,
    /// The two sides as they were written, for messages: `A.X = B.Y`.
    pub(super) written: (Expr, Expr),
}

impl Criterion {
    /// The two sides as they were written.
    pub(super) fn shown(&self) -> String {
        let (left, right) = &self.written;
        format!("{} = {}", print::expression(left), print::expression(right))
    }
}

/// The criterion of the join of the source at `joined`. All columns are qualified.
///
/// As ksqlDB's `Analyzer.Visitor.visitJoinedSource`.
pub(super) fn criterion(
    join: &Join,
    joined: usize,
    sources: &[Aliased],
    ctx: &PlanContext<'_>,
) -> Result<Criterion, PlanError> {
    let (left, right) = sides(join)?;
    let left_source = source_of(left, &join.on, sources, ctx)?;
    let right_source = source_of(right, &join.on, sources, ctx)?;
    let name = |source: usize| format!("`{}`", sources[source].alias.text);
    if left_source == right_source {
        return Err(PlanError::analyse(format!(
            "Each side of the join must reference exactly one source and not the same source. Left side \
             references {} and right references {}",
            name(left_source),
            name(right_source)
        ))
        .at(join.on.span));
    }
    let written = (left.clone(), right.clone());
    let in_order = |left: &Expr, left_source, right: &Expr| Criterion {
        left: left.clone(),
        left_source,
        right: right.clone(),
        written: written.clone(),
    };
    match joined {
        _ if right_source == joined => Ok(in_order(left, left_source, right)),
        _ if left_source == joined => Ok(in_order(right, right_source, left)),
        _ => Err(PlanError::analyse(format!(
            "A join criteria is expected to reference the source ({}) in the FROM clause, instead the \
             right source references {} and the left source references {}",
            name(joined),
            name(right_source),
            name(left_source)
        ))
        .at(join.on.span)),
    }
}

fn sides(join: &Join) -> Result<(&Expr, &Expr), PlanError> {
    let text = || print::expression(&join.on);
    match &join.on.kind {
        ExprKind::Comparison { op: Comparison::Equal, left, right } => Ok((left, right)),
        ExprKind::Comparison { .. } => {
            Err(PlanError::analyse("Only equality join criteria is supported.")
                .at(join.on.span)
                .help("join on what is equal, and write other conditions in WHERE"))
        }
        ExprKind::Logical { op: LogicalOp::And, .. } => Err(PlanError::analyse(format!(
            "Invalid join condition: joins on multiple conditions are not yet supported. Got {}.",
            text()
        ))
        .at(join.on.span)
        .help("join on one of them, and write the others in WHERE")),
        _ => {
            let message = format!("Unsupported join expression: {}", text());
            Err(PlanError::analyse(message).at(join.on.span))
        }
    }
}

/// The one source whose columns an expression names.
fn source_of(
    expr: &Expr,
    on: &Expr,
    sources: &[Aliased],
    ctx: &PlanContext<'_>,
) -> Result<usize, PlanError> {
    let mut found: Vec<usize> = Vec::new();
    for (source, name) in columns(expr) {
        let owner = source.and_then(|source| {
            sources.iter().position(|aliased| aliased.alias.text == source.text)
        });
        let Some(owner) = owner else { return Err(unknown(expr, ctx)) };
        let frame = frame_columns(&sources[owner].source);
        if !frame.iter().any(|column| column.name == name.text) {
            return Err(unknown(expr, ctx));
        }
        if !found.contains(&owner) {
            found.push(owner);
        }
    }
    match *found {
        [source] => Ok(source),
        _ => Err(PlanError::analyse(format!(
            "Invalid comparison expression '{}' in join '{}'. Each side of the join comparision must \
             contain references from exactly one source.",
            print::expression(expr),
            print::expression(on)
        ))
        .at(expr.span)),
    }
}

/// "JOIN ON column 'T.X' cannot be resolved."
fn unknown(expr: &Expr, ctx: &PlanContext<'_>) -> PlanError {
    match ctx.scope(&[], &[], Clause::JoinOn).resolve_columns(expr) {
        Err(error) => error,
        Ok(()) => PlanError::new(Stage::Analyse, "a join names no column"),
    }
}
