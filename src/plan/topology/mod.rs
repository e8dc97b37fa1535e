//! The topology that Kafka Streams would run for a query of ksqlDB's, as the text of its description.
//!
//! What is run here is another thing; the text is what users of `EXPLAIN` know, and its names are those of internal
//! topics and stores.
//!
//! ```text
//! steps ─draw→ parts, in the order in which Kafka Streams adds them ─describe→ text
//! ```

mod describe;
mod draw;
mod parts;

use super::QueryPlan;
use super::steps::steps;

/// The description of a query's topology.
pub fn topology(plan: &QueryPlan) -> String {
    let step = steps(plan);
    describe::describe(&draw::draw(&step))
}
