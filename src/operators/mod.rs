//! Plan to topology: one synchronous operator a file, over batches of rows.
//!
//! An operator is a function of its state and its input. It never waits, starts nothing and reads
//! no clock: time, random bits and everything it gives away go through its [`Context`]. The result
//! is as if rows came one by one; a batch of one is a valid batch.
//!
//! ```text
//! source ─ filter ─ select ─ group by ─ repartition ─ aggregate ─ filter ─ select ─ sink
//! ```

mod aggregate;
mod build;
mod cache;
mod changes;
mod codecs;
mod error;
mod evaluate;
mod filter;
mod flat_map;
mod foreign_key;
mod frame;
mod group_by;
mod groups;
mod held;
mod held_groups;
mod kept_table;
mod keyed;
mod log_packed;
mod lookup;
mod operator;
mod over;
mod partition_by;
mod pending_sessions;
mod repartition;
mod result;
mod select;
mod session;
mod stream_stream_join;
mod stream_table_join;
mod table_aggregate;
mod table_table_join;
mod tables;
mod topology;
mod unlogged;
mod waiting;
mod waiting_rows;
mod windowed;

pub use changes::{PackedChange, StoreChange, StoredRecord};
pub use codecs::{CodecPair, Codecs};
pub use error::QueryError;
pub use held::{Held, Look, PORTION_SLOTS};
pub use operator::{
    Clocks, Collector, Context, Dropped, Late, LogEntry, LoggedRow, Minds, Operator, Outcome,
    Piece, Pieces, Port, SomeRows, Store,
};
pub use tables::Tables;
pub use topology::{Outside, Topology, TopologyOptions};
pub use windowed::EMIT_INTERVAL_MS;
