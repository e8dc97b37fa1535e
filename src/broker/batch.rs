//! A producer's batch on its way into the log: checked, and with its place and time written into its header.
use bytes::{Bytes, BytesMut};
use kafka_protocol::error::ResponseError;

use crate::kafka::records::{
    BatchHeader, BatchOptions, ControlMarker, ControlRecord, RawBatch, set_log_append_time,
    set_offset,
};

/// A batch in bytes of its own.
pub(super) struct Batch {
    pub(super) header: BatchHeader,
    pub(super) bytes: BytesMut,
}

impl Batch {
    /// Checks the one batch that a producer sends for a partition, as Kafka does.
    pub(super) fn from_producer(records: &Bytes) -> Result<Self, ResponseError> {
        let header = BatchHeader::parse(records).map_err(|_| ResponseError::InvalidRecord)?;
        if header.batch_bytes() > records.len() {
            return Err(ResponseError::CorruptMessage);
        }
        // Two batches, which is one too many, are refused here.
        let raw = RawBatch::parse(records.clone()).map_err(|_| ResponseError::InvalidRecord)?;
        raw.check_crc().map_err(|_| ResponseError::CorruptMessage)?;
        let counted =
            header.record_count > 0 && header.last_offset_delta == header.record_count - 1;
        let sequenced = header.producer_epoch >= 0 && header.base_sequence >= 0;
        let produced = header.producer_id >= 0 && sequenced
            || header.producer_id < 0 && !header.is_transactional();
        if !counted || !produced || header.is_control() || header.compression().is_err() {
            return Err(ResponseError::InvalidRecord);
        }
        Ok(Self { header, bytes: BytesMut::from(&records[..]) })
    }

    /// A control batch: the end of a producer's transaction.
    pub(super) fn marker(producer_id: i64, producer_epoch: i16, committed: bool, now: i64) -> Self {
        let marker = if committed { ControlMarker::Commit } else { ControlMarker::Abort };
        let options = BatchOptions { producer_id, producer_epoch, ..BatchOptions::default() };
        let built = ControlRecord { marker, coordinator_epoch: 0 }.build(now, &options);
        let bytes = built.unwrap_or_else(|error| {
            unreachable!("a marker is a batch of one small record: {error}")
        });
        let header = BatchHeader::parse(&bytes);
        let header =
            header.unwrap_or_else(|error| unreachable!("a batch of ours has a header: {error}"));
        Self { header, bytes: BytesMut::from(bytes) }
    }

    /// Gives the batch its place in the log. The checksum does not cover these fields.
    pub(super) fn place_at(&mut self, offset: i64) {
        self.header.base_offset = offset;
        set_offset(&mut self.bytes, offset, 0);
    }

    /// Stamps the whole batch with the time of its arrival.
    pub(super) fn stamp(&mut self, now: i64) {
        self.header.max_timestamp = now;
        set_log_append_time(&mut self.bytes, now);
    }
}

/// The sequence number of a batch's last record; after the highest number comes 0.
pub(super) fn last_sequence(header: &BatchHeader) -> i32 {
    (i64::from(header.base_sequence) + i64::from(header.last_offset_delta)).rem_euclid(1 << 31)
        as i32
}
