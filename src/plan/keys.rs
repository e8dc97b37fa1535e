//! Which columns of a projection are the key, and what is said if they are not there once.

use std::collections::HashMap;

use super::names::unqualified;
use super::select::Item;
use super::{KeyPlace, PlanError};
use crate::sql::ast::{Expr, ExprKind, Literal};
use crate::sql::print;
use crate::types::{ColumnDef, SqlType};

/// What makes an expression a key, for messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum KeyKind {
    /// A key column of the source.
    Source,
    /// An expression of `PARTITION BY`.
    Partitioning,
    /// An expression of `GROUP BY`.
    Grouping,
}

/// The key expressions of a `PARTITION BY`, and whether it takes the key away.
pub(super) fn partition_keys(exprs: &[Expr]) -> Result<(Vec<Expr>, bool), PlanError> {
    let is_null = |expr: &&Expr| matches!(expr.kind, ExprKind::Literal(Literal::Null));
    match exprs.iter().filter(is_null).count() {
        0 => Ok((exprs.iter().map(unqualified).collect(), false)),
        _ if exprs.len() == 1 => Ok((Vec::new(), true)),
        _ => {
            let error = PlanError::analyse("Cannot PARTITION BY multiple columns including NULL");
            let null = exprs.iter().find(is_null).map_or(exprs[0].span, |null| null.span);
            Err(error.at(null).because("NULL alone takes the key away"))
        }
    }
}

/// With ksqlDB's new planner, which few have tried, the projection says which keys there are; and whether there are none
/// left.
pub(super) fn selected_keys(keys: &[Expr], items: &[Item]) -> (Vec<Expr>, bool) {
    let is_selected = |key: &&Expr| items.iter().any(|item| item.expr == **key);
    let left: Vec<_> = keys.iter().filter(is_selected).cloned().collect();
    let drops_key = left.is_empty() && !keys.is_empty();
    (left, drops_key)
}

/// Which of the selected columns are parts of the key.
pub(super) fn key_places(items: &[Item], keys: &[Expr]) -> Vec<Option<KeyPlace>> {
    let place = |item: &Item| match &item.expr.kind {
        ExprKind::Column { name, .. } if name.text == "WINDOWSTART" => Some(KeyPlace::WindowStart),
        ExprKind::Column { name, .. } if name.text == "WINDOWEND" => Some(KeyPlace::WindowEnd),
        _ => keys.iter().position(|key| *key == item.expr).map(KeyPlace::Column),
    };
    items.iter().map(place).collect()
}

/// What a column of a key is called that need not be selected.
pub(super) fn key_name(key: &Expr, at: usize) -> String {
    match &key.kind {
        ExprKind::Column { name, .. } => name.text.clone(),
        _ => format!("KSQL_COL_{at}"),
    }
}

/// For each key the item of the projection that holds it.
///
/// Each key must be in the projection exactly once. `shown` prints keys for messages.
pub(super) fn find_keys(
    keys: &[Expr],
    items: &[Item],
    kind: KeyKind,
    sink: &str,
    shown: impl Fn(&Expr) -> String,
) -> Result<Vec<usize>, PlanError> {
    let mut found = Vec::with_capacity(keys.len());
    let mut missing = Vec::new();
    let mut columns: HashMap<&str, Vec<usize>> = HashMap::new();
    for (place, item) in items.iter().enumerate() {
        if let ExprKind::Column { name, .. } = &item.expr.kind {
            columns.entry(&name.text).or_default().push(place);
        }
    }
    let all: Vec<usize> = (0..items.len()).collect();
    for key in keys {
        let candidates = match &key.kind {
            ExprKind::Column { name, .. } => columns.get(&*name.text).map_or(&[][..], |v| v),
            _ => &all,
        };
        let candidates = candidates.iter().map(|place| (*place, &items[*place]));
        let mut matches = candidates.filter(|(_, item)| item.expr == *key);
        match (matches.next(), matches.next()) {
            (Some((first, _)), None) => found.push(first),
            (Some((first, _)), Some((second, _))) => {
                let (name, again) = (&items[first].name, &items[second]);
                return Err(repeated(kind, key, name, &again.name)
                    .at(again.span)
                    .because(format!("the key is selected as {name} already")));
            }
            (None, _) => missing.push(key),
        }
    }
    if missing.is_empty() {
        return Ok(found);
    }
    // Of keys that rows are grouped by, ksqlDB names those that are missing, else all of them.
    let named = if kind == KeyKind::Grouping { missing } else { keys.iter().collect() };
    Err(absent(kind, sink, &named.into_iter().map(shown).collect::<Vec<_>>()))
}

fn repeated(kind: KeyKind, key: &Expr, first: &str, second: &str) -> PlanError {
    let advice = "Each key column must only be in the projection once. If you intended to copy the key \
        into the value, then consider using the `AS_VALUE` function to indicate which key reference \
        should be copied.";
    let message = if kind == KeyKind::Grouping {
        format!(
            "The projection contains a key column more than once: `{first}` and `{second}`.\n{advice}"
        )
    } else {
        let mut names = [first, second];
        names.sort_unstable();
        let key = print::expression(key);
        format!(
            "The projection contains a key column (`{key}`) more than once, aliased as: {} and {}.\n\
             {advice}",
            names[0], names[1]
        )
    };
    PlanError::analyse(message)
}

fn absent(kind: KeyKind, sink: &str, keys: &[String]) -> PlanError {
    let plural = if keys.len() == 1 { "" } else { "s" };
    let what = match kind {
        KeyKind::Source => "key column",
        KeyKind::Partitioning => "partitioning expression",
        KeyKind::Grouping => "grouping expression",
    };
    let list = match keys {
        [only] => only.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
        [] => String::new(),
    };
    let is = if keys.len() == 1 { "is" } else { "are" };
    let reason = format!("{list} {is} not selected");
    PlanError::analyse(format!(
        "Key{plural} missing from projection (ie, SELECT). \nThe query used to build `{sink}` must \
         include the {what}{plural} {list} in its projection (eg, SELECT {}...).",
        keys.join(", ")
    ))
    .because(reason)
}

/// Maps may not be part of a key; the column comes with the error.
pub(super) fn check_keys(key: &[ColumnDef]) -> Result<(), (String, PlanError)> {
    fn has_map(ty: &SqlType) -> bool {
        match ty {
            SqlType::Map(..) => true,
            SqlType::Array(item) => has_map(item),
            SqlType::Struct(ty) => ty.fields.iter().any(|field| has_map(&field.ty)),
            _ => false,
        }
    }
    match key.iter().find(|column| has_map(&column.ty)) {
        None => Ok(()),
        Some(column) => Err((
            column.name.to_string(),
            PlanError::execute(format!(
                "Map keys, including types that contain maps, are not supported as they may lead to \
             unexpected behavior due to inconsistent serialization. Key column name: `{}`. Column type: \
             {}. See https://github.com/confluentinc/ksql/issues/6621 for more.",
                column.name, column.ty
            )),
        )),
    }
}
