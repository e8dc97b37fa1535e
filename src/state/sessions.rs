//! The sessions that one task holds.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::types::{Timestamp, Window};

/// Slots of the sessions of one key, by their ends, then starts.
type Slots = BTreeMap<(i64, i64), u32>;

/// Slots of sessions by key; those of one key in the order of their ends, then starts.
#[derive(Debug, Default)]
pub struct SessionIndex {
    by_key: HashMap<Box<[u8]>, Slots>,
    by_end: BTreeSet<(i64, Box<[u8]>, i64)>,
}

impl SessionIndex {
    /// The sessions of `key` that end at or after `end_ms` and start at or before `start_ms`.
    ///
    /// As `SessionStore.findSessions(key, earliestSessionEndTime, latestSessionStartTime)`.
    pub fn find(&self, key: &[u8], end_ms: i64, start_ms: i64) -> Vec<(Window, u32)> {
        let Some(sessions) = self.by_key.get(key) else { return Vec::new() };
        let overlapping = sessions.range((end_ms, i64::MIN)..);
        overlapping
            .filter(|((_, start), _)| *start <= start_ms)
            .map(|((end, start), slot)| (window(*start, *end), *slot))
            .collect()
    }

    /// Adds the session of `key` over `window`.
    pub fn insert(&mut self, key: &[u8], window: Window, slot: u32) {
        let span = (window.end.0, window.start.0);
        self.by_key.entry(key.into()).or_default().insert(span, slot);
        self.by_end.insert((window.end.0, key.into(), window.start.0));
    }

    /// The slot of the session of `key` over exactly `window`.
    pub fn get(&self, key: &[u8], window: Window) -> Option<u32> {
        self.by_key.get(key)?.get(&(window.end.0, window.start.0)).copied()
    }

    /// Takes out the session of `key` over `window`.
    pub fn remove(&mut self, key: &[u8], window: Window) -> Option<u32> {
        let sessions = self.by_key.get_mut(key)?;
        let slot = sessions.remove(&(window.end.0, window.start.0));
        if sessions.is_empty() {
            self.by_key.remove(key);
        }
        self.by_end.remove(&(window.end.0, key.into(), window.start.0));
        slot
    }

    /// The sessions that end in `from_ms ..= to_ms`, by end, then key, then start.
    pub fn ending(&self, from_ms: i64, to_ms: i64) -> Vec<(Box<[u8]>, Window, u32)> {
        if from_ms > to_ms {
            return Vec::new();
        }
        let first = (from_ms, Box::<[u8]>::default(), i64::MIN);
        let spans = self.by_end.range(first..).take_while(|(end, ..)| *end <= to_ms);
        spans
            .filter_map(|(end, key, start)| {
                let window = window(*start, *end);
                self.get(key, window).map(|slot| (key.clone(), window, slot))
            })
            .collect()
    }

    /// The session that ends first, of those that end at or after `end_ms`.
    pub fn first_ending_from(&self, end_ms: i64) -> Option<Window> {
        let first = (end_ms, Box::<[u8]>::default(), i64::MIN);
        self.by_end.range(first..).next().map(|(end, _, start)| window(*start, *end))
    }

    /// Takes out the slots of all sessions that end before `end_ms`.
    pub fn expire(&mut self, end_ms: i64) -> Vec<u32> {
        let mut expired = Vec::new();
        while let Some((end, key, start)) = self.by_end.first().cloned() {
            if end >= end_ms {
                break;
            }
            expired.extend(self.remove(&key, window(start, end)));
        }
        expired
    }
}

fn window(start_ms: i64, end_ms: i64) -> Window {
    Window { start: Timestamp(start_ms), end: Timestamp(end_ms) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sessions_are_found_by_the_span_they_touch() {
        let mut index = SessionIndex::default();
        index.insert(b"k", window(0, 10), 0);
        index.insert(b"k", window(50, 60), 1);
        index.insert(b"other", window(0, 10), 2);
        let found: Vec<_> = index.find(b"k", 5, 49).into_iter().map(|(_, slot)| slot).collect();
        assert_eq!(found, [0]);
        let first = [10, 11, 61].map(|end| index.first_ending_from(end));
        assert_eq!(first, [Some(window(0, 10)), Some(window(50, 60)), None]);
        assert_eq!(index.remove(b"k", window(0, 10)), Some(0));
        assert_eq!(index.expire(60), [2]);
        assert_eq!(index.get(b"k", window(50, 60)), Some(1));
    }
}
