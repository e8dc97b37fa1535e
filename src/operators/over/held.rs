//! Rows that wait for their turn, so that they go on in the order of their time.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::arriving::{Arriving, headers_of, headers_value};
use crate::expr::aggregates::Sequence;
use crate::operators::cache::FLUSH_ROWS;
use crate::operators::log_packed::log_packed;
use crate::operators::{
    CodecPair, Context, PackedChange, QueryError, Store, StoreChange, StoredRecord,
};
use crate::plan::{HeldRows, RowOrigin, StoreId};
use crate::state::{HeldPlace, HeldRow, HeldRowsStore, PackedValues, pack};
use crate::types::{Arena, RowCodec};

/// The rows that wait until one has come that is later by the grace period, of whatever key.
///
/// The latest of all rows always waits, so that how far time has come needs no place of its own.
pub(super) struct Held {
    store: StoreId,
    codec: Arc<dyn RowCodec>,
    grace_ms: i64,
    origin: RowOrigin,
    rows: HeldRowsStore,
    /// How many values a stored row has, the headers among them.
    width: usize,
    /// Those that are not logged, where changes wait for it.
    unlogged: Option<BTreeSet<HeldPlace>>,
    key: Vec<u8>,
    value: Vec<u8>,
}

impl Held {
    pub(super) fn new(
        plan: &HeldRows,
        origin: RowOrigin,
        (store, codecs): (StoreId, CodecPair),
        has_cache: bool,
    ) -> Self {
        Self {
            store,
            codec: codecs.value,
            grace_ms: plan.grace_ms,
            origin,
            rows: HeldRowsStore::default(),
            width: plan.store.stored.value.len(),
            unlogged: has_cache.then(BTreeSet::new),
            key: Vec::new(),
            value: Vec::new(),
        }
    }

    /// Whether a row of this time need not wait: the turn of all that could come before it is over.
    pub(super) fn is_due(&self, time_ms: i64) -> bool {
        self.due_ms().is_some_and(|due_ms| time_ms <= due_ms)
    }

    /// Until which time rows go on.
    fn due_ms(&self) -> Option<i64> {
        self.rows.newest_ms().map(|newest_ms| newest_ms.saturating_sub(self.grace_ms))
    }

    /// Lets a row wait.
    pub(super) fn hold<'a>(
        &mut self,
        row: &Arriving<'a>,
        ctx: &mut Context<'_, 'a>,
    ) -> Result<(), QueryError> {
        let headers = headers_value(row.headers, ctx.eval.arena);
        self.value.clear();
        let values = row.values.iter().copied().chain([headers]);
        values.for_each(|value| pack(value, &mut self.value));
        let (partition, offset) = row.source(self.origin);
        let place = HeldPlace { time_ms: row.time_ms, partition, offset };
        self.rows.put(place, row.key, &self.value);
        match &mut self.unlogged {
            Some(unlogged) => {
                unlogged.insert(place);
                Ok(())
            }
            None => self.log(place, ctx),
        }
    }

    /// Logs rows that wait for it, until these are enough for once.
    pub(super) fn log_some(&mut self, ctx: &mut Context<'_, '_>) -> Result<(), QueryError> {
        for _ in 0..FLUSH_ROWS {
            let Some(place) = self.unlogged.as_mut().and_then(BTreeSet::pop_first) else { break };
            self.log(place, ctx)?;
        }
        Ok(())
    }

    /// Whether there are changes that are not logged.
    pub(super) fn is_waiting(&self) -> bool {
        self.unlogged.as_ref().is_some_and(|unlogged| !unlogged.is_empty())
    }

    /// Forgets which changes are not logged.
    pub(super) fn forget_unlogged(&mut self) {
        self.unlogged = self.unlogged.take().map(|_| BTreeSet::new());
    }

    /// Logs a row that waits.
    fn log(&mut self, place: HeldPlace, ctx: &mut Context<'_, '_>) -> Result<(), QueryError> {
        let Some(row) = self.rows.get(place) else { return Ok(()) };
        place.write(&row.key, &mut self.key);
        let (store, key, timestamp_ms) = (self.store, &*self.key, place.time_ms);
        let (codec, values, columns) = (&self.codec, &*row.bytes, self.width);
        log_packed(PackedChange { store, key, values, columns, codec, timestamp_ms }, ctx.out)
    }

    /// Takes out the next row whose turn has come, if any, by that of the batch which is at `at`.
    pub(super) fn release<'a>(
        &mut self,
        by: &Arriving<'a>,
        ctx: &mut Context<'_, 'a>,
    ) -> Option<Arriving<'a>> {
        let (place, row) = self.rows.pop_until(self.due_ms()?)?;
        let was_unlogged = self.unlogged.as_mut().is_some_and(|unlogged| unlogged.remove(&place));
        if !was_unlogged {
            place.write(&row.key, &mut self.key);
            let (store, key) = (self.store, &*self.key);
            ctx.out.changed(StoreChange { store, key, value: None, timestamp_ms: by.time_ms });
        }
        Some(self.read(place, &row, by, ctx.eval.arena))
    }

    fn read<'a>(
        &self,
        place: HeldPlace,
        row: &HeldRow,
        by: &Arriving<'a>,
        arena: &'a Arena,
    ) -> Arriving<'a> {
        let mut packed = PackedValues::new(&row.bytes);
        let values = arena.collect((0..self.width).map(|_| packed.next(arena)));
        let (values, headers) = match values.split_last() {
            Some((headers, values)) => (values, headers_of(*headers, arena)),
            None => (values, &[][..]),
        };
        let key = arena.bytes(&row.key);
        Arriving { key, values, time_ms: place.time_ms, headers, ..*by }
    }
}

impl Store for Held {
    fn restore(
        &mut self,
        record: &StoredRecord<'_>,
        _sequence: &mut Sequence,
    ) -> Result<(), QueryError> {
        let arena = Arena::new();
        if let Some(value) = record.value {
            self.value.clear();
            for column in &self.codec.decode(value, &arena)? {
                pack(column.value(0), &mut self.value);
            }
        }
        let bytes = record.value.map(|_| &*self.value);
        if self.rows.restore(record.key, bytes) {
            Ok(())
        } else {
            Err(QueryError::new("a key of the changelog of rows that wait is too short"))
        }
    }

    fn rows(&self) -> usize {
        self.rows.len()
    }

    fn clear(&mut self) {
        self.rows.clear();
        self.forget_unlogged();
    }
}
