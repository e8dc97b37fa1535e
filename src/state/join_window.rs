//! The rows of one side of a stream–stream join, by key and time.

use std::collections::VecDeque;
use std::ops::RangeInclusive;

use super::KeyIndex;

/// How many spans of time the retention is cut into; one more is held.
///
/// A span is forgotten as a whole, so that as much more is kept than what can be found.
const SPANS: i64 = 8;

/// How large a piece of memory for rows grows, unless one row takes more.
const PAGE_BYTES_MAX: usize = 64 * 1024;

/// How large the first piece is.
const PAGE_BYTES_MIN: usize = 256;

/// Rows by the bytes of their keys, then by time, then in the order in which they came. None
/// replaces another.
///
/// As Kafka Streams' window store that retains duplicates: a row can be found while it is younger
/// than the youngest one that was ever put, less the retention. Rows are bytes that the store does
/// not look into.
#[derive(Debug)]
pub struct JoinWindowStore {
    retention_ms: i64,
    span_ms: i64,
    index: KeyIndex,
    /// By the slots of their keys.
    rows: Vec<VecDeque<StoredRow>>,
    /// In order.
    spans: VecDeque<Span>,
    pages: Pages,
    stream_time: Option<i64>,
    sequence: i32,
    len: usize,
}

/// Which of a key's rows one is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RowPlace {
    /// Its time.
    pub time_ms: i64,
    /// Its number in the store.
    pub sequence: i32,
}

/// Where a row lies.
#[derive(Clone, Copy, Debug)]
struct StoredRow {
    place: RowPlace,
    page: u32,
    start: u32,
}

/// The rows of one span of time: the pages that they lie in, and the slots of their keys.
#[derive(Debug, Default)]
struct Span {
    start_ms: i64,
    pages: Vec<u32>,
    slots: Vec<u32>,
}

/// Memory for the bytes of rows. A page holds rows of one span only.
#[derive(Debug, Default)]
struct Pages {
    pages: Vec<Vec<u8>>,
    free: Vec<u32>,
}

impl Pages {
    /// Copies a row of `span`, and tells in which page it begins, and where.
    fn copy(&mut self, span: &mut Span, row: &[u8]) -> (u32, u32) {
        let last = span.pages.last().copied().unwrap_or(u32::MAX);
        let room = |page: &Vec<u8>| page.capacity() - page.len();
        let page = match self.pages.get(last as usize) {
            Some(page) if room(page) >= row.len() => last,
            before => {
                let before = before.map_or(0, Vec::capacity);
                let capacity = (before * 2).clamp(PAGE_BYTES_MIN, PAGE_BYTES_MAX).max(row.len());
                let page = self.add(capacity);
                span.pages.push(page);
                page
            }
        };
        let bytes = &mut self.pages[page as usize];
        let start = bytes.len();
        bytes.extend_from_slice(row);
        (page, start as u32)
    }

    fn add(&mut self, capacity: usize) -> u32 {
        let page = Vec::with_capacity(capacity);
        if let Some(free) = self.free.pop() {
            self.pages[free as usize] = page;
            return free;
        }
        self.pages.push(page);
        (self.pages.len() - 1) as u32
    }

    /// The bytes from where a row begins.
    #[inline]
    fn bytes(&self, row: &StoredRow) -> &[u8] {
        let page = self.pages.get(row.page as usize);
        page.and_then(|page| page.get(row.start as usize..)).unwrap_or_default()
    }

    fn remove(&mut self, page: u32) {
        self.pages[page as usize] = Vec::new();
        self.free.push(page);
    }
}

impl JoinWindowStore {
    /// A store whose rows can be found for so long.
    pub fn new(retention_ms: i64) -> Self {
        Self {
            retention_ms,
            span_ms: (retention_ms / SPANS).max(1),
            index: KeyIndex::default(),
            rows: Vec::new(),
            spans: VecDeque::new(),
            pages: Pages::default(),
            stream_time: None,
            sequence: 0,
            len: 0,
        }
    }

    /// The number of the next row: one more than that of the last, from 1 on.
    ///
    /// As Kafka Streams', it begins anew after 2³¹ − 1.
    pub fn next_sequence(&mut self) -> i32 {
        self.sequence = self.sequence.wrapping_add(1) & i32::MAX;
        self.sequence
    }

    /// Puts a row. One that could not be found any more is not kept; one with the key, the time and
    /// the number of another replaces it.
    pub fn put(&mut self, key: &[u8], place: RowPlace, row: &[u8]) {
        let stream_time = self.stream_time.map_or(place.time_ms, |time| time.max(place.time_ms));
        self.stream_time = Some(stream_time);
        if place.time_ms < self.oldest() {
            return;
        }
        let (slot, _) = self.index.insert(key);
        if self.rows.len() <= slot as usize {
            self.rows.resize_with(slot as usize + 1, VecDeque::new);
        }
        let span = self.span_of(place.time_ms);
        let span = &mut self.spans[span];
        let (page, start) = self.pages.copy(span, row);
        let stored = StoredRow { place, page, start };
        let rows = &mut self.rows[slot as usize];
        let at = match rows.back() {
            Some(last) if last.place >= place => rows.partition_point(|row| row.place < place),
            _ => rows.len(),
        };
        match rows.get_mut(at) {
            Some(same) if same.place == place => *same = stored,
            _ => {
                rows.insert(at, stored);
                span.slots.push(slot);
                self.len += 1;
            }
        }
    }

    /// Says that a number was given before: rows that are put later have higher ones.
    pub fn observe_sequence(&mut self, sequence: i32) {
        self.sequence = self.sequence.max(sequence);
    }

    /// The rows of `key` within `times_ms` that come after `after`.
    pub fn fetch(
        &self,
        key: &[u8],
        times_ms: RangeInclusive<i64>,
        after: Option<RowPlace>,
    ) -> impl Iterator<Item = (RowPlace, &[u8])> {
        let rows = self.index.find(key).and_then(|slot| self.rows.get(slot as usize));
        let (from_ms, to_ms) = times_ms.into_inner();
        let from_ms = from_ms.max(self.oldest());
        let is_before = move |row: &StoredRow| {
            row.place.time_ms < from_ms || after.is_some_and(|after| row.place <= after)
        };
        let found = rows.map(|rows| rows.range(rows.partition_point(is_before)..));
        let found = found.into_iter().flatten();
        found
            .take_while(move |row| row.place.time_ms <= to_ms)
            .map(|row| (row.place, self.pages.bytes(row)))
    }

    /// The place of the span that a time falls into, which is added if it is not there.
    fn span_of(&mut self, time_ms: i64) -> usize {
        let before = self.spans.iter().rposition(|span| span.start_ms <= time_ms);
        let found =
            before.filter(|at| time_ms.saturating_sub(self.spans[*at].start_ms) < self.span_ms);
        found.unwrap_or_else(|| {
            let at = before.map_or(0, |before| before + 1);
            let start_ms = time_ms.div_euclid(self.span_ms).saturating_mul(self.span_ms);
            self.spans.insert(at, Span { start_ms, ..Span::default() });
            at
        })
    }

    /// The earliest time at which a row can be found.
    fn oldest(&self) -> i64 {
        let oldest = |time: i64| time.saturating_sub(self.retention_ms).saturating_add(1);
        self.stream_time.map_or(i64::MIN, oldest)
    }

    /// Forgets rows that nothing can find any more.
    pub fn expire(&mut self) {
        let oldest = self.oldest();
        let first_kept = oldest.saturating_sub(self.span_ms);
        while let Some(span) = self.spans.pop_front_if(|span| span.start_ms <= first_kept) {
            for slot in span.slots {
                self.expire_key(slot, oldest);
            }
            for page in span.pages {
                self.pages.remove(page);
            }
        }
    }

    fn expire_key(&mut self, slot: u32, oldest: i64) {
        let rows = &mut self.rows[slot as usize];
        let expired = rows.partition_point(|row| row.place.time_ms < oldest);
        if expired == 0 {
            return;
        }
        self.len -= expired;
        rows.drain(..expired);
        if rows.is_empty() {
            *rows = VecDeque::new();
            self.index.remove(slot);
        }
    }

    /// The highest time that was ever put.
    pub fn stream_time(&self) -> Option<i64> {
        self.stream_time
    }

    /// How many rows are held.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether no row is held.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        *self = Self::new(self.retention_ms);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Puts rows, each a key, a time and its bytes, and gives what is found of a key in some times.
    fn check(rows: &[(&str, i64, &str)], key: &str, times_ms: RangeInclusive<i64>, found: &[&str]) {
        let mut store = JoinWindowStore::new(100);
        for (key, time_ms, row) in rows {
            put(&mut store, key, *time_ms, row);
        }
        assert_eq!(fetch(&store, key, times_ms.clone()), found);
        store.expire();
        assert_eq!(fetch(&store, key, times_ms), found, "expired");
    }

    fn put(store: &mut JoinWindowStore, key: &str, time_ms: i64, row: &str) {
        let place = RowPlace { time_ms, sequence: store.next_sequence() };
        store.put(key.as_bytes(), place, format!("{row};").as_bytes());
    }

    fn fetch(store: &JoinWindowStore, key: &str, times_ms: RangeInclusive<i64>) -> Vec<String> {
        let found = store.fetch(key.as_bytes(), times_ms, None);
        let text =
            |bytes: &[u8]| String::from_utf8_lossy(bytes).split(';').next().map(str::to_owned);
        found.filter_map(|(_, bytes)| text(bytes)).collect()
    }

    #[test]
    fn rows_are_found_by_time_and_then_in_order() {
        let rows = [("a", 20, "w"), ("b", 20, "x"), ("a", 10, "y"), ("a", 20, "z"), ("a", 30, "v")];
        check(&rows, "a", 0..=99, &["y", "w", "z", "v"]);
        check(&rows, "a", 10..=20, &["y", "w", "z"]);
        check(&rows, "a", 11..=29, &["w", "z"]);
        check(&rows, "b", 20..=20, &["x"]);
        check(&rows, "a", RangeInclusive::new(21, 20), &[]);
        check(&rows, "c", 0..=99, &[]);
    }

    #[test]
    fn a_row_is_found_until_the_retention_has_passed() {
        check(&[("a", 1, "x"), ("b", 100, "y")], "a", 0..=999, &["x"]);
        check(&[("a", 1, "x"), ("b", 101, "y")], "a", 0..=999, &[]);
        check(&[("b", 101, "y"), ("a", 1, "late"), ("a", 2, "x")], "a", 0..=999, &["x"]);
    }

    #[test]
    fn a_store_that_keeps_nothing_finds_nothing() {
        let mut store = JoinWindowStore::new(0);
        put(&mut store, "a", 5, "x");
        assert_eq!((fetch(&store, "a", 0..=9).len(), store.stream_time()), (0, Some(5)));
    }

    #[test]
    fn what_is_expired_takes_no_memory() {
        let mut store = JoinWindowStore::new(100);
        for time_ms in 0..10_000 {
            put(&mut store, &(time_ms % 7_000).to_string(), time_ms, &"row".repeat(99));
            store.expire();
        }
        assert!(store.len() < 120, "{}", store.len());
        assert!(store.spans.len() <= SPANS as usize + 2, "{}", store.spans.len());
        assert!(store.rows.len() < 130, "{}", store.rows.len());
        assert_eq!(store.index.len(), store.len());
    }

    #[test]
    fn a_row_that_is_restored_twice_is_one() {
        let mut store = JoinWindowStore::new(100);
        let place = RowPlace { time_ms: 5, sequence: 9 };
        store.put(b"a", place, b"x;");
        store.put(b"a", place, b"y;");
        store.observe_sequence(place.sequence);
        assert_eq!((fetch(&store, "a", 0..=9), store.len()), (vec!["y".to_owned()], 1));
        assert_eq!(store.next_sequence(), 10);
    }

    #[test]
    fn numbers_begin_anew_after_the_last() {
        let mut store = JoinWindowStore::new(100);
        assert_eq!(store.next_sequence(), 1);
        store.observe_sequence(i32::MAX);
        assert_eq!((store.next_sequence(), store.next_sequence()), (0, 1));
    }

    #[test]
    fn a_look_goes_on_behind_the_last_row() {
        let mut store = JoinWindowStore::new(100);
        for row in ["x", "y", "z"] {
            put(&mut store, "a", 5, row);
        }
        let after = store.fetch(b"a", 0..=9, None).map(|(place, _)| place).next();
        assert_eq!(store.fetch(b"a", 0..=9, after).count(), 2);
        let last = store.fetch(b"a", 0..=9, None).map(|(place, _)| place).last();
        assert_eq!(store.fetch(b"a", 0..=9, last).count(), 0);
    }
}
