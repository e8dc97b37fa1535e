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

mod joined_rows;
mod joining;
mod keys;
mod side;
#[cfg(test)]
mod tests;
mod waiting;

use self::joined_rows::{ColumnOrder, JoinedRows};
use self::joining::{Arrival, Joining, Progress, Resume};
use self::keys::JoinKeys;
use self::side::Side;
use self::waiting::Waiting;
use super::{CodecPair, Context, Dropped, Operator, Outcome, Piece, Port, Store};
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

    /// Joins the rows of a batch, until enough is put together.
    fn join_batch<'a>(
        &mut self,
        side: JoinSide,
        rows: Rows<'a>,
        ctx: &mut Context<'_, 'a>,
    ) -> Piece<'a> {
        let (near, far) = match side {
            JoinSide::This => (&mut self.this, &mut self.other),
            JoinSide::Other => (&mut self.other, &mut self.this),
        };
        let keys = self.keys.write(&rows);
        let stored = near.codec.normalise(rows.value.clone(), ctx.eval.arena);
        let mut joined = JoinedRows::new(&far.types, rows.len, self.rows_max);
        let mut joining = Joining {
            side,
            near,
            far,
            waiting: self.waiting.as_mut(),
            keys: &self.keys,
            rows: &rows,
            stored: &stored,
        };
        let (mut key, mut next, mut failure) = (Vec::new(), 0, None);
        while next < rows.len && !joined.is_full() && failure.is_none() {
            let resume = self.resume.take();
            let progress = match keys.copy(&rows, next, &mut key) {
                Ok(true) => {
                    let arrival = Arrival { row: next, key: &key, resume };
                    joining.join(arrival, &mut joined, ctx)
                }
                Ok(false) => {
                    ctx.out.dropped(Dropped::NullKey, rows.meta.offset(next), 1);
                    Ok(Progress::Done)
                }
                Err(error) => Err(error),
            };
            match progress {
                Ok(Progress::Done) => next += 1,
                Ok(Progress::Cut(resume)) => self.resume = Some(resume),
                Err(error) => failure = Some(error),
            }
        }
        near.rows.expire();
        let is_cut = failure.is_none() && next < rows.len;
        let rest = is_cut.then(|| rows.take(&(next as u32..rows.len as u32).collect::<Vec<_>>()));
        let order = ColumnOrder {
            is_far_first: (side == JoinSide::This) == self.is_exchanged,
            appends_key: self.appends_key,
        };
        let rows = joined.finish(rows, &near.types, &order);
        Piece { outcome: Outcome { rows, failure }, rest }
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
        let side = if port == Port(0) { JoinSide::This } else { JoinSide::Other };
        self.join_batch(side, rows, ctx)
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
