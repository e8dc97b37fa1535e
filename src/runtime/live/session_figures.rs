//! What is seen of a query as long as a session of it lasts: how far behind it is, and what it keeps.
//!
//! It is dropped with its session. Workers that have not heard of the end yet go on writing to what nobody looks at any more.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::lane_figures::{LaneFigures, SessionLanes};
use crate::plan::StoreId;
use crate::runtime::LaneId;
use crate::types::Partition;

/// What is seen of a session.
#[derive(Debug, Default)]
pub(super) struct SessionFigures {
    pub(super) lanes: SessionLanes,
    stored: Mutex<BTreeMap<(StoreId, Partition), usize>>,
}

impl SessionFigures {
    /// Those of a session that reads these partitions, and has restored nothing.
    pub(super) fn new(lanes: SessionLanes) -> Self {
        Self { lanes, stored: Mutex::default() }
    }

    /// What is counted of a partition that it reads.
    pub(super) fn lane(&self, lane: LaneId) -> Option<Arc<LaneFigures>> {
        self.lanes.get(&lane).map(Arc::clone)
    }

    /// How many records it is behind, as far as that is known.
    pub(super) fn lag(&self) -> Option<i64> {
        self.lanes.values().map(|lane| lane.lag()).reduce(i64::saturating_add)
    }

    /// Notes how many rows stores hold: once a commit, by the worker that keeps them.
    pub(super) fn set_stored(
        &self,
        stored: impl IntoIterator<Item = ((StoreId, Partition), usize)>,
    ) {
        self.lock().extend(stored);
    }

    /// How many rows each store holds for each partition.
    pub(super) fn stored(&self) -> BTreeMap<(StoreId, Partition), usize> {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<(StoreId, Partition), usize>> {
        self.stored.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
