//! Walks over the syntax tree of expressions.

use crate::sql::ast::{Expr, ExprKind, Name};

/// The expressions directly below `expr`, in the order in which ksqlDB visits them.
pub(super) fn children(expr: &Expr) -> Vec<&Expr> {
    match &expr.kind {
        ExprKind::Literal(_)
        | ExprKind::Column { .. }
        | ExprKind::LambdaVariable(_)
        | ExprKind::Unit(_) => Vec::new(),
        ExprKind::Sign { value, .. }
        | ExprKind::Not(value)
        | ExprKind::IsNull(value)
        | ExprKind::IsNotNull(value)
        | ExprKind::Cast { value, .. }
        | ExprKind::Field { base: value, .. }
        | ExprKind::Lambda { body: value, .. } => vec![value],
        ExprKind::Arithmetic { left, right, .. }
        | ExprKind::Comparison { left, right, .. }
        | ExprKind::Logical { left, right, .. } => vec![left, right],
        ExprKind::Between { value, low, high } => vec![value, low, high],
        ExprKind::In { value, list } => std::iter::once(&**value).chain(list).collect(),
        ExprKind::Like { value, pattern, .. } => vec![value, pattern],
        ExprKind::Subscript { base, index } => vec![base, index],
        ExprKind::SearchedCase { whens, otherwise } => {
            let whens = whens.iter().flat_map(|when| [&when.condition, &when.result]);
            whens.chain(otherwise.as_deref()).collect()
        }
        ExprKind::SimpleCase { operand, whens, otherwise } => {
            let whens = whens.iter().flat_map(|when| [&when.condition, &when.result]);
            std::iter::once(&**operand).chain(whens).chain(otherwise.as_deref()).collect()
        }
        ExprKind::Array(items) | ExprKind::Call { args: items, .. } => items.iter().collect(),
        ExprKind::Map(entries) => entries.iter().flat_map(|(key, value)| [key, value]).collect(),
        ExprKind::Struct(fields) => fields.iter().map(|field| &field.value).collect(),
    }
}

/// The same for changing them.
fn children_mut(expr: &mut Expr) -> Vec<&mut Expr> {
    match &mut expr.kind {
        ExprKind::Literal(_)
        | ExprKind::Column { .. }
        | ExprKind::LambdaVariable(_)
        | ExprKind::Unit(_) => Vec::new(),
        ExprKind::Sign { value, .. }
        | ExprKind::Not(value)
        | ExprKind::IsNull(value)
        | ExprKind::IsNotNull(value)
        | ExprKind::Cast { value, .. }
        | ExprKind::Field { base: value, .. }
        | ExprKind::Lambda { body: value, .. } => vec![value],
        ExprKind::Arithmetic { left, right, .. }
        | ExprKind::Comparison { left, right, .. }
        | ExprKind::Logical { left, right, .. } => vec![left, right],
        ExprKind::Between { value, low, high } => vec![value, low, high],
        ExprKind::In { value, list } => std::iter::once(&mut **value).chain(list).collect(),
        ExprKind::Like { value, pattern, .. } => vec![value, pattern],
        ExprKind::Subscript { base, index } => vec![base, index],
        ExprKind::SearchedCase { whens, otherwise } => {
            let whens = whens.iter_mut().flat_map(|when| [&mut when.condition, &mut when.result]);
            whens.chain(otherwise.as_deref_mut()).collect()
        }
        ExprKind::SimpleCase { operand, whens, otherwise } => {
            let whens = whens.iter_mut().flat_map(|when| [&mut when.condition, &mut when.result]);
            std::iter::once(&mut **operand).chain(whens).chain(otherwise.as_deref_mut()).collect()
        }
        ExprKind::Array(items) | ExprKind::Call { args: items, .. } => items.iter_mut().collect(),
        ExprKind::Map(entries) => {
            entries.iter_mut().flat_map(|(key, value)| [key, value]).collect()
        }
        ExprKind::Struct(fields) => fields.iter_mut().map(|field| &mut field.value).collect(),
    }
}

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
