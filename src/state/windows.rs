//! The windows that one task holds, in the order of their starts.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

/// Slots by the start of their window; within one start in the order of their keys.
///
/// That is the order in which Kafka Streams' time-ordered window store gives them back.
#[derive(Debug, Default)]
pub struct WindowIndex {
    by_start: BTreeMap<i64, BTreeMap<Box<[u8]>, u32>>,
}

impl WindowIndex {
    /// Adds the slot of `key` in the window that starts at `start_ms`.
    pub fn insert(&mut self, start_ms: i64, key: &[u8], slot: u32) {
        self.by_start.entry(start_ms).or_default().insert(key.into(), slot);
    }

    /// The slots of the windows that start in `starts_ms`.
    pub fn range(&self, starts_ms: RangeInclusive<i64>) -> impl Iterator<Item = u32> {
        let starts = (!starts_ms.is_empty()).then(|| self.by_start.range(starts_ms));
        starts.into_iter().flatten().flat_map(|(_, slots)| slots.values().copied())
    }

    /// The slots of the windows of a key that start in `starts_ms`, by start.
    pub fn find(&self, starts_ms: RangeInclusive<i64>, key: &[u8]) -> impl Iterator<Item = u32> {
        let starts = (!starts_ms.is_empty()).then(|| self.by_start.range(starts_ms));
        starts.into_iter().flatten().filter_map(move |(_, slots)| slots.get(key).copied())
    }

    /// Takes out the slots of all windows that start before `start_ms`.
    pub fn expire(&mut self, start_ms: i64) -> Vec<u32> {
        let live = self.by_start.split_off(&start_ms);
        let expired = std::mem::replace(&mut self.by_start, live);
        expired.into_values().flat_map(BTreeMap::into_values).collect()
    }

    /// The earliest start that is held, of those from `start_ms` on.
    pub fn first_from(&self, start_ms: i64) -> Option<i64> {
        self.by_start.range(start_ms..).next().map(|(start, _)| *start)
    }

    /// The earliest start that is held.
    pub fn first(&self) -> Option<i64> {
        self.by_start.keys().next().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_come_by_start_then_by_key() {
        let mut index = WindowIndex::default();
        index.insert(10, b"b", 0);
        index.insert(0, b"z", 1);
        index.insert(10, b"a", 2);
        assert_eq!(index.range(0..=10).collect::<Vec<_>>(), [1, 2, 0]);
        assert_eq!([0, 1, 11].map(|start| index.first_from(start)), [Some(0), Some(10), None]);
        assert_eq!(index.expire(5), [1]);
        assert_eq!(index.first(), Some(10));
    }
}
