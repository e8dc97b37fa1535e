//! The groups of an aggregation, each as bytes in one piece.
//!
//! ```text
//! lengths (3 × 4 bytes) · time (8) · flags (1) [· window (16)] · store key · key values · kept values · states
//! ```
//!
//! The store key is what a group is found by, the key values are its columns. Where these end with the bytes of the store
//! key, as those of a text do, it lies there and not before them. Kept values are those that the aggregation
//! takes over from the last row of a group. All values and states are packed, but for states that stay apart. Where a
//! group's bytes keep their length, and most do, a change is written over them.

use std::hash::BuildHasher;
use std::ops::Range;

use foldhash::fast::FixedState;
use hashbrown::HashTable;

use super::packed_row::PackedValues;
use super::packed_state::{PackedStates, pack_states};
use super::paged::Paged;
use crate::expr::aggregates::State;
use crate::types::{Timestamp, Window};

/// The groups of an aggregation, by key; each has a slot: `0, 1, 2 …`, used again after a removal.
#[derive(Debug, Default)]
pub struct GroupStore {
    table: HashTable<u32>,
    groups: Paged<Group>,
    free: Vec<u32>,
    hasher: FixedState,
    packed: Vec<u8>,
}

/// One group at rest, in 24 bytes and what they point to.
#[derive(Debug, Default)]
struct Group {
    bytes: Box<[u8]>,
    /// The states that are not among the bytes.
    apart: Option<Box<Apart>>,
}

#[derive(Debug)]
struct Apart {
    states: Vec<State>,
}

/// What a group says beside its values.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GroupHead {
    /// The time of its row, in milliseconds.
    pub timestamp_ms: i64,
    /// Whether a row was ever added: an empty group has no row before.
    pub exists: bool,
    /// Whether its row has left the cache: it was logged and given away, or restored.
    pub is_stored: bool,
}

/// The values that a group begins with, packed.
#[derive(Clone, Copy, Debug)]
pub struct GroupValues<'v> {
    /// The columns of its key.
    pub key: &'v [u8],
    /// Its window, if it is that of one; it stays the same.
    pub window: Option<Window>,
    /// What it keeps of its last row.
    pub kept: &'v [u8],
}

/// Where the time is.
const TIME_AT: usize = 12;
const FLAGS_AT: usize = 20;
const WINDOW_AT: usize = 21;
const WINDOW_BYTES: usize = 16;

/// How many bytes come from memory together.
const LINE_BYTES: usize = 64;

const EXISTS: u8 = 1;
const IS_STORED: u8 = 2;
const HAS_WINDOW: u8 = 4;
/// The store key is the end of the key values.
const SHARES_KEY: u8 = 8;

impl GroupStore {
    /// How many groups there are.
    pub fn len(&self) -> usize {
        self.table.len()
    }

    /// Whether there is no group.
    pub fn is_empty(&self) -> bool {
        self.table.is_empty()
    }

    /// Forgets all groups.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// The slot of `key`, if it has a group.
    #[inline]
    pub fn find(&self, key: &[u8]) -> Option<u32> {
        self.find_hashed(self.hasher.hash_one(key), key)
    }

    #[inline]
    fn find_hashed(&self, hash: u64, key: &[u8]) -> Option<u32> {
        self.table.find(hash, |slot| self.key(*slot) == key).copied()
    }

    /// How many slots there are, those among them that are free: these hold a group that does not exist.
    pub fn slots_end(&self) -> usize {
        self.groups.len()
    }

    /// The slots of many keys. What they need of memory comes together and not one after the other.
    pub fn find_all<'k>(&self, keys: impl Iterator<Item = &'k [u8]> + Clone) -> Vec<Option<u32>> {
        let hashes: Vec<u64> = keys.clone().map(|key| self.hasher.hash_one(key)).collect();
        // The first slot whose hash looks alike is nearly always the right one.
        let likely = |hash: &u64| self.table.find(*hash, |_| true).copied();
        let likely: Vec<u32> = hashes.iter().filter_map(likely).collect();
        self.touch(&likely);
        keys.zip(hashes).map(|(key, hash)| self.find_hashed(hash, key)).collect()
    }

    /// Has the processor fetch the bytes of groups that are needed soon, many at once.
    pub fn touch(&self, slots: &[u32]) {
        let lines = slots.iter().flat_map(|slot| self.bytes(*slot).iter().step_by(LINE_BYTES));
        std::hint::black_box(lines.fold(0, |sum, byte| sum ^ byte));
    }

    /// Adds the group of a key that has none.
    pub fn insert(&mut self, key: &[u8], values: GroupValues<'_>, states: &mut [State]) -> u32 {
        let GroupValues { key: columns, window, kept } = values;
        let apart = pack(states, &mut self.packed);
        let head = Head { head: GroupHead::default(), window };
        let group = Group { bytes: joined(head, [key, columns, kept], &self.packed), apart };
        let slot = match self.free.pop() {
            Some(slot) => {
                self.groups[slot] = group;
                slot
            }
            None => self.groups.push(group),
        };
        let hash = self.hasher.hash_one(key);
        let (groups, hasher) = (&self.groups, &self.hasher);
        let hash_of = |slot: &u32| {
            let bytes = &groups[*slot].bytes;
            hasher.hash_one(bytes.get(Layout::of(bytes).store_key).unwrap_or_default())
        };
        self.table.insert_unique(hash, slot, hash_of);
        slot
    }

    /// Forgets the group in `slot`, which the next new key will take.
    pub fn remove(&mut self, slot: u32) {
        let hash = self.hasher.hash_one(self.key(slot));
        if let Ok(entry) = self.table.find_entry(hash, |other| *other == slot) {
            entry.remove();
            self.groups[slot] = Group::default();
            self.free.push(slot);
        }
    }

    #[inline]
    fn bytes(&self, slot: u32) -> &[u8] {
        &self.groups[slot].bytes
    }

    fn part(&self, slot: u32, part: impl FnOnce(Layout) -> Range<usize>) -> &[u8] {
        let bytes = self.bytes(slot);
        bytes.get(part(Layout::of(bytes))).unwrap_or_default()
    }

    /// The key of the group in `slot`; empty if there is none.
    #[inline]
    pub fn key(&self, slot: u32) -> &[u8] {
        self.part(slot, |layout| layout.store_key)
    }

    /// The columns of its key.
    pub fn key_values(&self, slot: u32) -> PackedValues<'_> {
        PackedValues::new(self.part(slot, |layout| layout.key))
    }

    /// What it keeps of its last row.
    pub fn kept(&self, slot: u32) -> PackedValues<'_> {
        PackedValues::new(self.part(slot, |layout| layout.kept))
    }

    /// What the group in `slot` says beside its values.
    #[inline]
    pub fn head(&self, slot: u32) -> GroupHead {
        Head::of(self.bytes(slot)).head
    }

    /// Its window, if it is that of one.
    pub fn window(&self, slot: u32) -> Option<Window> {
        Head::of(self.bytes(slot)).window
    }

    /// Says it anew.
    #[inline]
    pub fn set_head(&mut self, slot: u32, head: GroupHead) {
        let bytes = &mut self.groups[slot].bytes;
        let window = Head::of(bytes).window;
        Head { head, window }.write(bytes);
    }

    /// Keeps other values.
    pub fn set_kept(&mut self, slot: u32, kept: &[u8]) {
        let group = &mut self.groups[slot];
        let layout = Layout::of(&group.bytes);
        match group.bytes.get_mut(layout.kept.clone()) {
            Some(before) if before.len() == kept.len() => before.copy_from_slice(kept),
            _ => {
                let part = |range: Range<usize>| group.bytes.get(range).unwrap_or_default();
                let (key, values) = (part(layout.store_key), part(layout.key));
                let states = part(layout.states);
                group.bytes = joined(Head::of(&group.bytes), [key, values, kept], states);
            }
        }
    }

    /// Takes out the states of a group, and appends them. They are to be given back with [`Self::put_states`] if they
    /// change, or if some of them are moved out, which is what it says.
    pub fn take_states(&mut self, slot: u32, states: &mut Vec<State>) -> bool {
        let group = &mut self.groups[slot];
        let bytes = group.bytes.get(Layout::of(&group.bytes).states).unwrap_or_default();
        let mut packed = PackedStates::new(bytes);
        let apart = group.apart.take().map(|apart| apart.states);
        let has_apart = apart.is_some();
        let mut apart = apart.into_iter().flatten();
        while !packed.is_empty() {
            states.push(packed.next(&mut apart));
        }
        has_apart
    }

    /// Gives states back to a group.
    pub fn put_states(&mut self, slot: u32, states: &mut [State]) {
        let Self { groups, packed, .. } = self;
        let group = &mut groups[slot];
        group.apart = pack(states, packed);
        let layout = Layout::of(&group.bytes);
        match group.bytes.get_mut(layout.states) {
            Some(before) if before.len() == packed.len() => before.copy_from_slice(packed),
            _ => {
                let part = |range: Range<usize>| group.bytes.get(range).unwrap_or_default();
                let parts = [part(layout.store_key), part(layout.key), part(layout.kept)];
                group.bytes = joined(Head::of(&group.bytes), parts, packed);
            }
        }
    }
}

/// Packs states anew; what stays apart.
fn pack(states: &mut [State], packed: &mut Vec<u8>) -> Option<Box<Apart>> {
    packed.clear();
    let mut apart = Vec::new();
    pack_states(states, packed, &mut apart);
    (!apart.is_empty()).then(|| Box::new(Apart { states: apart }))
}

/// The first bytes of a group, but for its lengths.
#[derive(Clone, Copy)]
struct Head {
    head: GroupHead,
    window: Option<Window>,
}

impl Head {
    #[inline]
    fn of(bytes: &[u8]) -> Self {
        let flags = u8::from_le_bytes(number(bytes, FLAGS_AT));
        let head = GroupHead {
            timestamp_ms: i64::from_le_bytes(number(bytes, TIME_AT)),
            exists: flags & EXISTS != 0,
            is_stored: flags & IS_STORED != 0,
        };
        let bound = |at| Timestamp(i64::from_le_bytes(number(bytes, at)));
        let window = (flags & HAS_WINDOW != 0)
            .then(|| Window { start: bound(WINDOW_AT), end: bound(WINDOW_AT + 8) });
        Self { head, window }
    }

    /// Writes it over what is there, but for the window.
    #[inline]
    fn write(self, bytes: &mut [u8]) {
        let GroupHead { timestamp_ms, exists, is_stored } = self.head;
        if let Some(time) = bytes.get_mut(TIME_AT..FLAGS_AT) {
            time.copy_from_slice(&timestamp_ms.to_le_bytes());
        }
        let flag = |flag: u8, is_set: bool| if is_set { flag } else { 0 };
        let has_window = flag(HAS_WINDOW, self.window.is_some());
        if let Some(flags) = bytes.get_mut(FLAGS_AT) {
            let layout = *flags & SHARES_KEY | has_window;
            *flags = flag(EXISTS, exists) | flag(IS_STORED, is_stored) | layout;
        }
    }
}

/// Where the parts of a group are.
#[derive(Clone)]
struct Layout {
    store_key: Range<usize>,
    key: Range<usize>,
    kept: Range<usize>,
    states: Range<usize>,
}

impl Layout {
    #[inline]
    fn of(bytes: &[u8]) -> Self {
        let len = |at| u32::from_le_bytes(number(bytes, at)) as usize;
        let flags = bytes.get(FLAGS_AT).copied().unwrap_or_default();
        let has_window = flags & HAS_WINDOW != 0;
        let start = if has_window { WINDOW_AT + WINDOW_BYTES } else { WINDOW_AT };
        let (store_key, key) = if flags & SHARES_KEY != 0 {
            let end = start + len(4);
            (end.saturating_sub(len(0))..end, start..end)
        } else {
            let end = start + len(0);
            (start..end, end..end + len(4))
        };
        let kept = key.end..key.end + len(8);
        let states = kept.end..bytes.len();
        Self { store_key, key, kept, states }
    }
}

/// The number at a place; 0 where there is none.
#[inline]
fn number<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    bytes.get(at..).and_then(<[u8]>::first_chunk).copied().unwrap_or([0; N])
}

/// A group's bytes, from its head, its store key, its key, what it keeps, and its states.
fn joined(head: Head, parts: [&[u8]; 3], states: &[u8]) -> Box<[u8]> {
    let window_bytes = head.window.map_or(0, |_| WINDOW_BYTES);
    let ([store_key, key, _], lens) = (parts, parts.map(<[u8]>::len));
    let shares_key = key.ends_with(store_key);
    let parts = &parts[usize::from(shares_key)..];
    let parts_bytes: usize = parts.iter().map(|part| part.len()).sum();
    let mut bytes = Vec::with_capacity(WINDOW_AT + window_bytes + parts_bytes + states.len());
    for len in lens {
        bytes.extend_from_slice(&(len as u32).to_le_bytes());
    }
    bytes.resize(WINDOW_AT, 0);
    bytes[FLAGS_AT] = if shares_key { SHARES_KEY } else { 0 };
    head.write(&mut bytes);
    if let Some(window) = head.window {
        bytes.extend_from_slice(&window.start.0.to_le_bytes());
        bytes.extend_from_slice(&window.end.0.to_le_bytes());
    }
    for part in parts {
        bytes.extend_from_slice(part);
    }
    bytes.extend_from_slice(states);
    bytes.into()
}

#[cfg(test)]
mod tests;
