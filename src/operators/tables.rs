//! The rows of the tables of a task, as they are and as they were within the batch at hand.

use std::collections::BTreeMap;

use super::{QueryError, StoredRecord};
use crate::plan::StoreId;
use crate::state::{KeyIndex, TableRow, TableStore};
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
}

/// The rows of a table that were replaced, by key, and the place of the row that replaced each.
#[derive(Debug, Default)]
struct Replaced {
    keys: KeyIndex,
    rows: Vec<Vec<(Offset, Option<TableRow>)>>,
}

impl Replaced {
    /// Notes what a row has replaced, and gives it back.
    fn push(&mut self, key: &[u8], place: Offset, before: Option<TableRow>) -> Option<&TableRow> {
        let (slot, _) = self.keys.insert(key);
        if self.rows.len() <= slot as usize {
            self.rows.push(Vec::new());
        }
        let (_, before) = self.rows[slot as usize].push_mut((place, before));
        before.as_ref()
    }

    /// The first row after a place that has replaced anything under a key, and what that was.
    fn after(&self, key: &[u8], place: Offset) -> Option<&(Offset, Option<TableRow>)> {
        let replaced = &self.rows[self.keys.find(key)? as usize];
        replaced.get(replaced.partition_point(|(by, _)| *by <= place))
    }
}

/// What a table held before a change.
pub(super) enum Before<'t> {
    /// It is remembered.
    Kept(Option<&'t TableRow>),
    /// Nobody else needs it.
    Gone(Option<TableRow>),
}

impl Before<'_> {
    pub(super) fn row(&self) -> Option<&TableRow> {
        match self {
            Self::Kept(row) => *row,
            Self::Gone(row) => row.as_ref(),
        }
    }
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
    pub(super) fn find(&self, store: StoreId, key: &[u8], place: Offset) -> Option<&TableRow> {
        let replaced = self.replaced.as_ref().and_then(|replaced| replaced.get(&store));
        match replaced.and_then(|replaced| replaced.after(key, place)) {
            Some((_, before)) => before.as_ref(),
            None => self.stores.get(&store)?.get(key),
        }
    }

    /// Sets the row of a table under a key to that which comes at a place, or removes it; what it was.
    pub(super) fn change(
        &mut self,
        store: StoreId,
        key: &[u8],
        row: Option<TableRow>,
        place: Offset,
    ) -> Before<'_> {
        let table = self.stores.entry(store).or_default();
        let before = match row {
            Some(row) => table.put(key, row),
            None => table.remove(key),
        };
        let Some(replaced) = &mut self.replaced else { return Before::Gone(before) };
        Before::Kept(replaced.entry(store).or_default().push(key, place, before))
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
            table.remove(key);
            return Ok(());
        };
        let arena = Arena::new();
        let columns = codec.decode(value, &arena)?;
        let values = columns.iter().map(|column| column.value(0).to_owned()).collect();
        table.put(key, TableRow { values, timestamp_ms });
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::OwnedValue;

    const STORE: StoreId = StoreId(0);

    fn row(value: i32) -> TableRow {
        TableRow { values: [OwnedValue::Int(value)].into(), timestamp_ms: i64::from(value) }
    }

    #[test]
    fn a_table_that_is_ahead_is_looked_up_as_it_was() {
        let mut tables = Tables::default();
        tables.add(STORE);
        tables.change(STORE, b"a", Some(row(1)), Offset(90));
        tables.remember();
        for (place, change) in [(2, Some(2)), (4, None), (7, Some(3))] {
            tables.change(STORE, b"a", change.map(row), Offset(place));
        }
        tables.change(STORE, b"b", Some(row(9)), Offset(5));
        let at = |key: &[u8], place| tables.find(STORE, key, Offset(place)).cloned();
        assert_eq!(
            [0, 3, 5, 8].map(|place| at(b"a", place)),
            [Some(row(1)), Some(row(2)), None, Some(row(3)),]
        );
        assert_eq!([4, 6].map(|place| at(b"b", place)), [None, Some(row(9))]);
        tables.forget();
        assert_eq!(tables.find(STORE, b"a", Offset(0)), Some(&row(3)));
    }

    #[test]
    fn a_change_tells_what_was_before() {
        let mut tables = Tables::default();
        tables.add(STORE);
        assert_eq!(tables.change(STORE, b"a", Some(row(1)), Offset(0)).row(), None);
        assert_eq!(tables.change(STORE, b"a", Some(row(2)), Offset(1)).row(), Some(&row(1)));
        tables.remember();
        assert_eq!(tables.change(STORE, b"a", None, Offset(0)).row(), Some(&row(2)));
        assert_eq!(tables.change(STORE, b"a", Some(row(4)), Offset(1)).row(), None);
    }
}
