//! The rows of an outer join with grace that wait for one of the other side.

use super::side::Side;
use crate::expr::aggregates::Sequence;
use crate::operators::{Clocks, Context, QueryError, Store, StoreChange, StoredRecord};
use crate::plan::StoreId;
use crate::state::{Unmatched, UnmatchedKey, UnmatchedStore};
use crate::types::Timestamp;

/// The rows that wait, and when they were last looked through.
///
/// As Kafka Streams' `KStreamKStreamJoin` with its shared `TimeTracker`: rows are looked through
/// while a record is processed that moves stream time, at most once in an interval of wall-clock
/// time.
pub(super) struct Waiting {
    store: StoreId,
    grace_ms: i64,
    emit_interval_ms: i64,
    rows: UnmatchedStore,
    /// No row that waits is older. It may be that of one that has gone: then they are looked through in vain.
    min_time: i64,
    /// That of before a restart.
    restored_min_time: i64,
    /// The wall clock from which they may be looked through again; 0 before the first time.
    emit_from_ms: i64,
    store_key: Vec<u8>,
}

/// The record that is processed: its side, its time, and that of the stream.
#[derive(Clone, Copy)]
pub(super) struct Trigger<'s> {
    pub(super) side: &'s Side,
    pub(super) time_ms: i64,
    pub(super) stream_time: i64,
}

impl Waiting {
    pub(super) fn new(store: StoreId, grace_ms: i64, emit_interval_ms: i64) -> Self {
        Self {
            store,
            grace_ms,
            emit_interval_ms,
            rows: UnmatchedStore::default(),
            min_time: i64::MAX,
            restored_min_time: i64::MAX,
            emit_from_ms: 0,
            store_key: Vec::new(),
        }
    }

    /// Lets a row wait.
    pub(super) fn add(&mut self, key: UnmatchedKey<'_>, row: &[u8], ctx: &mut Context<'_, '_>) {
        self.min_time = self.min_time.min(key.time_ms);
        key.write(&mut self.store_key);
        let list = self.rows.add(&self.store_key, key.side, row);
        ctx.out.changed(StoreChange {
            store: self.store,
            key: &self.store_key,
            value: Some(list),
            timestamp_ms: key.time_ms,
        });
    }

    /// Lets rows wait no longer, as they have found one of the other side at `time_ms`.
    pub(super) fn remove(
        &mut self,
        key: UnmatchedKey<'_>,
        time_ms: i64,
        ctx: &mut Context<'_, '_>,
    ) {
        if self.rows.is_empty() {
            return;
        }
        key.write(&mut self.store_key);
        if self.rows.remove(&self.store_key) {
            self.log_removal(&self.store_key, time_ms, ctx);
        }
    }

    /// Whether it is time to look for rows that have waited long enough.
    ///
    /// The bound takes the span *before* the record, rows are held against the one *after* it:
    /// where they differ, this looks in vain, or too late.
    pub(super) fn is_due(&mut self, trigger: Trigger<'_>, now: Timestamp) -> bool {
        let Trigger { side, time_ms, stream_time } = trigger;
        let bound = stream_time.saturating_sub(side.before_ms).saturating_sub(self.grace_ms);
        if time_ms != stream_time || self.min_time >= bound || now.0 < self.emit_from_ms {
            return false;
        }
        if self.emit_from_ms == 0 {
            self.emit_from_ms = now.0;
        }
        self.emit_from_ms = self.emit_from_ms.saturating_add(self.emit_interval_ms);
        self.min_time = i64::MAX;
        true
    }

    /// Takes out the next rows that have waited long enough, if any. They are forgotten for good
    /// once that is [logged](Self::log_removal).
    pub(super) fn next(&mut self, trigger: Trigger<'_>) -> Option<Unmatched> {
        let first = self.rows.first_time()?;
        self.min_time = first;
        let closes = first.saturating_add(trigger.side.after_ms).saturating_add(self.grace_ms);
        if closes >= trigger.stream_time {
            return None;
        }
        self.rows.pop_first()
    }

    /// Logs that nothing waits any more under a key of the store.
    pub(super) fn log_removal(
        &self,
        store_key: &[u8],
        timestamp_ms: i64,
        ctx: &mut Context<'_, '_>,
    ) {
        ctx.out.changed(StoreChange {
            store: self.store,
            key: store_key,
            value: None,
            timestamp_ms,
        });
    }
}

impl Store for Waiting {
    fn restore(
        &mut self,
        record: &StoredRecord<'_>,
        _sequence: &mut Sequence,
    ) -> Result<(), QueryError> {
        if !self.rows.restore(record.key, record.value) {
            return Err(QueryError::new("a record of an outer join's changelog is too short"));
        }
        let first = self.rows.first_time().unwrap_or(i64::MAX);
        self.min_time = first.min(self.restored_min_time);
        Ok(())
    }

    fn clocks(&self) -> Clocks {
        let look_from_ms = (self.emit_from_ms > 0).then_some(self.emit_from_ms);
        let not_given_from = (self.min_time < i64::MAX).then_some(self.min_time);
        Clocks { not_given_from, look_from_ms, ..Clocks::default() }
    }

    fn restore_clocks(&mut self, clocks: Clocks) {
        let Clocks { not_given_from, look_from_ms, .. } = clocks;
        self.emit_from_ms = look_from_ms.unwrap_or_default();
        self.restored_min_time = not_given_from.unwrap_or(i64::MAX);
        self.min_time = self.min_time.min(self.restored_min_time);
    }

    fn rows(&self) -> usize {
        self.rows.len()
    }

    fn clear(&mut self) {
        *self = Self::new(self.store, self.grace_ms, self.emit_interval_ms);
    }
}
