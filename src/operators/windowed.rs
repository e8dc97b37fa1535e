//! Aggregates a stream by key in TUMBLING and HOPPING windows.

use super::groups::{Arrival, Emission, GroupKey, Groups, RestoredGroup, WINDOW_SEQUENCE, later};
use super::held::{Held, Look};
use super::keyed::Keyed;
use super::result::ResultBuilder;
use super::waiting::Emitting;
use super::{
    Clocks, Context, Dropped, Late, Minds, Operator, Outcome, QueryError, Store, StoredRecord,
};
use crate::expr::aggregates::Sequence;
use crate::state::{GroupHead, WindowIndex};
use crate::types::{Rows, TimeWindows, Timestamp, Window};

/// How long `EMIT FINAL` waits between two emissions, in wall-clock time, unless it is told.
///
/// As Kafka Streams' `__emit.interval.ms.kstreams.windowed.aggregation__`.
pub const EMIT_INTERVAL_MS: i64 = 1_000;

/// One row for each key and window.
///
/// As Kafka Streams' `KStreamWindowAggregate`: stream time is that of a partition and moves with
/// records only; a record is late for a window that ends at or before stream time less grace.
///
/// # EMIT FINAL
///
/// Each record, also a late one, gives the windows that are closed by then and were not given before,
/// by their starts and then the bytes of their keys: but at most once in `emit_interval_ms` of wall
/// clock. Where no later record comes nothing is given, as in ksqlDB; the windows wait, also over a
/// restart, since `emitted_to` travels with the offsets.
///
/// ```text
///               emitted_to              stream time less grace
///   ──[ given ]─────┼──[ closed, not given ]──┼──[ open ]──▶ ends of windows
///    kept for the   │                         │
///    retention      │           kept, however old
/// ```
/// That is so with a cache. Without one it is as ksqlDB has it: its store forgets a window that starts
/// more than the retention before the latest one, and what it has forgotten is never given. The
/// retention is size and grace, unless it is told, so that is any window after which time jumps.
/// ksqlDB with a cache loses only those that have left the cache by then.
pub(super) struct WindowedAggregate {
    keyed: Keyed,
    windows: TimeWindows,
    retention_ms: i64,
    with_old: bool,
    is_final: bool,
    emit_interval_ms: i64,
    time: WindowTime,
    store_key: Vec<u8>,
}

/// How far the windows have come.
#[derive(Default)]
struct WindowTime {
    stream_time: Option<i64>,
    /// The greatest start of a window that was ever put, which is the store's own stream time.
    latest_start: Option<i64>,
    /// When windows were emitted last, as the time up to which they were closed.
    emitted_to: Option<i64>,
    /// The wall clock from which the next emission may come.
    emit_from_ms: i64,
    index: WindowIndex,
}

impl WindowedAggregate {
    pub(super) fn new(
        groups: Groups,
        windows: TimeWindows,
        retention_ms: i64,
        emitting: Emitting,
    ) -> Self {
        let is_final = groups.plan.is_final;
        Self {
            keyed: Keyed::new(groups, emitting),
            windows,
            retention_ms,
            with_old: emitting.with_old,
            is_final,
            emit_interval_ms: EMIT_INTERVAL_MS,
            time: WindowTime::default(),
            store_key: Vec::new(),
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
        let at = arrival.rows.meta.timestamp(arrival.row);
        if self.windows.overflows(at) {
            return Err(QueryError::new(
                "Window endMs time cannot be smaller than window startMs time.",
            ));
        }
        let stream_time = self.time.stream_time.map_or(at.0, |time| time.max(at.0));
        self.time.stream_time = Some(stream_time);
        let mut closed = None;
        for window in self.windows.containing(at) {
            if self.windows.is_closed(window, Timestamp(stream_time)) {
                closed = Some(window);
                continue;
            }
            self.add_to_window(arrival, window, builder, ctx)?;
        }
        if let Some(window) = closed {
            let late = Late { at, window, stream_time: Timestamp(stream_time) };
            ctx.out.dropped(Dropped::Late(late), arrival.rows.meta.offset(arrival.row), 1);
        }
        if self.is_final {
            self.emit_closed(arrival, builder, ctx);
        }
        Ok(())
    }

    fn add_to_window<'a>(
        &mut self,
        arrival: &Arrival<'_, 'a>,
        window: Window,
        builder: &mut ResultBuilder<'a>,
        ctx: &mut Context<'_, 'a>,
    ) -> Result<(), QueryError> {
        let Arrival { rows, row, .. } = *arrival;
        let slot = self.slot(arrival, window, ctx.sequence);
        let head = self.keyed.groups.head(slot);
        let timestamp_ms = later(head, rows.meta.timestamp(row));
        // Without a cache a new group's row before is that of its initial states.
        let mut old = (self.with_old && !self.keyed.waiting.is_used())
            .then(|| self.keyed.groups.snapshot(slot));
        self.keyed.groups.add(slot, rows, row, ctx.sequence)?;
        if let Some(old) = &mut old {
            self.keyed.groups.refresh(slot, old);
        }
        self.keyed.groups.set_head(slot, GroupHead { timestamp_ms, exists: true, ..head });
        if self.keyed.waiting.is_used() {
            self.keyed.waiting.hold(slot, &rows.meta, row);
            return Ok(());
        }
        let headers = rows.meta.headers(row);
        let emission = Emission { slot, is_live: true, timestamp_ms, headers };
        self.keyed.groups.log_change(&emission, ctx)?;
        if !self.is_final {
            self.keyed.groups.emit(&emission, old.as_deref(), builder, ctx.eval.arena);
        }
        Ok(())
    }

    /// The slot of a key's window, set up if it is new.
    fn slot(&mut self, arrival: &Arrival<'_, '_>, window: Window, sequence: &mut Sequence) -> u32 {
        let mut store_key = std::mem::take(&mut self.store_key);
        store_key.clear();
        store_key.extend_from_slice(arrival.key);
        store_key.extend_from_slice(&window.start.0.to_be_bytes());
        let key = &arrival.rows.key;
        let position = key.position(arrival.row);
        let group = GroupKey { store_key: &store_key, key, position, window: Some(window) };
        let (slot, is_new) = self.keyed.groups.enter(group, sequence);
        self.store_key = store_key;
        let time = &mut self.time;
        time.latest_start = time.latest_start.max(Some(window.start.0));
        if is_new {
            time.index.insert(window.start.0, arrival.key, slot);
        }
        slot
    }

    /// Emits the windows that are closed by now, as `EMIT FINAL` does after each record.
    ///
    /// As `AbstractKStreamTimeWindowAggregateProcessor.maybeForwardFinalResult`.
    fn emit_closed<'a>(
        &mut self,
        arrival: &Arrival<'_, 'a>,
        builder: &mut ResultBuilder<'a>,
        ctx: &mut Context<'_, 'a>,
    ) {
        let now_ms = ctx.eval.now.0;
        let time = &mut self.time;
        if now_ms < time.emit_from_ms {
            return;
        }
        time.emit_from_ms = now_ms.saturating_add(self.emit_interval_ms);
        let close_time = time.stream_time.unwrap_or_default().saturating_sub(self.windows.grace_ms);
        if time.emitted_to.is_some_and(|emitted_to| emitted_to >= close_time) {
            return;
        }
        let last = close_time.saturating_sub(self.windows.size_ms);
        if last < 0 {
            return;
        }
        let first =
            time.emitted_to.map_or(0, |emitted_to| (emitted_to - self.windows.size_ms).max(0) + 1);
        if time.emitted_to.is_some() && covers_no_start(self.windows, first, last) {
            return;
        }
        // Without a cache what the store has given up by now is lost, as in Kafka Streams'
        // `AbstractRocksDBTimeOrderedSegmentedBytesStore`, also where it is still here.
        let first = if self.keyed.waiting.is_used() { first } else { first.max(self.oldest()) };
        let slots: Vec<u32> = self.time.index.range(first..=last).collect();
        self.time.emitted_to = Some(close_time);
        for slot in slots {
            let timestamp_ms = self.keyed.groups.head(slot).timestamp_ms;
            let headers = arrival.rows.meta.headers(arrival.row);
            let emission = Emission { slot, is_live: true, timestamp_ms, headers };
            self.keyed.groups.emit(&emission, None, builder, ctx.eval.arena);
        }
    }

    /// The earliest start of a window that something can ask for, or that is still to be given.
    fn oldest(&self) -> i64 {
        let latest = self.time.latest_start;
        let retained = latest.map_or(i64::MIN, |start| start.saturating_sub(self.retention_ms));
        if self.is_final && self.keyed.waiting.is_used() {
            retained.min(self.first_not_given())
        } else {
            retained
        }
    }

    /// The earliest start of a window that was not given yet, with `EMIT FINAL`.
    fn first_not_given(&self) -> i64 {
        let after = |emitted_to: i64| emitted_to.saturating_sub(self.windows.size_ms) + 1;
        self.time.emitted_to.map_or(i64::MIN, after)
    }

    /// Forgets windows that ended so long ago that nothing can ask for them.
    fn expire(&mut self) {
        let oldest = self.oldest();
        if self.time.index.first().is_none_or(|first| first >= oldest) {
            return;
        }
        for slot in self.time.index.expire(oldest) {
            self.keyed.groups.remove(slot);
            self.keyed.waiting.forget(slot);
        }
    }

    fn process_rows<'a>(&mut self, rows: &Rows<'a>, ctx: &mut Context<'_, 'a>) -> Outcome<'a> {
        let mut builder = self.keyed.groups.builder(&rows.meta, self.with_old);
        let mut keys: Vec<Option<Vec<u8>>> = Vec::with_capacity(rows.key.len);
        for position in 0..rows.key.len {
            let mut key = Vec::new();
            match self.keyed.groups.encode_key(&rows.key, position, &mut key) {
                Ok(true) => keys.push(Some(key)),
                Ok(false) => keys.push(None),
                Err(error) => return Err(error).into(),
            }
        }
        for row in 0..rows.len {
            let Some(key) = &keys[rows.key.position(row)] else {
                ctx.out.dropped(Dropped::NullKey, rows.meta.offset(row), 1);
                continue;
            };
            if !rows.value_valid.is_valid(row) {
                let failure = Some(null_value().at(&rows.meta, row));
                return Outcome { rows: builder.finish(), failure };
            }
            let arrival = Arrival { key, rows, row };
            if let Err(error) = self.add_record(&arrival, &mut builder, ctx) {
                let failure = Some(error.at(&rows.meta, row));
                return Outcome { rows: builder.finish(), failure };
            }
        }
        builder.finish().into()
    }
}

/// Whether `first - 1` and `last` fall into the same windows, so that none closed in between.
fn covers_no_start(windows: TimeWindows, first: i64, last: i64) -> bool {
    let starts = |at: i64| windows.containing(Timestamp(at)).collect::<Vec<_>>();
    starts(last) == starts(first - 1)
}

/// Says which row of a batch has moved stream time, if one has.
pub(super) fn note_time(
    before: Option<i64>,
    now: Option<i64>,
    rows: &Rows<'_>,
    ctx: &mut Context<'_, '_>,
) {
    let Some(now) = now.filter(|_| now > before) else { return };
    if let Some(row) = rows.meta.timestamps.iter().position(|time| *time == now) {
        ctx.out.time_moved(Timestamp(now), rows.meta.offset(row));
    }
}

/// A windowed aggregation by the record's own key does not expect a tombstone, and stops.
pub(super) fn null_value() -> QueryError {
    QueryError::new(
        "Cannot invoke \"io.confluent.ksql.GenericRow.get(int)\" because \"<parameter2>\" is null",
    )
}

impl Operator for WindowedAggregate {
    fn minds(&self) -> Minds {
        Minds::Nothing
    }

    fn process<'a>(&mut self, rows: &Rows<'a>, ctx: &mut Context<'_, 'a>) -> Outcome<'a> {
        let before = self.time.stream_time;
        let outcome = self.process_rows(rows, ctx);
        note_time(before, self.time.stream_time, rows, ctx);
        if !self.keyed.waiting.is_used() {
            self.expire();
            return outcome;
        }
        let mut released = self.keyed.waiting.release_excess(&mut self.keyed.groups, ctx);
        if self.is_final {
            // What goes on are the windows that the batch closed; what leaves the cache is logged only.
            released.rows = outcome.rows;
        }
        released.failure = outcome.failure.or(released.failure);
        released
    }

    fn flush<'a>(&mut self, ctx: &mut Context<'_, 'a>) -> Outcome<'a> {
        let released = self.keyed.waiting.release_some(&mut self.keyed.groups, ctx);
        if !self.is_waiting() {
            self.expire();
        }
        released
    }

    fn is_waiting(&self) -> bool {
        self.keyed.waiting.is_any()
    }

    fn held<'a>(&mut self, look: &Look<'_, 'a>) -> Option<Result<Held<'a>, QueryError>> {
        let index = &self.time.index;
        let starts = || look.wanted.starts.clone();
        self.keyed.groups.look_up(look, |_, key| index.find(starts(), key).collect())
    }

    fn store(&mut self, _nth: usize) -> Option<&mut dyn Store> {
        Some(self)
    }
}

impl Store for WindowedAggregate {
    fn restore(
        &mut self,
        record: &StoredRecord<'_>,
        sequence: &mut Sequence,
    ) -> Result<(), QueryError> {
        let StoredRecord { key, value, timestamp_ms } = *record;
        let refuse = || QueryError::new("a key of the window store's changelog is too short");
        let (store_key, _) =
            key.split_last_chunk::<{ WINDOW_SEQUENCE.len() }>().ok_or_else(refuse)?;
        let (inner, start) = store_key.split_last_chunk::<8>().ok_or_else(refuse)?;
        let start = i64::from_be_bytes(*start);
        let Some(value) = value else {
            self.keyed.remove(store_key);
            return Ok(());
        };
        // A changelog may be ahead of the offsets, but how far time had come is as of these: what came
        // then comes again, and finds the windows that were open.
        let time = &mut self.time;
        let reached = start.min(time.stream_time.unwrap_or(i64::MAX));
        time.latest_start = time.latest_start.max(Some(reached));
        // It keeps windows longer than the store that it is of: these go as they come.
        if start < self.oldest() {
            return Ok(());
        }
        let is_new = self.keyed.groups.find(store_key).is_none();
        let end = Timestamp(start.saturating_add(self.windows.size_ms));
        let window = Window { start: Timestamp(start), end };
        let group =
            RestoredGroup { store_key, key: inner, window: Some(window), value, timestamp_ms };
        let slot = self.keyed.groups.restore(&group, sequence)?;
        if is_new {
            self.time.index.insert(start, inner, slot);
        }
        self.keyed.waiting.restored(slot, &mut self.keyed.groups);
        self.expire();
        Ok(())
    }

    fn clocks(&self) -> Clocks {
        let WindowTime { stream_time, emitted_to, emit_from_ms, .. } = self.time;
        let not_given = self.is_final.then(|| self.time.index.first_from(self.first_not_given()));
        let look_from_ms = self.is_final.then_some(emit_from_ms);
        Clocks { stream_time, emitted_to, not_given_from: not_given.flatten(), look_from_ms }
    }

    fn restore_clocks(&mut self, clocks: Clocks) {
        let Clocks { stream_time, emitted_to, look_from_ms, .. } = clocks.max(self.clocks());
        (self.time.stream_time, self.time.emitted_to) = (stream_time, emitted_to);
        self.time.emit_from_ms = look_from_ms.unwrap_or_default();
    }

    fn rows(&self) -> usize {
        self.keyed.rows()
    }

    fn clear(&mut self) {
        self.keyed.clear();
        self.time = WindowTime::default();
    }
}
