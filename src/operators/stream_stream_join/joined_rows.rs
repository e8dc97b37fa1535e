//! The rows of a join, put together one by one.

use super::keys::ReadKey;
use crate::state::{JoinSide, PackedValues};
use crate::types::{
    Arena, Column, ColumnBuilder, Headers, KeyColumns, Meta, Rows, SqlType, Validity, Value,
};

/// The rows of a join while they are put together.
///
/// Columns are collected side by side. Keys, offsets and headers are picked in the end from the batches that are
/// processed, one behind the other; rows that have waited long enough are picked from behind those.
pub(super) struct JoinedRows<'a> {
    /// Which row of the batches, or behind them, each row has its key from.
    picked: Vec<u32>,
    this: Vec<ColumnBuilder<'a>>,
    other: Vec<ColumnBuilder<'a>>,
    timestamps: Vec<i64>,
    batch_len: usize,
    rows_max: usize,
    waited: Vec<WaitedRow<'a>>,
}

/// A row of a batch that is joined.
#[derive(Clone, Copy)]
pub(super) struct NearRow<'r, 'a> {
    pub(super) side: JoinSide,
    pub(super) columns: &'r [Column<'a>],
    pub(super) row: usize,
    /// Its place in the batches, one behind the other.
    pub(super) place: usize,
}

/// A row that has waited long enough.
pub(super) struct WaitedRow<'a> {
    /// The place in the batches of the row with which its time was over.
    pub(super) arrival: usize,
    pub(super) key: ReadKey<'a>,
    pub(super) values: Vec<Value<'a>>,
    /// Whose it is.
    pub(super) side: JoinSide,
    pub(super) timestamp_ms: i64,
    /// Those of the record that is processed.
    pub(super) headers: Headers<'a>,
}

/// How the columns of both sides stand in the result.
pub(super) struct ColumnOrder {
    /// Whether the other side's come first.
    pub(super) is_exchanged: bool,
    /// Whether a column for a key of its own follows, which is never filled.
    pub(super) appends_key: bool,
}

impl<'a> JoinedRows<'a> {
    /// No rows, for batches of `batch_len` rows together and columns of these types.
    pub(super) fn new(
        this: &[SqlType],
        other: &[SqlType],
        batch_len: usize,
        rows_max: usize,
    ) -> Self {
        let builders = |types: &[SqlType]| {
            types.iter().map(|ty| ColumnBuilder::new(ty, batch_len)).collect::<Vec<_>>()
        };
        Self {
            picked: Vec::with_capacity(batch_len),
            this: builders(this),
            other: builders(other),
            timestamps: Vec::with_capacity(batch_len),
            batch_len,
            rows_max,
            waited: Vec::new(),
        }
    }

    /// Whether it is time for them to go on.
    pub(super) fn is_full(&self) -> bool {
        self.picked.len() >= self.rows_max
    }

    /// The columns of a side, and those of the one across.
    fn sides(&mut self, near: JoinSide) -> (&mut [ColumnBuilder<'a>], &mut [ColumnBuilder<'a>]) {
        near.near_and_far(&mut self.this, &mut self.other)
    }

    /// Adds a row, joined with a packed one of the far side.
    #[inline]
    pub(super) fn push_joined(
        &mut self,
        near: NearRow<'_, 'a>,
        far: &[u8],
        timestamp_ms: i64,
        arena: &'a Arena,
    ) {
        self.picked.push(near.place as u32);
        self.timestamps.push(timestamp_ms);
        let mut values = PackedValues::new(far);
        let (own, across) = self.sides(near.side);
        near.push(own);
        for column in across {
            column.push(values.next(arena));
        }
    }

    /// Adds a row alone.
    pub(super) fn push_alone(&mut self, near: NearRow<'_, 'a>, timestamp_ms: i64) {
        self.picked.push(near.place as u32);
        self.timestamps.push(timestamp_ms);
        let (own, across) = self.sides(near.side);
        near.push(own);
        across.iter_mut().for_each(ColumnBuilder::push_null);
    }

    /// Adds a row that has waited long enough.
    pub(super) fn push_waited(&mut self, row: WaitedRow<'a>) {
        self.picked.push((self.batch_len + self.waited.len()) as u32);
        self.timestamps.push(row.timestamp_ms);
        let (own, across) = self.sides(row.side);
        for (index, column) in own.iter_mut().enumerate() {
            column.push(row.values.get(index).copied().unwrap_or_default());
        }
        across.iter_mut().for_each(ColumnBuilder::push_null);
        self.waited.push(row);
    }

    /// The finished rows; `batches` are those that were processed, one behind the other.
    pub(super) fn finish(self, mut batches: Rows<'a>, order: &ColumnOrder) -> Rows<'a> {
        let Self { picked, this, other, timestamps, waited, .. } = self;
        if picked.is_empty() {
            return Rows::default();
        }
        if !waited.is_empty() {
            append(&mut batches, &waited);
        }
        let (first, second) = if order.is_exchanged { (other, this) } else { (this, other) };
        let columns = first.into_iter().chain(second).map(ColumnBuilder::finish);
        let own_key = order.appends_key.then_some(Column::Constant(Value::Null));
        let meta = Meta { is_source: false, ..batches.meta }.take(&picked);
        Rows {
            len: picked.len(),
            key: batches.key.take(&picked),
            value: columns.chain(own_key).collect(),
            value_valid: Validity::all(),
            old: None,
            meta: Meta { timestamps: timestamps.into(), ..meta },
        }
    }
}

impl<'a> NearRow<'_, 'a> {
    #[inline]
    fn push(&self, columns: &mut [ColumnBuilder<'a>]) {
        for (builder, column) in columns.iter_mut().zip(self.columns) {
            builder.push(column.value(self.row));
        }
    }
}

/// Appends the keys of rows that have waited to those of batches, so that all can be picked in one way.
fn append<'a>(batches: &mut Rows<'a>, waited: &[WaitedRow<'a>]) {
    let key = &batches.key;
    let key_column = |(index, column): (usize, &Column<'a>)| {
        let values = (0..batches.len).map(|row| column.value(key.position(row)));
        let more = waited.iter().map(|row| row.key.values.get(index).copied().unwrap_or_default());
        Column::Values(values.chain(more).collect())
    };
    let columns = key.columns.iter().enumerate().map(key_column).collect();
    let len = batches.len + waited.len();
    // Only rows with a key are picked.
    batches.key = KeyColumns { columns, valid: Validity::all(), index: None, len };
    let meta = &mut batches.meta;
    meta.timestamps.make_mut().extend(waited.iter().map(|row| row.timestamp_ms));
    // Whoever gets the rows next can tell which row each came with.
    if !meta.offsets.is_empty() {
        let offsets = waited.iter().map(|row| meta.offsets[row.arrival]);
        let offsets: Vec<i64> = offsets.collect();
        meta.offsets.make_mut().extend(offsets);
    }
    if let Some(headers) = &mut meta.headers {
        headers.extend(waited.iter().map(|row| row.headers));
    }
    if let Some(windows) = &mut meta.windows {
        windows.extend(waited.iter().filter_map(|row| row.key.window));
    }
    batches.len = len;
}
