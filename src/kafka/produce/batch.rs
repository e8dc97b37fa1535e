//! A batch on its way, from its first record to its answer.
use bytes::Bytes;
use tokio::sync::oneshot;

use super::{Delivery, NewRecord};
use crate::kafka::clock::{self, Instant};
use crate::kafka::compression::Compression;
use crate::kafka::error::KafkaError;
use crate::kafka::records::{BatchBuilder, BatchOptions, RecordError, set_producer};

/// Who a producer is to the brokers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Identity {
    pub(super) producer_id: i64,
    pub(super) epoch: i16,
}

impl Identity {
    /// A producer that is not idempotent.
    pub(super) const NONE: Self = Self { producer_id: -1, epoch: -1 };
}

/// Tells whoever asked what became of a record.
pub(super) type Acknowledge = oneshot::Sender<Result<Delivery, KafkaError>>;

/// A batch of one partition.
#[derive(Debug)]
pub(super) struct Batch {
    /// Batches are numbered in order of their first record.
    pub(super) id: u64,
    /// How many records it has.
    pub(super) records: usize,
    /// The memory that it takes.
    pub(super) bytes: usize,
    /// When it was begun.
    pub(super) begun: Instant,
    /// Whether no record may be added.
    pub(super) is_closed: bool,
    /// Whether a broker may have seen it.
    pub(super) is_sent: bool,
    /// The number of its first record, once it has one.
    pub(super) sequence: Option<i32>,
    content: Content,
    waiting: Vec<(usize, Acknowledge)>,
}

#[derive(Debug)]
enum Content {
    Open(BatchBuilder),
    Encoded { bytes: Bytes, identity: Identity, sequence: i32 },
}

impl Batch {
    pub(super) fn new(id: u64, builder: BatchBuilder, is_closed: bool) -> Self {
        Self {
            id,
            records: builder.len(),
            bytes: builder.bytes(),
            begun: clock::now(),
            is_closed,
            is_sent: false,
            sequence: None,
            content: Content::Open(builder),
            waiting: Vec::new(),
        }
    }

    /// Adds a record and gives by how many bytes the batch has grown.
    pub(super) fn append(
        &mut self,
        record: NewRecord<'_>,
        acknowledge: Option<Acknowledge>,
    ) -> usize {
        let Content::Open(builder) = &mut self.content else { return 0 };
        builder.append(record.timestamp, record.key, record.value, record.headers);
        self.waiting.extend(acknowledge.map(|acknowledge| (self.records, acknowledge)));
        let grown = builder.bytes() - self.bytes;
        self.records += 1;
        self.bytes += grown;
        grown
    }

    /// The batch as a broker takes it, with the producer's present identity and the batch's number.
    pub(super) fn encode(
        &mut self,
        compression: Compression,
        identity: Identity,
        is_transactional: bool,
    ) -> Result<Bytes, RecordError> {
        let sequence = self.sequence.unwrap_or(-1);
        let bytes = match &mut self.content {
            Content::Open(builder) => {
                let options = BatchOptions {
                    compression,
                    producer_id: identity.producer_id,
                    producer_epoch: identity.epoch,
                    base_sequence: sequence,
                    is_transactional,
                    ..BatchOptions::default()
                };
                std::mem::take(builder).finish(&options)?
            }
            Content::Encoded { bytes, identity: old, sequence: old_sequence } => {
                if (*old, *old_sequence) == (identity, sequence) {
                    return Ok(bytes.clone());
                }
                let mut changed = bytes.to_vec();
                set_producer(&mut changed, identity.producer_id, identity.epoch, sequence);
                changed.into()
            }
        };
        self.content = Content::Encoded { bytes: bytes.clone(), identity, sequence };
        Ok(bytes)
    }

    /// Tells those who wait what became of their records.
    pub(super) fn acknowledge(&mut self, result: &Result<Option<i64>, KafkaError>) {
        for (index, waiting) in self.waiting.drain(..) {
            let delivery =
                |base: Option<i64>| Delivery { offset: base.map(|base| base + index as i64) };
            // Whoever asked may have gone away.
            let _ = waiting.send(result.clone().map(delivery));
        }
    }
}
