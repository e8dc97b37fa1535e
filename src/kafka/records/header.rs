//! The 61 bytes before the records of a batch.
use super::RecordError;
use crate::kafka::compression::{Compression, CompressionError};

/// The header of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchHeader {
    /// The offset of the first record, which compaction may have removed since.
    pub base_offset: i64,
    /// How many bytes follow the length field.
    pub length: i32,
    /// The epoch of the leader that wrote the batch.
    pub partition_leader_epoch: i32,
    /// The version of the format, 2.
    pub magic: i8,
    /// The checksum (CRC-32C) of everything from the attributes on.
    pub crc: u32,
    /// Codec, timestamp type and the transactional and control flags.
    pub attributes: i16,
    /// The offset of the last record, less the base offset; it stays when compaction removes the record.
    pub last_offset_delta: i32,
    /// What the records' timestamps are relative to.
    pub base_timestamp: i64,
    /// The highest timestamp of the records, or the time of the append.
    pub max_timestamp: i64,
    /// The idempotent producer's id, or -1.
    pub producer_id: i64,
    /// The idempotent producer's epoch, or -1.
    pub producer_epoch: i16,
    /// The sequence number of the first record, or -1.
    pub base_sequence: i32,
    /// How many records there are.
    pub record_count: i32,
}

impl BatchHeader {
    /// The size of a header in bytes.
    pub const BYTES: usize = 61;
    /// How many bytes there are up to and including the length field.
    pub const LENGTH_END: usize = 12;
    pub(super) const MAGIC_AT: usize = 16;
    pub(super) const CRC_AT: usize = 17;
    pub(super) const ATTRIBUTES_AT: usize = 21;
    pub(super) const MAX_TIMESTAMP_AT: usize = 35;
    pub(super) const PRODUCER_ID_AT: usize = 43;

    pub(super) const TIMESTAMP_TYPE_BIT: i16 = 1 << 3;
    pub(super) const TRANSACTIONAL_BIT: i16 = 1 << 4;
    pub(super) const CONTROL_BIT: i16 = 1 << 5;

    /// Reads the header at the start of `bytes`, which must hold the whole of it.
    pub fn parse(bytes: &[u8]) -> Result<Self, RecordError> {
        let offset = bytes.first_chunk().map_or(-1, |bytes| i64::from_be_bytes(*bytes));
        let magic = bytes.get(Self::MAGIC_AT).map_or(2, |&magic| magic as i8);
        if magic != 2 {
            return Err(RecordError::OldFormat { offset, magic });
        }
        let malformed = |what| RecordError::Malformed { offset, what };
        let header = Self::read(bytes).ok_or_else(|| malformed("its header is cut off"))?;
        if i64::from(header.length) < (Self::BYTES - Self::LENGTH_END) as i64 {
            return Err(malformed("its length is shorter than its header"));
        }
        if header.record_count < 0 || header.last_offset_delta < 0 {
            return Err(malformed("its record count or last offset is negative"));
        }
        Ok(header)
    }

    fn read(mut bytes: &[u8]) -> Option<Self> {
        let bytes = &mut bytes;
        Some(Self {
            base_offset: i64::from_be_bytes(take(bytes)?),
            length: i32::from_be_bytes(take(bytes)?),
            partition_leader_epoch: i32::from_be_bytes(take(bytes)?),
            magic: i8::from_be_bytes(take(bytes)?),
            crc: u32::from_be_bytes(take(bytes)?),
            attributes: i16::from_be_bytes(take(bytes)?),
            last_offset_delta: i32::from_be_bytes(take(bytes)?),
            base_timestamp: i64::from_be_bytes(take(bytes)?),
            max_timestamp: i64::from_be_bytes(take(bytes)?),
            producer_id: i64::from_be_bytes(take(bytes)?),
            producer_epoch: i16::from_be_bytes(take(bytes)?),
            base_sequence: i32::from_be_bytes(take(bytes)?),
            record_count: i32::from_be_bytes(take(bytes)?),
        })
    }

    /// Writes the header over the first [`Self::BYTES`] of `bytes`.
    pub(super) fn write(&self, bytes: &mut [u8; Self::BYTES]) {
        bytes[0..8].copy_from_slice(&self.base_offset.to_be_bytes());
        bytes[8..12].copy_from_slice(&self.length.to_be_bytes());
        bytes[12..16].copy_from_slice(&self.partition_leader_epoch.to_be_bytes());
        bytes[16..17].copy_from_slice(&self.magic.to_be_bytes());
        bytes[17..21].copy_from_slice(&self.crc.to_be_bytes());
        bytes[21..23].copy_from_slice(&self.attributes.to_be_bytes());
        bytes[23..27].copy_from_slice(&self.last_offset_delta.to_be_bytes());
        bytes[27..35].copy_from_slice(&self.base_timestamp.to_be_bytes());
        bytes[35..43].copy_from_slice(&self.max_timestamp.to_be_bytes());
        bytes[43..51].copy_from_slice(&self.producer_id.to_be_bytes());
        bytes[51..53].copy_from_slice(&self.producer_epoch.to_be_bytes());
        bytes[53..57].copy_from_slice(&self.base_sequence.to_be_bytes());
        bytes[57..61].copy_from_slice(&self.record_count.to_be_bytes());
    }

    /// How the records are compressed.
    pub fn compression(&self) -> Result<Compression, CompressionError> {
        Compression::from_id((self.attributes & 7) as u8)
    }

    /// Whether the batch belongs to a transaction.
    pub fn is_transactional(&self) -> bool {
        self.attributes & Self::TRANSACTIONAL_BIT != 0
    }

    /// Whether the batch ends a transaction instead of holding anybody's records.
    pub fn is_control(&self) -> bool {
        self.attributes & Self::CONTROL_BIT != 0
    }

    /// Whether all records have the time of the append, which is `max_timestamp`.
    pub fn is_log_append_time(&self) -> bool {
        self.attributes & Self::TIMESTAMP_TYPE_BIT != 0
    }

    /// The offset of the last record, which compaction may have removed since.
    pub fn last_offset(&self) -> i64 {
        self.base_offset.saturating_add(i64::from(self.last_offset_delta))
    }

    /// The offset after the batch, where the next read starts.
    pub fn next_offset(&self) -> i64 {
        self.last_offset().saturating_add(1)
    }

    /// The size of the whole batch in bytes, header included.
    pub fn batch_bytes(&self) -> usize {
        Self::LENGTH_END + self.length as usize
    }
}

fn take<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (first, rest) = bytes.split_first_chunk::<N>()?;
    *bytes = rest;
    Some(*first)
}
