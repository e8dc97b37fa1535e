//! Which partitions of a query are read in the order of their times.
//!
//! In memory tasks put rows with new keys in order themselves. Through a topic they come as they were
//! written, so two things are needed where a result depends on times:
//!
//! - What feeds such a topic is read evenly: no partition far ahead of the others
//!   (`ksql.millstream.interleave.ms`), else windows of a backlog would be over before its other
//!   partitions are read.
//! - Where such a topic meets another input, its end says nothing: what is still to be written there
//!   may be earlier than what the other input has. So its readers go on only as far as its writers
//!   have come ([`WrittenUpTo`](super::progress_round::WrittenUpTo)), and a commit reads it to the end that
//!   it has once its writers are drained.

use std::collections::{BTreeMap, BTreeSet};

use super::lane_start::LaneStart;
use super::pressure::{LaneOrder, Pressure};
use crate::plan::{Input, NodeKind, QueryPlan, RepartitionId, StoreKind, SubTopologyId};
use crate::runtime::Layout;

/// How the partitions of a query's inputs are ordered.
pub(super) struct TimeOrder {
    inputs: BTreeMap<Input, LaneOrder>,
    ahead_ms: Option<i64>,
    /// Whether their partitions meet all others, as rows are re-keyed in memory.
    meets_all: bool,
    followed: BTreeSet<RepartitionId>,
}

impl TimeOrder {
    /// The order of a query's inputs.
    pub(super) fn of(layout: &Layout, interleave_ms: i64) -> Self {
        let plan = layout.plan();
        let ordered = layout.ordered_inputs();
        let has_new_keys = plan.repartitions().next().is_some();
        let is_spread = ordered.iter().any(|input| layout.spread_from(*input).is_some());
        let meets_all = is_spread || (layout.is_in_memory() && has_new_keys);
        let mut inputs: BTreeMap<Input, LaneOrder> =
            ordered.into_iter().map(|input| (input, LaneOrder::default())).collect();
        if layout.is_in_memory() || !has_new_keys || !goes_by_time(plan) {
            return Self { inputs, ahead_ms: None, meets_all, followed: BTreeSet::new() };
        }
        let followed = followed(layout);
        for part in layout.parts() {
            let is_followed = |input: &Input| match input {
                Input::Repartition(topic) => followed.contains(topic),
                Input::Source(_) => false,
            };
            // What meets a repartition topic directly is read as evenly as what is written there.
            let meets = layout.inputs(part).iter().any(is_followed).then_some(part);
            for input in layout.inputs(part) {
                let feeds = match input {
                    Input::Source(_) if meets.is_some() => meets,
                    _ => fed_by(layout, part),
                };
                inputs.insert(*input, LaneOrder { feeds, is_followed: is_followed(input) });
            }
        }
        // A row OVER others that comes behind a later one knows none of them, so there not one may.
        let is_strict = plan.stores().any(|(_, _, store)| store.kind == StoreKind::LastRows);
        let ahead_ms = Some(if is_strict { 0 } else { interleave_ms });
        Self { inputs, ahead_ms, meets_all, followed }
    }

    /// How far ahead these lanes may be of each other, on so many workers.
    pub(super) fn pressure(&self, workers: usize, lanes: &[LaneStart]) -> Pressure {
        let lanes = lanes.iter().map(|start| start.lane);
        let in_order =
            lanes.filter_map(|lane| self.inputs.get(&lane.input).map(|order| (lane, *order)));
        Pressure::new(workers, in_order, self.ahead_ms, self.meets_all)
    }

    /// The repartition topics whose readers go on only as far as their writers have come.
    pub(super) fn into_followed(self) -> BTreeSet<RepartitionId> {
        self.followed
    }
}

/// The sub-topology that reads what a part writes, if it writes a repartition topic.
fn fed_by(layout: &Layout, part: SubTopologyId) -> Option<SubTopologyId> {
    let mut topics = layout.plan().repartitions();
    let (topic, ..) = topics.find(|(_, writer, _)| layout.part_of(*writer) == part)?;
    layout.reader_of(Input::Repartition(topic))
}

/// Whether the result depends on the order in time of records of several partitions.
fn goes_by_time(plan: &QueryPlan) -> bool {
    plan.stores().any(|(_, _, store)| is_by_time(store.kind))
        || plan.nodes().any(|(_, node)| matches!(node.kind, NodeKind::StreamTableJoin(_)))
}

/// Whether what a store holds goes by the times of rows.
fn is_by_time(kind: StoreKind) -> bool {
    match kind {
        StoreKind::WindowAggregate
        | StoreKind::SessionAggregate
        | StoreKind::JoinWindow
        | StoreKind::Unmatched
        | StoreKind::LastRows
        | StoreKind::HeldRows => true,
        StoreKind::Table | StoreKind::Aggregate | StoreKind::Subscriptions => false,
    }
}

/// The repartition topics that meet another input where rows are joined by their times.
fn followed(layout: &Layout) -> BTreeSet<RepartitionId> {
    let joins = layout.plan().nodes().filter(|(_, node)| {
        matches!(node.kind, NodeKind::StreamTableJoin(_) | NodeKind::StreamStreamJoin(_))
    });
    let parts: BTreeSet<SubTopologyId> = joins.map(|(id, _)| layout.part_of(id)).collect();
    let inputs = parts.into_iter().flat_map(|part| layout.inputs(part));
    let topics = inputs.filter_map(|input| match input {
        Input::Repartition(topic) => Some(*topic),
        Input::Source(_) => None,
    });
    topics.collect()
}
