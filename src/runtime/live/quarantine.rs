//! How a query gets past a record that a panic comes of, and finds the one that it stops at.
//!
//! ```text
//! running ─panic─▶ restored, row by row ─panic at a record─▶ restored, without it ─▶ running
//!    ▲                  │    └─panic at no record─▶ failed
//!    └── nothing found ─┘
//! ```
//!
//! A panic leaves state that has changed by half. So the query's tasks are thrown away and restored from
//! what was committed, and what follows is read again one row at a time until it panics at a record.
//! That is left out from then on, until a position behind it is committed.
//!
//! A query that stops at a record goes on as ksqlDB has it, after a while. If it is not known which record
//! that was, the next try is row by row too.

use std::collections::{BTreeMap, BTreeSet};

use super::error::LiveError;
use super::life::Life;
use super::message::LaneStart;
use super::session::Session;
use super::singly::Manner;
use crate::kafka::TopicPartition;
use crate::kafka::group::CommittedOffset;
use crate::plan::Input;
use crate::runtime::running::PanickedRecord;
use crate::runtime::{Panic, RecordId, RecordPlace, Skipped};

/// How many records a query leaves out at most between two commits; one more fails it.
const SKIPPED_MAX: usize = 100;

/// Positions of partitions.
pub(super) type PartitionPositions = BTreeMap<TopicPartition, i64>;

/// What a query leaves out, and up to where it looks for more of that.
#[derive(Clone, Debug, Default)]
pub(super) struct Quarantine {
    skipped: BTreeSet<RecordPlace>,
    /// Up to these positions it goes one row at a time.
    pub(super) looks_to: Option<PartitionPositions>,
}

impl Quarantine {
    /// Whether a record that failed is to be looked for; everything before `positions` was taken by then.
    fn look(&mut self, positions: PartitionPositions) -> bool {
        let is_new = self.looks_to.is_none();
        self.looks_to.get_or_insert(positions);
        is_new
    }

    /// Whether a record that a panic comes of can be left out.
    fn leave_out(&mut self, record: &RecordPlace) -> bool {
        self.skipped.len() < SKIPPED_MAX && self.skipped.insert(record.clone())
    }

    /// How tasks take records of these partitions.
    pub(super) fn manner(&self, lanes: &[LaneStart]) -> Manner {
        let of_lane = |record: &&RecordPlace, start: &LaneStart| {
            *record.topic == *start.topic && record.partition == start.lane.upstream
        };
        let skipped = lanes.iter().flat_map(|start| {
            let records = self.skipped.iter().filter(move |record| of_lane(record, start));
            records.map(|record| RecordId {
                input: start.lane.input,
                partition: record.partition,
                offset: record.offset,
            })
        });
        let is_row_by_row = self.looks_to.is_some();
        let is_careful = is_row_by_row || !self.skipped.is_empty();
        let is_between = |start: &LaneStart| matches!(start.lane.input, Input::Repartition(_));
        let holds_repartitions = is_careful && lanes.iter().any(is_between);
        Manner { skipped: skipped.collect(), is_row_by_row, holds_repartitions }
    }

    /// Forgets records before what is committed, which are not read again.
    pub(super) fn forget_before(&mut self, committed: &BTreeMap<TopicPartition, CommittedOffset>) {
        self.skipped.retain(|record| {
            let at = TopicPartition::new(record.topic.as_str(), record.partition.0);
            committed.get(&at).is_none_or(|committed| record.offset.0 >= committed.offset)
        });
    }
}

impl Life {
    /// Decides whether the query goes on at once after a session that ended with an error: without the
    /// record that a panic came of, or to find it.
    pub(super) async fn get_past(
        &mut self,
        session: &Session,
        error: LiveError,
    ) -> Result<(), LiveError> {
        self.quarantine.looks_to = session.looks_to().cloned();
        match &error {
            LiveError::Record { at, cause } => match &**cause {
                LiveError::Panic(panic) if self.quarantine.leave_out(at) => {
                    self.tell_skipped(at, panic).await;
                    Ok(())
                }
                _ => Err(error),
            },
            LiveError::Panic(_) if self.quarantine.look(session.taken()) => {
                let query = &self.id;
                tracing::warn!(
                    "query {query}: {error}; it goes back to what was committed and on row by row, to \
                     find the record"
                );
                Ok(())
            }
            LiveError::Query(_) => {
                self.quarantine.look(session.taken());
                Err(error)
            }
            _ => Err(error),
        }
    }

    async fn tell_skipped(&self, at: &RecordPlace, panic: &Panic) {
        let panicked = PanickedRecord { place: Some(at.clone()), panic };
        self.log.write(&[panicked.entry(self.id.as_str())]).await;
        self.log.flush().await;
        let mut skipped = Skipped::default();
        panicked.note(&mut skipped);
        self.figures.skips.note(skipped);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::{Offset, Partition};

    fn at(offset: i64) -> RecordPlace {
        RecordPlace { topic: "t".to_owned(), partition: Partition(0), offset: Offset(offset) }
    }

    fn positions(offset: i64) -> PartitionPositions {
        [(TopicPartition::new("t", 0), offset)].into()
    }

    fn committed(offset: i64) -> BTreeMap<TopicPartition, CommittedOffset> {
        [(TopicPartition::new("t", 0), CommittedOffset::new(offset))].into()
    }

    #[test]
    fn a_record_is_left_out_until_a_position_behind_it_is_committed() {
        let mut quarantine = Quarantine::default();
        assert!(quarantine.leave_out(&at(5)));
        quarantine.forget_before(&committed(5));
        assert_eq!(quarantine.skipped.len(), 1);
        quarantine.forget_before(&committed(6));
        assert!(quarantine.skipped.is_empty());
    }

    #[test]
    fn what_no_record_or_too_many_explain_is_not_got_past() {
        let mut quarantine = Quarantine::default();
        assert!(quarantine.look(positions(9)));
        assert!(!quarantine.look(positions(12)));
        assert_eq!(quarantine.looks_to, Some(positions(9)));
        // One that is left out cannot panic; if it did, going on would not end.
        assert!(quarantine.leave_out(&at(1)) && !quarantine.leave_out(&at(1)));
        for offset in 0..SKIPPED_MAX as i64 {
            quarantine.leave_out(&at(offset));
        }
        assert!(!quarantine.leave_out(&at(1_000)));
    }
}
