//! From a partition of a fetch response to the batches that the reader may see.
use std::collections::{HashSet, VecDeque};

use kafka_protocol::messages::fetch_response::PartitionData;

use super::fetched::FetchedPartition;
use crate::kafka::config::Isolation;
use crate::kafka::error::KafkaError;
use crate::kafka::partition::TopicPartition;
use crate::kafka::records::{
    Batch, ControlMarker, ControlRecord, RawBatch, RawBatches, RecordError,
};

/// How responses are read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Decoder {
    /// Whether records of aborted transactions are dropped.
    pub(super) isolation: Isolation,
    /// Whether checksums are compared.
    pub(super) is_crc_checked: bool,
}

impl Decoder {
    /// Reads what was fetched from `position` on.
    ///
    /// If a batch cannot be read, those before it are given, and the next fetch, which starts at it, gives the error.
    pub(super) fn decode(
        self,
        partition: &TopicPartition,
        position: i64,
        data: &PartitionData,
    ) -> Result<FetchedPartition, KafkaError> {
        let mut fetched = FetchedPartition {
            partition: partition.clone(),
            position,
            next_offset: position,
            high_watermark: data.high_watermark,
            last_stable_offset: data.last_stable_offset,
            batches: Vec::new(),
            bytes: 0,
        };
        let mut aborted = Aborted::new(data);
        for raw in RawBatches::new(data.records.clone().unwrap_or_default()) {
            let opened = raw.and_then(|raw| {
                Ok((raw.header.next_offset(), self.open(&raw, &mut aborted, position)?))
            });
            match opened {
                Ok((next_offset, batch)) => {
                    fetched.next_offset = fetched.next_offset.max(next_offset);
                    fetched.bytes += batch.as_ref().map_or(0, |batch| batch.records.len());
                    fetched.batches.extend(batch);
                }
                Err(_) if fetched.next_offset > position => break,
                Err(source) => return Err(KafkaError::record(partition, source)),
            }
        }
        Ok(fetched)
    }

    /// Opens a batch, or gives `None` for one that the reader may not see.
    fn open(
        self,
        raw: &RawBatch,
        aborted: &mut Aborted,
        position: i64,
    ) -> Result<Option<Batch>, RecordError> {
        let header = &raw.header;
        if self.is_crc_checked && header.next_offset() > position {
            raw.check_crc()?;
        }
        let is_dropped = self.isolation == Isolation::ReadCommitted && aborted.drops(raw)?;
        if header.is_control() || is_dropped || header.next_offset() <= position {
            return Ok(None);
        }
        raw.open().map(Some)
    }
}

/// The aborted transactions of a response: each holds from its first offset to its producer's next marker.
struct Aborted {
    to_come: VecDeque<(i64, i64)>,
    producers: HashSet<i64>,
}

impl Aborted {
    fn new(data: &PartitionData) -> Self {
        let listed = data.aborted_transactions.iter().flatten();
        let mut to_come: Vec<_> =
            listed.map(|aborted| (aborted.first_offset, aborted.producer_id.0)).collect();
        to_come.sort_unstable();
        Self { to_come: to_come.into(), producers: HashSet::new() }
    }

    /// Whether the records of a batch were aborted; batches come in order.
    fn drops(&mut self, raw: &RawBatch) -> Result<bool, RecordError> {
        let header = &raw.header;
        while let Some((first_offset, producer)) = self.to_come.front().copied() {
            if first_offset > header.last_offset() {
                break;
            }
            self.producers.insert(producer);
            self.to_come.pop_front();
        }
        if header.is_control() {
            let control = ControlRecord::read(&raw.open()?)?;
            if control.is_some_and(|control| control.marker == ControlMarker::Abort) {
                self.producers.remove(&header.producer_id);
            }
            return Ok(false);
        }
        Ok(header.is_transactional() && self.producers.contains(&header.producer_id))
    }
}

#[cfg(test)]
mod tests {
    use bytes::{Bytes, BytesMut};
    use kafka_protocol::messages::ProducerId;
    use kafka_protocol::messages::fetch_response::AbortedTransaction;

    use super::*;
    use crate::kafka::records::{BatchBuilder, BatchOptions, HeadersRef};

    fn options(offset: i64, producer_id: i64) -> BatchOptions {
        BatchOptions {
            base_offset: offset,
            producer_id,
            is_transactional: producer_id >= 0,
            ..BatchOptions::default()
        }
    }

    fn batch(offset: i64, producer_id: i64) -> Bytes {
        let mut builder = BatchBuilder::new();
        builder.append(0, None, Some(b"a"), HeadersRef::EMPTY);
        builder.append(0, None, Some(b"b"), HeadersRef::EMPTY);
        builder.finish(&options(offset, producer_id)).unwrap()
    }

    fn marker(offset: i64, producer_id: i64, marker: ControlMarker) -> Bytes {
        ControlRecord { marker, coordinator_epoch: 0 }
            .build(0, &options(offset, producer_id))
            .unwrap()
    }

    /// Two transactions of producer 7, one aborted and one committed, among records without one.
    fn data() -> PartitionData {
        let batches = [
            batch(0, -1),
            batch(2, 7),
            batch(4, 8),
            marker(6, 7, ControlMarker::Abort),
            batch(7, 7),
            marker(9, 8, ControlMarker::Commit),
            marker(10, 7, ControlMarker::Commit),
        ];
        let aborted =
            AbortedTransaction::default().with_producer_id(ProducerId(7)).with_first_offset(2);
        let records: BytesMut = batches.iter().flatten().copied().collect();
        PartitionData::default()
            .with_records(Some(records.freeze()))
            .with_aborted_transactions(Some(vec![aborted]))
    }

    fn offsets(isolation: Isolation, position: i64) -> (Vec<i64>, i64) {
        let decoder = Decoder { isolation, is_crc_checked: true };
        let fetched = decoder.decode(&TopicPartition::new("t", 0), position, &data()).unwrap();
        (fetched.records().map(|record| record.unwrap().offset).collect(), fetched.next_offset)
    }

    #[test]
    fn aborted_records_are_seen_by_those_who_want_them_only() {
        assert_eq!(offsets(Isolation::ReadUncommitted, 0), (vec![0, 1, 2, 3, 4, 5, 7, 8], 11));
        assert_eq!(offsets(Isolation::ReadCommitted, 0), (vec![0, 1, 4, 5, 7, 8], 11));
    }

    #[test]
    fn records_before_the_position_are_left_out() {
        assert_eq!(offsets(Isolation::ReadCommitted, 5), (vec![5, 7, 8], 11));
        assert_eq!(offsets(Isolation::ReadCommitted, 9), (vec![], 11));
    }

    #[test]
    fn what_is_before_a_corrupt_batch_is_given_first() {
        let mut bytes = data().records.unwrap().to_vec();
        *bytes.last_mut().unwrap() ^= 1;
        let data = data().with_records(Some(bytes.into()));
        let decoder = Decoder { isolation: Isolation::ReadCommitted, is_crc_checked: true };
        let partition = TopicPartition::new("t", 0);
        assert_eq!(decoder.decode(&partition, 0, &data).unwrap().next_offset, 10);
        let tail = data.records.clone().unwrap();
        let tail = tail.slice(tail.len() - marker(10, 7, ControlMarker::Commit).len()..);
        let error = decoder.decode(&partition, 10, &data.with_records(Some(tail))).unwrap_err();
        assert!(matches!(
            error,
            KafkaError::Record { source: RecordError::Checksum { offset: 10, .. }, .. }
        ));
    }
}
