//! Queries on Kafka: groups joined, records fetched once for all queries at the same position,
//! results produced, offsets committed, state restored.
//!
//! ```text
//!            ┌ reading: one fetcher, one decode ─┬─ query: task ─ producer ─ group ┐
//! reader ────┤                                   └─ query: task ─ producer ─ group ┤ commit
//! (a thread) └ reading: a query that lags ───────── query: task ─ producer ─ group ┘
//! ```
//!
//! All queries over one source definition share a reader. Within it those at the same position
//! share a reading; a query that started later, or failed and starts again, has one of its own until
//! it is level. Each query keeps its own offsets, errors, log entries and life.
//!
//! At least once: outputs, then changelogs, then offsets. A crash before the last of them replays.
//! Last come the marks of a local checkpoint, if there is one.

mod checkpoint;
mod commit;
mod decode;
mod failure;
mod instance;
mod member;
mod purge;
mod query;
mod reader;
mod reading;
mod restore;
mod settings;
mod tend;
mod topic_watch;
mod topics;

pub use instance::{Instance, InstanceOptions, InstanceStatus};
pub use query::{LiveError, QuerySpec, QueryState, QueryStatus};
pub use settings::QuerySettings;
pub use topics::{EnsuredTopic, ensure_topic};
