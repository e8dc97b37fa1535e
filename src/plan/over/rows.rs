//! The node that computes calls over rows, and what it keeps.

use super::functions::Function;
use super::group::Call;
use crate::formats::Format;
use crate::plan::aggregate_call::Arguments;
use crate::plan::builder::{Builder, untyped};
use crate::plan::node::{AggregateCall, HeldRows, Over, OverCall, OverFunction, RowOrigin};
use crate::plan::store::{StoreKind, StoreSpec};
use crate::plan::{PlanError, all_headers};
use crate::sql::ast::Name;
use crate::types::{ColumnDef, Schema, SqlType};

/// The columns that a node reads and computes.
pub(super) struct OverColumns<'c> {
    /// Whether the node is the first of several.
    pub(super) is_first: bool,
    pub(super) key: &'c [ColumnDef],
    pub(super) input: &'c [ColumnDef],
    pub(super) results: &'c [ColumnDef],
}

impl Builder<'_> {
    /// A call over the columns of its input.
    pub(super) fn over_call(
        &self,
        call: &Call,
        input: &[ColumnDef],
    ) -> Result<OverCall, PlanError> {
        let name = call.name.clone();
        let place = |nth: usize| call.places.get(nth).copied();
        let value = place(0).unwrap_or_default();
        let of_value = || input.get(value).map(|column| column.ty.clone()).ok_or_else(untyped);
        Ok(match &call.function {
            Function::Lag { rows, .. } => {
                let function = OverFunction::Lag { value, rows: *rows, default: place(1) };
                OverCall { name, function, ty: of_value()? }
            }
            Function::Lead { rows, .. } => {
                let function = OverFunction::Lead { value, rows: *rows, default: place(1) };
                OverCall { name, function, ty: of_value()? }
            }
            Function::Aggregate { args, rows } => {
                let (call, ty) = self.over_aggregate(call, args)?;
                OverCall { name, function: OverFunction::Aggregate { call, rows: *rows }, ty }
            }
        })
    }

    /// The aggregate of a call, and the type of its result.
    fn over_aggregate(
        &self,
        call: &Call,
        args: &[crate::sql::ast::Expr],
    ) -> Result<(AggregateCall, SqlType), PlanError> {
        let prepared = self.prepared_columns();
        let exprs: Vec<_> = call.places.iter().filter_map(|at| prepared.get(*at)).collect();
        let exprs: Vec<&crate::expr::Expr> = exprs.iter().map(|column| &*column.expr).collect();
        let shown: Vec<_> = args.iter().map(crate::sql::print::expression).collect();
        let arguments = Arguments { exprs: &exprs, shown: &shown, written: args };
        let bound = self.bind_aggregate((&Name::new(call.name.as_str()), call.span), arguments)?;
        let mut args = call.places.clone();
        args.truncate(bound.columns);
        let ty = bound.function.result_type();
        let (name, text) = (call.name.clone(), format!("{}({})", call.name, shown.join(", ")));
        Ok((AggregateCall { function: bound.function, args, name, text }, ty))
    }
}

/// The node of calls; the formats of its stores are still to be told.
pub(super) fn over_node(
    calls: Vec<OverCall>,
    name: &str,
    columns: &OverColumns<'_>,
    grace_ms: Option<i64>,
) -> Over {
    let rows = |wanted: fn(&OverFunction) -> usize| {
        calls.iter().map(|call| wanted(&call.function)).max().unwrap_or(0)
    };
    let lead = rows(|function| match function {
        OverFunction::Lead { rows, .. } => *rows,
        _ => 0,
    });
    let back = rows(|function| match function {
        OverFunction::Lag { rows, .. } | OverFunction::Aggregate { rows: Some(rows), .. } => *rows,
        _ => 0,
    });
    // A row that is not given yet is kept with all of its columns.
    let waiting = if lead > 0 { lead + 1 } else { 1 };
    let place = |name: &str| columns.input.iter().position(|column| &*column.name == name);
    let origin = RowOrigin {
        partition: place("ROWPARTITION").unwrap_or_default(),
        offset: place("ROWOFFSET").unwrap_or_default(),
        // Those of a later node have come by way of several tasks.
        ascends: columns.is_first,
    };
    let kept =
        if lead > 0 { (0..columns.input.len()).collect() } else { looked_back_on(&calls, origin) };
    let mut over = Over {
        calls,
        kept,
        origin,
        depth: back.max(waiting),
        lead,
        last_rows: store(format!("{name}-LastRows"), StoreKind::LastRows, columns.key),
        retention_ms: None,
        held: None,
    };
    over.last_rows.stored.value = stored(&over, columns);
    over.held = grace_ms.map(|grace_ms| {
        let mut store = store(format!("{name}-HeldRows"), StoreKind::HeldRows, columns.key);
        store.stored.value = columns.input.to_vec();
        store.stored.value.push(headers());
        HeldRows { grace_ms, store }
    });
    over
}

/// The columns that are read of rows before: by calls, and to tell whether a row comes again.
fn looked_back_on(calls: &[OverCall], origin: RowOrigin) -> Vec<usize> {
    let mut kept = vec![origin.partition, origin.offset];
    for call in calls {
        match &call.function {
            OverFunction::Lag { value, rows, .. } if *rows > 0 => kept.push(*value),
            OverFunction::Aggregate { call, rows: Some(rows) } if *rows > 0 => {
                kept.extend(&call.args);
            }
            _ => {}
        }
    }
    kept.sort_unstable();
    kept.dedup();
    kept
}

/// What is stored of a row.
fn stored(over: &Over, columns: &OverColumns<'_>) -> Vec<ColumnDef> {
    let mut stored = vec![ColumnDef::new("KSQL_OVER_ROW", SqlType::Bigint)];
    stored.extend(over.kept.iter().filter_map(|column| columns.input.get(*column).cloned()));
    if over.lead > 0 {
        stored.extend_from_slice(columns.results);
        stored.push(headers());
    }
    let states = over.running().enumerate().map(|(index, call)| {
        ColumnDef::new(format!("KSQL_OVER_STATE_{index}"), call.function.state_type())
    });
    stored.extend(states);
    stored
}

fn headers() -> ColumnDef {
    ColumnDef::new("KSQL_OVER_HEADERS", all_headers())
}

fn store(name: String, kind: StoreKind, key: &[ColumnDef]) -> StoreSpec {
    StoreSpec {
        name,
        kind,
        stored: Schema { key: key.to_vec(), value: Vec::new() },
        key_format: Format::Json.into(),
        value_format: Format::Json.into(),
        retention_ms: None,
    }
}
