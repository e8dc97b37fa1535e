//! Tasks: fetch, decode, process, produce, commit, restore.
//!
//! A [`Task`] is a part of a query on one partition, in memory, and never waits; what moves its records stands around it.

mod blocks;
mod care;
mod changes;
mod client_rows;
pub mod clock;
mod codecs;
mod collector;
mod driver;
mod encode;
mod given;
mod handover;
mod ids;
mod inputs;
mod inserted;
mod intake;
mod java_row;
mod layout;
pub mod live;
mod look_up;
mod offset_metadata;
mod origin;
mod output;
mod panicked;
mod panics;
mod passing_on;
mod pieces;
mod plan_record;
mod processing_log;
mod pull_task;
mod random;
mod raw_records;
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
pub use client_rows::{ClientRow, client_rows};
pub use driver::{Driver, DriverOptions, DriverRecord};
pub use encode::Spread;
pub use given::Given;
pub use handover::Handover;
pub use ids::{LaneId, RecordId, TaskId, Way};
pub use inputs::{Chunk, Inputs, MaxIdle, Progress, Run, RunOrigin};
pub use inserted::{InsertedRecord, RowWriter, write_inserted};
pub use intake::{RepartitionBatch, SourceBatch};
pub use layout::{Layout, LayoutOptions, PartPlacement, Placement};
pub use look_up::{Found, Rest};
pub use offset_metadata::{ENCODED_BYTES_MAX, OffsetMetadata, decode_metadata, encode_metadata};
pub use origin::{Origin, RekeyedRows};
pub use output::{Output, OutputRecord, Placing, Target};
pub use panics::Panic;
pub use plan_record::{PlanDetails, PlanRecord, SourceTopic, StorePartitions, plans_topic};
pub use processing_log::{LogEvent, LoggedRecord, ProcessingLogEntry};
pub use random::SeededRandom;
pub use raw_records::RawRecords;
pub use rejection::Rejection;
pub use schemas::{
    SchemaAccess, SchemaChoice, WrittenSchema, private_schemas, source_schemas, written_schemas,
};
pub use skipped::{ByCause, RecordPlace, SkipCause, SkipCounts, SkipExample, Skipped};
pub use source::{ReadRows, SourceReader, SourceRecords};
pub use store_clocks::{ShardClocks, read_clocks};
pub use task::{FaultRules, Surrounded, Surroundings, Task, TaskBatch, TaskOptions};
pub use tasks::{CHUNK_ROWS, Tasks};
