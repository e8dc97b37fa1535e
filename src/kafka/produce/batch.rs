//! A batch on its way, from its first record to its answer.
use bytes::Bytes;

use super::record::{Acknowledge, Delivery, NewRecord};
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

/// The places of a batch's records among all that were handed over for its partition.
#[derive(Debug, Clone)]
pub(super) enum Ordinals {
    /// One after the other, from this one on.
    From(u64),
    /// With gaps, where records were refused and left out.
    Each(Vec<u64>),
}

impl Ordinals {
    /// The place of the record with this index in the batch.
    pub(super) fn at(&self, index: usize) -> u64 {
        match self {
            Self::From(first) => first + index as u64,
            Self::Each(each) => each.get(index).copied().unwrap_or(u64::MAX),
        }
    }
}

/// A batch of one partition.
#[derive(Debug)]
pub(super) struct Batch {
    /// Batches are numbered as they are begun; the parts of one that was split share its number.
    pub(super) number: u64,
    /// Where its records stand among all of the partition, which is also the order of its batches.
    pub(super) ordinals: Ordinals,
    /// How many records it has.
    pub(super) records: usize,
    /// The memory that it takes.
    pub(super) bytes: usize,
    /// When it was begun.
    pub(super) begun: Instant,
    /// Whether no record may be added.
    pub(super) is_closed: bool,
    /// Whether a broker may have appended it without our hearing of it.
    pub(super) is_in_doubt: bool,
    /// The number of its first record, once it has one.
    pub(super) sequence: Option<i32>,
    /// Whose number that is.
    pub(super) identity: Identity,
    pub(super) content: Content,
    pub(super) waiting: Vec<(usize, Acknowledge)>,
}

/// The records of a batch.
#[derive(Debug)]
pub(super) enum Content {
    Open(BatchBuilder),
    Encoded { bytes: Bytes, identity: Identity, sequence: i32 },
}

impl Batch {
    /// A batch whose first record is the one with the ordinal `first`.
    pub(super) fn new(number: u64, first: u64, builder: BatchBuilder) -> Self {
        Self {
            number,
            ordinals: Ordinals::From(first),
            records: builder.len(),
            bytes: builder.bytes(),
            begun: clock::now(),
            is_closed: false,
            is_in_doubt: false,
            sequence: None,
            identity: Identity::NONE,
            content: Content::Open(builder),
            waiting: Vec::new(),
        }
    }

    /// The ordinal of its first record, which orders the batches of a partition.
    pub(super) fn first(&self) -> u64 {
        self.ordinals.at(0)
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

    /// The batch as a broker takes it, with the identity and the number that it has at present.
    pub(super) fn encode(
        &mut self,
        compression: Compression,
        is_transactional: bool,
    ) -> Result<Bytes, RecordError> {
        let (identity, sequence) = (self.identity, self.sequence.unwrap_or(-1));
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
