//! Raw batches, as they lie in a fetch response, and opened ones, ready to walk.
use bytes::Bytes;

use super::{BatchHeader, RecordError, Records};

/// A batch as Kafka stores it: checked for its length, its records still compressed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawBatch {
    /// The header, parsed.
    pub header: BatchHeader,
    /// The whole batch, header included.
    pub bytes: Bytes,
}

impl RawBatch {
    /// Takes the one batch that `bytes` must hold, no more and no less.
    pub fn parse(bytes: Bytes) -> Result<Self, RecordError> {
        let header = BatchHeader::parse(&bytes)?;
        if header.batch_bytes() != bytes.len() {
            let what = "its length is not that of its bytes";
            return Err(RecordError::Malformed { offset: header.base_offset, what });
        }
        Ok(Self { header, bytes })
    }

    /// Compares the checksum with the bytes.
    pub fn check_crc(&self) -> Result<(), RecordError> {
        let (expected, found) =
            (self.header.crc, crc32c::crc32c(&self.bytes[BatchHeader::ATTRIBUTES_AT..]));
        if expected == found {
            return Ok(());
        }
        Err(RecordError::Checksum { offset: self.header.base_offset, expected, found })
    }

    /// Decompresses the records; uncompressed ones share this batch's bytes. The checksum is not looked at.
    pub fn open(&self) -> Result<Batch, RecordError> {
        let packed = self.bytes.slice(BatchHeader::BYTES..);
        let offset = self.header.base_offset;
        let records = self.header.compression().and_then(|codec| codec.decompress(&packed));
        let records = records.map_err(|source| RecordError::Compression { offset, source })?;
        Ok(Batch { header: self.header.clone(), records })
    }
}

/// A batch whose records can be walked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// The header.
    pub header: BatchHeader,
    /// The records, decompressed; [`RecordRef`](super::RecordRef)s point into them.
    pub records: Bytes,
}

impl Batch {
    /// Walks the records in order, without an allocation.
    pub fn records(&self) -> Records<'_> {
        Records::new(&self.header, &self.records)
    }
}

/// Iterates over the raw batches of a fetch response or a stored segment.
///
/// A broker may cut off the last batch at the response's byte limit; what is left of it is passed over in silence.
/// After an error the iteration ends.
#[derive(Debug, Clone)]
pub struct RawBatches {
    rest: Bytes,
}

impl RawBatches {
    /// Starts at the first byte of `bytes`.
    pub fn new(bytes: Bytes) -> Self {
        Self { rest: bytes }
    }

    /// How many bytes are left; after the last batch, those of a batch that was cut off.
    pub fn rest_bytes(&self) -> usize {
        self.rest.len()
    }

    fn batch(&mut self) -> Result<Option<RawBatch>, RecordError> {
        if self.rest.len() <= BatchHeader::MAGIC_AT {
            return Ok(None);
        }
        // Only the checks of the format may come before the end is known to be there: an old message set is refused
        // even if it is cut off, and the length of a cut batch is trusted.
        if self.rest.len() < BatchHeader::BYTES && self.rest[BatchHeader::MAGIC_AT] == 2 {
            return Ok(None);
        }
        let header = BatchHeader::parse(&self.rest)?;
        if header.batch_bytes() > self.rest.len() {
            return Ok(None);
        }
        let bytes = self.rest.split_to(header.batch_bytes());
        Ok(Some(RawBatch { header, bytes }))
    }
}

impl Iterator for RawBatches {
    type Item = Result<RawBatch, RecordError>;

    fn next(&mut self) -> Option<Self::Item> {
        let batch = self.batch();
        if batch.is_err() {
            self.rest.clear();
        }
        batch.transpose()
    }
}

/// Gives a raw batch its place in a log, as a broker does on append; the checksum does not cover these fields.
pub fn set_offset(batch: &mut [u8], base_offset: i64, leader_epoch: i32) {
    batch[0..8].copy_from_slice(&base_offset.to_be_bytes());
    batch[12..16].copy_from_slice(&leader_epoch.to_be_bytes());
}

/// Gives all records of a raw batch the time of their append, for a topic with `message.timestamp.type=LogAppendTime`.
pub fn set_log_append_time(batch: &mut [u8], timestamp: i64) {
    let (at, bit) = (BatchHeader::ATTRIBUTES_AT, BatchHeader::TIMESTAMP_TYPE_BIT);
    let attributes = i16::from_be_bytes([batch[at], batch[at + 1]]) | bit;
    batch[at..at + 2].copy_from_slice(&attributes.to_be_bytes());
    let at = BatchHeader::MAX_TIMESTAMP_AT;
    batch[at..at + 8].copy_from_slice(&timestamp.to_be_bytes());
    write_crc(batch);
}

/// Gives a raw batch another producer and sequence number, as when it is sent again under a new id.
pub fn set_producer(batch: &mut [u8], producer_id: i64, producer_epoch: i16, base_sequence: i32) {
    let at = BatchHeader::PRODUCER_ID_AT;
    batch[at..at + 8].copy_from_slice(&producer_id.to_be_bytes());
    batch[at + 8..at + 10].copy_from_slice(&producer_epoch.to_be_bytes());
    batch[at + 10..at + 14].copy_from_slice(&base_sequence.to_be_bytes());
    write_crc(batch);
}

pub(super) fn write_crc(batch: &mut [u8]) {
    let crc = crc32c::crc32c(&batch[BatchHeader::ATTRIBUTES_AT..]);
    batch[BatchHeader::CRC_AT..BatchHeader::ATTRIBUTES_AT].copy_from_slice(&crc.to_be_bytes());
}
