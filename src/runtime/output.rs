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

/// A record of an [`Output`]: where its key begins, which its value follows, and how long they are.
#[derive(Clone, Debug)]
struct Entry {
    target: Target,
    placing: Placing,
    start: usize,
    key_len: Option<u32>,
    value_len: Option<u32>,
    timestamp_ms: i64,
    /// Most records have none.
    headers: Option<Box<OwnedHeaders>>,
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
    entries: Vec<Entry>,
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
        self.bytes.len()
    }

    /// The records, in order.
    pub fn records(&self) -> impl Iterator<Item = OutputRecord<'_>> {
        self.entries.iter().map(|entry| {
            let bytes = &self.bytes[entry.start..];
            let (key, rest) = bytes.split_at(entry.key_len.unwrap_or_default() as usize);
            OutputRecord {
                target: entry.target,
                placing: entry.placing,
                key: entry.key_len.map(|_| key),
                value: entry.value_len.map(|len| &rest[..len as usize]),
                timestamp_ms: entry.timestamp_ms,
                headers: entry.headers.as_deref().map_or(&[], Vec::as_slice),
            }
        })
    }

    /// Forgets all records, and keeps the memory.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.entries.clear();
    }

    /// How far it has come, for [`Self::rewind`].
    pub(super) fn mark(&self) -> OutputMark {
        OutputMark { bytes: self.bytes.len(), entries: self.entries.len() }
    }

    /// Forgets what was given since `mark`, and a record that was not finished.
    pub(super) fn rewind(&mut self, mark: OutputMark) {
        self.bytes.truncate(mark.bytes);
        self.entries.truncate(mark.entries);
    }

    /// Begins a record. It is there once it is [finished](Writing::finish).
    pub(super) fn begin(
        &mut self,
        target: Target,
        placing: Placing,
        timestamp_ms: i64,
    ) -> Writing<'_> {
        let start = self.bytes.len();
        let entry = Entry {
            target,
            placing,
            start,
            key_len: None,
            value_len: None,
            timestamp_ms,
            headers: None,
        };
        Writing { output: self, entry }
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

    fn append<E>(
        &mut self,
        write: impl FnOnce(&mut Vec<u8>) -> Result<bool, E>,
    ) -> Result<Option<u32>, E> {
        let start = self.output.bytes.len();
        let exists = write(&mut self.output.bytes)?;
        if !exists {
            self.output.bytes.truncate(start);
        }
        Ok(exists.then_some((self.output.bytes.len() - start) as u32))
    }

    /// Copies a key and a value.
    pub(super) fn copy(&mut self, key: &[u8], value: Option<&[u8]>) {
        self.output.bytes.extend_from_slice(key);
        self.output.bytes.extend_from_slice(value.unwrap_or_default());
        self.entry.key_len = Some(key.len() as u32);
        self.entry.value_len = value.map(|value| value.len() as u32);
    }

    /// Gives the record headers.
    pub(super) fn headers(&mut self, headers: Headers<'_>) {
        self.entry.headers = (!headers.is_empty()).then(|| Box::new(owned_headers(headers)));
    }

    /// Adds the record.
    pub(super) fn finish(self) {
        self.output.entries.push(self.entry);
    }
}
