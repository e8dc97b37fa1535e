//! The memory of a table: what each row was before.

use super::result::{copied, push_row};
use super::{CodecPair, Context, Dropped, Minds, Operator, Outcome, QueryError, StoreChange};
use crate::plan::{Source, StoreId, frame_columns};
use crate::state::TableRow;
use crate::types::{Arena, Column, ColumnBuilder, OldRows, Rows, SqlType, Validity, Value};

/// Remembers the rows of a table, so that each change knows what was before.
///
/// As Kafka Streams' `KTableSource`: a record without a key is dropped. What is kept of a row are
/// its value, its partition and its offset; what it was before has the time, the headers and the key
/// of the record that changes it, as ksqlDB adds these afterwards.
pub(super) struct TableSource {
    store: StoreId,
    codecs: CodecPair,
    types: Vec<SqlType>,
    kept: KeptColumns,
}

/// Where the kept columns stand among all columns of a row.
struct KeptColumns {
    value: usize,
    partition: usize,
    offset: usize,
}

impl KeptColumns {
    fn of(source: &Source) -> Self {
        let value = source.schema.value.len();
        let time = value + source.headers.len();
        Self { value, partition: time + 1, offset: time + 2 }
    }

    /// The positions of the kept columns, in the order in which they are kept.
    fn positions(&self) -> impl Iterator<Item = usize> {
        (0..self.value).chain([self.partition, self.offset])
    }

    /// Where the column at `position` is kept.
    fn place(&self, position: usize) -> Option<usize> {
        match position {
            _ if position < self.value => Some(position),
            _ if position == self.partition => Some(self.value),
            _ if position == self.offset => Some(self.value + 1),
            _ => None,
        }
    }
}

impl TableSource {
    pub(super) fn new(source: &Source, store: StoreId, codecs: CodecPair) -> Self {
        let types = frame_columns(source).into_iter().map(|column| column.ty).collect();
        Self { store, codecs, types, kept: KeptColumns::of(source) }
    }

    /// The bytes of a row's key, with its window.
    fn encode_key(
        &self,
        rows: &Rows<'_>,
        row: usize,
        key: &mut Vec<u8>,
    ) -> Result<bool, QueryError> {
        let has_key = self.codecs.encode_key(&rows.key, rows.key.position(row), key)?;
        if let (true, Some(window)) = (has_key, rows.meta.window(row)) {
            key.extend_from_slice(&window.start.0.to_be_bytes());
            key.extend_from_slice(&window.end.0.to_be_bytes());
        }
        Ok(has_key)
    }

    fn remember<'a>(
        &mut self,
        rows: &Rows<'a>,
        ctx: &mut Context<'_, 'a>,
    ) -> Result<Rows<'a>, QueryError> {
        let mut old = OldBuilder::new(&self.types, &self.kept, rows.len);
        let mut with_key = Vec::with_capacity(rows.len);
        let (mut key, mut value) = (Vec::new(), Vec::new());
        for row in 0..rows.len {
            if !self.encode_key(rows, row, &mut key)? {
                ctx.out.dropped(Dropped::NullKey, rows.meta.offset(row), 1);
                continue;
            }
            with_key.push(row as u32);
            let now = if rows.value_valid.is_valid(row) {
                let columns = self.kept.positions().map(|position| rows.value[position].value(row));
                let values: Vec<_> = columns.collect();
                value.clear();
                let has_value = self.codecs.value.encode_values(&values, &mut value)?;
                self.log_change(&key, has_value.then_some(&*value), rows.meta.timestamps[row], ctx);
                let values = values.iter().map(Value::to_owned).collect();
                let timestamp_ms = rows.meta.timestamps[row];
                Some(TableRow { values, timestamp_ms })
            } else {
                self.log_change(&key, None, rows.meta.timestamps[row], ctx);
                None
            };
            let before = ctx.tables.change(self.store, &key, now, rows.meta.offset(row));
            old.push(before.row(), rows, row, ctx.eval.arena);
        }
        let all = with_key.len() == rows.len;
        let mut result = if all { rows.clone() } else { rows.take(&with_key) };
        result.old = Some(old.finish());
        Ok(result)
    }

    fn log_change(
        &self,
        key: &[u8],
        value: Option<&[u8]>,
        timestamp_ms: i64,
        ctx: &mut Context<'_, '_>,
    ) {
        ctx.out.changed(StoreChange { store: self.store, key, value, timestamp_ms });
    }
}

/// What rows were before, put together one by one.
struct OldBuilder<'t, 'a> {
    kept: &'t KeptColumns,
    columns: Vec<ColumnBuilder<'a>>,
    valid: Vec<bool>,
}

impl<'t, 'a> OldBuilder<'t, 'a> {
    fn new(types: &[SqlType], kept: &'t KeptColumns, len: usize) -> Self {
        let columns = types.iter().map(|ty| ColumnBuilder::new(ty, len)).collect();
        Self { kept, columns, valid: Vec::with_capacity(len) }
    }

    fn push(&mut self, before: Option<&TableRow>, rows: &Rows<'a>, row: usize, arena: &'a Arena) {
        self.valid.push(before.is_some());
        let value = |before: &TableRow, position: usize| match self.kept.place(position) {
            Some(place) => copied(&before.values[place], arena),
            None => rows.value[position].value(row),
        };
        let values = before.map(|before| (0..).map(|position| value(before, position)));
        push_row(&mut self.columns, values);
    }

    fn finish(self) -> OldRows<'a> {
        let value: Vec<Column<'a>> = self.columns.into_iter().map(ColumnBuilder::finish).collect();
        OldRows { value, valid: Validity::from_flags(self.valid) }
    }
}

impl Operator for TableSource {
    fn minds(&self) -> Minds {
        Minds::Nothing
    }

    fn process<'a>(&mut self, rows: &Rows<'a>, ctx: &mut Context<'_, 'a>) -> Outcome<'a> {
        self.remember(rows, ctx).into()
    }
}
