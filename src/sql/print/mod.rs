//! Syntax tree to text, in the form that ksqlDB shows in `statementText`, `EXPLAIN` and its errors.
//!
//! Printing and parsing again gives the same tree, with exceptions that ksqlDB shares: a decimal so small that it is
//! printed with an exponent comes back as a double, `1.` as an integer, and the parameters of a lambda lose their
//! quotes.

mod expression;
mod masked;
mod query;
mod statement;
mod text;

pub use expression::{literal, type_};
pub use masked::masked;
pub use text::{identifier, needs_quotes, string};

use super::ast::{Expr, Query, Statement};

/// The statement, without a semicolon.
pub fn statement(statement: &Statement) -> String {
    let mut out = String::new();
    statement::write(&mut out, statement);
    out
}

/// The query, a line for each selected item and clause.
pub fn query(query: &Query) -> String {
    let mut out = String::new();
    query::write(&mut out, query);
    out
}

/// The expression, every operation in parentheses: `((X * X) + 1)`.
pub fn expression(expr: &Expr) -> String {
    let mut out = String::new();
    expression::write(&mut out, expr);
    out
}
