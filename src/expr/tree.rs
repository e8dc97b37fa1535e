//! The tree of a typed expression. It is only built through the constructors under `typing`, so
//! that every node obeys ksqlDB's type rules.

use std::collections::BTreeSet;

use super::functions::{ArgType, Scalar};
use super::operator::{ArithmeticOp, Comparison, Sign};
use crate::types::{OwnedValue, SqlType};

/// An expression whose names and types are resolved.
#[derive(Clone, Debug)]
pub struct Expr {
    pub(super) node: Node,
    pub(super) ty: Option<SqlType>,
    /// The expression as ksqlDB prints it, for messages.
    pub(super) text: Option<Box<str>>,
    /// Whether it is the same in every row: no column, no variable, no random source.
    pub(super) constant: bool,
}

/// What an expression does.
#[derive(Clone, Debug)]
pub(super) enum Node {
    Column {
        index: usize,
        name: Box<str>,
    },
    /// A variable that a lambda binds, by its number from the outermost lambda's first one.
    Variable {
        slot: usize,
        name: Box<str>,
    },
    Literal(OwnedValue),
    Sign {
        sign: Sign,
        value: Box<Expr>,
    },
    Arithmetic {
        op: ArithmeticOp,
        left: Box<Expr>,
        right: Box<Expr>,
    },
    Comparison {
        op: Comparison,
        left: Box<Expr>,
        right: Box<Expr>,
    },
    And(Box<Expr>, Box<Expr>),
    Or(Box<Expr>, Box<Expr>),
    Not(Box<Expr>),
    IsNull {
        value: Box<Expr>,
        negated: bool,
    },
    Between {
        value: Box<Expr>,
        low: Box<Expr>,
        high: Box<Expr>,
    },
    In {
        value: Box<Expr>,
        list: Vec<Expr>,
    },
    Like {
        value: Box<Expr>,
        pattern: Box<Expr>,
        escape: Option<char>,
    },
    Case {
        whens: Vec<(Expr, Expr)>,
        otherwise: Option<Box<Expr>>,
    },
    /// A CAST, or the conversion of an argument; an error in it becomes NULL.
    Cast {
        value: Box<Expr>,
        to: SqlType,
    },
    /// Text read as DATE, TIME or TIMESTAMP to be compared; an error in it is the comparison's.
    ParseTime {
        value: Box<Expr>,
        to: SqlType,
    },
    Call(Box<Call>),
    Subscript {
        base: Box<Expr>,
        index: Box<Expr>,
    },
    Field {
        base: Box<Expr>,
        index: usize,
        name: Box<str>,
    },
    Array(Vec<Expr>),
    Map(Vec<(Expr, Expr)>),
    Struct(Vec<Expr>),
}

/// A call of a function whose overload is known.
#[derive(Clone, Debug)]
pub(super) struct Call {
    /// The name as the statement has it, for messages.
    pub(super) name: Box<str>,
    pub(super) function: &'static Scalar,
    pub(super) args: Vec<Argument>,
    pub(super) arg_types: Vec<ArgType>,
    pub(super) return_type: SqlType,
}

impl Expr {
    pub(super) fn new(node: Node, ty: Option<SqlType>) -> Self {
        let mut expr = Self { node, ty, text: None, constant: false };
        expr.constant = expr.node_is_constant();
        expr
    }

    /// The type; `None` for the literal NULL.
    pub fn ty(&self) -> Option<&SqlType> {
        self.ty.as_ref()
    }

    /// Gives the text by which messages call this expression.
    #[must_use]
    pub fn labelled(mut self, text: impl Into<Box<str>>) -> Self {
        self.text = Some(text.into());
        self
    }

    /// The text by which messages call this expression.
    pub fn label(&self) -> String {
        match (&self.text, &self.node) {
            (Some(text), _) => text.to_string(),
            (None, Node::Column { name, .. } | Node::Variable { name, .. }) => name.to_string(),
            (None, Node::Literal(value)) => literal_text(value),
            (None, _) => String::from("expression"),
        }
    }

    /// The position of the column, if that is all there is.
    pub fn as_column(&self) -> Option<usize> {
        match &self.node {
            Node::Column { index, .. } => Some(*index),
            _ => None,
        }
    }

    /// The value of a literal.
    pub fn as_literal(&self) -> Option<&OwnedValue> {
        match &self.node {
            Node::Literal(value) => Some(value),
            _ => None,
        }
    }

    /// The column and the literal of `column = literal`, where that is what a predicate asks first: nothing else of it is
    /// evaluated for a row with another value.
    pub fn first_equality(&self) -> Option<(usize, &OwnedValue)> {
        match &self.node {
            Node::And(left, _) => left.first_equality(),
            Node::Comparison { op: Comparison::Equal, left, right } => {
                let column = left.as_column().or_else(|| right.as_column())?;
                Some((column, right.as_literal().or_else(|| left.as_literal())?))
            }
            _ => None,
        }
    }

    /// Whether the same rows always give the same values.
    pub fn is_deterministic(&self) -> bool {
        let own = match &self.node {
            Node::Call(call) => call.function.deterministic,
            _ => true,
        };
        own && self.children().into_iter().all(Expr::is_deterministic)
    }

    /// The truth that the text alone tells, as ksqlDB's Java compiler finds it.
    pub(super) fn known_truth(&self) -> Option<bool> {
        match &self.node {
            Node::Literal(OwnedValue::Boolean(value)) => Some(*value),
            Node::Not(value) => value.known_truth().map(|known| !known),
            Node::And(left, right) => {
                if left.known_truth()? {
                    right.known_truth()
                } else {
                    Some(false)
                }
            }
            Node::Or(left, right) => {
                if left.known_truth()? {
                    Some(true)
                } else {
                    right.known_truth()
                }
            }
            _ => None,
        }
    }

    /// Whether it reads no column and always gives the same value.
    pub fn is_constant(&self) -> bool {
        self.constant
    }

    /// Adds the positions of the columns that it reads.
    pub fn columns_used(&self, columns: &mut BTreeSet<usize>) {
        if let Node::Column { index, .. } = &self.node {
            columns.insert(*index);
        }
        for child in self.children() {
            child.columns_used(columns);
        }
    }

    fn node_is_constant(&self) -> bool {
        match &self.node {
            Node::Column { .. } | Node::Variable { .. } => false,
            Node::Call(call) if !call.function.deterministic => false,
            // A lambda's body reads variables, and they are cheap enough.
            Node::Call(call) if call.args.iter().any(|a| matches!(a, Argument::Lambda(_))) => false,
            _ => self.children().into_iter().all(|child| child.constant),
        }
    }

    /// The expressions directly below this one.
    pub(super) fn children(&self) -> Vec<&Expr> {
        match &self.node {
            Node::Column { .. } | Node::Variable { .. } | Node::Literal(_) => Vec::new(),
            Node::Sign { value, .. }
            | Node::Not(value)
            | Node::IsNull { value, .. }
            | Node::Cast { value, .. }
            | Node::ParseTime { value, .. }
            | Node::Field { base: value, .. } => vec![value],
            Node::Arithmetic { left, right, .. }
            | Node::Comparison { left, right, .. }
            | Node::And(left, right)
            | Node::Or(left, right)
            | Node::Like { value: left, pattern: right, .. }
            | Node::Subscript { base: left, index: right } => vec![left, right],
            Node::Between { value, low, high } => vec![value, low, high],
            Node::In { value, list } => std::iter::once(&**value).chain(list).collect(),
            Node::Case { whens, otherwise } => whens
                .iter()
                .flat_map(|(condition, result)| [condition, result])
                .chain(otherwise.as_deref())
                .collect(),
            Node::Call(call) => call
                .args
                .iter()
                .filter_map(|argument| match argument {
                    Argument::Value(value) => Some(value),
                    Argument::Lambda(lambda) => Some(&lambda.body),
                    Argument::Unit(_) => None,
                })
                .collect(),
            Node::Array(items) | Node::Struct(items) => items.iter().collect(),
            Node::Map(entries) => entries.iter().flat_map(|(key, value)| [key, value]).collect(),
        }
    }
}

fn literal_text(value: &OwnedValue) -> String {
    match value {
        OwnedValue::Null => String::from("null"),
        OwnedValue::Boolean(value) => value.to_string(),
        OwnedValue::Int(value) => value.to_string(),
        OwnedValue::Bigint(value) => value.to_string(),
        OwnedValue::Double(value) => crate::java::double_to_string(*value),
        OwnedValue::Decimal(value) => value.quoted(),
        OwnedValue::String(value) => format!("'{}'", value.replace('\'', "''")),
        _ => String::from("literal"),
    }
}

/// An argument of a call.
#[derive(Clone, Debug)]
pub enum Argument {
    /// A value.
    Value(Expr),
    /// A bare unit of time, in capitals: `DAYS`.
    Unit(Box<str>),
    /// A lambda whose body is typed.
    Lambda(Lambda),
}

/// `(x, y) => body`.
#[derive(Clone, Debug)]
pub struct Lambda {
    /// The slot of its first variable; the others follow.
    pub first_slot: usize,
    /// How many variables it binds.
    pub arity: usize,
    /// What it computes.
    pub body: Expr,
}

impl Argument {
    /// What overload resolution needs to know.
    pub fn arg_type(&self) -> ArgType {
        match self {
            Self::Value(value) => value.ty.clone().map_or(ArgType::Null, ArgType::Value),
            Self::Unit(_) => ArgType::IntervalUnit,
            Self::Lambda(lambda) => {
                ArgType::Lambda { arity: lambda.arity, returns: lambda.body.ty.clone() }
            }
        }
    }
}
