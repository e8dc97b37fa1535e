//! What is built is what is walked, and no mutation of it makes the walker panic.
use bytes::Bytes;
use proptest::prelude::*;

use super::*;
use crate::kafka::records::{
    ControlMarker, ControlRecord, Headers, RawBatch, RawBatches, RecordRef, set_log_append_time,
    set_offset,
};

type Owned = (i64, Option<Vec<u8>>, Option<Vec<u8>>, Vec<(String, Option<Vec<u8>>)>);

fn builder(records: &[Owned]) -> BatchBuilder {
    let mut builder = BatchBuilder::new();
    for (timestamp, key, value, headers) in records {
        let headers: Headers =
            headers.iter().map(|(key, value)| (key.as_bytes(), value.as_deref())).collect();
        builder.append(*timestamp, key.as_deref(), value.as_deref(), headers.as_ref());
    }
    builder
}

fn owned(record: &RecordRef<'_>) -> Owned {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let headers =
        record.headers.iter().map(|header| (text(header.key), header.value.map(<[u8]>::to_vec)));
    (
        record.timestamp,
        record.key.map(<[u8]>::to_vec),
        record.value.map(<[u8]>::to_vec),
        headers.collect(),
    )
}

fn records() -> impl Strategy<Value = Vec<Owned>> {
    let bytes = || proptest::option::of(proptest::collection::vec(any::<u8>(), 0..200));
    let headers = proptest::collection::vec((".{0,3}", bytes()), 0..4);
    proptest::collection::vec((any::<i64>(), bytes(), bytes(), headers), 0..30)
}

/// Walks everything that can be walked, for its panics alone.
fn walk_all(bytes: Bytes) {
    for raw in RawBatches::new(bytes).flatten() {
        let _ = raw.check_crc();
        let Ok(batch) = raw.open() else { continue };
        let _ = ControlRecord::read(&batch);
        let headers = batch.records().flatten().map(|record| record.headers.iter().count());
        assert!(headers.sum::<usize>() <= batch.records.len());
    }
}

proptest! {
    #[test]
    fn walking_gives_back_what_was_built(expected in records(), codec in 0u8..5) {
        let compression = Compression::from_id(codec).unwrap();
        let options = BatchOptions { base_offset: 40, compression, producer_id: 7, ..BatchOptions::default() };
        let raw = RawBatch::parse(builder(&expected).finish(&options).unwrap()).unwrap();
        raw.check_crc().unwrap();
        prop_assert_eq!(raw.header.compression(), Ok(compression));
        prop_assert_eq!(raw.header.next_offset(), 40 + (expected.len() as i64).max(1));
        let batch = raw.open().unwrap();
        let found: Vec<_> = batch.records().map(Result::unwrap).collect();
        prop_assert!(found.iter().enumerate().all(|(index, record)| record.offset == 40 + index as i64));
        prop_assert_eq!(found.iter().map(owned).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn mutated_bytes_never_panic(
        expected in records(),
        codec in 0u8..5,
        mutations in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 1..8),
        cut in any::<proptest::sample::Index>(),
    ) {
        let compression = Compression::from_id(codec).unwrap();
        let options = BatchOptions { compression, ..BatchOptions::default() };
        let mut bytes = builder(&expected).finish(&options).unwrap().to_vec();
        for (at, byte) in mutations {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        walk_all(Bytes::copy_from_slice(&bytes[..cut.index(bytes.len())]));
        walk_all(bytes.into());
    }
}

fn one(value: &[u8]) -> Vec<u8> {
    let mut builder = BatchBuilder::new();
    builder.append(5, None, Some(value), HeadersRef::EMPTY);
    builder.append(9, None, Some(value), HeadersRef::EMPTY);
    builder.finish(&BatchOptions::default()).unwrap().to_vec()
}

#[test]
fn a_batch_that_is_cut_off_ends_the_iteration() {
    let mut bytes = one(b"a");
    set_offset(&mut bytes, 10, 3);
    let whole = bytes.len();
    bytes.extend(one(b"b"));
    for end in whole..bytes.len() {
        let mut batches = RawBatches::new(Bytes::copy_from_slice(&bytes[..end]));
        let raw = batches.next().unwrap().unwrap();
        raw.check_crc().unwrap();
        assert_eq!((raw.header.base_offset, raw.header.next_offset()), (10, 12));
        assert!(batches.next().is_none());
        assert_eq!(batches.rest_bytes(), end - whole);
    }
}

#[test]
fn old_formats_are_refused() {
    let mut bytes = one(b"a");
    bytes[16] = 1;
    let error = RawBatches::new(bytes.into()).next().unwrap().unwrap_err();
    assert_eq!(error, RecordError::OldFormat { offset: 0, magic: 1 });
}

#[test]
fn a_flipped_bit_fails_the_checksum() {
    let mut bytes = one(b"a");
    *bytes.last_mut().unwrap() ^= 1;
    assert!(matches!(
        RawBatch::parse(bytes.into()).unwrap().check_crc(),
        Err(RecordError::Checksum { .. })
    ));
}

#[test]
fn log_append_time_overrides_the_producers() {
    let mut bytes = one(b"a");
    set_log_append_time(&mut bytes, 77);
    let raw = RawBatch::parse(bytes.into()).unwrap();
    raw.check_crc().unwrap();
    assert!(raw.open().unwrap().records().all(|record| record.unwrap().timestamp == 77));
}

#[test]
fn compaction_keeps_offsets_and_the_end() {
    let mut builder = BatchBuilder::new();
    builder.append_at(3, 1, (None, None), HeadersRef::EMPTY);
    builder.extend_to(9);
    let raw = RawBatch::parse(builder.finish(&BatchOptions::default()).unwrap()).unwrap();
    assert_eq!((raw.header.next_offset(), raw.header.record_count), (10, 1));
    assert_eq!(raw.open().unwrap().records().next().unwrap().unwrap().offset, 3);
}

#[test]
fn markers_lead_back() {
    for marker in [ControlMarker::Abort, ControlMarker::Commit] {
        let control = ControlRecord { marker, coordinator_epoch: 4 };
        let raw = RawBatch::parse(control.build(1, &BatchOptions::default()).unwrap()).unwrap();
        assert!(raw.header.is_control() && raw.header.is_transactional());
        assert_eq!(ControlRecord::read(&raw.open().unwrap()).unwrap(), Some(control));
    }
}
