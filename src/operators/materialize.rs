//! Keeps the rows of a table, so that they can be looked up and each change knows what was before.

use super::result::{copied, push_row};
use super::{CodecPair, Context, Dropped, Minds, Operator, Outcome, QueryError, StoreChange};
use crate::plan::StoreId;
use crate::state::TableRow;
use crate::types::{Column, ColumnBuilder, OldRows, Rows, SqlType, Validity};

/// Keeps the rows that a node gives, whole.
///
/// As Kafka Streams' `KTableSource` after a `toTable`, and `KTableTransformValues` with a store of its
/// own. A row without a key is dropped.
pub(super) struct Materialize {
    store: StoreId,
    codecs: CodecPair,
    types: Vec<SqlType>,
}

impl Materialize {
    pub(super) fn new(store: StoreId, codecs: CodecPair, types: Vec<SqlType>) -> Self {
        Self { store, codecs, types }
    }

    fn keep<'a>(
        &mut self,
        rows: Rows<'a>,
        ctx: &mut Context<'_, 'a>,
    ) -> Result<Rows<'a>, QueryError> {
        let mut builders: Vec<_> =
            self.types.iter().map(|ty| ColumnBuilder::new(ty, rows.len)).collect();
        let (mut kept, mut old_valid) = (Vec::with_capacity(rows.len), Vec::new());
        let (mut key, mut value) = (Vec::new(), Vec::new());
        for row in 0..rows.len {
            if !self.codecs.encode_key(&rows.key, rows.key.position(row), &mut key)? {
                ctx.out.dropped(Dropped::NullKey, rows.meta.offset(row), 1);
                continue;
            }
            kept.push(row as u32);
            value.clear();
            let is_valid = rows.value_valid.is_valid(row);
            let has_value = is_valid && self.codecs.value.encode(&rows.value, row, &mut value)?;
            let timestamp_ms = rows.meta.timestamps[row];
            let value = has_value.then_some(&*value);
            ctx.out.changed(StoreChange { store: self.store, key: &key, value, timestamp_ms });
            let now = is_valid.then(|| {
                let values = rows.value.iter().map(|column| column.value(row).to_owned()).collect();
                TableRow { values, timestamp_ms }
            });
            let before = ctx.tables.change(self.store, &key, now, rows.meta.offset(row));
            old_valid.push(before.row().is_some());
            let arena = ctx.eval.arena;
            let before = before.row().map(|row| row.values.iter());
            push_row(&mut builders, before.map(|values| values.map(|value| copied(value, arena))));
        }
        let mut result = if kept.len() == rows.len { rows } else { rows.take(&kept) };
        let value: Vec<Column<'a>> = builders.into_iter().map(ColumnBuilder::finish).collect();
        result.old = Some(OldRows { value, valid: Validity::from_flags(old_valid) });
        Ok(result)
    }
}

impl Operator for Materialize {
    fn minds(&self) -> Minds {
        Minds::Nothing
    }

    fn process<'a>(&mut self, rows: &Rows<'a>, ctx: &mut Context<'_, 'a>) -> Outcome<'a> {
        self.process_owned(rows.clone(), ctx)
    }

    fn process_owned<'a>(&mut self, rows: Rows<'a>, ctx: &mut Context<'_, 'a>) -> Outcome<'a> {
        self.keep(rows, ctx).into()
    }
}
