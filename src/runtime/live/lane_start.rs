//! A partition that a query reads, and from where on.

use crate::kafka::TopicId;
use crate::kafka::admin::OffsetSpec;
use crate::runtime::LaneId;
use std::sync::Arc;

/// A partition that a query reads, and from where on.
#[derive(Clone, Debug)]
pub(super) struct LaneStart {
    pub(super) lane: LaneId,
    pub(super) topic: Arc<str>,
    /// What tells it from another topic of its name.
    pub(super) topic_id: TopicId,
    pub(super) position: i64,
    /// Where it ends, as far as is known.
    pub(super) end: i64,
    /// Where it is to be read on if its position is not there any more.
    pub(super) reset: OffsetSpec,
    /// Where it is read no further.
    pub(super) stop: Option<i64>,
}
