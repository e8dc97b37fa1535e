//! The left table of a foreign-key join: what answers make of the rows that asked.

use std::sync::Arc;

use super::murmur3::murmur3;
use crate::operators::lookup::LookupKey;
use crate::operators::table_table_join::{JoinSide, hide};
use crate::operators::{Context, Dropped, Operator, Outcome, QueryError};
use crate::plan::RESPONSE_COLUMNS;
use crate::types::{Column, ColumnBuilder, Meta, RowCodec, Rows, Validity, Value};

/// Joins each response with the row that the left table has now, if it still is the one that asked.
///
/// As Kafka Streams' `ResponseJoinProcessorSupplier`: a response to an older value is stale, and its
/// like is under way.
pub(in crate::operators) struct Resolve {
    is_left: bool,
    left: JoinSide,
    /// How the values of the left table are written where they are hashed.
    value: Arc<dyn RowCodec>,
}

/// The joined rows, put together one by one.
struct Joined<'a> {
    left: Vec<ColumnBuilder<'a>>,
    valid: Vec<bool>,
    /// The responses that they come from.
    rows: Vec<u32>,
    /// The left row that was found last.
    found: Vec<Value<'a>>,
}

impl Resolve {
    pub(in crate::operators) fn new(
        is_left: bool,
        left: JoinSide,
        value: Arc<dyn RowCodec>,
    ) -> Self {
        Self { is_left, left, value }
    }

    fn join<'a>(
        &self,
        rows: &Rows<'a>,
        ctx: &mut Context<'_, 'a>,
        joined: &mut Joined<'a>,
    ) -> Result<(), QueryError> {
        let hashes = hashes(rows);
        let (mut key, mut value) = (Vec::new(), Vec::new());
        for row in 0..rows.len {
            let position = rows.key.position(row);
            if !self.left.rows.codecs().encode_key(&rows.key, position, &mut key)? {
                ctx.out.dropped(Dropped::NullKey, rows.meta.offset(row), 1);
                continue;
            }
            let columns = rows.key.columns.iter().map(|column| column.value(position));
            let values: Vec<Value<'a>> = columns.collect();
            joined.found.clear();
            let left = LookupKey { bytes: &key, values: &values, place: rows.meta.offset(row) };
            let time = self.left.rows.find(left, ctx.tables, &ctx.eval, &mut joined.found)?;
            let has_left = time.is_some();
            let hash = if has_left {
                value.clear();
                self.value.encode_values(&joined.found, &mut value)?;
                Some(murmur3(&value))
            } else {
                None
            };
            let asked = match hashes.map(|hashes| hashes.value(row)) {
                Some(Value::Bytes(hash)) => Some(hash),
                _ => None,
            };
            if hash.as_ref().map(|hash| &hash[..]) == asked {
                let has_right = rows.value_valid.is_valid(row);
                joined.push(row, has_right || self.is_left && has_left);
            }
        }
        Ok(())
    }
}

/// The column of the hashes of responses.
fn hashes<'r, 'a>(rows: &'r Rows<'a>) -> Option<&'r Column<'a>> {
    rows.value.iter().rev().nth(RESPONSE_COLUMNS - 1)
}

impl<'a> Joined<'a> {
    fn push(&mut self, row: usize, is_valid: bool) {
        self.rows.push(row as u32);
        self.valid.push(is_valid);
        for (index, column) in self.left.iter_mut().enumerate() {
            column.push(self.found.get(index).copied().unwrap_or(Value::Null));
        }
    }

    /// The finished rows: the columns of the left table, then those of the right one.
    fn finish(self, responses: &Rows<'a>) -> Rows<'a> {
        let right = responses.value.len().saturating_sub(RESPONSE_COLUMNS);
        let has_right = responses.value_valid.take(&self.rows);
        let right = responses.value[..right].iter();
        let right = right.map(|column| hide(column.take(&self.rows), &has_right));
        let left = self.left.into_iter().map(ColumnBuilder::finish);
        Rows {
            len: self.rows.len(),
            key: responses.key.take(&self.rows),
            value: left.chain(right).collect(),
            value_valid: Validity::from_flags(self.valid),
            old: None,
            meta: Meta { is_source: false, ..responses.meta.take(&self.rows) },
        }
    }
}

impl Operator for Resolve {
    fn process<'a>(&mut self, rows: &Rows<'a>, ctx: &mut Context<'_, 'a>) -> Outcome<'a> {
        let types = self.left.types.iter();
        let mut joined = Joined {
            left: types.map(|ty| ColumnBuilder::new(ty, rows.len)).collect(),
            valid: Vec::with_capacity(rows.len),
            rows: Vec::with_capacity(rows.len),
            found: Vec::new(),
        };
        let failure = self.join(rows, ctx, &mut joined).err();
        Outcome { rows: joined.finish(rows), failure }
    }
}
