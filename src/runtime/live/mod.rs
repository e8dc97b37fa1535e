//! Queries on Kafka: groups joined, records fetched and decoded once for all queries that stand
//! together, results produced, offsets committed, state restored.
//!
//! ```text
//!            ┌ reading: one fetcher ─┬─ worker (a thread) ─┬─ shard of query A ─┐ rows, commands
//! partitions ┤                       │   decodes once      └─ shard of query B ─┤
//!            └ reading ──────────────┴─ worker (a thread) ─── shard of query A ─┤
//!                                                                              ▼
//!                                  life of query A: group ─ outbox ─ barrier ─ commit ─▶ Kafka
//! ```
//!
//! Workers own partitions, and never wait. A query is a task of its own: what it waits for (its group,
//! its state, acknowledgements, a pause after a failure) delays no other. Queries at the same position
//! of a partition share what was fetched and decoded; one that is behind reads on its own until it is
//! level.
//!
//! At least once: outputs, then changelogs, then offsets (`commit`). A crash before the last of them
//! replays. Exactly once: all of them in one transaction (`writer`). Last come the marks of a local checkpoint, if there
//! is one.

mod barrier;
mod changelog;
mod changelog_retention;
mod checkpoint;
mod commit;
mod commit_trace;
mod cut;
mod decode;
mod definitions;
mod desk;
mod directories;
mod durations;
mod error;
mod figures;
mod get_past;
mod ids;
mod inbox;
mod instance;
mod lane_figures;
mod lane_start;
mod life;
mod local_state;
mod log_writer;
mod look_up;
mod lost;
mod manner;
mod member;
mod message;
mod node_figures;
mod offsets;
mod outbox;
mod placements;
mod plans;
mod positions;
mod pressure;
mod probe;
mod progress_round;
mod pull;
mod pump;
mod purge;
mod push;
mod quarantine;
mod query_topics;
mod readings;
mod record_counts;
mod refused;
mod rest;
mod restore;
mod restoring;
mod schemas;
mod seen_offsets;
mod seen_topics;
mod session;
mod session_figures;
mod settings;
mod shard;
mod shelf;
mod singly;
mod skip_log;
mod skip_warnings;
mod skips;
mod sought;
mod stop;
mod taking;
mod time_order;
mod topic_figures;
mod topic_watch;
mod topics;
mod track;
mod trail;
mod worker;
mod workers;
mod writer;

pub use commit_trace::CommitTrace;
pub use durations::DurationCounts;
pub use error::LiveError;
pub use figures::{QueryFigures, QueryState, QueryStatus, StoredFigures};
pub use instance::{Instance, InstanceFigures, InstanceOptions, InstanceStatus};
pub use lane_figures::ReadPartition;
pub use look_up::PullSpec;
pub use member::runner_url;
pub use node_figures::NodeFigures;
pub use plans::{NotedPlans, read_plans, write_plans};
#[doc(hidden)]
pub use probe::Probe;
pub use pull::PullRows;
pub use push::{PushRows, PushSpec};
pub use schemas::register_all;
pub use settings::{Guarantee, QuerySettings, QuerySpec, group_prefix};
pub use skip_log::{SkippedRecord, WantedSkips};
pub use topic_figures::TopicPartitionFigures;
pub use topics::{EnsuredTopic, ensure_topic};
