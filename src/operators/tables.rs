//! The rows of the tables of a task, as they are and as they were within the batch at hand.

use std::collections::BTreeMap;

use super::{QueryError, StoredRecord};
use crate::plan::StoreId;
use crate::state::{KeyIndex, TableRow, TableStore, pack};
use crate::types::{Arena, Offset, RowCodec};

/// The rows of the tables of a task: written by the operator that reads a table, looked up by those
/// that join it.
///
/// Where rows of several inputs are processed together, a table may be ahead of a row that looks it
/// up. Then it remembers what was replaced by the row at each place, and is looked up as of a place.
#[derive(Debug, Default)]
pub struct Tables {
    stores: BTreeMap<StoreId, TableStore>,
    /// What was replaced since rows of several inputs are processed.
    replaced: Option<BTreeMap<StoreId, Replaced>>,
    /// What the last change has replaced, as bytes at rest.
    before: Vec<u8>,
}

/// The rows of a table that were replaced, by key, and the place of the row that replaced each.
#[derive(Debug, Default)]
struct Replaced {
    keys: KeyIndex,
    /// The rows as bytes at rest; none where there was none.
    rows: Vec<Vec<(Offset, Box<[u8]>)>>,
}

impl Replaced {
    /// Notes what a row has replaced.
    fn push(&mut self, key: &[u8], place: Offset, before: &[u8]) {
        let (slot, _) = self.keys.insert(key);
        if self.rows.len() <= slot as usize {
            self.rows.push(Vec::new());
        }
        self.rows[slot as usize].push((place, before.into()));
    }

    /// What the first row after a place has replaced under a key, if any has.
    fn after(&self, key: &[u8], place: Offset) -> Option<&[u8]> {
        let replaced = &self.rows[self.keys.find(key)? as usize];
        let first = replaced.get(replaced.partition_point(|(by, _)| *by <= place));
        first.map(|(_, before)| &**before)
    }
}

/// A change of a table.
pub(super) struct TableChange<'t> {
    /// Where the key is; `None` if it was not there, and is not.
    pub(super) slot: Option<u32>,
    /// What was there before.
    pub(super) before: Option<TableRow<'t>>,
}

impl Tables {
    /// Makes an empty table.
    pub fn add(&mut self, store: StoreId) {
        self.stores.insert(store, TableStore::default());
    }

    /// From here on, remembers what rows replace.
    pub(super) fn remember(&mut self) {
        self.replaced = Some(BTreeMap::new());
    }

    /// Forgets what was replaced.
    pub(super) fn forget(&mut self) {
        self.replaced = None;
    }

    /// Whether a row has to be looked up as of its place.
    pub(super) fn are_ahead(&self) -> bool {
        self.replaced.is_some()
    }

    /// The row of a table under a key, as of the row at a place.
    pub(super) fn find(&self, store: StoreId, key: &[u8], place: Offset) -> Option<TableRow<'_>> {
        let replaced = self.replaced.as_ref().and_then(|replaced| replaced.get(&store));
        match replaced.and_then(|replaced| replaced.after(key, place)) {
            Some(before) => TableRow::of(before),
            None => self.stores.get(&store)?.get(key),
        }
    }

    /// Sets the row of a table under a key to that which comes at a place, or takes it out; then the key keeps its slot
    /// until that is [released](Self::release).
    pub(super) fn change(
        &mut self,
        store: StoreId,
        key: &[u8],
        row: Option<TableRow<'_>>,
        place: Offset,
    ) -> TableChange<'_> {
        let table = self.stores.entry(store).or_default();
        let slot = match row {
            Some(row) => Some(table.put(key, row, &mut self.before)),
            None => table.remove(key, &mut self.before),
        };
        if let Some(replaced) = &mut self.replaced {
            replaced.entry(store).or_default().push(key, place, &self.before);
        }
        TableChange { slot, before: TableRow::of(&self.before) }
    }

    /// The slot of a key of a table, also where there is no row.
    pub(super) fn place(&mut self, store: StoreId, key: &[u8]) -> u32 {
        self.stores.entry(store).or_default().place(key)
    }

    /// Forgets the key in a slot of a table, whose row was taken out.
    pub(super) fn release(&mut self, store: StoreId, slot: u32) {
        if let Some(table) = self.stores.get_mut(&store) {
            table.release(slot);
        }
    }

    /// The key in a slot of a table, and the row that is there now.
    pub(super) fn row(&self, store: StoreId, slot: u32) -> (&[u8], Option<TableRow<'_>>) {
        let table = self.stores.get(&store);
        table.map(|table| (table.key(slot), table.row(slot))).unwrap_or_default()
    }

    /// How many slots a table has, those among them that are free.
    pub(super) fn slots_end(&self, store: StoreId) -> usize {
        self.stores.get(&store).map_or(0, TableStore::slots_end)
    }

    /// How many rows a table has.
    pub(super) fn len(&self, store: StoreId) -> usize {
        self.stores.get(&store).map_or(0, TableStore::len)
    }

    /// Forgets all rows of a table.
    pub(super) fn clear(&mut self, store: StoreId) {
        self.replaced = None;
        self.stores.entry(store).or_default().clear();
    }

    /// Takes back a record of the changelog of a table.
    pub(super) fn restore(
        &mut self,
        store: StoreId,
        codec: &dyn RowCodec,
        record: &StoredRecord<'_>,
    ) -> Result<(), QueryError> {
        let StoredRecord { key, value, timestamp_ms } = *record;
        let table = self.stores.entry(store).or_default();
        let Some(value) = value else {
            if let Some(slot) = table.remove(key, &mut self.before) {
                table.release(slot);
            }
            return Ok(());
        };
        let (arena, mut packed) = (Arena::new(), Vec::new());
        for column in codec.decode(value, &arena)? {
            pack(column.value(0), &mut packed);
        }
        table.put(key, TableRow { timestamp_ms, packed: &packed }, &mut self.before);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STORE: StoreId = StoreId(0);

    fn row(packed: &[u8]) -> TableRow<'_> {
        TableRow { timestamp_ms: 7, packed }
    }

    #[test]
    fn a_table_that_is_ahead_is_looked_up_as_it_was() {
        let mut tables = Tables::default();
        tables.add(STORE);
        tables.change(STORE, b"a", Some(row(b"1")), Offset(90));
        tables.remember();
        for (place, change) in [(2, Some(b"2")), (4, None), (7, Some(b"3"))] {
            tables.change(STORE, b"a", change.map(|packed| row(packed)), Offset(place));
        }
        tables.change(STORE, b"b", Some(row(b"9")), Offset(5));
        let at = |key: &[u8], place| tables.find(STORE, key, Offset(place));
        assert_eq!(
            [0, 3, 5, 8].map(|place| at(b"a", place)),
            [Some(row(b"1")), Some(row(b"2")), None, Some(row(b"3"))]
        );
        assert_eq!([4, 6].map(|place| at(b"b", place)), [None, Some(row(b"9"))]);
        tables.forget();
        assert_eq!(tables.find(STORE, b"a", Offset(0)), Some(row(b"3")));
    }

    #[test]
    fn a_change_tells_what_was_before() {
        let mut tables = Tables::default();
        tables.add(STORE);
        assert_eq!(tables.change(STORE, b"a", Some(row(b"1")), Offset(0)).before, None);
        assert_eq!(tables.change(STORE, b"a", Some(row(b"2")), Offset(1)).before, Some(row(b"1")));
        tables.remember();
        assert_eq!(tables.change(STORE, b"a", None, Offset(0)).before, Some(row(b"2")));
        let change = tables.change(STORE, b"a", Some(row(b"4")), Offset(1));
        assert_eq!((change.slot, change.before), (Some(0), None));
        assert_eq!(tables.change(STORE, b"none", None, Offset(2)).slot, None);
    }
}
