//! One side of a join: its rows, and what it asks of the other side's.

use std::ops::RangeInclusive;
use std::sync::Arc;

use crate::expr::aggregates::Sequence;
use crate::operators::{Context, QueryError, Store, StoreChange, StoredRecord};
use crate::plan::StoreId;
use crate::state::{JoinWindowStore, RowPlace, pack};
use crate::types::{Arena, Column, RowCodec, SqlType};

/// One side of a join.
pub(super) struct Side {
    pub(super) store: StoreId,
    pub(super) codec: Arc<dyn RowCodec>,
    /// The types of the columns of its rows.
    pub(super) types: Vec<SqlType>,
    /// How much older than one of its rows one of the other side may be.
    pub(super) before_ms: i64,
    /// How much younger.
    pub(super) after_ms: i64,
    /// Whether a row that finds none of the other side is given alone.
    pub(super) is_outer: bool,
    pub(super) rows: JoinWindowStore,
    /// The bytes of the row that was encoded last.
    pub(super) value: Vec<u8>,
    pub(super) scratch: Vec<u8>,
}

impl Side {
    /// The times of the other side's rows that join a row of `time_ms`. None lies before the epoch.
    pub(super) fn joined_times(&self, time_ms: i64) -> RangeInclusive<i64> {
        let from_ms = time_ms.saturating_sub(self.before_ms).max(0);
        from_ms..=self.last_joined_time(time_ms)
    }

    /// The last of these times.
    pub(super) fn last_joined_time(&self, time_ms: i64) -> i64 {
        time_ms.saturating_add(self.after_ms).max(0)
    }

    /// Writes the bytes of a row. False if it is null.
    pub(super) fn encode(
        &mut self,
        columns: &[Column<'_>],
        row: usize,
    ) -> Result<bool, QueryError> {
        self.value.clear();
        Ok(self.codec.encode(columns, row, &mut self.value)?)
    }

    /// Keeps the row that was encoded, and logs it. Its columns are as reading it back would give
    /// them.
    pub(super) fn put(
        &mut self,
        key: &[u8],
        time_ms: i64,
        (columns, row): (&[Column<'_>], usize),
        ctx: &mut Context<'_, '_>,
    ) {
        let place = self.log(key, time_ms, true, ctx);
        self.scratch.clear();
        for column in columns {
            pack(column.value(row), &mut self.scratch);
        }
        self.rows.put(key, place, &self.scratch);
    }

    /// Logs a null, which takes a number, and is kept no more than in Kafka Streams.
    pub(super) fn put_null(&mut self, key: &[u8], time_ms: i64, ctx: &mut Context<'_, '_>) {
        self.log(key, time_ms, false, ctx);
    }

    /// Logs the row that was encoded, or a null, under the next number.
    fn log(
        &mut self,
        key: &[u8],
        time_ms: i64,
        has_value: bool,
        ctx: &mut Context<'_, '_>,
    ) -> RowPlace {
        let place = RowPlace { time_ms, sequence: self.rows.next_sequence() };
        self.scratch.clear();
        self.scratch.extend_from_slice(key);
        self.scratch.extend_from_slice(&place.time_ms.to_be_bytes());
        self.scratch.extend_from_slice(&place.sequence.to_be_bytes());
        ctx.out.changed(StoreChange {
            store: self.store,
            key: &self.scratch,
            value: has_value.then_some(&self.value),
            timestamp_ms: time_ms,
        });
        place
    }
}

impl Store for Side {
    fn restore(
        &mut self,
        record: &StoredRecord<'_>,
        _sequence: &mut Sequence,
    ) -> Result<(), QueryError> {
        let refuse = || QueryError::new("a key of a join's changelog is too short");
        let (rest, sequence) = record.key.split_last_chunk::<4>().ok_or_else(refuse)?;
        let (key, time) = rest.split_last_chunk::<8>().ok_or_else(refuse)?;
        let (time_ms, sequence) = (i64::from_be_bytes(*time), i32::from_be_bytes(*sequence));
        let place = RowPlace { time_ms, sequence };
        self.rows.observe_sequence(sequence);
        let Some(value) = record.value else { return Ok(()) };
        let arena = Arena::new();
        let columns = self.codec.decode(value, &arena)?;
        self.scratch.clear();
        for column in &columns {
            pack(column.value(0), &mut self.scratch);
        }
        self.rows.put(key, place, &self.scratch);
        self.rows.expire();
        Ok(())
    }

    fn rows(&self) -> usize {
        self.rows.len()
    }

    fn clear(&mut self) {
        self.rows.clear();
    }
}
