//! Kafka, as bytes: this layer moves keys, values and headers and never asks what is in them.
//!
//! ```text
//! fetch response ─[records::RawBatches]→ raw batches ─[RawBatch::open]→ Batch ─[Batch::records]→ RecordRef<'_>
//! records ─[records::BatchBuilder]→ one raw batch ─→ produce request
//! ```
//!
//! A raw batch is what Kafka stores and serves: a header of 61 bytes and the records behind it, compressed or not. It is
//! kept as it is for as long as possible, and records borrow from it.
mod random;

pub mod compression;
pub mod embedded;
pub mod records;
