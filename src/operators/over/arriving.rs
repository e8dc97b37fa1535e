//! A row on its way through calls over rows.

use crate::plan::RowOrigin;
use crate::types::{Arena, Headers, Rows, Value};

/// A row that calls are computed of.
#[derive(Clone, Copy)]
pub(super) struct Arriving<'a> {
    /// Where it is in its batch, or the one that has let it go on.
    pub(super) at: usize,
    /// The offset of that one.
    pub(super) offset: i64,
    /// The bytes of its key.
    pub(super) key: &'a [u8],
    /// Its columns.
    pub(super) values: &'a [Value<'a>],
    pub(super) time_ms: i64,
    pub(super) headers: Headers<'a>,
}

impl<'a> Arriving<'a> {
    /// A row of a batch.
    pub(super) fn of(rows: &Rows<'a>, at: usize, key: &'a [u8], arena: &'a Arena) -> Self {
        Self {
            at,
            offset: rows.meta.offset(at).0,
            key,
            values: arena.collect(rows.value.iter().map(|column| column.value(at))),
            time_ms: rows.meta.timestamp(at).0,
            headers: rows.meta.headers(at),
        }
    }

    /// The partition and the offset of the record of the source that it comes from.
    pub(super) fn source(&self, RowOrigin { partition, offset, .. }: RowOrigin) -> (i32, i64) {
        let column = |column: usize| self.values.get(column).copied().unwrap_or_default();
        source_of([column(partition), column(offset)])
    }
}

/// A partition and an offset, of which a row has columns.
pub(super) fn source_of(values: [Value<'_>; 2]) -> (i32, i64) {
    match values {
        [Value::Int(partition), Value::Bigint(offset)] => (partition, offset),
        _ => (-1, -1),
    }
}

/// Headers as a value that is stored; NULL for none.
pub(super) fn headers_value<'a>(headers: Headers<'a>, arena: &'a Arena) -> Value<'a> {
    if headers.is_empty() {
        return Value::Null;
    }
    let header = |(name, bytes): &(&'a str, Option<&'a [u8]>)| {
        let bytes = bytes.map_or(Value::Null, Value::Bytes);
        Value::Struct(arena.values(&[Value::String(name), bytes]))
    };
    Value::Array(arena.collect(headers.iter().map(header)))
}

/// The headers that such a value holds.
pub(super) fn headers_of<'a>(value: Value<'a>, arena: &'a Arena) -> Headers<'a> {
    let Value::Array(all) = value else { return &[] };
    let header = |value: &Value<'a>| match value {
        Value::Struct([Value::String(name), Value::Bytes(bytes)]) => Some((*name, Some(*bytes))),
        Value::Struct([Value::String(name), _]) => Some((*name, None)),
        _ => None,
    };
    let headers: Vec<_> = all.iter().filter_map(header).collect();
    arena.headers(&headers)
}
