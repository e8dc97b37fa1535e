//! Record batches (format v2, since Kafka 0.11): read without a copy, written in one pass.
//!
//! ```text
//! 0        8       12     16    17   21          23                 27              35             43
//! base     batch   leader magic crc  attributes  last offset delta  base timestamp  max timestamp  …
//! offset   length  epoch
//! … 43           51              53             57            61
//!   producer id  producer epoch  base sequence  record count  records, as the attributes' codec left them
//! ```
//!
//! The checksum covers everything from the attributes on, so a broker may set the base offset and the leader epoch of a
//! batch without touching the rest. A record's numbers are zigzag varints, relative to the batch's.
mod batch;
mod builder;
mod control;
mod header;
mod varint;
mod walk;

pub use batch::{Batch, RawBatch, RawBatches, set_log_append_time, set_offset, set_producer};
pub use builder::{BatchBuilder, BatchOptions};
pub use control::{ControlMarker, ControlRecord};
pub use header::BatchHeader;
pub use walk::{HeaderRef, Headers, HeadersIter, HeadersRef, RecordPlace, RecordRef, Records};

use super::compression::CompressionError;

/// Why a batch or a record in it could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// The batch is older than format v2.
    #[error(
        "the records at offset {offset} have format v{magic}; only v2, which Kafka writes since 0.11, can be read"
    )]
    OldFormat {
        /// The first offset of the batch.
        offset: i64,
        /// The version that it names.
        magic: i8,
    },
    /// The checksum of the batch is not that of its bytes.
    #[error(
        "the batch at offset {offset} is corrupt: its checksum is {found:#010x}, expected {expected:#010x}"
    )]
    Checksum {
        /// The first offset of the batch.
        offset: i64,
        /// The checksum in the header.
        expected: u32,
        /// The checksum of the bytes.
        found: u32,
    },
    /// The bytes do not follow the format.
    #[error("the batch at offset {offset} is malformed: {what}")]
    Malformed {
        /// The first offset of the batch.
        offset: i64,
        /// What is wrong with it.
        what: &'static str,
    },
    /// The records could not be decompressed.
    #[error("the batch at offset {offset} cannot be read: {source}")]
    Compression {
        /// The first offset of the batch.
        offset: i64,
        /// What the codec says.
        source: CompressionError,
    },
}
