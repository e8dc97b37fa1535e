//! What else is wrong with a statement that is refused. ksqlDB stops at the first fault; whoever mends a file wants
//! to see all of them.
//!
//! What only follows from another fault is not told: of an expression, the innermost parts that are at fault are.

use super::PlanContext;
use super::PlanError;
use super::builder::check_predicate;
use super::columns::Columns;
use super::expression::{Clause, RESULT_PREFIX, Scope};
use super::frame::named_columns;
use super::join::{flatten_expr, qualified_query};
use super::names::{calls, joined_name, rewrite, unqualified, visit};
use super::relation::{Aliased, written_names};
use super::select::column;
use crate::expr::TypeError;
use crate::expr::aggregates::AggregateSettings;
use crate::expr::functions::{self, ArgType};
use crate::sql::ast::{Expr, ExprKind, Query, SelectItem};
use crate::sql::visit::children;
use crate::types::SqlType;

/// The most faults of one statement that are told.
const FAULTS_MAX: usize = 20;

/// A fault of a query with all others that its expressions have.
pub(super) fn with_others(
    first: PlanError,
    query: &Query,
    sources: &[Aliased],
    ctx: &PlanContext<'_>,
) -> PlanError {
    let mut others = Survey::new(query, sources, ctx).map_or_else(Vec::new, |s| s.faults());
    let is_told = |other: &PlanError| {
        let at = |error: &PlanError| error.span().map(|span| (span.start, span.end));
        at(other) == at(&first) || other.message == first.message && other.span().is_none()
    };
    others.retain(|other| !is_told(other));
    others.truncate(FAULTS_MAX);
    first.and(others)
}

/// The expressions of a query, and what they stand over.
pub(super) struct Survey<'s> {
    query: Query,
    columns: Columns,
    /// How the columns are written, where that is not by their names.
    written: Vec<String>,
    is_joined: bool,
    ctx: &'s PlanContext<'s>,
}

impl<'s> Survey<'s> {
    /// `None` where columns cannot be told apart.
    pub(super) fn new(
        query: &Query,
        sources: &[Aliased],
        ctx: &'s PlanContext<'s>,
    ) -> Option<Self> {
        let is_joined = sources.len() > 1;
        let (query, mut columns): (Query, Vec<(String, SqlType)>) = if is_joined {
            let columns = sources.iter().flat_map(|Aliased { alias, source }| {
                let columns = named_columns(source).into_iter();
                columns.map(|(name, ty)| (joined_name(&alias.text, &name), ty))
            });
            (qualified_query(query, sources, ctx.text).ok()?, columns.collect())
        } else {
            (query.clone(), named_columns(&sources.first()?.source))
        };
        let mut written = if is_joined { written_names(sources) } else { Vec::new() };
        if query.window.is_some() {
            for bound in ["WINDOWSTART", "WINDOWEND"] {
                columns.push((bound.to_owned(), SqlType::Bigint));
                if is_joined {
                    written.push(bound.to_owned());
                }
            }
        }
        Some(Self { query, columns: columns.into(), written, is_joined, ctx })
    }

    pub(super) fn faults(&self) -> Vec<PlanError> {
        let mut faults = Vec::new();
        let select = self.query.select.iter().filter_map(|item| match item {
            SelectItem::Expr { expr, .. } => Some((Clause::Select, expr)),
            SelectItem::All { .. } | SelectItem::StructAll { .. } => None,
        });
        let filter = self.query.filter.iter().map(|expr| (Clause::Where, expr));
        let group = self.query.group_by.iter().flatten().map(|expr| (Clause::GroupBy, expr));
        let keys = self.query.partition_by.iter().flatten();
        let keys = keys.map(|expr| (Clause::PartitionBy, expr));
        let having = self.query.having.iter().map(|expr| (Clause::Having, expr));
        for (clause, expr) in select.chain(filter).chain(group).chain(keys).chain(having) {
            if faults.len() >= FAULTS_MAX {
                break;
            }
            self.of_clause(clause, expr, &mut faults);
        }
        faults
    }

    fn of_clause(&self, clause: Clause, expr: &Expr, faults: &mut Vec<PlanError>) {
        let mut plain = expr.clone();
        if self.is_joined {
            flatten_expr(&mut plain, &self.columns);
        } else {
            plain = unqualified(&plain);
        }
        let known = faults.len();
        let is_table = |name: &str| functions::describe(name).is_some_and(|f| f.is_table);
        let table_calls = calls(&plain, &is_table);
        if !table_calls.is_empty() {
            let scope = self.scope(&self.columns, clause);
            let args = table_calls.into_iter().flat_map(children);
            let args = args.filter(|arg| calls(arg, &is_table).is_empty());
            faults.extend(args.flat_map(|arg| scope.innermost_faults(arg)));
            return;
        }
        let mut over = Vec::new();
        visit(&plain, &mut |expr| {
            if matches!(expr.kind, ExprKind::Over(_)) {
                over.push(expr);
            }
        });
        if !over.is_empty() {
            // What is computed of other rows stands for no value of this one.
            let scope = self.scope(&self.columns, clause);
            let is_over = |expr: &Expr| {
                let mut found = false;
                visit(expr, &mut |expr| found |= matches!(expr.kind, ExprKind::Over(_)));
                found
            };
            let parts = over.into_iter().flat_map(children).filter(|part| !is_over(part));
            faults.extend(parts.flat_map(|part| scope.innermost_faults(part)));
            return;
        }
        let mut columns = self.columns.clone();
        let aggregates = self.aggregates(clause, &mut plain, &mut columns, faults);
        if faults.len() > known || !aggregates {
            return;
        }
        let scope = self.scope(&columns, clause);
        faults.extend(scope.innermost_faults(&plain));
        if faults.len() == known
            && matches!(clause, Clause::Where | Clause::Having)
            && let Ok(typed) = scope.resolve(&plain)
        {
            faults.extend(check_predicate(&typed, &plain, clause).err());
        }
    }

    fn scope<'c>(&'c self, columns: &'c Columns, clause: Clause) -> Scope<'c> {
        let scope = self.ctx.scope(columns, &[], clause);
        Scope { select: &self.query.select, written: &self.written, named: Some(columns), ..scope }
    }

    /// Puts columns in the place of aggregates. Whether the rest can be judged.
    fn aggregates(
        &self,
        clause: Clause,
        expr: &mut Expr,
        columns: &mut Columns,
        faults: &mut Vec<PlanError>,
    ) -> bool {
        let is_aggregate = |name: &str| self.ctx.aggregates().find(name).is_some();
        let found = calls(expr, &is_aggregate);
        if found.is_empty() {
            return true;
        }
        if !matches!(clause, Clause::Select | Clause::Having) {
            return false;
        }
        let mut results = Vec::with_capacity(found.len());
        for call in found {
            match self.result_of(call) {
                Ok(Some(ty)) => results.push(ty),
                Ok(None) => return false,
                Err(mut inner) => faults.append(&mut inner),
            }
        }
        let mut results = results.into_iter().enumerate();
        rewrite(expr, &mut |expr| match &expr.kind {
            ExprKind::Call { name, .. } if is_aggregate(&name.text) => {
                let (index, ty) = results.next()?;
                let name = format!("{RESULT_PREFIX}{index}");
                columns.extend([(name.clone(), ty)]);
                Some(column(&name).kind)
            }
            _ => None,
        });
        true
    }

    /// The type of an aggregate's result, if it can be said without making one.
    fn result_of(&self, call: &Expr) -> Result<Option<SqlType>, Vec<PlanError>> {
        let ExprKind::Call { name, args } = &call.kind else { return Ok(None) };
        let scope = self.scope(&self.columns, Clause::Select);
        let is_aggregate = |name: &str| self.ctx.aggregates().find(name).is_some();
        let mut types = Vec::with_capacity(args.len());
        let mut faults = Vec::new();
        for arg in args {
            if !calls(arg, &is_aggregate).is_empty() {
                return Ok(None);
            }
            match scope.resolve(arg) {
                Ok(typed) => types.push(typed.ty().cloned().map_or(ArgType::Null, ArgType::Value)),
                Err(_) => faults.extend(scope.innermost_faults(arg)),
            }
        }
        if !faults.is_empty() {
            return Err(faults);
        }
        if args.is_empty() {
            types.push(ArgType::Value(SqlType::Bigint));
        }
        let resolved = self.ctx.aggregates().resolve(&name.text, &types);
        let resolved = resolved.map_err(|error| {
            vec![scope.refuse(TypeError::of_call(&name.text, &types, error), call)]
        })?;
        let given: Vec<SqlType> =
            types.iter().take(resolved.columns).filter_map(|ty| ty.sql_type().cloned()).collect();
        if given.len() < types.len() {
            return Ok(None);
        }
        let made = resolved.make(&given, &[], AggregateSettings::default());
        Ok(made.ok().map(|aggregate| aggregate.result_type()))
    }
}

impl Scope<'_> {
    /// The faults of an expression, each of the innermost part that has it.
    fn innermost_faults(&self, expr: &Expr) -> Vec<PlanError> {
        let Err(error) = self.resolve(expr) else { return Vec::new() };
        // What stands for no value by itself is judged with what is around it.
        let is_value =
            |child: &&Expr| !matches!(child.kind, ExprKind::Unit(_) | ExprKind::Lambda { .. });
        if children(expr).iter().any(|child| matches!(child.kind, ExprKind::Lambda { .. }))
            || matches!(expr.kind, ExprKind::SimpleCase { .. })
        {
            return vec![error];
        }
        let inner = children(expr).into_iter().filter(is_value);
        let inner: Vec<_> = inner.flat_map(|child| self.innermost_faults(child)).collect();
        if inner.is_empty() { vec![error] } else { inner }
    }
}
