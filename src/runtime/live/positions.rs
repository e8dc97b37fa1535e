//! Where a query begins to read each partition.
//!
//! | the partition | begins |
//! |---|---|
//! | has a committed offset in its log | there |
//! | has one that its log does not hold any more | as `auto.offset.reset` says, with a WARN |
//! | has none, and the query has begun before | at its beginning: it is new |
//! | is of a topic that was made again | as `auto.offset.reset` says |
//! | has none | as `auto.offset.reset` says; tables at their beginning; a push query also with the records since a time |

use std::collections::BTreeMap;
use std::sync::Arc;

use super::error::LiveError;
use super::ids::QueryId;
use super::lane_start::LaneStart;
use super::lost::{Lost, LostRange};
use super::query_topics::Topic;
use crate::kafka::TopicPartition;
use crate::kafka::admin::{Admin, ListedOffset, OffsetSpec};
use crate::kafka::config::Isolation;
use crate::kafka::group::CommittedOffset;
use crate::plan::{Gives, Input, QueryPlan};
use crate::runtime::LaneId;
use crate::types::Partition;

/// What decides where a query begins.
pub(super) struct Positions<'r> {
    pub(super) query: QueryId,
    pub(super) admin: &'r Admin,
    pub(super) committed: &'r BTreeMap<TopicPartition, CommittedOffset>,
    /// `ksql.millstream.on.lost.records=stop`.
    pub(super) stops_at_lost: bool,
}

/// An input, and how it is read.
#[derive(Clone, Copy)]
pub(super) struct ReadInput<'t> {
    pub(super) input: Input,
    pub(super) topic: &'t Topic,
    /// Where a reader goes that has no position, or one that is not there any more.
    pub(super) reset: OffsetSpec,
    /// Whether it was deleted and made again.
    pub(super) is_made_again: bool,
}

/// Where a partition begins and ends, and where in between a reader goes that has no position.
#[derive(Clone, Copy)]
struct Extent {
    start: i64,
    end: i64,
    reset: i64,
}

impl Positions<'_> {
    /// Where each partition of an input is to be read from.
    pub(super) async fn of(&self, read: ReadInput<'_>) -> Result<Vec<LaneStart>, LiveError> {
        let partitions: Vec<_> = read.topic.all_partitions().collect();
        let starts = self.offsets(&partitions, OffsetSpec::Earliest).await?;
        let ends = self.offsets(&partitions, OffsetSpec::Latest).await?;
        let at_time = match read.reset {
            OffsetSpec::At(_) => self.offsets(&partitions, read.reset).await?,
            OffsetSpec::Earliest | OffsetSpec::Latest => BTreeMap::new(),
        };
        let name: Arc<str> = read.topic.name.as_str().into();
        let mut lanes = Vec::with_capacity(partitions.len());
        for at in &partitions {
            let (start, end) = (offset_in(&starts, at), offset_in(&ends, at));
            let reset = match read.reset {
                OffsetSpec::Earliest => start,
                OffsetSpec::Latest => end,
                // Where no record is as late, the next one is.
                OffsetSpec::At(_) => at_time.get(at).and_then(|found| found.offset).unwrap_or(end),
            };
            let extent = Extent { start, end, reset };
            lanes.push(LaneStart {
                lane: LaneId { input: read.input, upstream: Partition(at.partition) },
                topic: Arc::clone(&name),
                topic_id: read.topic.id,
                position: self.position(at, extent, read).await?,
                end: extent.end,
                reset: read.reset,
                stop: None,
            });
        }
        Ok(lanes)
    }

    async fn offsets(
        &self,
        partitions: &[TopicPartition],
        spec: OffsetSpec,
    ) -> Result<BTreeMap<TopicPartition, ListedOffset>, LiveError> {
        let asked: Vec<_> = partitions.iter().map(|at| (at.clone(), spec)).collect();
        Ok(self.admin.list_offsets(&asked, Isolation::ReadCommitted).await?)
    }

    async fn position(
        &self,
        at: &TopicPartition,
        extent: Extent,
        ReadInput { reset, is_made_again, .. }: ReadInput<'_>,
    ) -> Result<i64, LiveError> {
        let Extent { start, end, .. } = extent;
        let Some(committed) = self.committed.get(at).map(|committed| committed.offset) else {
            let is_new = !self.committed.is_empty() && !is_made_again;
            return Ok(if is_new { start } else { extent.reset });
        };
        let mut log_end = end;
        if committed > end {
            // What others commit may lie behind a transaction that is not decided yet.
            let asked = [(at.clone(), OffsetSpec::Latest)];
            let ends = self.admin.list_offsets(&asked, Isolation::ReadUncommitted).await?;
            log_end = offset_in(&ends, at);
        }
        if (start..=log_end).contains(&committed) {
            return Ok(committed);
        }
        let at = at.clone();
        let range = LostRange { at, position: committed, log_start: start, log_end: end };
        let lost = Lost { range, reset };
        lost.take(&self.query, self.stops_at_lost)?;
        Ok(lost.goes_on_at())
    }
}

/// Where a reader of an input goes that has no position: tables, and what a query writes for itself, are read from their
/// beginning.
pub(super) fn reset_of(plan: &QueryPlan, input: Input, from_earliest: bool) -> OffsetSpec {
    let is_stream = match input {
        Input::Source(node) => plan.node(node).gives == Gives::Rows,
        Input::Repartition(_) => false,
    };
    if is_stream && !from_earliest { OffsetSpec::Latest } else { OffsetSpec::Earliest }
}

/// The offset that was found for a partition; its beginning where none was.
pub(super) fn offset_in(
    found: &BTreeMap<TopicPartition, ListedOffset>,
    at: &TopicPartition,
) -> i64 {
    found.get(at).and_then(|listed| listed.offset).unwrap_or(0)
}
