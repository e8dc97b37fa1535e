//! Expressions.

use super::{Name, Span, TimeUnit, Type};

/// An expression and its place.
#[derive(Debug, Clone, PartialEq)]
pub struct Expr {
    /// What it is.
    pub kind: ExprKind,
    /// Where it stands.
    pub span: Span,
}

/// What an expression is.
#[derive(Debug, Clone, PartialEq)]
pub enum ExprKind {
    /// A constant.
    Literal(Literal),
    /// `column` or `source.column`.
    Column {
        /// The source before the point.
        source: Option<Name>,
        /// The column.
        name: Name,
    },
    /// A name that an enclosing lambda binds.
    LambdaVariable(Name),
    /// `-value` or `+value`; a sign before a number literal is part of the literal.
    Sign {
        /// The sign.
        sign: Sign,
        /// What it stands before.
        value: Box<Expr>,
    },
    /// `left + right` and its like.
    Arithmetic {
        /// The operator.
        op: ArithmeticOp,
        /// Left of it.
        left: Box<Expr>,
        /// Right of it.
        right: Box<Expr>,
    },
    /// `left = right` and its like, `IS DISTINCT FROM` included.
    Comparison {
        /// The operator.
        op: Comparison,
        /// Left of it.
        left: Box<Expr>,
        /// Right of it.
        right: Box<Expr>,
    },
    /// `left AND right`, `left OR right`.
    Logical {
        /// The operator.
        op: LogicalOp,
        /// Left of it.
        left: Box<Expr>,
        /// Right of it.
        right: Box<Expr>,
    },
    /// `NOT value`; `x NOT IN (…)`, `x NOT LIKE y` and `x NOT BETWEEN …` are a `NOT` around the positive form.
    Not(Box<Expr>),
    /// `value IS NULL`.
    IsNull(Box<Expr>),
    /// `value IS NOT NULL`.
    IsNotNull(Box<Expr>),
    /// `value BETWEEN low AND high`.
    Between {
        /// What is tested.
        value: Box<Expr>,
        /// The least value that passes.
        low: Box<Expr>,
        /// The greatest value that passes.
        high: Box<Expr>,
    },
    /// `value IN (list)`.
    In {
        /// What is tested.
        value: Box<Expr>,
        /// The values that pass, at least one.
        list: Vec<Expr>,
    },
    /// `value LIKE pattern [ESCAPE 'c']`.
    Like {
        /// What is tested.
        value: Box<Expr>,
        /// The pattern.
        pattern: Box<Expr>,
        /// The character that makes the next one of the pattern stand for itself.
        escape: Option<char>,
    },
    /// `CASE WHEN condition THEN result … [ELSE result] END`.
    SearchedCase {
        /// Conditions and results, at least one.
        whens: Vec<WhenClause>,
        /// The result when no condition holds.
        otherwise: Option<Box<Expr>>,
    },
    /// `CASE operand WHEN value THEN result … [ELSE result] END`.
    SimpleCase {
        /// What is compared.
        operand: Box<Expr>,
        /// Values and results, at least one.
        whens: Vec<WhenClause>,
        /// The result when no value is equal.
        otherwise: Option<Box<Expr>>,
    },
    /// `CAST(value AS type)`.
    Cast {
        /// What is converted.
        value: Box<Expr>,
        /// What it becomes.
        ty: Type,
    },
    /// `base[index]`, of an array or a map.
    Subscript {
        /// The array or map.
        base: Box<Expr>,
        /// The index or key.
        index: Box<Expr>,
    },
    /// `base->field`.
    Field {
        /// The struct.
        base: Box<Expr>,
        /// The field's name.
        name: Name,
    },
    /// `ARRAY[…]`.
    Array(Vec<Expr>),
    /// `MAP(key := value, …)`.
    Map(Vec<(Expr, Expr)>),
    /// `STRUCT(name := value, …)`.
    Struct(Vec<StructValue>),
    /// `name(arguments)`; `COUNT(*)` has no argument, and `a || b` is a call of `concat` in lower case, as in ksqlDB.
    Call {
        /// The function's name.
        name: Name,
        /// Its arguments.
        args: Vec<Expr>,
    },
    /// `name(arguments) OVER (…)`, an extension of ksqlDB's SQL.
    Over(Box<Over>),
    /// `x => body` or `(x, y) => body`, only as an argument.
    Lambda {
        /// The names it binds.
        params: Vec<Name>,
        /// What it computes.
        body: Box<Expr>,
    },
    /// A bare unit of time, only as an argument, as in `DATEADD(DAYS, 1, d)`.
    Unit(TimeUnit),
}

/// A constant.
#[derive(Debug, Clone, PartialEq)]
pub enum Literal {
    /// `NULL`.
    Null,
    /// `TRUE` or `FALSE`.
    Boolean(bool),
    /// A whole number that fits INT.
    Integer(i32),
    /// A whole number that fits BIGINT but not INT.
    Bigint(i64),
    /// A number with an exponent.
    Double(f64),
    /// A number with a point: all of its digits, at least one before the point, and its sign unless it is zero.
    Decimal(String),
    /// A text, without its quotes.
    String(String),
}

/// A sign before an expression.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Sign {
    /// `+`.
    Plus,
    /// `-`.
    Minus,
}

/// An operator between numbers; `+` also joins texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ArithmeticOp {
    /// `+`.
    Add,
    /// `-`.
    Subtract,
    /// `*`.
    Multiply,
    /// `/`.
    Divide,
    /// `%`.
    Modulus,
}

/// An operator that compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Comparison {
    /// `=`.
    Equal,
    /// `<>` or `!=`.
    NotEqual,
    /// `<`.
    Less,
    /// `<=`.
    LessOrEqual,
    /// `>`.
    Greater,
    /// `>=`.
    GreaterOrEqual,
    /// `IS DISTINCT FROM`; `IS NOT DISTINCT FROM` is a `NOT` around it.
    DistinctFrom,
}

/// An operator between truth values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LogicalOp {
    /// `AND`.
    And,
    /// `OR`.
    Or,
}

/// `WHEN condition THEN result`.
#[derive(Debug, Clone, PartialEq)]
pub struct WhenClause {
    /// The condition, or the value to compare with.
    pub condition: Expr,
    /// The result if it holds.
    pub result: Expr,
}

/// `name := value` in a `STRUCT(…)`.
#[derive(Debug, Clone, PartialEq)]
pub struct StructValue {
    /// The field's name.
    pub name: Name,
    /// Its value.
    pub value: Expr,
}

/// `name(arguments) OVER ([PARTITION BY …] [ORDER BY …] [ROWS …])`.
#[derive(Debug, Clone, PartialEq)]
pub struct Over {
    /// The function's name.
    pub name: Name,
    /// Its arguments; `COUNT(*)` has none.
    pub args: Vec<Expr>,
    /// What rows are looked at together, possibly nothing.
    pub partition_by: Vec<Expr>,
    /// What puts them in order, possibly nothing.
    pub order_by: Vec<OrderBy>,
    /// Which of them an aggregate takes.
    pub rows: Option<RowsBetween>,
    /// Where the clause stands, from `OVER` on.
    pub span: Span,
}

/// An expression of `ORDER BY`.
#[derive(Debug, Clone, PartialEq)]
pub struct OrderBy {
    /// The expression.
    pub expr: Expr,
    /// Whether the greatest comes first: `DESC`.
    pub is_descending: bool,
}

/// `ROWS BETWEEN start AND end`; without an end, that is the current row.
#[derive(Debug, Clone, PartialEq)]
pub struct RowsBetween {
    /// The first row.
    pub start: RowBound,
    /// The last row.
    pub end: RowBound,
    /// Where it stands.
    pub span: Span,
}

/// A row, counted from the one that a call is made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RowBound {
    /// The first of all.
    UnboundedPreceding,
    /// So many rows before it.
    Preceding(u64),
    /// The row itself.
    CurrentRow,
    /// So many rows after it.
    Following(u64),
    /// The last of all.
    UnboundedFollowing,
}
