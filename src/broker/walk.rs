//! Looks into batches, for what their headers do not tell.
use bytes::Bytes;

use crate::kafka::records::RawBatch;

/// The offset and timestamp of the first record from offset `from` on that is not older than `timestamp`.
pub(super) fn first_since(batch: &Bytes, timestamp: i64, from: i64) -> Option<(i64, i64)> {
    let batch = RawBatch::parse(batch.clone()).and_then(|raw| raw.open()).ok()?;
    let mut records = batch.records().map_while(Result::ok);
    let found = records.find(|record| record.offset >= from && record.timestamp >= timestamp)?;
    Some((found.offset, found.timestamp))
}
