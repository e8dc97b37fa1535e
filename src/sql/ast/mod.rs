//! The syntax tree of ksqlDB's SQL: what was written, with its place, before any name is resolved.
//!
//! Trees are compared by meaning: spans, and whether an identifier was quoted, play no part in equality.

mod duration;
mod expression;
mod query;
mod statement;
mod types;

pub use duration::{Duration, TimeUnit};
pub use expression::{
    ArithmeticOp, Comparison, Expr, ExprKind, Literal, LogicalOp, OrderBy, Over, RowBound,
    RowsBetween, Sign, StructValue, WhenClause,
};
pub use query::{
    Emit, Join, JoinKind, Query, Relation, SelectItem, Source, Window, WindowKind, Within,
};
pub use statement::{
    AddColumn, AlterSource, AssertSchema, AssertSource, AssertTombstone, AssertTopic, AssertValues,
    Column, ConnectorKind, Constraint, ControlQuery, CreateAs, CreateConnector, CreateSource,
    CreateType, Describe, Drop, DropKind, Explain, InsertInto, InsertValues, List, Print, Property,
    QueryAction, QueryTarget, SourceKind, Statement,
};
pub use types::{Field, Primitive, Type, TypeKind};

use super::span::Span;
use std::hash::{Hash, Hasher};

/// An identifier: upper-cased unless it was quoted.
#[derive(Debug, Clone)]
pub struct Name {
    /// The name it stands for, without quotes.
    pub text: String,
    /// Whether it was written in quotes or back-ticks.
    pub quoted: bool,
    /// Where it stands.
    pub span: Span,
}

impl Name {
    /// A name that no text holds, taken as it is.
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), quoted: false, span: Span::default() }
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl PartialEq for Name {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Name {}

impl Hash for Name {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.text.hash(state);
    }
}
