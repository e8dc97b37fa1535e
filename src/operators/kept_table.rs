//! The memory of a table: the rows as they are, and what they were before.

use super::cache::FLUSH_ROWS;
use super::held::{Held, Look, not_kept};
use super::log_packed::log_packed;
use super::result::{ResultBuilder, push_row};
use super::unlogged::Unlogged;
use super::waiting::lent;
use super::waiting_rows::WaitingRows;
use super::{
    CodecPair, Collector, Context, Dropped, Minds, Operator, Outcome, PackedChange, QueryError,
    StoreChange,
};
use crate::plan::{Source, SourceColumn, StoreId, frame_columns};
use crate::state::{PackedValues, TableRow, pack};
use crate::types::{
    Arena, Column, ColumnBuilder, ColumnDef, Offset, OldRows, Partition, Rows, Schema, SqlType,
    Timestamp, Validity, Value, Window, owned_headers,
};

/// Keeps the rows of a table, so that they can be looked up, and each change knows what was before.
///
/// As Kafka Streams' `KTableSource`, and its siblings that have a store: a record without a key is dropped.
///
/// With a record cache, only the last change of each row in a commit is logged; and that is all that is given away where
/// the rows go to the sink, which is a table by the same key. Further up each change goes on. There Kafka Streams merges
/// them too (`CachingKeyValueStore`), and what came and went in between is missed where rows get new keys or are joined: a
/// joined row stays for good both of whose sides go within a commit, and so does what was given away before a crash, if it
/// is passed over after it.
pub(super) struct KeptTable {
    store: StoreId,
    codecs: CodecPair,
    /// Which columns of its rows are kept.
    is_kept: Vec<bool>,
    /// How many these are.
    kept_columns: usize,
    /// Where the columns of a source's rows come from.
    frame: Vec<SourceColumn>,
    types: Vec<SqlType>,
    key_types: Vec<SqlType>,
    /// Whether windows stand behind the keys of its rows.
    is_windowed: bool,
    /// Whether changes are logged with a flush only.
    logs_later: bool,
    unlogged: Unlogged,
    /// The rows that wait to be given away, if they do.
    waiting: Option<WaitingRows>,
    /// The partition that rows come from.
    partition: Partition,
}

impl KeptTable {
    /// The table of a source. What is kept of a row are its value, its headers, its partition and its offset; what it was
    /// before has the time and the key of the record that changes it, as ksqlDB adds these afterwards.
    pub(super) fn of_source(source: &Source, store: StoreId, codecs: CodecPair) -> Self {
        let is_kept = |from| {
            matches!(
                from,
                SourceColumn::Value(_)
                    | SourceColumn::Header(_)
                    | SourceColumn::RowPartition
                    | SourceColumn::RowOffset
            )
        };
        let columns = frame_columns(source).into_iter();
        let (frame, types): (Vec<SourceColumn>, _) =
            columns.map(|each| (each.from, each.ty)).unzip();
        let is_kept: Vec<bool> = frame.iter().map(|from| is_kept(*from)).collect();
        let kept_columns = is_kept.iter().filter(|is_kept| **is_kept).count();
        let of_rows = Self::of_rows(&source.schema, store, codecs);
        let is_windowed = source.is_windowed();
        Self { is_kept, kept_columns, frame, types, is_windowed, ..of_rows }
    }

    /// The table of a node whose rows are kept whole.
    pub(super) fn of_rows(schema: &Schema, store: StoreId, codecs: CodecPair) -> Self {
        let types = |columns: &[ColumnDef]| columns.iter().map(|each| each.ty.clone()).collect();
        Self {
            store,
            codecs,
            is_kept: vec![true; schema.value.len()],
            kept_columns: schema.value.len(),
            frame: Vec::new(),
            types: types(&schema.value),
            key_types: types(&schema.key),
            is_windowed: false,
            logs_later: false,
            unlogged: Unlogged::default(),
            waiting: None,
            partition: Partition::default(),
        }
    }

    /// The same, with a record cache of so many rows; `is_last` if its rows go to the sink.
    pub(super) fn cached(self, rows: usize, is_last: bool) -> Self {
        let is_used = rows > 0;
        let waiting = (is_used && is_last).then(|| WaitingRows::new(rows));
        Self { logs_later: is_used, waiting, ..self }
    }

    /// Gives rows on with what they were before.
    fn pass_on<'a>(
        &mut self,
        rows: Rows<'a>,
        ctx: &mut Context<'_, 'a>,
    ) -> Result<Rows<'a>, QueryError> {
        let builder = |ty| ColumnBuilder::new(ty, rows.len);
        let mut old: Vec<_> = self.types.iter().map(builder).collect();
        let (mut kept, mut old_valid) = (Vec::with_capacity(rows.len), Vec::new());
        let (mut key, mut packed) = (Vec::new(), Vec::new());
        let stored = self.stored(&rows, ctx.eval.arena);
        for row in 0..rows.len {
            if !self.encode_key(&rows, row, &mut key)? {
                ctx.out.dropped(Dropped::NullKey, rows.meta.offset(row), 1);
                continue;
            }
            kept.push(row as u32);
            let timestamp_ms = rows.meta.timestamps[row];
            let now = pack_stored((&rows, &stored), row, &mut packed);
            if !self.logs_later {
                self.log(&key, now, timestamp_ms, ctx.out)?;
            }
            let arena = ctx.eval.arena;
            let change = ctx.tables.change(self.store, &key, now, rows.meta.offset(row));
            old_valid.push(change.before.is_some());
            let other = |at: usize| rows.value[at].value(row);
            let before = change.before.map(|row| self.values(row.values(), arena, other));
            push_row(&mut old, before);
            match (change.slot, now) {
                (Some(slot), _) if self.logs_later => {
                    self.unlogged.touch(slot, now.is_none().then_some(timestamp_ms));
                }
                (Some(slot), None) => ctx.tables.release(self.store, slot),
                _ => {}
            }
        }
        let mut result = if kept.len() == rows.len { rows } else { rows.take(&kept) };
        let value = old.into_iter().map(ColumnBuilder::finish).collect();
        result.old = Some(OldRows { value, valid: Validity::from_flags(old_valid) });
        Ok(result)
    }

    /// Lets rows wait, but for those that the cache cannot hold.
    fn hold<'a>(
        &mut self,
        rows: &Rows<'a>,
        ctx: &mut Context<'_, 'a>,
    ) -> Result<Rows<'a>, QueryError> {
        self.partition = rows.meta.partition;
        let (mut key, mut packed) = (Vec::new(), Vec::new());
        let stored = self.stored(rows, ctx.eval.arena);
        for row in 0..rows.len {
            if !self.encode_key(rows, row, &mut key)? {
                ctx.out.dropped(Dropped::NullKey, rows.meta.offset(row), 1);
                continue;
            }
            let now = pack_stored((rows, &stored), row, &mut packed);
            // A row that is not there has a place too: that it is deleted may be news for the sink.
            let change = ctx.tables.change(self.store, &key, now, rows.meta.offset(row));
            let slot = change.slot.unwrap_or_else(|| ctx.tables.place(self.store, &key));
            let Some(waiting) = &mut self.waiting else { continue };
            let (change, is_new) = waiting.hold(slot);
            change.timestamp_ms = rows.meta.timestamps[row];
            if is_new {
                let position = rows.key.position(row);
                let columns = rows.key.columns.iter().map(|column| column.value(position));
                columns.for_each(|value| pack(value, &mut change.key));
            }
            if rows.meta.headers.is_some() || !change.headers.is_empty() {
                change.headers = owned_headers(rows.meta.headers(row));
            }
        }
        let excess = self.waiting.as_mut().map(WaitingRows::take_excess).unwrap_or_default();
        Ok(self.give(&excess, ctx))
    }

    /// Gives away rows that have waited. They are still to be logged.
    fn give<'a>(&mut self, slots: &[u32], ctx: &mut Context<'_, 'a>) -> Rows<'a> {
        let Some(waiting) = self.waiting.as_mut().filter(|_| !slots.is_empty()) else {
            return Rows::default();
        };
        let arena = ctx.eval.arena;
        let types = (&*self.key_types, &*self.types);
        let mut given = ResultBuilder::new(types, self.partition, false);
        for slot in slots.iter().copied() {
            let Some(change) = waiting.take_change(slot) else { continue };
            let (_, row) = ctx.tables.row(self.store, slot);
            let mut key = PackedValues::new(&change.key);
            given.push_key(std::iter::repeat_with(|| key.next(arena)));
            match row.map(TableRow::values) {
                Some(mut values) => {
                    given.push_value(std::iter::repeat_with(|| values.next(arena)));
                }
                None => given.push_no_value(),
            }
            given.push_meta(change.timestamp_ms, lent(&change.headers, arena), None);
            self.unlogged.touch(slot, row.is_none().then_some(change.timestamp_ms));
        }
        given.finish()
    }

    /// Logs rows as they are now, and forgets the keys of those that are gone.
    fn log_rows(&mut self, slots: &[u32], ctx: &mut Context<'_, '_>) -> Result<(), QueryError> {
        for slot in slots.iter().copied() {
            let (key, row) = ctx.tables.row(self.store, slot);
            if let Some(TableRow { timestamp_ms, .. }) = row {
                self.log(key, row, timestamp_ms, ctx.out)?;
                continue;
            }
            let deleted_ms = self.unlogged.take_deleted_ms(slot);
            self.log(key, None, deleted_ms, ctx.out)?;
            ctx.tables.release(self.store, slot);
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
        let columns = self.kept_columns;
        let Some(row) = row else {
            out.changed(StoreChange { store, key, value: None, timestamp_ms });
            return Ok(());
        };
        let values = row.packed;
        log_packed(PackedChange { store, key, values, columns, codec, timestamp_ms }, out)
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

    /// The bytes of a key and its window, which stand together in the store.
    fn split<'k>(&self, stored: &'k [u8]) -> (&'k [u8], Option<Window>) {
        if !self.is_windowed {
            return (stored, None);
        }
        let Some((rest, end)) = stored.split_last_chunk() else { return (stored, None) };
        let Some((key, start)) = rest.split_last_chunk() else { return (stored, None) };
        let time = |bytes: &[u8; 8]| Timestamp(i64::from_be_bytes(*bytes));
        (key, Some(Window { start: time(start), end: time(end) }))
    }

    /// Whether a row of a store is looked for; without windows, keys are found and not compared.
    fn is_wanted(&self, stored: &[u8], keys: Option<&[Vec<u8>]>, look: &Look<'_, '_>) -> bool {
        let (key, window) = self.split(stored);
        keys.is_none_or(|keys| keys.iter().any(|wanted| wanted == key))
            && window.is_none_or(|window| look.wants_window(window))
    }

    /// The rows that are looked for.
    fn look_up<'a>(&self, look: &Look<'_, 'a>) -> Result<Held<'a>, QueryError> {
        let mut builder = ResultBuilder::new((&self.key_types, &self.types), look.partition, false);
        let mut give = |key: &[u8], row: TableRow<'_>| -> Result<(), QueryError> {
            let arena = look.arena;
            let (key, window) = self.split(key);
            let columns = self.codecs.key.decode(arena.bytes(key), arena)?;
            let key: Vec<Value<'a>> = columns.iter().map(|column| column.value(0)).collect();
            builder.push_key(key.iter().copied());
            let other = |at: usize| {
                let from = self.frame.get(at).copied().unwrap_or(SourceColumn::RowOffset);
                not_kept(from, (&key, window), row.timestamp_ms)
            };
            let values: Vec<Value<'a>> = self.values(row.values(), arena, other).collect();
            builder.push_value(values.into_iter());
            builder.push_meta(row.timestamp_ms, &[], window);
            Ok(())
        };
        let mut next = None;
        let tables = look.tables;
        let keys = look.keys(&self.codecs)?;
        if let Some(keys) = keys.as_ref().filter(|_| !self.is_windowed) {
            for key in keys {
                if let Some(row) = tables.find(self.store, key, Offset(0)) {
                    give(key, row)?;
                }
            }
        } else {
            let count = tables.slots_end(self.store);
            let (slots, rest) = look.slots(count, |slot| tables.row(self.store, slot).0);
            next = rest;
            for slot in slots {
                match tables.row(self.store, slot) {
                    (key, Some(row)) if self.is_wanted(key, keys.as_deref(), look) => {
                        give(key, row)?;
                    }
                    _ => {}
                }
            }
        }
        Ok(Held { rows: builder.finish(), next })
    }

    /// The columns that are kept, as they are once they were written to the store and read again.
    fn stored<'a>(&self, rows: &Rows<'a>, arena: &'a Arena) -> Vec<Column<'a>> {
        let kept = rows.value.iter().zip(&self.is_kept).filter(|(_, is_kept)| **is_kept);
        let kept = kept.map(|(column, _)| column.clone()).collect();
        self.codecs.value.normalise(kept, arena)
    }

    /// All columns of a row: those that are kept, and of the others what `other` says of the column at a place.
    fn values<'v, 'a: 'v>(
        &'v self,
        mut kept: PackedValues<'v>,
        arena: &'a Arena,
        other: impl Fn(usize) -> Value<'a> + 'v,
    ) -> impl Iterator<Item = Value<'a>> + 'v {
        self.is_kept.iter().enumerate().map(
            move |(at, is_kept)| {
                if *is_kept { kept.next(arena) } else { other(at) }
            },
        )
    }
}

/// The row that is kept of a record, of columns as they are stored; `None` if it deletes it.
fn pack_stored<'p>(
    (rows, stored): (&Rows<'_>, &[Column<'_>]),
    row: usize,
    packed: &'p mut Vec<u8>,
) -> Option<TableRow<'p>> {
    if !rows.value_valid.is_valid(row) {
        return None;
    }
    packed.clear();
    for column in stored {
        pack(column.value(row), packed);
    }
    Some(TableRow { timestamp_ms: rows.meta.timestamps[row], packed })
}

impl Operator for KeptTable {
    fn minds(&self) -> Minds {
        Minds::Nothing
    }

    fn process<'a>(&mut self, rows: &Rows<'a>, ctx: &mut Context<'_, 'a>) -> Outcome<'a> {
        match self.waiting {
            Some(_) => self.hold(rows, ctx).into(),
            None => self.pass_on(rows.clone(), ctx).into(),
        }
    }

    fn process_owned<'a>(&mut self, rows: Rows<'a>, ctx: &mut Context<'_, 'a>) -> Outcome<'a> {
        match self.waiting {
            Some(_) => self.hold(&rows, ctx).into(),
            None => self.pass_on(rows, ctx).into(),
        }
    }

    fn flush<'a>(&mut self, ctx: &mut Context<'_, 'a>) -> Outcome<'a> {
        let waiting = self.waiting.as_mut();
        let slots = waiting.map(|waiting| waiting.take_oldest(FLUSH_ROWS)).unwrap_or_default();
        if !slots.is_empty() {
            return self.give(&slots, ctx).into();
        }
        let slots = self.unlogged.take_oldest(FLUSH_ROWS);
        self.log_rows(&slots, ctx).map(|()| Rows::default()).into()
    }

    fn held<'a>(&mut self, look: &Look<'_, 'a>) -> Option<Result<Held<'a>, QueryError>> {
        (look.store == self.store).then(|| self.look_up(look))
    }

    fn is_waiting(&self) -> bool {
        self.unlogged.is_any() || self.waiting.as_ref().is_some_and(WaitingRows::is_any)
    }

    fn forget(&mut self) {
        self.unlogged = Unlogged::default();
        if let Some(waiting) = &mut self.waiting {
            waiting.clear();
        }
    }
}
