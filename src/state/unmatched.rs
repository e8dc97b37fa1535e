//! The rows of an outer stream–stream join that wait for one of the other side.
//!
//! What is kept is what the changelog holds, byte for byte as Kafka Streams writes it
//! (`TimestampedKeyAndJoinSide`, a list of `LeftOrRightValue`), which also gives the order:
//!
//! ```text
//! key:   time (8 bytes) · 1 for this side, 0 for the other · key
//! value: 1 · count (4 bytes) · for each row: length (4 bytes) · side (1 byte) · row
//! ```

use std::collections::BTreeMap;

/// A side of a join.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JoinSide {
    /// The one that Kafka Streams calls "this", or the left one: port 0.
    This,
    /// The other one: port 1.
    Other,
}

impl JoinSide {
    /// The side across.
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::This => Self::Other,
            Self::Other => Self::This,
        }
    }

    /// What belongs to this side, then what belongs to the one across.
    #[must_use]
    pub fn near_and_far<T>(self, this: T, other: T) -> (T, T) {
        match self {
            Self::This => (this, other),
            Self::Other => (other, this),
        }
    }

    fn byte(self) -> u8 {
        u8::from(self == Self::This)
    }

    fn of(byte: u8) -> Self {
        if byte == Self::This.byte() { Self::This } else { Self::Other }
    }
}

/// Under which key a row waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnmatchedKey<'k> {
    /// Its time.
    pub time_ms: i64,
    /// Its side.
    pub side: JoinSide,
    /// The bytes of its key.
    pub key: &'k [u8],
}

impl<'k> UnmatchedKey<'k> {
    /// Writes the key of the store in place of what `out` holds.
    pub fn write(&self, out: &mut Vec<u8>) {
        out.clear();
        out.extend_from_slice(&self.time_ms.to_be_bytes());
        out.push(self.side.byte());
        out.extend_from_slice(self.key);
    }

    /// Reads a key of the store; `None` if it is too short to be one.
    pub fn read(bytes: &'k [u8]) -> Option<Self> {
        let (time, rest) = bytes.split_first_chunk::<8>()?;
        let (side, key) = rest.split_first()?;
        Some(Self { time_ms: i64::from_be_bytes(*time), side: JoinSide::of(*side), key })
    }
}

/// What waits under one key.
#[derive(Debug)]
pub struct Unmatched {
    /// The key of the store.
    pub key: Box<[u8]>,
    list: Vec<u8>,
}

/// What a list of values of any length begins with, as Kafka's `ListSerializer` has it.
const VARIABLE_SIZE: u8 = 1;

/// Where the rows of a list begin, behind their count.
const ROWS_START: usize = 5;

impl Unmatched {
    /// The rows, in the order in which they came.
    pub fn rows(&self) -> impl Iterator<Item = &[u8]> {
        let mut rest = self.list.get(ROWS_START..).unwrap_or_default();
        std::iter::from_fn(move || {
            let (len, bytes) = rest.split_first_chunk::<4>()?;
            let (value, after) = bytes.split_at_checked(u32::from_be_bytes(*len) as usize)?;
            rest = after;
            value.get(1..)
        })
    }
}

/// Rows that wait, by time, then side, then key.
#[derive(Debug, Default)]
pub struct UnmatchedStore {
    lists: BTreeMap<Box<[u8]>, Vec<u8>>,
}

impl UnmatchedStore {
    /// Adds a row to those that wait under a key of the store; gives the value that the changelog
    /// now has.
    pub fn add(&mut self, store_key: &[u8], side: JoinSide, row: &[u8]) -> &[u8] {
        let empty = || {
            let mut list = Vec::with_capacity(2 * ROWS_START + row.len());
            list.extend_from_slice(&[VARIABLE_SIZE, 0, 0, 0, 0]);
            list
        };
        let list = self.lists.entry(store_key.into()).or_insert_with(empty);
        if let Some(count) = list.get_mut(1..).and_then(<[u8]>::first_chunk_mut::<4>) {
            *count = u32::from_be_bytes(*count).wrapping_add(1).to_be_bytes();
        }
        list.extend_from_slice(&(row.len() as u32 + 1).to_be_bytes());
        list.push(side.byte());
        list.extend_from_slice(row);
        list
    }

    /// Takes out all that waits under a key of the store. Whether anything did.
    pub fn remove(&mut self, store_key: &[u8]) -> bool {
        self.lists.remove(store_key).is_some()
    }

    /// When the first row that waits came.
    pub fn first_time(&self) -> Option<i64> {
        let (key, _) = self.lists.first_key_value()?;
        UnmatchedKey::read(key).map(|key| key.time_ms)
    }

    /// Takes out what waits under the first key.
    pub fn pop_first(&mut self) -> Option<Unmatched> {
        self.lists.pop_first().map(|(key, list)| Unmatched { key, list })
    }

    /// Takes back a record of the changelog. Gives false where it cannot be one.
    pub fn restore(&mut self, store_key: &[u8], list: Option<&[u8]>) -> bool {
        if UnmatchedKey::read(store_key).is_none() {
            return false;
        }
        match list {
            None => drop(self.lists.remove(store_key)),
            Some(list) if list.len() < ROWS_START => return false,
            Some(list) => drop(self.lists.insert(store_key.into(), list.to_vec())),
        }
        true
    }

    /// How many keys there are under which rows wait.
    pub fn len(&self) -> usize {
        self.lists.len()
    }

    /// Whether no row waits.
    pub fn is_empty(&self) -> bool {
        self.lists.is_empty()
    }

    /// Forgets all rows.
    pub fn clear(&mut self) {
        self.lists.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(time_ms: i64, side: JoinSide, key: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        UnmatchedKey { time_ms, side, key }.write(&mut bytes);
        bytes
    }

    #[test]
    fn keys_and_lists_are_kafka_streams_own() {
        let mut store = UnmatchedStore::default();
        let store_key = key(258, JoinSide::This, b"k");
        assert_eq!(store_key, b"\0\0\0\0\0\0\x01\x02\x01k");
        assert_eq!(store.add(&store_key, JoinSide::This, b"{}"), b"\x01\0\0\0\x01\0\0\0\x03\x01{}");
        let list = store.add(&store_key, JoinSide::This, b"");
        assert_eq!(list, b"\x01\0\0\0\x02\0\0\0\x03\x01{}\0\0\0\x01\x01");
        let list = list.to_vec();
        let mut restored = UnmatchedStore::default();
        assert!(restored.restore(&store_key, Some(&list)));
        let unmatched = restored.pop_first().expect("a row waits");
        assert_eq!(unmatched.rows().collect::<Vec<_>>(), [&b"{}"[..], b""]);
        assert_eq!(*unmatched.key, *store_key);
    }

    #[test]
    fn rows_wait_by_time_then_side_then_key() {
        let mut store = UnmatchedStore::default();
        let order = [
            key(1, JoinSide::Other, b"z"),
            key(1, JoinSide::This, b"a"),
            key(1, JoinSide::This, b"b"),
            key(2, JoinSide::Other, b"a"),
        ];
        for store_key in order.iter().rev() {
            store.add(store_key, JoinSide::This, b"row");
        }
        assert!(!store.remove(&key(1, JoinSide::Other, b"a")));
        let popped: Vec<_> = std::iter::from_fn(|| store.pop_first()).map(|row| row.key).collect();
        assert!(popped.iter().zip(&order).all(|(popped, key)| **popped == **key));
        assert_eq!((popped.len(), store.first_time()), (4, None));
    }

    #[test]
    fn a_record_that_is_none_of_the_changelogs_is_refused() {
        let mut store = UnmatchedStore::default();
        assert!(!store.restore(b"12345678", Some(b"\x01\0\0\0\0")));
        assert!(!store.restore(b"12345678\x01", Some(b"\x01\0\0\0")));
        assert!(store.restore(b"12345678\x01", Some(b"\x01\0\0\0\x01\0\0\0\x09short")));
        assert_eq!(store.pop_first().map(|row| row.rows().count()), Some(0));
        assert!(store.restore(b"12345678\x01", None));
    }
}
