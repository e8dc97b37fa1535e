//! A changelog topic, as a restore finds it.

use crate::plan::StoreKind;
use crate::state::checkpoint::TopicId;
use std::collections::BTreeMap;

/// A changelog topic, as a restore finds it.
pub(super) struct Changelog {
    pub(super) topic: String,
    /// The name of its store.
    pub(super) store: String,
    /// What that holds.
    pub(super) kind: StoreKind,
    /// How long windows are kept, for a store that has them.
    pub(super) retention_ms: Option<i64>,
    /// Whether windows are given once they are closed.
    pub(super) is_final: bool,
    pub(super) id: TopicId,
    /// How long the topic keeps records, in milliseconds.
    pub(super) kept_ms: i64,
    /// How long the topic keeps tombstones.
    pub(super) tombstones_ms: i64,
    /// The first offset and the one after the last, by partition.
    pub(super) extents: BTreeMap<i32, (i64, i64)>,
}

impl Changelog {
    /// Whether a broker that deletes by age may have deleted what its store still needs at `stream_time_ms`.
    pub(super) fn may_lack_state(&self, stream_time_ms: i64, now_ms: i64) -> bool {
        self.retention_ms.is_some_and(|windows_ms| {
            stream_time_ms.saturating_sub(windows_ms) < now_ms.saturating_sub(self.kept_ms)
        })
    }
}
