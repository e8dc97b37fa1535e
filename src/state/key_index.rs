//! From the bytes of a key to a small number that stays with it.

use std::hash::BuildHasher;

use foldhash::fast::FixedState;
use hashbrown::HashTable;

use super::paged::Paged;

/// Maps keys to slots: `0, 1, 2 …`, reused after a removal.
///
/// Look-ups borrow the key, so that only a key that is new is copied.
#[derive(Debug, Default)]
pub struct KeyIndex {
    table: HashTable<u32>,
    keys: Paged<Key>,
    free: Vec<u32>,
    hasher: FixedState,
}

/// How long a key may be to lie in the index itself.
const SHORT_MAX: usize = 22;

/// The bytes of a key: those of a short one without a way to memory elsewhere.
#[derive(Debug)]
enum Key {
    Short { len: u8, bytes: [u8; SHORT_MAX] },
    Long(Box<[u8]>),
}

impl From<&[u8]> for Key {
    fn from(key: &[u8]) -> Self {
        let mut bytes = [0; SHORT_MAX];
        match bytes.get_mut(..key.len()) {
            Some(short) => {
                short.copy_from_slice(key);
                Self::Short { len: key.len() as u8, bytes }
            }
            None => Self::Long(key.into()),
        }
    }
}

impl Key {
    #[inline]
    fn bytes(&self) -> &[u8] {
        match self {
            Self::Short { len, bytes } => bytes.get(..usize::from(*len)).unwrap_or_default(),
            Self::Long(bytes) => bytes,
        }
    }
}

impl KeyIndex {
    /// The slot of `key`, and whether it is new.
    #[inline]
    pub fn insert(&mut self, key: &[u8]) -> (u32, bool) {
        let hash = self.hasher.hash_one(key);
        if let Some(slot) = self.table.find(hash, |slot| self.key(*slot) == key) {
            return (*slot, false);
        }
        let slot = self.place(key);
        let (keys, hasher) = (&self.keys, &self.hasher);
        self.table.insert_unique(hash, slot, |slot| hasher.hash_one(keys[*slot].bytes()));
        (slot, true)
    }

    /// The slot of `key`, if there is one.
    #[inline]
    pub fn find(&self, key: &[u8]) -> Option<u32> {
        let hash = self.hasher.hash_one(key);
        self.table.find(hash, |slot| self.key(*slot) == key).copied()
    }

    /// Forgets the key in `slot`, which the next new key will take.
    pub fn remove(&mut self, slot: u32) {
        let hash = self.hasher.hash_one(self.key(slot));
        if let Ok(entry) = self.table.find_entry(hash, |other| *other == slot) {
            entry.remove();
            self.keys[slot] = Key::from(&[][..]);
            self.free.push(slot);
        }
    }

    /// The key in `slot`.
    #[inline]
    pub fn key(&self, slot: u32) -> &[u8] {
        self.keys[slot].bytes()
    }

    /// How many keys there are.
    pub fn len(&self) -> usize {
        self.table.len()
    }

    /// Whether there is no key.
    pub fn is_empty(&self) -> bool {
        self.table.is_empty()
    }

    fn place(&mut self, key: &[u8]) -> u32 {
        if let Some(slot) = self.free.pop() {
            self.keys[slot] = key.into();
            return slot;
        }
        self.keys.push(key.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_any_length() {
        assert_eq!(std::mem::size_of::<Key>(), 24);
        let mut index = KeyIndex::default();
        let keys: Vec<Vec<u8>> = (0..64).map(|len| vec![len as u8; len]).collect();
        for (slot, key) in (0..).zip(&keys) {
            assert_eq!(index.insert(key), (slot, true));
        }
        for (slot, key) in (0..).zip(&keys) {
            assert_eq!((index.find(key), index.key(slot)), (Some(slot), &key[..]));
        }
    }

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
