//! The last rows of each key.

use std::collections::{BTreeSet, VecDeque};

use super::KeyIndex;

/// The last rows of each key, as bytes that the store does not look into.
///
/// Rows of a key are numbered from 0 on. In a changelog a row stands under its place in a ring of as many places as rows
/// are kept, so that it takes that of the row which leaves:
///
/// ```text
/// number  4 5 6 7        place = number mod 4
/// place   0 1 2 3        row 8 takes place 0, and row 4 is gone
/// ```
#[derive(Debug)]
pub struct LastRowsStore {
    depth: u32,
    index: KeyIndex,
    /// By the slots of their keys.
    rows: Vec<KeyRows>,
    /// The slots by the time of their last rows, where that is asked for.
    by_time: Option<BTreeSet<(i64, u32)>>,
    len: usize,
}

/// The rows of one key, oldest first, and the number of the next.
#[derive(Debug, Default)]
struct KeyRows {
    rows: VecDeque<LastRow>,
    next: i64,
}

/// A row that is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastRow {
    /// Which of the rows of its key it is.
    pub number: i64,
    /// Its time.
    pub time_ms: i64,
    /// What it is.
    pub bytes: Box<[u8]>,
}

impl LastRowsStore {
    /// A store that keeps so many rows of each key, at least one.
    pub fn new(depth: usize) -> Self {
        let depth = u32::try_from(depth).unwrap_or(u32::MAX).max(1);
        Self { depth, index: KeyIndex::default(), rows: Vec::new(), by_time: None, len: 0 }
    }

    /// The same, which knows whose last row is the oldest.
    #[must_use]
    pub fn by_time(self) -> Self {
        Self { by_time: Some(BTreeSet::new()), ..self }
    }

    /// The slot of a key, which stays with it while it has rows, and whether it is new.
    pub fn enter(&mut self, key: &[u8]) -> (u32, bool) {
        let (slot, is_new) = self.index.insert(key);
        if self.rows.len() <= slot as usize {
            self.rows.resize_with(slot as usize + 1, KeyRows::default);
        }
        (slot, is_new)
    }

    /// The key in a slot.
    pub fn key(&self, slot: u32) -> &[u8] {
        self.index.key(slot)
    }

    /// The time of the last row of a key.
    pub fn newest_ms(&self, slot: u32) -> Option<i64> {
        self.of(slot).rows.back().map(|row| row.time_ms)
    }

    /// The number of the next row of a key.
    pub fn next_number(&self, slot: u32) -> i64 {
        self.of(slot).next
    }

    /// A row of a key, if it is kept.
    pub fn row(&self, slot: u32, number: i64) -> Option<&LastRow> {
        self.from(slot, number).next().filter(|row| row.number == number)
    }

    /// The rows of a key from a number on, oldest first.
    pub fn from(&self, slot: u32, number: i64) -> impl Iterator<Item = &LastRow> {
        let rows = &self.of(slot).rows;
        rows.range(rows.partition_point(|row| row.number < number)..)
    }

    /// Where a row stands in the ring of its key.
    pub fn place(&self, number: i64) -> u32 {
        number.rem_euclid(i64::from(self.depth)) as u32
    }

    /// Writes the key of a row's record in a changelog over `out`: that of the row, and its place.
    pub fn write_key(&self, slot: u32, number: i64, out: &mut Vec<u8>) {
        out.clear();
        out.extend_from_slice(self.key(slot));
        out.extend_from_slice(&self.place(number).to_be_bytes());
    }

    /// Keeps a row as the last of its key, and forgets the one whose place it takes.
    pub fn push(&mut self, slot: u32, time_ms: i64, bytes: &[u8]) {
        let number = self.next_number(slot);
        self.put(slot, LastRow { number, time_ms, bytes: bytes.into() });
    }

    /// Keeps a row under its number. One with the number of another takes its place.
    pub fn put(&mut self, slot: u32, row: LastRow) {
        let Some(of) = self.rows.get_mut(slot as usize) else { return };
        of.next = of.next.max(row.number.saturating_add(1));
        let first = of.next.saturating_sub(i64::from(self.depth));
        if row.number < first {
            return;
        }
        let newest_ms = of.rows.back().map(|row| row.time_ms);
        let at = of.rows.partition_point(|other| other.number < row.number);
        match of.rows.get_mut(at) {
            Some(same) if same.number == row.number => *same = row,
            _ => {
                of.rows.insert(at, row);
                self.len += 1;
            }
        }
        while of.rows.pop_front_if(|row| row.number < first).is_some() {
            self.len -= 1;
        }
        self.note_time(slot, newest_ms);
    }

    /// Notes the time of the last row of a key, which was another one before.
    fn note_time(&mut self, slot: u32, before_ms: Option<i64>) {
        let newest_ms = self.newest_ms(slot);
        let Some(by_time) = self.by_time.as_mut().filter(|_| newest_ms != before_ms) else {
            return;
        };
        if let Some(before_ms) = before_ms {
            by_time.remove(&(before_ms, slot));
        }
        by_time.extend(newest_ms.map(|newest_ms| (newest_ms, slot)));
    }

    /// The time of the last row of all, where keys are known by it.
    pub fn latest_ms(&self) -> Option<i64> {
        self.by_time.as_ref()?.last().map(|(time_ms, _)| *time_ms)
    }

    /// The key whose last row is the oldest of all, if it is older than this.
    pub fn first_before(&self, time_ms: i64) -> Option<u32> {
        let (first_ms, slot) = self.by_time.as_ref()?.first()?;
        (*first_ms < time_ms).then_some(*slot)
    }

    /// Forgets the rows of a key.
    pub fn forget(&mut self, slot: u32) {
        let Some(of) = self.rows.get_mut(slot as usize) else { return };
        let newest_ms = of.rows.back().map(|row| row.time_ms);
        self.len -= of.rows.len();
        *of = KeyRows::default();
        self.note_time(slot, newest_ms);
        self.index.remove(slot);
    }

    /// Forgets the row of a key in a place of its ring.
    pub fn remove(&mut self, key: &[u8], place: u32) {
        let depth = i64::from(self.depth);
        let Some(slot) = self.index.find(key) else { return };
        let Some(of) = self.rows.get_mut(slot as usize) else { return };
        let (before, newest_ms) = (of.rows.len(), of.rows.back().map(|row| row.time_ms));
        of.rows.retain(|row| row.number.rem_euclid(depth) != i64::from(place));
        self.len -= before - of.rows.len();
        let is_empty = of.rows.is_empty();
        self.note_time(slot, newest_ms);
        if is_empty {
            self.forget(slot);
        }
    }

    /// How many rows are kept.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        let by_time = self.by_time.as_ref().map(|_| BTreeSet::new());
        *self = Self { by_time, ..Self::new(self.depth as usize) };
    }

    fn of(&self, slot: u32) -> &KeyRows {
        &self.rows[slot as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(store: &LastRowsStore, slot: u32) -> Vec<i64> {
        store.from(slot, i64::MIN).map(|row| row.number).collect()
    }

    #[test]
    fn as_many_rows_of_each_key_are_kept_as_it_is_deep() {
        let mut store = LastRowsStore::new(3);
        let ((a, _), (b, _)) = (store.enter(b"a"), store.enter(b"b"));
        for time_ms in 0..5 {
            store.push(a, time_ms, &[time_ms as u8]);
        }
        store.push(b, 9, &[]);
        assert_eq!((numbers(&store, a), numbers(&store, b)), (vec![2, 3, 4], vec![0]));
        assert_eq!((store.newest_ms(a), store.next_number(a), store.len()), (Some(4), 5, 4));
        assert_eq!(store.row(a, 3).map(|row| &*row.bytes), Some(&[3][..]));
        assert_eq!((store.row(a, 1), store.row(a, 5)), (None, None));
        assert_eq!(store.place(4), 1);
    }

    #[test]
    fn rows_are_put_back_in_whatever_order() {
        let mut store = LastRowsStore::new(3);
        let (slot, _) = store.enter(b"a");
        for number in [6, 4, 5, 3, 5, 7] {
            store.put(slot, LastRow { number, time_ms: number, bytes: [].into() });
        }
        assert_eq!((numbers(&store, slot), store.len()), (vec![5, 6, 7], 3));
        assert_eq!((store.next_number(slot), store.newest_ms(slot)), (8, Some(7)));
    }

    #[test]
    fn a_key_is_known_by_the_time_of_its_last_row() {
        let mut store = LastRowsStore::new(2).by_time();
        let ((a, _), (b, _)) = (store.enter(b"a"), store.enter(b"b"));
        for (slot, time_ms) in [(a, 1), (b, 5), (a, 7), (a, 7)] {
            store.push(slot, time_ms, &[]);
        }
        assert_eq!((store.first_before(5), store.first_before(6)), (None, Some(b)));
        assert_eq!(store.latest_ms(), Some(7));
        store.forget(b);
        assert_eq!((store.first_before(99), store.len()), (Some(a), 2));
        store.remove(b"a", 1);
        assert_eq!((store.first_before(99), store.latest_ms()), (Some(a), Some(7)));
        store.remove(b"a", 0);
        assert_eq!((store.first_before(99), store.latest_ms()), (None, None));
        store.put(a, LastRow { number: 3, time_ms: 2, bytes: [].into() });
        assert_eq!((store.first_before(3), store.next_number(a)), (Some(a), 4));
    }

    #[test]
    fn a_key_without_rows_takes_no_memory() {
        let mut store = LastRowsStore::new(2);
        let (slot, _) = store.enter(b"a");
        store.push(slot, 1, &[]);
        store.push(slot, 2, &[]);
        store.remove(b"a", 0);
        store.remove(b"b", 0);
        assert_eq!(numbers(&store, slot), [1]);
        store.remove(b"a", 1);
        assert_eq!((store.len(), store.enter(b"c")), (0, (slot, true)));
        assert_eq!(store.next_number(slot), 0);
    }
}
