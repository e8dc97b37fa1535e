//! Joins the rows of a stream with what a table holds under their keys.

use super::lookup::{Lookup, find_each};
use super::result::push_row;
use super::{Context, Dropped, Minds, Operator, Outcome, Port, QueryError};
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
        let found = find_each(self.table.as_ref(), &rows, ctx)?;
        let keeps_unmatched = self.joined.kind != JoinKind::Inner;
        let mut kept = Vec::with_capacity(rows.len);
        let mut builders: Vec<_> =
            self.types.iter().map(|ty| ColumnBuilder::new(ty, rows.len)).collect();
        for row in 0..rows.len {
            if !rows.key.is_valid(row) {
                ctx.out.dropped(Dropped::NullKey, rows.meta.offset(row), 1);
                continue;
            }
            if !rows.value_valid.is_valid(row) {
                ctx.out.dropped(Dropped::NullValue, rows.meta.offset(row), 1);
                continue;
            }
            let found = found.of(row, &rows.key);
            if found.is_some() || keeps_unmatched {
                push_row(&mut builders, found.map(|found| found.values.iter().copied()));
                kept.push(row as u32);
            }
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
}

impl Operator for StreamTableJoin {
    fn minds(&self) -> Minds {
        Minds::Tables
    }

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
        self.join(rows, ctx).into()
    }
}
