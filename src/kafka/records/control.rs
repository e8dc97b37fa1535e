//! The markers that end a transaction: batches of one record, written by the broker.
use bytes::Bytes;

use super::{Batch, BatchBuilder, BatchOptions, HeadersRef, RecordError};

/// How a transaction ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ControlMarker {
    /// Its records are to be dropped.
    Abort,
    /// Its records count.
    Commit,
}

/// The record of a control batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ControlRecord {
    /// How the transaction ended.
    pub marker: ControlMarker,
    /// The epoch of the coordinator that wrote the marker.
    pub coordinator_epoch: i32,
}

impl ControlRecord {
    /// Reads the marker of a control batch, or `None` if it is of a kind that says nothing about a transaction.
    pub fn read(batch: &Batch) -> Result<Option<Self>, RecordError> {
        let Some(record) = batch.records().next().transpose()? else { return Ok(None) };
        let marker = match record.key {
            Some([_, _, 0, 0, ..]) => ControlMarker::Abort,
            Some([_, _, 0, 1, ..]) => ControlMarker::Commit,
            _ => return Ok(None),
        };
        let coordinator_epoch = match record.value {
            Some([_, _, a, b, c, d, ..]) => i32::from_be_bytes([*a, *b, *c, *d]),
            _ => -1,
        };
        Ok(Some(Self { marker, coordinator_epoch }))
    }

    /// Builds the control batch; `options` name the producer and the place in the log.
    pub fn build(self, timestamp: i64, options: &BatchOptions) -> Result<Bytes, RecordError> {
        let kind = match self.marker {
            ControlMarker::Abort => 0,
            ControlMarker::Commit => 1,
        };
        let epoch = self.coordinator_epoch.to_be_bytes();
        let value = [0, 0, epoch[0], epoch[1], epoch[2], epoch[3]];
        let mut builder = BatchBuilder::new();
        builder.append(timestamp, Some(&[0, 0, 0, kind]), Some(&value), HeadersRef::EMPTY);
        builder.finish(&BatchOptions {
            is_transactional: true,
            is_control: true,
            base_sequence: -1,
            ..*options
        })
    }
}
