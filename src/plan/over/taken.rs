//! Calls with `OVER`, taken out of the projection: each fills a column of its own.

use super::refused;
use crate::plan::PlanError;
use crate::plan::expression::OVER_PREFIX;
use crate::plan::names::{rewrite, visit};
use crate::plan::select::{Item, column, selected};
use crate::sql::ast::{Expr, ExprKind, Over, Query};

/// The calls with `OVER` of a query, in the order of their columns.
#[derive(Default)]
pub(in crate::plan) struct OverCalls(Vec<(Over, Expr)>);

impl OverCalls {
    /// Whether there is none.
    pub(in crate::plan) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The first one.
    pub(in crate::plan) fn first(&self) -> Option<&Over> {
        self.0.first().map(|(over, _)| over)
    }

    /// The calls with their expressions and the columns that they fill.
    pub(super) fn iter(&self) -> impl Iterator<Item = (String, &Over, &Expr)> {
        let calls = self.0.iter().enumerate();
        calls.map(|(index, (over, expr))| (format!("{OVER_PREFIX}{index}"), over, expr))
    }

    /// The expressions that the columns stand for.
    pub(super) fn into_exprs(self) -> Vec<Expr> {
        self.0.into_iter().map(|(_, expr)| expr).collect()
    }
}

/// Takes the calls out of the items.
pub(in crate::plan) fn take_calls(items: &mut [Item]) -> OverCalls {
    let mut calls = OverCalls::default();
    for item in items {
        rewrite(&mut item.expr, &mut |expr| {
            let ExprKind::Over(over) = &expr.kind else { return None };
            let known = calls.0.iter().position(|(other, _)| *other == **over);
            let index = known.unwrap_or_else(|| {
                calls.0.push(((**over).clone(), expr.clone()));
                calls.0.len() - 1
            });
            Some(column(&format!("{OVER_PREFIX}{index}")).kind)
        });
    }
    calls
}

/// Refuses calls that stand elsewhere than in the `SELECT`, and all of them in strict mode.
pub(in crate::plan) fn check_places(query: &Query, is_strict: bool) -> Result<(), PlanError> {
    let joins = query.from.joins.iter().map(|join| ("JOIN", &join.on));
    let filter = query.filter.iter().map(|expr| ("WHERE", expr));
    let grouping = query.group_by.iter().flatten().map(|expr| ("GROUP BY", expr));
    let partitioning = query.partition_by.iter().flatten().map(|expr| ("PARTITION BY", expr));
    let having = query.having.iter().map(|expr| ("HAVING", expr));
    let elsewhere = joins.chain(filter).chain(grouping).chain(partitioning).chain(having);
    if is_strict {
        let mut all = selected(query).chain(elsewhere.map(|(_, expr)| expr));
        return all.find_map(find).map_or(Ok(()), |over| Err(refused::strict(over)));
    }
    for (clause, expr) in elsewhere {
        if let Some(over) = find(expr) {
            return Err(refused::place(clause, over));
        }
    }
    Ok(())
}

/// The first call within an expression.
pub(super) fn find(expr: &Expr) -> Option<&Over> {
    let mut found = None;
    visit(expr, &mut |expr| {
        if let ExprKind::Over(over) = &expr.kind {
            found.get_or_insert(&**over);
        }
    });
    found
}
