//! Tasks: fetch, decode, process, produce, commit, restore.
//!
//! A [`Task`] is a part of a query on one partition, in memory, and never waits; what moves its records stands around it.

mod blocks;
mod changes;
pub mod clock;
mod codecs;
mod collector;
mod driver;
mod encode;
mod handover;
mod inputs;
mod java_row;
mod layout;
pub mod live;
mod offset_metadata;
mod origin;
mod output;
mod panics;
mod pieces;
mod plan_record;
mod processing_log;
mod random;
mod rejection;
mod running;
mod schemas;
mod skipped;
mod source;
mod spreading;
mod store_clocks;
mod task;
mod tasks;
mod timestamp;

pub use blocks::BLOCK_RECORDS;
pub use changes::Changes;
pub use collector::SourceRecords;
pub use driver::{Driver, DriverOptions, DriverRecord};
pub use encode::{RekeyedRows, Spread};
pub use handover::Handover;
pub use inputs::{Chunk, Inputs, LaneId, MaxIdle, Progress, Run, Way};
pub use layout::{Layout, LayoutOptions, PartPlacement, Placement};
pub use offset_metadata::{ENCODED_BYTES_MAX, OffsetMetadata, decode_metadata, encode_metadata};
pub use origin::{Origin, RecordId, RunOrigin};
pub use output::{Output, OutputRecord, Placing, Target};
pub use panics::Panic;
pub use plan_record::{PlanDetails, PlanRecord, SourceTopic, StorePartitions, plans_topic};
pub use processing_log::{LogEvent, LoggedRecord, ProcessingLogEntry};
pub use random::SeededRandom;
pub use rejection::Rejection;
pub use schemas::SchemaAccess;
pub use skipped::{ByCause, RecordPlace, SkipCause, SkipCounts, SkipExample, Skipped};
pub use source::{RawRecords, ReadRows, SourceReader};
pub use store_clocks::{ShardClocks, read_clocks};
pub use task::{Given, Surrounded, Surroundings, Task, TaskBatch, TaskId, TaskOptions};
pub use tasks::{CHUNK_ROWS, RepartitionBatch, SourceBatch, Tasks};
