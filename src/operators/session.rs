//! Aggregates a stream by key in SESSION windows.

use std::sync::Arc;

use super::groups::{Arrival, Emission, GroupKey, Groups, RestoredGroup};
use super::held::{Held, Look};
use super::pending_sessions::{Pending, PendingChange};
use super::result::{Deletion, ResultBuilder};
use super::waiting::{Emitting, lent};
use super::windowed::{EMIT_INTERVAL_MS, note_time, null_value};
use super::{
    Clocks, Context, Dropped, Late, Minds, Operator, Outcome, QueryError, Store, StoredRecord,
};
use crate::expr::aggregates::{Sequence, State};
use crate::state::{GroupHead, SessionIndex};
use crate::types::{Meta, OwnedValue, Rows, Timestamp, Window};

/// How long the segments are at least in which ksqlDB's store keeps sessions.
const SEGMENT_MS_MIN: i64 = 60_000;

/// One row for each period of activity of a key.
///
/// As Kafka Streams' `KStreamSessionWindowAggregate`: a record that touches sessions swallows them,
/// each with a tombstone, and then the merged session is put.
///
/// With `EMIT FINAL` sessions are given as windows are by
/// [`WindowedAggregate`](super::windowed::WindowedAggregate), in the order of their ends: with a cache
/// a closed one stays until it was given, and without one those are lost that lie in segments which
/// ksqlDB's store has dropped by then. A row that is out of order and touches a session that was given
/// makes a longer one of it, which is given too, as in ksqlDB.
pub(super) struct SessionAggregate {
    groups: Groups,
    gap_ms: i64,
    grace_ms: i64,
    retention_ms: i64,
    emitting: Emitting,
    emit_interval_ms: i64,
    time: SessionTime,
    /// With a cache: changes that wait for a flush, in order, by store key.
    pending: Pending,
}

/// How long the spans of sessions are.
#[expect(clippy::struct_field_names, reason = "a number says its unit")]
#[derive(Clone, Copy)]
pub(super) struct SessionSpans {
    /// The inactivity gap.
    pub(super) gap_ms: i64,
    /// How long after its end a session takes records that are out of order.
    pub(super) grace_ms: i64,
    /// How long results are kept.
    pub(super) retention_ms: i64,
}

/// How far the sessions have come.
#[derive(Default)]
struct SessionTime {
    stream_time: Option<i64>,
    /// The latest end of a session that was ever put, which is the store's own stream time.
    latest_end: Option<i64>,
    emitted_to: Option<i64>,
    emit_from_ms: i64,
    index: SessionIndex,
}

/// A session that is put, or goes.
struct Change {
    slot: u32,
    is_live: bool,
    /// What it was, where that is asked for.
    old: Option<Vec<OwnedValue>>,
}

/// The states and the kept columns of sessions that become one.
type Merged = (Vec<State>, Vec<OwnedValue>);

/// What a record makes of the sessions that it touches.
struct Merge {
    /// The session that comes of it.
    window: Window,
    /// Whether the touched sessions are another one than it, and go.
    swallows: bool,
    touched: Vec<(Window, u32)>,
}

impl SessionAggregate {
    pub(super) fn new(groups: Groups, spans: SessionSpans, emitting: Emitting) -> Self {
        let SessionSpans { gap_ms, grace_ms, retention_ms } = spans;
        Self {
            groups,
            gap_ms,
            grace_ms,
            retention_ms,
            emitting,
            emit_interval_ms: EMIT_INTERVAL_MS,
            time: SessionTime::default(),
            pending: Pending::default(),
        }
    }

    /// Sets the wall-clock time between two emissions of `EMIT FINAL`.
    pub(super) fn with_emit_interval(self, emit_interval_ms: i64) -> Self {
        Self { emit_interval_ms, ..self }
    }

    fn add_record<'a>(
        &mut self,
        arrival: &Arrival<'_, 'a>,
        builder: &mut ResultBuilder<'a>,
        ctx: &mut Context<'_, 'a>,
    ) -> Result<(), QueryError> {
        let at = arrival.rows.meta.timestamps[arrival.row];
        if at.checked_add(self.gap_ms).is_none() {
            // The bounds of the search for sessions overflow, and Kafka Streams stops for it.
            return Err(QueryError::new("Window startMs time cannot be negative."));
        }
        let time = &mut self.time;
        let stream_time = time.stream_time.map_or(at, |time| time.max(at));
        time.stream_time = Some(stream_time);
        let close_time = stream_time.saturating_sub(self.grace_ms).saturating_sub(self.gap_ms);
        let earliest_end = at.saturating_sub(self.gap_ms).max(self.first_found());
        let latest_start = at.saturating_add(self.gap_ms);
        let touched = self.time.index.find(arrival.key, earliest_end, latest_start);
        let alone = Window { start: Timestamp(at), end: Timestamp(at) };
        let window = touched.iter().fold(alone, |merged, (window, _)| Window {
            start: merged.start.min(window.start),
            end: merged.end.max(window.end),
        });
        if window.end.0 < close_time {
            let (at, stream_time) = (Timestamp(at), Timestamp(stream_time));
            let late = Dropped::Late(Late { at, window, stream_time });
            ctx.out.dropped(late, arrival.rows.meta.offset(arrival.row), 1);
        } else {
            let merge = Merge { window, swallows: window != alone, touched };
            self.put(arrival, &merge, builder, ctx)?;
        }
        // What the next record of the batch finds must not depend on where the batch is cut.
        if self.emitting.cached_groups == 0 {
            self.expire();
        }
        if self.groups.plan.is_final {
            self.emit_closed(arrival, close_time, builder, ctx);
        }
        Ok(())
    }

    /// Puts the session that a record makes of those that it touches.
    fn put<'a>(
        &mut self,
        arrival: &Arrival<'_, 'a>,
        merge: &Merge,
        builder: &mut ResultBuilder<'a>,
        ctx: &mut Context<'_, 'a>,
    ) -> Result<(), QueryError> {
        let (states, kept) = self.merged(&merge.touched, ctx.sequence)?;
        if let ([(_, slot)], false) = (&*merge.touched, merge.swallows) {
            self.wait(*slot, arrival);
        }
        if merge.swallows {
            for (window, slot) in &merge.touched {
                self.remove(arrival, (*window, *slot), builder, ctx)?;
            }
        }
        let slot = self.insert(arrival, merge.window, ctx.sequence);
        self.groups.set_states(slot, states);
        self.groups.set_kept(slot, &kept);
        let head = self.groups.head(slot);
        let timestamp_ms = merge.window.end.0;
        self.groups.set_head(slot, GroupHead { timestamp_ms, exists: true, ..head });
        self.groups.add(slot, arrival.rows, arrival.row, ctx.sequence)?;
        self.changed(arrival, Change { slot, is_live: true, old: None }, builder, ctx)
    }

    /// What the touched sessions hold together.
    fn merged(
        &mut self,
        touched: &[(Window, u32)],
        sequence: &mut Sequence,
    ) -> Result<Merged, QueryError> {
        let plan = Arc::clone(&self.groups.plan);
        let mut states = self.groups.initial_states(sequence);
        let mut kept = vec![OwnedValue::Null; plan.kept_columns];
        for (_, slot) in touched {
            let others = self.groups.states(*slot).iter().cloned();
            let pairs = plan.calls.iter().zip(states.into_iter().zip(others));
            let merged: Result<_, _> =
                pairs.map(|(call, (older, newer))| call.function.merge(older, newer)).collect();
            states = merged?;
            for (kept, other) in kept.iter_mut().zip(self.groups.kept(*slot)) {
                if kept.is_null() {
                    *kept = other;
                }
            }
        }
        Ok((states, kept))
    }

    fn insert(
        &mut self,
        arrival: &Arrival<'_, '_>,
        window: Window,
        sequence: &mut Sequence,
    ) -> u32 {
        let store_key = store_key(arrival.key, window);
        let key = &arrival.rows.key;
        let position = key.position(arrival.row);
        let group = GroupKey { store_key: &store_key, key, position, window: Some(window) };
        let (slot, _) = self.groups.enter(group, sequence);
        self.time.index.insert(arrival.key, window, slot);
        self.time.latest_end = self.time.latest_end.max(Some(window.end.0));
        slot
    }

    fn remove<'a>(
        &mut self,
        arrival: &Arrival<'_, 'a>,
        (window, slot): (Window, u32),
        builder: &mut ResultBuilder<'a>,
        ctx: &mut Context<'_, 'a>,
    ) -> Result<(), QueryError> {
        let has_old = self.emitting.with_old && self.emitting.cached_groups == 0;
        let old = has_old.then(|| self.groups.snapshot(slot));
        self.changed(arrival, Change { slot, is_live: false, old }, builder, ctx)?;
        self.groups.remove(slot);
        self.time.index.remove(arrival.key, window);
        Ok(())
    }

    /// With a cache, lets a session wait; its row before is still there when it waits first.
    fn wait(&mut self, slot: u32, arrival: &Arrival<'_, '_>) -> bool {
        let is_cached = self.emitting.cached_groups > 0;
        if is_cached {
            self.pending.touch(&mut self.groups, slot, arrival, self.emitting.with_old);
        }
        is_cached
    }

    /// Logs and gives away a change.
    fn changed<'a>(
        &mut self,
        arrival: &Arrival<'_, 'a>,
        Change { slot, is_live, old }: Change,
        builder: &mut ResultBuilder<'a>,
        ctx: &mut Context<'_, 'a>,
    ) -> Result<(), QueryError> {
        if self.wait(slot, arrival) {
            return Ok(());
        }
        let record_ms = arrival.rows.meta.timestamps[arrival.row];
        let logged = Emission { slot, is_live, timestamp_ms: record_ms, headers: &[] };
        self.groups.log_change(&logged, ctx)?;
        if !self.groups.plan.is_final {
            let timestamp_ms = self.groups.window(slot).map_or(record_ms, |w| w.end.0);
            let emission = Emission { timestamp_ms, ..logged };
            self.groups.emit(&emission, old.as_deref(), builder, ctx.eval.arena);
        }
        Ok(())
    }

    /// Emits the sessions that are closed by now, as `EMIT FINAL` does after each record.
    fn emit_closed<'a>(
        &mut self,
        arrival: &Arrival<'_, 'a>,
        close_time: i64,
        builder: &mut ResultBuilder<'a>,
        ctx: &mut Context<'_, 'a>,
    ) {
        let now_ms = ctx.eval.now.0;
        let time = &mut self.time;
        if now_ms < time.emit_from_ms {
            return;
        }
        time.emit_from_ms = now_ms.saturating_add(self.emit_interval_ms);
        if time.emitted_to.is_some_and(|emitted_to| emitted_to >= close_time) || close_time < 1 {
            return;
        }
        let first = time.emitted_to.unwrap_or(0).max(0);
        let closed = time.index.ending(first, close_time - 1);
        if first < close_time {
            time.emitted_to = Some(close_time);
        }
        for (_, window, slot) in closed {
            let headers = arrival.rows.meta.headers(arrival.row);
            let emission = Emission { slot, is_live: true, timestamp_ms: window.end.0, headers };
            self.groups.emit(&emission, None, builder, ctx.eval.arena);
        }
    }

    /// Forgets sessions that ended so long ago that nothing can touch them.
    fn expire(&mut self) {
        if let Some(stream_time) = self.time.stream_time {
            self.expire_at(stream_time);
        }
    }

    fn expire_at(&mut self, stream_time: i64) {
        for slot in self.time.index.expire(self.oldest_at(stream_time)) {
            self.groups.remove(slot);
        }
    }

    /// The earliest end of a session that something can touch at a stream time, or that is still to
    /// be given.
    fn oldest_at(&self, stream_time: i64) -> i64 {
        let keep_ms = self.retention_ms.max(self.grace_ms.saturating_add(self.gap_ms));
        let retained = stream_time.saturating_sub(keep_ms);
        match (self.groups.plan.is_final, self.emitting.cached_groups) {
            (false, _) => retained,
            (true, 0) => self.segments_from(),
            (true, _) => retained.min(self.time.emitted_to.unwrap_or(i64::MIN)),
        }
    }

    /// From which end on ksqlDB's store has sessions with `EMIT FINAL`: it forgets whole segments.
    ///
    /// As `RocksDbTimeOrderedSessionBytesStoreSupplier` and `AbstractSegments`.
    fn segments_from(&self) -> i64 {
        let segment_ms = (self.retention_ms / 2).max(SEGMENT_MS_MIN);
        let retained = |latest: i64| latest.saturating_sub(self.retention_ms);
        self.time.latest_end.map_or(i64::MIN, |latest| retained(latest) / segment_ms * segment_ms)
    }

    /// From which end on that store finds the sessions of a key, of those that it has.
    fn first_found(&self) -> i64 {
        match self.time.latest_end {
            Some(latest) if self.groups.plan.is_final && self.emitting.cached_groups == 0 => {
                latest.saturating_sub(self.retention_ms).saturating_add(1)
            }
            _ => i64::MIN,
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

impl SessionAggregate {
    fn process_rows<'a>(&mut self, rows: &Rows<'a>, ctx: &mut Context<'_, 'a>) -> Outcome<'a> {
        let mut builder = self.groups.builder(&rows.meta, self.emitting.with_old);
        let mut key = Vec::new();
        for row in 0..rows.len {
            let added = match self.groups.encode_key(&rows.key, rows.key.position(row), &mut key) {
                Ok(true) if !rows.value_valid.is_valid(row) => Err(null_value()),
                Ok(true) => self.add_record(&Arrival { key: &key, rows, row }, &mut builder, ctx),
                Ok(false) => {
                    ctx.out.dropped(Dropped::NullKey, rows.meta.offset(row), 1);
                    Ok(())
                }
                Err(error) => Err(error),
            };
            if let Err(error) = added {
                let failure = Some(error.at(&rows.meta, row));
                return Outcome { rows: builder.finish(), failure };
            }
        }
        builder.finish().into()
    }
}

impl Operator for SessionAggregate {
    fn minds(&self) -> Minds {
        Minds::Nothing
    }

    fn process<'a>(&mut self, rows: &Rows<'a>, ctx: &mut Context<'_, 'a>) -> Outcome<'a> {
        let before = self.time.stream_time;
        let Outcome { rows: given, failure } = self.process_rows(rows, ctx);
        note_time(before, self.time.stream_time, rows, ctx);
        if failure.is_some() || self.pending.len() <= self.emitting.cached_groups {
            return Outcome { rows: given, failure };
        }
        let rows = given;
        // As Kafka Streams' `NamedCache`, which gives away all that wait when one must go.
        let released = self.flush(ctx);
        if self.groups.plan.is_final { Outcome { rows, ..released } } else { released }
    }

    fn flush<'a>(&mut self, ctx: &mut Context<'_, 'a>) -> Outcome<'a> {
        let mut builder = self.groups.builder(&Meta::default(), self.emitting.with_old);
        for (store_key, change) in self.pending.take() {
            let slot = self.groups.find(&store_key);
            let result = if let Some(slot) = slot {
                let head = self.groups.head(slot);
                self.groups.set_head(slot, GroupHead { is_stored: true, ..head });
                let timestamp_ms = change.record_ms;
                let logged = Emission { slot, is_live: true, timestamp_ms, headers: &[] };
                self.groups.log_change(&logged, ctx)
            } else if !change.was_stored {
                // As `CachingSessionStore`: what never left the cache has nothing to be deleted.
                continue;
            } else {
                ctx.out.changed(super::StoreChange {
                    store: self.groups.store,
                    key: &store_key,
                    value: None,
                    timestamp_ms: change.record_ms,
                });
                Ok(())
            };
            if let Err(error) = result {
                return Outcome { rows: builder.finish(), failure: Some(error) };
            }
            if self.groups.plan.is_final {
                continue;
            }
            let timestamp_ms = change.window.end.0;
            let headers = lent(&change.headers, ctx.eval.arena);
            if let Some(slot) = slot {
                let emission = Emission { slot, is_live: true, timestamp_ms, headers };
                self.groups.emit(&emission, change.old.as_deref(), &mut builder, ctx.eval.arena);
            } else {
                let PendingChange { key, window, old, .. } = &change;
                let (window, old) = (*window, old.as_deref());
                let deletion = Deletion { key, window, timestamp_ms, headers, old };
                builder.push_deleted(deletion, ctx.eval.arena);
            }
        }
        self.expire();
        builder.finish().into()
    }

    fn held<'a>(&mut self, look: &Look<'_, 'a>) -> Option<Result<Held<'a>, QueryError>> {
        let index = &self.time.index;
        self.groups.look_up(look, |_, key| {
            let sessions = index.find(key, i64::MIN, i64::MAX).into_iter();
            sessions.map(|(_, slot)| slot).collect()
        })
    }

    fn store(&mut self, _nth: usize) -> Option<&mut dyn Store> {
        Some(self)
    }
}

impl Store for SessionAggregate {
    fn restore(
        &mut self,
        record: &StoredRecord<'_>,
        sequence: &mut Sequence,
    ) -> Result<(), QueryError> {
        let StoredRecord { key, value, .. } = *record;
        let refuse = || QueryError::new("a key of the session store's changelog is too short");
        let (rest, start) = key.split_last_chunk::<8>().ok_or_else(refuse)?;
        let (inner, end) = rest.split_last_chunk::<8>().ok_or_else(refuse)?;
        let window = Window {
            start: Timestamp(i64::from_be_bytes(*start)),
            end: Timestamp(i64::from_be_bytes(*end)),
        };
        let time = &mut self.time;
        let Some(value) = value else {
            if let Some(slot) = time.index.remove(inner, window) {
                self.groups.remove(slot);
            }
            return Ok(());
        };
        // A changelog keeps sessions longer than the store that it is of: these go as they come. It may be
        // ahead of the offsets, but how far time had come is as of these.
        let reached = window.end.0.min(time.stream_time.unwrap_or(i64::MAX));
        let latest = time.latest_end.map_or(reached, |end| end.max(reached));
        time.latest_end = Some(latest);
        if window.end.0 < self.oldest_at(latest) {
            return Ok(());
        }
        let group = RestoredGroup {
            store_key: key,
            key: inner,
            window: Some(window),
            value,
            timestamp_ms: window.end.0,
        };
        let slot = self.groups.restore(&group, sequence)?;
        let head = self.groups.head(slot);
        self.groups.set_head(slot, GroupHead { is_stored: true, ..head });
        self.time.index.insert(inner, window, slot);
        self.expire_at(latest);
        Ok(())
    }

    fn clocks(&self) -> Clocks {
        let SessionTime { stream_time, emitted_to, emit_from_ms, .. } = self.time;
        let first = || self.time.index.first_ending_from(emitted_to.unwrap_or(i64::MIN));
        let is_final = self.groups.plan.is_final;
        let not_given_from = is_final.then(first).flatten().map(|window| window.start.0);
        let look_from_ms = is_final.then_some(emit_from_ms);
        Clocks { stream_time, emitted_to, not_given_from, look_from_ms }
    }

    fn restore_clocks(&mut self, clocks: Clocks) {
        let Clocks { stream_time, emitted_to, look_from_ms, .. } = clocks.max(self.clocks());
        (self.time.stream_time, self.time.emitted_to) = (stream_time, emitted_to);
        self.time.emit_from_ms = look_from_ms.unwrap_or_default();
    }

    fn rows(&self) -> usize {
        self.groups.len()
    }

    fn clear(&mut self) {
        self.groups.clear();
        self.time = SessionTime::default();
        self.pending = Pending::default();
    }
}
