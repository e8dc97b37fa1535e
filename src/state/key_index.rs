//! From the bytes of a key to a small number that stays with it.

use std::hash::BuildHasher;

use foldhash::fast::FixedState;
use hashbrown::HashTable;

/// Maps keys to slots: `0, 1, 2 …`, reused after a removal.
///
/// Look-ups borrow the key, so that only a key that is new is copied.
#[derive(Debug, Default)]
pub struct KeyIndex {
    table: HashTable<u32>,
    keys: Vec<Box<[u8]>>,
    free: Vec<u32>,
    hasher: FixedState,
}

impl KeyIndex {
    /// The slot of `key`, and whether it is new.
    #[inline]
    pub fn insert(&mut self, key: &[u8]) -> (u32, bool) {
        let hash = self.hasher.hash_one(key);
        if let Some(slot) = self.table.find(hash, |slot| &*self.keys[*slot as usize] == key) {
            return (*slot, false);
        }
        let slot = self.place(key);
        let (keys, hasher) = (&self.keys, &self.hasher);
        self.table.insert_unique(hash, slot, |slot| hasher.hash_one(&*keys[*slot as usize]));
        (slot, true)
    }

    /// The slot of `key`, if there is one.
    #[inline]
    pub fn find(&self, key: &[u8]) -> Option<u32> {
        let hash = self.hasher.hash_one(key);
        self.table.find(hash, |slot| &*self.keys[*slot as usize] == key).copied()
    }

    /// Forgets the key in `slot`, which the next new key will take.
    pub fn remove(&mut self, slot: u32) {
        let hash = self.hasher.hash_one(&*self.keys[slot as usize]);
        if let Ok(entry) = self.table.find_entry(hash, |other| *other == slot) {
            entry.remove();
            self.keys[slot as usize] = Box::default();
            self.free.push(slot);
        }
    }

    /// The key in `slot`.
    pub fn key(&self, slot: u32) -> &[u8] {
        &self.keys[slot as usize]
    }

    /// How many keys there are.
    pub fn len(&self) -> usize {
        self.table.len()
    }

    /// Whether there is no key.
    pub fn is_empty(&self) -> bool {
        self.table.is_empty()
    }

    /// All slots in use, in no order.
    pub fn slots(&self) -> impl Iterator<Item = u32> {
        self.table.iter().copied()
    }

    fn place(&mut self, key: &[u8]) -> u32 {
        if let Some(slot) = self.free.pop() {
            self.keys[slot as usize] = key.into();
            return slot;
        }
        self.keys.push(key.into());
        (self.keys.len() - 1) as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_keeps_its_slot_until_it_is_removed() {
        let mut index = KeyIndex::default();
        assert_eq!(index.insert(b"a"), (0, true));
        assert_eq!(index.insert(b"b"), (1, true));
        assert_eq!(index.insert(b"a"), (0, false));
        index.remove(0);
        assert_eq!(index.find(b"a"), None);
        assert_eq!(index.insert(b"c"), (0, true));
        assert_eq!((index.key(0), index.len()), (&b"c"[..], 2));
    }
}
