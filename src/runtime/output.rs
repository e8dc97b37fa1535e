//! What a task gives to Kafka: records for topics, and entries for the processing log.

use crate::plan::{RepartitionId, StoreId};
use crate::types::{Headers, OwnedHeaders, owned_headers};

/// Which topic of a query a record is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Target {
    /// The sink.
    Sink,
    /// A repartition topic.
    Repartition(RepartitionId),
    /// The changelog of a store.
    Changelog(StoreId),
}

/// Where in a topic a record goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Placing {
    /// To the partition that the key hashes to; without a key, wherever the producer likes.
    ByKey,
    /// To the partition that the key hashes to without its window, which takes so many bytes at its
    /// end: as Kafka Streams' `WindowedStreamPartitioner`.
    ByKeyBeforeWindow(usize),
    /// To this partition.
    Partition(i32),
}

/// A record of an [`Output`], in 32 bytes: which way it goes, and how long its key and its value are, which follow those
/// of the record before.
#[derive(Clone, Debug)]
struct Entry {
    /// Which of the ways.
    way: u32,
    key_len: u32,
    value_len: u32,
    timestamp_ms: i64,
    /// Most records have none.
    headers: Option<Box<OwnedHeaders>>,
}

/// The length of a key or a value that there is not.
const NONE: u32 = u32::MAX;

/// Where records go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Way {
    target: Target,
    placing: Placing,
}

/// A view of one record of an [`Output`].
#[derive(Clone, Copy, Debug)]
pub struct OutputRecord<'o> {
    /// The topic.
    pub target: Target,
    /// The partition.
    pub placing: Placing,
    /// The key.
    pub key: Option<&'o [u8]>,
    /// The value.
    pub value: Option<&'o [u8]>,
    /// The timestamp.
    pub timestamp_ms: i64,
    /// The headers.
    pub headers: &'o [(String, Option<Vec<u8>>)],
}

/// Records in the order in which they were given, their bytes in one piece.
#[derive(Clone, Debug, Default)]
pub struct Output {
    bytes: Vec<u8>,
    /// Where the bytes of the last record end; behind it are those of one that was not finished.
    end: usize,
    entries: Vec<Entry>,
    /// The ways that records go; there are few.
    ways: Vec<Way>,
}

/// How far an [`Output`] had come.
#[derive(Clone, Copy, Debug)]
pub(super) struct OutputMark {
    bytes: usize,
    entries: usize,
}

/// A record while it is written: its key comes first, then its value.
pub(super) struct Writing<'o> {
    output: &'o mut Output,
    entry: Entry,
}

impl Output {
    /// How many records there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is no record.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// How many bytes keys and values take.
    pub fn bytes(&self) -> usize {
        self.end
    }

    /// The records, in order.
    pub fn records(&self) -> impl Iterator<Item = OutputRecord<'_>> {
        let mut rest = &*self.bytes;
        let mut next = move |len: u32| {
            let bytes;
            (bytes, rest) = rest.split_at(if len == NONE { 0 } else { len as usize });
            (len != NONE).then_some(bytes)
        };
        self.entries.iter().map(move |entry| {
            let Way { target, placing } = self.ways[entry.way as usize];
            OutputRecord {
                target,
                placing,
                key: next(entry.key_len),
                value: next(entry.value_len),
                timestamp_ms: entry.timestamp_ms,
                headers: entry.headers.as_deref().map_or(&[], Vec::as_slice),
            }
        })
    }

    /// Forgets all records, and keeps the memory.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.end = 0;
        self.entries.clear();
        self.ways.clear();
    }

    /// Gives back memory that it does not need.
    pub(super) fn shrink(&mut self) {
        self.bytes.truncate(self.end);
        self.bytes.shrink_to_fit();
        self.entries.shrink_to_fit();
    }

    /// How far it has come, for [`Self::rewind`].
    pub(super) fn mark(&self) -> OutputMark {
        OutputMark { bytes: self.end, entries: self.entries.len() }
    }

    /// Forgets what was given since `mark`, and a record that was not finished.
    pub(super) fn rewind(&mut self, mark: OutputMark) {
        self.bytes.truncate(mark.bytes);
        self.end = self.bytes.len();
        self.entries.truncate(mark.entries);
    }

    /// Begins a record. It is there once it is [finished](Writing::finish).
    pub(super) fn begin(
        &mut self,
        target: Target,
        placing: Placing,
        timestamp_ms: i64,
    ) -> Writing<'_> {
        self.bytes.truncate(self.end);
        let way = self.way(Way { target, placing });
        let entry = Entry { way, key_len: NONE, value_len: NONE, timestamp_ms, headers: None };
        Writing { output: self, entry }
    }

    fn way(&mut self, way: Way) -> u32 {
        let is_it = |at: &u32| self.ways.get(*at as usize) == Some(&way);
        if let Some(last) = self.entries.last().map(|entry| entry.way).filter(is_it) {
            return last;
        }
        let known = self.ways.iter().position(|other| *other == way);
        let at = known.unwrap_or_else(|| {
            self.ways.push(way);
            self.ways.len() - 1
        });
        at as u32
    }
}

impl Writing<'_> {
    /// Writes the key: what `write` appends, unless it says that there is none.
    pub(super) fn key<E>(
        &mut self,
        write: impl FnOnce(&mut Vec<u8>) -> Result<bool, E>,
    ) -> Result<(), E> {
        self.entry.key_len = self.append(write)?;
        Ok(())
    }

    /// Writes the value in the same way.
    pub(super) fn value<E>(
        &mut self,
        write: impl FnOnce(&mut Vec<u8>) -> Result<bool, E>,
    ) -> Result<(), E> {
        self.entry.value_len = self.append(write)?;
        Ok(())
    }

    fn append<E>(&mut self, write: impl FnOnce(&mut Vec<u8>) -> Result<bool, E>) -> Result<u32, E> {
        let start = self.output.bytes.len();
        let exists = write(&mut self.output.bytes)?;
        if !exists {
            self.output.bytes.truncate(start);
        }
        Ok(if exists { (self.output.bytes.len() - start) as u32 } else { NONE })
    }

    /// Copies a key and a value.
    pub(super) fn copy(&mut self, key: &[u8], value: Option<&[u8]>) {
        self.output.bytes.extend_from_slice(key);
        self.output.bytes.extend_from_slice(value.unwrap_or_default());
        self.entry.key_len = key.len() as u32;
        self.entry.value_len = value.map_or(NONE, |value| value.len() as u32);
    }

    /// Gives the record headers.
    pub(super) fn headers(&mut self, headers: Headers<'_>) {
        self.entry.headers = (!headers.is_empty()).then(|| Box::new(owned_headers(headers)));
    }

    /// Adds the record.
    pub(super) fn finish(self) {
        self.output.end = self.output.bytes.len();
        self.output.entries.push(self.entry);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_read_as_they_were_written() {
        assert_eq!(std::mem::size_of::<Entry>(), 32);
        let mut output = Output::default();
        let store = Target::Changelog(StoreId(1));
        let record = |output: &mut Output, target, key: &[u8], value: Option<&[u8]>, time| {
            let mut record = output.begin(target, Placing::Partition(2), time);
            record.copy(key, value);
            record.finish();
        };
        record(&mut output, store, b"key", Some(b"value"), 1);
        let mark = output.mark();
        record(&mut output, Target::Sink, b"gone", Some(b"gone"), 2);
        output.rewind(mark);
        record(&mut output, Target::Sink, b"", None, 3);
        // One that could not be written leaves nothing.
        output.begin(Target::Sink, Placing::ByKey, 9).copy(b"half", None);
        let mut unkeyed = output.begin(Target::Sink, Placing::ByKey, 4);
        unkeyed.key(|_| Ok::<_, ()>(false)).unwrap();
        unkeyed
            .value(|out| {
                out.extend(b"v");
                Ok::<_, ()>(true)
            })
            .unwrap();
        unkeyed.finish();
        let read: Vec<_> = output
            .records()
            .map(|record| {
                (record.target, record.placing, record.key, record.value, record.timestamp_ms)
            })
            .collect();
        let placing = Placing::Partition(2);
        assert_eq!(
            read,
            [
                (store, placing, Some(&b"key"[..]), Some(&b"value"[..]), 1),
                (Target::Sink, placing, Some(b""), None, 3),
                (Target::Sink, Placing::ByKey, None, Some(b"v"), 4),
            ]
        );
        output.clear();
        assert_eq!((output.records().count(), output.bytes()), (0, 0));
    }
}
