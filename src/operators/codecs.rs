//! How operators write the bytes that they keep.

use super::error::QueryError;
use crate::plan::{RowFormats, StoreId};
use crate::types::{KeyColumns, RowCodec};
use std::sync::Arc;

/// How keys and values of one place are written.
#[derive(Clone)]
pub struct CodecPair {
    /// Keys.
    pub key: Arc<dyn RowCodec>,
    /// Values.
    pub value: Arc<dyn RowCodec>,
}

impl CodecPair {
    /// Writes the bytes of the key at `position` over `out`. False if the key is null.
    pub(super) fn encode_key(
        &self,
        key: &KeyColumns<'_>,
        position: usize,
        out: &mut Vec<u8>,
    ) -> Result<bool, QueryError> {
        out.clear();
        self.append_key(key, position, out)
    }

    /// Appends the bytes of the key at `position` to `out`. False, and nothing, if the key is null.
    pub(super) fn append_key(
        &self,
        key: &KeyColumns<'_>,
        position: usize,
        out: &mut Vec<u8>,
    ) -> Result<bool, QueryError> {
        Ok(key.valid.is_valid(position) && self.key.encode(&key.columns, position, out)?)
    }
}

/// Gives operators the codecs of the bytes that they keep.
pub trait Codecs {
    /// The codecs of a store.
    fn of_store(&self, store: StoreId) -> Result<CodecPair, QueryError>;

    /// The codecs of rows of a table that is kept elsewhere.
    fn of_rows(&self, rows: &RowFormats) -> Result<CodecPair, QueryError>;
}
