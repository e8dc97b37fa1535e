//! The keys of a batch, as the bytes that stores know.

use crate::operators::{CodecPair, QueryError};
use crate::types::{Arena, Rows};

/// A key of a batch.
#[derive(Clone, Copy)]
pub(super) enum BatchKey<'a> {
    /// Its bytes.
    Bytes(&'a [u8]),
    /// This column of it is NULL, so that it is none.
    Null(usize),
}

/// The keys of a batch, by their positions.
pub(super) fn batch_keys<'a>(
    codecs: &CodecPair,
    rows: &Rows<'a>,
    arena: &'a Arena,
) -> Vec<Result<BatchKey<'a>, QueryError>> {
    let key = &rows.key;
    let mut bytes = Vec::new();
    let mut one = |position: usize| {
        let is_null = |column: &usize| {
            !key.valid.is_valid(position) || key.columns[*column].is_null(position)
        };
        if let Some(column) = (0..key.columns.len()).find(is_null) {
            return Ok(BatchKey::Null(column));
        }
        if codecs.encode_key(key, position, &mut bytes)? {
            Ok(BatchKey::Bytes(arena.bytes(&bytes)))
        } else {
            Ok(BatchKey::Null(0))
        }
    };
    (0..key.len).map(&mut one).collect()
}
