//! A row of one side on its way through a join.

use std::ops::ControlFlow;

use super::joined_rows::{JoinedRows, NearRow, WaitedRow};
use super::keys::JoinKeys;
use super::side::Side;
use super::waiting::{Trigger, Waiting};
use crate::operators::{Context, Dropped, QueryError};
use crate::state::{JoinSide, RowPlace, UnmatchedKey};
use crate::types::{Column, Rows};

/// The side whose turn it is, the one across, and the rows of its batch.
pub(super) struct Joining<'r, 'a> {
    pub(super) side: JoinSide,
    pub(super) near: &'r mut Side,
    pub(super) far: &'r mut Side,
    pub(super) waiting: Option<&'r mut Waiting>,
    pub(super) keys: &'r JoinKeys,
    pub(super) rows: &'r Rows<'a>,
    /// The columns of the rows as reading them back from their store would give them.
    pub(super) stored: &'r [Column<'a>],
    /// Where its batch begins, of those of both sides one behind the other.
    pub(super) first: usize,
}

/// What became of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Progress {
    /// It was joined, and is kept.
    Done,
    /// Enough is put together for now; it is to go on from here.
    Cut(Resume),
}

/// From where a row that was cut goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Resume {
    /// Among the rows that have waited long enough.
    Waited,
    /// Behind this row of the other side.
    Joined(RowPlace),
}

/// A row that is joined, with its key.
#[derive(Clone, Copy)]
pub(super) struct Arrival<'k> {
    pub(super) row: usize,
    pub(super) key: &'k [u8],
    /// From where it goes on, if it was cut before.
    pub(super) resume: Option<Resume>,
}

/// When a row is joined.
#[derive(Clone, Copy)]
struct Moment {
    /// The time of the row.
    time_ms: i64,
    /// The highest time of both sides.
    stream_time: i64,
}

impl<'r, 'a> Joining<'r, 'a> {
    /// Joins a row with those of the other side, and keeps it.
    pub(super) fn join(
        &mut self,
        arrival: Arrival<'_>,
        joined: &mut JoinedRows<'a>,
        ctx: &mut Context<'_, 'a>,
    ) -> Result<Progress, QueryError> {
        let Arrival { row, key, resume } = arrival;
        let time_ms = self.rows.meta.timestamp(row).0;
        if !self.rows.value_valid.is_valid(row) {
            ctx.out.dropped(Dropped::NullValue, self.rows.meta.offset(row), 1);
            self.near.put_null(key, time_ms, ctx);
            return Ok(Progress::Done);
        }
        let stream_time = self.near.rows.stream_time().max(self.far.rows.stream_time());
        let stream_time = stream_time.map_or(time_ms, |time| time.max(time_ms));
        let moment = Moment { time_ms, stream_time };
        let after = match resume {
            Some(Resume::Joined(place)) => Some(place),
            _ if self.give_waited(arrival, moment, joined, ctx)?.is_break() => {
                return Ok(Progress::Cut(Resume::Waited));
            }
            _ => None,
        };
        let is_matched = match self.join_far(arrival, after, joined, ctx) {
            ControlFlow::Continue(is_matched) => is_matched || after.is_some(),
            ControlFlow::Break(place) => return Ok(Progress::Cut(Resume::Joined(place))),
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

    /// Gives the rows of either side that have waited long enough, until enough is put together.
    fn give_waited(
        &mut self,
        Arrival { row, resume, .. }: Arrival<'_>,
        Moment { time_ms, stream_time }: Moment,
        joined: &mut JoinedRows<'a>,
        ctx: &mut Context<'_, 'a>,
    ) -> Result<ControlFlow<()>, QueryError> {
        let Some(waiting) = &mut self.waiting else { return Ok(ControlFlow::Continue(())) };
        let trigger = Trigger { side: self.near, time_ms, stream_time };
        if resume.is_none() && !waiting.is_due(trigger, ctx.eval.now) {
            return Ok(ControlFlow::Continue(()));
        }
        let arena = ctx.eval.arena;
        while let Some(unmatched) = waiting.next(trigger) {
            let Some(key) = UnmatchedKey::read(&unmatched.key) else { continue };
            let is_near = key.side == self.side;
            let codec = if is_near { &self.near.codec } else { &self.far.codec };
            for value in unmatched.rows() {
                let columns = codec.decode(arena.bytes(value), arena)?;
                joined.push_waited(WaitedRow {
                    arrival: self.first + row,
                    key: self.keys.read(key.key, arena)?,
                    values: columns.iter().map(|column| column.value(0)).collect(),
                    side: key.side,
                    timestamp_ms: key.time_ms,
                    headers: self.rows.meta.headers(row),
                });
            }
            waiting.log_removal(&unmatched.key, time_ms, ctx);
            if joined.is_full() {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    /// Joins a row with those of the other side. Whether there is one; or the last one, where there
    /// may be more.
    fn join_far(
        &mut self,
        Arrival { row, key, .. }: Arrival<'_>,
        after: Option<RowPlace>,
        joined: &mut JoinedRows<'a>,
        ctx: &mut Context<'_, 'a>,
    ) -> ControlFlow<RowPlace, bool> {
        let mut matched_ms = None;
        let time_ms = self.rows.meta.timestamp(row).0;
        let times_ms = self.near.joined_times(time_ms);
        let near = self.near_row(row);
        for (place, far) in self.far.rows.fetch(key, times_ms, after) {
            if let Some(waiting) = &mut self.waiting
                && self.far.is_outer
                && matched_ms != Some(place.time_ms)
            {
                let side = self.side.other();
                let matched = UnmatchedKey { time_ms: place.time_ms, side, key };
                waiting.remove(matched, time_ms, ctx);
            }
            matched_ms = Some(place.time_ms);
            joined.push_joined(near, far, time_ms.max(place.time_ms), ctx.eval.arena);
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
            _ => joined.push_alone(self.near_row(row), time_ms),
        }
    }

    fn near_row(&self, row: usize) -> NearRow<'r, 'a> {
        NearRow { side: self.side, columns: &self.rows.value, row, place: self.first + row }
    }
}
