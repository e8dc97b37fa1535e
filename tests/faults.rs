//! What `millstream run` and `millstream server` promise when processes, brokers and records fail.
//!
//! The real binary runs against the broker that `KAFKA_BROKERS` names, or else the embedded one.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "faults/apache.rs"]
mod apache;
#[path = "faults/bad_input.rs"]
mod bad_input;
#[path = "faults/certificates.rs"]
mod certificates;
#[path = "faults/changelogs.rs"]
mod changelogs;
#[path = "faults/checkpoints.rs"]
mod checkpoints;
#[path = "faults/clocks.rs"]
mod clocks;
#[path = "faults/costs.rs"]
mod costs;
#[path = "faults/exactly_once.rs"]
mod exactly_once;
#[path = "faults/final_windows.rs"]
mod final_windows;
#[path = "faults/forgotten.rs"]
mod forgotten;
#[path = "faults/identity.rs"]
mod identity;
#[path = "faults/joins.rs"]
mod joins;
#[path = "faults/killed.rs"]
mod killed;
#[path = "faults/lives.rs"]
mod lives;
#[path = "faults/members.rs"]
mod members;
#[path = "faults/order.rs"]
mod order;
#[path = "faults/over.rs"]
mod over;
#[path = "faults/panics.rs"]
mod panics;
#[path = "faults/panics_in_rows.rs"]
mod panics_in_rows;
#[path = "faults/partitions.rs"]
mod partitions;
#[path = "faults/refused.rs"]
mod refused;
#[path = "faults/rekeyed.rs"]
mod rekeyed;
#[path = "faults/restarts.rs"]
mod restarts;
#[path = "faults/retention.rs"]
mod retention;
#[path = "faults/schemas.rs"]
mod schemas;
#[path = "faults/served.rs"]
mod served;
#[path = "faults/skipped.rs"]
mod skipped;
#[path = "faults/stops.rs"]
mod stops;
#[path = "faults/support.rs"]
mod support;
#[path = "faults/topics.rs"]
mod topics;
