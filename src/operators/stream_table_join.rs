//! Joins the rows of a stream with what a table holds under their keys.

use super::lookup::{Lookup, LookupKey};
use super::{Context, Dropped, Operator, Outcome, Port, QueryError};
use crate::plan::{JoinKind, Joined};
use crate::types::{Column, ColumnBuilder, Meta, Rows, SqlType, Validity, Value};

/// Looks each row of a stream up in a table, as the table is when the row comes.
///
/// As Kafka Streams' `KStreamKTableJoinProcessor`: a row without a key or a value is dropped; the time
/// and the headers are the stream's. Changes of the table give nothing.
pub(super) struct StreamTableJoin {
    joined: Joined,
    table: Box<dyn Lookup>,
    /// The types of the table's columns.
    types: Vec<SqlType>,
}

impl StreamTableJoin {
    pub(super) fn new(joined: Joined, table: Box<dyn Lookup>, types: Vec<SqlType>) -> Self {
        Self { joined, table, types }
    }

    fn join<'a>(&self, rows: Rows<'a>, ctx: &mut Context<'_, 'a>) -> Result<Rows<'a>, QueryError> {
        let found = self.find(&rows, ctx)?;
        let keeps_unmatched = self.joined.kind != JoinKind::Inner;
        let mut kept = Vec::with_capacity(rows.len);
        let mut builders: Vec<_> =
            self.types.iter().map(|ty| ColumnBuilder::new(ty, rows.len)).collect();
        for row in 0..rows.len {
            if !rows.key.is_valid(row) {
                ctx.out.dropped(Dropped::NullKey, 1);
                continue;
            }
            if !rows.value_valid.is_valid(row) {
                continue;
            }
            match &found[rows.key.position(row)] {
                Some(values) => {
                    for (builder, value) in builders.iter_mut().zip(values) {
                        builder.push(*value);
                    }
                }
                None if keeps_unmatched => builders.iter_mut().for_each(ColumnBuilder::push_null),
                None => continue,
            }
            kept.push(row as u32);
        }
        let mut result = if kept.len() == rows.len { rows } else { rows.take(&kept) };
        result.value.extend(builders.into_iter().map(ColumnBuilder::finish));
        if self.joined.appends_key {
            result.value.push(Column::Constant(Value::Null));
        }
        result.value_valid = Validity::all();
        result.meta = Meta { is_source: false, ..result.meta };
        Ok(result)
    }

    /// What the table has under each distinct key of a batch.
    fn find<'a>(
        &self,
        rows: &Rows<'a>,
        ctx: &Context<'_, 'a>,
    ) -> Result<Vec<Option<Vec<Value<'a>>>>, QueryError> {
        let mut bytes = Vec::new();
        let mut found = Vec::with_capacity(rows.key.len);
        for position in 0..rows.key.len {
            bytes.clear();
            let has_key = rows.key.valid.is_valid(position)
                && self.table.codecs().key.encode(&rows.key.columns, position, &mut bytes)?;
            if !has_key {
                found.push(None);
                continue;
            }
            let values: Vec<_> =
                rows.key.columns.iter().map(|column| column.value(position)).collect();
            let key = LookupKey { bytes: &bytes, values: &values };
            let mut row = Vec::with_capacity(self.types.len());
            let time = self.table.find(key, ctx.tables, &ctx.eval, &mut row)?;
            found.push(time.map(|_| row));
        }
        Ok(found)
    }
}

impl Operator for StreamTableJoin {
    fn process<'a>(&mut self, rows: &Rows<'a>, ctx: &mut Context<'_, 'a>) -> Outcome<'a> {
        self.process_port(Port(0), rows.clone(), ctx)
    }

    fn process_port<'a>(
        &mut self,
        port: Port,
        rows: Rows<'a>,
        ctx: &mut Context<'_, 'a>,
    ) -> Outcome<'a> {
        if port != Port(0) {
            return Rows::default().into();
        }
        match self.join(rows, ctx) {
            Ok(rows) => rows.into(),
            Err(error) => Outcome { rows: Rows::default(), failure: Some(error) },
        }
    }
}
