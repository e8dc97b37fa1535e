//! Which calls are computed together: those with the same `PARTITION BY`.

use super::functions::Function;
use super::refused;
use super::taken::OverCalls;
use crate::plan::PlanError;
use crate::plan::builder::Builder;
use crate::plan::names::unqualified;
use crate::plan::select::column;
use crate::sql::ast::{Expr, ExprKind, Over};
use crate::sql::span::Span;

/// Calls over the same rows.
pub(super) struct Group {
    /// The key of these rows.
    pub(super) partition_by: Vec<Expr>,
    pub(super) calls: Vec<Call>,
}

/// A call, and the column that it fills.
pub(super) struct Call {
    /// The name of the function.
    pub(super) name: String,
    /// Where it stands.
    pub(super) span: Span,
    pub(super) column: String,
    pub(super) function: Function,
    /// The places of its arguments among the prepared columns, the default last.
    pub(super) places: Vec<usize>,
}

impl Group {
    /// How many rows have to come after a row before all results are known.
    fn lead(&self) -> usize {
        self.calls.iter().map(|call| call.function.lead()).max().unwrap_or(0)
    }
}

/// The calls in groups, in the order in which they are computed: first what needs no new key, and last what waits for
/// rows to come, which leave the order of their time by that.
pub(super) fn groups(
    calls: &OverCalls,
    source_key: &[Expr],
    builder: &Builder<'_>,
) -> Result<Vec<Group>, PlanError> {
    let mut groups: Vec<Group> = Vec::new();
    let mut waiting: Option<(usize, &Over)> = None;
    for (name, over, expr) in calls.iter() {
        check_order(over, builder)?;
        if over.partition_by.is_empty() {
            return Err(refused::no_partition(over));
        }
        let function = Function::of(over, &column("ROWTIME"), builder.ctx)?;
        let partition_by: Vec<Expr> = over.partition_by.iter().map(unqualified).collect();
        let found = groups.iter().position(|group| group.partition_by == partition_by);
        let at = found.unwrap_or_else(|| {
            groups.push(Group { partition_by, calls: Vec::new() });
            groups.len() - 1
        });
        if function.lead() > 0 {
            if waiting.is_some_and(|(other, _)| other != at) {
                return Err(refused::second_lead(over));
            }
            waiting = Some((at, over));
        }
        let name_of_function = over.name.text.clone();
        groups[at].calls.push(Call {
            name: name_of_function,
            span: expr.span,
            column: name,
            function,
            places: Vec::new(),
        });
    }
    groups.sort_by_key(|group| (group.lead() > 0, group.partition_by != source_key));
    Ok(groups)
}

/// Rows are in the order of their time, so that is what they are to be ordered by.
fn check_order(over: &Over, builder: &Builder<'_>) -> Result<(), PlanError> {
    let source = builder.relation.leftmost();
    let (first, more) = match &*over.order_by {
        [] => return Err(refused::no_order(over)),
        [first, more @ ..] => (first, more),
    };
    let is_time = match &first.expr.kind {
        ExprKind::Column { name, .. } => {
            let of_source = source.timestamp.as_ref().map(|timestamp| &timestamp.column);
            name.text == "ROWTIME" || of_source == Some(&name.text)
        }
        _ => false,
    };
    match more.first() {
        _ if !is_time => Err(refused::order(&first.expr, source)),
        _ if first.is_descending => Err(refused::descending(&first.expr)),
        Some(second) => Err(refused::second_order(&second.expr)),
        None => Ok(()),
    }
}
