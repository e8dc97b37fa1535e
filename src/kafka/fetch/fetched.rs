//! What a fetcher brings: records, how far it has come, and what is wrong with a partition.
use crate::kafka::config::Isolation;
use crate::kafka::error::KafkaError;
use crate::kafka::partition::TopicPartition;
use crate::kafka::records::{Batch, RecordError, RecordRef};

/// What one fetch brought of one partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchedPartition {
    /// The partition.
    pub partition: TopicPartition,
    /// The position before these records.
    pub position: i64,
    /// The position after them, also past what nobody sees: markers, aborted records and compacted ones.
    pub next_offset: i64,
    /// The offset up to which all in-sync replicas have the records.
    pub high_watermark: i64,
    /// The offset up to which all transactions are decided.
    pub last_stable_offset: i64,
    /// The batches, decompressed; the first may begin before `position`, so walk them by [`Self::records`].
    pub batches: Vec<Batch>,
    /// How much memory the batches take.
    pub bytes: usize,
}

impl FetchedPartition {
    /// Walks the records from `position` on.
    pub fn records(&self) -> impl Iterator<Item = Result<RecordRef<'_>, RecordError>> {
        let is_wanted = |record: &Result<RecordRef<'_>, RecordError>| {
            record.as_ref().map_or(true, |record| record.offset >= self.position)
        };
        self.batches.iter().flat_map(Batch::records).filter(is_wanted)
    }
}

/// What has arrived of all partitions.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Fetched {
    /// Records, in the order in which they came.
    pub partitions: Vec<FetchedPartition>,
    /// The partitions that cannot be read on, while the others go on.
    pub problems: Vec<PartitionProblem>,
}

impl Fetched {
    /// Whether nothing has arrived.
    pub fn is_empty(&self) -> bool {
        self.partitions.is_empty() && self.problems.is_empty()
    }
}

/// Why a partition stands still until it is moved or removed.
///
/// The error is [`KafkaError::OffsetOutOfRange`], [`KafkaError::TopicGone`], [`KafkaError::PartitionGone`],
/// [`KafkaError::TopicMadeAgain`], [`KafkaError::Record`] for what cannot be read, or
/// [`KafkaError::Code`] for what we may not do and for what the broker cannot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartitionProblem {
    /// The partition.
    pub partition: TopicPartition,
    /// The position at which it stands.
    pub position: i64,
    /// What is wrong.
    pub error: KafkaError,
}

/// How far the reading of a partition has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// The offset of the next record that the caller gets.
    pub position: i64,
    /// The high watermark, as of the last fetch.
    pub high_watermark: i64,
    /// The last stable offset, as of the last fetch.
    pub last_stable_offset: i64,
    /// The first offset that is still in the log, as of the last fetch.
    pub log_start_offset: i64,
}

impl Progress {
    /// The offset where a reader of this isolation level is at the end.
    pub fn end_offset(&self, isolation: Isolation) -> i64 {
        match isolation {
            Isolation::ReadUncommitted => self.high_watermark,
            Isolation::ReadCommitted => self.last_stable_offset,
        }
    }
}
