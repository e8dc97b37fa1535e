//! The memory of a table: what each row was before.

use std::collections::HashMap;

use super::{Context, Dropped, Operator, Outcome, QueryError, Store, StoreChange, StoredRecord};
use crate::expr::aggregates::Sequence;
use crate::plan::{Source, frame_columns};
use crate::types::{
    Arena, Column, ColumnBuilder, OldRows, OwnedValue, RowCodec, Rows, SqlType, Validity,
};
use std::sync::Arc;

/// Remembers the rows of a table, so that each change knows what was before.
///
/// As Kafka Streams' `KTableSource`: a record without a key is dropped.
pub(super) struct TableSource {
    store: usize,
    codecs: (Arc<dyn RowCodec>, Arc<dyn RowCodec>),
    types: Vec<SqlType>,
    /// The columns of a row that a stored row does not hold: pseudo-columns and the key.
    rows: HashMap<Box<[u8]>, Box<[OwnedValue]>>,
    value_columns: usize,
}

impl TableSource {
    pub(super) fn new(
        source: &Source,
        store: usize,
        codecs: (Arc<dyn RowCodec>, Arc<dyn RowCodec>),
    ) -> Self {
        let types = frame_columns(source).into_iter().map(|column| column.ty).collect();
        let value_columns = source.schema.value.len();
        Self { store, codecs, types, rows: HashMap::new(), value_columns }
    }

    fn log_change(
        &self,
        key: &[u8],
        rows: &Rows<'_>,
        row: usize,
        ctx: &mut Context<'_, '_>,
    ) -> Result<(), QueryError> {
        let mut value = Vec::new();
        let has_value = rows.value_valid.is_valid(row)
            && self.codecs.1.encode(&rows.value[..self.value_columns], row, &mut value)?;
        ctx.out.changed(StoreChange {
            store: self.store,
            partition: rows.meta.partition.0,
            key,
            value: has_value.then_some(&*value),
            timestamp_ms: rows.meta.timestamps[row],
        });
        Ok(())
    }

    fn remember<'a>(
        &mut self,
        rows: &Rows<'a>,
        ctx: &mut Context<'_, 'a>,
    ) -> Result<Rows<'a>, QueryError> {
        let arena: &'a Arena = ctx.eval.arena;
        let mut builders: Vec<_> =
            self.types.iter().map(|ty| ColumnBuilder::new(ty, rows.len)).collect();
        let mut old_valid = Vec::with_capacity(rows.len);
        let mut kept = Vec::with_capacity(rows.len);
        let mut key = Vec::new();
        for row in 0..rows.len {
            key.clear();
            let position = rows.key.position(row);
            let has_key = rows.key.is_valid(row)
                && self.codecs.0.encode(&rows.key.columns, position, &mut key)?;
            if !has_key {
                ctx.out.dropped(Dropped::NullKey, 1);
                continue;
            }
            if let Some(windows) = &rows.meta.windows {
                key.extend_from_slice(&windows[row].start.0.to_be_bytes());
                key.extend_from_slice(&windows[row].end.0.to_be_bytes());
            }
            kept.push(row as u32);
            self.log_change(&key, rows, row, ctx)?;
            let old = if rows.value_valid.is_valid(row) {
                let values = rows.value.iter().map(|column| column.value(row).to_owned()).collect();
                self.rows.insert(key.as_slice().into(), values)
            } else {
                self.rows.remove(key.as_slice())
            };
            old_valid.push(old.is_some());
            let scratch = Arena::new();
            match &old {
                Some(values) => {
                    for (builder, value) in builders.iter_mut().zip(values) {
                        builder.push(arena.copy(value.as_value(&scratch)));
                    }
                }
                None => builders.iter_mut().for_each(ColumnBuilder::push_null),
            }
        }
        let mut result = if kept.len() == rows.len { rows.clone() } else { rows.take(&kept) };
        let value: Vec<Column<'a>> = builders.into_iter().map(ColumnBuilder::finish).collect();
        result.old = Some(OldRows { value, valid: Validity::from_flags(old_valid) });
        Ok(result)
    }
}

impl Operator for TableSource {
    fn process<'a>(&mut self, rows: &Rows<'a>, ctx: &mut Context<'_, 'a>) -> Outcome<'a> {
        match self.remember(rows, ctx) {
            Ok(rows) => rows.into(),
            Err(error) => Outcome { rows: Rows::default(), failure: Some(error) },
        }
    }

    fn store(&mut self) -> Option<&mut dyn Store> {
        Some(self)
    }
}

impl Store for TableSource {
    fn restore(
        &mut self,
        record: &StoredRecord<'_>,
        _sequence: &mut Sequence,
    ) -> Result<(), QueryError> {
        let StoredRecord { key, value, timestamp_ms, .. } = *record;
        let Some(value) = value else {
            self.rows.remove(key);
            return Ok(());
        };
        let arena = Arena::new();
        let columns = self.codecs.1.decode(value, &arena)?;
        let keys = self.codecs.0.decode(key, &arena)?;
        let mut row: Vec<OwnedValue> =
            columns.iter().map(|column| column.value(0).to_owned()).collect();
        // Pseudo-columns of a restored row: its time is the record's, its place is not known.
        let pseudo = self.types.len().saturating_sub(row.len() + keys.len());
        row.push(OwnedValue::Bigint(timestamp_ms));
        row.extend((1..pseudo).map(|_| OwnedValue::Null));
        row.extend(keys.iter().map(|column| column.value(0).to_owned()));
        self.rows.insert(key.into(), row.into());
        Ok(())
    }

    fn rows(&self) -> usize {
        self.rows.len()
    }

    fn clear(&mut self) {
        self.rows.clear();
    }
}
