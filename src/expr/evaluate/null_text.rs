//! What Java says when it meets a null where it needs a number or a truth.
//!
//! ksqlDB compiles expressions to Java, so the text depends on where the null came from: a column
//! is looked up in a map, a function's result comes from its `evaluate`.

use std::borrow::Cow;

use super::super::EvalError;
use super::super::tree::{Expr, Node};
use crate::types::SqlType;

/// The error of an operand of type `ty` that is NULL and is to be a number or a truth.
pub(super) fn unboxed(expr: &Expr) -> EvalError {
    let method = match expr.ty {
        Some(SqlType::Int) => "java.lang.Integer.intValue()",
        Some(SqlType::Bigint) => "java.lang.Long.longValue()",
        Some(SqlType::Double) => "java.lang.Double.doubleValue()",
        _ => "java.lang.Boolean.booleanValue()",
    };
    on_call(expr, method)
}

/// The error of calling `method` on an expression that is NULL.
pub(super) fn on_call(expr: &Expr, method: &str) -> EvalError {
    let reason = match source(expr) {
        Some(source) => format!(" because {source} is null"),
        None => String::new(),
    };
    EvalError::new(format!("Cannot invoke \"{method}\"{reason}"))
}

/// The error of the condition of a CASE that is NULL.
pub(super) fn condition() -> EvalError {
    EvalError::new(
        "Cannot invoke \"java.lang.Boolean.booleanValue()\" because the return value of \
         \"java.util.function.Supplier.get()\" is null",
    )
}

/// How Java names the expression; it has no name for the result of `a ? b : c`.
fn source(expr: &Expr) -> Option<Cow<'static, str>> {
    let returned = |method: &str| Some(format!("the return value of \"{method}\"").into());
    match &expr.node {
        Node::Column { .. } => returned("java.util.Map.get(Object)"),
        Node::Cast { .. } => returned("java.util.function.Supplier.get()"),
        Node::Call(_) => returned("io.confluent.ksql.function.udf.Kudf.evaluate(Object[])"),
        Node::Case { .. } => returned(
            "io.confluent.ksql.execution.codegen.helpers.SearchedCaseFunction.\
             searchedCaseFunction(java.util.List, java.util.function.Supplier)",
        ),
        Node::Variable { .. } => Some("\"<local2>\"".into()),
        Node::Literal(_) => Some("\"null\"".into()),
        _ => None,
    }
}
