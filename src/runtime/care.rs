//! How tasks are given rows.

use super::ids::RecordId;

/// How tasks are given rows.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Care {
    /// One at a time, with nothing left in a cache.
    pub(super) is_row_by_row: bool,
    /// The record that is being processed, if it is known.
    pub(super) at: Option<RecordId>,
}
