//! The rows of a table, by key, each as bytes in one piece.
//!
//! ```text
//! time (8 bytes) · values, packed
//! ```
//!
//! A row that is as long as the one before is written over it, and most are.

use super::KeyIndex;
use super::packed_row::PackedValues;
use super::paged::Paged;

/// What a table holds under one key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TableRow<'r> {
    /// When it was written, in milliseconds.
    pub timestamp_ms: i64,
    /// Its values, [packed](super::pack).
    pub packed: &'r [u8],
}

impl<'r> TableRow<'r> {
    /// The row that bytes at rest hold; `None` if they are none.
    pub fn of(bytes: &'r [u8]) -> Option<Self> {
        let (time, packed) = bytes.split_first_chunk()?;
        Some(Self { timestamp_ms: i64::from_le_bytes(*time), packed })
    }

    /// Its values, one after the other.
    pub fn values(self) -> PackedValues<'r> {
        PackedValues::new(self.packed)
    }

    /// Writes it over what is there.
    fn write(self, bytes: &mut Box<[u8]>) {
        let Self { timestamp_ms, packed } = self;
        let time = timestamp_ms.to_le_bytes();
        if bytes.len() != time.len() + packed.len() {
            *bytes = [&time, packed].concat().into();
        } else if let Some((before, values)) = bytes.split_first_chunk_mut() {
            *before = time;
            values.copy_from_slice(packed);
        }
    }
}

/// Rows by the bytes of their keys. Each key has a slot: `0, 1, 2 …`, used again after a [release](Self::release).
#[derive(Debug, Default)]
pub struct TableStore {
    index: KeyIndex,
    /// The rows at rest; no bytes where there is none.
    rows: Paged<Box<[u8]>>,
    len: usize,
}

impl TableStore {
    /// The row at `key`.
    pub fn get(&self, key: &[u8]) -> Option<TableRow<'_>> {
        self.index.find(key).and_then(|slot| self.row(slot))
    }

    /// How many slots there are, those among them that are free: these have no row.
    pub fn slots_end(&self) -> usize {
        self.rows.len()
    }

    /// The row in `slot`.
    pub fn row(&self, slot: u32) -> Option<TableRow<'_>> {
        TableRow::of(&self.rows[slot])
    }

    /// The key in `slot`.
    pub fn key(&self, slot: u32) -> &[u8] {
        self.index.key(slot)
    }

    /// Puts a row, and says where. What was there before is in `before`, as bytes at rest.
    pub fn put(&mut self, key: &[u8], row: TableRow<'_>, before: &mut Vec<u8>) -> u32 {
        let slot = self.place(key);
        let bytes = &mut self.rows[slot];
        before.clear();
        before.extend_from_slice(bytes);
        self.len += usize::from(bytes.is_empty());
        row.write(bytes);
        slot
    }

    /// The slot of `key`, also where there is no row; then it is to be released once none has come.
    pub fn place(&mut self, key: &[u8]) -> u32 {
        let (slot, _) = self.index.insert(key);
        if self.rows.len() <= slot as usize {
            self.rows.push(Box::default());
        }
        slot
    }

    /// Takes out the row at `key`, which keeps its slot, if it has one, until that is released. What was there is in
    /// `before`, as bytes at rest.
    pub fn remove(&mut self, key: &[u8], before: &mut Vec<u8>) -> Option<u32> {
        before.clear();
        let slot = self.index.find(key)?;
        let bytes = std::mem::take(&mut self.rows[slot]);
        before.extend_from_slice(&bytes);
        self.len -= usize::from(!bytes.is_empty());
        Some(slot)
    }

    /// Forgets the key in `slot`, whose row was taken out. The next new key will take the slot.
    pub fn release(&mut self, slot: u32) {
        debug_assert!(self.row(slot).is_none(), "a row is taken out before its key");
        self.index.remove(slot);
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Forgets all rows.
    pub fn clear(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(packed: &[u8]) -> TableRow<'_> {
        TableRow { timestamp_ms: packed.len() as i64, packed }
    }

    #[test]
    fn a_row_is_replaced_and_removed() {
        let (mut table, mut before) = (TableStore::default(), Vec::new());
        for (packed, was) in [(&b"1"[..], None), (b"2", Some(&b"1"[..])), (b"long", Some(b"2"))] {
            assert_eq!(table.put(b"a", row(packed), &mut before), 0);
            assert_eq!(TableRow::of(&before), was.map(row));
            assert_eq!((table.get(b"a"), table.len()), (Some(row(packed)), 1));
        }
        assert_eq!(table.remove(b"b", &mut before), None);
        assert_eq!(TableRow::of(&before), None);
    }

    #[test]
    fn a_key_keeps_its_slot_until_it_is_released() {
        let (mut table, mut before) = (TableStore::default(), Vec::new());
        table.put(b"a", row(b"1"), &mut before);
        assert_eq!(table.remove(b"a", &mut before), Some(0));
        assert_eq!(TableRow::of(&before), Some(row(b"1")));
        assert_eq!((table.get(b"a"), table.row(0), table.len()), (None, None, 0));
        assert_eq!(table.key(0), b"a");
        assert_eq!(table.put(b"b", row(b"2"), &mut before), 1);
        assert_eq!((table.put(b"a", row(b"3"), &mut before), table.len()), (0, 2));
        assert_eq!(TableRow::of(&before), None);
        table.remove(b"a", &mut before);
        table.release(0);
        assert_eq!((table.put(b"c", row(b""), &mut before), table.get(b"c")), (0, Some(row(b""))));
        assert_eq!((table.get(b"a"), table.len(), table.is_empty()), (None, 2, false));
    }
}
