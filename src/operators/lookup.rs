//! The row that a table has now, through projections and joins.
//!
//! As Kafka Streams' `KTableValueGetter`: what is not kept itself is computed from what is.

use std::sync::Arc;

use super::{CodecPair, Context, QueryError, Tables};
use crate::expr::{EvalContext, Expr, Frame, Selection};
use crate::plan::{JoinKind, Source, SourceColumn, StoreId, frame_columns};
use crate::types::{Column, KeyColumns, Offset, Rows, SqlType, Value};

/// The key of a row that is looked up.
#[derive(Clone, Copy)]
pub(super) struct LookupKey<'k, 'a> {
    /// Its bytes, as the store has them.
    pub(super) bytes: &'k [u8],
    /// Its columns.
    pub(super) values: &'k [Value<'a>],
    /// The place of the row that looks it up.
    pub(super) place: Offset,
}

/// Gives the rows of a table.
pub(super) trait Lookup: Send {
    /// Appends the values of the row at `key` to `out`, and gives its time; appends nothing if there
    /// is no row.
    fn find<'a>(
        &self,
        key: LookupKey<'_, 'a>,
        tables: &Tables,
        eval: &EvalContext<'a>,
        out: &mut Vec<Value<'a>>,
    ) -> Result<Option<i64>, QueryError>;

    /// How the keys of the table are written.
    fn codecs(&self) -> &CodecPair;
}

/// A row that was found.
#[derive(Clone, Copy)]
pub(super) struct FoundRow<'f, 'a> {
    pub(super) values: &'f [Value<'a>],
    pub(super) timestamp_ms: i64,
}

/// The rows of a table that the rows of a batch find under their keys.
pub(super) struct FoundRows<'a> {
    /// One for each row, or one for each distinct key: where its values end, and its time if there is one.
    found: Vec<(usize, Option<i64>)>,
    /// The values of all of them.
    values: Vec<Value<'a>>,
    is_by_row: bool,
}

impl<'a> FoundRows<'a> {
    /// What a row has found.
    pub(super) fn of(&self, row: usize, key: &KeyColumns<'_>) -> Option<FoundRow<'_, 'a>> {
        let nth = if self.is_by_row { row } else { key.position(row) };
        let start = nth.checked_sub(1).map_or(0, |before| self.found[before].0);
        let (end, timestamp_ms) = self.found[nth];
        Some(FoundRow { values: &self.values[start..end], timestamp_ms: timestamp_ms? })
    }
}

/// Looks the rows of a batch up in a table, those with the same key together where that is the same.
pub(super) fn find_each<'a>(
    table: &dyn Lookup,
    rows: &Rows<'a>,
    ctx: &Context<'_, 'a>,
) -> Result<FoundRows<'a>, QueryError> {
    let is_by_row = ctx.tables.are_ahead();
    let (mut bytes, mut columns) = (Vec::new(), Vec::new());
    let len = if is_by_row { rows.len } else { rows.key.len };
    let (mut found, mut values) = (Vec::with_capacity(len), Vec::new());
    for at in 0..len {
        let position = if is_by_row { rows.key.position(at) } else { at };
        if !table.codecs().encode_key(&rows.key, position, &mut bytes)? {
            found.push((values.len(), None));
            continue;
        }
        columns.clear();
        columns.extend(rows.key.columns.iter().map(|column| column.value(position)));
        let place = rows.meta.offset(at);
        let wanted = LookupKey { bytes: &bytes, values: &columns, place };
        let time = table.find(wanted, ctx.tables, &ctx.eval, &mut values)?;
        found.push((values.len(), time));
    }
    Ok(FoundRows { found, values, is_by_row })
}

/// The rows of a source that is kept.
pub(super) struct SourceLookup {
    store: StoreId,
    codecs: CodecPair,
    frame: Vec<SourceColumn>,
}

impl SourceLookup {
    pub(super) fn new(source: &Source, store: StoreId, codecs: CodecPair) -> Self {
        Self {
            store,
            codecs,
            frame: frame_columns(source).into_iter().map(|column| column.from).collect(),
        }
    }
}

impl Lookup for SourceLookup {
    fn find<'a>(
        &self,
        key: LookupKey<'_, 'a>,
        tables: &Tables,
        eval: &EvalContext<'a>,
        out: &mut Vec<Value<'a>>,
    ) -> Result<Option<i64>, QueryError> {
        let Some(row) = tables.find(self.store, key.bytes, key.place) else { return Ok(None) };
        let mut kept = row.values();
        for from in &self.frame {
            out.push(match *from {
                // They are kept in this order.
                SourceColumn::Value(_)
                | SourceColumn::Header(_)
                | SourceColumn::RowPartition
                | SourceColumn::RowOffset => kept.next(eval.arena),
                SourceColumn::RowTime => Value::Bigint(row.timestamp_ms),
                SourceColumn::Key(place) => key.values.get(place).copied().unwrap_or(Value::Null),
                // Tables with windows are not read by persistent queries.
                SourceColumn::WindowStart | SourceColumn::WindowEnd => Value::Null,
            });
        }
        Ok(Some(row.timestamp_ms))
    }

    fn codecs(&self) -> &CodecPair {
        &self.codecs
    }
}

/// The rows of a node that keeps them whole.
pub(super) struct StoreLookup {
    pub(super) store: StoreId,
    pub(super) columns: usize,
    pub(super) codecs: CodecPair,
}

impl Lookup for StoreLookup {
    fn find<'a>(
        &self,
        key: LookupKey<'_, 'a>,
        tables: &Tables,
        eval: &EvalContext<'a>,
        out: &mut Vec<Value<'a>>,
    ) -> Result<Option<i64>, QueryError> {
        let Some(row) = tables.find(self.store, key.bytes, key.place) else { return Ok(None) };
        let mut values = row.values();
        out.extend((0..self.columns).map(|_| values.next(eval.arena)));
        Ok(Some(row.timestamp_ms))
    }

    fn codecs(&self) -> &CodecPair {
        &self.codecs
    }
}

/// A projection of what another table has.
pub(super) struct SelectLookup {
    pub(super) columns: Vec<Arc<Expr>>,
    pub(super) of: Box<dyn Lookup>,
}

impl Lookup for SelectLookup {
    fn find<'a>(
        &self,
        key: LookupKey<'_, 'a>,
        tables: &Tables,
        eval: &EvalContext<'a>,
        out: &mut Vec<Value<'a>>,
    ) -> Result<Option<i64>, QueryError> {
        let mut row = Vec::with_capacity(self.columns.len());
        let Some(time) = self.of.find(key, tables, eval, &mut row)? else { return Ok(None) };
        let mut columns: Vec<Column<'a>> = Vec::new();
        for expr in &self.columns {
            if let Some(column) = expr.as_column() {
                out.push(row.get(column).copied().unwrap_or(Value::Null));
                continue;
            }
            if columns.is_empty() {
                columns = row.iter().map(|value| Column::Values(vec![*value].into())).collect();
            }
            // A column that cannot be computed is NULL; the change that brought it was logged.
            let evaluated = expr.evaluate(&Frame::new(&columns, 1), Selection::All, eval);
            let failed = evaluated.errors.iter().any(|error| error.caught.is_none());
            out.push(if failed { Value::Null } else { evaluated.column.value(0) });
        }
        Ok(Some(time))
    }

    fn codecs(&self) -> &CodecPair {
        self.of.codecs()
    }
}

/// What two tables have together.
pub(super) struct JoinLookup {
    pub(super) kind: JoinKind,
    pub(super) appends_key: bool,
    pub(super) left: Box<dyn Lookup>,
    pub(super) right: Box<dyn Lookup>,
    /// How many columns each side has.
    pub(super) widths: Widths,
}

/// How many columns the sides of a join have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Widths {
    pub(super) left: usize,
    pub(super) right: usize,
}

/// Whether a join gives a row that only its left side, or only its right one, has.
pub(super) fn keeps(kind: JoinKind, has_left: bool, has_right: bool) -> bool {
    match (has_left, has_right) {
        (true, true) => true,
        (true, false) => matches!(kind, JoinKind::Left | JoinKind::Full),
        (false, true) => matches!(kind, JoinKind::Right | JoinKind::Full),
        (false, false) => false,
    }
}

impl Lookup for JoinLookup {
    fn find<'a>(
        &self,
        key: LookupKey<'_, 'a>,
        tables: &Tables,
        eval: &EvalContext<'a>,
        out: &mut Vec<Value<'a>>,
    ) -> Result<Option<i64>, QueryError> {
        let start = out.len();
        let left = self.left.find(key, tables, eval, out)?;
        if left.is_none() {
            out.resize(start + self.widths.left, Value::Null);
        }
        let right = self.right.find(key, tables, eval, out)?;
        if !keeps(self.kind, left.is_some(), right.is_some()) {
            out.truncate(start);
            return Ok(None);
        }
        if right.is_none() {
            out.resize(start + self.widths.left + self.widths.right, Value::Null);
        }
        if self.appends_key {
            out.push(Value::Null);
        }
        Ok(left.max(right))
    }

    fn codecs(&self) -> &CodecPair {
        self.left.codecs()
    }
}

/// The types of the columns that a lookup gives.
pub(super) fn types_of(schema: &crate::types::Schema) -> Vec<SqlType> {
    schema.value.iter().map(|column| column.ty.clone()).collect()
}
