//! The frames of a log as bytes.
//!
//! ```text
//! change  kind u8 │ timestamp i64 │ key length u32 │ value length u32 │ key │ value
//! mark    kind u8 │ offset i64 │ written at i64 │ section length u64 │ CRC-32C u32
//! ```
//!
//! Numbers are little-endian. A section is all changes between two marks; the CRC covers it and the
//! mark before the CRC.

use std::io::{self, Read};

/// A change of a store, in the very bytes of its changelog.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change<'r> {
    /// The key.
    pub key: &'r [u8],
    /// The value; `None` deletes the key.
    pub value: Option<&'r [u8]>,
    /// The record's timestamp.
    pub timestamp_ms: i64,
}

/// A place in a log up to which it is whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// The offset of the changelog from which on the log knows nothing.
    pub offset: i64,
    /// A time before which nothing was written to the changelog from that offset on.
    pub at_ms: i64,
}

const TOMBSTONE: u8 = 0;
const VALUE: u8 = 1;
const MARK: u8 = 2;

/// How long a change is without its key and value.
const CHANGE_BYTES: usize = 1 + 8 + 4 + 4;

/// How long a mark is after its kind, up to its CRC.
const MARK_BYTES: usize = 8 + 8 + 8;

impl Change<'_> {
    /// Appends the change.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        let value = self.value.unwrap_or_default();
        out.reserve(CHANGE_BYTES + self.key.len() + value.len());
        out.push(if self.value.is_some() { VALUE } else { TOMBSTONE });
        out.extend_from_slice(&self.timestamp_ms.to_le_bytes());
        // Records of Kafka are no longer than an i32 can tell.
        out.extend_from_slice(&(self.key.len() as u32).to_le_bytes());
        out.extend_from_slice(&(value.len() as u32).to_le_bytes());
        out.extend_from_slice(self.key);
        out.extend_from_slice(value);
    }
}

impl Mark {
    /// Appends the mark of a section of so many bytes with this CRC.
    pub(super) fn write(&self, (bytes, crc): (u64, u32), out: &mut Vec<u8>) {
        let start = out.len();
        out.push(MARK);
        out.extend_from_slice(&self.offset.to_le_bytes());
        out.extend_from_slice(&self.at_ms.to_le_bytes());
        out.extend_from_slice(&bytes.to_le_bytes());
        let crc = crc32c::crc32c_append(crc, &out[start..]);
        out.extend_from_slice(&crc.to_le_bytes());
    }
}

/// A frame of a log.
pub(super) enum Frame<'r> {
    /// A change. Whether it is intact, the mark after it tells.
    Change(Change<'r>),
    /// A mark whose section is intact.
    Mark(Mark),
}

/// Reads frames one by one, and keeps one of them in memory at a time.
pub(super) struct Frames<R> {
    input: R,
    /// How many bytes are left to be read.
    left: u64,
    /// How many bytes were read.
    pub(super) position: u64,
    section: u64,
    crc: u32,
    buffer: Vec<u8>,
}

impl<R: Read> Frames<R> {
    /// Reads at most `bytes` of `input`, which begins with a section.
    pub(super) fn new(input: R, bytes: u64) -> Self {
        Self { input, left: bytes, position: 0, section: 0, crc: 0, buffer: Vec::new() }
    }

    /// The next frame; `None` at the end, and where no frame can be.
    pub(super) fn next(&mut self) -> io::Result<Option<Frame<'_>>> {
        let Some([kind]) = self.array::<1>()? else { return Ok(None) };
        match kind {
            TOMBSTONE | VALUE => self.change(kind),
            MARK => self.mark(),
            _ => Ok(None),
        }
    }

    fn change(&mut self, kind: u8) -> io::Result<Option<Frame<'_>>> {
        let Some(timestamp) = self.array::<8>()? else { return Ok(None) };
        let Some(key_bytes) = self.array::<4>()? else { return Ok(None) };
        let Some(value_bytes) = self.array::<4>()? else { return Ok(None) };
        let timestamp_ms = i64::from_le_bytes(timestamp);
        let key_bytes = u32::from_le_bytes(key_bytes);
        let value_bytes = u32::from_le_bytes(value_bytes);
        let bytes = u64::from(key_bytes) + u64::from(value_bytes);
        if bytes > self.left || (kind == TOMBSTONE && value_bytes > 0) {
            return Ok(None);
        }
        self.buffer.resize(bytes as usize, 0);
        self.input.read_exact(&mut self.buffer)?;
        self.crc = crc32c::crc32c_append(self.crc, &self.buffer);
        self.count(bytes);
        self.section += CHANGE_BYTES as u64 + bytes;
        let (key, value) = self.buffer.split_at(key_bytes as usize);
        let value = (kind == VALUE).then_some(value);
        Ok(Some(Frame::Change(Change { key, value, timestamp_ms })))
    }

    fn mark(&mut self) -> io::Result<Option<Frame<'_>>> {
        let Some(fields) = self.array::<MARK_BYTES>()? else { return Ok(None) };
        let crc = std::mem::take(&mut self.crc);
        let Some(written_crc) = self.array::<4>()? else { return Ok(None) };
        self.crc = 0;
        let number = |at: usize| fields[at..].first_chunk().copied().unwrap_or_default();
        let section = std::mem::take(&mut self.section);
        if u32::from_le_bytes(written_crc) != crc || u64::from_le_bytes(number(16)) != section {
            return Ok(None);
        }
        let (offset, at_ms) = (i64::from_le_bytes(number(0)), i64::from_le_bytes(number(8)));
        Ok(Some(Frame::Mark(Mark { offset, at_ms })))
    }

    fn array<const N: usize>(&mut self) -> io::Result<Option<[u8; N]>> {
        let mut bytes = [0; N];
        if self.left < N as u64 {
            return Ok(None);
        }
        self.input.read_exact(&mut bytes)?;
        self.crc = crc32c::crc32c_append(self.crc, &bytes);
        self.count(N as u64);
        Ok(Some(bytes))
    }

    fn count(&mut self, bytes: u64) {
        self.left -= bytes;
        self.position += bytes;
    }
}
