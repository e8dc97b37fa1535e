//! The changed rows of an aggregation, put together one by one.

use crate::types::{
    Arena, Column, ColumnBuilder, Headers, KeyColumns, Meta, OldRows, OwnedValue, Partition, Rows,
    Shared, SqlType, Validity, Value, Window,
};

/// A row that goes, whose group is gone already.
#[derive(Clone, Copy)]
pub(super) struct Deletion<'k, 'a> {
    pub(super) key: &'k [OwnedValue],
    pub(super) window: Window,
    pub(super) timestamp_ms: i64,
    pub(super) headers: Headers<'a>,
    /// What it was, where that is asked for.
    pub(super) old: Option<&'k [OwnedValue]>,
}

/// The columns of a result while it is put together.
pub(super) struct ResultBuilder<'a> {
    key: Vec<ColumnBuilder<'a>>,
    value: Vec<ColumnBuilder<'a>>,
    valid: Vec<bool>,
    old: Option<(Vec<ColumnBuilder<'a>>, Vec<bool>)>,
    timestamps: Vec<i64>,
    headers: Vec<Headers<'a>>,
    windows: Vec<Window>,
    partition: Partition,
}

impl<'a> ResultBuilder<'a> {
    /// An empty result with columns of these types.
    pub(super) fn new(
        (key, value): (&[SqlType], &[SqlType]),
        partition: Partition,
        with_old: bool,
    ) -> Self {
        let columns = |types: &[SqlType]| -> Vec<ColumnBuilder<'a>> {
            types.iter().map(|ty| ColumnBuilder::new(ty, 0)).collect()
        };
        Self {
            key: columns(key),
            value: columns(value),
            valid: Vec::new(),
            old: with_old.then(|| (columns(value), Vec::new())),
            timestamps: Vec::new(),
            headers: Vec::new(),
            windows: Vec::new(),
            partition,
        }
    }

    /// Adds the deletion of a row that is no longer held.
    pub(super) fn push_deleted(&mut self, deletion: Deletion<'_, 'a>, arena: &'a Arena) {
        let Deletion { key, window, timestamp_ms, headers, old } = deletion;
        self.push_key(key.iter().map(|value| copied(value, arena)));
        self.push_no_value();
        self.push_old(old, arena);
        self.push_meta(timestamp_ms, headers, Some(window));
    }

    /// Says what its key is: the first of these values, as many as there are columns.
    pub(super) fn push_key(&mut self, key: impl Iterator<Item = Value<'a>>) {
        for (column, value) in self.key.iter_mut().zip(key) {
            column.push(value);
        }
    }

    /// Says what the row is now.
    pub(super) fn push_value(&mut self, values: impl Iterator<Item = Value<'a>>) {
        push_row(&mut self.value, Some(values));
        self.valid.push(true);
    }

    /// Says that there is no row now.
    pub(super) fn push_no_value(&mut self) {
        self.value.iter_mut().for_each(ColumnBuilder::push_null);
        self.valid.push(false);
    }

    /// Says what the row was before, where that is asked for.
    pub(super) fn push_old(&mut self, old: Option<&[OwnedValue]>, arena: &'a Arena) {
        let Some((columns, valid)) = &mut self.old else { return };
        valid.push(old.is_some());
        push_row(columns, old.map(|values| values.iter().map(|value| copied(value, arena))));
    }

    pub(super) fn push_meta(
        &mut self,
        timestamp_ms: i64,
        headers: Headers<'a>,
        window: Option<Window>,
    ) {
        self.timestamps.push(timestamp_ms);
        self.headers.push(headers);
        self.windows.extend(window);
    }

    /// The finished rows.
    pub(super) fn finish(self) -> Rows<'a> {
        fn columns(builders: Vec<ColumnBuilder<'_>>) -> Vec<Column<'_>> {
            builders.into_iter().map(ColumnBuilder::finish).collect()
        }
        let len = self.timestamps.len();
        let has_headers = self.headers.iter().any(|headers| !headers.is_empty());
        Rows {
            len,
            key: KeyColumns {
                columns: columns(self.key),
                valid: Validity::all(),
                index: None,
                len,
            },
            value: columns(self.value),
            value_valid: Validity::from_flags(self.valid),
            old: self.old.map(|(value, valid)| OldRows {
                value: columns(value),
                valid: Validity::from_flags(valid),
            }),
            meta: Meta {
                timestamps: self.timestamps.into(),
                headers: has_headers.then_some(self.headers),
                windows: (!self.windows.is_empty()).then_some(self.windows),
                offsets: Shared::default(),
                partition: self.partition,
                is_source: false,
            },
        }
    }
}

/// Adds the values of a row to its columns, or NULLs.
#[inline]
pub(super) fn push_row<'a>(
    columns: &mut [ColumnBuilder<'a>],
    values: Option<impl Iterator<Item = Value<'a>>>,
) {
    match values {
        Some(values) => {
            columns.iter_mut().zip(values).for_each(|(column, value)| column.push(value));
        }
        None => columns.iter_mut().for_each(ColumnBuilder::push_null),
    }
}

/// An owned value, copied into `arena`.
pub(super) fn copied<'a>(value: &OwnedValue, arena: &'a Arena) -> Value<'a> {
    match value {
        OwnedValue::String(text) => Value::String(arena.text(text)),
        other => arena.copy(other.as_value(&Arena::new())),
    }
}
