//! The memory of a table: the rows as they are, and what they were before.

use super::result::{ResultBuilder, push_row};
use super::waiting::lent;
use super::waiting_rows::{WaitingChange, WaitingRows};
use super::{
    CodecPair, Collector, Context, Dropped, Minds, Operator, Outcome, PackedChange, QueryError,
    RecordId, StoreChange,
};
use crate::plan::{Source, SourceColumn, StoreId, frame_columns};
use crate::state::{PackedValues, TableRow, pack};
use crate::types::{
    Arena, ColumnBuilder, ColumnDef, OldRows, Partition, Rows, Schema, SqlType, Timestamp,
    Validity, Value, Window, owned_headers,
};

/// Keeps the rows of a table, so that they can be looked up, and each change knows what was before.
///
/// As Kafka Streams' `KTableSource`, and its siblings that have a store: a record without a key is dropped. With a record
/// cache, a change can be looked up at once, but is logged and given away with a flush, only the last one of each key, and
/// what was before it is what was given away before (`CachingKeyValueStore`, `TimestampedTupleForwarder`).
pub(super) struct KeptTable {
    store: StoreId,
    codecs: CodecPair,
    /// Whether every row can be written, so that changes need not be before they are sent.
    is_written_later: bool,
    columns: Vec<ColumnFrom>,
    types: Vec<SqlType>,
    key_types: Vec<SqlType>,
    header_columns: usize,
    is_windowed: bool,
    waiting: WaitingRows,
    /// The partition that rows come from.
    partition: Partition,
}

/// Where a column comes from of the rows that a table gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ColumnFrom {
    /// The row at rest, which has such columns in their order.
    Kept,
    /// The headers of the record, as the column at this place among such columns.
    Header(usize),
    /// The time of the record.
    Time,
    /// The column at this place of its key.
    Key(usize),
    WindowStart,
    WindowEnd,
}

impl From<SourceColumn> for ColumnFrom {
    fn from(column: SourceColumn) -> Self {
        match column {
            SourceColumn::Value(_) | SourceColumn::RowPartition | SourceColumn::RowOffset => {
                Self::Kept
            }
            SourceColumn::Header(place) => Self::Header(place),
            SourceColumn::RowTime => Self::Time,
            SourceColumn::Key(place) => Self::Key(place),
            SourceColumn::WindowStart => Self::WindowStart,
            SourceColumn::WindowEnd => Self::WindowEnd,
        }
    }
}

/// When a change is logged that is given away.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Logs {
    Now,
    /// With the flush.
    Later,
}

/// How many rows are given away at once.
const FLUSH_ROWS: usize = 1_000;

impl KeptTable {
    /// The table of a source. What is kept of a row are its value, its partition and its offset; what it was before has
    /// the time, the headers and the key of the record that changes it, as ksqlDB adds these afterwards.
    pub(super) fn of_source(
        source: &Source,
        store: StoreId,
        codecs: CodecPair,
        cached_rows: usize,
    ) -> Self {
        let columns = frame_columns(source).into_iter();
        let (columns, types) = columns.map(|each| (ColumnFrom::from(each.from), each.ty)).unzip();
        Self {
            columns,
            types,
            header_columns: source.headers.len(),
            is_windowed: source.is_windowed(),
            ..Self::of_rows(&source.schema, store, codecs, cached_rows)
        }
    }

    /// The table of a node whose rows are kept whole.
    pub(super) fn of_rows(
        schema: &Schema,
        store: StoreId,
        codecs: CodecPair,
        cached_rows: usize,
    ) -> Self {
        let types = |columns: &[ColumnDef]| columns.iter().map(|each| each.ty.clone()).collect();
        Self {
            store,
            is_written_later: codecs.value.bytes_max(0).is_some(),
            codecs,
            columns: vec![ColumnFrom::Kept; schema.value.len()],
            types: types(&schema.value),
            key_types: types(&schema.key),
            header_columns: 0,
            is_windowed: false,
            waiting: WaitingRows::new(cached_rows),
            partition: Partition::default(),
        }
    }

    /// Gives rows on with what they were before.
    fn pass_on<'a>(
        &self,
        rows: Rows<'a>,
        ctx: &mut Context<'_, 'a>,
    ) -> Result<Rows<'a>, QueryError> {
        let builder = |ty| ColumnBuilder::new(ty, rows.len);
        let mut old: Vec<_> = self.types.iter().map(builder).collect();
        let (mut kept, mut old_valid) = (Vec::with_capacity(rows.len), Vec::new());
        let (mut key, mut packed) = (Vec::new(), Vec::new());
        for row in 0..rows.len {
            if !self.encode_key(&rows, row, &mut key)? {
                ctx.out.dropped(Dropped::NullKey, rows.meta.offset(row), 1);
                continue;
            }
            kept.push(row as u32);
            let timestamp_ms = rows.meta.timestamps[row];
            let now = self.pack_kept(&rows, row, &mut packed);
            self.log(&key, now, timestamp_ms, ctx.out)?;
            let arena = ctx.eval.arena;
            let change = ctx.tables.change(self.store, &key, now, rows.meta.offset(row));
            old_valid.push(change.before.is_some());
            let other = |at: usize| rows.value[at].value(row);
            let before = change.before.map(|row| self.values(row.values(), arena, other));
            push_row(&mut old, before);
            if let (None, Some(slot)) = (now, change.slot) {
                ctx.tables.release(self.store, slot);
            }
        }
        let mut result = if kept.len() == rows.len { rows } else { rows.take(&kept) };
        let value = old.into_iter().map(ColumnBuilder::finish).collect();
        result.old = Some(OldRows { value, valid: Validity::from_flags(old_valid) });
        Ok(result)
    }

    /// Lets the changes of rows wait, but for those that the cache cannot hold.
    fn hold<'a>(
        &mut self,
        rows: &Rows<'a>,
        ctx: &mut Context<'_, 'a>,
    ) -> Result<Rows<'a>, QueryError> {
        self.partition = rows.meta.partition;
        let (mut key, mut packed) = (Vec::new(), Vec::new());
        for row in 0..rows.len {
            if !self.encode_key(rows, row, &mut key)? {
                ctx.out.dropped(Dropped::NullKey, rows.meta.offset(row), 1);
                continue;
            }
            let now = self.pack_kept(rows, row, &mut packed);
            let change = ctx.tables.change(self.store, &key, now, rows.meta.offset(row));
            // What is not and was not needs not be told.
            let Some(slot) = change.slot else { continue };
            let (waiting, is_new) = self.waiting.hold(slot);
            waiting.timestamp_ms = rows.meta.timestamps[row];
            waiting.record = ctx.out.record_of(rows.meta.offset(row));
            if is_new {
                waiting.before = change.before.map(|before| before.packed.into());
            }
            if is_new || self.header_columns > 0 {
                waiting.passing.clear();
                pack_passing(&self.columns, rows, row, &mut waiting.passing);
            }
            if rows.meta.headers.is_some() {
                waiting.headers = owned_headers(rows.meta.headers(row));
            }
        }
        let excess = self.waiting.take_excess();
        if excess.is_empty() {
            return Ok(Rows::default());
        }
        let (mut given, _) = self.give(&excess, Logs::Later, ctx)?;
        if ctx.tables.are_ahead() {
            // What is looked up for it is as it is now.
            given.meta.offsets = vec![i64::MAX; given.len].into();
        }
        Ok(given)
    }

    /// Gives away the last changes of rows that have waited, and which records they come from.
    fn give<'a>(
        &mut self,
        slots: &[u32],
        logs: Logs,
        ctx: &mut Context<'_, 'a>,
    ) -> Result<(Rows<'a>, Vec<Option<RecordId>>), QueryError> {
        let arena = ctx.eval.arena;
        let mut records = Vec::with_capacity(slots.len());
        let mut given = ResultBuilder::new((&self.key_types, &self.types), self.partition, true);
        for slot in slots.iter().copied() {
            let Some(change) = self.waiting.take_change(slot) else { continue };
            let (key, now) = ctx.tables.row(self.store, slot);
            if now.is_some() || change.before.is_some() {
                if logs == Logs::Now || now.is_none() {
                    self.waiting.logged(slot);
                    self.log(key, now, change.timestamp_ms, ctx.out)?;
                } else {
                    self.waiting.log_later(slot);
                }
                let passing = self.passing(&change, self.window_of(key), arena);
                let other = |at: usize| passing.value(self.columns[at]);
                let now = now.map(|row| self.values(row.values(), arena, other));
                let before = change.before.as_deref().map(PackedValues::new);
                let before = before.map(|values| self.values(values, arena, other));
                given.push_key(passing.key.iter().copied());
                given.push_change(now, before);
                let headers = lent(&change.headers, arena);
                given.push_meta(change.timestamp_ms, headers, passing.window);
                records.push(change.record);
            }
            if now.is_none() {
                ctx.tables.release(self.store, slot);
            }
        }
        Ok((given.finish(), records))
    }

    /// Gives away the next rows that wait.
    fn give_next<'a>(
        &mut self,
        slots: &[u32],
        ctx: &mut Context<'_, 'a>,
    ) -> Result<Rows<'a>, QueryError> {
        let (mut given, records) = self.give(slots, Logs::Now, ctx)?;
        given.meta.offsets = (0..given.len as i64).collect();
        ctx.out.given_from(&records);
        Ok(given)
    }

    /// Logs rows that were given away before.
    fn log_rows(&self, slots: &[u32], ctx: &mut Context<'_, '_>) -> Result<(), QueryError> {
        for slot in slots.iter().copied() {
            let (key, row) = ctx.tables.row(self.store, slot);
            if let Some(TableRow { timestamp_ms, .. }) = row {
                self.log(key, row, timestamp_ms, ctx.out)?;
            }
        }
        Ok(())
    }

    fn log(
        &self,
        key: &[u8],
        row: Option<TableRow<'_>>,
        timestamp_ms: i64,
        out: &mut dyn Collector<'_>,
    ) -> Result<(), QueryError> {
        let (store, codec) = (self.store, &self.codecs.value);
        let kept = self.columns.iter().filter(|from| **from == ColumnFrom::Kept).count();
        let Some(row) = row else {
            out.changed(StoreChange { store, key, value: None, timestamp_ms });
            return Ok(());
        };
        if self.is_written_later {
            let (values, columns) = (row.packed, kept);
            out.changed_packed(PackedChange { store, key, values, columns, codec, timestamp_ms });
            return Ok(());
        }
        let (arena, mut values, mut bytes) = (Arena::new(), row.values(), Vec::new());
        let values: Vec<_> = (0..kept).map(|_| values.lent(&arena)).collect();
        let has_value = codec.encode_values(&values, &mut bytes)?;
        let value = has_value.then_some(&*bytes);
        out.changed(StoreChange { store, key, value, timestamp_ms });
        Ok(())
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

    /// The window of a key, if keys have some.
    fn window_of(&self, key: &[u8]) -> Option<Window> {
        let (rest, end) = key.split_last_chunk()?;
        let (_, start) = rest.split_last_chunk()?;
        let time = |bytes: &[u8; 8]| Timestamp(i64::from_be_bytes(*bytes));
        self.is_windowed.then(|| Window { start: time(start), end: time(end) })
    }

    /// The row that is kept of a record; `None` if it deletes it.
    fn pack_kept<'p>(
        &self,
        rows: &Rows<'_>,
        row: usize,
        packed: &'p mut Vec<u8>,
    ) -> Option<TableRow<'p>> {
        if !rows.value_valid.is_valid(row) {
            return None;
        }
        packed.clear();
        for (column, from) in rows.value.iter().zip(&self.columns) {
            if *from == ColumnFrom::Kept {
                pack(column.value(row), packed);
            }
        }
        Some(TableRow { timestamp_ms: rows.meta.timestamps[row], packed })
    }

    /// All columns of a row: those that are kept, and of the others what `other` says of the column at a place.
    fn values<'v, 'a: 'v>(
        &'v self,
        mut kept: PackedValues<'v>,
        arena: &'a Arena,
        other: impl Fn(usize) -> Value<'a> + 'v,
    ) -> impl Iterator<Item = Value<'a>> + 'v {
        self.columns.iter().enumerate().map(move |(at, from)| match from {
            ColumnFrom::Kept => kept.next(arena),
            _ => other(at),
        })
    }

    /// What a waiting change says beside the row.
    fn passing<'a>(
        &self,
        change: &WaitingChange,
        window: Option<Window>,
        arena: &'a Arena,
    ) -> Passing<'a> {
        let mut values = PackedValues::new(&change.passing);
        let mut next = |count: usize| (0..count).map(|_| values.next(arena)).collect();
        let headers = next(self.header_columns);
        let key = next(self.key_types.len());
        Passing { headers, key, timestamp_ms: change.timestamp_ms, window }
    }
}

/// Packs what is not kept of a row, and not of its time or window.
fn pack_passing(columns: &[ColumnFrom], rows: &Rows<'_>, row: usize, packed: &mut Vec<u8>) {
    for (column, from) in rows.value.iter().zip(columns) {
        if let ColumnFrom::Header(_) = from {
            pack(column.value(row), packed);
        }
    }
    let position = rows.key.position(row);
    rows.key.columns.iter().for_each(|column| pack(column.value(position), packed));
}

/// What the record says that changes a row, and the row does not keep.
struct Passing<'a> {
    headers: Vec<Value<'a>>,
    key: Vec<Value<'a>>,
    timestamp_ms: i64,
    window: Option<Window>,
}

impl<'a> Passing<'a> {
    fn value(&self, from: ColumnFrom) -> Value<'a> {
        let bound = |of: fn(Window) -> Timestamp| {
            self.window.map_or(Value::Null, |window| Value::Bigint(of(window).0))
        };
        match from {
            ColumnFrom::Kept => Value::Null,
            ColumnFrom::Header(place) => self.headers[place],
            ColumnFrom::Time => Value::Bigint(self.timestamp_ms),
            ColumnFrom::Key(place) => self.key[place],
            ColumnFrom::WindowStart => bound(|window| window.start),
            ColumnFrom::WindowEnd => bound(|window| window.end),
        }
    }
}

impl Operator for KeptTable {
    fn minds(&self) -> Minds {
        Minds::Nothing
    }

    fn process<'a>(&mut self, rows: &Rows<'a>, ctx: &mut Context<'_, 'a>) -> Outcome<'a> {
        if self.waiting.is_used() {
            return self.hold(rows, ctx).into();
        }
        self.pass_on(rows.clone(), ctx).into()
    }

    fn process_owned<'a>(&mut self, rows: Rows<'a>, ctx: &mut Context<'_, 'a>) -> Outcome<'a> {
        if self.waiting.is_used() {
            return self.hold(&rows, ctx).into();
        }
        self.pass_on(rows, ctx).into()
    }

    fn flush<'a>(&mut self, ctx: &mut Context<'_, 'a>) -> Outcome<'a> {
        let slots = self.waiting.take_oldest(FLUSH_ROWS);
        if slots.is_empty() {
            let unlogged = self.waiting.take_unlogged(FLUSH_ROWS);
            return self.log_rows(&unlogged, ctx).map(|()| Rows::default()).into();
        }
        self.give_next(&slots, ctx).into()
    }

    fn is_waiting(&self) -> bool {
        self.waiting.is_any()
    }

    fn forget(&mut self) {
        self.waiting.clear();
    }
}
