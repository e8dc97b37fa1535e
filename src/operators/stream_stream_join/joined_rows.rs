//! The rows of a join, put together one by one.

use super::keys::ReadKey;
use crate::state::PackedValues;
use crate::types::{
    Arena, Column, ColumnBuilder, Headers, KeyColumns, Meta, Rows, SqlType, Validity, Value,
};

/// The rows of a join while they are put together.
///
/// The columns of the side that is processed are picked from its batch in the end, as they are
/// there already; those of the other side are collected. Rows that have waited long enough are
/// picked from behind the batch.
pub(super) struct JoinedRows<'a> {
    /// Which row of the batch, or behind it, each row has its key and near columns from.
    picked: Vec<u32>,
    far: Vec<ColumnBuilder<'a>>,
    timestamps: Vec<i64>,
    batch_len: usize,
    rows_max: usize,
    waited: Vec<WaitedRow<'a>>,
}

/// A row that has waited long enough.
pub(super) struct WaitedRow<'a> {
    /// The row of the batch with which its time was over.
    pub(super) arrival: usize,
    pub(super) key: ReadKey<'a>,
    pub(super) values: Vec<Value<'a>>,
    /// Whether it is of the side that is processed.
    pub(super) is_near: bool,
    pub(super) timestamp_ms: i64,
    /// Those of the record that is processed.
    pub(super) headers: Headers<'a>,
}

/// How the columns of both sides stand in the result.
pub(super) struct ColumnOrder {
    /// Whether the far side's come first.
    pub(super) is_far_first: bool,
    /// Whether a column for a key of its own follows, which is never filled.
    pub(super) appends_key: bool,
}

impl<'a> JoinedRows<'a> {
    /// No rows, for a batch of `batch_len` rows and far columns of these types.
    pub(super) fn new(far: &[SqlType], batch_len: usize, rows_max: usize) -> Self {
        Self {
            picked: Vec::with_capacity(batch_len),
            far: far.iter().map(|ty| ColumnBuilder::new(ty, batch_len)).collect(),
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

    /// Adds `row` of the batch, joined with a packed one of the far side.
    #[inline]
    pub(super) fn push_joined(
        &mut self,
        row: usize,
        far: &[u8],
        timestamp_ms: i64,
        arena: &'a Arena,
    ) {
        self.picked.push(row as u32);
        self.timestamps.push(timestamp_ms);
        let mut values = PackedValues::new(far);
        self.far.iter_mut().for_each(|column| column.push(values.next(arena)));
    }

    /// Adds `row` of the batch alone.
    pub(super) fn push_alone(&mut self, row: usize, timestamp_ms: i64) {
        self.picked.push(row as u32);
        self.timestamps.push(timestamp_ms);
        self.far.iter_mut().for_each(ColumnBuilder::push_null);
    }

    /// Adds a row that has waited long enough.
    pub(super) fn push_waited(&mut self, row: WaitedRow<'a>) {
        self.picked.push((self.batch_len + self.waited.len()) as u32);
        self.timestamps.push(row.timestamp_ms);
        for (index, column) in self.far.iter_mut().enumerate() {
            column.push(row.value(index, !row.is_near));
        }
        self.waited.push(row);
    }

    /// The finished rows, whose near columns come from `batch` and have these types.
    pub(super) fn finish(
        self,
        mut batch: Rows<'a>,
        near: &[SqlType],
        order: &ColumnOrder,
    ) -> Rows<'a> {
        let Self { picked, far, timestamps, waited, .. } = self;
        if picked.is_empty() {
            return Rows::default();
        }
        if !waited.is_empty() {
            append(&mut batch, near, &waited);
        }
        let mut near = batch.value.iter().map(|column| column.take(&picked)).collect();
        let mut value: Vec<Column<'a>> = far.into_iter().map(ColumnBuilder::finish).collect();
        if order.is_far_first {
            value.append(&mut near);
        } else {
            near.append(&mut value);
            value = near;
        }
        value.extend(order.appends_key.then_some(Column::Constant(Value::Null)));
        let meta = Meta { is_source: false, ..batch.meta }.take(&picked);
        Rows {
            len: picked.len(),
            key: batch.key.take(&picked),
            value,
            value_valid: Validity::all(),
            old: None,
            meta: Meta { timestamps: timestamps.into(), ..meta },
        }
    }
}

impl<'a> WaitedRow<'a> {
    /// The value in a column of the near or the far side; NULL where it is of the other one.
    fn value(&self, column: usize, is_own: bool) -> Value<'a> {
        let value = self.values.get(column).filter(|_| is_own);
        value.copied().unwrap_or_default()
    }
}

/// Appends rows that have waited to a batch, so that all can be picked in one way.
fn append<'a>(batch: &mut Rows<'a>, near: &[SqlType], waited: &[WaitedRow<'a>]) {
    let key = &batch.key;
    let key_column = |(index, column): (usize, &Column<'a>)| {
        let values = (0..batch.len).map(|row| column.value(key.position(row)));
        let more = waited.iter().map(|row| row.key.values.get(index).copied().unwrap_or_default());
        Column::Values(values.chain(more).collect())
    };
    let columns = key.columns.iter().enumerate().map(key_column).collect();
    let len = batch.len + waited.len();
    // Only rows with a key are picked.
    batch.key = KeyColumns { columns, valid: Validity::all(), index: None, len };
    for (index, (column, ty)) in batch.value.iter_mut().zip(near).enumerate() {
        let values = (0..batch.len).map(|row| column.value(row));
        let more = waited.iter().map(|row| row.value(index, row.is_near));
        *column = Column::from_values(ty, values.chain(more));
    }
    let meta = &mut batch.meta;
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
    batch.len = len;
}
