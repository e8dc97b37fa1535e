//! What flows between operators: a run of rows of one task, column by column.

use std::borrow::Cow;

use super::{Column, Headers, Offset, Partition, Shared, Timestamp, Validity, Window};

/// Rows in the order in which their records came.
///
/// A **stream** row has a key and a value. A **table** row is a change: `value` is what holds now,
/// `old` what held before, where the topology asks for it. A row whose key or value is null as a
/// whole is not valid; that is not the same as one whose columns are all NULL.
#[derive(Clone, Debug, Default)]
pub struct Rows<'a> {
    /// How many rows there are.
    pub len: usize,
    /// The columns of the key.
    pub key: KeyColumns<'a>,
    /// The columns of the value.
    pub value: Vec<Column<'a>>,
    /// Which rows have a value at all.
    pub value_valid: Validity,
    /// What the rows of a table were before.
    pub old: Option<OldRows<'a>>,
    /// Where and when the rows come from.
    pub meta: Meta<'a>,
}

/// The key columns of [`Rows`], held once for each row or once for each distinct key.
#[derive(Clone, Debug, Default)]
pub struct KeyColumns<'a> {
    /// The columns.
    pub columns: Vec<Column<'a>>,
    /// Which keys exist at all.
    pub valid: Validity,
    /// Where columns hold distinct keys only: the key of each row.
    pub index: Option<Shared<u32>>,
    /// How many keys the columns hold: the rows, or the distinct keys.
    pub len: usize,
}

impl KeyColumns<'_> {
    /// The position in the columns of the key of `row`.
    #[inline]
    pub fn position(&self, row: usize) -> usize {
        self.index.as_ref().map_or(row, |index| index[row] as usize)
    }

    /// Whether `row` has a key.
    #[inline]
    pub fn is_valid(&self, row: usize) -> bool {
        self.valid.is_valid(self.position(row))
    }

    /// The keys of the rows in `rows`, in that order. Keys that none of them has are left out.
    #[must_use]
    pub fn take(&self, rows: &[u32]) -> Self {
        let (kept, index) = self.kept(rows);
        Self {
            columns: self.columns.iter().map(|column| column.take(&kept)).collect(),
            valid: self.valid.take(&kept),
            index: index.map(Shared::from),
            len: kept.len(),
        }
    }

    /// The same keys, held once for each row.
    pub(super) fn one_a_row(&self) -> Self {
        let Some(index) = &self.index else { return self.clone() };
        Self {
            columns: self.columns.iter().map(|column| column.take(index)).collect(),
            valid: self.valid.take(index),
            index: None,
            len: index.len(),
        }
    }

    /// The positions of the keys of `rows`, and which of these keys each row has, unless it is
    /// the one at its own place.
    pub(super) fn kept<'r>(&self, rows: &'r [u32]) -> (Cow<'r, [u32]>, Option<Vec<u32>>) {
        let Some(index) = &self.index else { return (Cow::Borrowed(rows), None) };
        let mut kept: Vec<u32> = Vec::new();
        let mut places = vec![u32::MAX; self.len];
        let taken = rows.iter().map(|row| {
            let key = index[*row as usize];
            let place = &mut places[key as usize];
            if *place == u32::MAX {
                *place = kept.len() as u32;
                kept.push(key);
            }
            *place
        });
        let index = Some(taken.collect());
        (Cow::Owned(kept), index)
    }
}

/// The values that table rows had before.
#[derive(Clone, Debug, Default)]
pub struct OldRows<'a> {
    /// The columns of the value.
    pub value: Vec<Column<'a>>,
    /// Which rows had a value at all.
    pub valid: Validity,
}

impl<'a> OldRows<'a> {
    /// The rows before, where none was there; their columns look like these.
    pub fn none(columns: &[Column<'a>], len: usize) -> Self {
        Self { value: columns.to_vec(), valid: Validity::from_flags(vec![false; len]) }
    }
}

/// Where and when rows come from.
#[derive(Clone, Debug, Default)]
pub struct Meta<'a> {
    /// The event time of each row, in milliseconds.
    pub timestamps: Shared<i64>,
    /// The headers of each row; `None` when no row has any.
    pub headers: Option<Vec<Headers<'a>>>,
    /// The window of each key, for windowed sources and aggregates.
    pub windows: Option<Vec<Window>>,
    /// The offset of the record that each row comes from.
    pub offsets: Shared<i64>,
    /// The partition of the task.
    pub partition: Partition,
    /// Whether the value still is that of the source, so that a row can be read again by offset.
    pub is_source: bool,
}

impl<'a> Meta<'a> {
    /// The event time of `row`.
    pub fn timestamp(&self, row: usize) -> Timestamp {
        Timestamp(self.timestamps[row])
    }

    /// The offset of the record that `row` comes from.
    pub fn offset(&self, row: usize) -> Offset {
        Offset(self.offsets.get(row).copied().unwrap_or(-1))
    }

    /// The headers of `row`.
    pub fn headers(&self, row: usize) -> Headers<'a> {
        self.headers.as_ref().map_or(&[], |headers| headers[row])
    }

    /// The window of the key of `row`.
    pub fn window(&self, row: usize) -> Option<Window> {
        self.windows.as_ref().map(|windows| windows[row])
    }

    /// The same of the rows in `rows`, in that order.
    #[must_use]
    pub fn take(&self, rows: &[u32]) -> Self {
        fn pick<T: Copy, C: FromIterator<T>>(values: &[T], rows: &[u32]) -> C {
            rows.iter().map(|row| values[*row as usize]).collect()
        }
        let offsets = &self.offsets;
        Self {
            timestamps: pick(&self.timestamps, rows),
            headers: self.headers.as_ref().map(|headers| pick(headers, rows)),
            windows: self.windows.as_ref().map(|windows| pick(windows, rows)),
            offsets: if offsets.is_empty() { Shared::default() } else { pick(offsets, rows) },
            partition: self.partition,
            is_source: self.is_source,
        }
    }
}

impl Rows<'_> {
    /// The rows in `rows`, in that order.
    #[must_use]
    pub fn take(&self, rows: &[u32]) -> Self {
        Self {
            len: rows.len(),
            key: self.key.take(rows),
            value: self.value.iter().map(|column| column.take(rows)).collect(),
            value_valid: self.value_valid.take(rows),
            old: self.old.as_ref().map(|old| OldRows {
                value: old.value.iter().map(|column| column.take(rows)).collect(),
                valid: old.valid.take(rows),
            }),
            meta: self.meta.take(rows),
        }
    }

    /// The first `len` rows.
    #[must_use]
    pub fn truncated(&self, len: usize) -> Self {
        let rows: Vec<u32> = (0..len as u32).collect();
        self.take(&rows)
    }
}
