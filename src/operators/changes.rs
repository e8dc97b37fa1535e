//! Records of changelogs: of changes of stores, and those that are taken back.

use crate::plan::StoreId;
use crate::types::RowCodec;
use std::sync::Arc;

/// A change of a store, for its changelog topic.
pub struct StoreChange<'r> {
    /// The store.
    pub store: StoreId,
    /// The key, with its window.
    pub key: &'r [u8],
    /// The row that now holds; `None` deletes it.
    pub value: Option<&'r [u8]>,
    /// The record's timestamp.
    pub timestamp_ms: i64,
}

/// A change of a store whose row need not be written before it is sent.
pub struct PackedChange<'r> {
    /// The store.
    pub store: StoreId,
    /// The key, with its window.
    pub key: &'r [u8],
    /// The [packed](crate::state::pack) values of the row that now holds.
    pub values: &'r [u8],
    /// How many there are: as many in each row of the store.
    pub columns: usize,
    /// What writes it: every row of such values, in [so many bytes](RowCodec::bytes_max) at most.
    pub codec: &'r Arc<dyn RowCodec>,
    /// The record's timestamp.
    pub timestamp_ms: i64,
}

/// A record of a changelog, on its way back into its store.
#[derive(Clone, Copy, Debug)]
pub struct StoredRecord<'r> {
    /// The key, with its window.
    pub key: &'r [u8],
    /// The row; `None` deletes it.
    pub value: Option<&'r [u8]>,
    /// The record's timestamp.
    pub timestamp_ms: i64,
}
