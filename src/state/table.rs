//! The rows of a table, by key.

use crate::types::OwnedValue;

use super::KeyIndex;

/// What a table holds under one key.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TableRow {
    /// The values of its columns.
    pub values: Box<[OwnedValue]>,
    /// When it was written, in milliseconds.
    pub timestamp_ms: i64,
}

/// Rows by the bytes of their keys.
#[derive(Debug, Default)]
pub struct TableStore {
    index: KeyIndex,
    rows: Vec<TableRow>,
}

impl TableStore {
    /// The row at `key`.
    pub fn get(&self, key: &[u8]) -> Option<&TableRow> {
        self.index.find(key).map(|slot| &self.rows[slot as usize])
    }

    /// Puts a row, and gives back the one before.
    pub fn put(&mut self, key: &[u8], row: TableRow) -> Option<TableRow> {
        let (slot, is_new) = self.index.insert(key);
        if self.rows.len() <= slot as usize {
            self.rows.push(row);
            return None;
        }
        let before = std::mem::replace(&mut self.rows[slot as usize], row);
        (!is_new).then_some(before)
    }

    /// Takes out the row at `key`.
    pub fn remove(&mut self, key: &[u8]) -> Option<TableRow> {
        let slot = self.index.find(key)?;
        self.index.remove(slot);
        Some(std::mem::take(&mut self.rows[slot as usize]))
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.index.len()
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.index.is_empty()
    }

    /// Forgets all rows.
    pub fn clear(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(value: i32) -> TableRow {
        TableRow { values: [OwnedValue::Int(value)].into(), timestamp_ms: i64::from(value) }
    }

    #[test]
    fn a_row_is_replaced_and_removed() {
        let mut table = TableStore::default();
        assert_eq!(table.put(b"a", row(1)), None);
        assert_eq!(table.put(b"a", row(2)), Some(row(1)));
        assert_eq!(table.get(b"a"), Some(&row(2)));
        assert_eq!((table.remove(b"a"), table.remove(b"a")), (Some(row(2)), None));
        assert_eq!((table.put(b"b", row(3)), table.len()), (None, 1));
    }
}
