//! The record walker: one pass over a batch, every field a slice of it.
use super::{BatchHeader, RecordError, varint};

/// A record that borrows from its batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordRef<'a> {
    /// The place of the record in its partition.
    pub offset: i64,
    /// Milliseconds since the epoch: the producer's, or the time of the append where the topic says so.
    pub timestamp: i64,
    /// The key; null and empty differ.
    pub key: Option<&'a [u8]>,
    /// The value; null is a tombstone.
    pub value: Option<&'a [u8]>,
    /// The headers, in order.
    pub headers: HeadersRef<'a>,
}

/// Iterates over the records of a batch; after an error the iteration ends.
#[derive(Debug, Clone)]
pub struct Records<'a> {
    rest: &'a [u8],
    count: i32,
    base_offset: i64,
    base_timestamp: i64,
    append_time: Option<i64>,
}

/// A place between the records of a batch, from which they can be walked on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordPlace {
    bytes_left: usize,
    records_left: i32,
}

impl<'a> Records<'a> {
    /// Where the next record begins.
    pub fn place(&self) -> RecordPlace {
        RecordPlace { bytes_left: self.rest.len(), records_left: self.count }
    }

    /// The records from a place of the same batch on.
    #[must_use]
    pub fn from(mut self, place: RecordPlace) -> Self {
        let start = self.rest.len().saturating_sub(place.bytes_left);
        (self.rest, self.count) = (&self.rest[start..], place.records_left);
        self
    }

    pub(super) fn new(header: &BatchHeader, records: &'a [u8]) -> Self {
        Self {
            rest: records,
            count: header.record_count,
            base_offset: header.base_offset,
            base_timestamp: header.base_timestamp,
            append_time: header.is_log_append_time().then_some(header.max_timestamp),
        }
    }

    #[inline]
    fn record(&mut self) -> Option<RecordRef<'a>> {
        let length = varint::read_i32(&mut self.rest)?;
        let (mut body, rest) = self.rest.split_at_checked(usize::try_from(length).ok()?)?;
        self.rest = rest;
        let (_attributes, after) = body.split_first()?;
        body = after;
        let timestamp_delta = varint::read_i64(&mut body)?;
        let offset_delta = varint::read_i32(&mut body)?;
        let key = read_bytes(&mut body)?;
        let value = read_bytes(&mut body)?;
        let count = varint::read_i32(&mut body)?;
        let headers = HeadersRef { count: u32::try_from(count).ok()?, bytes: body };
        if count != 0 || !body.is_empty() {
            headers.check()?;
        }
        Some(RecordRef {
            offset: self.base_offset.wrapping_add(i64::from(offset_delta)),
            timestamp: self
                .append_time
                .unwrap_or_else(|| self.base_timestamp.wrapping_add(timestamp_delta)),
            key,
            value,
            headers,
        })
    }

    #[cold]
    fn malformed(&mut self, what: &'static str) -> RecordError {
        (self.count, self.rest) = (0, &[]);
        RecordError::Malformed { offset: self.base_offset, what }
    }
}

impl<'a> Iterator for Records<'a> {
    type Item = Result<RecordRef<'a>, RecordError>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        if self.count <= 0 {
            let what = "bytes follow its last record";
            return (!self.rest.is_empty()).then(|| Err(self.malformed(what)));
        }
        self.count -= 1;
        match self.record() {
            Some(record) => Some(Ok(record)),
            None => Some(Err(self.malformed("a record's lengths do not fit its bytes"))),
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        // A record takes seven bytes at least, so a wrong count cannot ask for more memory than that.
        (0, Some((self.count.max(0) as usize).min(self.rest.len() / 7 + 1)))
    }
}

/// Reads a length and as many bytes; a length of -1 is null.
#[inline]
#[expect(clippy::option_option, reason = "the outer option says malformed, the inner one null")]
fn read_bytes<'a>(bytes: &mut &'a [u8]) -> Option<Option<&'a [u8]>> {
    let length = varint::read_i32(bytes)?;
    if length < 0 {
        return (length == -1).then_some(None);
    }
    let (value, rest) = bytes.split_at_checked(length as usize)?;
    *bytes = rest;
    Some(Some(value))
}

/// One header of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeaderRef<'a> {
    /// The name, UTF-8 unless a producer did as it liked.
    pub key: &'a [u8],
    /// The value; null and empty differ.
    pub value: Option<&'a [u8]>,
}

/// The headers of a record, as they were encoded: duplicates, empty and null values are all there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct HeadersRef<'a> {
    count: u32,
    bytes: &'a [u8],
}

impl<'a> HeadersRef<'a> {
    /// No headers.
    pub const EMPTY: HeadersRef<'static> = HeadersRef { count: 0, bytes: &[] };

    /// How many headers there are.
    pub fn len(self) -> usize {
        self.count as usize
    }

    /// Whether there are none.
    pub fn is_empty(self) -> bool {
        self.count == 0
    }

    /// Iterates over the headers in order.
    pub fn iter(self) -> HeadersIter<'a> {
        HeadersIter { rest: self.bytes }
    }

    /// The encoded headers, without their count.
    pub fn encoded(self) -> &'a [u8] {
        self.bytes
    }

    fn check(self) -> Option<()> {
        let mut rest = self.bytes;
        for _ in 0..self.count {
            read_header(&mut rest)?;
        }
        rest.is_empty().then_some(())
    }
}

impl<'a> IntoIterator for HeadersRef<'a> {
    type Item = HeaderRef<'a>;
    type IntoIter = HeadersIter<'a>;

    fn into_iter(self) -> HeadersIter<'a> {
        self.iter()
    }
}

/// Iterates over the headers of a record.
#[derive(Debug, Clone)]
pub struct HeadersIter<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for HeadersIter<'a> {
    type Item = HeaderRef<'a>;

    fn next(&mut self) -> Option<HeaderRef<'a>> {
        read_header(&mut self.rest)
    }
}

fn read_header<'a>(bytes: &mut &'a [u8]) -> Option<HeaderRef<'a>> {
    let key = read_bytes(bytes)??;
    Some(HeaderRef { key, value: read_bytes(bytes)? })
}

/// Headers to be written, encoded as they are added.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Headers {
    count: u32,
    bytes: Vec<u8>,
}

impl Headers {
    /// No headers yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a header behind the others, also if one has the same key.
    pub fn push(&mut self, key: &[u8], value: Option<&[u8]>) {
        self.count += 1;
        varint::write(&mut self.bytes, key.len() as i64);
        self.bytes.extend_from_slice(key);
        varint::write(&mut self.bytes, value.map_or(-1, |value| value.len() as i64));
        self.bytes.extend_from_slice(value.unwrap_or_default());
    }

    /// The headers, to be read or written.
    pub fn as_ref(&self) -> HeadersRef<'_> {
        HeadersRef { count: self.count, bytes: &self.bytes }
    }

    /// Removes all headers and keeps the memory.
    pub fn clear(&mut self) {
        self.count = 0;
        self.bytes.clear();
    }
}

impl<'a> FromIterator<(&'a [u8], Option<&'a [u8]>)> for Headers {
    fn from_iter<I: IntoIterator<Item = (&'a [u8], Option<&'a [u8]>)>>(headers: I) -> Self {
        let mut all = Self::new();
        headers.into_iter().for_each(|(key, value)| all.push(key, value));
        all
    }
}
