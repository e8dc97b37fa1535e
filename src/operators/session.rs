//! Aggregates a stream by key in SESSION windows.

use std::collections::HashMap;

use super::aggregate::Emitting;
use super::groups::{Emission, Groups, ResultBuilder};
use super::windowed::{EMIT_INTERVAL_MS, null_value};
use super::{Context, Dropped, Operator, Outcome, QueryError, Store};
use crate::expr::aggregates::Sequence;
use crate::state::SessionIndex;
use crate::types::{Meta, OwnedValue, Rows, Timestamp, Window};

/// One row for each period of activity of a key.
///
/// As Kafka Streams' `KStreamSessionWindowAggregate`: a record that touches sessions swallows them,
/// each with a tombstone, and then the merged session is put.
pub(super) struct SessionAggregate {
    groups: Groups,
    gap_ms: i64,
    grace_ms: i64,
    retention_ms: i64,
    emitting: Emitting,
    emit_interval_ms: i64,
    partitions: HashMap<i32, PartitionTime>,
    /// With a cache: changes that wait for a flush, in order, by store key.
    pending: Pending,
}

#[derive(Default)]
struct PartitionTime {
    stream_time: Option<i64>,
    emitted_to: Option<i64>,
    emit_from_ms: i64,
    index: SessionIndex,
}

/// Sessions that wait in the cache, in the order of their last update.
#[derive(Default)]
struct Pending {
    clock: u64,
    changes: HashMap<Vec<u8>, PendingChange>,
}

struct PendingChange {
    updated: u64,
    partition: i32,
    window: Window,
    key: Box<[OwnedValue]>,
    record_ms: i64,
    old: Option<Vec<OwnedValue>>,
}

/// A record on its way into a session.
struct Arrival<'k> {
    key: &'k [u8],
    partition: i32,
    row: usize,
}

impl SessionAggregate {
    pub(super) fn new(groups: Groups, spans: (i64, i64, i64), emitting: Emitting) -> Self {
        let (gap_ms, grace_ms, retention_ms) = spans;
        Self {
            groups,
            gap_ms,
            grace_ms,
            retention_ms,
            emitting,
            emit_interval_ms: EMIT_INTERVAL_MS,
            partitions: HashMap::new(),
            pending: Pending::default(),
        }
    }

    /// Sets the wall-clock time between two emissions of `EMIT FINAL`.
    pub(super) fn with_emit_interval(self, emit_interval_ms: i64) -> Self {
        Self { emit_interval_ms, ..self }
    }

    fn add_record<'a>(
        &mut self,
        arrival: &Arrival<'_>,
        rows: &Rows<'a>,
        builder: &mut ResultBuilder<'a>,
        ctx: &mut Context<'_, 'a>,
    ) -> Result<(), QueryError> {
        let at = rows.meta.timestamps[arrival.row];
        let time = self.partitions.entry(arrival.partition).or_default();
        let stream_time = time.stream_time.map_or(at, |time| time.max(at));
        time.stream_time = Some(stream_time);
        let close_time = stream_time.saturating_sub(self.grace_ms).saturating_sub(self.gap_ms);
        let touched = time.index.find(
            arrival.key,
            at.saturating_sub(self.gap_ms),
            at.saturating_add(self.gap_ms),
        );
        let alone = Window { start: Timestamp(at), end: Timestamp(at) };
        let merged = touched.iter().fold(alone, |merged, (window, _)| Window {
            start: merged.start.min(window.start),
            end: merged.end.max(window.end),
        });
        if merged.end.0 < close_time {
            ctx.out.dropped(Dropped::Late, 1);
        } else {
            self.put(arrival, (merged, alone), &touched, rows, builder, ctx)?;
        }
        if self.groups.plan.is_final {
            self.emit_closed(arrival, close_time, rows, builder, ctx);
        }
        Ok(())
    }

    #[expect(clippy::too_many_arguments, reason = "one step of a protocol, split only for length")]
    fn put<'a>(
        &mut self,
        arrival: &Arrival<'_>,
        (merged, alone): (Window, Window),
        touched: &[(Window, u32)],
        rows: &Rows<'a>,
        builder: &mut ResultBuilder<'a>,
        ctx: &mut Context<'_, 'a>,
    ) -> Result<(), QueryError> {
        let row = arrival.row;
        let mut states = self.groups.initial_states(ctx.sequence);
        let mut kept = vec![OwnedValue::Null; self.groups.plan.kept_columns];
        for (_, slot) in touched {
            let group = self.groups.group(*slot);
            let plan = std::sync::Arc::clone(&self.groups.plan);
            let pairs = plan.calls.iter().zip(states.into_iter().zip(group.states.iter().cloned()));
            let merged: Result<_, _> =
                pairs.map(|(call, (older, newer))| call.function.merge(older, newer)).collect();
            states = merged?;
            for (kept, other) in kept.iter_mut().zip(&group.kept) {
                if kept.is_null() {
                    *kept = other.clone();
                }
            }
        }
        if merged != alone {
            for (window, slot) in touched {
                self.remove(arrival, *window, *slot, rows, builder, ctx)?;
            }
        }
        let slot = self.insert(arrival, merged, rows, ctx.sequence);
        let group = self.groups.group_mut(slot);
        (group.states, group.kept, group.exists) = (states, kept.into(), true);
        group.timestamp_ms = merged.end.0;
        self.groups.add(slot, rows, row, ctx.sequence)?;
        self.changed(slot, true, None, rows, row, builder, ctx)
    }

    fn insert(
        &mut self,
        arrival: &Arrival<'_>,
        window: Window,
        rows: &Rows<'_>,
        sequence: &mut Sequence,
    ) -> u32 {
        let (slot, _) = self.groups.insert(&store_key(arrival.key, window));
        self.groups.set_up(
            slot,
            &rows.key,
            rows.key.position(arrival.row),
            arrival.partition,
            sequence,
        );
        self.groups.group_mut(slot).window = Some(window);
        let time = self.partitions.entry(arrival.partition).or_default();
        time.index.insert(arrival.key, window, slot);
        slot
    }

    fn remove<'a>(
        &mut self,
        arrival: &Arrival<'_>,
        window: Window,
        slot: u32,
        rows: &Rows<'a>,
        builder: &mut ResultBuilder<'a>,
        ctx: &mut Context<'_, 'a>,
    ) -> Result<(), QueryError> {
        let old = self.emitting.with_old.then(|| self.groups.snapshot(slot));
        self.changed(slot, false, old, rows, arrival.row, builder, ctx)?;
        self.groups.remove(slot);
        if let Some(time) = self.partitions.get_mut(&arrival.partition) {
            time.index.remove(arrival.key, window);
        }
        Ok(())
    }

    #[expect(clippy::too_many_arguments, reason = "a change with all that it is emitted with")]
    fn changed<'a>(
        &mut self,
        slot: u32,
        is_live: bool,
        old: Option<Vec<OwnedValue>>,
        rows: &Rows<'a>,
        row: usize,
        builder: &mut ResultBuilder<'a>,
        ctx: &mut Context<'_, 'a>,
    ) -> Result<(), QueryError> {
        let record_ms = rows.meta.timestamps[row];
        if self.emitting.cached_groups > 0 {
            self.pending.touch(&self.groups, slot, record_ms, old);
            return Ok(());
        }
        let key = self.groups.store_key(slot).to_vec();
        self.groups.log_change(slot, &key, is_live, record_ms, ctx)?;
        if !self.groups.plan.is_final {
            let timestamp_ms = self.groups.group(slot).window.map_or(record_ms, |w| w.end.0);
            let emission = Emission { slot, is_live, timestamp_ms };
            self.groups.emit(&emission, old, &[], builder, ctx.eval.arena);
        }
        Ok(())
    }

    /// Emits the sessions that are closed by now, as `EMIT FINAL` does after each record.
    fn emit_closed<'a>(
        &mut self,
        arrival: &Arrival<'_>,
        close_time: i64,
        rows: &Rows<'a>,
        builder: &mut ResultBuilder<'a>,
        ctx: &mut Context<'_, 'a>,
    ) {
        let now_ms = ctx.eval.now.0;
        let Some(time) = self.partitions.get_mut(&arrival.partition) else { return };
        if now_ms < time.emit_from_ms {
            return;
        }
        time.emit_from_ms = now_ms.saturating_add(self.emit_interval_ms);
        if time.emitted_to.is_some_and(|emitted_to| emitted_to >= close_time) || close_time < 1 {
            return;
        }
        let first = time.emitted_to.unwrap_or(0).max(0);
        let closed = time.index.ending(first, close_time - 1);
        if first <= close_time - 1 {
            time.emitted_to = Some(close_time);
        }
        for (_, window, slot) in closed {
            let emission = Emission { slot, is_live: true, timestamp_ms: window.end.0 };
            let headers = rows.meta.headers(arrival.row);
            self.groups.emit(&emission, None, headers, builder, ctx.eval.arena);
        }
    }

    /// Forgets sessions that ended so long ago that nothing can touch them.
    fn expire(&mut self) {
        for time in self.partitions.values_mut() {
            let Some(stream_time) = time.stream_time else { continue };
            let keep_ms = self.retention_ms.max(self.grace_ms.saturating_add(self.gap_ms));
            for slot in time.index.expire(stream_time.saturating_sub(keep_ms)) {
                self.groups.remove(slot);
            }
        }
    }
}

/// The key of a session in its store: key, end, start.
fn store_key(key: &[u8], window: Window) -> Vec<u8> {
    let mut store_key = Vec::with_capacity(key.len() + 16);
    store_key.extend_from_slice(key);
    store_key.extend_from_slice(&window.end.0.to_be_bytes());
    store_key.extend_from_slice(&window.start.0.to_be_bytes());
    store_key
}

impl Pending {
    fn touch(&mut self, groups: &Groups, slot: u32, record_ms: i64, old: Option<Vec<OwnedValue>>) {
        self.clock += 1;
        let group = groups.group(slot);
        let Some(window) = group.window else { return };
        let change =
            self.changes.entry(groups.store_key(slot).to_vec()).or_insert_with(|| PendingChange {
                updated: 0,
                partition: group.partition,
                window,
                key: group.key.clone(),
                record_ms,
                old,
            });
        (change.updated, change.record_ms) = (self.clock, record_ms);
    }

    fn take(&mut self) -> Vec<(Vec<u8>, PendingChange)> {
        let mut changes: Vec<_> = self.changes.drain().collect();
        changes.sort_unstable_by_key(|(_, change)| change.updated);
        changes
    }
}

impl Operator for SessionAggregate {
    fn process<'a>(&mut self, rows: &Rows<'a>, ctx: &mut Context<'_, 'a>) -> Outcome<'a> {
        let mut builder = self.groups.builder(&rows.meta, self.emitting.with_old);
        let mut key = Vec::new();
        for row in 0..rows.len {
            match self.groups.encode_key(&rows.key, rows.key.position(row), &mut key) {
                Ok(true) if !rows.value_valid.is_valid(row) => {
                    return Outcome { rows: builder.finish(), failure: Some(null_value()) };
                }
                Ok(true) => {}
                Ok(false) => {
                    ctx.out.dropped(Dropped::NullKey, 1);
                    continue;
                }
                Err(error) => return Outcome { rows: builder.finish(), failure: Some(error) },
            }
            let partition = self.groups.partition_of(&key, rows.meta.partition);
            let arrival = Arrival { key: &key, partition, row };
            if let Err(error) = self.add_record(&arrival, rows, &mut builder, ctx) {
                return Outcome { rows: builder.finish(), failure: Some(error) };
            }
        }
        if self.emitting.cached_groups == 0 {
            self.expire();
        }
        builder.finish().into()
    }

    fn flush<'a>(&mut self, ctx: &mut Context<'_, 'a>) -> Outcome<'a> {
        let mut builder = self.groups.builder(&Meta::default(), self.emitting.with_old);
        for (store_key, change) in self.pending.take() {
            let slot = self.groups.find(&store_key);
            let result = match slot {
                Some(slot) => self.groups.log_change(slot, &store_key, true, change.record_ms, ctx),
                None => {
                    ctx.out.changed(super::StoreChange {
                        store: self.groups.store,
                        partition: change.partition,
                        key: &store_key,
                        value: None,
                        timestamp_ms: change.record_ms,
                    });
                    Ok(())
                }
            };
            if let Err(error) = result {
                return Outcome { rows: builder.finish(), failure: Some(error) };
            }
            if self.groups.plan.is_final {
                continue;
            }
            let timestamp_ms = change.window.end.0;
            match slot {
                Some(slot) => {
                    let emission = Emission { slot, is_live: true, timestamp_ms };
                    self.groups.emit(&emission, change.old, &[], &mut builder, ctx.eval.arena);
                }
                None => builder.push_deleted(
                    (&change.key, change.window, timestamp_ms),
                    change.old.as_deref(),
                    ctx.eval.arena,
                ),
            }
        }
        self.expire();
        builder.finish().into()
    }

    fn store(&mut self) -> Option<&mut dyn Store> {
        Some(self)
    }
}

impl Store for SessionAggregate {
    fn restore(
        &mut self,
        partition: i32,
        key: &[u8],
        value: Option<&[u8]>,
        timestamp_ms: i64,
        sequence: &mut Sequence,
    ) -> Result<(), QueryError> {
        let refuse = || QueryError::new("a key of the session store's changelog is too short");
        let (rest, start) = key.split_last_chunk::<8>().ok_or_else(refuse)?;
        let (inner, end) = rest.split_last_chunk::<8>().ok_or_else(refuse)?;
        let window = Window {
            start: Timestamp(i64::from_be_bytes(*start)),
            end: Timestamp(i64::from_be_bytes(*end)),
        };
        let time = self.partitions.entry(partition).or_default();
        let Some(value) = value else {
            if let Some(slot) = time.index.remove(inner, window) {
                self.groups.remove(slot);
            }
            return Ok(());
        };
        let slot = self.groups.restore(partition, (key, inner), value, timestamp_ms, sequence)?;
        let group = self.groups.group_mut(slot);
        (group.window, group.timestamp_ms) = (Some(window), window.end.0);
        time.index.insert(inner, window, slot);
        Ok(())
    }

    fn rows(&self) -> usize {
        self.groups.len()
    }

    fn clear(&mut self) {
        self.groups.clear();
        self.partitions.clear();
        self.pending = Pending::default();
    }
}
