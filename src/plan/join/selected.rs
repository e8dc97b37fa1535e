//! The key of a joined row must be selected.

use super::steps::selects;
use crate::plan::PlanError;
use crate::plan::relation::Aliased;
use crate::plan::select::column;
use crate::sql::ast::{Expr, ExprKind, Query};
use crate::sql::print;

/// What the key of a joined row is, for the check that it is selected.
#[derive(Debug)]
pub(in crate::plan) enum JoinKeys {
    /// One of these columns.
    Columns(Vec<Expr>),
    /// A column of its own.
    Synthetic(String),
    /// All key columns of the left table of a join on a foreign key.
    LeftTable(Aliased),
}

/// Refuses a projection that does not have the key.
///
/// As ksqlDB's `JoinNode.validateKeyPresent`.
pub(in crate::plan) fn check_selected(
    query: &Query,
    keys: &JoinKeys,
    sink: &str,
) -> Result<(), PlanError> {
    let missing = |see: &str, list: &str, first: &str, plural: &str, more: &str| {
        PlanError::analyse(format!(
            "Key missing from projection (ie, SELECT). {see}\nThe query used to build `{sink}` must \
             include the join expression{plural} {list} in its projection (eg, SELECT {first}...).{more}"
        ))
    };
    match keys {
        JoinKeys::Synthetic(name) => {
            if selects(query, &column(name)) {
                return Ok(());
            }
            let more = format!(
                "\n{name} was added as a synthetic key column because the join criteria did not match any \
                 source column. This expression must be included in the projection and may be aliased. "
            );
            Err(missing("See https://cnfl.io/2LV7ouS.", name, name, "", &more))
        }
        JoinKeys::Columns(viable) => {
            if viable.iter().any(|expr| selects(query, expr)) {
                return Ok(());
            }
            let shown: Vec<String> = viable.iter().map(print::expression).collect();
            let (list, plural) = match &*shown {
                [] => (String::new(), ""),
                [only] => (only.clone(), ""),
                [first @ .., last] => (format!("{} or {last}", first.join(", ")), "s"),
            };
            Err(missing("", &list, shown.first().map_or("", String::as_str), plural, ""))
        }
        JoinKeys::LeftTable(table) => check_left_keys(query, table),
    }
}

fn check_left_keys(query: &Query, table: &Aliased) -> Result<(), PlanError> {
    let qualified = |name: &str| {
        let mut expr = column(name);
        if let ExprKind::Column { source, .. } = &mut expr.kind {
            *source = Some(table.alias.clone());
        }
        expr
    };
    let keys = table.source.schema.key.iter();
    let missing = keys.filter(|key| !selects(query, &qualified(&key.name)));
    let missing: Vec<String> = missing.map(|key| format!("`{}`", key.name)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let plural = if missing.len() == 1 { "" } else { "s" };
    Err(PlanError::analyse(format!(
        "Primary key column{plural} missing in projection. For foreign-key table-table joins, the \
         projection must include all primary key columns from the left input table (`{}`). Missing \
         column{plural}: {}.",
        table.alias.text,
        missing.join(", ")
    )))
}
