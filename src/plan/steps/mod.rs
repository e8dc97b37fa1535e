//! The steps of ksqlDB's physical plan: what its `EXPLAIN` lists, what stands in its command topic, and what its
//! topologies are built of.
//!
//! A [`QueryPlan`](super::QueryPlan) is a graph of what is done here; its steps are a tree of what ksqlDB calls it. They
//! differ where ksqlDB has one step for several nodes (a join on a foreign key), or a step for no node (a grouping by
//! the key that rows have already).
//!
//! ```text
//! source ─ select ─ group by ─ repartition ║ aggregate ─ select        nodes
//! SOURCE ─ PROJECT ─ GROUP_BY ────────────── AGGREGATE ─ PROJECT ─ SINK   steps
//! ```

mod of_plan;
mod step;
mod text;

pub use of_plan::steps;
pub use step::{KeyedBy, Step, StepKind};
pub use text::{execution_plan, shown_schema};
