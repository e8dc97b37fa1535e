//! Joins: from the sources and criteria of a `FROM` to the rows that the other clauses stand over.
//!
//! ```text
//! S1 JOIN T2 ON … JOIN T3 ON …        ((S1 ⋈ T2) ⋈ T3)
//!
//! source ─ [re-key] ─ PrependAlias ─┐
//! source ─ [re-key] ─ PrependAlias ─┴ L_Join ─ [re-key] ─┐
//! source ─ [re-key] ─ PrependAlias ──────────────────────┴ Join ─ …
//! ```
//! As ksqlDB's `LogicalPlanner`, joins are left-deep, and columns of a joined row are called
//! `ALIAS_COLUMN`: a [flattened](flatten::flatten) query names them so.

mod build;
mod criteria;
mod flatten;
mod foreign;
mod formats;
mod numbers;
mod selected;
mod sides;
mod steps;
mod stores;

pub(super) use build::{JoinPlan, plan_join};
pub(super) use flatten::{flatten, flatten_expr, qualified_query};
pub(super) use selected::check_selected;
