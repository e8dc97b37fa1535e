//! One side of a join: the rows of a source under the names of a joined row, or those of joins before it.

use crate::formats::FormatSpec;
use crate::plan::ids::NodeId;
use crate::plan::query_plan::Gives;
use crate::plan::relation::Aliased;
use crate::plan::{PlanContext, PlanError, SourceWindow};
use crate::sql::ast::{Expr, ExprKind, Name};
use crate::types::{ColumnDef, SqlType};

/// Rows on their way into a join.
#[derive(Clone, Debug)]
pub(super) struct Side {
    /// The node that gives them.
    pub(super) node: NodeId,
    pub(super) gives: Gives,
    /// The one column of their key; a source may have none, or several.
    pub(super) key: Vec<ColumnDef>,
    /// The columns of their value.
    pub(super) columns: Vec<(String, SqlType)>,
    /// How their keys are written.
    pub(super) key_format: FormatSpec,
    pub(super) window: Option<SourceWindow>,
}

/// Which columns of a joined row are as good as its key: those that the criteria make equal.
///
/// As ksqlDB's `JoinTree.Join.joinEquivalenceSet` and `viableKeyColumns`.
#[derive(Clone, Debug, Default)]
pub(super) struct Equivalent(Vec<Expr>);

impl Equivalent {
    /// The expressions that a join makes equal, with those that were equal to its left side before.
    pub(super) fn joined(before: &Self, left: &Expr, right: &Expr) -> Self {
        let mut all = if before.0.contains(left) { before.0.clone() } else { Vec::new() };
        for expr in [left, right] {
            if !all.contains(expr) {
                all.push(expr.clone());
            }
        }
        Self(all)
    }

    /// The key columns of the left table of a join on a foreign key, which stay the key.
    pub(super) fn keys_of(first: &Aliased) -> Self {
        let source = Some(first.alias.clone());
        let column = |key: &ColumnDef| {
            let kind = ExprKind::Column { source: source.clone(), name: Name::new(&*key.name) };
            Expr { kind, span: first.alias.span }
        };
        Self(first.source.schema.key.iter().map(column).collect())
    }

    /// Whether the criteria make `expr` equal to others.
    pub(super) fn contains(&self, expr: &Expr) -> bool {
        self.0.contains(expr)
    }

    /// The columns among them.
    pub(super) fn columns(&self) -> Vec<Expr> {
        let columns = self.0.iter().filter(|expr| matches!(expr.kind, ExprKind::Column { .. }));
        columns.cloned().collect()
    }
}

/// How many partitions the topic of a source has, where it is known.
pub(super) fn partitions(source: &Aliased, ctx: &PlanContext<'_>) -> Option<i32> {
    ctx.topics.partitions(&source.source.topic)
}

/// Joins need as many partitions on either side.
///
/// As ksqlDB's `JoinNode.ensureMatchingPartitionCounts`.
pub(super) fn check_partitions(
    left: &Aliased,
    right: &Aliased,
    ctx: &PlanContext<'_>,
) -> Result<(), PlanError> {
    let counts = (partitions(left, ctx), partitions(right, ctx));
    let (Some(of_left), Some(of_right)) = counts else { return Ok(()) };
    if of_left == of_right {
        return Ok(());
    }
    let (left, right) = (&left.alias.text, &right.alias.text);
    Err(PlanError::analyse(format!(
        "Can't join `{left}` with `{right}` since the number of partitions don't match. `{left}` \
         partitions = {of_left}; `{right}` partitions = {of_right}. Please repartition either one so that \
         the number of partitions match."
    )))
}

/// Windowed sources can only be joined to others of the same kind of windows.
pub(super) fn check_windows(left: &Aliased, right: &Aliased) -> Result<(), PlanError> {
    use crate::types::WindowKind::Session;
    let shown = |aliased: &Aliased| match aliased.source.window {
        None => format!("`{}` is not windowed", aliased.alias.text),
        Some(window) => format!("`{}` is {} windowed", aliased.alias.text, window.kind.as_str()),
    };
    match (left.source.window, right.source.window) {
        (None, None) => Ok(()),
        (Some(a), Some(b)) if (a.kind == Session) == (b.kind == Session) => Ok(()),
        (Some(a), Some(b)) => Err(PlanError::analyse(format!(
            "Incompatible windowed sources.\nLeft source: {}\nRight source: {}\nSession windowed sources \
             can only be joined to other session windowed sources, and may still not result in expected \
             behaviour as session bounds must be an exact match for the join to work\nHopping and tumbling \
             windowed sources can only be joined to other hopping and tumbling windowed sources",
            a.kind.as_str(),
            b.kind.as_str()
        ))),
        _ => Err(PlanError::analyse(format!(
            "Can not join windowed source to non-windowed source.\n{}\n{}",
            shown(left),
            shown(right)
        ))),
    }
}

/// The columns of a source's rows under the names of a joined row.
pub(super) fn aliased_columns(
    alias: &str,
    columns: &[(String, SqlType)],
) -> Vec<(String, SqlType)> {
    let joined =
        |(name, ty): &(String, SqlType)| (crate::plan::names::joined_name(alias, name), ty.clone());
    columns.iter().map(joined).collect()
}
