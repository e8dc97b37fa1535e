//! Joins two streams within a span of time.
//!
//! Each side keeps its rows for a while. A row of either side is joined with those of the other one
//! that have its key and lie close enough in time, in the order of their times:
//!
//! ```text
//! this  ──▶ [rows by key, time] ◀─┐
//!                ┌────────────────┼─ a row looks for the other side's, then is kept itself
//! other ──▶ [rows by key, time] ◀─┘
//! ```
//! In an outer join a row that finds none is given alone: at once, or with a grace period when its
//! time is over and none has come. As Kafka Streams' `KStreamKStreamJoin`; a join is Kafka Streams'
//! `KStreamJoinWindow` and `KStreamKStreamJoin` of both sides, and their merge.

mod batches;
mod joined_rows;
mod joining;
mod keys;
mod side;
#[cfg(test)]
mod tests;
mod waiting;

use self::batches::{SideBatch, next_turn, one_behind_the_other};
use self::joined_rows::{ColumnOrder, JoinedRows};
use self::joining::{Arrival, Joining, Progress, Resume};
use self::keys::JoinKeys;
use self::side::Side;
use self::waiting::Waiting;
use super::{
    CodecPair, Context, Dropped, Operator, Outcome, Piece, Pieces, Port, QueryError, Store,
};
use crate::plan::{self, JoinKind, StoreId};
use crate::state::{JoinSide, JoinWindowStore};
use crate::types::Rows;

/// How many rows are put together before they go on.
const ROWS_MAX: usize = 16 * 1024;

/// Joins two streams.
pub(super) struct StreamStreamJoin {
    keys: JoinKeys,
    this: Side,
    other: Side,
    waiting: Option<Waiting>,
    is_exchanged: bool,
    appends_key: bool,
    /// From where the first row of the next batch goes on: the rest of a batch is given again.
    resume: Option<Resume>,
    rows_max: usize,
}

/// The stores of a join, and how their rows are written.
pub(super) struct JoinStores {
    /// The rows of this side.
    pub(super) this: (StoreId, CodecPair),
    /// The rows of the other side.
    pub(super) other: (StoreId, CodecPair),
    /// The rows that wait, with grace; they are written as those of their sides.
    pub(super) unmatched: Option<StoreId>,
}

impl StreamStreamJoin {
    pub(super) fn new(
        plan: &plan::StreamStreamJoin,
        stores: JoinStores,
        emit_interval_ms: i64,
    ) -> Self {
        let JoinStores { this: (this_store, this), other: (other_store, other), unmatched } =
            stores;
        let side = |store, spec: &plan::StoreSpec, codec| Side {
            store,
            codec,
            types: spec.stored.value.iter().map(|column| column.ty.clone()).collect(),
            before_ms: plan.before_ms,
            after_ms: plan.after_ms,
            is_outer: plan.kind != JoinKind::Inner,
            rows: JoinWindowStore::new(plan.retention_ms()),
            value: Vec::new(),
            scratch: Vec::new(),
        };
        let waiting = unmatched.zip(plan.grace_ms);
        Self {
            keys: JoinKeys { codec: this.key, window: plan.window },
            this: side(this_store, &plan.this_store, this.value),
            other: Side {
                before_ms: plan.after_ms,
                after_ms: plan.before_ms,
                is_outer: plan.kind == JoinKind::Full,
                ..side(other_store, &plan.other_store, other.value)
            },
            waiting: waiting
                .map(|(store, grace_ms)| Waiting::new(store, grace_ms, emit_interval_ms)),
            is_exchanged: plan.is_exchanged,
            appends_key: plan.appends_key,
            resume: None,
            rows_max: ROWS_MAX,
        }
    }

    /// Joins the rows of batches, each of another side, in the order of their places, until enough is put together. A
    /// single batch has an order of its own.
    fn join_batches<'a>(
        &mut self,
        batches: Vec<(Port, Rows<'a>)>,
        ctx: &mut Context<'_, 'a>,
    ) -> Pieces<'a> {
        let mut sides = Vec::with_capacity(batches.len());
        let mut len = 0;
        for (port, rows) in batches {
            let side = if port == Port(0) { JoinSide::This } else { JoinSide::Other };
            let (near, _) = side.near_and_far(&self.this, &self.other);
            let of_rows = rows.len;
            let stored = near.codec.normalise(rows.value.clone(), ctx.eval.arena);
            let keys = self.keys.write(&rows);
            sides.push(SideBatch::new(side, rows, len, keys, stored));
            len += of_rows;
        }
        let mut joined = JoinedRows::new(&self.this.types, &self.other.types, len, self.rows_max);
        let (mut key, mut failure) = (Vec::new(), None);
        while !joined.is_full()
            && failure.is_none()
            && let Some(at) = next_turn(&sides)
        {
            let batch = &mut sides[at];
            match self.join_next(batch, &mut key, &mut joined, ctx) {
                Ok(Progress::Done) => batch.next += 1,
                Ok(Progress::Cut(resume)) => self.resume = Some(resume),
                Err(error) => failure = Some(error),
            }
        }
        self.this.rows.expire();
        self.other.rows.expire();
        let port = |side| Port(usize::from(side == JoinSide::Other));
        let left = sides.iter().filter(|_| failure.is_none());
        let rest = left.filter_map(|batch| Some((port(batch.side), batch.rest()?))).collect();
        let order = ColumnOrder { is_exchanged: self.is_exchanged, appends_key: self.appends_key };
        let rows = joined.finish(one_behind_the_other(sides), &order);
        Pieces { outcome: Outcome { rows, failure }, rest }
    }

    /// Joins the next row of a batch.
    fn join_next<'a>(
        &mut self,
        batch: &SideBatch<'a>,
        key: &mut Vec<u8>,
        joined: &mut JoinedRows<'a>,
        ctx: &mut Context<'_, 'a>,
    ) -> Result<Progress, QueryError> {
        let SideBatch { side, rows, keys, stored, first, next } = batch;
        let resume = self.resume.take();
        if !keys.copy(rows, *next, key)? {
            ctx.out.dropped(Dropped::NullKey, rows.meta.offset(*next), 1);
            return Ok(Progress::Done);
        }
        let (near, far) = side.near_and_far(&mut self.this, &mut self.other);
        let mut joining = Joining {
            side: *side,
            near,
            far,
            waiting: self.waiting.as_mut(),
            keys: &self.keys,
            rows,
            stored,
            first: *first,
        };
        joining.join(Arrival { row: *next, key, resume }, joined, ctx)
    }
}

impl Operator for StreamStreamJoin {
    fn process<'a>(&mut self, _rows: &Rows<'a>, _ctx: &mut Context<'_, 'a>) -> Outcome<'a> {
        unreachable!("a join gives its rows in pieces")
    }

    fn gives_pieces(&self) -> bool {
        true
    }

    fn process_piece<'a>(
        &mut self,
        port: Port,
        rows: Rows<'a>,
        ctx: &mut Context<'_, 'a>,
    ) -> Piece<'a> {
        let Pieces { outcome, mut rest } = self.join_batches(vec![(port, rows)], ctx);
        Piece { outcome, rest: rest.pop().map(|(_, rows)| rows) }
    }

    fn process_ports<'a>(
        &mut self,
        batches: Vec<(Port, Rows<'a>)>,
        ctx: &mut Context<'_, 'a>,
    ) -> Result<Pieces<'a>, Vec<(Port, Rows<'a>)>> {
        Ok(self.join_batches(batches, ctx))
    }

    fn store(&mut self, nth: usize) -> Option<&mut dyn Store> {
        // Stores are asked for between batches. If one was left half-way, all begins anew.
        self.resume = None;
        match nth {
            0 => Some(&mut self.this),
            1 => Some(&mut self.other),
            _ => self.waiting.as_mut().map(|waiting| waiting as &mut dyn Store),
        }
    }
}
