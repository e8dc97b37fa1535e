//! A batch of one side on its way through a join, row by row.

use std::ops::ControlFlow;

use super::joined_rows::{JoinedRows, WaitedRow};
use super::keys::JoinKeys;
use super::side::Side;
use super::waiting::{Trigger, Waiting};
use crate::operators::{Context, Dropped, QueryError};
use crate::state::{JoinSide, RowPlace, UnmatchedKey};
use crate::types::{Column, Rows};

/// The side that is processed, the one across, and the rows of a batch.
pub(super) struct Joining<'r, 'a> {
    pub(super) side: JoinSide,
    pub(super) near: &'r mut Side,
    pub(super) far: &'r mut Side,
    pub(super) waiting: Option<&'r mut Waiting>,
    pub(super) keys: &'r JoinKeys,
    pub(super) rows: &'r Rows<'a>,
    /// The columns of the rows as reading them back from their store would give them.
    pub(super) stored: &'r [Column<'a>],
}

/// What became of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Progress {
    /// It was joined, and is kept.
    Done,
    /// It was joined with rows up to this one, and enough is put together for now.
    UpTo(RowPlace),
}

/// A row that is joined, with its key and time.
#[derive(Clone, Copy)]
pub(super) struct Arrival<'k> {
    pub(super) row: usize,
    pub(super) key: &'k [u8],
    /// Up to which row of the other side it was joined before, if it is joined in parts.
    pub(super) joined_up_to: Option<RowPlace>,
}

/// When a row is joined.
#[derive(Clone, Copy)]
struct Moment {
    /// The time of the row.
    time_ms: i64,
    /// The highest time of both sides.
    stream_time: i64,
}

impl<'a> Joining<'_, 'a> {
    /// Joins a row with those of the other side, and keeps it.
    pub(super) fn join(
        &mut self,
        arrival: Arrival<'_>,
        joined: &mut JoinedRows<'a>,
        ctx: &mut Context<'_, 'a>,
    ) -> Result<Progress, QueryError> {
        let Arrival { row, key, joined_up_to } = arrival;
        let time_ms = self.rows.meta.timestamp(row).0;
        if !self.rows.value_valid.is_valid(row) {
            ctx.out.dropped(Dropped::NullValue, 1);
            self.near.put_null(key, time_ms, ctx);
            return Ok(Progress::Done);
        }
        let stream_time = self.near.rows.stream_time().max(self.far.rows.stream_time());
        let stream_time = stream_time.map_or(time_ms, |time| time.max(time_ms));
        let moment = Moment { time_ms, stream_time };
        if joined_up_to.is_none() {
            self.give_waited(row, moment, joined, ctx)?;
        }
        let is_matched = match self.join_far(arrival, moment, joined, ctx) {
            ControlFlow::Continue(is_matched) => is_matched || joined_up_to.is_some(),
            ControlFlow::Break(place) => return Ok(Progress::UpTo(place)),
        };
        let has_value = self.near.encode(&self.rows.value, row)?;
        if !is_matched && self.near.is_outer {
            self.give_alone(arrival, moment, joined, ctx);
        }
        if has_value {
            self.near.put(key, time_ms, (self.stored, row), ctx);
        } else {
            self.near.put_null(key, time_ms, ctx);
        }
        Ok(Progress::Done)
    }

    /// Gives the rows of either side that have waited long enough.
    fn give_waited(
        &mut self,
        row: usize,
        Moment { time_ms, stream_time }: Moment,
        joined: &mut JoinedRows<'a>,
        ctx: &mut Context<'_, 'a>,
    ) -> Result<(), QueryError> {
        let Some(waiting) = &mut self.waiting else { return Ok(()) };
        let trigger = Trigger { side: self.near, time_ms, stream_time };
        if !waiting.is_due(trigger, ctx.eval.now) {
            return Ok(());
        }
        let arena = ctx.eval.arena;
        while let Some(unmatched) = waiting.next(trigger) {
            let Some(key) = UnmatchedKey::read(&unmatched.key) else { continue };
            let is_near = key.side == self.side;
            let codec = if is_near { &self.near.codec } else { &self.far.codec };
            for value in unmatched.rows() {
                let columns = codec.decode(arena.bytes(value), arena)?;
                joined.push_waited(WaitedRow {
                    key: self.keys.read(key.key, arena)?,
                    values: columns.iter().map(|column| column.value(0)).collect(),
                    is_near,
                    timestamp_ms: key.time_ms,
                    headers: self.rows.meta.headers(row),
                });
            }
            waiting.log_removal(&unmatched.key, time_ms, ctx);
        }
        Ok(())
    }

    /// Joins a row with those of the other side. Whether there is one; or the last one, where there
    /// may be more.
    fn join_far(
        &mut self,
        Arrival { row, key, joined_up_to }: Arrival<'_>,
        Moment { time_ms, .. }: Moment,
        joined: &mut JoinedRows<'a>,
        ctx: &mut Context<'_, 'a>,
    ) -> ControlFlow<RowPlace, bool> {
        let mut matched_ms = None;
        let times_ms = self.near.joined_times(time_ms);
        for (place, far) in self.far.rows.fetch(key, times_ms, joined_up_to) {
            if let Some(waiting) = &mut self.waiting
                && self.far.is_outer
                && matched_ms != Some(place.time_ms)
            {
                let side = self.side.other();
                let matched = UnmatchedKey { time_ms: place.time_ms, side, key };
                waiting.remove(matched, time_ms, ctx);
            }
            matched_ms = Some(place.time_ms);
            joined.push_joined(row, far, time_ms.max(place.time_ms), ctx.eval.arena);
            if joined.is_full() {
                return ControlFlow::Break(place);
            }
        }
        ControlFlow::Continue(matched_ms.is_some())
    }

    /// Gives a row that has found no other, or lets it wait while another may still come.
    fn give_alone(
        &mut self,
        Arrival { row, key, .. }: Arrival<'_>,
        Moment { time_ms, stream_time }: Moment,
        joined: &mut JoinedRows<'a>,
        ctx: &mut Context<'_, 'a>,
    ) {
        match &mut self.waiting {
            Some(waiting) if self.near.last_joined_time(time_ms) >= stream_time => {
                waiting.add(UnmatchedKey { time_ms, side: self.side, key }, &self.near.value, ctx);
            }
            _ => joined.push_alone(row, time_ms),
        }
    }
}
