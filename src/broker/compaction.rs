//! Compaction: of each key only the latest record stays, and a tombstone goes after `delete.retention.ms`.
//!
//! Offsets stay as they are. What is compacted ends before the last batch and before the first open transaction, so
//! that readers always find the end of the log. The work is done on a copy of the index, without the lock; it is
//! thrown away if the log has changed at its start in the meantime.
use std::collections::{HashMap, HashSet};

use bytes::Bytes;

use super::core::Core;
use super::log::{Entry, Log};
use super::producers::Aborted;
use super::shared::Broker;
use crate::kafka::records::{
    BatchBuilder, BatchHeader, BatchOptions, RawBatch, RecordError, set_log_append_time,
};

/// How much must have been written since the last compaction.
const DIRTY_BYTES_MIN: u64 = 1 << 20;
/// The most keys that one compaction remembers; what lies behind comes the next time.
const KEYS_MAX: usize = 2_000_000;

/// What is compacted: a copy of a log's index.
struct Work {
    topic: String,
    partition: i32,
    start: i64,
    entries: Vec<Entry>,
    aborted: Vec<Aborted>,
    tombstone_age_max: i64,
}

/// Compacts the logs for which it is worthwhile, or all if `forced`.
pub(super) fn run(broker: &Broker, forced: bool) {
    let works = collect(&broker.core(), forced);
    let now = broker.now();
    for mut work in works {
        match compact(&mut work, now) {
            Ok(compacted) => store(&mut broker.core(), &work, compacted),
            Err(error) => {
                tracing::warn!(topic = work.topic, partition = work.partition, %error, "a partition is not compacted");
            }
        }
    }
}

fn collect(core: &Core, forced: bool) -> Vec<Work> {
    let mut works = Vec::new();
    for (name, topic) in core.topics.iter().filter(|(_, topic)| topic.is_compacted()) {
        let ratio = topic.config("min.cleanable.dirty.ratio").parse().unwrap_or(0.5);
        for (partition, log) in (0..).zip(&topic.partitions) {
            let until = log.last_stable().min(log.entries().back().map_or(0, |last| last.base));
            let entries: Vec<Entry> =
                log.entries().iter().take_while(|entry| entry.last < until).cloned().collect();
            if entries.is_empty() || !(forced || is_worthwhile(log, ratio)) {
                continue;
            }
            let aborted = log.producers.aborted(log.start(), until).copied().collect();
            let tombstone_age_max = topic.number("delete.retention.ms");
            works.push(Work {
                topic: name.to_owned(),
                partition,
                start: log.start(),
                entries,
                aborted,
                tombstone_age_max,
            });
        }
    }
    works
}

fn is_worthwhile(log: &Log, ratio: f64) -> bool {
    let dirty = log
        .entries()
        .iter()
        .filter(|entry| entry.base >= log.clean_until)
        .map(|entry| u64::from(entry.size));
    let dirty: u64 = dirty.sum();
    dirty >= DIRTY_BYTES_MIN && dirty as f64 >= ratio * log.bytes() as f64
}

/// The latest offset of each key, and up to which entry they were looked at.
struct Latest {
    offsets: HashMap<Bytes, i64>,
    entries: usize,
}

/// Compacts the batches of `work`, which is shortened to those that were looked at.
fn compact(work: &mut Work, now: i64) -> Result<Vec<(Entry, Bytes)>, CompactionError> {
    let latest = find_latest(work)?;
    work.entries.truncate(latest.entries);
    let mut compacted = Vec::new();
    let mut aborts = Aborts::new(&work.aborted);
    for entry in &work.entries {
        let raw = RawBatch::parse(entry.place.bytes()?)?;
        if raw.header.is_control() {
            compacted.push((entry.clone(), raw.bytes));
            continue;
        }
        let is_aborted = aborts.contains(&raw.header);
        let expired =
            entry.tombstones_since.is_some_and(|since| now - since > work.tombstone_age_max);
        if !is_aborted && let Some((kept, bytes)) = filter(entry, &raw, &latest, expired, now)? {
            compacted.push((kept, bytes));
        }
    }
    drop_needless_markers(&mut compacted);
    Ok(compacted)
}

fn find_latest(work: &Work) -> Result<Latest, CompactionError> {
    let mut latest = Latest { offsets: HashMap::new(), entries: 0 };
    let mut aborts = Aborts::new(&work.aborted);
    for entry in &work.entries {
        let raw = RawBatch::parse(entry.place.bytes()?)?;
        if !raw.header.is_control() && !aborts.contains(&raw.header) {
            let batch = raw.open()?;
            for record in batch.records() {
                let record = record?;
                if let Some(key) = record.key {
                    match latest.offsets.get_mut(key) {
                        Some(offset) => *offset = record.offset,
                        None => {
                            latest.offsets.insert(Bytes::copy_from_slice(key), record.offset);
                        }
                    }
                }
            }
        }
        latest.entries += 1;
        if latest.offsets.len() >= KEYS_MAX {
            break;
        }
    }
    Ok(latest)
}

/// The batch with those records that stay, or nothing.
fn filter(
    entry: &Entry,
    raw: &RawBatch,
    latest: &Latest,
    expired: bool,
    now: i64,
) -> Result<Option<(Entry, Bytes)>, CompactionError> {
    let batch = raw.open()?;
    let mut builder = BatchBuilder::with_capacity(batch.records.len());
    let (mut all, mut tombstones) = (0, false);
    for record in batch.records() {
        let record = record?;
        all += 1;
        let is_latest =
            record.key.is_some_and(|key| latest.offsets.get(key) == Some(&record.offset));
        if is_latest && !(expired && record.value.is_none()) {
            tombstones |= record.value.is_none();
            let delta = (record.offset - raw.header.base_offset) as i32;
            builder.append_at(delta, record.timestamp, (record.key, record.value), record.headers);
        }
    }
    if builder.is_empty() {
        return Ok(None);
    }
    let tombstones_since = tombstones.then(|| entry.tombstones_since.unwrap_or(now));
    if builder.len() == all {
        return Ok(Some((Entry { tombstones_since, ..entry.clone() }, raw.bytes.clone())));
    }
    builder.extend_to(raw.header.last_offset_delta);
    let bytes = finish(builder, &raw.header)?;
    let header = BatchHeader::parse(&bytes)?;
    let (size, max_timestamp) = (bytes.len() as u32, header.max_timestamp);
    Ok(Some((Entry { max_timestamp, size, tombstones_since, ..entry.clone() }, bytes)))
}

fn finish(builder: BatchBuilder, header: &BatchHeader) -> Result<Bytes, CompactionError> {
    let options = BatchOptions {
        base_offset: header.base_offset,
        partition_leader_epoch: header.partition_leader_epoch,
        compression: header
            .compression()
            .map_err(|source| RecordError::Compression { offset: header.base_offset, source })?,
        producer_id: header.producer_id,
        producer_epoch: header.producer_epoch,
        base_sequence: header.base_sequence,
        is_transactional: header.is_transactional(),
        is_control: false,
    };
    let bytes = builder.finish(&options)?;
    if !header.is_log_append_time() {
        return Ok(bytes);
    }
    let mut bytes = bytes.to_vec();
    set_log_append_time(&mut bytes, header.max_timestamp);
    Ok(bytes.into())
}

/// Drops markers that have no batch of their producer before them any more.
fn drop_needless_markers(compacted: &mut Vec<(Entry, Bytes)>) {
    let mut open = HashSet::new();
    compacted.retain(|(_, bytes)| match BatchHeader::parse(bytes) {
        Ok(header) if header.is_control() => open.remove(&header.producer_id),
        Ok(header) if header.is_transactional() => {
            open.insert(header.producer_id);
            true
        }
        _ => true,
    });
}

/// Tells which batches lie in an aborted range.
struct Aborts {
    by_producer: HashMap<i64, Vec<Aborted>>,
}

impl Aborts {
    fn new(ranges: &[Aborted]) -> Self {
        let mut by_producer: HashMap<i64, Vec<Aborted>> = HashMap::new();
        for range in ranges {
            by_producer.entry(range.producer_id).or_default().push(*range);
        }
        Self { by_producer }
    }

    fn contains(&mut self, batch: &BatchHeader) -> bool {
        let ranges = self.by_producer.get(&batch.producer_id).filter(|_| batch.is_transactional());
        ranges.is_some_and(|ranges| {
            // Ranges of one producer follow each other.
            let at = ranges.partition_point(|range| range.last < batch.base_offset);
            ranges.get(at).is_some_and(|range| range.first <= batch.base_offset)
        })
    }
}

/// Puts the compacted batches in the place of those that were looked at, if these are still there.
fn store(core: &mut Core, work: &Work, compacted: Vec<(Entry, Bytes)>) {
    let Ok(log) = core.topics.log(&work.topic, work.partition) else { return };
    let (Some(first), Some(last)) = (work.entries.first(), work.entries.last()) else { return };
    let unchanged = log.start() == work.start
        && log.entries().front().is_some_and(|entry| entry.base == first.base);
    if !unchanged {
        return;
    }
    let before = log.bytes();
    if let Err(error) = log.replace_until(last.last, compacted) {
        tracing::error!(topic = work.topic, partition = work.partition, %error, "a compacted log could not be stored");
        return;
    }
    tracing::debug!(
        topic = work.topic,
        partition = work.partition,
        before,
        after = log.bytes(),
        "a log is compacted"
    );
}

/// Why a log is not compacted.
#[derive(Debug, thiserror::Error)]
enum CompactionError {
    #[error(transparent)]
    Io(#[from] std::io::Error),
    #[error(transparent)]
    Record(#[from] RecordError),
}
