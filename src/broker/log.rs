//! The log of one partition: its batches in order, where they lie, and what readers may see of them.
use std::collections::VecDeque;
use std::sync::{Arc, Weak};

use bytes::Bytes;
use kafka_protocol::error::ResponseError;
use tokio::sync::Notify;

use super::batch::Batch;
use super::producers::{Producers, Verdict};
use super::storage::{Place, Storage};
use crate::kafka::records::BatchHeader;

/// The batches of a partition.
pub(super) struct Log {
    entries: VecDeque<Entry>,
    start: i64,
    end: i64,
    bytes: u64,
    pub(super) producers: Producers,
    pub(super) storage: Storage,
    waiting: Vec<Weak<Notify>>,
    /// Up to where the log has been compacted.
    pub(super) clean_until: i64,
}

/// One batch in the log.
#[derive(Clone)]
pub(super) struct Entry {
    pub(super) base: i64,
    pub(super) last: i64,
    pub(super) max_timestamp: i64,
    pub(super) size: u32,
    pub(super) place: Place,
    /// When compaction first kept tombstones of this batch.
    pub(super) tombstones_since: Option<i64>,
}

/// What came of an append.
#[derive(Debug, Clone, Copy)]
pub(super) struct Appended {
    pub(super) base_offset: i64,
    /// The time of arrival if that is the records' timestamp, else -1.
    pub(super) append_time: i64,
    pub(super) start: i64,
}

impl Log {
    /// A log over `storage`, with what that holds already.
    pub(super) fn open(mut storage: Storage) -> std::io::Result<Self> {
        let mut log = Self {
            entries: VecDeque::new(),
            start: 0,
            end: 0,
            bytes: 0,
            producers: Producers::default(),
            waiting: Vec::new(),
            clean_until: 0,
            storage: Storage::Memory,
        };
        storage.load(|header, place, committed| log.admit(header, place, committed))?;
        log.storage = storage;
        Ok(log)
    }

    /// Takes a batch found on disk; `false` if it lies before the end, as after an interrupted compaction.
    fn admit(&mut self, header: &BatchHeader, place: Place, committed: Option<bool>) -> bool {
        if header.base_offset < self.end {
            return false;
        }
        if self.entries.is_empty() {
            self.start = header.base_offset;
        }
        self.index(header, place);
        match committed {
            Some(committed) => self.producers.ended(header, committed),
            None => self.producers.appended(header),
        }
        true
    }

    fn index(&mut self, header: &BatchHeader, place: Place) {
        self.end = header.last_offset() + 1;
        self.bytes += header.batch_bytes() as u64;
        self.entries.push_back(Entry {
            base: header.base_offset,
            last: header.last_offset(),
            max_timestamp: header.max_timestamp,
            size: header.batch_bytes() as u32,
            place,
            tombstones_since: None,
        });
    }

    /// Appends a producer's batch, or recognises that it is there already.
    pub(super) fn append(
        &mut self,
        mut batch: Batch,
        stamp: Option<i64>,
    ) -> Result<Appended, ResponseError> {
        let append_time = stamp.unwrap_or(-1);
        if let Verdict::Repeated(base_offset) = self.producers.judge(&batch.header)? {
            return Ok(Appended { base_offset, append_time, start: self.start });
        }
        if let Some(now) = stamp {
            batch.stamp(now);
        }
        let header = self.write(batch)?;
        self.producers.appended(&header);
        Ok(Appended { base_offset: header.base_offset, append_time, start: self.start })
    }

    /// Ends the transaction of a producer with a marker.
    pub(super) fn append_marker(
        &mut self,
        marker: Batch,
        committed: bool,
    ) -> Result<(), ResponseError> {
        let header = self.write(marker)?;
        self.producers.ended(&header, committed);
        Ok(())
    }

    fn write(&mut self, mut batch: Batch) -> Result<BatchHeader, ResponseError> {
        batch.place_at(self.end);
        let header = batch.header.clone();
        let place =
            self.storage.append(header.base_offset, batch.bytes.freeze()).map_err(|error| {
                tracing::error!(%error, "a batch could not be written");
                ResponseError::KafkaStorageError
            })?;
        self.index(&header, place);
        for waiting in self.waiting.drain(..) {
            if let Some(notify) = waiting.upgrade() {
                notify.notify_one();
            }
        }
        Ok(header)
    }

    /// The batches from `from`, before `to`, of up to `bytes_max`; the first one even if it is larger and `whole`.
    pub(super) fn read(&self, from: i64, to: i64, bytes_max: usize, whole: bool) -> Vec<Place> {
        let mut places = Vec::new();
        let mut bytes = 0;
        for entry in self.entries.range(self.position(from)..).take_while(|entry| entry.last < to) {
            bytes += entry.size as usize;
            if bytes > bytes_max && !(whole && places.is_empty()) {
                break;
            }
            places.push(entry.place.clone());
        }
        places
    }

    /// How many bytes of batches lie in `[from, to)`, counted up to `enough`.
    pub(super) fn available(&self, from: i64, to: i64, enough: usize) -> usize {
        let mut bytes = 0;
        for entry in self.entries.range(self.position(from)..).take_while(|entry| entry.last < to) {
            bytes += entry.size as usize;
            if bytes >= enough {
                break;
            }
        }
        bytes
    }

    /// The index of the first batch that reaches to `offset` or beyond.
    fn position(&self, offset: i64) -> usize {
        self.entries.partition_point(|entry| entry.last < offset)
    }

    /// Wakes `notify` when the next batch arrives.
    pub(super) fn wake(&mut self, notify: &Arc<Notify>) {
        self.waiting.retain(|waiting| waiting.strong_count() > 0);
        self.waiting.push(Arc::downgrade(notify));
    }

    /// The first offset.
    pub(super) fn start(&self) -> i64 {
        self.start
    }

    /// The offset of the next record.
    pub(super) fn end(&self) -> i64 {
        self.end
    }

    /// Before this offset every transaction has ended.
    pub(super) fn last_stable(&self) -> i64 {
        self.producers.first_open().unwrap_or(self.end)
    }

    /// How many bytes the batches have.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The batches, earliest first.
    pub(super) fn entries(&self) -> &VecDeque<Entry> {
        &self.entries
    }

    /// Moves the start to `offset`, and drops the batches that lie before it.
    pub(super) fn cut_before(&mut self, offset: i64) {
        self.start = self.start.max(offset);
        self.end = self.end.max(offset);
        while self.entries.front().is_some_and(|entry| entry.last < self.start) {
            self.drop_first();
        }
        self.producers.forget_before(self.start);
        self.storage.drop_before(self.entries.front().map(|entry| entry.base));
    }

    /// Whether the earliest batch can go: it is not the only one, and lies before every open transaction.
    pub(super) fn can_evict(&self) -> bool {
        let first = self.entries.front().filter(|_| self.entries.len() > 1);
        first.is_some_and(|entry| entry.last < self.last_stable())
    }

    /// Drops the earliest batch if it can go; how many bytes that frees.
    pub(super) fn evict_first(&mut self) -> u64 {
        let Some(last) = self.entries.front().map(|entry| entry.last).filter(|_| self.can_evict())
        else {
            return 0;
        };
        let before = self.bytes;
        self.cut_before(last + 1);
        before - self.bytes
    }

    fn drop_first(&mut self) {
        if let Some(entry) = self.entries.pop_front() {
            self.bytes -= u64::from(entry.size);
        }
    }

    /// Replaces the batches up to and with offset `last` by their compacted form.
    pub(super) fn replace_until(
        &mut self,
        last: i64,
        mut batches: Vec<(Entry, Bytes)>,
    ) -> std::io::Result<()> {
        for entry in self.entries.iter().filter(|entry| entry.last > last) {
            batches.push((entry.clone(), entry.place.bytes()?));
        }
        let stored: Vec<_> =
            batches.iter().map(|(entry, bytes)| (entry.base, bytes.clone())).collect();
        let places = self.storage.rewrite(&stored)?;
        let entries =
            batches.into_iter().zip(places).map(|((entry, _), place)| Entry { place, ..entry });
        self.entries = entries.collect();
        self.bytes = self.entries.iter().map(|entry| u64::from(entry.size)).sum();
        // The records of these ranges are gone, and with them perhaps the markers that end them.
        self.producers.forget_before(last + 1);
        self.clean_until = last + 1;
        Ok(())
    }
}
