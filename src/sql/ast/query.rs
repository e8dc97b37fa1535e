//! `SELECT` and its clauses.

use super::{Duration, Expr, Name, Span};

/// `SELECT … FROM … [WINDOW …] [WHERE …] [GROUP BY …] [PARTITION BY …] [HAVING …] [EMIT …] [LIMIT …]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Query {
    /// What is selected, at least one item.
    pub select: Vec<SelectItem>,
    /// The sources.
    pub from: Relation,
    /// How records are grouped by time.
    pub window: Option<Window>,
    /// The condition of `WHERE`.
    pub filter: Option<Expr>,
    /// The expressions of `GROUP BY`, possibly none: `GROUP BY ()`.
    pub group_by: Option<Vec<Expr>>,
    /// The expressions of `PARTITION BY`, possibly none.
    pub partition_by: Option<Vec<Expr>>,
    /// The condition of `HAVING`.
    pub having: Option<Expr>,
    /// What is emitted. The query of a `CREATE … AS` or `INSERT INTO` emits changes unless it says otherwise,
    /// so it is never `None` there; elsewhere `None` is a pull query.
    pub emit: Option<Emit>,
    /// The most rows that are returned.
    pub limit: Option<i32>,
    /// Where `EMIT …` and `LIMIT …` stand, if they do.
    pub tail: Span,
    /// Where it stands.
    pub span: Span,
}

/// What a query emits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Emit {
    /// Each change: `EMIT CHANGES`.
    Changes,
    /// The last result of each window once it is closed: `EMIT FINAL`.
    Final,
}

/// One item of a `SELECT`.
#[derive(Debug, Clone, PartialEq)]
pub enum SelectItem {
    /// `expression [AS alias]`.
    Expr {
        /// What is computed.
        expr: Expr,
        /// The name that was given to it.
        alias: Option<Name>,
        /// Where it stands.
        span: Span,
    },
    /// `*` or `source.*`.
    All {
        /// The source before the point.
        source: Option<Name>,
        /// Where it stands.
        span: Span,
    },
    /// `base->*`: all fields of a struct.
    StructAll {
        /// The struct.
        base: Expr,
        /// Where it stands.
        span: Span,
    },
}

/// The sources of a query: one, and those that are joined to it from left to right.
#[derive(Debug, Clone, PartialEq)]
pub struct Relation {
    /// The left-most source.
    pub first: Source,
    /// The joins, in the order written.
    pub joins: Vec<Join>,
}

/// `name [[AS] alias]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Source {
    /// The stream or table.
    pub name: Name,
    /// What it is called in this query: its own name unless another was given.
    pub alias: Name,
}

/// `[kind] JOIN source [WITHIN …] ON condition`.
#[derive(Debug, Clone, PartialEq)]
pub struct Join {
    /// Which rows without a partner are kept.
    pub kind: JoinKind,
    /// What is joined.
    pub source: Source,
    /// How far apart in time two records may be.
    pub within: Option<Within>,
    /// The condition.
    pub on: Expr,
    /// Where it stands.
    pub span: Span,
}

/// Which rows without a partner a join keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum JoinKind {
    /// None.
    Inner,
    /// Those of the left side.
    Left,
    /// Those of the right side.
    Right,
    /// Those of both sides.
    Full,
}

/// `WITHIN size [GRACE PERIOD size]` or `WITHIN (before, after) [GRACE PERIOD size]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Within {
    /// How much older the right record may be.
    pub before: Duration,
    /// How much newer the right record may be; the same as `before` if one size was written.
    pub after: Duration,
    /// How late a record may be.
    pub grace: Option<Duration>,
    /// Where it stands.
    pub span: Span,
}

/// The `WINDOW` clause. A name that may stand before its kind means nothing and is not kept.
#[derive(Debug, Clone, PartialEq)]
pub struct Window {
    /// Which windows.
    pub kind: WindowKind,
    /// How long results are kept.
    pub retention: Option<Duration>,
    /// How late a record may be.
    pub grace: Option<Duration>,
    /// Where it stands.
    pub span: Span,
}

/// Which windows.
#[derive(Debug, Clone, PartialEq)]
pub enum WindowKind {
    /// One after the other.
    Tumbling {
        /// Their size.
        size: Duration,
    },
    /// Overlapping.
    Hopping {
        /// Their size.
        size: Duration,
        /// From the start of one to the start of the next.
        advance: Duration,
    },
    /// Periods of activity.
    Session {
        /// The inactivity gap that ends one.
        gap: Duration,
    },
}
