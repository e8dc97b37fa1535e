//! Rows that wait to be put in the order of their time.

use std::collections::BTreeMap;

/// How long the time and the number before the key are.
const PREFIX_BYTES: usize = 16;

/// Rows by their time, then in the order in which they came.
///
/// In a changelog a row stands under `time (8 bytes) · number (8 bytes) · key`.
#[derive(Debug, Default)]
pub struct HeldRowsStore {
    rows: BTreeMap<(i64, i64), HeldRow>,
    next: i64,
}

/// A row that waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldRow {
    /// Its time.
    pub time_ms: i64,
    /// Which of all rows it is.
    pub number: i64,
    /// Its key.
    pub key: Box<[u8]>,
    /// What it is.
    pub bytes: Box<[u8]>,
}

impl HeldRow {
    /// Writes the key of its record in a changelog over `out`.
    pub fn write_key(&self, out: &mut Vec<u8>) {
        out.clear();
        out.extend_from_slice(&self.time_ms.to_be_bytes());
        out.extend_from_slice(&self.number.to_be_bytes());
        out.extend_from_slice(&self.key);
    }
}

impl HeldRowsStore {
    /// Lets a row wait; gives it back with its number.
    pub fn push(&mut self, time_ms: i64, key: &[u8], bytes: &[u8]) -> &HeldRow {
        let number = self.next;
        self.next = number.saturating_add(1);
        let row = HeldRow { time_ms, number, key: key.into(), bytes: bytes.into() };
        self.rows.entry((time_ms, number)).insert_entry(row).into_mut()
    }

    /// Takes out the first row, if its time is `until_ms` or before.
    pub fn pop_until(&mut self, until_ms: i64) -> Option<HeldRow> {
        let first = self.rows.first_entry()?;
        (first.key().0 <= until_ms).then(|| first.remove())
    }

    /// The time of the last row.
    pub fn newest_ms(&self) -> Option<i64> {
        self.rows.last_key_value().map(|((time_ms, _), _)| *time_ms)
    }

    /// Takes back the record of a changelog with this key, and what its row is, or that it is gone. False if the key is
    /// none.
    pub fn restore(&mut self, key: &[u8], bytes: Option<&[u8]>) -> bool {
        let Some((prefix, key)) = key.split_first_chunk::<PREFIX_BYTES>() else { return false };
        let Some((time, number)) = prefix.split_first_chunk::<8>() else { return false };
        let Some(number) = number.first_chunk::<8>() else { return false };
        let (time_ms, number) = (i64::from_be_bytes(*time), i64::from_be_bytes(*number));
        self.next = self.next.max(number.saturating_add(1));
        match bytes {
            None => {
                self.rows.remove(&(time_ms, number));
            }
            Some(bytes) => {
                let row = HeldRow { time_ms, number, key: key.into(), bytes: bytes.into() };
                self.rows.insert((time_ms, number), row);
            }
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

    fn popped(store: &mut HeldRowsStore, until_ms: i64) -> Vec<(i64, u8)> {
        std::iter::from_fn(|| store.pop_until(until_ms))
            .map(|row| (row.time_ms, row.bytes[0]))
            .collect()
    }

    #[test]
    fn rows_come_out_by_time_and_then_as_they_came() {
        let mut store = HeldRowsStore::default();
        for (time_ms, byte) in [(5, 0), (-3, 1), (5, 2), (4, 3), (9, 4)] {
            store.push(time_ms, b"k", &[byte]);
        }
        assert_eq!(store.newest_ms(), Some(9));
        assert_eq!(popped(&mut store, 5), [(-3, 1), (4, 3), (5, 0), (5, 2)]);
        assert_eq!((popped(&mut store, 8), store.len()), (vec![], 1));
    }

    #[test]
    fn what_a_changelog_says_is_taken_back() {
        let (mut store, mut restored) = (HeldRowsStore::default(), HeldRowsStore::default());
        let mut key = Vec::new();
        for time_ms in [3, -1] {
            store.push(time_ms, b"a key", &[1]).write_key(&mut key);
            assert!(restored.restore(&key, Some(&[1])));
        }
        assert!(restored.restore(&key, None));
        assert!(!restored.restore(b"short", None));
        let row = HeldRow { time_ms: 3, number: 0, key: (*b"a key").into(), bytes: [1].into() };
        assert_eq!(restored.pop_until(3), Some(row));
        assert_eq!((restored.len(), restored.push(0, b"", &[]).number), (0, 2));
    }
}
