//! How often each text was seen, in the order of a Java `HashMap`.
//!
//! The order of the entries reaches topics, so the map behaves as Java's `HashMap` does: a new key
//! goes to the head of its slot (that is what `merge` does), and reading the map back from a store
//! puts it into a table that is just large enough.

use super::StoredMaps;
use crate::expr::EvalError;
use crate::java::hash_code;

/// How many keys there may be; more are ignored.
const KEYS_MAX: usize = 1000;

/// How a NULL key is written.
pub(super) const NULL_KEY: &str = "null";

/// How often each text was seen, in the order of a `HashMap`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Counts {
    pub(super) entries: Vec<Entry>,
    /// The number of slots of the table, a power of two; 0 before there is one.
    slots: usize,
}

/// How often one text was seen.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Entry {
    hash: u32,
    pub(super) key: Option<Box<str>>,
    pub(super) count: i64,
}

fn spread(key: Option<&str>) -> u32 {
    let hash = key.map_or(0, hash_code) as u32;
    hash ^ (hash >> 16)
}

impl Counts {
    /// Puts in an entry as a store holds it; [`reload`](Self::reload) follows the last one.
    pub(super) fn push(&mut self, key: Option<&str>, count: i64) {
        self.entries.push(Entry { hash: spread(key), key: key.map(Into::into), count });
    }

    fn slot(&self, hash: u32) -> usize {
        hash as usize & (self.slots - 1)
    }

    /// Gives the table another size. The order within a slot stays.
    fn resize(&mut self, slots: usize) {
        self.slots = slots;
        self.entries.sort_by_key(|entry| entry.hash as usize & (slots - 1));
    }

    /// What reading the map back from a store makes of it.
    pub(super) fn reload(&mut self, maps: StoredMaps) {
        if self.entries.first().is_some_and(|entry| entry.key.is_none()) {
            let count = self.entries.remove(0).count;
            if !self.entries.iter().any(|entry| entry.key.as_deref() == Some(NULL_KEY)) {
                let (hash, key) = (spread(Some(NULL_KEY)), Some(NULL_KEY.into()));
                self.entries.insert(0, Entry { hash, key, count });
            }
        }
        let mut slots = self.entries.len().max(1).next_power_of_two();
        if maps == StoredMaps::Usual {
            slots = slots.max(16);
        }
        if self.entries.len() * 4 > slots * 3 {
            slots *= 2;
        }
        self.resize(slots);
    }

    /// Adds `by` to the count of `key`, which goes to the head of its slot if it is new.
    pub(super) fn merge(&mut self, key: Option<&str>, by: i64) {
        let hash = spread(key);
        if let Some(entry) = self.find(hash, key) {
            entry.count = entry.count.wrapping_add(by);
            return;
        }
        if self.entries.len() >= KEYS_MAX {
            return;
        }
        if self.slots == 0 {
            self.slots = 16;
        } else if self.entries.len() > self.slots * 3 / 4 {
            self.resize(self.slots * 2);
        }
        let slot = self.slot(hash);
        let at = self.entries.partition_point(|entry| self.slot(entry.hash) < slot);
        self.entries.insert(at, Entry { hash, key: key.map(Into::into), count: by });
    }

    fn find(&mut self, hash: u32, key: Option<&str>) -> Option<&mut Entry> {
        self.entries.iter_mut().find(|entry| entry.hash == hash && entry.key.as_deref() == key)
    }

    pub(super) fn remove(&mut self, key: Option<&str>) -> Result<(), EvalError> {
        let hash = spread(key);
        let Some(entry) = self.find(hash, key) else {
            return Err(EvalError::new("Cannot unbox a null value"));
        };
        entry.count = entry.count.wrapping_sub(1);
        if entry.count < 1 {
            self.entries.retain(|entry| entry.count > 0);
        }
        Ok(())
    }
}
