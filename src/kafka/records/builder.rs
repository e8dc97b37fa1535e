//! Builds a batch, record by record, into one buffer.
use bytes::Bytes;

use super::batch::write_crc;
use super::{BatchHeader, HeadersRef, RecordError, varint};
use crate::kafka::compression::Compression;

/// What a batch says about itself besides its records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchOptions {
    /// The offset of the first record; a producer leaves it at 0.
    pub base_offset: i64,
    /// The epoch of the leader; a producer leaves it at -1.
    pub partition_leader_epoch: i32,
    /// How the records are compressed.
    pub compression: Compression,
    /// The idempotent producer's id, or -1.
    pub producer_id: i64,
    /// The idempotent producer's epoch, or -1.
    pub producer_epoch: i16,
    /// The sequence number of the first record, or -1.
    pub base_sequence: i32,
    /// Whether the batch belongs to a transaction.
    pub is_transactional: bool,
    /// Whether the batch ends a transaction.
    pub is_control: bool,
}

impl Default for BatchOptions {
    fn default() -> Self {
        Self {
            base_offset: 0,
            partition_leader_epoch: -1,
            compression: Compression::None,
            producer_id: -1,
            producer_epoch: -1,
            base_sequence: -1,
            is_transactional: false,
            is_control: false,
        }
    }
}

/// Collects records into a batch.
///
/// ```
/// use millstream::kafka::records::{BatchBuilder, BatchOptions, HeadersRef, RawBatch};
///
/// let mut builder = BatchBuilder::new();
/// builder.append(1_000, Some(b"device-1"), Some(b"{}"), HeadersRef::EMPTY);
/// let raw = RawBatch::parse(builder.finish(&BatchOptions::default())?)?;
/// let batch = raw.open()?;
/// let record = batch.records().next().expect("there is one record")?;
/// assert_eq!((record.timestamp, record.value), (1_000, Some(&b"{}"[..])));
/// # Ok::<(), millstream::kafka::records::RecordError>(())
/// ```
#[derive(Debug, Clone)]
pub struct BatchBuilder {
    /// Room for the header, then the encoded records.
    bytes: Vec<u8>,
    count: i32,
    last_offset_delta: i32,
    base_timestamp: i64,
    max_timestamp: i64,
}

impl Default for BatchBuilder {
    fn default() -> Self {
        Self::new()
    }
}

impl BatchBuilder {
    /// A batch without records.
    pub fn new() -> Self {
        Self::with_capacity(0)
    }

    /// A batch without records, with room for `bytes` of them.
    pub fn with_capacity(bytes: usize) -> Self {
        let mut buffer = Vec::with_capacity(BatchHeader::BYTES + bytes);
        buffer.resize(BatchHeader::BYTES, 0);
        Self {
            bytes: buffer,
            count: 0,
            last_offset_delta: -1,
            base_timestamp: 0,
            max_timestamp: i64::MIN,
        }
    }

    /// Adds a record at the next offset.
    #[inline]
    pub fn append(
        &mut self,
        timestamp: i64,
        key: Option<&[u8]>,
        value: Option<&[u8]>,
        headers: HeadersRef<'_>,
    ) {
        self.append_at(self.last_offset_delta + 1, timestamp, (key, value), headers);
    }

    /// Adds a record at a given distance from the base offset, as compaction does when it leaves gaps.
    #[inline]
    pub fn append_at(
        &mut self,
        offset_delta: i32,
        timestamp: i64,
        (key, value): (Option<&[u8]>, Option<&[u8]>),
        headers: HeadersRef<'_>,
    ) {
        if self.count == 0 {
            self.base_timestamp = timestamp;
        }
        let timestamp_delta = timestamp.wrapping_sub(self.base_timestamp);
        let length = body_bytes(offset_delta, timestamp_delta, (key, value), headers);
        self.bytes.reserve(length + 5);
        varint::write(&mut self.bytes, length as i64);
        self.bytes.push(0);
        varint::write(&mut self.bytes, timestamp_delta);
        varint::write(&mut self.bytes, i64::from(offset_delta));
        write_bytes(&mut self.bytes, key);
        write_bytes(&mut self.bytes, value);
        varint::write(&mut self.bytes, headers.len() as i64);
        self.bytes.extend_from_slice(headers.encoded());
        self.count += 1;
        self.last_offset_delta = self.last_offset_delta.max(offset_delta);
        self.max_timestamp = self.max_timestamp.max(timestamp);
    }

    /// Makes the batch end at a later offset than that of its last record, as compaction does when it removes that.
    pub fn extend_to(&mut self, last_offset_delta: i32) {
        self.last_offset_delta = self.last_offset_delta.max(last_offset_delta);
    }

    /// How many records there are.
    pub fn len(&self) -> usize {
        self.count as usize
    }

    /// Whether there are no records.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The size of the batch so far in bytes, header included and not compressed.
    pub fn bytes(&self) -> usize {
        self.bytes.len()
    }

    /// The size in bytes that a record would add, at most.
    pub fn record_bytes_max(
        key: Option<&[u8]>,
        value: Option<&[u8]>,
        headers: HeadersRef<'_>,
    ) -> usize {
        5 + body_bytes(i32::MAX, i64::MAX, (key, value), headers)
    }

    /// Compresses the records, writes the header and gives the batch.
    pub fn finish(mut self, options: &BatchOptions) -> Result<Bytes, RecordError> {
        if options.compression != Compression::None {
            let packed = options.compression.compress(&self.bytes[BatchHeader::BYTES..]);
            let offset = options.base_offset;
            let packed = packed.map_err(|source| RecordError::Compression { offset, source })?;
            self.bytes.truncate(BatchHeader::BYTES);
            self.bytes.extend_from_slice(&packed);
        }
        let header = self.header(options)?;
        if let Some(place) = self.bytes.first_chunk_mut() {
            header.write(place);
        }
        write_crc(&mut self.bytes);
        Ok(self.bytes.into())
    }

    fn header(&self, options: &BatchOptions) -> Result<BatchHeader, RecordError> {
        let what = "it takes more than two gigabytes";
        let malformed = |_| RecordError::Malformed { offset: options.base_offset, what };
        let mut attributes = i16::from(options.compression.id());
        if options.is_transactional {
            attributes |= BatchHeader::TRANSACTIONAL_BIT;
        }
        if options.is_control {
            attributes |= BatchHeader::CONTROL_BIT;
        }
        Ok(BatchHeader {
            base_offset: options.base_offset,
            length: i32::try_from(self.bytes.len() - BatchHeader::LENGTH_END).map_err(malformed)?,
            partition_leader_epoch: options.partition_leader_epoch,
            magic: 2,
            crc: 0,
            attributes,
            last_offset_delta: self.last_offset_delta.max(0),
            base_timestamp: self.base_timestamp,
            max_timestamp: if self.count == 0 { -1 } else { self.max_timestamp },
            producer_id: options.producer_id,
            producer_epoch: options.producer_epoch,
            base_sequence: options.base_sequence,
            record_count: self.count,
        })
    }
}

fn body_bytes(
    offset_delta: i32,
    timestamp_delta: i64,
    (key, value): (Option<&[u8]>, Option<&[u8]>),
    headers: HeadersRef<'_>,
) -> usize {
    1 + varint::size(timestamp_delta)
        + varint::size(i64::from(offset_delta))
        + bytes_size(key)
        + bytes_size(value)
        + varint::size(headers.len() as i64)
        + headers.encoded().len()
}

fn bytes_size(bytes: Option<&[u8]>) -> usize {
    bytes.map_or(1, |bytes| varint::size(bytes.len() as i64) + bytes.len())
}

fn write_bytes(out: &mut Vec<u8>, bytes: Option<&[u8]>) {
    varint::write(out, bytes.map_or(-1, |bytes| bytes.len() as i64));
    out.extend_from_slice(bytes.unwrap_or_default());
}

#[cfg(test)]
mod tests;
