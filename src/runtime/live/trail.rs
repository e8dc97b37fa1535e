//! How far the tasks of a query have taken what they read, on whatever worker.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, Ordering::Relaxed};

use super::lane_start::LaneStart;
use crate::runtime::LaneId;

/// The positions of all partitions of a query while it runs.
#[derive(Debug)]
pub(super) struct Trail(BTreeMap<LaneId, AtomicI64>);

impl Trail {
    /// Everything is where it starts.
    pub(super) fn new(lanes: &[LaneStart]) -> Self {
        Self(lanes.iter().map(|start| (start.lane, AtomicI64::new(start.position))).collect())
    }

    /// Notes that everything before a position was taken, whether or not it is processed.
    pub(super) fn note(&self, lane: LaneId, position: i64) {
        if let Some(at) = self.0.get(&lane) {
            at.store(position, Relaxed);
        }
    }

    /// Where everything is.
    pub(super) fn positions(&self) -> impl Iterator<Item = (LaneId, i64)> {
        self.0.iter().map(|(lane, at)| (*lane, at.load(Relaxed)))
    }
}
