//! The parts of an expression, for those who walk trees.

use super::ast::{Expr, ExprKind};

/// The expressions that `expr` is directly made of, from left to right.
pub fn children(expr: &Expr) -> Vec<&Expr> {
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
        | ExprKind::Logical { left, right, .. }
        | ExprKind::Like { value: left, pattern: right, .. }
        | ExprKind::Subscript { base: left, index: right } => vec![left, right],
        ExprKind::Between { value, low, high } => vec![value, low, high],
        ExprKind::In { value, list } => std::iter::once(&**value).chain(list).collect(),
        ExprKind::SearchedCase { whens, otherwise } => {
            let whens = whens.iter().flat_map(|when| [&when.condition, &when.result]);
            whens.chain(otherwise.as_deref()).collect()
        }
        ExprKind::SimpleCase { operand, whens, otherwise } => {
            let whens = whens.iter().flat_map(|when| [&when.condition, &when.result]);
            std::iter::once(&**operand).chain(whens).chain(otherwise.as_deref()).collect()
        }
        ExprKind::Array(values) | ExprKind::Call { args: values, .. } => values.iter().collect(),
        ExprKind::Map(entries) => entries.iter().flat_map(|(key, value)| [key, value]).collect(),
        ExprKind::Struct(fields) => fields.iter().map(|field| &field.value).collect(),
        ExprKind::Over(over) => {
            let order = over.order_by.iter().map(|order| &order.expr);
            over.args.iter().chain(&over.partition_by).chain(order).collect()
        }
    }
}

/// The same for changing them.
pub fn children_mut(expr: &mut Expr) -> Vec<&mut Expr> {
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
        | ExprKind::Logical { left, right, .. }
        | ExprKind::Like { value: left, pattern: right, .. }
        | ExprKind::Subscript { base: left, index: right } => vec![left, right],
        ExprKind::Between { value, low, high } => vec![value, low, high],
        ExprKind::In { value, list } => std::iter::once(&mut **value).chain(list).collect(),
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
        ExprKind::Over(over) => {
            let order = over.order_by.iter_mut().map(|order| &mut order.expr);
            over.args.iter_mut().chain(&mut over.partition_by).chain(order).collect()
        }
    }
}
