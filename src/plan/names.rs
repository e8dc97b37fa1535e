//! Walks over the syntax tree of expressions.

use crate::sql::ast::{Expr, ExprKind, Name};
use crate::sql::visit::{children, children_mut};

/// Visits `expr` and all below it, parents first.
pub(super) fn visit<'e>(expr: &'e Expr, visitor: &mut impl FnMut(&'e Expr)) {
    visitor(expr);
    for child in children(expr) {
        visit(child, visitor);
    }
}

/// Replaces what `replace` gives a replacement for, parents first; what is replaced is not entered.
pub(super) fn rewrite(expr: &mut Expr, replace: &mut impl FnMut(&Expr) -> Option<ExprKind>) {
    if let Some(kind) = replace(expr) {
        expr.kind = kind;
        return;
    }
    for child in children_mut(expr) {
        rewrite(child, replace);
    }
}

/// The columns that `expr` names, in the order in which they stand.
pub(super) fn columns(expr: &Expr) -> Vec<(Option<&Name>, &Name)> {
    let mut columns = Vec::new();
    visit(expr, &mut |expr| {
        if let ExprKind::Column { source, name } = &expr.kind {
            columns.push((source.as_ref(), name));
        }
    });
    columns
}

/// `expr` with every column named without its source.
pub(super) fn unqualified(expr: &Expr) -> Expr {
    let mut expr = expr.clone();
    rewrite(&mut expr, &mut |expr| match &expr.kind {
        ExprKind::Column { source: Some(_), name } => {
            Some(ExprKind::Column { source: None, name: name.clone() })
        }
        _ => None,
    });
    expr
}

/// `expr` with every column named with `source`.
pub(super) fn qualified(expr: &Expr, source: &Name) -> Expr {
    let mut expr = expr.clone();
    rewrite(&mut expr, &mut |expr| match &expr.kind {
        ExprKind::Column { source: None, name } => {
            Some(ExprKind::Column { source: Some(source.clone()), name: name.clone() })
        }
        _ => None,
    });
    expr
}

/// The calls of functions for which `wanted` holds, outermost first; arguments are not entered.
pub(super) fn calls<'e>(expr: &'e Expr, wanted: &impl Fn(&str) -> bool) -> Vec<&'e Expr> {
    match &expr.kind {
        ExprKind::Call { name, .. } if wanted(&name.text) => vec![expr],
        _ => children(expr).into_iter().flat_map(|child| calls(child, wanted)).collect(),
    }
}

/// The name of a source's column in a joined row.
pub(in crate::plan) fn joined_name(alias: &str, column: &str) -> String {
    format!("{alias}_{column}")
}
