//! Rows that wait to be put in the order of their time.

use std::collections::BTreeMap;

/// How long what stands before the key is.
const PREFIX_BYTES: usize = 20;

/// Rows by their time, then by the record of the source that they come from, so that none is there twice.
///
/// In a changelog a row stands under `time (8 bytes) · partition (4 bytes) · offset (8 bytes) · key`.
#[derive(Debug, Default)]
pub struct HeldRowsStore {
    rows: BTreeMap<HeldPlace, HeldRow>,
}

/// Where a row stands among those that wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct HeldPlace {
    /// Its time.
    pub time_ms: i64,
    /// The partition of its record.
    pub partition: i32,
    /// The offset of its record.
    pub offset: i64,
}

/// A row that waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldRow {
    /// Its key.
    pub key: Box<[u8]>,
    /// What it is.
    pub bytes: Box<[u8]>,
}

impl HeldPlace {
    /// Writes the key of a row's record in a changelog over `out`.
    pub fn write(self, key: &[u8], out: &mut Vec<u8>) {
        out.clear();
        out.extend_from_slice(&self.time_ms.to_be_bytes());
        out.extend_from_slice(&self.partition.to_be_bytes());
        out.extend_from_slice(&self.offset.to_be_bytes());
        out.extend_from_slice(key);
    }

    /// Reads it back, with the key that follows; `None` if it is too short.
    fn read(bytes: &[u8]) -> Option<(Self, &[u8])> {
        let (prefix, key) = bytes.split_first_chunk::<PREFIX_BYTES>()?;
        let (time, rest) = prefix.split_first_chunk()?;
        let (partition, rest) = rest.split_first_chunk()?;
        let offset = rest.first_chunk()?;
        let place = Self {
            time_ms: i64::from_be_bytes(*time),
            partition: i32::from_be_bytes(*partition),
            offset: i64::from_be_bytes(*offset),
        };
        Some((place, key))
    }
}

impl HeldRowsStore {
    /// Lets a row wait; it takes the place of itself.
    pub fn put(&mut self, place: HeldPlace, key: &[u8], bytes: &[u8]) {
        self.rows.insert(place, HeldRow { key: key.into(), bytes: bytes.into() });
    }

    /// The row at a place.
    pub fn get(&self, place: HeldPlace) -> Option<&HeldRow> {
        self.rows.get(&place)
    }

    /// Takes out the first row, if its time is `until_ms` or before.
    pub fn pop_until(&mut self, until_ms: i64) -> Option<(HeldPlace, HeldRow)> {
        let first = self.rows.first_entry()?;
        (first.key().time_ms <= until_ms).then(|| first.remove_entry())
    }

    /// The time of the last row.
    pub fn newest_ms(&self) -> Option<i64> {
        self.rows.last_key_value().map(|(place, _)| place.time_ms)
    }

    /// Takes back the record of a changelog with this key, and what its row is, or that it is gone. False if the key is
    /// none.
    pub fn restore(&mut self, key: &[u8], bytes: Option<&[u8]>) -> bool {
        let Some((place, key)) = HeldPlace::read(key) else { return false };
        match bytes {
            None => {
                self.rows.remove(&place);
            }
            Some(bytes) => self.put(place, key, bytes),
        }
        true
    }

    /// How many rows wait.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether none does.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(time_ms: i64, partition: i32, offset: i64) -> HeldPlace {
        HeldPlace { time_ms, partition, offset }
    }

    fn popped(store: &mut HeldRowsStore, until_ms: i64) -> Vec<(i64, u8)> {
        std::iter::from_fn(|| store.pop_until(until_ms))
            .map(|(place, row)| (place.time_ms, row.bytes[0]))
            .collect()
    }

    #[test]
    fn rows_come_out_by_time_and_then_as_they_are_in_their_topic() {
        let mut store = HeldRowsStore::default();
        let rows = [(5, 1, 0), (-3, 0, 1), (5, 0, 12), (5, 0, 2), (4, 0, 3), (9, 0, 4), (5, 0, 12)];
        for (number, (time_ms, partition, offset)) in rows.into_iter().enumerate() {
            store.put(place(time_ms, partition, offset), b"k", &[number as u8]);
        }
        assert_eq!((store.newest_ms(), store.len()), (Some(9), 6));
        assert_eq!(popped(&mut store, 5), [(-3, 1), (4, 4), (5, 3), (5, 6), (5, 0)]);
        assert_eq!((popped(&mut store, 8), store.len()), (vec![], 1));
    }

    #[test]
    fn what_a_changelog_says_is_taken_back() {
        let mut store = HeldRowsStore::default();
        let mut key = Vec::new();
        for time_ms in [3, -1] {
            place(time_ms, 7, i64::MAX).write(b"a key", &mut key);
            assert!(store.restore(&key, Some(&[1])));
        }
        assert!(store.restore(&key, None));
        assert!(!store.restore(b"too short", None));
        let row = HeldRow { key: (*b"a key").into(), bytes: [1].into() };
        assert_eq!(store.pop_until(3), Some((place(3, 7, i64::MAX), row)));
        assert!(store.is_empty());
    }
}
